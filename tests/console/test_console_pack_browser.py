"""The packing station on a handheld's screen: parcels, each refusal, undo, offline and back, everything by scanner.

``SUYUAN_TEST_SHOTS`` names a folder that gets pictures.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import console_site
import pytest
from console_site import Site
from pack_site import (
    COURIER,
    GTIN,
    LOT,
    OTHER_GTIN,
    OTHER_SKU,
    SKU,
    WAYBILL,
    Warehouse,
    label,
    warehouse,
)
from playwright.async_api import Browser, BrowserContext, Page, Route
from test_console_access_browser import CONTRAST, UNNAMED

import browsing
from suyuan.issuing.foreign_codes import CodeSystem

HANDHELD = {"width": 360, "height": 640}


@pytest.fixture(scope="module")
async def chromium(chromium_path: str) -> AsyncIterator[Browser]:
    async with browsing.chromium(chromium_path) as browser:
        yield browser


class Handheld:
    """A station in somebody's hand."""

    def __init__(self, house: Warehouse, context: BrowserContext, page: Page) -> None:
        self.house = house
        self.context = context
        self.page = page

    async def open(self) -> None:
        await self.page.goto(f"{self.house.site.base}/console/pack")
        await self.page.locator("#station[data-ready]").wait_for()
        await self.page.evaluate("navigator.serviceWorker.ready.then(() => 1)")

    async def scan(self, *texts: str) -> None:
        """What a scanner does: keys, fast, and Enter, whatever has the focus."""
        for text in texts:
            await self.page.keyboard.type(text)
            await self.page.keyboard.press("Enter")
            await self.page.evaluate("station.scan('')")
        await self.settled()

    async def settled(self) -> None:
        await self.page.evaluate("station.scan('')")

    async def says(self, word: str, tone: str) -> None:
        state = self.page.locator("#state")
        await self.page.wait_for_function(
            "([word, tone]) => document.getElementById('word').textContent === word"
            " && document.getElementById('state').dataset.tone === tone",
            arg=[word, tone],
            timeout=5000,
        )
        assert await state.is_visible()

    async def refuses(self, scanned: str, word: str) -> None:
        held = await self.page.locator("#parts li").count()
        await self.scan(scanned)
        await self.says(word, "wrong")
        assert (await self.page.evaluate("station.sounds"))[-1] == "wrong"
        assert await self.page.locator("#parts li").count() == held, "nothing was added"

    async def mode(self, name: str) -> None:
        await self.page.locator("#menu-open").click()
        await self.page.locator(f'[data-mode="{name}"]').click()
        await self.settled()

    async def courier(self) -> None:
        await self.page.evaluate(f"localStorage.setItem('pack.courier', '{COURIER}')")
        await self.page.reload()
        await self.page.locator("#station[data-ready]").wait_for()

    async def shot(self, name: str) -> None:
        folder = os.environ.get("SUYUAN_TEST_SHOTS")
        if folder:
            await self.page.screenshot(path=Path(folder) / f"{name}.png")

    async def events(self, condition: str = "true") -> int:
        pool = self.house.site.services.pool
        return int(
            await pool.fetchval(f"SELECT count(*) FROM event WHERE rule = 'station/1' AND {condition}")
        )

    async def queued(self, count: int) -> None:
        for _ in range(100):
            if await self.page.evaluate("station.waiting()") == count:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{await self.page.evaluate('station.waiting()')} wait")


@pytest.fixture(params=["en"])
async def station(request: pytest.FixtureRequest, site: Site, chromium: Browser) -> AsyncIterator[Handheld]:
    house = await warehouse(site, language=request.param)
    context = await chromium.new_context(viewport=HANDHELD, has_touch=True)  # type: ignore[arg-type]
    cookie = {"name": "suyuan_session", "value": await site.session(house.person), "url": site.base}
    await context.add_cookies([cookie])  # type: ignore[list-item]
    opened = Handheld(house, context, await context.new_page())
    await opened.open()
    yield opened
    await context.close()


async def test_a_parcel_that_was_declared_is_packed_by_scans_alone(station: Handheld) -> None:
    await station.house.declared(WAYBILL, **{f"g{GTIN}": 2})
    await station.says("SCAN WAYBILL", "ready")
    await station.shot("en-1-waybill")
    await station.scan(WAYBILL)
    await station.says("SCAN CODE", "good")
    assert "0 / 2" in await station.page.locator("#facts").inner_text()
    await station.scan(label(station.house.good[0]))
    await station.says("✓ 1 / 2", "good")
    await station.shot("en-2-one-of-two")
    assert "1 / 2" in await station.page.locator("#facts").inner_text()
    await station.scan(label(station.house.good[1]))
    await station.says("DONE", "done")
    assert (await station.page.evaluate("station.sounds"))[-1] == "done"
    await station.shot("en-3-done")
    assert await station.events("event_type = 2 AND action = 1") == 1
    for text in (await station.page.evaluate("location.href"), await station.page.title()):
        assert WAYBILL not in text


