"""Figures of stock while they are added up. Pure; the order in which things are added makes no difference."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import msgspec

TALLY_STEPS = ("receiving", "storing", "unpacking", "accepting")
COUNT_STEPS = ("cycle_counting", "stock_taking")
DAMAGE = ("damaged", "destroyed", "disposed")
ZERO = Decimal(0)
# Counts belong to a day of the warehouse, and bonded warehouses are in China.
_CHINA = timedelta(hours=8)


class Holding(NamedTuple):
    """Whose stock a figure is: lot, ledger item (``ledger:item``) and facility, the last two "" where not named."""

    lot: str
    ledger_item: str
    facility: str


class Figures(msgspec.Struct):
    """Pieces by step and by disposition: each names the same pieces again, so that the highest of them counts."""

    tallied: dict[str, Decimal] = msgspec.field(default_factory=dict)
    spoiled: dict[str, Decimal] = msgspec.field(default_factory=dict)
    returned: Decimal = ZERO
    packed: Decimal = ZERO

    def add(self, kind: str, quantity: Decimal) -> None:
        """Add pieces under a step or disposition, or ``packed``."""
        if kind in DAMAGE:
            self.spoiled[kind] = self.spoiled.get(kind, ZERO) + quantity
        elif kind in TALLY_STEPS:
            self.tallied[kind] = self.tallied.get(kind, ZERO) + quantity
        elif kind == "returned":
            self.returned += quantity
        elif kind == "packed":
            self.packed += quantity

    def merge(self, other: Figures) -> None:
        """Add what another holding of the same goods says."""
        for kind, quantity in (*other.tallied.items(), *other.spoiled.items()):
            self.add(kind, quantity)
        self.returned += other.returned
        self.packed += other.packed

    @property
    def received(self) -> Decimal | None:
        """What was taken in, None where no tally is known."""
        return max(self.tallied.values(), default=None)

    @property
    def damaged(self) -> Decimal:
        """What was spoiled: damaged first and destroyed later are the same pieces."""
        return max(self.spoiled.values(), default=ZERO)

    def at_hand(self, apart: Decimal) -> Decimal:
        """What should be there; ``apart`` of the damaged pieces were never part of what was received."""
        spoiled = max(ZERO, self.damaged - apart)
        return (self.received or ZERO) - spoiled - self.packed + self.returned


class Count(msgspec.Struct):
    """What counts found: of each shelf the last number stands, of single codes those that were read on the last day."""

    shelves: dict[str, tuple[datetime, Decimal]] = msgspec.field(default_factory=dict)
    days: dict[str, tuple[datetime, int]] = msgspec.field(default_factory=dict)

    def add_shelf(self, shelf: str, at: datetime, quantity: Decimal) -> None:
        """A number of pieces on a shelf ("" for the facility as a whole)."""
        said = (at, quantity)
        self.shelves[shelf] = max(self.shelves.get(shelf, said), said)

    def add_item(self, moments: Iterable[datetime]) -> None:
        """One item, which was read at these moments."""
        read: dict[str, datetime] = {}
        for at in moments:
            day = _day(at)
            read[day] = max(read.get(day, at), at)
        for day, at in read.items():
            last, number = self.days.get(day, (at, 0))
            self.days[day] = max(last, at), number + 1

    def merge(self, other: Count) -> None:
        """Add what is counted elsewhere or without a place."""
        for shelf, (at, quantity) in other.shelves.items():
            self.add_shelf(shelf, at, quantity)
        for day, (at, number) in other.days.items():
            last, known = self.days.get(day, (at, 0))
            self.days[day] = max(last, at), known + number

    @property
    def result(self) -> tuple[datetime, Decimal] | None:
        """When the last count ended and what it found; numbers and codes add up when they are of one day."""
        parts: list[tuple[datetime, Decimal]] = []
        if self.shelves:
            parts.append(
                (max(at for at, _ in self.shelves.values()), sum((q for _, q in self.shelves.values()), ZERO))
            )
        if self.days:
            at, number = self.days[max(self.days)]
            parts.append((at, Decimal(number)))
        if not parts:
            return None
        last = max(at for at, _ in parts)
        return last, sum((quantity for at, quantity in parts if _day(at) == _day(last)), ZERO)


def _day(at: datetime) -> str:
    return (at + _CHINA).date().isoformat()


class Work(msgspec.Struct):
    """All that was added up of one GTIN. ``until`` holds what happened up to the last count of the lot and place."""

    whole: dict[Holding, Figures] = msgspec.field(default_factory=dict)
    until: dict[Holding, Figures] = msgspec.field(default_factory=dict)
    counts: dict[Holding, Count] = msgspec.field(default_factory=dict)
    # Codes that reports call active and no command made so, and the highest number that a report gives.
    reported: dict[Holding, int] = msgspec.field(default_factory=dict)
    reported_number: dict[Holding, Decimal] = msgspec.field(default_factory=dict)
    coded: set[str] = msgspec.field(default_factory=set)
    # Items that lie in a parcel, by the parcel's key.
    parcels: dict[bytes, int] = msgspec.field(default_factory=dict)
    _moments: dict[Holding, datetime | None] = msgspec.field(default_factory=dict)

    def add(self, holding: Holding, kind: str, quantity: Decimal, at: datetime) -> None:
        """Add pieces that had something happen to them at a moment."""
        self.whole.setdefault(holding, Figures()).add(kind, quantity)
        counted = self.counted_at(holding)
        if counted is not None and at <= counted:
            self.until.setdefault(holding, Figures()).add(kind, quantity)

    def counted_at(self, holding: Holding) -> datetime | None:
        """When the lot was counted last, in that place or where the event names no place in any.

        All counts have been added when this is asked first.
        """
        if holding not in self._moments:
            self._moments[holding] = self._last_count(holding)
        return self._moments[holding]

    def _last_count(self, holding: Holding) -> datetime | None:
        found = [
            result[0]
            for one, count in self.counts.items()
            if one.lot == holding.lot
            and (not holding.facility or not one.facility or one.facility == holding.facility)
            and (result := count.result) is not None
        ]
        return max(found, default=None)
