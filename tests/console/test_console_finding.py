"""Findings: listed with what was looked at, narrowed, explained with both sides, and gone when they are gone."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec
import pytest
from console_world import World, text_of

from suyuan.compliance.findings import Bounds, Scope, list_findings
from suyuan.compliance.findings_model import ListedFinding
from suyuan.compliance.legs import load_profiles
from suyuan.console.findings import sentence
from suyuan.console.words import voice_of
from suyuan.trace import OPERATOR


async def listed(world: World, **more: str) -> list[str]:
    found = await list_findings(
        world.deployment.pool, world.deployment.reader, load_profiles(), datetime.now(UTC),
        Scope(OPERATOR, "suyuan-op", lambda gtin: True), **more,
    )  # fmt: skip
    return [one.code for one in found.findings]


async def test_what_is_wrong_in_the_journeys_is_found(world: World) -> None:
    codes = await listed(world)
    assert "event.conflict" in codes and "consignment.short" in codes and "leg.contradictory" in codes
    assert "event.conflict" not in await listed(world, gtin="08710000001236", lot="L25216A")


async def test_the_same_finding_has_the_same_id_each_time(world: World) -> None:
    scope = Scope(OPERATOR, "suyuan-op", lambda gtin: True)
    deployment = world.deployment
    ids = [
        [
            one.finding_id
            for one in (
                await list_findings(
                    deployment.pool, deployment.reader, load_profiles(), datetime.now(UTC), scope
                )
            ).findings
        ]
        for _ in range(2)
    ]
    assert ids[0] == ids[1] and len(set(ids[0])) == len(ids[0])


def test_a_name_stands_for_the_id_of_a_party_and_for_no_part_of_a_word() -> None:
    names = {"op": "Operator Ltd", "shop-1": "First Shop"}
    contradiction = ListedFinding(
        finding_id="a", kind="contradiction", code="event.conflict", parties=("op", "shop-1"),
        reason_en="op and shop-1 stopped.", reason_zh="op 与 shop-1 停止。",
    )  # fmt: skip
    assert sentence(contradiction, names, voice_of("en")) == "Operator Ltd and First Shop stopped."
    assert sentence(contradiction, names, voice_of("zh-CN")) == "Operator Ltd 与 First Shop 停止。"
    other = msgspec.structs.replace(contradiction, kind="recall", reason_en="The op room of a shop.")
    assert sentence(other, names, voice_of("en")) == "The op room of a shop."


async def test_the_bounds_are_kept(world: World) -> None:
    scope = Scope(OPERATOR, "suyuan-op", lambda gtin: True)
    found = await list_findings(
        world.deployment.pool, world.deployment.reader, load_profiles(), datetime.now(UTC), scope,
        bounds=Bounds(events=1, lots=1, items=1),
    )  # fmt: skip
    assert found.lots == 1 and found.items <= 2


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_each_finding_has_a_page_with_both_sides_and_a_way_out(world: World, lang: str) -> None:
    visitor = world.visitor(lang=lang)
    hrefs = re.findall(r'href="(/console/finding\?[^"]+)"', visitor.get("/console/findings"))
    assert len(hrefs) >= 3
    for href in hrefs:
        page = visitor.get(href.replace("&amp;", "&"))
        assert "th-side" in page
        assert ("Who can resolve it" if lang == "en" else "谁来处理") in text_of(page)


def test_the_list_is_narrowed(world: World) -> None:
    visitor = world.visitor()
    page = visitor.get("/console/findings?kind=consignment")
    assert "1 short" in text_of(page) and "event ID" not in text_of(page)
    assert "Rhine Freight" in text_of(visitor.get("/console/findings?party=rhine-freight&kind=contradiction"))
    assert "784-12345675" not in text_of(visitor.get("/console/findings?lot=L25216A"))
    assert "gave different contents" not in text_of(visitor.get("/console/findings?days=30"))


def test_a_finding_that_is_gone_says_so(world: World) -> None:
    assert "any more" in text_of(world.visitor().get("/console/finding?finding=nope", status=404))


def test_a_member_sees_its_own_contradictions_alone(world: World) -> None:
    assert "784-12345675" not in text_of(world.visitor("payer").get("/console/findings"))
    assert "gave different contents" not in text_of(world.visitor("payer").get("/console/findings"))
