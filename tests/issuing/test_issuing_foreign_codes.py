"""Forms of other systems' codes: taken letter by letter, refused with the form in words."""

from __future__ import annotations

import pytest

from suyuan.errors import InputError
from suyuan.gs1.thing import kind
from suyuan.issuing.foreign_codes import CodeSystem, code_range, code_system, guess_things


@pytest.mark.parametrize(
    ("system", "code", "thing"),
    [
        (CodeSystem("ccic"), "000000204200233", "urn:suyuan:label:ccic:000000204200233"),
        (CodeSystem("ecode"), "100036930089", "urn:suyuan:label:ecode:100036930089"),
        (CodeSystem("ecode"), "1" + "0" * 24, "urn:suyuan:label:ecode:1" + "0" * 24),
        (CodeSystem("ecode"), "2" + "0" * 32, "urn:suyuan:label:ecode:2" + "0" * 32),
        (CodeSystem("ecode"), "300001AbC9", "urn:suyuan:label:ecode:300001AbC9"),
        (CodeSystem("ecode"), "400001溯源1", "urn:suyuan:label:ecode:400001%E6%BA%AF%E6%BA%901"),
        (CodeSystem("city", "440100"), "NS-0001.7", "urn:suyuan:label:city-440100:NS-0001.7"),
        (CodeSystem("url"), "https://brand.example/x/123", "https://brand.example/x/123"),
        (CodeSystem("url"), "HTTPS://BRAND.EXAMPLE/X?c=0012", "HTTPS://BRAND.EXAMPLE/X?c=0012"),
    ],
)
def test_a_code_is_kept_as_it_is_written(system: CodeSystem, code: str, thing: str) -> None:
    assert system.thing(code) == thing
    assert system.name == "url" or kind(thing) == "item"


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (CodeSystem("ccic"), "204200233"),
        (CodeSystem("ccic"), "0000002042002330"),
        (CodeSystem("ccic"), "00000020420023x"),
        (CodeSystem("ccic"), "０００００0204200233"),
        (CodeSystem("ccic"), " 000000204200233"),
        (CodeSystem("ecode"), "0000011"),
        (CodeSystem("ecode"), "5000012"),
        (CodeSystem("ecode"), "10003"),
        (CodeSystem("ecode"), "1" + "0" * 25),
        (CodeSystem("ecode"), "2" + "0" * 33),
        (CodeSystem("ecode"), "3000011-2"),
        (CodeSystem("ecode"), "400001a b"),
        (CodeSystem("city", "440100"), "abc"),
        (CodeSystem("city", "440100"), "a:bcd"),
        (CodeSystem("city", "440100"), "a" * 41),
        (CodeSystem("url"), "brand.example/x"),
        (CodeSystem("url"), "https://brand.example"),
        (CodeSystem("url"), "https://brand.example/"),
        (CodeSystem("url"), "https://brand.example/x#1"),
        (CodeSystem("url"), "https://brand.example/x 1"),
        (CodeSystem("url"), "https:///x"),
        (CodeSystem("url"), "https://[x/1"),
        (CodeSystem("url"), "javascript:alert(1)"),
        (CodeSystem("url"), "https://brand.example/" + "x" * 500),
    ],
)
def test_a_code_of_another_form_is_refused(system: CodeSystem, code: str) -> None:
    with pytest.raises(InputError) as refusal:
        system.thing(code)
    assert refusal.value.code == "issuing.alias.form"


def test_a_digital_link_is_no_alias() -> None:
    with pytest.raises(InputError) as refusal:
        CodeSystem("url").thing("https://brand.example/01/09506000134352/21/A1")
    assert refusal.value.code == "issuing.alias.gs1"
    with pytest.raises(InputError) as refusal:
        CodeSystem("url").thing("https://brand.example/01/09506000134353/21/A1")
    assert refusal.value.code.startswith("gs1.")


def test_systems_have_names() -> None:
    assert code_system("city", "440100") == CodeSystem("city", "440100")
    for name, city, code in (
        ("oid", "", "issuing.alias.system"),
        ("city", "", "issuing.alias.city"),
        ("city", "4401", "issuing.alias.city"),
        ("ccic", "440100", "issuing.alias.city"),
    ):
        with pytest.raises(InputError) as refusal:
            code_system(name, city)
        assert refusal.value.code == code


def test_a_range_keeps_its_zeros() -> None:
    codes = code_range("000000204200009", "000000204200011")
    assert list(codes) == ["000000204200009", "000000204200010", "000000204200011"]
    assert len(codes) == 3
    assert list(code_range("https://b.example/x/8", "https://b.example/x/9")) == [
        "https://b.example/x/8",
        "https://b.example/x/9",
    ]
    assert len(code_range("1" * 30, "1" * 29 + "9")) == 9


@pytest.mark.parametrize(
    ("first", "last"),
    [("2", "1"), ("1", "10"), ("a1", "b2"), ("a", "b"), ("", ""), ("1a", "2a"), ("01", "2")],
)
def test_what_is_no_range(first: str, last: str) -> None:
    with pytest.raises(InputError) as refusal:
        code_range(first, last)
    assert refusal.value.code == "issuing.alias.range"


def test_a_bare_code_can_be_looked_for() -> None:
    assert guess_things("000000204200233") == ("urn:suyuan:label:ccic:000000204200233",)
    assert guess_things("100036930089") == ("urn:suyuan:label:ecode:100036930089",)
    assert guess_things("100000204200233") == (
        "urn:suyuan:label:ccic:100000204200233",
        "urn:suyuan:label:ecode:100000204200233",
    )
    assert guess_things("LOT-1") == ()
