"""The file of a backup: a ZIP archive of table rows, a manifest with a digest of every part, a signature over it.

A partial file is none: the list of parts stands at the end, and the file gets its name after everything is on disk.
A file that was changed is refused: every part's SHA-256 stands in ``manifest.json``, whose own digest is signed in
``manifest.note`` (a signed note, first line ``suyuan-backup/v1``), so that whoever can write to the place where
backups lie cannot add a member or a token to one. Nothing here reads a table; that is ``backup``'s.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import msgspec

from suyuan.db import locks
from suyuan.errors import ConflictError, IntegrityError, NotFoundError, UnavailableError

FORMAT = 1
MANIFEST, NOTE = "manifest.json", "manifest.note"
MAX_HEAD_BYTES = 64 * 1024 * 1024
CHUNK = 1 << 20
_NOTE_HEAD = "suyuan-backup/v1"

Progress = Callable[[str, int, int], None]
"""Told the part at work, how many of its bytes are done, and about how many there are (0: unknown)."""


class Applied(msgspec.Struct, frozen=True):
    """A migration that the schema of a backup contains."""

    number: int
    name: str
    checksum: str


class TablePart(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one table: a member ``tables/NAME`` in PostgreSQL's binary COPY form."""

    name: str
    columns: tuple[str, ...]
    rows: int
    size: int
    sha256: str
    months: tuple[str, ...] = ()

    @property
    def member(self) -> str:
        """Its name in the archive."""
        return f"tables/{self.name}"


