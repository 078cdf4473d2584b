"""Reading EPCIS 2.0 JSON-LD: documents, query documents and single events.

The JSON-LD context is used for what EPCIS needs of it, prefixes; remote contexts are never fetched, the one
of EPCIS is known. Numbers keep their exact text, a key that appears twice in one object is refused (two
parsers would see two events), so are NaN, halves of surrogate pairs and depth without end. That is why the
standard library's scanner is used, whose hooks see every number and every pair.

Paths in errors are JSONPaths: ``$.epcisBody.eventList[3].eventTime``.
Source: EPCIS 2.0 section 10 and its JSON schema.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
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
    Number,
    PersistentDisposition,
    Place,
    QuantityElement,
    SensorElement,
    SensorMetadata,
    SensorReport,
    SourceDestination,
)
from suyuan.errors import InputError, SuyuanError, TooLargeError, UnsupportedError

_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
# What the sender calls the event is not part of what the event says; GS1's own examples send it twice.
_OUTSIDE_CONTENT: Final = frozenset({"eventID", "recordTime"})
_VERSION: Final = re.compile(r"[12](?:\.\d+){0,2}")
_BAD_KEY: Final = re.compile(r"[\s{}\x00-\x1f]")


class Lexeme(str):
    """A JSON number as it was written."""

    __slots__ = ()


class Names:
    """The prefixes in force and the expanded names made of them."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self.prefixes = dict(prefixes)
        self.ignored: frozenset[str] = frozenset()
        self._expanded: dict[str, str] = {}

    def declare(self, context: object, path: str) -> Names:
        """These names with what a ``@context`` adds. A later entry wins, as in JSON-LD."""
        added: dict[str, str] = {}
        for entry in context if isinstance(context, list) else [context]:
            if isinstance(entry, str) or entry is None:
                continue
            if not isinstance(entry, dict):
                raise InputError("epcis.context.invalid", "A context is an address or an object.", path=path)
            for prefix, namespace in entry.items():
                if type(namespace) is str and not prefix.startswith("@") and ":" in namespace:
                    # JSON-LD joins prefix and word, XML keeps them apart: CBV's own differ by this colon.
                    plain = namespace == cbv.MASTER_DATA_NAMESPACE + ":"
                    added[prefix] = cbv.MASTER_DATA_NAMESPACE if plain else namespace
        if not added:
            return self
        names = Names({**self.prefixes, **added})
        names.ignored = self.ignored
        return names

    def expand(self, key: str, path: str) -> str:
        """``ext:word`` -> ``{namespace}word``; a name without a prefix stays bare."""
        known = self._expanded.get(key)
        if known is not None:
            return known
        if _BAD_KEY.search(key) or not key:
            raise InputError("epcis.extension.name", f"{key[:60]!r} is no name for a field.", path=path)
        prefix, colon, local = key.partition(":")
        namespace = self.prefixes.get(prefix)
        if not colon or prefix.startswith("@"):
            name = key  # without a namespace, or a keyword of JSON-LD
        elif namespace is not None and not local.startswith("//"):
            name = f"{{{namespace}}}{local}"
        else:
            cut = max(key.rfind("/"), key.rfind("#"), key.rfind(":")) + 1
            name, local = f"{{{key[:cut]}}}{key[cut:]}", key[cut:]
        if colon and not local:
            raise InputError("epcis.extension.name", f"{key[:60]!r} has no local name.", path=path)
        self._expanded[key] = name
        return name


