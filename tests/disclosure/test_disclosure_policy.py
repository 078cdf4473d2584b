"""The policy's own rules: private by default, the public mask, and how a policy may be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.disclosure.mask import context_of, mask_body
from suyuan.disclosure.policy import Context, Verdict, load_policy, named_by, policy_text, read_policy
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
        [events.sale]
        step = ["urn:x:sell*"]
        kind = ["bill"]
        [classes.kind]
        paths = ["type"]
        [classes.odd]
        paths = ["{urn:x[1]}a?"]
        matches = "^b"
        [audiences.public]
        default = "hidden"
        blind = ["sale"]
        [[audiences.public.rules]]
        class = "kind"
        verdict = "shown"
        [audiences.member]
        extends = "public"
        [[audiences.member.rules]]
        class = ["odd"]
        verdict = "link"
        [audiences.seer]
        extends = "member"
        blind = []
        [[audiences.seer.rules]]
        class = "everything"
        events = ["sale"]
        verdict = "link"
        [audiences.silent]
    """
    policy = read_policy(text)
    assert policy.audiences == ("public", "member", "seer", "silent")
    plain, sold, billed = Context(), Context(step="urn:x:selling"), Context(kind="bill")
    assert policy.verdict("member", "type", "x", plain) is Verdict.SHOWN
    assert policy.verdict("member", "{urn:x[1]}a?", "b", plain) is Verdict.LINK
    assert policy.verdict("member", "{urn:x[1]}a?", "c", plain) is Verdict.HIDDEN
    assert policy.verdict("member", "{urn:x1}ab", "b", plain) is Verdict.HIDDEN
    assert policy.verdict("public", "{urn:x[1]}a?", "b", plain) is Verdict.HIDDEN
    assert policy.verdict("silent", "type", "x", plain) is Verdict.HIDDEN
    for event in (sold, billed):
        assert policy.verdict("member", "type", "x", event) is Verdict.HIDDEN
        assert policy.decide("member", "type", "x", event).blind == policy.events["sale"]
        assert policy.verdict("seer", "type", "x", event) is Verdict.LINK
    assert policy.decide("silent", "nothing", "x", plain) == (Verdict.HIDDEN, "unclassed", None, None)


VALUES = ["", "x", TIN, CASE, "geo:1,2", "urn:suyuan:waybill:w", "urn:suyuan:order:o", "urn:suyuan:bol:B1"]


@given(
    st.sampled_from(POLICY.audiences),
    st.sampled_from([*(p for one in POLICY.classes.all for p in one.patterns), "{urn:other}x"]),
    st.sampled_from(VALUES),
    st.sampled_from(["", "urn:suyuan:bizstep:ordering", "urn:suyuan:bizstep:recalling"]),
    st.sampled_from(["", "CEB513", "CEB626", "EPCIS/JSON"]),
)
@settings(max_examples=300, deadline=None)
def test_what_is_remembered_is_what_the_rules_say(
    audience: str, path: str, value: str, step: str, kind: str
) -> None:
    context = msgspec.structs.replace(CONTEXT, step=step, kind=kind)
    decision = POLICY.decide(audience, path, value, context)
    assert POLICY.verdict(audience, path, value, context) is decision.verdict


RULE = 'version = "1"\n[classes.a]\npaths = ["*"]\n[audiences.p]\ndefault = "hidden"\n[[audiences.p.rules]]\n'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version = ",
        'version = "1"\n[audiences.p]\n[classes]\nx = 1',
        'version = "1"\n[audiences.p]\n[classes.x]\npaths = []',
        'version = "1"\n[audiences.p]\n[classes.everything]\npaths = ["a"]',
        'version = "1"\n[audiences.p]\nblind = ["sale"]\n[classes]',
        f'{RULE}class = "b"\nverdict = "shown"',
        f'{RULE}class = []\nverdict = "shown"',
        f'{RULE}class = "a"\nverdict = "visible"',
        f'{RULE}verdict = "shown"',
        f'{RULE}class = "a"\nname = ["item"]\nverdict = "shown"',
        f'{RULE}class = "a"\nnames = ["thing"]\nverdict = "shown"',
        f'{RULE}class = "a"\nnames = []\nverdict = "shown"',
        f'{RULE}class = "a"\nmatches = "("\nverdict = "shown"',
        f'{RULE}class = "a"\nevents = []\nverdict = "shown"',
        f'{RULE}class = "a"\nevents = ["sale"]\nverdict = "shown"',
        'version = "1"\n[classes]\n[audiences.p]\nextends = "p"',
        'version = "1"\n[classes]\n[audiences.p]\nextends = "q"',
    ],
)
def test_a_misspelt_policy_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"policy\.malformed"):
        read_policy(text)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("[audiences.inspector]", "[audiences.auditor]", "policy.audience.missing"),
        ("[classes.event_id]", "[classes.id]", "policy.malformed"),
        ('zh = "平台运营方"\ndefault = "shown"', 'default = "hidden"', "policy.unsafe"),
        ('不在该商品链条上的成员"\ndefault = "hidden"', '"\nextends = "public"', "policy.unsafe"),
        ('"parcel_paper", "event_id", "foreign"]', '"parcel_paper", "foreign"]', "policy.unsafe"),
    ],
)
def test_an_operators_own_policy_keeps_the_promises(tmp_path: Path, old: str, new: str, code: str) -> None:
    text = policy_text()
    assert old in text
    own = tmp_path / "policy.toml"
    own.write_text(text.replace('version = "2026-11-1"', 'version = "own"'), encoding="utf-8")
    assert load_policy(own).version == "own"
    own.write_text(text.replace(old, new).replace("audiences.inspector.", "audiences.auditor."), "utf-8")
    with pytest.raises(InputError) as refused:
        load_policy(own)
    assert (refused.value.code, refused.value.path.startswith(str(own))) == (code, True)
    with pytest.raises(NotFoundError, match=r"policy\.absent"):
        load_policy(tmp_path / "none.toml")


def test_what_a_value_names() -> None:
    assert named_by("x") == "x"
    assert named_by({"type": "t", "bizTransaction": "d"}) == "d"
    assert named_by({"type": "t", "source": "s"}) == "s"
    assert named_by([{"id": "x"}]) == named_by(None) == named_by({"x": "y"}) == ""
