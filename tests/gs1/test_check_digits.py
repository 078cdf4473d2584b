"""Check digits against published numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.errors import InputError
from suyuan.gs1.check_digits import (
    air_waybill_check_digit,
    air_waybill_valid,
    check_digit,
    check_digit_valid,
    check_pair,
    check_pair_valid,
    container_check_digit,
    container_valid,
)

few = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize("number", ["09506000134352", "4006381333931", "96385074", "106141412345678908"])
def test_gs1_keys(number: str):
    assert check_digit(number[:-1]) == number[-1]
    assert check_digit_valid(number)


def test_containers():
    assert container_valid("COSU9876546")
    assert container_valid("CSQU3054383")  # the example of ISO 6346
    assert not container_valid("COSU9876545")
    assert not container_valid("COSU987654")
    assert container_check_digit("CSQU305438") == "3"


def test_air_waybills():
    assert air_waybill_valid("784-12345675")
    assert air_waybill_valid("78412345675")
    assert not air_waybill_valid("784-12345676")
    assert air_waybill_check_digit("1234567") == "5"


def test_check_pair():
    assert check_pair("1987654Ad4X4bL5ttr2310c") == "2K"  # General Specifications, example of a GMN
    assert check_pair_valid("1987654Ad4X4bL5ttr2310c2K")


@pytest.mark.parametrize(
    ("function", "text", "code"),
    [
        (check_digit, "12a", "gs1.check_digit.not_digits"),
        (check_digit, "", "gs1.check_digit.not_digits"),
        (check_digit, "١٢٣", "gs1.check_digit.not_digits"),
        (check_pair, "", "gs1.check_pair.text"),
        (check_pair, "x" * 98, "gs1.check_pair.text"),
        (container_check_digit, "COS9876546", "gs1.container.form"),
        (air_waybill_check_digit, "123456", "gs1.air_waybill.form"),
    ],
)
def test_other_texts_are_refused(function, text: str, code: str):
    with pytest.raises(InputError) as caught:
        function(text)
    assert caught.value.code == code


@few
@given(st.text(max_size=20))
def test_any_text_can_be_asked_about(text: str):
    for valid in (check_digit_valid, check_pair_valid, container_valid, air_waybill_valid):
        assert valid(text) in (True, False)


@few
@given(st.text("0123456789", min_size=1, max_size=17), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(body: str, position: int, change: int):
    number = body + check_digit(body)
    position %= len(number)
    wrong = number[:position] + str((int(number[position]) + change) % 10) + number[position + 1 :]
    assert not check_digit_valid(wrong)
