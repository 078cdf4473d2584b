"""Reading EPCIS XML, versions 2.0 and 1.2: documents, query documents and single events.

The ``extension`` and ``baseExtension`` wrappers of 1.x are opened wherever they stand, so that one reader
serves both versions. A QuantityEvent of 1.x becomes an ObjectEvent that observes a quantity of a class. The
order of elements is not held against a sender, save that an event begins before it acts. A child of an event
in a namespace that is not EPCIS's is an extension; one that EPCIS does not know is refused.

Paths in errors are XPaths: ``/EPCISDocument/EPCISBody/EventList/ObjectEvent[3]/eventTime``.
Source: EPCIS 2.0 section 9 and EPCIS 1.2 section 9.5 with their schemas.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from suyuan.epcis import values
from suyuan.epcis.model import (
    EVENT_TYPES,
    Event,
    EventType,
    Extension,
    Extensions,
    QuantityElement,
)
from suyuan.epcis.xml_fields import (
    EPCIS_NAMESPACES,
    EVENT_READERS,
    OWN_NAMESPACES,
    WRAPPERS,
    expanded_name,
    placed,
    read_extension,
    unknown_field,
)
from suyuan.errors import InputError, SuyuanError, TooLargeError
from suyuan.securexml import Element, read_xml

_DOCUMENTS: Final = frozenset({"EPCISDocument", "EPCISQueryDocument"})


class _Collected:
    """What the children of one event element come to."""

    def __init__(self, kind: str, ignored: frozenset[str]) -> None:
        self.readers = EVENT_READERS[kind]
        self.ignored = ignored
        self.fields: dict[str, Any] = {}
        self.present: set[str] = set()
        self.extensions: list[Extension] = []

    def collect(self, element: Element) -> None:
        for child in element.children:
            name = child.name
            if child.ns not in OWN_NAMESPACES:
                if expanded_name(child) not in self.ignored:
                    self.extensions.append(read_extension(child))
                continue
            reader = self.readers.get(name)
            if reader is None:
                if name in WRAPPERS:
                    self.collect(child)
                    continue
                raise unknown_field(child, element.name)
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
                raise placed(error, child) from None
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
    if kind not in EVENT_READERS or element.ns not in OWN_NAMESPACES:
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
        expanded_name(field)
        for place in (root, results)
        for listed in place.find_all("ignoreFields")
        for field in listed.children
    }
    return events, frozenset(ignored)


def _event_elements(events: Element) -> Iterator[Element]:
    for child in events.children:
        if child.name in WRAPPERS and child.ns in OWN_NAMESPACES:
            yield from _event_elements(child)
        else:
            yield child


def opened(root: Element) -> tuple[Element, frozenset[str]]:
    """The list of events of a document and the names of the fields that are to be ignored in them.

    Raises ``InputError`` (``epcis.document.unknown``, ``epcis.namespace.unknown``, ``epcis.event_list.missing``).
    """
    if root.name not in _DOCUMENTS:
        raise InputError(
            "epcis.document.unknown",
            f"The root {root.name[:60]!r} is neither an EPCIS document nor an event.",
            path="/" + root.name,
            remedy="Send an EPCISDocument, an EPCISQueryDocument or one event.",
        )
    if root.ns not in EPCIS_NAMESPACES:
        raise InputError(
            "epcis.namespace.unknown",
            f"The namespace {root.ns[:80]!r} is not one of EPCIS.",
            path="/" + root.name,
            remedy="Use urn:epcglobal:epcis:xsd:2 (or xsd:1, or the query schemas).",
        )
    return _event_list(root)


def read_xml_places(data: bytes, refused: list[SuyuanError] | None = None) -> list[tuple[Event, str]]:
    """The events of an EPCIS XML document, each with its XPath.

    With ``refused`` an event that breaks a rule is left out and its error put there; else it is raised.
    """
    root = read_xml(data).root
    if root.name in EVENT_READERS and root.ns in OWN_NAMESPACES:
        return [(read_event(root), "/" + root.name)]
    events, ignored = opened(root)
    base = events.path
    counts: dict[str, int] = {}
    found: list[tuple[Event, str]] = []
    for element in _event_elements(events):
        if len(found) >= values.MAX_EVENTS:
            raise TooLargeError("epcis.events.exceeded", f"More than {values.MAX_EVENTS} events.", path=base)
        number = counts[element.name] = counts.get(element.name, 0) + 1
        try:
            event = read_event(element, ignored, ordered=root.ns.endswith(":2"))
        except SuyuanError as error:
            if refused is None:
                raise
            refused.append(error)
        else:
            found.append((event, f"{base}/{element.name}[{number}]"))
    return found


def read_xml_events(data: bytes) -> tuple[Event, ...]:
    """The events of an EPCIS XML document (2.0 or 1.x, also a query document or one event), in their order.

    Raises ``InputError`` (``xml.*``, ``epcis.*``, ``gs1.*``) with the XPath of the faulty field, or
    ``TooLargeError`` for too many elements or too deep a tree.
    """
    return tuple([event for event, _ in read_xml_places(data)])
