"""The five EPCIS 2.0 event types as one immutable record, free of any wire format.

Readers fill it, writers and the event hash read it; nothing here knows JSON or XML. What both
syntaxes can say has one form: vocabulary words are full URIs, times are aware datetimes in UTC, numbers are
normalised decimal strings, an empty list equals a list that is absent. What is an extension stays a tree of
``Extension`` under expanded names (``{namespace}local``), in the order in which it was sent.

Source: EPCIS 2.0 section 7, CBV 2.0.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

EventType: TypeAlias = Literal[
    "ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent"
]
Action: TypeAlias = Literal["ADD", "OBSERVE", "DELETE"]

EVENT_TYPES: frozenset[str] = frozenset(
    {"ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent"}
)
ACTIONS: frozenset[str] = frozenset({"ADD", "OBSERVE", "DELETE"})


class Number(msgspec.Struct, frozen=True, gc=False):
    """A JSON number in an extension, as the normalised decimal ``text`` (``1e2`` is ``100``)."""

    text: str


ExtensionValue: TypeAlias = "str | Number | bool | tuple[Extension, ...]"


class Extension(msgspec.Struct, frozen=True, gc=False):
    """One field that is not EPCIS's own.

    ``name`` is ``{namespace}local`` or a bare word where the sender gave no namespace. ``value`` is a text, a
    number, a truth value or the children. Fields repeated under one name are repeated ``Extension``.
    ``attributes`` are XML attributes by expanded name, sorted; their order carries no meaning.
    """

    name: str
    value: ExtensionValue
    attributes: tuple[tuple[str, str], ...] = ()


Extensions: TypeAlias = tuple[Extension, ...]


class QuantityElement(msgspec.Struct, frozen=True, gc=False):
    """So many (or an unstated amount) of a class of things; ``uom`` is a UN/CEFACT Rec 20 code."""

    epc_class: str
    quantity: str | None = None
    uom: str | None = None


class Place(msgspec.Struct, frozen=True, gc=False):
    """A read point or business location with the extensions hung on it."""

    id: str
    extensions: Extensions = ()


class BizTransaction(msgspec.Struct, frozen=True, gc=False):
    """A business document: its identifier and, where stated, the URI of its type."""

    biz_transaction: str
    type: str | None = None


class SourceDestination(msgspec.Struct, frozen=True, gc=False):
    """One end of a transfer: the party or place ``id`` in the role ``type`` (a URI)."""

    id: str
    type: str | None = None


class PersistentDisposition(msgspec.Struct, frozen=True, gc=False):
    """Dispositions that hold (``set``) or stop holding (``unset``) beside the current one."""

    set: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()


class SensorMetadata(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is common to the reports of one sensor element."""

    time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    device_id: str | None = None
    device_metadata: str | None = None
    raw_data: str | None = None
    data_processing_method: str | None = None
    biz_rules: str | None = None
    extensions: Extensions = ()


class SensorReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One observation. Numbers are normalised decimals in the unit ``uom``."""

    type: str | None = None
    exception: str | None = None
    device_id: str | None = None
    device_metadata: str | None = None
    raw_data: str | None = None
    data_processing_method: str | None = None
    biz_rules: str | None = None
    time: datetime | None = None
    microorganism: str | None = None
    chemical_substance: str | None = None
    value: str | None = None
    component: str | None = None
    string_value: str | None = None
    boolean_value: bool | None = None
    hex_binary_value: str | None = None
    uri_value: str | None = None
    min_value: str | None = None
    max_value: str | None = None
    mean_value: str | None = None
    s_dev: str | None = None
    perc_rank: str | None = None
    perc_value: str | None = None
    uom: str | None = None
    coordinate_reference_system: str | None = None
    extensions: Extensions = ()


class SensorElement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Sensor reports with what they share."""

    metadata: SensorMetadata | None = None
    reports: tuple[SensorReport, ...] = ()
    extensions: Extensions = ()


class ErrorDeclaration(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """States that the event with this ID was wrong, and which events now stand in its place."""

    declaration_time: datetime
    reason: str | None = None
    corrective_event_ids: tuple[str, ...] = ()
    extensions: Extensions = ()


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One EPCIS event.

    ``event_time`` is in UTC, ``event_time_zone_offset`` as sent (``+02:00``). ``event_id`` and
    ``record_time`` are what the sender gave; neither is part of the canonical body or of the event hash.
    """

    type: EventType
    event_time: datetime
    event_time_zone_offset: str
    event_id: str | None = None
    record_time: datetime | None = None
    action: Action | None = None
    epc_list: tuple[str, ...] = ()
    quantity_list: tuple[QuantityElement, ...] = ()
    parent_id: str | None = None
    child_epcs: tuple[str, ...] = ()
    child_quantity_list: tuple[QuantityElement, ...] = ()
    input_epc_list: tuple[str, ...] = ()
    output_epc_list: tuple[str, ...] = ()
    input_quantity_list: tuple[QuantityElement, ...] = ()
    output_quantity_list: tuple[QuantityElement, ...] = ()
    transformation_id: str | None = None
    biz_step: str | None = None
    disposition: str | None = None
    persistent_disposition: PersistentDisposition | None = None
    read_point: Place | None = None
    biz_location: Place | None = None
    biz_transaction_list: tuple[BizTransaction, ...] = ()
    source_list: tuple[SourceDestination, ...] = ()
    destination_list: tuple[SourceDestination, ...] = ()
    sensor_element_list: tuple[SensorElement, ...] = ()
    ilmd: Extensions = ()
    error_declaration: ErrorDeclaration | None = None
    certification_info: tuple[str, ...] = ()
    extensions: Extensions = ()
