"""Writing EPCIS 2.0 XML documents, in the order and the form of its schema.

What is written reads back as the same event, save that XML knows only texts: a number or truth value in an
extension comes back as its text (the event hash is the same). A name or a character that XML cannot carry is
refused. Source: EPCIS 2.0 section 9 and its schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from suyuan.epcis import cbv
from suyuan.epcis.body import METADATA_FIELDS, REPORT_FIELDS, time_text
from suyuan.epcis.jsonld_writer import Form, creation_time
from suyuan.epcis.model import (
    ErrorDeclaration,
    Event,
    Extension,
    Extensions,
    Number,
    PersistentDisposition,
    Place,
    QuantityElement,
    SensorElement,
    SensorMetadata,
    SensorReport,
)
from suyuan.epcis.prefixes import Prefixes, formatted, split_name
from suyuan.errors import UnsupportedError

_NAME: Final = re.compile(r"[A-Za-z_\u00c0-\ufffd][\w.\-\u00b7]*")
_INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_DOCUMENTS: Final = ("bizTransactionList",)
_ENDS: Final = ("sourceList", "destinationList", "sensorElementList", "persistentDisposition")
_WHAT_AND_WHERE: Final = ("action", "bizStep", "disposition", "readPoint", "bizLocation")
_ORDER: Final[Mapping[str, tuple[str, ...]]] = {
    "ObjectEvent": ("epcList", *_WHAT_AND_WHERE, *_DOCUMENTS, "quantityList", *_ENDS, "ilmd"),
    "AggregationEvent": ("parentID", "childEPCs", *_WHAT_AND_WHERE, *_DOCUMENTS, "childQuantityList", *_ENDS),
    "AssociationEvent": ("parentID", "childEPCs", "childQuantityList", *_WHAT_AND_WHERE, *_DOCUMENTS, *_ENDS),
    "TransactionEvent": (*_DOCUMENTS, "parentID", "epcList", *_WHAT_AND_WHERE, "quantityList", *_ENDS),
    "TransformationEvent": (
        "inputEPCList",
        "inputQuantityList",
        "outputEPCList",
        "outputQuantityList",
        "transformationID",
        *_WHAT_AND_WHERE[1:],
        *_DOCUMENTS,
        *_ENDS,
        "ilmd",
    ),
}


def _text(text: str) -> str:
    if _ILLEGAL.search(text):
        raise UnsupportedError("epcis.xml.character", "The event holds a character that XML cannot carry.")
    return escape(text, {"\r": "&#13;"})


def _attribute(text: str) -> str:
    if _ILLEGAL.search(text):
        raise UnsupportedError("epcis.xml.character", "The event holds a character that XML cannot carry.")
    return quoteattr(text, {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def _leaf(name: str, text: str) -> str:
    return f"<{name}>{_text(text)}</{name}>"


def _block(name: str, content: Iterable[str]) -> str:
    return f"<{name}>{''.join(content)}</{name}>"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.text if isinstance(value, Number) else str(value)


class _Writer:
    def __init__(self, prefixes: Prefixes, form: Form) -> None:
        self.prefixes = prefixes
        self.form = form

    def uri(self, uri: str) -> str:
        return formatted(uri, self.form)

    def name(self, name: str) -> str:
        if not _NAME.fullmatch(split_name(name)[1]):
            raise UnsupportedError(
                "epcis.xml.name",
                f"XML cannot carry a field named {name[:80]!r}.",
                remedy="Take the event in JSON-LD.",
            )
        return self.prefixes.shorten(name)

    def extension(self, extension: Extension) -> str:
        name = self.name(extension.name)
        attributes = "".join(f" {self.name(key)}={_attribute(text)}" for key, text in extension.attributes)
        if isinstance(extension.value, tuple):
            content = self.extensions(extension.value)
        else:
            content = _text(_plain(extension.value))
        return f"<{name}{attributes}>{content}</{name}>"

    def extensions(self, extensions: Extensions) -> str:
        return "".join([self.extension(extension) for extension in extensions])

    def uris(self, name: str, member: str, uris: Iterable[str]) -> str:
        return _block(name, [_leaf(member, self.uri(uri)) for uri in uris])

    def quantities(self, name: str, elements: Iterable[QuantityElement]) -> str:
        found = []
        for element in elements:
            content = [_leaf("epcClass", self.uri(element.epc_class))]
            if element.quantity is not None:
                content.append(_leaf("quantity", element.quantity))
            if element.uom is not None:
                content.append(_leaf("uom", element.uom))
            found.append(_block("quantityElement", content))
        return _block(name, found)

    def place(self, name: str, place: Place) -> str:
        return _block(name, [_leaf("id", self.uri(place.id)), self.extensions(place.extensions)])

    def typed(
        self, name: str, member: str, family: cbv.Family, pairs: Iterable[tuple[str, str | None]]
    ) -> str:
        found = []
        for uri, word in pairs:
            kind = "" if word is None else f" type={_attribute(cbv.urn(family, word))}"
            found.append(f"<{member}{kind}>{_text(self.uri(uri))}</{member}>")
        return _block(name, found)

    def sensor(
        self, name: str, record: SensorMetadata | SensorReport, fields: Mapping[str, tuple[str, str]]
    ) -> str:
        attributes: list[str] = []
        for field, (attribute, kind) in fields.items():
            value = getattr(record, attribute)
            if value is None:
                continue
            if kind == "time":
                value = time_text(value)
            elif kind == "uri":
                value = self.uri(value)
            elif kind in ("measurement_type", "sensor_alert", "component"):
                value = cbv.urn(kind, value)  # type: ignore[arg-type]
            attributes.append(f" {field}={_attribute(_plain(value))}")
        children: list[str] = []
        taken: set[str] = set()
        for extension in record.extensions:
            # An attribute is how the schema carries these; what cannot be one stands as an element.
            simple = not isinstance(extension.value, tuple) and not extension.attributes
            if simple and extension.name not in taken and extension.name.startswith("{"):
                attributes.append(f" {self.name(extension.name)}={_attribute(_plain(extension.value))}")
                taken.add(extension.name)
            else:
                children.append(self.extension(extension))
        return f"<{name}{''.join(attributes)}>{''.join(children)}</{name}>"

    def sensor_elements(self, elements: Iterable[SensorElement]) -> str:
        found = []
        for element in elements:
            content = []
            if element.metadata is not None:
                content.append(self.sensor("sensorMetadata", element.metadata, METADATA_FIELDS))
            content += [self.sensor("sensorReport", report, REPORT_FIELDS) for report in element.reports]
            content.append(self.extensions(element.extensions))
            found.append(_block("sensorElement", content))
        return _block("sensorElementList", found)

    def persistent(self, disposition: PersistentDisposition) -> str:
        return _block(
            "persistentDisposition",
            [
                _leaf(name, cbv.urn("disposition", word))
                for name, words in (("unset", disposition.unset), ("set", disposition.set))
                for word in words
            ],
        )

    def declaration(self, declaration: ErrorDeclaration) -> str:
        content = [_leaf("declarationTime", time_text(declaration.declaration_time))]
        if declaration.reason is not None:
            content.append(_leaf("reason", cbv.urn("error_reason", declaration.reason)))
        if declaration.corrective_event_ids:
            ids = [_leaf("correctiveEventID", event_id) for event_id in declaration.corrective_event_ids]
            content.append(_block("correctiveEventIDs", ids))
        content.append(self.extensions(declaration.extensions))
        return _block("errorDeclaration", content)

    def fields(self, event: Event) -> dict[str, Any]:
        """The written form of every field that the event has, by its element's name."""
        out: dict[str, Any] = {}
        for name, uris in (
            ("epcList", event.epc_list),
            ("childEPCs", event.child_epcs),
            ("inputEPCList", event.input_epc_list),
            ("outputEPCList", event.output_epc_list),
        ):
            if uris:
                out[name] = self.uris(name, "epc", uris)
        for name, elements in (
            ("quantityList", event.quantity_list),
            ("childQuantityList", event.child_quantity_list),
            ("inputQuantityList", event.input_quantity_list),
            ("outputQuantityList", event.output_quantity_list),
        ):
            if elements:
                out[name] = self.quantities(name, elements)
        for name, uri in (("parentID", event.parent_id), ("transformationID", event.transformation_id)):
            if uri is not None:
                out[name] = _leaf(name, self.uri(uri))
        if event.action is not None:
            out["action"] = _leaf("action", event.action)
        if event.biz_step is not None:
            out["bizStep"] = _leaf("bizStep", cbv.urn("biz_step", event.biz_step))
        if event.disposition is not None:
            out["disposition"] = _leaf("disposition", cbv.urn("disposition", event.disposition))
        for name, place in (("readPoint", event.read_point), ("bizLocation", event.biz_location)):
            if place is not None:
                out[name] = self.place(name, place)
        if event.biz_transaction_list:
            documents = [(item.biz_transaction, item.type) for item in event.biz_transaction_list]
            out["bizTransactionList"] = self.typed(
                "bizTransactionList", "bizTransaction", "biz_transaction_type", documents
            )
        for name, member, ends in (
            ("sourceList", "source", event.source_list),
            ("destinationList", "destination", event.destination_list),
        ):
            if ends:
                pairs = [(end.id, end.type) for end in ends]
                out[name] = self.typed(name, member, "source_destination_type", pairs)
        if event.sensor_element_list:
            out["sensorElementList"] = self.sensor_elements(event.sensor_element_list)
        if event.persistent_disposition is not None:
            out["persistentDisposition"] = self.persistent(event.persistent_disposition)
        if event.ilmd:
            out["ilmd"] = _block("ilmd", [self.extensions(event.ilmd)])
        if event.type in ("ObjectEvent", "TransactionEvent"):
            out.setdefault("epcList", "<epcList></epcList>")
        return out

    def event(self, event: Event) -> str:
        content = [_leaf("eventTime", time_text(event.event_time))]
        if event.record_time is not None:
            content.append(_leaf("recordTime", time_text(event.record_time)))
        content.append(_leaf("eventTimeZoneOffset", event.event_time_zone_offset))
        if event.event_id is not None:
            content.append(_leaf("eventID", event.event_id))
        if event.error_declaration is not None:
            content.append(self.declaration(event.error_declaration))
        content += [_leaf("certificationInfo", uri) for uri in event.certification_info]
        fields = self.fields(event)
        content += [fields[name] for name in _ORDER[event.type] if name in fields]
        content.append(self.extensions(event.extensions))
        return _block(event.type, content)


