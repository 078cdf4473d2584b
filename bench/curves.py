"""How costs grow with the tables: the same measurements at 10^4, 10^5, 10^6 and 10^7 events.

    bench/run.py curves [--to 10000000] [--data-dir DIR] [--json]

The tables are filled by the database itself (``stage/fill.sql``), in portions, and each step is written down in
``curves.json`` of the data directory. A run that was stopped goes on from there when it is given the same directory.
Rates are measured beside nothing else: on a machine at work, look at the trend and not at the figure.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec
from rich.console import Console
from rich.table import Table
from rows.sizing import EVENTS_OF_A_DOCUMENT, ITEMS_OF_AN_EVENT, disk_bytes
from stage.goods import fill_to, make_goods, publish_all
from stage.journeys import EVENTS_OF_AN_ITEM
from stage.members import GTIN, add_members
from stage.papers import document, observation
from stage.result import machine, percentile
from stage.server import BASE_URL

from suyuan import settings
from suyuan.app import Services, open_services
from suyuan.asgi import opened
from suyuan.observing import configure_logging
from suyuan.trace import OPERATOR

STEPS = (10_000, 100_000, 1_000_000, 10_000_000)
# What the crowd has of events for each item: packings of 24 and 1,152, five events for each parcel of two.
_EVENTS_PER_ITEM = 0.59
_BYTES_PER_EVENT = 4_000
_CASES, _TRACES, _PAGES, _PROOFS, _DOCUMENTS = 16, 300, 200, 300, 10
_COUNT = "SELECT count(*) FROM event"
_SIZES = (
    "SELECT (SELECT count(*) FROM thing WHERE kind = 'item') AS items, (SELECT count(*) FROM event) AS events,"
    " (SELECT count(*) FROM thing_event) AS index_rows"
)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the curves. Times are milliseconds; bytes are those of tables and indexes of the whole database."""

    target: int
    items: int
    events: int
    index_rows: int
    capture_ms_event: float
    trace_p50: float
    trace_p99: float
    page_p50: float
    page_p99: float
    proof_p50: float
    proof_p99: float
    bytes_event: float
    bytes_item: float
    index_bytes: int
    disk_bytes: int
    fill_seconds: float
    load_average: float


class Curves(msgspec.Struct):
    """What is written down after each step."""

    items: list[str] = []
    steps: list[Step] = []


def say(text: str) -> None:
    """A line about what takes time."""
    print(text, file=sys.stderr, flush=True)


async def run(folder: Path, limit: int) -> list[Step]:
    """Fill and measure up to ``limit`` events; steps that the folder has already are not done again."""
    record = folder / "curves.json"
    curves = msgspec.json.decode(record.read_bytes(), type=Curves) if record.exists() else Curves()
    steps = [step for step in STEPS if step <= limit]
    _check_room(folder, steps[-1])
    async with _services(folder) as services:
        if not curves.items:
            say("capturing the goods whose way is read")
            curves.items = list((await make_goods(services, _CASES)).items)
            _keep(record, curves)
        for target in steps:
            if any(step.target == target for step in curves.steps):
                say(f"{target:,} events: measured before")
                continue
            started = time.perf_counter()
            await _fill(services, target)
            filled = time.perf_counter() - started
            say(f"{target:,} events: measuring")
            curves.steps.append(await _measure(services, target, curves.items, filled))
            _keep(record, curves)
    return [step for step in curves.steps if step.target <= limit]


def _keep(record: Path, curves: Curves) -> None:
    part = record.with_suffix(".part")
    part.write_bytes(msgspec.json.format(msgspec.json.encode(curves), indent=1))
    part.replace(record)


def _check_room(folder: Path, events: int) -> None:
    room, wanted = shutil.disk_usage(folder).free, events * _BYTES_PER_EVENT + (2 << 30)
    if room < wanted:
        raise SystemExit(
            f"{events:,} events take up to {wanted / 1e9:.0f} GB here, and {room / 1e9:.0f} GB are free."
            " Name a bigger disk with --data-dir, or fewer events with --to."
        )


