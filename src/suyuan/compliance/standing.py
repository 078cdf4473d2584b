"""The events that count for a figure, one after another: however many there are, few are held at a time.

An event counts if nobody has withdrawn it; of equal content from several parties the surest speaks, once. The
database finds, sorts and pages; a figure is added up while its events pass by. Whatever is asked within one
``one_view`` is answered from one state of the tables where nothing is written in between.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Any

import asyncpg
import msgspec

from suyuan.capture.payload import list_counts, read_body
from suyuan.db.pool import Connection, Pool, reading, sql
from suyuan.gs1.thing import thing_key
from suyuan.trace.state import short_name

# Rows that cross from the database at a time.
PAGE = 500


class StandingEvent(msgspec.Struct, frozen=True):
    """One event: its head and evidence (``row``) and its body, without the lists that lie apart."""

    row: asyncpg.Record
    body: dict[str, Any]

    @property
    def words(self) -> tuple[str, str]:
        """Step and disposition by their short names."""
        return short_name(self.row["biz_step"] or ""), short_name(self.row["disposition"] or "")


@contextlib.asynccontextmanager
async def one_view(db: Pool | Connection) -> AsyncIterator[Connection]:
    """A connection in a transaction: the caller's, or for a pool one that only reads, from one snapshot."""
    if isinstance(db, asyncpg.Pool):
        async with reading(db) as conn:
            yield conn
    elif db.is_in_transaction():
        yield db
    else:
        async with db.transaction(isolation="repeatable_read", readonly=True):
            yield db


async def standing_events(
    conn: Connection, uris: Iterable[str], roles: Iterable[int]
) -> AsyncIterator[StandingEvent]:
    """The standing events that name any of the things in any of the roles, in no particular order.

    ``conn`` is in a transaction (``one_view``); it may be asked other things between two events.
    """
    keys = sorted({thing_key(uri) for uri in uris})
    if not keys:
        return
    text = sql(__package__, "events_of")
    async for row in conn.cursor(text, keys, [int(role) for role in roles], prefetch=PAGE):
        yield StandingEvent(row, read_body(row["body"]))


async def whole_list(conn: Connection, event_key: int, body: dict[str, Any], field: str) -> list[str]:
    """A list of an event's body, from wherever it lies."""
    if field not in list_counts(body):
        return list(body.get(field) or ())
    rows = await conn.fetch(sql("suyuan.capture", "event_lists"), [event_key])
    return [
        element for row in rows if row["field"] == field for element in msgspec.json.decode(row["elements"])
    ]
