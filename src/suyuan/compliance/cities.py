"""What a city asks to be coded, and by which system: profiles of customs districts as dated data.

Cities differ by district, mode, goods and date. Each is a TOML file beside the code; an operator replaces it by a file
of the same city in the folder ``cities`` of the data directory. What was not read in an official text is marked
``confirmed = false``, and is said to be so wherever it is shown.

A rule is judged on what is known: the district and the day of the item's import list, and the codes that it bears. Of a
parcel, whose goods no code names, that none was packed is known only where it was packed by quantity.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date, timedelta, timezone
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import msgspec

from suyuan.compliance.model import CityDuty, Finding, Requirement
from suyuan.errors import InputError
from suyuan.gs1.percent import decode_value
from suyuan.trace.model import Trace
from suyuan.trace.state import short_name

_CHINA = timezone(timedelta(hours=8))
_LABEL = "urn:suyuan:label:"
# Chapters 1 to 24 of the tariff are animals, plants and what is eaten or drunk.
_LAST_FOOD_CHAPTER = 24
REQUIREMENTS: dict[Requirement, tuple[str, str]] = {
    "label": ("a trace code", "追溯码"),
    "own-system": ("a trace code of a filed system of the firm", "企业已备案自有系统的追溯码"),
    "local-system": ("a trace code of the city's system", "本地追溯系统的追溯码"),
    "third-party": ("a trace code of an independent body", "第三方机构的追溯码"),
    "not-yet-required": ("no trace code yet", "暂不要求追溯码"),
}


class CityRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked for from ``since`` to ``until`` (both included); empty lists count for everything.

    ``systems`` name the labels that satisfy it, as in ``urn:suyuan:label:<system>:<code>``; empty: any code does.
    """

    since: date
    requires: Requirement
    basis: str
    until: date | None = None
    goods: Literal["all", "food", "non-food"] = "all"
    modes: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    confirmed: bool = False


class CityProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A city with its customs districts: whole codes, or the first digits of all of them.

    ``division`` is its six digits of GB/T 2260: codes of its own system may be imported under them (``city-330200``).
    """

    city: str
    name_en: str
    name_zh: str
    districts: tuple[str, ...]
    division: str = ""
    rules: tuple[CityRule, ...] = msgspec.field(name="rule")


def read_city(data: bytes, *, path: str) -> CityProfile:
    """Raises ``InputError`` (``compliance.city.malformed``)."""
    try:
        profile = msgspec.convert(tomllib.loads(data.decode("utf-8")), CityProfile)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InputError("compliance.city.malformed", f"{error}.", path=path) from None
    for rule in profile.rules:
        backwards = rule.until is not None and rule.until < rule.since
        if backwards or (rule.requires in ("local-system", "third-party") and not rule.systems):
            raise InputError(
                "compliance.city.malformed",
                f"The rule since {rule.since} ends before it begins, or names no system that satisfies it.",
                path=path,
            )
    if not all(code.isdecimal() and 2 <= len(code) <= 4 for code in profile.districts):
        raise InputError("compliance.city.malformed", "A district has two to four digits.", path=path)
    if profile.division and not (profile.division.isdecimal() and len(profile.division) == 6):
        raise InputError("compliance.city.malformed", "A division has six digits (GB/T 2260).", path=path)
    return profile


@lru_cache(maxsize=8)
def load_cities(folder: Path | None = None) -> tuple[CityProfile, ...]:
    """Cities that ship with the product and those in ``folder``, which win for the same city."""
    shipped = files("suyuan.compliance") / "data" / "cities"
    found = {}
    for entry in sorted(shipped.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            profile = read_city(entry.read_bytes(), path=entry.name)
            found[profile.city] = profile
    if folder is not None and folder.is_dir():
        for file in sorted(folder.glob("*.toml")):
            profile = read_city(file.read_bytes(), path=str(file))
            found[profile.city] = profile
    return tuple(found[city] for city in sorted(found))


def city_of(cities: Sequence[CityProfile], district: str) -> CityProfile | None:
    """The city of a customs district; of several that fit, the one that names it the most exactly."""
    fitting = [
        (len(code), profile) for profile in cities for code in profile.districts if district.startswith(code)
    ]
    return max(fitting, key=lambda one: one[0])[1] if fitting else None


def rule_on(profile: CityProfile, day: date, mode: str, hs_code: str) -> CityRule | None:
    """The newest rule for goods of this tariff heading in this mode on that day.

    A rule for food or for other goods alone does not count where the heading is not known.
    """
    goods = ""
    if hs_code[:2].isdecimal():
        goods = "food" if int(hs_code[:2]) <= _LAST_FOOD_CHAPTER else "non-food"
    fitting = [
        rule
        for rule in profile.rules
        if rule.since <= day
        and (rule.until is None or day <= rule.until)
        and (not rule.modes or mode in rule.modes)
        and rule.goods in ("all", goods)
    ]
    # Of rules of one day the one for these goods in particular.
    return max(fitting, key=lambda rule: (rule.since, rule.goods != "all"), default=None)


def city_duty(trace: Trace, mode: str, cities: Sequence[CityProfile]) -> CityDuty | None:
    """What the city of the item's import list asks for, and whether it is met; None where no list or rule is known."""
    listed = [
        (fact.attributes["listDistrict"], fact.event_time.astimezone(_CHINA).date())
        for fact in trace.facts
        if fact.attributes.get("listDistrict") and not fact.withdrawn
    ]
    if not listed:
        return None
    district, day = listed[0]
    profile = city_of(cities, district)
    rule = rule_on(profile, day, mode, trace.product.get("hs_code", "")) if profile is not None else None
    if profile is None or rule is None:
        return None
    return CityDuty(
        city=profile.city,
        name_en=profile.name_en,
        name_zh=profile.name_zh,
        requires=rule.requires,
        since=rule.since,
        until=rule.until,
        met=_met(trace, rule, profile.division),
        basis=rule.basis,
        confirmed=rule.confirmed,
        codes=own_codes(trace, profile),
    )


