"""A row of the measured table, and the arithmetic behind it.

``value`` and ``floor`` have the same unit and come from the same run. ``ratio`` is the share of the floor that the
product reaches, 1.0 being as good as the floor, whichever way the unit counts: value / floor for a rate,
floor / value for a time or a size. A row that could not be measured says why in ``skipped`` and has no value.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

import msgspec

Condition = str | int | float | bool


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One measured row. ``met`` is None where the bar was not put to the test (or there is none)."""

    name: str
    value: float | None
    unit: str
    floor: float | None
    ratio: float | None
    conditions: dict[str, Condition]
    bar: str = ""
    met: bool | None = None
    p50: float | None = None
    p99: float | None = None
    skipped: str = ""


class Skip(Exception):  # noqa: N818 - nothing went wrong in the bench itself
    """What a row needs is not there; the text says what."""


def rate_row(
    name: str,
    unit: str,
    value: float,
    floor: float,
    conditions: dict[str, Condition],
    *,
    bar: str = "",
    met: bool | None = None,
    latencies_ms: Sequence[float] = (),
) -> Row:
    """A row in which more is better; ``latencies_ms``, if any, are its p50 and p99."""
    return Row(
        name=name,
        value=_rounded(value),
        unit=unit,
        floor=_rounded(floor),
        ratio=_rounded(value / floor),
        conditions=conditions,
        bar=bar,
        met=met,
        p50=_rounded(percentile(latencies_ms, 50)) if latencies_ms else None,
        p99=_rounded(percentile(latencies_ms, 99)) if latencies_ms else None,
    )


def cost_row(
    name: str,
    unit: str,
    value: float,
    floor: float,
    conditions: dict[str, Condition],
    *,
    bar: str = "",
    met: bool | None = None,
    samples: Sequence[float] = (),
) -> Row:
    """A row in which less is better; ``samples`` are in the unit of the row."""
    return Row(
        name=name,
        value=_rounded(value),
        unit=unit,
        floor=_rounded(floor),
        ratio=_rounded(floor / value),
        conditions=conditions,
        bar=bar,
        met=met,
        p50=_rounded(percentile(samples, 50)) if samples else None,
        p99=_rounded(percentile(samples, 99)) if samples else None,
    )


def percentile(samples: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: a value that was measured, never one between two."""
    ordered = sorted(samples)
    rank = max(1, -(-len(ordered) * percent // 100))
    return ordered[int(rank) - 1]


def best_seconds(work: Callable[[], object], rounds: int) -> float:
    """The shortest of some runs: what the work costs when nobody else has the core."""
    shortest = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        shortest = min(shortest, time.perf_counter() - start)
    return shortest


def machine() -> dict[str, Condition]:
    """Cores and the load of the last minute, the bench's own included."""
    return {"cores": os.cpu_count() or 0, "load_average": round(os.getloadavg()[0], 2)}


def _rounded(number: float) -> float:
    """Four significant digits: more would be noise."""
    return float(f"{number:.4g}")
