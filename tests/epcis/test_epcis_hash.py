"""The event hash against the reference generator's values, and its own properties."""

from __future__ import annotations

import csv
import hashlib
import json
from functools import lru_cache

import msgspec
import pytest
from epcis_vectors import VECTORS, XML_EVENT, document, event, load, needs_vectors, xml_document
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.epcis import (
    Event,
    canonical_body,
    event_hash,
    hash_of,
    pre_hash,
    read,
    read_json,
    read_xml_events,
)
from suyuan.errors import UnsupportedError

# Rows of the reference where its two syntaxes disagree with each other; here they must not. What differs:
# True for true, CURIEs expanded in JSON only (with prefixes left over from other files), CBV's own prefixes
# not expanded in JSON, a bare name for the sensor vocabulary that moved, EPCIS's own namespace on elements.
DIFFERENT = {
    "gs1-epcis/JSON/WithFullCombinationOfFields/transaction_event_all_possible_fields.jsonld": (
        "True for true"
    ),
    "gs1-epcis/JSON/WithSensorData/SensorDataExample12.jsonld": "cbvmda is not expanded",
    "gs1-epcis/JSON/WithSensorData/SensorDataExample13.jsonld": "a CURIE in an extension is expanded",
    "gs1-epcis/JSON/WithSensorData/SensorDataExample7.jsonld": "a sender's CURIE is expanded",
    "gs1-epcis/JSON/WithSensorData/SensorDataExample9.jsonld": "True for true",
    "openepcis-test-resources/1.2/EPCIS/XML/Capture/Documents/Document_with_namespace.xml": (
        "elements in the EPCIS namespace are taken for extensions"
    ),
    "openepcis-test-resources/2.0/EPCIS/JSON/Capture/Documents/AggregationEvent_with_sensorData.json": (
        "a sender's CURIE is expanded"
    ),
    "openepcis-test-resources/2.0/EPCIS/JSON/Capture/Documents/CurieString_document.json": (
        "cbv: is not expanded"
    ),
    "openepcis-test-resources/2.0/EPCIS/JSON/Capture/Documents/JumbledFieldsOrder.json": "True for true",
    "openepcis-test-resources/2.0/EPCIS/JSON/Capture/Documents/TransactionEvent_all_possible_fields.json": (
        "True for true"
    ),
    "openepcis-test-resources/2.0/EPCIS/JSON/Capture/Documents/TransactionEvent_with_userExtensions.json": (
        "EffectiveDoseRate is not expanded"
    ),
    "openepcis-test-resources/2.0/EPCIS/JSON/Capture/Documents/epcisDocWithSensorComponent.json": (
        "cbv: is not expanded"
    ),
    "openepcis-test-resources/2.0/EPCIS/JSON/Query/CurieString_document.json": "cbv: is not expanded",
    "openepcis-test-resources/2.0/EPCIS/JSON/Query/JumbledFieldsOrder.json": "True for true",
    "openepcis-test-resources/2.0/EPCIS/JSON/Query/ObjectEventWithAllPossibleFields.json": "True for true",
    "openepcis-test-resources/2.0/EPCIS/JSON/Query/TransactionEvent_with_userExtensions.json": (
        "EffectiveDoseRate is not expanded"
    ),
    "openepcis-test-resources/2.0/EPCIS/XML/Query/queryDocument.xml": "https://ref.gs1.org/voc/ stays",
}


@lru_cache(maxsize=200)
def events_of(name: str) -> tuple[Event, ...]:
    return tuple(derived.event for derived in read(load(name)).events)


def reference_rows() -> list[dict[str, str]]:
    table = VECTORS / "reference_event_hashes.tsv"
    if not table.is_file():
        return []
    csv.field_size_limit(10**8)
    with table.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


ROWS = reference_rows()


@needs_vectors
@pytest.mark.parametrize("row", ROWS, ids=[f"{row['file']}-{row['event_index']}" for row in ROWS])
def test_reference_rows(row: dict[str, str]):
    found = events_of(row["file"])[int(row["event_index"])]
    if row["file"] in DIFFERENT:
        assert pre_hash(found) != row["prehash"]
        return
    assert pre_hash(found) == row["prehash"]
    assert event_hash(found) == row["hash_id_CBV2.0"]


EXAMPLES = sorted((VECTORS / "event-hash-ralphtro/examples").glob("*"))


@needs_vectors
@pytest.mark.parametrize("name", [path.name for path in EXAMPLES if path.suffix in {".xml", ".jsonld"}])
def test_published_examples(name: str):
    base = VECTORS / "event-hash-ralphtro/examples" / name
    found = events_of(f"event-hash-ralphtro/examples/{name}")
    hashes = base.with_suffix(".hashes").read_text().split()
    texts = base.with_suffix(".prehashes").read_text(encoding="utf-8").split("\n")
    assert [event_hash(item) for item in found] == hashes
    # Two files end with a pre-hash that was cut; such a line is not the text of the published hash.
    whole = {text for text in texts if hash_of(text) in hashes}
    assert whole
    assert whole <= {pre_hash(item) for item in found}


