"""Single values of customs messages: times, decimals, check digits.

All times of CEB and SAS messages are Beijing time (+08:00, no summer time). A value without a time of day is
known to the day and sorts last in it: 23:59:59.999.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import msgspec

from suyuan.gs1.check_digits import air_waybill_valid, check_digit_valid

BEIJING = timezone(timedelta(hours=8))
OFFSET = "+08:00"

_DIGITS = re.compile(r"\d+", re.ASCII)
_SPELLED = re.compile(
    r"(\d{4})[-/](\d{2})[-/](\d{2})(?:[T ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,6}))?)?", re.ASCII
)
# A master air waybill, in customs manifests followed by "_" and the house number.
_AIR_WAYBILL = re.compile(r"(\d{3})-?(\d{8})(?:_.*)?", re.ASCII)
_DECIMAL = re.compile(r"-?(\d+)(?:\.(\d+))?", re.ASCII)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


class Moment(msgspec.Struct, frozen=True):
    """A point in time (UTC) and whether only its day was stated."""

    time: datetime
    day_only: bool = False


def _moment(parts: list[int], microsecond: int, day_only: bool) -> Moment | None:
    try:
        local = datetime(*parts, microsecond=microsecond, tzinfo=BEIJING)  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    # Outside these years a stamp is a slip of the sender; it would also scatter the monthly partitions.
    if not 2000 <= local.year < 2100:
        return None
    return Moment(local.astimezone(UTC), day_only)


def read_time(text: str) -> Moment | None:
    """A time of 8, 14 or 17 digits, or as ``2024-07-30[ 11:48:02]``; None if there is no such time."""
    if _DIGITS.fullmatch(text) and len(text) in (8, 14, 17):
        parts = [int(text[:4]), *(int(text[at : at + 2]) for at in range(4, min(len(text), 14), 2))]
        if len(text) == 8:
            return _moment([*parts, 23, 59, 59], 999_000, True)
        return _moment(parts, int(text[14:] or "0") * 1000, False)
    spelled = _SPELLED.fullmatch(text)
    if spelled is None:
        return None
    day = [int(part) for part in spelled.groups()[:3]]
    if spelled.group(4) is None:
        return _moment([*day, 23, 59, 59], 999_000, True)
    clock = [int(part) for part in spelled.groups()[3:6]]
    microsecond = int((spelled.group(7) or "0").ljust(6, "0")[:6])
    # Several systems write a mere day as midnight; one second past it is a time.
    return _moment([*day, *clock], microsecond, False)


def is_decimal(text: str, digits: int, places: int) -> bool:
    """Whether ``text`` is a plain decimal of at most ``digits`` digits, ``places`` after the point."""
    found = _DECIMAL.fullmatch(text)
    if found is None:
        return False
    whole, part = found.group(1).lstrip("0"), found.group(2) or ""
    return len(part.rstrip("0")) <= places and len(whole) + len(part.rstrip("0")) <= digits


def is_id_number(text: str) -> bool:
    """Whether an 18-digit identity number has a real date of birth and its check character (GB 11643)."""
    if not re.fullmatch(r"\d{17}[\dXx]", text, re.ASCII):
        return False
    try:
        datetime(int(text[6:10]), int(text[10:12]), int(text[12:14]), tzinfo=BEIJING)
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text[:17], _ID_WEIGHTS, strict=True))
    return _ID_CHECKS[total % 11] == text[17].upper()


def is_uscc(text: str) -> bool:
    """Whether an 18-character unified social credit code has its check character (GB 32100)."""
    if len(text) != 18 or any(character not in _USCC_ALPHABET for character in text):
        return False
    total = sum(_USCC_ALPHABET.index(text[place]) * pow(3, place, 31) for place in range(17))
    return _USCC_ALPHABET[(31 - total % 31) % 31] == text[17]


def read_gtin(text: str) -> str | None:
    """The GTIN of a bar code as 14 digits, or None if it is none or its check digit is wrong."""
    if not _DIGITS.fullmatch(text) or len(text) not in (8, 12, 13, 14):
        return None
    return text.zfill(14) if check_digit_valid(text.zfill(14)) else None


def looks_like_air_waybill(text: str) -> bool:
    """Whether a text has the shape of an air waybill, whatever its check digit."""
    return _AIR_WAYBILL.fullmatch(text) is not None


def read_air_waybill(text: str) -> str | None:
    """The master air waybill as ``784-12345675``, or None if the text is none or its check digit is wrong."""
    found = _AIR_WAYBILL.fullmatch(text)
    if found is None:
        return None
    number = f"{found[1]}-{found[2]}"
    return number if air_waybill_valid(number) else None
