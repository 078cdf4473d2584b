"""The fields of an EPCIS event in JSON-LD: one reader for each.

Paths in errors are relative to the event. Source: EPCIS 2.0 section 10 and its JSON schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from suyuan.epcis import cbv, values
from suyuan.epcis.identifiers import are_sound
from suyuan.epcis.jsonld_names import Lexeme, Names, kind_of, list_of, number_of, object_of, text_of
from suyuan.epcis.model import (
    BizTransaction,
    ErrorDeclaration,
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
from suyuan.errors import InputError, SuyuanError, TooLargeError


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
    declared = {key[7:]: item for key, item in tree.items() if key.startswith("@xmlns:")}
    if declared:  # how converters from XML leave a declaration behind
        names = names.declare(declared, path)
        tree = {key: item for key, item in tree.items() if not key.startswith("@xmlns:")}
    if "@context" in tree:
        names = names.declare(tree["@context"], f"{path}.@context")
    if "#text" in tree:
        attributes = sorted(
            (names.expand(key, path), text_of(item, key, f"{path}.{key}"))
            for key, item in tree.items()
            if key not in ("#text", "@context")
        )
        return [Extension(name, text_of(tree["#text"], "extension", path), tuple(attributes))]
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
            raise unknown_field(key, f"{path}.{key}" if path else key, field)
    return own, tuple(extensions)


def unknown_field(key: str, path: str, where: str) -> InputError:
    """The error for a bare name that EPCIS does not know."""
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
    if type(value) is list and set(map(type, value)) == {str}:
        uris = tuple(value)
        if are_sound(uris):
            return uris
    try:
        return tuple([read_uri(item, field, "") for item in list_of(value, field, field)])
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
    for at, item in enumerate(list_of(value, field, field)):
        path = f"{field}[{at}]"
        raw = object_of(item, field, path)
        for key in raw:
            if key not in ("epcClass", "quantity", "uom"):
                raise unknown_field(key, f"{path}.{key}", "A quantity element")
        if raw.get("epcClass") is None:
            raise values.missing("epcClass", f"{path}.epcClass")
        quantity, uom = raw.get("quantity"), raw.get("uom")
        found.append(
            QuantityElement(
                values.read_uri(raw["epcClass"], "epcClass", f"{path}.epcClass"),
                None
                if quantity is None
                else values.read_quantity(
                    number_of(quantity, "quantity", f"{path}.quantity"), f"{path}.quantity"
                ),
                None if uom is None else values.read_uom(uom, f"{path}.uom"),
            )
        )
    return tuple(found)


def _place(value: object, field: str, names: Names) -> Place:
    own, extensions = _split(object_of(value, field, field), {"id": ()}, names, field, field)
    if "id" not in own:
        raise values.missing(field, f"{field}.id")
    return Place(values.read_uri(own["id"], field, f"{field}.id"), extensions)


def _typed(
    value: object, field: str, member: str, family: cbv.Family, names: Names
) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    for at, item in enumerate(list_of(value, field, field)):
        path = f"{field}[{at}]"
        raw = object_of(item, field, path)
        for key in raw:
            if key not in (member, "type"):
                raise unknown_field(key, f"{path}.{key}", f"An entry of {field}")
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
    raw = object_of(value, field, field)
    lists: dict[str, tuple[str, ...]] = {}
    for key, words in raw.items():
        if key not in ("set", "unset"):
            raise unknown_field(key, f"{field}.{key}", field)
        lists[key] = tuple(
            values.read_word("disposition", word, field, f"{field}.{key}[{at}]")
            for at, word in enumerate(list_of(words, field, f"{field}.{key}"))
        )
    return PersistentDisposition(lists.get("set", ()), lists.get("unset", ()))


def _error_declaration(value: object, field: str, names: Names) -> ErrorDeclaration:
    known = {"declarationTime": (), "reason": (), "correctiveEventIDs": ()}
    own, extensions = _split(object_of(value, field, field), known, names, field, field)
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
    raw = object_of(value, field, field)
    for key in raw:
        if ":" not in key and key != "@context":
            raise unknown_field(key, f"{field}.{key}", field)
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
    return text_of(value, field, path)


def _sensor_number(value: object, field: str, path: str, _: Names) -> str:
    return number_of(value, field, path)


def _sensor_truth(value: object, field: str, path: str, _: Names) -> bool:
    if type(value) is not bool:
        raise values.wrong(field, path, f"{field} is true or false, not {kind_of(value)}.")
    return value


def _sensor_hex(value: object, field: str, path: str, _: Names) -> str:
    return values.read_hex(text_of(value, field, path), field, path)


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
    for at, item in enumerate(list_of(value, field, field)):
        path = f"{field}[{at}]"
        known = {"type": (), "sensorMetadata": (), "sensorReport": ()}
        own, extensions = _split(object_of(item, field, path), known, names, path, "A sensor element")
        metadata = None
        if "sensorMetadata" in own:
            place = f"{path}.sensorMetadata"
            raw = object_of(own["sensorMetadata"], "sensorMetadata", place)
            metadata = SensorMetadata(**_sensor_fields(raw, METADATA_READERS, names, place, "sensorMetadata"))
        reports: list[SensorReport] = []
        for number, report in enumerate(list_of(own.get("sensorReport", []), field, f"{path}.sensorReport")):
            place = f"{path}.sensorReport[{number}]"
            raw = object_of(report, "sensorReport", place)
            reports.append(SensorReport(**_sensor_fields(raw, REPORT_READERS, names, place, "sensorReport")))
        elements.append(SensorElement(metadata=metadata, reports=tuple(reports), extensions=extensions))
    return tuple(elements)


# --- which event has which field --------------------------------------------------------------------------

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
ATTRIBUTES: Final = {field: values.snake(field) for readers in EVENT_READERS.values() for field in readers}
