"""Tiles and entry bundles: how a log's hashes and entries are cut for serving (C2SP tlog-tiles).

A tile holds up to 256 hashes of one tile level; tile level L holds the tree's nodes of level 8 L, and only
full tiles of one level are hashed into the next, so a full tile never changes. Paths are relative
(``tile/0/x001/234.p/5``). Empty tiles do not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from suyuan.errors import InputError, NotFoundError
from suyuan.tlog.merkle import HASH_SIZE, HashReader, Node, parent_hashes

TILE_HEIGHT = 8
TILE_WIDTH = 256
FULL_TILE_BYTES = TILE_WIDTH * HASH_SIZE
MAX_LEVEL = 63
MAX_ENTRY_BYTES = 65_535
# Six groups of three digits: more than any tree of 2**63 leaves needs.
MAX_INDEX = 10**18 - 1

_INDEX = re.compile(r"((?:x[0-9]{3}/){0,5})([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_LEVEL = re.compile(r"0|[1-9][0-9]?")


class Tile(NamedTuple):
    """A tile by its level, its number within the level and its width, 1 to 256 hashes."""

    level: int
    n: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Path of the tile's hashes, e.g. ``tile/1/x001/234/067.p/89``."""
        return f"tile/{self.level}/{index_path(self.n, self.width)}"

    @property
    def full(self) -> bool:
        """A full tile never changes again."""
        return self.width == TILE_WIDTH


def index_path(index: int, width: int = TILE_WIDTH) -> str:
    """The last part of a tile's path: groups of three digits, and ``.p/<width>`` unless the tile is full."""
    if not (0 <= index <= MAX_INDEX and 0 < width <= TILE_WIDTH):
        raise InputError("tlog.tile.range", f"There is no tile {index} of width {width}.")
    text = f"{index % 1000:03d}"
    while index >= 1000:
        index //= 1000
        text = f"x{index % 1000:03d}/{text}"
    return text if width == TILE_WIDTH else f"{text}.p/{width}"


def entries_path(index: int, width: int = TILE_WIDTH) -> str:
    """Path of an entry bundle, e.g. ``tile/entries/000.p/8``."""
    return f"tile/entries/{index_path(index, width)}"


def parse_index(text: str) -> tuple[int, int]:
    """Index and width of the last part of a tile's path. Raises ``NotFoundError`` (``tlog.tile.path``)."""
    match = _INDEX.fullmatch(text)
    width = int(match.group(3) or TILE_WIDTH) if match else 0
    if match is None or (match.group(3) and width >= TILE_WIDTH):
        raise NotFoundError("tlog.tile.path", "That is not the path of a tile.")
    groups = match.group(1).replace("x", "").replace("/", "") + match.group(2)
    # One path per tile: a leading group of zeros would be a second name of the same tile.
    if len(groups) > 3 and groups.startswith("000"):
        raise NotFoundError("tlog.tile.path", "That is not the path of a tile.")
    return int(groups), width


def parse_tile(level: str, index: str) -> Tile:
    """The tile of the path ``tile/<level>/<index>``. Raises ``NotFoundError`` (``tlog.tile.path``)."""
    if not _LEVEL.fullmatch(level) or int(level) > MAX_LEVEL:
        raise NotFoundError("tlog.tile.path", "That is not the path of a tile.")
    return Tile(int(level), *parse_index(index))


def level_size(level: int, size: int) -> int:
    """How many hashes a tree of ``size`` leaves has at this tile level."""
    return size >> (TILE_HEIGHT * level)


def tile_at(level: int, index: int, size: int) -> Tile:
    """The tile at this place of a tree of ``size`` leaves, as wide as it is there.

    Raises ``NotFoundError`` (``tlog.tile.absent``) where the tree has none.
    """
    width = min(TILE_WIDTH, level_size(level, size) - index * TILE_WIDTH)
    if width <= 0 or index < 0 or level < 0:
        raise NotFoundError(
            "tlog.tile.absent", f"A tree of {size} leaves has no tile {index} at level {level}."
        )
    return Tile(level, index, width)


