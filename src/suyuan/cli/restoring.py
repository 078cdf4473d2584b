"""Restoring a backup into a place where nothing is.

Order: the file is read whole and checked; the keys are opened and compared with those that it was made with; what
the world knows beside it (the newest published checkpoint, the erasures since) is read; only then rows are loaded.
After that erasures are replayed, the log's head is held against the newest checkpoint, and ``fsck`` derives
everything again. An embedded deployment is built in a folder of its own and moved to its place at the very end, so
that one that was restored by half is none.

A log that signed more than the backup knows must not go on from there: the same numbers would stand for other
entries. Such a restore is refused unless the log is to stay shut (``accept_behind``) or to begin again under another
name (``log_origin``).
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from suyuan import settings as settings_room
from suyuan.app import PUBLISHED
from suyuan.cli import backing_up
from suyuan.cli.context import NAMES_FILE, Names, note
from suyuan.db import age, archive, backup, durable, keyfiles
from suyuan.errors import (
    ConflictError,
    InputError,
    IntegrityError,
    RefusedError,
    UnavailableError,
    VerificationError,
)
from suyuan.scans.label_erasing import finish_label_erasures
from suyuan.tlog.checkpoint import open_checkpoint
from suyuan.tlog.note import Ed25519Signer, Ed25519Verifier
from suyuan.vault.erasing import Erasure, ErasureCopy, replay_erasures

if TYPE_CHECKING:
    from suyuan.db.pool import Pool
    from suyuan.log import Report
    from suyuan.settings import Settings

_STAGE = ".restoring"
_LOG_KEY = "log-signing"
_FORMER = "former-checkpoint"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be restored, from what, and what the operator decided beforehand."""

    file: Path
    data_dir: Path
    keys: Path | None = None
    identities: tuple[str, ...] = ()
    passphrase: str = ""
    journal: Path | None = None
    nothing_newer: bool = False
    accept_behind: bool = False
    log_origin: str = ""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """A restored deployment. ``log`` is ``continues``, ``shut`` (it signed more than is here) or ``renamed``."""

    data_dir: str
    made_at: str
    rows: int
    events: int
    sequenced: int
    published: int
    newest_published: int
    log: str
    log_origin: str
    erasures: int
    erased_again: int
    findings: int
    clean: bool


class _Outside(msgspec.Struct, frozen=True, kw_only=True):
    """What is known from beside the backup."""

    note: bytes | None
    size: int
    erasures: tuple[Erasure, ...]


async def restore(order: Order) -> Restored:
    """Restore; see the module. Raises ``ConflictError`` (``backup.target``), ``RefusedError`` (``backup.outside``,
    ``backup.log.behind``), ``IntegrityError`` (``backup.keys.*``, ``backup.corrupt``, ``log.*``) and what the parts
    raise; then nothing is left of the attempt.
    """
    check_place(order.data_dir)
    with archive.open_archive(order.file) as file:
        origin = file.manifest.origin
        configured = _settings(order, origin)
        keys = _keys(order, configured, origin)
        signer = Ed25519Signer(origin.log_origin, keys[_LOG_KEY])
        backing_up.check_signature(file, signer.vkey)
        outside = _read_outside(order, Ed25519Verifier(signer.vkey))
        log = _log_state(order, origin, outside)
        with backing_up.following() as follow:
            note("Reading the backup ...", "正在校验备份……")
            file.verify(follow)
        with _stage(order.data_dir) as stage:
            _write_keys(keys, configured, order.data_dir, stage)
            async with _database(configured, stage) as dsn:
                done = await _fill(dsn, file, order, signer, outside, log)
            _leave(file, configured, stage, outside, log)
    return msgspec.structs.replace(done, data_dir=str(order.data_dir), log_origin=configured.log_origin)


def check_place(data_dir: Path) -> None:
    """Refuse a directory that holds anything. Raises ``ConflictError`` (``backup.target``)."""
    if data_dir.exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
        raise ConflictError(
            "backup.target",
            "There is something in this directory; a restore never overwrites.",
            path=str(data_dir),
            remedy="Name a directory that is empty or not there yet.",
        )


