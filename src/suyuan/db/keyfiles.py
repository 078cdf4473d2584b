"""Secrets that are made once and then only read: one file each, for its owner alone.

A key file is never overwritten and never changed. It is written beside, synced, and linked into place, so
that of several processes that start at once one wins and all use the same key, and a crash leaves no short
one. Losing a key file cannot be repaired: what was signed or keyed with it stays bound to it. Who can read a
key file can do what the key does; a file that others may read is therefore refused, not repaired.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import tempfile
from pathlib import Path

from suyuan.errors import IntegrityError, NotFoundError, UnavailableError

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def load_or_create(name: str, length: int, *, directory: Path) -> bytes:
    """The ``length`` random bytes of key ``name``, made on first use.

    ``directory`` is ``Settings.keys_dir``; it is made with mode 0700 if it is not there. Raises
    ``UnavailableError`` (``db.key.unwritable``) and what ``load`` raises.
    """
    path = _path(directory, name)
    if not path.exists():
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _create(path, secrets.token_bytes(length))
        except OSError as error:
            raise UnavailableError(
                "db.key.unwritable",
                f"The key file cannot be made: {error.strerror}.",
                path=str(path),
                remedy="Let this user write the directory, or set SUYUAN_KEYS_DIR.",
            ) from None
    return load(name, length, directory=directory)


def store(name: str, key: bytes, *, directory: Path) -> None:
    """Put back a key that was kept elsewhere. The same one may be there already.

    Raises ``UnavailableError`` (``db.key.unwritable``) and ``IntegrityError`` (``db.key.other``: another key has
    that name, and is left as it is).
    """
    path = _path(directory, name)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _create(path, key)
    except OSError as error:
        raise UnavailableError(
            "db.key.unwritable",
            f"The key file cannot be made: {error.strerror}.",
            path=str(path),
            remedy="Let this user write the directory, or set SUYUAN_KEYS_DIR.",
        ) from None
    if path.read_bytes() != key:
        raise IntegrityError(
            "db.key.other",
            "Another key has this name.",
            path=str(path),
            remedy="Look whose it is, and set SUYUAN_KEYS_DIR to an empty directory.",
        )


def load(name: str, length: int, *, directory: Path) -> bytes:
    """The key ``name``, which must exist.

    Raises ``NotFoundError`` (``db.key.missing``), ``UnavailableError`` (``db.key.unreadable``) or
    ``IntegrityError`` (``db.key.exposed``, ``db.key.length``).
    """
    path = _path(directory, name)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise NotFoundError(
            "db.key.missing",
            "The key file is not there.",
            path=str(path),
            remedy="Restore it from where keys are kept apart from backups.",
        ) from None
    except OSError as error:
        raise UnavailableError(
            "db.key.unreadable",
            f"The key file cannot be read: {error.strerror}.",
            path=str(path),
            remedy="Run as its owner; a key file is a plain file, not a link.",
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        _refuse_exposed(path, os.fstat(descriptor))
        key = file.read(length + 1)
    if len(key) != length:
        raise IntegrityError(
            "db.key.length",
            f"The key file does not hold {length} bytes.",
            path=str(path),
            remedy="Restore it: a new key would not fit what was made with the old one.",
        )
    return key


def _path(directory: Path, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of a key file")
    return directory / name


def _refuse_exposed(path: Path, found: os.stat_result) -> None:
    if stat.S_ISREG(found.st_mode) and not found.st_mode & 0o077 and found.st_uid in (os.geteuid(), 0):
        return
    raise IntegrityError(
        "db.key.exposed",
        "The key file may be read by others, or belongs to somebody else.",
        path=str(path),
        remedy=f"If nobody has read it: chmod 600 {path}. Otherwise treat the key as lost.",
    )


def _create(path: Path, key: bytes) -> None:
    # mkstemp opens with O_EXCL and mode 0600.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was a moment earlier: its key counts
            os.link(temporary, path)
    finally:
        Path(temporary).unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
