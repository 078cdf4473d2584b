"""The deployment as ``suyuan serve`` serves it, only less patient, and raw bytes sent to it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest
from api_deployment import Deployment, free_port
from granian.constants import HTTPModes
from granian.http import HTTP1Settings
from granian.server.embed import Server

from suyuan.api.bodies import PacedBody
from suyuan.asgi import opened
from suyuan.cli import processes

HEAD_SECONDS = 1.5


@pytest.fixture
async def port(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """The deployment on a port as ``suyuan serve`` serves it, only less patient."""
    monkeypatch.setattr(PacedBody, "pause_seconds", 1.0)
    monkeypatch.setattr(PacedBody, "grace_seconds", 3.0)
    number = free_port()
    async with opened(deployment.services) as application:
        server = Server(
            application,
            address="127.0.0.1",
            port=number,
            interface="asginl",
            log_enabled=False,
            websockets=False,
            backlog=2048,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(
                header_read_timeout=int(HEAD_SECONDS * 1000), max_buffer_size=processes.MAX_HEAD_BYTES
            ),
        )
        task = asyncio.create_task(server.serve())
        for _ in range(200):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", number)
                writer.close()
                break
            await asyncio.sleep(0.02)
        yield number
        server.stop()
        await task


async def exchange(port: int, sent: bytes, *, end: bool = False, trickle: bytes = b"") -> tuple[float, bytes]:
    """Send bytes and read until the server closes: after how many seconds, and what came. Fails after ten."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    started = time.perf_counter()
    got = bytearray()

    async def read() -> None:
        with contextlib.suppress(ConnectionError):
            while block := await reader.read(65536):
                got.extend(block)

    reading = asyncio.create_task(read())
    with contextlib.suppress(ConnectionError):
        writer.write(sent)
        await writer.drain()
        if end:
            writer.write_eof()
        while trickle and not reading.done():
            writer.write(trickle)
            await writer.drain()
            await asyncio.sleep(0.3)
    await asyncio.wait_for(reading, 10)
    writer.close()
    return time.perf_counter() - started, bytes(got)


def request(
    line: str, *headers: str, body: bytes = b"", host: str = "Host: localhost", close: bool = True
) -> bytes:
    lines = [
        f"{line} HTTP/1.1",
        *([host] if host else []),
        *headers,
        *(["Connection: close"] if close else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def status(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer[:80]
    return int(answer[9:12])


def bearer(deployment: Deployment, name: str = "maker") -> str:
    return f"Authorization: {deployment.bearer(name)['Authorization']}"
