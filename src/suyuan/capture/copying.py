"""Rows in PostgreSQL's binary COPY format, written straight from what was prepared.

An event leaves a dozen index rows: going through a driver that learns the type of every field of every row costs
as much as hashing the event. Here each table has its row written once, as bytes, and index rows begin with their
key, so that sorting them is sorting bytes. Source: the PostgreSQL manual, COPY, "Binary Format"; times count
microseconds and dates days from 2000-01-01.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from struct import Struct

from suyuan.db.pool import Connection

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(2000, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)
_NULL = b"\xff\xff\xff\xff"
_TRUE, _FALSE = b"\0\0\0\1\1", b"\0\0\0\1\0"
_COUNT = Struct(">h").pack
_LENGTH = Struct(">i").pack
_SMALL = Struct(">ih").pack
_INTEGER = Struct(">ii").pack
_BIG = Struct(">iq").pack
# key, record_month, event_time, event_key, role, action, other, position
_INDEX = Struct(">hi16siiiqiqihihiii").pack
_INDEX_OTHER = Struct(">hi16siiiqiqihihi16sii").pack
_KEY_BYTES = 16


def micros(moment: datetime) -> int:
    """A time as PostgreSQL counts it."""
    return (moment - _EPOCH) // _MICROSECOND


def days(day: date) -> int:
    """A date as PostgreSQL counts it."""
    return day.toordinal() - _EPOCH_DAY


def text(value: str) -> bytes:
    """A text field. Raises ``UnicodeEncodeError`` for half a surrogate pair, which no reader lets in."""
    data = value.encode()
    return _LENGTH(len(data)) + data


@lru_cache(maxsize=2048)
def word(value: str | None) -> bytes:
    """A text field of the kind that repeats (a party, a step, a place), or NULL."""
    return _NULL if value is None else text(value)


def blob(value: bytes) -> bytes:
    """A ``bytea`` field."""
    return _LENGTH(len(value)) + value


def small(value: int) -> bytes:
    """A ``smallint`` field."""
    return _SMALL(2, value)


def integer(value: int) -> bytes:
    """An ``integer`` field."""
    return _INTEGER(4, value)


def big(value: int) -> bytes:
    """A ``bigint`` field."""
    return _BIG(8, value)


def time(moment: datetime) -> bytes:
    """A ``timestamptz`` field."""
    return _BIG(8, micros(moment))


def truth(value: bool) -> bytes:
    """A ``boolean`` field."""
    return _TRUE if value else _FALSE


def row(*fields: bytes) -> bytes:
    """A row of such fields."""
    return _COUNT(len(fields)) + b"".join(fields)


def index_row(
    key: bytes, month: int, at: int, event_key: int, role: int, action: int, other: bytes, position: int
) -> bytes:
    """A row of ``thing_event``; its bytes sort as its key does. ``month`` and ``at`` are counted already."""
    if other:
        return _INDEX_OTHER(
            8,
            _KEY_BYTES,
            key,
            4,
            month,
            8,
            at,
            8,
            event_key,
            2,
            role,
            2,
            action,
            _KEY_BYTES,
            other,
            4,
            position,
        )
    return _INDEX(8, _KEY_BYTES, key, 4, month, 8, at, 8, event_key, 2, role, 2, action, 0, 4, position)


async def copy_rows(conn: Connection, table: str, columns: tuple[str, ...], rows: Iterable[bytes]) -> None:
    """Write rows into a table in one COPY; none cost nothing."""
    data = b"".join(rows)
    if data:
        # As a view, since the driver takes bytes for the name of a file.
        source = memoryview(b"".join((_HEADER, data, _TRAILER)))
        await conn.copy_to_table(table, source=source, columns=columns, format="binary")  # type: ignore[arg-type]
