"""Rows of the database alone: issuing codes, integrating the log, proving inclusion, the lag of publishing."""

from __future__ import annotations

import asyncio
import io
import random
import secrets
import time
from datetime import UTC, datetime

from stage.bench import Bench
from stage.goods import publish_all
from stage.members import GTIN
from stage.papers import document, observation
from stage.result import Row, cost_row, rate_row

from suyuan.app import Services, sequencing
from suyuan.db.pool import Connection
from suyuan.gs1.serials import new_serials
from suyuan.issuing import issue
from suyuan.log import Tree, integrate, publish, sequence_once, wait_until_published
from suyuan.tlog.merkle import leaf_hash, verify_inclusion


async def copy_seconds(conn: Connection, query: str, table: str) -> float:
    """Seconds of a raw binary COPY of the rows that ``query`` gives into ``table``, committed."""
    rows = io.BytesIO()
    await conn.copy_from_query(query, output=rows, format="binary", timeout=3600)
    rows.seek(0)
    start = time.perf_counter()
    await conn.copy_to_table(table, source=rows, format="binary", timeout=3600)
    return time.perf_counter() - start


async def issue_serials(bench: Bench) -> Row:
    """Signed serials issued as one batch, stored and committed."""
    services, count = await bench.services(), bench.scale.codes
    start = time.perf_counter()
    batch = await issue(
        services.pool, services.mac_keys, gtin=GTIN, lot="BENCH", count=count, party_id="bench-maker"
    )
    took = time.perf_counter() - start
    async with services.pool.acquire() as conn:
        await conn.execute(
            "DROP TABLE IF EXISTS bench_code; CREATE TABLE bench_code (LIKE code INCLUDING ALL)"
        )
        query = f"SELECT * FROM code WHERE batch_id = {batch.batch_id} ORDER BY ordinal"
        least = await copy_seconds(conn, query, "bench_code")
        await conn.execute("DROP TABLE bench_code")
    return rate_row(
        "issue_serials",
        "codes/s",
        count / took,
        count / least,
        await bench.conditions(
            codes=count,
            seconds=round(took, 2),
            floor="raw binary COPY of the same rows into a table with the same indexes",
        ),
        bar="1 M in 20 s (50,000 codes/s), stored",
        met=count / took >= 50_000,
    )


async def log_integrate(bench: Bench) -> Row:
    """Leaves brought from the intake to a published checkpoint: sequenced, hashed into tiles, read again, signed."""
    services, count = await bench.services(), bench.scale.leaves
    await publish_all(services)
    await _fill_intake(services, count)
    start = time.perf_counter()
    while await sequence_once(services.pool):
        pass
    sequenced = time.perf_counter()
    await integrate(services.pool)
    integrated = time.perf_counter()
    await publish(services.pool, services.signer)
    published = time.perf_counter()
    async with services.pool.acquire() as conn:
        await conn.execute(
            "DROP TABLE IF EXISTS bench_entry; CREATE TABLE bench_entry (LIKE log_entry INCLUDING ALL)"
        )
        query = f"SELECT * FROM log_entry ORDER BY log_index DESC LIMIT {count}"
        least = await copy_seconds(conn, query, "bench_entry")
        await conn.execute("DROP TABLE bench_entry")
        size = int(await conn.fetchval("SELECT next_index FROM log_head"))
    took = published - start
    return rate_row(
        "log_integrate",
        "leaves/s",
        count / took,
        count / least,
        await bench.conditions(
            leaves=count,
            log_size=size,
            sequencing_per_s=round(count / (sequenced - start)),
            integrating_per_s=round(count / (integrated - sequenced)),
            publishing_per_s=round(count / (published - integrated)),
            floor="raw binary COPY of the same entries into a table with the same indexes",
        ),
        bar=">= 10,000 leaves/s",
        met=count / took >= 10_000,
    )


