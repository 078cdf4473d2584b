"""Findings on the way of goods: legs, recalls, codes used again, consignments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import msgspec

from suyuan.compliance.afterlife import reuse_of
from suyuan.compliance.consignment import consignments_of
from suyuan.compliance.findings_model import (
    Evidence,
    Judged,
    ListedFinding,
    finding_id_of,
    last_moment,
    speakers,
)
from suyuan.compliance.model import Finding, Leg
from suyuan.db.pool import Pool
from suyuan.trace.model import Trace
from suyuan.trace.state import short_name

_MOVES = frozenset(
    {"departing", "shipping", "packing", "picking", "loading", "transporting", "accepting", "retail_selling"}
)
_LEG_STATES = {"missing": "leg.missing", "late": "leg.late", "contradictory": "leg.contradictory"}


def leg_findings(judged: Mapping[str, Judged]) -> list[ListedFinding]:
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
        finding_id=finding_id_of("leg", *key),
        kind="leg",
        code=_LEG_STATES[state],
        reason_en=f"{leg.name_en} {words_en}. {leg.reason_en}".strip(),
        reason_zh=f"“{leg.name_zh}”{words_zh}。{leg.reason_zh}",
        gtin=gtin,
        lot=lot,
        things=tuple(item for item, _, _ in group[:6]),
        owed_by=leg.owed_by,
        parties=speakers(trace.facts, leg.owed_by),
        since=leg.due or last_moment(trace.facts),
        evidence=tuple(evidence),
    )


def recall_findings(judged: Mapping[str, Judged]) -> list[ListedFinding]:
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
                finding_id=finding_id_of("recall", "recall.moving", item),
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
                            en=f"{fact.party.name_en}, {fact.event_time.date().isoformat()}",
                            zh=f"{fact.party.name_zh} {fact.event_time.date().isoformat()}",
                            reference=item,
                            fact=fact,
                        )
                        for fact in moves[:6]
                    ),
                ),
            )
        )
    return found


def reuse_findings(judged: Mapping[str, Judged]) -> list[ListedFinding]:
    """Codes that were used again after their goods had come to an end."""
    return [
        _listed(
            "reuse",
            finding,
            item,
            one.trace,
            "seller",
            [Evidence(side=0, en=finding.reason_en, zh=finding.reason_zh, reference=item)],
        )
        for item, one in judged.items()
        for finding in reuse_of(one.trace)
    ]


async def consignment_findings(pool: Pool, judged: Mapping[str, Judged]) -> list[ListedFinding]:
    """Short and surplus consignments of these items. They are many people's: for who sees the whole."""
    found: dict[str, ListedFinding] = {}
    for one in judged.values():
        for consignment in await consignments_of(pool, msgspec.structs.replace(one.trace, parcels=())):
            finding, document = consignment.finding, consignment.document
            if finding is None or document in found:
                continue
            sent, arrived = consignment.consolidated, consignment.received
            evidence = [
                Evidence(side=0, en=f"{sent} parcels consolidated", zh=f"集货 {sent} 件", reference=document),
                Evidence(side=1, en=f"{arrived} parcels arrived", zh=f"实到 {arrived} 件"),
                *(Evidence(side=1, en="", zh="", reference=uri) for uri in consignment.details),
            ]
            found[document] = _listed(
                "consignment", finding, document, one.trace, "carrier", evidence, since={"receiving"}
            )
    return list(found.values())


def _listed(
    kind: str,
    finding: Finding,
    thing: str,
    trace: Trace,
    owed_by: str,
    evidence: Sequence[Evidence],
    *,
    since: Set[str] = frozenset(),
) -> ListedFinding:
    """A finding about ``thing`` that was made on an item's trace; it lasts since the last of the steps ``since``."""
    return ListedFinding(
        finding_id=finding_id_of(kind, finding.code, thing),
        kind=kind,
        code=finding.code,
        reason_en=finding.reason_en,
        reason_zh=finding.reason_zh,
        gtin=trace.gtin,
        lot=trace.lot,
        things=(thing,),
        owed_by=owed_by,
        parties=speakers(trace.facts, owed_by),
        since=last_moment(trace.facts, since),
        evidence=tuple(evidence),
    )
