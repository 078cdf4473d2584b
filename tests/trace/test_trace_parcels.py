"""A parcel under two waybill numbers, and many parcels under one air waybill: joined where said, never mixed."""

from __future__ import annotations

from typing import Any

import pytest
from deployment import (
    Deployment,
    commissioned,
    item,
    moved,
    observed,
    paper,
    parcel_paper,
    raw,
    steps_of,
    withdrawn,
)

from suyuan.trace import OPERATOR, PUBLIC

ALIASING = "urn:suyuan:bizstep:aliasing"
ABROAD, HOME, OTHER = raw("waybill", "YT1"), raw("waybill", "SF1", "440196X009"), raw("waybill", "YT2")
AIR_WAYBILL = "urn:suyuan:awb:784-12345675"


def alias(*waybills: str, when: str = "2025-08-10") -> dict[str, Any]:
    return observed(when, *waybills, bizStep=ALIASING)


async def packed(deployment: Deployment, waybill: str = ABROAD, serial: str = "A1") -> str:
    """An item in a parcel, whose courier at home scans it under another number."""
    tin = item(serial)
    seller = await deployment.member("seller", "seller")
    await deployment.say(seller, commissioned("2025-08-01", tin), moved("2025-08-02", waybill, tin))
    return tin


async def test_scans_under_the_second_number_are_the_items(deployment: Deployment) -> None:
    tin = await packed(deployment)
    courier = await deployment.member("courier", "courier")
    scan = observed("2025-08-11", HOME, bizStep="departing")
    await deployment.say(courier, scan)
    assert "departing" not in steps_of((await deployment.trace(tin)).facts)
    said = alias(ABROAD, HOME)
    await deployment.say(courier, said)
    trace = await deployment.trace(tin)
    assert steps_of(trace.facts)[-2:] == ["aliasing", "departing"]
    assert [link.kind for link in trace.facts[-1].tie.links] == ["waybill", "waybill"]
    assert (trace.state, len(trace.parcels)) == ("dispatched", 2)
    assert (await deployment.trace(tin, PUBLIC)).parcels == ()
    # From the parcel itself, too, under either number.
    for number, other in (trace.parcels, trace.parcels[::-1]):
        assert (await deployment.trace(number)).aliases == (other,)
    await deployment.say(courier, withdrawn(said))
    assert len((await deployment.trace(tin)).parcels) == 1


@pytest.mark.parametrize(
    ("roles", "scan"),
    [
        # moved nothing
        (("courier",), None),
        # moved it, but moves no parcels by its role
        (("seller",), HOME),
        ((), HOME),
        # moved another parcel
        (("courier",), OTHER),
    ],
)
async def test_a_strangers_word_merges_no_parcels(
    deployment: Deployment, roles: tuple[str, ...], scan: str | None
) -> None:
    tin = await packed(deployment)
    courier = await deployment.member("courier", "courier")
    await deployment.say(courier, observed("2025-08-11", HOME, bizStep="departing"))
    stranger = await deployment.member("stranger", *roles)
    if scan is not None:
        await deployment.say(stranger, observed("2025-08-09", scan, bizStep="arriving"))
    await deployment.say(stranger, alias(ABROAD, HOME))
    trace = await deployment.trace(tin)
    assert len(trace.parcels) == 1
    assert "departing" not in steps_of(trace.facts)


async def test_a_relayed_scan_moves_nothing(deployment: Deployment) -> None:
    """A forwarder that hands on the courier's word has not moved the parcel itself."""
    tin = await packed(deployment)
    relay = await deployment.member("relay", "forwarder")
    said = {"suyuan:statedBy": "urn:suyuan:firm:440196X009"}
    await deployment.say(
        relay, observed("2025-08-11", HOME, bizStep="departing", **said), alias(ABROAD, HOME)
    )
    assert len((await deployment.trace(tin)).parcels) == 1


async def test_an_item_is_no_alias_of_a_parcel(deployment: Deployment) -> None:
    tin = await packed(deployment)
    courier = await deployment.member("courier", "courier")
    await deployment.say(courier, observed("2025-08-11", HOME, bizStep="departing"), alias(tin, HOME))
    trace = await deployment.trace(tin)
    assert (trace.aliases, len(trace.parcels)) == ((), 1)


