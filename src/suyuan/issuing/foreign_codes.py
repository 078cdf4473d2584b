"""Codes of other systems: their forms, kept as they are written, and their names as things here. Pure.

- ``ccic``: label numbers of fifteen digits, zeros in front included.
- ``ecode``: Ecode of GB/T 31866: version, numbering scheme (NSI) and main code (MD). V1 has four digits of NSI and up
  to 20 of MD, V2 four and up to 28, V3 five and up to 39 letters and digits; V4 five and a text. V0 is for codes that
  have a form of their own, GS1's among them, and is never written. These lengths are those of the edition of 2015 as
  they are generally known; the text of 2023, in force since 2023-12-01, was not at hand to confirm them. A code that is
  longer in it needs a change of ``_FORMS`` alone.
- ``city``: a city's own system, named by six digits of GB/T 2260; 4 to 40 letters, digits, dots and hyphens.
- ``url``: an address of the brand's own, taken letter by letter.

A code becomes ``urn:suyuan:label:<system>:<code>``; an address stays what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import msgspec

from suyuan.errors import InputError
from suyuan.gs1.digital_link import canonical, parse, without_trailing_slash
from suyuan.gs1.percent import encode_value

SYSTEMS: Final = ("ccic", "ecode", "city", "url")
MAX_CODE: Final = 500
_FORMS: Final = {
    "ccic": re.compile(r"[0-9]{15}"),
    "ecode": re.compile(
        r"1[0-9]{4}[0-9]{1,20}|2[0-9]{4}[0-9]{1,28}|3[0-9]{5}[0-9A-Za-z]{1,39}|4[0-9]{5}[^\s\x00-\x1f\x7f]{1,200}"
    ),
    "city": re.compile(r"[0-9A-Za-z.-]{4,40}"),
}
_SAID: Final = {
    "ccic": "A CCIC label number has fifteen digits, with its zeros in front.",
    "ecode": "An Ecode is its version (1 to 4), four or five digits of numbering system, and the main code.",
    "city": "A city's code has 4 to 40 letters, digits, dots and hyphens.",
    "url": "An own address begins with http:// or https://, names a path, and has no blanks.",
}
_CITY = re.compile(r"[0-9]{6}")
_URL = re.compile(r"https?://[!-~]+", re.IGNORECASE)
_COUNTED = re.compile(r"(.*?)([0-9]{1,18})", re.DOTALL)


class CodeSystem(msgspec.Struct, frozen=True):
    """Another system's codes. ``city`` is set for ``city`` alone."""

    name: str
    city: str = ""

    def thing(self, code: str) -> str:
        """The name of the thing that a code is on. Raises ``InputError`` (``issuing.alias.form``)."""
        if self.name == "url":
            return _own_address(code)
        if len(code) > MAX_CODE or not _FORMS[self.name].fullmatch(code):
            raise _refused(self.name, code)
        system = f"city-{self.city}" if self.city else self.name
        return f"urn:suyuan:label:{system}:{encode_value(code)}"


def code_system(name: str, city: str = "") -> CodeSystem:
    """Raises ``InputError`` (``issuing.alias.system``, ``issuing.alias.city``)."""
    if name not in SYSTEMS:
        raise InputError(
            "issuing.alias.system",
            f"{name[:40]!r} is no system of codes that is known here.",
            path="system",
            remedy="One of: " + ", ".join(SYSTEMS) + ".",
        )
    if (name == "city") != bool(city) or (city and not _CITY.fullmatch(city)):
        raise InputError(
            "issuing.alias.city",
            "A city's system is named by the city's six digits of GB/T 2260, other systems by none.",
            path="city",
            remedy="Write 440100 for Guangzhou, for example.",
        )
    return CodeSystem(name, city)


def _own_address(code: str) -> str:
    if len(code) > MAX_CODE or not _URL.fullmatch(code) or not _names_something(code):
        raise _refused("url", code)
    try:
        named = parse(without_trailing_slash(code), older_forms=True).canonical
    except InputError as error:
        if error.code == "gs1.uri.no_key":
            return canonical(code) or code
        raise
    raise InputError(
        "issuing.alias.gs1",
        f"That address is a GS1 Digital Link and names {named} by itself.",
        path="code",
        remedy="Give it as the item, or leave it out.",
    )


def _names_something(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return bool(parts.hostname) and not parts.fragment and (parts.path not in ("", "/") or bool(parts.query))


def _refused(system: str, code: str) -> InputError:
    return InputError("issuing.alias.form", f"{code[:60]!r}: {_SAID[system]}", path="code")


class CodeRange(msgspec.Struct, frozen=True):
    """Codes that count up from ``first`` to ``last``: a common beginning and digits of one length."""

    stem: str
    first: int
    last: int
    width: int

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __iter__(self) -> Iterator[str]:
        return (f"{self.stem}{number:0{self.width}d}" for number in range(self.first, self.last + 1))


def code_range(first: str, last: str) -> CodeRange:
    """The range between two codes, both included. Raises ``InputError`` (``issuing.alias.range``)."""
    ends = [_COUNTED.fullmatch(end[-MAX_CODE:]) for end in (first, last)]
    if ends[0] is not None and ends[1] is not None:
        stems, digits = [end[1] for end in ends if end], [end[2] for end in ends if end]
        if stems[0] == stems[1] and len(digits[0]) == len(digits[1]) and int(digits[0]) <= int(digits[1]):
            return CodeRange(stems[0], int(digits[0]), int(digits[1]), len(digits[0]))
    raise InputError(
        "issuing.alias.range",
        "A range runs between two codes that differ in digits at their end alone, the smaller one first.",
        path="from",
        remedy="Write zeros in front as they stand on the labels.",
    )


def guess_things(text: str) -> tuple[str, ...]:
    """Names that a bare code may have here, for a search; none where it has no form of another system."""
    if not _FORMS["ccic"].fullmatch(text) and not _FORMS["ecode"].fullmatch(text):
        return ()
    systems = [CodeSystem(name) for name in ("ccic", "ecode") if _FORMS[name].fullmatch(text)]
    return tuple(system.thing(text) for system in systems)
