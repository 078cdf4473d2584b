from __future__ import annotations

import asyncio
import random

import asyncpg
import pytest
from log_story import ORIGIN, SIGNER, VERIFIER, add_events, leaf_of, store_events

from suyuan.db.pool import Pool
from suyuan.errors import InputError, NotFoundError
from suyuan.log import (
    Tree,
    checkpoint,
    find_checkpoint,
    find_indexes,
    fsck,
    get_entries,
    integrate,
    load_signer,
    publish,
    sequence_once,
    status,
)
from suyuan.tlog import merkle
from suyuan.tlog.checkpoint import open_checkpoint
from suyuan.tlog.tile import read_entries, split_hashes


async def log_rows(pool: Pool) -> list[tuple[int, int, bytes]]:
    return [tuple(row) for row in await pool.fetch("SELECT * FROM log_entry ORDER BY log_index")]


async def test_an_event_gets_the_next_index(pool: Pool) -> None:
    await store_events(pool, [7, 3, 9])
    assert await find_indexes(pool, [3, 7, 9]) == {}
    assert await sequence_once(pool) == 3
    assert await sequence_once(pool) == 0
    await store_events(pool, [4])
    assert await sequence_once(pool) == 1
    assert await find_indexes(pool, [3, 4, 7, 9, 11]) == {3: 0, 7: 1, 9: 2, 4: 3}
    assert await log_rows(pool) == [(i, key, leaf_of(key)) for i, key in enumerate([3, 7, 9, 4])]
    assert (await status(pool)).waiting == 0


async def test_a_capture_that_fails_leaves_no_gap(pool: Pool) -> None:
    await store_events(pool, [1])
    with pytest.raises(RuntimeError, match="power"):
        async with pool.acquire() as conn, conn.transaction():
            await add_events(conn, [2])
            raise RuntimeError("power")
    await store_events(pool, [3])
    while await sequence_once(pool, batch=1):
        pass
    assert [row[:2] for row in await log_rows(pool)] == [(0, 1), (1, 3)]


async def test_a_late_commit_gets_a_later_index(pool: Pool) -> None:
    async with pool.acquire() as slow, slow.transaction():
        await add_events(slow, [1])
        # The party's row is locked by the first one, so the second is only an intake row.
        await pool.execute("INSERT INTO intake VALUES (2, $1)", leaf_of(2))
        assert await sequence_once(pool) == 1
    assert await sequence_once(pool) == 1
    assert [row[:2] for row in await log_rows(pool)] == [(0, 2), (1, 1)]


async def test_sequencers_at_once_leave_no_gap_and_lose_nothing(pool: Pool) -> None:
    total = 3_000
    done = asyncio.Event()

    async def capture(worker: int) -> None:
        for start in range(worker * 1_000, worker * 1_000 + 1_000, 50):
            await store_events(pool, range(start, start + 50))

    async def sequence(seed: int) -> int:
        chance = random.Random(seed)
        moved = 0
        while not done.is_set() or await pool.fetchval("SELECT EXISTS (SELECT FROM intake)"):
            moved += await sequence_once(pool, batch=chance.randint(1, 60))
            await asyncio.sleep(0)
        return moved

    async def captures() -> None:
        await asyncio.gather(*(capture(worker) for worker in range(3)))
        done.set()

    moved = await asyncio.gather(*(sequence(seed) for seed in range(3)), captures())
    assert sum(count for count in moved if count) == total
    rows = await log_rows(pool)
    assert [row[0] for row in rows] == list(range(total))
    assert {row[1] for row in rows} == set(range(total))
    await publish(pool, SIGNER)
    assert (await fsck(pool, VERIFIER)).clean


async def test_the_log_is_append_only(pool: Pool) -> None:
    await store_events(pool, range(300))
    await sequence_once(pool)
    await publish(pool, SIGNER)
    for table, column in (("log_entry", "leaf"), ("log_tile", "hashes"), ("log_checkpoint", "note")):
        for statement in (
            f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table}"
        ):  # fmt: skip
            with pytest.raises(asyncpg.PostgresError, match="never change"):
                await pool.execute(statement)
            with pytest.raises(asyncpg.PostgresError):
                async with pool.acquire() as conn, conn.transaction():
                    await conn.execute("SET LOCAL ROLE suyuan_eraser")
                    await conn.execute(statement)


