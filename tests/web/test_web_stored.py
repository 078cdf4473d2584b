"""The pages over the real database and the product's own server: the bonded journey, one paper missing, a recall."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
from deployment import GTIN, Deployment, commissioned, item, observed, of_lot, open_deployment, paper
from web_journey import JOURNEY, OPERATOR, deliver, followed, prepare, served

import browsing
from suyuan.issuing import void
from suyuan.log import publish
from suyuan.proof.verification import verify_bundle
from suyuan.web.frame import stylesheet
from suyuan.web.model import PageSettings
from suyuan.web.page import render_item_page
from suyuan.web.source import StoredItems

MISSING = "08-vessel-departure.xml"
HTML = {"accept": "text/html", "accept-encoding": "identity"}


class Site(msgspec.Struct):
    """A served deployment with the journey in it, all but one paper and the recall."""

    base: str
    deployment: Deployment
    serials: list[str]

    @property
    def path(self) -> str:
        return followed(self.serials)

    def get(self, path: str, lang: str = "en", **headers: str) -> httpx.Response:
        named = {**HTML, "accept-language": lang, **headers}
        return httpx.get(self.base + path, headers=named)


@pytest.fixture(scope="module")
async def site(
    pg_server: Any, _template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    connection = await asyncpg.connect(pg_server.dsn)
    await connection.execute(f"CREATE DATABASE web_journey TEMPLATE {_template} STRATEGY file_copy")
    url, folder = pg_server.database_dsn("web_journey"), tmp_path_factory.mktemp("web")
    async with open_deployment(url, folder) as opened:
        serials = await prepare(opened)
        await deliver(opened, serials, lambda one: one.name != MISSING and one.step != 27)
        async with served(url, folder) as base:
            yield Site(base, opened, serials)
    await connection.execute("DROP DATABASE web_journey WITH (FORCE)")
    await connection.close()


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "en",
            [
                "Registered code",
                "17 of 18 required steps present",
                "missing: Vessel departed",
                "owed by: carrier",
                "Entered the bonded zone",
                "On the way with the courier",
                "Result <b>passed</b>",
                "customs of Netherlands",
                OPERATOR["SUYUAN_OPERATOR_NAME_EN"],
                OPERATOR["SUYUAN_ICP_NUMBER"],
            ],
        ),
        (
            "zh-CN",
            [
                "编码已登记",
                "必需环节 18 个，已有 17 个",
                "缺少：启运",
                "应由承运人提供",
                "入区核注清单：账册已核扣",
                "包裹清单：海关放行",
                "结果 <b>合格</b>",
                "绿野婴幼儿配方奶粉3段 800克",
                OPERATOR["SUYUAN_OPERATOR_NAME_ZH"],
            ],
        ),
    ],
)
def test_the_page_of_the_followed_item(site: Site, lang: str, words: list[str]) -> None:
    answer = site.get(site.path, lang)
    assert answer.status_code == 200 and answer.headers["content-language"] == lang
    assert [word for word in words if word not in answer.text] == []
    assert "Ship departed" not in answer.text and 'role="alert"' not in answer.text
    # No code of a message, no key of ours and nobody's person document is left on the page.
    for raw in (
        "urn:",
        "id.gs1.org",
        "in_progress",
        "conformant",
        "supervisionMode",
        "EM20251008",
        "returnStatus",
    ):
        assert raw not in answer.text


async def test_a_buyer_sees_it_in_a_browser(site: Site, chromium_path: str) -> None:
    async with browsing.chromium(chromium_path) as browser:
        page = await browser.new_page(locale="zh-CN", viewport={"width": 390, "height": 844})
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        await page.goto(site.base + site.path)
        title = page.get_by_role("heading", level=1)
        assert await title.inner_text() == "编码已登记"
        assert await page.get_by_text("缺少：启运").is_visible()
        entry = page.locator(".facts > li", has_text="快递运输途中")
        assert not await entry.get_by_text("快递揽收").is_visible()
        await entry.locator("summary").click()
        assert await entry.get_by_text("快递揽收").is_visible()
        await page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true })")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        await page.get_by_role("link", name="English").click()
        assert await title.inner_text() == "Registered code"
        await page.set_viewport_size({"width": 1280, "height": 900})
        left, right = await page.evaluate(
            "[...document.querySelectorAll('main > div')].map(e => e.getBoundingClientRect().left)"
        )
        assert left < right
    assert complaints == []


def test_nothing_is_lost_between_the_machine_answer_and_the_page(site: Site) -> None:
    body = site.get(site.path, accept="application/json").json()
    facts = body["trace"]["facts"]
    page = site.get(site.path).text
    assert body["verdict"] == "registered" and len(facts) >= 44
    entries = page[page.index('<ul class="entries">') :]
    for fact in facts:
        assert f"#{fact['log_index']}" in entries
    singles = page.count('<li id="e') - page.count('<ol class="steps">')
    steps = sum(
        part.count("<li")
        for part in page.split('<ol class="steps">')[1:]
        for part in [part.split("</ol>")[0]]
    )
    assert singles + steps == len(facts)
    for leg in body["coverage"]["legs"]:
        assert all(position < len(facts) for position in leg["facts"])
    gate_in = next(leg for leg in body["coverage"]["legs"] if leg["code"] == "gate-in")
    assert [facts[position]["disposition"] for position in gate_in["facts"]] == [
        "urn:suyuan:disp:passed_gate"
    ]


def test_the_proof_bundle_is_valid_and_holds_every_fact(site: Site) -> None:
    answer = site.get(f"/bundle{site.path}")
    assert answer.headers["content-disposition"].startswith("attachment")
    body = site.get(site.path, accept="application/json").json()
    report = verify_bundle(answer.content, body["proof"]["log_key"])
    assert len(report.facts) == len(body["trace"]["facts"])


def test_links_and_redirect(site: Site) -> None:
    moved = site.get(site.path + "?x=1", accept="*/*")
    assert moved.status_code == 307 and moved.headers["location"] == f"{site.base}/item{site.path}?x=1"
    linkset = site.get(site.path, accept="application/linkset+json").json()["linkset"]
    assert [entry["anchor"] for entry in linkset] == [
        f"https://id.gs1.org{site.path}",
        f"https://id.gs1.org/01/{JOURNEY.gtin}",
    ]


def test_codes_that_do_not_exist(site: Site) -> None:
    serial = site.serials[16]
    forged = serial[:-1] + ("0" if serial[-1] != "0" else "1")
    answer = site.get(f"/01/{JOURNEY.gtin}/21/{forged}")
    assert answer.status_code == 404 and "check characters do not fit" in answer.text
    unknown = site.get(f"/01/{JOURNEY.gtin}/21/NOPE-1")
    assert unknown.status_code == 404 and "This code does not exist here" in unknown.text
    assert site.get("/01/09506000134352").status_code == 404


def test_a_lot_tells_of_the_lot_and_a_product_of_nobodys_goods(site: Site) -> None:
    lot = site.get(f"/01/{JOURNEY.gtin}/10/{JOURNEY.lot}").text
    assert "A lot, not one item" in lot and "Lot produced" in lot
    product = site.get(f"/01/{JOURNEY.gtin}")
    assert "A product, not one item" in product.text and "Groene Wei" in product.text
    for private in ("Chengdu", "Parcel declaration", "ending in"):
        assert private not in lot and private not in product.text
    assert site.get(f"/01/{JOURNEY.gtin}", accept="application/json").json()["trace"]["facts"] == []
    assert site.get(f"/bundle/01/{JOURNEY.gtin}").status_code == 404


async def test_a_late_paper_and_a_recall_show_at_once_and_the_page_stays_light(site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.base, headers=HTML) as client:
        before = await client.get(site.path)
        await deliver(site.deployment, site.serials, lambda one: one.name == MISSING or one.step == 27)
        await asyncio.sleep(0.05)
        for lang, word in (("en", "Recalled: please do not use"), ("zh-CN", "已召回，请停止使用")):
            answer = await client.get(site.path, params={"lang": lang})
            assert 'role="alert"' in answer.text and word in answer.text and "RC-2025-0007" in answer.text
            assert answer.headers["etag"] != before.headers["etag"]
            assert len(answer.content) + len(stylesheet()[1]) <= 50_000
        assert "必需环节 18 个，已有 18 个" in answer.text and "船舶启航" in answer.text
        machine = await client.get(site.path, headers={"accept": "application/json"})
        assert machine.json()["verdict"] == "recalled"


# -- the version of a page ---------------------------------------------------------------------------------


async def opened_items(deployment: Deployment) -> StoredItems:
    services = deployment.services
    items = StoredItems(services.reader, services.tree, services.mac_keys, services.signer)
    await items.load_gtins()
    return items


async def test_the_version_follows_the_item_and_nothing_else(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("suyuan.web.source.LOOK_SECONDS", 0.0)
    brand = await deployment.member("dairy", "brand-owner")
    one, other = await deployment.issued(2, brand)
    await deployment.say(brand, commissioned("2025-08-04", item(one), item(other)))
    await deployment.published()
    items = await opened_items(deployment)
    uri, seen = item(one), []

    async def changed() -> bool:
        seen.append(await items.version(uri))
        return len(seen) > 1 and seen[-1] != seen[-2]

    await changed()
    # Another item's event, and a newer head of the log, leave the page as it is.
    await deployment.say(brand, commissioned("2025-08-05", item("ELSEWHERE1"), lot="L9"))
    await deployment.published()
    await publish(deployment.pool, deployment.services.signer)
    assert not await changed()
    kept = await items.read_public(uri)
    assert kept is await items.read_public(uri)
    # Its own event does, before and after the log has taken it in.
    stored = await deployment.say(brand, observed("2025-08-06", item(one)))
    assert stored.events and await changed()
    waiting = await items.read_public(uri)
    assert waiting is not None and waiting.trace.facts[-1].log_index is None
    await deployment.published()
    assert await changed()
    # So does what is said of its lot, a recall, and an act on its code.
    await deployment.say(brand, of_lot("2025-08-07", bizStep="inspecting"))
    await deployment.published()
    assert await changed()
    recall = of_lot("2025-11-03", bizTransactionList=[paper("recall", "RC-1")])
    await deployment.say(
        brand, {**recall, "bizStep": "urn:suyuan:bizstep:recalling", "disposition": "recalled"}
    )
    await deployment.published()
    assert await changed()
    recalled = await items.read_public(uri)
    assert recalled is not None and recalled.trace.recall is not None
    await void(deployment.pool, gtin=GTIN, lot="L1", serials=[one], party_id="dairy", reason="label torn")
    assert await changed()
    assert len(set(seen)) == len([1 for before, after in itertools.pairwise(seen) if before != after]) + 1


async def test_a_recall_of_the_whole_product_is_on_the_page_of_every_item(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("suyuan.web.source.LOOK_SECONDS", 0.0)
    brand = await deployment.member("dairy", "brand-owner")
    (one,) = await deployment.issued(1, brand)
    await deployment.say(brand, commissioned("2025-08-04", item(one)))
    await deployment.published()
    items = await opened_items(deployment)
    before = await items.version(item(one))
    product = [{"epcClass": f"https://id.gs1.org/01/{GTIN}"}]
    recall = observed("2025-11-03", quantityList=product, bizTransactionList=[paper("recall", "RC-1")])
    await deployment.say(
        brand, {**recall, "bizStep": "urn:suyuan:bizstep:recalling", "disposition": "recalled"}
    )
    await deployment.published()
    assert await items.version(item(one)) != before
    found = await items.read_public(item(one))
    assert found is not None
    settings = PageSettings(base_url="https://trace.example")
    for lang, words in (("en", "About all goods of this product"), ("zh-CN", "关于该商品的全部货物")):
        text = render_item_page(found.trace, found.coverage, None, found.proof, lang, settings)
        assert 'role="alert"' in text and "RC-1" in text and words in text


async def test_a_day_without_a_time_is_shown_as_a_day(deployment: Deployment) -> None:
    brand = await deployment.member("dairy", "brand-owner")
    (one,) = await deployment.issued(1, brand)
    precise = {"suyuan:precision": "day"}
    await deployment.say(brand, commissioned("2025-08-04T23:59:59+08:00", item(one), **precise))
    await deployment.published()
    found = await (await opened_items(deployment)).read_public(item(one))
    assert found is not None
    settings = PageSettings(base_url="https://trace.example")
    text = render_item_page(found.trace, found.coverage, None, found.proof, "zh-CN", settings)
    assert '<time datetime="2025-08-04">2025年8月4日</time>' in text
