"""A compressed day of mixed load against ``suyuan serve``, and whether memory, connections or lag grow under it.

    bench/run.py load [--minutes N] [--pace X] [--every S] [--items N] [--pages N] [--data-dir DIR] [--json]

``--pages`` of the ``--items`` are read before the load begins, so that what the server keeps of pages is full, as in
one that has run for a while. ``--pace`` is a multiple of 60,000 parcels a day. The deployment is new and durable, its
server runs in processes of its own. Wrong answers make the run end with 1; growth is told.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from rich.console import Console
from rich.table import Table
from stage.goods import fill_to, size_of
from stage.load import request, send
from stage.members import add_members
from stage.result import Condition, machine, percentile
from stage.server import BASE_URL, HOST, start_server

from load.day import PARCELS_A_DAY
from load.sampling import Sample, sample
from load.sending import Line
from load.traffic import Traffic, kinds
from load.trend import Trend, trend
from suyuan import settings
from suyuan.app import Services, open_services

_CROWD = "SELECT uri FROM thing WHERE kind = 'item' ORDER BY md5(uri) LIMIT $1"


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """All requests of a kind: how many, how many wrong, milliseconds from when each was due; those of each half."""

    name: str
    requests: int
    wrong: int
    rate: float
    p50: float
    p99: float
    p99_first_half: float
    p99_second_half: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a run found."""

    conditions: dict[str, Condition]
    kinds: list[Kind]
    trends: list[Trend]
    wrong: list[str]
    samples: list[Sample]

    @property
    def growing(self) -> list[str]:
        """What grew."""
        return [one.name for one in self.trends if one.grows]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is to be; ``pages`` of the ``items`` are read before it."""

    minutes: float
    pace: float
    every: float
    items: int
    pages: int


async def measure(asked: Asked, folder: Path) -> Report:
    """Run the load on a new deployment in ``folder``."""
    chosen = settings.load({}, data_dir=str(folder), base_url=BASE_URL)
    load_before = os.getloadavg()[0]
    async with open_services(chosen) as services:
        await add_members(services)
        if asked.items:
            await fill_to(services, asked.items, _say)
        before = await size_of(services)
        async with start_server(folder) as server:
            await _read_pages(services, server.port, asked.pages)
            traffic = Traffic(services, server.port, asked.pace, asked.minutes * 60)
            _say("issuing the first codes")
            await traffic.prepare()
            _say(
                f"load at {asked.pace:g} times {PARCELS_A_DAY:,} parcels a day for {asked.minutes:g} minutes"
            )
            work = asyncio.create_task(traffic.run())
            await asyncio.sleep(0)
            samples = []
            shown: dict[str, int] = {}
            while not work.done():
                await asyncio.wait([work], timeout=asked.every)
                recent = _recent(traffic.lines, shown)
                samples.append(await sample(services, server, folder, traffic.start, traffic.waiting, recent))
            await work
            seconds = time.perf_counter() - traffic.start
            after = await size_of(services)
            command = server.command
    return Report(
        conditions={
            **machine(),
            "load_average_before": round(load_before, 2),
            "load_average": round(max(one.load_average for one in samples), 2),
            "minutes": asked.minutes,
            "pace": asked.pace,
            "parcels_a_second": round(PARCELS_A_DAY * asked.pace / 86_400, 2),
            "seconds": round(seconds, 1),
            "sampled_every_seconds": asked.every,
            "pages_read_before": asked.pages,
            "items_before": before.items,
            "events_before": before.events,
            "events_added": after.events - before.events,
            "log_entries_added": after.log_entries - before.log_entries,
            "parcels_without_codes": traffic.starved,
            "server": command,
        },
        kinds=[_kind(name, traffic.lines[name], seconds) for name in kinds()],
        trends=_trends(samples),
        wrong=_wrong(traffic.lines),
        samples=samples,
    )


async def _read_pages(services: Services, port: int, count: int) -> None:
    """Read so many pages, each of another item. Raises ``RuntimeError`` where one is not given."""
    if not count:
        return
    _say(f"reading {count:,} pages first")
    rows = await services.pool.fetch(_CROWD, count)
    paths = [urlsplit(str(row["uri"])).path for row in rows]

    def asked(path: str) -> bytes:
        return request("GET", path, Accept="text/html", Accept_Language="zh-CN", Accept_Encoding="gzip")

    outcome = await send(HOST, port, [asked(path) for path in paths], connections=8)
    if outcome.statuses != {200: count}:
        raise RuntimeError(f"the load cannot begin: of {count} pages came {outcome.statuses}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _wrong(lines: dict[str, Line]) -> list[str]:
    """What was wrong, the most frequent first, each with how often."""
    told = Counter(f"{name}: {text}" for name, line in lines.items() for text in line.wrong)
    return [f"{count} times {text}" for text, count in told.most_common(8)]


def _recent(lines: dict[str, Line], shown: dict[str, int]) -> dict[str, tuple[float, float]]:
    found = {}
    for name, line in lines.items():
        latest = [one.milliseconds for one in line.timed[shown.get(name, 0) :]]
        shown[name] = len(line.timed)
        if latest:
            found[name] = (percentile(latest, 50), percentile(latest, 99))
    return found


def _kind(name: str, line: Line, seconds: float) -> Kind:
    def worst(start: float, end: float, per_cent: float) -> float:
        chosen = [one.milliseconds for one in line.timed if start <= one.at < end]
        return round(percentile(chosen, per_cent), 1) if chosen else 0.0

    return Kind(
        name=name,
        requests=len(line.timed),
        wrong=len(line.wrong),
        rate=round(len(line.timed) / seconds, 2),
        p50=worst(0, float("inf"), 50),
        p99=worst(0, float("inf"), 99),
        p99_first_half=worst(0, seconds / 2, 99),
        p99_second_half=worst(seconds / 2, float("inf"), 99),
    )


# What is watched for growth: unit, how to read it, and what rise over half a run is no growth.
_WATCHED: dict[str, tuple[str, Any, Any]] = {
    "server memory (RSS)": ("MB", lambda one: one.resident, lambda mean: mean * 0.05),
    "server memory (PSS)": ("MB", lambda one: one.proportional, lambda mean: mean * 0.05),
    "database's own memory": ("MB", lambda one: one.database_own, lambda mean: mean * 0.10),
    "database connections": ("", lambda one: one.connections, lambda _: 1.0),
    "intake waiting": ("events", lambda one: one.intake_waiting, lambda _: 100.0),
    "oldest waiting": ("s", lambda one: one.oldest_waiting_seconds, lambda _: 1.0),
    "unpublished": ("entries", lambda one: one.unpublished, lambda _: 500.0),
    "requests waiting": ("", lambda one: one.requests_waiting, lambda _: 10.0),
}


def _trends(samples: Sequence[Sample]) -> list[Trend]:
    found = []
    for name, (unit, read, tolerance) in _WATCHED.items():
        points = [(one.at, float(read(one))) for one in samples]
        half = [value for _, value in points[len(points) // 2 :]]
        mean = sum(half) / len(half) if half else 0.0
        one = trend(name, unit, points, tolerance(mean))
        if one is not None:
            found.append(one)
    return found


def show(report: Report) -> None:
    """The report as tables for people."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    table = Table(
        "requests", "number", "a second", "wrong", "p50 ms", "p99 ms", "p99 1st half", "p99 2nd half"
    )
    for kind in report.kinds:
        table.add_row(
            kind.name, f"{kind.requests:,}", f"{kind.rate:.2f}", str(kind.wrong),
            *(f"{value:,.1f}" for value in (kind.p50, kind.p99, kind.p99_first_half, kind.p99_second_half)),
        )  # fmt: skip
    console.print(table)
    table = Table("second half", "mean", "slope a minute", "95 %", "rise", "no growth up to", "")
    for one in report.trends:
        table.add_row(
            one.name, f"{one.mean:,.1f} {one.unit}", f"{one.slope:+,.2f}", f"± {one.margin:,.2f}",
            f"{one.rise:+,.1f}", f"{one.tolerance:,.1f}", "GROWS" if one.grows else "steady",
        )  # fmt: skip
    console.print(table)
    console.print(", ".join(f"{name}={value}" for name, value in report.conditions.items()), highlight=False)
    for text in report.wrong:
        console.print(f"wrong: {text}", markup=False)


