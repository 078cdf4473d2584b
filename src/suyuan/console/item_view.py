"""What the page of an item shows, from its trace and coverage. Pure: words, order and links, never a fact of its own.

What the viewer may not see is not in the trace, so nothing is hidden here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone

import msgspec

from suyuan.capture.links import PERSON_KINDS, document_kind
from suyuan.compliance.model import Balance, Coverage, Leg
from suyuan.console.links import thing_href
from suyuan.console.words import Pair, Voice
from suyuan.trace.intervals import OPEN_START
from suyuan.trace.model import WHOLE, Fact, TieLink, Trace
from suyuan.web.language import in_zone
from suyuan.web.timeline import record_view
from suyuan.web.verdict import Verdict, verdict
from suyuan.web.wording import ASSURANCE

_CHINA = timezone(timedelta(hours=8))
PAGE = 40
# A number that looks like a code of 52 characters is a pseudonym: it tells a reader nothing.
_SEALED: Pair = ("编号已加密", "number sealed")


class PaperLink(msgspec.Struct, frozen=True, kw_only=True):
    """A document that a fact names; ``sealed`` where its number lies in the vault."""

    kind: str
    number: str
    href: str
    uri: str
    sealed: bool


class FactRow(msgspec.Struct, frozen=True, kw_only=True):
    """One fact, ready to be shown. ``moment`` is when it happened with its offset, ``recorded`` when it came in."""

    position: int
    day: str
    title: str
    moment: str
    machine: str
    recorded: str
    place: str
    who: str
    role: str
    level: str
    level_icon: str
    level_tone: str
    level_text: str
    remarks: tuple[str, ...]
    sight: str
    papers: tuple[PaperLink, ...]
    attributes: tuple[tuple[str, str], ...]
    quantities: tuple[tuple[str, str], ...]
    withdrawn: tuple[str, ...]
    conflict: str
    corroborated: str
    log_index: int | None
    event_key: int
    message: str


class LegRow(msgspec.Struct, frozen=True, kw_only=True):
    """One leg that the law asks for, who owes it and the facts that are it."""

    name: str
    state: str
    state_text: str
    icon: str
    owed_by: str
    due: str
    reason: str
    facts: tuple[int, ...]


class PaperRow(msgspec.Struct, frozen=True, kw_only=True):
    """One document of the item: when it is first named, in how many facts."""

    paper: PaperLink
    since: str
    facts: tuple[int, ...]


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """What held the item, from when until when."""

    kind: str
    label: str
    href: str
    since: str
    until: str


class BalanceRow(msgspec.Struct, frozen=True, kw_only=True):
    """The quantity balance of one ledger item and facility."""

    ledger_item: str
    ledger_href: str
    facility: str
    figures: tuple[tuple[str, str, bool], ...]
    findings: tuple[str, ...]
    compared: bool


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at the top: what the thing is, its code, where it is in its life."""

    title: str
    kind: str
    code: str
    state: str
    verdict: Verdict | None
    lot: str
    lot_href: str
    product_href: str


def element_string(trace: Trace) -> str:
    """The code as it is read aloud: identifiers in brackets; the number of a thing that has no GTIN."""
    if not trace.gtin:
        return readable(trace.thing)
    lot = f"(10){trace.lot}" if trace.lot and not trace.serial else ""
    return f"(01){trace.gtin}{lot}" + (f"(21){trace.serial}" if trace.serial else "")


def readable(uri: str) -> str:
    """The number in a URI as a person writes it."""
    if uri.startswith("https://id.gs1.org/"):
        parts = uri.removeprefix("https://id.gs1.org/").split("/")
        return "".join(f"({ai}){value}" for ai, value in zip(parts[::2], parts[1::2], strict=False))
    kind = document_kind(uri)
    if kind and kind != "container":
        return uri.removeprefix(f"urn:suyuan:{kind}:")
    return uri.rsplit(":", 1)[-1]


def head_of(trace: Trace, voice: Voice) -> Head:
    """The top of the page of an item."""
    name = voice.public.of(trace.product, "name")
    return Head(
        title=name or voice.kind(trace.kind),
        kind=voice.kind(trace.kind),
        code=element_string(trace),
        state=voice.state(trace.state),
        verdict=verdict(trace, None, voice.public) if trace.serial or trace.recall else None,
        lot=trace.lot,
        lot_href=thing_href(f"https://id.gs1.org/01/{trace.gtin}/10/{trace.lot}") if trace.lot else "",
        product_href=thing_href(f"https://id.gs1.org/01/{trace.gtin}") if trace.gtin else "",
    )