async def _fill_intake(services: Services, count: int) -> None:
    """Events' places in line, as many captures would leave them; the events themselves are not written."""
    async with services.pool.acquire() as conn:
        keys = "SELECT nextval('event_key_seq') AS event_key"
        await conn.execute(
            "INSERT INTO intake (event_key, leaf)"
            " SELECT event_key, '\\x01'::bytea || sha256(int8send(event_key)) || '\\x00004f00'::bytea"
            f" FROM ({keys} FROM generate_series(1, {count})) AS k",
            timeout=3600,
        )


async def inclusion_proof(bench: Bench) -> Row:
    """One inclusion proof of a random entry of the published tree, by a reader whose tiles are warm as they come."""
    services = await bench.services()
    pool, count = services.pool, bench.scale.traces
    if await pool.fetchval("SELECT count(*) FROM log_checkpoint") == 0:
        await _fill_intake(services, bench.scale.leaves)
        await publish_all(services)
    size = int(await pool.fetchval("SELECT max(tree_size) FROM log_checkpoint"))
    root = bytes(await pool.fetchval("SELECT root_hash FROM log_checkpoint ORDER BY tree_size DESC LIMIT 1"))
    chooser = random.Random(7)
    indexes = [chooser.randrange(size) for _ in range(count)]
    tree = Tree(pool)
    first = await _timed_proof(tree, indexes[0], size)
    times = [await _timed_proof(tree, index, size) for index in indexes]
    fetch = "SELECT leaf FROM log_entry WHERE log_index = $1"
    leaf = await pool.fetchval(fetch, indexes[0])
    verify_inclusion(indexes[0], size, leaf_hash(leaf), await tree.inclusion_proof(indexes[0], size), root)
    floors = []
    for index in indexes:
        start = time.perf_counter()
        await pool.fetchval(fetch, index)
        floors.append((time.perf_counter() - start) * 1000)
    value = sum(times) / count
    return cost_row(
        "inclusion_proof",
        "ms",
        value,
        sum(floors) / count,
        await bench.conditions(
            log_size=size,
            proofs=count,
            value="mean",
            first_proof_ms=round(first, 3),
            floor="one entry read by its primary key",
        ),
        bar="<= 1 ms",
        met=value <= 1,
        samples=times,
    )


async def _timed_proof(tree: Tree, index: int, size: int) -> float:
    start = time.perf_counter()
    await tree.inclusion_proof(index, size)
    return (time.perf_counter() - start) * 1000


def _moment() -> datetime:
    return datetime.now(UTC)


async def publish_lag(bench: Bench) -> Row:
    """From the acknowledgement of an event to a published checkpoint that covers it, under steady captures."""
    services = await bench.services()
    deliverer = await services.deliverer_of("bench-maker")
    serials = iter(new_serials(GTIN, "0", secrets.token_bytes(32), 200_000))
    lags: list[float] = []
    waiting: set[asyncio.Task[None]] = set()

    async def wait(key: int, since: float) -> None:
        await wait_until_published(services.pool, [key], poll=0.02)
        lags.append(time.perf_counter() - since)

    captured = 0
    async with sequencing(services):
        end = time.perf_counter() + bench.scale.lag_seconds
        while time.perf_counter() < end:
            events = [observation(GTIN, [next(serials) for _ in range(10)], _moment()) for _ in range(20)]
            stored = await services.capture.submit(document(events), deliverer)
            captured += len(stored.events)
            waiting.add(asyncio.create_task(wait(stored.events[-1].event_key, time.perf_counter())))
            await asyncio.sleep(0.15)
        await asyncio.gather(*waiting)
    floors = []
    for _ in range(5):
        events = [observation(GTIN, [next(serials) for _ in range(10)], _moment()) for _ in range(20)]
        await services.capture.submit(document(events), deliverer)
        start = time.perf_counter()
        await publish_all(services)
        floors.append(time.perf_counter() - start)
    value = max(lags)
    return cost_row(
        "publish_lag",
        "s",
        value,
        sum(floors) / len(floors),
        await bench.conditions(
            documents=len(lags),
            events_per_s=round(captured / bench.scale.lag_seconds),
            value="the longest",
            publish_every_s=1.0,
            floor="sequencing, integrating and publishing at once, without the pause between checkpoints",
        ),
        bar="<= 2 s",
        met=value <= 2,
        samples=lags,
    )
