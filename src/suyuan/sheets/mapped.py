"""Scans of another system as a sheet of ours, by their mapping.

What no field of the mapping names may be a person's, and is reported as that; it stays in the evidence and in no event.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

import msgspec

from suyuan.epcis.reading import PersonalField
from suyuan.errors import InputError
from suyuan.sheets.cells import Cell, LateSheet, Row, Sheet
from suyuan.sheets.delimited import DELIMITERS, read_grid
from suyuan.sheets.documents import Findings
from suyuan.sheets.headers import SEARCHED_ROWS
from suyuan.sheets.json_list import Record, read_json_lines, read_records
from suyuan.sheets.mapping import Mapping

_INDEX = re.compile(r"\[\d+\]")


def mapped_sheet(data: bytes, mapping: Mapping, findings: Findings) -> Sheet:
    """The scans as a sheet; the rows of a table are read as they are asked for.

    Raises ``InputError``: ``sheet.mapping.absent``, and as the readers of its format, also while rows are asked for.
    """
    if mapping.format == "csv":
        header = _header(data, mapping)
        rows: tuple[Row, ...] | LateSheet = LateSheet(partial(_csv_rows, data, header, mapping))
    else:
        rows = tuple(_from_records(data, mapping, findings))
    return Sheet(name="", kind=mapping.kind, rows=rows, unknown_columns=())


def shifted(fields: Iterable[PersonalField], by: int) -> tuple[PersonalField, ...]:
    """Personal fields of the scans as places in the whole paper; what stands in the mapping is nobody's."""
    return tuple(
        msgspec.structs.replace(field, start=field.start + by, end=field.end + by)
        for field in fields
        if field.end
    )


def _head(mapping: Mapping) -> dict[str, Cell]:
    texts = ({"zone": mapping.zone} if mapping.zone else {}) | mapping.constants
    return {field: Cell(text=text, path=f"mapping: {field}") for field, text in texts.items() if text}


def _row(
    path: str, found: dict[str, Cell], unknown: list[Cell], mapping: Mapping, head: dict[str, Cell]
) -> Row:
    cells: dict[str, Cell] = {}
    for field, cell in found.items():
        for name, value in mapping.value(field, cell).items():
            cells.setdefault(name, value)
    return Row(path=path, cells=cells, unknown=tuple(unknown), head=head)


class CsvHeader(NamedTuple):
    """The row of a table that a mapping takes for its header, its columns, and what of the mapping is not in it."""

    delimiter: bytes
    number: int
    columns: frozenset[str]
    missing: frozenset[str]


def find_csv_header(data: bytes, mapping: Mapping) -> CsvHeader:
    """The first row with all columns of a mapping, else the one that has most of them. Looks at the beginning only."""
    wanted = frozenset(mapping.fields.values())
    best = CsvHeader(DELIMITERS[0], 0, frozenset(), wanted)
    for delimiter in DELIMITERS:
        glance = read_grid(data[: 64 * 1024], delimiter, max_rows=SEARCHED_ROWS, strict=False)
        for number, cells in enumerate(glance.rows):
            columns = frozenset(cell.text for cell in cells if cell)
            if wanted <= columns:
                return CsvHeader(delimiter, number, columns, frozenset())
            if len(wanted - columns) < len(best.missing):
                best = CsvHeader(delimiter, number, columns, wanted - columns)
    return best


def _header(data: bytes, mapping: Mapping) -> CsvHeader:
    header = find_csv_header(data, mapping)
    if not header.missing:
        return header
    raise InputError(
        "sheet.mapping.absent",
        "No row is a header with the columns of the mapping; missing: "
        + ", ".join(sorted(text[:40] for text in header.missing))
        + ".",
        path="mapping: fields",
        remedy="Write the columns as they stand in the file, or leave out those that it does not have.",
    )


def _csv_rows(data: bytes, found_header: CsvHeader, mapping: Mapping) -> Iterator[Row]:
    header = found_header.number
    grid = read_grid(data, found_header.delimiter)
    titles = {cell.text: x for x, cell in reversed(list(enumerate(grid.first(header + 1)[header]))) if cell}
    places = {field: titles[title] for field, title in mapping.fields.items()}
    used = set(places.values())
    head = _head(mapping)
    for number, cells in enumerate(grid.after(header + 1), start=header + 2):
        if not any(cells):
            continue
        found: dict[str, Cell] = {}
        for field, x in places.items():
            cell = cells[x] if x < len(cells) else None
            if cell is not None:
                found[field] = cell
        unknown = [cell for x, cell in enumerate(cells) if cell and x not in used]
        yield _row(f"row {number}", found, unknown, mapping, head)


def _from_records(data: bytes, mapping: Mapping, findings: Findings) -> Iterator[Row]:
    head = _head(mapping)
    records = read_json_lines(data) if mapping.format == "jsonl" else read_records(data)
    for record in records:
        if mapping.records and _list_of(record) != mapping.records:
            for other in record.values.values():
                findings.add_personal(other, "free_text", ("free_text", other.text))
            continue
        found: dict[str, Cell] = {}
        for field, path in mapping.fields.items():
            above = path.removeprefix("^.")
            cell = (
                record.around.get(above)
                if above != path
                else record.values.get(path, record.around.get(path))
            )
            if cell is not None:
                found[field] = cell
        used = {id(cell) for cell in found.values()}
        everything = (*record.values.values(), *record.around.values())
        yield _row(record.path, found, [cell for cell in everything if id(cell) not in used], mapping, head)


def _list_of(record: Record) -> str:
    """The names of the lists and objects around a record: ``$.data[0].traces[3]`` is ``data.traces``."""
    return _INDEX.sub("", record.path).partition(".")[2]
