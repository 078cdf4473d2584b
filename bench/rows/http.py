"""Rows over HTTP: captures of documents and of single events, item pages, and the server's memory under load."""

from __future__ import annotations

import asyncio
import io
import random
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import msgspec
from stage.bench import Bench
from stage.goods import size_of
from stage.load import Outcome, request, send
from stage.members import GTIN, capture_token
from stage.papers import document, observation
from stage.result import Condition, Row, cost_row, rate_row
from stage.server import HOST, Memory, Server, database_cpu_seconds

from suyuan.app import Services
from suyuan.gs1.serials import new_serials

EVENTS, EPCS = 500, 10
CLIENTS, SINGLE_CLIENTS = 4, 32
_GENERATOR = "own asyncio client on uvloop, keep-alive, in a process of its own"

# The rows that documents left, under other keys of the same classes: as many, as long, as near to each other.
_SHIFTED_KEY = "substring({0} FOR 6) || substring(sha256({0} || '\\x01'::bytea) FOR 10)"
_COPIES = {
    "evidence": "SELECT evidence_id + {shift}, capture_id || 'x', party_id, kind, name, size, digest,"
    " substring(sha256(identity) FOR 16), warnings, received_at FROM evidence WHERE evidence_id = {evidence}",
    "evidence_body": "SELECT evidence_id + {shift}, salt, skeleton FROM evidence_body WHERE evidence_id = {evidence}",
    "evidence_event": "SELECT evidence_id + {shift}, position, event_key + {shift}, path, rule, outcome"
    " FROM evidence_event WHERE evidence_id = {evidence} ORDER BY position",
    "thing": f"SELECT {_SHIFTED_KEY.format('key')}, uri || 'x', kind, first_month FROM thing WHERE key IN"
    " (SELECT key FROM bench_row WHERE evidence_id = {evidence} AND first) ORDER BY 1",
    "event": "SELECT event_key + {shift}, {event_columns} FROM event WHERE event_key IN {events} ORDER BY 5",
    "event_payload": "SELECT event_key + {shift}, body, statement, secret FROM event_payload"
    " WHERE event_key IN {events} ORDER BY 1",
    "thing_event": f"SELECT {_SHIFTED_KEY.format('key')}, record_month, event_time, event_key + {{shift}}, role,"
    " action, other, position FROM bench_row WHERE evidence_id = {evidence} ORDER BY 1",
    "intake": "SELECT event_key + {shift}, '\\x01'::bytea || commitment || '\\x00004f00'::bytea FROM event"
    " WHERE event_key IN {events} ORDER BY 1",
}
# Index rows have no index by event: they are found once. ``first``: the first event of this run to name the thing.
_INDEX_ROWS = """
CREATE TEMP TABLE bench_row AS
SELECT x.evidence_id, i.*, i.event_key = min(i.event_key) OVER (PARTITION BY i.key) AS first
FROM thing_event AS i JOIN evidence_event AS x USING (event_key)
WHERE x.evidence_id > {after}
"""


