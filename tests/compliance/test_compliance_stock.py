"""The balance at work: what should be there, what is there, and the step where the two went apart."""

from __future__ import annotations

import json
import random
from datetime import datetime
from typing import Any

import pytest
from deployment import (
    GTIN,
    LOT,
    WAREHOUSE,
    Deployment,
    commissioned,
    item,
    moved,
    observed,
    of_lot,
    paper,
    parcel_paper,
    raw,
    withdrawn,
)

from suyuan.compliance.activation import ActivationCommand, activate_codes
from suyuan.compliance.balance import Subject, balance_of
from suyuan.compliance.stock import StockQuery, stock_of
from suyuan.compliance.stock_model import LedgerStock, LotStock, Stock

LEDGER = "T5165W000123:17"
ENTRY, EXIT = "QD516525I000000001", "QD516525E000000009"
LEDGER_PAPER = paper("ledger-item", LEDGER)
HERE = {"bizLocation": {"id": WAREHOUSE}}


def listed(
    number: str, quantity: int, when: str = "2025-09-25", *parcels: str, **more: Any
) -> dict[str, Any]:
    line = {
        "suyuan:ledgerItem": f"urn:suyuan:ledger-item:{LEDGER}",
        "suyuan:itemNo": "GT-17",
        "suyuan:quantity": str(quantity),
    }
    papers = [paper("bonded-list", number), LEDGER_PAPER]
    papers += [parcel_paper("parcel-list", parcel) for parcel in parcels]
    fields = {"bizStep": "urn:suyuan:bizstep:clearing", "suyuan:line": line, **more}
    return observed(when, kind="TransactionEvent", bizTransactionList=papers, **fields)


def tallied(quantity: int, when: str = "2025-09-26") -> dict[str, Any]:
    papers = [paper("tally", "WMS-1"), LEDGER_PAPER]
    return of_lot(when, quantity, bizStep="receiving", bizTransactionList=papers, **HERE)


def damaged(quantity: int, when: str = "2025-09-26", **fields: Any) -> dict[str, Any]:
    more = {"bizTransactionList": [LEDGER_PAPER], **HERE, **fields}
    return of_lot(when, quantity, bizStep="holding", disposition="damaged", **more)


def declared(number: str, quantity: int, when: str = "2025-10-01", **fields: Any) -> dict[str, Any]:
    """The list of one parcel: its waybill, what it takes from the ledger."""
    line = {"suyuan:ledgerItem": f"urn:suyuan:ledger-item:{LEDGER}", "suyuan:quantity": str(quantity)}
    papers = [parcel_paper("parcel-list", number), parcel_paper("waybill", number), LEDGER_PAPER]
    more = {"bizStep": "urn:suyuan:bizstep:declaring", "suyuan:line": line, **fields}
    return observed(when, kind="TransactionEvent", bizTransactionList=papers, **more)


def packed(number: str, *serials: str, when: str = "2025-10-02", **fields: Any) -> dict[str, Any]:
    return moved(when, raw("waybill", number), *(item(one) for one in serials), **HERE, **fields)


def counted(quantity: int, when: str, shelf: str = "", **fields: Any) -> dict[str, Any]:
    shelves = {"suyuan:shelf": shelf} if shelf else {}
    return of_lot(when, quantity, bizStep="cycle_counting", **HERE, **shelves, **fields)


def passed(*lists: str, when: str = "2025-10-05", quantity: int | None = None) -> dict[str, Any]:
    papers = [paper("gate-pass", "Z5165E000000001"), *(paper("bonded-list", one) for one in lists)]
    line = {} if quantity is None else {
        "suyuan:line": {"suyuan:itemNo": "GT-17", "suyuan:quantity": str(quantity)}
    }  # fmt: skip
    return observed(when, kind="TransactionEvent", bizStep="departing", bizTransactionList=papers, **line)


async def stock(deployment: Deployment, **query: str) -> Stock:
    return await stock_of(deployment.pool, StockQuery(**({"gtin": GTIN, "lot": LOT} | query)))


async def rows(deployment: Deployment, **query: str) -> tuple[LotStock, LedgerStock]:
    found = await stock(deployment, **query)
    [lot], [ledger] = found.lots, found.ledgers
    return lot, ledger


def codes(row: LotStock | LedgerStock) -> dict[str, str]:
    return {one.code: one.quantity for one in row.differences}


