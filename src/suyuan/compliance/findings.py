"""All findings in one list: what does not add up, over the newest goods and events.

Computed at read time, so a paper that comes late makes its finding go; nothing is kept, there is no second truth. The
search is bounded (``Bounds``) and says so: quantities are balanced for the newest lots, legs are judged on one item of
each of these lots and on the items packed last, contradictions are looked for among the newest events. Ask for one lot
to look at an older one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import asyncpg
import msgspec

from suyuan.canon import base32_text
from suyuan.capture.payload import read_body
from suyuan.compliance.afterlife import reuse_of
from suyuan.compliance.balance import Subject, balance_of, find_ledger_items
from suyuan.compliance.consignment import consignments_of
from suyuan.compliance.coverage import coverage_seen
from suyuan.compliance.legs import Profile
from suyuan.compliance.model import Balance, Finding, Leg
from suyuan.db.pool import Pool, sql
from suyuan.gs1.percent import encode_value
from suyuan.trace.model import Fact, Trace
from suyuan.trace.read import OPERATOR, TraceReader, Viewer
from suyuan.trace.state import short_name

_GTIN = "https://id.gs1.org/01/"
_MOVES = frozenset(
    {"departing", "shipping", "packing", "picking", "loading", "transporting", "accepting", "retail_selling"}
)
_LEG_STATES = {"missing": "leg.missing", "late": "leg.late", "contradictory": "leg.contradictory"}
# A code that was never put to use owes nothing.
_NOT_IN_USE = frozenset({"issued", "unknown", "voided", "commissioned"})
KINDS = ("quantity", "leg", "contradiction", "recall", "consignment", "reuse")
_MAX_LEDGER_ITEMS = 4


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How far the list looks: newest events, lots, packings."""

    events: int = 20_000
    lots: int = 24
    items: int = 24


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One line of what a finding rests on. ``side`` is 0 or 1: what is set against each other."""

    side: int
    en: str
    zh: str
    reference: str = ""


class ListedFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A finding with what it is about, who is concerned, and both sides of its evidence.

    ``finding_id`` is the same for the same finding, however often it is computed. ``since`` is the moment from which
    its age counts. ``owed_by`` is the role that can resolve it, ``parties`` those that speak in it here.
    """

    finding_id: str
    kind: str
    code: str
    reason_en: str
    reason_zh: str
    gtin: str = ""
    lot: str = ""
    things: tuple[str, ...] = ()
    owed_by: str = ""
    parties: tuple[str, ...] = ()
    since: datetime | None = None
    evidence: tuple[Evidence, ...] = ()
    event_keys: tuple[int, ...] = ()


class FindingList(msgspec.Struct, frozen=True, kw_only=True):
    """The findings with how much was looked at."""

    findings: tuple[ListedFinding, ...]
    lots: int
    items: int
    events: int


class Scope(msgspec.Struct, frozen=True):
    """For whom: the viewer, its party, and whether it may see the quantities of a GTIN."""

    viewer: Viewer
    party_id: str
    may_balance: Callable[[str], bool]


class _Judged(msgspec.Struct, frozen=True):
    trace: Trace
    legs: tuple[Leg, ...]


async def list_findings(
    pool: Pool,
    reader: TraceReader,
    profiles: Sequence[Profile],
    now: datetime,
    scope: Scope,
    *,
    gtin: str = "",
    lot: str = "",
    bounds: Bounds | None = None,
) -> FindingList:
    """The findings that the scope may see, of one lot or of the newest ones, the most pressing kinds first."""
    bounds = bounds or Bounds()
    lots = await pool.fetch(sql(__package__, "recent_lots"), bounds.lots, gtin if lot else "", lot)
    packed = await _packed_items(pool, bounds, f"{_GTIN}{gtin}/21/" if gtin else "")
    samples = [_item(row["gtin"], row["serial"]) for row in lots if row["serial"]]
    judged: dict[str, _Judged] = {}
    for item in dict.fromkeys([*packed, *samples]):
        one = await _judge(reader, profiles, now, scope, item)
        if one is not None and (not lot or one.trace.lot == lot):
            judged[item] = one
    found: list[ListedFinding] = []
    found += await _quantities(pool, scope, lots, judged)
    found += _legs(judged)
    found += _recalled(judged)
    found += _reused(judged)
    found += await _consignments(pool, scope, judged)
    if not lot:
        found += await _conflicts(pool, scope, bounds)
    order = {kind: position for position, kind in enumerate(KINDS)}
    found.sort(key=lambda one: (order[one.kind], one.code, one.finding_id))
    return FindingList(findings=tuple(found), lots=len(lots), items=len(judged), events=bounds.events)


