"""The facts of a trace as a reader meets them: grouped into entries, each with who said it and how sure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from suyuan.trace.model import Assurance, Fact, Trace
from suyuan.web.classify import BLOCKS, SEGMENTS, block_of, role_of, segment_of
from suyuan.web.grouping import group_facts
from suyuan.web.headlines import group_headline, headline, step_headline
from suyuan.web.language import N_, Language, in_zone, machine_time
from suyuan.web.wording import (
    ASSURANCE,
    ATTRIBUTES,
    DATES,
    DOCUMENTS,
    REASONS,
    RESULTS,
    ROLES,
    TIE_LINKS,
    TIES,
    TRANSPORT_MODES,
    plain,
)

MAX_TIE_LABEL = 14


class DocumentView(msgspec.Struct, frozen=True):
    """Documents of one kind; a number is empty where the public may not see it."""

    label: str
    numbers: tuple[str, ...]


class RecordView(msgspec.Struct, frozen=True, kw_only=True):
    """One fact, ready to be shown. ``position`` is its place in the order of time, from 1.

    ``remarks`` are what a reader must know of its weight: in whose name it speaks and how it hangs on the
    item; there is none for a fact that speaks of the very item.
    """

    position: int
    title: str
    when: str
    machine_when: str
    place: str
    who: str
    assurance: Assurance
    remarks: tuple[str, ...]
    corroborations: str
    conflict: str
    documents: tuple[DocumentView, ...]
    attributes: tuple[tuple[str, str], ...]
    withdrawn: tuple[str, ...]
    log_index: int | None


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the timeline: one record, or several that belong together and end in ``title``.

    ``remarks`` are those that all its records share. ``opened`` tells that one of them must not be overlooked
    (withdrawn, contradicted). ``markup`` is the entry as the page shows it, once it was rendered.
    """

    anchor: str
    title: str
    when: str
    machine_when: str
    place: str
    who: tuple[str, ...]
    levels: tuple[Assurance, ...]
    documents: tuple[DocumentView, ...]
    attributes: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]
    records: tuple[RecordView, ...]
    opened: bool
    markup: str = ""

    @property
    def record(self) -> RecordView | None:
        """The record of an entry that has just one."""
        return self.records[0] if len(self.records) == 1 else None

    @property
    def withdrawn(self) -> bool:
        """Nothing of the entry stands any more."""
        return all(record.withdrawn for record in self.records)


class BlockView(msgspec.Struct, frozen=True, kw_only=True):
    """One block of the timeline, its entries in order of time; blocks without facts are not made."""

    code: str
    icon: str
    title: str
    entries: tuple[EntryView, ...]

    @property
    def size(self) -> int:
        """How many records stand in the block."""
        return sum(len(entry.records) for entry in self.entries)


def place_text(fact: Fact, language: Language) -> str:
    """City and place by name, the country where the catalogue knows no name; empty without a place."""
    place = fact.place
    if place is None:
        return ""
    city = language.name(place.city_en, place.city_zh)
    name = language.name(place.name_en, place.name_zh)
    if name and city and city not in name:
        return f"{name}（{city}）" if language.chinese else f"{name}, {city}"
    return name or city or (language.country(place.country) if place.country else "")


def said_by(fact: Fact, language: Language) -> str:
    """The authority that a relayed message names as its author; empty where none is named."""
    if "authority:customs" not in fact.stated_by:
        return ""
    office = fact.stated_by.rsplit(":", 1)[-1]
    if office.isdigit():
        return language.say(N_("China Customs (district %(district)s)"), district=office)
    if office[:2].isalpha() and office[:2].isupper():
        return language.say(
            N_("customs of %(country)s (office %(office)s)"),
            country=language.country(office[:2]),
            office=office,
        )
    return language.t(N_("China Customs"))


def _tie_text(fact: Fact, language: Language) -> str:
    """How a fact hangs on the item, with the way to it; long numbers are left to the machine answer."""
    if fact.tie.kind == "direct":
        return ""
    text = language.t(TIES[fact.tie.kind])
    if any(link.kind == "product" for link in fact.tie.links):
        return language.t(N_("About all goods of this product"))
    if fact.tie.kind == "lot":
        return " ".join((text, *(link.label for link in fact.tie.links[-1:])))
    way = []
    for link in fact.tie.links:
        name = TIE_LINKS.get(link.kind)
        number = link.label if len(link.label) <= MAX_TIE_LABEL else ""
        if name or number:
            way.append(" ".join(part for part in (language.t(name) if name else "", number) if part))
    if not way:
        return text
    return language.say(N_("%(tie)s: %(way)s"), tie=text, way=" › ".join(dict.fromkeys(way)))


def _remarks(fact: Fact, language: Language) -> tuple[str, ...]:
    author = said_by(fact, language)
    named = language.say(N_("in the name of %(who)s"), who=author) if author else ""
    return tuple(text for text in (named, _tie_text(fact, language)) if text)


def _withdrawn(fact: Fact, language: Language) -> tuple[str, ...]:
    return tuple(
        language.say(
            N_("Withdrawn on %(date)s by %(who)s: %(reason)s"),
            date=language.moment(correction.declared_at, fact.zone_offset),
            who=language.name(correction.party.name_en, correction.party.name_zh),
            reason=_reason(correction.reason, language),
        )
        for correction in fact.corrections
    )


def _reason(reason: str, language: Language) -> str:
    known = REASONS.get(reason.rsplit("ER-", 1)[-1])
    return language.t(known) if known else reason


