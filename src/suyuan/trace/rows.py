"""Reading index rows, URIs and bodies for a walk. SQL lives in ``sql/``; every query is bounded.

A query about a thing carries the span in which the thing belongs to the item and a row limit: a pallet that
is used a thousand times costs as much as one that is used once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from suyuan.capture.payload import read_body
from suyuan.db.pool import Connection, sql

ROW_LIMIT = 1000


class Span(msgspec.Struct, frozen=True, gc=False):
    """A thing and the span of event time in which it is asked for."""

    key: bytes
    since: datetime
    until: datetime


class Row(msgspec.Struct, frozen=True, gc=False):
    """One index row with what the walk needs to know of its event."""

    key: bytes
    role: int
    action: int
    other: bytes
    position: int
    time: datetime
    event_key: int
    event_type: int
    withdrawn: bool


async def fetch_rows(conn: Connection, spans: Sequence[Span], roles: Iterable[int]) -> tuple[list[Row], bool]:
    """Index rows of these things in these roles, by time, and whether any thing had more than the limit."""
    if not spans:
        return [], False
    records = await conn.fetch(
        sql("suyuan.trace", "index_rows"),
        [span.key for span in spans],
        [span.since for span in spans],
        [span.until for span in spans],
        sorted(int(role) for role in roles),
        ROW_LIMIT,
    )
    rows = [Row(*record) for record in records]
    counts: dict[bytes, int] = {}
    for row in rows:
        counts[row.key] = counts.get(row.key, 0) + 1
    rows.sort(key=lambda row: (row.time, row.event_key, row.role, row.position))
    return rows, any(count >= ROW_LIMIT for count in counts.values())


async def fetch_uris(conn: Connection, keys: Iterable[bytes]) -> dict[bytes, str]:
    """Canonical URIs of things by key."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    records = await conn.fetch(sql("suyuan.trace", "things"), wanted)
    return {record["key"]: record["uri"] for record in records}


async def fetch_bodies(conn: Connection, event_keys: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Bodies of events by key, long lists left out; an erased event has none."""
    wanted = sorted(set(event_keys))
    if not wanted:
        return {}
    records = await conn.fetch(sql("suyuan.trace", "bodies"), wanted)
    return {record["event_key"]: read_body(record["body"]) for record in records}
