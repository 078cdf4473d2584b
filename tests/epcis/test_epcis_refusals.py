"""Bad input of every kind: our own error, a stable code and the place of the fault; never anything else."""

from __future__ import annotations

import json
import random

import pytest
from epcis_vectors import XML_EVENT, document, event, xml_document
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.epcis import Reading, canonical_body, pre_hash, read, read_json, recognise
from suyuan.errors import InputError, SuyuanError, TooLargeError

few = settings(max_examples=100, deadline=None)
EVENT = "$.epcisBody.eventList[0]"
XPATH = "/EPCISDocument/EPCISBody/EventList/ObjectEvent"


def refused(data: bytes) -> SuyuanError:
    with pytest.raises(SuyuanError) as caught:
        read(data)
    return caught.value


@pytest.mark.parametrize(
    ("fields", "code", "path"),
    [
        ({"eventTime": None}, "epcis.event_time.missing", "eventTime"),
        ({"eventTime": "2025-04-31T09:10:00Z"}, "epcis.event_time.invalid", "eventTime"),
        ({"eventTime": "2025-02-29T09:10:00Z"}, "epcis.event_time.invalid", "eventTime"),
        ({"eventTime": "2025-08-04T24:10:00Z"}, "epcis.event_time.invalid", "eventTime"),
        ({"eventTime": "2025-08-04T09:10:00"}, "epcis.event_time.invalid", "eventTime"),
        ({"eventTime": "2025-08-04"}, "epcis.event_time.invalid", "eventTime"),
        ({"eventTime": "0001-01-01T00:00:00+14:00"}, "epcis.event_time.invalid", "eventTime"),
        ({"eventTime": 20250804}, "epcis.event_time.invalid", "eventTime"),
        ({"eventTimeZoneOffset": "+2:00"}, "epcis.event_time_zone_offset.invalid", "eventTimeZoneOffset"),
        ({"eventTimeZoneOffset": "+14:30"}, "epcis.event_time_zone_offset.invalid", "eventTimeZoneOffset"),
        ({"eventTimeZoneOffset": None}, "epcis.event_time_zone_offset.missing", "eventTimeZoneOffset"),
        ({"action": None}, "epcis.action.missing", "action"),
        ({"action": "observe"}, "epcis.action.invalid", "action"),
        ({"action": ["ADD"]}, "epcis.action.invalid", "action"),
        ({"type": "Event"}, "epcis.type.invalid", "type"),
        ({"type": {}}, "epcis.type.invalid", "type"),
        ({"epcList": None}, "epcis.epc_list.missing", "epcList"),
        ({"epcList": "urn:x:y"}, "epcis.epc_list.invalid", "epcList"),
        ({"epcList": ["urn:x:y", "no uri"]}, "epcis.epc_list.invalid", "epcList[1]"),
        ({"epcList": ["urn:x:y", 7]}, "epcis.epc_list.invalid", "epcList[1]"),
        ({"epcList": ["https://id.gs1.org/01/10614141073465"]}, "gs1.check_digit", "epcList[0]"),
        ({"epcList": ["https://brand.example/01/10614141073465/21/7"]}, "gs1.check_digit", "epcList[0]"),
        ({"epcList": ["https://id.gs1.org/00/106141412345678909"]}, "gs1.check_digit", "epcList[0]"),
        ({"epcList": ["urn:epc:id:sgtin:0614141.1073460.7"]}, "gs1.epc.form", "epcList[0]"),
        ({"readPoint": {"id": "https://id.gs1.org/414/4012345000050"}}, "gs1.check_digit", "readPoint.id"),
        ({"readPoint": {}}, "epcis.read_point.missing", "readPoint.id"),
        ({"readPoint": "urn:x:y"}, "epcis.read_point.invalid", "readPoint"),
        ({"bizStep": "shiping"}, "epcis.biz_step.invalid", "bizStep"),
        ({"bizSteps": "shipping"}, "epcis.field.unknown", "bizSteps"),
        ({"childEPCs": ["urn:x:y"]}, "epcis.field.unknown", "childEPCs"),
        ({"parentID": "urn:x:y", "type": "AggregationEvent"}, "epcis.field.unknown", "epcList"),
        ({"quantityList": [{"quantity": 1}]}, "epcis.epc_class.missing", "quantityList[0].epcClass"),
        ({"quantityList": [{"epcClass": "urn:x:y", "quantity": "1"}]}, "epcis.quantity.invalid",
         "quantityList[0].quantity"),
        ({"quantityList": [{"epcClass": "urn:x:y", "quantity": -1}]}, "epcis.quantity.invalid",
         "quantityList[0].quantity"),
        ({"quantityList": [{"epcClass": "urn:x:y", "uom": "kilogram"}]}, "epcis.uom.invalid",
         "quantityList[0].uom"),
        ({"quantityList": [{"epcClass": "urn:x:y", "unit": "KGM"}]}, "epcis.field.unknown",
         "quantityList[0].unit"),
        ({"bizTransactionList": [{"type": "po"}]}, "epcis.biz_transaction.missing",
         "bizTransactionList[0].bizTransaction"),
        ({"bizTransactionList": [{"type": "order", "bizTransaction": "urn:x:y"}]},
         "epcis.biz_transaction_type.invalid", "bizTransactionList[0].type"),
        ({"errorDeclaration": {"reason": "did_not_occur"}}, "epcis.declaration_time.missing",
         "errorDeclaration.declarationTime"),
        ({"ilmd": {"lotNumber": "7"}}, "epcis.field.unknown", "ilmd.lotNumber"),
        ({"sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": "7"}]}]},
         "epcis.value.invalid", "sensorElementList[0].sensorReport[0].value"),
        ({"sensorElementList": [{"sensorReport": [{"booleanValue": 1}]}]}, "epcis.boolean_value.invalid",
         "sensorElementList[0].sensorReport[0].booleanValue"),
        ({"bizTransactionList": [{"bizTransaction": "urn:suyuan:raw:order:7"}]},
         "epcis.person_document.invalid", None),
        ({"ext:": 7}, "epcis.extension.name", None),
    ],
)  # fmt: skip
def test_json_fields(fields: dict[str, object], code: str, path: str | None):
    error = refused(document(event(**fields)))
    assert error.code == code
    if path is not None:
        assert error.path == f"{EVENT}.{path}"
    assert error.reason