def own_codes(trace: Trace, profile: CityProfile) -> tuple[str, ...]:
    """The codes that a thing bears in a city's own system, as they are written."""
    systems = {name for rule in profile.rules if rule.requires == "local-system" for name in rule.systems}
    if profile.division:
        systems.add(f"city-{profile.division}")
    found = []
    for uri in (trace.thing, *trace.aliases):
        if uri.startswith(_LABEL):
            system, _, code = uri.removeprefix(_LABEL).partition(":")
            if system in systems:
                found.append(decode_value(code))
    return tuple(found)


def city_findings(duty: CityDuty | None) -> tuple[Finding, ...]:
    """That a code is required and not there."""
    if duty is None or duty.met is not False:
        return ()
    what_en, what_zh = REQUIREMENTS[duty.requires]
    doubt_en, doubt_zh = ("", "") if duty.confirmed else (" (rule not confirmed)", "（规则待确认）")
    return (
        Finding(
            code="coverage.city.code_missing",
            reason_en=f"{duty.name_en} asks for {what_en} since {duty.since}{doubt_en}; there is none.",
            reason_zh=f"{duty.name_zh}自 {duty.since} 起要求{what_zh}{doubt_zh}，该商品没有。",
        ),
    )


def _met(trace: Trace, rule: CityRule, division: str) -> bool | None:
    if rule.requires == "not-yet-required":
        return True
    codes = [uri for uri in (trace.thing, *trace.aliases) if uri.startswith(_LABEL) or "/21/" in uri]
    if codes:
        systems = {uri.removeprefix(_LABEL).partition(":")[0] for uri in codes if uri.startswith(_LABEL)}
        accepted = {
            *rule.systems,
            *([f"city-{division}"] if rule.requires == "local-system" and division else []),
        }
        return not rule.systems or bool(systems & accepted)
    uncoded = any(
        short_name(fact.biz_step) == "packing" and fact.quantities and not fact.withdrawn
        for fact in trace.facts
    )
    return False if trace.kind == "parcel" and uncoded else None
