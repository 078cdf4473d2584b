"""The number of open findings on the first page: there when it is known, never waited for."""

from __future__ import annotations

import asyncio
import re

import asyncpg
import pytest
from console_world import World, text_of

from suyuan.console import open_findings
from suyuan.console.open_findings import OpenFindings


async def test_it_is_counted_once_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    counts, calls = OpenFindings(), []

    async def compute() -> int:
        calls.append(1)
        return 7

    assert await counts.count("a", compute) == 7
    assert await counts.count("a", compute) == 7
    assert len(calls) == 1
    monkeypatch.setattr(open_findings, "FRESH_SECONDS", 0.0)
    assert await counts.count("a", compute) == 7
    assert len(calls) == 2
    counts.note("a", 3)
    monkeypatch.setattr(open_findings, "FRESH_SECONDS", 60.0)
    assert await counts.count("a", compute) == 3


async def test_a_page_does_not_wait_and_one_count_runs_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_findings, "PATIENCE_SECONDS", 0.01)
    counts, go, calls = OpenFindings(), asyncio.Event(), []

    async def compute() -> int:
        calls.append(1)
        await go.wait()
        return 5

    assert await counts.count("a", compute) is None
    assert await counts.count("b", compute) is None
    assert len(calls) == 1
    go.set()
    async with asyncio.timeout(5):
        while await counts.count("a", compute) != 5:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def test_a_count_that_fails_leaves_the_page_alone() -> None:
    async def broken() -> int:
        raise asyncpg.InterfaceError("gone")

    assert await OpenFindings().count("a", broken) is None


def test_the_first_page_tells_it(world: World) -> None:
    visitor = world.visitor()
    listed = text_of(visitor.get("/console/findings"))
    [total] = re.findall(r"Findings (\d+)", listed)[:1]
    page = visitor.get("/console")
    assert re.search(rf'href="/console/findings">Open findings</a></dt><dd>{total}<', page)
    assert "未解决的异常" in world.visitor(lang="zh-CN").get("/console")