def main(arguments: Sequence[str]) -> int:
    """Run the load as the command line says."""
    parser = argparse.ArgumentParser(prog="bench/run.py load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--pace", type=float, default=4.0, help="times 60,000 parcels a day (4)")
    parser.add_argument("--every", type=float, default=3.0, help="seconds between samples (3)")
    parser.add_argument("--items", type=int, default=0, help="items of other people in the tables before (0)")
    parser.add_argument("--pages", type=int, default=0, help="pages of those that are read before (0)")
    parser.add_argument("--data-dir", type=Path, help="keep the deployment in this new folder")
    parser.add_argument("--json", action="store_true", help="print the report as JSON, with all samples")
    asked = parser.parse_args(arguments)
    if asked.pages > asked.items:
        parser.error("--pages is at most --items")
    with tempfile.TemporaryDirectory(prefix="suyuan-load-") as temporary:
        folder = asked.data_dir or Path(temporary)
        run = Asked(
            minutes=asked.minutes, pace=asked.pace, every=asked.every, items=asked.items, pages=asked.pages
        )
        report = asyncio.run(measure(run, folder))
    if asked.json:
        shown = {**msgspec.to_builtins(report), "growing": report.growing}
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(shown), indent=2) + b"\n")
    else:
        show(report)
    return 1 if any(kind.wrong for kind in report.kinds) else 0
