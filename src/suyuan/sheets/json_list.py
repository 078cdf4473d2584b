"""A JSON list of records as rows whose values know their bytes.

Courier systems and check logs send a list of objects, bare or inside an object whose own fields hold for all
of them, or a list of shipments that each hold such a list. The bytes are walked here, since no JSON library
says where a value stands; what is accepted is strict JSON in UTF-8, nested at most 16 deep.
"""

from __future__ import annotations

import json
import re
from typing import Final, TypeAlias

import msgspec

from suyuan.errors import InputError, TooLargeError
from suyuan.sheets.cells import Cell

# It is read whole, and scans in memory take some thirty times their bytes: so much is 60,000 of them.
MAX_BYTES: Final = 8 * 1024 * 1024
MAX_DEPTH: Final = 16
MAX_RECORDS: Final = 200_000

Node: TypeAlias = "Cell | dict[str, Node] | list[Node] | None"

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"((?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+)"')
_SCALAR = re.compile(rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null")


class Record(msgspec.Struct, frozen=True):
    """One object of the list: its values by dotted key, and those of the objects around it."""

    path: str
    values: dict[str, Cell]
    around: dict[str, Cell]


def read_records(data: bytes) -> list[Record]:
    """The records of the document.

    Raises ``InputError`` (``sheet.json.*``) or ``TooLargeError`` (``sheet.too_large``).
    """
    start = _check_text(data)
    walker = _Walker(data)
    tree, position = walker.value(start, "$", 0)
    position = walker.skip(position)
    if position != len(data):
        raise walker.broken(position)
    records: list[Record] = []
    _collect(tree, "$", {}, records)
    return _some(records)


def read_json_lines(data: bytes) -> list[Record]:
    """The records of a document with a JSON value on each line; paths begin with the line. Raises as above."""
    position, size = _check_text(data), len(data)
    walker = _Walker(data)
    records: list[Record] = []
    number = 0
    while position < size:
        number += 1
        end = data.find(b"\n", position)
        end = size if end < 0 else end
        if data[position:end].strip():
            path = f"line {number}"
            tree, after = walker.value(position, path, 0)
            if after > end or data[after:end].strip():
                raise walker.broken(after)
            _collect(tree, path, {}, records)
        position = end + 1
    return _some(records)


def check_json_size(size: int) -> None:
    """Raise ``TooLargeError`` (``sheet.too_large``) for a list that is longer than is read whole."""
    if size > MAX_BYTES:
        raise TooLargeError(
            "sheet.too_large",
            f"The list has {size} bytes; one in JSON is read whole and has at most {MAX_BYTES}.",
            remedy="Send it in parts, or as CSV, which is read row by row and may have 64 MiB.",
        )


def _check_text(data: bytes) -> int:
    """Where the text begins, its size and encoding being right."""
    check_json_size(len(data))
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            "sheet.encoding.broken",
            f"The bytes are not valid UTF-8 at byte {error.start}.",
            remedy="JSON is UTF-8; write the file again in it.",
        ) from None
    return 3 if data.startswith(b"\xef\xbb\xbf") else 0


def _some(records: list[Record]) -> list[Record]:
    if not records:
        raise InputError(
            "sheet.json.no_records",
            "The document holds no list of records.",
            path="$",
            remedy="Send a list of objects, or an object with such a list in it.",
        )
    if len(records) > MAX_RECORDS:
        raise TooLargeError("sheet.too_large", f"The list has more than {MAX_RECORDS} records.")
    return records


def _collect(node: Node, path: str, around: dict[str, Cell], records: list[Record]) -> None:
    """Take the objects of the innermost lists as records; scalars met on the way hold for all below."""
    if isinstance(node, list):
        for position, child in enumerate(node):
            if isinstance(child, dict):
                _collect(child, f"{path}[{position}]", around, records)
            elif child is not None:
                raise InputError(
                    "sheet.json.no_records",
                    "A list holds something other than objects.",
                    path=f"{path}[{position}]",
                    remedy="Send a list of objects.",
                )
        return
    if not isinstance(node, dict):
        return
    values: dict[str, Cell] = {}
    lists: list[tuple[str, list[Node]]] = []
    _flatten(node, "", values, lists)
    if lists:
        for name, child in lists:
            _collect(child, f"{path}.{name}", {**around, **values}, records)
    elif path != "$" or values:
        records.append(Record(path=path, values=values, around=around))


