"""The work beside the doors: the log is sequenced and published, partitions are made ahead of need, the erasure journal
is kept outside the database too, and what has its days goes when they are over: images of label checks, ended sessions
of people, counts of page views.

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
from suyuan.parties.sessions_forgetting import forget_sessions
from suyuan.scans.label_erasing import finish_label_erasures
from suyuan.scans.label_images import forget_images
from suyuan.scans.page_views import forget_page_views
from suyuan.settings import Settings
from suyuan.vault.erasing import keep_erasures

_logger = structlog.get_logger("suyuan.worker")
PARTITIONS_EVERY = 6 * 3600.0
ERASURES_EVERY = 10.0
IMAGES_EVERY = 3600.0
OLD_EVERY = 6 * 3600.0
_LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, SuyuanError)


async def work(services: Services, stop: asyncio.Event) -> None:
    """Work until ``stop`` is set; then publish what is stored by then and return.

    Raises ``IntegrityError`` where the log must not be signed any more.
    """
    beside = [
        asyncio.create_task(kept(services))
        for kept in (_keep_partitions, _keep_erasures, _forget_images, _forget_old)
    ]
    try:
        await services.sequencer().run(stop)
    finally:
        for task in beside:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _keep_partitions(services: Services) -> None:
    while True:
        try:
            async with services.pool.acquire() as conn:
                made = await ensure_all_partitions(conn)
            if made:
                _logger.info("partitions made", names=made)
        except _LOST as error:
            _logger.warning("partitions not made", error=type(error).__name__)
        await asyncio.sleep(PARTITIONS_EVERY)


async def _keep_erasures(services: Services) -> None:
    copy, finish = services.erasure_copy(), True
    while True:
        try:
            if erased := await keep_erasures(services.pool, copy, finish=finish):
                _logger.warning("erasures done again, or finished", subjects=erased)
            records, images = await finish_label_erasures(services.pool)
            if records or images:
                _logger.warning("erasures of labels done again, or finished", records=records, images=images)
            finish = False
        except _LOST as error:
            _logger.warning("erasures not kept outside", error=getattr(error, "code", type(error).__name__))
        await asyncio.sleep(ERASURES_EVERY)


async def _forget_images(services: Services) -> None:
    while True:
        try:
            days = await forget_images(services.pool, services.vault, days=services.settings.label_image_days)
            if days:
                _logger.info("images of label checks erased", days=days)
        except _LOST as error:
            _logger.warning("images not erased", error=getattr(error, "code", type(error).__name__))
        await asyncio.sleep(IMAGES_EVERY)


async def _forget_old(services: Services) -> None:
    while True:
        try:
            sessions = await forget_sessions(services.pool)
            views = await forget_page_views(services.pool)
            if sessions or views:
                _logger.info("old rows forgotten", sessions=sessions, page_views=views)
        except _LOST as error:
            _logger.warning("old rows not forgotten", error=type(error).__name__)
        await asyncio.sleep(OLD_EVERY)


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """``work`` on services of its own. Raises what ``open_services`` raises."""
    async with open_services(settings, migrate=False) as services:
        await work(services, stop)
