"""Short and surplus parcels: every correction counts, a stranger's word does not."""

from __future__ import annotations

from typing import Any

from deployment import Deployment, moved, observed, paper, raw, withdrawn

from suyuan.compliance.consignment import Consignment, consignment_of

AIR_WAYBILL = "urn:suyuan:awb:784-12345675"
ALIASING = "urn:suyuan:bizstep:aliasing"


def waybills(*numbers: int) -> list[str]:
    return [raw("waybill", f"YT{number:04d}") for number in numbers]


def consolidated(*numbers: int, when: str = "2025-08-03", **fields: Any) -> dict[str, Any]:
    return moved(when, AIR_WAYBILL, *waybills(*numbers), **fields)


def detail(*numbers: int, number: str = "D1", when: str = "2025-08-06", **fields: Any) -> dict[str, Any]:
    papers = [paper("inbound-detail", number), paper("awb", AIR_WAYBILL)]
    return observed(when, *waybills(*numbers), bizStep="receiving", bizTransactionList=papers, **fields)


async def counted(deployment: Deployment) -> Consignment:
    return await consignment_of(deployment.pool, AIR_WAYBILL)


def figures(found: Consignment) -> tuple[int, int, int, int]:
    return found.consolidated, found.received, found.missing, found.surplus


async def test_nothing_is_short_before_a_detail_has_come(deployment: Deployment) -> None:
    forwarder = await deployment.member("forwarder", "forwarder")
    await deployment.say(forwarder, consolidated(*range(1, 301)))
    found = await counted(deployment)
    assert (figures(found), found.finding) == ((300, 0, 0, 0), None)


async def test_lists_of_hundreds_are_counted_whole_and_details_add_up(deployment: Deployment) -> None:
    forwarder = await deployment.member("forwarder", "forwarder")
    site = await deployment.member("site", "bonded-warehouse")
    await deployment.say(forwarder, consolidated(*range(1, 301)))
    await deployment.say(site, detail(*range(1, 290)))
    found = await counted(deployment)
    assert figures(found) == (300, 289, 11, 0)
    assert found.finding is not None
    assert (found.finding.code, found.finding.quantity) == ("consignment.short", "11")
    await deployment.say(site, detail(*range(290, 301), number="D2", when="2025-08-07"))
    found = await counted(deployment)
    assert (figures(found), found.finding) == ((300, 300, 0, 0), None)


async def test_a_changed_a_deleted_and_a_withdrawn_report(deployment: Deployment) -> None:
    forwarder = await deployment.member("forwarder", "forwarder")
    site = await deployment.member("site", "bonded-warehouse")
    first = detail(1, 2)
    await deployment.say(forwarder, consolidated(1, 2, 3))
    await deployment.say(site, first)
    changed = {"suyuan:reportType": "2"}
    await deployment.say(site, detail(1, 3, when="2025-08-07", **changed))
    assert figures(await counted(deployment)) == (3, 2, 1, 0)
    deletion = observed(
        "2025-08-08",
        kind="TransactionEvent",
        action="DELETE",
        bizStep="urn:suyuan:bizstep:declaring",
        bizTransactionList=[paper("inbound-detail", "D1"), paper("awb", AIR_WAYBILL)],
    )
    deletion["epcList"] = []
    await deployment.say(site, deletion)
    assert figures(await counted(deployment)) == (3, 0, 0, 0)
    await deployment.say(site, withdrawn(deletion))
    assert figures(await counted(deployment)) == (3, 2, 1, 0)


async def test_a_parcel_taken_out_before_the_flight_is_not_short(deployment: Deployment) -> None:
    forwarder = await deployment.member("forwarder", "forwarder")
    site = await deployment.member("site", "bonded-warehouse")
    await deployment.say(
        forwarder,
        consolidated(1, 2, 3),
        consolidated(3, when="2025-08-04", action="DELETE"),
        # Unloading at the destination takes nothing out of the count.
        consolidated(1, 2, when="2025-08-09", action="DELETE", bizStep="unloading"),
    )
    await deployment.say(site, detail(1, 2))
    assert figures(await counted(deployment)) == (2, 2, 0, 0)


async def test_a_surplus_parcel(deployment: Deployment) -> None:
    forwarder = await deployment.member("forwarder", "forwarder")
    site = await deployment.member("site", "bonded-warehouse")
    await deployment.say(forwarder, consolidated(1, 2))
    await deployment.say(site, detail(1, 2, 3))
    found = await counted(deployment)
    assert figures(found) == (2, 3, 0, 1)
    assert found.finding is not None
    assert found.finding.code == "consignment.surplus"
    assert "YT" not in found.finding.reason_en + found.finding.reason_zh + "".join(found.finding.references)


async def test_a_parcel_that_is_received_under_its_second_number_is_received(deployment: Deployment) -> None:
    forwarder = await deployment.member("forwarder", "forwarder")
    site = await deployment.member("site", "bonded-warehouse")
    await deployment.say(forwarder, consolidated(1, 2))
    await deployment.say(site, detail(1, 9))
    assert figures(await counted(deployment)) == (2, 2, 1, 1)
    await deployment.say(forwarder, observed("2025-08-05", *waybills(2, 9), bizStep=ALIASING))
    found = await counted(deployment)
    assert (figures(found), found.finding) == ((2, 2, 0, 0), None)


async def test_a_stranger_makes_no_consignment_short(deployment: Deployment) -> None:
    forwarder = await deployment.member("forwarder", "forwarder")
    site = await deployment.member("site", "bonded-warehouse")
    stranger = await deployment.member("stranger", "platform")
    await deployment.say(forwarder, consolidated(1, 2))
    await deployment.say(site, detail(1, 2))
    await deployment.say(stranger, consolidated(3, 4), detail(5, number="D9"))
    assert figures(await counted(deployment)) == (2, 2, 0, 0)
