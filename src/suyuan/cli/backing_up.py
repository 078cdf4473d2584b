"""Making a backup: rows, manifest and signature into one file, keys and what happens later into places of their own."""

from __future__ import annotations

import asyncio
import contextlib
import io
import tarfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from suyuan import __version__
from suyuan.cli.context import MANNER, check_deployment, console
from suyuan.db import age, archive, backup, durable, keyfiles
from suyuan.errors import InputError, IntegrityError, NotFoundError, SuyuanError, VerificationError
from suyuan.tlog.checkpoint import open_checkpoint
from suyuan.tlog.note import Ed25519Verifier, open_note, sign_note
from suyuan.vault.erasing import Erasure, ErasureCopy, read_erasure_journal

if TYPE_CHECKING:
    from suyuan.db.pool import Connection, Pool
    from suyuan.settings import Settings

CHECKPOINT, ERASURES = "checkpoint", "erasures"
_LEGS, _CITIES, _POLICY = "legs", "cities", "policy.toml"


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A backup file that was written and read again, or one that was verified."""

    file: str
    size: int
    made_at: datetime
    made_by: str
    tables: int
    rows: int
    events: int
    sequenced: int
    published: int
    erasures: int
    log_key: str
    keys: tuple[str, ...]
    signature: str


@contextlib.contextmanager
def following() -> Iterator[archive.Progress]:
    """Bars on standard error for long work; nothing where a machine reads."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console(error=True), transient=True, disable=MANNER.as_json) as bars:
        tasks: dict[str, TaskID] = {}

        def follow(part: str, done: int, total: int) -> None:
            if part not in tasks:
                for task in tasks.values():
                    bars.remove_task(task)
                tasks.clear()
                tasks[part] = bars.add_task(part.removeprefix("tables/"))
            bars.update(tasks[part], completed=done, total=max(total, done))

        yield follow


def file_for(target: Path, moment: datetime) -> Path:
    """The file to write: ``target`` itself, or a name with the time where it is a directory."""
    if target.is_dir():
        return target / f"suyuan-{moment:%Y%m%dT%H%M%SZ}.backup"
    return target


# -- rows -----------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Pool]:
    """The database of a deployment, as it is: a backup is taken before an upgrade, so nothing is migrated.

    Raises ``NotFoundError`` (``cli.deployment.absent``) and ``UnavailableError`` (``db.*``).
    """
    from suyuan.app import open_database
    from suyuan.db.pool import create_pool

    check_deployment(settings)
    async with open_database(settings) as dsn:
        # The usual patience with a statement is a minute; a table may take hours.
        pool = await create_pool(dsn, size=2, command_timeout=None)
        try:
            yield pool
        finally:
            await pool.close()


async def write_backup(settings: Settings, pool: Pool, path: Path) -> Made:
    """Write the backup, then read it from the disk again. Raises what the parts raise; then no file is left."""
    from suyuan.log import load_signer

    signer = load_signer(settings.log_origin, settings.keys_dir)
    with following() as follow, archive.create_archive(path) as file:
        async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            await backup.begin_snapshot(conn)
            origin = await _origin(conn, settings, signer.vkey)
            tables = await backup.copy_out(conn, file, follow)
            manifest = archive.Manifest(
                format=archive.FORMAT,
                made_at=datetime.now(UTC),
                made_by=__version__,
                server_version=str(await conn.fetchval("SHOW server_version")),
                migrations=await backup.applied_migrations(conn),
                tables=tables,
                sequences=await backup.read_sequences(conn),
                files=tuple(_write_files(file, settings.data_dir)),
                origin=origin,
            )
        file.close(manifest, lambda text: sign_note(text, [signer]))
    return await asyncio.to_thread(verify_written, path, signer.vkey)