async def test_without_papers_the_sku_is_scanned_and_the_worker_says_when_it_is_done(
    station: Handheld,
) -> None:
    await station.refuses(WAYBILL, "WHICH COURIER?")
    await station.courier()
    await station.refuses(label(station.house.good[0]), "SCAN THE WAYBILL")
    await station.scan(WAYBILL)
    await station.says("SCAN SKU", "good")
    await station.refuses(label(station.house.good[0]), "SCAN THE SKU")
    await station.scan(SKU, label(station.house.good[0]))
    await station.page.locator("#done").click()
    await station.says("DONE", "done")
    await station.refuses(SKU, "SCAN THE WAYBILL")
    digits = "7312345678909"  # a courier's number with the form of a GTIN
    await station.scan(digits, SKU, label(station.house.good[1]), digits)
    await station.says("DONE", "done")
    assert await station.events() == 2, "scanning the waybill again says done as well"


async def test_each_refusal_has_its_word_and_its_sound(station: Handheld) -> None:
    house = station.house
    await station.courier()
    await station.scan("SF100000001", SKU, label(house.good[5]), "SF100000001")
    await station.scan(WAYBILL, SKU, label(house.good[0]))
    await station.refuses(label(house.good[0]), "SCANNED BEFORE")
    await station.refuses(label(house.voided), "VOIDED")
    await station.shot("en-4-voided")
    await station.refuses(label(house.recalled[0]), "RECALLED! STOP")
    await station.shot("en-5-recalled")
    await station.refuses(label(house.other[0], OTHER_GTIN), "WRONG ITEM")
    await station.refuses(label("NEVERISSUED"), "UNKNOWN CODE")
    await station.refuses(label(house.good[5]), "IN ANOTHER PARCEL")
    await station.refuses("SOMETHING-ELSE", "NOT A CODE")
    assert await station.events() == 1


async def test_a_scanner_that_names_its_symbologies_and_the_next_waybill_too_early(station: Handheld) -> None:
    await station.courier()
    await station.scan(f"]C0{WAYBILL}", f"]E0{SKU}", f"]Q1{label(station.house.good[0])}")
    await station.says("✓ 1", "good")
    await station.refuses("]C0SF1399000000018", "FINISH FIRST")
    await station.context.set_offline(True)
    await station.refuses("SF1399000000018", "FINISH FIRST")
    await station.context.set_offline(False)
    await station.scan(f"]C0{WAYBILL}")
    await station.says("DONE", "done")
    await station.mode("nest")
    sscc = "]C100108710000000000010"
    await station.scan(sscc)
    await station.refuses(sscc, "SCANNED BEFORE")
    await station.scan(label(station.house.good[1]), sscc)
    await station.says("DONE", "done")
    assert await station.events("event_type = 2 AND action = 1") == 2


async def test_a_lot_that_was_scanned_binds_the_parcel(station: Handheld) -> None:
    await station.courier()
    await station.scan(WAYBILL, f"(01){GTIN}(10)L9")
    await station.refuses(label(station.house.good[0]), "WRONG LOT")
    await station.scan(f"(01){GTIN}(10){LOT}", label(station.house.good[0]))
    await station.says("✓ 1", "good")


async def test_the_order_names_the_goods_and_how_many(station: Handheld) -> None:
    house = station.house
    await house.declared(WAYBILL, **{f"g{GTIN}": 1, f"g{OTHER_GTIN}": 1})
    await station.scan(WAYBILL)
    await station.refuses("4006381333931", "WRONG ITEM")
    await station.scan(label(house.good[0]))
    await station.refuses(label(house.good[1]), "ENOUGH")
    await station.scan(OTHER_SKU, label(house.other[0], OTHER_GTIN))
    await station.says("DONE", "done")


async def test_undo_takes_back_scans_and_then_the_parcel(station: Handheld) -> None:
    house = station.house
    await station.courier()
    await station.scan(WAYBILL, SKU, label(house.good[0]), label(house.good[1]))
    await station.page.locator("#undo").click()
    await station.settled()
    assert await station.page.locator("#parts li").count() == 1
    await station.scan(WAYBILL)
    await station.says("DONE", "done")
    await station.page.locator("#undo").click()
    await station.page.locator("#undo.sure").click()
    await station.says("UNDONE", "done")
    await station.queued(0)
    assert await station.events("declaration <> ''::bytea") == 1
    await station.scan("SF990000", SKU, label(house.good[0]), "SF990000")
    await station.says("DONE", "done")


