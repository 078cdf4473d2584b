"""The folder into which the processes of a server count, and what a killed server left of an earlier one.

It lies in the temporary directory and goes with its server. Its owner holds a lock in it, which the kernel drops
however the owner dies; so a folder whose lock can be had belongs to nobody any more.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from suyuan.errors import UnavailableError

PREFIX = "suyuan-metrics-"
_LOCK = "owner.lock"


@contextlib.contextmanager
def metrics_folder() -> Iterator[str]:
    """A folder for the length of the block; those of servers that were killed are taken away first."""
    from suyuan.db.locks import EXCLUSIVE, open_lock, try_lock

    forget_left_folders(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        lock = open_lock(Path(folder, _LOCK))
        try:
            try_lock(lock, EXCLUSIVE)
            yield folder
        finally:
            os.close(lock)


def forget_left_folders(place: Path) -> int:
    """Take away folders of our own whose owner is gone; returns how many. What cannot be judged is left alone."""
    from suyuan.db.locks import EXCLUSIVE, open_lock, try_lock

    gone = 0
    for folder in place.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, UnavailableError):
            lock_file = folder / _LOCK
            ours = folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.geteuid()
            if not ours or not lock_file.is_file():
                continue
            lock = open_lock(lock_file)
            try:
                if try_lock(lock, EXCLUSIVE):
                    shutil.rmtree(folder)
                    gone += 1
            finally:
                os.close(lock)
    return gone
