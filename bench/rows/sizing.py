"""Rows of room on disk: what one captured event adds, and what one item adds over its whole life.

Measured on what captures really write, lists and claim tiles included; indexes, the evidence and the log are counted.
The floor is the bytes that a member sent.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from stage.bench import Bench
from stage.goods import publish_all
from stage.journeys import ITEMS_IN_CASE, Consignment, deliveries
from stage.members import GTIN
from stage.papers import document, observation
from stage.result import Row, cost_row

from suyuan.app import Services
from suyuan.issuing import issue, iter_serials

EVENTS_OF_A_DOCUMENT, ITEMS_OF_AN_EVENT = 100, 10
_CASES = 16
# Partitions have no size of their own at their parent; the free space map and the visibility map are counted.
_BYTES = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint AS whole,
       coalesce(sum(pg_indexes_size(c.oid)), 0)::bigint AS indexes
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind = 'r'
"""


async def disk_bytes(services: Services) -> tuple[int, int]:
    """Bytes of all tables with their indexes, and of the indexes alone."""
    row = await services.pool.fetchrow(_BYTES)
    assert row is not None
    return row["whole"], row["indexes"]


async def bytes_event(bench: Bench) -> Row:
    """What one event with ten items adds, captured in documents of a hundred, sequenced and published."""
    services = await bench.services()
    maker = await services.deliverer_of("bench-maker")
    count = max(1, bench.scale.documents // 4)
    start, number, sent = datetime.now(UTC).replace(microsecond=0) - timedelta(days=300), 0, 0
    await publish_all(services)
    before, indexes_before = await disk_bytes(services)
    for _ in range(count):
        events = []
        for _ in range(EVENTS_OF_A_DOCUMENT):
            serials = [f"1SIZE{number + n:013d}A" for n in range(ITEMS_OF_AN_EVENT)]
            events.append(observation(GTIN, serials, start + timedelta(seconds=number)))
            number += ITEMS_OF_AN_EVENT
        data = document(events)
        sent += len(data)
        await services.capture.submit(data, maker)
    await publish_all(services)
    after, indexes_after = await disk_bytes(services)
    events_in_all = count * EVENTS_OF_A_DOCUMENT
    return cost_row(
        "bytes_event",
        "bytes",
        (after - before) / events_in_all,
        sent / events_in_all,
        await bench.conditions(
            events=events_in_all,
            items_of_an_event=ITEMS_OF_AN_EVENT,
            of_which_indexes=round((indexes_after - indexes_before) / events_in_all),
            floor="the bytes of the documents that were sent",
        ),
    )


async def bytes_item(bench: Bench) -> Row:
    """What one item adds over its whole life of 25 events, from its code to its parcel's last scan."""
    services = await bench.services()
    count = _CASES * ITEMS_IN_CASE
    await publish_all(services)
    before, indexes_before = await disk_bytes(services)
    batch = await issue(
        services.pool, services.mac_keys, gtin=GTIN, lot="LSIZE", count=count, party_id="bench-maker"
    )
    serials = [serial async for portion in iter_serials(services.pool, batch.batch_id) for serial in portion]
    cases = [serials[n : n + ITEMS_IN_CASE] for n in range(0, count, ITEMS_IN_CASE)]
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=200)
    sent = events = 0
    for party_id, delivered in deliveries(Consignment(900_000, "LSIZE", start, cases)):
        data = document(delivered)
        sent, events = sent + len(data), events + len(delivered)
        await services.capture.submit(data, await services.deliverer_of(party_id))
    await publish_all(services)
    after, indexes_after = await disk_bytes(services)
    return cost_row(
        "bytes_item",
        "bytes",
        (after - before) / count,
        sent / count,
        await bench.conditions(
            items=count,
            events=events,
            of_which_indexes=round((indexes_after - indexes_before) / count),
            floor="the bytes of the papers that were sent",
        ),
    )