def _settings(order: Order, origin: archive.Origin) -> Settings:
    """The settings of this call; public names that are not set are those of the backup."""
    configured = settings_room.load(data_dir=order.data_dir)
    own = configured.base_url.partition("://")[2]
    taken: dict[str, Any] = {}
    if configured.base_url == f"http://localhost:{configured.port}":
        taken["base_url"] = origin.base_url
        if configured.code_host == own:
            taken["code_host"] = origin.code_host
    # A log keeps its name whatever the host is called now.
    if order.log_origin or configured.log_origin == f"{own}/log":
        taken["log_origin"] = order.log_origin or origin.log_origin
    configured = settings_room.load(data_dir=order.data_dir, **taken)
    if not order.log_origin and configured.log_origin != origin.log_origin:
        raise InputError(
            "backup.log.origin",
            f"SUYUAN_LOG_ORIGIN is {configured.log_origin}; the log of the backup is {origin.log_origin}.",
            path="SUYUAN_LOG_ORIGIN",
            remedy="Leave it unset, or begin a log of another name on purpose with --log-origin.",
        )
    if order.log_origin == origin.log_origin:
        raise InputError(
            "backup.log.origin",
            "This is the name that the log has already.",
            path="--log-origin",
            remedy="Leave the option out, or choose a name that was never used.",
        )
    return configured


# -- keys -----------------------------------------------------------------------------------------------------


def _keys(order: Order, configured: Settings, origin: archive.Origin) -> dict[str, bytes]:
    """The keys that the backup was made with, from the sealed file, or from where they lie already."""
    if order.keys is None:
        keys = backing_up.read_keys(configured.keys_dir)
    else:
        keys = backing_up.open_keys(order.keys, list(order.identities), order.passphrase)
    for name, known in sorted(origin.keys.items()):
        if name not in keys:
            raise IntegrityError(
                "backup.keys.missing",
                "A key that this deployment had is not among those given.",
                path=name,
                remedy="Name the sealed keys with --keys, or the folder of the key files with SUYUAN_KEYS_DIR.",
            )
        if age.fingerprint(name, keys[name]) != known:
            raise IntegrityError(
                "backup.keys.other",
                "A key is not the one that this deployment had.",
                path=name,
                remedy="Use the keys that were saved together with this deployment.",
            )
    return keys


def _write_keys(keys: Mapping[str, bytes], configured: Settings, data_dir: Path, stage: Path) -> None:
    """Into the stage; or, where keys have a directory apart, there, unless the same ones are there already."""
    apart = not configured.keys_dir.is_relative_to(data_dir)
    directory = configured.keys_dir if apart else stage / "keys"
    for name, key in keys.items():
        keyfiles.store(name, key, directory=directory)


# -- what is known from elsewhere -------------------------------------------------------------------------------


def _read_outside(order: Order, verifier: Ed25519Verifier) -> _Outside:
    if order.journal is None:
        if not order.nothing_newer:
            raise RefusedError(
                "backup.outside",
                "Nobody says what was published and erased after this backup.",
                path="--journal",
                remedy="Name the folder published of the old data directory, or one that suyuan backup --journal"
                " wrote; or state with --nothing-newer that there is none.",
            )
        return _Outside(note=None, size=0, erasures=())
    found = backing_up.read_checkpoint(order.journal)
    erasures = tuple(ErasureCopy(order.journal / backing_up.ERASURES).read())
    if found is None and not erasures:
        raise InputError(
            "backup.journal.empty",
            "There is neither a checkpoint nor an erasure journal in this folder.",
            path=str(order.journal),
            remedy="Name the folder published of the old data directory, or one that suyuan backup --journal wrote.",
        )
    size = 0
    if found is not None:
        try:
            size = open_checkpoint(found, verifier).checkpoint.size
        except VerificationError as error:
            raise IntegrityError(
                "backup.checkpoint",
                f"The checkpoint in this folder is not one of the log {verifier.name}: {error.reason}",
                path=str(order.journal / backing_up.CHECKPOINT),
                remedy="Name the folder that belongs to this deployment.",
            ) from None
    return _Outside(note=found, size=size, erasures=erasures)


def _log_state(order: Order, origin: archive.Origin, outside: _Outside) -> str:
    if order.log_origin:
        return "renamed"
    if outside.size <= origin.published:
        return "continues"
    if order.accept_behind:
        return "shut"
    raise RefusedError(
        "backup.log.behind",
        f"The log published {outside.size} entries, and this backup knows {origin.published}: the last"
        f" {outside.size - origin.published} are not in it.",
        path=str(order.file),
        remedy="Restore a newer backup. Else restore with --accept-behind, and the log stays shut, or begin a log"
        " of another name with --log-origin.",
    )


# -- the database -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _stage(data_dir: Path) -> Iterator[Path]:
    """A folder to build in; what is in it moves up when the block ends, and goes away when it fails."""
    fresh = not data_dir.exists()
    stage = data_dir / _STAGE
    try:
        stage.mkdir(parents=True)
    except OSError as error:
        raise UnavailableError(
            "backup.unwritable",
            f"The directory cannot be made: {error.strerror}.",
            path=str(data_dir),
            remedy="Choose a place that this user may write.",
        ) from None
    try:
        yield stage
    except BaseException:
        shutil.rmtree(data_dir if fresh else stage, ignore_errors=True)
        raise
    # The database is what makes a directory a deployment: it comes last.
    for path in sorted(stage.iterdir(), key=lambda entry: entry.name == "database"):
        path.rename(data_dir / path.name)
    stage.rmdir()
    durable.sync_directory(data_dir)