def paper_link(uri: str, number: str, voice: Voice, kind: str = "") -> PaperLink:
    """A document by name, with its page where an address may name it."""
    kind = kind or document_kind(uri)
    sealed = kind in PERSON_KINDS
    return PaperLink(
        kind=voice.kind(kind),
        number=voice.pair(_SEALED) if sealed else number,
        href="" if sealed else thing_href(uri),
        uri=uri,
        sealed=sealed,
    )


def fact_rows(
    facts: Sequence[Fact], voice: Voice, *, start: int = 0, limit: int = PAGE
) -> tuple[FactRow, ...]:
    """Facts as rows, in the order of time; ``position`` counts from 1 through all of them."""
    return tuple(
        _fact_row(fact, position, voice)
        for position, fact in enumerate(facts[start : start + limit], start + 1)
    )


def _fact_row(fact: Fact, position: int, voice: Voice) -> FactRow:
    record = record_view(fact, position, voice.public)
    look = ASSURANCE[fact.assurance]
    local = in_zone(fact.event_time, fact.zone_offset)
    return FactRow(
        position=position,
        day=voice.public.date(local),
        title=record.title,
        moment=clock_text(fact, local, voice),
        machine=record.machine_when,
        recorded=voice.public.moment(fact.record_time, "+08:00"),
        place=record.place,
        who=voice.public.name(fact.party.name_en, fact.party.name_zh),
        role=voice.role(fact.party.role),
        level=fact.assurance,
        level_icon=look.icon,
        level_tone=look.tone,
        level_text=voice.public.t(look.label),
        remarks=record.remarks,
        sight=sight_text(fact, voice),
        papers=tuple(
            paper_link(document.uri, document.number, voice, document.kind) for document in fact.documents
        ),
        attributes=record.attributes,
        quantities=tuple(
            (readable(uri), f"{voice.quantity(figure)} {unit}".strip() if figure else "")
            for uri, figure, unit in fact.quantities
        )[:8],
        withdrawn=record.withdrawn,
        conflict=record.conflict,
        corroborated=record.corroborations,
        log_index=fact.log_index,
        event_key=fact.event_key,
        message=fact.message,
    )


def clock_text(fact: Fact, local: datetime, voice: Voice) -> str:
    """The time of day with its offset, under the heading of the day; the day alone where no more is known."""
    if fact.day_precision:
        return voice.say("当日", "that day")
    sign, hours, minutes = fact.zone_offset[:1], fact.zone_offset[1:3], fact.zone_offset[4:6]
    zone = f"UTC{'−' if sign == '-' else '+'}{int(hours or 0)}" + (
        f":{minutes}" if minutes not in ("", "00") else ""
    )
    return f"{local:%H:%M} {zone}"


def sight_text(fact: Fact, voice: Voice) -> str:
    """Why the viewer may see the fact; nothing for who sees everything."""
    sight = fact.sight
    if sight is None or sight.code == WHOLE.code:
        return ""
    return voice.public.name(sight.reason_en, sight.reason_zh)


_LEG_WORDS: dict[str, tuple[str, Pair]] = {
    "present": ("check", ("已具备", "present")),
    "late": ("clock", ("逾期完成", "came late")),
    "missing": ("cross", ("缺失", "missing")),
    "not yet due": ("wait", ("未到期", "not yet due")),
    "contradictory": ("warn", ("相互矛盾", "contradictory")),
    "not required": ("dash", ("不要求", "not required")),
}


def leg_rows(coverage: Coverage, trace: Trace, voice: Voice) -> tuple[LegRow, ...]:
    """The legs of clause 486; who owes one is named where a firm speaks in that role in this trace."""
    firms: dict[str, dict[str, None]] = {}
    for fact in trace.facts:
        name = voice.public.name(fact.party.name_en, fact.party.name_zh)
        firms.setdefault(fact.party.role.replace("_", "-"), {}).setdefault(name)
    return tuple(_leg_row(leg, firms, voice) for leg in coverage.legs)


def _leg_row(leg: Leg, firms: dict[str, dict[str, None]], voice: Voice) -> LegRow:
    icon, text = _LEG_WORDS[leg.state]
    names = list(firms.get(leg.owed_by.replace("_", "-"), {}))
    role = voice.role(leg.owed_by)
    return LegRow(
        name=voice.public.name(leg.name_en, leg.name_zh),
        state=leg.state.replace(" ", "-"),
        state_text=voice.pair(text),
        icon=icon,
        owed_by=f"{role} · {names[0]}" if len(names) == 1 else role,
        due=voice.public.date(leg.due.astimezone(_CHINA)) if leg.due is not None else "",
        reason=voice.public.name(leg.reason_en, leg.reason_zh),
        facts=tuple(position + 1 for position in leg.facts),
    )


