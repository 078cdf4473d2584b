"""The database itself refuses to change what is stored, and makes its monthly partitions ahead of need."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

import asyncpg
import pytest

from suyuan.db.partitions import ensure_all_partitions, ensure_partitions, month_of, months_after
from suyuan.db.pool import Pool
from suyuan.errors import InputError

NOVEMBER = date(2025, 11, 24)
STORED_NEVER_CHANGES = "SY001"


async def refused(pool: Pool, *statements: str) -> None:
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.PostgresError) as caught:
            async with connection.transaction():
                for statement in statements:
                    await connection.execute(statement)
    assert caught.value.sqlstate == STORED_NEVER_CHANGES


@pytest.fixture
async def kept(pool: Pool) -> Pool:
    await pool.execute("CREATE TABLE kept (id int PRIMARY KEY, note text)")
    await pool.execute("SELECT protect_append_only('kept')")
    await pool.execute("INSERT INTO kept VALUES (1, 'first')")
    return pool


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE kept SET note = 'other'",
        "DELETE FROM kept",
        "TRUNCATE kept",
        "INSERT INTO kept VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET note = 'x'",
        "MERGE INTO kept USING (VALUES (1)) v (id) ON kept.id = v.id WHEN MATCHED THEN DELETE",
    ],
)
async def test_an_append_only_table_refuses_every_change(kept: Pool, statement: str) -> None:
    await refused(kept, statement)
    await refused(kept, "SET LOCAL session_replication_role = replica", statement)
    assert await kept.fetchval("SELECT note FROM kept") == "first"
    await kept.execute("INSERT INTO kept VALUES (1, 'x') ON CONFLICT (id) DO NOTHING")
    await kept.execute("INSERT INTO kept VALUES (2, 'second')")


async def test_the_eraser_gets_nowhere_in_an_append_only_table(kept: Pool) -> None:
    await kept.execute("GRANT ALL ON kept TO suyuan_eraser")
    await refused(kept, "SET LOCAL ROLE suyuan_eraser", "DELETE FROM kept")


async def test_what_may_be_forgotten_is_deleted_by_the_eraser_alone(pool: Pool) -> None:
    await pool.execute("CREATE TABLE payload (id int)")
    await pool.execute("SELECT protect_erasable('payload')")
    await pool.execute("INSERT INTO payload VALUES (1), (2)")
    await refused(pool, "DELETE FROM payload")
    await refused(pool, "UPDATE payload SET id = 3")
    await refused(pool, "TRUNCATE payload")
    await pool.execute("GRANT UPDATE ON payload TO suyuan_eraser")
    await refused(pool, "SET LOCAL ROLE suyuan_eraser", "UPDATE payload SET id = 3")
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE suyuan_eraser")
        await connection.execute("DELETE FROM payload WHERE id = 1")
    assert await pool.fetchval("SELECT array_agg(id) FROM payload") == [2]


@pytest.mark.parametrize(
    ("kind", "value"), [("date", "'2025-11-30'"), ("timestamptz", "'2025-11-30 23:59:59.999999+00'")]
)
async def test_partitions_cover_the_months_around_and_are_protected(
    pool: Pool, kind: str, value: str
) -> None:
    await pool.execute(f"CREATE TABLE seen (at {kind} NOT NULL, n int) PARTITION BY RANGE (at)")
    await pool.execute("CREATE INDEX seen_n ON seen (n)")
    await pool.execute("SELECT protect_append_only('seen')")
    async with pool.acquire() as connection:
        made = await ensure_partitions(connection, "seen", months_ahead=2, months_back=1, today=NOVEMBER)
        assert made == ["seen_y2025m10", "seen_y2025m11", "seen_y2025m12", "seen_y2026m01"]
        assert (
            await ensure_partitions(connection, "seen", months_ahead=2, months_back=1, today=NOVEMBER) == []
        )
        later = await ensure_partitions(connection, "seen", months_ahead=3, today=NOVEMBER)
        assert later == ["seen_y2026m02"]
    await pool.execute(f"INSERT INTO seen VALUES ({value}, 1)")
    assert await pool.fetchval("SELECT count(*) FROM seen_y2025m11") == 1
    assert await pool.fetchval("SELECT count(*) FROM pg_indexes WHERE tablename = 'seen_y2025m11'") == 1
    for table in ("seen", "seen_y2025m11"):
        for change in (f"UPDATE {table} SET n = 2", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            await refused(pool, change)
            await refused(pool, "SET LOCAL session_replication_role = replica", change)
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute("INSERT INTO seen VALUES ('2030-01-01', 1)")


async def test_processes_that_make_partitions_at_once_do_not_collide(pool: Pool) -> None:
    async def one() -> list[str]:
        async with pool.acquire() as connection:
            return await ensure_all_partitions(connection, months_ahead=6, today=NOVEMBER)

    made = await asyncio.gather(*(one() for _ in range(4)))
    names = [name for part in made for name in part]
    assert len(names) == len(set(names))
    assert "thing_event_y2026m05" in names or await pool.fetchval(
        "SELECT to_regclass('thing_event_y2026m05')"
    )


async def test_a_table_that_is_not_partitioned_by_time_is_refused(pool: Pool) -> None:
    await pool.execute("CREATE TABLE plain (id int)")
    await pool.execute("CREATE TABLE by_number (id int) PARTITION BY RANGE (id)")
    async with pool.acquire() as connection:
        for table in ("plain", "by_number", "absent"):
            with pytest.raises(InputError) as caught:
                await ensure_partitions(connection, table)
            assert caught.value.code == "db.partition.table"


def test_months_are_counted_in_utc_and_across_years() -> None:
    assert month_of(datetime.fromisoformat("2026-01-01T07:59:00+08:00")) == date(2025, 12, 1)
    assert month_of(datetime(2026, 1, 1, tzinfo=UTC)) == date(2026, 1, 1)
    assert months_after(date(2025, 11, 1), 2) == date(2026, 1, 1)
    assert months_after(date(2026, 1, 1), -1) == date(2025, 12, 1)
    assert months_after(date(2025, 12, 1), 12) == date(2026, 12, 1)
