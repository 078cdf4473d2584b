"""Linksets and the choice of the link that answers a request."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.errors import InputError
from suyuan.gs1.digital_link import parse
from suyuan.gs1.link_choice import choose, weighted
from suyuan.gs1.linkset import (
    DEFAULT_LINK,
    PIP,
    TRACEABILITY,
    Link,
    check_link,
    check_links,
    context_header,
    full_link_type,
    levels,
    link_header,
    linkset,
    resolver_description,
    with_query,
)

GTIN = "https://id.gs1.org/01/09506000134352"
ITEM = f"{GTIN}/21/A1"
LOT = f"{GTIN}/10/L1"
ANCHORS = levels(parse(f"{GTIN}/10/L1/21/A1"))

PAGE = Link(anchor=GTIN, link_type=PIP, href="https://brand.example/page", title="Page", default=True)
CHINESE = Link(
    anchor=GTIN,
    link_type=TRACEABILITY,
    href="https://brand.example/zh",
    title="溯源",
    hreflang=("zh-CN",),
    media_type="text/html",
)
ENGLISH = replace(CHINESE, href="https://brand.example/en", title="Trace", hreflang=("en",))
DATA = replace(
    CHINESE, href="https://brand.example/data", title="Data", hreflang=(), media_type="application/json"
)
LINKS = [PAGE, CHINESE, ENGLISH, DATA]


def targets(**request: str) -> list[str]:
    return [
        link.href.removeprefix("https://brand.example/") for link in choose(LINKS, ANCHORS, **request).links
    ]


def test_levels_go_from_the_item_to_the_gtin():
    assert ANCHORS == (ITEM, LOT, GTIN)
    assert levels(parse("https://a/414/9506000134352")) == ("https://id.gs1.org/414/9506000134352",)


def test_a_bare_request_goes_to_the_default_link_whatever_it_accepts():
    choice = choose(LINKS, ANCHORS, accept="application/json", accept_language="zh-CN")
    assert (choice.outcome, choice.status, choice.links) == ("redirect", 307, (PAGE,))


def test_the_finer_level_outranks():
    item = replace(PAGE, anchor=ITEM, href="https://brand.example/item")
    lot = replace(PAGE, anchor=LOT, href="https://brand.example/lot")
    assert choose([PAGE, lot, item], ANCHORS).links == (item,)
    assert choose([PAGE, lot], ANCHORS, link_type="gs1:pip").links == (lot,)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"accept_language": "zh-CN,en;q=0.5"}, ["zh"]),
        ({"accept_language": "zh"}, ["zh"]),
        ({"accept_language": "en-GB"}, ["en"]),
        ({"accept_language": "fr, en;q=0.1"}, ["en"]),
        ({"accept_language": "zh-Hant-x-a"}, ["data"]),
        ({"accept_language": "fr"}, ["data"]),
        ({"accept": "application/json"}, ["data"]),
        ({"accept": "text/*", "accept_language": "EN"}, ["en"]),
        ({"accept": "image/png,*/*;q=0.1", "accept_language": "en"}, ["en"]),
        ({}, ["zh", "en", "data"]),
        ({"accept": "text/html"}, ["zh", "en"]),
        ({"accept_language": "*"}, ["zh", "en", "data"]),
    ],
)
def test_language_and_media_type(request_: dict[str, str], expected: list[str]):
    choice = choose(LINKS, ANCHORS, link_type="gs1:traceability", **request_)
    assert targets(link_type="gs1:traceability", **request_) == expected
    assert choice.status == (307 if len(expected) == 1 else 300)


def test_context_restricts():
    china = replace(DATA, href="https://brand.example/cn", context=("CN",))
    links = [DATA, china]
    assert choose(links, ANCHORS, link_type=TRACEABILITY, context="cn").links == (china,)
    assert choose(links, ANCHORS, link_type=TRACEABILITY, context="FR").links == (DATA,)
    assert choose(links, ANCHORS, link_type=TRACEABILITY).links == (DATA,)


def test_missing_type_linkset_and_bad_type():
    assert choose(LINKS, ANCHORS, link_type="gs1:dpp").status == 404
    assert choose(LINKS, ("https://id.gs1.org/01/1",)).status == 404
    assert choose(LINKS, ANCHORS, link_type="linkset").outcome == "linkset"
    assert choose(LINKS, ANCHORS, accept="application/linkset+json").outcome == "linkset"
    assert choose(LINKS, ANCHORS, link_type="gs1:defaultLink").links == (PAGE,)
    with pytest.raises(InputError, match=r"gs1\.link\.type"):
        choose(LINKS, ANCHORS, link_type="no such <type>")


def test_weights():
    assert weighted("a;q=0.1, b, c;q=0, d;q=1.0, e;q=x") == ["b", "d", "a"]


def test_a_linkset_keeps_the_rules_of_its_schema():
    item = replace(DATA, anchor=ITEM, context=("CN",), forward_query=False)
    document = linkset([*LINKS, item], {GTIN: "Milk powder"})
    json.dumps(document)
    assert [entry["anchor"] for entry in document["linkset"]] == [GTIN, ITEM]
    assert document["linkset"][0]["itemDescription"] == "Milk powder"
    assert document["linkset"][0][DEFAULT_LINK] == [{"href": PAGE.href, "title": "Page"}]
    for entry in document["linkset"]:
        for relation, found in entry.items():
            if relation in {"anchor", "itemDescription"}:
                continue
            assert re.fullmatch(r"[a-z-]+|https?://[A-Za-z0-9./]+", relation)
            for target in found:
                assert {"href", "title"} <= target.keys()
                assert target.keys() <= {"href", "title", "hreflang", "type", "context", "fwqs", "public"}
                assert all(re.fullmatch(r"\w{2}|\w{2}-\w{2}", tag) for tag in target.get("hreflang", []))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"href": "ftp://a"}, "gs1.link.href"),
        ({"href": "https://a/ b"}, "gs1.link.href"),
        ({"title": " "}, "gs1.link.title"),
        ({"link_type": "gs1:pip"}, "gs1.link.link_type"),
        ({"link_type": DEFAULT_LINK}, "gs1.link.link_type"),
        ({"link_type": "?"}, "gs1.link.type"),
        ({"hreflang": ("zh-Hans",)}, "gs1.link.hreflang"),
        ({"media_type": "html"}, "gs1.link.media_type"),
        ({"anchor": f"{GTIN}/10/L/21/S"}, "gs1.link.anchor"),
    ],
)
def test_links_that_break_a_rule(change: dict, code: str):
    with pytest.raises(InputError) as caught:
        check_link(replace(PAGE, **change))
    assert caught.value.code == code


def test_exactly_one_default():
    for links in ([PAGE, PAGE], [CHINESE]):
        with pytest.raises(InputError, match=r"gs1\.link\.defaults"):
            check_links(links)
    check_links([])


def test_headers_and_query():
    assert link_header("https://id.example.com/01/1?linkType=linkset") == (
        '<https://id.example.com/01/1?linkType=linkset>; rel="linkset"; type="application/linkset+json"'
    )
    assert "json-ld#context" in context_header()
    assert with_query(PAGE, "foo=bar;x=%2F") == "https://brand.example/page?foo=bar;x=%2F"
    assert with_query(replace(PAGE, href="https://a/?b#c"), "d") == "https://a/?b&d#c"
    assert with_query(replace(PAGE, forward_query=False), "d") == PAGE.href


def test_description_refuses_what_a_resolver_cannot_say():
    with pytest.raises(InputError, match=r"gs1\.resolver\.root"):
        resolver_description("id.example.com", "Example")
    with pytest.raises(InputError, match=r"gs1\.resolver\.keys"):
        resolver_description("https://id.example.com", "Example", keys=["99"])


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.none() | st.text(max_size=20))
def test_any_request_gets_an_outcome_or_our_own_error(accept: str, language: str, link_type: str | None):
    try:
        choice = choose(LINKS, ANCHORS, link_type=link_type, accept=accept, accept_language=language)
    except InputError as error:
        assert error.code == "gs1.link.type"
    else:
        assert choice.status in {200, 300, 307, 404}
        assert (choice.outcome == "redirect") == (len(choice.links) == 1)


def test_short_and_full_link_types():
    assert full_link_type("gs1:pip") == PIP == full_link_type(PIP)
    assert full_link_type("describedby") == "describedby"