class _Duplicates:
    """Refuses a key that appears twice, save where the event's content does not hang on it."""

    def __init__(self) -> None:
        self.tolerated: list[str] = []

    def join(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            for key in [key for key, count in counts.items() if count > 1]:
                if key not in _OUTSIDE_CONTENT:
                    raise InputError(
                        "json.key.duplicate",
                        f"The key {key[:60]!r} appears twice in one object.",
                        remedy="Send each field once; which of the two is meant cannot be known.",
                    )
                self.tolerated.append(key)
        return found


def _constant(text: str) -> object:
    raise InputError("json.number.invalid", f"{text} is not a number that JSON knows.")


def load(data: bytes) -> tuple[object, list[str]]:
    """The JSON value in ``data``; numbers are ``Lexeme``. Also the keys sent twice without harm, last wins.

    Raises ``InputError`` (``json.encoding.invalid``, ``json.malformed``, ``json.key.duplicate``,
    ``json.number.invalid``, ``json.text.*``) or ``TooLargeError`` (``json.depth.exceeded``).
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            "json.encoding.invalid",
            f"The bytes are not UTF-8 at byte {error.start}.",
            remedy="Save the file as UTF-8; JSON knows no other encoding.",
        ) from None
    duplicates = _Duplicates()
    try:
        value = json.loads(
            text,
            object_pairs_hook=duplicates.join,
            parse_float=Lexeme,
            parse_int=Lexeme,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        raise InputError(
            "json.malformed",
            f"The text is not JSON: {error.msg}.",
            path=f"line {error.lineno}, column {error.colno}",
            remedy="Send the file as the sending system wrote it; a cut transfer is the usual cause.",
        ) from None
    except RecursionError:
        raise TooLargeError("json.depth.exceeded", "Objects and lists are nested too deep.") from None
    if "\\u0000" in text or "\0" in text:
        raise InputError(
            "json.text.nul", "The text holds the character U+0000, which no database and no XML keeps."
        )
    if _SURROGATE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise InputError(
                "json.text.lone_surrogate", "The text holds half of a surrogate pair, which is no character."
            ) from None
    return value, duplicates.tolerated


def _text(value: object, field: str, path: str) -> str:
    if type(value) is not str:
        raise values.wrong(field, path, f"{field} is a text, not {_kind(value)}.")
    return value


def _kind(value: object) -> str:
    if isinstance(value, Lexeme):
        return "a number"
    names = {bool: "a truth value", dict: "an object", list: "a list", str: "a text"}
    return names.get(type(value), "null")


def _object(value: object, field: str, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise values.wrong(field, path, f"{field} is an object, not {_kind(value)}.")
    return value


def _list(value: object, field: str, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise values.wrong(field, path, f"{field} is a list, not {_kind(value)}.")
    return value


def _number(value: object, field: str, path: str) -> str:
    if type(value) is not Lexeme:
        raise values.wrong(field, path, f"{field} is a number, not {_kind(value)}.")
    return values.read_decimal(value, field, path)


def read_extensions(name: str, value: object, names: Names, path: str, depth: int = 0) -> list[Extension]:
    """The extension trees under one key; a list is a repeated field, null is absence."""
    if depth > values.MAX_DEPTH:
        raise TooLargeError(
            "epcis.depth.exceeded", f"Extensions are nested more than {values.MAX_DEPTH} deep.", path=path
        )
    kind = type(value)
    if kind is str or kind is bool:
        return [Extension(name, cast(str, value))]
    if kind is Lexeme:
        return [Extension(name, Number(values.read_decimal(cast(str, value), "extension", path)))]
    if value is None:
        return []
    if isinstance(value, list):
        return [
            extension
            for position, item in enumerate(value)
            for extension in read_extensions(name, item, names, f"{path}[{position}]", depth + 1)
        ]
    tree = cast(dict[str, Any], value)
    if "@context" in tree:
        names = names.declare(tree["@context"], f"{path}.@context")
    if "#text" in tree:
        attributes = sorted(
            (names.expand(key, path), _text(item, key, f"{path}.{key}"))
            for key, item in tree.items()
            if key not in ("#text", "@context")
        )
        return [Extension(name, _text(tree["#text"], "extension", path), tuple(attributes))]
    return [Extension(name, _children(tree, names, path, depth))]


def _children(tree: dict[str, Any], names: Names, path: str, depth: int) -> Extensions:
    return tuple(
        extension
        for key, item in tree.items()
        if key != "@context"
        for extension in read_extensions(names.expand(key, path), item, names, f"{path}.{key}", depth + 1)
    )


def _split(
    raw: dict[str, Any], known: Mapping[str, Any], names: Names, path: str, field: str
) -> tuple[dict[str, Any], Extensions]:
    """The object's own fields and its extensions; a bare name that EPCIS does not know is refused."""
    own: dict[str, Any] = {}
    extensions: list[Extension] = []
    for key, value in raw.items():
        if key in known:
            if value is not None:
                own[key] = value
        elif ":" in key:
            extensions += read_extensions(names.expand(key, path), value, names, f"{path}.{key}")
        elif key != "@context":
            raise _unknown(key, f"{path}.{key}" if path else key, field)
    return own, tuple(extensions)


def _unknown(key: str, path: str, where: str) -> InputError:
    return InputError(
        "epcis.field.unknown",
        f"{where} has no field {key[:60]!r}.",
        path=path,
        remedy="Correct the name, or give your own field a prefix that the @context declares.",
    )


# --- the fields of an event -------------------------------------------------------------------------------


def _time(value: object, field: str, _: Names) -> Any:
    return values.read_time(value, field, field)


def _offset(value: object, field: str, _: Names) -> str:
    return values.read_offset(value, field)


def _action(value: object, field: str, _: Names) -> str:
    return values.read_action(value, field)


def _uri(value: object, field: str, _: Names) -> str:
    return values.read_uri(value, field, field)


def _uris(value: object, field: str, _: Names) -> tuple[str, ...]:
    read_uri = values.read_uri
    try:
        return tuple([read_uri(item, field, "") for item in _list(value, field, field)])
    except SuyuanError as error:
        if error.path:
            raise
        return tuple(
            read_uri(item, field, f"{field}[{at}]") for at, item in enumerate(cast(list[Any], value))
        )


def _certification(value: object, field: str, names: Names) -> tuple[str, ...]:
    return _uris(value if isinstance(value, list) else [value], field, names)


def _word(family: cbv.Family) -> Callable[[object, str, Names], str]:
    def read(value: object, field: str, names: Names) -> str:
        return values.read_word(family, value, field, field)

    return read


def _quantities(value: object, field: str, _: Names) -> tuple[QuantityElement, ...]:
    found: list[QuantityElement] = []
    for at, item in enumerate(_list(value, field, field)):
        path = f"{field}[{at}]"
        raw = _object(item, field, path)
        for key in raw:
            if key not in ("epcClass", "quantity", "uom"):
                raise _unknown(key, f"{path}.{key}", "A quantity element")
        if raw.get("epcClass") is None:
            raise values.missing("epcClass", f"{path}.epcClass")
        quantity, uom = raw.get("quantity"), raw.get("uom")
        found.append(
            QuantityElement(
                values.read_uri(raw["epcClass"], "epcClass", f"{path}.epcClass"),
                None
                if quantity is None
                else values.read_quantity(
                    _number(quantity, "quantity", f"{path}.quantity"), f"{path}.quantity"
                ),
                None if uom is None else values.read_uom(uom, f"{path}.uom"),
            )
        )
    return tuple(found)


def _place(value: object, field: str, names: Names) -> Place:
    own, extensions = _split(_object(value, field, field), {"id": ()}, names, field, field)
    if "id" not in own:
        raise values.missing(field, f"{field}.id")
    return Place(values.read_uri(own["id"], field, f"{field}.id"), extensions)


def _typed(
    value: object, field: str, member: str, family: cbv.Family, names: Names
) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    for at, item in enumerate(_list(value, field, field)):
        path = f"{field}[{at}]"
        raw = _object(item, field, path)
        for key in raw:
            if key not in (member, "type"):
                raise _unknown(key, f"{path}.{key}", f"An entry of {field}")
        if raw.get(member) is None:
            raise values.missing(member, f"{path}.{member}")
        word = raw.get("type")
        found.append(
            (
                values.read_uri(raw[member], member, f"{path}.{member}"),
                None if word is None else values.read_word(family, word, f"{member}Type", f"{path}.type"),
            )
        )
    return found


def _transactions(value: object, field: str, names: Names) -> tuple[BizTransaction, ...]:
    pairs = _typed(value, field, "bizTransaction", "biz_transaction_type", names)
    return tuple([BizTransaction(uri, word) for uri, word in pairs])


def _ends(member: str) -> Callable[[object, str, Names], tuple[SourceDestination, ...]]:
    def read(value: object, field: str, names: Names) -> tuple[SourceDestination, ...]:
        pairs = _typed(value, field, member, "source_destination_type", names)
        return tuple([SourceDestination(uri, word) for uri, word in pairs])

    return read


def _persistent(value: object, field: str, names: Names) -> PersistentDisposition:
    raw = _object(value, field, field)
    lists: dict[str, tuple[str, ...]] = {}
    for key, words in raw.items():
        if key not in ("set", "unset"):
            raise _unknown(key, f"{field}.{key}", field)
        lists[key] = tuple(
            values.read_word("disposition", word, field, f"{field}.{key}[{at}]")
            for at, word in enumerate(_list(words, field, f"{field}.{key}"))
        )
    return PersistentDisposition(lists.get("set", ()), lists.get("unset", ()))


def _error_declaration(value: object, field: str, names: Names) -> ErrorDeclaration:
    known = {"declarationTime": (), "reason": (), "correctiveEventIDs": ()}
    own, extensions = _split(_object(value, field, field), known, names, field, field)
    if "declarationTime" not in own:
        raise values.missing("declarationTime", f"{field}.declarationTime")
    reason = own.get("reason")
    return ErrorDeclaration(
        declaration_time=values.read_time(
            own["declarationTime"], "declarationTime", f"{field}.declarationTime"
        ),
        reason=None
        if reason is None
        else values.read_word("error_reason", reason, "reason", f"{field}.reason"),
        corrective_event_ids=_uris(own.get("correctiveEventIDs", []), f"{field}.correctiveEventIDs", names),
        extensions=extensions,
    )


def _ilmd(value: object, field: str, names: Names) -> Extensions:
    raw = _object(value, field, field)
    for key in raw:
        if ":" not in key and key != "@context":
            raise _unknown(key, f"{field}.{key}", field)
    if "@context" in raw:
        names = names.declare(raw["@context"], f"{field}.@context")
    return _children(raw, names, field, 0)


# --- sensors ----------------------------------------------------------------------------------------------

_SensorReader = Callable[[object, str, str, Names], Any]


def _sensor_word(family: cbv.Family) -> _SensorReader:
    def read(value: object, field: str, path: str, names: Names) -> str:
        return values.read_word(family, value, field, path)

    return read


def _sensor_time(value: object, field: str, path: str, _: Names) -> Any:
    return values.read_time(value, field, path)


def _sensor_uri(value: object, field: str, path: str, _: Names) -> str:
    return values.read_uri(value, field, path)


def _sensor_text(value: object, field: str, path: str, _: Names) -> str:
    return _text(value, field, path)


def _sensor_number(value: object, field: str, path: str, _: Names) -> str:
    return _number(value, field, path)


def _sensor_truth(value: object, field: str, path: str, _: Names) -> bool:
    if type(value) is not bool:
        raise values.wrong(field, path, f"{field} is true or false, not {_kind(value)}.")
    return value


def _sensor_hex(value: object, field: str, path: str, _: Names) -> str:
    return values.read_hex(_text(value, field, path), field, path)


METADATA_READERS: Final[dict[str, _SensorReader]] = {
    "time": _sensor_time,
    "startTime": _sensor_time,
    "endTime": _sensor_time,
    "deviceID": _sensor_uri,
    "deviceMetadata": _sensor_uri,
    "rawData": _sensor_uri,
    "dataProcessingMethod": _sensor_uri,
    "bizRules": _sensor_uri,
}
REPORT_READERS: Final[dict[str, _SensorReader]] = {
    "type": _sensor_word("measurement_type"),
    "exception": _sensor_word("sensor_alert"),
    "deviceID": _sensor_uri,
    "deviceMetadata": _sensor_uri,
    "rawData": _sensor_uri,
    "dataProcessingMethod": _sensor_uri,
    "bizRules": _sensor_uri,
    "time": _sensor_time,
    "microorganism": _sensor_uri,
    "chemicalSubstance": _sensor_uri,
    "value": _sensor_number,
    "component": _sensor_word("component"),
    "stringValue": _sensor_text,
    "booleanValue": _sensor_truth,
    "hexBinaryValue": _sensor_hex,
    "uriValue": _sensor_uri,
    "minValue": _sensor_number,
    "maxValue": _sensor_number,
    "meanValue": _sensor_number,
    "sDev": _sensor_number,
    "percRank": _sensor_number,
    "percValue": _sensor_number,
    "uom": _sensor_text,
    "coordinateReferenceSystem": _sensor_uri,
}


def _sensor_fields(
    raw: dict[str, Any], readers: dict[str, _SensorReader], names: Names, path: str, where: str
) -> dict[str, Any]:
    own, extensions = _split(raw, readers, names, path, where)
    found: dict[str, Any] = {
        values.snake(key): readers[key](value, key, f"{path}.{key}", names) for key, value in own.items()
    }
    found["extensions"] = extensions
    return found


def _sensor_elements(value: object, field: str, names: Names) -> tuple[SensorElement, ...]:
    elements: list[SensorElement] = []
    for at, item in enumerate(_list(value, field, field)):
        path = f"{field}[{at}]"
        known = {"type": (), "sensorMetadata": (), "sensorReport": ()}
        own, extensions = _split(_object(item, field, path), known, names, path, "A sensor element")
        metadata = None
        if "sensorMetadata" in own:
            place = f"{path}.sensorMetadata"
            raw = _object(own["sensorMetadata"], "sensorMetadata", place)
            metadata = SensorMetadata(**_sensor_fields(raw, METADATA_READERS, names, place, "sensorMetadata"))
        reports: list[SensorReport] = []
        for number, report in enumerate(_list(own.get("sensorReport", []), field, f"{path}.sensorReport")):
            place = f"{path}.sensorReport[{number}]"
            raw = _object(report, "sensorReport", place)
            reports.append(SensorReport(**_sensor_fields(raw, REPORT_READERS, names, place, "sensorReport")))
        elements.append(SensorElement(metadata=metadata, reports=tuple(reports), extensions=extensions))
    return tuple(elements)


# --- events and documents ---------------------------------------------------------------------------------

_Reader = Callable[[object, str, Names], Any]

_COMMON: Final[dict[str, _Reader]] = {
    "eventTime": _time,
    "recordTime": _time,
    "eventTimeZoneOffset": _offset,
    "eventID": _uri,
    "certificationInfo": _certification,
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
    "childEPCs": _uris,
    "childQuantityList": _quantities,
}
EVENT_READERS: Final[dict[str, dict[str, _Reader]]] = {
    "ObjectEvent": {
        **_COMMON,
        "action": _action,
        "epcList": _uris,
        "quantityList": _quantities,
        "ilmd": _ilmd,
    },
    "AggregationEvent": {**_COMMON, **_CHILDREN},
    "AssociationEvent": {**_COMMON, **_CHILDREN},
    "TransactionEvent": {
        **_COMMON,
        "action": _action,
        "parentID": _uri,
        "epcList": _uris,
        "quantityList": _quantities,
    },
    "TransformationEvent": {
        **_COMMON,
        "inputEPCList": _uris,
        "inputQuantityList": _quantities,
        "outputEPCList": _uris,
        "outputQuantityList": _quantities,
        "transformationID": _uri,
        "ilmd": _ilmd,
    },
}
_ATTRIBUTES: Final = {field: values.snake(field) for readers in EVENT_READERS.values() for field in readers}


def read_event(raw: object, names: Names) -> Event:
    """One event from its JSON object. Paths in errors are relative to the event."""
    event = _object(raw, "event", "")
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
                fields[_ATTRIBUTES[key]] = reader(value, key, names)
        elif ":" in key:
            name = names.expand(key, key)
            if name not in names.ignored:
                extensions += read_extensions(name, value, names, key)
        elif key not in ("type", "@context"):
            raise _unknown(key, key, f"An {kind}" if kind[0] in "AO" else f"A {kind}")
    for mandatory in ("eventTime", "eventTimeZoneOffset"):
        if _ATTRIBUTES[mandatory] not in fields:
            raise values.missing(mandatory)
    if kind in ("ObjectEvent", "TransactionEvent"):
        values.check_identifiers(
            kind, fields.get("action"), event.keys(), bool(fields.get("sensor_element_list"))
        )
    return values.check_event(Event(type=cast(EventType, kind), extensions=tuple(extensions), **fields))


def _ignored(raw: dict[str, Any], names: Names, path: str) -> frozenset[str]:
    """The expanded names of the fields that a repository marks as its own additions to each event."""
    return frozenset(
        names.expand(_text(field, "ignoreFields", path), path)
        for key, fields in raw.items()
        if key.endswith(":ignoreFields")
        for field in _list(fields, "ignoreFields", path)
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
    return _list(events, "eventList", f"{place}.eventList"), f"{place}.eventList"


def _member(raw: dict[str, Any], key: str, place: str) -> dict[str, Any]:
    if raw.get(key) is None:
        raise values.missing(key, f"{place}.{key}")
    return _object(raw[key], key, f"{place}.{key}")


def _events(document: object) -> tuple[list[tuple[object, str]], Names]:
    """The raw events of a document with their JSONPaths, and the names that hold for all of them."""
    names = Names(cbv.NAMESPACES)
    if isinstance(document, list):
        return [(event, f"$[{at}]") for at, event in enumerate(document)], names
    if not isinstance(document, dict):
        raise InputError("epcis.document.invalid", "An EPCIS document is a JSON object.", path="$")
    kind = document.get("type")
    if type(kind) is str and kind in EVENT_TYPES:
        return [(document, "$")], names
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
    names = names.declare(document.get("@context"), "$.@context")
    events, base = _event_list(document, names)
    if base.endswith(".event"):
        return [(events[0], base)], names
    return [(event, f"{base}[{at}]") for at, event in enumerate(events)], names


def read_json_places(data: bytes) -> tuple[list[tuple[Event, str]], list[str]]:
    """The events of a JSON-LD document, each with its JSONPath, and the keys sent twice without harm."""
    document, tolerated = load(data)
    raw_events, names = _events(document)
    if len(raw_events) > values.MAX_EVENTS:
        raise TooLargeError("epcis.events.exceeded", f"More than {values.MAX_EVENTS} events.", path="$")
    found: list[tuple[Event, str]] = []
    for raw, place in raw_events:
        try:
            found.append((read_event(raw, names), place))
        except SuyuanError as error:
            raise values.within(error, place) from None
    return found, tolerated


def read_json(data: bytes) -> tuple[Event, ...]:
    """The events of an EPCISDocument, an EPCISQueryDocument, a list of events or one event, in their order.

    Raises ``InputError`` (``json.*``, ``epcis.*``, ``gs1.*``) with the JSONPath of the faulty field, or
    ``TooLargeError`` for too many events or too deep a tree.
    """
    return tuple([event for event, _ in read_json_places(data)[0]])
