"""Erasing a subject, and doing it again after a restore.

The journal row is committed first; only then is the subject's key deleted. A crash in between leaves a
journalled erasure that ``replay_erasures`` finishes. After a restore from a backup the journal's copy from
outside is given to ``replay_erasures``, which enters what the restored journal lacks and deletes again what
it names. What was written after an erasure is spared: the subject may have come back.

That copy is kept by the worker (``ErasureCopy``, ``keep_erasures``), so that no backup, however made, brings an
erased subject back for longer than until a worker starts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

import asyncpg
import msgspec

from suyuan.db.durable import replace_file
from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import IntegrityError, UnavailableError
from suyuan.vault.vault import check_reason

ErasureKind: TypeAlias = Literal["subject", "event", "evidence", "label"]


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the erasure journal. ``reference`` of a subject is its ID in hexadecimal, of a label
    GTIN/track/serial.
    """

    kind: ErasureKind
    reference: str
    party_id: str
    reason: str
    erased_at: datetime


async def journal_erasure(
    pool: Pool,
    kind: ErasureKind,
    reference: str,
    *,
    party_id: str,
    reason: str,
) -> Erasure:
    """Enter an erasure in the journal, committed on return; the deletion follows it.

    Raises ``InputError`` (``vault.reason``).
    """
    check_reason(reason)
    row = await pool.fetchrow(sql(__package__, "add_erasure"), kind, reference, party_id, reason.strip())
    assert row is not None
    return Erasure(**dict(row))


async def erase_subject(pool: Pool, subject_id: bytes, *, party_id: str, reason: str) -> bool:
    """Make all that is sealed for a subject unreadable for ever, and delete its numbers.

    Returns whether there was anything to erase; the request is journalled in any case, since a backup may
    still hold the subject. Raises ``InputError`` (``vault.reason``) and ``UnavailableError``
    (``vault.eraser``); in the latter case the journal holds the request and ``replay_erasures`` fulfils it.
    """
    await journal_erasure(pool, "subject", subject_id.hex(), party_id=party_id, reason=reason)
    return await _delete_journalled(pool, subject_id.hex())


async def read_erasure_journal(db: Pool | Connection) -> list[Erasure]:
    """The whole journal, oldest first: what is to be kept beside every backup."""
    return [Erasure(**dict(row)) for row in await db.fetch(sql(__package__, "read_erasure_journal"))]


async def replay_erasures(pool: Pool, entries: Iterable[Erasure] = ()) -> int:
    """Enter the journal rows that are missing here, then delete every subject that the journal names.

    Returns how many subjects were deleted. Doing it twice does nothing more. Erased events, evidence and
    labels are deleted by the room that keeps them, from the same journal.
    """
    given = list(entries)
    await pool.execute(
        sql(__package__, "merge_erasures"),
        [entry.kind for entry in given],
        [entry.reference for entry in given],
        [entry.party_id for entry in given],
        [entry.reason for entry in given],
        [entry.erased_at for entry in given],
    )
    unfinished = await pool.fetch(sql(__package__, "find_unfinished_erasures"))
    for row in unfinished:
        await _delete_journalled(pool, row["reference"])
    return len(unfinished)


class ErasureCopy:
    """The journal in a file outside the database, one JSON object a line, oldest first.

    It names subjects by their keyed digests, and the parties and reasons of the erasures: for the operator alone.
    Who can write it can erase subjects whose digests they know, and cannot bring one back where the database has
    its own journal.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[Erasure]:
        """The entries; none where there is no file. Raises ``IntegrityError`` (``vault.erasures``)."""
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        try:
            return [msgspec.json.decode(line, type=Erasure) for line in lines if line]
        except msgspec.MsgspecError:
            raise IntegrityError(
                "vault.erasures",
                "The copy of the erasure journal cannot be read.",
                path=str(self.path),
                remedy="Put back another copy of it; do not delete it, or erased subjects may come back.",
            ) from None

    def write(self, entries: Iterable[Erasure]) -> None:
        """Replace the file; durable on return."""
        replace_file(self.path, b"".join(msgspec.json.encode(one) + b"\n" for one in entries), mode=0o600)


async def keep_erasures(pool: Pool, copy: ErasureCopy, *, finish: bool = False) -> int:
    """Bring the journal and its copy to the same entries; returns how many subjects were erased on the way.

    What the copy has and the journal lacks was erased after the backup that this database comes from, and is erased
    again. With ``finish`` also what was journalled and not deleted yet, because the role was missing or the process
    died; without, that may be at work in another process at this moment. Raises ``UnavailableError``
    (``vault.eraser``) and ``IntegrityError`` (``vault.erasures``).
    """
    outside = await asyncio.to_thread(copy.read)
    inside = await read_erasure_journal(pool)
    erased = 0
    if finish or _identities(outside) - _identities(inside):
        erased = await replay_erasures(pool, outside)
        inside = await read_erasure_journal(pool)
    if inside != outside:
        await asyncio.to_thread(copy.write, inside)
    return erased


def _identities(entries: Iterable[Erasure]) -> set[tuple[str, str, datetime]]:
    return {(entry.kind, entry.reference, entry.erased_at) for entry in entries}


async def become_eraser(conn: Connection) -> None:
    """Take the role that may delete erasable rows, until the end of the connection's transaction.

    Raises ``UnavailableError`` (``vault.eraser``) where this deployment's user may not take it.
    """
    try:
        await conn.execute(sql(__package__, "become_eraser"))
    except (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidParameterValueError):
        raise UnavailableError(
            "vault.eraser",
            "The database user may not take the role suyuan_eraser, so nothing can be erased.",
            remedy="As a superuser: GRANT suyuan_eraser TO the user of SUYUAN_DATABASE_URL; then replay.",
        ) from None


async def _delete_journalled(pool: Pool, reference: str) -> bool:
    async with pool.acquire() as conn, conn.transaction():
        await become_eraser(conn)
        # The key before the numbers, as sealing takes them: two orders would be a deadlock.
        subjects = await conn.fetch(sql(__package__, "delete_subject"), reference)
        numbers = await conn.fetch(sql(__package__, "delete_numbers"), reference)
    return bool(subjects or numbers)
