"""Acts on a batch as a whole: its codes are picked in the database, so that a million need not travel.

Both take the locks of drawing single codes and of activation first, in this order, so that a code is never printed
and voided as unprinted at the same moment.
"""

from __future__ import annotations

from suyuan.db.pool import Connection, Pool, sql, transaction
from suyuan.errors import InputError, RefusedError
from suyuan.issuing.codes import Activation, Batch, lock_activation

# One statement works on the whole batch, tens of millions of rows at most.
STATEMENT_SECONDS = 3600.0


async def _lock(conn: Connection, batch: Batch) -> None:
    await conn.execute(sql(__package__, "draw_lock"), f"{batch.gtin}/{batch.lot}")
    await lock_activation(conn, batch.gtin, batch.lot, "", "")


async def void_unprinted(
    pool: Pool, batch: Batch, *, party_id: str, reason: str, facility: str = ""
) -> Activation:
    """Void every code of the batch that was never printed, activated or voided; none left is no error.

    One transaction: all of them or none. Raises ``InputError`` (``issuing.reason``).
    """
    if not reason.strip():
        raise InputError("issuing.reason", "Voiding codes needs a reason.", path="reason")

    async def work(conn: Connection) -> Activation:
        await _lock(conn, batch)
        row = await conn.fetchrow(
            sql(__package__, "void_unprinted"),
            batch.batch_id,
            batch.gtin,
            batch.lot,
            facility,
            reason.strip(),
            party_id,
            timeout=STATEMENT_SECONDS,
        )
        if row is None:
            return Activation(act_id=0, count=0, repeated=0, acted_at=None)
        return Activation(act_id=row["act_id"], count=row["count"], repeated=0, acted_at=row["acted_at"])

    return await transaction(pool, work)


async def mark_range_printed(
    pool: Pool, batch: Batch, first: int, last: int, *, party_id: str, facility: str = ""
) -> Activation:
    """Note that labels ``first`` to ``last`` of the batch (its first label is 1) were printed.

    Codes that are noted already are counted as repeated. Raises ``InputError`` (``issuing.range``) and
    ``RefusedError`` (``issuing.code.voided``) with nothing changed.
    """
    if not 1 <= first <= last <= batch.count:
        raise InputError(
            "issuing.range",
            f"{first} to {last} is no range of the batch, whose labels are 1 to {batch.count}.",
            path="from",
            remedy="Count labels in the order of the batch's file, from 1.",
        )

    async def work(conn: Connection) -> Activation:
        await _lock(conn, batch)
        voided = await conn.fetchrow(
            sql(__package__, "voided_in_range"), batch.batch_id, first, last, timeout=STATEMENT_SECONDS
        )
        if voided is not None:
            raise RefusedError(
                "issuing.code.voided",
                f"Label {voided['ordinal']} ({voided['serial']}) is voided.",
                path="from",
                remedy="Leave voided labels out; a voided code is never used again.",
            )
        row = await conn.fetchrow(
            sql(__package__, "print_range"),
            batch.batch_id,
            batch.gtin,
            batch.lot,
            facility,
            "",
            party_id,
            first,
            last,
            timeout=STATEMENT_SECONDS,
        )
        total = last - first + 1
        if row is None:
            return Activation(act_id=0, count=0, repeated=total, acted_at=None)
        return Activation(
            act_id=row["act_id"], count=row["count"], repeated=total - row["count"], acted_at=row["acted_at"]
        )

    return await transaction(pool, work)
