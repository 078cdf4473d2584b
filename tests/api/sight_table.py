"""A marked value in every field class, who finds it and on which faces: said by hand, not by asking the policy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

GTIN = "09506000134352"
ITEM = f"https://id.gs1.org/01/{GTIN}/21/A1"
CASE = "https://id.gs1.org/00/095060000000077109"
INPUT = "https://id.gs1.org/01/09506000134369/21/CANINPUT"
PLACE = "https://id.gs1.org/414/9520000077105"
CITY = "urn:suyuan:place:CNCTU"
BUYER_CODE = "440196X771"
MALL_CODE, COURIER_CODE = "440196M001", "440196X002"
ORDER = f"urn:suyuan:raw:order:{MALL_CODE}:PERSONORDER771"
WAYBILL = f"urn:suyuan:raw:waybill:{COURIER_CODE}:PERSONWAYBILL771"

AUDIENCES = ("public", "member", "named", "owner", "inspector", "regulator", "deliverer", "operator")
_LETTERS = dict(zip("pmnoird", AUDIENCES, strict=False))

# What stands in a paper of a person, and nowhere else.
PERSON = (
    "PERSONORDER771",
    "PERSONWAYBILL771",
    "测试丙",
    "19900000771",
    "990101199001010772",
    "样板路771号",
    "PERSONACCOUNT771",
    "PERSONPAYMENT771",
)


class Mark(NamedTuple):
    """A marked value.

    ``stored`` is how an event holds it, ``text`` how faces for people and traces say it. ``event`` names the event of
    the story in which it stands, ``place`` where (a field, or one of the words that ``sight_story`` knows). ``faces``
    are those that have a place for it: t the trace and its JSON, c the console's page, h the public's page, v the
    coverage (the trade mode alone: it is judged on the whole trace); every proof has one. ``shown`` and ``link`` are
    the audiences that find it everywhere, or in proofs alone, ``console`` those that find it there; the operator is
    always one of them.
    """

    field_class: str
    text: str
    event: str
    place: dict[str, Any]
    faces: str
    shown: frozenset[str]
    link: frozenset[str]
    console: frozenset[str]
    stored: str

    def is_at(self, face: str, audience: str) -> bool:
        """Whether this audience finds the mark on this face: ``proof`` or one of the letters."""
        if face == "proof":
            return audience in self.shown | self.link
        if face == "c":
            return audience in self.console
        return face in self.faces and audience in self.shown


def _mark(
    field_class: str, text: str, place: dict[str, Any], shown: str = "", link: str = "", *,
    faces: str = "t", console: str | None = None, event: str = "seen", stored: str = "",
) -> Mark:  # fmt: skip
    def named(letters: str) -> frozenset[str]:
        return frozenset(_LETTERS[letter] for letter in letters)

    seen = named(shown) | {"operator"}
    at_console = (seen if "c" in faces else frozenset()) if console is None else named(console) | {"operator"}
    return Mark(field_class, text, event, place, faces, seen, named(link), at_console, stored or text)


def _uuid(number: int) -> str:
    return f"urn:uuid:77100000-0000-4000-8000-00000000000{number}"


# The events of the story by name, each delivered by the deliverer, each naming the party "named"; and their IDs.
EVENTS = {
    name: _uuid(number)
    for number, name in enumerate(("seen", "made", "packed", "wrong", "recalled", "handed"))
}
CORRECTIVE = _uuid(9)

MARKS: tuple[Mark, ...] = (
    # A pseudonym is on the operator's page alone, which can reveal what it stands for.
    _mark("purchase_paper", "{order}", {}, "d", "nor", console=""),
    _mark("parcel_paper", "{waybill}", {}, "d", "pmnoir", console=""),
    _mark("public_document", "516620251000772", {"paper": "urn:suyuan:declaration:516620251000772"}, "pmnoird",
          faces="tch"),
    _mark("trade_document", "COSU771", {"paper": "urn:suyuan:bol:COSU771"}, "mnoird", "p", faces="tc"),
    _mark("internal_document", "WMS771", {"paper": "urn:suyuan:tally:WMS771"}, "noird", faces="tc"),
    _mark("other_document", "PO771", {"paper": "urn:example:po:PO771"}, "nrd", faces="tc"),
    _mark("source", "CANFIRM", {}, "pmnoird", faces="tch", stored="p-deliverer"),
    _mark("source", "CANMALL", {}, "or", faces="tc", event="bought", stored="p-platform"),
    _mark("event_id", EVENTS["seen"], {"eventID": EVENTS["seen"]}, "d"),
    _mark("event_id", CORRECTIVE, {"corrective": CORRECTIVE}, "d", event="wrong"),
    _mark("what", "canstep", {"bizStep": "urn:example:canstep"}, "pmnoird", faces="tch"),
    _mark("what", "bizstep:ordering", {}, "or", event="bought"),
    _mark("when", "2025-08-05T07:07:07", {"eventTime": "2025-08-05T07:07:07.000Z"}, "pmnoird", faces="tch"),
    _mark("where", "CANPLACE", {"readPoint": {"id": PLACE}}, "pmnoird", faces="tch", stored=PLACE),
    _mark("where", "CANCITY", {}, "pmnoird", faces="tch", event="scanned", stored=CITY),
    _mark("where", "geo:31.77,104.77", {"readPoint": {"id": "geo:31.77,104.77"}}, "rd", event="packed"),
    _mark("correction", "CANWHY", {"wrong": "urn:example:CANWHY"}, "pmnoird", faces="tch", event="wrong"),
    _mark("thing", "CANSTRANGER", {"epc": f"https://id.gs1.org/01/{GTIN}/21/CANSTRANGER"}, "rd"),
    _mark("thing_class", "CANLOT", {"lot": f"https://id.gs1.org/01/{GTIN}/10/CANLOT"}, "nrd", faces="tc"),
    _mark("container", "095060000000077109", {"parentID": CASE}, "mnoird", "p", faces="tc", event="packed"),
    # The class of a whole element of a quantity list is named by its quantity too.
    _mark("container", "CANBOX", {"box": f"https://id.gs1.org/01/{GTIN}/10/CANBOX"}, "nrd", faces="tc", event="packed"),
    # On the chain, and a thing of its own in the facts that are told of it; its neighbour is neither. How such a fact
    # is tied to the item is of the class upstream again, and the console says it.
    _mark("upstream", "CANINPUT", {"inputEPCList": [INPUT]}, "mnoird", "p", event="made", console="ir"),
    _mark("upstream", "CANRAW", {"raw": f"https://id.gs1.org/01/{GTIN}/10/CANRAW"}, "ird", faces="tc", event="made"),
    _mark("upstream", "CANBATCH", {"transformationID": "urn:example:CANBATCH"}, "ird", faces="", event="made"),
    _mark("label", "canmethod/1", {"suyuan:labelMethod": "canmethod/1"}, "pmnoird"),
    _mark("label_record", "c77e" * 16, {"suyuan:labelRecord": "c77e" * 16}, "d"),
    _mark("quantity", "771008", {"amount": 771008}, "noird", faces="tc"),
    _mark("quantity", "771004", {"strange amount": 771004}, "nrd", faces="tc"),
    _mark("measure", "771005", {"suyuan:quantityExpected": "771005"}, "noird"),
    _mark("price", "771006", {"suyuan:goodsValue": "771006"}, "rd"),
    _mark("price", "771007", {}, "r", event="bought"),
    _mark("relation", BUYER_CODE, {}, "nrd"),
    _mark("relation", "SOLD771", {"source": "urn:example:firm:SOLD771"}, "nrd", faces=""),
    _mark("product", "CANKEEP", {"ilmd": {"cbvmda:lotNumber": "LOT-771", "cbvmda:storageTemperature": "CANKEEP"}},
          "pmnoird", event="made"),
    _mark("transport", "CANVESSEL", {"suyuan:vessel": "CANVESSEL"}, "pmnoird", faces="tch"),
    _mark("clearance", "CANMODE", {"suyuan:tradeMode": "CANMODE"}, "pmnoird", faces="tchv"),
    _mark("haulage", "CANTRUCK", {"suyuan:vehicleNo": "CANTRUCK"}, "mnoird"),
    _mark("haulage", "CANU7710007", {"suyuan:containerNo": "CANU7710007"}, "mnoird", faces="tc"),
    _mark("customs_detail", "CANLEDGER", {"suyuan:ledger": "CANLEDGER"}, "mnoird"),
    _mark("inspection", "CANSEAL", {"suyuan:sealNo": "CANSEAL"}, "pmnoird", faces="tch"),
    _mark("inspection_detail", "CANPHOTO", {"suyuan:photoDigest": "CANPHOTO"}, "noird"),
    _mark("inspection_detail", "7.7177", {"sensor": 7.7177}, "noird", faces=""),
    _mark("recall", "CANREASON", {"suyuan:measure": "CANREASON"}, "rd", faces="tc"),
    _mark("recall", "CANBACK", {"suyuan:measure": "CANBACK"}, "pmnoird", faces="tch", event="recalled"),
    _mark("delivery_detail", "CANSCAN", {"suyuan:scanStatus": "CANSCAN"}, "nord"),
    _mark("particular", "CANODD", {"suyuan:oddField": "CANODD"}, "rd"),
    _mark("foreign", "CANSTREET", {"strange:street": "CANSTREET"}, "d"),
    _mark("other", "771009", {"input": 771009}, "rd", faces="tc", event="made"),
)  # fmt: skip


# -- what is compared ----------------------------------------------------------------------------------------


def texts(marks: Sequence[Mark], face: str, audience: str) -> set[str]:
    """What the table says that an audience finds on a face."""
    return {mark.stored if face == "proof" else mark.text for mark in marks if mark.is_at(face, audience)}


def strayed(marks: Sequence[Mark], face: str, audience: str, text: str) -> tuple[set[str], set[str]]:
    """What an answer shows beside the table, and what it lacks."""
    if face in "ch":
        text = re.sub(r"(?<=\d)[, ](?=\d{3})", "", text)
    seen = {said for mark in marks if (said := mark.stored if face == "proof" else mark.text) in text}
    expected = texts(marks, face, audience)
    return seen - expected, expected - seen


def check(marks: Sequence[Mark], face: str, audience: str, answer: tuple[int, str]) -> str:
    """Hold an answer against the table; no person in it."""
    status, text = answer
    assert status == 200, (face, audience, text[-600:])
    assert strayed(marks, face, audience, text) == (set(), set()), (face, audience)
    assert not [name for name in PERSON if name in text], (face, audience)
    return text


def check_nothing(marks: Sequence[Mark], answer: tuple[int, str], *statuses: int) -> None:
    """An answer that is a refusal and tells nothing."""
    status, text = answer
    assert status in statuses, (status, text[-600:])
    named = [mark.text for mark in marks if mark.text in text or mark.stored in text]
    # The name of one's own firm stands on every page of the console.
    assert set(named) <= {"CANFIRM", "CANMALL"}
    assert not [name for name in PERSON if name in text]
