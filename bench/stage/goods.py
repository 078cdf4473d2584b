"""Goods to read about: some whose way is captured paper by paper, among many that only make the tables big.

The crowd is written by the database itself (``fill.sql``): the same GTIN and carrier, so that its keys lie between
those of the followed goods, with the events and index rows that captures of such goods leave.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from stage.journeys import EVENTS_OF_AN_ITEM, ITEMS_IN_CASE, Consignment, deliveries
from stage.members import GTIN
from stage.papers import document
from suyuan.app import Services
from suyuan.issuing import issue, iter_serials
from suyuan.log import integrate, publish, sequence_once
from suyuan.trace import OPERATOR

PORTION = 57_600
_FILL = Path(__file__).with_name("fill.sql").read_text("utf-8")
_CASES_OF_A_CONSIGNMENT = 16


class Goods(msgspec.Struct, frozen=True):
    """The followed items, by their canonical URIs."""

    items: tuple[str, ...]


class Size(msgspec.Struct, frozen=True):
    """How big the tables are."""

    items: int
    events: int
    index_rows: int
    log_entries: int


async def size_of(services: Services) -> Size:
    """Exact counts; takes a second for each few million rows."""
    counts = [
        int(await services.pool.fetchval(query, timeout=600))
        for query in (
            "SELECT count(*) FROM thing WHERE kind = 'item'",
            "SELECT count(*) FROM event",
            "SELECT count(*) FROM thing_event",
            "SELECT next_index FROM log_head",
        )
    ]
    return Size(*counts)


async def fill_to(services: Services, items: int, say: Callable[[str], None]) -> None:
    """Make sure that the tables know at least ``items`` items, then leave them as autovacuum would."""
    query = "SELECT coalesce(max(size), 0) FROM evidence WHERE kind = 'bench/crowd'"
    known = int(await services.pool.fetchval(query))
    if known >= items:
        return
    start = time.perf_counter()
    async with services.pool.acquire() as conn:
        for first in range(known, items, PORTION):
            portion = min(PORTION, items - first)
            async with conn.transaction():
                await conn.execute("SET LOCAL work_mem = '256MB'")
                await conn.execute("SELECT set_config('bench.first', $1, true)", str(first))
                await conn.execute("SELECT set_config('bench.count', $1, true)", str(portion))
                await conn.execute(_FILL, timeout=3600)
            say(
                f"filling the tables: {first + portion:,} of {items:,} items, {time.perf_counter() - start:.0f} s"
            )
        tables = "thing, thing_period, event, event_payload, thing_event, log_entry, evidence, evidence_event"
        await conn.execute(f"VACUUM (ANALYZE) {tables}", timeout=3600)
        await conn.execute("CHECKPOINT", timeout=3600)


async def make_goods(services: Services, cases: int) -> Goods:
    """Capture the way of ``cases`` cases of items and publish it; every way is checked to be whole."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=60)
    serials = await _serials(services, cases * ITEMS_IN_CASE)
    groups = [serials[n : n + ITEMS_IN_CASE] for n in range(0, len(serials), ITEMS_IN_CASE)]
    items: list[str] = []
    for number, first in enumerate(range(0, cases, _CASES_OF_A_CONSIGNMENT), 1):
        one = Consignment(number, f"L{number:04d}", start, groups[first : first + _CASES_OF_A_CONSIGNMENT])
        for party_id, events in deliveries(one):
            deliverer = await services.deliverer_of(party_id)
            await services.capture.submit(document(events), deliverer)
        items += one.items
    await publish_all(services)
    for item in (items[0], items[-1]):
        trace = await services.reader.read(item, OPERATOR)
        found = 0 if trace is None else len(trace.facts)
        if found != EVENTS_OF_AN_ITEM:
            raise AssertionError(f"the trace of a followed item has {found} events, not {EVENTS_OF_AN_ITEM}")
    return Goods(tuple(items))


async def publish_all(services: Services) -> None:
    """Bring everything that is stored into the published log."""
    while await sequence_once(services.pool):
        pass
    await integrate(services.pool)
    await publish(services.pool, services.signer)


async def _serials(services: Services, count: int) -> list[str]:
    batch = await issue(
        services.pool, services.mac_keys, gtin=GTIN, lot="L0001", count=count, party_id="bench-maker"
    )
    return [serial async for portion in iter_serials(services.pool, batch.batch_id) for serial in portion]
