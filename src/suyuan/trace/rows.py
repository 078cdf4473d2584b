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


class Found(msgspec.Struct, frozen=True):
    """Rows by time, URIs of the things that they lead to, bodies of their events (long lists left out; an erased
    event has none, links bring none), and whether any thing had more rows than the limit.
    """

    rows: list[Row]
    uris: dict[bytes, str]
    bodies: dict[int, dict[str, Any]]
    truncated: bool


async def fetch_rows(conn: Connection, spans: Sequence[Span], roles: Iterable[int]) -> Found:
    """Index rows of these things in these roles, each thing within its span."""
    if not spans:
        return Found([], {}, {}, False)
    records = await conn.fetch(
        sql("suyuan.trace", "index_rows"),
        [span.key for span in spans],
        [span.since for span in spans],
        [span.until for span in spans],
        sorted(int(role) for role in roles),
        ROW_LIMIT,
    )
    rows: list[Row] = []
    uris: dict[bytes, str] = {}
    bodies: dict[int, dict[str, Any]] = {}
    counts: dict[bytes, int] = {}
    for record in records:
        *fields, other_uri, body = record
        row = Row(*fields)
        rows.append(row)
        counts[row.key] = counts.get(row.key, 0) + 1
        if other_uri is not None:
            uris[row.other] = other_uri
        if body is not None and row.event_key not in bodies:
            bodies[row.event_key] = read_body(body)
    rows.sort(key=lambda row: (row.time, row.event_key, row.role, row.position))
    return Found(rows, uris, bodies, any(count >= ROW_LIMIT for count in counts.values()))