async def test_the_empty_log_is_published_too(pool: Pool) -> None:
    with pytest.raises(NotFoundError) as caught:
        await checkpoint(pool)
    assert caught.value.code == "log.checkpoint.none"
    first = await publish(pool, SIGNER)
    assert first is not None
    assert first.root_hash == merkle.EMPTY_ROOT
    assert await publish(pool, SIGNER) is None
    opened = open_checkpoint(await checkpoint(pool), VERIFIER).checkpoint
    assert (opened.origin, opened.size) == (ORIGIN, 0)
    assert (await fsck(pool, VERIFIER)).clean


async def test_tiles_and_roots_are_those_of_the_tree(pool: Pool) -> None:
    # Two levels of full tiles and partial ones on three.
    size = 256 * 256 + 2 * 256 + 7
    leaves = [leaf_of(key) for key in range(size)]
    await fill(pool, size)
    assert await integrate(pool) == size
    assert await pool.fetchval("SELECT array_agg(n ORDER BY n) FROM log_tile WHERE level = 1") == [0]
    assert await pool.fetchval("SELECT count(*) FROM log_tile WHERE level = 0") == 258
    published = await publish(pool, SIGNER)
    assert published is not None
    assert published.root_hash == merkle.root_hash(leaves)
    tree = Tree(pool)
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    assert split_hashes(await tree.tile(0, 3)) == hashes[768:1024]
    assert split_hashes(await tree.tile(0, 258, 7)) == hashes[-7:]
    assert split_hashes(await tree.tile(0, 258, 3)) == hashes[-7:-4]
    level1 = [merkle.root_of_hashes(hashes[start : start + 256]) for start in range(0, size - 7, 256)]
    assert split_hashes(await tree.tile(1, 0)) == level1[:256]
    assert split_hashes(await tree.tile(1, 1, 2)) == level1[256:]
    assert split_hashes(await tree.tile(2, 0, 1)) == [merkle.root_of_hashes(level1[:256])]
    assert read_entries(await tree.entries(258, 7)) == leaves[-7:]
    assert read_entries(await tree.entries(0)) == leaves[:256]
    for level, index, width in [
        (0, 258, 8),
        (0, 259, 1),
        (1, 1, 3),
        (2, 0, 2),
        (3, 0, 1),
        (9, 0, 1),
        (0, -1, 1),
        (0, 0, 0),
    ]:
        with pytest.raises(NotFoundError) as caught:
            await tree.tile(level, index, width)
        assert caught.value.code == "log.tile.absent"
    await check_proofs(tree, leaves, random.Random(1), 60)
    assert (await fsck(pool, VERIFIER)).clean


async def fill(pool: Pool, size: int) -> None:
    """Entries as sequencing would leave them, with their events."""
    await store_events(pool, range(size))
    while await sequence_once(pool, batch=50_000):
        pass


async def check_proofs(tree: Tree, leaves: list[bytes], chance: random.Random, count: int) -> None:
    for _ in range(count):
        size = chance.randint(1, len(leaves))
        index = chance.randrange(size)
        root = await tree.root(size)
        proof = await tree.inclusion_proof(index, size)
        merkle.verify_inclusion(index, size, merkle.leaf_hash(leaves[index]), proof, root)
        old = chance.randint(1, size)
        between = await tree.consistency_proof(old, size)
        merkle.verify_consistency(old, size, between, await tree.root(old), root)


async def test_proofs_hold_at_every_size(pool: Pool) -> None:
    leaves = [leaf_of(key) for key in range(1_100)]
    await fill(pool, len(leaves))
    tree = Tree(pool, cached_tiles=3)
    # Before integration the tree is read from the rows alone.
    await check_proofs(tree, leaves[:255], random.Random(2), 20)
    await integrate(pool)
    await check_proofs(tree, leaves, random.Random(3), 150)
    for size in (1, 2, 255, 256, 257, 512, 1_024, 1_100):
        assert await tree.root(size) == merkle.root_hash(leaves[:size])
    assert await tree.consistency_proof(0, 10) == []
    with pytest.raises(NotFoundError):
        await tree.root(1_101)
    with pytest.raises(InputError):
        await tree.inclusion_proof(5, 5)
    with pytest.raises(NotFoundError):
        await get_entries(pool, 1_000, 1_101)
    assert await get_entries(pool, 3, 5) == leaves[3:5]


async def test_the_signing_key_is_made_once(pool: Pool, tmp_path) -> None:  # type: ignore[no-untyped-def]
    one, two = (load_signer(ORIGIN, tmp_path / "keys") for _ in range(2))
    assert one.vkey == two.vkey
    assert one.name == ORIGIN
    published = await publish(pool, one)
    assert published is not None
    assert await find_checkpoint(pool) == published
