"""Who looks at a page, as far as a request tells, and what the page says of it."""

from __future__ import annotations

from datetime import date

import pytest
import web_samples as samples

from suyuan.scans.page_views import at_least
from suyuan.web.language import language
from suyuan.web.model import ScanSummary
from suyuan.web.page import render_item_page
from suyuan.web.summary import views_text
from suyuan.web.verdict import verdict
from suyuan.web.viewing import is_look

PHONE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP1A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0"
    " Chrome/116.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.50 WeChat/arm64 Language/zh_CN"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
)


def look(method: str = "GET", **headers: str) -> bool:
    named = {"user-agent": PHONE, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return is_look(method, lambda name: named.get(name, ""))


@pytest.mark.parametrize("headers", [{}, {"user_agent": IPHONE}, {"sec_fetch_dest": "document"}])
def test_people_look(headers: dict[str, str]) -> None:
    assert look(**headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_purpose": "prefetch;prerender"},
        {"purpose": "prefetch"},
        {"x_moz": "prefetch"},
        {"x_purpose": "preview"},
        {"sec_fetch_dest": "empty"},
        {"sec_fetch_dest": "iframe"},
        {"user_agent": ""},
        {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
        {"user_agent": "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)"},
        {"user_agent": "facebookexternalhit/1.1"},
        {"user_agent": "curl/8.5.0"},
        {"user_agent": "python-httpx/0.27"},
        {"user_agent": "Mozilla/5.0 HeadlessChrome/126.0"},
    ],
)
def test_machines_and_pages_fetched_ahead_do_not(headers: dict[str, str]) -> None:
    assert not look(**headers)


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
def test_only_a_page_that_is_shown_counts(method: str) -> None:
    assert not look(method)


def test_views_are_told_in_steps() -> None:
    numbers = [0, 1, 2, 4, 5, 9, 10, 19, 20, 49, 50, 99, 100, 437, 999_999]
    assert [at_least(n) for n in numbers] == [0, 1, 2, 2, 5, 5, 10, 10, 20, 20, 50, 50, 100, 200, 500_000]


def test_the_page_says_opened_and_never_verified() -> None:
    scans = ScanSummary(count=0, seen=20, seen_since=date(2026, 11, 1))
    english, chinese = views_text(scans, language("en")), views_text(scans, language("zh-CN"))
    assert english.startswith("This page was opened at least 20 times since 1 Nov 2026.")
    assert "verifies nothing" in english
    assert chinese.startswith("自2026年11月1日以来，本页面至少被打开过 20 次。")
    assert "不等于验证" in chinese
    for lang, text in (("en", english), ("zh-CN", chinese)):
        page = render_item_page(samples.trace(), None, scans, None, lang, samples.SETTINGS)
        assert text in page
        assert verdict(samples.trace(), scans, language(lang)).code == "registered"
    for few in (None, ScanSummary(count=0, seen=1, seen_since=date(2026, 11, 1))):
        assert views_text(few, language("en")) == ""
