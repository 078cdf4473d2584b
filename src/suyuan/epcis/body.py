"""The canonical body of an event: what is committed to, hashed, stored and compared.

A plain JSON object without floats under EPCIS's JSON-LD names, with canonical URIs, UTC times and decimal
texts; eventID and recordTime are not in it. It loses nothing of the event but the spelling and the order of
differently named extensions: ``canonical_body(event_from_body(body)) == body``. Extensions stand under their
expanded names: a text and a truth value as themselves, a number as ``{"#number": "1.5"}``, children as an
object, a repeated field as a list, XML attributes as ``{"#attributes": {...}, "#value": ...}``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast

from suyuan.canon import JSON
from suyuan.epcis import values
from suyuan.epcis.identifiers import canonical_uri, canonical_uris
from suyuan.epcis.model import (
    EVENT_TYPES,
    BizTransaction,
    ErrorDeclaration,
    Event,
    EventType,
    Extension,
    Extensions,
    ExtensionValue,
    Number,
    PersistentDisposition,
    Place,
    QuantityElement,
    SensorElement,
    SensorMetadata,
    SensorReport,
    SourceDestination,
)
from suyuan.errors import IntegrityError

Body: TypeAlias = "dict[str, JSON]"

# JSON name -> (model name, kind of value), in the order of EPCIS.
METADATA_FIELDS: Final = {
    "time": ("time", "time"),
    "startTime": ("start_time", "time"),
    "endTime": ("end_time", "time"),
    "deviceID": ("device_id", "uri"),
    "deviceMetadata": ("device_metadata", "uri"),
    "rawData": ("raw_data", "uri"),
    "dataProcessingMethod": ("data_processing_method", "uri"),
    "bizRules": ("biz_rules", "uri"),
}
REPORT_FIELDS: Final = {
    "type": ("type", "measurement_type"),
    "exception": ("exception", "sensor_alert"),
    "deviceID": ("device_id", "uri"),
    "deviceMetadata": ("device_metadata", "uri"),
    "rawData": ("raw_data", "uri"),
    "dataProcessingMethod": ("data_processing_method", "uri"),
    "bizRules": ("biz_rules", "uri"),
    "time": ("time", "time"),
    "microorganism": ("microorganism", "uri"),
    "chemicalSubstance": ("chemical_substance", "uri"),
    "value": ("value", "number"),
    "component": ("component", "component"),
    "stringValue": ("string_value", "text"),
    "booleanValue": ("boolean_value", "truth"),
    "hexBinaryValue": ("hex_binary_value", "text"),
    "uriValue": ("uri_value", "uri"),
    "minValue": ("min_value", "number"),
    "maxValue": ("max_value", "number"),
    "meanValue": ("mean_value", "number"),
    "sDev": ("s_dev", "number"),
    "percRank": ("perc_rank", "number"),
    "percValue": ("perc_value", "number"),
    "uom": ("uom", "text"),
    "coordinateReferenceSystem": ("coordinate_reference_system", "uri"),
}


def time_text(moment: datetime) -> str:
    """UTC with milliseconds, ``2025-08-04T07:10:00.000Z``; microseconds only where there are any."""
    return _time_text(moment)


@lru_cache(maxsize=4096)
def _time_text(moment: datetime) -> str:
    detail = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.replace(tzinfo=None).isoformat(timespec=detail) + "Z"


def _extension_value(value: ExtensionValue) -> JSON:
    if isinstance(value, tuple):
        return extension_body(value)
    if isinstance(value, Number):
        return {"#number": value.text}
    return value


def extension_body(extensions: Extensions) -> Body:
    """Extensions as an object under expanded names."""
    body: Body = {}
    repeated: set[str] = set()
    for extension in extensions:
        name = extension.name
        value = _extension_value(extension.value)
        if extension.attributes:
            value = {"#attributes": dict(extension.attributes), "#value": value}
        if name in repeated:
            cast("list[JSON]", body[name]).append(value)
        elif name in body:
            body[name] = [body[name], value]
            repeated.add(name)
        else:
            body[name] = value
    return body


def _quantities(elements: Iterable[QuantityElement]) -> JSON:
    found: list[JSON] = []
    for element in elements:
        entry: Body = {"epcClass": canonical_uri(element.epc_class)}
        if element.quantity is not None:
            entry["quantity"] = element.quantity
        if element.uom is not None:
            entry["uom"] = element.uom
        found.append(entry)
    return found


def _uris(uris: Sequence[str]) -> JSON:
    return list(canonical_uris(uris))


def _typed(member: str, pairs: Iterable[tuple[str, str | None]]) -> JSON:
    return [
        {member: canonical_uri(uri)} if word is None else {"type": word, member: canonical_uri(uri)}
        for uri, word in pairs
    ]


def _place(place: Place) -> JSON:
    return {"id": canonical_uri(place.id), **extension_body(place.extensions)}


def _sensor_fields(record: SensorMetadata | SensorReport, fields: Mapping[str, tuple[str, str]]) -> Body:
    body: Body = {}
    for name, (attribute, kind) in fields.items():
        value = getattr(record, attribute)
        if value is None:
            continue
        if kind == "time":
            body[name] = time_text(value)
        elif kind == "uri":
            body[name] = canonical_uri(value)
        else:
            body[name] = value
    body.update(extension_body(record.extensions))
    return body


def _sensor_elements(elements: Iterable[SensorElement]) -> JSON:
    found: list[JSON] = []
    for element in elements:
        entry: Body = {}
        if element.metadata is not None:
            entry["sensorMetadata"] = _sensor_fields(element.metadata, METADATA_FIELDS)
        entry["sensorReport"] = [_sensor_fields(report, REPORT_FIELDS) for report in element.reports]
        entry.update(extension_body(element.extensions))
        found.append(entry)
    return found


def _error_declaration(declaration: ErrorDeclaration) -> JSON:
    body: Body = {"declarationTime": time_text(declaration.declaration_time)}
    if declaration.reason is not None:
        body["reason"] = declaration.reason
    if declaration.corrective_event_ids:
        body["correctiveEventIDs"] = list(declaration.corrective_event_ids)
    body.update(extension_body(declaration.extensions))
    return body


def canonical_body(event: Event) -> Body:
    """The event as its canonical JSON object: equal for JSON and XML, URNs and Digital Links."""
    body: Body = {
        "type": event.type,
        "eventTime": time_text(event.event_time),
        "eventTimeZoneOffset": event.event_time_zone_offset,
    }
    lists: tuple[tuple[str, Any, Callable[[Any], JSON]], ...] = (
        ("epcList", event.epc_list, _uris),
        ("quantityList", event.quantity_list, _quantities),
        ("childEPCs", event.child_epcs, _uris),
        ("childQuantityList", event.child_quantity_list, _quantities),
        ("inputEPCList", event.input_epc_list, _uris),
        ("outputEPCList", event.output_epc_list, _uris),
        ("inputQuantityList", event.input_quantity_list, _quantities),
        ("outputQuantityList", event.output_quantity_list, _quantities),
        ("sensorElementList", event.sensor_element_list, _sensor_elements),
        ("ilmd", event.ilmd, extension_body),
        ("certificationInfo", event.certification_info, list),
    )
    for name, value, convert in lists:
        if value:
            body[name] = convert(value)
    if event.action is not None:
        body["action"] = event.action
    if event.parent_id is not None:
        body["parentID"] = canonical_uri(event.parent_id)
    if event.transformation_id is not None:
        body["transformationID"] = canonical_uri(event.transformation_id)
    if event.biz_step is not None:
        body["bizStep"] = event.biz_step
    if event.disposition is not None:
        body["disposition"] = event.disposition
    if event.persistent_disposition is not None:
        body["persistentDisposition"] = {
            "set": list(event.persistent_disposition.set),
            "unset": list(event.persistent_disposition.unset),
        }
    if event.read_point is not None:
        body["readPoint"] = _place(event.read_point)
    if event.biz_location is not None:
        body["bizLocation"] = _place(event.biz_location)
    if event.biz_transaction_list:
        pairs = [(entry.biz_transaction, entry.type) for entry in event.biz_transaction_list]
        body["bizTransactionList"] = _typed("bizTransaction", pairs)
    if event.source_list:
        body["sourceList"] = _typed("source", [(entry.id, entry.type) for entry in event.source_list])
    if event.destination_list:
        ends = [(entry.id, entry.type) for entry in event.destination_list]
        body["destinationList"] = _typed("destination", ends)
    if event.error_declaration is not None:
        body["errorDeclaration"] = _error_declaration(event.error_declaration)
    if event.extensions:
        body.update(extension_body(event.extensions))
    return body


# --- and back ---------------------------------------------------------------------------------------------


def _extension_from(name: str, value: Any) -> list[Extension]:
    if isinstance(value, list):
        return [extension for item in value for extension in _extension_from(name, item)]
    attributes: tuple[tuple[str, str], ...] = ()
    if isinstance(value, dict):
        if "#attributes" in value:
            attributes = tuple(sorted(value["#attributes"].items()))
            value = value["#value"]
        if isinstance(value, dict):
            value = Number(value["#number"]) if "#number" in value else extensions_from(value)
    return [Extension(name, value, attributes)]


def extensions_from(body: Mapping[str, Any], without: Iterable[str] = ()) -> Extensions:
    """The extensions that stand in an object of a canonical body, save the names in ``without``."""
    return tuple(
        extension
        for name, value in body.items()
        if name not in without
        for extension in _extension_from(name, value)
    )


def _sensor_from(body: Mapping[str, Any], fields: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        fields[name][0]: datetime.fromisoformat(value) if fields[name][1] == "time" else value
        for name, value in body.items()
        if name in fields
    }
    found["extensions"] = extensions_from(body, fields)
    return found


def _elements_from(items: list[Any]) -> tuple[SensorElement, ...]:
    return tuple(
        SensorElement(
            metadata=SensorMetadata(**_sensor_from(item["sensorMetadata"], METADATA_FIELDS))
            if "sensorMetadata" in item
            else None,
            reports=tuple(
                SensorReport(**_sensor_from(report, REPORT_FIELDS)) for report in item["sensorReport"]
            ),
            extensions=extensions_from(item, ("sensorMetadata", "sensorReport")),
        )
        for item in items
    )


def _declaration_from(body: Mapping[str, Any]) -> ErrorDeclaration:
    return ErrorDeclaration(
        declaration_time=datetime.fromisoformat(body["declarationTime"]),
        reason=body.get("reason"),
        corrective_event_ids=tuple(body.get("correctiveEventIDs", ())),
        extensions=extensions_from(body, ("declarationTime", "reason", "correctiveEventIDs")),
    )


def _quantities_from(items: list[Any]) -> tuple[QuantityElement, ...]:
    return tuple(QuantityElement(item["epcClass"], item.get("quantity"), item.get("uom")) for item in items)


def _place_from(body: Mapping[str, Any]) -> Place:
    return Place(body["id"], extensions_from(body, ("id",)))


_RESTORE: Final[dict[str, Callable[[Any], Any]]] = {
    "eventTime": datetime.fromisoformat,
    "epcList": tuple,
    "childEPCs": tuple,
    "inputEPCList": tuple,
    "outputEPCList": tuple,
    "certificationInfo": tuple,
    "quantityList": _quantities_from,
    "childQuantityList": _quantities_from,
    "inputQuantityList": _quantities_from,
    "outputQuantityList": _quantities_from,
    "persistentDisposition": lambda body: PersistentDisposition(tuple(body["set"]), tuple(body["unset"])),
    "readPoint": _place_from,
    "bizLocation": _place_from,
    "bizTransactionList": lambda items: tuple(
        BizTransaction(item["bizTransaction"], item.get("type")) for item in items
    ),
    "sourceList": lambda items: tuple(SourceDestination(item["source"], item.get("type")) for item in items),
    "destinationList": lambda items: tuple(
        SourceDestination(item["destination"], item.get("type")) for item in items
    ),
    "sensorElementList": _elements_from,
    "ilmd": extensions_from,
    "errorDeclaration": _declaration_from,
}
_PLAIN: Final = (
    "eventTimeZoneOffset",
    "action",
    "parentID",
    "transformationID",
    "bizStep",
    "disposition",
)
_STANDARD: Final = frozenset({"type", *_RESTORE, *_PLAIN})


def event_from_body(body: Mapping[str, Any]) -> Event:
    """The event of a canonical body (without eventID and recordTime, which are not in it).

    Only bodies that ``canonical_body`` made are accepted: anything else raises ``IntegrityError``
    (``epcis.body.damaged``), since a stored body is never written by hand.
    """
    try:
        if body["type"] not in EVENT_TYPES:
            raise ValueError(body["type"])
        fields: dict[str, Any] = {}
        for name, value in body.items():
            restore = _RESTORE.get(name)
            if restore is not None:
                fields[values.snake(name)] = restore(value)
            elif name in _PLAIN:
                fields[values.snake(name)] = value
        return Event(
            type=cast(EventType, body["type"]), extensions=extensions_from(body, _STANDARD), **fields
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise IntegrityError(
            "epcis.body.damaged", f"A stored event body cannot be read ({type(error).__name__})."
        ) from None
