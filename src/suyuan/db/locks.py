"""Advisory file locks (flock) of the embedded server's directory.

The kernel drops a lock when its holder dies, however that happens; that is what the lifetime of the server
is built on. A lock file is opened close-on-exec, so that no program started later keeps it alive.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

from suyuan.errors import UnavailableError

SHARED = fcntl.LOCK_SH
EXCLUSIVE = fcntl.LOCK_EX
_PAUSE_SECONDS = 0.02


def open_lock(path: Path) -> int:
    """A descriptor of the lock file, made if need be.

    Raises ``UnavailableError`` (``db.embedded.directory``).
    """
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UnavailableError(
            "db.embedded.directory",
            f"The lock file cannot be opened: {error.strerror}.",
            path=str(path),
            remedy="Run as the owner of the data directory, or choose another with SUYUAN_DATA_DIR.",
        ) from None


def try_lock(lock: int, kind: int) -> bool:
    """Take the lock if that needs no waiting. A failed change from one kind to the other loses both."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


def is_held(path: Path) -> bool:
    """Whether anybody holds the lock exclusively."""
    lock = open_lock(path)
    try:
        return not try_lock(lock, SHARED)
    finally:
        os.close(lock)


def wait_until(met: Callable[[], bool], seconds: float, code: str, home: Path) -> None:
    """Wait for a condition. Raises ``UnavailableError`` with ``code`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline:
            raise UnavailableError(
                code,
                f"The embedded database did not get there in {seconds:.0f} seconds.",
                path=str(home),
                remedy=f"Look into {home / 'server.log'}.",
            )
        time.sleep(_PAUSE_SECONDS)


def acquire(lock: int, kind: int, seconds: float, home: Path) -> None:
    """Take the lock, waiting. Raises ``UnavailableError`` (``db.embedded.busy``) after ``seconds``."""
    wait_until(lambda: try_lock(lock, kind), seconds, "db.embedded.busy", home)
