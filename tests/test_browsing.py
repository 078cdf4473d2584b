"""The browser of the tests hears what breaks in a page, and no test opens another."""

from __future__ import annotations

from pathlib import Path

import pytest

import browsing

BROKEN = {
    "thrown": "<script>setTimeout(() => { throw new Error('thrown'); })</script>",
    "rejected": "<script>Promise.reject(new Error('rejected'))</script>",
    "undefined": "<script>nowhere.at.all()</script>",
    "written": "<script>console.error('written')</script>",
}


@pytest.mark.parametrize("name", BROKEN)
async def test_what_breaks_in_a_page_is_heard(
    chromium_path: str, script_errors: list[str], name: str
) -> None:
    async with browsing.chromium(chromium_path) as browser:
        for opened in (await (await browser.new_context()).new_page(), await browser.new_page()):
            await opened.set_content(f"<p>there</p>{BROKEN[name]}")
            await opened.wait_for_timeout(50)
            assert len(script_errors) == 1, script_errors
            script_errors.clear()


def test_every_test_opens_this_browser() -> None:
    tests = Path(__file__).parent
    launched = "chromium" + ".launch("
    own = [
        str(path)
        for path in tests.rglob("*.py")
        if launched in path.read_text("utf-8") and path.name != "browsing.py"
    ]
    assert own == []