def paper_rows(facts: Sequence[Fact], voice: Voice) -> tuple[PaperRow, ...]:
    """The documents of a trace, in the order in which they are first named; withdrawn facts do not count."""
    found: dict[str, tuple[Fact, list[int]]] = {}
    kinds: dict[str, tuple[str, str]] = {}
    for position, fact in enumerate(facts, 1):
        for document in fact.documents:
            if fact.withdrawn or not (document.number or document.uri):
                continue
            key = document.uri or f"{document.kind}:{document.number}"
            found.setdefault(key, (fact, []))[1].append(position)
            kinds.setdefault(key, (document.kind, document.number))
    return tuple(
        PaperRow(
            paper=paper_link(uri, kinds[uri][1], voice, kinds[uri][0]),
            since=voice.public.date(in_zone(first.event_time, first.zone_offset)),
            facts=tuple(positions),
        )
        for uri, (first, positions) in found.items()
    )


def holders(facts: Iterable[Fact], voice: Voice) -> tuple[Holder, ...]:
    """What held the item: case, pallet, container, parcel, in the order in which it went into them."""
    found: dict[tuple[str, str], TieLink] = {}
    depth: dict[tuple[str, str], int] = {}
    for fact in facts:
        if fact.tie.kind != "containment":
            continue
        for level, link in enumerate(fact.tie.links):
            if link.kind in _CONTAINERS:
                key = (link.kind, link.uri)
                known = found.get(key)
                if known is None or (known.until is None and link.until is not None):
                    found[key] = link
                depth[key] = min(depth.get(key, level), level)
    ordered = sorted(
        found.items(),
        key=lambda entry: (entry[1].since is None, entry[1].since or OPEN_START, depth[entry[0]]),
    )
    return tuple(_holder(link, voice) for _, link in ordered)


_CONTAINERS = frozenset({"package", "case", "pallet", "container", "waybill", "parcel", "awb", "thing"})


def _holder(link: TieLink, voice: Voice) -> Holder:
    sealed = document_kind(link.uri) in PERSON_KINDS or not link.uri
    kind = "parcel" if link.kind == "waybill" else link.kind

    def day(moment: object) -> str:
        return voice.public.date(moment.astimezone(_CHINA)) if moment is not None else ""  # type: ignore[attr-defined]

    return Holder(
        kind=voice.kind(kind),
        label="" if sealed else link.label,
        href=thing_href(link.uri),
        since=day(link.since),
        until=day(link.until),
    )


_FIGURES: tuple[tuple[str, Pair], ...] = (
    ("coded", ("赋码", "codes")),
    ("entered", ("申报入区", "entered")),
    ("received", ("实收", "received")),
    ("damaged", ("残损", "damaged")),
    ("activated", ("激活", "activated")),
    ("exited", ("出区核扣", "exited")),
    ("returned", ("退回", "returned")),
    ("unexplained", ("未说明差异", "unexplained")),
)


def balance_row(balance: Balance, facility: str, voice: Voice) -> BalanceRow:
    """A balance as figures with names; a figure that is not known is a dash, never a zero."""
    return BalanceRow(
        ledger_item=balance.ledger_item,
        ledger_href=(
            thing_href(f"urn:suyuan:ledger-item:{balance.ledger_item}") if balance.ledger_item else ""
        ),
        facility=facility,
        figures=tuple(
            (
                voice.pair(name),
                voice.quantity(getattr(balance, field)),
                field == "unexplained" and balance.unexplained not in ("", "0"),
            )
            for field, name in _FIGURES
        ),
        findings=tuple(voice.public.name(f.reason_en, f.reason_zh) for f in balance.findings),
        compared=bool(balance.entered and balance.received),
    )


def person_papers(trace: Trace, voice: Voice) -> tuple[tuple[str, str], ...]:
    """The person documents of a trace as (pseudonym, kind): what can be revealed with a reason."""
    found: dict[str, str] = {}
    for uri in trace.parcels:
        found[uri] = voice.kind("waybill")
    for fact in trace.facts:
        for document in fact.documents:
            if document.kind in PERSON_KINDS and document.uri:
                found.setdefault(document.uri, voice.kind(document.kind))
    return tuple(found.items())
