"""The bytes of a paper, in memory or in a file without a name, opened as often as they are read."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from suyuan.errors import TooLargeError

_BLOCK = 1024 * 1024


class Source(msgspec.Struct, frozen=True):
    """A paper's bytes: ``open`` gives a reader of its own each time; ``digest`` is their SHA-256."""

    open: Callable[[], BinaryIO]
    size: int
    digest: bytes

    def head(self, size: int) -> bytes:
        """The first bytes."""
        with self.open() as reader:
            return reader.read(size)

    def whole(self) -> bytes:
        """All bytes."""
        with self.open() as reader:
            return reader.read()

    def salted_digest(self, salt: bytes) -> bytes:
        """SHA-256 of the salt and the bytes."""
        digest = hashlib.sha256(salt)
        with self.open() as reader:
            while block := reader.read(_BLOCK):
                digest.update(block)
        return digest.digest()


def source_of(data: bytes) -> Source:
    """Bytes that are in memory anyway."""
    return Source(lambda: io.BytesIO(data), len(data), hashlib.sha256(data).digest())


class _At(io.RawIOBase):
    """A reader with a place of its own in a file that others read too."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor, self._at = descriptor, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        size = os.fstat(self._descriptor).st_size
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: size}[whence]
        return self._at

    def readinto(self, buffer: object) -> int:
        count = os.preadv(self._descriptor, [cast(bytearray, buffer)], self._at)
        self._at += count
        return count


@contextlib.contextmanager
def spooled_file(path: Path, most: int) -> Iterator[Source]:
    """A file as it is now, for the length of a block: whoever writes on meanwhile does not change what is taken in.

    Raises ``TooLargeError`` (``capture.paper.too_large``) beyond ``most`` bytes, and ``OSError``.
    """
    spool = Spool()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                spool.write(block)
                if spool.size > most:
                    raise TooLargeError(
                        "capture.paper.too_large",
                        f"The paper has more than {most} bytes.",
                        remedy="Split it into several documents.",
                    )
        yield spool.source()
    finally:
        spool.close()


class Spool:
    """Bytes on their way in, written to a temporary file that has no name: nothing of it outlives the process."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="suyuan-", buffering=0)  # noqa: SIM115 - closed by close
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        """Append bytes."""
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self._digest.update(data)
        self.size += len(data)

    def source(self) -> Source:
        """What was written so far."""
        descriptor = self._file.fileno()
        return Source(
            lambda: cast(BinaryIO, io.BufferedReader(_At(descriptor), 256 * 1024)),
            self.size,
            self._digest.digest(),
        )

    def close(self) -> None:
        """Let the file go."""
        self._file.close()