@needs_vectors
@pytest.mark.parametrize(
    "name", [path.name for path in sorted((VECTORS / "event-hash-ralphtro/expected_equal").glob("*.xml"))]
)
def test_expected_equal(name: str):
    found = events_of(f"event-hash-ralphtro/expected_equal/{name}")
    assert len(found) > 1
    assert len({event_hash(item) for item in found}) == 1


@needs_vectors
def test_identifiers_as_the_reference_has_them():
    from suyuan.epcis import canonical_uri

    lines = (VECTORS / "ralphtro_normaliser.share.tsv").read_text(encoding="utf-8").splitlines()[1:]
    for line in lines:
        uri, _, expected = line.partition("\t")
        assert canonical_uri(uri) == (expected or uri)


def one(**fields: object) -> Event:
    prefixes = {"ext": "https://ns.example.com/epcis/"}
    return read_json(document(event(**fields), **prefixes))[0]


def test_json_and_xml_agree():
    from_xml = read_xml_events(xml_document(XML_EVENT))[0]
    assert event_hash(from_xml) == event_hash(one())
    assert canonical_body(from_xml) == canonical_body(one())


def test_form():
    text = pre_hash(one())
    assert event_hash(one()) == f"ni:///sha-256;{hashlib.sha256(text.encode()).hexdigest()}?ver=CBV2.0"
    assert text.startswith(
        "eventType=ObjectEventeventTime=2025-08-04T07:10:00.000ZeventTimeZoneOffset=+02:00"
    )


def test_unknown_version():
    with pytest.raises(UnsupportedError) as caught:
        event_hash(one(), "CBV9.9")
    assert caught.value.code == "epcis.hash_version.unknown"


def test_what_the_sender_calls_it_does_not_count():
    named = one(
        eventID="urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8",
        recordTime="2025-08-05T00:00:00Z",
        errorDeclaration={"declarationTime": "2025-08-06T00:00:00Z", "reason": "did_not_occur"},
    )
    assert event_hash(named) == event_hash(one())


@pytest.mark.parametrize(
    ("sent", "rounded"),
    [
        ("2025-08-04T09:10:00.1234Z", "09:10:00.123Z"),
        ("2025-08-04T09:10:00.1235Z", "09:10:00.124Z"),
        ("2025-08-04T09:10:00.1225Z", "09:10:00.123Z"),
        ("2025-08-04T09:10:59.9996Z", "09:11:00.000Z"),
        ("2025-08-04T09:10:59.9994999999Z", "09:10:59.999Z"),
        ("2025-08-04T09:10Z", "09:10:00.000Z"),
    ],
)
def test_times_are_rounded_to_milliseconds(sent: str, rounded: str):
    assert f"eventTime=2025-08-04T{rounded}" in pre_hash(one(eventTime=sent))


def test_long_numbers_differ_where_equality_is_decided():
    first, second = (one(**{"ext:lot": text}) for text in ("123456789012345678", "123456789012345679"))
    assert pre_hash(first) == pre_hash(second)  # what the reference generator sees
    assert pre_hash(first, exact=True) != pre_hash(second, exact=True)
    assert "\0" not in pre_hash(first)


def test_numbers_in_every_spelling():
    found = {
        pre_hash(read_json(document(event()).replace(b'"action"', b'"ext:n": ' + text + b', "action"'))[0])
        for text in (b"100", b"1e2", b"100.0", b"1.00E+2", b'"100"', b'"+100.0"')
    }
    assert len(found) == 1


def test_a_list_is_a_set():
    epcs = [f"urn:epc:id:sgtin:0614141.107346.{number}" for number in range(5)]
    assert event_hash(one(epcList=epcs)) == event_hash(one(epcList=epcs[::-1]))


@settings(max_examples=60, deadline=None)
@given(
    serial=st.text("ABCdef0123-_.", min_size=1, max_size=20),
    host=st.sampled_from(["https://id.gs1.org", "http://brand.example/x", "https://id.gs1.de"]),
)
def test_urn_and_digital_link_are_one_thing(serial: str, host: str):
    urn = f"urn:epc:id:sgtin:0614141.107346.{serial}"
    link = f"{host}/01/10614141073464/21/{serial}"
    assert pre_hash(one(epcList=[urn])) == pre_hash(one(epcList=[link]))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text("abcxyz", min_size=1, max_size=6), st.text(max_size=12), max_size=4))
def test_order_of_fields_does_not_count(fields: dict[str, str]):
    extra = {f"ext:{name}": value.replace("\0", "") for name, value in fields.items()}
    forward = document(event(**extra), ext="https://ns.example.com/")
    raw = json.loads(forward)
    raw["epcisBody"]["eventList"] = [dict(reversed(raw["epcisBody"]["eventList"][0].items()))]
    assert event_hash(read_json(forward)[0]) == event_hash(read_json(msgspec.json.encode(raw))[0])
