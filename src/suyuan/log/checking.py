"""fsck: everything that is derived is derived again and compared.

Held: indexes without a gap; each event in the intake or in the log, and in one of them only; each leaf the
one of its event's commitment and day; each event's commitment the one of its payload, where that was not
erased; what other rooms keep beside their events, as those say; each stored tile what its rows give; each
checkpoint signed by this log's key, following its predecessor, with the root of its size.

One snapshot is read, so a log at work may be checked. Nothing is changed. Memory stays bounded whatever the
size.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

import asyncpg
import msgspec

from suyuan.db.pool import Connection, Pool, sql
from suyuan.disclosure.leaf import leaf_bytes, utc_day
from suyuan.errors import SuyuanError
from suyuan.log.integrating import hashes_of
from suyuan.tlog.checkpoint import open_checkpoint
from suyuan.tlog.merkle import HASH_SIZE, fold, node_hash, root_of_hashes
from suyuan.tlog.note import Verifier
from suyuan.tlog.tile import FULL_TILE_BYTES, TILE_WIDTH, Tile, split_hashes, tile_root

Recompute: TypeAlias = Callable[[Connection, Sequence[int]], Awaitable[Mapping[int, bytes | None]]]
"""Gives the commitments of these events computed from what is stored of them; None for an erased payload."""

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told the stage, how much of it is done and how much there is."""

Found: TypeAlias = Callable[[str, object, str], None]
"""Told a finding: its code, what it is about, what was found."""

Beside: TypeAlias = Callable[[Connection, Found, Progress], Awaitable[None]]
"""Checks what a room keeps that its events commit to, in the snapshot."""

