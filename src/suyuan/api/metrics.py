"""What Prometheus is told: counters of all server processes of this machine, and how the deployment is.

Several processes serve one port, and a scrape reaches any of them. They count into one folder
(``PROMETHEUS_MULTIPROC_DIR``, which ``suyuan serve`` sets), and the one that is asked adds up: counters over all that
ever ran since the start, gauges over those that live. What belongs to the deployment and not to a process (the log,
the database) is read from the database at each scrape, so every machine says the same of it: take the maximum, never
the sum. Labels are routes, kinds and codes, never what they name.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import resource
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

from suyuan import __version__
from suyuan.capture.store import Stored
from suyuan.db.pool import Pool, sql
from suyuan.log import LogStatus, status
from suyuan.observing import REGISTRY
from suyuan.settings import metrics_dir

REQUESTS = Counter(
    "suyuan_http_requests", "HTTP requests by method, route and status.", ("method", "route", "status"),
    registry=REGISTRY,
)  # fmt: skip
SECONDS = Histogram(
    "suyuan_http_request_seconds", "Time from the request's head to the end of its answer.", ("route",),
    registry=REGISTRY, buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)  # fmt: skip
PAPERS = Counter("suyuan_papers", "Papers taken in, by kind.", ("kind", "outcome"), registry=REGISTRY)
EVENTS = Counter("suyuan_events", "Events stored or found again.", ("outcome",), registry=REGISTRY)


def _live(name: str, meaning: str) -> Gauge:
    return Gauge(name, meaning, registry=REGISTRY, multiprocess_mode="livesum")


PROCESSES = _live("suyuan_processes", "Server processes that live.")
MEMORY = _live("suyuan_resident_bytes", "Memory of the server processes, that of the database apart.")
POOL_LIMIT = _live("suyuan_pool_limit", "Connections that the server processes may open.")
POOL_OPEN = _live("suyuan_pool_open", "Connections that are open.")
POOL_IDLE = _live("suyuan_pool_idle", "Open connections that nobody uses.")

WATCH_SECONDS = 5.0
_SIZE_SECONDS = 60.0
_DATABASE_SECONDS = 3.0
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_LIVE_FILE = re.compile(r"gauge_live[a-z]*_(\d+)\.db")
LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
_size: dict[int, tuple[float, int]] = {}


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request."""
    REQUESTS.labels(method if method in _METHODS else "other", route, str(status)).inc()
    SECONDS.labels(route).observe(seconds)


def count_paper(stored: Stored) -> None:
    """Count one paper and its events."""
    PAPERS.labels(stored.kind, "repeat" if stored.repeated else "stored").inc()
    for outcome, number in stored.counts.items():
        if number:
            EVENTS.labels(outcome).inc(number)


def note_process(pool: Pool) -> None:
    """Bring the gauges of this process up to date."""
    PROCESSES.set(1)
    MEMORY.set(_resident())
    POOL_LIMIT.set(pool.get_max_size())
    POOL_OPEN.set(pool.get_size())
    POOL_IDLE.set(pool.get_idle_size())


@contextlib.asynccontextmanager
async def watching(pool: Pool) -> AsyncIterator[None]:
    """Keep this process's gauges up to date for the length of the block, whoever is scraped."""

    async def watch() -> None:
        while True:
            note_process(pool)
            await asyncio.sleep(WATCH_SECONDS)

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()


def _resident() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * resource.getpagesize()


async def metrics_text(pool: Pool) -> bytes:
    """All metrics in Prometheus' text form; those of the processes also where the database does not answer."""
    note_process(pool)
    registry = REGISTRY
    if values.ValueClass.__name__ == "MmapedValue":
        forget_dead(metrics_dir())
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry) + await _deployment(pool)


def forget_dead(folder: Path) -> None:
    """Take away the gauges of processes that are gone; their counters stay."""
    for path in folder.glob("gauge_live*_*.db"):
        named = _LIVE_FILE.fullmatch(path.name)
        if named is None:
            continue
        try:
            os.kill(int(named[1]), 0)
        except ProcessLookupError:
            path.unlink(missing_ok=True)
        except PermissionError:
            continue


async def _deployment(pool: Pool) -> bytes:
    lines = _gauge("suyuan_build_info", "The version that runs.", 1, f'{{version="{__version__}"}}')
    try:
        async with asyncio.timeout(_DATABASE_SECONDS):
            log, waited, size = await status(pool), await oldest_waiting(pool), await _database_bytes(pool)
    except LOST:
        return _text([*_gauge("suyuan_database_up", "Whether the database answers.", 0), *lines])
    lines += _gauge("suyuan_database_up", "Whether the database answers.", 1)
    lines += _gauge("suyuan_database_bytes", "Size of the database on disk, at most a minute old.", size)
    lines += _log_gauges(log, waited)
    return _text(lines)


def _log_gauges(log: LogStatus, waited: float) -> list[str]:
    published_at = 0.0 if log.published_at is None else log.published_at.timestamp()
    lines = []
    for name, meaning, value in (
        ("waiting", "Events that wait for their index.", log.waiting),
        (
            "oldest_waiting_seconds",
            "Since when the oldest of them waits; 0 where none does.",
            round(waited, 3),
        ),
        ("sequenced", "Entries of the log.", log.sequenced),
        ("published", "Entries under the newest checkpoint.", log.published),
        ("published_timestamp_seconds", "When the newest checkpoint was signed.", round(published_at, 3)),
    ):
        lines += _gauge(f"suyuan_log_{name}", meaning, value)
    return lines


async def oldest_waiting(pool: Pool) -> float:
    """Seconds that the oldest event without an index waits; 0 where none does."""
    return float(await pool.fetchval(sql(__package__, "oldest_waiting")) or 0.0)


async def _database_bytes(pool: Pool) -> int:
    """Remembered for a minute: the server looks at every file for it."""
    now = time.monotonic()
    then, size = _size.get(id(pool), (0.0, 0))
    if not size or now - then >= _SIZE_SECONDS:
        size = int(await pool.fetchval("SELECT pg_database_size(current_database())"))
        _size.clear()
        _size[id(pool)] = (now, size)
    return size


def _gauge(name: str, meaning: str, value: float, labels: str = "") -> list[str]:
    return [f"# HELP {name} {meaning}", f"# TYPE {name} gauge", f"{name}{labels} {value}"]


def _text(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()
