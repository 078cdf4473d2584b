"""Rows out of a database at work, and into an empty one."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec
import pytest

from suyuan.db import archive, backup
from suyuan.db.migrate import check_current, migrate, prepare, read_migrations
from suyuan.db.pool import Pool, open_pool
from suyuan.errors import ConflictError, IntegrityError, UnavailableError

sys.path.append(str(Path(__file__).resolve().parents[1] / "log"))

from log_story import SIGNER, VERIFIER, store_events

from suyuan.log import fsck, integrate, publish, sequence_once
from suyuan.tlog.note import sign_note

ORIGIN = archive.Origin(
    base_url="https://t.example",
    log_origin=SIGNER.name,
    code_host="t.example",
    log_key=SIGNER.vkey,
    events=0,
    sequenced=0,
    published=0,
    checkpoint="",
    erasures=0,
    keys={},
)


async def back_up(pool: Pool, path: Path) -> archive.Manifest:
    with archive.create_archive(path) as file:
        async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            await backup.begin_snapshot(conn)
            manifest = archive.Manifest(
                format=archive.FORMAT,
                made_at=datetime.now(UTC),
                made_by="test",
                server_version="",
                migrations=await backup.applied_migrations(conn),
                tables=await backup.copy_out(conn, file),
                sequences=await backup.read_sequences(conn),
                files=(),
                origin=ORIGIN,
            )
        file.close(manifest, lambda text: sign_note(text, [SIGNER]))
    return manifest


async def load(database_url: str, path: Path) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        with archive.open_archive(path) as file:
            await backup.load(connection, file)
    finally:
        await connection.close()


def test_two_writers_of_one_name_do_not_write_into_one_file(tmp_path: Path) -> None:
    path, left = tmp_path / "one.backup", tmp_path / ".one.backup.partial"
    left.write_bytes(b"left by a process that was killed")
    with archive.new_file(path) as first:
        first.write(b"whole")
        first.flush()
        with pytest.raises(ConflictError, match="Another process"), archive.new_file(path):
            raise AssertionError("two at once")
        first.write(b" and well")
    assert path.read_bytes() == b"whole and well"
    assert not left.exists()


async def test_a_backup_under_writes_is_one_moment_and_loads_clean(
    pool: Pool, empty_database_url: str, tmp_path: Path
) -> None:
    stop = asyncio.Event()
    stored, enough = 0, asyncio.Event()

    async def write() -> None:
        nonlocal stored
        while not stop.is_set():
            await store_events(pool, range(stored + 1, stored + 301))
            stored += 300
            if stored >= 3_000:
                enough.set()

    async def sequence() -> None:
        while not stop.is_set():
            await sequence_once(pool, batch=100)
            await integrate(pool)
            await publish(pool, SIGNER)

    tasks = [asyncio.create_task(write()), asyncio.create_task(sequence())]
    await enough.wait()
    manifest = await back_up(pool, tmp_path / "b")
    at_the_end = stored
    stop.set()
    await asyncio.gather(*tasks)

    rows = {table.name: table.rows for table in manifest.tables}
    assert 3_000 <= rows["event"] <= at_the_end
    assert rows["event"] == rows["intake"] + rows["log_entry"]
    assert rows["log_tile"] > 0
    assert rows["log_checkpoint"] > 0
    with archive.open_archive(tmp_path / "b") as file:
        file.verify()
    await load(empty_database_url, tmp_path / "b")
    async with open_pool(empty_database_url, size=2) as restored:
        report = await fsck(restored, VERIFIER)
        assert report.clean
        assert report.events == rows["event"]
        # Stored rows are as protected as they were, and the log goes on.
        with pytest.raises(asyncpg.PostgresError, match="never change"):
            await restored.execute("DELETE FROM event")
        await store_events(restored, range(10**6, 10**6 + 10))
        while await sequence_once(restored):
            pass
        await publish(restored, SIGNER)
        assert (await fsck(restored, VERIFIER)).clean
        with pytest.raises(ConflictError, match=r"backup\.target"):
            await load(empty_database_url, tmp_path / "b")


async def test_every_table_comes_back_row_by_row(pool: Pool, empty_database_url: str, tmp_path: Path) -> None:
    await store_events(pool, range(1, 40))
    async with pool.acquire() as conn:
        await conn.execute(
            "SELECT nextval('event_key_seq'), nextval('event_key_seq');"
            "INSERT INTO product VALUES ('08710000001236', now(), 'haimen', '{\"name_zh\": \"奶粉\"}');"
            "INSERT INTO vault_reveal (subject_id, party_id, reason) VALUES ('\\x01', 'haimen', 'a \"reason\"');"
            "INSERT INTO thing_event VALUES ('\\x01', date_trunc('month', now())::date, now(), 1, 1, 1, '', 0)"
        )
    manifest = await back_up(pool, tmp_path / "b")
    await load(empty_database_url, tmp_path / "b")
    assert {"thing_event", "product", "log_head", "token"} <= {table.name for table in manifest.tables}
    async with open_pool(empty_database_url, size=2) as restored:
        for table in manifest.tables:
            query = f"SELECT t::text FROM {table.name} AS t ORDER BY 1"
            assert await restored.fetch(query) == await pool.fetch(query), table.name
        # Numbers go on behind the last one that was given.
        assert await restored.fetchval("SELECT nextval('event_key_seq')") == 3
        reveal = "INSERT INTO vault_reveal (subject_id, party_id, reason) VALUES ('\\x02', 'haimen', 'r')"
        assert await restored.fetchval(reveal + " RETURNING reveal_id") == 2
        async with restored.acquire() as conn:
            await check_current(conn)


async def test_rows_that_a_migration_makes_are_the_backups(
    pool: Pool, empty_database_url: str, tmp_path: Path
) -> None:
    table = "CREATE TABLE word (word text PRIMARY KEY); SELECT protect_append_only('word');"
    await pool.execute(table + "INSERT INTO word VALUES ('a'), ('b')")
    await back_up(pool, tmp_path / "b")
    await prepare(empty_database_url)
    async with open_pool(empty_database_url, size=2) as target:
        await target.execute(table + "INSERT INTO word VALUES ('a')")
        await load(empty_database_url, tmp_path / "b")
        assert [row[0] for row in await target.fetch("SELECT word FROM word ORDER BY 1")] == ["a", "b"]


async def test_an_older_schema_is_loaded_and_then_migrated(
    pool: Pool, empty_database_url: str, pg_server: object, tmp_path: Path
) -> None:
    newest = read_migrations()[-1]
    manifest = await back_up(pool, tmp_path / "b")
    assert manifest.migrations[-1].number == newest.number
    older = backup.schema_of(manifest.migrations[:-1])
    connection = await asyncpg.connect(empty_database_url)
    try:
        assert await migrate(connection, older) == [one.number for one in older]
    finally:
        await connection.close()
    assert await prepare(empty_database_url) == [newest.number]
    unknown = msgspec.structs.replace(manifest.migrations[-1], number=newest.number + 1)
    changed = msgspec.structs.replace(manifest.migrations[-1], checksum="0")
    for applied in ((*manifest.migrations, unknown), (*manifest.migrations[:-1], changed)):
        with pytest.raises(UnavailableError, match=r"backup\.schema"):
            backup.schema_of(applied)


async def test_a_load_that_fails_leaves_no_rows(pool: Pool, empty_database_url: str, tmp_path: Path) -> None:
    await store_events(pool, range(1, 40))
    manifest = await back_up(pool, tmp_path / "b")
    data = bytearray((tmp_path / "b").read_bytes())
    # The last table that is loaded, damaged: what came before it must be taken back.
    last = f"tables/{manifest.tables[-1].name}".encode()
    at = data.index(last) + len(last)
    data[at + 30] ^= 0xFF
    (tmp_path / "b").write_bytes(data)
    with pytest.raises(IntegrityError, match=r"backup\.corrupt"):
        await load(empty_database_url, tmp_path / "b")
    async with open_pool(empty_database_url, size=2) as target:
        assert await target.fetchval("SELECT count(*) FROM event") == 0
        assert await target.fetchval("SELECT count(*) FROM party") == 0
