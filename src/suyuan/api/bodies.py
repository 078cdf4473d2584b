"""How a body may come: as it is, and not endlessly slowly.

A caller that sends a byte now and then would hold a connection, and a place in the queue, for as long as it likes.
Whoever waits too long for the next bytes, or comes too slowly on the whole, is refused (408); a line of 8 kbit/s is
fast enough. Only time spent waiting for the caller counts. Packed bodies are not unpacked: a few bytes could stand
for gigabytes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from suyuan.errors import InputError, UnsupportedError

PAUSE_SECONDS = 30.0
GRACE_SECONDS = 60.0
BYTES_PER_SECOND = 1024


class SlowBodyError(InputError):
    """The body came too slowly."""

    http_status = 408


class PacedBody:
    """Wraps ``receive`` of one request until its body is there; after that it is the server's own."""

    def __init__(
        self,
        receive: Callable[[], Awaitable[Any]],
        *,
        pause: float = PAUSE_SECONDS,
        grace: float = GRACE_SECONDS,
    ) -> None:
        self._receive = receive
        self._pause = pause
        self._grace = grace
        self._waited = 0.0
        self._bytes = 0
        self._complete = False

    async def __call__(self) -> Any:
        if self._complete:
            return await self._receive()
        left = self._grace + self._bytes / BYTES_PER_SECOND - self._waited
        started = time.perf_counter()
        try:
            async with asyncio.timeout(max(0.0, min(self._pause, left))):
                message = await self._receive()
        except TimeoutError:
            raise SlowBodyError(
                "http.body.slow",
                "The body came too slowly.",
                remedy="Send it again in one go; a long paper can be split.",
            ) from None
        self._waited += time.perf_counter() - started
        if message["type"] == "http.disconnect":
            raise InputError("http.body.cut", "The connection ended before the body did.")
        self._bytes += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return message


def check_coding(codings: str) -> None:
    """Refuse a body that is packed. Raises ``UnsupportedError`` (``http.content_encoding``)."""
    if any(coding.strip().lower() not in ("", "identity") for coding in codings.split(",")):
        raise UnsupportedError(
            "http.content_encoding",
            "Packed bodies are not read.",
            path="Content-Encoding",
            remedy="Send the body as it is, without Content-Encoding.",
        )
