"""The facts of a trace as a reader meets them: a headline, who said it, how sure, how it hangs on the item."""

from __future__ import annotations

import msgspec

from suyuan.trace.model import Assurance, Fact, Trace
from suyuan.web.classify import (
    BLOCKS,
    SEGMENTS,
    block_of,
    disposition_name,
    in_china,
    is_delivery,
    is_exit,
    is_independent,
    kinds,
    role_of,
    segment_of,
    step_name,
)
from suyuan.web.language import N_, Language, machine_time
from suyuan.web.wording import (
    ATTRIBUTES,
    CUSTOMS_STATES,
    DOCUMENTS,
    ROLES,
    STEPS,
    TIE_LINKS,
    TIES,
)

MAX_TIE_LABEL = 14


class DocumentView(msgspec.Struct, frozen=True):
    """A document of a fact; ``number`` is empty where the public may not see it."""

    label: str
    number: str


class FactView(msgspec.Struct, frozen=True, kw_only=True):
    """One fact, ready to be shown. ``position`` is its place in the order of time, from 1."""

    position: int
    anchor: str
    headline: str
    when: str
    machine_when: str
    place: str
    who: str
    role: str
    said_by: str
    assurance: Assurance
    corroborations: str
    conflict: str
    documents: tuple[DocumentView, ...]
    attributes: tuple[tuple[str, str], ...]
    tie: str
    withdrawn: tuple[str, ...]
    logged: bool
    log_index: int | None


class BlockView(msgspec.Struct, frozen=True, kw_only=True):
    """One block of the timeline with its facts in order of time; blocks without facts are not made."""

    code: str
    icon: str
    title: str
    facts: tuple[FactView, ...]


def headline(fact: Fact, language: Language) -> str:
    """What happened, in one short line."""
    step, papers = step_name(fact), kinds(fact)
    if step in ("clearing", "declaring", "releasing") and (paper := _customs_paper(fact, papers)):
        word = disposition_name(fact) or ("released" if step == "releasing" else "declared")
        state = CUSTOMS_STATES.get(word, "")
        return language.say(
            N_("%(paper)s: %(state)s"), paper=language.t(paper), state=language.t(state) if state else word
        )
    exact = _exact_headline(fact, step, papers)
    return language.t(exact or STEPS[step]) if exact or step in STEPS else step or fact.event_type


def _customs_paper(fact: Fact, papers: frozenset[str]) -> str:
    if "gate-pass" in papers:
        return N_("Gate pass")
    if "parcel-list" in papers:
        return N_("Parcel declaration")
    if papers & {"bonded-list", "bonded-list-preentry"}:
        return N_("Bonded list, exit") if is_exit(fact) else N_("Bonded list, entry")
    return N_("Import declaration") if papers & {"declaration", "declaration-unified"} else ""


def _exact_headline(fact: Fact, step: str, papers: frozenset[str]) -> str:
    if step == "inspecting":
        return _inspection_headline(fact, papers)
    if step in ("departing", "arriving"):
        return _movement_headline(fact, step, papers)
    if step == "commissioning":
        return N_("Lot produced") if fact.tie.kind == "lot" else N_("Code applied to the item")
    if step == "packing":
        in_parcel = "waybill" in papers or in_china(fact)
        return N_("Packed for the buyer") if in_parcel else N_("Packed for transport")
    if step == "loading":
        sealed = "seal" in papers or "sealNo" in fact.attributes
        return N_("Loaded and sealed") if sealed else N_("Loaded")
    return N_("Unpacked and counted") if step == "unpacking" else ""


def _inspection_headline(fact: Fact, papers: frozenset[str]) -> str:
    if "quarantine" in papers:
        return N_("Quarantine inspection on entry")
    if is_independent(fact):
        return N_("Checked on arrival") if in_china(fact) else N_("Audited at origin, samples taken")
    if role_of(fact) in ("manufacturer", "laboratory", "brand-owner"):
        return N_("Release test of the lot")
    return ""


def _movement_headline(fact: Fact, step: str, papers: frozenset[str]) -> str:
    if is_delivery(fact):
        return N_("Delivered and signed for")
    leaving = step == "departing"
    if "gate-pass" in papers:
        return N_("Left the bonded zone") if leaving else N_("Entered the bonded zone")
    if "vessel-voyage" in papers:
        return N_("Ship departed") if leaving else N_("Ship arrived, goods discharged")
    if "flight" in papers:
        return N_("Flight departed") if leaving else N_("Flight arrived")
    if "mrn" in papers:
        return N_("Cleared for export")
    if "bol" in papers and not leaving and in_china(fact):
        return N_("Ship arrived, goods discharged")
    if role_of(fact) == "courier":
        return N_("Parcel left the courier's station") if leaving else N_("Parcel at the courier's station")
    return ""


