"""Whether a figure grows: the slope over the second half of a run, with how sure it is. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from statistics import fmean

import msgspec

# Neighbouring samples resemble each other; means of blocks much less so.
BLOCKS = 10
# Student's t for 95 % two-sided, by degrees of freedom.
_T = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31}


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """``slope`` in units a minute, ``margin`` the half-width of its 95 % interval, ``mean`` of the second half.

    ``grows``: the interval lies above zero, and the rise over the second half is more than ``tolerance``.
    """

    name: str
    unit: str
    mean: float
    slope: float
    margin: float
    rise: float
    tolerance: float
    grows: bool


def trend(name: str, unit: str, points: Sequence[tuple[float, float]], tolerance: float) -> Trend | None:
    """The trend of (seconds, value) points over their second half; None for fewer than six points there."""
    half = points[len(points) // 2 :]
    if len(half) < 6:
        return None
    blocks = _blocks(half)
    times, values = [at / 60 for at, _ in blocks], [value for _, value in blocks]
    middle, mean = fmean(times), fmean(values)
    spread = sum((at - middle) ** 2 for at in times)
    slope = sum((at - middle) * (value - mean) for at, value in _in_minutes(blocks)) / spread
    residual = sum((value - mean - slope * (at - middle)) ** 2 for at, value in _in_minutes(blocks))
    freedom = len(blocks) - 2
    margin = _T[freedom] * math.sqrt(residual / freedom / spread)
    rise = slope * (half[-1][0] - half[0][0]) / 60
    return Trend(
        name=name,
        unit=unit,
        mean=mean,
        slope=slope,
        margin=margin,
        rise=rise,
        tolerance=tolerance,
        grows=slope - margin > 0 and rise > tolerance,
    )


def _in_minutes(blocks: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same points with minutes for seconds."""
    return [(at / 60, value) for at, value in blocks]


def _blocks(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    count = min(BLOCKS, len(points) // 2)
    edges = [len(points) * number // count for number in range(count + 1)]
    parts = [points[start:end] for start, end in itertools.pairwise(edges)]
    return [(fmean(at for at, _ in part), fmean(value for _, value in part)) for part in parts]