_ENTRIES = 64 * TILE_WIDTH
_PAGE = 1_000
# Seconds for a statement that reads a whole table.
_PATIENCE = 6 * 3600.0
MAX_FINDINGS = 1_000
_MISPLACED = {
    "log.event.lost": "The event is neither in the intake nor in the log.",
    "log.event.twice": "The event is in the intake and in the log.",
    "log.intake.event": "The intake row's event is not there.",
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as it must be: a stable code, what it is about, and what was found."""

    code: str
    reference: str
    reason: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked and what was found; at most 1,000 findings are kept, ``finding_count`` counts them
    all.
    """

    entries: int
    waiting: int
    events: int
    erased: int
    tiles: int
    checkpoints: int
    published: int
    finding_count: int
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        """Nothing was found."""
        return self.finding_count == 0


async def fsck(
    pool: Pool,
    verifier: Verifier,
    *,
    recompute: Recompute | None = None,
    beside: Sequence[Beside] = (),
    progress: Progress | None = None,
) -> Report:
    """Check the whole log against itself and against the events.

    ``recompute`` comes from the room that stores payloads; without it commitments are taken as stored. ``beside`` come
    from rooms that keep more than events.
    Findings are returned, not raised.
    """
    async with (
        pool.acquire() as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        check = _Check(conn, verifier, progress or (lambda *_: None))
        await check.entries()
        await check.places()
        if recompute is not None:
            await check.commitments(recompute)
        for also in beside:
            await also(conn, check.finding, check.progress)
        return await check.report()


class _Check:
    def __init__(self, conn: Connection, verifier: Verifier, progress: Progress) -> None:
        self.conn = conn
        self.verifier = verifier
        self.progress = progress
        self.findings: list[Finding] = []
        self.finding_count = 0
        self.size = 0
        self.published = 0
        self.tiles = 0
        self.erased = 0
        # Checkpoints not reached yet, a page at a time: (size, root), smallest first.
        self.ahead: deque[tuple[int, bytes]] = deque()
        self.last_size = -1
        self.checkpoint_count = 0
        # Perfect subtrees of the full tiles so far, from left to right: height above a tile, hash.
        self.frontier: list[tuple[int, bytes]] = []
        # Per tile level the hashes that do not fill a tile yet, and how many tiles were filled.
        self.open_tiles: dict[int, bytearray] = {}
        self.filled: dict[int, int] = {}

    def finding(self, code: str, reference: object, reason: str) -> None:
        self.finding_count += 1
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(code=code, reference=str(reference), reason=reason))

    async def entries(self) -> None:
        """Walk the rows in order: indexes, leaves, tiles, and the root at each checkpoint."""
        self.published = await self.conn.fetchval(sql(__package__, "published_size"))
        total = await self.conn.fetchval(sql(__package__, "count_entries"))
        await self.check_roots(0, [])
        while rows := await self.conn.fetch(sql(__package__, "walk_entries"), self.size, _ENTRIES):
            leaves: list[bytes] = []
            for row in rows:
                if row["log_index"] != self.size + len(leaves):
                    break
                leaves.append(row["leaf"])
                self.check_leaf(row)
            await self.add_leaves(leaves)
            self.size += len(leaves)
            self.progress("entries", self.size, total)
            if len(leaves) < len(rows):
                self.finding("log.entry.gap", self.size, "No row has this index; later rows are not checked.")
                break
            await asyncio.sleep(0)
        head = await self.conn.fetchval(sql(__package__, "get_head"))
        if head != self.size:
            self.finding("log.head.rows", head, f"The head does not count the {self.size} rows.")
        while await self.next_checkpoint() is not None:
            size, _ = self.ahead.popleft()
            self.finding("log.checkpoint.ahead", size, f"It covers more than the {self.size} entries.")
        stored = await self.conn.fetchval(sql(__package__, "count_stored_tiles"), timeout=_PATIENCE)
        if stored != self.tiles:
            self.finding("log.tile.excess", stored, f"Tiles are stored where the entries give {self.tiles}.")

    def check_leaf(self, row: asyncpg.Record) -> None:
        if row["commitment"] is None:
            self.finding("log.entry.event", row["event_key"], "The entry's event is not there.")
        elif row["leaf"] != leaf_bytes(row["commitment"], utc_day(row["record_time"])):
            self.finding("log.entry.leaf", row["event_key"], "The leaf is not the one of its event.")

    async def add_leaves(self, leaves: list[bytes]) -> None:
        hashes = hashes_of(leaves)
        stored = await self.stored_tiles(0, self.size // TILE_WIDTH, (self.size + len(leaves)) // TILE_WIDTH)
        for first in range(0, len(leaves), TILE_WIDTH):
            tile = hashes[first * HASH_SIZE : (first + TILE_WIDTH) * HASH_SIZE]
            await self.check_roots(self.size + first, split_hashes(tile))
            if len(tile) == FULL_TILE_BYTES:
                await self.add_tile(0, tile, stored)

    async def stored_tiles(self, level: int, start: int, end: int) -> dict[int, asyncpg.Record]:
        return {
            row["n"]: row for row in await self.conn.fetch(sql(__package__, "walk_tiles"), level, start, end)
        }

    async def add_tile(self, level: int, hashes: bytes, stored: Mapping[int, asyncpg.Record]) -> None:
        """Compare a full tile, and put its hash into the tile above, which may be full then."""
        n = self.filled.get(level, 0)
        self.filled[level] = n + 1
        root = tile_root(hashes)
        row = stored.get(n)
        if row is not None:
            self.tiles += 1
            if row["hashes"] != hashes or row["root_hash"] != root:
                self.finding("log.tile.changed", Tile(level, n).path, "The tile is not what its rows give.")
        elif (n + 1) * TILE_WIDTH ** (level + 1) <= self.published:
            # Beyond the published size, integration is merely on its way.
            self.finding("log.tile.missing", Tile(level, n).path, "A published tile is not stored.")
        if level == 0:
            self.push(root)
        above = self.open_tiles.setdefault(level + 1, bytearray())
        above += root
        if len(above) == FULL_TILE_BYTES:
            del self.open_tiles[level + 1]
            n = self.filled.get(level + 1, 0)
            await self.add_tile(level + 1, bytes(above), await self.stored_tiles(level + 1, n, n + 1))

    def push(self, root: bytes) -> None:
        height = 0
        while self.frontier and self.frontier[-1][0] == height:
            root = node_hash(self.frontier.pop()[1], root)
            height += 1
        self.frontier.append((height, root))

    async def check_roots(self, start: int, tile: list[bytes]) -> None:
        """Compare the roots of the checkpoints that end inside this tile or at its end."""
        while (found := await self.next_checkpoint()) is not None and found[0] <= start + len(tile):
            size, root = self.ahead.popleft()
            parts = [hash_ for _, hash_ in self.frontier]
            if size > start:
                parts.append(root_of_hashes(tile[: size - start]))
            if fold(parts) != root:
                self.finding("log.checkpoint.root", size, "The entries give another root than was signed.")

    async def next_checkpoint(self) -> tuple[int, bytes] | None:
        if not self.ahead:
            page = await self.conn.fetch(sql(__package__, "walk_checkpoints"), self.last_size, _PAGE)
            for row in page:
                self.check_note(row)
                self.ahead.append((row["tree_size"], row["root_hash"]))
        return self.ahead[0] if self.ahead else None

    def check_note(self, row: asyncpg.Record) -> None:
        size = row["tree_size"]
        try:
            note = open_checkpoint(row["note"].encode(), self.verifier).checkpoint
        except SuyuanError as error:
            self.finding("log.checkpoint.invalid", size, error.reason)
        else:
            if (note.size, note.root) != (size, row["root_hash"]):
                self.finding("log.checkpoint.invalid", size, "The note is not what its row says.")
        if row["previous_size"] != self.last_size:
            self.finding("log.checkpoint.chain", size, f"It does not follow the one of {self.last_size}.")
        self.last_size = size
        self.checkpoint_count += 1

    async def places(self) -> None:
        """Each event in the intake or in the log, and each waiting leaf the one of its event."""
        for row in await self.conn.fetch(sql(__package__, "find_misplaced"), MAX_FINDINGS, timeout=_PATIENCE):
            self.finding(row["code"], row["event_key"], _MISPLACED[row["code"]])
        after = -1
        while rows := await self.conn.fetch(sql(__package__, "walk_intake"), after, _PAGE):
            for row in rows:
                if row["commitment"] is not None and row["leaf"] != leaf_bytes(
                    row["commitment"], utc_day(row["record_time"])
                ):
                    self.finding("log.intake.leaf", row["event_key"], "The leaf is not the one of its event.")
            after = rows[-1]["event_key"]

    async def commitments(self, recompute: Recompute) -> None:
        """Compare each event's commitment with the one that its payload gives."""
        total = await self.conn.fetchval(sql(__package__, "count_events"), timeout=_PATIENCE)
        after = -1
        done = 0
        while rows := await self.conn.fetch(sql(__package__, "walk_events"), after, _PAGE):
            computed = await recompute(self.conn, [row["event_key"] for row in rows])
            for row in rows:
                key = row["event_key"]
                if key not in computed:
                    self.finding("log.event.payload", key, "Nothing is known of the event's payload.")
                elif computed[key] is None:
                    self.erased += 1
                elif computed[key] != row["commitment"]:
                    self.finding("log.event.commitment", key, "The payload gives another commitment.")
            after = rows[-1]["event_key"]
            done += len(rows)
            self.progress("events", done, total)

    async def report(self) -> Report:
        return Report(
            entries=self.size,
            waiting=await self.conn.fetchval(sql(__package__, "count_intake")),
            events=await self.conn.fetchval(sql(__package__, "count_events"), timeout=_PATIENCE),
            erased=self.erased,
            tiles=self.tiles,
            checkpoints=self.checkpoint_count,
            published=self.published,
            finding_count=self.finding_count,
            findings=tuple(self.findings),
        )
