"""The console in a real browser: signing in with a code, keys, landmarks, labels, contrast, weight.

Each combination of language, colour scheme and width is looked at by rules here; ``SUYUAN_TEST_SHOTS`` names a folder
that gets a picture of each.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from console_site import PASSWORD, Person, Site
from playwright.async_api import Browser, BrowserContext, Page

import browsing
from suyuan.db.pool import transaction
from suyuan.parties.users import add_user
from suyuan.parties.users_links import make_link

PAGES = {
    "home": "/console",
    "account": "/console/account",
    "users": "/console/users",
    "journal": "/console/journal",
    "second-factor": "/console/account/second-factor",
    "nowhere": "/console/nowhere",
}
WIDTHS = {"phone": (390, 844), "desk": (1280, 800)}
LIMIT_BYTES = 100_000
# Colours as they meet on the page: each text against the nearest opaque ground behind it.
CONTRAST = """() => {
  const parse = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const f = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const c = parse(getComputedStyle(at).backgroundColor);
      if (c.length === 3 || c[3] > 0.99) return c;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !node.checkVisibility()) continue;
    if (node.closest(".unseen,.skip,svg")) continue;
    const style = getComputedStyle(node);
    const [a, b] = [light(parse(style.color)), light(ground(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.push(`${walker.currentNode.textContent.trim()}: ${ratio.toFixed(2)}`);
  }
  return faint;
}"""
UNNAMED = """() => [...document.querySelectorAll("a,button,input:not([type=hidden]),select,textarea,summary")]
  .filter((one) => one.checkVisibility() && one.getAttribute("aria-hidden") !== "true")
  .filter((one) => !(one.labels && [...one.labels].some((l) => l.textContent.trim())) && !one.textContent.trim()
    && !one.getAttribute("aria-label"))
  .map((one) => one.outerHTML)"""


@pytest.fixture(scope="module")
async def chromium(chromium_path: str) -> AsyncIterator[Browser]:
    async with browsing.chromium(chromium_path) as browser:
        yield browser


async def context(
    chromium: Browser, site: Site, person: Person | None = None, **given: Any
) -> BrowserContext:
    opened = await chromium.new_context(**given)
    if person is not None:
        cookie = {"name": "suyuan_session", "value": await site.session(person), "url": site.base}
        await opened.add_cookies([cookie])  # type: ignore[list-item]
    return opened


async def shot(page: Page, name: str) -> None:
    folder = os.environ.get("SUYUAN_TEST_SHOTS")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


async def test_a_person_sets_up_signs_out_and_signs_in_by_keyboard(chromium: Browser, site: Site) -> None:
    pool = site.services.pool
    user = await add_user(pool, "lin", "haimen", "admin")
    secret, _ = await transaction(pool, lambda conn: make_link(conn, user.user_id, "set-up"))
    opened = await context(chromium, site, locale="en-GB")
    page = await opened.new_page()
    await page.goto(f"{site.base}/console/link/{secret}")
    await shot(page, "set-up")
    totp = (await page.locator(".secret").inner_text()).replace(" ", "")
    person = Person(user, totp, [])
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_label("Once more").fill(PASSWORD)
    await page.get_by_label("The six digits it shows").fill(person.code())
    await page.keyboard.press("Enter")
    await page.locator(".codes li").first.wait_for()
    assert await page.locator(".codes li").count() == 10
    await shot(page, "recovery-codes")
    code = await page.locator(".codes li").first.inner_text()
    await page.get_by_role("link", name="I have kept them").click()
    await page.wait_for_url(f"{site.base}/console")
    assert await page.locator("h1").inner_text() == "Find an item, a consignment, a paper"
    await page.get_by_role("button", name="Sign out").click()
    assert await page.locator(".message.good").inner_text() == "You are signed out."
    await shot(page, "sign-in")
    await page.keyboard.type("lin")
    await page.keyboard.press("Tab")
    await page.keyboard.type("a wrong password")
    await page.keyboard.press("Enter")
    await page.get_by_role("alert").wait_for()
    assert "Name or password is wrong" in await page.get_by_role("alert").inner_text()
    assert await page.evaluate("document.activeElement.name") == "password", (
        "the name stays, the password is asked"
    )
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.get_by_label("Code").wait_for()
    await shot(page, "second-step")
    await page.keyboard.type(code)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{site.base}/console")
    await opened.close()


async def test_slash_finds_the_search_and_the_first_tab_skips_to_the_content(
    chromium: Browser, site: Site
) -> None:
    chen = await site.person("chen", party="op", role="admin")
    opened = await context(chromium, site, chen)
    page = await opened.new_page()
    await page.goto(f"{site.base}/console/users")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "main"
    await page.keyboard.press("/")
    assert await page.evaluate("document.activeElement.id") == "find"
    assert await page.locator("#find").input_value() == ""
    await opened.close()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_are_readable_named_and_within_their_width(
    chromium: Browser, site: Site, language: str, scheme: str
) -> None:
    chen = await site.person("chen", party="op", role="admin", language=language)
    await site.person("lin")
    await add_user(site.services.pool, "new.hand", "haimen", "reader")
    async with site.browser() as guesser:
        from console_site import post

        await post(guesser, "/console/sign-in", "/console/sign-in", name="lin", password="wrong")
    for size, (width, height) in WIDTHS.items():
        view = {"width": width, "height": height}
        opened = await context(chromium, site, chen, viewport=view, color_scheme=scheme)
        page = await opened.new_page()
        for name, path in PAGES.items():
            answer = await page.goto(site.base + path)
            assert answer is not None
            assert answer.status == (404 if name == "nowhere" else 200), path
            where = f"{name} {language} {scheme} {size}"
            await shot(page, where.replace(" ", "-"))
            assert await page.evaluate(CONTRAST) == [], where
            assert await page.evaluate(UNNAMED) == [], where
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, where
            assert await page.locator("h1").count() == 1, where
            assert await page.get_attribute("html", "lang") == language
            for landmark in ("banner", "main", "navigation"):
                assert await page.get_by_role(landmark).count() >= 1, where  # type: ignore[arg-type]
        current = page.locator("nav [aria-current=page]")
        await page.goto(site.base + "/console/users")
        assert await current.count() == 1
        await opened.close()


async def test_a_page_weighs_little_and_works_without_scripts(chromium: Browser, site: Site) -> None:
    chen = await site.person("chen", party="op", role="admin", language="en")
    for number in range(40):
        await add_user(site.services.pool, f"user{number}", "haimen", "worker")
    opened = await context(chromium, site, chen, java_script_enabled=False)
    page = await opened.new_page()
    for path in PAGES.values():
        loaded: list[str] = []
        page.on("response", lambda answer: loaded.append(answer.url))  # noqa: B023
        await page.goto(site.base + path, wait_until="networkidle")
        assert all(url.startswith(site.base) for url in loaded)
        total = 0
        async with site.browser(cookies={"suyuan_session": await site.session(chen)}) as client:
            for url in set(loaded):
                total += len((await client.get(url)).content)
        assert total <= LIMIT_BYTES, f"{path}: {total}"
    await page.goto(f"{site.base}/console/users")
    await page.get_by_label("User name").fill("xia")
    await page.get_by_role("button", name="Add").click()
    assert re.search(r"/console/link/[a-z2-7]{52}$", await page.locator("#link").inner_text())
    await opened.close()