def _item(gtin: str, serial: str) -> str:
    return f"{_GTIN}{gtin}/21/{encode_value(serial)}"


def _identified(kind: str, code: str, *parts: str) -> str:
    text = "\0".join((kind, code, *parts))
    return base32_text(hashlib.sha256(text.encode()).digest()[:10])


async def _packed_items(pool: Pool, bounds: Bounds, prefix: str) -> list[str]:
    """One item of each of the parcels that were packed last."""
    rows = await pool.fetch(sql(__package__, "recent_packings"), bounds.events, bounds.items)
    found = []
    for row in rows:
        items = [
            uri for uri in read_body(row["body"]).get("childEPCs") or () if uri.startswith(prefix or _GTIN)
        ]
        found += items[:1]
    return found


async def _judge(
    reader: TraceReader, profiles: Sequence[Profile], now: datetime, scope: Scope, item: str
) -> _Judged | None:
    readings = await reader.read_views(item, OPERATOR, scope.viewer)
    if not readings or not readings[1].trace.facts:
        return None
    if readings[0].trace.state in _NOT_IN_USE:
        return None
    coverage = coverage_seen(readings[0], readings[1], profiles, now)
    return _Judged(readings[1].trace, coverage.legs)


# -- quantities -------------------------------------------------------------------------------------------------


async def _quantities(
    pool: Pool, scope: Scope, lots: Iterable[asyncpg.Record], judged: dict[str, _Judged]
) -> list[ListedFinding]:
    found = []
    seen = {(one.trace.gtin, one.trace.lot): one.trace for one in judged.values()}
    known = dict.fromkeys([*((row["gtin"], row["lot"]) for row in lots), *(key for key in seen if key[1])])
    for gtin, lot in known:
        if not scope.may_balance(gtin):
            continue
        subjects = (await find_ledger_items(pool, gtin, lot))[:_MAX_LEDGER_ITEMS] or [("", "")]
        trace = seen.get((gtin, lot))
        for ledger_item, facility in subjects:
            balance = await balance_of(
                pool, Subject(gtin=gtin, lot=lot, ledger_item=ledger_item, facility=facility)
            )
            found += [_quantity(finding, balance, gtin, facility, trace) for finding in balance.findings]
    return found


def _quantity(
    finding: Finding, balance: Balance, gtin: str, facility: str, trace: Trace | None
) -> ListedFinding:
    entered = [(f"{balance.entered or '?'} entered under the ledger", f"申报入账 {balance.entered or '?'}")]
    sides = {
        "balance.entry.difference": (
            entered,
            [
                (f"{balance.received or '?'} received", f"实收 {balance.received or '?'}"),
                (f"{balance.damaged} damaged", f"残损 {balance.damaged}"),
            ],
        ),
        "balance.active.excess": (
            [(f"{balance.activated} codes activated", f"激活 {balance.activated} 个码")],
            [(f"{balance.received or balance.entered or '?'} pieces at hand", f"在库 {balance.received or '?'} 件")],
        ),
        "balance.exit.excess": (
            [(f"{balance.exited} left", f"出区 {balance.exited}")],
            [(f"{balance.received or '?'} received, {balance.returned} returned",
              f"实收 {balance.received or '?'}，退回 {balance.returned}")],
        ),
        "balance.outflow.uncoded": (
            [(f"{balance.exited} left the ledger", f"账册核扣 {balance.exited}")],
            [(f"{finding.quantity} of them without a packed code", f"其中 {finding.quantity} 件没有追溯码装箱记录")],
        ),
    }  # fmt: skip
    one, other = sides.get(finding.code, (entered, [(finding.reason_en, finding.reason_zh)]))
    ledger = f"urn:suyuan:ledger-item:{balance.ledger_item}" if balance.ledger_item else ""
    evidence = [
        *(Evidence(side=0, en=en, zh=zh, reference=ledger) for en, zh in one),
        *(Evidence(side=0, en="", zh="", reference=uri) for uri in finding.references),
        *(Evidence(side=1, en=en, zh=zh, reference=_lot(gtin, balance.lot)) for en, zh in other),
    ]
    role = "bonded-warehouse"
    return ListedFinding(
        finding_id=_identified("quantity", finding.code, gtin, balance.lot, balance.ledger_item, facility),
        kind="quantity",
        code=finding.code,
        reason_en=finding.reason_en,
        reason_zh=finding.reason_zh,
        gtin=gtin,
        lot=balance.lot,
        things=tuple(uri for uri in (_lot(gtin, balance.lot), ledger) if uri),
        owed_by=role,
        parties=_speakers(trace.facts if trace is not None else (), role),
        since=_last(trace.facts, {"receiving", "storing", "unpacking"}) if trace is not None else None,
        evidence=tuple(evidence),
    )