@pytest.mark.parametrize(
    ("before", "after", "code", "path"),
    [
        ("2025-08-04T09:10:00+02:00", "2025-02-30T09:10:00+02:00", "epcis.event_time.invalid", "/eventTime"),
        ("<eventTime>2025-08-04T09:10:00+02:00</eventTime>", "", "epcis.event_time.missing", "/eventTime"),
        ("<action>OBSERVE</action>", "", "epcis.action.missing", "/action"),
        ("OBSERVE", "OBSERVED", "epcis.action.invalid", "/action"),
        ("<epcList>", "<epcLists>", "xml.malformed", None),
        ("<epc>urn:epc:id:sgtin:0614141.107346.2017</epc>",
         "<epc>urn:x:y</epc><epc>https://id.gs1.org/01/10614141073465</epc>", "gs1.check_digit",
         "/epcList/epc[2]"),
        ("bizstep:shipping", "bizstep:ship ping", "epcis.biz_step.invalid", "/bizStep"),
        ("<action>", "<acton>x</acton><action>", "epcis.field.unknown", "/acton"),
        ("<action>", "<action>ADD</action><action>", "epcis.field.repeated", "/action[2]"),
        ("<id>urn:epc:id:sgln:0614141.07346.0</id>", '<m:x xmlns:m="urn:m">a</m:x>',
         "epcis.read_point.missing", "/readPoint/id"),
        ("<action>", '<m:x xmlns:m="urn:m">a<m:b/>c</m:x><action>', "epcis.extension.mixed_content", "/x"),
    ],
)  # fmt: skip
def test_xml_fields(before: str, after: str, code: str, path: str | None):
    assert before in XML_EVENT
    error = refused(xml_document(XML_EVENT.replace(before, after)))
    assert error.code == code
    if path is not None:
        assert error.path == XPATH + path


