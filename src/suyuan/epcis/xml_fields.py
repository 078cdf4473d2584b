"""The fields of an EPCIS event in XML: one reader for each.

Source: EPCIS 2.0 section 9 and EPCIS 1.2 section 9.5 with their schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from suyuan.epcis import cbv, values
from suyuan.epcis.model import (
    BizTransaction,
    ErrorDeclaration,
    Extension,
    Extensions,
    PersistentDisposition,
    Place,
    QuantityElement,
    SensorElement,
    SensorMetadata,
    SensorReport,
    SourceDestination,
)
from suyuan.epcis.prefixes import KEYWORD_NAMESPACE
from suyuan.errors import InputError, SuyuanError, TooLargeError
from suyuan.securexml import Element

EPCIS_NAMESPACES: Final = frozenset(
    {
        "urn:epcglobal:epcis:xsd:1",
        "urn:epcglobal:epcis:xsd:2",
        "urn:epcglobal:epcis-query:xsd:1",
        "urn:epcglobal:epcis-query:xsd:2",
    }
)
OWN_NAMESPACES: Final = EPCIS_NAMESPACES | {""}
WRAPPERS: Final = frozenset({"extension", "baseExtension"})
_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


def unknown_field(element: Element, where: str) -> InputError:
    """The error for an element that EPCIS does not know."""
    return InputError(
        "epcis.field.unknown",
        f"{where} has no field {element.name[:60]!r}.",
        path=element.path,
        remedy="Correct the name, or put your own field into a namespace of your own.",
    )


def expanded_name(element: Element) -> str:
    """The name of an extension element."""
    if element.ns == KEYWORD_NAMESPACE:
        return "@" + element.name
    return f"{{{element.ns}}}{element.name}" if element.ns else element.name


def read_extension(element: Element, depth: int = 0) -> Extension:
    """The extension tree that an element is."""
    if depth > values.MAX_DEPTH:
        raise TooLargeError(
            "epcis.depth.exceeded",
            f"Extensions are nested more than {values.MAX_DEPTH} deep.",
            path=element.path,
        )
    attributes = tuple(sorted(element.attributes.items())) if element.attributes else ()
    text = element.text
    if not element.children:
        return Extension(expanded_name(element), text, attributes)
    if text:
        raise InputError(
            "epcis.extension.mixed_content",
            "An extension holds either text or elements, not both.",
            path=element.path,
            remedy="Put the text into an element of its own.",
        )
    children = tuple([read_extension(child, depth + 1) for child in element.children])
    return Extension(expanded_name(element), children, attributes)


def _members(element: Element, name: str) -> Iterator[Element]:
    """The children of a list, all of them of the one name that the list may hold."""
    for child in element.children:
        if child.name != name or child.ns not in OWN_NAMESPACES:
            raise unknown_field(child, element.name)
        yield child


def leaf_text(element: Element) -> str:
    """The text of an element that must not have children."""
    if element.children:
        raise values.wrong(element.name, element.path, f"{element.name} holds elements instead of a text.")
    return element.text


def placed(error: SuyuanError, element: Element) -> SuyuanError:
    """The error with its place: the element, unless a deeper one is known already."""
    if not error.path.startswith("/"):
        error.path = element.path
    return error


# --- the fields of an event -------------------------------------------------------------------------------


def _time(element: Element) -> Any:
    return values.read_time(leaf_text(element), element.name, "")


def _offset(element: Element) -> str:
    return values.read_offset(leaf_text(element), "")


def _action(element: Element) -> str:
    return values.read_action(leaf_text(element), "")


def _uri(element: Element) -> str:
    return values.read_uri(leaf_text(element), element.name, "")


def _word(family: cbv.Family) -> Callable[[Element], str]:
    return lambda element: values.read_word(family, leaf_text(element), element.name, "")


def _uri_list(member: str) -> Callable[[Element], tuple[str, ...]]:
    def read(element: Element) -> tuple[str, ...]:
        found: list[str] = []
        for child in _members(element, member):
            try:
                found.append(values.read_uri(leaf_text(child), element.name, ""))
            except SuyuanError as error:
                raise placed(error, child) from None
        return tuple(found)

    return read


_epcs: Final = _uri_list("epc")


def _quantity(element: Element) -> QuantityElement:
    fields: dict[str, str] = {}
    for child in element.children:
        text = leaf_text(child)
        try:
            if child.ns not in OWN_NAMESPACES:
                raise unknown_field(child, element.name)
            if child.name == "epcClass":
                fields["epc_class"] = values.read_uri(text, "epcClass", "")
            elif child.name == "quantity":
                fields["quantity"] = values.read_quantity(values.read_decimal(text, "quantity", ""), "")
            elif child.name == "uom":
                fields["uom"] = values.read_uom(text, "")
            else:
                raise unknown_field(child, element.name)
        except SuyuanError as error:
            raise placed(error, child) from None
    if "epc_class" not in fields:
        raise values.missing("epcClass", f"{element.path}/epcClass")
    return QuantityElement(**fields)


def _quantities(element: Element) -> tuple[QuantityElement, ...]:
    return tuple([_quantity(child) for child in _members(element, "quantityElement")])


def _place(element: Element) -> Place:
    uri: str | None = None
    extensions: list[Extension] = []
    for child in element.children:
        if child.ns not in OWN_NAMESPACES:
            extensions.append(read_extension(child))
        elif child.name == "id":
            try:
                uri = values.read_uri(leaf_text(child), element.name, "")
            except SuyuanError as error:
                raise placed(error, child) from None
        elif child.name in WRAPPERS:
            extensions += [read_extension(inner) for inner in child.children]
        else:
            raise unknown_field(child, element.name)
    if uri is None:
        raise values.missing(element.name, f"{element.path}/id")
    return Place(uri, tuple(extensions))


def _typed(element: Element, member: str, family: cbv.Family) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    for child in _members(element, member):
        word = child.attributes.get("type")
        try:
            found.append(
                (
                    values.read_uri(leaf_text(child), member, ""),
                    None if word is None else values.read_word(family, word, f"{member}Type", ""),
                )
            )
        except SuyuanError as error:
            raise placed(error, child) from None
    return found


def _transactions(element: Element) -> tuple[BizTransaction, ...]:
    pairs = _typed(element, "bizTransaction", "biz_transaction_type")
    return tuple([BizTransaction(uri, word) for uri, word in pairs])


def _ends(member: str) -> Callable[[Element], tuple[SourceDestination, ...]]:
    def read(element: Element) -> tuple[SourceDestination, ...]:
        pairs = _typed(element, member, "source_destination_type")
        return tuple([SourceDestination(uri, word) for uri, word in pairs])

    return read


def _persistent(element: Element) -> PersistentDisposition:
    found: dict[str, list[str]] = {"set": [], "unset": []}
    for child in element.children:
        if child.name not in found or child.ns not in OWN_NAMESPACES:
            raise unknown_field(child, element.name)
        try:
            found[child.name].append(values.read_word("disposition", leaf_text(child), element.name, ""))
        except SuyuanError as error:
            raise placed(error, child) from None
    return PersistentDisposition(tuple(found["set"]), tuple(found["unset"]))


def _error_declaration(element: Element) -> ErrorDeclaration:
    fields: dict[str, Any] = {}
    extensions: list[Extension] = []
    for child in element.children:
        try:
            if child.ns not in OWN_NAMESPACES:
                extensions.append(read_extension(child))
            elif child.name == "declarationTime":
                fields["declaration_time"] = values.read_time(leaf_text(child), "declarationTime", "")
            elif child.name == "reason":
                fields["reason"] = values.read_word("error_reason", leaf_text(child), "reason", "")
            elif child.name == "correctiveEventIDs":
                fields["corrective_event_ids"] = _uri_list("correctiveEventID")(child)
            elif child.name in WRAPPERS:
                extensions += [read_extension(inner) for inner in child.children]
            else:
                raise unknown_field(child, element.name)
        except SuyuanError as error:
            raise placed(error, child) from None
    if "declaration_time" not in fields:
        raise values.missing("declarationTime", f"{element.path}/declarationTime")
    return ErrorDeclaration(extensions=tuple(extensions), **fields)


def _ilmd(element: Element) -> Extensions:
    found: list[Extension] = []
    for child in element.children:
        if child.ns in OWN_NAMESPACES:
            if child.name in WRAPPERS:
                found += [read_extension(inner) for inner in child.children]
                continue
            raise unknown_field(child, element.name)
        found.append(read_extension(child))
    return tuple(found)


# --- sensors ----------------------------------------------------------------------------------------------


def _number(field: str, text: str) -> str:
    return values.read_decimal(text, field, "")


def _truth(field: str, text: str) -> bool:
    if text not in _TRUTHS:
        raise values.wrong(field, "", f"{text[:60]!r} is neither true nor false.")
    return _TRUTHS[text]


_SENSOR_TIME: Final = lambda field, text: values.read_time(text, field, "")  # noqa: E731
_SENSOR_URI: Final = lambda field, text: values.read_uri(text, field, "")  # noqa: E731
_SENSOR_TEXT: Final = lambda field, text: text  # noqa: E731


def _sensor_word(family: cbv.Family) -> Callable[[str, str], str]:
    return lambda field, text: values.read_word(family, text, field, "")


_METADATA: Final[dict[str, Callable[[str, str], Any]]] = {
    "time": _SENSOR_TIME,
    "startTime": _SENSOR_TIME,
    "endTime": _SENSOR_TIME,
    "deviceID": _SENSOR_URI,
    "deviceMetadata": _SENSOR_URI,
    "rawData": _SENSOR_URI,
    "dataProcessingMethod": _SENSOR_URI,
    "bizRules": _SENSOR_URI,
}
_REPORT: Final[dict[str, Callable[[str, str], Any]]] = {
    "type": _sensor_word("measurement_type"),
    "exception": _sensor_word("sensor_alert"),
    "deviceID": _SENSOR_URI,
    "deviceMetadata": _SENSOR_URI,
    "rawData": _SENSOR_URI,
    "dataProcessingMethod": _SENSOR_URI,
    "bizRules": _SENSOR_URI,
    "time": _SENSOR_TIME,
    "microorganism": _SENSOR_URI,
    "chemicalSubstance": _SENSOR_URI,
    "value": _number,
    "component": _sensor_word("component"),
    "stringValue": _SENSOR_TEXT,
    "booleanValue": _truth,
    "hexBinaryValue": lambda field, text: values.read_hex(text, field, ""),
    "uriValue": _SENSOR_URI,
    "minValue": _number,
    "maxValue": _number,
    "meanValue": _number,
    "sDev": _number,
    "percRank": _number,
    "percValue": _number,
    "uom": _SENSOR_TEXT,
    "coordinateReferenceSystem": _SENSOR_URI,
}


def _sensor_fields(element: Element, readers: dict[str, Callable[[str, str], Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    extensions: list[Extension] = []
    for name, text in element.attributes.items():
        reader = readers.get(name)
        if reader is not None:
            try:
                fields[values.snake(name)] = reader(name, text.strip())
            except SuyuanError as error:
                error.path = f"{element.path}/@{name}"
                raise
        elif name.startswith("{"):
            extensions.append(Extension(name, text))
        else:
            raise InputError(
                "epcis.field.unknown",
                f"{element.name} has no field {name[:60]!r}.",
                path=f"{element.path}/@{name}",
                remedy="Correct the name, or put your own field into a namespace of your own.",
            )
    for child in element.children:
        if child.ns in OWN_NAMESPACES:
            raise unknown_field(child, element.name)
        extensions.append(read_extension(child))
    fields["extensions"] = tuple(extensions)
    return fields


def _sensor_element(element: Element) -> SensorElement:
    metadata: SensorMetadata | None = None
    reports: list[SensorReport] = []
    extensions: list[Extension] = []
    for child in element.children:
        if child.ns not in OWN_NAMESPACES:
            extensions.append(read_extension(child))
        elif child.name == "sensorMetadata":
            metadata = SensorMetadata(**_sensor_fields(child, _METADATA))
        elif child.name == "sensorReport":
            reports.append(SensorReport(**_sensor_fields(child, _REPORT)))
        elif child.name in WRAPPERS:
            extensions += [read_extension(inner) for inner in child.children]
        else:
            raise unknown_field(child, element.name)
    return SensorElement(metadata=metadata, reports=tuple(reports), extensions=tuple(extensions))


def _sensor_elements(element: Element) -> tuple[SensorElement, ...]:
    return tuple([_sensor_element(child) for child in _members(element, "sensorElement")])


# --- which event has which field --------------------------------------------------------------------------

_Reader = Callable[[Element], Any]

_COMMON: Final[dict[str, _Reader]] = {
    "eventTime": _time,
    "recordTime": _time,
    "eventTimeZoneOffset": _offset,
    "eventID": _uri,
    "certificationInfo": _uri,
    "errorDeclaration": _error_declaration,
    "bizStep": _word("biz_step"),
    "disposition": _word("disposition"),
    "persistentDisposition": _persistent,
    "readPoint": _place,
    "bizLocation": _place,
    "bizTransactionList": _transactions,
    "sourceList": _ends("source"),
    "destinationList": _ends("destination"),
    "sensorElementList": _sensor_elements,
}
_CHILDREN: Final[dict[str, _Reader]] = {
    "action": _action,
    "parentID": _uri,
    "childEPCs": _epcs,
    "childQuantityList": _quantities,
}
EVENT_READERS: Final[dict[str, dict[str, _Reader]]] = {
    "ObjectEvent": {
        **_COMMON,
        "action": _action,
        "epcList": _epcs,
        "quantityList": _quantities,
        "ilmd": _ilmd,
    },
    "AggregationEvent": {**_COMMON, **_CHILDREN},
    "AssociationEvent": {**_COMMON, **_CHILDREN},
    "TransactionEvent": {
        **_COMMON,
        "action": _action,
        "parentID": _uri,
        "epcList": _epcs,
        "quantityList": _quantities,
    },
    "TransformationEvent": {
        **_COMMON,
        "inputEPCList": _epcs,
        "inputQuantityList": _quantities,
        "outputEPCList": _epcs,
        "outputQuantityList": _quantities,
        "transformationID": _uri,
        "ilmd": _ilmd,
    },
    "QuantityEvent": {**_COMMON, "epcClass": _uri, "quantity": leaf_text},
}
