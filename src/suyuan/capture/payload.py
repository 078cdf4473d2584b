"""How an event's body is stored and read back: canonical bytes, with long lists apart.

A commissioning event may name 43,200 serials. A walk that meets it reads the body without them; whoever
wants the whole event puts the chunks back in. The stored body of a short event is its canonical body.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from suyuan.canon import JSON, canonical_json

CHUNK = 256
LONG_FIELDS = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
_LISTS = "#lists"


class ListChunk(msgspec.Struct, frozen=True, gc=False):
    """Up to ``CHUNK`` elements of one long list."""

    field: str
    chunk: int
    elements: bytes


def split_body(body: Mapping[str, JSON]) -> tuple[bytes, list[ListChunk]]:
    """Canonical bytes of the body and the chunks of lists that were too long to stay in it."""
    chunks: list[ListChunk] = []
    counts: dict[str, JSON] = {}
    for field in LONG_FIELDS:
        elements = body.get(field)
        if isinstance(elements, list) and len(elements) > CHUNK:
            counts[field] = len(elements)
            for number in range(0, len(elements), CHUNK):
                part = msgspec.json.encode(elements[number : number + CHUNK])
                chunks.append(ListChunk(field, number // CHUNK, part))
    if not chunks:
        return canonical_json(body), chunks
    kept = {name: value for name, value in body.items() if name not in counts}
    return canonical_json({**kept, _LISTS: counts}), chunks


def read_body(stored: bytes | None) -> dict[str, Any]:
    """The body as stored; a long list is absent and counted under ``#lists``. Empty after an erasure."""
    if stored is None:
        return {}
    body: dict[str, Any] = msgspec.json.decode(stored)
    return body


def list_counts(body: Mapping[str, Any]) -> dict[str, int]:
    """How many elements each list that lies apart has."""
    return dict(body.get(_LISTS) or {})


def join_body(stored: bytes, chunks: Iterable[tuple[str, int, bytes]]) -> dict[str, Any]:
    """The whole body again: ``chunks`` are (field, chunk number, elements) in any order."""
    body = read_body(stored)
    body.pop(_LISTS, None)
    for field, _, elements in sorted(chunks, key=lambda chunk: (chunk[0], chunk[1])):
        body.setdefault(field, []).extend(msgspec.json.decode(elements))
    return body
