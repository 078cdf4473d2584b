"""The one command that a quantity can refuse, and reports, which none refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import pytest
from deployment import (
    GTIN,
    LOT,
    WAREHOUSE,
    Deployment,
    commissioned,
    item,
    observed,
    of_lot,
    paper,
    steps_of,
)

from suyuan.capture.prepare import Deliverer
from suyuan.compliance.activation import ActivationCommand, ActivationResult, activate_codes
from suyuan.compliance.balance import Subject, allowance_of, balance_of, find_ledger_items
from suyuan.compliance.model import Balance
from suyuan.errors import InputError, RefusedError, SuyuanError
from suyuan.issuing import void

LEDGER = "T5165W000123:17"
ENTRY = "QD516525I000000001"


def tally(
    quantity: int, when: str = "2025-09-26", ledger: str = LEDGER, place: str = WAREHOUSE
) -> dict[str, object]:
    papers = [paper("tally", "WMS-1"), *([paper("ledger-item", ledger)] if ledger else [])]
    return of_lot(when, quantity, bizStep="receiving", bizLocation={"id": place}, bizTransactionList=papers)


def listed(
    quantity: int, number: str = ENTRY, when: str = "2025-09-25", **fields: object
) -> dict[str, object]:
    """What a bonded list states of the ledger item."""
    line = {"suyuan:ledgerItem": f"urn:suyuan:ledger-item:{LEDGER}", "suyuan:quantity": str(quantity)}
    return observed(
        when,
        kind="TransactionEvent",
        bizStep="urn:suyuan:bizstep:clearing",
        bizTransactionList=[paper("bonded-list", number), paper("ledger-item", LEDGER)],
        **{"suyuan:line": line, **fields},
    )


class Warehouse:
    """A bonded warehouse with a lot of coded pieces, of which some have arrived."""

    def __init__(self, deployment: Deployment, party: Deliverer, serials: list[str]) -> None:
        self.deployment = deployment
        self.party = party
        self.serials = serials

    async def activate(
        self, serials: Sequence[str], *, ledger: str = LEDGER, facility: str = WAREHOUSE, lot: str = LOT
    ) -> ActivationResult:
        command = ActivationCommand(
            gtin=GTIN,
            lot=lot,
            serials=tuple(serials),
            ledger_item=ledger,
            facility=facility,
            event_time=datetime.fromisoformat("2025-09-28T10:30:00+08:00"),
        )
        return await activate_codes(self.deployment.pool, self.deployment.capture, command, self.party)

    async def balance(self, ledger: str = LEDGER, facility: str = WAREHOUSE) -> Balance:
        subject = Subject(gtin=GTIN, lot=LOT, ledger_item=ledger, facility=facility)
        return await balance_of(self.deployment.pool, subject)

    async def active(self) -> int:
        return int(
            await self.deployment.pool.fetchval("SELECT count(*) FROM code_state WHERE act = 'activated'")
        )


@pytest.fixture
async def warehouse(deployment: Deployment) -> Warehouse:
    """44 codes; 40 entered, 38 received, 2 damaged."""
    party = await deployment.member("warehouse", "bonded-warehouse")
    serials = await deployment.issued(44, party)
    await deployment.say(
        party,
        commissioned("2025-08-01", *(item(serial) for serial in serials)),
        listed(40),
        tally(38),
        of_lot(
            "2025-09-26",
            2,
            bizStep="holding",
            disposition="damaged",
            bizLocation={"id": WAREHOUSE},
            bizTransactionList=[paper("ledger-item", LEDGER)],
        ),
    )
    return Warehouse(deployment, party, serials)


async def refused(warehouse: Warehouse, code: str, serials: Sequence[str], **command: str) -> SuyuanError:
    before = await warehouse.deployment.counts()
    with pytest.raises(SuyuanError) as refusal:
        await warehouse.activate(serials, **command)
    assert refusal.value.code == code
    assert await warehouse.deployment.counts() == before
    return refusal.value


async def test_as_many_as_were_received_and_not_one_more(warehouse: Warehouse) -> None:
    done = await warehouse.activate(warehouse.serials[:38])
    assert (done.activated, done.repeated, done.remaining) == (38, 0, 0)
    error = await refused(warehouse, "issuing.allowance.exceeded", warehouse.serials[38:39])
    assert isinstance(error, RefusedError)
    assert error.path == "serials"
    assert error.remedy
    # The command again changes nothing, and uses no allowance.
    again = await warehouse.activate(warehouse.serials[:38])
    assert (again.activated, again.repeated, again.event_id) == (0, 38, None)
    trace = await warehouse.deployment.trace(item(warehouse.serials[3]))
    assert trace.state == "active"
    assert steps_of(trace.facts)[-1] == "activating"
    assert await warehouse.deployment.pool.fetchval("SELECT count(*) FROM intake") == 5


async def test_all_or_nothing(warehouse: Warehouse) -> None:
    await refused(warehouse, "issuing.allowance.exceeded", warehouse.serials[:39])
    assert (await warehouse.activate(warehouse.serials[:30])).remaining == 8
    await refused(warehouse, "issuing.allowance.exceeded", warehouse.serials[25:39])
    # Eight new ones and five that are active, one of them named twice.
    part = await warehouse.activate([*warehouse.serials[25:38], warehouse.serials[37]])
    assert (part.activated, part.repeated, part.remaining) == (8, 5, 0)
    event_key = await warehouse.deployment.pool.fetchval("SELECT max(event_key) FROM event")
    body = await warehouse.deployment.pool.fetchval(
        "SELECT body FROM event_payload WHERE event_key = $1", event_key
    )
    assert body.count(warehouse.serials[37].encode()) == 1


async def test_codes_that_may_not_be_activated(warehouse: Warehouse) -> None:
    deployment, [foreign] = (
        warehouse.deployment,
        await warehouse.deployment.issued(1, warehouse.party, lot="L2"),
    )
    good = warehouse.serials[0]
    forged = good[:-1] + ("A" if good[-1] != "A" else "B")
    await refused(warehouse, "issuing.code.unknown", [good, forged])
    await refused(warehouse, "issuing.code.other_lot", [good, foreign])
    await refused(warehouse, "issuing.serials.empty", [])
    # Nothing is known to have been received elsewhere, or under another ledger item.
    await refused(
        warehouse, "issuing.allowance.exceeded", [good], facility="https://id.gs1.org/414/9520000000042"
    )
    await refused(warehouse, "issuing.allowance.exceeded", [good], ledger="T5165W000123:18")
    await void(deployment.pool, gtin=GTIN, lot=LOT, serials=[good], party_id="warehouse", reason="torn")
    await refused(warehouse, "issuing.code.voided", [good])
    await warehouse.activate(warehouse.serials[1:2])
    with pytest.raises(RefusedError) as refusal:
        await void(
            deployment.pool,
            gtin=GTIN,
            lot=LOT,
            serials=warehouse.serials[1:2],
            party_id="warehouse",
            reason="torn",
        )
    assert refusal.value.code == "issuing.code.active"
    with pytest.raises(InputError) as naive:
        await activate_codes(
            deployment.pool,
            deployment.capture,
            ActivationCommand(
                gtin=GTIN,
                lot=LOT,
                serials=(good,),
                event_time=datetime.fromisoformat("2025-09-28T10:30:00"),
            ),
            warehouse.party,
        )
    assert naive.value.code == "issuing.event_time.naive"


async def test_commands_at_once_never_share_an_allowance(warehouse: Warehouse) -> None:
    commands = [warehouse.activate(warehouse.serials[start : start + 20]) for start in (0, 20)]
    results = await asyncio.gather(*commands, return_exceptions=True)
    refusals = [result for result in results if isinstance(result, BaseException)]
    assert [error.code for error in refusals if isinstance(error, RefusedError)] == [
        "issuing.allowance.exceeded"
    ]
    assert await warehouse.active() == 20
    singles = await asyncio.gather(
        *(warehouse.activate([serial]) for serial in warehouse.serials), return_exceptions=True
    )
    assert await warehouse.active() == 38
    # 38 of 44 are active; whoever came too late was refused.
    assert sum(isinstance(result, RefusedError) for result in singles) == 6


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("", WAREHOUSE), (LEDGER, WAREHOUSE)),
        ((LEDGER, ""), (LEDGER, WAREHOUSE)),
        (("", ""), (LEDGER, WAREHOUSE)),
        ((LEDGER, WAREHOUSE), ("", "")),
        ((LEDGER, ""), ("", WAREHOUSE)),
    ],
)
async def test_other_words_for_the_same_pieces_open_no_second_allowance(
    warehouse: Warehouse, first: tuple[str, str], second: tuple[str, str]
) -> None:
    await warehouse.activate(warehouse.serials[:38], ledger=first[0], facility=first[1])
    await refused(
        warehouse,
        "issuing.allowance.exceeded",
        warehouse.serials[38:39],
        ledger=second[0],
        facility=second[1],
    )


async def test_a_tally_that_names_no_ledger_item_is_not_counted_for_each(deployment: Deployment) -> None:
    party = await deployment.member("warehouse")
    house = Warehouse(deployment, party, await deployment.issued(12, party))
    await deployment.say(party, tally(5, ledger=""))
    results = await asyncio.gather(
        house.activate(house.serials[:5], ledger="T1:1"),
        house.activate(house.serials[5:10], ledger="T1:2"),
        return_exceptions=True,
    )
    assert sum(isinstance(result, RefusedError) for result in results) == 1
    assert await house.active() == 5


async def test_an_act_and_a_voiding_at_once_leave_no_code_both(warehouse: Warehouse) -> None:
    for serial in warehouse.serials[:10]:
        await asyncio.gather(
            warehouse.activate([serial]),
            void(
                warehouse.deployment.pool,
                gtin=GTIN,
                lot=LOT,
                serials=[serial],
                party_id="warehouse",
                reason="torn",
            ),
            return_exceptions=True,
        )
    both = await warehouse.deployment.pool.fetchval(
        "SELECT count(*) FROM (SELECT serial FROM code_state GROUP BY serial HAVING count(*) > 1) AS twice"
    )
    assert both == 0


# -- reports are taken -----------------------------------------------------------------------------------------


async def test_the_figures_of_a_lot(warehouse: Warehouse) -> None:
    await warehouse.activate(warehouse.serials[:38])
    balance = await warehouse.balance()
    figures = (balance.coded, balance.entered, balance.received, balance.damaged, balance.activated)
    assert figures == ("44", "40", "38", "2", "38")
    assert (balance.unexplained, balance.exited, balance.findings) == ("0", "0", ())
    assert allowance_of(balance) == 0
    assert await find_ledger_items(warehouse.deployment.pool, GTIN, LOT) == [(LEDGER, WAREHOUSE)]


async def test_a_report_of_more_is_taken_and_is_a_finding(warehouse: Warehouse) -> None:
    await warehouse.activate(warehouse.serials[:38])
    report = {
        "bizStep": "urn:suyuan:bizstep:activating",
        "disposition": "active",
        "bizLocation": {"id": WAREHOUSE},
        "bizTransactionList": [paper("ledger-item", LEDGER)],
    }
    # 38 that are active by command and one more
    await warehouse.deployment.say(
        warehouse.party,
        observed("2025-09-29", *(item(serial) for serial in warehouse.serials[:39]), **report),
    )
    [finding] = (await warehouse.balance()).findings
    assert (finding.code, finding.quantity) == ("balance.active.excess", "1")
    assert finding.reason_en and finding.reason_zh
    # as a quantity
    await warehouse.deployment.say(warehouse.party, of_lot("2025-09-30", 45, **report))
    [finding] = (await warehouse.balance()).findings
    assert finding.quantity == "7"
    assert (await warehouse.deployment.trace(item(warehouse.serials[38]))).state == "active"


async def test_a_report_of_a_long_list(deployment: Deployment) -> None:
    party = await deployment.member("warehouse")
    await deployment.say(
        party,
        tally(300),
        observed(
            "2025-09-29",
            *(item(f"X{n}") for n in range(310)),
            disposition="active",
            bizTransactionList=[paper("ledger-item", LEDGER)],
        ),
    )
    house = Warehouse(deployment, party, [])
    [finding] = (await house.balance()).findings
    assert (finding.code, finding.quantity) == ("balance.active.excess", "10")


async def test_what_the_entry_lists_say_and_was_not_received(deployment: Deployment) -> None:
    party = await deployment.member("warehouse")
    house = Warehouse(deployment, party, [])
    await deployment.say(party, listed(40), tally(37))
    balance = await house.balance()
    assert balance.unexplained == "3"
    [finding] = balance.findings
    assert (finding.code, finding.quantity) == ("balance.entry.difference", "3")
    assert finding.references == (f"urn:suyuan:bonded-list:{ENTRY}",)
    # The same pieces unpacked, received and stored are counted once.
    await deployment.say(
        party,
        {**tally(37, "2025-09-27"), "bizStep": "storing"},
        {**tally(37, "2025-09-26T06:00:00+08:00"), "bizStep": "unpacking"},
    )
    assert (await house.balance()).received == "37"
    # A second delivery is added.
    await deployment.say(party, tally(4, "2025-09-28"))
    balance = await house.balance()
    assert (balance.received, balance.unexplained) == ("41", "-1")
    # Damage in the house explains no shortage and makes no surplus.
    await deployment.say(
        party,
        of_lot("2025-10-01", 5, bizStep="holding", disposition="damaged"),
        of_lot("2025-10-02", 5, bizStep="destroying", disposition="destroyed"),
    )
    balance = await house.balance()
    assert (balance.damaged, balance.unexplained) == ("5", "-1")


async def test_the_surest_paper_on_a_list_counts_and_a_rejected_list_does_not(deployment: Deployment) -> None:
    party = await deployment.member("broker")
    house = Warehouse(deployment, party, [])
    second = "QD516525I000000002"
    await deployment.say(party, listed(40), listed(10, second))
    assert (await house.balance()).entered == "50"
    await deployment.say(
        party, listed(10, second, "2025-09-26", disposition="urn:suyuan:disp:rejected"), listed(40)
    )
    assert (await house.balance()).entered == "40"
    # Declared again after it was rejected.
    await deployment.say(party, listed(12, second, "2025-09-27"))
    assert (await house.balance()).entered == "52"


async def test_more_left_than_came_and_codeless_outflow(deployment: Deployment) -> None:
    party = await deployment.member("warehouse")
    house = Warehouse(deployment, party, [])
    exit_list = "QD516525E000000009"
    parcel = "urn:suyuan:raw:parcel-list:5165:P1"
    await deployment.say(
        party,
        tally(3),
        commissioned("2025-08-01", *(item(f"X{n}") for n in range(2))),
        commissioned("2025-08-02", *(item(f"Y{n}") for n in range(2))),
        listed(5, exit_list, "2025-10-09"),
        observed(
            "2025-10-09",
            kind="TransactionEvent",
            bizTransactionList=[paper("bonded-list", exit_list), paper("parcel-list", parcel)],
        ),
        {
            **observed("2025-10-08", kind="AggregationEvent", action="ADD", bizStep="packing"),
            "parentID": "urn:suyuan:raw:waybill:440196X001:W1",
            "childEPCs": [item("X0"), item("X1")],
            "bizTransactionList": [paper("parcel-list", parcel)],
        },
    )
    balance = await house.balance()
    assert (balance.coded, balance.exited) == ("4", "5")
    assert {finding.code: finding.quantity for finding in balance.findings} == {
        "balance.exit.excess": "2",
        "balance.outflow.uncoded": "3",
    }
    await deployment.say(
        party,
        of_lot("2025-10-20", 2, disposition="returned", bizTransactionList=[paper("ledger-item", LEDGER)]),
    )
    balance = await house.balance()
    assert balance.returned == "2"
    assert [finding.code for finding in balance.findings] == ["balance.outflow.uncoded"]
