"""Whose stock it is that an event speaks of without naming place or ledger item. Pure."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from suyuan.compliance.stock_figures import ZERO, Count, Figures, Holding, Work


class Settling:
    """Where figures belong whose event named no place or no ledger item, or the place of another's tally."""

    def __init__(self, work: Work) -> None:
        self._tallied = {holding for holding, one in work.whole.items() if one.received is not None}
        self._known = {holding for holding in work.whole if holding.ledger_item and holding.facility}

    def of(self, holding: Holding) -> Holding:
        """Where the figures of a holding belong."""
        lot, item, place = holding
        if not place:
            places = {
                one.facility for one in self._tallied if one.lot == lot and item in ("", one.ledger_item)
            }
            place = places.pop() if len(places) == 1 else ""
        if not item:
            items = {one.ledger_item for one in self._known if (one.lot, one.facility) == (lot, place)}
            item = items.pop() if len(items) == 1 else ""
        elif Holding(lot, item, place) not in self._tallied:
            places = {one.facility for one in self._tallied if (one.lot, one.ledger_item) == (lot, item)}
            place = places.pop() if len(places) == 1 else place
        return Holding(lot, item, place)


class Settled(msgspec.Struct):
    """The figures of one GTIN by the holdings to which they belong, as ``Work`` has them."""

    whole: dict[Holding, Figures]
    until: dict[Holding, Figures]
    counts: dict[Holding, Count]
    reported: dict[Holding, Decimal]

    def holdings(self) -> list[Holding]:
        """Those that are stock here: the lot's other places have none of a ledger item and were not counted."""
        every = self.whole.keys() | self.counts.keys()
        bonded = {one.lot for one in every if one.ledger_item}
        places = {(one.lot, one.facility) for one in every if one.ledger_item or one in self.counts}
        return sorted(one for one in every if one.lot not in bonded or (one.lot, one.facility) in places)


def settle(work: Work) -> Settled:
    """All figures put where they belong; the same whatever order they came in."""
    settling = Settling(work)
    found = Settled({}, {}, {}, {})
    for given, taken in ((work.whole, found.whole), (work.until, found.until)):
        for holding, one in sorted(given.items()):
            taken.setdefault(settling.of(holding), Figures()).merge(one)
    for holding, count in sorted(work.counts.items()):
        found.counts.setdefault(settling.of(holding), Count()).merge(count)
    for holding, number in work.reported.items():
        place = settling.of(holding)
        found.reported[place] = found.reported.get(place, ZERO) + number
    return found
