"""The work beside the doors: the log is sequenced and published, partitions are made ahead of need.

``suyuan serve`` runs it too; a process of its own is for deployments that serve from several machines. Any number
may run, one sequencer is active.
"""

from __future__ import annotations

import asyncio
import contextlib

import asyncpg
import structlog

from suyuan.app import Services, open_services
from suyuan.db.partitions import ensure_all_partitions
from suyuan.errors import SuyuanError
from suyuan.settings import Settings

_logger = structlog.get_logger("suyuan.worker")
PARTITIONS_EVERY = 6 * 3600.0


async def work(services: Services, stop: asyncio.Event) -> None:
    """Work until ``stop`` is set; then publish what is stored by then and return.

    Raises ``IntegrityError`` where the log must not be signed any more.
    """
    partitions = asyncio.create_task(_keep_partitions(services))
    try:
        await services.sequencer().run(stop)
    finally:
        partitions.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await partitions


async def _keep_partitions(services: Services) -> None:
    while True:
        try:
            async with services.pool.acquire() as conn:
                made = await ensure_all_partitions(conn)
            if made:
                _logger.info("partitions made", names=made)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, SuyuanError) as error:
            _logger.warning("partitions not made", error=type(error).__name__)
        await asyncio.sleep(PARTITIONS_EVERY)


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """``work`` on services of its own. Raises what ``open_services`` raises."""
    async with open_services(settings, migrate=False) as services:
        await work(services, stop)
