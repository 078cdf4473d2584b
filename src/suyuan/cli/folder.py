"""A folder that fills with papers: which of them are whole, who works on one, where it goes. Files only, no network.

The way of a paper: ``DIR/x.xml`` -> ``DIR/.taking/TOKEN/x.xml`` -> ``DIR/done/x.xml`` or ``DIR/refused/x.xml``.

- It is taken up by a rename, so that a sender who writes another ``x.xml`` meanwhile writes another file.
- Whoever works on it holds a lock (flock) on the file itself. The lock ends with its process, however that ends: a
  file in ``.taking`` without a lock is an orphan, and the next watcher takes it up again.
- It leaves ``.taking`` only after what it became is written and synced beside its new place. Names in ``done`` and
  ``refused`` are never overwritten. So at every instruction the paper exists at least once; delivering it once more
  than needed is harmless, since the door knows a paper again.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

TAKING, DONE, REFUSED = ".taking", "done", "refused"
_OWN = (TAKING, DONE, REFUSED)
# What tools call a file that they still write.
_UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".writing", ".lock", "~")
_GLANCE = 4096
_ZIP_END = b"PK\x05\x06"
_ZIP_TAIL = 66_000
_LONGEST_NAME = 220

Stamp = tuple[int, int, int]


class Claim(msgspec.Struct, frozen=True):
    """A paper that this process works on: its name relative to the folder, where it lies now, its open file."""

    name: Path
    path: Path
    descriptor: int
    stamp: Stamp

    def read(self) -> bytes | None:
        """The bytes, or None if they changed since the claim: somebody is still writing."""
        with os.fdopen(os.dup(self.descriptor), "rb") as file:
            file.seek(0)
            data = file.read()
        return (
            data if stamp_of(os.fstat(self.descriptor)) == self.stamp and len(data) == self.stamp[1] else None
        )

    def close(self) -> None:
        """Let the lock go."""
        os.close(self.descriptor)


def stamp_of(status: os.stat_result) -> Stamp:
    """What tells whether a file is still the same: its inode, size and time of change."""
    return status.st_ino, status.st_size, status.st_mtime_ns


class Settling:
    """Which files have not changed for a while, by one's own clock: a sender's may be wrong."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._seen: dict[Path, tuple[Stamp, float]] = {}

    def ready(self, found: dict[Path, Stamp], now: float) -> list[Path]:
        """Those of the files that stayed as they are, in order of names."""
        self._seen = {
            path: before if (before := self._seen.get(path)) and before[0] == stamp else (stamp, now)
            for path, stamp in found.items()
        }
        return sorted(path for path, (_, since) in self._seen.items() if now - since >= self._seconds)

    def age(self, path: Path, now: float) -> float:
        """For how long the file has stayed as it is."""
        return now - self._seen[path][1] if path in self._seen else 0.0


def looks_whole(head: bytes, tail: bytes) -> bool:
    """Whether a file that begins and ends so may be complete: its last bracket is there. Unknown kinds are."""
    start, end = head.lstrip(b"\xef\xbb\xbf \t\r\n"), tail.rstrip(b" \t\r\n\x00")
    if not end:
        return False
    if start.startswith(b"PK\x03\x04"):
        return _ZIP_END in tail
    if start.startswith(b"<"):
        return end.endswith(b">") and (b"</" in tail or end.endswith(b"/>"))
    if start.startswith((b"{", b"[")):
        return end.endswith((b"}", b"]"))
    return True


