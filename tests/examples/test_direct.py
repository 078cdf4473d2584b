"""The direct-mail journey holds together, as papers and on a real deployment beside the bonded one's members."""

from __future__ import annotations

import csv
import io
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from suyuan import customs, epcis, sheets
from suyuan.catalog.reading import read_places_csv, read_products_csv
from suyuan.catalog.store import put_places, put_products
from suyuan.cli.journey import expand, load_journey, load_manifest
from suyuan.compliance.afterlife import reuse_of
from suyuan.compliance.consignment import consignment_findings, consignments_of
from suyuan.compliance.coverage import coverage_of
from suyuan.compliance.legs import load_profiles
from suyuan.customs.values import is_id_number, read_air_waybill
from suyuan.epcis.identifiers import check_uri
from suyuan.gs1.check_digits import check_digit_valid
from suyuan.parties.identifiers import check_customs_code, check_gln, check_uscc
from suyuan.parties.roles import ROLES
from suyuan.proof.verification import verify_bundle
from suyuan.trace import OPERATOR, PUBLIC, make_bundle

sys.path.append(str(Path(__file__).resolve().parents[1] / "journeys"))

from deployment import Deployment, deployment

__all__ = ["deployment"]

FOLDER = Path(__file__).parents[2] / "examples" / "direct"
JOURNEY = load_journey(FOLDER)
PAPERS = load_manifest(FOLDER)
SERIALS = [f"0{number:019d}" for number in range(1, JOURNEY.count + 1)]
HOST = "https://trace.example"
READERS = (epcis, customs, sheets)
FIRST = f"urn:suyuan:raw:waybill:{JOURNEY.waybill_issuer}:{JOURNEY.waybill}"
SECOND = f"urn:suyuan:raw:waybill:{JOURNEY.second_waybill_issuer}:{JOURNEY.second_waybill}"
SHORT = f"urn:suyuan:raw:waybill:{JOURNEY.waybill_issuer}:YT9900000000234"
AIR_WAYBILL = f"urn:suyuan:awb:{JOURNEY.air_waybill}"
LABEL = "urn:suyuan:label:ccic:000000204200233"
LIST = "urn:suyuan:raw:parcel-list:5141:51412025I000000456"


def kind_of(name):
    """The kind of a paper by its name: the customs message that it ends in, else by its form."""
    message = re.search(r"-(ceb\d+)\.xml$", name)
    if message:
        return message[1].upper()
    return {".jsonld": "EPCIS/JSON", ".xml": "EPCIS/XML"}.get(Path(name).suffix, "scan/courier")


def rows_of(name, folder=FOLDER):
    return list(csv.DictReader(io.StringIO((folder / name).read_text("utf-8"))))


@pytest.fixture(scope="module")
def sent():
    return {paper.name: expand(paper, SERIALS, HOST) for paper in PAPERS}


@pytest.fixture(scope="module")
def readings(sent):
    found = {}
    for paper in PAPERS:
        data = sent[paper.name]
        [reader] = [reader for reader in READERS if reader.recognise(data, paper.name)]
        assert (reader is epcis) == (paper.door == "epcis")
        found[paper.name] = reader.read(data, name=paper.name)
    return found


@pytest.fixture(scope="module")
def events(readings):
    """Every event with the number of its step."""
    return [(paper.step, derived.event) for paper in PAPERS for derived in readings[paper.name].events]


def documents(event):
    return {each.biz_transaction for each in event.biz_transaction_list}


def item(number):
    return f"https://id.gs1.org/01/{JOURNEY.gtin}/21/{SERIALS[number - 1]}"


# -- the papers ----------------------------------------------------------------------------------------------


def test_the_manifest_names_every_paper_once_and_all_steps():
    names = [paper.name for paper in PAPERS]
    assert len(set(names)) == len(names)
    assert set(names) == {path.name for path in (FOLDER / "papers").iterdir()}
    assert [paper.step for paper in PAPERS] == sorted(paper.step for paper in PAPERS)
    assert {paper.step for paper in PAPERS} == set(range(1, JOURNEY.steps + 1))
    assert {paper.delivering_party for paper in PAPERS} <= {row["id"] for row in rows_of("parties.csv")}
    assert all(paper.name.startswith(f"{paper.step:02d}-") for paper in PAPERS)


