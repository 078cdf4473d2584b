"""XLSX bytes as grids. The file is judged before it is unpacked (``archive``), and only cell values are read.

Macros, external links, pictures and hidden names are not looked at; a formula counts by the value that was stored with
it, and is marked where none was (``formulas``). A workbook of many cells is read row by row as it is unpacked: that
takes longer, and no more memory however long its sheets are.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetMetadata,
    SheetVisibleEnum,
)

from suyuan.errors import InputError, SuyuanError
from suyuan.sheets.archive import check_archive, unreadable
from suyuan.sheets.cells import Cell, Cells, Grid, LateRows, column_letters
from suyuan.sheets.formulas import Places, marked, uncomputed

if TYPE_CHECKING:
    from openpyxl import Workbook

MAGIC: Final = b"PK\x03\x04"
# Up to so many cells are held at once: about a hundred bytes each, and twenty times as fast.
HELD_CELLS: Final = 500_000


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
    if check_archive(data) > HELD_CELLS:
        return streamed_grids(data)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        raw = [
            (one.name, workbook.get_sheet_by_name(one.name).to_python(skip_empty_area=False), _is_hidden(one))
            for one in workbook.sheets_metadata
        ]
    except PasswordError:
        raise unreadable("It is protected by a password.", "Remove the password and save it again.") from None
    except (CalamineError, ValueError, OSError) as error:
        raise unreadable(f"{str(error)[:120]}.") from None
    except BaseException as error:  # a panic of the native reader is no Exception
        if type(error).__name__ != "PanicException":
            raise
        raise unreadable("Its parts contradict each other.") from None
    places = _uncomputed(data)
    return tuple(_grid(name, rows, hidden, places.get(name)) for name, rows, hidden in raw)


def _uncomputed(data: bytes) -> dict[str, Places]:
    """The formulas without a value, by sheet."""
    by_part = uncomputed(data)
    if not by_part:
        return {}
    try:
        paths = {sheet.title: getattr(sheet, "_worksheet_path", "") for sheet in _open(data)}
    except Exception as error:
        raise _not_read(error) from None
    return {title: by_part[part] for title, path in paths.items() if (part := path.lstrip("/")) in by_part}


def _is_hidden(sheet: SheetMetadata) -> bool:
    return sheet.visible != SheetVisibleEnum.Visible


def streamed_grids(data: bytes) -> tuple[Grid, ...]:
    """The sheets of a workbook that was judged, each row read when it is asked for.

    Raises as ``read_grids``, also while rows are asked for.
    """
    try:
        sheets = [(sheet.title, sheet.sheet_state != "visible") for sheet in _open(data)]
    except Exception as error:
        raise _not_read(error) from None
    places = _uncomputed(data)
    return tuple(
        Grid(
            name=name,
            rows=LateRows(lambda n=name: marked(_stream(data, n), places.get(n), n)),  # type: ignore[misc]
            hidden=hidden,
        )
        for name, hidden in sheets
    )


def _open(data: bytes) -> Workbook:
    from openpyxl import load_workbook  # ten megabytes that a process without such workbooks does not need

    return load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)


def _stream(data: bytes, name: str) -> Iterator[Cells]:
    """The rows of one sheet as they are unpacked; rows that the file leaves out are empty ones."""
    try:
        book = _open(data)
        sheet = book[name]
        reset = getattr(sheet, "reset_dimensions", None)
        if reset is None:  # a sheet of charts has no cells
            return
        reset()  # what a file says of its own size is not believed
        for y, row in enumerate(sheet.iter_rows(), start=1):
            yield tuple(
                None
                if cell.value is None or cell.data_type == "e"
                else _cell(cell.value, f"{name}!{column_letters(x)}{y}")
                for x, cell in enumerate(row, start=1)
            )
    except SuyuanError:
        raise
    except Exception as error:
        raise _not_read(error) from None


def _not_read(error: Exception) -> InputError:
    """The library raises whatever a broken part makes its own code raise."""
    return unreadable(f"{type(error).__name__} while reading it.")


def _grid(name: str, rows: Sequence[Sequence[object]], hidden: bool, places: Places | None) -> Grid:
    cells = (
        tuple(_cell(value, f"{name}!{column_letters(x)}{y}") for x, value in enumerate(row, start=1))
        for y, row in enumerate(rows, start=1)
    )
    return Grid(name=name, hidden=hidden, rows=tuple(marked(cells, places, name)))


def _cell(value: object, path: str) -> Cell | None:
    if isinstance(value, str):
        text = value.strip()
        return Cell(text=text, path=path) if text else None
    if isinstance(value, bool):
        return Cell(text="true" if value else "false", path=path)
    if isinstance(value, datetime):
        # A workbook keeps days and moments alike; one at midnight is a day, in both libraries.
        if value.time() == time():
            return Cell(text=value.date().isoformat(), path=path, dated=True)
        return Cell(text=value.isoformat(sep="T"), path=path, dated=True)
    if isinstance(value, date | time):
        return Cell(text=value.isoformat(), path=path, dated=True)
    if isinstance(value, timedelta):
        return Cell(text=str(value), path=path, dated=True)
    if isinstance(value, int | float):
        if isinstance(value, float) and not math.isfinite(value):
            return None
        whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e20
        return Cell(text=str(int(value)) if whole else repr(value), path=path, numeric=True)
    return None
