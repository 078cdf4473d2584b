"""What every member of the bonded journey sees of one tin: as whom it looks, and a proof of all that it sees."""

from __future__ import annotations

import json

import msgspec
import pytest
from deployment import Deployment
from rehearsal import Rehearsal

from suyuan.proof.verification import verify_bundle
from suyuan.trace import OPERATOR, Viewer, make_bundle
from suyuan.trace.explaining import explain

MEMBERS = {
    "groene-wei": "owner",
    "weilan": "owner",
    "ccic-europe": "inspector",
    "ccic-guangdong": "inspector",
    "rhine-freight": "member",
    "example-line": "member",
    "nanyue": "member",
    "haimen": "member",
    "example-mall": "member",
    "example-pay": "member",
    "example-express": "member",
}
FIXED = ("public", "member", "named", "owner", "inspector", "regulator", "deliverer", "operator")


@pytest.mark.parametrize(("party", "audience"), MEMBERS.items())
async def test_a_member_looks_as_what_it_has_to_do_with_the_goods(
    captured: Deployment, bonded: Rehearsal, party: str, audience: str
) -> None:
    viewer = await captured.reader.viewer_of(party)
    trace = await captured.trace(bonded.item, viewer)
    assert trace.audience == audience
    assert trace.standing
    whole = await captured.trace(bonded.item, OPERATOR)
    own = {fact.event_id for fact in whole.facts if fact.party.party_id == party}
    assert {fact.event_id for fact in trace.facts if fact.sight.code == "delivered"} >= own
    assert {fact.event_id for fact in trace.facts if fact.event_id} == own
    words = {fact.sight.code for fact in trace.facts}
    assert words <= {"delivered", "named", "public", "product-owner", "inspected-chain", "on-chain"}
    await check_bundle(captured, bonded, viewer)


@pytest.mark.parametrize("audience", FIXED)
async def test_a_bundle_for_every_audience_verifies(
    captured: Deployment, bonded: Rehearsal, audience: str
) -> None:
    await check_bundle(captured, bonded, Viewer(audience))


async def check_bundle(captured: Deployment, bonded: Rehearsal, viewer: Viewer) -> None:
    services = captured.services
    trace = await captured.trace(bonded.item, viewer)
    bundle = await make_bundle(
        services.reader, services.tree, bonded.item, viewer, log_key=services.signer.vkey
    )
    assert bundle is not None
    report = verify_bundle(bundle, services.signer.vkey)
    assert (report.audience, report.warnings) == (trace.audience, ())
    # What is tied to the item by a claim that this audience may not carry is on its page and not in its proof.
    assert {fact.log_index for fact in report.facts} <= {fact.log_index for fact in trace.facts}
    assert len(report.facts) >= len(trace.facts) * 0.7
    text = json.dumps(msgspec.to_builtins(trace), ensure_ascii=False) + bundle.decode()
    journey = bonded.journey
    for number in (journey.order, "SF1399000000017", "51652025I000000123", "990101199001010019"):
        assert number not in text


async def test_a_member_elsewhere_sees_nothing_and_is_told_why(
    captured: Deployment, bonded: Rehearsal
) -> None:
    await captured.member("passer-by", "forwarder", "seller", "inspector", customs_code="440196Z999")
    viewer = await captured.reader.viewer_of("passer-by")
    assert await captured.reader.read(bonded.item, viewer) is None
    services = captured.services
    assert (
        await make_bundle(services.reader, services.tree, bonded.item, viewer, log_key=services.signer.vkey)
        is None
    )
    explained = await explain(captured.reader, bonded.item, viewer)
    assert explained is not None
    assert (explained.audience, explained.standing) == ("elsewhere", ())
    assert not any(fact.shown for fact in explained.facts)


@pytest.mark.parametrize("party", ["nanyue", "weilan", "haimen"])
async def test_the_explanation_agrees_with_the_view(
    captured: Deployment, bonded: Rehearsal, party: str
) -> None:
    viewer = await captured.reader.viewer_of(party)
    explained = await explain(captured.reader, bonded.item, viewer)
    trace = await captured.trace(bonded.item, viewer)
    assert explained is not None
    shown = [fact for fact in explained.facts if fact.shown]
    assert [fact.sight for fact in shown] == [fact.sight for fact in trace.facts]
    for fact in explained.facts:
        verdicts = {claims.verdict for claims in fact.claims}
        assert ("shown" in verdicts) == fact.shown
        assert all(claims.reason_en and claims.reason_zh for claims in fact.claims)