def test_every_paper_is_read_as_what_it_is_and_without_a_warning(readings):
    assert {name: reading.kind for name, reading in readings.items()} == {n: kind_of(n) for n in readings}
    assert {name: reading.warnings for name, reading in readings.items() if reading.warnings} == {}
    assert all(reading.events for reading in readings.values())
    messages = {reading.kind for reading in readings.values() if reading.kind.startswith("CEB")}
    assert messages == {
        f"CEB{number}" for number in (311, 312, 411, 412, 511, 512, 513, 514, 621, 622, 625, 626, 711, 712)
    }


def test_steps_follow_one_another_in_time(events):
    ends = {}
    for step, event in events:
        ends[step] = max(ends.get(step, event.event_time), event.event_time)
    assert [ends[step] for step in sorted(ends)] == sorted(ends.values())


def test_every_identifier_is_well_formed(events):
    for uri in {uri for _, event in events for uri in epcis.identifier_uris(event)}:
        check_uri(uri)
    assert check_digit_valid(JOURNEY.gtin)
    assert read_air_waybill(JOURNEY.air_waybill) == JOURNEY.air_waybill


def test_master_data_is_taken_and_says_the_same_as_the_other_journeys():
    [product] = read_products_csv((FOLDER / "products.csv").read_bytes())
    assert product.gtin == JOURNEY.gtin
    parties = {row["id"]: row for row in rows_of("parties.csv")}
    assert {product.producer, product.distributor, product.seller, JOURNEY.issued_by} <= parties.keys()
    for row in parties.values():
        assert set(row["roles"].split()) <= ROLES.keys()
        assert not row["gln"] or check_gln(row["gln"])
        assert not row["uscc"] or check_uscc(row["uscc"])
        assert not row["customs_code"] or check_customs_code(row["customs_code"])
    bonded = FOLDER.parent / "bonded"
    everybody = dict(parties)
    for row in rows_of("parties.csv", bonded):
        assert everybody.setdefault(row["id"], row) == row
    for column in ("gln", "uscc", "customs_code"):
        numbers = [row[column] for row in everybody.values() if row[column]]
        assert len(set(numbers)) == len(numbers)
    places = {row["uri"]: row for row in rows_of("places.csv")}
    for row in rows_of("places.csv", bonded):
        assert places.setdefault(row["uri"], row) == row


def test_every_place_is_in_the_catalogue(events):
    known = {place.uri for place in read_places_csv((FOLDER / "places.csv").read_bytes())}
    assert {
        place.id for _, event in events for place in (event.read_point, event.biz_location) if place
    } == known


def test_persons_are_invented(readings, sent):
    text = "\n".join(data.decode("utf-8") for data in sent.values())
    ids = set(re.findall(r"<ceb:(?:buyer|payer)IdNumber>([^<]+)<", text))
    assert ids == {"990101198808080021"}
    assert all(is_id_number(each) for each in ids)
    for name, reading in readings.items():
        for field in reading.personal:
            value = sent[name][field.start : field.end].decode("utf-8")
            if field.category == "name":
                assert value.startswith("测试")
            elif field.category == "phone":
                assert value.startswith("1990000")
            elif field.category == "address":
                assert "示例" in value


def test_each_personal_number_is_outside_the_events_but_for_raw_uris(readings, sent):
    for name, reading in readings.items():
        text = repr([derived.event for derived in reading.events])
        text = re.sub(r"urn:suyuan:raw:[^']*", "", text)
        for field in reading.personal:
            assert sent[name][field.start : field.end].decode("utf-8") not in text


def test_one_parcel_of_412_is_short_and_it_is_not_the_followed_one(events):
    [consolidation] = [event for step, event in events if step == 5 and event.child_epcs]
    [inbound] = [event for step, event in events if step == 7 and event.epc_list]
    assert consolidation.parent_id == AIR_WAYBILL
    assert AIR_WAYBILL in documents(inbound)
    assert (len(consolidation.child_epcs), len(inbound.epc_list)) == (412, 411)
    assert set(consolidation.child_epcs) - set(inbound.epc_list) == {SHORT}
    assert FIRST in inbound.epc_list