class House:
    """40 entered, 38 taken in and 2 damaged; 38 codes active; a parcel of two packed, listed and gone."""

    def __init__(self, deployment: Deployment, party: Any, serials: list[str]) -> None:
        self.deployment, self.party, self.serials = deployment, party, serials

    async def say(self, *events: dict[str, Any]) -> None:
        await self.deployment.say(self.party, *events)

    async def activate(self, count: int) -> None:
        command = ActivationCommand(
            gtin=GTIN, lot=LOT, serials=tuple(self.serials[:count]), ledger_item=LEDGER, facility=WAREHOUSE,
            event_time=datetime.fromisoformat("2025-09-28T10:30:00+08:00"),
        )  # fmt: skip
        await activate_codes(self.deployment.pool, self.deployment.capture, command, self.party)

    def day(self) -> list[dict[str, Any]]:
        first, second = self.serials[0], self.serials[1]
        return [
            listed(ENTRY, 40),
            tallied(38),
            damaged(2),
            declared("P1", 2),
            packed("P1", first, second),
            listed(EXIT, 2, "2025-10-03", "P1"),
            passed(EXIT, quantity=2),
        ]


@pytest.fixture
async def house(deployment: Deployment) -> House:
    party = await deployment.member("warehouse", "bonded-warehouse")
    serials = await deployment.issued(44, party)
    await deployment.say(party, commissioned("2025-08-01", *(item(one) for one in serials)))
    return House(deployment, party, serials)


async def test_a_day_that_adds_up(house: House) -> None:
    await house.say(*house.day())
    await house.activate(38)
    await house.say(counted(36, "2025-10-04"))
    lot, ledger = await rows(house.deployment)
    assert (lot.ledger_item, lot.facility) == (LEDGER, WAREHOUSE)
    assert (lot.received, lot.damaged, lot.active, lot.packed) == ("38", "2", "38", "2")
    assert (lot.expected, lot.counted, lot.present, lot.differences) == ("36", "36", "36", ())
    assert (ledger.entered, ledger.declared, ledger.exited, ledger.passed) == ("40", "2", "2", "2")
    assert ledger.expected == "36"
    [explained] = ledger.differences
    assert (explained.step, explained.code, explained.quantity) == ("tally", "stock.tally.damaged", "2")
    assert explained.explained and not explained.alarm


def elsewhere(event: dict[str, Any], number: int, serials: dict[str, str]) -> dict[str, Any]:
    """The same event in another lot, under another ledger item, with papers and codes of its own."""
    text = json.dumps(event)
    words = {
        "/10/L1": f"/10/M{number}",
        LEDGER: f"T5165W000123:{100 + number}",
        "000000001": f"0000001{number:02d}",
    }
    words |= {
        EXIT: f"QD516525E0000009{number:02d}",
        ":P1": f":P1N{number}",
        ":P2": f":P2N{number}",
        **serials,
    }
    for old, new in words.items():
        text = text.replace(old, new)
    found: dict[str, Any] = json.loads(text)
    return found


async def test_late_papers_and_any_order_give_the_same(house: House) -> None:
    """However the papers come, and with one that was wrong and was taken back, the stock is what it is."""
    wrong = tallied(99, "2025-09-27")
    corrected = damaged(5, "2025-09-25")
    events = [
        *house.day(),
        counted(35, "2025-10-04"),
        declared("P2", 1),
        packed("P2", house.serials[2], when="2025-10-05"),
        packed("P2", house.serials[2], when="2025-10-06", action="DELETE"),
        wrong,
        corrected,
        withdrawn(wrong),
        withdrawn(corrected),
    ]
    seen: set[tuple[Any, ...]] = set()
    order = random.Random(7)
    for number in range(8):
        fresh = await house.deployment.issued(3, house.party, f"M{number}")
        serials = dict(zip(house.serials[:3], fresh, strict=True))
        mixed = list(events)
        if number:
            order.shuffle(mixed)
        for event in mixed:
            await house.say(elsewhere(event, number, serials))
        lot, ledger = await rows(house.deployment, lot=f"M{number}")
        assert (lot.expected, lot.counted, lot.packed) == ("36", "35", "2"), number
        figures = (
            ledger.entered,
            ledger.received,
            ledger.declared,
            ledger.exited,
            ledger.passed,
            ledger.expected,
        )
        seen.add((figures, tuple(codes(lot).items()), tuple(codes(ledger).items()), lot.present))
    assert len(seen) == 1, seen
    [(figures, of_the_lot, of_the_ledger, present)] = seen
    assert figures == ("40", "38", "3", "2", "2", "36")
    assert dict(of_the_lot) == {"stock.activation.waiting": "38", "stock.count.difference": "1"}
    assert (dict(of_the_ledger), present) == ({"stock.tally.damaged": "2"}, "35")


