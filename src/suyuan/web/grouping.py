"""Which facts belong together for a reader: the steps of one customs paper, one stay in a warehouse, one way
with the courier.

Grouping only arranges: no fact is dropped, none is changed, and each keeps who said it and how sure it is.
Facts of one group stand in one block. Papers whose number is known are held together by it; where the number
is not for the public, nearness in time takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeAlias

from suyuan.trace.model import Fact
from suyuan.web.classify import (
    block_of,
    in_china,
    is_delivery,
    is_exit,
    paper_of,
    role_of,
    step_name,
)

Group: TypeAlias = tuple[int, ...]
_NEAR = timedelta(days=7)
_WAREHOUSES = frozenset({"bonded-warehouse", "warehouse"})
_INTAKE_STEPS = frozenset({"unloading", "unpacking", "receiving", "storing", "stocking"})
_COURIER_STEPS = frozenset(
    {"accepting", "collecting", "arriving", "departing", "transporting", "loading", "unloading", "shipping"}
)


def family_of(fact: Fact) -> str:
    """The kind of group that a fact can be part of; empty for a fact that always stands alone."""
    if paper := paper_of(fact):
        return paper
    step = step_name(fact)
    if role_of(fact) == "courier" and step in _COURIER_STEPS and not is_delivery(fact):
        return "courier"
    if in_china(fact) and role_of(fact) in _WAREHOUSES:
        if step in _INTAKE_STEPS:
            return "intake"
        if step in ("picking", "packing"):
            return "dispatch"
    return ""


def _key(fact: Fact, family: str) -> tuple[str, ...]:
    """What facts of one group have in common; the last part is a number, where there is one."""
    if family in ("courier", "intake", "dispatch"):
        place = fact.place.uri if fact.place is not None and family != "courier" else ""
        return block_of(fact), family, fact.party.party_id, place, ""
    number = next((d.number for d in fact.documents if d.kind == family), "")
    if family == "parcel-list":
        number = ""
    side = "" if family in ("declaration", "parcel-list") else "out" if is_exit(fact) else "in"
    return block_of(fact), family, side, fact.attributes.get("listLastFour", ""), number


def group_facts(facts: Sequence[Fact]) -> list[Group]:
    """Positions (from 0) of the facts of each group; groups stand in the order of their first fact."""
    groups: list[list[int]] = []
    latest: dict[tuple[str, ...], int] = {}
    for position, fact in enumerate(facts):
        family = family_of(fact)
        if family:
            key = _key(fact, family)
            known = latest.get(key)
            if known is not None:
                before = facts[groups[known][-1]]
                if key[-1] or fact.event_time - before.event_time <= _NEAR:
                    groups[known].append(position)
                    continue
            latest[key] = len(groups)
        groups.append([position])
    return [tuple(group) for group in groups]
