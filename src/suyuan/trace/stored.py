"""Events as they are stored, for a trace: each with its statement, its tie, and what stands beside it.

What is stored of an event is the same for all goods of which it is told, so walks keep it for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from suyuan.db.pool import Connection, sql
from suyuan.disclosure.claims import Claim
from suyuan.trace.model import Tie
from suyuan.trace.shared import Borrowed
from suyuan.trace.walk import Walk

# What an event takes in a process with the facts that are made of it.
_KNOWN_BYTES = 12_000


class Relatives(msgspec.Struct, frozen=True):
    """What stands beside an event: equal ones of others, other content under its ID, declarations.

    ``equals`` are all events of its content that stand, its own too.
    """

    equals: tuple[asyncpg.Record, ...]
    corroborations: int
    conflicts: int
    declarations: tuple[asyncpg.Record, ...]


class Known(msgspec.Struct):
    """What is stored of one event: the same for all goods of which it is told, and shared by their walks.

    ``named`` is everything that its claims name, ``called`` the parties and places whose names its facts show;
    ``made`` are facts that were made of it, by all that they depend on beside the event and their ties. ``claims``
    wait for the first of these.
    """

    row: asyncpg.Record
    statement: dict[str, Any]
    relatives: Relatives
    called: tuple[list[str], list[str]] | None = None
    named: frozenset[str] | None = None
    claims: Sequence[Claim] | None = None
    made: dict[Any, Any] = msgspec.field(default_factory=dict)


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event as a fact needs it: its row, its whole body and statement, its tie."""

    row: asyncpg.Record
    body: dict[str, Any]
    statement: dict[str, Any]
    tie: Tie
    known: Known | None = None

    @property
    def order(self) -> tuple[Any, ...]:
        """Facts stand in this order: time first, then what the event is, never when it came."""
        row = self.row
        return row["event_time"], row["event_type"], row["action"], row["content_hash"]

    @property
    def precedence(self) -> tuple[bool, int, str, bytes]:
        """Of equal events one that stands speaks, the one with the highest assurance, the first party by name."""
        row = self.row
        return row["withdrawn"], -row["assurance"], row["party_id"], row["event_id_key"]


async def fetch_events(conn: Connection, found: Walk, borrowed: Borrowed) -> list[StoredEvent]:
    """The events of a walk with the bodies that it read, one for each content, in order.

    An erased event has no body and gives no fact; its log entry stands all the same.
    """
    by_key: dict[int, Known] = {}
    missing = []
    for event_key in found.events:
        known = borrowed.take(("event", event_key))
        if known is None:
            missing.append(event_key)
        else:
            by_key[event_key] = known
    for known in await _fetch_known(conn, sorted(missing)):
        event_key = known.row["event_key"]
        by_key[event_key] = known
        if known.row["log_index"] is not None:
            # What the log has yet to take in changes without any new row of a thing.
            borrowed.give(("event", event_key), found.found_by[event_key], known, _KNOWN_BYTES)
    by_content: dict[bytes, StoredEvent] = {}
    for event_key, known in by_key.items():
        body = found.bodies.get(event_key)
        if body is None:
            continue
        event = StoredEvent(
            row=known.row, body=body, statement=known.statement, tie=found.events[event_key], known=known
        )
        rival = by_content.get(known.row["content_hash"])
        if rival is None or event.precedence < rival.precedence:
            by_content[known.row["content_hash"]] = event
    return sorted(by_content.values(), key=lambda event: event.order)


async def _fetch_known(conn: Connection, event_keys: Sequence[int]) -> list[Known]:
    """What is stored of these events, erased ones left out, each with its relatives."""
    if not event_keys:
        return []
    rows = [row for row in await conn.fetch(sql("suyuan.trace", "facts"), event_keys) if row["statement"]]
    # Nearly every event is the only one of its content and its ID.
    relatives = {row["event_key"]: Relatives((row,), 0, 0, ()) for row in rows if not row["accompanied"]}
    relatives |= await _fetch_relatives(conn, [row for row in rows if row["accompanied"]])
    return [
        Known(row=row, statement=msgspec.json.decode(row["statement"]), relatives=relatives[row["event_key"]])
        for row in rows
    ]


async def _fetch_relatives(conn: Connection, events: Sequence[asyncpg.Record]) -> dict[int, Relatives]:
    """Relatives of each event, by event key."""
    if not events:
        return {}
    rows = await conn.fetch(
        sql("suyuan.trace", "relatives"),
        [row["content_hash"] for row in events],
        [row["event_id_key"] for row in events],
    )
    taken_back = {(row["event_id_key"], row["party_id"]) for row in rows if row["declared"]}
    by_content: dict[bytes, list[asyncpg.Record]] = {}
    by_id: dict[bytes, list[asyncpg.Record]] = {}
    for row in rows:
        by_id.setdefault(row["event_id_key"], []).append(row)
        if not row["declared"] and (row["event_id_key"], row["party_id"]) not in taken_back:
            by_content.setdefault(row["content_hash"], []).append(row)
    found = {}
    for row in events:
        same_id = by_id.get(row["event_id_key"], [])
        equals = sorted(
            by_content.get(row["content_hash"], ()), key=lambda r: (r["party_id"], r["event_id_key"])
        )
        others = {
            r["content_hash"]
            for r in same_id
            if not r["declared"] and (r["event_id_key"], r["party_id"]) not in taken_back
        }
        declared = [r for r in same_id if r["declared"] and r["party_id"] == row["party_id"]]
        found[row["event_key"]] = Relatives(
            equals=tuple(equals),
            corroborations=len({r["party_id"] for r in equals} - {row["party_id"]}),
            conflicts=len(others - {row["content_hash"]}),
            declarations=tuple(sorted(declared, key=lambda r: (r["event_time"], r["declaration"]))),
        )
    return found
