"""The whole application for an ASGI server: the machine interface, the item pages, and what surrounds them.

``create_application`` composes what it is given. ``application`` is the factory that server processes call: it
reads the settings of its environment, opens the services when the server starts it and closes them, after what
was accepted is stored, when the server stops it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import structlog
from litestar import Litestar
from litestar.datastructures import State
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import ASGIApp

from suyuan import __version__, settings
from suyuan.api import api_routes
from suyuan.api.access import Deliverers
from suyuan.api.addresses import read_networks
from suyuan.api.documentation import describe_refusals
from suyuan.api.framing import Framing
from suyuan.api.metrics import watching
from suyuan.api.problems import EXCEPTION_HANDLERS
from suyuan.app import Services, open_services
from suyuan.console.routes import console_routes
from suyuan.db.pool import Connection, Pool
from suyuan.errors import SuyuanError
from suyuan.observing import configure_logging
from suyuan.parties import find_holders, get_party
from suyuan.scans import Verifier
from suyuan.scans.page_views import PageViews
from suyuan.settings import Settings
from suyuan.web.model import ItemSource, PageSettings
from suyuan.web.resolver import Seen
from suyuan.web.routes import item_routes
from suyuan.web.source import StoredItems

_logger = structlog.get_logger("suyuan.asgi")
_WATCH_SECONDS = 1.0
# How many new objects a collection waits for, and how many collections the next generation's. A page makes some ten
# thousand, all of which go by themselves, and several are made at a time.
_COLLECT_AFTER = (50_000, 50, 50)


async def page_settings(db: Pool | Connection, configured: Settings) -> PageSettings:
    """What the pages say of this deployment; its operator is the party that holds the role unless a name is set."""
    operator_en, operator_zh = configured.operator_name_en, configured.operator_name_zh
    if not (operator_en and operator_zh):
        holders = await find_holders(db, "operator", datetime.now(UTC))
        if holders:
            party = await get_party(db, holders[0].party_id)
            operator_en, operator_zh = operator_en or party.name_en, operator_zh or party.name_zh
    return PageSettings(
        base_url=configured.base_url,
        operator_en=operator_en,
        operator_zh=operator_zh,
        report_url=configured.report_url,
        icp_number=configured.icp_number,
        police_number=configured.police_number,
        root_files=configured.root_files_dir,
        label_image_hours=configured.label_image_days * 24,
    )


def create_application(
    services: Services, items: ItemSource, pages: PageSettings, seen: Seen | None = None
) -> ASGIApp:
    """The application over these services, without a lifespan of its own; ``seen`` is told of opened pages."""
    inner = Litestar(
        route_handlers=[*api_routes(), item_routes(items, pages, seen), console_routes(services)],
        state=State({"services": services, "deliverers": Deliverers(services)}),
        exception_handlers=EXCEPTION_HANDLERS,
        logging_config=None,
        openapi_config=OpenAPIConfig(
            title="Suyuan",
            version=__version__,
            path="/schema",
            # Plain JSON: the viewers that a framework brings would load code from elsewhere.
            render_plugins=[JsonRenderPlugin(path=["/", "/openapi.json"])],
        ),
    )
    describe_refusals(inner.openapi_schema)
    return Framing(inner, proxies=read_networks(services.settings.trusted_proxies))


@contextlib.asynccontextmanager
async def opened(services: Services) -> AsyncIterator[ASGIApp]:
    """The application over open services, for the length of the block."""
    items = StoredItems(
        services.reader,
        services.tree,
        services.mac_keys,
        services.signer,
        legs_folder=services.settings.data_dir / "legs",
        cities_folder=services.settings.data_dir / "cities",
        verifier=Verifier(services.pool, services.mac_keys, services.scratch_keys),
        labels=services.label_checker,
    )
    await items.load_gtins()
    pages = await page_settings(services.pool, services.settings)
    async with PageViews(services.pool).keeping() as views:
        yield create_application(services, items, pages, views.note)


class _Process:
    """One server process: the application between the start and the end that the server gives it."""

    def __init__(self) -> None:
        self._application: ASGIApp | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._application is not None:
            await self._application(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        async with contextlib.AsyncExitStack() as stack:
            try:
                configured = settings.load()
                configure_logging(configured)
                services = await stack.enter_async_context(open_services(configured, migrate=False))
                self._application = await stack.enter_async_context(opened(services))
                await stack.enter_async_context(watching(services.pool))
                _settle_memory()
            except SuyuanError as error:
                _logger.error("not started", code=error.code, reason=error.reason, remedy=error.remedy)  # noqa: TRY400
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            watch = asyncio.create_task(_stop_with_parent(os.getppid()))
            await send({"type": "lifespan.startup.complete"})
            await receive()
            watch.cancel()
        await send({"type": "lifespan.shutdown.complete"})


def _settle_memory() -> None:
    """What was made until now lives as long as the process: no collection need look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


async def _stop_with_parent(parent: int) -> None:
    """A server process whose parent was killed ends too, or it would hold port and database for ever."""
    while os.getppid() == parent:  # noqa: ASYNC110 - nobody would tell us
        await asyncio.sleep(_WATCH_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def application() -> _Process:
    """The factory for an ASGI server: ``suyuan.asgi:application``."""
    return _Process()
