"""Labelled at packing: two consignments of one ledger item, a label that remembers which, and an order without one."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from suyuan.compliance.balance import Subject, balance_of
from suyuan.compliance.cities import city_duty, city_findings, load_cities
from suyuan.proof.verification import verify_bundle
from suyuan.trace import OPERATOR, PUBLIC, make_bundle
from suyuan.trace.lookup import Asker, find_person_documents
from suyuan.web.journey import import_record
from suyuan.web.language import language
from suyuan.web.source import StoredItems

sys.path.append(str(Path(__file__).resolve().parents[1] / "journeys"))
sys.path.append(str(Path(__file__).resolve().parent))

from deployment import deployment
from played import Folder, check_master_data, check_papers, check_persons, contradictions, play

__all__ = ["deployment"]

FIRST, SECOND = "QD310525I000004101", "QD310525I000007702"
CITY_CODE = "urn:suyuan:label:ningbo:330200251111000301"
UNLABELLED = "SF1399000000302"
NOW = datetime(2025, 12, 20, tzinfo=UTC)
# The legs that only the consignment's papers can show.
BEFORE_THE_WAREHOUSE = {
    "loading", "export", "departure", "arrival", "entry-list", "entry-release", "quarantine", "gate-in", "tally",
    "arrival-check",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder():
    return Folder("ningbo")


def documents(event):
    return {each.biz_transaction for each in event.biz_transaction_list}


def lists_of(trace):
    """The entry lists that a trace names."""
    uris = {document.uri for fact in trace.facts for document in fact.documents}
    return {uri.rpartition(":")[2] for uri in uris if uri.startswith("urn:suyuan:bonded-list:QD310525I")}


# -- the papers ----------------------------------------------------------------------------------------------


def test_the_papers_are_whole_and_their_people_invented(folder):
    check_papers(folder)
    check_master_data(folder)
    check_persons(folder, {"990101199305150045", "990101199506200061"})


def test_no_serial_before_the_table_and_two_consignments_of_one_ledger_item(folder):
    named = {step for step, event in folder.events for uri in event.epc_list if "/21/" in uri}
    assert named == {16}
    entries = {
        uri
        for step, event in folder.events
        if step == 5
        for uri in documents(event)
        if uri.startswith("urn:suyuan:bonded-list:QD")
    }
    assert entries == {f"urn:suyuan:bonded-list:{FIRST}", f"urn:suyuan:bonded-list:{SECOND}"}
    items = {uri for _, event in folder.events for uri in documents(event) if ":ledger-item:" in uri}
    assert items == {f"urn:suyuan:ledger-item:{folder.journey.ledger_item}"}


def test_both_purchases_agree_in_their_papers(folder):
    assert contradictions(folder) == []


# -- on a deployment -------------------------------------------------------------------------------------------


async def test_a_label_at_packing_says_from_which_consignment(deployment, folder):
    played = await play(folder, deployment)
    trace = await deployment.trace(played.item)
    assert played.steps_on(trace) == set(range(1, 20))
    assert (trace.state, trace.lot, trace.ambiguities) == ("delivered", "K25601", ())
    assert lists_of(trace) == {SECOND}
    assert trace.aliases == (CITY_CODE,)
    coverage = await played.coverage(played.item, NOW)
    assert (coverage.mode, coverage.present, coverage.required) == ("1210", 18, 18)
    assert coverage.findings == ()
    by_city = await deployment.trace(CITY_CODE)
    assert {fact.event_id for fact in by_city.facts} == {fact.event_id for fact in trace.facts}

    # Two pieces went to the order that nobody labelled: the ledger says so, and no more than that is odd.
    subject = Subject(
        gtin=folder.journey.gtin,
        lot=folder.journey.lot,
        ledger_item=folder.journey.ledger_item,
        facility=folder.journey.facility,
    )
    balance = await balance_of(deployment.pool, subject)
    assert (balance.entered, balance.received, balance.exited, balance.activated) == (
        "5000",
        "5000",
        "3",
        "1",
    )
    assert [(one.code, one.quantity) for one in balance.findings] == [("balance.outflow.uncoded", "2")]

    await deployment.published()
    services = deployment.services
    for viewer in (PUBLIC, OPERATOR):
        bundle = await make_bundle(
            services.reader, services.tree, played.item, viewer, log_key=services.signer.vkey
        )
        proved = verify_bundle(bundle, services.signer.vkey).facts
        assert len(proved) == len((await deployment.trace(played.item, viewer)).facts)
        for number in (folder.journey.order, folder.journey.waybill, "31052025I000000301"):
            assert number.encode() not in bundle

    # The page tells the city whose code the pack bears, and since when that city asks for one.
    pages = StoredItems(services.reader, services.tree, services.mac_keys, services.signer)
    shown = await pages.read_public(played.item)
    assert shown is not None
    assert shown.coverage is not None
    record = dict(import_record(shown.trace, language("en"), shown.coverage.city))
    assert record["City code"].startswith("Ningbo, 330200251111000301, asked for since")
    assert record["Delivered in"].startswith("Shanghai") or record["Last courier scan in"].startswith(
        "Shanghai"
    )


async def test_an_order_page_finds_the_item_and_where_there_is_no_label_the_parcel(deployment, folder):
    played = await play(folder, deployment)
    journey, services = folder.journey, deployment.services
    platform = await deployment.deliverer(journey.order_page)

    async def look_up(number):
        found = await find_person_documents(
            deployment.pool,
            services.vault,
            "order",
            number,
            journey.order_issuer,
            asker=Asker(party_id=journey.order_page, codes=platform.codes),
            reason="order page",
        )
        [document] = found.documents
        [use] = document.uses
        return use

    labelled, bare = await look_up(journey.order), await look_up(journey.unlabelled_order)
    assert labelled.things == (played.item,)
    assert labelled.parcels == (played.parcel(journey.waybill),)
    assert (bare.things, bare.parcels) == ((), (played.parcel(UNLABELLED),))

    trace = await deployment.trace(bare.parcels[0])
    [ambiguity] = trace.ambiguities
    assert (ambiguity.code, ambiguity.candidates) == ("trace.consignment.ambiguous", (FIRST, SECOND))
    assert "the goods of this parcel" in ambiguity.reason_en
    assert "这个包裹里的商品" in ambiguity.reason_zh
    assert (trace.kind, trace.state, lists_of(trace)) == ("parcel", "delivered", set())
    # Its own papers are all there, of the way before the warehouse nothing is guessed.
    assert played.steps_on(trace) == set(range(11, 20))
    coverage = await played.coverage(bare.parcels[0], NOW)
    assert {leg.code for leg in coverage.legs if leg.state == "missing"} == BEFORE_THE_WAREHOUSE
    # The city asks for a code in its own system: the pack has one, the parcel without a label has none.
    cities = load_cities()
    duty = city_duty(trace, "1210", cities)
    assert duty is not None
    assert (duty.city, duty.requires, duty.met) == ("CNNGB", "local-system", False)
    [finding] = city_findings(duty)
    assert finding.code == "coverage.city.code_missing"
    met = city_duty(await deployment.trace(played.item), "1210", cities)
    assert met is not None
    assert met.met is True
    parcel = city_duty(await deployment.trace(labelled.parcels[0]), "1210", cities)
    assert parcel is not None
    assert parcel.met is None
    public = await deployment.trace(bare.parcels[0], PUBLIC)
    assert all(one.candidates == () for one in public.ambiguities)


async def test_a_label_that_forgets_the_shelf_leaves_the_consignment_open(deployment, folder):
    """What binds the item is the entry list in the words of the label's commissioning, and nothing else."""
    played = await play(folder, deployment, without=frozenset({"16-label-at-packing.jsonld"}))
    warehouse = await deployment.deliverer("yongjiang")
    place = {"readPoint": {"id": folder.journey.facility}, "bizLocation": {"id": folder.journey.facility}}
    common = {"eventTimeZoneOffset": "+08:00", "action": "ADD", **place}
    order = {
        "type": "urn:suyuan:btt:order",
        "bizTransaction": f"urn:suyuan:raw:order:{folder.journey.order_issuer}:{folder.journey.order}",
    }
    await deployment.say(
        warehouse,
        {
            **common,
            "type": "ObjectEvent",
            "eventTime": "2025-11-11T14:18:00+08:00",
            "epcList": [played.item],
            "bizStep": "commissioning",
            "ilmd": {"cbvmda:lotNumber": folder.journey.lot},
        },
        {
            **common,
            "type": "AggregationEvent",
            "eventTime": "2025-11-11T14:20:00+08:00",
            "parentID": f"urn:suyuan:raw:waybill:{folder.journey.waybill_issuer}:{folder.journey.waybill}",
            "childEPCs": [played.item],
            "bizStep": "packing",
            "bizTransactionList": [order],
        },
    )
    trace = await deployment.trace(played.item)
    [ambiguity] = trace.ambiguities
    assert ambiguity.candidates == (FIRST, SECOND)
    assert "binds this item" in ambiguity.reason_en
    assert lists_of(trace) == set()


async def test_the_order_of_arrival_does_not_matter(deployment, folder):
    played = await play(folder, deployment, backwards=True)
    trace = await deployment.trace(played.item)
    assert (played.steps_on(trace), lists_of(trace)) == (set(range(1, 20)), {SECOND})
    [ambiguity] = (await deployment.trace(played.parcel(UNLABELLED))).ambiguities
    assert ambiguity.candidates == (FIRST, SECOND)
