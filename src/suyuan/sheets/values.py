"""What a cell says: times with their zone, amounts, business steps; ``things`` reads what it names.

Every function raises ``InputError`` (``sheet.cell.*``) with the cell's place, the reason and the remedy. A
time needs a zone, in its own text, in a column or above the table: a sheet does not know where it was
written. A number that a spreadsheet rounded or robbed of its zeros is refused, never guessed.
"""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from importlib import resources
from typing import Final

import msgspec

from suyuan.canon import normal_decimal
from suyuan.epcis import cbv
from suyuan.epcis.model import Action
from suyuan.errors import InputError
from suyuan.sheets.cells import Cell, Row
from suyuan.sheets.choices import meanings_of

_TIME = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
    r"(?:[T\s]*(\d{1,2})\s*[:时]\s*(\d{1,2})(?:\s*[:分]\s*(\d{1,2})(?:[.,](\d{1,9}))?\s*秒?)?\s*分?)?"
    r"\s*(Z|(?:UTC|GMT)?\s*[+-]\d{1,2}(?::?\d{2})?)?",
    re.ASCII | re.IGNORECASE,
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})(\d{3})?)?", re.ASCII)
_ZONE = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d{1,2})(?::?(\d{2}))?", re.ASCII | re.IGNORECASE)
_ZONE_WORDS: Final = {"z": "+00:00", "utc": "+00:00", "gmt": "+00:00"} | dict.fromkeys(
    ("北京时间", "东八区", "asia/shanghai", "china standard time"), "+08:00"
)
URI_FORM: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s\x00-\x1f\x7f<>\"{}|\\^`]+")
_ROUNDED = re.compile(r"\d(?:\.\d+)?E\+?\d+", re.ASCII | re.IGNORECASE)
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
MAX_EXCEL_DIGITS: Final = 15


class Moment(msgspec.Struct, frozen=True):
    """A point in time in UTC, the offset at its place, and whether only the day is known."""

    time: datetime
    offset: str
    day_only: bool = False


class Step(msgspec.Struct, frozen=True):
    """A business step: its URI and what it does to a containment where nothing else is said."""

    uri: str
    action: Action


def wrong(code: str, cell: Cell, reason: str, remedy: str = "") -> InputError:
    """The error for one cell; ``code`` is the last part of ``sheet.cell.<code>``."""
    return InputError(f"sheet.cell.{code}", reason, path=cell.path, remedy=remedy)


def read_zone(cell: Cell) -> str:
    """An offset such as ``+08:00`` from ``+8``, ``UTC+8``, ``Z`` or ``北京时间``."""
    text = cell.text.strip().casefold()
    if text in _ZONE_WORDS:
        return _ZONE_WORDS[text]
    match = _ZONE.fullmatch(text)
    if match:
        hours, minutes = int(match[2]), int(match[3] or 0)
        if hours * 60 + minutes <= 14 * 60 and minutes < 60:
            return f"{match[1]}{hours:02d}:{minutes:02d}"
    raise wrong("zone", cell, "This is not an offset from UTC.", "Write it as +08:00.")


def read_moment(row: Row) -> Moment:
    """The row's time, with the zone of its text, its row or its sheet; a mere day sorts last in that day."""
    return moment_of(row.need("time"), row.get("zone"))


def moment_of(cell: Cell, zone: Cell | None) -> Moment:
    """The time in ``cell``; ``zone`` is asked where the text itself states no offset."""
    text = cell.text
    match = _COMPACT.fullmatch(text) or _TIME.fullmatch(text)
    if match is None:
        raise wrong("time", cell, "This is not a date and time.", "Write it as 2025-08-13 11:30:00.")
    parts = match.groups()
    stated = parts[7] if match.re is _TIME else None
    if stated is None and zone is None:
        raise wrong(
            "zone_missing",
            cell,
            "This is a time without a zone.",
            "Add a column 'Time zone', or a line with it above the table, and write +08:00 there.",
        )
    offset = read_zone(msgspec.structs.replace(cell, text=stated) if stated else zone or cell)
    day_only = parts[3] is None
    year, month, day, hour, minute, second = (int(part or 0) for part in parts[:6])
    micro = int((parts[6] or "0").ljust(6, "0")[:6]) if match.re is _TIME else int(parts[6] or 0) * 1000
    if day_only:
        hour, minute, second, micro = 23, 59, 59, 999_000
    sign = -1 if offset[0] == "-" else 1
    shift = timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[4:])))
    try:
        moment = datetime(year, month, day, hour, minute, second, micro, tzinfo=shift)
    except ValueError:
        moment = None
    # Outside these years a stamp is a slip of the hand; it would also scatter the monthly partitions.
    if moment is None or not 2000 <= year < 2100:
        raise wrong("time", cell, "This is no moment that exists.", "Correct the date or the time.")
    return Moment(time=moment.astimezone(UTC), offset=offset, day_only=day_only)


