"""What surrounds every request: a reference, protective headers, one log line, two metrics.

Plain ASGI around the whole application, so that it also covers what no route answers. The log line names the
route, never the path or the query: both may name an item, a party or a number.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable
from typing import Any

import structlog
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from suyuan import __version__
from suyuan.api.metrics import count_request
from suyuan.canon import base32_text
from suyuan.capture.paper import MAX_PAPER_BYTES

_logger = structlog.get_logger("suyuan.http")
_MOUNT = re.compile(r"[0-9]{2,4}|obj|item|trace|bundle|static")
Pairs = tuple[tuple[bytes, bytes], ...]
_NOSNIFF: Pairs = ((b"x-content-type-options", b"nosniff"),)
_PRIVATE: Pairs = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"vary", b"Accept, Authorization"),
)
_EPCIS: Pairs = (
    (b"gs1-epcis-version", b"2.0.0"),
    (b"gs1-epcis-min", b"2.0.0"),
    (b"gs1-epcis-max", b"2.0.0"),
    (b"gs1-cbv-version", b"2.0.0"),
    (b"gs1-cbv-min", b"2.0.0"),
    (b"gs1-cbv-max", b"2.0.0"),
    (b"gs1-vendor-version", __version__.encode()),
    (b"gs1-epc-format", b"Always_GS1_Digital_Link, Always_EPC_URN, No_Preference"),
    (b"gs1-epcis-capture-file-size-limit", str(MAX_PAPER_BYTES).encode()),
    (b"gs1-capture-error-behaviour", b"rollback"),
)


def _extra(path: str) -> Pairs:
    if path == "/epcis" or path.startswith("/epcis/"):
        return _NOSNIFF + _PRIVATE + _EPCIS
    if path.startswith(("/api/", "/health", "/metrics", "/schema")):
        return _NOSNIFF + _PRIVATE
    return _NOSNIFF


def _merged(headers: Iterable[tuple[bytes, bytes]], extra: Pairs) -> list[tuple[bytes, bytes]]:
    """The answer's own headers count before ours."""
    own = list(headers)
    names = {name.lower() for name, _ in own}
    return own + [pair for pair in extra if pair[0] not in names]


def _mount(path: str) -> str:
    """The first segment of an item page's path (an application identifier), which names no item."""
    first = path.split("/", 2)[1]
    return f"/{first}" if _MOUNT.fullmatch(first) else "unmatched"


class Framing:
    """Wraps the application; see the module."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "method" not in scope:
            await self._application(scope, receive, send)
            return
        started = time.perf_counter()
        reference = base32_text(secrets.token_bytes(10))
        frame: dict[str, Any] = scope  # type: ignore[assignment]
        method = str(frame["method"])
        frame["suyuan_reference"] = reference
        path = scope["path"]  # a mount changes it in the scope
        extra = (*_extra(path), (b"x-request-id", reference.encode()))
        status = 0

        async def framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _merged(message["headers"], extra)
            await send(message)

        try:
            await self._application(scope, receive, framed)
        finally:
            seconds = time.perf_counter() - started
            route = str(frame.get("path_template") or _mount(path))
            count_request(method, route, status, seconds)
            _logger.info(
                "request",
                method=method,
                route=route,
                status=status,
                ms=round(seconds * 1000, 1),
                party=frame.get("suyuan_party"),
                reference=reference,
            )
