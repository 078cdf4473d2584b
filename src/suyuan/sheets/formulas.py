"""Formulas without a value: cells that a program wrote and no spreadsheet has worked out yet.

A reader of values sees them as empty. They are found in the bytes of the parts, block by block, before the sheets are
read. A value that is an empty text is one (``t="str"``); a cell that does not say where it stands is not found.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import Final

from suyuan.errors import InputError
from suyuan.sheets.archive import MAX_COLUMNS
from suyuan.sheets.cells import Cell, Cells, column_letters

_CHUNK: Final = 256 * 1024
# A formula has at most 8,192 characters; a cell is found where it lies across two blocks.
_OVERLAP: Final = 64 * 1024
_UNCOMPUTED = re.compile(
    rb"<(?:\w+:)?c\b(?P<attributes>[^<>]*)>\s*"
    rb"<(?:\w+:)?f\b(?:[^<>]*/>|[^<>]*>[^<>]*</(?:\w+:)?f\s*>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v\s*>\s*</(?:\w+:)?v\s*>)?\s*</(?:\w+:)?c\s*>"
)
_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,7})["']""")
_EMPTY_TEXT = re.compile(rb"""\bt\s*=\s*["']str["']""")


class Places:
    """Cells of one sheet, a bit for each: a sheet of formulas is no larger in memory than one without."""

    def __init__(self) -> None:
        self._bits = bytearray()
        self.rows = 0

    def add(self, column: int, row: int) -> None:
        """Note the cell; both count from 1."""
        bit = row * MAX_COLUMNS + column - 1
        if bit >= len(self._bits) * 8:
            self._bits.extend(bytes(bit // 8 + 1 - len(self._bits)))
        self._bits[bit // 8] |= 1 << bit % 8
        self.rows = max(self.rows, row)

    def columns(self, row: int) -> list[int]:
        """The columns of a row that were noted, in order."""
        size = MAX_COLUMNS // 8
        bits = int.from_bytes(self._bits[row * size : (row + 1) * size], "little")
        return [column for column in range(1, bits.bit_length() + 1) if bits >> (column - 1) & 1]


def uncomputed(data: bytes) -> dict[str, Places]:
    """The formulas without a value by the part of the archive, which was judged before (``archive``)."""
    found: dict[str, Places] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            places = Places()
            with archive.open(entry) as stream:
                rest = b""
                while block := stream.read(_CHUNK):
                    text = rest + block
                    for column, row in _cells(text):
                        places.add(column, row)
                    rest = text[-_OVERLAP:]
            if places.rows:
                found[entry.filename] = places
    return found


def _cells(text: bytes) -> Iterator[tuple[int, int]]:
    for match in _UNCOMPUTED.finditer(text):
        place = _REFERENCE.search(match["attributes"])
        if place is None or _EMPTY_TEXT.search(match["attributes"]):
            continue
        column = 0
        for letter in place[1].upper():
            column = column * 26 + letter - 64
        yield column, int(place[2])


def marked(rows: Iterable[Cells], places: Places | None, name: str) -> Iterator[Cells]:
    """The rows of a sheet with a cell wherever a formula has no value."""
    if places is None:
        yield from rows
        return
    number = 0
    for number, cells in enumerate(rows, start=1):
        yield _marked(cells, places.columns(number), name, number)
    for behind in range(number + 1, places.rows + 1):
        yield _marked((), places.columns(behind), name, behind)


def _marked(cells: Cells, columns: list[int], name: str, row: int) -> Cells:
    if not columns:
        return cells
    full = [*cells, *(None for _ in range(columns[-1] - len(cells)))]
    for column in columns:
        full[column - 1] = Cell(text="", path=f"{name}!{column_letters(column)}{row}", uncomputed=True)
    return tuple(full)


def no_value(path: str) -> InputError:
    """The error for a formula that was not worked out."""
    return InputError(
        "sheet.cell.formula",
        "The cell holds a formula whose result is not in the file.",
        path=path,
        remedy="Open the file in Excel or WPS and save it there, or put the values in place of the formulas.",
    )
