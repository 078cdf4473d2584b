"""The bonded journey holds together: every paper is read, every number is well-formed, the join reaches the B/L."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from openpyxl import load_workbook

from suyuan import customs, epcis, sheets
from suyuan.catalog.reading import read_places_csv, read_products_csv
from suyuan.cli.journey import expand, load_journey, load_manifest
from suyuan.customs.values import is_id_number, is_uscc
from suyuan.epcis.identifiers import check_uri
from suyuan.gs1.check_digits import check_digit_valid, container_valid
from suyuan.parties.identifiers import check_customs_code, check_gln, check_uscc
from suyuan.parties.roles import ROLES

FOLDER = Path(__file__).parents[2] / "examples" / "bonded"
JOURNEY = load_journey(FOLDER)
PAPERS = load_manifest(FOLDER)
SERIALS = [f"0{number:019d}" for number in range(1, JOURNEY.count + 1)]
HOST = "https://trace.example"
READERS = (epcis, customs, sheets)

KINDS = {
    "01-lot.jsonld": "EPCIS/JSON",
    "02-release-test.xml": "EPCIS/XML",
    "03-site-audit.jsonld": "EPCIS/JSON",
    "04-unit-codes.jsonld": "EPCIS/JSON",
    "04-case-packing.jsonld": "EPCIS/JSON",
    "05-packing-list.xlsx": "sheet/packing-list",
    "06-loading.xml": "EPCIS/XML",
    "07-export-clearance.jsonld": "EPCIS/JSON",
    "08-vessel-departure.xml": "EPCIS/XML",
    "09-vessel-arrival.jsonld": "EPCIS/JSON",
    "10-bonded-list-inv101.xml": "SAS/INV101",
    "10-bonded-list-receipt-inv201.xml": "SAS/INV201",
    "10-declaration-draft-inv202.xml": "SAS/INV202",
    "11-entry-declaration.jsonld": "EPCIS/JSON",
    "12-quarantine.xml": "EPCIS/XML",
    "13-gate-pass-in-1-sas121.xml": "SAS/SAS121",
    "13-gate-pass-in-1-approved-sas221.xml": "SAS/SAS221",
    "13-gate-pass-in-1-passed-sas223.xml": "SAS/SAS223",
    "13-gate-pass-in-2-sas121.xml": "SAS/SAS121",
    "13-gate-pass-in-2-approved-sas221.xml": "SAS/SAS221",
    "13-gate-pass-in-2-passed-sas223.xml": "SAS/SAS223",
    "13-deduction-inv211.xml": "SAS/INV211",
    "14-tally.xlsx": "sheet/tally",
    "15-arrival-inspection.jsonld": "EPCIS/JSON",
    "16-order-ceb311.xml": "CEB311",
    "17-payment-ceb411.xml": "CEB411",
    "18-waybill-ceb511.xml": "CEB511",
    "19-import-list-ceb621.xml": "CEB621",
    "20-import-list-receipt-ceb622.xml": "CEB622",
    "21-parcel-packing.xml": "EPCIS/XML",
    "22-gate-pass-out-sas121.xml": "SAS/SAS121",
    "22-gate-pass-out-approved-sas221.xml": "SAS/SAS221",
    "22-gate-pass-out-passed-sas223.xml": "SAS/SAS223",
    "22-parcel-exit.jsonld": "EPCIS/JSON",
    "23-exit-list-inv101.xml": "SAS/INV101",
    "23-exit-list-receipt-inv201.xml": "SAS/INV201",
    "24-courier-scans.json": "scan/courier",
    "24-courier-scans.csv": "scan/courier",
    "24-signed-ceb513.xml": "CEB513",
    "25-verification-log.json": "log/verification",
    "26-tax-ceb816.xml": "CEB816",
    "27-recall.xml": "EPCIS/XML",
}


def rows_of(name):
    return list(csv.DictReader(io.StringIO((FOLDER / name).read_text("utf-8"))))


@pytest.fixture(scope="module")
def sent():
    return {paper.name: expand(paper, SERIALS, HOST) for paper in PAPERS}


@pytest.fixture(scope="module")
def readings(sent):
    found = {}
    for paper in PAPERS:
        if paper.door == "activate":
            continue
        data = sent[paper.name]
        readers = [reader for reader in READERS if reader.recognise(data, paper.name)]
        assert len(readers) == 1, (paper.name, readers)
        assert (readers[0] is epcis) == (paper.door == "epcis")
        found[paper.name] = readers[0].read(data, name=paper.name)
    return found


@pytest.fixture(scope="module")
def events(readings):
    """Every event with the number of its step."""
    return [
        (paper.step, derived.event)
        for paper in PAPERS
        if paper.name in readings
        for derived in readings[paper.name].events
    ]


def item(number):
    return f"https://id.gs1.org/01/{JOURNEY.gtin}/21/{SERIALS[number - 1]}"


def documents(event):
    return {each.biz_transaction for each in event.biz_transaction_list}


def test_the_manifest_names_every_paper_once_and_all_steps():
    names = [paper.name for paper in PAPERS]
    assert len(set(names)) == len(names)
    assert set(names) == {path.name for path in (FOLDER / "papers").iterdir()}
    assert {paper.step for paper in PAPERS} == set(range(1, JOURNEY.steps + 1))
    assert [paper.step for paper in PAPERS] == sorted(paper.step for paper in PAPERS)
    assert {paper.delivering_party for paper in PAPERS} <= {row["id"] for row in rows_of("parties.csv")}
    assert all(paper.name.startswith(f"{paper.step:02d}-") for paper in PAPERS)
    assert set(KINDS) == {paper.name for paper in PAPERS if paper.door != "activate"}


def test_every_paper_is_read_as_what_it_is_and_without_a_warning(readings):
    assert {name: reading.kind for name, reading in readings.items()} == KINDS
    assert {name: reading.warnings for name, reading in readings.items() if reading.warnings} == {}
    assert all(reading.events for reading in readings.values())


def test_steps_follow_one_another_in_time(events):
    ends = {}
    for step, event in events:
        ends[step] = max(ends.get(step, event.event_time), event.event_time)
    assert [ends[step] for step in sorted(ends)] == sorted(ends.values())


def test_every_identifier_is_well_formed(events):
    uris = {uri for _, event in events for uri in epcis.identifier_uris(event)}
    assert len(uris) > JOURNEY.count + 7_200
    for uri in uris:
        check_uri(uri)
        if uri.startswith("urn:epc:id:bic:"):
            assert container_valid(uri.rpartition(":")[2])
    assert check_digit_valid(JOURNEY.gtin)
    assert check_digit_valid(JOURNEY.case_gtin)
    assert check_digit_valid(JOURNEY.first_sscc)
    mrn = next(doc for _, event in events for doc in documents(event) if ":mrn:" in doc).rpartition(":")[2]
    assert len(mrn) == 18


def test_master_data_is_taken_by_the_catalogue_and_the_register():
    products = read_products_csv((FOLDER / "products.csv").read_bytes())
    assert {product.gtin for product in products} == {JOURNEY.gtin, JOURNEY.case_gtin}
    parties = {row["id"]: row for row in rows_of("parties.csv")}
    for product in products:
        named = {product.producer, product.importer, product.distributor, product.seller, product.owner_party}
        assert named <= parties.keys()
    for row in parties.values():
        assert set(row["roles"].split()) <= ROLES.keys()
        assert not row["gln"] or check_gln(row["gln"])
        assert not row["uscc"] or check_uscc(row["uscc"])
        assert not row["customs_code"] or check_customs_code(row["customs_code"])
    for column in ("gln", "uscc", "customs_code"):
        numbers = [row[column] for row in parties.values() if row[column]]
        assert len(set(numbers)) == len(numbers)


def test_every_place_is_in_the_catalogue(events):
    known = {place.uri for place in read_places_csv((FOLDER / "places.csv").read_bytes())}
    used = {place.id for _, event in events for place in (event.read_point, event.biz_location) if place}
    assert used == known
    assert JOURNEY.facility in known


def test_persons_are_invented(readings, sent):
    text = "\n".join(data.decode("utf-8") for name, data in sent.items() if name.endswith((".xml", ".csv")))
    ids = set(re.findall(r"<ceb:(?:buyer|payer)IdNumber>([^<]+)<", text))
    assert ids == {"990101199001010019"}
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
    for uscc in re.findall(r"Sccd>([0-9A-Z]{18})<", text):
        assert is_uscc(uscc)
        assert uscc.startswith("91440115MA9X1")


def test_the_item_is_tied_to_its_bill_of_lading_by_documents(events):
    """serial -> parcel -> list -> exit list -> ledger item -> entry list -> declaration -> bill of lading."""

    def following(kind, after):
        found = set()
        for _, event in events:
            if after in documents(event) | set(event.epc_list):
                found |= {uri for uri in documents(event) if uri.startswith(f"urn:suyuan:{kind}")}
        assert len(found) == 1, (kind, after, found)
        return found.pop()

    parcels = {
        event.parent_id
        for _, event in events
        if item(JOURNEY.followed) in event.child_epcs
        and event.parent_id.startswith("urn:suyuan:raw:waybill:")
    }
    assert parcels == {"urn:suyuan:raw:waybill:440196X001:SF1399000000017"}
    parcel_list = following("raw:parcel-list:5165:", parcels.pop())
    exit_list = following("bonded-list:QD516525E", parcel_list)
    ledger_item = f"urn:suyuan:ledger-item:{JOURNEY.ledger_item}"
    assert any({exit_list, ledger_item} <= documents(event) for _, event in events)
    entry_list = following("bonded-list:QD516525I", ledger_item)
    declaration = following("declaration:", entry_list)
    assert following("bol:", declaration) == "urn:suyuan:bol:COSU6390001234"


def test_the_item_is_tied_to_its_bill_of_lading_by_containment(events):
    parent_of = {}
    for _, event in events:
        if event.type == "AggregationEvent" and event.action == "ADD" and ":raw:" not in event.parent_id:
            parent_of.update(dict.fromkeys(event.child_epcs, event.parent_id))
    for number, container in ((JOURNEY.followed, "COSU9876546"), (JOURNEY.count, "COSU9876551")):
        thing = item(number)
        for _ in range(3):
            thing = parent_of[thing]
        assert thing == f"urn:epc:id:bic:{container}"
        assert any(
            thing in event.epc_list and "urn:suyuan:bol:COSU6390001234" in documents(event)
            for _, event in events
        )
    assert sum(parent.startswith("urn:epc:id:bic:") for parent in parent_of.values()) == 60


def test_quantities_add_up(events, sent):
    lot = f"https://id.gs1.org/01/{JOURNEY.gtin}/10/{JOURNEY.lot}"
    commissioned = {epc for step, event in events if step == 4 for epc in event.epc_list}
    packed = [epc for step, event in events if step == 4 for epc in event.child_epcs]
    assert len(commissioned) == len(packed) == JOURNEY.count
    assert commissioned == set(packed)
    tally = [event for step, event in events if step == 14]
    received = [q.quantity for event in tally for q in event.quantity_list if q.epc_class == lot]
    assert received == ["43198"]
    damaged = {epc for event in tally for epc in event.epc_list}
    assert damaged == {item(43_199), item(43_200)}
    command = json.loads(sent["15-activation.json"])
    assert len(set(command["serials"])) == 43_198
    assert not {item(43_199).rpartition("/")[2], item(43_200).rpartition("/")[2]} & set(command["serials"])
    assert (command["gtin"], command["lot"]) == (JOURNEY.gtin, JOURNEY.lot)
    assert (command["ledger_item"], command["facility"]) == (JOURNEY.ledger_item, JOURNEY.facility)


def test_the_order_that_is_followed_is_in_the_papers(events):
    order = f"urn:suyuan:raw:order:{JOURNEY.order_issuer}:{JOURNEY.order}"
    assert {step for step, event in events if order in documents(event)} >= {16, 17, 19, 21}


def test_each_personal_number_is_outside_the_events_but_for_raw_uris(readings, sent):
    for name, reading in readings.items():
        text = repr([derived.event for derived in reading.events])
        text = re.sub(r"urn:suyuan:raw:[^']*", "", text)
        for field in reading.personal:
            assert sent[name][field.start : field.end].decode("utf-8") not in text


def test_the_committed_papers_are_small_and_plain():
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 250_000
    for path in files:
        if path.suffix == ".xlsx":
            text = str(
                [
                    cell
                    for sheet in load_workbook(path)
                    for row in sheet.iter_rows(values_only=True)
                    for cell in row
                ]
            )
        else:
            text = path.read_text("utf-8")
        assert "DXPENT0000" not in text
        assert "\t" not in text
