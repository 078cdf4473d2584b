"""Products and places from CSV as spreadsheets save it, or from a workbook.

UTF-8 (with or without a mark) or GB18030; comma, semicolon or tab, whichever the header uses; columns in any
order, named as the fields are or as a template names them in any of its languages. An unknown column is
refused, since a misspelt one would be dropped in silence. Pure: bytes in, records out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from suyuan.catalog.records import Place, Product, check_place, check_product
from suyuan.errors import InputError, SuyuanError, TooLargeError
from suyuan.sheets.catalogue_tables import catalogue_fields, is_workbook, truth_of, workbook_as_csv

MAX_BYTES = 20_000_000
MAX_ROWS = 100_000

Record = TypeVar("Record", Product, Place)


def _text(data: bytes) -> str:
    if is_workbook(data):
        data = workbook_as_csv(data)
    if len(data) > MAX_BYTES:
        raise TooLargeError("catalog.csv.size", f"The file has more than {MAX_BYTES // 1_000_000} MB.")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise InputError(
        "catalog.csv.encoding",
        "The file is neither UTF-8 nor GB18030 text.",
        remedy="Save it from the spreadsheet as CSV UTF-8.",
    )


def _rows(
    data: bytes, headers: Mapping[str, str], fields: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells of each row that is not empty."""
    text = _text(data)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [headers.get(cell.strip().casefold(), cell.strip().lower()) for cell in next(reader, [])]
        _check_header(header, fields)
        count = 0
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > MAX_ROWS:
                raise TooLargeError("catalog.csv.rows", f"The file has more than {MAX_ROWS} rows.")
            if len(cells) != len(header):
                raise InputError(
                    "catalog.csv.columns",
                    f"The row has {len(cells)} cells where the header has {len(header)}.",
                    path=f"line {reader.line_num}",
                    remedy=f"Put a cell that holds {delimiter!r} in double quotes.",
                )
            yield reader.line_num, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    except csv.Error as error:
        raise InputError(
            "catalog.csv.malformed", f"The row is not CSV: {error}.", path=f"line {reader.line_num}"
        ) from None


def _check_header(header: Sequence[str], fields: Sequence[str]) -> None:
    if fields[0] not in header:
        raise InputError(
            "catalog.csv.header",
            f"The first line names no column {fields[0]}.",
            path="line 1",
            remedy="The first line names the columns: " + ", ".join(fields) + ".",
        )
    for name in header:
        if name not in fields or header.count(name) > 1:
            raise InputError(
                "catalog.csv.header",
                f"The column {name[:40]!r} is not known or is there twice.",
                path="line 1",
                remedy="The columns are: " + ", ".join(fields) + ".",
            )


def _records(
    data: bytes,
    headers: Mapping[str, str],
    fields: Sequence[str],
    make: Callable[[dict[str, Any]], Record],
) -> tuple[Record, ...]:
    found: dict[str, Record] = {}
    for line, cells in _rows(data, headers, fields):
        try:
            record = make(dict(cells))
        except SuyuanError as error:
            error.path = f"line {line}, column {error.path}"
            raise
        key = str(getattr(record, fields[0]))
        if key in found:
            raise InputError(
                "catalog.csv.twice",
                f"{key} stands in the file twice.",
                path=f"line {line}, column {fields[0]}",
                remedy="Keep one of the rows.",
            )
        found[key] = record
    return tuple(found.values())


def _place(cells: dict[str, Any]) -> Place:
    flag = str(cells.pop("warehouse", ""))
    warehouse = truth_of(flag)
    if warehouse is None:
        raise InputError("catalog.flag", f"{flag[:20]!r} is neither yes nor no.", path="warehouse")
    return check_place(Place(**cells, warehouse=warehouse))


def read_products_csv(data: bytes) -> tuple[Product, ...]:
    """The products of a CSV file or workbook; GTINs of 8, 12 or 13 digits are taken too.

    Raises ``InputError`` (``catalog.*``) or ``TooLargeError`` (``catalog.csv.*``) with line and column as
    path.
    """
    fields = Product.__struct_fields__
    return _records(data, catalogue_fields("product"), fields, lambda cells: check_product(Product(**cells)))


def read_places_csv(data: bytes) -> tuple[Place, ...]:
    """The places of a CSV file or workbook. Raises as ``read_products_csv`` does."""
    return _records(data, catalogue_fields("place"), Place.__struct_fields__, _place)
