"""Acts at a station: what is stored, what is refused, what undoing leaves."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from deployment import (
    GTIN,
    LOT,
    OTHER_GTIN,
    Deployment,
    commissioned,
    item,
    lot_class,
    moved,
    observed,
    of_lot,
    open_deployment,
    parcel_paper,
    raw,
    sscc,
)

from suyuan.compliance.stations import Act, ActResult, Part, Undo, draw_label, perform, withdraw
from suyuan.compliance.stations.acts import Station
from suyuan.errors import ConflictError, InputError, NotFoundError, RefusedError
from suyuan.issuing import void

COURIER = "440196X001"
DAY = "2026-05-04T10:00:00+08:00"


class House:
    """A deployment with a warehouse that has codes of a lot, and its station."""

    def __init__(self, deployment: Deployment, station: Station, serials: list[str]) -> None:
        self.deployment = deployment
        self.station = station
        self.serials = serials

    async def do(self, kind: str = "pack", *serials: str, **fields: Any) -> ActResult:
        act = act_of(kind, *serials, **fields)
        services = self.deployment.services
        return await perform(services.pool, services.capture, services.vault, act, self.station)

    async def undo(self, act_id: str, at: datetime | None = None) -> ActResult:
        undo = Undo(act_id=act_id, at=at or datetime.now(UTC))
        return await withdraw(self.deployment.pool, self.deployment.capture, undo, self.station)


def act_of(kind: str = "pack", *uris: str, **fields: Any) -> Act:
    if kind == "pack" and "waybill" not in fields:
        fields["waybill"] = "SF1399000000017"
    if fields.get("waybill"):
        fields.setdefault("courier", COURIER)
    given = {"act_id": str(uuid.uuid4()), "at": datetime.now(UTC), **fields}
    parts = tuple(Part(uri=uri) for uri in uris)
    return Act(kind=kind, **{"parts": parts, **given})  # type: ignore[arg-type]


def codes(result: ActResult) -> list[str]:
    return [finding.code for finding in result.findings]


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_deployment(database_url, tmp_path) as deployment:
        maker = await deployment.member("maker", f"brand-owner/{GTIN}", f"brand-owner/{OTHER_GTIN}")
        warehouse = await deployment.member("haimen", "bonded-warehouse")
        serials = await deployment.issued(12, maker)
        await deployment.say(maker, commissioned("2026-01-01", *(item(one) for one in serials)))
        station = Station(
            deliverer=warehouse, place="https://id.gs1.org/414/9520000000035", couriers=[COURIER]
        )
        yield House(deployment, station, [item(one) for one in serials])


async def test_a_parcel_is_one_event_and_its_number_is_nowhere_in_plain(house: House) -> None:
    first, second, *_ = house.serials
    done = await house.do("pack", first, second, gtin=GTIN)
    assert done.state == "stored"
    trace = await house.deployment.trace(first)
    [fact] = [fact for fact in trace.facts if fact.biz_step.endswith("packing")]
    assert fact.event_type == "AggregationEvent"
    assert trace.state == "packed for the buyer"
    assert await house.deployment.search("SF1399000000017") == []
    assert (await house.deployment.counts())["evidence_part"] == 1, "the number is sealed, not lost"


async def test_an_act_that_is_sent_again_is_answered_and_changes_nothing(house: House) -> None:
    act_id, at = str(uuid.uuid4()), datetime.now(UTC)
    again = [await house.do("pack", house.serials[0], act_id=act_id, at=at) for _ in range(3)]
    assert [one.state for one in again] == ["stored", "repeat", "repeat"]
    assert await house.deployment.pool.fetchval("SELECT count(*) FROM event WHERE rule = 'station/1'") == 1


async def test_of_two_stations_that_pack_one_serial_at_once_one_is_refused(house: House) -> None:
    results = await asyncio.gather(
        *(house.do("pack", house.serials[0], waybill=f"SF10000000{n}") for n in range(6))
    )
    assert sorted(one.state for one in results) == ["refused"] * 5 + ["stored"]
    assert {code for one in results for code in codes(one)} == {"station.code.packed"}


async def test_what_a_parcel_must_not_hold_is_refused_and_nothing_is_stored(house: House) -> None:
    deployment, maker = house.deployment, await house.deployment.deliverer("maker")
    voided, damaged, other = house.serials[0], house.serials[1], item("ZZZ999")
    [stray] = await deployment.issued(1, maker, lot="L2")
    bare = voided.rpartition("/")[2]
    await void(deployment.pool, gtin=GTIN, lot=LOT, serials=[bare], party_id="maker", reason="misprint")
    await deployment.say(maker, observed("2026-02-01", damaged, disposition="damaged"))
    refused = await house.do("pack", voided, damaged, other, item(stray), house.serials[2], lot=LOT)
    assert refused.state == "refused"
    assert {finding.uri: finding.code for finding in refused.findings} == {
        voided: "station.code.voided",
        damaged: "station.code.damaged",
        other: "station.code.unknown",
        item(stray): "station.code.other_lot",
    }
    assert codes(await house.do("pack", house.serials[2], gtin=OTHER_GTIN)) == ["station.sku.wrong"]
    assert await deployment.pool.fetchval("SELECT count(*) FROM event WHERE rule = 'station/1'") == 0


async def test_a_recalled_lot_is_refused_until_the_recall_is_lifted(house: House) -> None:
    deployment = house.deployment
    maker, stranger = await deployment.deliverer("maker"), await deployment.member("stranger", "seller")
    await deployment.say(stranger, of_lot("2026-02-01", 12, bizStep="urn:suyuan:bizstep:recalling"))
    assert (await house.do("pack", house.serials[0])).state == "stored", "not everybody may recall"
    await deployment.say(
        maker, of_lot("2026-02-02", 12, bizStep="urn:suyuan:bizstep:recalling", disposition="recalled")
    )
    assert codes(await house.do("pack", house.serials[1])) == ["station.code.recalled"]
    assert (await house.do("store", house.serials[1], shelf="Q-01")).state == "stored", "it may be put apart"
    await deployment.say(maker, of_lot("2026-02-03", 12, disposition="urn:suyuan:disp:recall_lifted"))
    assert (await house.do("pack", house.serials[1])).state == "stored"


async def test_goods_that_the_order_does_not_have_are_refused(house: House) -> None:
    deployment = house.deployment
    broker = await deployment.member("nanyue", "customs-broker")
    paper = observed(
        datetime.now(UTC).isoformat(), bizStep="urn:suyuan:bizstep:declaring",
        bizTransactionList=[parcel_paper("waybill", "SF77"), parcel_paper("parcel-list", "51652026I000000007")],
        quantityList=[{"epcClass": f"https://id.gs1.org/01/{GTIN}", "quantity": 2}],
    )  # fmt: skip
    paper["bizTransactionList"][0]["bizTransaction"] = raw("waybill", "SF7700000")
    await deployment.say(broker, paper)
    maker = await deployment.deliverer("maker")
    [wrong] = await deployment.issued(1, maker, gtin=OTHER_GTIN)
    serials = house.serials
    given = {"waybill": "SF7700000", "courier": ""}
    assert codes(await house.do("pack", serials[0], item(wrong, OTHER_GTIN), **given)) == [
        "station.sku.wrong"
    ]
    assert codes(await house.do("pack", *serials[:3], **given)) == ["station.sku.enough"]
    assert (await house.do("pack", serials[0], **given)).state == "stored"
    body = json.loads(
        await deployment.pool.fetchval(
            "SELECT convert_from(p.body, 'UTF8') FROM event JOIN event_payload AS p USING (event_key)"
            " WHERE rule = 'station/1'"
        )
    )
    kinds = [one["type"].rpartition(":")[2] for one in body["bizTransactionList"]]
    assert kinds == ["parcel-list"], "what was packed can be set beside what was declared"
    assert codes(await house.do("pack", serials[0], **given)) == ["station.code.here"]
    assert codes(await house.do("pack", *serials[1:3], **given)) == ["station.sku.enough"], (
        "one is in it already"
    )


async def test_the_courier_must_be_known_or_chosen(house: House) -> None:
    with pytest.raises(InputError, match="no courier is chosen") as refused:
        await house.do("pack", house.serials[0], waybill="SF8800000", courier="")
    assert "SF8800000" not in str(refused.value)


async def test_undoing_is_a_declaration_and_frees_the_goods(house: House) -> None:
    act_id = str(uuid.uuid4())
    await house.do("pack", house.serials[0], act_id=act_id)
    at = datetime.now(UTC)
    assert [(await house.undo(act_id, at)).state for _ in range(2)] == ["stored", "repeat"]
    trace = await house.deployment.trace(house.serials[0])
    [fact] = [fact for fact in trace.facts if fact.biz_step.endswith("packing")]
    assert fact.withdrawn
    assert (await house.do("pack", house.serials[0], waybill="SF990000")).state == "stored"
    with pytest.raises(NotFoundError):
        await house.undo(str(uuid.uuid4()))


async def test_nobody_undoes_another_partys_act(house: House) -> None:
    act_id = str(uuid.uuid4())
    await house.do("pack", house.serials[0], act_id=act_id)
    other = await house.deployment.member("other", "bonded-warehouse")
    with pytest.raises(NotFoundError):
        await withdraw(
            house.deployment.pool, house.deployment.capture, Undo(act_id=act_id, at=datetime.now(UTC)),
            Station(deliverer=other),
        )  # fmt: skip


async def test_what_came_through_another_door_is_no_act(house: House) -> None:
    act_id, warehouse = str(uuid.uuid4()), house.station.deliverer
    said = observed("2026-02-01", house.serials[0], eventID=f"urn:uuid:{act_id}")
    await house.deployment.say(warehouse, said)
    with pytest.raises(NotFoundError):
        await house.undo(act_id)
    with pytest.raises(ConflictError):
        await house.do("pack", house.serials[0], act_id=act_id)
    assert await house.deployment.pool.fetchval("SELECT count(*) FROM event WHERE declaration <> ''") == 0


async def test_goods_that_are_taken_out_may_go_into_another_parcel(house: House) -> None:
    one, two, *_ = house.serials
    await house.do("pack", one, two)
    out = await house.do("unpack", one, waybill="SF1399000000017")
    assert out.state == "stored"
    assert codes(await house.do("pack", two, waybill="SF990000")) == ["station.code.packed"]
    assert (await house.do("pack", one, waybill="SF990000")).state == "stored"
    await house.do("unpack", waybill="SF1399000000017")
    assert (await house.do("pack", two, waybill="SF990001")).state == "stored", "all came out"


async def test_cases_and_pallets_hold_and_are_broken_down(house: House) -> None:
    case, pallet = sscc(1), sscc(2)
    assert (await house.do("nest", *house.serials[:6], parent=case)).state == "stored"
    assert (await house.do("nest", case, parent=pallet)).state == "stored"
    assert (await house.do("unpack", parent=pallet)).state == "stored"
    assert (await house.do("pack", house.serials[0])).state == "stored", "a case is no obstacle to packing"


async def test_goods_of_a_maker_that_reports_nothing_here_are_received_and_not_sold(house: House) -> None:
    strange = item("S1", "04006381333931")
    assert codes(await house.do("pack", strange)) == ["station.code.unknown"]
    assert codes(await house.do("receive", item("NEVERISSUED"))) == ["station.code.unknown"]
    assert (await house.do("receive", strange)).state == "stored"


async def test_only_what_is_inside_comes_out(house: House) -> None:
    await house.do("nest", *house.serials[:2], parent=sscc(1))
    await house.do("nest", house.serials[2], parent=sscc(2))
    out = await house.do("unpack", *house.serials[1:3], parent=sscc(1))
    assert {finding.uri: finding.code for finding in out.findings} == {
        house.serials[2]: "station.code.elsewhere"
    }
    assert (await house.do("unpack", house.serials[1], parent=sscc(1))).state == "stored"


async def test_receiving_and_damage_count_in_the_balance(house: House) -> None:
    from suyuan.compliance.balance import Subject, balance_of

    lot = Part(uri=lot_class(), quantity=12)
    assert (await house.do("receive", parts=(lot,))).state == "stored"
    spoilt = Part(uri=lot_class(), quantity=2)
    assert (await house.do("damage", parts=(spoilt,), reason="leaking")).state == "stored"
    assert (await house.do("count", parts=(lot,), shelf="A-07-03")).state == "stored"
    balance = await balance_of(house.deployment.pool, Subject(gtin=GTIN, lot=LOT))
    assert (balance.received, balance.damaged) == ("12", "2")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"act_id": "1"}, "station.act.id"),
        ({"at": datetime.now(UTC) + timedelta(hours=1)}, "station.act.time"),
        ({"at": datetime.now(UTC) - timedelta(days=40)}, "station.act.time"),
        ({"zone": "+25:00"}, "station.act.field"),
        ({"waybill": "有害"}, "station.waybill.form"),
        ({"waybill": ""}, "station.act.parent"),
        ({"parent": sscc(1)}, "station.act.parent"),
        ({"parts": ()}, "station.act.parts"),
        ({"parts": (Part(uri=item("A")), Part(uri=item("A")))}, "station.act.parts"),
        ({"parts": (Part(uri="javascript:alert(1)"),)}, "station.act.part"),
        ({"parts": (Part(uri=lot_class(), quantity=3),)}, "station.act.part"),
        ({"parts": (Part(uri=item("A"), quantity=3),)}, "station.act.part"),
    ],
)
async def test_acts_without_a_proper_form_are_refused(house: House, fields: Any, code: str) -> None:
    given = {"waybill": "SF1399000000017", "courier": COURIER, **fields}
    with pytest.raises(InputError) as refused:
        await house.do("pack", house.serials[0], **given)
    assert refused.value.code == code


async def test_a_label_takes_the_next_unused_code_once(house: House) -> None:
    pool = house.deployment.pool
    draw = {"gtin": GTIN, "lot": LOT, "party_id": "haimen"}
    with pytest.raises(RefusedError) as refused:
        await draw_label(pool, draw_id=str(uuid.uuid4()), **draw)
    assert refused.value.code == "station.lot.not_here"
    await house.do("receive", parts=(Part(uri=lot_class(), quantity=12),))
    same = str(uuid.uuid4())
    first, again = [(await draw_label(pool, draw_id=same, **draw))[1] for _ in range(2)]
    others = await asyncio.gather(*(draw_label(pool, draw_id=str(uuid.uuid4()), **draw) for _ in range(11)))
    assert first == again
    assert len({first, *(serial for _, serial in others)}) == 12
    with pytest.raises(RefusedError) as none:
        await draw_label(pool, draw_id=str(uuid.uuid4()), **draw)
    assert none.value.code == "issuing.code.none_left"


async def test_an_item_of_another_system_says_its_lot_by_its_commissioning(house: House) -> None:
    maker = await house.deployment.deliverer("maker")
    foreign = item("FOREIGN1")
    await house.deployment.say(
        maker,
        commissioned("2026-01-01", foreign, lot="L9"),
        moved("2026-01-02", sscc(5), foreign),
        of_lot("2026-01-03", lot="L9", quantity=1, disposition="recalled"),
    )
    assert codes(await house.do("pack", foreign)) == ["station.code.recalled"]
