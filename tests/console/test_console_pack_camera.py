"""The station's camera where the browser reads no codes itself: the shipped reader takes waybill, product and item."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from console_site import Site
from pack_site import SKU, WAYBILL, Warehouse, label, warehouse
from playwright.async_api import Page

sys.path.append(str(Path(__file__).resolve().parents[1] / "web"))

from fake_camera import ARGUMENTS, code, film
from test_console_pack_browser import HANDHELD, Handheld
from zxingcpp import BarcodeFormat

from browsing import chromium


@pytest.fixture
async def house(site: Site) -> Warehouse:
    return await warehouse(site)


@pytest.fixture
async def station(house: Warehouse, chromium_path: str, tmp_path: Path) -> AsyncIterator[Handheld]:
    """A station whose camera sees a waybill, then a product's barcode, then an item's label, over and over."""
    seen = [
        code(WAYBILL, BarcodeFormat.Code128, side=560),
        code(SKU, BarcodeFormat.EAN13, side=400),
        code(label(house.good[0]), BarcodeFormat.QRCode),
    ]
    camera = film(tmp_path / "table.y4m", [picture for picture in seen for _ in range(2)], rate=1)
    async with chromium(chromium_path, *ARGUMENTS, camera) as browser:
        context = await browser.new_context(viewport=HANDHELD, has_touch=True)  # type: ignore[arg-type]
        site = house.site
        cookie = {"name": "suyuan_session", "value": await site.session(house.person), "url": site.base}
        await context.add_cookies([cookie])  # type: ignore[list-item]
        opened = Handheld(house, context, await context.new_page())
        troubles: list[str] = []
        context.on("weberror", lambda error: troubles.append(str(error.error)))
        context.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
        await opened.open()
        yield opened
        assert troubles == []


async def _kept(page: Page) -> list[str]:
    return await page.evaluate(
        "caches.keys().then(async ([name]) => (await (await caches.open(name)).keys()).map((one) => one.url))"
    )


async def test_a_parcel_is_packed_with_the_camera_alone(station: Handheld) -> None:
    page = station.page
    assert not await page.evaluate("'BarcodeDetector' in window"), (
        "else the fallback is not what is tested here"
    )
    await station.courier()
    assert not [one for one in await _kept(page) if "zxing" in one], "nothing is loaded before it is needed"
    await page.locator("#camera-open").click()
    await page.locator("#parts li").wait_for(timeout=60_000)
    assert await page.locator("#camera").get_attribute("data-reader") == "shipped"
    for seen in ("#state", "#camera", "#done"):
        box = await page.locator(seen).bounding_box()
        assert box and box["y"] >= 0 and box["y"] + box["height"] <= HANDHELD["height"], seen
    await station.shot("camera")
    # The waybill comes by again, which says done.
    for _ in range(600):
        if await station.events("event_type = 2 AND action = 1"):
            break
        await asyncio.sleep(0.1)
    await page.locator("#camera [data-close]").click()
    assert await station.events("event_type = 2 AND action = 1") == 1
    assert len([one for one in await _kept(page) if "zxing" in one]) == 2, (
        "the reader works without a network now"
    )
    assert not await page.evaluate("document.getElementById('video').srcObject.active"), (
        "the camera is let go"
    )