@contextlib.asynccontextmanager
async def _services(folder: Path) -> AsyncIterator[Services]:
    chosen = settings.load({}, data_dir=str(folder), base_url=BASE_URL, log_level="warning")
    configure_logging(chosen)
    async with open_services(chosen) as services:
        if not await services.pool.fetchval("SELECT EXISTS (SELECT FROM party)"):
            await add_members(services)
        yield services


async def _fill(services: Services, target: int) -> None:
    known = int(
        await services.pool.fetchval("SELECT coalesce(max(size), 0) FROM evidence WHERE kind = 'bench/crowd'")
    )
    missing = target - int(await services.pool.fetchval(_COUNT, timeout=600))
    if missing > 0:
        await fill_to(services, known + round(missing / _EVENTS_PER_ITEM), say)
    say("integrating the log")
    await publish_all(services)
    await services.pool.execute("VACUUM (ANALYZE) thing_event, log_entry, log_tile", timeout=3600)
    await services.pool.execute("CHECKPOINT", timeout=3600)


# -- what is measured -----------------------------------------------------------------------------------------


async def _measure(services: Services, target: int, items: list[str], filled: float) -> Step:
    row = await services.pool.fetchrow(_SIZES, timeout=1200)
    assert row is not None
    whole, indexes = await disk_bytes(services)
    chooser = random.Random(target)
    traces = await _traces(services, chooser.choices(items, k=_TRACES))
    pages = await _pages(services, chooser.sample(items, k=min(_PAGES, len(items))))
    proofs = await _proofs(services, chooser)
    captures = await _captures(services, target)
    return Step(
        target=target,
        items=row["items"],
        events=row["events"],
        index_rows=row["index_rows"],
        capture_ms_event=round(percentile(captures, 50), 3),
        trace_p50=round(percentile(traces, 50), 2),
        trace_p99=round(percentile(traces, 99), 2),
        page_p50=round(percentile(pages, 50), 2),
        page_p99=round(percentile(pages, 99), 2),
        proof_p50=round(percentile(proofs, 50), 3),
        proof_p99=round(percentile(proofs, 99), 3),
        bytes_event=round(whole / row["events"]),
        bytes_item=round(whole / row["items"]),
        index_bytes=indexes,
        disk_bytes=whole,
        fill_seconds=round(filled, 1),
        load_average=float(machine()["load_average"]),
    )


def _since(start: float) -> float:
    return (time.perf_counter() - start) * 1000


async def _traces(services: Services, items: list[str]) -> list[float]:
    times = []
    for item in [items[0], *items]:
        start = time.perf_counter()
        trace = await services.reader.read(item, OPERATOR)
        times.append(_since(start))
        if trace is None or len(trace.facts) < EVENTS_OF_AN_ITEM:
            raise AssertionError("a followed item has lost its way")
    return times[1:]


async def _pages(services: Services, items: list[str]) -> list[float]:
    """The page of each item once, by the whole application in this process: none is remembered."""
    times = []
    async with opened(services) as application:
        transport = httpx.ASGITransport(app=application)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            for item in [items[-1], *items[:-1]]:
                start = time.perf_counter()
                answer = await client.get(urlsplit(item).path, headers={"Accept": "text/html"})
                times.append(_since(start))
                answer.raise_for_status()
    return times[1:]


async def _proofs(services: Services, chooser: random.Random) -> list[float]:
    size = int(await services.pool.fetchval("SELECT max(tree_size) FROM log_checkpoint"))
    times = []
    for index in [0, *(chooser.randrange(size) for _ in range(_PROOFS))]:
        start = time.perf_counter()
        await services.tree.inclusion_proof(index, size)
        times.append(_since(start))
    return times[1:]


