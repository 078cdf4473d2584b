"""The product's server as a member would run it, and a server of the same stack that does nothing.

Both run in processes of their own; the load comes from a third. What is not there is skipped, loudly.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

import msgspec

from stage.result import Skip

HOST = "127.0.0.1"
BASE_URL = "https://trace.example"
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_BENCH = Path(__file__).resolve().parent.parent


class Server(msgspec.Struct, frozen=True):
    """A running server: its port, how it was started, and the process that leads it."""

    port: int
    command: str
    pid: int

    def memory(self) -> Memory:
        """Memory of all its processes, the database's left out."""
        resident, proportional = [], 0.0
        for pid in _family(self.pid):
            with contextlib.suppress(OSError):
                fields = _kilobytes(Path(f"/proc/{pid}/smaps_rollup").read_text("ascii"))
                resident.append(fields["Rss"] / 1024)
                proportional += fields["Pss"] / 1024
        return Memory(sum(resident), proportional, [round(part) for part in resident])

    def cpu_seconds(self) -> float:
        """Processor time of all its processes so far, the database's left out."""
        return sum(_cpu_seconds(pid) for pid in _family(self.pid))


class Memory(msgspec.Struct, frozen=True):
    """MB, as sums of resident and of proportional sizes, and the resident size of each process."""

    resident: float
    proportional: float
    each: list[int]


def database_cpu_seconds(folder: Path) -> float:
    """Processor time of the embedded server of a deployment, its finished backends included."""
    postmaster, *backends = database_processes(folder)
    return _cpu_seconds(postmaster, ended=True) + sum(_cpu_seconds(pid) for pid in backends)


def database_processes(folder: Path) -> list[int]:
    """The processes of the embedded server of a deployment, its leader first."""
    postmaster = int((folder / "database" / "cluster" / "postmaster.pid").read_text("ascii").split()[0])
    return [postmaster, *_children(postmaster)]


def _cpu_seconds(pid: int, *, ended: bool = False) -> float:
    """User and system time of a process; with ``ended`` also of its children that are no more."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11 : 15 if ended else 13]) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in (task / "children").read_text("ascii").split()]
    return found


def _kilobytes(text: str) -> dict[str, int]:
    rows = [line.split() for line in text.splitlines()[1:]]
    return {row[0].rstrip(":"): int(row[1]) for row in rows}


def _family(pid: int) -> list[int]:
    """The process and its descendants, without the database server and its keeper."""
    found = [pid]
    for number in found:
        found += _children(number)
    return [number for number in dict.fromkeys(found) if not _is_database(number)]


def _is_database(pid: int) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True
    return b"postgres" in command.split(b"\0")[0] or b"keeper" in command


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def start_server(folder: Path) -> AsyncIterator[Server]:
    """``suyuan serve`` on the deployment in ``folder``, a process for each core. Raises ``Skip``."""
    port = free_port()
    workers = str(os.cpu_count() or 1)
    options = ["--workers", workers, "--port", str(port), "--data-dir", str(folder)]
    async with _running([sys.executable, "-m", "suyuan", "serve", *options], port, "/health") as server:
        yield server


@contextlib.asynccontextmanager
async def start_empty_server() -> AsyncIterator[Server]:
    """Granian and Litestar with one handler that takes a body and answers in two bytes, one process."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "asgi",
        "--factory",
        "--no-ws",
        "--loop",
        "uvloop",
        "--host",
        HOST,
        "--port",
        str(port),
        "--no-log",
        "stage.empty:application",
    ]
    async with _running(command, port, "/") as server:
        yield server


@contextlib.asynccontextmanager
async def _running(command: list[str], port: int, path: str) -> AsyncIterator[Server]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("SUYUAN_")}
    own["SUYUAN_BASE_URL"] = BASE_URL
    with tempfile.TemporaryFile() as output:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=_BENCH, env=own, stdout=output, stderr=output, start_new_session=True
        )
        try:
            if not await _is_up(process, port, path):
                raise Skip("the server does not come up: " + " | ".join(_last_lines(output)))
            yield Server(port, " ".join(command[2:6]), process.pid)
        except RuntimeError as error:
            for line in _last_lines(output):
                error.add_note(f"server: {line}")
            raise
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                try:
                    await asyncio.wait_for(process.wait(), _STOP_SECONDS)
                except TimeoutError:
                    os.killpg(process.pid, signal.SIGKILL)


def _last_lines(output: IO[bytes], count: int = 20) -> list[str]:
    output.seek(0)
    return output.read().decode("utf-8", "replace").strip().splitlines()[-count:]


async def _is_up(process: asyncio.subprocess.Process, port: int, path: str) -> bool:
    """Whether the server answers ``path`` with 200 before its time is over."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.returncode is None:
        try:
            reader, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.readline()
        writer.close()
        if b" 200 " in answer:
            return True
        await asyncio.sleep(0.05)
    return False
