"""Chromium for the tests of pages. What breaks in a page's scripts is heard here, and fails the test that opened it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

from playwright import async_api, sync_api

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# Uncaught script errors and console errors of all pages since the test began.
HEARD: list[str] = []
# No error of a script: a door that refused what was sent, and a network that a test took away.
_NETWORK = re.compile(
    r"Failed to load resource: "
    r"(?:the server responded with a status of 4\d\d|net::ERR_(?:INTERNET_DISCONNECTED|FAILED))"
)


def _heed(context: Any) -> None:
    context.on("weberror", lambda error: HEARD.append(f"uncaught: {error.error}"))
    context.on("console", _hear)


def _hear(message: Any) -> None:
    if message.type == "error" and not _NETWORK.match(message.text):
        HEARD.append(f"console: {message.text}")


@contextlib.asynccontextmanager
async def chromium(path: str, *more: str) -> AsyncIterator[async_api.Browser]:
    """A browser whose pages are heard; ``more`` are arguments of its own, such as a camera's."""
    async with async_api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *more])
        plain_context, plain_page = browser.new_context, browser.new_page

        async def new_context(**given: Any) -> async_api.BrowserContext:
            context = await plain_context(**given)
            _heed(context)
            return context

        async def new_page(**given: Any) -> async_api.Page:
            page = await plain_page(**given)
            _heed(page.context)
            return page

        browser.new_context, browser.new_page = new_context, new_page  # type: ignore[method-assign]
        yield browser
        await browser.close()


@contextlib.contextmanager
def chromium_sync(path: str) -> Iterator[sync_api.Browser]:
    """``chromium`` for tests without a loop."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        plain_context, plain_page = browser.new_context, browser.new_page

        def new_context(**given: Any) -> sync_api.BrowserContext:
            context = plain_context(**given)
            _heed(context)
            return context

        def new_page(**given: Any) -> sync_api.Page:
            page = plain_page(**given)
            _heed(page.context)
            return page

        browser.new_context, browser.new_page = new_context, new_page  # type: ignore[method-assign]
        yield browser
        browser.close()
