"""The measured table: each row with its floor, both from this run on this machine.

    bench/run.py [NAME...] [--json] [--scale tiny|small|bar] [--data-dir DIR] [--list]
    bench/run.py curves [--to N] [--data-dir DIR] [--json]      how costs grow with the tables; see curves.py
    bench/run.py load [--minutes N] [--pace X]                  a compressed day of mixed load; see docs/LOAD.md

Without names every row is measured, in an order in which later rows find bigger tables. ``--scale small`` takes
minutes and states the sizes it reached; ``--scale bar`` fills the tables to the sizes that the bars name. A missed
bar is told as missed and does not fail the run; a row that cannot be measured says why, and one that broke
makes the run end with 1.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

import curves
import load.run
import msgspec
from rich.console import Console
from rich.table import Table
from rows.database import inclusion_proof, issue_serials, log_integrate, publish_lag
from rows.http import capture_documents, capture_single, page_computed, page_unchanged, server_memory
from rows.packing import pack_scan
from rows.pure import commitment, event_hashes, gs1_check
from rows.sizing import bytes_event, bytes_item
from rows.tracing import trace_item, trace_item_tenfold, verify_bundles
from stage.bench import SCALES, Bench, open_bench
from stage.result import Row, Skip

ROWS: dict[str, Callable[[Bench], Awaitable[Row]]] = {
    "event_hash": event_hashes,
    "commitment": commitment,
    "gs1_check": gs1_check,
    "issue_serials": issue_serials,
    "log_integrate": log_integrate,
    "inclusion_proof": inclusion_proof,
    "publish_lag": publish_lag,
    "trace_item": trace_item,
    "verify_bundle": verify_bundles,
    "page_computed": page_computed,
    "page_unchanged": page_unchanged,
    "capture_single": capture_single,
    "capture_documents": capture_documents,
    "pack_scan": pack_scan,
    "server_memory": server_memory,
    "bytes_event": bytes_event,
    "bytes_item": bytes_item,
    "trace_item_tenfold": trace_item_tenfold,
}


async def measure(names: list[str], scale: str, folder: Path | None) -> list[Row]:
    """The rows in the order of ``ROWS``, whatever order they are named in."""
    found: list[Row] = []
    async with open_bench(SCALES[scale], folder) as bench:
        for name, row in ROWS.items():
            if name not in names:
                continue
            bench.say(f"measuring {name}")
            start = time.perf_counter()
            try:
                found.append(await row(bench))
            except Skip as reason:
                found.append(await _without_value(bench, name, str(reason)))
            except Exception as error:
                # The rows before and after it are worth having all the same.
                traceback.print_exc()
                found.append(await _without_value(bench, name, f"failed: {error}"))
            # A run that is stopped still has told what it found.
            bench.say(
                f"{name} took {time.perf_counter() - start:.0f} s: {msgspec.json.encode(found[-1]).decode()}"
            )
    return found


async def _without_value(bench: Bench, name: str, reason: str) -> Row:
    bench.say(f"NOT MEASURED {name}: {reason}")
    conditions = await bench.conditions()
    return Row(name=name, value=None, unit="", floor=None, ratio=None, conditions=conditions, skipped=reason)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def show(rows: list[Row]) -> None:
    """The rows as a table for people, the conditions of each below it."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    table = Table("row", "value", "unit", "p50", "p99", "floor", "ratio", "bar", "")
    for column in (1, 3, 4, 5, 6):
        table.columns[column].justify = "right"
    for row in rows:
        verdict = {True: "met", False: "MISSED", None: ""}[row.met] if not row.skipped else "NOT MEASURED"
        numbers = [_number(number) for number in (row.value, row.p50, row.p99, row.floor)]
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        table.add_row(row.name, numbers[0], row.unit, *numbers[1:], ratio, row.bar, verdict)
    console.print(table)
    for row in rows:
        conditions = ", ".join(f"{name}={value}" for name, value in row.conditions.items())
        console.print(f"{row.name}: {row.skipped or conditions}", highlight=False, soft_wrap=True)


def main() -> int:
    """Run the bench as the command line says."""
    if sys.argv[1:2] == ["load"]:
        return load.run.main(sys.argv[2:])
    if sys.argv[1:2] == ["curves"]:
        return curves.main(sys.argv[2:])
    parser = argparse.ArgumentParser(description="Measure, each row with its floor from the same run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="rows to measure (all)")
    parser.add_argument("--json", action="store_true", help="print the rows as one JSON array")
    parser.add_argument("--scale", choices=list(SCALES), default="small")
    parser.add_argument(
        "--data-dir", type=Path, help="keep the deployment in this new folder (a temporary one)"
    )
    parser.add_argument("--list", action="store_true", help="print the names of the rows")
    asked = parser.parse_args()
    if asked.list:
        for name, row in ROWS.items():
            print(f"{name:20}{(row.__doc__ or '').splitlines()[0]}")
        return 0
    unknown = [name for name in asked.names if name not in ROWS]
    if unknown:
        parser.error(f"there is no row {unknown[0]}; the rows are: {', '.join(ROWS)}")
    rows = asyncio.run(measure(asked.names or list(ROWS), asked.scale, asked.data_dir))
    if asked.json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(rows), indent=2) + b"\n")
    else:
        show(rows)
    return 1 if any(row.skipped.startswith("failed") for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
