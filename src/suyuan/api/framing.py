"""What surrounds every request: a reference, the caller's address, limits, protective headers, one log line, metrics.

Plain ASGI around the whole application, so that it also covers what no route answers. The log line names the
route, never the path or the query: both may name an item, a party or a number.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from suyuan import __version__
from suyuan.api.addresses import ADDRESS, Network, address_in
from suyuan.api.bodies import PacedBody, check_headers
from suyuan.api.limits import Failure, FailureLimits
from suyuan.api.metrics import count_request
from suyuan.api.problems import Reply, reply_to
from suyuan.canon import base32_text
from suyuan.capture.paper import MAX_PAPER_BYTES
from suyuan.errors import SuyuanError

_logger = structlog.get_logger("suyuan.http")
_MOUNT = re.compile(r"[0-9]{2,4}|obj|item|trace|bundle|label|check|static")
HELD = "suyuan_held"
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
    first = path.partition("/")[2].partition("/")[0]
    return f"/{first}" if _MOUNT.fullmatch(first) else "unmatched"


def _failure(status: int, mount: str) -> Failure | None:
    """What an answer says of its caller: nothing, or that a code or a token was wrong."""
    if status == 401:
        return "token"
    if status in (400, 404) and mount not in ("unmatched", "/static"):
        return "code"
    return None


class Framing:
    """Wraps the application; see the module. ``proxies`` are those whose word on the caller's address counts."""

    def __init__(
        self,
        application: ASGIApp,
        *,
        proxies: Sequence[Network] = (),
        limits: FailureLimits | None = None,
    ) -> None:
        self._application = application
        self._proxies = proxies
        self._limits = limits if limits is not None else FailureLimits()
        self._warned = False

    def _address(self, scope: Any) -> str:
        if not self._warned and not self._proxies:
            self._warned = any(name == b"x-forwarded-for" for name, _ in scope["headers"])
            if self._warned:
                _logger.warning("a proxy's X-Forwarded-For is not believed", setting="SUYUAN_TRUSTED_PROXIES")
        return address_in(scope, self._proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "method" not in scope:
            await self._application(scope, receive, send)
            return
        started = time.perf_counter()
        reference = base32_text(secrets.token_bytes(10))
        frame: dict[str, Any] = scope  # type: ignore[assignment]
        method = str(frame["method"])
        frame["suyuan_reference"] = reference
        frame[ADDRESS] = address = self._address(scope)
        path = scope["path"]  # a mount changes it in the scope
        mount = _mount(path)
        # Whoever answers may spare itself the page that would be thrown away.
        frame[HELD] = mount != "unmatched" and self._limits.is_held("code", address)
        extra = (*_extra(path), (b"x-request-id", reference.encode()))
        status = 0
        replaced = False
        body = PacedBody(receive)

        async def framed(message: Message) -> None:
            nonlocal status, replaced
            if message["type"] == "http.response.start":
                status = message["status"]
                if status >= 400:
                    await body.drain(scope["headers"])
                failure = _failure(status, mount)
                held = self._limits.fail(failure, address) if failure else None
                if held is not None:
                    replaced, status = True, held.http_status
                    headers = {"Retry-After": str(held.seconds), "Cache-Control": "no-store"}
                    if failure == "code":
                        headers["Access-Control-Allow-Origin"] = "*"
                    await _send_reply(send, reply_to(frame, held, status, headers), method, extra)
                    return
                message["headers"] = _merged(message["headers"], extra)
            if not replaced:
                await send(message)

        try:
            try:
                check_headers(scope)
            except SuyuanError as error:
                status = error.http_status
                await body.drain(scope["headers"])
                await _send_reply(send, reply_to(frame, error, status, {}), method, extra)
            else:
                await self._application(scope, body, framed)
        finally:
            seconds = time.perf_counter() - started
            route = str(frame.get("path_template") or mount)
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


async def _send_reply(send: Send, reply: Reply, method: str, extra: Pairs) -> None:
    """An answer of our own, in place of the application's."""
    own = [(name.lower().encode(), value.encode("latin-1")) for name, value in reply.headers.items()]
    own.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": _merged(own, extra)})
    body = b"" if method == "HEAD" else reply.body
    await send({"type": "http.response.body", "body": body, "more_body": False})