def test_an_empty_element_is_absent():
    whole = xml_document(
        XML_EVENT.replace("<readPoint><id>urn:epc:id:sgln:0614141.07346.0</id></readPoint>", "<readPoint/>")
    )
    assert read(whole).events[0].event.read_point is None


BOMB = b"""<?xml version="1.0"?><!DOCTYPE e [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><e>&b;</e>"""


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "epcis.document.unknown"),
        (b"   ", "epcis.document.unknown"),
        (b"PK\x03\x04", "epcis.document.unknown"),
        (b"{", "json.malformed"),
        (document(event())[:-20], "json.malformed"),
        (document(event()).decode().encode("utf-16"), "epcis.document.unknown"),
        (document(event()).replace(b"shipping", b"\xff\xfe"), "json.encoding.invalid"),
        (document(event()).replace(b'"action": "OBSERVE"', b'"action": "ADD", "action": "OBSERVE"'),
         "json.key.duplicate"),
        (document(event()).replace(b'"OBSERVE"', b"NaN"), "json.number.invalid"),
        (document(event(**{"ext:a": "x"})).replace(b'"x"', b'"\\ud800"'), "json.text.lone_surrogate"),
        (document(event(**{"ext:a": "x"})).replace(b'"x"', b'"\\u0000"'), "json.text.nul"),
        (b"7", "epcis.document.unknown"),
        (b'"text"', "epcis.document.unknown"),
        (b"[7]", "epcis.event.invalid"),
        (b"{}", "epcis.document.unknown"),
        (b'{"type": "EPCISDocument"}', "epcis.epcis_body.missing"),
        (b'{"type": "EPCISDocument", "epcisBody": {}}', "epcis.event_list.missing"),
        (b'{"type": "EPCISDocument", "schemaVersion": "3.0"}', "epcis.version.unsupported"),
        (b'{"type": "EPCISDocument", "@context": 7}', "epcis.context.invalid"),
        (BOMB, "xml.doctype.forbidden"),
        (b'<!DOCTYPE e SYSTEM "file:///etc/passwd"><e/>', "xml.doctype.forbidden"),
        (b"<a>&b;</a>", "xml.malformed"),
        (xml_document(XML_EVENT)[:-30], "xml.malformed"),
        (xml_document(XML_EVENT, "urn:epcglobal:epcis:xsd:9"), "epcis.namespace.unknown"),
        (xml_document(XML_EVENT, "urn:other"), "epcis.namespace.unknown"),
        (b'<?xml version="1.0" encoding="utf-8"?>\xff<a/>', "xml.malformed"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "xml.encoding.unsupported"),
        (b"<a/>", "epcis.document.unknown"),
        (xml_document("<SomeEvent/>"), "epcis.type.invalid"),
        (xml_document(XML_EVENT).replace(b"EventList", b"Events"), "epcis.event_list.missing"),
    ],
)  # fmt: skip
def test_documents(data: bytes, code: str):
    assert refused(data).code == code


def test_depth_without_end():
    for data in (b"[" * 1_000_000, b'{"a":' * 1_000_000, b'{"type":"ObjectEvent","a:b":' + b"[" * 1_000_000):
        error = refused(data)
        assert isinstance(error, TooLargeError)
        assert error.code == "json.depth.exceeded"
    error = refused(b"<a>" * 1_000_000)
    assert error.code == "xml.depth.exceeded"
    deep: object = "x"
    for _ in range(40):
        deep = {"ext:a": deep}
    assert refused(document(event(**{"ext:a": deep}))).code == "epcis.depth.exceeded"
    nested = "<m:a>" * 40 + "</m:a>" * 40
    inside = XML_EVENT.replace("</ObjectEvent>", nested + "</ObjectEvent>")
    assert refused(xml_document(inside, more='xmlns:m="urn:m"')).code == "epcis.depth.exceeded"


def test_numbers_without_end():
    huge = document(event(**{"ext:a": 1})).replace(b'"ext:a": 1', b'"ext:a": ' + b"9" * 100_000)
    assert refused(huge).code == "epcis.extension.invalid"
    tower = huge.replace(b"9" * 100_000, b"1e999999999")
    assert refused(tower).code == "epcis.extension.invalid"


