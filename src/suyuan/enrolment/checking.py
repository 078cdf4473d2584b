"""All records of labels against their events: what this room adds to ``suyuan fsck``.

Each event's commitment is compared there with its payload; here the payload's digest with the record, and that a record
which is gone was erased with a word in the journal.
"""

from __future__ import annotations

import asyncio

import asyncpg
import msgspec

from suyuan.capture.payload import read_body
from suyuan.db.pool import Connection, sql
from suyuan.enrolment.records import is_of
from suyuan.errors import SuyuanError
from suyuan.label.model import Track
from suyuan.log.checking import Found, Progress

# A record may be a megabyte.
_PAGE = 50


class _Label(msgspec.Struct, frozen=True):
    gtin: str
    serial: str
    track: Track


async def check_records(conn: Connection, found: Found, progress: Progress) -> None:
    """Tell of each enrolment whose event or record is not there, or whose record is not the one of its event."""
    total = await conn.fetchval(sql(__package__, "count_enrolments"))
    after = done = 0
    while rows := await conn.fetch(sql(__package__, "walk_records"), after, _PAGE):
        for row in rows:
            wrong = await asyncio.to_thread(_wrong, row)
            if wrong is not None:
                code, reason = wrong
                found(code, f"{row['gtin']}/{row['track']}/{row['serial']} ({row['enrolment_id']})", reason)
        after = rows[-1]["enrolment_id"]
        done += len(rows)
        progress("labels", done, total)


def _wrong(row: asyncpg.Record) -> tuple[str, str] | None:
    if not row["has_event"]:
        return "enrolment.record.event", "The event of the enrolment is not there."
    if row["record"] is None:
        if row["erased"]:
            return None
        return "enrolment.record.lost", "The record is gone, and no erasure of it was journalled."
    if row["erased"]:
        return "enrolment.record.kept", "Its erasure was journalled and is not done; the worker finishes it."
    if row["body"] is None:
        return None  # the event was erased, and with it what the record could be held against
    label = _Label(row["gtin"], row["serial"], row["track"])
    try:
        fits = is_of(read_body(row["body"]), row["salt"], row["record"], label)
    except (SuyuanError, msgspec.DecodeError, TypeError, AttributeError):
        fits = False
    return None if fits else ("enrolment.record.changed", "The record is not the one that its event names.")
