"""Which process, if any, serves a database directory.

A pid in ``postmaster.pid`` proves nothing: after a crash it stays behind, and the number is given to some
other process. A process is the postmaster of a directory only if it works in that very directory (device
and inode) and began when the file says. A false "no" is safe: PostgreSQL itself then refuses to start while
shared memory of the old server is in use. A false "yes" would send signals to a stranger.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import msgspec

PID_FILE = "postmaster.pid"
# The file's time has whole seconds and is taken a moment after the process began.
_TOLERANCE_SECONDS = 10


class Postmaster(msgspec.Struct, frozen=True):
    """A running server: its process and the directory of its socket (empty until it listens)."""

    pid: int
    socket_dir: str
    port: int
    ready: bool


class PidFile(msgspec.Struct, frozen=True):
    """What ``postmaster.pid`` says, as far as it was written."""

    pid: int
    started: int
    port: int
    socket_dir: str
    status: str


def read_pid_file(cluster: Path) -> PidFile | None:
    """The pid file of ``cluster``; None where there is none or it holds no pid (a crash may empty it)."""
    try:
        lines = (cluster / PID_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return None
    lines += [""] * 8
    try:
        pid, started, port = int(lines[0]), int(lines[2] or 0), int(lines[3] or 0)
    except ValueError:
        return None
    return PidFile(abs(pid), started, port, lines[4].strip(), lines[7].strip()) if pid else None


def find_postmaster(cluster: Path) -> Postmaster | None:
    """The process that serves ``cluster`` now, or None."""
    said = read_pid_file(cluster)
    if said is None or not _serves(said, cluster):
        return None
    return Postmaster(said.pid, said.socket_dir, said.port, said.status == "ready")


def remove_stale_pid_file(cluster: Path) -> None:
    """Remove a pid file that no postmaster stands behind and over which PostgreSQL would stumble.

    Only to be called by who holds the lock on this directory, after ``find_postmaster`` found none.
    """
    (cluster / PID_FILE).unlink(missing_ok=True)


def _serves(said: PidFile, cluster: Path) -> bool:
    started = _began(said.pid, cluster) if sys.platform == "linux" else _began_by_ps(said.pid, cluster)
    return started is not None and abs(started - said.started) <= _TOLERANCE_SECONDS


def _began(pid: int, cluster: Path) -> float | None:
    """Unix time at which ``pid`` began, if it is a postgres that works in ``cluster``."""
    process = Path(f"/proc/{pid}")
    try:
        where = (process / "cwd").stat()
        # The second field is the name in parentheses, which may itself hold any character.
        head, _, rest = (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")
        boot = next(
            int(line.split()[1])
            for line in Path("/proc/stat").read_text(encoding="ascii").splitlines()
            if line.startswith("btime ")
        )
    except OSError:  # gone, or another user's: then it cannot be the server of our files
        return None
    here = cluster.stat()
    fields = rest.split()
    if head.partition("(")[2] != "postgres" or fields[0] == "Z":
        return None
    if (where.st_dev, where.st_ino) != (here.st_dev, here.st_ino):
        return None
    return boot + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _began_by_ps(pid: int, cluster: Path) -> float | None:
    """The same where there is no /proc: by the command line, which names the directory."""
    said = subprocess.run(  # noqa: S603
        ["/bin/ps", "-ww", "-o", "lstart=,command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        env={"LC_ALL": "C"},
        check=False,
    )
    began, command = said.stdout[:24], said.stdout[24:]
    if said.returncode != 0 or "postgres" not in command or f"-D {cluster}" not in command:
        return None
    try:
        return datetime.strptime(began, "%a %b %d %H:%M:%S %Y").astimezone().timestamp()
    except ValueError:
        return None
