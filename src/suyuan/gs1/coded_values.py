"""What the content of an application identifier must satisfy beyond its characters and length.

One function a rule, named as in ``data/application_identifiers.csv``. Each takes the component's text and
returns None, or the last part of an error code (``gs1.ai.<that>``) with which ``REASONS`` explains itself.
Rules: GS1 General Specifications, section 3, as tabulated in the GS1 syntax dictionary. They are pure: a
two-digit year is not placed in a century, so 29 February is taken for every year divisible by four.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from importlib.resources import files
from typing import Final

from suyuan.gs1.check_digits import check_digit_valid, check_pair_valid
from suyuan.gs1.coupons import coupon_valid, positive_offer_valid

Check = Callable[[str], str | None]

REASONS: Final = {
    "check_digit": "The check digit is wrong.",
    "check_pair": "The pair of check characters is wrong.",
    "company_prefix": "The key does not start with the digits of a GS1 Company Prefix.",
    "country": "This is no ISO 3166 country code of the kind asked for.",
    "coupon": "This is no coupon code of the North American formats.",
    "currency": "This is no numeric ISO 4217 currency code.",
    "date": "There is no such day.",
    "form": "The value has not the form that this place asks for.",
    "iban": "This is no international bank account number with correct check digits.",
    "media_type": "This is no assigned AIDC media type.",
    "month": "There is no such month.",
    "no_non_digit": "The value must not consist of digits alone.",
    "package_type": "This is no package type code of UN/ECE Recommendation 21 or GS1.",
    "padding": "The base64 padding is wrong.",
    "percent_escape": "A percent sign must be followed by two hexadecimal digits.",
    "piece_of_total": "Piece and total are not zero, and the piece is not greater than the total.",
    "range": "The number is outside its range.",
    "time": "There is no such time of day.",
}

_LISTS: Final = {
    name: frozenset(codes.split())
    for name, codes in tomllib.loads(
        files("suyuan.gs1").joinpath("data/code_lists.toml").read_text("utf-8")
    ).items()
}
_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DIGITS: Final = re.compile(r"[0-9]+")
_IBAN: Final = re.compile(r"([A-Z]{2})([0-9]{2})[0-9A-Z]{1,30}")
_POSITION: Final = re.compile(r"([1-9][0-9]*)/([1-9][0-9]*)")
_BASE64URL: Final = re.compile(r"[0-9A-Za-z_-]*(={0,2})")


def _when(passes: bool, code: str) -> str | None:
    return None if passes else code


def _one_of(name: str, code: str) -> Check:
    codes = _LISTS[name]
    return lambda text: None if text in codes else code


def _matches(pattern: str, code: str) -> Check:
    fits = re.compile(pattern).fullmatch
    return lambda text: None if fits(text) else code


def _day(month: str, day: str, leap: bool, *, zero_day: bool) -> str | None:
    if not 1 <= int(month) <= 12:
        return "month"
    last = 28 if month == "02" and not leap else _DAYS[int(month) - 1]
    return _when((0 if zero_day else 1) <= int(day) <= last, "date")


def _short_date(*, zero_day: bool) -> Check:
    def check(text: str) -> str | None:
        if len(text) != 6 or not _DIGITS.fullmatch(text):
            return "form"
        return _day(text[2:4], text[4:], int(text[:2]) % 4 == 0, zero_day=zero_day)

    return check


def _long_date(*, zero_day: bool) -> Check:
    def check(text: str) -> str | None:
        if len(text) != 8 or not _DIGITS.fullmatch(text):
            return "form"
        year = int(text[:4])
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return _day(text[4:6], text[6:], leap, zero_day=zero_day)

    return check


def _company_prefix(start: int) -> Check:
    # The shortest company prefixes have four digits; whether one is allotted only GS1's register knows.
    return _matches(rf".{{{start}}}[0-9]{{4}}.*", "company_prefix")


def _piece_of_total(text: str) -> str | None:
    half, odd = divmod(len(text), 2)
    if odd or not 1 <= half <= 3 or not _DIGITS.fullmatch(text):
        return "piece_of_total"
    return _when(0 < int(text[:half]) <= int(text[half:]), "piece_of_total")


def _position(text: str) -> str | None:
    match = _POSITION.fullmatch(text)
    return _when(match is not None and int(match[1]) <= int(match[2]), "form")


def _iban(text: str) -> str | None:
    match = _IBAN.fullmatch(text)
    if match is None or match[1] not in _LISTS["country_alpha2"]:
        return "iban"
    digits = "".join(str(int(character, 36)) for character in text[4:] + text[:4])
    return _when(int(digits) % 97 == 1, "iban")


def _base64url(text: str) -> str | None:
    match = _BASE64URL.fullmatch(text)
    if match is None:
        return "form"
    # The syntax engine counts padded texts in threes, not in fours; its verdict is what scanners follow.
    return _when(not match[1] or len(text) % 3 == 0, "padding")


def _up_to(largest: int) -> Check:
    def check(text: str) -> str | None:
        if len(text) != 10 or not _DIGITS.fullmatch(text):
            return "form"
        return _when(int(text) <= largest, "range")

    return check


CHECKS: Final[dict[str, Check]] = {
    "base64url": _base64url,
    "check_digit": lambda text: _when(check_digit_valid(text), "check_digit"),
    "check_pair": lambda text: _when(check_pair_valid(text), "check_pair"),
    "company_prefix": _company_prefix(0),
    "company_prefix_after_first": _company_prefix(1),
    "country": _one_of("country_numeric", "country"),
    "country_alpha2": _one_of("country_alpha2", "country"),
    "country_or_999": lambda text: _when(text == "999" or text in _LISTS["country_numeric"], "country"),
    "coupon": lambda text: _when(coupon_valid(text), "coupon"),
    "currency": _one_of("currency_numeric", "currency"),
    "date": _short_date(zero_day=False),
    "date_or_month": _short_date(zero_day=True),
    "has_non_digit": _matches(r".*[^0-9].*", "no_non_digit"),
    "hour": _matches(r"[01][0-9]|2[0-3]", "time"),
    "hyphen": _matches(r"-+", "form"),
    "iban": _iban,
    "importer_index": _matches(r"[-0-9A-Z_a-z]", "form"),
    "latitude": _up_to(1_800_000_000),
    "long_date": _long_date(zero_day=False),
    "long_date_or_month": _long_date(zero_day=True),
    "longitude": _up_to(3_600_000_000),
    "media_type": _one_of("media_type", "media_type"),
    "minute": _matches(r"[0-5][0-9]", "time"),
    "no_leading_zero": _matches(r"|[1-9][0-9]*", "form"),
    "nonzero": _matches(r"0*[1-9][0-9]*", "form"),
    "package_type": _one_of("package_type", "package_type"),
    "percent_encoded": _matches(r"(?:[^%]|%[0-9A-Fa-f]{2})*", "percent_escape"),
    "piece_of_total": _piece_of_total,
    "position_in_sequence": _position,
    "positive_offer": lambda text: _when(positive_offer_valid(text), "coupon"),
    "second": _matches(r"[0-5][0-9]", "time"),
    "sex": _matches(r"[0129]", "form"),
    "time": _matches(r"(?:[01][0-9]|2[0-3])[0-5][0-9]", "time"),
    "winding": _matches(r"[019]", "form"),
    "yes_no": _matches(r"[01]", "form"),
    "zero": _matches(r"0+", "form"),
}
