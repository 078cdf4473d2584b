"""Just enough of PostgreSQL's protocol to ask a server on a Unix socket whether it is ready.

Readiness is a connection that ends in ReadyForQuery, nothing less: the socket exists long before, and the
server says "starting up" for as long as recovery after a crash takes. Blocking and without a driver, so that
the synchronous entrances need no event loop. Everything else uses asyncpg.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from pathlib import Path
from types import TracebackType

from suyuan.errors import UnavailableError

PORT = 5432
STARTING_UP = "57P03"
DUPLICATE_DATABASE = "42P04"
_PROTOCOL = 3 << 16


class ServerRefusal(Exception):  # noqa: N818 - what the server said, turned into our own error by the caller
    """The server answered with an error."""

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class Session:
    """One blocking connection. Raises ``OSError`` where nobody listens, ``ServerRefusal`` when refused."""

    def __init__(self, socket_dir: str, user: str, database: str, *, timeout: float = 10.0) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(timeout)
            self._socket.connect(str(Path(socket_dir) / f".s.PGSQL.{PORT}"))
            parameters = f"user\0{user}\0database\0{database}\0\0".encode()
            self._socket.sendall(struct.pack("!ii", len(parameters) + 8, _PROTOCOL) + parameters)
            self._until_ready()
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._socket.sendall(b"X" + struct.pack("!i", 4))
        self._socket.close()

    def execute(self, statement: str) -> list[list[str | None]]:
        """Rows of one statement (without parameters), as text."""
        body = statement.encode() + b"\0"
        self._socket.sendall(b"Q" + struct.pack("!i", len(body) + 4) + body)
        return self._until_ready()

    def _receive(self, count: int) -> bytes:
        received = b""
        while len(received) < count:
            part = self._socket.recv(count - len(received))
            if not part:
                raise ConnectionResetError("the server closed the connection")
            received += part
        return received

    def _until_ready(self) -> list[list[str | None]]:
        rows: list[list[str | None]] = []
        refusal: ServerRefusal | None = None
        while True:
            kind, length = struct.unpack("!ci", self._receive(5))
            body = self._receive(length - 4)
            if kind == b"E":
                refusal = _refusal(body)
                if refusal.sqlstate.startswith(("57", "28", "3D", "08", "53")):
                    raise refusal  # a fatal one: no ReadyForQuery follows
            elif kind == b"R" and body[:4] != b"\0\0\0\0":
                raise UnavailableError(
                    "db.embedded.authentication", "The embedded database asks for a password."
                )
            elif kind == b"D":
                rows.append(_row(body))
            elif kind == b"Z":
                if refusal is not None:
                    raise refusal
                return rows


def _refusal(body: bytes) -> ServerRefusal:
    fields = {part[:1]: part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}
    return ServerRefusal(fields.get(b"C", ""), fields.get(b"M", ""))


def _row(body: bytes) -> list[str | None]:
    (count,) = struct.unpack_from("!h", body)
    row: list[str | None] = []
    at = 2
    for _ in range(count):
        (length,) = struct.unpack_from("!i", body, at)
        at += 4
        row.append(None if length < 0 else body[at : at + length].decode())
        at += max(length, 0)
    return row
