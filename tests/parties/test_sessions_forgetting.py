"""Sessions and links that ended long ago go; the last of a person stays, and so does whatever still counts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from suyuan import settings, worker
from suyuan.app import open_services
from suyuan.db.pool import Pool
from suyuan.parties import Party, add_party
from suyuan.parties.sessions import open_session
from suyuan.parties.sessions_forgetting import KEPT_DAYS, forget_sessions
from suyuan.parties.users import add_user, list_users
from suyuan.parties.users_links import make_link


async def people(pool: Pool) -> str:
    """A person with sessions of three ages, one in the middle of signing in, and two links."""
    await add_party(pool, Party(party_id="firm", name_en="Firm", name_zh="公司"))
    user = await add_user(pool, "lin", "firm", "worker")
    for days, stage in ((400, "full"), (200, "full"), (0, "full"), (150, "password")):
        await open_session(pool, user.user_id, stage)
        await pool.execute(
            "UPDATE user_session SET seen_at = now() - make_interval(days => $1),"
            " expires_at = now() - make_interval(days => $1) + interval '12 hours'"
            " WHERE session_id = (SELECT session_id FROM user_session ORDER BY created_at DESC LIMIT 1)",
            days,
        )
    for days in (0, 120):
        await make_link(pool, user.user_id, "enter")
        await pool.execute(
            "UPDATE user_link SET expires_at = now() - make_interval(days => $1), created_at = now()"
            " WHERE link_digest = (SELECT link_digest FROM user_link ORDER BY created_at DESC LIMIT 1)",
            days,
        )
    return user.user_id


async def left(pool: Pool) -> tuple[int, int]:
    row = await pool.fetchrow(
        "SELECT (SELECT count(*) FROM user_session) AS s, (SELECT count(*) FROM user_link) AS l"
    )
    assert row is not None
    return row["s"], row["l"]


async def views(pool: Pool) -> int:
    return int(await pool.fetchval("SELECT count(*) FROM page_view"))


async def test_what_ended_long_ago_goes(pool: Pool) -> None:
    await people(pool)
    assert KEPT_DAYS == 90
    assert await left(pool) == (4, 2)
    assert await forget_sessions(pool) == 4  # three sessions, one link
    assert await left(pool) == (1, 1)
    assert await forget_sessions(pool) == 0


async def test_when_a_person_was_last_here_is_kept(pool: Pool) -> None:
    await people(pool)
    await pool.execute("DELETE FROM user_session WHERE expires_at > now()")
    [before] = await list_users(pool, "firm")
    await forget_sessions(pool)
    [after] = await list_users(pool, "firm")
    assert before.seen_at == after.seen_at
    assert after.seen_at is not None
    assert (await left(pool))[0] == 1


async def test_the_worker_does_it(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured = settings.load({}, database_url=database_url, data_dir=tmp_path)
    async with open_services(configured, migrate=False) as services:
        await people(services.pool)
        await services.pool.execute("INSERT INTO page_view VALUES ('08710000001236', 'A', '2020-01-01', 3)")
        stop = asyncio.Event()
        working = asyncio.create_task(worker.work(services, stop))
        async with asyncio.timeout(20):
            while (await left(services.pool), await views(services.pool)) != ((1, 1), 0):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        stop.set()
        await working
