"""Labels as CSV (RFC 4180, UTF-8 with a byte order mark, which spreadsheets need for Chinese)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from suyuan.errors import RefusedError
from suyuan.printing.label import Label, check_label, tidy

COLUMNS = ("uri", "gtin", "serial", "lot", "expiry", "name_zh", "name_en", "city", "scratch_code")
_FORMULA = ("=", "+", "-", "@")


class CsvPrinter:
    """Takes labels one by one and returns a line for each.

    A spreadsheet runs a cell that begins like a formula. Names and cities get an apostrophe in front; a code
    must arrive unchanged and is refused.
    """

    def __init__(self) -> None:
        self._begun = False

    def add(self, label: Label) -> bytes:
        """Raises ``InputError`` (``printing.label.*``) or ``RefusedError`` (``printing.csv.formula``)."""
        check_label(label)
        codes = (label.serial, label.lot, label.scratch_code)
        if any(code.startswith(_FORMULA) for code in codes):
            raise RefusedError(
                "printing.csv.formula",
                "A code begins with a sign that spreadsheets take for a formula.",
                path="lot",
                remedy="Take another format than CSV for this lot.",
            )
        row = {
            "uri": label.uri,
            "gtin": label.gtin,
            "serial": label.serial,
            "lot": label.lot,
            "expiry": label.expiry.isoformat() if label.expiry else "",
            "name_zh": _harmless(label.name_zh),
            "name_en": _harmless(label.name_en),
            "city": _harmless(label.city),
            "scratch_code": label.scratch_code,
        }
        return self._begin() + _line(tuple(row[column] for column in COLUMNS))

    def finish(self) -> Iterator[bytes]:
        """The header, if there was no label to carry it."""
        head = self._begin()
        return iter((head,) if head else ())

    def _begin(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        return b"\xef\xbb\xbf" + _line(COLUMNS)


def _line(cells: tuple[str, ...]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().encode()


def _harmless(text: str) -> str:
    shown = tidy(text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
