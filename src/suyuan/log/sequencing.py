"""Giving stored events their place.

Never a database sequence: it leaves gaps where a transaction fails, and commits come in another order than
its numbers. The next index lies in one row, which is locked for the length of a batch; so sequencers in any
number of processes take turns, and each sees what the one before it committed.
"""

from __future__ import annotations

import asyncpg

from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import IntegrityError

BATCH = 10_000


async def sequence_once(db: Pool | Connection, *, batch: int = BATCH) -> int:
    """Move up to ``batch`` visible intake rows to the next indexes, in order of event key; returns how many.

    One transaction (READ COMMITTED, not inside another one): either all of them have an index and left the
    intake, or nothing happened. Raises ``IntegrityError`` (``log.head.missing``).
    """
    if isinstance(db, asyncpg.Pool):
        async with db.acquire() as conn:
            return await _sequence(conn, batch)
    return await _sequence(db, batch)


async def _sequence(conn: Connection, batch: int) -> int:
    # Without the lock, and the usual answer of an idle log.
    if not await conn.fetchval(sql(__package__, "intake_waits")):
        return 0
    async with conn.transaction(isolation="read_committed"):
        # A statement of its own: the next one must see what was committed while this one waited.
        next_index = await conn.fetchval(sql(__package__, "lock_head"))
        if next_index is None:
            raise IntegrityError(
                "log.head.missing",
                "The log has lost the row that counts its entries.",
                remedy="Restore the database; do not put the row back by hand before fsck is clean.",
            )
        moved = int(
            (await conn.execute(sql(__package__, "move_intake"), next_index, batch)).rpartition(" ")[2]
        )
        if moved:
            await conn.execute(sql(__package__, "advance_head"), next_index + moved)
        return moved
