"""Requests at a pace: each at its appointed time, whether or not the one before it was answered in time.

A generator that waits for answers slows down with the server and never sees it struggle; here a late answer makes the
next request of that connection late too, and the lateness counts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec


class Appointed(msgspec.Struct, frozen=True):
    """A request that is sent ``at`` seconds after the start."""

    at: float
    request: bytes


class Paced(msgspec.Struct, frozen=True):
    """Milliseconds from the appointed time to the whole answer, of every request; answers that were not as expected."""

    seconds: float
    latencies_ms: list[float]
    wrong: list[str]


async def replay(
    host: str, port: int, streams: Sequence[Sequence[Appointed]], good: Callable[[int, bytes], bool]
) -> Paced:
    """Send the requests of each stream over a connection of its own; ``good`` judges status and body."""
    latencies: list[float] = []
    wrong: list[str] = []
    start = time.perf_counter() + 0.2

    async def station(stream: Sequence[Appointed]) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        for one in stream:
            await asyncio.sleep(max(0.0, start + one.at - time.perf_counter()))
            writer.write(one.request)
            status, body = await _answer(reader)
            latencies.append((time.perf_counter() - start - one.at) * 1000)
            if not good(status, body):
                wrong.append(f"{status} {body[:200]!r}")
        writer.close()

    await asyncio.gather(*(station(stream) for stream in streams))
    return Paced(time.perf_counter() - start, latencies, wrong)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or b"0")
    return int(head[9:12]), await reader.readexactly(length)
