"""Writing EPCIS 2.0 JSON-LD: one event as an object, or a document of events as bytes.

What is written validates against EPCIS's JSON schema and reads back as the same event. CBV words are bare,
numbers are JSON numbers with every digit that they had.
Source: EPCIS 2.0 section 10.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

import msgspec

from suyuan.epcis import cbv
from suyuan.epcis.body import METADATA_FIELDS, REPORT_FIELDS, time_text
from suyuan.epcis.model import (
    Event,
    Extensions,
    Number,
    Place,
    QuantityElement,
    SensorElement,
    SensorMetadata,
    SensorReport,
)
from suyuan.epcis.prefixes import KEYWORD_NAMESPACE, Prefixes, formatted

Form: TypeAlias = Literal["dl", "urn", "same"]

CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_FAMILIES: Final[Mapping[str, cbv.Family]] = {
    "measurement_type": "measurement_type",
    "sensor_alert": "sensor_alert",
    "component": "component",
}


def encode_json(value: object) -> bytes:
    """UTF-8 JSON of what the writers return; a ``Decimal`` becomes a number with all its digits."""
    return _ENCODER.encode(value)


def number(text: str) -> int | float | Decimal:
    """A normalised decimal as the JSON number that prints all its digits."""
    if "." not in text:
        return int(text) if len(text) < 16 else Decimal(text)
    value = float(text)
    return value if repr(value) == text else Decimal(text)


class _Writer:
    def __init__(self, prefixes: Prefixes, form: Form) -> None:
        self.prefixes = prefixes
        self.form = form

    def uri(self, uri: str) -> str:
        return formatted(uri, self.form)

    def extensions(self, extensions: Extensions) -> dict[str, Any]:
        out: dict[str, Any] = {}
        repeated: set[str] = set()
        for extension in extensions:
            name = self.prefixes.shorten(extension.name, iri=True)
            value: Any = extension.value
            if isinstance(value, tuple):
                value = self.extensions(value)
            elif isinstance(value, Number):
                value = number(value.text)
            if extension.attributes:
                attributes = {self.prefixes.shorten(key): text for key, text in extension.attributes}
                value = {**attributes, **(value if isinstance(value, dict) else {"#text": value})}
            if name in repeated:
                out[name].append(value)
            elif name in out:
                out[name] = [out[name], value]
                repeated.add(name)
            else:
                out[name] = value
        return out

    def quantities(self, elements: Iterable[QuantityElement]) -> list[dict[str, Any]]:
        found = []
        for element in elements:
            entry: dict[str, Any] = {"epcClass": self.uri(element.epc_class)}
            if element.quantity is not None:
                entry["quantity"] = number(element.quantity)
            if element.uom is not None:
                entry["uom"] = element.uom
            found.append(entry)
        return found

    def uris(self, uris: Iterable[str]) -> list[str]:
        return [self.uri(uri) for uri in uris]

    def place(self, place: Place) -> dict[str, Any]:
        return {"id": self.uri(place.id), **self.extensions(place.extensions)}

    def typed(
        self, member: str, family: cbv.Family, pairs: Iterable[tuple[str, str | None]]
    ) -> list[dict[str, str]]:
        return [
            {member: self.uri(uri)}
            if word is None
            else {"type": cbv.bare_word(family, word), member: self.uri(uri)}
            for uri, word in pairs
        ]

    def sensor_fields(
        self, record: SensorMetadata | SensorReport, fields: Mapping[str, tuple[str, str]]
    ) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for name, (attribute, kind) in fields.items():
            value = getattr(record, attribute)
            if value is None:
                continue
            if kind == "time":
                value = time_text(value)
            elif kind == "uri":
                value = self.uri(value)
            elif kind == "number":
                value = number(value)
            elif kind in _FAMILIES:
                value = cbv.bare_word(_FAMILIES[kind], value)
            out[name] = value
        out.update(self.extensions(record.extensions))
        return out

    def sensor_elements(self, elements: Iterable[SensorElement]) -> list[dict[str, Any]]:
        found = []
        for element in elements:
            entry: dict[str, Any] = {}
            if element.metadata is not None:
                entry["sensorMetadata"] = self.sensor_fields(element.metadata, METADATA_FIELDS)
            entry["sensorReport"] = [self.sensor_fields(report, REPORT_FIELDS) for report in element.reports]
            entry.update(self.extensions(element.extensions))
            found.append(entry)
        return found

    def head(self, event: Event) -> dict[str, Any]:
        out: dict[str, Any] = {"type": event.type}
        if event.event_id is not None:
            out["eventID"] = event.event_id
        out["eventTime"] = time_text(event.event_time)
        if event.record_time is not None:
            out["recordTime"] = time_text(event.record_time)
        out["eventTimeZoneOffset"] = event.event_time_zone_offset
        if event.certification_info:
            info = list(event.certification_info)
            out["certificationInfo"] = info[0] if len(info) == 1 else info
        declaration = event.error_declaration
        if declaration is not None:
            error: dict[str, Any] = {"declarationTime": time_text(declaration.declaration_time)}
            if declaration.reason is not None:
                error["reason"] = cbv.bare_word("error_reason", declaration.reason)
            if declaration.corrective_event_ids:
                error["correctiveEventIDs"] = list(declaration.corrective_event_ids)
            out["errorDeclaration"] = {**error, **self.extensions(declaration.extensions)}
        return out

    def event(self, event: Event) -> dict[str, Any]:
        out = self.head(event)
        if event.action is not None:
            out["action"] = event.action
        lists: tuple[tuple[str, Any, Callable[[Any], Any]], ...] = (
            ("parentID", event.parent_id, self.uri),
            ("epcList", event.epc_list, self.uris),
            ("quantityList", event.quantity_list, self.quantities),
            ("childEPCs", event.child_epcs, self.uris),
            ("childQuantityList", event.child_quantity_list, self.quantities),
            ("inputEPCList", event.input_epc_list, self.uris),
            ("inputQuantityList", event.input_quantity_list, self.quantities),
            ("outputEPCList", event.output_epc_list, self.uris),
            ("outputQuantityList", event.output_quantity_list, self.quantities),
            ("transformationID", event.transformation_id, self.uri),
            ("bizStep", event.biz_step, lambda word: cbv.bare_word("biz_step", word)),
            ("disposition", event.disposition, lambda word: cbv.bare_word("disposition", word)),
            ("readPoint", event.read_point, self.place),
            ("bizLocation", event.biz_location, self.place),
            ("sensorElementList", event.sensor_element_list, self.sensor_elements),
            ("ilmd", event.ilmd, self.extensions),
        )
        for name, value, convert in lists:
            if value:
                out[name] = convert(value)
        if event.persistent_disposition is not None:
            words = {"set": event.persistent_disposition.set, "unset": event.persistent_disposition.unset}
            out["persistentDisposition"] = {
                name: [cbv.bare_word("disposition", word) for word in found]
                for name, found in words.items()
                if found
            }
        if event.biz_transaction_list:
            documents = [(item.biz_transaction, item.type) for item in event.biz_transaction_list]
            out["bizTransactionList"] = self.typed("bizTransaction", "biz_transaction_type", documents)
        for name, member, ends in (
            ("sourceList", "source", event.source_list),
            ("destinationList", "destination", event.destination_list),
        ):
            if ends:
                pairs = [(end.id, end.type) for end in ends]
                out[name] = self.typed(member, "source_destination_type", pairs)
        if event.type in ("ObjectEvent", "TransactionEvent") and "quantityList" not in out:
            out.setdefault("epcList", [])
        out.update(self.extensions(event.extensions))
        return out


def _context(prefixes: Prefixes) -> list[Any]:
    own = {
        prefix: namespace
        for namespace, prefix in prefixes.by_namespace.items()
        if cbv.NAMESPACES.get(prefix) != namespace and namespace != KEYWORD_NAMESPACE
    }
    return [CONTEXT, own] if own else [CONTEXT]


def write_json_event(event: Event, fmt: Form = "dl") -> dict[str, Any]:
    """One event as a JSON-LD object with its own ``@context``; ``encode_json`` makes bytes of it.

    ``fmt`` is the form of GS1 identifiers: ``dl`` Digital Links, ``urn`` EPC URNs where the company prefix is
    known, ``same`` as they were sent.
    """
    prefixes = Prefixes([event])
    return {"@context": _context(prefixes), **_Writer(prefixes, fmt).event(event)}


def creation_time(events: Sequence[Event]) -> datetime:
    """The time of the latest event: when a document may be said to be made if nobody says better."""
    return max(
        (event.record_time or event.event_time for event in events), default=datetime(1970, 1, 1, tzinfo=UTC)
    )


def write_json_document(
    events: Iterable[Event], fmt: Form = "dl", *, created: datetime | None = None, query: str = ""
) -> bytes:
    """An EPCISDocument with the events, in UTF-8; with ``query``, a query's name, an EPCISQueryDocument.

    ``created`` defaults to the time of the latest event.
    """
    listed = list(events)
    prefixes = Prefixes(listed)
    writer = _Writer(prefixes, fmt)
    body: dict[str, Any] = {"eventList": [writer.event(event) for event in listed]}
    if query:
        body = {"queryResults": {"queryName": query, "resultsBody": body}}
    return encode_json(
        {
            "@context": _context(prefixes),
            "type": "EPCISQueryDocument" if query else "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": time_text(created or creation_time(listed)),
            "epcisBody": body,
        }
    )