async def test_offline_acts_wait_and_are_sent_once_and_conflicts_come_back(station: Handheld) -> None:
    house, page = station.house, station.page
    await station.courier()
    await station.context.set_offline(True)
    await station.scan(WAYBILL, SKU, label(house.good[0]), WAYBILL)
    await station.says("KEPT HERE", "kept")
    await station.shot("en-6-offline")
    await station.refuses("!!!", "NOT A WAYBILL")
    await station.scan("SF100000002", SKU)
    await station.refuses(label(house.good[0]), "IN ANOTHER PARCEL")
    # What only the server knows is found later.
    await station.scan(label(house.voided), label(house.good[1]), "SF100000002")
    await station.says("KEPT HERE", "kept")
    assert await page.locator("#waiting").inner_text() == "2 waiting"
    assert await station.events() == 0
    # Switched off and on again in the dead corner: the page and the queue are still there.
    await page.reload()
    await page.locator("#station[data-ready]").wait_for()
    assert await page.evaluate("station.waiting()") == 2
    assert await page.locator("#link-word").inner_text() == "Offline"
    await station.context.set_offline(False)
    await station.queued(0)
    assert await station.events() == 1
    await station.says("VOIDED", "wrong")
    await page.locator("#findings-open").click()
    await page.locator("#findings[open]").wait_for()
    await station.shot("en-7-findings")
    assert "VOIDED" in await page.locator("#findings-list").inner_text()
    await page.get_by_role("button", name="Open it again").click()
    await station.settled()
    assert await page.locator("#parts li").count() == 1, "the voided one is out"
    await page.locator("#done").click()
    await station.says("DONE", "done")
    assert await station.events() == 2
    assert not await page.locator("#findings-open").is_visible()


async def test_a_worker_who_was_signed_out_loses_nothing(station: Handheld) -> None:
    site, page = station.house.site, station.page
    await station.courier()
    await station.scan(WAYBILL, SKU, label(station.house.good[0]))
    await station.context.clear_cookies()
    await station.scan(WAYBILL)
    await station.says("KEPT HERE", "kept")
    await page.get_by_role("link", name="Sign in").wait_for()
    cookie = {"name": "suyuan_session", "value": await site.session(station.house.person), "url": site.base}
    await station.context.add_cookies([cookie])  # type: ignore[list-item]
    await page.reload()
    await station.queued(0)
    assert await station.events() == 1


async def test_a_label_is_drawn_printed_and_bound(station: Handheld) -> None:
    await station.courier()
    await station.scan(WAYBILL, SKU)
    await station.page.locator("#label-print").click()
    await station.says("STICK LABEL", "note")
    zpl = await station.page.locator("#zpl-text").input_value()
    assert zpl.startswith("^XA")
    await station.shot("en-8-label")
    serial = await station.house.site.services.pool.fetchval(
        "SELECT serial FROM code_state WHERE act = 'printed'"
    )
    await station.scan(label(serial))
    await station.says("✓ 1", "good")
    await station.scan(WAYBILL)
    await station.says("DONE", "done")
    states = await station.house.site.services.pool.fetch(
        "SELECT act FROM code_state WHERE serial = $1", serial
    )
    assert {row["act"] for row in states} == {"printed", "activated"}


async def test_a_drawn_label_beyond_the_allowance_is_packed_and_said_not_to_be_active(
    station: Handheld,
) -> None:
    await station.house.short_lot("L9", codes=2, received=1)
    serials = [await station.house.drawn("L9") for _ in range(2)]
    await station.courier()
    await station.scan(WAYBILL, SKU, label(serials[0]), label(serials[1]), WAYBILL)
    await station.says("PACKED, NOT ACTIVE", "note")
    assert "More codes than goods received" in await station.page.locator("#do").inner_text()
    await station.shot("en-12-not-active")
    assert await station.events() == 1
    await station.queued(0)


async def test_another_systems_label_packs_the_item_that_bears_it(station: Handheld) -> None:
    await station.house.aliased(CodeSystem("ccic"), **{"000000204200233": station.house.good[0]})
    await station.courier()
    await station.scan(WAYBILL, SKU, "000000204200233")
    await station.says("✓ 1", "good")
    assert station.house.good[0] in await station.page.locator("#parts").inner_text()
    await station.refuses(label(station.house.good[0]), "SCANNED BEFORE")
    await station.refuses("000000204200999", "UNKNOWN CODE")
    await station.context.set_offline(True)
    await station.refuses("000000204200234", "NEEDS THE NETWORK")
    await station.context.set_offline(False)


