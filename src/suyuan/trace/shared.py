"""What goods have in common, kept by a process: the rows, papers and events that a whole case or consignment shares.

A tin and its 43,199 neighbours have the same container, lot and customs papers. What one walk read of them the next
one takes from here and does not read again. Nothing is believed unseen: every walk ends by counting the index rows of
all that it went through, in the snapshot that it read, and index rows are never changed or deleted. Where a count is
not what it was when a thing was kept, the thing is dropped and the walk is done anew. So a reading from here is what a
reading from the tables would have been, and all of it may be dropped at any time.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

import msgspec

from suyuan.trace.kept import Kept

SHARED_BYTES = 12 << 20
# Bodies can be erased, which no count tells.
MAX_SECONDS = 300.0
# Stands for the words of recalls, in the place of a thing's key.
RECALLS = b"recalls"


class Counts(NamedTuple):
    """How many index rows each of the things of a walk got since ``month``; of a bridge its links alone.

    Under ``RECALLS`` how many words of recalls there are.
    """

    month: date
    by_thing: Mapping[bytes, int]

    def total(self, things: Iterable[bytes]) -> int:
        """All rows of these things: it grows whenever anything is said of any of them."""
        return sum(self.by_thing[thing] for thing in things)


class _Entry(msgspec.Struct, frozen=True):
    """A value, and the count of rows, or of links alone, of the thing on which it rests."""

    value: Any
    thing: bytes
    of_links: bool
    month: date
    count: int
    read_at: float


class Shared:
    """What the walks of one process keep for each other."""

    def __init__(self, limit: int = SHARED_BYTES) -> None:
        self.kept: Kept[Hashable, _Entry] = Kept(limit)

    def borrow(self) -> Borrowed:
        """For one walk."""
        return Borrowed(self.kept)


class Borrowed:
    """What one walk takes from its process and gives to it, once the counts of its end are known."""

    def __init__(self, kept: Kept[Hashable, _Entry] | None = None) -> None:
        """Without ``kept`` nothing is taken or given: everything is read."""
        self._kept = kept
        self._taken: dict[Hashable, _Entry] = {}
        self._given: list[tuple[Hashable, bytes, Any, int]] = []
        self.asked: dict[bytes, bool] = {}
        """Every thing on which the walk depends; True where on its links alone."""

    def watch(self, thing: bytes, *, of_links: bool = False) -> None:
        """The walk depends on what is said of this thing."""
        self.asked[thing] = of_links and self.asked.get(thing, True)

    def take(self, name: Hashable) -> Any | None:
        """What is kept under this name, on trust until the walk ends."""
        entry = None if self._kept is None else self._kept.get(name)
        if entry is None or time.monotonic() - entry.read_at > MAX_SECONDS:
            return None
        self._taken[name] = entry
        return entry.value

    @property
    def counted(self) -> dict[bytes, bool]:
        """Every thing whose count is asked for at the end: what the walk depends on, and what tells whether things
        that it took still hold.
        """
        return {entry.thing: entry.of_links for entry in self._taken.values()} | self.asked

    def give(self, name: Hashable, thing: bytes, value: Any, size: int) -> None:
        """Keep a value of about ``size`` bytes that rests on what is said of ``thing``, for the walks to come.

        The thing is watched.
        """
        if self._kept is not None:
            self._given.append((name, thing, value, size))

    def settle(self, counts: Counts) -> bool:
        """Keep what was read; False where something that was taken is out of date, which is dropped."""
        if self._kept is None:
            return True
        stale = [name for name, entry in self._taken.items() if not self._holds(entry, counts)]
        for name in stale:
            self._kept.drop(name)
        if stale:
            return False
        now = time.monotonic()
        for name, thing, value, size in self._given:
            of_links, count = self.asked[thing], counts.by_thing[thing]
            self._kept.put(name, _Entry(value, thing, of_links, counts.month, count, now), size)
        return True

    def _holds(self, entry: _Entry, counts: Counts) -> bool:
        return (
            entry.month == counts.month
            and entry.of_links == self.asked.get(entry.thing, entry.of_links)
            and entry.count == counts.by_thing[entry.thing]
        )
