"""Languages of the public pages: choice, catalogue, dates and names.

English is the source language: message ids are English sentences, so it needs no catalogue. Chinese comes
from ``locale/zh_CN/LC_MESSAGES/web.po``, compiled in memory at first use; no compiled file can go stale.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import cache, lru_cache
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = ("zh-CN", "en")
DEFAULT_LANGUAGE = "zh-CN"
CATALOGUE = Path(__file__).parent / "locale" / "zh_CN" / "LC_MESSAGES" / "web.po"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def N_(message: str) -> str:  # noqa: N802 - the usual gettext name, known to the extractor
    """Mark a message for the catalogue where it is stored and not yet translated."""
    return message


def choose_language(query: str | None, accept_language: str | None) -> str:
    """The page's language: an explicit ``?lang=`` first, then Accept-Language (RFC 4647), then Chinese."""
    if query is not None and (exact := _supported(query.strip())):
        return exact
    ranked: list[tuple[float, int, str]] = []
    for position, part in enumerate((accept_language or "").split(",")[:32]):
        tag, _, parameters = part.partition(";")
        name, _, value = parameters.strip().partition("=")
        try:
            quality = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            continue
        if quality > 0 and (language := _supported(tag.strip())):
            ranked.append((-quality, position, language))
    return min(ranked)[2] if ranked else DEFAULT_LANGUAGE


def _supported(tag: str) -> str:
    primary = tag.lower().split("-", 1)[0].split("_", 1)[0]
    return {"zh": "zh-CN", "en": "en"}.get(primary, "")


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The catalogue of a language, compiled once per process."""
    if language != "zh-CN":
        return gettext.NullTranslations()
    with CATALOGUE.open("rb") as source:
        catalogue = read_po(source, locale="zh_CN")
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@lru_cache(maxsize=4096)
def _day(text: str) -> datetime | None:
    """The day of a text like ``2025-08-04``; None for any other. Lots repeat theirs on every page."""
    try:
        return datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None


class Language:
    """One language as the views use it: words, dates, and which of two names to show."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.chinese = code == "zh-CN"
        # What stands between two sentences.
        self.joint = "" if self.chinese else " "
        self._catalogue = translations(code)
        self.t = self._catalogue.gettext

    def say(self, message: str, **values: object) -> str:
        """A translated message with its named values filled in."""
        text = self.t(message)
        return text % values if values else text

    def count(self, one: str, many: str, n: int, **values: object) -> str:
        """A translated message in the right grammatical number; ``%(n)d`` is the number."""
        return self._catalogue.ngettext(one, many, n) % {"n": n, **values}

    def name(self, english: str, chinese: str) -> str:
        """The name in this language, or the other one rather than nothing."""
        return (chinese or english) if self.chinese else (english or chinese)

    def of(self, values: Mapping[str, str], key: str) -> str:
        """``key_zh`` or ``key_en`` of a mapping by language, then the plain key, then the other language."""
        mine, other = ("zh", "en") if self.chinese else ("en", "zh")
        return values.get(f"{key}_{mine}") or values.get(key) or values.get(f"{key}_{other}") or ""

    def country(self, code: str) -> str:
        """The name of a country by its ISO 3166 code of two letters; the code where it has no name."""
        return _countries(self.code).get(code, code)

    def date(self, moment: datetime, *, year: bool = True) -> str:
        """A calendar date of a moment that already carries its local zone."""
        if self.chinese:
            head = f"{moment.year}年" if year else ""
            return f"{head}{moment.month}月{moment.day}日"
        tail = f" {moment.year}" if year else ""
        return f"{moment.day} {_MONTHS[moment.month - 1]}{tail}"

    def calendar(self, text: str) -> str:
        """A calendar date given as ``2025-08-04``; any other text as it is."""
        day = _day(text)
        return text if day is None else self.date(day)

    def moment(self, when: datetime, zone_offset: str, *, day_only: bool = False, year: bool = True) -> str:
        """Local time with its offset, e.g. ``20 Aug 2025, 05:40 (UTC+2)``; only the date if day precision."""
        local = in_zone(when, zone_offset)
        day = self.date(local, year=year)
        if day_only:
            return day
        clock = f"{local.hour:02d}:{local.minute:02d}"
        if self.chinese:
            return f"{day} {clock}（{_zone_name(zone_offset)}）"
        return f"{day}, {clock} ({_zone_name(zone_offset)})"

    def span(self, first: datetime, last: datetime) -> str:
        """A compact range of local dates of one stay."""
        if first.date() == last.date():
            return self.date(first)
        if (first.year, first.month) == (last.year, last.month):
            if self.chinese:
                return f"{first.year}年{first.month}月{first.day}–{last.day}日"
            return f"{first.day}–{last.day} {_MONTHS[last.month - 1]} {last.year}"
        if first.year == last.year:
            if self.chinese:
                return f"{self.date(first)}–{self.date(last, year=False)}"
            return f"{self.date(first, year=False)} – {self.date(last)}"
        return (
            f"{self.date(first)}–{self.date(last)}"
            if self.chinese
            else f"{self.date(first)} – {self.date(last)}"
        )


@cache
def _countries(code: str) -> dict[str, str]:
    """Names of countries by their codes, read once: a locale is looked up and merged at each parse."""
    locale = Locale.parse("zh_CN" if code == "zh-CN" else "en")
    return {name: str(text) for name, text in locale.territories.items()}


@cache
def language(code: str) -> Language:
    """The shared ``Language`` of a code in ``LANGUAGES``."""
    return Language(code)


@cache
def _zone(offset: str) -> timezone:
    sign = -1 if offset.startswith("-") else 1
    hours, _, minutes = offset.lstrip("+-").partition(":")
    return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes or 0)))


@cache
def _zone_name(offset: str) -> str:
    hours, _, minutes = offset.lstrip("+-").partition(":")
    sign = "−" if offset.startswith("-") else "+"
    return f"UTC{sign}{int(hours)}" + (f":{minutes}" if minutes not in ("", "00") else "")


def in_zone(when: datetime, zone_offset: str) -> datetime:
    """A moment in the local time of an offset such as ``+08:00``."""
    return when.astimezone(_zone(zone_offset))


def machine_time(when: datetime, zone_offset: str, *, day_only: bool = False) -> str:
    """The value of a ``datetime`` attribute: local time with offset, or the date alone."""
    local = in_zone(when, zone_offset)
    return local.date().isoformat() if day_only else local.isoformat(timespec="seconds")
