"""Putting one event together from what rows say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from suyuan.canon import normal_decimal
from suyuan.epcis.model import (
    Action,
    BizTransaction,
    Event,
    EventType,
    Extension,
    Number,
    Place,
    QuantityElement,
)
from suyuan.sheets.values import Moment

EXTENSION_NAMESPACE: Final = "urn:suyuan:ext"
CBV_STEP: Final = "https://ref.gs1.org/cbv/BizStep-"
CBV_DISPOSITION: Final = "https://ref.gs1.org/cbv/Disp-"


def text_extensions(values: Mapping[str, str]) -> tuple[Extension, ...]:
    """Text fields in Suyuan's namespace, empty ones left out."""
    return tuple(
        Extension(name=f"{{{EXTENSION_NAMESPACE}}}{name}", value=value)
        for name, value in values.items()
        if value
    )


def number_extension(name: str, value: str | int) -> Extension:
    """A number field in Suyuan's namespace."""
    return Extension(name=f"{{{EXTENSION_NAMESPACE}}}{name}", value=Number(normal_decimal(value)))


def draft_event(
    kind: EventType,
    moment: Moment,
    *,
    step: str,
    action: Action,
    place: str = "",
    disposition: str | None = None,
    documents: tuple[BizTransaction, ...] = (),
    epcs: tuple[str, ...] = (),
    quantities: tuple[QuantityElement, ...] = (),
    parent: str | None = None,
    extensions: tuple[Extension, ...] = (),
) -> Event:
    """An event at ``place`` (read point and business location). ``epcs`` and ``quantities`` are the children
    of ``parent`` in an AggregationEvent, else what the event is about."""
    if moment.day_only:
        extensions = (*extensions, *text_extensions({"precision": "day"}))
    is_aggregation = kind == "AggregationEvent"
    return Event(
        type=kind,
        event_time=moment.time,
        event_time_zone_offset=moment.offset,
        action=action,
        epc_list=() if is_aggregation else epcs,
        quantity_list=() if is_aggregation else quantities,
        parent_id=parent,
        child_epcs=epcs if is_aggregation else (),
        child_quantity_list=quantities if is_aggregation else (),
        biz_step=step or None,
        disposition=disposition,
        read_point=Place(place) if place else None,
        biz_location=Place(place) if place else None,
        biz_transaction_list=documents,
        extensions=extensions,
    )
