"""Interrupted at every step, forged in every table, restored from the past."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import asyncpg
import pytest
from log_story import ORIGIN, SIGNER, VERIFIER, commitment_of, leaf_of, store_events

from suyuan.db import embedded
from suyuan.db.migrate import prepare
from suyuan.db.pool import Connection, Pool, open_pool
from suyuan.errors import ConflictError, IntegrityError, UnavailableError
from suyuan.log import (
    PublishedCopy,
    Sequencer,
    Tree,
    find_checkpoint,
    fsck,
    integrate,
    publish,
    sequence_once,
    status,
    verify_head,
    wait_until_published,
)
from suyuan.tlog.checkpoint import Checkpoint, sign_checkpoint
from suyuan.tlog.merkle import root_hash
from suyuan.tlog.note import Ed25519Signer


async def unprotected(pool: Pool, *statements: str) -> None:
    """What somebody does who owns the tables."""
    async with pool.acquire() as conn, conn.transaction():
        for table in ("log_entry", "log_tile", "log_checkpoint", "event"):
            await conn.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            await conn.execute(statement)
        for table in ("log_entry", "log_tile", "log_checkpoint", "event"):
            await conn.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


class _KilledError(Exception):
    pass


class _Fragile:
    """A connection that dies before its n-th statement."""

    def __init__(self, conn: Connection, countdown: int) -> None:
        self._conn = conn
        self._countdown = countdown

    def __getattr__(self, name: str) -> object:
        attribute = getattr(self._conn, name)
        if name not in ("fetch", "fetchrow", "fetchval", "execute"):
            return attribute

        async def call(*arguments: object, **options: object) -> object:
            self._countdown -= 1
            if self._countdown < 0:
                raise _KilledError
            return await attribute(*arguments, **options)

        return call


async def test_killed_anywhere_the_same_tree_comes_out(pool: Pool) -> None:
    size = 700
    await store_events(pool, range(size))
    chance = random.Random(5)
    kills = 0
    while (await status(pool)).published < size:
        async with pool.acquire() as conn:
            # Sequencing takes five statements, publishing some ten more.
            fragile: Connection = _Fragile(conn, chance.randint(0, 18))  # type: ignore[assignment]
            try:
                await sequence_once(fragile, batch=40)
                await publish(fragile, SIGNER)
            except _KilledError:
                kills += 1
                assert (await fsck(pool, VERIFIER)).clean
    assert kills > 10
    report = await fsck(pool, VERIFIER)
    assert (report.clean, report.entries, report.published, report.tiles) == (True, size, size, 2)
    newest = await find_checkpoint(pool)
    assert newest is not None
    assert newest.root_hash == root_hash([leaf_of(key) for key in range(size)])


async def test_two_publishers_never_both_succeed(pool: Pool) -> None:
    await store_events(pool, range(10))
    outcomes = []
    for round_ in range(8):
        await sequence_once(pool)
        outcomes += await asyncio.gather(*(publish(pool, SIGNER) for _ in range(4)), return_exceptions=True)
        await store_events(pool, [100 + round_])
    assert all(outcome is None or isinstance(outcome, ConflictError | tuple) for outcome in outcomes), (
        outcomes
    )
    sizes = [row[0] for row in await pool.fetch("SELECT tree_size FROM log_checkpoint ORDER BY 1")]
    assert sizes == list(range(10, 18))
    assert (await fsck(pool, VERIFIER)).clean


async def test_a_flipped_bit_is_not_signed(pool: Pool) -> None:
    await store_events(pool, range(600))
    await sequence_once(pool)
    await integrate(pool)
    await unprotected(
        pool, "UPDATE log_entry SET leaf = set_byte(leaf, 5, get_byte(leaf, 5) # 1) WHERE log_index = 300"
    )
    with pytest.raises(IntegrityError) as caught:
        await publish(pool, SIGNER)
    assert caught.value.code == "log.tile.changed"
    assert await find_checkpoint(pool) is None
    codes = {finding.code for finding in (await fsck(pool, VERIFIER)).findings}
    assert codes == {"log.entry.leaf", "log.tile.changed"}


async def test_an_old_tile_that_changed_stops_the_log(pool: Pool) -> None:
    await store_events(pool, range(600))
    await sequence_once(pool)
    await publish(pool, SIGNER)
    await store_events(pool, [1_000])
    await sequence_once(pool)
    await unprotected(pool, "UPDATE log_tile SET root_hash = sha256('x') WHERE n = 0")
    with pytest.raises(IntegrityError) as caught:
        await publish(pool, SIGNER)
    assert caught.value.code == "log.checkpoint.root"
    with pytest.raises(IntegrityError):
        await verify_head(pool, VERIFIER)


async def test_no_proof_is_built_on_a_tile_that_changed(pool: Pool) -> None:
    await store_events(pool, range(600))
    await sequence_once(pool)
    await publish(pool, SIGNER)
    await unprotected(
        pool, "UPDATE log_tile SET hashes = set_byte(hashes, 5, get_byte(hashes, 5) # 1) WHERE n = 0"
    )
    for read in (Tree(pool).tile(0, 0), Tree(pool).inclusion_proof(3, 600)):
        with pytest.raises(IntegrityError) as caught:
            await read
        assert caught.value.code == "log.tile.changed"


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE log_head SET next_index = next_index + 1", "log.head.rows"),
        ("DELETE FROM log_entry WHERE log_index = 17", "log.entry.gap"),
        ("DELETE FROM log_entry WHERE log_index = 299", "log.event.lost"),
        ("INSERT INTO intake SELECT event_key, leaf FROM log_entry WHERE log_index = 17", "log.event.twice"),
        ("INSERT INTO intake VALUES (9999, 'x')", "log.intake.event"),
        ("DELETE FROM event WHERE event_key = 17", "log.entry.event"),
        ("UPDATE event SET commitment = sha256('x') WHERE event_key = 17", "log.entry.leaf"),
        (
            "UPDATE event SET record_time = record_time + interval '1 day' WHERE event_key = 17",
            "log.entry.leaf",
        ),
        ("DELETE FROM log_tile", "log.tile.missing"),
        ("UPDATE log_tile SET root_hash = sha256('x')", "log.tile.changed"),
        ("INSERT INTO log_tile SELECT 0, 9, root_hash, hashes FROM log_tile", "log.tile.excess"),
        ("UPDATE log_checkpoint SET root_hash = sha256('x') WHERE tree_size = 300", "log.checkpoint.root"),
        (
            "UPDATE log_checkpoint SET note = replace(note, '300', '299') WHERE tree_size = 300",
            "log.checkpoint.invalid",
        ),
        ("DELETE FROM log_checkpoint WHERE tree_size = 0", "log.checkpoint.chain"),
        (
            "UPDATE log_head SET next_index = 299; DELETE FROM log_entry WHERE log_index = 299",
            "log.checkpoint.ahead",
        ),
    ],
)
async def test_fsck_finds_what_was_tampered_with(pool: Pool, statement: str, code: str) -> None:
    await publish(pool, SIGNER)
    await store_events(pool, range(300))
    await sequence_once(pool)
    await publish(pool, SIGNER)
    assert (await fsck(pool, VERIFIER)).clean
    await unprotected(pool, *statement.split(";"))
    report = await fsck(pool, VERIFIER)
    assert code in {finding.code for finding in report.findings}
    assert not report.clean


async def test_fsck_recomputes_commitments(pool: Pool) -> None:
    await store_events(pool, range(2_500))
    await sequence_once(pool)
    stages: list[tuple[str, int, int]] = []

    async def recompute(_conn: Connection, keys: list[int]) -> dict[int, bytes | None]:
        known: dict[int, bytes | None] = {key: commitment_of(key) for key in keys}
        if 7 in known:
            known[7] = None
            known[8] = bytes(32)
            del known[9]
        return known

    report = await fsck(pool, VERIFIER, recompute=recompute, progress=lambda *stage: stages.append(stage))  # type: ignore[arg-type]
    assert report.erased == 1
    assert [(finding.code, finding.reference) for finding in report.findings] == [
        ("log.event.commitment", "8"),
        ("log.event.payload", "9"),
    ]
    assert stages[-1] == ("events", 2_500, 2_500)
    assert ("entries", 2_500, 2_500) in stages


async def test_fsck_keeps_a_bounded_list(pool: Pool) -> None:
    await store_events(pool, range(1_500))
    await sequence_once(pool)
    await unprotected(pool, "UPDATE log_entry SET leaf = 'x'")
    report = await fsck(pool, VERIFIER)
    assert (len(report.findings), report.finding_count) == (1_000, 1_500)


async def test_a_restored_backup_does_not_sign_a_fork(pool: Pool, tmp_path: Path) -> None:
    copy = PublishedCopy(tmp_path / "log" / "checkpoint")
    assert copy.read() is None
    await store_events(pool, range(5))
    await sequence_once(pool)
    published = await publish(pool, SIGNER, copy=copy)
    assert published is not None
    assert copy.read() == published.note
    assert await verify_head(pool, VERIFIER, seen=[published.note]) == published
    elsewhere = [leaf_of(key) for key in range(6)]
    ahead = sign_checkpoint(Checkpoint(ORIGIN, 6, root_hash(elsewhere)), [SIGNER])
    other = sign_checkpoint(Checkpoint(ORIGIN, 4, root_hash(elsewhere[1:5])), [SIGNER])
    stranger = Ed25519Signer(ORIGIN, bytes([7] * 32))
    foreign = sign_checkpoint(Checkpoint(ORIGIN, 4, root_hash(elsewhere[:4])), [stranger])
    for note, code in [
        (ahead, "log.fork.behind"),
        (other, "log.fork.root"),
        (foreign, "log.checkpoint.invalid"),
    ]:
        with pytest.raises(IntegrityError) as caught:
            await verify_head(pool, VERIFIER, seen=[note])
        assert caught.value.code == code
    copy.write(ahead)
    with pytest.raises(IntegrityError) as caught:
        await Sequencer(pool, SIGNER, copy=copy).run(asyncio.Event())
    assert caught.value.code == "log.fork.behind"
    with pytest.raises(IntegrityError) as caught:
        await Sequencer(pool, stranger).run(asyncio.Event())
    assert caught.value.code == "log.checkpoint.invalid"


def ended(seconds: float) -> asyncio.Event:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, stop.set)
    return stop


async def test_the_running_log_publishes_within_seconds(pool: Pool, tmp_path: Path) -> None:
    stop = asyncio.Event()
    copy = PublishedCopy(tmp_path / "checkpoint")
    sequencer = Sequencer(pool, SIGNER, copy=copy, publish_every=0.2, poll=0.02, stand_by=0.05)
    other = Sequencer(pool, SIGNER, copy=copy, publish_every=0.2, poll=0.02, stand_by=0.05)
    running = [asyncio.create_task(one.run(stop)) for one in (sequencer, other)]
    await store_events(pool, range(400))
    indexes = await wait_until_published(pool, range(400), seconds=5)
    assert sorted(indexes.values()) == list(range(400))
    assert [sequencer.active, other.active].count(True) == 1
    await store_events(pool, range(400, 450))
    stop.set()
    await asyncio.gather(*running)
    now = await status(pool)
    assert (now.waiting, now.sequenced, now.published) == (0, 450, 450)
    newest = await find_checkpoint(pool)
    assert newest is not None
    assert copy.read() == newest.note
    assert (await fsck(pool, VERIFIER)).clean
    copy.path.unlink()
    await sequencer.run(ended(0.1))
    assert copy.read() == newest.note
    await store_events(pool, [1_000])
    with pytest.raises(UnavailableError) as caught:
        await wait_until_published(pool, [1_000], seconds=0.1)
    assert caught.value.code == "log.publishing.late"


async def test_another_takes_over_when_the_connection_dies(pool: Pool, database_url: str) -> None:
    stop = asyncio.Event()
    chance = random.Random(4)
    async with open_pool(database_url, size=4) as own:
        sequencers = [Sequencer(own, SIGNER, publish_every=0.05, poll=0.01, stand_by=0.02) for _ in range(2)]
        running = [asyncio.create_task(one.run(stop)) for one in sequencers]
        for round_ in range(6):
            await store_events(pool, range(round_ * 100, round_ * 100 + 100))
            await asyncio.sleep(chance.random() / 20)
            await pool.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        await wait_until_published(pool, range(600), seconds=10)
        stop.set()
        await asyncio.gather(*running)
    report = await fsck(pool, VERIFIER)
    assert (report.clean, report.entries, report.published) == (True, 600, 600)


async def test_a_wrong_head_is_found_at_the_start(pool: Pool) -> None:
    await store_events(pool, range(3))
    await sequence_once(pool)
    await pool.execute("UPDATE log_head SET next_index = 5")
    with pytest.raises(IntegrityError) as caught:
        await verify_head(pool, VERIFIER)
    assert caught.value.code == "log.head.rows"
    with pytest.raises(IntegrityError):
        await publish(pool, SIGNER)
    await pool.execute("DELETE FROM log_head")
    await store_events(pool, [9])
    with pytest.raises(IntegrityError) as caught:
        await sequence_once(pool)
    assert caught.value.code == "log.head.missing"
    assert await pool.fetchval("SELECT count(*) FROM intake") == 1


async def test_an_intake_row_for_a_logged_event_stops_sequencing_whole(pool: Pool) -> None:
    await store_events(pool, range(3))
    await sequence_once(pool)
    await pool.execute("INSERT INTO intake VALUES (1, 'x')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await sequence_once(pool)
    assert (await status(pool)).sequenced == 3


async def test_a_database_that_restarts_is_waited_for(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    server = embedded.start(data_dir, durable=False)
    try:
        await prepare(server.dsn)
        stop = asyncio.Event()
        async with open_pool(server.dsn, size=3) as own:
            sequencer = Sequencer(own, SIGNER, publish_every=0.05, poll=0.02, stand_by=0.05)
            running = asyncio.create_task(sequencer.run(stop))
            await store_events(own, range(10))
            await wait_until_published(own, range(10), seconds=10)
            server.stop()
            await asyncio.sleep(0.2)
            assert not running.done()
            server = embedded.start(data_dir, durable=False)
            for attempt in range(20):
                # Connections from before the restart fail once each.
                try:
                    await store_events(own, range(10, 20))
                    break
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    assert attempt < 19
            await wait_until_published(own, range(20), seconds=10)
            stop.set()
            await running
            assert (await fsck(own, VERIFIER)).clean
    finally:
        server.stop()
