"""Signing the tree, and refusing to.

Order of publishing: full tiles are durable; everything since the last checkpoint is read again from the
database and hashed again, because a bit that flipped in memory or on disk must not be signed; the root of the
last checkpoint is computed again from the same tiles; the new root is signed; the checkpoint is entered by
compare and swap; only then does anyone see it, and a copy of it is kept outside the database.

A database restored from an old backup is a fork in waiting: it would sign other entries under numbers that
the world has seen already. ``verify_head`` compares it with what is known from elsewhere, the copy first of
all.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from suyuan.db import keyfiles
from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import ConflictError, IntegrityError, NotFoundError, SuyuanError
from suyuan.log.integrating import CHUNK, head, integrate, read_hashes
from suyuan.log.tree import Tree
from suyuan.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from suyuan.tlog.note import Ed25519Signer, Ed25519Verifier
from suyuan.tlog.tile import TILE_WIDTH, Tile, implied_tiles, tile_root

KEY_NAME = "log-signing"
_FSCK = "Nothing is signed. Stop the worker, run suyuan fsck, and restore what it names."


class StoredCheckpoint(NamedTuple):
    """A row of the checkpoints; ``note`` is the signed note as it is served."""

    tree_size: int
    previous_size: int
    root_hash: bytes
    note: bytes
    signed_at: datetime


def load_signer(origin: str, keys_dir: Path) -> Ed25519Signer:
    """The log's signing key from its key file, made on first use; ``origin`` is the key's name.

    Its ``vkey`` is what verifiers are given. Raises what ``keyfiles.load_or_create`` raises and
    ``InputError`` (``tlog.key.name``).
    """
    return Ed25519Signer(origin, keyfiles.load_or_create(KEY_NAME, 32, directory=keys_dir))


async def find_checkpoint(db: Pool | Connection) -> StoredCheckpoint | None:
    """The newest checkpoint, or None before the first one."""
    row = await db.fetchrow(sql(__package__, "newest_checkpoint"))
    if row is None:
        return None
    return StoredCheckpoint(
        row["tree_size"], row["previous_size"], row["root_hash"], row["note"].encode(), row["signed_at"]
    )


async def checkpoint(db: Pool | Connection) -> bytes:
    """The newest signed note, as served under ``/log/checkpoint``. Raises ``NotFoundError``
    (``log.checkpoint.none``) before the first one."""
    found = await find_checkpoint(db)
    if found is None:
        raise NotFoundError(
            "log.checkpoint.none", "Nothing is published yet.", remedy="Start the worker, or wait a second."
        )
    return found.note


class PublishedCopy:
    """The last published checkpoint in a file outside the database; what a restored database is held against.

    The file is replaced as a whole and synced. Who can write it can stop the log, not make it sign a fork.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> bytes | None:
        """The note, or None where nothing was published from here."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None

    def write(self, note: bytes) -> None:
        """Replace the note; durable on return."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=".checkpoint.", dir=self.path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(self.path)
        directory = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


async def verify_head(
    db: Pool | Connection, verifier: Ed25519Verifier, *, seen: Sequence[bytes] = ()
) -> StoredCheckpoint | None:
    """Check before signing that the database continues what was published; returns its newest checkpoint.

    ``seen`` are checkpoints known from elsewhere: the copy outside the database, those of witnesses. Raises
    ``IntegrityError``: ``log.head.rows`` (head and rows disagree), ``log.checkpoint.invalid`` (the stored
    checkpoint is not this key's, or not what its row says), ``log.checkpoint.ahead`` (it covers more than
    there is), ``log.checkpoint.root`` (the entries give another root), ``log.fork.behind`` and
    ``log.fork.root`` (the world has seen more, or something else).
    """
    rows = await db.fetchval(sql(__package__, "count_entries"))
    size = await head(db)
    if rows != size:
        raise IntegrityError(
            "log.head.rows", f"The head counts {size} entries, the rows end at {rows}.", remedy=_FSCK
        )
    stored = await find_checkpoint(db)
    if stored is not None:
        await _check_stored(db, verifier, stored, size)
    for note in seen:
        outside = _open(verifier, note, "A checkpoint that was published")
        if stored is None or outside.size > stored.tree_size:
            raise IntegrityError(
                "log.fork.behind",
                f"A checkpoint of {outside.size} entries was published; this database knows of"
                f" {0 if stored is None else stored.tree_size}.",
                remedy="It comes from an old backup. Restore a newer one, or start a log of another origin.",
            )
        if await Tree(db, cached_tiles=0).root(outside.size) != outside.root:
            raise IntegrityError(
                "log.fork.root",
                f"The first {outside.size} entries are not those that were published.",
                remedy="Restore the database that published them, or start a log of another origin.",
            )
    return stored


