"""Languages: the catalogue is whole and fresh, the choice follows the request, dates read naturally."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.web import catalogue
from suyuan.web.language import choose_language, in_zone, language, machine_time


def forms(message) -> tuple[str, ...]:
    return message if isinstance(message, tuple | list) else (message,)


def test_the_catalogue_has_exactly_the_messages_of_the_sources() -> None:
    wanted = {forms(message.id) for message in catalogue.sources() if message.id}
    kept = {forms(message.id) for message in catalogue.stored() if message.id}
    remedy = "run: python -m suyuan.web.catalogue"
    assert wanted - kept == set(), remedy
    assert kept - wanted == set(), remedy


def test_every_message_is_translated_and_none_is_fuzzy() -> None:
    stored = catalogue.stored()
    assert catalogue.untranslated(stored) == []
    assert [message.id for message in stored if message.fuzzy and message.id] == []


def test_translations_keep_their_placeholders_and_tags() -> None:
    for message in catalogue.stored():
        if not message.id:
            continue
        wanted = {found for form in forms(message.id)[-1:] for found in catalogue.PLACEHOLDER.findall(form)}
        for form in forms(message.string):
            assert set(catalogue.PLACEHOLDER.findall(form)) == wanted, message.id
            assert form.count("<b>") == forms(message.id)[0].count("<b>")


@pytest.mark.parametrize(
    ("query", "header", "expected"),
    [
        (None, None, "zh-CN"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "zh-TW,zh;q=0.9,en;q=0.8", "zh-CN"),
        (None, "fr,en;q=0.3,zh;q=0.7", "zh-CN"),
        (None, "fr, en;q=0", "zh-CN"),
        (None, "en;q=x", "zh-CN"),
        (None, "de", "zh-CN"),
        ("en", "zh-CN", "en"),
        ("zh-CN", "en", "zh-CN"),
        ("xx", "en", "en"),
        ("", "en", "en"),
    ],
)
def test_the_choice_of_language(query: str | None, header: str | None, expected: str) -> None:
    assert choose_language(query, header) == expected


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.text(max_size=200))
def test_any_header_gives_a_language(query: str, header: str) -> None:
    assert choose_language(query, header) in ("zh-CN", "en")


def test_moments() -> None:
    when = datetime(2025, 8, 20, 3, 40, tzinfo=UTC)
    assert language("en").moment(when, "+02:00") == "20 Aug 2025, 05:40 (UTC+2)"
    assert language("zh-CN").moment(when, "+05:30") == "2025年8月20日 09:10（UTC+5:30）"
    assert language("en").moment(when, "-04:00") == "19 Aug 2025, 23:40 (UTC−4)"
    assert language("en").moment(when, "-04:00", day_only=True) == "19 Aug 2025"
    assert machine_time(when, "-04:00") == "2025-08-19T23:40:00-04:00"
    assert machine_time(when, "+08:00", day_only=True) == "2025-08-20"


@pytest.mark.parametrize(
    ("first", "last", "english", "chinese"),
    [
        ("2025-08-04", "2025-08-04", "4 Aug 2025", "2025年8月4日"),
        ("2025-08-04", "2025-08-14", "4–14 Aug 2025", "2025年8月4–14日"),
        ("2025-09-24", "2025-10-09", "24 Sep – 9 Oct 2025", "2025年9月24日–10月9日"),
        ("2025-12-30", "2026-01-02", "30 Dec 2025 – 2 Jan 2026", "2025年12月30日–2026年1月2日"),
    ],
)
def test_spans(first: str, last: str, english: str, chinese: str) -> None:
    start, end = (in_zone(datetime.fromisoformat(day).replace(tzinfo=UTC), "+00:00") for day in (first, last))
    assert language("en").span(start, end) == english
    assert language("zh-CN").span(start, end) == chinese


def test_names_fall_back_to_the_other_language_rather_than_to_nothing() -> None:
    assert language("en").name("", "南沙") == "南沙"
    assert language("zh-CN").of({"brand_en": "Groene Wei"}, "brand") == "Groene Wei"
    assert language("en").of({"brand": "GW", "brand_zh": "绿野"}, "brand") == "GW"
    assert language("en").of({}, "brand") == ""