def test_the_faulty_event_is_named():
    error = refused(document(event(), event(), event(action="X")))
    assert error.path == "$.epcisBody.eventList[2].action"
    error = refused(xml_document(XML_EVENT * 2 + XML_EVENT.replace("OBSERVE", "X")))
    assert error.path == f"{XPATH}[3]/action"


def test_identifiers_of_ones_own_are_welcome():
    epcs = [
        "urn:example:tin:7",
        "https://factory.example/things/7",
        "tag:factory.example,2025:7",
        "urn:uuid:7",
    ]
    found = read(document(event(epcList=epcs, readPoint={"id": "urn:example:gate:3"}))).events[0].event
    assert found.epc_list == tuple(epcs)
    assert found.read_point is not None


def test_event_ids_may_be_sent_twice():
    twice = document(event(eventID="urn:uuid:1")).replace(b'"eventID"', b'"eventID": "urn:uuid:0", "eventID"')
    reading = read(twice)
    assert reading.events[0].event.event_id == "urn:uuid:1"
    assert [warning.code for warning in reading.warnings] == ["json.key.duplicate"]


def outcome(data: bytes) -> Reading | SuyuanError:
    recognise(data)
    try:
        reading = read(data)
    except SuyuanError as error:
        assert error.code
        assert error.reason
        return error
    for derived in reading.events:
        assert pre_hash(derived.event)
        canonical_body(derived.event)
    return reading


@few
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes):
    outcome(data)
    outcome(b"<" + data)
    outcome(b"{" + data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FULL = event(
    eventID="urn:uuid:1",
    recordTime="2025-08-04T10:00:00Z",
    quantityList=[{"epcClass": "urn:epc:class:lgtin:4012345.012345.998877", "quantity": 2.5, "uom": "KGM"}],
    bizLocation={"id": "urn:epc:id:sgln:0614141.07346.0"},
    bizTransactionList=[{"type": "po", "bizTransaction": "urn:example:po:1"}],
    sourceList=[{"type": "owning_party", "source": "urn:epc:id:pgln:4012345.00000"}],
    destinationList=[{"type": "location", "destination": "urn:epc:id:sgln:0614141.00777.0"}],
    persistentDisposition={"set": ["completeness_verified"]},
    errorDeclaration={"declarationTime": "2025-08-04T10:00:00Z", "correctiveEventIDs": ["urn:uuid:2"]},
    certificationInfo="https://example.com/c",
    ilmd={"cbvmda:lotNumber": "7"},
    sensorElementList=[
        {
            "sensorMetadata": {"time": "2025-08-04T10:00:00Z"},
            "sensorReport": [{"type": "Temperature", "value": 7}],
        }
    ],
)


@few
@given(field=st.sampled_from(sorted(FULL)), value=json_values)
def test_any_value_in_any_field(field: str, value: object):
    outcome(document({**FULL, field: value}))


@few
@given(field=st.text(max_size=12), value=json_values)
def test_any_extension(field: str, value: object):
    outcome(document({**FULL, "ext:" + field: value}, ext="urn:example:"))


@pytest.mark.parametrize("whole", [document(FULL), xml_document(XML_EVENT)], ids=["json", "xml"])
def test_mutated_documents(whole: bytes):
    chance = random.Random(7)
    outcomes = set()
    for _ in range(600):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(data))
            kind = chance.randrange(4)
            if kind == 0:
                data[at] = chance.randrange(256)
            elif kind == 1:
                del data[at : at + chance.randint(1, 30)]
            elif kind == 2:
                data[at:at] = data[at : at + 40]
            else:
                data[at:at] = chance.choice(
                    [b"\0", b'"', b"<", b"&#x0;", b"]]>", b"1e9", b"{", b"null", b"\xe4"]
                )
        found = outcome(bytes(data))
        outcomes.add(type(found))
    assert Reading in outcomes
    assert InputError in outcomes


def test_limits_of_documents():
    many = json.dumps([event()] * 3).encode()
    assert len(read_json(many)) == 3
