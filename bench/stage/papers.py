"""Events and documents as members would send them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from suyuan.epcis import Event, write_json_document
from suyuan.epcis.model import BizTransaction, Place

CBV = "https://ref.gs1.org/cbv/"
FACTORY = "https://id.gs1.org/414/8710000000017"


def item_uri(gtin: str, serial: str) -> str:
    """The canonical URI of an item."""
    return f"https://id.gs1.org/01/{gtin}/21/{serial}"


def observation(gtin: str, serials: Sequence[str], when: datetime, step: str = "inspecting") -> Event:
    """Items seen at a place, with the paper of that act."""
    return Event(
        type="ObjectEvent",
        action="OBSERVE",
        event_time=when,
        event_time_zone_offset="+02:00",
        epc_list=tuple(item_uri(gtin, serial) for serial in serials),
        biz_step=f"{CBV}BizStep-{step}",
        disposition=f"{CBV}Disp-in_progress",
        read_point=Place(FACTORY),
        biz_location=Place(FACTORY),
        biz_transaction_list=(
            BizTransaction(f"urn:suyuan:certificate:C{when:%Y%m%d%H%M}", f"{CBV}BTT-cert"),
        ),
    )


def document(events: Sequence[Event]) -> bytes:
    """An EPCIS 2.0 document in JSON-LD."""
    return write_json_document(events)