async def test_an_act_on_which_the_server_breaks_holds_up_no_other(
    station: Handheld, script_errors: list[str]
) -> None:
    await station.courier()
    page = station.page

    async def breaks(route: Route) -> None:
        await route.fulfill(status=500, body="<p>broken</p>", content_type="text/html")

    await page.route("**/console/pack/act", breaks)
    await station.scan(WAYBILL, SKU, label(station.house.good[0]), WAYBILL)
    await station.says("KEPT HERE", "kept")
    await page.locator("#undo").click()
    await page.locator("#undo.sure").click()
    await station.queued(2)
    await page.unroute("**/console/pack/act")
    await page.evaluate("station.sync()")
    await station.queued(0)
    assert await station.events("declaration <> ''::bytea") == 1, "first the act, then what takes it back"
    script_errors[:] = [one for one in script_errors if "status of 500" not in one]


async def test_what_breaks_in_a_script_is_said_and_the_station_goes_on(
    station: Handheld, script_errors: list[str]
) -> None:
    await station.courier()
    await station.page.evaluate("station.desk.run(() => station.nowhere.at.all())")
    await station.says("PAGE BROKE", "wrong")
    assert [one.partition(":")[0] for one in script_errors] == ["uncaught"]
    await station.scan(WAYBILL)
    await station.says("SCAN SKU", "good")
    # A device that cannot keep an act does not say that it did: the act stays on the screen.
    await station.scan(SKU, label(station.house.good[0]))
    await station.page.evaluate(
        """() => {
          const { put } = station.keep;
          station.keep.put = (store, one) => (store === "queue" ? Promise.reject(new Error("full")) : put(store, one));
        }"""
    )
    await station.scan(WAYBILL)
    await station.says("PAGE BROKE", "wrong")
    assert await station.page.locator("#parts li").count() == 1
    assert await station.events() == 0
    assert len(script_errors) == 2
    script_errors.clear()


async def test_an_answer_that_comes_late_is_told_when_it_comes(station: Handheld) -> None:
    await station.courier()
    answered = asyncio.Event()

    async def late(route: Route) -> None:
        await answered.wait()
        await route.continue_()

    await station.page.route("**/console/pack/act", late)
    await station.scan(WAYBILL, SKU, label(station.house.good[0]), WAYBILL)
    await station.says("KEPT HERE", "kept")
    answered.set()
    await station.says("DONE", "done")
    assert await station.events() == 1


async def test_a_phone_reads_with_its_camera(site: Site, chromium: Browser) -> None:
    house = await warehouse(site)
    context = await chromium.new_context(viewport=HANDHELD)  # type: ignore[arg-type]
    cookie = {"name": "suyuan_session", "value": await site.session(house.person), "url": site.base}
    await context.add_cookies([cookie])  # type: ignore[list-item]
    await context.add_init_script(
        """window.BarcodeDetector = class {
          static async getSupportedFormats() {
            return ["qr_code", "data_matrix", "code_128", "ean_13", "ean_8", "upc_a", "itf"];
          }
          async detect() {
            return window.seen ? [{ rawValue: window.seen, format: "qr_code", cornerPoints: [] }] : [];
          }
        };
        const canvas = document.createElement("canvas");
        const brush = canvas.getContext("2d");
        setInterval(() => brush.fillRect(0, 0, Math.random() * 9, 9), 50);
        // The blank page before the first one is no secure context and has no camera.
        if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(5);"""
    )
    station = Handheld(house, context, await context.new_page())
    await station.open()
    await station.courier()
    await station.page.evaluate(f"window.seen = '{WAYBILL}'")
    await station.page.locator("#camera-open").click()
    await station.says("SCAN SKU", "good")
    await station.page.evaluate(f"window.seen = '{SKU}'")
    await station.says("SCAN CODE", "good")
    await station.page.evaluate(f"window.seen = '{label(house.good[0])}'")
    await station.says("✓ 1", "good")
    assert (await station.page.evaluate("station.sounds")) == ["good"] * 3, "what is held there counts once"
    await station.page.locator("#camera [data-close]").click()
    await context.close()


