"""What counts after the end of a code's life, and what a return does not take back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from facts import MOMENT, fact, place, trace_of

from suyuan.compliance.afterlife import reuse_of
from suyuan.compliance.coverage import coverage_of
from suyuan.compliance.legs import load_profiles
from suyuan.trace.model import Correction, Document, Fact, Party, Tie, TieLink
from suyuan.trace.state import state_of

CBV = "https://ref.gs1.org/cbv/"
PARCEL = Tie(kind="containment", links=(TieLink(kind="waybill", uri="urn:suyuan:waybill:x", label="x"),))
WITHDRAWN = (
    Correction(party=Party(party_id="p", name_en="P", name_zh="甲", role=""), declared_at=MOMENT, reason=""),
)


def said(day: int, step: str, disposition: str = "", **fields: object) -> Fact:
    return fact(
        step if step in ("activating", "clearing", "declaring") else f"{CBV}BizStep-{step}",
        f"{CBV}Disp-{disposition}" if disposition in ("returned", "destroyed", "active") else disposition,
        at=MOMENT + timedelta(days=day),
        **fields,
    )


RETURNED = said(10, "receiving", "returned")


@pytest.mark.parametrize(
    ("later", "reused"),
    [
        (said(12, "packing"), True),
        (said(12, "activating", "active"), True),
        (said(12, "departing"), False),
        (said(12, "destroying", "destroyed"), False),
        (said(12, "packing", corrections=WITHDRAWN), False),
        (said(12, "packing", tie=PARCEL), False),
        (said(2, "packing"), False),
    ],
)
def test_only_a_sale_after_the_end_is_reuse(later: Fact, reused: bool) -> None:
    facts = sorted([said(1, "commissioning", "active"), RETURNED, later], key=lambda one: one.event_time)
    assert [finding.code for finding in reuse_of(trace_of(*facts))] == ["code.reused"] * reused


def test_a_living_code_and_a_withdrawn_return_are_no_end() -> None:
    assert reuse_of(trace_of(said(1, "packing"), said(2, "packing"))) == ()
    taken_back = said(10, "receiving", "returned", corrections=WITHDRAWN)
    assert reuse_of(trace_of(taken_back, said(12, "packing"))) == ()
    # The return of the parcel's list at customs is no return of this item.
    at_customs = said(10, "clearing", "returned", tie=Tie(kind="document"))
    assert reuse_of(trace_of(at_customs, said(12, "packing"))) == ()


def test_states_before_and_after_the_signature() -> None:
    way = [
        said(1, "packing", things=("urn:suyuan:waybill:x",)),
        said(2, "receiving", tie=PARCEL),
        said(3, "arriving", "signed", tie=PARCEL),
        said(9, "unpacking", things=("urn:suyuan:waybill:x",)),
        RETURNED,
        said(11, "departing"),
    ]
    states = [state_of(way[:count]) for count in range(1, len(way) + 1)]
    assert states == ["packed for the buyer", "dispatched", "delivered", "received", "returned", "returned"]


@pytest.mark.parametrize(
    ("later", "state"),
    [
        (said(9, "receiving", "returned"), "present"),
        (said(9, "clearing", "returned"), "contradictory"),
        (said(9, "clearing", "cancellation_concluded"), "contradictory"),
        (said(9, "clearing", "return_rejected"), "present"),
    ],
)
def test_goods_that_come_back_do_not_take_the_release_back(later: Fact, state: str) -> None:
    papers = (Document(kind="parcel-list", uri="urn:suyuan:parcel-list:l", number="l"),)
    listed = {"documents": papers, "place": place("CN")}
    facts = (
        said(1, "declaring", "declared", attributes={"tradeMode": "9610"}, **listed),
        said(2, "clearing", "released", **listed),
        fact(later.biz_step, later.disposition, at=later.event_time, **listed),
    )
    coverage = coverage_of(trace_of(*facts), load_profiles(), datetime(2025, 12, 1, tzinfo=UTC))
    assert {leg.code: leg.state for leg in coverage.legs}["list-release"] == state