@contextlib.asynccontextmanager
async def _database(configured: Settings, stage: Path) -> AsyncIterator[str]:
    from suyuan.db import embedded

    if configured.database_url:
        yield configured.database_url
        return
    note("Starting the embedded database ...", "正在启动内置数据库……")
    async with embedded.running(stage) as dsn:
        yield dsn


async def _fill(
    dsn: str, file: archive.ArchiveReader, order: Order, signer: Ed25519Signer, outside: _Outside, log: str
) -> Restored:
    from suyuan.db.migrate import prepare
    from suyuan.db.pool import create_pool
    from suyuan.log import verify_head

    pool = await create_pool(dsn, size=4, command_timeout=None)
    try:
        without = {"log_checkpoint"} if log == "renamed" else set()
        with backing_up.following() as follow:
            note("Loading ...", "正在写入数据……")
            async with pool.acquire() as conn:
                made = await backup.load(conn, file, follow, without=without)
        async with _or_emptied(pool, file, made):
            await prepare(dsn)
            erased = await replay_erasures(pool, outside.erasures)
            erased += (await finish_label_erasures(pool))[0]
            if log != "renamed":
                seen = [outside.note] if outside.note is not None and log == "continues" else []
                await verify_head(pool, Ed25519Verifier(signer.vkey), seen=seen)
            report = await _check(pool, signer.vkey)
            erasures = await pool.fetchval("SELECT count(*) FROM erasure_journal")
    finally:
        await pool.close()
    origin = file.manifest.origin
    return Restored(
        data_dir="",
        made_at=file.manifest.made_at.isoformat(),
        rows=file.manifest.rows,
        events=report.events,
        sequenced=report.entries,
        published=origin.published,
        newest_published=max(outside.size, origin.published),
        log=log,
        log_origin="",
        erasures=erasures,
        erased_again=erased,
        findings=report.finding_count,
        clean=report.clean,
    )


@contextlib.asynccontextmanager
async def _or_emptied(
    pool: Pool, file: archive.ArchiveReader, made: backup.MadeByMigrations
) -> AsyncIterator[None]:
    """What was loaded stays only if the block ends well: rows that were never checked, or from which nobody was erased
    again, are no deployment, and the next attempt needs an empty database."""
    try:
        yield
    except BaseException:
        try:
            async with pool.acquire() as conn:
                await backup.unload(conn, file, made)
        except Exception:  # the first failure is the one to report
            note(
                "The database could not be emptied again; drop it before the next attempt.",
                "数据库未能恢复为空，请在重试前删除该数据库。",
            )
        raise


async def _check(pool: Pool, vkey: str) -> Report:
    from suyuan.capture.checking import recompute_commitments
    from suyuan.enrolment.checking import check_records
    from suyuan.log import fsck

    note("Checking everything that is derived ...", "正在核对全部推导结果……")
    with backing_up.following() as follow:
        return await fsck(
            pool,
            Ed25519Verifier(vkey),
            recompute=recompute_commitments,
            beside=(check_records,),
            progress=follow,
        )


def _leave(
    file: archive.ArchiveReader, configured: Settings, stage: Path, outside: _Outside, log: str
) -> None:
    """Files of the data directory: the operator's own, the public names, what the world has seen."""
    origin = file.manifest.origin
    for part in file.manifest.files:
        target = stage / part.path
        if not target.resolve().is_relative_to(stage.resolve()):
            raise IntegrityError(
                "backup.corrupt", "A file of the backup would lie outside the data directory.", path=part.path,
                remedy="Do not use this backup.",
            )  # fmt: skip
        durable.replace_file(target, b"".join(file.chunks(part)))
    newest = outside.note if outside.size > origin.published else origin.checkpoint.encode() or outside.note
    if newest:
        name = _FORMER if log == "renamed" else backing_up.CHECKPOINT
        durable.replace_file(stage / PUBLISHED / name, newest)
    if outside.erasures:
        ErasureCopy(stage / PUBLISHED / backing_up.ERASURES).write(outside.erasures)
    names = Names(
        base_url=configured.base_url, log_origin=configured.log_origin, code_host=configured.code_host
    )
    durable.replace_file(stage / NAMES_FILE, msgspec.json.encode(names))