async def _origin(conn: Connection, settings: Settings, log_key: str) -> archive.Origin:
    from suyuan.log import find_checkpoint

    newest = await find_checkpoint(conn)
    if newest is not None:
        try:
            open_checkpoint(newest.note, Ed25519Verifier(log_key))
        except SuyuanError:
            raise IntegrityError(
                "backup.log.origin",
                f"The checkpoints of this database are not signed as {settings.log_origin}.",
                path="SUYUAN_LOG_ORIGIN",
                remedy="Set SUYUAN_BASE_URL or SUYUAN_LOG_ORIGIN as the server has them, or the keys it uses.",
            ) from None
    return archive.Origin(
        base_url=settings.base_url,
        log_origin=settings.log_origin,
        code_host=settings.code_host,
        log_key=log_key,
        events=await conn.fetchval("SELECT count(*) FROM event"),
        sequenced=await conn.fetchval("SELECT next_index FROM log_head"),
        published=0 if newest is None else newest.tree_size,
        checkpoint="" if newest is None else newest.note.decode(),
        erasures=await conn.fetchval("SELECT count(*) FROM erasure_journal"),
        keys={name: age.fingerprint(name, key) for name, key in read_keys(settings.keys_dir).items()},
    )


def _write_files(file: archive.ArchiveWriter, data_dir: Path) -> Iterator[archive.FilePart]:
    """The operator's own policy and profiles of legs and cities; what else lies there is derived, or kept elsewhere."""
    folders = (data_dir / _LEGS, data_dir / _CITIES)
    for path in sorted([data_dir / _POLICY, *(path for folder in folders for path in folder.glob("*"))]):
        if path.is_file():
            name = path.relative_to(data_dir).as_posix()
            part = file.write(f"files/{name}", path.read_bytes())
            yield archive.FilePart(path=name, size=part.size, sha256=part.sha256)


def verify_backup(path: Path, log_key: str = "") -> Made:
    """Read a whole backup and compare it with its manifest, and the manifest with its signature.

    Without ``log_key`` the signature is checked with the key that the manifest names, which shows damage and not who
    made it. Raises ``IntegrityError`` (``backup.corrupt``), ``VerificationError`` (``backup.signature``) and what
    ``archive.open_archive`` raises.
    """
    with archive.open_archive(path) as file:
        check_signature(file, log_key or file.manifest.origin.log_key)
        with following() as follow:
            file.verify(follow)
        manifest, origin = file.manifest, file.manifest.origin
        return Made(
            file=str(path),
            size=path.stat().st_size,
            made_at=manifest.made_at,
            made_by=manifest.made_by,
            tables=len(manifest.tables),
            rows=manifest.rows,
            events=origin.events,
            sequenced=origin.sequenced,
            published=origin.published,
            erasures=origin.erasures,
            log_key=origin.log_key,
            keys=tuple(sorted(origin.keys)),
            signature="given-key" if log_key else "own-key",
        )


def verify_written(path: Path, log_key: str) -> Made:
    """``verify_backup`` of a file that was written a moment ago; one that does not hold is taken away again."""
    try:
        return verify_backup(path, log_key)
    except SuyuanError:
        path.unlink(missing_ok=True)
        raise


def check_signature(file: archive.ArchiveReader, vkey: str) -> None:
    """Check that the manifest was signed with a log's key. Raises ``VerificationError`` (``backup.signature``)."""
    try:
        signed = open_note(file.note, [Ed25519Verifier(vkey)]).text
    except SuyuanError as error:
        signed, reason = b"", error.reason
    else:
        reason = "it signs another manifest"
    if signed != file.signed_text:
        raise VerificationError(
            "backup.signature",
            f"The backup was not signed by this log's key: {reason}",
            path=archive.NOTE,
            remedy="Use a backup of this deployment, with its own log-signing key.",
        )


# -- keys -----------------------------------------------------------------------------------------------------


def read_keys(directory: Path) -> dict[str, bytes]:
    """The key files that are there, by name. Raises ``IntegrityError`` (``db.key.*``)."""
    if not directory.is_dir():
        return {}
    names = sorted(path.name for path in directory.iterdir() if path.is_file() and path.name[0] != ".")
    return {
        name: keyfiles.load(name, (directory / name).stat().st_size, directory=directory) for name in names
    }


