"""The demo's own server: a free port, a fresh directory, ``suyuan serve`` as a process until the demo ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from suyuan.errors import UnavailableError

_MARKER = ".suyuan-demo"
_START_SECONDS = 90.0


def free_port(wanted: int, host: str) -> int:
    """``wanted`` if nothing listens there, else a free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((host, port))
                return int(probe.getsockname()[1])
    raise UnavailableError("demo.port", "No port is free.", remedy="Name one with --port.")


def lan_address() -> str:
    """This machine's address in its network, for a phone beside it; localhost where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address: nothing is sent by connecting
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def fresh_directory(path: Path) -> Path:
    """An empty directory for the demo. Only one that an earlier demo made is emptied.

    Raises ``UnavailableError`` (``demo.directory``).
    """
    if path.exists() and any(path.iterdir()):
        if not (path / _MARKER).is_file():
            raise UnavailableError(
                "demo.directory",
                "The directory holds something that no demo made.",
                path=str(path),
                remedy="Name another one with --data-dir.",
            )
        shutil.rmtree(path)
    path.mkdir(parents=True, exist_ok=True)
    (path / _MARKER).write_text("Made by suyuan demo; the next demo empties it.\n", encoding="utf-8")
    return path


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


@contextlib.contextmanager
def server(data_dir: Path, host: str, port: int, base_url: str) -> Iterator[subprocess.Popen[bytes]]:
    """``suyuan serve`` as a process of its own, until the block ends."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUYUAN_")}
    environment |= {
        "SUYUAN_DATA_DIR": str(data_dir),
        "SUYUAN_BASE_URL": base_url,
        "SUYUAN_LOG_LEVEL": "warning",
    }
    log = (data_dir / "server.log").open("wb")
    command = [sys.executable, "-m", "suyuan", "serve", "--host", host, "--port", str(port)]
    process = subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
    )
    # In a session of its own the server outlives us unless we end it, also when we are told to end.
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield process
    finally:
        signal.signal(signal.SIGTERM, before)
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        if process.poll() is None:
            process.kill()
        log.close()


def wait_for_server(process: subprocess.Popen[bytes], client: httpx.Client, data_dir: Path) -> None:
    """Wait until the server answers. Raises ``UnavailableError`` (``demo.server``) with its last words."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if client.get("/health").status_code == 200:
                return
        time.sleep(0.1)
    words = (data_dir / "server.log").read_text("utf-8", "replace").strip().splitlines()[-5:]
    raise UnavailableError(
        "demo.server", "The server did not start. " + " / ".join(words), path=str(data_dir)
    )
