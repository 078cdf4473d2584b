"""Transactions, statements and the pool."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from suyuan.db.pool import Connection, Pool, create_pool, glancing, sql, transaction
from suyuan.errors import UnavailableError


async def test_a_transaction_returns_what_its_work_returns_and_commits(pool: Pool) -> None:
    await pool.execute("CREATE TABLE note (text text)")

    async def work(connection: Connection) -> str:
        await connection.execute("INSERT INTO note VALUES ('kept')")
        return "done"

    assert await transaction(pool, work) == "done"
    assert await pool.fetchval("SELECT text FROM note") == "kept"


async def test_an_error_undoes_the_transaction(pool: Pool) -> None:
    await pool.execute("CREATE TABLE note (text text)")

    async def work(connection: Connection) -> None:
        await connection.execute("INSERT INTO note VALUES ('lost')")
        raise LookupError

    with pytest.raises(LookupError):
        await transaction(pool, work)
    assert await pool.fetchval("SELECT count(*) FROM note") == 0


async def test_a_deadlock_is_run_again(pool: Pool) -> None:
    await pool.execute("CREATE TABLE counter (id int PRIMARY KEY, n int)")
    await pool.execute("INSERT INTO counter VALUES (1, 0), (2, 0)")
    met = asyncio.Barrier(2)
    runs = 0

    async def raise_both(connection: Connection, first: int, second: int) -> None:
        nonlocal runs
        runs += 1
        await connection.execute("UPDATE counter SET n = n + 1 WHERE id = $1", first)
        if runs <= 2:
            await met.wait()
        await connection.execute("UPDATE counter SET n = n + 1 WHERE id = $1", second)

    await asyncio.gather(
        transaction(pool, lambda connection: raise_both(connection, 1, 2)),
        transaction(pool, lambda connection: raise_both(connection, 2, 1)),
    )
    assert [row["n"] for row in await pool.fetch("SELECT n FROM counter")] == [2, 2]
    assert runs >= 3


async def test_lost_updates_are_refused_and_run_again(pool: Pool) -> None:
    await pool.execute("CREATE TABLE counter (n int)")
    await pool.execute("INSERT INTO counter VALUES (0)")

    async def add(connection: Connection) -> None:
        n = await connection.fetchval("SELECT n FROM counter")
        await connection.execute("UPDATE counter SET n = $1", n + 1)

    await asyncio.gather(*(transaction(pool, add, isolation="serializable", attempts=30) for _ in range(6)))
    assert await pool.fetchval("SELECT n FROM counter") == 6


async def test_who_only_looks_has_nothing_forgotten_and_a_failure_leaves_nothing_behind(pool: Pool) -> None:
    """A setting shows whether the session was tidied: after a glance it is kept, after a failed one it is not."""

    async def setting() -> str:
        async with glancing(pool) as connection:
            return str(await connection.fetchval("SELECT current_setting('suyuan.mark', true)"))

    async with glancing(pool) as connection:
        await connection.execute("SET suyuan.mark = 'kept'")
    assert await setting() == "kept"
    with pytest.raises(RuntimeError):
        async with glancing(pool):
            raise RuntimeError
    assert await setting() != "kept"


async def test_attempts_are_bounded(pool: Pool) -> None:
    async def work(_: Connection) -> None:
        raise asyncpg.SerializationError("undone")

    with pytest.raises(UnavailableError) as caught:
        await transaction(pool, work, attempts=2)
    assert caught.value.code == "db.contended"


async def test_a_server_that_is_not_there_is_an_error_of_ours_without_the_password() -> None:
    with pytest.raises(UnavailableError) as caught:
        await create_pool("postgresql://someone:secret@127.0.0.1:1/nothing")
    assert caught.value.code == "db.unreachable"
    assert "secret" not in str(caught.value)


async def test_a_database_that_is_not_there_is_an_error_of_ours(database_url: str) -> None:
    with pytest.raises(UnavailableError) as caught:
        await create_pool(database_url.replace("/test_", "/absent_"))
    assert caught.value.code == "db.refused"


def test_statements_are_read_from_beside_the_code(tmp_path, monkeypatch) -> None:
    package = tmp_path / "room_with_sql"
    (package / "sql").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "find_one.sql").write_text("SELECT 1\n")
    (package / "sql" / "find_two.sql").write_text("SELECT 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert sql("room_with_sql", "find_one") == "SELECT 1"
    assert sql("room_with_sql", "find_two") == "SELECT 2"
    with pytest.raises(FileNotFoundError):
        sql("room_with_sql", "find_three")
