"""Comma, semicolon or tab separated text as a grid whose cells know their bytes (RFC 4180).

The standard library's ``csv`` does not say where a field lies in the bytes, which the vault needs, so the
splitting is done here on the bytes themselves. That is safe in UTF-8 and in GB18030: no byte of a
multi-byte character in either is a comma, a semicolon, a tab, a quote or a line end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from suyuan.errors import InputError, TooLargeError
from suyuan.sheets.cells import Cell, Cells, Grid, LateRows, column_letters

MAX_BYTES: Final = 64 * 1024 * 1024
# The rows of a longer text are split when they are asked for.
HELD_BYTES: Final = 256 * 1024
MAX_ROWS: Final = 200_000
MAX_COLUMNS: Final = 256
DELIMITERS: Final = (b",", b"\t", b";")
_BOM: Final = b"\xef\xbb\xbf"


def read_encoding(data: bytes) -> tuple[str, int]:
    """The codec of the text and where it begins: UTF-8 with or without its mark, else GB18030.

    Raises ``InputError`` (``sheet.encoding.*``) for anything else.
    """
    if data.startswith(_BOM):
        start, codecs = len(_BOM), ["utf-8"]
    elif data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data:
        raise InputError(
            "sheet.encoding.unsupported",
            "The text is UTF-16 or holds bytes that are no text.",
            remedy="Save it as CSV UTF-8.",
        )
    else:
        start, codecs = 0, ["utf-8", "gb18030"]
    for codec in codecs:
        try:
            data[start:].decode(codec)
        except UnicodeDecodeError:
            continue
        return codec, start
    raise InputError(
        "sheet.encoding.broken",
        "The bytes are valid neither as UTF-8 nor as GB18030.",
        remedy="Save the file as CSV UTF-8; a cut transfer is another cause.",
    )


def read_grid(data: bytes, delimiter: bytes, *, max_rows: int = MAX_ROWS, strict: bool = True) -> Grid:
    """The rows of ``data`` split at ``delimiter``; cells are named ``A1`` style.

    With ``strict`` off, an unclosed quote or a surplus of rows ends the grid instead of raising. Raises
    ``InputError`` (``sheet.encoding.*``, ``sheet.csv.quote``) or ``TooLargeError`` (``sheet.too_large``), for a long
    text also while its rows are asked for.
    """
    if len(data) > MAX_BYTES:
        raise TooLargeError("sheet.too_large", f"The text has more than {MAX_BYTES // 1024 // 1024} MiB.")
    codec, start = read_encoding(data)
    split = partial(_split, data, delimiter, codec, start, max_rows, strict)
    return Grid(name="", rows=LateRows(split) if len(data) > HELD_BYTES else tuple(split()))


def _split(
    data: bytes, delimiter: bytes, codec: str, position: int, max_rows: int, strict: bool
) -> Iterator[Cells]:
    field = re.compile(rb'"((?:[^"]|"")*+)"|([^' + re.escape(delimiter) + rb"\r\n]*+)", re.DOTALL)
    count = 0
    row: list[Cell | None] = []
    size = len(data)
    while position < size:
        match = field.match(data, position)
        assert match is not None  # the second branch matches everywhere, if only nothing
        path = f"{column_letters(len(row) + 1)}{count + 1}"
        group = 2 if match[1] is None else 1
        if group == 2 and match[2].startswith(b'"'):
            if not strict:
                break
            raise InputError(
                "sheet.csv.quote",
                "A quote is opened and not closed.",
                path=path,
                remedy='Close it, and write a quote inside a quoted field as "".',
            )
        row.append(_cell(match, group, path, codec))
        position = match.end()
        follows = data[position : position + 1]
        if follows == delimiter:
            position += 1
            if len(row) >= MAX_COLUMNS:
                raise TooLargeError(
                    "sheet.too_large", f"A row has more than {MAX_COLUMNS} columns.", path=path
                )
            if position < size:
                continue
            row.append(None)
        elif follows and follows not in b"\r\n":
            if not strict:
                break
            raise InputError(
                "sheet.csv.quote", "Text follows a closing quote.", path=path, remedy='Write a quote as "".'
            )
        position += 2 if data[position : position + 2] == b"\r\n" else 1
        yield tuple(row)
        count, row = count + 1, []
        if count >= max_rows and position < size:
            if not strict:
                break
            raise TooLargeError("sheet.too_large", f"The table has more than {max_rows} rows.")


def _cell(match: re.Match[bytes], group: int, path: str, codec: str) -> Cell | None:
    raw = match[group]
    start = match.start(group) + len(raw) - len(raw.lstrip())
    raw = raw.strip()
    if not raw:
        return None
    text = raw.decode(codec, "replace")
    if group == 1 and '""' in text:
        text = text.replace('""', '"')
    return Cell(text=text, path=path, start=start, end=start + len(raw), encoding=codec)
