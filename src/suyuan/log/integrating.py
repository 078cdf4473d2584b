"""Storing full tiles. Each is a pure function of the log rows below it, is written once and never again."""

from __future__ import annotations

from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import IntegrityError
from suyuan.log.intake import read_leaves
from suyuan.tlog.merkle import leaf_hash
from suyuan.tlog.tile import TILE_WIDTH, level_size, tile_root

# Tiles per statement: few enough that hashing them holds up the event loop for some milliseconds only.
CHUNK = 16


async def head(db: Pool | Connection) -> int:
    """How many entries are sequenced."""
    size = await db.fetchval(sql(__package__, "get_head"))
    if size is None:
        raise IntegrityError("log.head.missing", "The log has lost the row that counts its entries.")
    return int(size)


def hashes_of(leaves: list[bytes]) -> bytes:
    """Leaf hashes side by side."""
    return b"".join([leaf_hash(leaf) for leaf in leaves])


async def integrate(db: Pool | Connection) -> int:
    """Store every full tile that the sequenced entries imply, on all levels; returns the size they cover.

    Several may run at once and any may be killed: what is missing is computed from the rows again. Raises
    ``IntegrityError`` (``log.entry.gap``) where an index has no row.
    """
    size = await head(db)
    stored = {row["level"]: row["tiles"] for row in await db.fetch(sql(__package__, "count_tiles"))}
    level = 0
    while (wanted := level_size(level + 1, size)) > 0:
        for first in range(stored.get(level, 0), wanted, CHUNK):
            await _store(db, level, first, min(first + CHUNK, wanted))
        level += 1
    return size


async def _store(db: Pool | Connection, level: int, first: int, end: int) -> None:
    hashes = await read_hashes(db, level, first * TILE_WIDTH, end * TILE_WIDTH)
    width = len(hashes) // (end - first)
    tiles = [hashes[start : start + width] for start in range(0, len(hashes), width)]
    roots = [tile_root(tile) for tile in tiles]
    await db.execute(sql(__package__, "add_tiles"), level, list(range(first, end)), roots, tiles)


async def read_hashes(db: Pool | Connection, level: int, start: int, end: int) -> bytes:
    """The hashes [start, end) of a tile level, side by side: from the entries or from the tiles below.

    Raises ``IntegrityError`` (``log.entry.gap``, ``log.tile.gap``).
    """
    if level == 0:
        leaves = await read_leaves(db, start, end)
        if len(leaves) != end - start:
            raise IntegrityError(
                "log.entry.gap",
                f"The log has {len(leaves)} rows for the indexes {start} to {end - 1}.",
                remedy="Stop the worker and run suyuan fsck; nothing is signed meanwhile.",
            )
        return hashes_of(leaves)
    rows = await db.fetch(sql(__package__, "read_tile_roots"), level - 1, start, end)
    if len(rows) != end - start:
        raise IntegrityError(
            "log.tile.gap",
            f"The log has {len(rows)} tiles of level {level - 1} for the numbers {start} to {end - 1}.",
            remedy="Stop the worker and run suyuan fsck; nothing is signed meanwhile.",
        )
    return b"".join([row["root_hash"] for row in rows])
