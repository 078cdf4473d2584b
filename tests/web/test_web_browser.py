"""The page in a real browser, served by the real server: Chromium at phone width, with and without scripts."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import web_samples as samples
from playwright.sync_api import Browser, Page
from web_source import FIRST, MISSING, RECALLED, SUSPECTED, VOIDED

import browsing

HERE = Path(__file__).parent
ITEM = f"/01/{samples.GTIN}/21/"
PATHS = {
    "normal": ITEM + samples.SERIAL,
    "recalled": ITEM + RECALLED,
    "missing-legs": ITEM + MISSING,
    "suspected": ITEM + SUSPECTED,
    "voided": ITEM + VOIDED,
    "unknown": ITEM + "NOPE",
    "product": f"/01/{samples.GTIN}",
    "lot": f"/01/{samples.GTIN}/10/L25216A",
    "unreadable": "/01/123",
    "label-photo": "/check" + ITEM + samples.SERIAL,
    "label-clip": "/check" + ITEM + FIRST,
    "label-unknown": "/check" + ITEM + RECALLED,
}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    port = _free_port()
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1"]
    server = subprocess.Popen(
        [*command, "--port", str(port), "--no-log", "web_source:app"], cwd=HERE, stdout=subprocess.DEVNULL
    )
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                if httpx.get(f"{base}/robots.txt").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        else:
            pytest.fail("the server did not start")
        yield base
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with browsing.chromium_sync(chromium_path) as opened:
        yield opened


@contextmanager
def opened(browser: Browser, url: str, *, lang: str = "zh-CN", width: int = 360, **options) -> Iterator[Page]:
    """A page at phone width whose console is empty when it is left, save for the status of the page itself."""
    context = browser.new_context(
        locale=lang, viewport={"width": width, "height": 780}, device_scale_factor=2, **options
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.goto(url)
    try:
        yield page
    finally:
        context.close()
    assert [text for text in complaints if "the server responded with a status of 40" not in text] == []


BOTH = pytest.mark.parametrize("lang", ["zh-CN", "en"])


@BOTH
@pytest.mark.parametrize("name", PATHS)
def test_every_page_fits_a_phone_and_speaks_to_those_who_cannot_see_it(
    site: str, browser: Browser, name: str, lang: str
) -> None:
    with opened(browser, site + PATHS[name], lang=lang) as page:
        assert page.evaluate("document.documentElement.lang") == lang
        for details in page.locator("details").all():
            details.evaluate("element => { element.open = true }")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.locator("h1").count() == 1 and page.locator("main").count() == 1
        small = page.evaluate(
            """() => [...document.querySelectorAll('a.button, summary, .lang a')]
                .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 40).length"""
        )
        assert small == 0
        levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(e => Number(e.tagName[1]))")
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
        unnamed = page.evaluate(
            """() => [...document.querySelectorAll('svg:not([aria-hidden=true]), img, a, button, summary')]
                .filter(e => !(e.getAttribute('aria-label') || e.getAttribute('alt') || e.textContent.trim()))
                .length"""
        )
        assert unnamed == 0
        for landmark in ("header", "main", "footer"):
            assert page.locator(f"body > {landmark}").count() == 1


CONTRASTS = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const rgba = color => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const color = rgba(getComputedStyle(e).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, box = element.getBoundingClientRect();
    if (!walker.currentNode.data.trim() || !box.width || element.closest('.skip, title, desc')) continue;
    const style = getComputedStyle(element), svg = element.closest('svg');
    const faint = Number(style.opacity);
    const back = behind(element), front = rgba(svg ? style.fill : style.color)
      .map((v, i) => v * faint + back[i] * (1 - faint));
    const [high, low] = [light(front), light(back)].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
    const enough = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
    const ratio = (high + .05) / (low + .05);
    if (ratio < enough) poor.push([walker.currentNode.data.trim(), ratio.toFixed(2)]);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["normal", "recalled", "missing-legs", "suspected", "unknown"])
def test_contrast_is_enough_everywhere(site: str, browser: Browser, name: str, scheme: str) -> None:
    with opened(browser, site + PATHS[name], lang="en", color_scheme=scheme) as page:
        for details in page.locator("details").all():
            details.evaluate("element => { element.open = true }")
        assert page.evaluate(CONTRASTS) == []


def test_the_keyboard_reaches_everything_and_shows_where_it_is(site: str, browser: Browser) -> None:
    with opened(browser, site + PATHS["normal"]) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.keyboard.press("Tab")
        # The label that was enrolled comes first, then what can be opened.
        assert page.evaluate("document.activeElement.pathname").startswith("/check/")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.parentElement.open") is True


def test_the_language_switch(site: str, browser: Browser) -> None:
    with opened(browser, site + PATHS["normal"], lang="zh-CN") as page:
        page.get_by_role("link", name="English").click()
        assert page.evaluate("document.documentElement.lang") == "en"
        assert page.get_by_role("heading", level=1).inner_text() == "Registered code"
        page.get_by_role("link", name="中文").click()
        assert page.get_by_role("heading", level=1).inner_text() == "编码已登记"


def test_everything_is_there_without_scripts(site: str, browser: Browser) -> None:
    with opened(browser, site + PATHS["missing-legs"], lang="en", java_script_enabled=False) as page:
        assert page.get_by_role("heading", level=1).inner_text() == "Verified 3 times"
        page.locator("#verify-yourself > summary").click()
        assert page.get_by_text("suyuan verify bundle.json").is_visible()
        for details in page.locator("ol.facts details:not([open]) > summary").all():
            details.click()
        single = page.locator("ol.facts > li:not(:has(ol))").count()
        within = page.locator("ol.steps > li")
        assert single + within.count() == len(samples.journey_facts())
        assert within.last.is_visible()


def test_a_page_loads_its_style_sheet_and_nothing_else(site: str, browser: Browser) -> None:
    loaded: list[str] = []
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.on("response", lambda response: loaded.append(response.url))
    page.goto(site + PATHS["recalled"], wait_until="networkidle")
    context.close()
    assert 2 <= len(loaded) <= 3 and all(url.startswith(site) for url in loaded)


def test_a_recall_is_the_first_thing_seen(site: str, browser: Browser) -> None:
    with opened(browser, site + PATHS["recalled"], lang="en", width=390) as page:
        banner = page.get_by_role("alert")
        assert "RC-2025-0007" in banner.inner_text()
        assert banner.evaluate("element => element.getBoundingClientRect().bottom") < 780


@pytest.mark.skipif(
    "SUYUAN_TEST_SHOTS" not in os.environ, reason="set SUYUAN_TEST_SHOTS to a folder for screenshots"
)
@BOTH
@pytest.mark.parametrize("name", PATHS)
def test_screenshots(site: str, browser: Browser, name: str, lang: str) -> None:
    folder = Path(os.environ["SUYUAN_TEST_SHOTS"])
    with opened(browser, site + PATHS[name], lang=lang, width=390) as page:
        page.screenshot(path=folder / f"{name}-{lang}.png", full_page=True)
