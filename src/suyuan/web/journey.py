"""The way of an item as a schematic line of stops, and the record of its import.

No map lies underneath: stops follow each other in time on a straight line, which needs no map review
number and shows what a reader asks: where, when, how. Only facts that moved or touched goods make a stop;
withdrawn facts do not.
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import msgspec

from suyuan.compliance.model import CityDuty
from suyuan.trace.model import Fact, Trace
from suyuan.web.classify import (
    disposition_name,
    in_china,
    is_delivery,
    is_exit,
    kinds,
    paper_of,
    role_of,
    step_name,
)
from suyuan.web.language import N_, Language, in_zone

_PHYSICAL_STEPS = frozenset(
    {
        "commissioning", "encoding", "packing", "loading", "departing", "arriving", "unloading", "unpacking",
        "receiving", "shipping", "storing", "transporting", "inspecting", "sampling", "picking",
        "transforming", "staging_outbound", "collecting", "stocking", "entering_exiting", "retail_selling",
    }
)  # fmt: skip
WIDTH, _SMALL = 300, 12.5
_STOP, _LEG, _LINE, _TOP, _TEXT_X = 46, 52, 16, 14, 38
_MODES: dict[str, tuple[str, str, str]] = {
    "sea": ("ship", N_("by sea"), N_("by sea, %(n)d days")),
    "air": ("plane", N_("by air"), N_("by air, %(n)d days")),
    "road": ("truck", N_("by road"), N_("by road, %(n)d days")),
    "rail": ("train", N_("by rail"), N_("by rail, %(n)d days")),
    "courier": ("parcel", N_("by courier"), N_("by courier, %(n)d days")),
    "": ("dots", N_("then"), N_("%(n)d days later")),
}
_MODE_WORDS = {
    "2": "sea", "5": "air", "4": "road", "3": "rail", "6": "courier", "sea": "sea", "air": "air",
    "road": "road", "truck": "road", "rail": "rail", "courier": "courier", "express": "courier",
}  # fmt: skip


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """A stop of the line: a city, the days spent there, the places seen in it, and where it is drawn."""

    name: str
    when: str
    places: tuple[str, ...]
    y: int
    end: bool


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """What lies between two stops: how the goods travelled and for how many days."""

    icon: str
    text: str
    y: int


class Journey(msgspec.Struct, frozen=True, kw_only=True):
    """The drawn line. ``text`` says the same in one sentence for those who cannot see it."""

    stops: tuple[Stop, ...]
    hops: tuple[Hop, ...]
    height: int
    line_end: int
    text: str
    days: str


class _Stay:
    def __init__(self, key: str, fact: Fact) -> None:
        self.key = key
        self.facts = [fact]

    @property
    def first(self) -> datetime:
        return in_zone(self.facts[0].event_time, self.facts[0].zone_offset)

    @property
    def last(self) -> datetime:
        return in_zone(self.facts[-1].event_time, self.facts[-1].zone_offset)


def transport_mode(before: Fact, after: Fact) -> str:
    """How goods went from one stop to the next: what the facts say, else what their papers imply."""
    for fact in (before, after):
        said = fact.attributes.get("transportMode", "").lower()
        if said in _MODE_WORDS:
            return _MODE_WORDS[said]
    left, arrived = kinds(before), kinds(after)
    if "vessel-voyage" in left | arrived or ("bol" in left and "bol" in arrived):
        return "sea"
    if "flight" in left | arrived:
        return "air"
    if is_delivery(after) or "courier" in (role_of(before), role_of(after)):
        return "courier"
    if "gate-pass" in left | arrived or step_name(before) in ("loading", "departing"):
        return "road"
    return ""


def _stays(trace: Trace) -> list[_Stay]:
    stays: list[_Stay] = []
    for fact in trace.facts:
        if fact.withdrawn or step_name(fact) not in _PHYSICAL_STEPS:
            continue
        key = _key(fact)
        if not key:
            continue
        if stays and stays[-1].key == key:
            stays[-1].facts.append(fact)
        else:
            stays.append(_Stay(key, fact))
    return stays


def _fit(text: str, size: float, width: float) -> str:
    """Cut a text to a width, measuring a wide character as one em and any other as 0.56 em."""
    used = 0.0
    for position, character in enumerate(text):
        used += size * (1.0 if ord(character) > 0x2E7F else 0.56)
        if used > width:
            return text[: max(position - 1, 1)].rstrip(" ·、") + "…"
    return text


def _lines(names: list[str], language: Language) -> tuple[str, ...]:
    """The names on one line if they fit, else one on each."""
    joined = language.t(N_(" · ")).join(names)
    if not names or _fit(joined, _SMALL, WIDTH - _TEXT_X) == joined:
        return (joined,) if joined else ()
    return tuple(_fit(name, _SMALL, WIDTH - _TEXT_X) for name in names)


def _key(fact: Fact) -> str:
    """What tells a fact's place from the next: its city, else its name; couriers tell a city and no place."""
    place = fact.place
    if place is None:
        return fact.attributes.get("city", "")
    return place.city_en or place.city_zh or place.name_en or place.name_zh or place.unlocode


