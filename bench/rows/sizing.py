"""Rows of room on disk: what one captured event adds, and what one item adds over its whole life.

Measured on what captures really write, lists and claim tiles included; indexes, the evidence and the log are counted.
The floor is the bytes that a member sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from stage.bench import Bench
from stage.goods import publish_all
from stage.journeys import ITEMS_IN_CASE, Consignment, deliveries
from stage.members import GTIN
from stage.papers import document, observation
from stage.result import Condition, Row, cost_row

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


async def _growth_row(
    bench: Bench,
    name: str,
    count: int,
    store: Callable[[Services], Awaitable[tuple[int, dict[str, Condition]]]],
) -> Row:
    """What each of ``count`` things adds to the disk. ``store`` captures them; it returns bytes sent and conditions."""
    services = await bench.services()
    await publish_all(services)
    before, indexes_before = await disk_bytes(services)
    sent, conditions = await store(services)
    await publish_all(services)
    after, indexes_after = await disk_bytes(services)
    return cost_row(
        name,
        "bytes",
        (after - before) / count,
        sent / count,
        await bench.conditions(
            **conditions,
            of_which_indexes=round((indexes_after - indexes_before) / count),
            floor="the bytes of the papers that were sent",
        ),
    )


async def bytes_event(bench: Bench) -> Row:
    """What one event with ten items adds, captured in documents of a hundred, sequenced and published."""
    documents = max(1, bench.scale.documents // 4)
    count = documents * EVENTS_OF_A_DOCUMENT
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=300)

    async def store(services: Services) -> tuple[int, dict[str, Condition]]:
        maker = await services.deliverer_of("bench-maker")
        number = sent = 0
        for _ in range(documents):
            events = []
            for _ in range(EVENTS_OF_A_DOCUMENT):
                serials = [f"1SIZE{number + n:013d}A" for n in range(ITEMS_OF_AN_EVENT)]
                events.append(observation(GTIN, serials, start + timedelta(seconds=number)))
                number += ITEMS_OF_AN_EVENT
            data = document(events)
            sent += len(data)
            await services.capture.submit(data, maker)
        return sent, {"events": count, "items_of_an_event": ITEMS_OF_AN_EVENT}

    return await _growth_row(bench, "bytes_event", count, store)


async def bytes_item(bench: Bench) -> Row:
    """What one item adds over its whole life of 25 events, from its code to its parcel's last scan."""
    count = _CASES * ITEMS_IN_CASE

    async def store(services: Services) -> tuple[int, dict[str, Condition]]:
        batch = await issue(
            services.pool, services.mac_keys, gtin=GTIN, lot="LSIZE", count=count, party_id="bench-maker"
        )
        serials = [
            serial async for portion in iter_serials(services.pool, batch.batch_id) for serial in portion
        ]
        cases = [serials[n : n + ITEMS_IN_CASE] for n in range(0, count, ITEMS_IN_CASE)]
        start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=200)
        sent = events = 0
        for party_id, delivered in deliveries(Consignment(900_000, "LSIZE", start, cases)):
            data = document(delivered)
            sent, events = sent + len(data), events + len(delivered)
            await services.capture.submit(data, await services.deliverer_of(party_id))
        return sent, {"items": count, "events": events}

    return await _growth_row(bench, "bytes_item", count, store)