def test_the_parcel_has_two_numbers_and_the_item_two_codes(events):
    aliases = [set(event.epc_list) for _, event in events if event.biz_step == "urn:suyuan:bizstep:aliasing"]
    assert aliases == [{item(JOURNEY.followed), LABEL}, {FIRST, SECOND}]
    moved = {event.epc_list[0] for step, event in events if step in (11, 12) and len(event.epc_list) == 1}
    assert moved == {FIRST, SECOND}


def test_the_committed_papers_are_small_and_plain():
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 150_000
    assert not any("\t" in path.read_text("utf-8") for path in files)


# -- on a deployment -------------------------------------------------------------------------------------------


class Delivered:
    """The journey in a deployment: its serials and the events of each step."""

    def __init__(self, deployment, serials):
        self.deployment = deployment
        self.serials = serials
        self.steps = {}

    def item(self, number):
        return f"https://id.gs1.org/01/{JOURNEY.gtin}/21/{self.serials[number - 1]}"

    async def trace(self, number=JOURNEY.followed, viewer=OPERATOR):
        return await self.deployment.trace(self.item(number), viewer)

    async def coverage(self, number=JOURNEY.followed):
        return coverage_of(await self.trace(number), load_profiles(), datetime(2025, 12, 1, tzinfo=UTC))


async def delivered(deployment: Deployment, *, without=(), backwards=False) -> Delivered:
    for row in rows_of("parties.csv"):
        fields = {name: row[name] for name in ("gln", "uscc", "customs_code") if row[name]}
        await deployment.member(row["id"], *row["roles"].split(), **fields)
    await put_products(
        deployment.pool,
        read_products_csv((FOLDER / "products.csv").read_bytes()),
        recorded_by="southern-vita",
    )
    await put_places(
        deployment.pool, read_places_csv((FOLDER / "places.csv").read_bytes()), recorded_by="southern-vita"
    )
    owner = await deployment.deliverer(JOURNEY.issued_by)
    serials = await deployment.issued(JOURNEY.count, owner, lot=JOURNEY.lot, gtin=JOURNEY.gtin)
    journey = Delivered(deployment, serials)
    for paper in reversed(PAPERS) if backwards else PAPERS:
        if paper.name in without:
            continue
        party = await deployment.deliverer(paper.delivering_party)
        stored = await deployment.capture.submit(expand(paper, serials, HOST), party, name=paper.name)
        assert stored.warnings == ()
        journey.steps.setdefault(paper.step, set()).update(outcome.event_id for outcome in stored.events)
    return journey


def legs_of(coverage):
    return {leg.code: leg.state for leg in coverage.legs}


async def test_every_step_is_on_the_items_way(deployment):
    journey = await delivered(deployment)
    trace = await journey.trace()
    ids = {fact.event_id for fact in trace.facts}
    assert {step for step, found in journey.steps.items() if found & ids} == set(range(1, 15))
    assert (trace.state, trace.lot, trace.truncated) == ("returned", JOURNEY.lot, False)
    assert trace.aliases == (LABEL,)
    assert trace.parcels == tuple(
        deployment.services.vault.pseudonym(*uri.split(":", 5)[3:]) for uri in (FIRST, SECOND)
    )
    assert reuse_of(trace) == ()
    coverage = await journey.coverage()
    assert (coverage.mode, coverage.present, coverage.required) == ("9610", 12, 12)
    assert legs_of(coverage)["inspection"] == "present"
    assert coverage.findings == ()


async def test_the_order_of_arrival_does_not_matter(deployment):
    journey = await delivered(deployment, backwards=True)
    trace, coverage = await journey.trace(), await journey.coverage()
    assert (trace.state, len(trace.parcels), len(trace.facts)) == ("returned", 2, 33)
    assert (coverage.present, coverage.required) == (12, 12)
    [finding] = await consignment_findings(deployment.pool, trace)
    assert finding.code == "consignment.short"


