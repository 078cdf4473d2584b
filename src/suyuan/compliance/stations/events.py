"""An act as the event that it is. Pure: the same act always gives the same event, under the act's own ID."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from suyuan.capture.links import document_kind
from suyuan.compliance.stations.model import Act, ActKind
from suyuan.epcis.model import BizTransaction, Event, Extension, Place, QuantityElement
from suyuan.epcis.reading import DerivedEvent

RULE = "station/1"
_STEP = "https://ref.gs1.org/cbv/BizStep-"
_EXT = "{urn:suyuan:ext}"
_STEPS: dict[ActKind, str] = {
    "pack": "packing",
    "nest": "packing",
    "unpack": "unpacking",
    "receive": "receiving",
    "store": "storing",
    "count": "cycle_counting",
    "damage": "inspecting",
}
_DAMAGED = "https://ref.gs1.org/cbv/Disp-damaged"


def event_of(act: Act, place: str, courier: str = "", papers: Sequence[str] = ()) -> DerivedEvent:
    """The event of a checked act at ``place`` (a URI, may be empty).

    ``courier`` numbers its waybill; ``papers`` are the pseudonyms of the parcel's order and list.
    """
    parent = f"urn:suyuan:raw:waybill:{courier}:{act.waybill}" if act.waybill else act.parent
    things = tuple(part.uri for part in act.parts if not part.quantity)
    counted = tuple(QuantityElement(part.uri, str(part.quantity)) for part in act.parts if part.quantity)
    here = Place(place) if place else None
    event = Event(
        type="AggregationEvent" if parent else "ObjectEvent",
        event_id=act.event_id,
        event_time=act.at.astimezone(UTC),
        event_time_zone_offset=act.zone,
        action=("DELETE" if act.kind == "unpack" else "ADD") if parent else "OBSERVE",
        parent_id=parent or None,
        child_epcs=things if parent else (),
        child_quantity_list=counted if parent else (),
        epc_list=() if parent else things,
        quantity_list=() if parent else counted,
        biz_step=_STEP + _STEPS[act.kind],
        disposition=_DAMAGED if act.kind == "damage" else None,
        read_point=here,
        biz_location=here,
        biz_transaction_list=tuple(
            BizTransaction(uri, f"urn:suyuan:btt:{document_kind(uri)}") for uri in papers
        ),
        extensions=tuple(
            Extension(f"{_EXT}{name}", value)
            for name, value in (("reason", act.reason), ("shelf", act.shelf))
            if value
        ),
    )
    return DerivedEvent(event, "$", RULE)
