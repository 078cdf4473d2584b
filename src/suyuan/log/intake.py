"""What captures write and ask of the log."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import NotFoundError


async def append_intake(conn: Connection, rows: Iterable[tuple[int, bytes]]) -> None:
    """Put events in line for the log: pairs of event key and leaf, in the transaction that stores the events.

    When that transaction commits the events are *stored*; an index follows, gapless and durable, without any
    further act of the caller.
    """
    await conn.copy_records_to_table("intake", records=rows, columns=("event_key", "leaf"))


async def find_indexes(db: Pool | Connection, event_keys: Collection[int]) -> dict[int, int]:
    """Log indexes by event key; events that are not sequenced yet are left out."""
    rows = await db.fetch(sql(__package__, "find_indexes"), sorted(set(event_keys)))
    return {row["event_key"]: row["log_index"] for row in rows}


async def get_entries(db: Pool | Connection, start: int, end: int) -> list[bytes]:
    """The leaves with the indexes from ``start`` up to, not including, ``end``.

    Raises ``NotFoundError`` (``log.entry.absent``) where the log does not have all of them.
    """
    leaves = await read_leaves(db, start, end)
    if len(leaves) != end - start:
        raise NotFoundError(
            "log.entry.absent", f"The log does not have all entries from {start} to {end - 1}."
        )
    return leaves


async def read_leaves(db: Pool | Connection, start: int, end: int) -> list[bytes]:
    """Those leaves of the range that there are, in order of index."""
    return [row["leaf"] for row in await db.fetch(sql(__package__, "read_leaves"), start, end)]
