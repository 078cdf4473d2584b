"""A serial's lot is a tie whatever characters lot and serial have: the class is spelt as its canonical URI is."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from suyuan.gs1.digital_link import parse
from suyuan.gs1.percent import encode_value
from suyuan.proof.ties import LOT_PATH, find_ties

GTIN = "https://id.gs1.org/01/08710000001236"
# GS1 General Specifications, character set 82, and the length that AI 10 and AI 21 allow.
SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
VALUES = st.text(SET_82, min_size=1, max_size=20)


@settings(max_examples=100, deadline=None)
@given(lot=VALUES, serial=VALUES)
@example(lot="L'25;2=1", serial="7'K;3=")
@example(lot="50%", serial="%41")
@example(lot="a/b?c", serial="1/22/3")
def test_every_valid_lot_ties_its_serials(lot: str, serial: str) -> None:
    item = parse(f"{GTIN}/21/{quote(serial, safe='')}").canonical
    class_uri = parse(f"{GTIN}/10/{quote(lot, safe='')}").canonical
    facts = [
        {"epcList": {item: None}, LOT_PATH: {lot: None}},
        {"quantityList/epcClass": {class_uri: None}},
        {"quantityList/epcClass": {f"{class_uri}X": None}},
    ]
    ways = find_ties(facts, item)
    assert {position: [tie.kind for tie in ways[position]] for position in ways} == {0: [], 1: ["lot"]}


@pytest.mark.parametrize("lot", ["L'25;2=1", "L25/1", "批号7"])
def test_a_lot_in_the_serials_own_link_ties_as_well(lot: str) -> None:

    class_uri = f"{GTIN}/10/{encode_value(lot)}"
    facts = [
        {"epcList": {f"{class_uri}/21/7K3": None}},
        {"quantityList/epcClass": {class_uri: None}},
    ]
    assert [tie.kind for tie in find_ties(facts, f"{class_uri}/21/7K3")[1]] == ["lot"]