def entries_at(index: int, size: int) -> tuple[int, int]:
    """Index and width of the bundle that holds entry ``index`` of a log of ``size`` entries."""
    tile = tile_at(0, index // TILE_WIDTH, size)
    return tile.n, tile.width


def implied_tiles(size: int, old_size: int = 0) -> Iterator[Tile]:
    """The tiles that a tree of ``size`` leaves implies, without the full ones of ``old_size`` leaves.

    From level 0 up, in order; with ``old_size`` it is what growing a log makes necessary to write.
    """
    level = 0
    while (count := level_size(level, size)) > 0:
        first = level_size(level, old_size) // TILE_WIDTH
        for index in range(first, count // TILE_WIDTH):
            yield Tile(level, index)
        # A partial tile that is there unchanged is not written again.
        if count % TILE_WIDTH and count != level_size(level, old_size):
            yield Tile(level, count // TILE_WIDTH, count % TILE_WIDTH)
        level += 1


def tile_of_node(node: Node, size: int) -> Tile:
    """The tile of a tree of ``size`` leaves whose hashes give this node's hash."""
    level, height = divmod(node.level, TILE_HEIGHT)
    return tile_at(level, (node.n << height) // TILE_WIDTH, size)


def tiles_of_nodes(nodes: Iterable[Node], size: int) -> list[Tile]:
    """The tiles that these nodes are read from, each once, in the order of first use."""
    return list(dict.fromkeys(tile_of_node(node, size) for node in nodes))


def node_from_tile(node: Node, hashes: bytes) -> bytes:
    """A node's hash from the bytes of its tile. Raises ``InputError`` (``tlog.tile.short``)."""
    height = node.level % TILE_HEIGHT
    first = (node.n << height) % TILE_WIDTH
    part = hashes[first * HASH_SIZE : (first + (1 << height)) * HASH_SIZE]
    if len(part) != HASH_SIZE << height:
        raise InputError("tlog.tile.short", "The tile is too short for the node that is asked of it.")
    return _root(part)


def tile_reader(tiles: Mapping[tuple[int, int], bytes]) -> HashReader:
    """A ``HashReader`` over tiles at hand, keyed by (level, index); a wider tile than needed serves too.

    Raises ``NotFoundError`` (``tlog.tile.absent``) for a node whose tile is not among them.
    """

    def read(nodes: Sequence[Node]) -> list[bytes]:
        hashes: list[bytes] = []
        for node in nodes:
            level, height = divmod(node.level, TILE_HEIGHT)
            index = (node.n << height) // TILE_WIDTH
            tile = tiles.get((level, index))
            if tile is None:
                raise NotFoundError("tlog.tile.absent", f"Tile {index} of level {level} is not at hand.")
            hashes.append(node_from_tile(node, tile))
        return hashes

    return read


def split_hashes(data: bytes) -> list[bytes]:
    """The hashes of a tile. Raises ``InputError`` (``tlog.tile.ragged``) unless a multiple of 32 bytes."""
    if len(data) % HASH_SIZE:
        raise InputError("tlog.tile.ragged", f"{len(data)} bytes are no whole number of hashes.")
    return [data[start : start + HASH_SIZE] for start in range(0, len(data), HASH_SIZE)]


def tile_root(hashes: bytes) -> bytes:
    """Hash of a full tile, which stands in the tile above. Raises ``InputError`` (``tlog.tile.short``)."""
    if len(hashes) != FULL_TILE_BYTES:
        raise InputError("tlog.tile.short", "Only a full tile has a hash in the tile above.")
    return _root(hashes)


def _root(hashes: bytes) -> bytes:
    row = split_hashes(hashes)
    while len(row) > 1:
        row = parent_hashes(row)
    return row[0]


def write_entries(entries: Iterable[bytes]) -> bytes:
    """An entry bundle: per entry two bytes of length, big-endian, and its bytes.

    Raises ``InputError`` (``tlog.entries.too_long``, ``tlog.entries.too_many``).
    """
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise InputError("tlog.entries.too_long", f"An entry has more than {MAX_ENTRY_BYTES} bytes.")
        parts.append(len(entry).to_bytes(2, "big"))
        parts.append(entry)
    if len(parts) > 2 * TILE_WIDTH:
        raise InputError("tlog.entries.too_many", f"A bundle holds at most {TILE_WIDTH} entries.")
    return b"".join(parts)


def read_entries(data: bytes) -> list[bytes]:
    """The entries of a bundle. Raises ``InputError`` (``tlog.entries.cut``, ``tlog.entries.too_many``)."""
    entries: list[bytes] = []
    position = 0
    while position < len(data):
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        if start > len(data) or position > len(data):
            raise InputError("tlog.entries.cut", "The bundle ends inside an entry.", path=f"[{len(entries)}]")
        entries.append(data[start:position])
    if len(entries) > TILE_WIDTH:
        raise InputError("tlog.entries.too_many", f"A bundle holds at most {TILE_WIDTH} entries.")
    return entries