async def test_a_number_that_is_used_again_is_another_parcel(deployment: Deployment) -> None:
    tin = await packed(deployment)
    courier = await deployment.member("courier", "courier")
    await deployment.say(
        courier,
        observed("2026-03-01", HOME, bizStep="departing"),
        alias(ABROAD, HOME, when="2026-03-02"),
    )
    assert len((await deployment.trace(tin)).parcels) == 1


async def test_three_numbers_and_a_circle_come_to_an_end(deployment: Deployment) -> None:
    tin = await packed(deployment)
    courier = await deployment.member("courier", "courier")
    third = raw("waybill", "ZT1", "440196X008")
    await deployment.say(
        courier,
        observed("2025-08-11", HOME, bizStep="departing"),
        observed("2025-08-12", third, bizStep="arriving"),
        alias(ABROAD, HOME),
        alias(HOME, third, when="2025-08-12"),
        alias(third, ABROAD, when="2025-08-13"),
    )
    trace = await deployment.trace(tin)
    assert len(trace.parcels) == 3
    assert {"departing", "arriving"} <= set(steps_of(trace.facts))


# -- many parcels under one air waybill -----------------------------------------------------------------------


async def two_parcels(deployment: Deployment) -> tuple[str, str]:
    mine = await packed(deployment)
    other = item("A2")
    await deployment.say(
        await deployment.deliverer("seller"),
        commissioned("2025-08-01", other),
        moved("2025-08-02", OTHER, other),
    )
    forwarder = await deployment.member("forwarder", "forwarder")
    await deployment.say(
        forwarder,
        moved("2025-08-03", AIR_WAYBILL, ABROAD, OTHER),
        observed(
            "2025-08-04",
            AIR_WAYBILL,
            bizStep="departing",
            bizTransactionList=[paper("flight", "XX302:2025-08-04")],
        ),
    )
    return mine, other


async def test_only_the_parcels_of_a_detail_were_received(deployment: Deployment) -> None:
    mine, other = await two_parcels(deployment)
    site = await deployment.member("site", "bonded-warehouse")
    await deployment.say(
        site,
        observed(
            "2025-08-05",
            ABROAD,
            bizStep="receiving",
            bizTransactionList=[paper("inbound-detail", "D1"), paper("awb", AIR_WAYBILL)],
        ),
        observed("2025-08-06", bizStep="inspecting", bizTransactionList=[paper("inbound-detail", "D1")]),
    )
    assert steps_of((await deployment.trace(mine)).facts)[-3:] == ["departing", "receiving", "inspecting"]
    assert steps_of((await deployment.trace(other)).facts) == [
        "commissioning",
        "packing",
        "packing",
        "departing",
    ]


async def test_a_paper_of_one_buyer_does_not_ride_on_the_air_waybill(deployment: Deployment) -> None:
    mine, other = await two_parcels(deployment)
    broker = await deployment.member("broker", "customs-broker")
    await deployment.say(
        broker,
        observed(
            "2025-08-05",
            AIR_WAYBILL,
            bizStep="inspecting",
            bizTransactionList=[parcel_paper("parcel-list", "L1")],
        ),
        observed("2025-08-06", bizStep="holding", bizTransactionList=[parcel_paper("parcel-list", "L1")]),
        observed(
            "2025-08-04",
            bizStep="urn:suyuan:bizstep:declaring",
            bizTransactionList=[parcel_paper("waybill", "YT2"), parcel_paper("parcel-list", "L1")],
        ),
    )
    assert "holding" in steps_of((await deployment.trace(other)).facts)
    trace = await deployment.trace(mine, OPERATOR)
    assert "holding" not in steps_of(trace.facts)
    assert not any(document.kind == "parcel-list" for fact in trace.facts for document in fact.documents)


async def test_another_consignment_on_the_same_flight_is_another(deployment: Deployment) -> None:
    mine, _ = await two_parcels(deployment)
    carrier = await deployment.member("carrier", "carrier")
    flight = [paper("flight", "XX302:2025-08-04")]
    await deployment.say(
        carrier,
        observed("2025-08-05", "urn:suyuan:awb:784-00000420", bizStep="arriving", bizTransactionList=flight),
        observed("2025-08-05T09:00:00+08:00", AIR_WAYBILL, bizStep="unloading", bizTransactionList=flight),
        observed("2025-08-04T07:00:00+08:00", bizStep="loading", bizTransactionList=flight),
    )
    steps = steps_of((await deployment.trace(mine)).facts)
    assert "arriving" not in steps
    assert {"loading", "unloading"} <= set(steps)
