"""Where rows of an import of aliases come from: a list of codes and items, or a range on the labels of a batch."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from typing import BinaryIO

from suyuan.db.pool import Connection, sql
from suyuan.errors import InputError
from suyuan.issuing.codes import Batch
from suyuan.issuing.foreign_codes import CodeRange

READ_ROWS = 10_000
MAX_LINE = 2_000
# Rows as they were given: line, code, item; made anew each time they are asked for.
Rows = Callable[[Connection], AsyncGenerator[Sequence[tuple[int, str, str]], None]]


def rows_of_list(open_file: Callable[[], BinaryIO]) -> Rows:
    """Rows of a CSV with the columns ``code`` and ``item`` (UTF-8), line numbers as in the file."""

    async def rows(_: Connection) -> AsyncGenerator[Sequence[tuple[int, str, str]], None]:
        with io.TextIOWrapper(open_file(), encoding="utf-8-sig", newline="") as text:
            lines = _lines(text)
            while portion := await asyncio.to_thread(_take, lines):
                yield portion

    return rows


def _take(lines: Iterator[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    return [row for _, row in zip(range(READ_ROWS), lines, strict=False)]


def _lines(file: io.TextIOWrapper) -> Iterator[tuple[int, str, str]]:
    reader = csv.reader(_short(file))
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        if not {"code", "item"} <= set(header):
            raise InputError(
                "issuing.alias.columns",
                "The list has no columns code and item.",
                path="line 1",
                remedy="Begin it with the line: code,item",
            )
        code, item = header.index("code"), header.index("item")
        for cells in reader:
            if max(map(len, cells), default=0) > MAX_LINE:
                # A quotation mark that is never closed: what csv allows itself is for any code to change.
                raise csv.Error(f"a cell has more than {MAX_LINE} characters")
            if any(cell.strip() for cell in cells):
                filled = [*cells, *[""] * (len(header) - len(cells))]
                yield reader.line_num, filled[code].strip(), filled[item].strip()
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            "issuing.alias.text",
            f"The list is no CSV in UTF-8: {error}.",
            path=f"line {reader.line_num + 1}",
            remedy="Save it as CSV UTF-8, numbers as text so that zeros in front stay.",
        ) from None


def _short(file: io.TextIOWrapper) -> Iterator[str]:
    """Lines of bounded length: one without an end must not fill the memory."""
    while line := file.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise csv.Error(f"a line has more than {MAX_LINE} characters")
        yield line


def rows_of_range(batch: Batch, codes: CodeRange, first: int = 1) -> Rows:
    """A range of codes on the labels of a batch, in its order from label ``first`` on.

    Raises ``InputError`` (``issuing.alias.length``) where the batch has not so many labels.
    """
    last = first + len(codes) - 1
    if not 1 <= first <= last <= batch.count:
        raise InputError(
            "issuing.alias.length",
            f"{len(codes)} codes from label {first} on go beyond the batch's {batch.count} labels.",
            path="to",
            remedy="One code for each label: shorten the range, or name another batch.",
        )
    stem = f"https://id.gs1.org/01/{batch.gtin}/21/"

    async def rows(conn: Connection) -> AsyncGenerator[Sequence[tuple[int, str, str]], None]:
        wanted = iter(codes)
        for start in range(first, last + 1, READ_ROWS):
            found = await conn.fetch(
                sql(__package__, "serials_from"),
                batch.batch_id,
                start,
                min(start + READ_ROWS - 1, last),
            )
            yield [(row["ordinal"], next(wanted), stem + row["serial"]) for row in found]

    return rows
