"""Whether an archive may be unpacked as a workbook: judged before anything of it is read.

Declared sizes and ratios are limited first; then every part is unpacked once, block by block, to see that the
declaration is true and how far the cells reach, since a sheet with one cell in the last corner would fill the memory of
a reader.
"""

from __future__ import annotations

import codecs
import io
import re
import zipfile
import zlib
from typing import Final

from suyuan.errors import InputError, TooLargeError

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
_LONGEST_TAG: Final = 64 * 1024
_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,7})["']""")
_ROW = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\br\s*=\s*["']([0-9]{1,10})["']""")
_TEXT_END = re.compile(rb"</(?:\w+:)?si>")
_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")


def check_archive(data: bytes) -> int:
    """How many cells the sheets have. Refuses what is broken, encrypted, untrue about its sizes or too dense.

    Raises ``InputError`` (``sheet.workbook.unreadable``) or ``TooLargeError`` (``sheet.too_large``,
    ``sheet.workbook.bomb``).
    """
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
        raise unreadable(f"{str(error)[:120]}.") from None
    if cells > MAX_CELLS or cells * longest > MAX_TEXT:
        raise TooLargeError(
            "sheet.too_large",
            "The sheets hold more cells or more text than one import takes.",
            remedy="Split the workbook.",
        )
    return cells


def _check_directory(entries: list[zipfile.ZipInfo]) -> None:
    names = {entry.filename for entry in entries}
    if len(names) != len(entries):
        raise unreadable("It holds two parts of one name.")
    if any(entry.flag_bits & 1 for entry in entries):
        raise unreadable("It is protected by a password.", "Remove the password and save it again.")
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


class _Extent:
    """How far the cells of a part reach, how many there are, and how long its longest text is."""

    def __init__(self) -> None:
        self.cells = self.rows = self.columns = self.longest = 0
        self._since_text = 0

    def add(self, data: bytes) -> None:
        """Look at a piece that divides no tag. Raises ``InputError`` where it declares entities."""
        if b"<!DOCTYPE" in data:
            raise unreadable("One of its parts declares a document type.")
        texts = _TEXT_END.split(data)
        for text in texts[:-1]:
            self.longest = max(self.longest, self._since_text + len(text))
            self._since_text = 0
        self._since_text += len(texts[-1])
        if len(texts) > 1 or self.longest:
            self.longest = max(self.longest, self._since_text)
        self.cells += len(_CELL.findall(data))
        for letters, row in set(_REFERENCE.findall(data)):
            self.columns = max(self.columns, _column_number(letters))
            self.rows = max(self.rows, int(row))
        self.rows = max([self.rows, *map(int, _ROW.findall(data))])


def _check_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """Unpack one part, check how far its cells reach; the length of its longest text and its cell count.

    Any part may be a sheet or the table of texts, whatever its name, so all are looked through.
    """
    extent = _Extent()
    with archive.open(entry) as stream:
        rest = stream.read(_CHUNK)
        if rest[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            raise unreadable("One of its parts is UTF-16.")
        while block := stream.read(_CHUNK):
            # A tag is not divided: what follows the last one that was opened waits for the next block.
            data = rest + block
            cut = data.rfind(b"<")
            cut = len(data) - _LONGEST_TAG if cut < len(data) - _LONGEST_TAG else cut
            extent.add(data[:cut])
            _check_reach(entry, extent)
            rest = data[cut:]
        extent.add(rest)
    _check_reach(entry, extent)
    return extent.longest, extent.cells


def _check_reach(entry: zipfile.ZipInfo, extent: _Extent) -> None:
    if not extent.cells and not extent.rows:
        return
    rows, columns = extent.rows, extent.columns
    if rows > MAX_ROWS or columns > MAX_COLUMNS or rows * columns > MAX_CELLS:
        raise TooLargeError(
            "sheet.too_large",
            f"A sheet reaches to row {rows}, column {columns}; at most {MAX_ROWS} rows and {MAX_COLUMNS}"
            " columns are read.",
            path=entry.filename[:120],
            remedy="Delete what stands far below or beside the table, or split it.",
        )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def unreadable(reason: str, remedy: str = "Save it again as .xlsx, or send the table as CSV.") -> InputError:
    """The error for a workbook that cannot be read."""
    return InputError("sheet.workbook.unreadable", f"The workbook cannot be read: {reason}", remedy=remedy)
