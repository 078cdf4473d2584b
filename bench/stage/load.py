"""The load generator: keep-alive HTTP/1.1 connections that each send one request after another.

Runs as a process of its own (``python load.py``; what to send on standard input, what came of it on standard
output, both MessagePack), so that it shares the machine with the server but not its event loop. It reads no more
of an answer than its status and length.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import uvloop


class Task(msgspec.Struct, frozen=True):
    """Requests as bytes, sent in their order over ``connections``, each once and again for ``repeats`` times."""

    host: str
    port: int
    connections: int
    requests: list[bytes]
    repeats: int = 1


class Outcome(msgspec.Struct, frozen=True):
    """Wall-clock seconds of the whole, milliseconds of every request, how often each status came, bytes got."""

    seconds: float
    latencies_ms: list[float]
    statuses: dict[int, int]
    received: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies_ms) / self.seconds


class _Connection(asyncio.Protocol):
    def __init__(self, generator: _Generator) -> None:
        self._generator = generator
        self._buffer = bytearray()
        self._sent = 0.0
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        request = self._generator.next_request()
        if request is None:
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        length = _whole_length(self._buffer)
        if length is None or len(self._buffer) < length:
            return
        self._generator.note(time.perf_counter() - self._sent, int(self._buffer[9:12]), length)
        del self._buffer[:length]
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._generator.left(exc)


def _whole_length(buffer: bytearray) -> int | None:
    """Bytes of the answer at the start of the buffer, or None while that is not known or not over."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(buffer[:end]).lower()
    at = head.find(b"content-length:")
    if at >= 0:
        return end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])
    if b"transfer-encoding: chunked" in head:
        last = buffer.find(b"0\r\n\r\n", end + 2)
        return last + 5 if last >= 0 else None
    return end + 4


class _Generator:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._requests = iter(task.requests * task.repeats)
        self._open = task.connections
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.latencies: list[float] = []
        self.statuses: dict[int, int] = {}
        self.received = 0

    def next_request(self) -> bytes | None:
        return next(self._requests, None)

    def note(self, seconds: float, status: int, length: int) -> None:
        self.latencies.append(seconds * 1000)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.received += length

    def left(self, error: Exception | None) -> None:
        self._open -= 1
        if self._open == 0 and not self.done.done():
            self.done.set_result(None)

    async def run(self) -> Outcome:
        loop = asyncio.get_running_loop()
        start = time.perf_counter()
        for _ in range(self._task.connections):
            await loop.create_connection(lambda: _Connection(self), self._task.host, self._task.port)
        await self.done
        return Outcome(time.perf_counter() - start, self.latencies, self.statuses, self.received)


async def _run(task: Task) -> Outcome:
    return await _Generator(task).run()


async def send(
    host: str, port: int, requests: Sequence[bytes], *, connections: int, repeats: int = 1
) -> Outcome:
    """Run a generator in a process of its own and return what came of its requests, warm-up not included.

    Raises ``RuntimeError`` where the process fails or requests were left without an answer.
    """
    task = msgspec.msgpack.encode(Task(host, port, connections, list(requests), repeats))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(task)
    if process.returncode:
        raise RuntimeError("the load generator failed")
    outcome = msgspec.msgpack.decode(output, type=Outcome)
    missing = len(requests) * repeats - len(outcome.latencies_ms)
    if missing:
        raise RuntimeError(f"{missing} requests got no answer")
    return outcome


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """One HTTP/1.1 request as bytes; underscores in names of headers stand for hyphens."""
    lines = [f"{method} {path} HTTP/1.1", "Host: trace.example"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body


if __name__ == "__main__":
    given = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Task)
    sys.stdout.buffer.write(msgspec.msgpack.encode(uvloop.run(_run(given))))