class _Documents:
    """Documents of 500 events with 10 EPCs each: every other one sees again what one before it introduced."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._minutes = 0

    def make(self, count: int) -> list[bytes]:
        fresh: list[list[str]] = []
        written = []
        for number in range(count):
            # The third before last, so that two at work at one time rarely name the same things.
            known = fresh[number // 2 - 3] if number % 2 and number // 2 >= 3 else None
            serials = known or new_serials(GTIN, "0", self._key, EVENTS * EPCS)
            if known is None:
                fresh.append(serials)
            self._minutes += 10
            step = "storing" if known else "inspecting"
            start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=self._minutes)
            events = [
                observation(GTIN, serials[n * EPCS : (n + 1) * EPCS], start + timedelta(seconds=n), step)
                for n in range(EVENTS)
            ]
            written.append(document(events))
        return written


def _posts(bodies: Sequence[bytes], token: str) -> list[bytes]:
    headers = {"Authorization": f"Bearer {token}", "Content_Type": "application/ld+json"}
    return [request("POST", "/epcis/capture", body, **headers) for body in bodies]


class _Cost:
    """Processor time that requests cost, which other programs on the machine change less than their rate."""

    def __init__(self, bench: Bench, server: Server) -> None:
        self._folder, self._server = bench.folder(), server
        self._before = server.cpu_seconds(), database_cpu_seconds(self._folder)

    def of(self, count: int) -> dict[str, Condition]:
        """Milliseconds of one core for each of ``count`` things since the start, in server and database."""
        server = self._server.cpu_seconds() - self._before[0]
        database = database_cpu_seconds(self._folder) - self._before[1]
        return {
            "server_cpu_ms_each": round(server * 1000 / count, 3),
            "database_cpu_ms_each": round(database * 1000 / count, 3),
        }


def _check(outcome: Outcome, *expected: int) -> None:
    if set(outcome.statuses) - set(expected):
        raise RuntimeError(f"answers with other statuses than {expected}: {outcome.statuses}")


async def capture_documents(bench: Bench) -> Row:
    """Documents posted to /epcis/capture by a few clients, acknowledged after commit."""
    await bench.goods(bench.scale.items)
    services, server = await bench.services(), await bench.server()
    token = await capture_token(services, "bench-warehouse")
    maker = _Documents()
    await send(HOST, server.port, _posts(maker.make(CLIENTS), token), connections=CLIENTS)
    before = await size_of(services)
    last = int(await services.pool.fetchval("SELECT max(evidence_id) FROM evidence"))
    bodies = maker.make(bench.scale.documents)
    cost = _Cost(bench, server)
    outcome = await send(HOST, server.port, _posts(bodies, token), connections=CLIENTS)
    _check(outcome, 202)
    costs = cost.of(len(bodies) * EVENTS)
    floor = await _copy_rate(services, last)
    rate = len(bodies) * EVENTS / outcome.seconds
    ratio = rate / floor
    return rate_row(
        "capture_documents",
        "events/s",
        rate,
        floor,
        await bench.conditions(
            documents=len(bodies),
            events_per_document=EVENTS,
            epcs_per_event=EPCS,
            bytes_per_document=len(bodies[0]),
            events_before=before.events,
            index_rows_before=before.index_rows,
            clients=CLIENTS,
            load_generator=_GENERATOR,
            server=server.command,
            latencies="ms of a document",
            floor="raw binary COPY of the same rows under other keys into the same tables, a transaction a document,"
            f" over {CLIENTS} connections",
            **costs,
        ),
        bar=">= 2,000 events/s at 1 M events, >= 0.30 of raw COPY",
        met=(rate >= 2_000 and ratio >= 0.30) if before.events >= 1_000_000 else None,
        latencies_ms=outcome.latencies_ms,
    )


async def _copy_rate(services: Services, after: int) -> float:
    """Events a second of copying what the evidence after ``after`` left."""
    pool = services.pool
    papers = await pool.fetch("SELECT evidence_id FROM evidence WHERE evidence_id > $1 ORDER BY 1", after)
    shift = 1 << 40
    columns = str(
        await pool.fetchval(
            "SELECT string_agg(column_name, ', ' ORDER BY ordinal_position) FROM information_schema.columns"
            " WHERE table_name = 'event' AND table_schema = current_schema() AND column_name <> 'event_key'"
        )
    )
    columns = columns.replace("event_id_key", "substring(sha256(event_id_key) FOR 16)")
    columns = columns.replace("content_hash", "sha256(content_hash)")
    loads: list[dict[str, bytes]] = []
    async with pool.acquire() as conn:
        await conn.execute("ANALYZE thing_event, evidence_event, evidence, event, thing")
        await conn.execute(_INDEX_ROWS.format(after=after), timeout=600)
        await conn.execute("CREATE INDEX ON bench_row (evidence_id)")
        events = int(await conn.fetchval("SELECT count(*) FROM evidence_event WHERE evidence_id > $1", after))
        for row in papers:
            evidence = row["evidence_id"]
            keys = f"(SELECT event_key FROM evidence_event WHERE evidence_id = {evidence})"
            words = {"shift": shift, "evidence": evidence, "events": keys, "event_columns": columns}
            load = {}
            for table, query in _COPIES.items():
                rows = io.BytesIO()
                await conn.copy_from_query(query.format(**words), output=rows, format="binary", timeout=600)
                load[table] = rows.getvalue()
            loads.append(load)
        await conn.execute("DROP TABLE bench_row")
    waiting = iter(loads)
    start = time.perf_counter()
    await asyncio.gather(*(_copy_all(services, waiting) for _ in range(CLIENTS)))
    return events / (time.perf_counter() - start)


async def _copy_all(services: Services, loads: Iterator[dict[str, bytes]]) -> None:
    async with services.pool.acquire() as conn:
        for load in loads:
            async with conn.transaction():
                for table, rows in load.items():
                    await conn.copy_to_table(table, source=io.BytesIO(rows), format="binary", timeout=600)


async def capture_single(bench: Bench) -> Row:
    """Single events posted by 32 clients at a time, each waiting for its answer before it sends the next."""
    await bench.goods(bench.scale.items)
    services, server, empty = await bench.services(), await bench.server(), await bench.empty_server()
    token = await capture_token(services, "bench-courier")
    serials = new_serials(GTIN, "0", secrets.token_bytes(32), bench.scale.posts + SINGLE_CLIENTS * 8)
    start = datetime(2026, 2, 1, tzinfo=UTC)
    bodies = [
        document([observation(GTIN, [serial], start + timedelta(seconds=n), "departing")])
        for n, serial in enumerate(serials)
    ]
    posts = _posts(bodies, token)
    warm, posts = posts[: SINGLE_CLIENTS * 8], posts[SINGLE_CLIENTS * 8 :]
    _check(await send(HOST, server.port, warm, connections=SINGLE_CLIENTS), 202)
    before = await size_of(services)
    cost = _Cost(bench, server)
    outcome = await send(HOST, server.port, posts, connections=SINGLE_CLIENTS)
    _check(outcome, 202)
    costs = cost.of(len(posts))
    nothing = [request("POST", "/", body, Content_Type="application/ld+json") for body in bodies]
    least = await send(HOST, empty.port, nothing, connections=SINGLE_CLIENTS)
    _check(least, 202)
    row = rate_row(
        "capture_single",
        "events/s",
        outcome.rate,
        least.rate,
        await bench.conditions(
            posts=len(posts),
            clients=SINGLE_CLIENTS,
            events_before=before.events,
            load_generator=_GENERATOR,
            server=server.command,
            latencies="ms of a post",
            floor="the same posts to an empty handler on the same server stack, one process",
            **costs,
        ),
        bar=">= 800/s from 32 clients, p99 <= 100 ms",
        latencies_ms=outcome.latencies_ms,
    )
    return _with_met(row, outcome.rate >= 800 and (row.p99 or 0) <= 100)


def _with_met(row: Row, met: bool) -> Row:
    return msgspec.structs.replace(row, met=met)


def _page(item: str, language: str = "zh-CN") -> bytes:
    return request(
        "GET", urlsplit(item).path, Accept="text/html", Accept_Language=language, Accept_Encoding="gzip"
    )


async def page_computed(bench: Bench) -> Row:
    """Item pages that nobody asked for lately: each is computed anew, trace, coverage, proof and markup."""
    return await _page_row(bench, "page_computed", computed=True)


async def page_unchanged(bench: Bench) -> Row:
    """The same few item pages asked for again and again, nothing new having been captured about them."""
    return await _page_row(bench, "page_unchanged", computed=False)


async def _page_row(bench: Bench, name: str, *, computed: bool) -> Row:
    goods = await bench.goods(bench.scale.items)
    services, server, empty = await bench.services(), await bench.server(), await bench.empty_server()
    clients, pages = 16, [_page(item) for item in goods.items]
    if computed:
        # Each page once and in no order: what was asked for before would be remembered, and neighbours meet by chance.
        random.Random(7).shuffle(pages)
        warm, wanted = pages[-8:], pages[:-8][: bench.scale.pages]
    else:
        pages = pages[:40]
        warm, wanted = pages * 4, (pages * (bench.scale.pages // len(pages) + 1))[: bench.scale.pages]
    count = len(wanted)
    await send(HOST, server.port, warm, connections=clients)
    cost = _Cost(bench, server)
    outcome = await send(HOST, server.port, wanted, connections=clients)
    _check(outcome, 200)
    costs = cost.of(count)
    least = await send(HOST, empty.port, [request("GET", "/")] * count, connections=clients)
    size = await size_of(services)
    least_rate, bar_rate = (300, ">= 300") if computed else (1_500, ">= 1,500")
    row = rate_row(
        name,
        "pages/s",
        outcome.rate,
        least.rate,
        await bench.conditions(
            requests=count,
            distinct_pages=len(set(wanted)),
            events_of_the_item=25,
            bytes_per_page=round(outcome.received / count),
            items=size.items,
            events=size.events,
            clients=clients,
            load_generator=_GENERATOR,
            server=server.command,
            latencies="ms of a page",
            floor="an empty handler on the same server stack, one process",
            **costs,
        ),
        bar=f"{bar_rate} pages/s, p99 <= 60 ms",
        latencies_ms=outcome.latencies_ms,
    )
    return _with_met(row, outcome.rate >= least_rate and (row.p99 or 0) <= 60)


async def server_memory(bench: Bench) -> Row:
    """Memory of all processes of the server, the database's left out, at its highest under captures and pages."""
    goods = await bench.goods(bench.scale.items)
    services, server, empty = await bench.services(), await bench.server(), await bench.empty_server()
    token = await capture_token(services, "bench-maker")
    documents = _posts(_Documents().make(max(4, bench.scale.documents // 2)), token)
    pages = [_page(item) for item in goods.items]
    async with _watching(server) as seen:
        outcomes = await asyncio.gather(
            send(HOST, server.port, documents, connections=CLIENTS),
            send(HOST, server.port, pages, connections=8),
        )
    for outcome in outcomes:
        _check(outcome, 200, 202)
    await send(HOST, empty.port, [request("GET", "/")] * 2_000, connections=8)
    highest = max(seen, key=lambda memory: memory.proportional)
    proportional = highest.proportional
    return cost_row(
        "server_memory",
        "MB",
        proportional,
        empty.memory().proportional,
        await bench.conditions(
            processes=len(highest.each),
            each_rss_mb=" ".join(map(str, highest.each)),
            rss_mb=round(max(memory.resident for memory in seen)),
            before_mb=round(seen[0].proportional),
            before_rss_mb=round(seen[0].resident),
            value="highest sum of PSS: what processes share is counted once; rss_mb counts it once for each of them",
            load=f"{len(documents)} documents over {CLIENTS} connections beside {len(pages)} pages over 8",
            server=server.command,
            floor="PSS of a server of the same stack with an empty handler, one process and its leader",
        ),
        bar="<= 300 MB (PSS) beside the database's",
        met=proportional <= 300,
    )


@asynccontextmanager
async def _watching(server: Server) -> AsyncIterator[list[Memory]]:
    seen = [server.memory()]

    async def watch() -> None:
        while True:
            await asyncio.sleep(0.25)
            seen.append(server.memory())

    task = asyncio.create_task(watch())
    try:
        yield seen
    finally:
        task.cancel()
