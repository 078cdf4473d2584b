"""Cells, rows and sheets: what a workbook, a delimited text and a JSON list have in common.

A cell knows its text, its place as a person would name it (``Sheet1!C7``, ``C7``, ``$.scans[0].time``) and,
where the document is text, its bytes. That is what errors name and what lets personal data be cut out of the
evidence and put back exactly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TypeAlias

import msgspec

from suyuan.errors import InputError

_TOKEN = re.compile(r"[^\s;,、；，]+")


class Cell(msgspec.Struct, frozen=True, gc=False):
    """One value as text, stripped. ``end`` is 0 where the document has no byte ranges (a workbook).

    ``numeric`` marks a value that the file stores as a number, so that leading zeros are gone, ``dated`` one that it
    stores as a date, whatever was typed, ``uncomputed`` a formula whose value the file does not have.
    """

    text: str
    path: str
    start: int = 0
    end: int = 0
    encoding: str = "utf-8"
    numeric: bool = False
    dated: bool = False
    uncomputed: bool = False

    def parts(self) -> list[Cell]:
        """The cell's values where several stand in it, separated by white space, commas or semicolons."""
        return [self.part(match.start(), match.end()) for match in _TOKEN.finditer(self.text)]

    def part(self, first: int, last: int) -> Cell:
        """The characters from ``first`` to ``last`` as a cell of their own.

        Where the bytes hold escapes, so that characters cannot be counted in them, the part keeps the byte
        range of the whole.
        """
        start, end = self.start, self.end
        if end and end - start == len(self.text.encode(self.encoding, "replace")):
            start += len(self.text[:first].encode(self.encoding))
            end = start + len(self.text[first:last].encode(self.encoding))
        return msgspec.structs.replace(self, text=self.text[first:last], start=start, end=end)


Cells: TypeAlias = "tuple[Cell | None, ...]"


class Row(msgspec.Struct, frozen=True):
    """One line of the table: its cells by field, and those of columns that no field is known for.

    ``head`` are the cells that hold for the whole sheet; a row's own cell goes before them. ``letters`` are the
    columns of the fields where there are columns, to name a cell that is empty. ``uncomputed`` are cells of known
    fields that are in neither, since they hold formulas without a value.
    """

    path: str
    cells: Mapping[str, Cell]
    unknown: tuple[Cell, ...]
    head: Mapping[str, Cell]
    letters: Mapping[str, str] = {}
    uncomputed: tuple[Cell, ...] = ()

    def get(self, field: str) -> Cell | None:
        """The row's cell for ``field``, else the sheet's; None if both are empty."""
        return self.cells.get(field) or self.head.get(field)

    def text(self, field: str) -> str:
        """The text of ``get``, or an empty one."""
        cell = self.get(field)
        return cell.text if cell else ""

    def place_of(self, field: str) -> str:
        """Where the cell of a field is or should be: ``B7``, ``Sheet1!B7``, else the row."""
        letter = self.letters.get(field)
        if letter is None:
            return self.path
        sheet, mark, number = self.path.rpartition("!")
        return f"{sheet}{mark}{letter}{number.removeprefix('row ')}"

    def need(self, field: str) -> Cell:
        """The cell for a mandatory field; ``InputError`` (``sheet.cell.missing``) if there is none."""
        cell = self.get(field)
        if cell is None:
            raise InputError(
                "sheet.cell.missing",
                f"The row has no {field.replace('_', ' ')}.",
                path=self.place_of(field),
                remedy="Fill in the cell, or state it once above the table.",
            )
        return cell


class LateRows:
    """Rows that are made when they are asked for, anew each time: no more than one of them is held."""

    def __init__(self, make: Callable[[], Iterator[Cells]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[Cells]:
        return self._make()


class Grid(msgspec.Struct, frozen=True):
    """A table as it stands in the file: rows of cells, empty ones None; ``hidden`` where whoever opens it sees none."""

    name: str
    rows: tuple[Cells, ...] | LateRows
    hidden: bool = False

    def first(self, count: int) -> tuple[Cells, ...]:
        """The first rows."""
        return tuple(islice(self.rows, count))

    def after(self, count: int) -> Iterator[Cells]:
        """The rows behind the first ones."""
        return islice(self.rows, count, None)


class LateSheet:
    """The rows of a table as they are read, anew each time."""

    def __init__(self, make: Callable[[], Iterator[Row]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[Row]:
        return self._make()


class Sheet(msgspec.Struct, frozen=True):
    """A table that has been understood: its kind, its rows, and the columns that were not."""

    name: str
    kind: str
    rows: tuple[Row, ...] | LateSheet
    unknown_columns: tuple[tuple[str, str], ...]
    head_unknown: tuple[Cell, ...] = ()

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)


def column_letters(number: int) -> str:
    """``1`` -> ``A``, ``28`` -> ``AB``: a column as a spreadsheet names it."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
