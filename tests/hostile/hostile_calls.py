"""One call of an ASGI application without a network, for tests that call a hundred thousand times."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

import msgspec

Headers = Iterable[tuple[str, str]]


class Answered(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


async def call(
    application: Any, path: str, *, peer: str = "203.0.113.7", headers: Headers = (), method: str = "GET"
) -> Answered:
    """Ask ``path`` (as it stands in the request line) as if from ``peer``."""
    target, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(target), "raw_path": target.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(b"host",
        b"localhost"), *((n.lower().encode(), v.encode("latin-1")) for n, v in headers)],
        "client": (peer, 50000), "server": ("127.0.0.1", 8080), "state": {},
    }  # fmt: skip
    start: dict[str, Any] = {}
    body = bytearray()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            assert not start, "answered twice"
            start.update(message)
        else:
            body.extend(message.get("body", b""))

    await application(scope, receive, send)
    found = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
    return Answered(start["status"], found, bytes(body))