async def test_codes_beyond_the_goods_and_goods_without_codes_are_alarms(house: House) -> None:
    await house.say(tallied(38))
    await house.activate(38)
    report = {"bizStep": "urn:suyuan:bizstep:activating", "disposition": "active", **HERE}
    await house.say(observed("2025-09-29", *(item(one) for one in house.serials[:41]), **report))
    await house.say(declared("P1", 3), packed("P1", house.serials[0]), listed(EXIT, 3, "2025-10-03", "P1"))
    found = await stock(house.deployment)
    assert {one.code: (one.step, one.quantity) for one in found.alarms} == {
        "stock.codes.surplus": ("activation", "3"),
        "stock.outflow.uncoded": ("packing", "2"),
    }
    assert all(one.reason_en and one.reason_zh and not one.explained for one in found.alarms)


async def test_each_step_names_its_own_difference(house: House) -> None:
    serials = house.serials
    await house.say(
        listed(ENTRY, 40),
        tallied(37),
        damaged(1),
        declared("P1", 2),
        declared("P2", 1),
        packed("P1", *serials[:2]),
        packed("P2", serials[2]),
        packed("P3", serials[3]),
        listed(EXIT, 4, "2025-10-03", "P1", "P2"),
        passed(EXIT, quantity=5),
        counted(30, "2025-10-04"),
    )
    await house.activate(30)
    lot, ledger = await rows(house.deployment)
    assert codes(lot) == {"stock.activation.waiting": "7", "stock.count.difference": "3"}
    assert codes(ledger) == {
        "stock.tally.damaged": "1",
        "stock.tally.difference": "2",
        "stock.outflow.uncoded": "1",
        "stock.list.waiting": "1",
        "stock.list.difference": "1",
        "stock.gate.difference": "-1",
    }
    steps = [one.step for one in ledger.differences]
    assert steps == ["tally", "tally", "packing", "exit-list", "exit-list", "gate"]
    assert (lot.expected, lot.present) == ("33", "30")


async def test_a_list_waits_for_its_gate_pass_and_more_left_than_came(house: House) -> None:
    await house.say(listed(ENTRY, 2), tallied(2), listed(EXIT, 3, "2025-10-03"))
    _, ledger = await rows(house.deployment)
    assert codes(ledger) == {
        "stock.outflow.uncoded": "3", "stock.exit.excess": "1", "stock.gate.waiting": "3",
    }  # fmt: skip
    await house.say(
        of_lot("2025-10-09", 1, disposition="returned", bizTransactionList=[LEDGER_PAPER], **HERE)
    )
    await house.say(passed(EXIT))
    _, ledger = await rows(house.deployment)
    assert (ledger.expected, codes(ledger)) == ("0", {"stock.outflow.uncoded": "3"})


def left(number: str, gate: str, when: str = "2025-10-03", **fields: Any) -> dict[str, Any]:
    """A parcel goes out under a gate pass, before there is an exit list."""
    papers = [paper("gate-pass", gate), parcel_paper("parcel-list", number)]
    more = {"bizStep": "departing", "disposition": "in_transit", "bizTransactionList": papers, **fields}
    return observed(when, raw("waybill", number), **more)


async def test_a_list_went_through_the_gate_when_all_of_its_parcels_did(house: House) -> None:
    first, second, third, *_ = house.serials
    await house.say(
        listed(ENTRY, 40), tallied(40), declared("P1", 2), declared("P2", 1), packed("P1", first, second),
        packed("P2", third), left("P1", "Z5165E000000001"), listed(EXIT, 3, "2025-10-04", "P1", "P2", "OTHER-GOODS"),
    )  # fmt: skip
    _, ledger = await rows(house.deployment)
    assert (ledger.passed, codes(ledger)["stock.gate.waiting"]) == ("0", "3")
    # The second pass is only named at first, then it goes through, then it turns out to be void.
    second_pass = "Z5165E000000002"
    await house.say(left("P2", second_pass, bizStep="staging_outbound", disposition="in_progress"))
    _, ledger = await rows(house.deployment)
    assert "stock.gate.waiting" in codes(ledger)
    state = {"kind": "TransactionEvent", "bizTransactionList": [paper("gate-pass", second_pass)]}
    clearing = "urn:suyuan:bizstep:clearing"
    await house.say(
        observed("2025-10-05", bizStep=clearing, disposition="urn:suyuan:disp:passed_gate", **state)
    )
    _, ledger = await rows(house.deployment)
    assert (ledger.passed, "stock.gate.waiting" in codes(ledger)) == ("3", False)
    await house.say(observed("2025-10-06", bizStep=clearing, disposition="urn:suyuan:disp:void", **state))
    _, ledger = await rows(house.deployment)
    assert codes(ledger)["stock.gate.waiting"] == "3"


