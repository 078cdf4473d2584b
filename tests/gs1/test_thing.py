"""Keys, classes and kinds of things."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.gs1.thing import kind, thing_class, thing_key

GTIN = "https://id.gs1.org/01/09506000134352"


@pytest.mark.parametrize(
    ("uri", "expected_kind", "expected_class"),
    [
        (GTIN, "class", GTIN),
        (f"{GTIN}/21/A", "item", GTIN),
        (f"{GTIN}/235/A", "item", GTIN),
        (f"{GTIN}/10/A%2F21%2FB", "lot", GTIN),
        ("https://id.gs1.org/00/395060001343521217", "sscc", "https://id.gs1.org/00/39506000"),
        ("https://id.gs1.org/414/9506000134352/254/7", "location", "https://id.gs1.org/414/9506000134352"),
        ("https://id.gs1.org/417/9506000134352", "party", "https://id.gs1.org/417/9506000134352"),
        ("https://id.gs1.org/253/9506000134352X", "document", "https://id.gs1.org/253/9506000134352"),
        ("https://id.gs1.org/8003/09506000134352X", "asset", "https://id.gs1.org/8003/09506000134352"),
        ("https://id.gs1.org/8010/9506000AB/8011/1", "item", "https://id.gs1.org/8010/9506000AB"),
        ("urn:epc:id:bic:COSU9876546", "container", "urn:epc:id:bic:COSU"),
        ("urn:epc:id:imovn:9506000", "vessel", "urn:epc:id:imovn"),
        ("urn:suyuan:waybill:abcdef", "parcel", "urn:suyuan:waybill"),
        ("urn:suyuan:raw:waybill:SF:1", "parcel", "urn:suyuan:raw:waybill"),
        ("urn:suyuan:declaration:516620251000123456", "declaration", "urn:suyuan:declaration"),
        ("urn:suyuan:ledger-item:T5165W000123:17", "ledger-item", "urn:suyuan:ledger-item"),
        ("urn:suyuan:place:CNNSA:5165", "location", "urn:suyuan:place"),
        ("urn:suyuan:", "other", "urn:suyuan:"),
        ("https://maker.example/obj/bag.0001", "item", "https://maker.example/obj/bag"),
        ("https://maker.example/obj/bag", "class", "https://maker.example/obj/bag"),
        ("https://maker.example/x/y", "other", "https://maker.example"),
        ("geo:1,2", "other", "geo"),
    ],
)
def test_kinds_and_classes(uri: str, expected_kind: str, expected_class: str):
    assert kind(uri) == expected_kind
    assert thing_class(uri) == expected_class


def test_the_key_is_six_bytes_of_the_class_and_ten_of_the_thing():
    uri = f"{GTIN}/21/A"
    assert thing_key(uri) == sha256(GTIN.encode()).digest()[:6] + sha256(uri.encode()).digest()[:10]
    assert thing_key(uri)[:6] == thing_key(f"{GTIN}/10/L")[:6]


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=60))
def test_any_text_has_a_key_and_a_kind(uri: str):
    assert len(thing_key(uri)) == 16
    assert kind(uri)
    assert uri.startswith(thing_class(uri))
