"""How a body may come: as it is, and not endlessly slowly.

A caller that sends a byte now and then would hold a connection, and a place in the queue, for as long as it likes.
Whoever waits too long for the next bytes, or comes too slowly on the whole, is refused (408); a line of 8 kbit/s is
fast enough. Only time spent waiting for the caller counts. Packed bodies are not unpacked: a few bytes could stand
for gigabytes.

The server (granian) closes a connection whose request it answered before the body was read, and the caller, still
sending, meets the end of the connection instead of the answer. So the rest of a short body is read and thrown away
before a refusal is sent. A long one is not: closing the connection is then the only way to end it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ClassVar

from suyuan.errors import InputError, UnsupportedError

BYTES_PER_SECOND = 1024
# So much of a refused body, for so long, is read for its caller's sake: a form with a photo, not one with a clip.
DRAINED_BYTES = 4 * 1024 * 1024
DRAINED_SECONDS = 2.0
_HOST = re.compile(rb"[A-Za-z0-9._:\[\]-]{1,260}")


class SlowBodyError(InputError):
    """The body came too slowly."""

    http_status = 408


class PacedBody:
    """Wraps ``receive`` of one request until its body is there; after that it is the server's own.

    ``pause_seconds`` is the longest wait for the next bytes, ``grace_seconds`` what any body may take however short.
    """

    pause_seconds: ClassVar[float] = 30.0
    grace_seconds: ClassVar[float] = 60.0

    def __init__(self, receive: Callable[[], Awaitable[Any]]) -> None:
        self._receive = receive
        self._waited = 0.0
        self._bytes = 0
        self._complete = False
        self._ended = False

    async def __call__(self) -> Any:
        if self._complete:
            return await self._receive()
        left = self.grace_seconds + self._bytes / BYTES_PER_SECOND - self._waited
        started = time.perf_counter()
        try:
            async with asyncio.timeout(max(0.0, min(self.pause_seconds, left))):
                message = await self._receive()
        except TimeoutError:
            self._ended = True
            raise SlowBodyError(
                "http.body.slow",
                "The body came too slowly.",
                remedy="Send it again in one go; a long paper can be split.",
            ) from None
        self._waited += time.perf_counter() - started
        if message["type"] == "http.disconnect":
            self._ended = True
            raise InputError("http.body.cut", "The connection ended before the body did.")
        self._bytes += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return message

    async def drain(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Read the rest of the body of a request that is refused, and forget it, where that is worth while."""
        most = self._bytes + DRAINED_BYTES
        if not _is_worth_draining(headers):
            return
        # Slow, cut or too long: whoever sends that loses the connection.
        with contextlib.suppress(TimeoutError, InputError):
            async with asyncio.timeout(DRAINED_SECONDS):
                while not self._complete and not self._ended and self._bytes < most:
                    await self()


def _is_worth_draining(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether there is a body, not announced as too long, that its caller is sending already.

    With ``Expect`` it waits for a word first, and reading would be that word.
    """
    found = dict(headers)
    if b"expect" in found:
        return False
    length = found.get(b"content-length", b"")
    return b"transfer-encoding" in found or (length.isdigit() and 0 < int(length[:20]) <= DRAINED_BYTES)


def check_headers(scope: Any) -> None:
    """Refuse what a proxy and this server could read differently, and bodies that are packed.

    Raises ``InputError`` (``http.target``, ``http.host``) and ``UnsupportedError``
    (``http.content_encoding``).
    """
    found: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name, []).append(value)
    if not scope["path"].startswith("/"):
        raise InputError(
            "http.target", "This is no path of this server.", remedy="The routes are at /schema."
        )
    hosts = found.get(b"host", [])
    if scope.get("http_version") == "1.1" and (len(hosts) != 1 or not _HOST.fullmatch(hosts[0])):
        raise InputError("http.host", "A request names one host.", path="Host")
    for coding in b",".join(found.get(b"content-encoding", ())).split(b","):
        if coding.strip().lower() not in (b"", b"identity"):
            raise UnsupportedError(
                "http.content_encoding",
                "Packed bodies are not read.",
                path="Content-Encoding",
                remedy="Send the body as it is, without Content-Encoding.",
            )
