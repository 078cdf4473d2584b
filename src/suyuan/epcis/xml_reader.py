"""Reading EPCIS XML, versions 2.0 and 1.2: documents, query documents and single events.

The ``extension`` and ``baseExtension`` wrappers of 1.x are opened wherever they stand, so that one reader
serves both versions. A QuantityEvent of 1.x becomes an ObjectEvent that observes a quantity of a class. The
order of elements is not held against a sender, save that an event begins before it acts. A child of an event
in a namespace that is not EPCIS's is an extension; one that EPCIS does not know is refused.

Paths in errors are XPaths: ``/EPCISDocument/EPCISBody/EventList/ObjectEvent[3]/eventTime``.
Source: EPCIS 2.0 section 9 and EPCIS 1.2 section 9.5 with their schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, cast

from suyuan.epcis import cbv, values
from suyuan.epcis.model import (
    EVENT_TYPES,
    BizTransaction,
    ErrorDeclaration,
    Event,
    EventType,
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
from suyuan.securexml import Element, read_xml

_DOCUMENTS: Final = frozenset({"EPCISDocument", "EPCISQueryDocument"})
_NAMESPACES: Final = frozenset(
    {
        "urn:epcglobal:epcis:xsd:1",
        "urn:epcglobal:epcis:xsd:2",
        "urn:epcglobal:epcis-query:xsd:1",
        "urn:epcglobal:epcis-query:xsd:2",
    }
)
_OWN: Final = _NAMESPACES | {""}
_WRAPPERS: Final = frozenset({"extension", "baseExtension"})
_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


def _unknown(element: Element, where: str) -> InputError:
    return InputError(
        "epcis.field.unknown",
        f"{where} has no field {element.name[:60]!r}.",
        path=element.path,
        remedy="Correct the name, or put your own field into a namespace of your own.",
    )


def _name(element: Element) -> str:
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
        return Extension(_name(element), text, attributes)
    if text:
        raise InputError(
            "epcis.extension.mixed_content",
            "An extension holds either text or elements, not both.",
            path=element.path,
            remedy="Put the text into an element of its own.",
        )
    children = tuple([read_extension(child, depth + 1) for child in element.children])
    return Extension(_name(element), children, attributes)


def _members(element: Element, name: str) -> Iterator[Element]:
    """The children of a list, all of them of the one name that the list may hold."""
    for child in element.children:
        if child.name != name or child.ns not in _OWN:
            raise _unknown(child, element.name)
        yield child


def _leaf(element: Element) -> str:
    if element.children:
        raise values.wrong(element.name, element.path, f"{element.name} holds elements instead of a text.")
    return element.text


def _at(error: SuyuanError, element: Element) -> SuyuanError:
    """The error with its place: the element, unless a deeper one is known already."""
    if not error.path.startswith("/"):
        error.path = element.path
    return error


# --- the fields of an event -------------------------------------------------------------------------------


def _time(element: Element) -> Any:
    return values.read_time(_leaf(element), element.name, "")


def _offset(element: Element) -> str:
    return values.read_offset(_leaf(element), "")


def _action(element: Element) -> str:
    return values.read_action(_leaf(element), "")


def _uri(element: Element) -> str:
    return values.read_uri(_leaf(element), element.name, "")


def _word(family: cbv.Family) -> Callable[[Element], str]:
    return lambda element: values.read_word(family, _leaf(element), element.name, "")


def _uri_list(member: str) -> Callable[[Element], tuple[str, ...]]:
    def read(element: Element) -> tuple[str, ...]:
        found: list[str] = []
        for child in _members(element, member):
            try:
                found.append(values.read_uri(_leaf(child), element.name, ""))
            except SuyuanError as error:
                raise _at(error, child) from None
        return tuple(found)

    return read


_epcs: Final = _uri_list("epc")


def _quantity(element: Element) -> QuantityElement:
    fields: dict[str, str] = {}
    for child in element.children:
        text = _leaf(child)
        try:
            if child.ns not in _OWN:
                raise _unknown(child, element.name)
            if child.name == "epcClass":
                fields["epc_class"] = values.read_uri(text, "epcClass", "")
            elif child.name == "quantity":
                fields["quantity"] = values.read_quantity(values.read_decimal(text, "quantity", ""), "")
            elif child.name == "uom":
                fields["uom"] = values.read_uom(text, "")
            else:
                raise _unknown(child, element.name)
        except SuyuanError as error:
            raise _at(error, child) from None
    if "epc_class" not in fields:
        raise values.missing("epcClass", f"{element.path}/epcClass")
    return QuantityElement(**fields)


def _quantities(element: Element) -> tuple[QuantityElement, ...]:
    return tuple([_quantity(child) for child in _members(element, "quantityElement")])


def _place(element: Element) -> Place:
    uri: str | None = None
    extensions: list[Extension] = []
    for child in element.children:
        if child.ns not in _OWN:
            extensions.append(read_extension(child))
        elif child.name == "id":
            try:
                uri = values.read_uri(_leaf(child), element.name, "")
            except SuyuanError as error:
                raise _at(error, child) from None
        elif child.name in _WRAPPERS:
            extensions += [read_extension(inner) for inner in child.children]
        else:
            raise _unknown(child, element.name)
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
                    values.read_uri(_leaf(child), member, ""),
                    None if word is None else values.read_word(family, word, f"{member}Type", ""),
                )
            )
        except SuyuanError as error:
            raise _at(error, child) from None
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
        if child.name not in found or child.ns not in _OWN:
            raise _unknown(child, element.name)
        try:
            found[child.name].append(values.read_word("disposition", _leaf(child), element.name, ""))
        except SuyuanError as error:
            raise _at(error, child) from None
    return PersistentDisposition(tuple(found["set"]), tuple(found["unset"]))


def _error_declaration(element: Element) -> ErrorDeclaration:
    fields: dict[str, Any] = {}
    extensions: list[Extension] = []
    for child in element.children:
        try:
            if child.ns not in _OWN:
                extensions.append(read_extension(child))
            elif child.name == "declarationTime":
                fields["declaration_time"] = values.read_time(_leaf(child), "declarationTime", "")
            elif child.name == "reason":
                fields["reason"] = values.read_word("error_reason", _leaf(child), "reason", "")
            elif child.name == "correctiveEventIDs":
                fields["corrective_event_ids"] = _uri_list("correctiveEventID")(child)
            elif child.name in _WRAPPERS:
                extensions += [read_extension(inner) for inner in child.children]
            else:
                raise _unknown(child, element.name)
        except SuyuanError as error:
            raise _at(error, child) from None
    if "declaration_time" not in fields:
        raise values.missing("declarationTime", f"{element.path}/declarationTime")
    return ErrorDeclaration(extensions=tuple(extensions), **fields)


def _ilmd(element: Element) -> Extensions:
    found: list[Extension] = []
    for child in element.children:
        if child.ns in _OWN:
            if child.name in _WRAPPERS:
                found += [read_extension(inner) for inner in child.children]
                continue
            raise _unknown(child, element.name)
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
        if child.ns in _OWN:
            raise _unknown(child, element.name)
        extensions.append(read_extension(child))
    fields["extensions"] = tuple(extensions)
    return fields


def _sensor_element(element: Element) -> SensorElement:
    metadata: SensorMetadata | None = None
    reports: list[SensorReport] = []
    extensions: list[Extension] = []
    for child in element.children:
        if child.ns not in _OWN:
            extensions.append(read_extension(child))
        elif child.name == "sensorMetadata":
            metadata = SensorMetadata(**_sensor_fields(child, _METADATA))
        elif child.name == "sensorReport":
            reports.append(SensorReport(**_sensor_fields(child, _REPORT)))
        elif child.name in _WRAPPERS:
            extensions += [read_extension(inner) for inner in child.children]
        else:
            raise _unknown(child, element.name)
    return SensorElement(metadata=metadata, reports=tuple(reports), extensions=tuple(extensions))


def _sensor_elements(element: Element) -> tuple[SensorElement, ...]:
    return tuple([_sensor_element(child) for child in _members(element, "sensorElement")])


# --- events and documents ---------------------------------------------------------------------------------

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
_EVENTS: Final[dict[str, dict[str, _Reader]]] = {
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
    "QuantityEvent": {**_COMMON, "epcClass": _uri, "quantity": _leaf},
}


class _Collected:
    """What the children of one event element come to."""

    def __init__(self, kind: str, ignored: frozenset[str]) -> None:
        self.readers = _EVENTS[kind]
        self.ignored = ignored
        self.fields: dict[str, Any] = {}
        self.present: set[str] = set()
        self.extensions: list[Extension] = []

    def collect(self, element: Element) -> None:
        for child in element.children:
            name = child.name
            if child.ns not in _OWN:
                if _name(child) not in self.ignored:
                    self.extensions.append(read_extension(child))
                continue
            reader = self.readers.get(name)
            if reader is None:
                if name in _WRAPPERS:
                    self.collect(child)
                    continue
                raise _unknown(child, element.name)
            if name in self.present and name != "certificationInfo":
                raise InputError(
                    "epcis.field.repeated", f"{name} appears twice in one event.", path=child.path
                )
            self.present.add(name)
            if not child.text and not child.children and not child.attributes:
                continue  # an empty element says as much as an absent one
            try:
                value = reader(child)
            except SuyuanError as error:
                raise _at(error, child) from None
            if name == "certificationInfo":
                value = (*self.fields.get("certification_info", ()), value)
            self.fields[values.snake(name)] = value


def _check_order(element: Element) -> None:
    names = [child.name for child in element.children]
    if "action" in names and "eventTime" in names and names.index("action") < names.index("eventTime"):
        raise InputError(
            "epcis.order.invalid",
            "The action stands before the eventTime.",
            path=f"{element.path}/action",
            remedy="Write the elements in the order of the EPCIS schema: eventTime first.",
        )


def read_event(element: Element, ignored: frozenset[str] = frozenset(), *, ordered: bool = True) -> Event:
    """One event from its element. ``ordered`` holds the one rule of order, which 1.x senders break."""
    kind = element.name
    if kind not in _EVENTS or element.ns not in _OWN:
        raise InputError(
            "epcis.type.invalid",
            f"{kind[:60]!r} is not an EPCIS event type.",
            path=element.path,
            remedy="Use " + ", ".join(sorted(EVENT_TYPES)) + ".",
        )
    if ordered and kind == "ObjectEvent":
        _check_order(element)
    collected = _Collected(kind, ignored)
    collected.collect(element)
    fields = collected.fields
    try:
        for mandatory in ("eventTime", "eventTimeZoneOffset"):
            if values.snake(mandatory) not in fields:
                raise values.missing(mandatory)
        if kind == "QuantityEvent":
            return _from_quantity_event(fields, tuple(collected.extensions))
        if kind in ("ObjectEvent", "TransactionEvent"):
            values.check_identifiers(
                kind, fields.get("action"), collected.present, "sensor_element_list" in fields
            )
        return values.check_event(
            Event(type=cast(EventType, kind), extensions=tuple(collected.extensions), **fields)
        )
    except SuyuanError as error:
        raise values.within(error, element.path, "/") from None


def _from_quantity_event(fields: dict[str, Any], extensions: Extensions) -> Event:
    for name, attribute in (("epcClass", "epc_class"), ("quantity", "quantity")):
        if attribute not in fields:
            raise values.missing(name)
    amount = values.read_quantity(
        values.read_decimal(fields.pop("quantity"), "quantity", "quantity"), "quantity"
    )
    return Event(
        type="ObjectEvent",
        action="OBSERVE",
        quantity_list=(QuantityElement(fields.pop("epc_class"), amount),),
        extensions=extensions,
        **fields,
    )


def _event_list(root: Element) -> tuple[Element, frozenset[str]]:
    body = root.find("EPCISBody") or root
    results = body.find("QueryResults") or body
    holder = results.find("resultsBody") or results
    events = holder.find("EventList")
    if events is None:
        raise InputError(
            "epcis.event_list.missing",
            "The document holds no EventList.",
            path=holder.path,
            remedy="Send events; master data alone goes to the catalog.",
        )
    ignored = {
        _name(field)
        for place in (root, results)
        for listed in place.find_all("ignoreFields")
        for field in listed.children
    }
    return events, frozenset(ignored)


def _event_elements(events: Element) -> Iterator[Element]:
    for child in events.children:
        if child.name in _WRAPPERS and child.ns in _OWN:
            yield from _event_elements(child)
        else:
            yield child


def read_xml_places(data: bytes) -> list[tuple[Event, str]]:
    """The events of an EPCIS XML document, each with its XPath."""
    root = read_xml(data).root
    if root.name in _EVENTS and root.ns in _OWN:
        return [(read_event(root), "/" + root.name)]
    if root.name not in _DOCUMENTS:
        raise InputError(
            "epcis.document.unknown",
            f"The root {root.name[:60]!r} is neither an EPCIS document nor an event.",
            path="/" + root.name,
            remedy="Send an EPCISDocument, an EPCISQueryDocument or one event.",
        )
    if root.ns not in _NAMESPACES:
        raise InputError(
            "epcis.namespace.unknown",
            f"The namespace {root.ns[:80]!r} is not one of EPCIS.",
            path="/" + root.name,
            remedy="Use urn:epcglobal:epcis:xsd:2 (or xsd:1, or the query schemas).",
        )
    events, ignored = _event_list(root)
    base = events.path
    counts: dict[str, int] = {}
    found: list[tuple[Event, str]] = []
    for element in _event_elements(events):
        if len(found) >= values.MAX_EVENTS:
            raise TooLargeError("epcis.events.exceeded", f"More than {values.MAX_EVENTS} events.", path=base)
        number = counts[element.name] = counts.get(element.name, 0) + 1
        found.append(
            (read_event(element, ignored, ordered=root.ns.endswith(":2")), f"{base}/{element.name}[{number}]")
        )
    return found


def read_xml_events(data: bytes) -> tuple[Event, ...]:
    """The events of an EPCIS XML document (2.0 or 1.x, also a query document or one event), in their order.

    Raises ``InputError`` (``xml.*``, ``epcis.*``, ``gs1.*``) with the XPath of the faulty field, or
    ``TooLargeError`` for too many elements or too deep a tree.
    """
    return tuple([event for event, _ in read_xml_places(data)])
