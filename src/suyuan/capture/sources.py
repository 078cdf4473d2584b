"""The bytes of a paper, in memory or in a file without a name, opened as often as they are read."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Callable
from typing import BinaryIO, cast

import msgspec

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

    def readinto(self, buffer: object) -> int:
        count = os.preadv(self._descriptor, [cast(bytearray, buffer)], self._at)
        self._at += count
        return count


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