def write_xml_document(
    events: Iterable[Event], fmt: Form = "dl", *, created: datetime | None = None, query: str = ""
) -> bytes:
    """An EPCISDocument 2.0 with the events, in UTF-8; with ``query``, a query's name, an EPCISQueryDocument.

    ``created`` defaults to the time of the latest event. Raises ``UnsupportedError`` (``epcis.xml.name``,
    ``epcis.xml.character``) for what XML cannot carry.
    """
    listed = list(events)
    prefixes = Prefixes(listed)
    writer = _Writer(prefixes, fmt)
    namespaces = {
        "urn:epcglobal:epcis:xsd:2": "epcis",
        **{namespace: prefix for namespace, prefix in prefixes.by_namespace.items() if prefix != "epcis"},
    }
    if _INSTANCE in namespaces:
        namespaces["http://www.w3.org/2001/XMLSchema"] = "xsd"  # what the values of xsi:type refer to
    declared = "".join(f" xmlns:{prefix}={_attribute(uri)}" for uri, prefix in namespaces.items())
    time = time_text(created or creation_time(listed))
    body = _block("EventList", [writer.event(event) for event in listed])
    root = "epcis:EPCISDocument"
    if query:
        root = "epcisq:EPCISQueryDocument"
        declared += ' xmlns:epcisq="urn:epcglobal:epcis-query:xsd:2"'
        body = _block("epcisq:QueryResults", [_leaf("queryName", query), _block("resultsBody", [body])])
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{root}{declared} schemaVersion="2.0" creationDate="{time}">'
        f"<EPCISBody>{body}</EPCISBody></{root}>"
    ).encode()
