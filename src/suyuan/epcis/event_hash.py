"""The CBV event hash: an ID that follows from what an event says.

The *pre-hash string* concatenates the event's fields in a fixed order, lists sorted, every identifier a
canonical GS1 Digital Link, every vocabulary word a Web URI, times in UTC rounded to milliseconds, numbers
without superfluous digits; eventID, recordTime and errorDeclaration are left out. The ID is
``ni:///sha-256;<hex>?ver=CBV2.0`` over its UTF-8 bytes. The syntax an event was sent in leaves no trace.

Agreement with the published reference generator (1.9.3) is the rule, also where the text of the standard
leaves room: the transaction, source and destination lists stand behind the sensor data, in alphabetical order
with ilmd and the event's extensions; an extension inside a place or a sensor element stands there only if its
namespace ends in a slash, the bizRules of a report never do; a number loses what a double cannot hold. The
last would make two events equal that are not, so ``pre_hash(event, exact=True)`` keeps all digits: that text
decides about equality, the plain one about the ID. Wanted differences: a truth value is ``true`` in both
syntaxes (the generator writes ``True`` for JSON), and so is every word that it expands in one syntax only.

Source: CBV 2.0 section 8.9 (unique event identification), RFC 6920.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Final

from suyuan.canon import normal_decimal
from suyuan.epcis.identifiers import canonical_uri, canonical_uris
from suyuan.epcis.model import (
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
from suyuan.errors import InputError, UnsupportedError

_NUMERIC: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
_MAYBE_NUMERIC: Final = frozenset("0123456789+-.")
_CBV_URNS: Final = (
    ("urn:epcglobal:cbv:bizstep:", "https://ref.gs1.org/cbv/BizStep-"),
    ("urn:epcglobal:cbv:disp:", "https://ref.gs1.org/cbv/Disp-"),
    ("urn:epcglobal:cbv:btt:", "https://ref.gs1.org/cbv/BTT-"),
    ("urn:epcglobal:cbv:sdt:", "https://ref.gs1.org/cbv/SDT-"),
    ("urn:epcglobal:cbv:er:", "https://ref.gs1.org/cbv/ER-"),
)
_CURIES: Final = (("gs1:", "https://gs1.org/voc/"), ("cbv:", "https://ref.gs1.org/cbv/"))
# No reader lets this character in, so it can stand between a number's two forms.
_MARK: Final = "\0"
_MARKED: Final = re.compile("\0[^\0]*\0")
_COMMENTS: Final = frozenset({"comment", "{http://www.w3.org/2000/01/rdf-schema#}comment"})

_METADATA: Final = (
    ("time", "time"),
    ("startTime", "start_time"),
    ("endTime", "end_time"),
    ("deviceID", "device_id"),
    ("deviceMetadata", "device_metadata"),
    ("rawData", "raw_data"),
    ("dataProcessingMethod", "data_processing_method"),
    ("bizRules", "biz_rules"),
)
_REPORT: Final = (
    ("type", "type"),
    ("exception", "exception"),
    ("deviceID", "device_id"),
    ("deviceMetadata", "device_metadata"),
    ("rawData", "raw_data"),
    ("dataProcessingMethod", "data_processing_method"),
    ("time", "time"),
    ("microorganism", "microorganism"),
    ("chemicalSubstance", "chemical_substance"),
    ("value", "value"),
    ("component", "component"),
    ("stringValue", "string_value"),
    ("booleanValue", "boolean_value"),
    ("hexBinaryValue", "hex_binary_value"),
    ("uriValue", "uri_value"),
    ("minValue", "min_value"),
    ("maxValue", "max_value"),
    ("meanValue", "mean_value"),
    ("sDev", "s_dev"),
    ("percRank", "perc_rank"),
    ("percValue", "perc_value"),
    ("uom", "uom"),
    ("coordinateReferenceSystem", "coordinate_reference_system"),
)


@lru_cache(maxsize=4096)
def _moment(moment: datetime) -> str:
    """UTC, rounded to milliseconds (a fourth decimal of 5 or more rounds up)."""
    rest = moment.microsecond % 1000
    if rest:
        moment += timedelta(microseconds=(1000 if rest >= 500 else 0) - rest)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _number(text: str) -> str:
    """A number as the reference prints it; the exact one follows between marks where a double differs."""
    try:
        double = float(text)
        whole = int(double)
        printed = str(whole) if whole == double else str(double)
    except OverflowError:
        return text
    try:
        exact = normal_decimal(text)
    except InputError:
        exact = text
    return printed if printed == exact else f"{printed}{_MARK}{exact}{_MARK}"


@lru_cache(maxsize=4096)
def _text(value: str) -> str:
    """A text as the hash sees it: a word, a number or an identifier in its canonical form."""
    text = value.strip()
    if not text:
        return text
    if text[0] in _MAYBE_NUMERIC:
        return _number(text) if _NUMERIC.fullmatch(text) else text
    for prefix, replacement in _CBV_URNS if text.startswith("urn:epcglobal:cbv:") else _CURIES:
        if text.startswith(prefix):
            return replacement + text[len(prefix) :]
    return canonical_uri(text)


def _value(value: object) -> str:
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, datetime):
        return _moment(value)
    return _text(str(value))


def _generic(extensions: Iterable[Extension]) -> str:
    """Extensions as sorted ``name=value`` texts, each followed by its children, attributes among them."""
    found: list[str] = []
    for extension in extensions:
        if extension.name in _COMMENTS:
            continue
        value = extension.value
        children: Extensions = ()
        if isinstance(value, tuple):
            text, children = "", value
        elif isinstance(value, Number):
            text = _text(value.text)
        else:
            text = _value(value)
        if extension.attributes:
            children += tuple(Extension(name, attribute) for name, attribute in extension.attributes)
        name = f"{extension.name}={text}" if text else extension.name
        found.append(name + _generic(children) if children else name)
    found.sort()
    return "".join(found)


def _divide(own_fields: int, extensions: Extensions) -> tuple[Extensions, Extensions]:
    """Extensions that stand in their place, and those that the reference moves behind everything else."""
    if own_fields + len(extensions) <= 1:
        return (), extensions
    if any("eventTime" in extension.name or "action" in extension.name for extension in extensions):
        return (), extensions
    inside = tuple(extension for extension in extensions if "/}" in extension.name)
    if len(inside) == len(extensions):
        return extensions, ()
    return inside, tuple(extension for extension in extensions if "/}" not in extension.name)


def _quantity(element: QuantityElement) -> str:
    text = "quantityElementepcClass=" + canonical_uri(element.epc_class)
    if element.quantity is not None:
        text += "quantity=" + _text(element.quantity)
    if element.uom is not None:
        text += "uom=" + _text(element.uom)
    return text


def _place(name: str, place: Place, later: list[str]) -> str:
    text = f"{name}id={_text(place.id)}"
    if place.extensions:
        inside, outside = _divide(1, place.extensions)
        text += _generic(inside)
        if outside:
            later.append(name + _generic(outside))
    return text


def _persistent(disposition: PersistentDisposition) -> str:
    words = sorted(["set=" + _text(word) for word in disposition.set])
    words += sorted(["unset=" + _text(word) for word in disposition.unset])
    return "persistentDisposition" + "".join(words) if words else ""


def _record(
    name: str,
    record: SensorMetadata | SensorReport,
    fields: tuple[tuple[str, str], ...],
    later: list[str],
) -> str:
    own = [
        f"{field}={_value(value)}"
        for field, attribute in fields
        if (value := getattr(record, attribute)) is not None and value != ""
    ]
    text = "".join(own)
    moved: list[str] = []
    if record.biz_rules is not None and fields is _REPORT:
        moved.append("bizRules=" + _text(record.biz_rules))
    if record.extensions:
        inside, outside = _divide(len(own) + len(moved), record.extensions)
        text += _generic(inside)
        moved += [_generic((extension,)) for extension in outside]
    if moved:
        later.append(name + "".join(sorted(moved)))
    return name + text if text else ""


def _sensors(elements: tuple[SensorElement, ...], later: list[str]) -> str:
    texts: list[str] = []
    outside_all: list[str] = []
    for element in elements:
        outside: list[str] = []
        own: list[str] = []
        if element.metadata is not None:
            own.append(_record("sensorMetadata", element.metadata, _METADATA, outside))
        own += sorted([_record("sensorReport", report, _REPORT, outside) for report in element.reports])
        text = "".join(own)
        if element.extensions:
            inside, rest = _divide(len(own), element.extensions)
            text += _generic(inside)
            if rest:
                outside.append(_generic(rest))
        if text:
            texts.append("sensorElement" + text)
        if outside:
            outside_all.append("sensorElement" + "".join(sorted(outside)))
    if outside_all:
        later.append("sensorElementList" + "".join(sorted(outside_all)))
    return "sensorElementList" + "".join(sorted(texts)) if texts else ""


def _epcs(name: str, uris: tuple[str, ...]) -> str:
    return name + "".join(sorted(["epc=" + uri for uri in canonical_uris(uris)]))


def _quantities(name: str, elements: tuple[QuantityElement, ...]) -> str:
    return name + "".join(sorted([_quantity(element) for element in elements]))


def _pairs(name: str, member: str, pairs: list[tuple[str, str | None]]) -> str:
    texts = [
        f"{member}={_text(uri)}" if word is None else f"type={_text(word)}{member}={_text(uri)}"
        for uri, word in pairs
    ]
    return name + "".join(sorted(texts))


def _things(event: Event) -> list[str]:
    out: list[str] = []
    if event.parent_id is not None:
        out.append("parentID=" + _text(event.parent_id))
    if event.epc_list:
        out.append(_epcs("epcList", event.epc_list))
    if event.input_epc_list:
        out.append(_epcs("inputEPCList", event.input_epc_list))
    if event.child_epcs:
        out.append(_epcs("childEPCs", event.child_epcs))
    if event.quantity_list:
        out.append(_quantities("quantityList", event.quantity_list))
    if event.child_quantity_list:
        out.append(_quantities("childQuantityList", event.child_quantity_list))
    if event.input_quantity_list:
        out.append(_quantities("inputQuantityList", event.input_quantity_list))
    if event.output_epc_list:
        out.append(_epcs("outputEPCList", event.output_epc_list))
    if event.output_quantity_list:
        out.append(_quantities("outputQuantityList", event.output_quantity_list))
    return out


def _rest(event: Event, later: list[str]) -> str:
    if event.biz_transaction_list:
        documents = [(entry.biz_transaction, entry.type) for entry in event.biz_transaction_list]
        later.append(_pairs("bizTransactionList", "bizTransaction", documents))
    if event.destination_list:
        ends = [(entry.id, entry.type) for entry in event.destination_list]
        later.append(_pairs("destinationList", "destination", ends))
    if event.source_list:
        later.append(_pairs("sourceList", "source", [(entry.id, entry.type) for entry in event.source_list]))
    if event.ilmd:
        later.append("ilmd" + _generic(event.ilmd))
    for extension in event.extensions:
        later.append(_generic((extension,)))
    later.sort()
    return "".join(later)


def pre_hash(event: Event, *, exact: bool = False) -> str:
    """The normalised text of the event (CBV 2.0), which its ID is the hash of.

    ``exact`` keeps the digits of long numbers: two events are equal if and only if these texts are.
    """
    later: list[str] = []
    out = [
        f"eventType={event.type}",
        f"eventTime={_moment(event.event_time)}",
        f"eventTimeZoneOffset={event.event_time_zone_offset}",
    ]
    if event.certification_info:
        out += sorted(["certificationInfo=" + _text(uri) for uri in event.certification_info])
    out += _things(event)
    if event.action is not None:
        out.append("action=" + event.action)
    if event.transformation_id is not None:
        out.append("transformationID=" + _text(event.transformation_id))
    if event.biz_step is not None:
        out.append("bizStep=" + _text(event.biz_step))
    if event.disposition is not None:
        out.append("disposition=" + _text(event.disposition))
    if event.persistent_disposition is not None:
        out.append(_persistent(event.persistent_disposition))
    if event.read_point is not None:
        out.append(_place("readPoint", event.read_point, later))
    if event.biz_location is not None:
        out.append(_place("bizLocation", event.biz_location, later))
    if event.sensor_element_list:
        out.append(_sensors(event.sensor_element_list, later))
    out.append(_rest(event, later))
    text = "".join(out)
    if _MARK in text and not exact:
        return _MARKED.sub("", text)
    return text


VERSIONS: Final[Mapping[str, Callable[[Event], str]]] = {"CBV2.0": pre_hash}
"""The pre-hash rules by the version that an ID names in ``?ver=``. All of them stay valid for good."""


def hash_of(pre_hash_text: str, version: str = "CBV2.0") -> str:
    """The event ID of a pre-hash string."""
    digest = sha256(pre_hash_text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"ni:///sha-256;{digest}?ver={version}"


def event_hash(event: Event, version: str = "CBV2.0") -> str:
    """The event ID ``ni:///sha-256;<hex>?ver=<version>`` (RFC 6920).

    Raises ``UnsupportedError`` (``epcis.hash_version.unknown``) for a version without rules here.
    """
    rules = VERSIONS.get(version)
    if rules is None:
        raise UnsupportedError(
            "epcis.hash_version.unknown",
            f"The event hash version {version[:20]!r} is not known.",
            remedy="Use one of " + ", ".join(sorted(VERSIONS)) + ".",
        )
    return hash_of(rules(event), version)


def identity_of(event: Event) -> tuple[str, bytes]:
    """The event's computed ID and the 32-byte digest that decides about equality, from one pass.

    The digest is SHA-256 of the exact pre-hash text; for an event without overlong numbers it is the hash in
    the ID.
    """
    exact = pre_hash(event, exact=True)
    plain = _MARKED.sub("", exact) if _MARK in exact else exact
    return hash_of(plain), sha256(exact.encode("utf-8", "surrogatepass")).digest()
