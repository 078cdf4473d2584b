"""XLSX bytes as grids. The file is judged before it is unpacked, and only cell values are read.

A workbook is a ZIP of XML: its declared sizes and ratios are limited first, then every part is unpacked once
in a stream to see that the declaration is true and how far the cells reach, since a sheet with one cell in
the last corner would fill the memory of a reader. Macros, formulas, external links, pictures and hidden
names are not looked at; a formula counts by the value that was stored with it.
"""

from __future__ import annotations

import codecs
import io
import math
import re
import zipfile
import zlib
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from suyuan.errors import InputError, TooLargeError
from suyuan.sheets.cells import Cell, Grid, column_letters

MAGIC: Final = b"PK\x03\x04"
MAX_BYTES: Final = 64 * 1024 * 1024
MAX_ENTRIES: Final = 1_000
MAX_UNPACKED: Final = 160 * 1024 * 1024
MAX_RATIO: Final = 200
RATIO_FLOOR: Final = 1024 * 1024
MAX_ROWS: Final = 200_000
MAX_COLUMNS: Final = 256
MAX_CELLS: Final = 4_000_000
MAX_TEXT: Final = 512 * 1024 * 1024
_CHUNK: Final = 1024 * 1024
_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,7})["']""")
_ROW = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\br\s*=\s*["']([0-9]{1,10})["']""")
_TEXT_END = re.compile(rb"</(?:\w+:)?si>")
_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")


def is_workbook(data: bytes) -> bool:
    """Whether the bytes are a ZIP with a workbook's parts. Reads the directory of the archive only."""
    if not data.startswith(MAGIC):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError):
        return b"xl/workbook.xml" in data


def read_grids(data: bytes) -> tuple[Grid, ...]:
    """The sheets of the workbook in order, hidden ones too.

    Raises ``InputError`` (``sheet.workbook.*``) or ``TooLargeError`` (``sheet.too_large``,
    ``sheet.workbook.bomb``).
    """
    check_archive(data)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        raw = [
            (name, workbook.get_sheet_by_name(name).to_python(skip_empty_area=False))
            for name in workbook.sheet_names
        ]
    except PasswordError:
        raise _unreadable(
            "It is protected by a password.", "Remove the password and save it again."
        ) from None
    except (CalamineError, ValueError, OSError) as error:
        raise _unreadable(f"{str(error)[:120]}.") from None
    except BaseException as error:  # a panic of the native reader is no Exception
        if type(error).__name__ != "PanicException":
            raise
        raise _unreadable("Its parts contradict each other.") from None
    return tuple(_grid(name, rows) for name, rows in raw)


def check_archive(data: bytes) -> None:
    """Refuse an archive that is broken, encrypted, untrue about its sizes or unreasonably dense."""
    if len(data) > MAX_BYTES:
        raise TooLargeError("sheet.too_large", f"The workbook has more than {MAX_BYTES // 1024 // 1024} MiB.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check_directory(entries)
            cells = 0
            longest = 0
            for entry in entries:
                text_length, cell_count = _check_entry(archive, entry)
                cells += cell_count
                longest = max(longest, text_length)
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, NotImplementedError, EOFError) as error:
        raise _unreadable(f"{str(error)[:120]}.") from None
    if cells > MAX_CELLS or cells * longest > MAX_TEXT:
        raise TooLargeError(
            "sheet.too_large",
            "The sheets hold more cells or more text than one import takes.",
            remedy="Split the workbook.",
        )


def _check_directory(entries: list[zipfile.ZipInfo]) -> None:
    names = {entry.filename for entry in entries}
    if len(names) != len(entries):
        raise _unreadable("It holds two parts of one name.")
    if any(entry.flag_bits & 1 for entry in entries):
        raise _unreadable("It is protected by a password.", "Remove the password and save it again.")
    if (
        len(entries) > MAX_ENTRIES
        or sum(entry.file_size for entry in entries) > MAX_UNPACKED
        or any(
            entry.file_size > RATIO_FLOOR and entry.file_size > MAX_RATIO * max(entry.compress_size, 1)
            for entry in entries
        )
    ):
        raise TooLargeError(
            "sheet.workbook.bomb",
            f"The archive would unpack to more than {MAX_UNPACKED // 1024 // 1024} MiB, holds more than"
            f" {MAX_ENTRIES} parts or is packed more than {MAX_RATIO} times.",
            remedy="Save the sheet as a new workbook, or send it as CSV.",
        )


def _check_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """Unpack one part, check how far its cells reach; the length of its longest text and its cell count.

    Any part may be a sheet or the table of texts, whatever its name, so all are looked through.
    """
    with archive.open(entry) as stream:
        data = b"".join(iter(lambda: stream.read(_CHUNK), b""))
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise _unreadable("One of its parts is UTF-16.")
    longest = max(map(len, _TEXT_END.split(data))) if _TEXT_END.search(data) else 0
    cells = len(_CELL.findall(data))
    if not cells and not _ROW.search(data):
        return longest, 0
    references = set(_REFERENCE.findall(data))
    columns = max((_column_number(letters) for letters, _ in references), default=0)
    rows = max([int(row) for _, row in references] + [int(row) for row in _ROW.findall(data)], default=0)
    if rows > MAX_ROWS or columns > MAX_COLUMNS or rows * columns > MAX_CELLS:
        raise TooLargeError(
            "sheet.too_large",
            f"A sheet reaches to row {rows}, column {columns}; at most {MAX_ROWS} rows and {MAX_COLUMNS}"
            " columns are read.",
            path=entry.filename[:120],
            remedy="Delete what stands far below or beside the table, or split it.",
        )
    return longest, cells


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _unreadable(reason: str, remedy: str = "Save it again as .xlsx, or send the table as CSV.") -> InputError:
    return InputError("sheet.workbook.unreadable", f"The workbook cannot be read: {reason}", remedy=remedy)


def _grid(name: str, rows: Sequence[Sequence[object]]) -> Grid:
    return Grid(
        name=name,
        rows=tuple(
            tuple(_cell(value, f"{name}!{column_letters(x)}{y}") for x, value in enumerate(row, start=1))
            for y, row in enumerate(rows, start=1)
        ),
    )


def _cell(value: object, path: str) -> Cell | None:
    if isinstance(value, str):
        text = value.strip()
        return Cell(text=text, path=path) if text else None
    if isinstance(value, bool):
        return Cell(text="true" if value else "false", path=path)
    if isinstance(value, datetime):
        return Cell(text=value.isoformat(sep="T"), path=path)
    if isinstance(value, date | time):
        return Cell(text=value.isoformat(), path=path)
    if isinstance(value, timedelta):
        return Cell(text=str(value), path=path)
    if isinstance(value, int | float):
        if isinstance(value, float) and not math.isfinite(value):
            return None
        whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e20
        return Cell(text=str(int(value)) if whole else repr(value), path=path, numeric=True)
    return None