def _who(fact: Fact, language: Language) -> str:
    name = language.name(fact.party.name_en, fact.party.name_zh)
    role = role_of(fact)
    said = language.t(ROLES[role]) if role in ROLES else plain(role)
    return f"{name} · {said}" if said else name


def _documents(facts: Iterable[Fact], language: Language) -> tuple[DocumentView, ...]:
    found: dict[str, dict[str, None]] = {}
    for fact in facts:
        for document in fact.documents:
            if document.number or document.kind in DOCUMENTS:
                label = language.t(DOCUMENTS[document.kind]) if document.kind in DOCUMENTS else ""
                numbers = found.setdefault(label or plain(document.kind), {})
                if document.number:
                    numbers.setdefault(document.number)
    return tuple(DocumentView(label, tuple(numbers)) for label, numbers in found.items())


def attribute_text(key: str, value: str, language: Language) -> str:
    """The value of an attribute in words; empty for a code that tells a reader nothing."""
    if key == "transportMode":
        return language.t(TRANSPORT_MODES[value]) if value in TRANSPORT_MODES else ""
    if key == "result":
        return language.t(RESULTS[value]) if value in RESULTS else value
    return language.calendar(value) if key in DATES else value


def _attributes(facts: Iterable[Fact], language: Language) -> tuple[tuple[str, str], ...]:
    found: dict[tuple[str, str], None] = {}
    for fact in facts:
        given = fact.attributes
        # Few of the many that there are words for, each under its own name or that of a language.
        named = {key.removesuffix("_zh").removesuffix("_en") for key in given}
        for key, label in ATTRIBUTES.items():
            if key not in named:
                continue
            value = language.of(given, key)
            if not value or (key == "itemExpirationDate" and value == given.get("bestBeforeDate")):
                continue
            if text := attribute_text(key, value, language):
                found.setdefault((language.t(label), text))
    return tuple(found)


def record_view(fact: Fact, position: int, language: Language, *, alone: bool = True) -> RecordView:
    """A fact in the words of one language; ``alone`` says that it makes an entry of its own."""
    corroborations = conflict = ""
    if fact.corroborations:
        corroborations = language.count(
            "%(n)d other firm reported the same", "%(n)d other firms reported the same", fact.corroborations
        )
    if fact.conflicts:
        conflict = language.t(N_("Another record contradicts this one"))
    return RecordView(
        position=position,
        title=headline(fact, language) if alone else step_headline(fact, language),
        # The year of a record within an entry is that of the entry.
        when=language.moment(fact.event_time, fact.zone_offset, day_only=fact.day_precision, year=alone),
        machine_when=machine_time(fact.event_time, fact.zone_offset, day_only=fact.day_precision),
        place=place_text(fact, language),
        who=_who(fact, language),
        assurance=fact.assurance,
        remarks=_remarks(fact, language),
        corroborations=corroborations,
        conflict=conflict,
        documents=_documents([fact], language) if alone else (),
        attributes=_attributes([fact], language) if alone else (),
        withdrawn=_withdrawn(fact, language),
        log_index=fact.log_index,
    )


def _span(facts: Sequence[Fact], records: Sequence[RecordView], language: Language) -> str:
    if len({record.when for record in records}) == 1:
        return language.moment(facts[0].event_time, facts[0].zone_offset, day_only=facts[0].day_precision)
    first, last = (in_zone(fact.event_time, fact.zone_offset) for fact in (facts[0], facts[-1]))
    return language.span(first, last)


def entry_view(positioned: Sequence[tuple[int, Fact]], language: Language) -> EntryView:
    """An entry of the facts of one group, with their positions from 1."""
    facts = [fact for _, fact in positioned]
    alone = len(facts) == 1
    records = tuple(record_view(fact, position, language, alone=alone) for position, fact in positioned)
    places = list(dict.fromkeys(record.place for record in records if record.place))
    shared = tuple(text for text in records[0].remarks if all(text in one.remarks for one in records))
    spoken = {record.assurance for record in records if not record.withdrawn or alone}
    return EntryView(
        anchor=f"e{records[0].position}",
        title=group_headline(facts, language),
        when=_span(facts, records, language),
        machine_when=records[0].machine_when,
        place=" → ".join(places),
        who=tuple(dict.fromkeys(record.who for record in records)),
        levels=tuple(level for level in ASSURANCE if level in spoken),
        documents=_documents(facts, language),
        attributes=_attributes(facts, language),
        remarks=shared,
        records=records,
        opened=not alone and any(record.withdrawn or record.conflict for record in records),
    )


def blocks(
    trace: Trace,
    language: Language,
    entry: Callable[[Sequence[tuple[int, Fact]], Language], EntryView] = entry_view,
) -> tuple[BlockView, ...]:
    """The timeline, block by block; positions run through all blocks in the order of time.

    ``entry`` makes an entry of the facts of one group.
    """
    gathered: dict[str, list[EntryView]] = {code: [] for code in BLOCKS}
    for group in group_facts(trace.facts):
        positioned = [(position + 1, trace.facts[position]) for position in group]
        gathered[block_of(positioned[0][1])].append(entry(positioned, language))
    return tuple(
        BlockView(code=code, icon=icon, title=language.t(title), entries=tuple(gathered[code]))
        for code, (icon, title) in BLOCKS.items()
        if gathered[code]
    )


def segments(trace: Trace, language: Language) -> tuple[tuple[str, str, int], ...]:
    """Code, name and number of standing facts of each segment, all five in the order of the way."""
    counts = dict.fromkeys(SEGMENTS, 0)
    for fact in trace.facts:
        if not fact.withdrawn:
            counts[segment_of(fact)] += 1
    return tuple((code, language.t(name), counts[code]) for code, name in SEGMENTS.items())