class Folder:
    """One watched folder. Safe for any number of processes on one machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in _OWN:
            (root / name).mkdir(exist_ok=True)

    # -- what is there ------------------------------------------------------------------------------------

    def waiting(self) -> tuple[dict[Path, Stamp], list[Path]]:
        """Papers to take up, orphans among them, and what is no plain file and therefore left alone."""
        found: dict[Path, Stamp] = {}
        odd: list[Path] = []
        for base in (self.root, self.root / TAKING):
            for path in self._walk(base):
                try:
                    status = path.lstat()
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(status.st_mode):
                    found[path] = stamp_of(status)
                else:
                    odd.append(path)
        return found, odd

    def _walk(self, base: Path) -> Iterator[Path]:
        for folder, folders, files in os.walk(base):
            here = Path(folder)
            top = here == self.root
            folders[:] = sorted(
                name for name in folders if not (name.startswith(".") or (top and name in _OWN))
            )
            for name in files:
                if not name.startswith(".") and not name.lower().endswith(_UNFINISHED):
                    yield here / name

    def name_of(self, path: Path) -> Path:
        """The name of a paper relative to the folder, wherever it lies now."""
        name = path.relative_to(self.root)
        return Path(*name.parts[2:]) if name.parts[0] == TAKING else name

    # -- taking up ----------------------------------------------------------------------------------------

    def claim(self, path: Path, *, patient: bool) -> Claim | None:
        """Take a paper up; None if somebody else has it, or if it is not whole yet and ``patient``.

        Raises ``OSError`` where it cannot be read or moved.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        kept = False
        try:
            claim = self._locked(path, descriptor, patient=patient)
            kept = claim is not None
            return claim
        finally:
            if not kept:
                os.close(descriptor)

    def _locked(self, path: Path, descriptor: int, *, patient: bool) -> Claim | None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        status = os.fstat(descriptor)
        try:
            if not stat.S_ISREG(status.st_mode) or os.lstat(path).st_ino != status.st_ino:
                return None
        except FileNotFoundError:
            return None
        size = status.st_size
        tail = os.pread(descriptor, _ZIP_TAIL, max(0, size - _ZIP_TAIL))
        if patient and not looks_whole(os.pread(descriptor, _GLANCE, 0), tail):
            return None
        name = self.name_of(path)
        if path.relative_to(self.root).parts[0] != TAKING:
            taken = self.root / TAKING / secrets.token_hex(8) / name
            taken.parent.mkdir(parents=True)
            try:
                path.rename(taken)
            except OSError as error:
                self._tidy(taken.parent)
                if isinstance(error, FileNotFoundError):
                    return None
                raise
            if os.lstat(taken).st_ino != status.st_ino:
                # Another file took the name in between: it is not ours to read, and it goes back.
                self._place(taken, self.root / name)
                return None
            path = taken
        return Claim(name, path, descriptor, stamp_of(status))

    # -- letting go ---------------------------------------------------------------------------------------

    def settle(self, claim: Claim, into: str, beside: dict[str, bytes]) -> Path:
        """Move a paper to ``done`` or ``refused`` with files beside it (by ending); where it lies now.

        Raises ``OSError`` (a full disk, say): the paper is then still in ``.taking``.
        """
        final = self._link(claim.path, self.root / into / _short(claim.name))
        for ending, content in beside.items():
            _write(final.with_name(final.name + ending), content)
        self._unlink(claim.path)
        return final

    def release(self, claim: Claim) -> Path:
        """Put a paper back where it came from."""
        return self._place(claim.path, self.root / claim.name)

    def _place(self, source: Path, target: Path) -> Path:
        final = self._link(source, target)
        self._unlink(source)
        return final

    def _link(self, source: Path, target: Path) -> Path:
        """Give the file a second name that nothing had, its own wherever that is free."""
        target.parent.mkdir(parents=True, exist_ok=True)
        for number in range(1, 100_000):
            free = target if number == 1 else target.with_name(f"{target.stem}~{number}{target.suffix}")
            try:
                os.link(source, free, follow_symlinks=False)
            except FileExistsError:
                if not os.path.samestat(os.lstat(source), os.lstat(free)):
                    continue
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EXDEV):
                    raise
                if not _reserve(free):
                    continue
                # A file system without second names: the reserved one is replaced in one step.
                source.replace(free)
            _sync(free.parent)
            return free
        raise OSError(errno.EEXIST, "no free name", str(target))

    def _unlink(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        _sync(path.parent)
        self._tidy(path.parent)

    def _tidy(self, folder: Path) -> None:
        """Remove the empty folders of a claim."""
        while folder != self.root / TAKING and (self.root / TAKING) in folder.parents:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent


def _short(name: Path) -> Path:
    """The name with room for an ending behind it: file systems take 255 bytes."""
    stem, suffix = name.stem, name.suffix[:20]
    while len((stem + suffix).encode("utf-8", "surrogateescape")) > _LONGEST_NAME:
        stem = stem[:-1]
    return name.with_name(stem + suffix)


def _reserve(path: Path) -> bool:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except FileExistsError:
        return False
    return True


def _write(path: Path, content: bytes) -> None:
    """A file, whole or not at all."""
    # Always the same name: what a crash leaves of it is replaced when the paper is taken up again.
    draft = path.with_name(f".{path.name}.tmp")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make names in a folder durable, where the file system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        return
    finally:
        os.close(descriptor)