def _open(verifier: Ed25519Verifier, note: bytes, what: str) -> Checkpoint:
    try:
        return open_checkpoint(note, verifier).checkpoint
    except SuyuanError as error:
        raise IntegrityError(
            "log.checkpoint.invalid",
            f"{what} is not one of the log {verifier.name}: {error.reason}",
            remedy="Put back the key file and SUYUAN_LOG_ORIGIN that this log has always had.",
        ) from error


async def _check_stored(
    db: Pool | Connection, verifier: Ed25519Verifier, stored: StoredCheckpoint, size: int
) -> None:
    found = _open(verifier, stored.note, "The stored checkpoint")
    if (found.size, found.root) != (stored.tree_size, stored.root_hash):
        raise IntegrityError(
            "log.checkpoint.invalid", "A stored checkpoint is not what its row says.", remedy=_FSCK
        )
    if found.size > size:
        raise IntegrityError(
            "log.checkpoint.ahead",
            f"The checkpoint covers {found.size} entries; the log has {size}.",
            remedy=_FSCK,
        )
    if await Tree(db, cached_tiles=0).root(found.size) != found.root:
        raise IntegrityError(
            "log.checkpoint.root",
            f"The first {found.size} entries do not give the root that was signed for them.",
            remedy=_FSCK,
        )


async def publish(
    db: Pool | Connection, signer: Ed25519Signer, *, copy: PublishedCopy | None = None
) -> StoredCheckpoint | None:
    """Integrate and sign what is sequenced; returns the new checkpoint, or None where nothing is new.

    The first checkpoint of an empty log has size 0. Not inside a transaction. Raises ``ConflictError``
    (``log.checkpoint.moved``) where another one published meanwhile: reload and verify before trying again.
    Raises ``IntegrityError`` (``log.*``) where anything that was read again is not what it should be.
    """
    last = await find_checkpoint(db)
    if last is not None and await head(db) == last.tree_size:
        return None
    size = await integrate(db)
    previous = -1 if last is None else last.tree_size
    if size < previous:
        raise IntegrityError(
            "log.checkpoint.ahead",
            f"The checkpoint covers {previous} entries; the log has {size}.",
            remedy=_FSCK,
        )
    await _read_again(db, max(previous, 0), size)
    tree = Tree(db, cached_tiles=0)
    if last is not None and await tree.root(last.tree_size) != last.root_hash:
        raise IntegrityError(
            "log.checkpoint.root",
            f"The first {last.tree_size} entries do not give the root that was signed for them.",
            remedy=_FSCK,
        )
    root = await tree.root(size)
    note = sign_checkpoint(Checkpoint(signer.name, size, root), [signer])
    signed_at = datetime.now(UTC)
    entered = await db.fetchval(
        sql(__package__, "add_checkpoint"), size, previous, root, note.decode(), signed_at
    )
    if entered is None:
        raise ConflictError(
            "log.checkpoint.moved",
            "Another process published while this one signed.",
            remedy="Let one worker publish; this one reads the log again.",
        )
    if copy is not None:
        await asyncio.to_thread(copy.write, note)
    return StoredCheckpoint(size, previous, root, note, signed_at)


async def _read_again(db: Pool | Connection, old_size: int, size: int) -> None:
    """Compare every full tile that is new with what its children give when they are read again."""
    fresh = [tile for tile in implied_tiles(size, old_size) if tile.full]
    for start in range(0, len(fresh), CHUNK):
        part = fresh[start : start + CHUNK]
        rows = await db.fetch(
            sql(__package__, "get_tiles"), [tile.level for tile in part], [tile.n for tile in part]
        )
        stored = {Tile(row["level"], row["n"]): row for row in rows}
        for tile in part:
            begin = tile.n * TILE_WIDTH
            hashes = await read_hashes(db, tile.level, begin, begin + TILE_WIDTH)
            row = stored.get(tile)
            if row is None or row["hashes"] != hashes or row["root_hash"] != tile_root(hashes):
                raise IntegrityError(
                    "log.tile.changed",
                    f"Tile {tile.n} of level {tile.level} is not what its entries give.",
                    path=tile.path,
                    remedy=_FSCK,
                )
