"""Which row of a table is its header, what its columns mean, and so what kind of paper it is.

A sheet is recognised by its columns alone. Above the header may stand lines with a label and a value
(``Time zone | +08:00``); they hold for every row. The spellings of labels are data: those of the templates in five
languages (``data/columns.toml``), and those of other people's sheets (``data/headers.toml``).
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache, partial
from importlib import resources
from typing import Final

import msgspec

from suyuan.errors import InputError
from suyuan.sheets.cells import Cell, Grid, LateSheet, Row, Sheet, column_letters
from suyuan.sheets.formulas import no_value
from suyuan.sheets.templates import column_labels

SEARCHED_ROWS: Final = 40
_TOTALS: Final = frozenset({"total", "totals", "sum", "合计", "总计", "小计", "共计"})


class Kind(msgspec.Struct, frozen=True):
    """A kind of paper and the columns that make it one: of each group of ``needs``, one alternative."""

    name: str
    needs: tuple[tuple[frozenset[str], ...], ...]

    def missing(self, fields: Iterable[str]) -> tuple[str, ...]:
        """What is not there, in words; empty if the fields make this kind."""
        found = set(fields)
        return tuple(
            " or ".join(" and ".join(sorted(choice)) for choice in group).replace("_", " ")
            for group in self.needs
            if not any(choice <= found for choice in group)
        )


def _group(*choices: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(choice.split()) for choice in choices)


# In this order: a sheet that names a step is a sheet of events whatever else it has.
KINDS: Final = (
    Kind("sheet/tally", (_group("quantity_received"), _group("lot"))),
    Kind("sheet/events", (_group("step"), _group("time"))),
    Kind("scan/courier", (_group("waybill"), _group("time"), _group("status", "remark"))),
    Kind("log/verification", (_group("thing", "serial gtin"), _group("time"), _group("result"))),
    Kind(
        "sheet/packing-list",
        (
            _group("parent", "container"),
            _group("child", "thing", "serial gtin", "lot quantity", "parent container"),
        ),
    ),
)


def normal_label(text: str) -> str:
    """A label without case, blanks and signs: ``Pallet (SSCC)`` -> ``palletsscc``."""
    return "".join(
        character for character in unicodedata.normalize("NFKC", text[:200]).casefold() if character.isalnum()
    )


@lru_cache(maxsize=1)
def _fields() -> dict[str, str]:
    text = resources.files("suyuan.sheets").joinpath("data/headers.toml").read_text("utf-8")
    found: dict[str, str] = {}
    for field, labels in (*tomllib.loads(text).items(), *column_labels().items()):
        for label in (field, *labels):
            found[normal_label(label)] = field
    return found


def field_of(label: str) -> str | None:
    """The field that a column or label text stands for, or None."""
    return _fields().get(normal_label(label))


def field_names() -> frozenset[str]:
    """Every field that a column can stand for."""
    return frozenset(_fields().values())


def kind_of(fields: Iterable[str]) -> str | None:
    """The kind of paper that these fields make, or None."""
    found = frozenset(fields)
    return next((kind.name for kind in KINDS if not kind.missing(found)), None)


def lacking_for(kind: str, fields: Iterable[str]) -> tuple[str, ...]:
    """What these fields lack to make a kind of paper, in words."""
    return next(one for one in KINDS if one.name == kind).missing(fields)


def read_sheet(grid: Grid) -> Sheet | None:
    """The grid understood, or None if no row of it is a header that is known.

    Raises ``InputError`` (``sheet.header.duplicate``) where two columns mean one field.
    """
    head: dict[str, Cell] = {}
    for number, cells in enumerate(grid.first(SEARCHED_ROWS)):
        present = [cell for cell in cells if cell]
        columns = {x: field for x, cell in enumerate(cells) if cell and (field := field_of(cell.text))}
        # A label with its value beside it is no header, though both may be words of the table above.
        if len(columns) > 1 and (kind := kind_of({*columns.values(), *head})) is not None:
            _refuse_twins(columns, cells)
            if lost := next((cell for cell in present if cell.uncomputed), None):
                raise no_value(lost.path)
            unknown = {x: cell.text for x, cell in enumerate(cells) if cell and x not in columns}
            rows = LateSheet(partial(_rows, grid, number + 1, columns, head))
            return Sheet(
                name=grid.name,
                kind=kind,
                rows=rows,
                unknown_columns=tuple(
                    (name, cell.path) for x, name in unknown.items() if (cell := cells[x]) is not None
                ),
            )
        if len(present) == 2 and (field := field_of(present[0].text)):
            head[field] = present[1]
    return None


def _rows(grid: Grid, first: int, columns: Mapping[int, str], head: Mapping[str, Cell]) -> Iterator[Row]:
    letters = {field: column_letters(x + 1) for x, field in columns.items()}
    known_head = {field: cell for field, cell in head.items() if not cell.uncomputed}
    lost_head = tuple(cell for cell in head.values() if cell.uncomputed)
    for number, cells in enumerate(grid.after(first), start=first + 1):
        present = [cell for cell in cells if cell and not cell.uncomputed]
        lost = tuple(cell for x, cell in enumerate(cells) if cell and cell.uncomputed and x in columns)
        if not (present or lost) or (present and normal_label(present[0].text) in _TOTALS):
            continue
        yield Row(
            path=f"{grid.name}!{number}" if grid.name else f"row {number}",
            cells={
                columns[x]: cell
                for x, cell in enumerate(cells)
                if cell and not cell.uncomputed and x in columns
            },
            unknown=tuple(
                cell for x, cell in enumerate(cells) if cell and not cell.uncomputed and x not in columns
            ),
            head=known_head,
            letters=letters,
            uncomputed=lost + lost_head,
        )


def _refuse_twins(columns: Mapping[int, str], cells: tuple[Cell | None, ...]) -> None:
    seen: dict[str, Cell] = {}
    for x, field in columns.items():
        cell = cells[x]
        assert cell is not None
        if field in seen:
            raise InputError(
                "sheet.header.duplicate",
                f"The columns {seen[field].text[:40]!r} and {cell.text[:40]!r} both mean"
                f" {field.replace('_', ' ')}.",
                path=cell.path,
                remedy="Rename or remove one of them.",
            )
        seen[field] = cell


def unknown_header(grids: Iterable[Grid]) -> InputError:
    """The error for a document without a known header: names the row that comes nearest and what it lacks."""
    best: tuple[int, str, tuple[str, ...], str] = (0, "", (), "")
    for grid in grids:
        for number, cells in enumerate(grid.first(SEARCHED_ROWS), start=1):
            fields = {field for cell in cells if cell and (field := field_of(cell.text))}
            for kind in KINDS:
                lacking = kind.missing(fields)
                if len(kind.needs) - len(lacking) > best[0]:
                    place = f"{grid.name}!{number}" if grid.name else f"row {number}"
                    best = (len(kind.needs) - len(lacking), kind.name, lacking, place)
    if best[0]:
        return InputError(
            "sheet.header.incomplete",
            f"The header comes nearest to {best[1]} and lacks: {'; '.join(best[2])}.",
            path=best[3],
            remedy="Add the missing column, or a line with its label and value above the table.",
        )
    return InputError(
        "sheet.header.unknown",
        "No row is a header whose columns are known.",
        remedy="Use the columns of a packing list, tally, courier scans, verification log or event sheet. Scans of a"
        " shape of your own are read by a mapping (suyuan mapping put, or --mapping).",
    )
