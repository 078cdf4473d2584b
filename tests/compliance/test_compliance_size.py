"""Figures are exact however many events there are, and few of these are held at a time."""

from __future__ import annotations

import os
import time
import tracemalloc
from typing import Any

import pytest
from deployment import (
    GTIN,
    LOT,
    WAREHOUSE,
    Deployment,
    item,
    moved,
    observed,
    of_lot,
    paper,
    parcel_paper,
    raw,
)

from suyuan.compliance.balance import Subject, balance_of, find_ledger_items
from suyuan.compliance.consignment import consignment_of
from suyuan.db.pool import transaction

LEDGER = "T5165W000123:17"
AIR_WAYBILL = "urn:suyuan:awb:784-12345675"
SUBJECT = Subject(gtin=GTIN, lot=LOT, ledger_item=LEDGER, facility=WAREHOUSE)
# More than any fixed number of rows that the figures were ever cut at.
MANY = int(os.environ.get("SUYUAN_TEST_EVENTS", "25000"))


def second(number: int) -> str:
    """A time of its own for each event."""
    day, rest = divmod(number, 86_400)
    clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"2025-09-{10 + day}T{clock}+08:00"


def tallied(number: int, quantity: int) -> dict[str, Any]:
    return of_lot(
        second(number),
        quantity,
        bizStep="receiving",
        bizLocation={"id": WAREHOUSE},
        bizTransactionList=[paper("tally", f"WMS-{number}"), paper("ledger-item", LEDGER)],
    )


def listed(number: int, quantity: int, way: str) -> dict[str, Any]:
    line = {"suyuan:ledgerItem": f"urn:suyuan:ledger-item:{LEDGER}", "suyuan:quantity": str(quantity)}
    bonded_list = f"QD516525{way}{number:09d}"
    papers = [paper("bonded-list", bonded_list), paper("ledger-item", LEDGER)]
    if way == "E":
        papers.append(parcel_paper("parcel-list", f"L{number}"))
    event: dict[str, Any] = observed(
        second(number),
        kind="TransactionEvent",
        bizStep="urn:suyuan:bizstep:clearing",
        bizTransactionList=papers,
        **{"suyuan:line": line},
    )
    return event


def packed(number: int, *serials: str) -> dict[str, Any]:
    things = [item(serial) for serial in serials]
    papers = [parcel_paper("parcel-list", f"L{number}")]
    return moved(second(number), raw("waybill", f"YT{number}"), *things, bizTransactionList=papers)


def stated(number: int, disposition: str, *serials: str) -> dict[str, Any]:
    return observed(
        second(number),
        *(item(serial) for serial in serials),
        disposition=disposition,
        bizLocation={"id": WAREHOUSE},
        bizTransactionList=[paper("ledger-item", LEDGER)],
    )


def paged(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr("suyuan.compliance.standing.PAGE", rows)
    monkeypatch.setattr("suyuan.compliance.consignment.PAGE", rows)


async def test_a_balance_is_the_same_in_pages_of_any_size(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = await deployment.member("warehouse", "bonded-warehouse")
    await deployment.say(
        warehouse,
        *(tallied(number, number) for number in range(1, 41)),
        *(listed(number, 50, "I") for number in range(100, 120)),
        *(listed(number, 3, "E") for number in range(200, 220)),
        *(packed(number, f"P{number}A", f"P{number}B") for number in range(200, 220)),
        # More serials in one event than stay in its body.
        stated(300, "damaged", *(f"D{number}" for number in range(300))),
        *(stated(400 + number, "damaged", f"D{number}", f"E{number}") for number in range(10)),
        *(stated(500 + number, "active", f"A{number}", f"A{number + 1}") for number in range(30)),
    )
    whole = await balance_of(deployment.pool, SUBJECT)
    assert (whole.entered, whole.received, whole.exited, whole.damaged) == ("1000", "820", "60", "310")
    assert {finding.code: finding.quantity for finding in whole.findings} == {}
    for rows in (1, 7):
        paged(monkeypatch, rows)
        assert await balance_of(deployment.pool, SUBJECT) == whole
        assert await find_ledger_items(deployment.pool, GTIN, LOT) == [(LEDGER, WAREHOUSE)]
    # The same in a transaction of the caller, which goes on, and on a connection without one.
    assert await transaction(deployment.pool, lambda conn: balance_of(conn, SUBJECT)) == whole
    async with deployment.pool.acquire() as conn:
        assert await balance_of(conn, SUBJECT) == whole
        assert not conn.is_in_transaction()


async def test_a_consignment_is_the_same_in_pages_of_any_size(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    forwarder = await deployment.member("forwarder", "forwarder")
    site = await deployment.member("site", "bonded-warehouse")

    def waybill(number: int, letters: str = "YT") -> str:
        return raw("waybill", f"{letters}{number:04d}")

    await deployment.say(
        forwarder,
        *(moved(second(number), AIR_WAYBILL, waybill(number)) for number in range(60)),
        *(moved(second(100 + n), AIR_WAYBILL, waybill(n), action="DELETE") for n in range(5)),
        *(
            observed(second(200 + n), waybill(n), waybill(n, "SF"), bizStep="urn:suyuan:bizstep:aliasing")
            for n in range(40, 50)
        ),
    )
    papers = [paper("inbound-detail", "D1"), paper("awb", AIR_WAYBILL)]
    arrived = [*(waybill(n) for n in range(5, 40)), *(waybill(n, "SF") for n in range(40, 51))]
    await deployment.say(
        site,
        *(
            observed(second(300 + at), uri, bizStep="receiving", bizTransactionList=papers)
            for at, uri in enumerate(arrived)
        ),
    )
    whole = await consignment_of(deployment.pool, AIR_WAYBILL)
    # 55 left; 35 came under their number, 10 under their second one, and one that nobody sent.
    assert (whole.consolidated, whole.received, whole.missing, whole.surplus) == (55, 46, 10, 1)
    for rows in (1, 7):
        paged(monkeypatch, rows)
        assert await consignment_of(deployment.pool, AIR_WAYBILL) == whole


@pytest.mark.slow
async def test_every_event_counts_and_memory_does_not_grow_with_them(deployment: Deployment) -> None:
    warehouse = await deployment.member("warehouse", "bonded-warehouse")
    peaks = []
    said = 0
    for target in (2_000, MANY):
        while said < target:
            until = min(said + 2_000, target)
            await deployment.say(warehouse, *(tallied(number, 1) for number in range(said, until)))
            said = until
        await deployment.pool.execute("ANALYZE")
        started = time.perf_counter()
        found = await balance_of(deployment.pool, SUBJECT)
        seconds = time.perf_counter() - started
        assert found.received == str(target)
        tracemalloc.start()
        await balance_of(deployment.pool, SUBJECT)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        print(f"{target} events: {seconds:.2f} s, {peaks[-1] / 1e6:.1f} MB at most")
    assert max(peaks) < 5e6