async def _captures(services: Services, target: int) -> list[float]:
    """Milliseconds an event, one document after another, without the doors in front."""
    maker = await services.deliverer_of("bench-maker")
    start_day = datetime.now(UTC).replace(microsecond=0) - timedelta(days=400)
    times, number = [], 0
    for _ in range(_DOCUMENTS):
        events = []
        for _ in range(EVENTS_OF_A_DOCUMENT):
            serials = [f"1C{target:09d}X{number + n:06d}A" for n in range(ITEMS_OF_AN_EVENT)]
            events.append(observation(GTIN, serials, start_day + timedelta(seconds=number)))
            number += ITEMS_OF_AN_EVENT
        data = document(events)
        start = time.perf_counter()
        await services.capture.submit(data, maker)
        times.append(_since(start) / EVENTS_OF_A_DOCUMENT)
    return times


# -- telling --------------------------------------------------------------------------------------------------

_COLUMNS: tuple[tuple[str, Callable[[Step], str]], ...] = (
    ("events", lambda step: f"{step.events:,}"),
    ("items", lambda step: f"{step.items:,}"),
    ("capture ms/event", lambda step: f"{step.capture_ms_event:.2f}"),
    ("trace p50", lambda step: f"{step.trace_p50:.1f}"),
    ("p99", lambda step: f"{step.trace_p99:.1f}"),
    ("page p50", lambda step: f"{step.page_p50:.1f}"),
    ("p99", lambda step: f"{step.page_p99:.1f}"),
    ("proof p50", lambda step: f"{step.proof_p50:.2f}"),
    ("p99", lambda step: f"{step.proof_p99:.2f}"),
    ("bytes/event", lambda step: f"{step.bytes_event:,.0f}"),
    ("bytes/item", lambda step: f"{step.bytes_item:,.0f}"),
    ("indexes GB", lambda step: f"{step.index_bytes / 1e9:.2f}"),
    ("disk GB", lambda step: f"{step.disk_bytes / 1e9:.2f}"),
    ("fill s", lambda step: f"{step.fill_seconds:,.0f}"),
    ("load", lambda step: f"{step.load_average:.1f}"),
)


def show(steps: list[Step]) -> None:
    """The curves as a table, and what a trace costs at the end of them against a tenth of it."""
    console = Console(width=None if sys.stdout.isatty() else 180)
    table = Table(*[name for name, _ in _COLUMNS])
    for column in table.columns:
        column.justify = "right"
    for step in steps:
        table.add_row(*[text(step) for _, text in _COLUMNS])
    console.print(table)
    for small, big in pairwise(steps):
        trace = (big.trace_p50 / small.trace_p50, big.trace_p99 / small.trace_p99)
        capture = big.capture_ms_event / small.capture_ms_event
        console.print(
            f"{small.items:,} -> {big.items:,} items: trace p50 x{trace[0]:.2f}, p99 x{trace[1]:.2f};"
            f" capture x{capture:.2f}",
            highlight=False,
        )


def main(arguments: list[str]) -> int:
    """Run the curves as the command line says."""
    parser = argparse.ArgumentParser(
        prog="run.py curves", description="Costs against the size of the tables, step by step."
    )
    parser.add_argument("--to", type=int, default=STEPS[-1], metavar="N", help="the last step, in events")
    parser.add_argument("--data-dir", type=Path, help="keep the deployment here, and go on from what it has")
    parser.add_argument("--json", action="store_true", help="print the steps as one JSON array")
    asked = parser.parse_args(arguments)
    if asked.to < STEPS[0]:
        parser.error(f"the first step is {STEPS[0]:,} events")
    with contextlib.ExitStack() as stack:
        folder = asked.data_dir or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="suyuan-curves-"))
        )
        folder.mkdir(parents=True, exist_ok=True)
        steps = asyncio.run(run(folder, asked.to))
    if asked.json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(steps), indent=2) + b"\n")
    else:
        show(steps)
    return 0