def _lot(gtin: str, lot: str) -> str:
    return f"{_GTIN}{gtin}/10/{encode_value(lot)}" if lot else ""


def _speakers(facts: Iterable[Fact], role: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            fact.party.party_id
            for fact in facts
            if fact.party.role.replace("_", "-") == role.replace("_", "-")
        )
    )


def _last(facts: Sequence[Fact], steps: set[str] | None = None) -> datetime | None:
    times = [fact.event_time for fact in facts if steps is None or short_name(fact.biz_step) in steps]
    return max(times, default=facts[-1].event_time if facts else None)


# -- legs -------------------------------------------------------------------------------------------------------


def _legs(judged: dict[str, _Judged]) -> list[ListedFinding]:
    """One finding for each leg of a lot that is missing, late or contradictory, with the items it was seen on."""
    groups: dict[tuple[str, str, str, str], list[tuple[str, Leg, Trace]]] = {}
    counts: dict[tuple[str, str], int] = {}
    for item, one in judged.items():
        lot = (one.trace.gtin, one.trace.lot)
        counts[lot] = counts.get(lot, 0) + 1
        for leg in one.legs:
            if leg.state in _LEG_STATES:
                groups.setdefault((*lot, leg.code, leg.state), []).append((item, leg, one.trace))
    return [_leg(key, group, counts[key[0], key[1]]) for key, group in groups.items()]


def _leg(key: tuple[str, str, str, str], group: list[tuple[str, Leg, Trace]], of: int) -> ListedFinding:
    gtin, lot, _, state = key
    _, leg, trace = group[0]
    words_en = {"missing": "is missing", "late": "came late", "contradictory": "is contradicted"}[state]
    words_zh = {"missing": "缺失", "late": "逾期", "contradictory": "存在矛盾"}[state]
    before = [trace.facts[position] for position in leg.facts if position < len(trace.facts)]
    evidence = [
        Evidence(side=0, en=f"{len(group)} of {of} items looked at", zh=f"抽查 {of} 件，涉及 {len(group)} 件")
    ]
    evidence += [Evidence(side=0, en="", zh="", reference=item) for item, _, _ in group[:6]]
    evidence += [
        Evidence(
            side=1,
            en=f"Stated by {fact.party.name_en} on {fact.event_time.date().isoformat()}",
            zh=f"{fact.party.name_zh} {fact.event_time.date().isoformat()} 陈述",
        )
        for fact in before[:4]
    ]
    if leg.reason_en:
        evidence.append(Evidence(side=1, en=leg.reason_en, zh=leg.reason_zh))
    return ListedFinding(
        finding_id=_identified("leg", *key),
        kind="leg",
        code=_LEG_STATES[state],
        reason_en=f"{leg.name_en} {words_en}. {leg.reason_en}".strip(),
        reason_zh=f"“{leg.name_zh}”{words_zh}。{leg.reason_zh}",
        gtin=gtin,
        lot=lot,
        things=tuple(item for item, _, _ in group[:6]),
        owed_by=leg.owed_by,
        parties=_speakers(trace.facts, leg.owed_by),
        since=leg.due or _last(trace.facts),
        evidence=tuple(evidence),
    )


# -- recalls, codes used again, consignments --------------------------------------------------------------------


def _recalled(judged: dict[str, _Judged]) -> list[ListedFinding]:
    """Goods under a recall that still moved after it was raised."""
    found = []
    for item, one in judged.items():
        trace, recall = one.trace, one.trace.recall
        if recall is None:
            continue
        moves = [
            fact
            for fact in trace.facts
            if fact.event_time > recall.since
            and not fact.withdrawn
            and fact.tie.kind in ("direct", "alias", "containment")
            and short_name(fact.biz_step) in _MOVES
        ]
        if not moves:
            continue
        last = moves[-1]
        found.append(
            ListedFinding(
                finding_id=_identified("recall", "recall.moving", item),
                kind="recall",
                code="recall.moving",
                reason_en=f"Goods of the recall {recall.number} still moved on {last.event_time.date().isoformat()}.",
                reason_zh=f"召回 {recall.number} 的货物在 {last.event_time.date().isoformat()} 仍有流转。",
                gtin=trace.gtin,
                lot=trace.lot,
                things=(item,),
                owed_by=last.party.role,
                parties=(last.party.party_id,),
                since=moves[0].event_time,
                evidence=(
                    Evidence(
                        side=0,
                        en=f"Recalled by {recall.party.name_en} on {recall.since.date().isoformat()}",
                        zh=f"{recall.party.name_zh} {recall.since.date().isoformat()} 发起召回",
                        reference=f"urn:suyuan:recall:{recall.number}" if recall.number else "",
                    ),
                    *(
                        Evidence(
                            side=1,
                            en=f"{short_name(fact.biz_step)} by {fact.party.name_en},"
                            f" {fact.event_time.date().isoformat()}",
                            zh=f"{fact.party.name_zh} {fact.event_time.date().isoformat()}"
                            f" {short_name(fact.biz_step)}",
                            reference=item,
                        )
                        for fact in moves[:6]
                    ),
                ),
            )
        )
    return found


