"""Migrations run forward, once, and notice when the past was rewritten."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from suyuan.db.migrate import check_current, migrate, prepare, read_migrations
from suyuan.db.pool import open_pool
from suyuan.errors import IntegrityError, UnavailableError

FIRST = "CREATE TABLE herd (id int PRIMARY KEY);\nINSERT INTO herd VALUES (1);\n"
SECOND = "ALTER TABLE herd ADD COLUMN name text;\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0000_herd.sql").write_text(FIRST)
    (tmp_path / "0001_herd_name.sql").write_text(SECOND)
    (tmp_path / "README").write_text("no migration")
    return tmp_path


async def test_each_file_is_applied_once_and_recorded(empty_database_url: str, folder: Path) -> None:
    connection = await asyncpg.connect(empty_database_url)
    files = read_migrations(folder)
    assert await migrate(connection, files) == [0, 1]
    assert await migrate(connection, files) == []
    await check_current(connection, files)
    rows = await connection.fetch("SELECT number, name, checksum FROM schema_migration ORDER BY number")
    assert [(row["number"], row["name"], row["checksum"]) for row in rows] == [
        (0, "herd", files[0].checksum),
        (1, "herd_name", files[1].checksum),
    ]
    await connection.close()


async def test_processes_that_start_at_once_apply_each_file_once(
    empty_database_url: str, folder: Path
) -> None:
    files = read_migrations(folder)

    async def one() -> list[int]:
        connection = await asyncpg.connect(empty_database_url)
        try:
            return await migrate(connection, files)
        finally:
            await connection.close()

    done = await asyncio.gather(*(one() for _ in range(5)))
    assert sorted(number for numbers in done for number in numbers) == [0, 1]


async def test_a_changed_file_is_refused_but_its_line_ends_do_not_matter(
    empty_database_url: str, folder: Path
) -> None:
    async with open_pool(empty_database_url) as pool, pool.acquire() as connection:
        await migrate(connection, read_migrations(folder))
        (folder / "0000_herd.sql").write_bytes(FIRST.replace("\n", "\r\n").encode())
        assert await migrate(connection, read_migrations(folder)) == []
        (folder / "0000_herd.sql").write_text(FIRST + "INSERT INTO herd VALUES (2);\n")
        (folder / "0002_more.sql").write_text("CREATE TABLE more (id int);\n")
        with pytest.raises(IntegrityError) as caught:
            await migrate(connection, read_migrations(folder))
        assert (caught.value.code, caught.value.path) == ("db.migration.changed", "0000_herd.sql")
        assert await connection.fetchval("SELECT to_regclass('more')") is None


async def test_a_database_that_is_ahead_or_behind_is_refused(empty_database_url: str, folder: Path) -> None:
    async with open_pool(empty_database_url) as pool, pool.acquire() as connection:
        files = read_migrations(folder)
        with pytest.raises(UnavailableError) as behind:
            await check_current(connection, files)
        assert behind.value.code == "db.migration.behind"
        await migrate(connection, files)
        for refuse in (migrate, check_current):
            with pytest.raises(IntegrityError) as ahead:
                await refuse(connection, files[:1])
            assert ahead.value.code == "db.migration.ahead"


async def test_a_file_that_fails_leaves_nothing_of_itself(empty_database_url: str, folder: Path) -> None:
    (folder / "0002_bad.sql").write_text("CREATE TABLE half (id int);\nSELECT 1/0;\n")
    async with open_pool(empty_database_url) as pool, pool.acquire() as connection:
        with pytest.raises(IntegrityError) as caught:
            await migrate(connection, read_migrations(folder))
        assert (caught.value.code, caught.value.path) == ("db.migration.failed", "0002_bad.sql")
        assert await connection.fetchval("SELECT to_regclass('half')") is None
        assert await connection.fetchval("SELECT max(number) FROM schema_migration") == 1
        (folder / "0002_bad.sql").write_text("CREATE TABLE half (id int);\n")
        assert await migrate(connection, read_migrations(folder)) == [2]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("2_short.sql", "db.migration.name"),
        ("0003_gap.sql", "db.migration.number"),
        ("0001_twice.sql", "db.migration.number"),
    ],
)
def test_misnumbered_files_are_refused(folder: Path, name: str, code: str) -> None:
    (folder / name).write_text("SELECT 1;\n")
    with pytest.raises(IntegrityError) as caught:
        read_migrations(folder)
    assert caught.value.code == code


async def test_the_own_migrations_apply_to_an_empty_database_and_make_partitions(
    empty_database_url: str,
) -> None:
    numbers = [migration.number for migration in read_migrations()]
    assert await prepare(empty_database_url) == numbers
    assert await prepare(empty_database_url) == []
    async with open_pool(empty_database_url) as pool, pool.acquire() as connection:
        await check_current(connection)
        partitions = await connection.fetchval(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = 'thing_event'::regclass"
        )
        assert partitions == 5
