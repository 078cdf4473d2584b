"""Differences of stock in the list of findings: with step, quantity and remedy, said once, and within their time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from deployment import GTIN, LOT, WAREHOUSE
from test_compliance_stock import (
    ENTRY,
    EXIT,
    LEDGER,
    House,
    counted,
    damaged,
    declared,
    house,
    listed,
    packed,
    passed,
    tallied,
)

from suyuan.api.stock import stock_seen
from suyuan.catalog import Place, put_places
from suyuan.compliance import findings_stock
from suyuan.compliance.findings import Bounds, FindingList, Scope, list_findings
from suyuan.compliance.findings_stock import OWED_BY
from suyuan.compliance.legs import load_profiles
from suyuan.compliance.stock_model import Stock
from suyuan.console.findings import _HOW, KINDS, STEPS, finding_row
from suyuan.console.words import voice_of
from suyuan.trace import OPERATOR, PUBLIC

__all__ = ["house"]
NOW = datetime(2025, 12, 1, tzinfo=UTC)


async def found(house: House, scope: Scope | None = None, **more: Any) -> FindingList:
    deployment = house.deployment
    scope = scope or Scope(OPERATOR, "op", lambda gtin: True)
    return await list_findings(deployment.pool, deployment.reader, load_profiles(), NOW, scope, **more)


@pytest.fixture
async def odd(house: House) -> House:
    """Something is wrong at every step."""
    serials = house.serials
    await house.say(
        listed(ENTRY, 40),
        tallied(37),
        damaged(1),
        declared("P1", 2),
        declared("P2", 1),
        packed("P1", *serials[:2]),
        packed("P2", serials[2]),
        listed(EXIT, 4, "2025-10-03", "P1", "P2"),
        passed(EXIT, quantity=5),
        counted(30, "2025-10-04"),
    )
    await house.activate(30)
    return house


async def test_each_difference_is_listed_once_with_its_step_and_quantity(odd: House) -> None:
    every = (await found(odd)).findings
    stock = {one.code: (one.step, one.quantity, one.owed_by) for one in every if one.kind == "stock"}
    # The tally's difference and the uncoded outflow are findings of the lot's balance already.
    told = {one.code for one in every if one.kind == "quantity"}
    assert told == {"balance.entry.difference", "balance.outflow.uncoded"}
    assert stock == {
        "stock.count.difference": ("storage", "4", "bonded-warehouse"),
        "stock.list.difference": ("exit-list", "1", "customs-broker"),
        "stock.gate.difference": ("gate", "-1", "bonded-warehouse"),
    }
    assert len({one.finding_id for one in every}) == len(every)
    again = {one.finding_id for one in (await found(odd)).findings}
    assert again == {one.finding_id for one in every}
    assert {"stock.count.difference"} == {
        one.code
        for one in (await found(odd, gtin=GTIN, lot=LOT)).findings
        if one.since and one.kind == "stock"
    }


async def test_in_words_for_people(odd: House) -> None:
    stock = [one for one in (await found(odd)).findings if one.kind == "stock"]
    for lang, step, difference in (("zh-CN", "出区清单", "出区清单核扣 4"), ("en", "exit list", "takes 4")):
        rows = {one.code: finding_row(one, {}, NOW, voice_of(lang)) for one in stock}
        row = rows["stock.list.difference"]
        assert (row.step, row.quantity) == (step, "1")
        assert difference in row.sentence
        assert row.kind == voice_of(lang).pair(KINDS["stock"])
    for one in stock:
        sides = {line.side for line in one.evidence}
        assert sides == {0, 1}, one
        assert any(uri.startswith("urn:suyuan:ledger-item:") for uri in one.things)


def test_every_step_and_difference_has_its_words() -> None:
    codes = set(findings_stock._SIDES)
    assert codes <= set(_HOW)
    assert set(OWED_BY) == set(STEPS)
    assert all(all(pair) for code in codes for pair in (_HOW[code],))


async def test_what_is_explained_is_no_finding(house: House) -> None:
    await house.say(listed(ENTRY, 40), tallied(38), damaged(2))
    await house.activate(30)
    assert not [one for one in (await found(house)).findings if one.kind == "stock"]


async def test_members_see_the_stock_that_the_door_shows_them(odd: House) -> None:
    pool = odd.deployment.pool

    async def nobody(gtin: str) -> bool:
        return False

    async def elsewhere(stock: Stock) -> Stock:
        return await stock_seen(pool, "warehouse", stock, has_stake=nobody, keeps=lambda gtin: True)

    # The place is not the warehouse's own: nothing says that it is.
    scope = Scope(PUBLIC, "warehouse", lambda gtin: True, elsewhere)
    assert not [one for one in (await found(odd, scope)).findings if one.kind == "stock"]
    place = Place(uri=WAREHOUSE, name_en="House", name_zh="仓", country="CN")
    await put_places(pool, [place], recorded_by="warehouse")
    codes = {one.code for one in (await found(odd, scope)).findings if one.kind == "stock"}
    assert "stock.count.difference" in codes
    # Who is told nothing of what it may see gets none of it.
    silent = Scope(PUBLIC, "warehouse", lambda gtin: True)
    assert not [one for one in (await found(odd, silent)).findings if one.kind == "stock"]


async def test_stock_that_takes_too_long_is_said_to_be_left_out(
    odd: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(*_: Any) -> Stock:
        await asyncio.sleep(30)
        return Stock(lots=(), ledgers=())

    monkeypatch.setattr(findings_stock, "stock_of", slow)
    listed_ = await found(odd, bounds=Bounds(stock_seconds=0.05))
    assert not listed_.stock_whole
    assert {one.kind for one in listed_.findings} >= {"quantity"}
    assert f"urn:suyuan:ledger-item:{LEDGER}" in {uri for one in listed_.findings for uri in one.things}
