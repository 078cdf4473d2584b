"""When a thing was in which container: intervals from additions, observations and removals.

Pure. The rules, which hold for items, cases, pallets, containers and parcels alike:

- an ADD, or an OBSERVE that sees the thing inside, opens an interval; a DELETE closes it;
- a thing is in one container at a time: going into another closes the first, said or unsaid;
- a DELETE that names no children empties the container (EPCIS 2.0, AggregationEvent);
- a DELETE without its ADD still proves that the thing was inside before: the interval starts where the thing was
  last known elsewhere or the container was last emptied, else it has an open start;
- at one moment removals come before additions, so that repacking within a minute reads as it happened.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

OPEN_START = datetime(1990, 1, 1, tzinfo=UTC)
OPEN_END = datetime(2200, 1, 1, tzinfo=UTC)
ADD, OBSERVE, DELETE = 1, 2, 3


class Move(msgspec.Struct, frozen=True, gc=False):
    """One statement about a thing and a container: ``action`` is 1 add, 2 observe, 3 delete."""

    time: datetime
    action: int
    parent: bytes
    event_key: int


class Interval(msgspec.Struct, frozen=True, gc=False):
    """The thing was in ``parent`` from ``since`` to ``until``; the events that opened and closed it (0: none)."""

    parent: bytes
    since: datetime
    until: datetime
    opened_by: int
    closed_by: int

    def clipped(self, since: datetime, until: datetime) -> Interval | None:
        """This interval within [since, until], or None where they do not meet."""
        start, end = max(self.since, since), min(self.until, until)
        if start > end:
            return None
        return Interval(self.parent, start, end, self.opened_by, self.closed_by)


def containment(moves: Iterable[Move], emptied: Iterable[Move] = ()) -> list[Interval]:
    """Intervals of one thing in its containers, in order of their start.

    ``moves`` are the statements that name the thing; ``emptied`` are removals of everything from a container.
    """
    order = {DELETE: 0, ADD: 1, OBSERVE: 2}
    timeline = [(move, False) for move in moves] + [(move, True) for move in emptied]
    timeline.sort(key=lambda entry: (entry[0].time, order[entry[0].action], entry[0].parent))
    found: list[Interval] = []
    inside: Move | None = None
    last_known = OPEN_START
    last_emptied: dict[bytes, datetime] = {}
    for move, empties_all in timeline:
        if move.action == DELETE:
            if inside is not None and inside.parent == move.parent:
                found.append(Interval(move.parent, inside.time, move.time, inside.event_key, move.event_key))
                inside, last_known = None, move.time
            elif not empties_all:
                if inside is not None:
                    # It left this one too, unsaid and at the latest now.
                    found.append(
                        Interval(inside.parent, inside.time, move.time, inside.event_key, move.event_key)
                    )
                    inside = None
                since = max(last_known, last_emptied.get(move.parent, OPEN_START))
                found.append(Interval(move.parent, since, move.time, 0, move.event_key))
                last_known = move.time
            if empties_all:
                last_emptied[move.parent] = move.time
            continue
        if inside is not None:
            if inside.parent == move.parent:
                continue
            found.append(Interval(inside.parent, inside.time, move.time, inside.event_key, move.event_key))
        inside, last_known = move, move.time
    if inside is not None:
        found.append(Interval(inside.parent, inside.time, OPEN_END, inside.event_key, 0))
    return sorted(found, key=lambda interval: (interval.since, interval.until, interval.parent))
