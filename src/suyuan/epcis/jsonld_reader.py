"""Reading EPCIS 2.0 JSON-LD: documents, query documents, lists of events and single events.

Paths in errors are JSONPaths: ``$.epcisBody.eventList[3].eventTime``.
Source: EPCIS 2.0 section 10 and its JSON schema.
"""

from __future__ import annotations

import re
from typing import Any, Final, cast

from suyuan.epcis import cbv, values
from suyuan.epcis.jsonld_fields import ATTRIBUTES, EVENT_READERS, read_extensions, unknown_field
from suyuan.epcis.jsonld_names import Names, list_of, load, object_of, text_of
from suyuan.epcis.model import (
    EVENT_TYPES,
    Event,
    EventType,
    Extension,
)
from suyuan.errors import InputError, SuyuanError, TooLargeError, UnsupportedError

_VERSION: Final = re.compile(r"[12](?:\.\d+){0,2}")


def read_event(raw: object, names: Names) -> Event:
    """One event from its JSON object. Paths in errors are relative to the event."""
    event = object_of(raw, "event", "")
    kind = event.get("type")
    if type(kind) is not str or kind not in EVENT_TYPES:
        raise InputError(
            "epcis.type.invalid",
            f"{str(kind)[:60]!r} is not an EPCIS event type.",
            path="type",
            remedy="Use " + ", ".join(sorted(EVENT_TYPES)) + ".",
        )
    if "@context" in event:
        names = names.declare(event["@context"], "@context")
    readers = EVENT_READERS[kind]
    fields: dict[str, Any] = {}
    extensions: list[Extension] = []
    for key, value in event.items():
        reader = readers.get(key)
        if reader is not None:
            if value is not None:
                fields[ATTRIBUTES[key]] = reader(value, key, names)
        elif ":" in key:
            name = names.expand(key, key)
            if name not in names.ignored:
                extensions += read_extensions(name, value, names, key)
        elif key not in ("type", "@context"):
            raise unknown_field(key, key, f"An {kind}" if kind[0] in "AO" else f"A {kind}")
    for mandatory in ("eventTime", "eventTimeZoneOffset"):
        if ATTRIBUTES[mandatory] not in fields:
            raise values.missing(mandatory)
    if kind in ("ObjectEvent", "TransactionEvent"):
        values.check_identifiers(
            kind, fields.get("action"), event.keys(), bool(fields.get("sensor_element_list"))
        )
    return values.check_event(Event(type=cast(EventType, kind), extensions=tuple(extensions), **fields))


def _ignored(raw: dict[str, Any], names: Names, path: str) -> frozenset[str]:
    """The expanded names of the fields that a repository marks as its own additions to each event."""
    return frozenset(
        names.expand(text_of(field, "ignoreFields", path), path)
        for key, fields in raw.items()
        if key.endswith(":ignoreFields")
        for field in list_of(fields, "ignoreFields", path)
    )


def _event_list(document: dict[str, Any], names: Names) -> tuple[list[Any], str]:
    body = _member(document, "epcisBody", "$")
    if "queryResults" in body:
        results = _member(body, "queryResults", "$.epcisBody")
        body = _member(results, "resultsBody", "$.epcisBody.queryResults")
        place = "$.epcisBody.queryResults.resultsBody"
        names.ignored = _ignored(results, names, "$.epcisBody.queryResults")
    elif "event" in body and "eventList" not in body:
        return [body["event"]], "$.epcisBody.event"
    else:
        place = "$.epcisBody"
    events = body.get("eventList")
    if events is None:
        raise values.missing("eventList", f"{place}.eventList")
    return list_of(events, "eventList", f"{place}.eventList"), f"{place}.eventList"


def _member(raw: dict[str, Any], key: str, place: str) -> dict[str, Any]:
    if raw.get(key) is None:
        raise values.missing(key, f"{place}.{key}")
    return object_of(raw[key], key, f"{place}.{key}")


def events_of(document: object) -> tuple[Names, str]:
    """The names that hold for the events of a document and the JSONPath of their list, which may be empty here.

    Raises ``InputError`` where the document is none that holds a list of events.
    """
    if isinstance(document, list):
        return Names(cbv.NAMESPACES), "$"
    names, _, base = _opened(document)
    return names, base


def _events(document: object) -> tuple[list[tuple[object, str]], Names]:
    """The raw events of a document with their JSONPaths, and the names that hold for all of them."""
    names = Names(cbv.NAMESPACES)
    if isinstance(document, list):
        return [(event, f"$[{at}]") for at, event in enumerate(document)], names
    if isinstance(document, dict):
        kind = document.get("type")
        if type(kind) is str and kind in EVENT_TYPES:
            return [(document, "$")], names
    names, events, base = _opened(document)
    if base.endswith(".event"):
        return [(events[0], base)], names
    return [(event, f"{base}[{at}]") for at, event in enumerate(events)], names


def _opened(document: object) -> tuple[Names, list[Any], str]:
    """The names, the list of events and its JSONPath in an EPCISDocument or EPCISQueryDocument."""
    if not isinstance(document, dict):
        raise InputError("epcis.document.invalid", "An EPCIS document is a JSON object.", path="$")
    kind = document.get("type")
    if kind not in ("EPCISDocument", "EPCISQueryDocument"):
        raise InputError(
            "epcis.document.unknown",
            f"The type {str(kind)[:60]!r} is neither an EPCIS document nor an event.",
            path="$.type",
            remedy="Send an EPCISDocument, an EPCISQueryDocument or one event.",
        )
    version = document.get("schemaVersion", "2.0")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise UnsupportedError(
            "epcis.version.unsupported",
            f"The EPCIS version {str(version)[:20]!r} is not read.",
            path="$.schemaVersion",
            remedy="Send EPCIS 2.0.",
        )
    names = Names(cbv.NAMESPACES).declare(document.get("@context"), "$.@context")
    events, base = _event_list(document, names)
    return names, events, base


def read_json_places(
    data: bytes, refused: list[SuyuanError] | None = None
) -> tuple[list[tuple[Event, str]], list[str]]:
    """The events of a JSON-LD document, each with its JSONPath, and the keys sent twice without harm.

    With ``refused`` an event that breaks a rule is left out and its error put there; else it is raised.
    """
    document, tolerated = load(data)
    raw_events, names = _events(document)
    if len(raw_events) > values.MAX_EVENTS:
        raise TooLargeError("epcis.events.exceeded", f"More than {values.MAX_EVENTS} events.", path="$")
    found: list[tuple[Event, str]] = []
    for raw, place in raw_events:
        try:
            found.append((read_event(raw, names), place))
        except SuyuanError as error:
            if refused is None:
                raise values.within(error, place) from None
            refused.append(values.within(error, place))
    return found, tolerated


def read_json(data: bytes) -> tuple[Event, ...]:
    """The events of an EPCISDocument, an EPCISQueryDocument, a list of events or one event, in their order.

    Raises ``InputError`` (``json.*``, ``epcis.*``, ``gs1.*``) with the JSONPath of the faulty field, or
    ``TooLargeError`` for too many events or too deep a tree.
    """
    return tuple([event for event, _ in read_json_places(data)[0]])
