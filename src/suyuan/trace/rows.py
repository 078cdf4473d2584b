"""Reading index rows, links, URIs and bodies for a walk. SQL lies in ``sql/``; every query is bounded.

A query about a thing carries the span in which the thing belongs to the item and a row limit: a pallet that
is used a thousand times costs as much as one that is used once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from suyuan.capture.index import Role
from suyuan.capture.payload import read_body
from suyuan.db.pool import Connection, sql
from suyuan.trace.intervals import OPEN_END, OPEN_START

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


class SpanRows(msgspec.Struct, frozen=True):
    """What was said of one thing in one span: its rows, the URIs of things that they lead to, the bodies of their
    events (long lists left out; an erased event has none), which of these were taken back, and whether there are
    more rows than the limit. Shared by all walks that come by, and changed by none.
    """

    rows: tuple[Row, ...]
    uris: dict[bytes, str]
    bodies: dict[int, dict[str, Any]]
    withdrawn: frozenset[int]
    truncated: bool


def mask_of(span: Span) -> int:
    """The roles of a span in one number: bit n for role n."""
    return sum({1 << role for role in span.roles})


async def fetch_rows(
    conn: Connection, spans: Sequence[Span], known: Mapping[int, dict[str, Any]]
) -> list[SpanRows]:
    """Index rows of these things, each in its roles and within its span, by span.

    Of a thing that is asked for as a child, also the last that was said of its place before the span. Bodies of
    the ``known`` events are not read again.
    """
    if not spans:
        return []
    records = await conn.fetch(
        sql("suyuan.trace", "index_rows"),
        [span.key for span in spans],
        [span.since for span in spans],
        [span.until for span in spans],
        [mask_of(span) for span in spans],
        ROW_LIMIT + 1,
    )
    return _by_span(spans, records, known)


async def fetch_class_recalls(
    conn: Connection, keys: Sequence[bytes], known: Mapping[int, dict[str, Any]]
) -> list[SpanRows]:
    """What words of recalls say of these classes, by class."""
    records = await conn.fetch(sql("suyuan.trace", "class_recalls"), list(keys), ROW_LIMIT + 1)
    return _by_span([Span(key, OPEN_START, OPEN_END, ()) for key in keys], records, known)


def _by_span(
    spans: Sequence[Span], records: Iterable[asyncpg.Record], known: Mapping[int, dict[str, Any]]
) -> list[SpanRows]:
    by_span: list[list[asyncpg.Record]] = [[] for _ in spans]
    for record in records:
        by_span[record["place"] - 1].append(record)
    read: dict[int, dict[str, Any]] = dict(known)
    return [_of_span(span, mine, read) for span, mine in zip(spans, by_span, strict=True)]


def _of_span(span: Span, records: Iterable[asyncpg.Record], read: dict[int, dict[str, Any]]) -> SpanRows:
    rows: list[Row] = []
    uris: dict[bytes, str] = {}
    bodies: dict[int, dict[str, Any]] = {}
    within = 0
    for record in records:
        _, *fields, other_uri, body = record
        row = Row(*fields)
        rows.append(row)
        within += row.time >= span.since
        if other_uri is not None:
            uris[row.other] = other_uri
        if body is not None and row.event_key not in bodies:
            if row.event_key not in read:
                read[row.event_key] = read_body(body)
            bodies[row.event_key] = read[row.event_key]
    rows.sort(key=order_of)
    withdrawn = frozenset(row.event_key for row in rows if row.withdrawn)
    return SpanRows(tuple(rows), uris, bodies, withdrawn, within > ROW_LIMIT)


def order_of(row: Row) -> tuple[datetime, int, int, int, bytes]:
    """Rows stand in this order."""
    return row.time, row.event_key, row.role, row.position, row.key


class PaperLinks(msgspec.Struct, frozen=True):
    """Where one paper leads within its span, and whether more was said of it than is looked at."""

    links: tuple[Link, ...]
    truncated: bool


async def fetch_links(conn: Connection, spans: Sequence[Span]) -> list[PaperLinks]:
    """Where these papers lead, by span."""
    if not spans:
        return []
    records = await conn.fetch(
        sql("suyuan.trace", "links"),
        [span.key for span in spans],
        [span.since for span in spans],
        [span.until for span in spans],
        LINK_LIMIT,
        ROW_LIMIT + 1,
    )
    by_span: list[list[Link]] = [[] for _ in spans]
    truncated = [False] * len(spans)
    for record in records:
        place = record["place"] - 1
        by_span[place].append(
            Link(record["key"], record["other_uri"], record["event_key"], record["event_time"])
        )
        truncated[place] |= len(by_span[place]) > ROW_LIMIT or record["rows"] >= LINK_LIMIT
    return [
        PaperLinks(tuple(sorted(links, key=link_order)), more)
        for links, more in zip(by_span, truncated, strict=True)
    ]


def link_order(link: Link) -> tuple[datetime, int, str]:
    """Links stand in this order."""
    return link.time, link.event_key, link.uri