def write_keys(settings: Settings, path: Path, recipients: list[str], passphrase: str) -> list[str]:
    """Seal all key files into one file; returns their names. Raises ``NotFoundError`` (``backup.keys.none``)."""
    keys = read_keys(settings.keys_dir)
    if not keys:
        raise NotFoundError(
            "backup.keys.none",
            "There are no key files.",
            path=str(settings.keys_dir),
            remedy="Name the deployment with --data-dir, or its keys with SUYUAN_KEYS_DIR.",
        )
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, key in keys.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(key), 0o600
            tar.addfile(entry, io.BytesIO(key))
    sealed = age.seal(packed.getvalue(), recipients=recipients, passphrase=passphrase)
    with archive.new_file(path) as file:
        file.write(sealed)
    return sorted(keys)


def open_keys(path: Path, identities: list[str], passphrase: str) -> dict[str, bytes]:
    """The keys of a sealed file. Raises ``NotFoundError`` (``backup.absent``) and what ``age.unseal`` raises."""
    try:
        sealed = path.read_bytes()
    except OSError as error:
        raise NotFoundError(
            "backup.absent",
            f"The sealed keys cannot be read: {error.strerror}.",
            path=str(path),
            remedy="Name the file that suyuan backup --keys wrote.",
        ) from None
    with tarfile.open(
        fileobj=io.BytesIO(age.unseal(sealed, identities=identities, passphrase=passphrase))
    ) as tar:
        found = {}
        for entry in tar.getmembers():
            stream = tar.extractfile(entry)
            if stream is not None and "/" not in entry.name:
                found[entry.name] = stream.read()
        return found


def read_lines(path: Path) -> list[str]:
    """The lines of a small text file that say something. Raises ``InputError`` (``backup.file``)."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise InputError(
            "backup.file", "The file cannot be read.", path=str(path), remedy="Name a text file of your own."
        ) from None
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


# -- what happens after a backup --------------------------------------------------------------------------------


async def write_journal(pool: Pool, folder: Path) -> tuple[int, int]:
    """The erasure journal and the newest checkpoint, each a small file that is replaced as a whole.

    Returns how many erasures and how many published entries there are. A folder that knows more than this database
    is left as it is: raises ``IntegrityError`` (``backup.journal.ahead``).
    """
    from suyuan.log import find_checkpoint

    entries, newest = await read_erasure_journal(pool), await find_checkpoint(pool)
    known = ErasureCopy(folder / ERASURES).read()
    outside = published_size(read_checkpoint(folder))
    if _beyond(known, entries) or outside > (0 if newest is None else newest.tree_size):
        raise IntegrityError(
            "backup.journal.ahead",
            "This folder knows erasures or checkpoints that this database does not know.",
            path=str(folder),
            remedy="The database is older than the folder: restore a newer one, and keep the folder.",
        )
    ErasureCopy(folder / ERASURES).write(entries)
    if newest is not None:
        durable.replace_file(folder / CHECKPOINT, newest.note)
    return len(entries), 0 if newest is None else newest.tree_size


def _beyond(known: list[Erasure], entries: list[Erasure]) -> bool:
    return bool({(e.reference, e.erased_at) for e in known} - {(e.reference, e.erased_at) for e in entries})


def read_checkpoint(folder: Path) -> bytes | None:
    """The checkpoint in a folder that was written as ``published`` or by ``--journal``."""
    try:
        return (folder / CHECKPOINT).read_bytes()
    except FileNotFoundError:
        return None


def published_size(note: bytes | None) -> int:
    """The tree size that a checkpoint names, its signature not checked. Raises ``IntegrityError``
    (``backup.checkpoint``)."""
    if note is None:
        return 0
    try:
        return int(note.split(b"\n")[1])
    except (IndexError, ValueError):
        raise IntegrityError(
            "backup.checkpoint",
            "The file is not a checkpoint.",
            path=CHECKPOINT,
            remedy="Put back a copy of the newest published checkpoint.",
        ) from None
