"""Serials with a MAC, and the URI that is printed."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.errors import InputError
from suyuan.gs1.digital_link import canonical, parse
from suyuan.gs1.serials import ALPHABET, check_serial, item_uri, new_serials, serial_epoch

GTIN = "09506000134352"
KEY = bytes(range(32))
KEYS = {"A": KEY, "B": b"another key of 32 bytes in length"}


def test_new_serials_have_the_form_and_pass():
    issued = new_serials(GTIN, "A", KEY, 500)
    assert len(set(issued)) == 500
    for serial in issued:
        assert len(serial) == 20
        assert set(serial) <= set(ALPHABET)
        assert serial_epoch(serial) == "A"
        assert check_serial(GTIN, serial, KEYS)


def test_the_mac_is_40_bits_of_hmac_over_gtin_epoch_and_random():
    (serial,) = new_serials(GTIN, "A", KEY, 1, bytes)
    assert serial[:12] == "A" + "0" * 11
    mac = hmac.digest(KEY, (GTIN + serial[:12]).encode(), "sha256")[:5]
    bits = int.from_bytes(mac, "big")
    assert serial[12:] == "".join(ALPHABET[bits >> shift & 31] for shift in range(35, -1, -5))


def test_a_long_key_is_hashed_first_as_hmac_says():
    key = b"k" * 100
    (serial,) = new_serials(GTIN, "0", key, 1)
    assert check_serial(GTIN, serial, {"0": key})


def test_equal_random_parts_are_drawn_again():
    draws = iter([bytes(22), bytes(range(11))])
    issued = new_serials(GTIN, "A", KEY, 2, lambda size: next(draws)[:size])
    assert len(set(issued)) == 2


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 19), st.sampled_from(ALPHABET))
def test_any_changed_character_is_noticed(position: int, character: str):
    (serial,) = new_serials(GTIN, "A", KEY, 1, lambda size: bytes(range(size)))
    forged = serial[:position] + character + serial[position + 1 :]
    assert check_serial(GTIN, forged, KEYS) == (forged == serial)


def test_other_gtin_epoch_or_key_do_not_pass():
    (serial,) = new_serials(GTIN, "A", KEY, 1)
    assert not check_serial("09506000164908", serial, KEYS)
    assert not check_serial(GTIN, serial, {"B": KEY})
    assert not check_serial(GTIN, serial, {"A": KEYS["B"]})
    assert not check_serial("9506000134352", serial, KEYS)
    assert not check_serial(GTIN, serial.lower(), KEYS)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=24), st.text(max_size=24))
def test_any_text_is_no_serial(gtin: str, serial: str):
    assert not check_serial(gtin, serial, KEYS)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("9506000134352", "A", KEY, 1), "gs1.serial.gtin"),
        (("09506000134353", "A", KEY, 1), "gs1.serial.gtin"),
        ((GTIN, "U", KEY, 1), "gs1.serial.epoch"),
        ((GTIN, "AB", KEY, 1), "gs1.serial.epoch"),
        ((GTIN, "A", b"short", 1), "gs1.serial.key"),
        ((GTIN, "A", KEY, -1), "gs1.serial.count"),
    ],
)
def test_bad_orders_are_refused(arguments: tuple[str, str, bytes, int], code: str):
    with pytest.raises(InputError) as caught:
        new_serials(*arguments)
    assert caught.value.code == code


def test_none_ordered_none_made():
    assert new_serials(GTIN, "A", KEY, 0) == []


def test_the_printed_uri():
    (serial,) = new_serials(GTIN, "A", KEY, 1)
    uri = item_uri("id.example.com:8080", GTIN, serial)
    assert uri == f"HTTPS://ID.EXAMPLE.COM:8080/01/{GTIN}/21/{serial}"
    assert len(uri) <= 70
    assert canonical(uri) == f"https://id.gs1.org/01/{GTIN}/21/{serial}"
    assert parse(uri).serial == serial
    assert item_uri("ID.example.com", GTIN, "a/1", upper_case=False) == (
        f"https://id.example.com/01/{GTIN}/21/a%2F1"
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("", GTIN, "1"), "gs1.item_uri.host"),
        (("a b", GTIN, "1"), "gs1.item_uri.host"),
        (("a", "1", "1"), "gs1.item_uri.gtin"),
        (("a", GTIN, ""), "gs1.item_uri.serial"),
        (("a", GTIN, "x"), "gs1.item_uri.serial"),
        (("a" * 40, GTIN, "1" * 20), "gs1.item_uri.too_long"),
    ],
)
def test_a_uri_that_cannot_be_printed_is_refused(arguments: tuple[str, str, str], code: str):
    with pytest.raises(InputError) as caught:
        item_uri(*arguments)
    assert caught.value.code == code
