"""How often people opened the page of an item: counts by day, and nothing of who they were.

A view is no verification: anybody may look, in a shop too. It is counted in the process that answered and brought to
the database every few seconds, so that a page costs no write and stays kept; what a process counted last is lost if it
is killed. No address, no device, no time finer than the day is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import date
from typing import Final

import asyncpg
import msgspec
import structlog

from suyuan.db.pool import Connection, Pool, sql

FLUSH_SECONDS: Final = 5.0
# So many items' views are held between two flushes; views of further ones are not counted.
MAX_HELD: Final = 20_000
KEPT_DAYS: Final = 730
_BATCH: Final = 2_000
_LOST: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
_logger = structlog.get_logger("suyuan.scans")


class Views(msgspec.Struct, frozen=True, kw_only=True):
    """How often an item's page was opened, on how many days, the first and the last of them (in China)."""

    views: int = 0
    days: int = 0
    first_on: date | None = None
    last_on: date | None = None


class PageViews:
    """The views that one process counts."""

    def __init__(self, pool: Pool, *, most: int = MAX_HELD) -> None:
        self._pool = pool
        self._most = most
        self._counts: dict[tuple[str, str], int] = {}

    def note(self, gtin: str, serial: str) -> None:
        """Count one view of an item's page; costs no more than that."""
        key = (gtin, serial)
        counted = self._counts.get(key)
        if counted is not None or len(self._counts) < self._most:
            self._counts[key] = (counted or 0) + 1

    async def flush(self) -> int:
        """Bring what was counted to the database and return how many items that were. What fails is kept."""
        taken, self._counts = self._counts, {}
        keys = sorted(taken)
        done = 0
        try:
            for start in range(0, len(keys), _BATCH):
                batch = keys[start : start + _BATCH]
                await self._pool.execute(
                    sql(__package__, "add_page_views"),
                    [gtin for gtin, _ in batch],
                    [serial for _, serial in batch],
                    [taken[key] for key in batch],
                )
                done += len(batch)
        finally:
            for key in keys[done:]:
                if key in self._counts or len(self._counts) < self._most:
                    self._counts[key] = self._counts.get(key, 0) + taken[key]
        return done

    @contextlib.asynccontextmanager
    async def keeping(self) -> AsyncIterator[PageViews]:
        """Flush every few seconds for the length of the block, and at its end."""
        task = asyncio.create_task(self._flush_often())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._flush_quietly()

    async def _flush_often(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self._flush_quietly()

    async def _flush_quietly(self) -> None:
        try:
            await self.flush()
        except _LOST as error:
            _logger.warning("page views not brought to the database yet", error=type(error).__name__)


def at_least(views: int) -> int:
    """The last of the steps 1, 2, 5, 10, 20, 50, ... that a number reached; 0 for none."""
    if views < 1:
        return 0
    power: int = 10 ** (len(str(views)) - 1)
    return next(step * power for step in (5, 2, 1) if views >= step * power)


async def page_views_of(db: Pool | Connection, gtin: str, serial: str) -> Views:
    """The views of an item's page so far, as far as they are kept and were brought to the database."""
    row = await db.fetchrow(sql(__package__, "page_views_of"), gtin, serial)
    assert row is not None
    return Views(**dict(row))


async def forget_page_views(db: Pool | Connection, days: int = KEPT_DAYS) -> int:
    """Forget the counts of days that lie further back; returns how many rows went."""
    done = await db.execute(sql(__package__, "forget_page_views"), days)
    return int(done.rpartition(" ")[2])
