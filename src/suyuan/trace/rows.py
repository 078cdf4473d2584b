"""Reading index rows, links, URIs and bodies for a walk. SQL lies in ``sql/``; every query is bounded.

A query about a thing carries the span in which the thing belongs to the item and a row limit: a pallet that
is used a thousand times costs as much as one that is used once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from suyuan.capture.index import Role
from suyuan.capture.payload import read_body
from suyuan.db.pool import Connection, sql

ROW_LIMIT = 1000
# Index rows of links that are looked at for one paper, in any one month.
LINK_LIMIT = 20_000


class Span(msgspec.Struct, frozen=True, gc=False):
    """A thing, the span of event time in which it is asked for, and the roles in which."""

    key: bytes
    since: datetime
    until: datetime
    roles: Collection[Role]


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


class Link(msgspec.Struct, frozen=True, gc=False):
    """A paper that another one leads to, and the first standing event that names the two together."""

    key: bytes
    uri: str
    event_key: int
    time: datetime


class Found(msgspec.Struct, frozen=True):
    """Rows by time, URIs of the things that they lead to, bodies of their events (long lists left out; an erased
    event has none), and whether any thing had more rows than the limit.
    """

    rows: list[Row]
    uris: dict[bytes, str]
    bodies: dict[int, dict[str, Any]]
    truncated: bool


def _mask(roles: Iterable[Role]) -> int:
    return sum({1 << role for role in roles})


async def fetch_rows(conn: Connection, spans: Sequence[Span], known: Collection[int] = ()) -> Found:
    """Index rows of these things, each in its roles and within its span.

    Of a thing that is asked for as a child, also the last that was said of its place before the span. Bodies of
    the ``known`` events are not read again.
    """
    if not spans:
        return Found([], {}, {}, False)
    records = await conn.fetch(
        sql("suyuan.trace", "index_rows"),
        [span.key for span in spans],
        [span.since for span in spans],
        [span.until for span in spans],
        [_mask(span.roles) for span in spans],
        ROW_LIMIT + 1,
    )
    rows: list[Row] = []
    uris: dict[bytes, str] = {}
    bodies: dict[int, dict[str, Any]] = {}
    starts = {span.key: span.since for span in spans}
    counts: dict[bytes, int] = {}
    for record in records:
        *fields, other_uri, body = record
        row = Row(*fields)
        rows.append(row)
        if row.time >= starts[row.key]:
            counts[row.key] = counts.get(row.key, 0) + 1
        if other_uri is not None:
            uris[row.other] = other_uri
        if body is not None and row.event_key not in bodies and row.event_key not in known:
            bodies[row.event_key] = read_body(body)
    rows.sort(key=lambda row: (row.time, row.event_key, row.role, row.position))
    return Found(rows, uris, bodies, any(count > ROW_LIMIT for count in counts.values()))


async def fetch_links(conn: Connection, spans: Sequence[Span]) -> tuple[list[Link], bool]:
    """Where these papers lead within their spans, and whether more was said of one than is looked at."""
    if not spans:
        return [], False
    records = await conn.fetch(
        sql("suyuan.trace", "links"),
        [span.key for span in spans],
        [span.since for span in spans],
        [span.until for span in spans],
        LINK_LIMIT,
        ROW_LIMIT + 1,
    )
    links: list[Link] = []
    counts: dict[bytes, int] = {}
    truncated = False
    for record in records:
        link = Link(record["key"], record["other_uri"], record["event_key"], record["event_time"])
        counts[link.key] = counts.get(link.key, 0) + 1
        truncated |= counts[link.key] > ROW_LIMIT or record["rows"] >= LINK_LIMIT
        links.append(link)
    links.sort(key=lambda link: (link.time, link.event_key, link.uri))
    return links, truncated