def read_amount(cell: Cell) -> str:
    """A quantity, zero or more, as a normalised decimal.

    A comma separates thousands where it stands as one; elsewhere it may be a decimal sign, and is not guessed at.
    """
    text = cell.text
    if "," in text and not _THOUSANDS.fullmatch(text):
        raise wrong(
            "comma",
            cell,
            "The comma may be a decimal sign or separate thousands.",
            "Write a plain number, with a point before decimals.",
        )
    try:
        text = normal_decimal(text.replace(",", ""))
    except InputError:
        text = "-"
    if text.startswith("-"):
        raise wrong("quantity", cell, "This is not an amount of zero or more.", "Write a plain number.")
    return text


def read_whole(cell: Cell) -> int:
    """A count of pieces."""
    text = read_amount(cell)
    if not text.isdecimal() or len(text) > 12:
        raise wrong("count", cell, "This is not a whole number of pieces.")
    return int(text)


def read_unit(row: Row) -> str | None:
    """The row's unit of measure, a code of UN/CEFACT Recommendation 20; None means pieces."""
    cell = row.get("unit")
    if cell is None:
        return None
    if not re.fullmatch(r"[A-Z0-9]{2,3}", cell.text):
        raise wrong("unit", cell, "This is not a unit code.", "Use a Rec. 20 code such as KGM.")
    return cell.text


def identifying(cell: Cell) -> str:
    """The text of a cell that identifies something: refused if a spreadsheet rounded it or made a date of it."""
    text = cell.text
    if cell.dated:
        raise wrong(
            "dated",
            cell,
            "The spreadsheet has made a date of this; what was typed is not there any more.",
            "Format the column as text and fill it in again.",
        )
    if _ROUNDED.fullmatch(text) or (cell.numeric and len(text.lstrip("-")) > MAX_EXCEL_DIGITS):
        raise wrong(
            "rounded",
            cell,
            f"This is a number that the spreadsheet has rounded to {MAX_EXCEL_DIGITS} digits.",
            "Format the column as text and fill it in again.",
        )
    if cell.numeric and "." in text:
        raise wrong("identifier", cell, "This is a fraction, not an identifier.")
    return text


@lru_cache(maxsize=1)
def _steps() -> dict[str, Step]:
    text = resources.files("suyuan.sheets").joinpath("data/steps.toml").read_text("utf-8")
    found: dict[str, Step] = {}
    for name, entry in tomllib.loads(text).items():
        step = Step(uri=cbv.expand("biz_step", name) or name, action=entry.get("action", "OBSERVE"))
        for word in (name, *entry["words"]):
            found[word.casefold()] = step
    for word, name in meanings_of("step").items():
        found.setdefault(word, found[name])
    return found


def read_step(cell: Cell) -> Step:
    """A business step from a word of the CBV, a URI, or a usual Chinese or English word."""
    text = cell.text.strip()
    uri = cbv.expand("biz_step", text)
    for known in (text.casefold(), uri.removeprefix("https://ref.gs1.org/cbv/BizStep-") if uri else ""):
        if known in _steps():
            return _steps()[known]
    if uri is None or not URI_FORM.fullmatch(uri):
        raise wrong(
            "step",
            cell,
            "This is not a business step.",
            "Use a word of the CBV (inspecting, loading, departing ...) or a URI of your own.",
        )
    return Step(uri=uri, action="OBSERVE")
