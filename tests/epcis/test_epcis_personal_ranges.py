"""Where the numbers of person documents stand in a document's bytes, and at what cost that is found."""

from __future__ import annotations

import json
import time

from suyuan import epcis


def document(count: int) -> bytes:
    events = [
        {
            "type": "ObjectEvent",
            "eventTime": "2025-10-01T10:00:00+08:00",
            "eventTimeZoneOffset": "+08:00",
            "action": "OBSERVE",
            "epcList": [f"urn:suyuan:raw:waybill:440196X001:SF{number:012d}"],
            "bizStep": "arriving",
            "bizTransactionList": [
                {
                    "type": "urn:suyuan:btt:order",
                    "bizTransaction": f"urn:suyuan:raw:order:440196M001:EM{number:012d}",
                }
            ],
        }
        for number in range(count)
    ]
    content = {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2025-10-01T00:00:00Z",
        "epcisBody": {"eventList": events},
    }
    return json.dumps(content).encode()


def test_every_number_is_found_where_it_stands() -> None:
    data = document(40)
    reading = epcis.read(data)
    found = {data[field.start : field.end].decode() for field in reading.personal}
    assert found == {f"{letters}{number:012d}" for letters in ("SF", "EM") for number in range(40)}
    assert not reading.encrypt_whole


def test_the_search_goes_through_the_bytes_once() -> None:
    """A search for each number alone would take minutes here and hold up everybody else."""
    data = document(4000)
    before = time.process_time()
    reading = epcis.read(data)
    assert len(reading.personal) == 8000
    assert time.process_time() - before < 10
