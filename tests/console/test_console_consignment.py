"""The pages of packages, containers, lots and papers: what they hold, what was stated, what stands around them."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from console_world import World, text_of

LOT = "https://id.gs1.org/01/08710000001236/10/L25216A"


def address(uri: str) -> str:
    return f"/console/thing?uri={quote(uri, safe='')}"


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("urn:epc:id:bic:COSU9876546", ("COSU6390001234", "(00)087100000000000123")),
        ("https://id.gs1.org/00/087100000000000123", ("COSU9876546",)),
        ("urn:suyuan:bol:COSU6390001234", ("EXAMPLE-STAR:045E",)),
        ("urn:suyuan:declaration:516620251000123456", ("QD516525I000012345",)),
        ("urn:suyuan:bonded-list:QD516525I000012345", ("516620251000123456",)),
        ("urn:suyuan:ledger-item:T5165W000123:17", ("L25216A",)),
        ("urn:suyuan:recall:RC-2025-0007", ("L25216A",)),
        ("urn:suyuan:awb:784-12345675", ("412", "411", "CZ302")),
        (LOT, ("RC-2025-0007", "T5165W000123:17")),
        ("https://id.gs1.org/01/08710000001236", ("L25216A",)),
    ],
)
def test_each_kind_has_its_page(world: World, lang: str, uri: str, shown: tuple[str, ...]) -> None:
    page = world.visitor(lang=lang).get(address(uri))
    for text in shown:
        assert text in page, text
    assert page.count("<h1") == 1


def test_a_short_consignment_says_so_and_names_no_parcel(world: World) -> None:
    page = world.visitor().get(address("urn:suyuan:awb:784-12345675"))
    assert "412 parcels were consolidated under 784-12345675, 411 arrived: 1 short." in text_of(page)
    assert "urn:suyuan:waybill" not in page


def test_nothing_drawn_names_a_persons_document(world: World) -> None:
    visitor = world.visitor()
    opened = re.search(r'<ul class="th-sealed">\s*<li><a href="([^"]+)"', visitor.get(address(world.jar)))
    assert opened
    [drawn] = re.findall(r'(?s)<figure class="th-drawn">.*?</figure>', visitor.get(opened[1]))
    labels = re.findall(r'class="city"[^>]*>([^<]*)<', drawn)
    assert "number sealed" in labels
    assert [one for one in labels if re.fullmatch(r"[a-z2-7]{12,}…?", one)] == []


def test_parcels_under_an_air_waybill_are_packed_for_transport(world: World) -> None:
    for lang, word, other in (("en", "Packed for transport", "case"), ("zh-CN", "航空运单", "外箱")):
        said = text_of(world.visitor(lang=lang).get(address("urn:suyuan:awb:784-12345675")))
        assert word in said
        assert other not in said


async def test_contents_are_counted_and_paged(world: World) -> None:
    visitor = world.visitor()
    things: list[str] = []
    path = f"/console/contents?uri={quote(LOT, safe='')}"
    while path:
        page = visitor.get(path)
        things += re.findall(r'<a href="/console/thing[^"]*">(\(01\)[^<]+\(21\)[^<]+)</a>', page)
        later = re.search(r'href="([^"]+)" rel="next"', page)
        path = later[1].replace("&amp;", "&") if later else ""
    count = await world.deployment.pool.fetchval("SELECT count(*) FROM code WHERE gtin = '08710000001236'")
    assert len(things) == len(set(things)) == count == 48


async def test_a_long_list_is_read_in_portions(world: World) -> None:
    from suyuan.console.contents import PORTION, contents_of

    pool = world.deployment.pool
    awb = "urn:suyuan:awb:784-12345675"
    seen: list[str] = []
    while True:
        part = await contents_of(pool, awb, start=len(seen))
        assert part.total == 412 and len(part.things) <= PORTION
        seen += part.things
        if len(seen) >= part.total:
            break
    assert len(set(seen)) == 412


def test_who_is_not_concerned_sees_no_consignment(world: World) -> None:
    visitor = world.visitor("payer")
    visitor.get(address("urn:epc:id:bic:COSU9876546"), status=404)
    visitor.get(f"/console/contents?uri={quote(LOT, safe='')}", status=404)
    assert "Lots are shown to firms" in text_of(visitor.get(address("https://id.gs1.org/01/08710000001236")))


def test_the_balance_is_for_who_has_a_stake(world: World) -> None:
    assert "unexplained" in text_of(world.visitor("maker").get(address(LOT)))