def _reused(judged: dict[str, _Judged]) -> list[ListedFinding]:
    return [
        ListedFinding(
            finding_id=_identified("reuse", finding.code, item),
            kind="reuse",
            code=finding.code,
            reason_en=finding.reason_en,
            reason_zh=finding.reason_zh,
            gtin=one.trace.gtin,
            lot=one.trace.lot,
            things=(item,),
            owed_by="seller",
            parties=_speakers(one.trace.facts, "seller"),
            since=_last(one.trace.facts),
            evidence=(Evidence(side=0, en=finding.reason_en, zh=finding.reason_zh, reference=item),),
        )
        for item, one in judged.items()
        for finding in reuse_of(one.trace)
    ]


async def _consignments(pool: Pool, scope: Scope, judged: dict[str, _Judged]) -> list[ListedFinding]:
    """Short and surplus consignments: many people's, so for who sees the whole."""
    if not scope.viewer.whole:
        return []
    found: dict[str, ListedFinding] = {}
    for one in judged.values():
        for consignment in await consignments_of(pool, msgspec.structs.replace(one.trace, parcels=())):
            finding, document = consignment.finding, consignment.document
            if finding is None or document in found:
                continue
            details = [Evidence(side=1, en="", zh="", reference=uri) for uri in consignment.details]
            found[document] = ListedFinding(
                finding_id=_identified("consignment", finding.code, document),
                kind="consignment",
                code=finding.code,
                reason_en=finding.reason_en,
                reason_zh=finding.reason_zh,
                gtin=one.trace.gtin,
                lot=one.trace.lot,
                things=(document,),
                owed_by="carrier",
                parties=_speakers(one.trace.facts, "carrier"),
                since=_last(one.trace.facts, {"receiving"}),
                evidence=(
                    Evidence(
                        side=0,
                        en=f"{consignment.consolidated} parcels consolidated",
                        zh=f"集货 {consignment.consolidated} 件",
                        reference=document,
                    ),
                    Evidence(
                        side=1,
                        en=f"{consignment.received} parcels arrived",
                        zh=f"实到 {consignment.received} 件",
                    ),
                    *details,
                ),
            )
    return list(found.values())


# -- contradictions ---------------------------------------------------------------------------------------------


async def _conflicts(pool: Pool, scope: Scope, bounds: Bounds) -> list[ListedFinding]:
    rows = await pool.fetch(sql(__package__, "recent_conflicts"), bounds.events, 200)
    return [
        _conflict(row)
        for row in rows
        if scope.viewer.whole or scope.party_id in (row["party_id"], row["other_party"])
    ]


def _conflict(row: asyncpg.Record) -> ListedFinding:
    def said(side: int, party: str, recorded: datetime, happened: datetime) -> Evidence:
        day, when = happened.date().isoformat(), recorded.date().isoformat()
        return Evidence(
            side=side,
            en=f"{party}: happened on {day}, recorded on {when}",
            zh=f"{party}：发生于 {day}，录入于 {when}",
        )

    return ListedFinding(
        finding_id=_identified("contradiction", "event.conflict", row["event_id"], row["party_id"]),
        kind="contradiction",
        code="event.conflict",
        reason_en=f"{row['other_party']} and {row['party_id']} gave different contents under one event ID.",
        reason_zh=f"{row['other_party']} 与 {row['party_id']} 在同一事件编号下提交了不同内容。",
        owed_by="",
        parties=(row["other_party"], row["party_id"]),
        since=row["record_time"],
        evidence=(
            said(0, row["other_party"], row["other_record_time"], row["other_event_time"]),
            said(1, row["party_id"], row["record_time"], row["event_time"]),
        ),
        event_keys=(row["other_key"], row["event_key"]),
    )
