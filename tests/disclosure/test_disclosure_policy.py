"""The policy's own rules: private by default, the public mask, and how a policy may be written."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from suyuan.disclosure.mask import context_of, mask_body
from suyuan.disclosure.policy import Context, Verdict, load_policy, named_by, read_policy
from suyuan.errors import InputError, NotFoundError

POLICY = load_policy()
TIN = "https://id.gs1.org/01/08710000001236/21/7K3"
LOT = "https://id.gs1.org/01/08710000001236/10/L25216A"
CASE = "https://id.gs1.org/00/087100000000000123"
EXT = "{urn:suyuan:ext}"
CONTEXT = Context(
    step="https://ref.gs1.org/cbv/BizStep-departing",
    kind="EPCIS/JSON",
    item=frozenset({TIN}),
    lot=frozenset({LOT}),
    chain=frozenset({CASE, "urn:suyuan:bol:B1", "urn:suyuan:waybill:w", "urn:suyuan:order:o"}),
)


def public(path: str, value: Any, **changes: Any) -> str:
    context = msgspec.structs.replace(CONTEXT, **changes)
    return POLICY.verdict("public", path, value, context).value


@pytest.mark.parametrize(
    ("path", "value", "verdict"),
    [
        ("eventTime", "2025-08-20T03:40:00.000Z", "shown"),
        ("statement/party", "haimen", "shown"),
        ("statement/assurance", "relayed", "shown"),
        ("statement/eventID", "ni:///sha-256;x", "hidden"),
        ("statement/anything", "x", "hidden"),
        ("epcList", TIN, "shown"),
        ("epcList", TIN + "9", "hidden"),
        ("childEPCs", CASE, "link"),
        ("parentID", CASE, "link"),
        ("parentID", "urn:epc:id:bic:COSU1", "hidden"),
        ("quantityList/epcClass", LOT, "shown"),
        ("quantityList", {"epcClass": LOT, "quantity": "43200"}, "hidden"),
        ("ilmd/{urn:epcglobal:cbv:mda}lotNumber", "L25216A", "shown"),
        ("ilmd/{urn:x}price", "9", "hidden"),
        ("sourceList", {"type": "x", "source": "urn:suyuan:firm:1"}, "hidden"),
        ("destinationList", {"type": "x", "destination": "urn:suyuan:firm:1"}, "hidden"),
        ("readPoint/id", "urn:suyuan:place:NLRTM", "shown"),
        ("readPoint/id", "geo:52.5,6.1", "hidden"),
        ("readPoint/{urn:x}street", "Dorpsstraat 1", "hidden"),
        ("bizTransactionList", {"bizTransaction": "urn:suyuan:declaration:516620251000123456"}, "shown"),
        ("bizTransactionList", {"bizTransaction": "urn:suyuan:bonded-list:QD516525I000012345"}, "shown"),
        ("bizTransactionList", {"bizTransaction": "urn:suyuan:bonded-list:QD516525E000012345"}, "hidden"),
        ("bizTransactionList", {"bizTransaction": "urn:suyuan:certificate:C1"}, "shown"),
        ("bizTransactionList", {"bizTransaction": "urn:suyuan:bol:B1"}, "link"),
        ("bizTransactionList", {"bizTransaction": "urn:suyuan:waybill:w"}, "link"),
        ("bizTransactionList", {"bizTransaction": "urn:suyuan:order:o"}, "hidden"),
        (EXT + "transportMode", "2", "shown"),
        (EXT + "listLastFour", "0123", "shown"),
        (EXT + "goodsValue", {"#number": "396"}, "hidden"),
        (EXT + "line", {"price": {"#number": "198"}}, "hidden"),
        (EXT + "photoDigest", "aa", "hidden"),
        (EXT + "reason", "x", "hidden"),
        ("inputEPCList", "urn:x:input", "hidden"),
        ("sensorElementList", {}, "hidden"),
        ("{urn:other}field", "x", "hidden"),
    ],
)
def test_the_public_mask(path: str, value: Any, verdict: str) -> None:
    assert public(path, value) == verdict
    assert POLICY.may_see("public", path, CONTEXT, value) == (verdict == "shown")
    assert POLICY.may_see("operator", path, CONTEXT, value)


def test_steps_and_papers_change_the_mask() -> None:
    for step in ("ordering", "paying", "taxing", "waybill_issued"):
        assert public("eventTime", "x", step=f"urn:suyuan:bizstep:{step}") == "hidden"
    assert public(EXT + "reason", "found", step="urn:suyuan:bizstep:recalling") == "shown"
    for kind in ("scan/courier", "CEB513", "log/verification"):
        assert public("readPoint/id", "urn:suyuan:place:CNCTU", kind=kind) == "shown"
        assert public("readPoint/id", "urn:suyuan:place:CNCTU:17", kind=kind) == "hidden"
        assert public("readPoint/id", "https://id.gs1.org/414/9520000000035", kind=kind) == "hidden"


def test_masked_bodies() -> None:
    body: dict[str, Any] = {
        "type": "AggregationEvent",
        "bizStep": "https://ref.gs1.org/cbv/BizStep-packing",
        "parentID": CASE,
        "childEPCs": [TIN, TIN + "9"],
        "quantityList": [{"epcClass": LOT, "quantity": "5"}],
    }
    statement = {"party": "haimen", "eventID": "ni:x"}
    context = context_of(body, statement, item=[TIN], lot=[LOT], chain=[CASE])
    masked = mask_body(POLICY, "public", body, statement, context)
    assert masked.statement == {"party": "haimen"}
    assert masked.body == {
        "type": "AggregationEvent",
        "bizStep": "https://ref.gs1.org/cbv/BizStep-packing",
        "childEPCs": [TIN],
        "quantityList": [{"epcClass": LOT}],
    }
    assert len(masked.linked) == 1
    assert masked.disclosed == masked.shown | masked.linked
    whole = mask_body(POLICY, "operator", body, statement)
    assert (whole.body, whole.statement, whole.linked) == (body, statement, frozenset())
    order = mask_body(POLICY, "public", {**body, "bizStep": "urn:suyuan:bizstep:ordering"}, statement)
    assert (order.body, order.disclosed) == ({}, frozenset())
    with pytest.raises(NotFoundError):
        mask_body(POLICY, "nobody", body, statement)


def test_audiences_are_data() -> None:
    text = """
        version = "x"
        [classes]
        all = ["*"]
        [audiences.public]
        default = "hidden"
        [[audiences.public.rules]]
        paths = ["type"]
        verdict = "shown"
        [audiences.member]
        extends = "public"
        [[audiences.member.rules]]
        paths = ["{urn:x[1]}a?"]
        verdict = "link"
        [audiences.silent]
    """
    policy = read_policy(text)
    assert policy.audiences == ("public", "member", "silent")
    assert policy.verdict("member", "type", "x", Context()) is Verdict.SHOWN
    assert policy.verdict("member", "{urn:x[1]}a?", "x", Context()) is Verdict.LINK
    assert policy.verdict("member", "{urn:x1}ab", "x", Context()) is Verdict.HIDDEN
    assert policy.verdict("public", "{urn:x[1]}a?", "x", Context()) is Verdict.HIDDEN
    assert policy.verdict("silent", "type", "x", Context()) is Verdict.HIDDEN


RULE = '[classes]\na = ["*"]\n[audiences.p]\ndefault = "hidden"\n[[audiences.p.rules]]\n'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version = ",
        'version = "1"\n[audiences.p]\n[classes]\nx = 1',
        f'version = "1"\n{RULE}class = "b"\nverdict = "shown"',
        f'version = "1"\n{RULE}class = "a"\nverdict = "visible"',
        f'version = "1"\n{RULE}class = "a"\npaths = ["x"]\nverdict = "shown"',
        f'version = "1"\n{RULE}verdict = "shown"',
        f'version = "1"\n{RULE}class = "a"\nname = ["item"]\nverdict = "shown"',
        f'version = "1"\n{RULE}class = "a"\nnames = ["thing"]\nverdict = "shown"',
        f'version = "1"\n{RULE}class = "a"\nnames = []\nverdict = "shown"',
        f'version = "1"\n{RULE}class = "a"\nmatches = "("\nverdict = "shown"',
        'version = "1"\n[classes]\n[audiences.p]\nextends = "p"',
        'version = "1"\n[classes]\n[audiences.p]\nextends = "q"',
    ],
)
def test_a_misspelt_policy_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"policy\.malformed"):
        read_policy(text)


def test_what_a_value_names() -> None:
    assert named_by("x") == "x"
    assert named_by({"type": "t", "bizTransaction": "d"}) == "d"
    assert named_by({"type": "t", "source": "s"}) == "s"
    assert named_by([{"id": "x"}]) == named_by(None) == named_by({"x": "y"}) == ""
