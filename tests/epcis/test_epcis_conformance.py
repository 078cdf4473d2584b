"""The examples of GS1 and others: read, written back, read again; refused where they are wrong."""

from __future__ import annotations

import pytest
from epcis_vectors import VECTORS, documents, load, needs_vectors
from lxml import etree

from suyuan.canon import canonical_json
from suyuan.epcis import (
    canonical_body,
    encode_json,
    event_from_body,
    event_hash,
    pre_hash,
    read,
    read_json,
    read_xml_events,
    recognise,
    write_json_document,
    write_json_event,
    write_xml_document,
)
from suyuan.errors import SuyuanError

pytestmark = needs_vectors

# Documents in folders of good ones that EPCIS's own schema or the check digits refuse, and why.
BROKEN = {
    "openepcis-dpp/extensions/eu/battery/epcis/amperia-staxwall-lifecycle.jsonld": "epcis.field.unknown",
    "openepcis-dpp/extensions/eu/battery/epcis/carbon-footprint.jsonld": "epcis.field.unknown",
    "openepcis-dpp/extensions/eu/electronics/epcis/commissioning.jsonld": "epcis.value.invalid",
    "openepcis-dpp/extensions/eu/electronics/epcis/weee-disposal.jsonld": "gs1.epc.form",
    "openepcis-dpp/extensions/eu/eudr/epcis/harvesting.jsonld": "epcis.field.unknown",
    "openepcis-dpp/extensions/eu/ppwr/epcis/deposit-return.jsonld": "epcis.value.invalid",
    "openepcis-testdata-generator/examples/design test data ui/Generated Events.json": "gs1.check_digit",
    "openepcis-testdata-generator/test-common/CreateAggregationEventOutput.json": "epcis.child_epcs.missing",
    "openepcis-testdata-generator/test-common/CreateTransformationEventOutput.json": "epcis.type.invalid",
    "openepcis-testdata-generator/test-common/DesignTestDataEventsOutput2.json": "gs1.check_digit",
    "openepcis-validation-service/json/CaptureDocument.json": "epcis.action.missing",
    "openepcis-validation-service/json/CaptureDocumentWithCertification.json": (
        "epcis.certification_info.invalid"
    ),
    "openepcis-validation-service/xml/captureDocument-independent-object-event.xml": "epcis.action.missing",
}
ALL = documents()
GOOD = [name for name in ALL if "/Invalid/" not in name and name not in BROKEN]


def test_there_are_examples():
    assert len(GOOD) > 100


@pytest.mark.parametrize("name", [name for name in ALL if "/Invalid/" in name])
def test_invalid_examples_are_refused(name: str):
    with pytest.raises(SuyuanError) as caught:
        read(load(name))
    assert caught.value.code.startswith("epcis.")
    assert caught.value.path.startswith(("$", "/"))


@pytest.mark.parametrize("name", BROKEN)
def test_broken_examples_say_what_is_wrong(name: str):
    with pytest.raises(SuyuanError) as caught:
        read(load(name))
    assert caught.value.code == BROKEN[name]
    assert caught.value.path


@pytest.mark.parametrize("name", GOOD)
def test_read_write_read(name: str):
    data = load(name)
    assert recognise(data)
    reading = read(data)
    events = [derived.event for derived in reading.events]
    assert events
    assert not reading.personal
    assert {derived.rule for derived in reading.events} == {""}
    assert len({derived.path for derived in reading.events}) == len(events)
    for form in ("dl", "urn", "same"):
        again = read_json(write_json_document(events, form))
        for before, after in zip(events, again, strict=True):
            assert canonical_body(after) == canonical_body(before)
            assert (after.event_id, after.record_time) == (before.event_id, before.record_time)
        if form == "same" and "xmlns" not in data.decode() and not name.endswith(".xml"):
            assert list(again) == events
        alone = read_json(encode_json(write_json_event(events[0], form)))
        assert canonical_body(alone[0]) == canonical_body(events[0])
    for event in events:
        body = canonical_body(event)
        canonical_json(body)
        assert canonical_body(event_from_body(body)) == body
        assert event_hash(event_from_body(body)) == event_hash(event)


@pytest.mark.parametrize("name", GOOD)
def test_xml_there_and_back(name: str):
    events = [derived.event for derived in read(load(name)).events]
    again = read_xml_events(write_xml_document(events, "urn"))
    for before, after in zip(events, again, strict=True):
        assert pre_hash(after, exact=True) == pre_hash(before, exact=True)
        if name.endswith(".xml"):
            assert canonical_body(after) == canonical_body(before)


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(VECTORS / "gs1-epcis/XSD/EPCglobal-epcis-2_0.xsd"))


def test_written_xml_is_valid(schema: etree.XMLSchema):
    for name in GOOD:
        events = [derived.event for derived in read(load(name)).events]
        written = etree.fromstring(write_xml_document(events, "urn"))
        assert schema.validate(written), f"{name}: {schema.error_log}"


TWINS = [
    (
        "openepcis-test-resources/2.0/EPCIS/JSON/" + name[len("openepcis-test-resources/2.0/EPCIS/XML/") : -4]
        + ".json",
        name,
    )
    for name in GOOD
    if name.startswith("openepcis-test-resources/2.0/EPCIS/XML/")
]  # fmt: skip
TWINS += [
    (name, name[:-7] + ".xml")
    for name in GOOD
    if name.startswith("event-hash-ralphtro/examples/") and name[:-7] + ".xml" in GOOD
]


def test_there_are_twins():
    assert len([pair for pair in TWINS if pair[0] in GOOD]) > 15


@pytest.mark.parametrize(("json_name", "xml_name"), [pair for pair in TWINS if pair[0] in GOOD])
def test_twins_have_one_hash(json_name: str, xml_name: str):
    from_json = [pre_hash(event, exact=True) for event in read_json(load(json_name))]
    from_xml = [pre_hash(event, exact=True) for event in read_xml_events(load(xml_name))]
    assert from_json == from_xml
