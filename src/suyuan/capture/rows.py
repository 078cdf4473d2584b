"""The rows that new events leave: heads, payloads, index rows, things, their places in the log's queue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from suyuan.capture import copying
from suyuan.capture.copying import (
    big,
    blob,
    copy_rows,
    index_row,
    integer,
    row,
    small,
    text,
    time,
    truth,
    word,
)
from suyuan.capture.index import kind_of_thing
from suyuan.capture.prepare import PreparedEvent
from suyuan.db.pool import Connection, sql
from suyuan.disclosure.leaf import leaf_bytes, utc_day
from suyuan.errors import IntegrityError
from suyuan.log import append_intake

EVENT_COLUMNS = (
    "event_key", "party_id", "event_id", "received_event_id", "event_id_key", "declaration", "content_hash",
    "event_type", "action", "event_time", "zone_offset", "day_precision", "record_time", "biz_step",
    "disposition", "read_point", "biz_location", "assurance", "role", "stated_by", "evidence_id", "path", "rule",
    "commitment", "claim_count",
)  # fmt: skip
INDEX_COLUMNS = ("key", "record_month", "event_time", "event_key", "role", "action", "other", "position")
PAYLOAD_COLUMNS = ("event_key", "body", "statement", "secret")
LIST_COLUMNS = ("event_key", "field", "chunk", "elements")
TILE_COLUMNS = ("event_key", "level", "n", "first", "hashes")
LINK_COLUMNS = ("evidence_id", "position", "event_key", "path", "rule", "outcome")
Link = tuple[int, int, int, str, str, str]


class NewEvent(NamedTuple):
    """An event that is not stored yet: its key, whose it is and the paper it came in first."""

    key: int
    event: PreparedEvent
    party_id: str
    evidence_id: int


async def write_events(conn: Connection, events: Sequence[NewEvent], now: datetime) -> None:
    """Write new events with all that hangs on them, each table in the order of its keys."""
    if not events:
        return
    month = now.date().replace(day=1)
    await write_things(conn, things_of(new.event for new in events), month)
    await write_heads(conn, events, now, month)


async def write_heads(conn: Connection, events: Sequence[NewEvent], now: datetime, month: date) -> None:
    """Write new events without the list of things that they name."""
    recorded = time(now)
    in_order = sorted(events, key=lambda new: new.event.identity)
    await copy_rows(conn, "event", EVENT_COLUMNS, [_head(new, recorded) for new in in_order])
    await copy_rows(
        conn,
        "event_payload",
        PAYLOAD_COLUMNS,
        [
            row(big(new.key), *map(blob, (new.event.body, new.event.statement, new.event.secret)))
            for new in events
        ],
    )
    await copy_rows(conn, "thing_event", INDEX_COLUMNS, _index_rows(events, copying.days(month)))
    await copy_rows(
        conn,
        "event_list",
        LIST_COLUMNS,
        [
            row(big(new.key), word(c.field), integer(c.chunk), blob(c.elements))
            for new in events
            for c in new.event.chunks
        ],
    )
    await copy_rows(
        conn,
        "event_claim_tile",
        TILE_COLUMNS,
        [
            row(big(new.key), small(t.level), integer(t.n), blob(t.first), blob(t.hashes))
            for new in events
            for t in new.event.tiles
        ],
    )
    day = utc_day(now)
    await append_intake(conn, [(new.key, leaf_bytes(new.event.commitment, day)) for new in events])


async def write_links(conn: Connection, links: Iterable[Link]) -> None:
    """Note which events a paper gave: (evidence, position, event, path, rule, outcome)."""
    await copy_rows(
        conn,
        "evidence_event",
        LINK_COLUMNS,
        [
            row(big(evidence_id), integer(position), big(key), text(path), word(rule), word(outcome))
            for evidence_id, position, key, path, rule, outcome in links
        ],
    )


def _head(new: NewEvent, recorded: bytes) -> bytes:
    event = new.event
    return row(
        big(new.key), word(new.party_id), text(event.event_id),
        word(None) if event.received_event_id is None else text(event.received_event_id),
        blob(event.event_id_key), blob(event.declaration), blob(event.content_hash),
        small(event.event_type), small(event.action), time(event.event_time), word(event.zone_offset),
        truth(event.day_precision), recorded, word(event.biz_step), word(event.disposition),
        word(event.read_point), word(event.biz_location), small(event.assurance), word(event.role),
        word(event.stated_by), big(new.evidence_id), text(event.path), word(event.rule),
        blob(event.commitment), integer(event.claim_count),
    )  # fmt: skip


def _index_rows(events: Sequence[NewEvent], month: int) -> list[bytes]:
    rows: list[bytes] = []
    for new in events:
        event, at, key = new.event, copying.micros(new.event.event_time), new.key
        action = event.action
        rows += [index_row(r.key, month, at, key, r.role, action, r.other, r.position) for r in event.rows]
    rows.sort()
    return rows


def things_of(events: Iterable[PreparedEvent]) -> dict[bytes, str]:
    """The things that events name, by key. Raises ``IntegrityError`` (``capture.thing.collision``)."""
    uris: dict[bytes, str] = {}
    for event in events:
        for key, uri in event.uris.items():
            if uris.setdefault(key, uri) != uri:
                raise collision()
    return uris


async def write_things(conn: Connection, uris: dict[bytes, str], month: date) -> None:
    """Make things known, and the month in which those that were known got rows again."""
    if not uris:
        return
    keys = sorted(uris)
    names = [uris[key] for key in keys]
    joined, between = _joined(names)
    known = await conn.fetch(
        sql(__package__, "add_things"),
        b"".join(keys),
        joined,
        ",".join([kind_of_thing(uri) for uri in names]),
        month,
        between,
    )
    if known:
        old = sorted(row[0] for row in known)
        joined, between = _joined([uris[key] for key in old])
        clash = await conn.fetchrow(sql(__package__, "check_things"), b"".join(old), joined, month, between)
        if clash is not None:
            raise collision()


def _joined(names: Sequence[str]) -> tuple[str, str]:
    """The names as one text, and what stands between them: something that is in none of them."""
    between = "\n"
    while (joined := between.join(names)).count(between) >= len(names):
        between += "\x1f"
    return joined, between


def collision() -> IntegrityError:
    """The error for two things under one key."""
    return IntegrityError(
        "capture.thing.collision",
        "Two different things have the same key.",
        remedy="Nothing was stored. Report this: it happens by chance once in 2^40 things of one class.",
    )