def _city(fact: Fact, language: Language) -> str:
    place = fact.place
    if place is None:
        return fact.attributes.get("city", "")
    return language.name(place.city_en, place.city_zh) or language.name(place.name_en, place.name_zh)


def _stop_name(stay: _Stay, language: Language) -> str:
    place = stay.facts[0].place
    country = place.country if place is not None else ""
    return _city(stay.facts[0], language) or (language.country(country) if country else stay.key)


def _place_names(stay: _Stay, language: Language) -> list[str]:
    names: dict[str, None] = {}
    city = _city(stay.facts[0], language)
    for fact in stay.facts:
        if fact.place is None:
            continue
        name = language.name(fact.place.name_en, fact.place.name_zh)
        if name and name != city:
            names.setdefault(name)
    return list(names)


def _hop(before: _Stay, after: _Stay, y: int, language: Language) -> Hop:
    mode = transport_mode(before.facts[-1], after.facts[0])
    icon, plain, timed = _MODES[mode]
    days = (after.first.date() - before.last.date()).days
    text = language.say(timed, n=days) if days > 1 else language.t(plain)
    return Hop(icon=icon, text=text, y=y)


def journey(trace: Trace, language: Language) -> Journey | None:
    """The line of stops, or None where fewer than two stops are known."""
    stays = _stays(trace)
    if len(stays) < 2:
        return None
    stops: list[Stop] = []
    y = _TOP
    for number, stay in enumerate(stays):
        places = _lines(_place_names(stay, language), language)
        stops.append(
            Stop(
                name=_fit(_stop_name(stay, language), 16, WIDTH - _TEXT_X),
                when=language.span(stay.first, stay.last),
                places=places,
                y=y,
                end=number in (0, len(stays) - 1),
            )
        )
        y += _STOP + _LEG + _LINE * max(len(places) - 1, 0)
    hops = tuple(
        _hop(before, after, stop.y - _LEG + 17, language)
        for stop, (before, after) in zip(stops[1:], pairwise(stays), strict=True)
    )
    sentence = " → ".join(
        language.say(N_("%(place)s (%(when)s)"), place=stop.name, when=stop.when) for stop in stops
    )
    total = (stays[-1].last.date() - stays[0].first.date()).days
    return Journey(
        stops=tuple(stops),
        hops=hops,
        height=stops[-1].y + _STOP + _LINE * (len(stops[-1].places) - 1),
        line_end=stops[-1].y,
        text=sentence,
        days=language.count("%(n)d day from origin to here", "%(n)d days from origin to here", total),
    )


def _number(facts: list[Fact], kind: str) -> tuple[Fact, str] | None:
    for fact in facts:
        for document in fact.documents:
            if document.kind == kind and document.number:
                return fact, document.number
    return None


def _day(fact: Fact, language: Language) -> str:
    return language.date(in_zone(fact.event_time, fact.zone_offset))


