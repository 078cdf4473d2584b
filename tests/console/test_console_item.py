"""The page of an item: everything that is known of it, no more than the viewer may see, with proof to take along."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest
from console_world import World, text_of

from suyuan.trace import OPERATOR


def address(uri: str, more: str = "") -> str:
    return f"/console/thing?uri={quote(uri, safe='')}{more}"


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_the_tin_shows_recall_way_legs_quantities_and_papers(world: World, lang: str) -> None:
    page = world.visitor(lang=lang).get(address(world.tin))
    said = text_of(page)
    for shown in ("RC-2025-0007", "L25216A", "COSU9876546", "T5165W000123:17", "QD516525I000012345"):
        assert shown in said, shown
    for word in {
        "en": ("Recalled", "The way", "Legs that the rules ask for", "What it was in", "contradictory"),
        "zh-CN": ("已召回", "路线", "法定追溯环节", "装在哪里", "相互矛盾"),
    }[lang]:
        assert word in said, word
    assert page.count('class="drawing across"') == 1 and page.count('class="drawing down"') == 1
    assert f'lang="{lang}"' in page


async def test_all_facts_are_there_page_by_page_with_their_log_entries(world: World) -> None:
    trace = await world.deployment.trace(world.tin, OPERATOR)
    visitor = world.visitor()
    shown: list[int] = []
    path = address(world.tin)
    while path:
        page = visitor.get(path)
        shown += [int(n) for n in re.findall(r'href="/console/proof/(\d+)"', page)]
        later = re.search(r'href="([^"#]+)#story" rel="next"', page)
        path = later[1].replace("&amp;", "&") if later else ""
    assert shown == [fact.log_index for fact in trace.facts]
    whole = visitor.client.get(address(world.tin, "&full=1")).text
    assert whole.count('href="/console/proof/') == len(trace.facts)


def test_every_number_of_a_record_leads_to_it(world: World) -> None:
    """More records are there than one page shows, and legs and papers name all of them."""
    visitor = world.visitor()
    page = visitor.get(address(world.tin))
    elsewhere = 0
    for path, anchor in set(re.findall(r'href="([^"#]*)#(e\d+)"', page)):
        elsewhere += bool(path)
        there = visitor.get(path.replace("&amp;", "&")) if path else page
        assert f'id="{anchor}"' in there, (path, anchor)
    assert elsewhere


def test_an_event_opens_as_it_is_stored(world: World) -> None:
    visitor = world.visitor()
    [first, *_] = re.findall(r'href="([^"]*raw=\d+)#', visitor.get(address(world.tin)))
    page = visitor.get(first.replace("&amp;", "&"))
    found = re.search(r'(?s)<pre class="th-raw"[^>]*>(.*?)</pre>', page)
    assert found
    body = json.loads(
        found[1].replace("&#34;", '"').replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
    )
    assert body["type"].endswith("Event") and body["statement"]["party"] == "groene-wei"


def test_bundle_and_proof_are_taken_along(world: World) -> None:
    visitor = world.visitor()
    answer = visitor.client.get(f"/console/bundle?uri={quote(world.tin, safe='')}")
    assert answer.status_code == 200 and b"checkpoint" in answer.content
    proof = visitor.client.get("/console/proof/3")
    assert proof.text.startswith("c2sp.org/tlog-proof@v1\nindex 3\n")
    visitor.get("/console/proof/999999", status=404)


async def test_numbers_are_revealed_for_a_reason_that_is_journalled(world: World) -> None:
    visitor = world.visitor()
    before = await world.deployment.pool.fetchval("SELECT count(*) FROM vault_reveal")
    refused = visitor.post("/console/thing/reveal", uri=world.jar, document="all", reason="x")
    assert "give a reason" in text_of(refused.text) and "th-revealed" not in refused.text
    assert await world.deployment.pool.fetchval("SELECT count(*) FROM vault_reveal") == before
    shown = visitor.post("/console/thing/reveal", uri=world.jar, document="all", reason="return 31")
    numbers = re.findall(r'th-revealed">([^<]+)<', shown.text)
    assert len(numbers) >= 3 and "no-store" in shown.headers["cache-control"]
    assert await world.deployment.pool.fetchval("SELECT count(*) FROM vault_reveal") >= before + len(numbers)
    assert not any(number in visitor.get(address(world.jar)) for number in numbers)
    # The journal names the person, not only the firm.
    assert await world.deployment.pool.fetchval(
        "SELECT count(*) FROM vault_reveal JOIN user_account ON user_id = actor"
    ) >= len(numbers)


def test_who_may_not_reveal_does_not(world: World) -> None:
    assert "/console/thing/reveal" not in world.visitor("looker").get(address(world.jar))
    world.visitor("looker").post(
        "/console/thing/reveal", status=403, uri=world.jar, document="all", reason="curious"
    )
    world.visitor("maker").post(
        "/console/thing/reveal", status=404, uri=world.tin, document="all", reason="curious"
    )


def test_a_member_sees_why_it_sees_and_nothing_of_the_buyer(world: World) -> None:
    page = world.visitor("maker").get(address(world.tin))
    said = text_of(page)
    assert "You see it because" in said and "Lot produced" in said
    assert "Personal papers" not in said and "raw=" not in page


def test_a_persons_paper_opens_under_a_name_that_ends(world: World) -> None:
    visitor = world.visitor()
    [href, *_] = re.findall(r'href="(/console/sealed/[^"]+)"', visitor.get(address(world.jar)))
    page = visitor.get(href)
    assert "number sealed" in text_of(page)
    world.visitor("maker").get(href, status=404)


@pytest.mark.parametrize(
    "uri", ["https://id.gs1.org/01/08710000001236/21/NOPE", "urn:suyuan:bol:NOPE", "x", ""]
)
def test_what_is_not_known_is_said_so(world: World, uri: str) -> None:
    answer = world.visitor().client.get(address(uri))
    assert answer.status_code in (400, 404) and "<h1" in answer.text


def test_what_held_the_goods_stands_in_the_order_in_which_it_did(world: World) -> None:
    held_by = {
        world.tin: ("Case", "Pallet", "Container", "Parcel"),
        world.jar: ("Parcel", "Air waybill"),
    }
    for thing, order in held_by.items():
        page = world.visitor().get(address(thing))
        held = re.search(r'(?s)<ol class="th-held">(.*?)</ol>', page)
        assert held
        places = [held[1].index(f"<b>{word}") for word in order]
        assert places == sorted(places)


def test_figures_that_are_not_known_are_not_called_explained(world: World) -> None:
    said = text_of(world.visitor().get(address(world.jar)))
    assert "are not compared" in said and "No difference is unexplained" not in said
