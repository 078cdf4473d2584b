"""A handbag near the limit of one order: a dynamic label, the brand's code and the city's, all of them one thing."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from suyuan.compliance.consignment import consignments_of
from suyuan.customs.matching import limits_on, match, papers_of, worth_of
from suyuan.proof.verification import verify_bundle
from suyuan.trace import OPERATOR, PUBLIC, make_bundle

sys.path.append(str(Path(__file__).resolve().parents[1] / "journeys"))
sys.path.append(str(Path(__file__).resolve().parent))

from deployment import deployment
from played import Folder, check_master_data, check_papers, check_persons, contradictions, play

__all__ = ["deployment"]

OWN_CODE = "urn:suyuan:label:valdora:VP-25A-000749"
CITY_CODE = "urn:suyuan:label:hangzhou:330100251204000749"
CERTIFICATE = "urn:suyuan:certificate:CCIC-IT-2025-007490"
NOW = datetime(2025, 12, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder():
    return Folder("handbag")


# -- the papers ----------------------------------------------------------------------------------------------


def test_the_papers_are_whole_and_their_people_invented(folder):
    check_papers(folder)
    check_master_data(folder)
    check_persons(folder, {"990101199202020029"})


def test_the_order_is_twenty_yuan_below_the_limit_and_its_papers_agree(folder):
    [order] = papers_of(folder.sent["01-order-ceb311.xml"], "01-order-ceb311.xml")
    bound = limits_on(datetime(2025, 12, 1, tzinfo=UTC).date())
    assert bound is not None
    assert worth_of(order) == bound.per_order - 20 == Decimal("4980.00")
    # Within the limit no duty, and VAT at 70 per cent; goods, freight and tax make what was paid.
    tax = Decimal(order.value("taxTotal"))
    assert tax == (worth_of(order) * Decimal("0.13") * Decimal("0.7")).quantize(Decimal("0.01"))
    assert Decimal(order.value("acturalPaid")) == worth_of(order) + tax
    assert contradictions(folder) == []


def test_twenty_one_yuan_more_of_freight_are_beyond_the_limit(folder):
    names = ("01-order-ceb311.xml", "10-import-list-ceb621.xml")
    dearer = [
        paper
        for name in names
        for paper in papers_of(folder.sent[name].replace(b"freight>30.00<", b"freight>51.00<"), name)
    ]
    codes = {finding.code for _, finding in match(dearer)}
    assert "customs.limit.order_single" in codes
    assert {finding.severity for _, finding in match(dearer) if "limit" in finding.code} == {"warning"}


# -- on a deployment -------------------------------------------------------------------------------------------


async def test_one_thing_three_codes_and_every_step_on_its_way(deployment, folder):
    played = await play(folder, deployment)
    trace = await deployment.trace(played.item)
    assert played.steps_on(trace) == set(range(1, 16))
    assert (trace.state, trace.lot, trace.ambiguities) == ("delivered", "VP25A", ())
    assert trace.aliases == (CITY_CODE, OWN_CODE)
    assert len(trace.parcels) == 1
    coverage = await played.coverage(played.item, NOW)
    assert (coverage.mode, coverage.present, coverage.required) == ("9610", 11, 11)
    assert coverage.findings == ()
    [consignment] = await consignments_of(deployment.pool, trace)
    assert (consignment.consolidated, consignment.received, consignment.finding) == (8, 8, None)

    certified = [fact for fact in trace.facts if CERTIFICATE in {one.uri for one in fact.documents}]
    assert [(fact.assurance, fact.party.party_id) for fact in certified] == [("inspected", "ccic-milan")]
    [check] = [fact for fact in trace.facts if fact.biz_step.endswith(":verifying")]
    assert check.message == "log/verification"

    await deployment.published()
    services = deployment.services
    for viewer in (PUBLIC, OPERATOR):
        seen = await deployment.trace(played.item, viewer)
        bundle = await make_bundle(
            services.reader, services.tree, played.item, viewer, log_key=services.signer.vkey
        )
        assert len(verify_bundle(bundle, services.signer.vkey).facts) == len(seen.facts)
        for number in (folder.journey.order, folder.journey.waybill, "29162025I000000749"):
            assert number.encode() not in bundle
    public = await deployment.trace(played.item, PUBLIC)
    assert public.aliases == trace.aliases
    assert not {"ordering", "paying", "taxing"} & {fact.biz_step.rpartition(":")[2] for fact in public.facts}


async def test_each_of_the_codes_leads_to_the_same_thing(deployment, folder):
    played = await play(folder, deployment)
    by_item = {fact.event_id for fact in (await deployment.trace(played.item)).facts}
    for code in (CITY_CODE, OWN_CODE):
        trace = await deployment.trace(code)
        assert played.item in trace.aliases
        # The code of one system does not lead on to the other's words about its own label.
        others = {fact.event_id for fact in trace.facts}
        assert others <= by_item
        assert played.steps_on(trace) >= set(range(1, 16)) - {4, 12}
        assert trace.state == "delivered"


async def test_a_stranger_cannot_put_a_third_code_on_the_bag(deployment, folder):
    played = await play(folder, deployment)
    stranger = await deployment.member("stranger", "seller")
    await deployment.say(
        stranger,
        {
            "type": "ObjectEvent",
            "eventTime": "2025-12-06T10:00:00+08:00",
            "eventTimeZoneOffset": "+08:00",
            "action": "OBSERVE",
            "epcList": [played.item, "urn:suyuan:label:copy:1"],
            "bizStep": "urn:suyuan:bizstep:aliasing",
        },
    )
    assert (await deployment.trace(played.item)).aliases == (CITY_CODE, OWN_CODE)


def test_serials_of_the_batch_are_the_only_placeholders(folder):
    text = "".join(paper.path.read_text("utf-8") for paper in folder.papers)
    assert set(re.findall(r"\{\{[^{}]*\}\}", text)) == {"{{item 1..12}}", "{{item 7}}", "{{link 7}}"}