class FilePart(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the data directory: a member ``files/PATH``."""

    path: str
    size: int
    sha256: str

    @property
    def member(self) -> str:
        """Its name in the archive."""
        return f"files/{self.path}"


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Whose backup it is and how far it goes. ``keys`` are fingerprints of the key files, which are not in it."""

    base_url: str
    log_origin: str
    code_host: str
    log_key: str
    events: int
    sequenced: int
    published: int
    checkpoint: str
    erasures: int
    keys: dict[str, str]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup consists of."""

    format: int
    made_at: datetime
    made_by: str
    server_version: str
    migrations: tuple[Applied, ...]
    tables: tuple[TablePart, ...]
    sequences: dict[str, int]
    files: tuple[FilePart, ...]
    origin: Origin

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables)


def note_text(manifest: bytes) -> bytes:
    """The text that is signed for a manifest."""
    return f"{_NOTE_HEAD}\n{hashlib.sha256(manifest).hexdigest()}\n".encode()


class ArchiveWriter:
    """Writes parts one after another into a file that has no name of its own yet."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[PartWriter]:
        """A part to write into for the length of the block."""
        entry = zipfile.ZipInfo(name)
        # Level 1 halves rows at the speed of a disk; more costs minutes a gigabyte and saves little.
        entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
        with self._archive.open(entry, "w", force_zip64=True) as stream:
            yield PartWriter(stream)

    def write(self, name: str, data: bytes) -> PartWriter:
        """A whole part at once."""
        with self.part(name) as writer:
            writer.write(data)
        return writer

    def close(self, manifest: Manifest, sign: Callable[[bytes], bytes]) -> None:
        """The last two parts: the manifest, and ``sign`` of its ``note_text``."""
        written = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        self.write(MANIFEST, written)
        self.write(NOTE, sign(note_text(written)))


class PartWriter:
    """Counts and hashes what is written to a part."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        """Append."""
        self._stream.write(data)
        self._digest.update(data)
        self.size += len(data)

    @property
    def sha256(self) -> str:
        """The digest of what was written so far."""
        return self._digest.hexdigest()


@contextlib.contextmanager
def create_archive(path: Path) -> Iterator[ArchiveWriter]:
    """A new archive that appears under ``path``, durable, when the block ends without an error, and else not at all.

    Raises ``ConflictError`` (``backup.exists``) and ``UnavailableError`` (``backup.unwritable``), also for a full
    disk.
    """
    with (
        new_file(path) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        yield ArchiveWriter(archive)


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file for its owner alone that gets its name when the block ends; an existing one is never replaced."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise ConflictError(
                "backup.exists", "This file exists.", path=str(path), remedy="Choose another name."
            )
        # What an interrupted process left under this name is overwritten, what another one writes now is not.
        with os.fdopen(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "w+b") as file:
            if not locks.try_lock(file.fileno(), locks.EXCLUSIVE) or not _is_named(file, partial):
                raise ConflictError(
                    "backup.exists",
                    "Another process is writing this file.",
                    path=str(path),
                    remedy="Wait for it, or choose another name.",
                )
            # The name goes before the lock does, so that whoever opened the file meanwhile does not write into it.
            try:
                file.truncate()
                yield file
                file.flush()
                os.fsync(file.fileno())
                os.link(partial, path)  # fails where somebody else took the name meanwhile
            finally:
                partial.unlink(missing_ok=True)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise UnavailableError(
            "backup.unwritable",
            f"The file cannot be written: {error.strerror or error}. Nothing is left of it.",
            path=str(path),
            remedy="Choose a place that this user may write and that has room.",
        ) from None


def _is_named(file: IO[bytes], path: Path) -> bool:
    """Whether an open file still has this name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


class ArchiveReader:
    """An archive whose manifest was read. Parts are checked as they are read."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest, note: bytes, text: bytes) -> None:
        self._archive = archive
        self.manifest = manifest
        self.note = note
        self.signed_text = text

    def chunks(self, part: TablePart | FilePart) -> Iterator[bytes]:
        """The bytes of a part. Raises ``IntegrityError`` (``backup.corrupt``), at the latest behind the last one."""
        digest, size = hashlib.sha256(), 0
        try:
            with self._archive.open(part.member) as stream:
                while chunk := stream.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    if size > part.size:
                        raise _corrupt(part.member, "it is longer than the manifest says")
                    yield chunk
        except (zipfile.BadZipFile, KeyError, EOFError, OSError, ValueError, RuntimeError) as error:
            # An encrypted member is a RuntimeError, an unknown packing its subclass NotImplementedError.
            raise _corrupt(part.member, str(error)) from None
        except Exception as error:  # zlib.error has no other base
            if type(error).__module__ != "zlib":
                raise
            raise _corrupt(part.member, str(error)) from None
        if size != part.size or digest.hexdigest() != part.sha256:
            raise _corrupt(part.member, "its digest is not the one of the manifest")

    def verify(self, progress: Progress | None = None) -> None:
        """Read everything and compare it with the manifest. Raises ``IntegrityError`` (``backup.corrupt``)."""
        parts: list[TablePart | FilePart] = [*self.manifest.tables, *self.manifest.files]
        expected = {part.member for part in parts} | {MANIFEST, NOTE}
        if extra := set(self._archive.namelist()) ^ expected:
            raise _corrupt(min(extra), "it is in the archive or in the manifest, and not in both")
        for part in parts:
            done = 0
            for chunk in self.chunks(part):
                done += len(chunk)
                if progress is not None:
                    progress(part.member, done, part.size)


@contextlib.contextmanager
def open_archive(path: Path) -> Iterator[ArchiveReader]:
    """An archive for reading; its manifest is read, nothing else checked yet.

    Raises ``NotFoundError`` (``backup.absent``), ``IntegrityError`` (``backup.corrupt``: cut off, or no backup) and
    ``UnavailableError`` (``backup.newer``: of a format that this version does not read).
    """
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise NotFoundError(
            "backup.absent", "There is no such file.", path=str(path), remedy="Name a backup file."
        ) from None
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _corrupt(path.name, str(error)) from None
    with archive:
        try:
            text, note = _head(archive, MANIFEST), _head(archive, NOTE)
            form = msgspec.json.decode(text, type=dict[str, Any]).get("format")
            if form != FORMAT:
                raise UnavailableError(
                    "backup.newer",
                    f"The backup has format {form}; this version reads {FORMAT}.",
                    path=str(path),
                    remedy="Use the version of Suyuan that made it, or a later one.",
                )
            manifest = msgspec.json.decode(text, type=Manifest)
        except UnavailableError:
            raise
        except Exception as error:
            raise _corrupt(path.name, f"{type(error).__name__}: {error}") from None
        yield ArchiveReader(archive, manifest, note, note_text(text))


def _head(archive: zipfile.ZipFile, member: str) -> bytes:
    """A member that is read whole, and therefore bounded before anything of it is unpacked."""
    with archive.open(member) as stream:
        data = stream.read(MAX_HEAD_BYTES + 1)
    if len(data) > MAX_HEAD_BYTES:
        raise ValueError(f"{member} is larger than {MAX_HEAD_BYTES} bytes")
    return data


def _corrupt(part: str, why: str) -> IntegrityError:
    return IntegrityError(
        "backup.corrupt",
        f"The backup is not whole: {why}.",
        path=part,
        remedy="Take another backup. Nothing was restored from this one.",
    )
