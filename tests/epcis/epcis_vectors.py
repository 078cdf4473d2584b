"""The standards' EPCIS examples, where they are at hand, and small events made for tests."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

VECTORS = (
    Path(os.environ.get("SUYUAN_VECTORS", Path(__file__).resolve().parents[2].parent / "shared" / "vectors"))
    / "epcis"
)

needs_vectors = pytest.mark.skipif(not VECTORS.is_dir(), reason=f"no test vectors at {VECTORS}")

# Neither events nor documents of events: contexts, schemas, ontologies, queries, master data, job reports.
_NOT_DOCUMENTS = (
    "JSON-LD-Context", "Schema", "Ontology", "Turtle", "REST Bindings", "epcis-context", "WSDL", "XSD", "XSL",
    "JSON-simple-context", "masterData", "CBV-11.4", "CaptureJob", "Query_without_queryName",
    "Design Template", "InputTemplate", "Exported Design", "CommissioningEventR", "create test data ui",
    "Input.json", "DesignTestDataEvents1.json", "DesignTestDataEvents2.json", "DesignTestDataEvents3.json",
    "DesignTestDataEvents4.json", "DesignTestDataEvents5.json", "DesignTestDataEvents6.json",
    "DesignTestDataEvents7", "singleObjectEvent", "validation-service/xml/queryDocument",
    "validation-service/json/queryDocument",
)  # fmt: skip


def documents() -> list[str]:
    """The paths of all files that claim to hold events, below the vectors' folder."""
    if not VECTORS.is_dir():
        return []
    found = [
        path.relative_to(VECTORS).as_posix()
        for path in sorted(VECTORS.rglob("*"))
        if path.suffix in {".xml", ".json", ".jsonld"}
    ]
    return [name for name in found if not any(part in name for part in _NOT_DOCUMENTS)]


def load(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


def event(**fields: Any) -> dict[str, Any]:
    """A valid ObjectEvent in JSON-LD with some fields changed; None takes a field out."""
    base: dict[str, Any] = {
        "type": "ObjectEvent",
        "eventTime": "2025-08-04T09:10:00.000+02:00",
        "eventTimeZoneOffset": "+02:00",
        "epcList": ["urn:epc:id:sgtin:0614141.107346.2017"],
        "action": "OBSERVE",
        "bizStep": "shipping",
        "disposition": "in_transit",
        "readPoint": {"id": "urn:epc:id:sgln:0614141.07346.0"},
    }
    return {name: value for name, value in {**base, **fields}.items() if value is not None}


def document(*events: dict[str, Any], **prefixes: str) -> bytes:
    """An EPCISDocument in JSON-LD."""
    return json.dumps(
        {
            "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", prefixes],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2025-08-04T09:10:00Z",
            "epcisBody": {"eventList": list(events)},
        }
    ).encode()


def xml_document(events: str, namespace: str = "urn:epcglobal:epcis:xsd:2", more: str = "") -> bytes:
    """An EPCISDocument in XML around the text of some events."""
    return (
        f'<e:EPCISDocument xmlns:e="{namespace}" {more} schemaVersion="2.0" creationDate="2025-08-04T09:10:00Z">'
        f"<EPCISBody><EventList>{events}</EventList></EPCISBody></e:EPCISDocument>"
    ).encode()


XML_EVENT = (
    "<ObjectEvent><eventTime>2025-08-04T09:10:00+02:00</eventTime>"
    "<eventTimeZoneOffset>+02:00</eventTimeZoneOffset>"
    "<epcList><epc>urn:epc:id:sgtin:0614141.107346.2017</epc></epcList><action>OBSERVE</action>"
    "<bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep>"
    "<disposition>urn:epcglobal:cbv:disp:in_transit</disposition>"
    "<readPoint><id>urn:epc:id:sgln:0614141.07346.0</id></readPoint></ObjectEvent>"
)
