"""Limits on failing, which hold whoever guesses and nobody else.

A whole warehouse, or a city behind one operator's address, looks like one caller. So it is never requests that are
counted but failures: a code that does not exist, a token that is no good. Each place has a bucket of failures for
each kind; it fills again with time. Where a bucket is empty, the next *failure* is answered with 429 and the time to
wait, while a code that exists and a token that is good are answered as ever, for everybody at that place. Guessing
thus tells nothing new and costs next to nothing to answer; that a guess cannot hit is the duty of the serial's MAC.

The buckets are those of one process, in bounded memory: with several processes a guesser has as many buckets, and
one with very many addresses makes the oldest be forgotten.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Literal

import msgspec

from suyuan.errors import RefusedError
from suyuan.parties.origins import place_of

Failure = Literal["code", "token"]
REMEMBERED = 50_000


class Allowance(msgspec.Struct, frozen=True):
    """How many failures may come at once, and how many more in each second."""

    burst: float
    per_second: float


# A shift that scans the wrong barcode all day stays well below either.
ALLOWANCES: dict[Failure, Allowance] = {"code": Allowance(600, 2.0), "token": Allowance(120, 0.5)}


_SAID: dict[Failure, tuple[str, str]] = {
    "code": ("http.held.code", "codes that do not exist"),
    "token": ("http.held.token", "tokens that are no good"),
}


class TooManyFailuresError(RefusedError):
    """Too many failures from one place: the next can be made after ``seconds``."""

    http_status = 429

    def __init__(self, kind: Failure, seconds: int) -> None:
        code, what = _SAID[kind]
        super().__init__(
            code,
            f"Too many {what} came from your network.",
            remedy=f"Try again in {seconds} second{'s' * (seconds != 1)}; what is valid is answered all the time.",
        )
        self.seconds = seconds


class FailureLimits:
    """The buckets of one process. Not for several threads."""

    def __init__(
        self,
        allowances: dict[Failure, Allowance] = ALLOWANCES,
        *,
        remembered: int = REMEMBERED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allowances = allowances
        self._remembered = remembered
        self._clock = clock
        # Failures left, and when that was counted; only places that failed are in here.
        self._buckets: OrderedDict[tuple[Failure, str], tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def _left(self, kind: Failure, place: str, now: float) -> float:
        allowance = self._allowances[kind]
        left, counted = self._buckets.get((kind, place), (allowance.burst, now))
        return min(allowance.burst, left + (now - counted) * allowance.per_second)

    def is_held(self, kind: Failure, address: str) -> bool:
        """Whether a failure from there would be refused now. Counts nothing."""
        return bool(self._buckets) and self._left(kind, place_of(address), self._clock()) < 1

    def fail(self, kind: Failure, address: str) -> TooManyFailuresError | None:
        """Count a failure; the error to answer with where the place has none left."""
        place, now = place_of(address), self._clock()
        left = self._left(kind, place, now)
        if left < 1:
            self._buckets.move_to_end((kind, place))
            return TooManyFailuresError(kind, math.ceil((1 - left) / self._allowances[kind].per_second))
        self._buckets[kind, place] = (left - 1, now)
        self._buckets.move_to_end((kind, place))
        while len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)
        return None
