"""Mutations of a sample that know its structure: what gets past the first check is what finds faults."""

from __future__ import annotations

import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from typing import Any

# Values that readers stumble over: control characters, bidi controls, numbers without bounds, things in things.
TEXTS = (
    "", " ", "\0", "\u202e0001\u202c", "\ud800", "\ufeff", "\u2028", "０１２", "１", "²", "A" * 5000, "9" * 400,
    "-1", "1e400",
    "NaN", "Infinity", "0x10", "1_000", "1,5", "+08:00", "2025-02-30", "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:60+14:00",
    "10000-01-01T00:00:00Z", "2025-08-01T10:00:00.000000000000+99:99", "https://id.gs1.org/01/%00",
    "urn:suyuan:raw:order::",
    "urn:suyuan:raw:waybill:%:%", "urn:epc:id:sgtin:..", "urn:epc:idpat:sgtin:*.*.*",
    "https://id.gs1.org/01/09506000134352/21/" + "%41" * 40,
    "%", "%%", "{}", "${jndi:x}", "' OR 1=1 --", "<a/>", "]]>", "&amp;", "=1+1", "@SUM(A1)", "𠮷" * 300, "é",
    "e\u0301",
    "ni:///sha-256;zz?ver=CBV2.0", "http://[::1", "//", "\r\n", "\t", "T5165W000123:999999999999999999999999",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**53, 2**63, 2**64, 10**400, 1.5, 1e308, -0.0, [], {}, [[]], [None],
    {"": ""}, {"type": []},
    [[[[[[[[[[]]]]]]]]]], {"a": {"a": {"a": {"a": {}}}}}, {"@id": 1}, {"@value": "x", "@language": "zh"},
)  # fmt: skip
TOKENS = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80\xae",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"&#0;",
    b"&#x110000;", b"<![CDATA[", b"]]>", b"<?xml encoding='x'?>", b"<!--", b"-->", b" xmlns=''",
    b" xmlns:a='b'", b"<a:b>", b"[" * 300,
    b"{\"a\":" * 100, b"\"", b"\\u0000", b"\\ud800", b"\\", b"1e9999", b"-", b"NaN", b",", b";", b"\t",
    b"\r", b"\n", b"'", b"=", b"\x1a", b"PK\x03\x04",
)  # fmt: skip
Mutation = Callable[[random.Random, bytes], bytes]


def bytes_of(rng: random.Random, data: bytes) -> bytes:
    """Bytes changed, cut out, doubled, put in."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(found) + 1)
        end = min(len(found), at + rng.choice((1, 2, 8, 64, 1024)))
        kind = rng.randrange(6)
        if kind == 0:
            found[at:end] = b""
        elif kind == 1:
            found[at:at] = found[at:end] * rng.choice((1, 2, 20))
        elif kind == 2:
            found[at:at] = rng.choice(TOKENS)
        elif kind == 3 and at < len(found):
            found[at] ^= 1 << rng.randrange(8)
        elif kind == 4:
            found[at:end] = rng.randbytes(end - at)
        else:
            del found[at:]
    return bytes(found)


def json_of(rng: random.Random, data: bytes) -> bytes:
    """A value of a JSON document replaced, left out, doubled, under another name."""
    try:
        root = json.loads(data)
    except (ValueError, RecursionError):
        return bytes_of(rng, data)
    nodes: list[tuple[Any, Any]] = []
    stack = [root]
    while stack:
        node = stack.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            nodes.append((node, key))
            stack.append(node[key])
    for _ in range(rng.choice((1, 1, 2, 3))):
        if not nodes:
            break
        node, key = rng.choice(nodes)
        if isinstance(node, dict) and key not in node:
            continue
        if isinstance(node, list) and key >= len(node):
            continue
        kind = rng.randrange(6)
        if kind < 3:
            node[key] = rng.choice(TEXTS if kind < 2 else VALUES)
        elif kind == 3:
            del node[key]
        elif kind == 4:
            other, of = rng.choice(nodes)
            if (isinstance(other, dict) and of in other) or (isinstance(other, list) and of < len(other)):
                node[key] = json.loads(json.dumps(other[of]))
        elif isinstance(node, dict):
            node[rng.choice(TEXTS)] = node[key]
        else:
            node.extend([node[key]] * rng.choice((1, 30)))
    return json.dumps(root, ensure_ascii=bool(rng.randrange(2))).encode("utf-8", "surrogatepass")


_TEXT = re.compile(rb">([^<>]*)<")
_NAME = re.compile(rb"<(/?)([A-Za-z_][\w:.-]*)")
_ELEMENT = re.compile(rb"<([A-Za-z_][\w:.-]*)[^<>]*>[^<>]*</\1>")


def xml_of(rng: random.Random, data: bytes) -> bytes:
    """A text of an XML document replaced, an element left out, doubled or renamed."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        kind = rng.randrange(5)
        found = list((_TEXT if kind < 2 else _ELEMENT if kind < 4 else _NAME).finditer(data))
        if not found:
            return bytes_of(rng, data)
        match = rng.choice(found)
        if kind < 2:
            text = rng.choice(TEXTS).encode("utf-8", "surrogatepass")
            if rng.randrange(4):
                text = text.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b"\0", b"")
            start, end = match.span(1)
        elif kind < 4:
            start, end = match.span()
            text = b"" if kind == 2 else match[0] * rng.choice((2, 40))
        else:
            start, end = match.span(2)
            text = rng.choice(found)[2]
        data = data[:start] + text + data[end:]
    return data


def lines_of(rng: random.Random, data: bytes) -> bytes:
    """A cell or a line of a table, of TOML or of a note replaced, left out, doubled."""
    lines = data.splitlines(keepends=True)
    if not lines:
        return bytes_of(rng, data)
    at = rng.randrange(len(lines))
    kind = rng.randrange(5)
    if kind < 3:
        cells = re.split(rb"([,;\t= \"/]+)", lines[at])
        cells[rng.randrange(len(cells))] = rng.choice(TEXTS).encode("utf-8", "surrogatepass")
        lines[at] = b"".join(cells)
    elif kind == 3:
        del lines[at]
    else:
        lines[at:at] = [lines[rng.randrange(len(lines))]] * rng.choice((1, 30))
    return b"".join(lines)


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()} or {"a": b""}


def zip_of(rng: random.Random, data: bytes) -> bytes:
    """A member of an archive mutated, left out, or the archive's own bytes."""
    if rng.randrange(3) == 0:
        return bytes_of(rng, data)
    try:
        members = _members(data)
    except Exception:  # mutated before, in whatever way
        return bytes_of(rng, data)
    chosen = rng.choice(list(members))
    kind = rng.randrange(8)
    if kind == 0:
        del members[chosen]
    else:
        inner = json_of if members[chosen].startswith(b"{") else xml_of
        members[chosen] = (inner if kind < 6 else bytes_of)(rng, members[chosen])
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out:
        for name, body in members.items():
            out.writestr(name, body)
    return made.getvalue()


def any_of(rng: random.Random, data: bytes) -> bytes:
    """The mutations that fit what the bytes are, and now and then those that do not."""
    first = data.lstrip(b"\xef\xbb\xbf \r\n")[:1]
    fitting: Mutation = (
        zip_of
        if data.startswith(b"PK")
        else json_of
        if first in (b"{", b"[")
        else xml_of
        if first == b"<"
        else lines_of
    )
    return (bytes_of if rng.randrange(4) == 0 else fitting)(rng, data)
