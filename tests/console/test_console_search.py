"""Search by anything: what a text is taken for, what is found, and that a buyer's number stays out of addresses."""

from __future__ import annotations

import re

import pytest
from console_world import UNLABELLED_ORDER, World, text_of
from rehearsal import EXAMPLES

from suyuan.console.recognition import recognise

ITEM = "https://id.gs1.org/01/08710000001236/21/0S7G5RCSGDD3NABF74WK"
LOT = "https://id.gs1.org/01/08710000001236/10/L25216A"


@pytest.mark.parametrize(
    ("text", "uri", "why"),
    [
        ("HTTPS://TRACE.EXAMPLE/01/08710000001236/21/0S7G5RCSGDD3NABF74WK", ITEM, "link"),
        ("trace.example/01/08710000001236/10/L25216A", LOT, "link"),
        ("/01/08710000001236/21/0S7G5RCSGDD3NABF74WK", ITEM, "link"),
        ("urn:epc:id:sgtin:8710000.000123.0S7G5RCSGDD3NABF74WK", ITEM, "urn"),
        ("(01)08710000001236(21)0S7G5RCSGDD3NABF74WK", ITEM, "elements"),
        ("]Q3010871000000123610L25216A\x1d210S7G5RCSGDD3NABF74WK", ITEM, "elements"),
        ("]C1010871000000123610L25216A<GS>210S7G5RCSGDD3NABF74WK", LOT, "elements"),
        ("0108710000001236210S7G5RCSGDD3NABF74WK", ITEM, "elements"),
        ("8710000001236", "https://id.gs1.org/01/08710000001236", "gtin"),
        ("087100000000000123", "https://id.gs1.org/00/087100000000000123", "sscc"),
        ("(00)087100000000000123", "https://id.gs1.org/00/087100000000000123", "elements"),
        ("ｃｏｓｕ 987654-6", "urn:epc:id:bic:COSU9876546", "container"),
        ("516620251000123456", "urn:suyuan:declaration:516620251000123456", "form"),
        ("QD516525I000012345", "urn:suyuan:bonded-list:QD516525I000012345", "form"),
        ("T5165W000123:17", "urn:suyuan:ledger-item:T5165W000123:17", "form"),
        ("000000204200233", "urn:suyuan:label:ccic:000000204200233", "label"),
        ("78412345675", "urn:suyuan:awb:784-12345675", "form"),
        ("COSU6390001234", "urn:suyuan:bol:COSU6390001234", "number"),
    ],
)
def test_a_text_is_taken_for_what_it_may_be(text: str, uri: str, why: str) -> None:
    found = {guess.uri: guess.why for guess in recognise(text).guesses}
    assert found.get(uri) == why


@pytest.mark.parametrize(
    "text", ["", " \x00 ", "(01)", "(01)08710000001236(21", "]Q3", "http://", "a" * 5000, "((", "%"]
)
def test_nothing_that_is_typed_is_an_error(text: str) -> None:
    assert not any(guess.why == "elements" for guess in recognise(text).guesses)


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("L25216A", "(01)08710000001236(10)L25216A"),
        ("SV25K02", "(01)09300000012340(10)SV25K02"),
        ("8710000001236", "(01)08710000001236"),
        ("COSU9876546", "COSU9876546"),
        ("COSU6390001234", "COSU6390001234"),
        ("784-12345675", "784-12345675"),
        ("516620251000123456", "516620251000123456"),
        ("QD516525I000012345", "QD516525I000012345"),
        ("T5165W000123:17", "T5165W000123:17"),
        ("T5165W000123", "T5165W000123:17"),
        ("CCIC-EU-2025-004417", "CCIC-EU-2025-004417"),
        ("RC-2025-0007", "RC-2025-0007"),
        ("087100000000000123", "(00)087100000000000123"),
        ("海门", "海门保税物流（示例）有限公司"),
        ("440196H001", "海门保税物流（示例）有限公司"),
        ("配方奶粉", "绿野婴幼儿配方奶粉3段 800克"),
    ],
)
def test_everything_is_found_by_what_people_have_at_hand(world: World, text: str, hit: str) -> None:
    page = world.visitor(lang="zh-CN").search(text)
    assert hit in re.findall(r'class="th-kind">[^<]*</span> <b>([^<]+)</b>', page)


def test_a_serial_alone_leads_to_its_item(world: World) -> None:
    serial = world.tin.rpartition("/")[2]
    answer = world.visitor().post("/console/search", status=303, follow=False, q=serial.lower())
    assert answer.headers["location"].endswith(serial)


def test_what_is_not_found_says_what_was_tried(world: World) -> None:
    said = text_of(world.visitor().search("NOTHING-THERE"))
    assert "Nothing was found" in said and "the serial of a code" in said and "a lot number" in said


def test_a_member_elsewhere_finds_nothing_of_others(world: World) -> None:
    page = world.visitor("payer").search("COSU9876546")
    assert "Nothing was found" in text_of(page)
    assert "Haimen" not in text_of(world.visitor("payer").search("haimen"))


def _order_number() -> str:
    text = (EXAMPLES / "direct" / "papers" / "01-order-ceb311.xml").read_text("utf-8")
    found = re.search(r"orderNo>([^<]+)<", text)
    assert found
    return found[1]


def test_a_buyers_number_opens_under_a_name_that_says_nothing(world: World) -> None:
    number = _order_number()
    visitor = world.visitor()
    answer = visitor.post(
        "/console/search/person", follow=False, status=303, kind="order", number=number, reason="complaint 17"
    )
    location = answer.headers["location"]
    assert location.startswith("/console/found/") and number not in location
    page = visitor.get(location)
    assert world.jar.rpartition("/")[2] in page and number not in page


def test_an_order_of_goods_without_a_code_leads_to_its_parcel(world: World) -> None:
    visitor = world.visitor()
    answer = visitor.post(
        "/console/search/person", kind="order", number=UNLABELLED_ORDER, reason="complaint 18"
    )
    assert "No code of goods is on record; the parcel can be traced." in text_of(answer.text)
    [parcel] = re.findall(r'<li><a href="(/console/sealed/[^"]+)"', answer.text)
    page = text_of(visitor.get(parcel))
    assert "Haimen Bonded Logistics" in page
    assert UNLABELLED_ORDER not in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"number": "X-1", "reason": ""}, "Give a reason"),
        ({"number": "NOT-THERE-1", "reason": "complaint 17"}, "The look-up is journalled"),
        ({"number": "1" * 300, "reason": "complaint 17"}, "Type a number"),
    ],
)
def test_a_look_up_that_gives_nothing_says_why(world: World, fields: dict[str, str], said: str) -> None:
    assert said in text_of(world.visitor().post("/console/search/person", kind="order", **fields).text)


def test_a_person_document_has_no_address(world: World) -> None:
    name = "urn:suyuan:order:" + "a" * 52
    world.visitor().get(f"/console/thing?uri={name}", status=404)
    assert "Look it up by its number" in text_of(world.visitor().search(name))
    world.visitor().get("/console/sealed/not-a-name", status=404)


def test_a_reader_does_not_look_persons_up(world: World) -> None:
    visitor = world.visitor("looker")
    assert "Look up a buyer" not in visitor.get("/console/search")
    visitor.post("/console/search/person", status=403, kind="order", number=_order_number(), reason="curious")
