"""Shares with bounds, and the curve of two kinds of error. Pure, and without arrays."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

CONFIDENCE: Final = 0.95


class Rate(msgspec.Struct, frozen=True):
    """``count`` of ``of``, with the bounds that hold it at 95%."""

    count: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.count / self.of if self.of else math.nan


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """What sweeping the margin shows for one attack.

    ``eer`` lies where as many genuine captures are refused as attacks let through, in proportion; ``eer_high``
    bounds it. ``refused_at_zero`` is the share of genuine captures below the best attack.
    """

    eer: float
    eer_high: float
    eer_margin: float
    refused_at_zero: Rate
    points: tuple[tuple[float, float], ...]  # (attacks let through, genuine accepted), from strict to lax


def sweep(genuine: Sequence[float], attacks: Sequence[float]) -> Curve:
    """The curve of two sets of margins, a capture being accepted at or above the margin that is swept."""
    own, other = sorted(genuine), sorted(attacks)
    if not own or not other:
        nothing = rate(0, 0)
        return Curve(eer=math.nan, eer_high=1.0, eer_margin=0.0, refused_at_zero=nothing, points=())
    points = []
    eer, margin, nearest = math.nan, 0.0, math.inf
    before = (1.0, 0.0)  # let through and refused, at the margin that was tried before
    candidates = sorted({*own, *other})
    for at, candidate in enumerate([*candidates, math.inf]):
        refused = bisect_left(own, candidate) / len(own)
        let_through = (len(other) - bisect_left(other, candidate)) / len(other)
        points.append((let_through, 1 - refused))
        if abs(refused - let_through) < nearest - 1e-12:
            nearest = abs(refused - let_through)
            below = candidates[at - 1] if at else candidate
            margin = (below + candidate) / 2 if math.isfinite(candidate) else below
        if math.isnan(eer) and refused >= let_through:
            eer = _crossing(before, (let_through, refused))
        before = let_through, refused
    fewest = min(len(own), len(other))
    zero = rate(bisect_right(own, other[-1]), len(own))
    return Curve(
        eer=eer,
        eer_high=rate(math.ceil(eer * fewest - 1e-9), fewest).high,
        eer_margin=margin,
        refused_at_zero=zero,
        points=_thinned(points[::-1]),
    )


def _crossing(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Where both errors are equal on the way between two points of a curve."""
    apart, over = one[0] - one[1], other[1] - other[0]
    share = apart / (apart + over) if apart + over > 0 else 1.0
    return one[0] + share * (other[0] - one[0])


def rate(count: int, of: int) -> Rate:
    """A share with exact bounds (Clopper and Pearson) at 95%, two-sided.

    Where ``count`` is nothing or all there is only one side to err on, and the bound is one-sided: for no errors
    in n that is the rule of three, 3/n.
    """
    if of == 0:
        return Rate(0, 0, 0.0, 1.0)
    if count == 0:
        return Rate(0, of, 0.0, 1 - (1 - CONFIDENCE) ** (1 / of))
    if count == of:
        return Rate(of, of, (1 - CONFIDENCE) ** (1 / of), 1.0)
    tail = (1 - CONFIDENCE) / 2
    low = _solved(lambda share: 1 - _at_most(count - 1, of, share) - tail)
    high = _solved(lambda share: tail - _at_most(count, of, share))
    return Rate(count, of, low, high)


def quantile(values: Sequence[float], share: float) -> float:
    """The quantile by the nearest rank; not a number without values."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]


def _thinned(points: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """The corners of a curve of steps: points on a straight run say nothing."""
    kept: list[tuple[float, float]] = []
    for point in points:
        if len(kept) >= 2 and (
            kept[-2][0] == kept[-1][0] == point[0] or kept[-2][1] == kept[-1][1] == point[1]
        ):
            kept.pop()
        kept.append(point)
    return tuple(kept)


def _at_most(count: int, of: int, share: float) -> float:
    """The chance of at most ``count`` of ``of`` where each has the chance ``share``."""
    if share <= 0:
        return 1.0
    if share >= 1:
        return 1.0 if count >= of else 0.0
    yes, no = math.log(share), math.log1p(-share)
    whole = math.lgamma(of + 1)
    terms = (
        math.exp(whole - math.lgamma(k + 1) - math.lgamma(of - k + 1) + k * yes + (of - k) * no)
        for k in range(count + 1)
    )
    return min(1.0, math.fsum(terms))


def _solved(rising: Callable[[float], float]) -> float:
    """Where a function that rises over [0, 1] passes zero."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
