"""The floor of every HTTP row: the product's server stack with a handler that does nothing."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request, get, post
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler


@get("/", sync_to_thread=False)
def nothing() -> bytes:
    """Two bytes."""
    return b"ok"


@post("/", status_code=202)
async def take(request: Request[Any, Any, State]) -> bytes:
    """Two bytes after the body was read."""
    await request.body()
    return b"ok"


def application() -> Litestar:
    """The factory for the server."""
    handlers: list[HTTPRouteHandler] = [nothing, take]
    return Litestar(handlers, logging_config=None, openapi_config=None, request_max_body_size=1 << 28)
