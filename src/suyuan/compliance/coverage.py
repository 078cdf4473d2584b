"""Coverage of clause 486: which of the required legs a trace proves, which are missing, and who owes them.

Pure: a trace, a profile and a moment give a coverage. The mode is the parcel list's trade mode, else the bonded
list's supervision mode, else direct mail where a waybill names an air waybill; a conflict is a finding, none is
"unknown" and not scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta, timezone

import msgspec

from suyuan.compliance.cities import CityProfile, city_duty, city_findings
from suyuan.compliance.legs import LegRule, Profile, find_profile
from suyuan.compliance.model import Coverage, Finding, Leg, LegState
from suyuan.trace.model import Fact, Trace
from suyuan.trace.read import Reading
from suyuan.trace.state import short_name

ASSURANCES = ("authority-verified", "relayed", "inspected", "partner-signed", "self-declared")
_CHINA = timezone(timedelta(hours=8))
_LAST_SECOND = time(23, 59, 59)
_RANK = {"self-declared": 0, "relayed": 1, "partner-signed": 2, "inspected": 3, "authority-verified": 4}
# A receipt of customs that takes back what an earlier one gave. Goods that come back later are no refusal.
_REFUSALS = frozenset({"rejected", "detained", "returned", "deleted", "void", "cancellation_concluded"})
_RECEIPTS = frozenset({"clearing", "releasing"})


def mode_of(facts: Sequence[Fact]) -> tuple[str, list[Finding]]:
    """The trade mode that the papers state, and what contradicts it. ``unknown`` where none does."""
    standing = [fact for fact in facts if not fact.withdrawn]
    by_list = {fact.attributes["tradeMode"] for fact in standing if fact.attributes.get("tradeMode")}
    by_bond = {
        fact.attributes["supervisionMode"] for fact in standing if fact.attributes.get("supervisionMode")
    }
    findings = []
    stated = sorted(by_list | by_bond)
    if len(stated) > 1:
        findings.append(
            Finding(
                code="coverage.mode.conflict",
                reason_en=f"The papers name different modes: {', '.join(stated)}.",
                reason_zh=f"单证所载监管方式不一致：{'、'.join(stated)}。",
            )
        )
    if by_list:
        return min(by_list), findings
    if by_bond:
        return min(by_bond), findings
    for fact in standing:
        if short_name(fact.biz_step) == "waybill_issued" and any(d.kind == "awb" for d in fact.documents):
            return "9610", findings
    return "unknown", findings


def coverage_of(trace: Trace, profiles: Sequence[Profile], now: datetime) -> Coverage:
    """The coverage of one trace at the moment ``now``. Withdrawn facts do not count."""
    mode, findings = mode_of(trace.facts)
    first = (trace.facts[0].event_time if trace.facts else now).astimezone(_CHINA).date()
    profile = find_profile(profiles, mode, first)
    if profile is None:
        return Coverage(
            mode=mode,
            profile="",
            legs=(),
            findings=(*findings, *_unscored(mode)),
            assurance_counts=dict.fromkeys(ASSURANCES, 0),
        )
    found = {rule.code: _facts_of(rule, trace.facts) for rule in profile.legs}
    legs = tuple(_leg(rule, profile, found, trace.facts, now) for rule in profile.legs)
    counts = dict.fromkeys(ASSURANCES, 0)
    for leg in legs:
        if leg.assurance:
            counts[leg.assurance] += 1
    return Coverage(
        mode=mode, profile=profile.name, legs=legs, findings=tuple(findings), assurance_counts=counts
    )


def coverage_seen(
    whole: Reading,
    shown: Reading,
    profiles: Sequence[Profile],
    now: datetime,
    cities: Sequence[CityProfile] = (),
) -> Coverage:
    """The coverage of the whole trace as the viewer of ``shown`` gets it.

    A mask hides facts and never makes a leg missing, so the whole is judged; ``facts`` of a leg are positions in
    the viewer's trace, and those that it does not hold are left out. With ``cities`` the duty to code is told too.
    """
    coverage = coverage_of(whole.trace, profiles, now)
    places = {seen.event.row["event_key"]: position for position, seen in enumerate(shown.seen)}
    keys = [seen.event.row["event_key"] for seen in whole.seen]
    legs = tuple(
        msgspec.structs.replace(
            leg, facts=tuple(places[keys[fact]] for fact in leg.facts if keys[fact] in places)
        )
        for leg in coverage.legs
    )
    duty = city_duty(whole.trace, coverage.mode, cities)
    findings = (*coverage.findings, *city_findings(duty))
    return msgspec.structs.replace(coverage, legs=legs, findings=findings, city=duty)


def _unscored(mode: str) -> list[Finding]:
    if mode == "unknown":
        return [
            Finding(
                code="coverage.mode.unknown",
                reason_en="No paper states the trade mode; coverage is not scored.",
                reason_zh="没有单证载明监管方式，不评估完整度。",
            )
        ]
    return [
        Finding(
            code="coverage.mode.no_profile",
            reason_en=f"There are no legs on file for mode {mode}; coverage is not scored.",
            reason_zh=f"监管方式 {mode} 尚无环节定义，不评估完整度。",
        )
    ]


def _facts_of(rule: LegRule, facts: Sequence[Fact]) -> list[int]:
    return [
        position
        for position, fact in enumerate(facts)
        if not fact.withdrawn and any(condition.met_by(fact) for condition in rule.conditions)
    ]


def _due(rule: LegRule, found: dict[str, list[int]], facts: Sequence[Fact]) -> datetime | None:
    """When a leg is due: at the end of so many days after the first fact of the leg that it follows.

    Days are those of the Chinese calendar, in which statutory terms run.
    """
    if not rule.after or not found[rule.after]:
        return None
    start = facts[found[rule.after][0]].event_time.astimezone(_CHINA).date()
    return datetime.combine(start + timedelta(days=rule.days), _LAST_SECOND, _CHINA).astimezone(UTC)


def _day(due: datetime) -> str:
    return due.astimezone(_CHINA).date().isoformat()


def _leg(
    rule: LegRule, profile: Profile, found: dict[str, list[int]], facts: Sequence[Fact], now: datetime
) -> Leg:
    mine = found[rule.code]
    due = _due(rule, found, facts)
    state: LegState
    reason_en = reason_zh = ""
    if mine:
        state, reason_en, reason_zh = _present(rule, mine, found, facts, due)
    elif rule.conditional:
        state = "not required"
    else:
        later = [r for r in profile.legs[profile.legs.index(rule) + 1 :] if found[r.code]]
        if later:
            state = "missing"
            reason_en, reason_zh = (
                f"Later legs are there ({later[0].name_en}), this one is not.",
                f"后续环节已有记录（{later[0].name_zh}），本环节缺失。",
            )
        elif due is not None and due < now:
            state = "missing"
            reason_en, reason_zh = (
                f"It was due on {_day(due)}.",
                f"应于 {_day(due)} 前完成。",
            )
        else:
            state = "not yet due"
    best = max((facts[position].assurance for position in mine), key=lambda a: _RANK[a], default=None)
    return Leg(
        code=rule.code,
        name_en=rule.name_en,
        name_zh=rule.name_zh,
        owed_by=rule.owed_by,
        state=state,
        due=due,
        facts=tuple(mine),
        assurance=best or "",
        reason_en=reason_en,
        reason_zh=reason_zh,
    )


def _present(
    rule: LegRule,
    mine: list[int],
    found: dict[str, list[int]],
    facts: Sequence[Fact],
    due: datetime | None,
) -> tuple[LegState, str, str]:
    first, last = facts[mine[0]], facts[mine[-1]]
    if any(facts[position].conflicts for position in mine):
        return (
            "contradictory",
            "Different contents were delivered under one event ID.",
            "同一事件编号下有不同内容。",
        )
    papers = {
        d.uri
        for position in mine
        for d in facts[position].documents
        if d.kind in ("parcel-list", "declaration")
    }
    refused = [
        fact
        for fact in facts
        if short_name(fact.disposition) in _REFUSALS
        and short_name(fact.biz_step) in _RECEIPTS
        and fact.event_time > last.event_time
        and not fact.withdrawn
        and any(d.uri in papers for d in fact.documents)
        and any("released" in condition.dispositions for condition in rule.conditions)
    ]
    if refused:
        word = short_name(refused[-1].disposition)
        return "contradictory", f"A later receipt says: {word}.", f"后续回执状态为：{word}。"
    if rule.after and found[rule.after]:
        anchor = facts[found[rule.after][0]]
        if last.event_time < anchor.event_time and not last.day_precision:
            return (
                "contradictory",
                "It is said to have happened before the leg that it follows.",
                "记录时间早于其前置环节。",
            )
    if due is not None and first.event_time > due:
        return "late", f"It was due on {_day(due)}.", f"应于 {_day(due)} 前完成。"
    return "present", "", ""
