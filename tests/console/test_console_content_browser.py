"""The content pages in a real browser: at phone width, by keyboard, for who cannot see them, without scripts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from console_world import World
from playwright.sync_api import Browser
from test_console_access_browser import CONTRAST

import browsing

PATHS = {
    "item": "{tin}",
    "container": "urn:epc:id:bic:COSU9876546",
    "awb": "urn:suyuan:awb:784-12345675",
    "lot": "https://id.gs1.org/01/08710000001236/10/L25216A",
    "findings": "/console/findings",
    "labels": "/console/labels?batch=1",
    "search": "/console/search",
}


@pytest.fixture(scope="module")
def browser(world: World, chromium_path: str) -> Iterator[Browser]:
    with browsing.chromium_sync(chromium_path) as opened:
        yield opened


def _address(world: World, name: str) -> str:
    path = PATHS[name].format(tin=world.tin)
    return world.base + (path if path.startswith("/") else f"/console/thing?uri={quote(path, safe='')}")


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
@pytest.mark.parametrize("name", PATHS)
def test_every_page_fits_a_phone_and_speaks_to_those_who_cannot_see_it(
    world: World, browser: Browser, name: str, lang: str
) -> None:
    context = browser.new_context(
        locale=lang, viewport={"width": 390, "height": 844}, java_script_enabled=True
    )
    context.add_cookies([{"name": "suyuan_session", "value": world.secrets["chief"], "url": world.base}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.goto(_address(world, name))
    assert page.evaluate("document.documentElement.lang") == lang
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("h1").count() == 1
    levels = page.evaluate(
        "[...document.querySelectorAll('main h1,main h2,main h3')].map(e => Number(e.tagName[1]))"
    )
    assert levels[0] == 1 and all(after - before <= 1 for before, after in itertools.pairwise(levels))
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('svg[role=img], img:not([alt]), a, button, select,' +
                'input:not([type=hidden])')]
            .filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || (e.labels && e.labels.length)))
            .map(e => e.outerHTML.slice(0, 90))"""
    )
    assert unnamed == []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(CONTRAST) == [], scheme
    context.close()
    assert complaints == []


def test_a_long_chinese_heading_is_broken_where_its_line_ends(world: World, browser: Browser) -> None:
    context = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844})
    context.add_cookies([{"name": "suyuan_session", "value": world.secrets["chief"], "url": world.base}])
    page = context.new_page()
    page.goto(_address(world, "item"))
    widths = page.evaluate(
        """() => { const head = document.querySelector('h1'); const range = document.createRange();
            head.textContent = '段：绿野进口婴幼儿配方奶粉三段八百克罐装礼盒组合装，赠品';
            range.selectNodeContents(head); return [...range.getClientRects()].map(one => one.width) }"""
    )
    context.close()
    assert len(widths) == 2
    assert min(widths) > 0.8 * max(widths), "the lines are of a length"


def test_the_keyboard_searches_and_opens(world: World, browser: Browser) -> None:
    context = browser.new_context(locale="en", java_script_enabled=False)
    context.add_cookies([{"name": "suyuan_session", "value": world.secrets["chief"], "url": world.base}])
    page = context.new_page()
    page.goto(f"{world.base}/console/search")
    page.locator("main #find").focus()
    page.keyboard.type("COSU9876546")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/thing?uri=*")
    assert page.get_by_role("heading", level=1).inner_text() == "COSU9876546"
    context.close()
