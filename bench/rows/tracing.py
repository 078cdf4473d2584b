"""Rows of reading: the trace of one item among many, and the offline check of its bundle."""

from __future__ import annotations

import random
import time
from hashlib import sha256

from stage.bench import Bench
from stage.goods import Goods, size_of
from stage.journeys import EVENTS_OF_AN_ITEM
from stage.result import Row, Skip, best_seconds, cost_row, percentile
from stage.server import database_cpu_seconds

from suyuan.app import Services
from suyuan.gs1.thing import thing_key
from suyuan.proof.bundle import read_bundle
from suyuan.proof.verification import verify_bundle
from suyuan.trace import OPERATOR, PUBLIC, Viewer, make_bundle

# The least that a reader must ask of the database: which events an item has, and what they say.
_FLOOR = (
    "SELECT event_key FROM thing_event WHERE key = $1",
    (
        "SELECT e.*, p.body, p.statement, l.log_index, l.leaf FROM event AS e"
        " JOIN event_payload AS p USING (event_key) LEFT JOIN log_entry AS l USING (event_key)"
        " WHERE e.event_key = ANY ($1::bigint[])"
    ),
)


async def trace_item(bench: Bench) -> Row:
    """The operator's trace of an item with 25 events, one after another, items at random."""
    return await _trace_row(bench, "trace_item", bench.scale.items, "p99 <= 25 ms at 1 M items", 1_000_000)


async def trace_item_tenfold(bench: Bench) -> Row:
    """The same with more items in the tables: ten million at the scale of the bar."""
    bar = "p99 at 10 M items <= 1.5 times that at 1 M"
    return await _trace_row(bench, "trace_item_tenfold", bench.scale.tenfold_items, bar, 10_000_000)


async def _trace_row(bench: Bench, name: str, items: int, bar: str, bar_items: int) -> Row:
    goods, services = await bench.goods(items), await bench.services()
    before = bench.remembered("trace p99")
    chosen = random.Random(11).choices(goods.items, k=bench.scale.traces)
    first = await _traces(services, goods, chosen[:1], OPERATOR)
    cpu = time.process_time(), database_cpu_seconds(bench.folder())
    whole = await _traces(services, goods, chosen, OPERATOR)
    reader_cpu = time.process_time() - cpu[0]
    database_cpu = database_cpu_seconds(bench.folder()) - cpu[1]
    public = await _traces(services, goods, chosen, PUBLIC)
    floors = await _floors(services, chosen)
    p99 = percentile(whole, 99)
    size = await size_of(services)
    met: bool | None = None
    more: dict[str, str | float] = {}
    if bar_items <= 1_000_000:
        bench.remember("trace p99", p99)
        met = p99 <= 25 if size.items >= bar_items else None
    elif before is not None:
        more["p99_against_fewer_items"] = round(p99 / before, 3)
        met = p99 <= 1.5 * before if size.items >= bar_items else None
    return cost_row(
        name,
        "ms",
        p99,
        percentile(floors, 99),
        await bench.conditions(
            items=size.items,
            events=size.events,
            index_rows=size.index_rows,
            events_of_the_item=EVENTS_OF_AN_ITEM,
            traces=len(whole),
            distinct_items=len(set(chosen)),
            readers=1,
            value="p99",
            reader_cpu_ms_each=round(reader_cpu * 1000 / len(whole), 2),
            database_cpu_ms_each=round(database_cpu * 1000 / len(whole), 2),
            first_ms=round(first[0], 1),
            public_p50_ms=round(percentile(public, 50), 2),
            public_p99_ms=round(percentile(public, 99), 2),
            floor="two queries: the item's index rows, and 25 events with body and log entry by their keys",
            **more,
        ),
        bar=bar,
        met=met,
        samples=whole,
    )


async def _traces(services: Services, goods: Goods, items: list[str], viewer: Viewer) -> list[float]:
    times = []
    for item in items:
        start = time.perf_counter()
        trace = await services.reader.read(item, viewer)
        times.append((time.perf_counter() - start) * 1000)
        if trace is None or (viewer is OPERATOR and len(trace.facts) != EVENTS_OF_AN_ITEM):
            raise AssertionError("a followed item has lost its way")
    return times


async def _floors(services: Services, items: list[str]) -> list[float]:
    times = []
    async with services.pool.acquire() as conn:
        for item in items:
            key = thing_key(item)
            trace = await services.reader.read(item, OPERATOR)
            assert trace is not None
            events = [fact.event_key for fact in trace.facts]
            start = time.perf_counter()
            await conn.fetch(_FLOOR[0], key)
            await conn.fetch(_FLOOR[1], events)
            times.append((time.perf_counter() - start) * 1000)
    return times


async def verify_bundles(bench: Bench) -> Row:
    """A bundle of the operator's view, 25 events, checked offline."""
    goods, services = await bench.goods(bench.scale.items), await bench.services()
    start = time.perf_counter()
    data = await make_bundle(
        services.reader, services.tree, goods.items[0], OPERATOR, log_key=services.signer.vkey
    )
    building = time.perf_counter() - start
    if data is None:
        raise Skip("nothing of the item is published")
    bundle, key = read_bundle(data), services.signer.vkey
    hashes = sum(
        len(fact.inclusion) + len(fact.event.proof) + 2 * len(fact.event.claims) for fact in bundle.facts
    )
    checkpoint = bundle.checkpoint
    times = []
    for _ in range(20 * bench.scale.rounds):
        start = time.perf_counter()
        report = verify_bundle(data, key)
        times.append((time.perf_counter() - start) * 1000)

    def least() -> None:
        for _ in range(hashes):
            sha256(checkpoint[:64]).digest()

    floor = best_seconds(least, 5) * 1000
    value = percentile(times, 50)
    return cost_row(
        "verify_bundle",
        "ms",
        value,
        floor,
        await bench.conditions(
            facts=len(report.facts),
            bytes=len(data),
            hashes=hashes,
            value="p50",
            building_ms=round(building * 1000, 1),
            floor="as many bare SHA-256 of 64 bytes as the bundle has hashes to recompute",
        ),
        bar="25 events <= 50 ms",
        met=value <= 50 if len(report.facts) >= EVENTS_OF_AN_ITEM else None,
        samples=times,
    )