async def test_what_moved_after_a_count_is_no_difference(house: House) -> None:
    await house.say(tallied(38), counted(20, "2025-10-01", "A-1"), counted(18, "2025-10-01", "A-2"))
    await house.say(packed("P1", *house.serials[:3]), damaged(1, "2025-10-03"))
    found = await stock(house.deployment)
    [lot] = found.lots
    assert (lot.counted, lot.expected, lot.present) == ("38", "34", "34")
    assert "stock.count.difference" not in codes(lot)
    # One shelf counted again: its last number stands, the other shelf's too.
    await house.say(counted(15, "2025-10-04", "A-1"))
    [lot] = (await stock(house.deployment)).lots
    assert (lot.counted, lot.present, codes(lot)["stock.count.difference"]) == ("33", "33", "1")


async def test_a_count_that_reads_each_code(house: House) -> None:
    uris = [item(one) for one in house.serials[:30]]
    act = {"bizStep": "cycle_counting", **HERE}
    await house.say(
        tallied(31),
        observed("2025-10-04T09:00:00+08:00", *uris[:20], **act),
        observed("2025-10-04T10:00:00+08:00", *uris[15:], **act),
        observed("2025-10-01T10:00:00+08:00", *uris[:3], **act),
    )
    [lot] = (await stock(house.deployment)).lots
    assert (lot.counted, codes(lot)["stock.count.difference"]) == ("30", "1")


async def test_what_was_taken_out_of_a_parcel_is_there_again(house: House) -> None:
    await house.say(tallied(10), packed("P1", *house.serials[:4]))
    await house.say(packed("P1", house.serials[0], when="2025-10-03", action="DELETE"))
    [lot] = (await stock(house.deployment)).lots
    assert (lot.packed, lot.expected) == ("3", "7")
    await house.say(packed("P1", when="2025-10-04", action="DELETE"))
    [lot] = (await stock(house.deployment)).lots
    assert (lot.packed, lot.expected) == ("0", "10")


async def test_a_parcel_whose_list_was_deleted_is_not_declared(house: House) -> None:
    await house.say(*house.day(), declared("P1", 2, "2025-10-06", action="DELETE"))
    _, ledger = await rows(house.deployment)
    assert ledger.declared == "0"


async def test_two_lots_of_one_item_and_what_is_asked_for(house: House) -> None:
    await house.say(listed(ENTRY, 50), tallied(38), damaged(2))
    other = of_lot(
        "2025-09-26", 10, "L2", bizStep="receiving", bizTransactionList=[LEDGER_PAPER], **HERE
    )  # fmt: skip
    await house.say(other)
    found = await stock(house.deployment)
    assert [row.lot for row in found.lots] == [LOT]
    assert (found.ledgers[0].received, codes(found.ledgers[0])) == ("48", {"stock.tally.damaged": "2"})
    for query in (
        {"lot": "", "ledger_item": LEDGER},
        {"gtin": "", "lot": "", "ledger_item": LEDGER},
        {"lot": ""},
    ):
        found = await stock(house.deployment, **query)
        assert [row.lot for row in found.lots] == [LOT, "L2"], query
    assert (await stock(house.deployment, facility="urn:suyuan:place:NLZWO")).lots == ()
    newest = await stock_of(house.deployment.pool, StockQuery())
    assert [row.lot for row in newest.lots] == [LOT]
    assert not newest.truncated


async def test_the_factory_is_no_stock_of_the_ledger(house: House) -> None:
    await house.say(*house.day())
    await house.say(of_lot("2025-08-02", 44, bizStep="storing", bizLocation={"id": "urn:suyuan:place:NLZWO"}))
    [lot] = (await stock(house.deployment)).lots
    assert lot.facility == WAREHOUSE


async def test_the_balance_too_finds_what_a_station_packed_by_its_waybill_alone(house: House) -> None:
    """A parcel's packing names its waybill; the parcel's list says that it is that list's."""

    async def uncoded() -> dict[str, str]:
        subject = Subject(gtin=GTIN, lot=LOT, ledger_item=LEDGER, facility=WAREHOUSE)
        return {one.code: one.quantity for one in (await balance_of(house.deployment.pool, subject)).findings}

    await house.say(*house.day())
    assert await uncoded() == {}
    await house.say(packed("P1", house.serials[0], when="2025-10-03", action="DELETE"))
    assert await uncoded() == {"balance.outflow.uncoded": "1"}
    await house.say(packed("P1", house.serials[0], when="2025-10-04"))
    assert await uncoded() == {}
    await house.say(packed("P1", when="2025-10-05", action="DELETE"))
    assert await uncoded() == {"balance.outflow.uncoded": "2"}