def _flatten(
    node: dict[str, Node], prefix: str, values: dict[str, Cell], lists: list[tuple[str, list[Node]]]
) -> None:
    for key, child in node.items():
        name = f"{prefix}{key}"
        if isinstance(child, Cell):
            if child.text:
                values[name] = child
        elif isinstance(child, dict):
            _flatten(child, f"{name}.", values, lists)
        elif isinstance(child, list):
            if any(isinstance(element, dict | list) for element in child):
                lists.append((name, child))
            else:
                values.update(
                    {f"{name}.{n}": e for n, e in enumerate(child) if isinstance(e, Cell) and e.text}
                )


class _Walker:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def skip(self, position: int) -> int:
        match = _SPACE.match(self.data, position)
        return match.end() if match else position

    def broken(self, position: int) -> InputError:
        return InputError(
            "sheet.json.malformed",
            f"The document is not JSON at byte {position}.",
            remedy="Send the file as the sending system wrote it; a cut transfer is the usual cause.",
        )

    def value(self, position: int, path: str, depth: int) -> tuple[Node, int]:
        if depth > MAX_DEPTH:
            raise TooLargeError(
                "sheet.json.depth", f"Values are nested more than {MAX_DEPTH} deep.", path=path
            )
        position = self.skip(position)
        opening = self.data[position : position + 1]
        if opening == b"{":
            return self.members(position + 1, path, depth)
        if opening == b"[":
            return self.elements(position + 1, path, depth)
        if opening == b'"':
            text, start, end = self.string(position)
            return Cell(text=text, path=path, start=start, end=end), end + 1
        match = _SCALAR.match(self.data, position)
        if match is None:
            raise self.broken(position)
        text = match.group().decode("ascii")
        if text == "null":
            return None, match.end()
        numeric = text not in {"true", "false"}
        return Cell(text=text, path=path, start=position, end=match.end(), numeric=numeric), match.end()

    def string(self, position: int) -> tuple[str, int, int]:
        """The text of a string without white space around it, and the bytes between its quotes."""
        match = _STRING.match(self.data, position)
        if match is None:
            raise self.broken(position)
        raw = match[1]
        if b"\\" not in raw:
            text = raw.decode("utf-8")
        else:
            text = json.loads(match.group())
            if any("\ud800" <= character <= "\udfff" for character in text):
                raise self.broken(position)
        start, end = match.span(1)
        stripped = text.strip()
        if stripped != text and b"\\" not in raw:
            start += len(text[: len(text) - len(text.lstrip())].encode("utf-8"))
            return stripped, start, match.end(1)
        return stripped, start, end

    def members(self, position: int, path: str, depth: int) -> tuple[Node, int]:
        found: dict[str, Node] = {}
        position = self.skip(position)
        if self.data[position : position + 1] == b"}":
            return found, position + 1
        while True:
            position = self.skip(position)
            key, _, end = self.string(position)
            if key in found:
                raise InputError(
                    "sheet.json.duplicate_key", "A key stands twice in one object.", path=f"{path}.{key[:60]}"
                )
            position = self.skip(end + 1)
            if self.data[position : position + 1] != b":":
                raise self.broken(position)
            found[key], position = self.value(position + 1, f"{path}.{key[:60]}", depth + 1)
            position = self.skip(position)
            if (follows := self.data[position : position + 1]) not in (b",", b"}"):
                raise self.broken(position)
            position += 1
            if follows == b"}":
                return found, position

    def elements(self, position: int, path: str, depth: int) -> tuple[Node, int]:
        found: list[Node] = []
        position = self.skip(position)
        if self.data[position : position + 1] == b"]":
            return found, position + 1
        while True:
            node, position = self.value(position, f"{path}[{len(found)}]", depth + 1)
            found.append(node)
            position = self.skip(position)
            if (follows := self.data[position : position + 1]) not in (b",", b"]"):
                raise self.broken(position)
            position += 1
            if follows == b"]":
                return found, position