async def test_a_label_goes_to_the_print_bridge(
    database_url: str, tmp_path: Path, chromium: Browser, script_errors: list[str]
) -> None:
    printed: list[bytes] = []

    async def bridge(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        printed.append(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(bridge, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}/print"
    async with console_site.site(database_url, tmp_path, print_bridge_url=url) as site:
        house = await warehouse(site)
        context = await chromium.new_context(viewport=HANDHELD)  # type: ignore[arg-type]
        cookie = {"name": "suyuan_session", "value": await site.session(house.person), "url": site.base}
        await context.add_cookies([cookie])  # type: ignore[list-item]
        station = Handheld(house, context, await context.new_page())
        await station.open()
        await station.courier()
        await station.scan(WAYBILL, SKU)
        await station.page.locator("#label-print").click()
        await station.says("STICK LABEL", "note")
        await station.settled()
        assert [text[:3] for text in printed] == [b"^XA"]
        assert not await station.page.locator("#zpl").is_visible()
        server.close()
        await server.wait_closed()
        await station.page.locator("#label-print").click()
        await station.page.locator("#zpl-title", has_text="The printer does not answer").wait_for()
        script_errors[:] = [one for one in script_errors if "ERR_CONNECTION_REFUSED" not in one]
        await context.close()


async def test_the_other_screens_take_the_same_scanner(station: Handheld) -> None:
    house, page = station.house, station.page
    sscc = "(00)108710000000000010"
    await station.mode("receive")
    await station.scan(f"(01){GTIN}(10){LOT}", f"(01){GTIN}(10){LOT}")
    assert await page.locator("#parts input").input_value() == "2"
    await page.locator("#parts input").fill("40")
    await page.locator("#parts input").blur()
    await page.locator("#done").click()
    await station.says("DONE", "done")
    await station.mode("store")
    await station.says("SCAN SHELF", "ready")
    await station.scan("A-07-03", label(house.good[0]))
    await station.shot("en-9-put-away")
    await page.locator("#done").click()
    await station.says("DONE", "done")
    await station.mode("count")
    await station.scan("A-07-03", label(house.good[0]), label(house.good[1]))
    await page.locator("#done").click()
    await station.says("DONE", "done")
    await station.mode("damage")
    await station.scan(label(house.good[2]))
    await page.locator('[data-reason="leaking"]').click()
    await station.shot("en-10-damage")
    await page.locator("#done").click()
    await station.says("DONE", "done")
    await station.mode("nest")
    await station.scan(sscc, label(house.good[3]), label(house.good[4]))
    await page.locator("#done").click()
    await station.says("DONE", "done")
    await station.mode("unpack")
    await station.scan(sscc)
    await page.locator("#done").click()
    await station.says("DONE", "done")
    await station.queued(0)
    pool = house.site.services.pool
    rows = await pool.fetch(
        "SELECT e.biz_step, e.action, convert_from(p.body, 'UTF8') AS body FROM event AS e"
        " JOIN event_payload AS p USING (event_key) WHERE e.rule = 'station/1' ORDER BY e.event_key"
    )
    steps = [(row["biz_step"].rpartition("-")[2], row["action"]) for row in rows]
    assert steps == [
        ("receiving", 2), ("storing", 2), ("cycle_counting", 2), ("inspecting", 2), ("packing", 1), ("unpacking", 3),
    ]  # fmt: skip
    assert '"40"' in rows[0]["body"]
    assert "A-07-03" in rows[1]["body"]
    assert "leaking" in rows[3]["body"]
    await station.mode("pack")
    await station.courier()
    await station.scan(WAYBILL, SKU)
    await station.refuses(label(house.good[2]), "DAMAGED")


@pytest.mark.parametrize("station", ["zh-CN", "en"], indirect=True)
async def test_it_is_read_and_touched_in_both_languages(
    station: Handheld, request: pytest.FixtureRequest
) -> None:
    page = station.page
    name = request.node.callspec.params["station"]
    await station.courier()
    await station.scan(WAYBILL, SKU, label(station.house.good[0]))
    await station.shot(f"{name}-packing")
    for state in ("", label(station.house.voided)):
        if state:
            await station.scan(state)
            await station.shot(f"{name}-refused")
        assert await page.evaluate(CONTRAST) == []
        assert await page.evaluate(UNNAMED) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        small = """() => [...document.querySelectorAll("button,input:not([type=hidden]),select")]
            .filter((one) => one.checkVisibility())
            .filter((one) => one.offsetHeight < 40 || one.getBoundingClientRect().bottom > innerHeight)
            .map((one) => one.outerHTML)"""
        assert await page.evaluate(small) == []
    both = await page.locator("#state").inner_text()
    assert "码已作废" in both
    assert "VOIDED" in both
    await page.locator("#menu-open").click()
    await station.shot(f"{name}-menu")
    assert await page.evaluate(CONTRAST) == []
    assert await page.evaluate("document.querySelector('#menu').scrollHeight <= innerHeight")
