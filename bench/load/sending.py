"""Requests of one kind at their pace: each at its appointed time over connections that are kept.

A request that finds all connections of its kind at work waits, and that waiting counts: a server that falls behind
is seen to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec
from stage.server import HOST

# How many requests of one kind may wait before the rest are told as not sent.
_MOST_WAITING = 2_000


class Answer(msgspec.Struct, frozen=True):
    """Status and body of an answer."""

    status: int
    body: bytes


class Timed(msgspec.Struct, frozen=True):
    """When an answer was there (seconds since the start) and how many milliseconds after it was due."""

    at: float
    milliseconds: float


class Line:
    """Connections of one kind of request and what came of them."""

    def __init__(self, port: int, connections: int, start: float) -> None:
        self._port, self._start = port, start
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter] | None] = asyncio.Queue()
        for _ in range(connections):
            self._free.put_nowait(None)
        self.waiting = 0
        self.timed: list[Timed] = []
        self.wrong: list[str] = []

    async def send(self, due: float, request: bytes, good: Callable[[Answer], bool]) -> Answer | None:
        """Send one request; None where it got no answer, which counts as wrong."""
        if self.waiting > _MOST_WAITING:
            self.wrong.append("not sent: too many wait")
            return None
        self.waiting += 1
        held = await self._free.get()
        try:
            # The server closes what was idle for long; then a new connection is made, once.
            for attempt in (0, 1):
                try:
                    if held is None:
                        held = await asyncio.open_connection(HOST, self._port)
                    held[1].write(request)
                    answer = await asyncio.wait_for(_read(held[0]), 60)
                    break
                except (OSError, EOFError, asyncio.IncompleteReadError, TimeoutError) as error:
                    if held is not None:
                        held[1].close()
                    held = None
                    if attempt:
                        self.wrong.append(f"no answer: {type(error).__name__}")
                        return None
        finally:
            self._free.put_nowait(held)
            self.waiting -= 1
        now = time.perf_counter()
        self.timed.append(Timed(now - self._start, (now - due) * 1000))
        if not good(answer):
            self.wrong.append(f"{answer.status} {answer.body[:200]!r}")
        return answer

    def close(self) -> None:
        """Close what is open."""
        while not self._free.empty():
            held = self._free.get_nowait()
            if held is not None:
                held[1].close()


async def at_pace(
    rate: float, seconds: float, start: float, act: Callable[[int, float], Awaitable[None]]
) -> None:
    """Start ``act(number, due)`` ``rate`` times a second, whether or not those before have ended."""
    running: set[asyncio.Task[None]] = set()
    for number in range(int(rate * seconds)):
        due = start + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.ensure_future(_run(act, number, due))
        running.add(task)
        task.add_done_callback(running.discard)
    if running:
        await asyncio.gather(*running)


async def _run(act: Callable[[int, float], Awaitable[None]], number: int, due: float) -> None:
    await act(number, due)


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head[9:12])
    if b"transfer-encoding: chunked" in head:
        parts = []
        while size := int(await reader.readline(), 16):
            parts.append(await reader.readexactly(size))
            await reader.readline()
        await reader.readline()
        return Answer(status, b"".join(parts))
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or b"0")
    return Answer(status, await reader.readexactly(length))
