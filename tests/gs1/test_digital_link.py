"""Digital Links: codes of refusals, canonical form, and what holds for any text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.errors import InputError
from suyuan.gs1.check_digits import check_digit
from suyuan.gs1.digital_link import (
    build,
    canonical,
    canonical_or_same,
    check_uri,
    parse,
    without_trailing_slash,
)

BASE = "https://id.example.com/01/09506000134352"
SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

few = settings(max_examples=80, deadline=None)
gtins = (
    st.integers(0, 10**13 - 1).map(lambda number: f"{number:013d}").map(lambda body: body + check_digit(body))
)
serials = st.text(SET_82, min_size=1, max_size=20)
near_links = st.lists(
    st.sampled_from(
        ["https://", "HTTP://", "a.example", "/01/", "/21/", "/10/", "/gtin/", "/8003/", "/00/", "/", "?",
         "#", "09506000134352", "9506000134352", "A1", "%2F", "%", "%00", "&17=261231", "&99=", "=",
         "urn:epc:id:", "sgtin:", "950600.0134352.", "*", "é", "\n", " "]
    ),
    max_size=9,
).map("".join)  # fmt: skip


def refusal(uri: str, **options: bool) -> str:
    with pytest.raises(InputError) as caught:
        parse(uri, **options)
    return caught.value.code


def test_a_link_taken_apart():
    link = parse("https://example.com/some/stem/01/09506000134352/10/L%2F1/21/A(1?17=271231&foo=b;r&x#f")
    assert link.stem == "https://example.com/some/stem"
    assert (link.gtin, link.lot, link.serial) == ("09506000134352", "L/1", "A(1")
    assert link.attributes == (("17", "271231"),)
    assert link.parameters == ("foo=b;r", "x")
    assert link.fragment == "f"
    assert link.element_string == "(01)09506000134352(10)L/1(21)A\\(1(17)271231"
    assert link.canonical == "https://id.gs1.org/01/09506000134352/21/A%281"


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("", "gs1.uri.scheme"),
        ("ftp://a/01/09506000134352", "gs1.uri.scheme"),
        ("Https://a/01/09506000134352", "gs1.uri.scheme"),
        ("https://a b/01/09506000134352", "gs1.uri.character"),
        ("https://a/01/09506000134352/21/é", "gs1.uri.character"),
        ("https:///01/09506000134352", "gs1.uri.host"),
        ("https://u@a/01/09506000134352", "gs1.uri.host"),
        ("https://example.com", "gs1.uri.host"),
        ("https://example.com/shop", "gs1.uri.no_key"),
        ("https://example.com/gtin/09506000134352", "gs1.uri.no_key"),
        (BASE + "/foo", "gs1.uri.no_key"),
        (BASE + "/", "gs1.uri.trailing_slash"),
        (BASE + "/21/", "gs1.ai.empty"),
        ("https://id.example.com/01/09506000134353", "gs1.ai.check_digit"),
        ("https://id.example.com/01/9506000134352", "gs1.ai.too_short"),
        (BASE + "/21/" + "A" * 21, "gs1.ai.too_long"),
        (BASE + "/21/A%00", "gs1.ai.character"),
        (BASE + "/21/A/10/B", "gs1.ai.order"),
        (BASE + "/10/A/10/B", "gs1.ai.order"),
        (BASE + "/17/271231", "gs1.ai.order"),
        (BASE + "?17=271331", "gs1.ai.month"),
        (BASE + "?17=270230", "gs1.ai.date"),
        (BASE + "?422=999", "gs1.ai.country"),
        (BASE + "?10=A", "gs1.ai.in_query"),
        (BASE + "?21=A", "gs1.ai.not_attribute"),
        (BASE + "?99=A&99=A", "gs1.ai.duplicate"),
        (BASE + "?37=5", "gs1.ai.excluded"),
        (BASE + "?8030=AAAA", "gs1.ai.missing"),
        ("https://id.example.com/253/9506000134352?8030=AAAA", "gs1.ai.unserialised"),
        (BASE + "?05=1", "gs1.ai.unknown"),
        (BASE + "?a=1&=2", "gs1.ai.unknown"),
        (BASE + "?" + "&".join("abcdefg"[n % 7] for n in range(65)), "gs1.uri.too_many"),
    ],
)
def test_refusals_have_stable_codes(uri: str, code: str):
    assert refusal(uri) == code


def test_older_forms_are_read_when_asked_for():
    link = parse("https://example.com/gtin/9506000134352/ser/7", older_forms=True)
    assert link.ais == {"01": "09506000134352", "21": "7"}


@pytest.mark.parametrize(
    ("uri", "same"),
    [
        ("https://a/01/1/", "https://a/01/1"),
        ("https://a/01/1/?x=/", "https://a/01/1?x=/"),
        ("https://a/01/1/#f", "https://a/01/1#f"),
        ("https://a/01/1?x/", "https://a/01/1?x/"),
        ("", ""),
    ],
)
def test_one_trailing_slash_is_stripped(uri: str, same: str):
    assert without_trailing_slash(uri) == same


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("HTTPS://ID.EXAMPLE.CN/01/09506000134352/21/ABC", "https://id.gs1.org/01/09506000134352/21/ABC"),
        (
            "https://a.cn/01/09506000134352/10/L1/21/a%2fb?x=1#f",
            "https://id.gs1.org/01/09506000134352/21/a%2Fb",
        ),
        ("https://a.cn/01/09506000134352/21/a:b", "https://id.gs1.org/01/09506000134352/21/a%3Ab"),
        ("https://a.cn/gln/9506000134352/glnx/7", "https://id.gs1.org/414/9506000134352/254/7"),
        ("urn:epc:id:sgtin:9506000.013435.a%2fb", "https://id.gs1.org/01/09506000134352/21/a%2Fb"),
        ("urn:epc:class:lgtin:9506000.013435.L(1", "https://id.gs1.org/01/09506000134352/10/L%281"),
        ("urn:epc:id:sgln:9506000.01343.0", "https://id.gs1.org/414/9506000013435"),
        ("urn:epc:id:upui:9506000.013435.51qIgY)", "https://id.gs1.org/01/09506000134352/235/51qIgY%29"),
        ("urn:epc:id:bic:COSU9876546", None),
        ("urn:suyuan:raw:order:shop:1", None),
        ("https://example.com/01/97803", None),
        ("https://example.com/01/09506000134352/21/a/10/b", None),
        ("https://example.com/8017/123456789012345678/8019/1", None),
        ("geo:1,2", None),
    ],
)
def test_canonical_form(uri: str, expected: str | None):
    assert canonical(uri) == expected
    assert canonical_or_same(uri) == (expected or uri)


def test_check_uri_says_everything_about_a_urn():
    told = check_uri("urn:epc:id:sgtin:9506000.013435.A1")
    assert told == {
        "uri": "urn:epc:id:sgtin:9506000.013435.A1",
        "valid": True,
        "error": None,
        "ais": "(01)09506000134352(21)A1",
        "canonical": "https://id.gs1.org/01/09506000134352/21/A1",
        "urn": "urn:epc:id:sgtin:9506000.013435.A1",
    }
    assert check_uri("urn:epc:id:bic:COSU9876546")["error"].startswith("gs1.epc.form")


@few
@given(st.one_of(st.text(max_size=80), near_links))
def test_any_text_gives_a_link_or_our_own_error(text: str):
    for options in ({}, {"older_forms": True}, {"content": False}):
        try:
            link = parse(text, **options)
        except InputError as error:
            assert error.code.startswith("gs1.")
            assert error.reason
        else:
            assert link.uri == text
    told = check_uri(text)
    assert told["valid"] == (told["error"] is None) == (told["ais"] is not None)


@few
@given(st.one_of(st.text(max_size=80), near_links))
def test_canonical_is_idempotent(text: str):
    found = canonical(text)
    if found is not None:
        assert canonical(found) == found


@few
@given(gtins, serials, st.text(SET_82, min_size=1, max_size=20))
def test_a_built_link_reads_back_and_drops_the_lot(gtin: str, serial: str, lot: str):
    uri = build((("01", gtin), ("10", lot), ("21", serial)), "https://example.com/stem/")
    link = parse(uri)
    assert link.ais == {"01": gtin, "10": lot, "21": serial}
    assert link.canonical == build((("01", gtin), ("21", serial)))
    assert (
        canonical(uri)
        == canonical(uri.replace("https://example.com", "HTTPS://EXAMPLE.COM"))
        == link.canonical
    )