async def test_the_consignment_is_short_and_no_parcel_sees_anothers_way(deployment):
    journey = await delivered(deployment)
    mine, other = await journey.trace(), await journey.trace(JOURNEY.followed + 1)
    [consignment] = await consignments_of(deployment.pool, mine)
    assert (consignment.consolidated, consignment.received, consignment.missing) == (412, 411, 1)
    assert consignment.parcel == "received"
    assert consignment.finding.reason_en.endswith(
        "412 parcels were consolidated under 784-12345675, 411 arrived: 1 short (not this one)."
    )
    assert consignment.finding.references == (AIR_WAYBILL, "urn:suyuan:inbound-detail:514120251022000005")
    [theirs] = await consignments_of(deployment.pool, other)
    assert theirs.parcel == "missing"
    assert "this one among them" in theirs.finding.reason_en
    # The short parcel flew, as the air waybill did; it was neither received nor cleared nor delivered.
    assert {fact.message for fact in other.facts} == {"EPCIS/JSON", "EPCIS/XML", "CEB511"}
    assert legs_of(await journey.coverage(JOURNEY.followed + 1))["inbound"] == "missing"
    strangers = set(other.parcels)
    for fact in (*mine.facts, *(await journey.trace(viewer=PUBLIC)).facts):
        assert not strangers & {*fact.things, *(document.uri for document in fact.documents)}
    waybills = {uri for fact in mine.facts for uri in fact.things if ":waybill:" in uri}
    assert waybills == set(mine.parcels)


async def test_without_the_couriers_word_the_last_miles_are_nobodys(deployment):
    journey = await delivered(deployment, without={"11-second-waybill.jsonld"})
    trace = await journey.trace()
    assert len(trace.parcels) == 1
    assert 11 not in {s for s, found in journey.steps.items() if found & {f.event_id for f in trace.facts}}
    assert legs_of(await journey.coverage())["domestic"] == "missing"


async def test_an_inspection_is_owed_only_where_customs_inspected(deployment):
    journey = await delivered(deployment, without={"09-import-list-inspection-ceb622.xml"})
    coverage = await journey.coverage()
    assert legs_of(coverage)["inspection"] == "not required"
    assert (coverage.present, coverage.required) == (11, 11)


async def test_the_label_and_the_parcel_lead_to_the_same_facts(deployment):
    journey = await delivered(deployment)
    by_item, by_label = await journey.trace(), await deployment.trace(LABEL)
    assert {fact.event_id for fact in by_label.facts} == {fact.event_id for fact in by_item.facts}
    assert (by_label.kind, by_label.state) == ("item", "returned")
    parcel = await deployment.trace(by_item.parcels[0])
    assert parcel.aliases == by_item.parcels[1:]


async def test_a_code_that_is_sold_again_after_its_return_is_named(deployment):
    journey = await delivered(deployment)
    again = {
        "type": "AggregationEvent",
        "eventTime": "2025-12-02T10:00:00+08:00",
        "eventTimeZoneOffset": "+08:00",
        "action": "ADD",
        "bizStep": "packing",
        "parentID": f"urn:suyuan:raw:waybill:{JOURNEY.waybill_issuer}:YT9900000009999",
        "childEPCs": [journey.item(JOURNEY.followed)],
    }
    await deployment.say(await deployment.deliverer("southern-vita"), again)
    trace = await journey.trace()
    assert trace.state == "returned"
    [finding] = reuse_of(trace)
    assert (finding.code, "2025-12-02" in finding.reason_en) == ("code.reused", True)


async def test_what_a_buyer_asked_for_is_not_the_publics_and_all_else_is_proved(deployment):
    journey = await delivered(deployment)
    await deployment.published()
    services = deployment.services
    thing = journey.item(JOURNEY.followed)
    public = await journey.trace(viewer=PUBLIC)
    steps = {fact.biz_step.rpartition(":")[2] for fact in public.facts}
    assert not steps & {"ordering", "paying", "waybill_issued", "requesting_return"}
    assert not {fact.disposition for fact in public.facts} & {
        "urn:suyuan:disp:return_accepted",
        "urn:suyuan:disp:return_concluded",
    }
    assert (public.state, public.parcels) == ("returned", ())
    for viewer in (PUBLIC, OPERATOR):
        bundle = await make_bundle(
            services.reader, services.tree, thing, viewer, log_key=services.signer.vkey
        )
        proved = verify_bundle(bundle, services.signer.vkey).facts
        assert len(proved) == len((await journey.trace(viewer=viewer)).facts)
        for number in (JOURNEY.order, JOURNEY.waybill, JOURNEY.second_waybill, "51412025I000000456"):
            assert number.encode() not in bundle
