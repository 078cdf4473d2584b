"""The sequencer: the loop that keeps the log moving.

Any number of processes may run one. An advisory lock on the loop's own connection picks the active one; when
that process, its connection or the database goes away, so does the lock, and another takes over. Correctness
does not hang on it: the head row's lock and the checkpoint's compare and swap hold without it.

It polls rather than listens: NOTIFY makes all committing captures queue for one lock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from datetime import datetime

import asyncpg
import msgspec
import structlog

from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import ConflictError, UnavailableError
from suyuan.log.intake import find_indexes
from suyuan.log.publishing import PublishedCopy, StoredCheckpoint, publish, verify_head
from suyuan.log.sequencing import BATCH, sequence_once
from suyuan.tlog.note import Ed25519Signer, Ed25519Verifier

_logger = structlog.get_logger("suyuan.log")

# Any constant; it names this lock among the advisory locks of the database.
_LOCK = 0x7375_7975_6C6F_67
_LOST = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
_LONGEST_PAUSE = 5.0


class LogStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far the log is: events waiting for an index, entries sequenced, entries published and when."""

    waiting: int
    sequenced: int
    published: int
    published_at: datetime | None


class Sequencer:
    """Sequences, integrates and publishes until it is told to stop.

    ``publish_every`` (seconds) bounds how often a checkpoint is signed, ``poll`` how long new events lie
    unseen; with the defaults an event is published about a second after its commit. One connection of the
    pool is held as long as this one is active.
    """

    def __init__(
        self,
        pool: Pool,
        signer: Ed25519Signer,
        *,
        copy: PublishedCopy | None = None,
        batch: int = BATCH,
        publish_every: float = 1.0,
        poll: float = 0.1,
        stand_by: float = 1.0,
    ) -> None:
        self._pool = pool
        self._signer = signer
        self._copy = copy
        self._batch = batch
        self._publish_every = publish_every
        self._poll = poll
        self._stand_by = stand_by
        self.active = False

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the log moving until ``stop`` is set; then publish what is stored by then and return.

        A database that goes away is waited for. Raises ``IntegrityError`` when the log must not be signed any
        more: captures go on, and someone has to look.
        """
        pause = self._poll
        while not stop.is_set():
            try:
                async with self._pool.acquire() as conn:
                    if await conn.fetchval(sql(__package__, "try_lock"), _LOCK):
                        pause = self._poll
                        await self._lead(conn, stop)
                        continue
                await _wait(stop, self._stand_by)
            except ConflictError as error:
                _logger.warning("checkpoint moved", code=error.code)
            except (*_LOST, UnavailableError) as error:
                _logger.warning("log interrupted, trying again", error=type(error).__name__)
                await _wait(stop, pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _lead(self, conn: Connection, stop: asyncio.Event) -> None:
        self.active = True
        try:
            last = await self._verify(conn)
            due = 0.0 if last is None else time.monotonic()
            while not stop.is_set():
                moved = await sequence_once(conn, batch=self._batch)
                if time.monotonic() >= due and await self._publish(conn) is not None:
                    due = time.monotonic() + self._publish_every
                if moved < self._batch:
                    await _wait(stop, self._poll)
            while await sequence_once(conn, batch=self._batch) == self._batch:
                pass
            await self._publish(conn)
        finally:
            self.active = False
            if not conn.is_closed():
                await conn.execute(sql(__package__, "unlock"), _LOCK)

    async def _verify(self, conn: Connection) -> StoredCheckpoint | None:
        outside = None if self._copy is None else await asyncio.to_thread(self._copy.read)
        last = await verify_head(
            conn, Ed25519Verifier(self._signer.vkey), seen=[] if outside is None else [outside]
        )
        if self._copy is not None and last is not None and last.note != outside:
            # Whoever published last was stopped before it wrote the copy, or wrote one elsewhere.
            await asyncio.to_thread(self._copy.write, last.note)
        return last

    async def _publish(self, conn: Connection) -> StoredCheckpoint | None:
        return await publish(conn, self._signer, copy=self._copy)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def status(db: Pool | Connection) -> LogStatus:
    """How far the log is."""
    row = await db.fetchrow(sql(__package__, "status"))
    assert row is not None
    return LogStatus(**dict(row))


async def wait_until_published(
    db: Pool | Connection, event_keys: Collection[int], *, seconds: float = 30.0, poll: float = 0.05
) -> dict[int, int]:
    """Wait until a published checkpoint covers all these stored events; returns their indexes.

    Raises ``UnavailableError`` (``log.publishing.late``) after ``seconds``.
    """
    wanted = set(event_keys)
    end = time.monotonic() + seconds
    while True:
        indexes = await find_indexes(db, wanted)
        if len(indexes) == len(wanted):
            published = await db.fetchval(sql(__package__, "published_size"))
            if all(index < published for index in indexes.values()):
                return indexes
        if time.monotonic() > end:
            raise UnavailableError(
                "log.publishing.late",
                f"The log did not publish these events within {seconds:g} seconds. They are stored.",
                remedy="Check that a worker runs and that it does not refuse to sign.",
            )
        await asyncio.sleep(poll)