def place_text(fact: Fact, language: Language) -> str:
    """City and place by name, the URI's code where the catalogue knows no name; empty without a place."""
    place = fact.place
    if place is None:
        return ""
    city = language.name(place.city_en, place.city_zh)
    name = language.name(place.name_en, place.name_zh)
    if name and city and city not in name:
        return f"{name}（{city}）" if language.chinese else f"{name}, {city}"
    return name or city or place.unlocode


def said_by(fact: Fact, language: Language) -> str:
    """The authority that a relayed message names as its author; empty where none is named."""
    if "authority:customs" not in fact.stated_by:
        return ""
    district = fact.stated_by.rsplit(":", 1)[-1]
    if district.isdigit():
        return language.say(N_("China Customs (district %(district)s)"), district=district)
    return language.t(N_("China Customs"))


def _tie_text(fact: Fact, language: Language) -> str:
    """How a fact hangs on the item, with the way to it; long numbers are left to the machine answer."""
    way = []
    for link in fact.tie.links:
        name = TIE_LINKS.get(link.kind)
        number = link.label if len(link.label) <= MAX_TIE_LABEL else ""
        if name or number:
            way.append(" ".join(part for part in (language.t(name) if name else "", number) if part))
    text = language.t(TIES[fact.tie.kind])
    if fact.tie.kind == "lot":
        return " ".join((text, *(link.label for link in fact.tie.links[-1:])))
    if not way:
        return text
    return language.say(N_("%(tie)s: %(way)s"), tie=text, way=" › ".join(dict.fromkeys(way)))


def _withdrawn(fact: Fact, language: Language) -> tuple[str, ...]:
    return tuple(
        language.say(
            N_("Withdrawn on %(date)s by %(who)s: %(reason)s"),
            date=language.moment(correction.declared_at, fact.zone_offset),
            who=language.name(correction.party.name_en, correction.party.name_zh),
            reason=correction.reason,
        )
        for correction in fact.corrections
    )


def fact_view(fact: Fact, position: int, language: Language) -> FactView:
    """A fact in the words of one language."""
    corroborations = conflict = ""
    if fact.corroborations:
        corroborations = language.count(
            "%(n)d other firm reported the same", "%(n)d other firms reported the same", fact.corroborations
        )
    if fact.conflicts:
        conflict = language.t(N_("Another record contradicts this one"))
    return FactView(
        position=position,
        anchor=f"fact-{position}",
        headline=headline(fact, language),
        when=language.moment(fact.event_time, fact.zone_offset, day_only=fact.day_precision),
        machine_when=machine_time(fact.event_time, fact.zone_offset, day_only=fact.day_precision),
        place=place_text(fact, language),
        who=language.name(fact.party.name_en, fact.party.name_zh),
        role=language.t(ROLES[role_of(fact)]) if role_of(fact) in ROLES else role_of(fact),
        said_by=said_by(fact, language),
        assurance=fact.assurance,
        corroborations=corroborations,
        conflict=conflict,
        documents=tuple(
            DocumentView(language.t(DOCUMENTS[d.kind]) if d.kind in DOCUMENTS else d.kind, d.number)
            for d in fact.documents
            if d.number or d.kind in DOCUMENTS
        ),
        attributes=tuple(
            (language.t(label), value)
            for key, label in ATTRIBUTES.items()
            if fact.attributes and (value := language.of(fact.attributes, key))
        ),
        tie=_tie_text(fact, language),
        withdrawn=_withdrawn(fact, language),
        logged=fact.log_index is not None,
        log_index=fact.log_index,
    )


def blocks(trace: Trace, language: Language) -> tuple[BlockView, ...]:
    """The timeline, block by block; positions run through all blocks in the order of time."""
    gathered: dict[str, list[FactView]] = {code: [] for code in BLOCKS}
    for position, fact in enumerate(trace.facts, 1):
        gathered[block_of(fact)].append(fact_view(fact, position, language))
    return tuple(
        BlockView(code=code, icon=icon, title=language.t(title), facts=tuple(gathered[code]))
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
