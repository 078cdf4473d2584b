"""Views of pages: counted in a process, added up in the database by day, bounded, and lost by no hiccup."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from deployment import GTIN, LOT, Deployment, item

from suyuan.issuing import issue, iter_serials
from suyuan.scans import page_views, read_standing
from suyuan.scans.page_views import PageViews, Views, forget_page_views, page_views_of
from suyuan.scans.standing import without_acts
from suyuan.trace import OPERATOR


async def test_views_are_added_up_by_day(deployment: Deployment) -> None:
    views = PageViews(deployment.pool)
    for serial in ("B", "A", "A"):
        views.note(GTIN, serial)
    assert await page_views_of(deployment.pool, GTIN, "A") == Views()
    assert await views.flush() == 2
    assert await views.flush() == 0
    views.note(GTIN, "A")
    await views.flush()
    found = await page_views_of(deployment.pool, GTIN, "A")
    assert (found.views, found.days) == (3, 1)
    assert found.first_on == found.last_on
    rows = await deployment.pool.fetchval("SELECT count(*) FROM page_view WHERE serial = 'A'")
    assert rows == 1
    await deployment.pool.execute(
        "INSERT INTO page_view SELECT $1, 'A', d::date, 2"
        " FROM unnest(ARRAY['2020-01-01', '2020-01-02']) AS d", GTIN,
    )  # fmt: skip
    longer = await page_views_of(deployment.pool, GTIN, "A")
    assert (longer.views, longer.days, str(longer.first_on)) == (7, 3, "2020-01-01")
    assert await forget_page_views(deployment.pool) == 2
    assert (await page_views_of(deployment.pool, GTIN, "A")).views == 3


async def test_processes_that_count_the_same_pages_do_not_block_each_other(deployment: Deployment) -> None:
    processes = [PageViews(deployment.pool) for _ in range(4)]
    for number, process in enumerate(processes):
        order = range(300) if number % 2 else reversed(range(300))
        for n in order:
            process.note(GTIN, f"S{n}")
    await asyncio.gather(*(process.flush() for process in processes))
    totals = await deployment.pool.fetch("SELECT DISTINCT views FROM page_view")
    assert [row["views"] for row in totals] == [4]


async def test_what_is_held_is_bounded(deployment: Deployment) -> None:
    views = PageViews(deployment.pool, most=2)
    for serial in ("A", "B", "C", "A"):
        views.note(GTIN, serial)
    assert await views.flush() == 2
    assert (await page_views_of(deployment.pool, GTIN, "A")).views == 2
    assert (await page_views_of(deployment.pool, GTIN, "C")).views == 0


async def test_a_database_that_is_away_loses_no_count(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    views = PageViews(deployment.pool)
    views.note(GTIN, "A")
    text = page_views.sql

    def broken(package: str, name: str) -> str:
        return "SELECT 1 / 0" if name == "add_page_views" else text(package, name)

    monkeypatch.setattr(page_views, "sql", broken)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await views.flush()
    views.note(GTIN, "A")
    monkeypatch.setattr(page_views, "sql", text)
    assert await views.flush() == 1
    assert (await page_views_of(deployment.pool, GTIN, "A")).views == 2


async def test_they_are_flushed_by_themselves_and_at_the_end(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_views, "FLUSH_SECONDS", 0.02)

    async def until(count: int) -> None:
        async with asyncio.timeout(10):
            while (await page_views_of(deployment.pool, GTIN, "A")).views != count:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)

    async with PageViews(deployment.pool).keeping() as views:
        views.note(GTIN, "A")
        await until(1)
        monkeypatch.setattr(page_views, "FLUSH_SECONDS", 3600)
        await asyncio.sleep(0.1)
        views.note(GTIN, "A")
    assert (await page_views_of(deployment.pool, GTIN, "A")).views == 2


async def test_a_code_tells_of_its_page(deployment: Deployment) -> None:
    await deployment.member("maker", "brand-owner")
    batch: Any = await issue(
        deployment.pool, deployment.services.mac_keys, gtin=GTIN, lot=LOT, count=1, party_id="maker"
    )
    [serial] = [s async for part in iter_serials(deployment.pool, batch.batch_id) for s in part]
    views = PageViews(deployment.pool)
    views.note(GTIN, serial)
    await views.flush()
    found = await read_standing(deployment.reader, GTIN, serial, item(serial), OPERATOR)
    assert found is not None
    assert found.page.views == 1
    assert found.verified == 0
    assert without_acts(found).page == Views()