def import_record(
    trace: Trace, language: Language, duty: CityDuty | None = None
) -> tuple[tuple[str, str], ...]:
    """The record of the import as a list of names and values; what is not known is left out."""
    facts = [fact for fact in trace.facts if not fact.withdrawn]
    rows: list[tuple[str, str]] = []

    def add(label: str, *values: str) -> None:
        if all(values):
            rows.append((language.t(label), language.t(N_(", ")).join(values)))

    departures = [f for f in facts if step_name(f) == "departing" and f.place and not in_china(f)]
    arrivals = [f for f in facts if step_name(f) == "arriving" and f.place and in_china(f)]
    if departures:
        add(N_("Departed from"), _city(departures[-1], language), _day(departures[-1], language))
        if arrivals and (mode := transport_mode(departures[-1], arrivals[0])):
            add(N_("Transport mode"), language.t(_MODES[mode][1]))
    # The zone's gate and the courier's station are no ports of entry.
    ports = [f for f in arrivals if paper_of(f) != "gate-pass" and role_of(f) != "courier"]
    if ports:
        add(N_("Entry port"), _port(ports[0], language), _day(ports[0], language))
    declared = [fact for fact in facts if paper_of(fact) == "declaration"]
    if found := _number(declared or facts, "declaration"):
        add(N_("Declared at"), _port(found[0], language) if found[0].place else "", _day(found[0], language))
        add(N_("Customs declaration no."), found[1])
    if found := _number([fact for fact in facts if not is_exit(fact)], "bonded-list"):
        add(N_("Supervision no. (bonded list)"), found[1])
    for fact in facts:
        if last_four := fact.attributes.get("listLastFour", ""):
            ending = language.say(N_("ending in %(digits)s"), digits=last_four)
            add(N_("Parcel declaration"), ending, _day(fact, language))
            break
    for fact in facts:
        if role_of(fact) in ("bonded-warehouse", "warehouse"):
            add(N_("Bonded warehouse"), language.name(fact.party.name_en, fact.party.name_zh))
            break
    left = [
        f for f in facts if step_name(f) == "departing" and role_of(f) in ("bonded-warehouse", "warehouse")
    ]
    if left:
        add(
            N_("Sent to the buyer"),
            _port(left[-1], language) if left[-1].place else "",
            _day(left[-1], language),
        )
    for label, fact in _delivery(facts):
        add(label, *filter(None, (_city(fact, language), _day(fact, language))))
    if duty is not None and duty.codes:
        name, asked = language.name(duty.name_en, duty.name_zh), _asked(duty, language)
        add(N_("City code"), name, *duty.codes[:2], *([asked] if asked else []))
    return tuple(rows)


def _delivery(facts: list[Fact]) -> list[tuple[str, Fact]]:
    """The hand-over and where it was. Where no word of it names a place, the last city that a courier told before."""
    signed = [fact for fact in facts if is_delivery(fact)]
    if not signed:
        return []
    placed = next((fact for fact in signed if _key(fact)), None)
    if placed is not None:
        return [(N_("Delivered in"), placed)]
    released = [fact.event_time for fact in facts if disposition_name(fact) == "released"]
    last = None
    for fact in facts:
        after = not released or fact.event_time >= released[-1]
        if _key(fact) and after and fact.event_time <= signed[-1].event_time and _by_courier(fact):
            last = fact
    found = [(N_("Delivered"), signed[0])]
    return [(N_("Last courier scan in"), last), *found] if last is not None else found


def _by_courier(fact: Fact) -> bool:
    """Whether a courier speaks of a parcel on its way: in that role, or in scans, which tell a status."""
    return role_of(fact) == "courier" or "scanStatus" in fact.attributes


def _asked(duty: CityDuty, language: Language) -> str:
    """Since when the city asks for such a code; empty where it asks for none."""
    if duty.requires == "not-yet-required":
        return ""
    text = (
        N_("asked for since %(day)s")
        if duty.confirmed
        else N_("asked for since %(day)s (rule not confirmed)")
    )
    return language.say(text, day=language.calendar(duty.since.isoformat()))


def _port(fact: Fact, language: Language) -> str:
    place = fact.place
    assert place is not None
    return language.name(place.name_en, place.name_zh) or _city(fact, language)
