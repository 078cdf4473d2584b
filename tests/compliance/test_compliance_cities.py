"""What a city asks to be coded: dated rules by district, mode and goods, and whether an item meets them."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from suyuan.compliance.cities import (
    _met,
    city_duty,
    city_findings,
    city_of,
    load_cities,
    own_codes,
    read_city,
    rule_on,
)
from suyuan.compliance.model import CityDuty
from suyuan.errors import InputError
from suyuan.trace.model import Trace

NAPPIES, FORMULA = "9619001100", "1901101000"
OWN = b"""
city = "CNNGB"
name_en = "Ningbo"
name_zh = "\xe5\xae\x81\xe6\xb3\xa2"
districts = ["3105"]

[[rule]]
since = 2020-01-01
requires = "third-party"
systems = ["ccic"]
modes = ["1210"]
basis = "notice 1/2020"
confirmed = true
"""


def city(name):
    return next(profile for profile in load_cities() if profile.city == name)


def required(profile, day, hs_code="", mode="1210"):
    rule = rule_on(profile, date.fromisoformat(day), mode, hs_code)
    return rule.requires if rule is not None else None


def test_seven_cities_ship_and_none_pretends_to_be_confirmed():
    shipped = load_cities()
    names = {"CNNSA", "CNNGB", "CNHGH", "CNCGO", "CNCAN", "CNCKG", "CNYIW"}
    assert names <= {profile.city for profile in shipped}
    assert not any(rule.confirmed for profile in shipped for rule in profile.rules)


def test_goods_other_than_food_were_exempt_in_one_pilot_city_until_the_end_of_march_2019():
    pilot = city("XXPLT")
    assert required(pilot, "2018-12-31", NAPPIES) is None
    assert required(pilot, "2019-01-01", FORMULA) == "label"
    assert required(pilot, "2019-03-31", NAPPIES) == "not-yet-required"
    assert required(pilot, "2019-04-01", NAPPIES) == "label"
    # What the goods are is not known: no rule for some goods alone is put upon them.
    assert required(pilot, "2019-03-31") is None
    assert required(pilot, "2019-04-01") == "label"


def test_a_district_is_of_the_city_that_names_it_most_exactly():
    cities = load_cities()
    for district, name in (("5165", "CNNSA"), ("5141", "CNCAN"), ("3105", "CNNGB"), ("2916", "CNHGH")):
        found = city_of(cities, district)
        assert found is not None
        assert found.city == name
    assert city_of(cities, "9002") is None
    assert city_of(cities, "") is None


def test_an_operators_file_replaces_the_city(tmp_path):
    (tmp_path / "ningbo.toml").write_bytes(OWN)
    [ningbo] = [profile for profile in load_cities(tmp_path) if profile.city == "CNNGB"]
    assert required(ningbo, "2019-06-01") is None
    assert required(ningbo, "2020-06-01") == "third-party"
    assert required(ningbo, "2020-06-01", mode="9610") is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'systems = ["ccic"]\n', b""),
        (b'"third-party"', b'"somehow"'),
        (b'"3105"', b'"31-05"'),
        (b"since = 2020-01-01", b"since = 2020-01-01\nuntil = 2019-12-31"),
        (b"districts", b"\xff"),
    ],
)
def test_a_file_that_breaks_the_form_is_refused(old, new):
    with pytest.raises(InputError) as refused:
        read_city(OWN.replace(old, new), path="ningbo.toml")
    assert (refused.value.code, refused.value.path) == ("compliance.city.malformed", "ningbo.toml")


def test_without_an_import_list_nothing_is_asked():
    trace = Trace(
        thing="https://id.gs1.org/01/08710000001236/21/1", kind="item", gtin="", serial="1", lot="",
        state="active", audience="operator", product={}, facts=(), ambiguities=(), recall=None,
    )  # fmt: skip
    assert city_duty(trace, "1210", load_cities()) is None
    assert city_findings(None) == ()


def test_what_is_asked_for_and_not_there_is_a_finding():
    duty = CityDuty(
        city="CNNGB",
        name_en="Ningbo",
        name_zh="宁波",
        requires="local-system",
        since=date(2019, 1, 1),
        until=None,
        met=False,
        basis="",
        confirmed=False,
    )
    [finding] = city_findings(duty)
    assert finding.code == "coverage.city.code_missing"
    assert "2019-01-01 (rule not confirmed)" in finding.reason_en
    assert "（规则待确认）" in finding.reason_zh
    assert "confirmed" not in city_findings(msgspec.structs.replace(duty, confirmed=True))[0].reason_en
    for met in (True, None):
        assert city_findings(msgspec.structs.replace(duty, met=met)) == ()


def _item(*aliases):
    return Trace(
        thing="https://id.gs1.org/01/08710000001236/21/1", kind="item", gtin="", serial="1", lot="",
        state="active", audience="operator", product={}, facts=(), ambiguities=(), recall=None, aliases=aliases,
    )  # fmt: skip


def test_a_citys_own_codes_are_told_from_other_labels():
    ningbo, hangzhou = city("CNNGB"), city("CNHGH")
    trace = _item(
        "urn:suyuan:label:ningbo:330200%2F1",
        "urn:suyuan:label:city-330200:N-2",
        "urn:suyuan:label:ccic:000000204200001",
        "https://brand.example/x/1",
    )
    assert own_codes(trace, ningbo) == ("330200/1", "N-2")
    assert own_codes(trace, hangzhou) == ()
    with pytest.raises(InputError):
        read_city(OWN.replace(b"districts", b'division = "33"\ndistricts'), path="ningbo.toml")


def test_a_code_imported_under_the_citys_division_meets_its_rule():
    ningbo = city("CNNGB")
    rule = rule_on(ningbo, date(2025, 1, 1), "1210", "")
    assert _met(_item("urn:suyuan:label:city-330200:N-2"), rule, ningbo.division) is True
    assert _met(_item("urn:suyuan:label:city-330100:N-2"), rule, ningbo.division) is False
    assert _met(_item("urn:suyuan:label:city-330200:N-2"), rule, "") is False
