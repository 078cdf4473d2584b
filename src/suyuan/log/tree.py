"""Reading the tree: tiles, entry bundles, roots and proofs.

A tile of a given width never changes, so what was read once is kept in memory, full tiles and partial ones
alike, the least recently used going first. Each is kept with the hashes of all subtrees inside it (16 KB),
which makes a proof from tiles at hand a matter of look-ups.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import IntegrityError, NotFoundError
from suyuan.log.intake import get_entries
from suyuan.log.integrating import head, read_hashes
from suyuan.tlog.merkle import (
    HASH_SIZE,
    Node,
    NodeGroup,
    consistency_nodes,
    fold_groups,
    inclusion_nodes,
    parent_hashes,
    range_nodes,
)
from suyuan.tlog.tile import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    level_size,
    split_hashes,
    tiles_of_nodes,
    write_entries,
)

_Rows = tuple[bytes, ...]
"""Row h: hashes of the tile's whole subtrees of height h, side by side; row 0 is the tile."""


def _rows(hashes: bytes) -> _Rows:
    rows = [hashes]
    level = split_hashes(hashes)
    while len(level) > 1:
        level = parent_hashes(level)
        rows.append(b"".join(level))
    return tuple(rows)


class Tree:
    """The tree as read through one pool (or, uncached use, one connection). Safe for concurrent use.

    ``cached_tiles`` bounds the memory: 16 KB each, 8 MB in all.
    """

    def __init__(self, db: Pool | Connection, *, cached_tiles: int = 512) -> None:
        self._db = db
        self._cached_tiles = cached_tiles
        self._cache: OrderedDict[Tile, _Rows] = OrderedDict()
        self._published = 0

    async def tile(self, level: int, index: int, width: int = TILE_WIDTH) -> bytes:
        """The hashes of a tile, as served under ``/log/tile/...``.

        Raises ``NotFoundError`` (``log.tile.absent``) for one that no published checkpoint implies.
        """
        await self._check_published(level, index, width)
        tile = Tile(level, index, width)
        return (await self._read([tile]))[tile][0]

    async def entries(self, index: int, width: int = TILE_WIDTH) -> bytes:
        """An entry bundle, as served under ``/log/tile/entries/...``. Raises as ``tile`` does."""
        await self._check_published(0, index, width)
        return write_entries(await get_entries(self._db, index * TILE_WIDTH, index * TILE_WIDTH + width))

    async def root(self, size: int) -> bytes:
        """Root of the tree of the first ``size`` entries. Raises ``NotFoundError`` (``log.size.absent``)."""
        [root] = await self._fold([range_nodes(0, size)], size)
        return root

    async def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """Proof that entry ``index`` is in the tree of ``size`` entries, hashes from leaf to root.

        Raises ``InputError`` (``tlog.proof.index``) and ``NotFoundError`` (``log.size.absent``).
        """
        return await self._fold(inclusion_nodes(index, size), size)

    async def consistency_proof(self, size1: int, size2: int) -> list[bytes]:
        """Proof that the tree of ``size1`` entries is the start of that of ``size2`` entries.

        Raises ``InputError`` (``tlog.proof.sizes``) and ``NotFoundError`` (``log.size.absent``).
        """
        return await self._fold(consistency_nodes(size1, size2), size2)

    async def _check_published(self, level: int, index: int, width: int) -> None:
        if 0 <= level < 8 and index >= 0 and 0 < width <= TILE_WIDTH:
            end = index * TILE_WIDTH + width
            if end <= level_size(level, self._published):
                return
            # Published sizes only grow, so the database is asked again only by who asks for more.
            self._published = await self._db.fetchval(sql(__package__, "published_size"))
            if end <= level_size(level, self._published):
                return
        raise NotFoundError("log.tile.absent", "No published checkpoint implies this tile.")

    async def _fold(self, groups: Sequence[NodeGroup], size: int) -> list[bytes]:
        nodes = [node for group in groups for node in group]
        tiles = tiles_of_nodes(nodes, size)
        if any(tile not in self._cache for tile in tiles) and size > await head(self._db):
            raise NotFoundError("log.size.absent", f"The log does not have {size} entries yet.")
        rows = {(tile.level, tile.n): found for tile, found in (await self._read(tiles)).items()}

        def read(wanted: Sequence[Node]) -> list[bytes]:
            hashes = []
            for node in wanted:
                level, height = divmod(node.level, TILE_HEIGHT)
                index, place = divmod(node.n, TILE_WIDTH >> height)
                row = rows[level, index][height]
                hashes.append(row[place * HASH_SIZE : (place + 1) * HASH_SIZE])
            return hashes

        return fold_groups(groups, read)

    async def _read(self, tiles: Sequence[Tile]) -> dict[Tile, _Rows]:
        found: dict[Tile, _Rows] = {}
        missing: list[Tile] = []
        for tile in tiles:
            rows = self._cache.get(tile)
            if rows is None:
                missing.append(tile)
            else:
                self._cache.move_to_end(tile)
                found[tile] = rows
        full = [tile for tile in missing if tile.full]
        if full:
            stored = await self._db.fetch(
                sql(__package__, "get_tiles"), [tile.level for tile in full], [tile.n for tile in full]
            )
            for row in stored:
                tile, rows = Tile(row["level"], row["n"]), _rows(row["hashes"])
                if rows[-1] != row["root_hash"]:
                    raise IntegrityError(
                        "log.tile.changed",
                        f"Tile {tile.n} of level {tile.level} is not what was stored.",
                        path=tile.path,
                        remedy="Run suyuan fsck and restore what it names.",
                    )
                found[tile] = rows
        for tile in missing:
            if tile not in found:
                # A partial tile, or a full one that is not integrated yet.
                start = tile.n * TILE_WIDTH
                found[tile] = _rows(await read_hashes(self._db, tile.level, start, start + tile.width))
            self._cache[tile] = found[tile]
        while len(self._cache) > self._cached_tiles:
            self._cache.popitem(last=False)
        return found
