"""The way of one consignment as its members' papers tell it: 25 events about every item that was sold.

Three levels of packing (item in case, case on pallet, pallet in container), then a parcel; customs papers that
lead from the parcel's list over the ledger item to the declaration and the bill of lading.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from stage.members import CASE_GTIN, GTIN
from stage.papers import CBV, item_uri
from suyuan.epcis import Event
from suyuan.epcis.model import BizTransaction, Extension, Place, QuantityElement
from suyuan.gs1.check_digits import check_digit

EVENTS_OF_AN_ITEM = 25
ITEMS_IN_CASE = 24
CASES_ON_PALLET = 48
ITEMS_IN_PARCEL = 2
_PLANT, _PORT = "urn:suyuan:place:NLZWO", "urn:suyuan:place:NLRTM"
_ZONE, _STATION = "urn:suyuan:place:CNNSA:5165", "urn:suyuan:place:CNCTU"
_LEDGER = "urn:suyuan:ledger-item:T5165W000123:17"


class Consignment(msgspec.Struct, frozen=True):
    """One container with one pallet of ours, and the cases on it whose items are followed.

    ``number`` makes every number of its papers its own; ``cases`` are the serials of 24 items each.
    """

    number: int
    lot: str
    start: datetime
    cases: Sequence[Sequence[str]]

    @property
    def items(self) -> list[str]:
        """Canonical URIs of the followed items."""
        return [item_uri(GTIN, serial) for case in self.cases for serial in case]

    def paper(self, kind: str, form: str) -> BizTransaction:
        """A document of this consignment, its number after ``form``."""
        return BizTransaction(f"urn:suyuan:{kind}:{form}{self.number:09d}", f"urn:suyuan:btt:{kind}")


def sscc(number: int) -> str:
    """The canonical URI of a pallet."""
    digits = f"0871000{number:010d}"
    return f"https://id.gs1.org/00/{digits}{check_digit(digits)}"


def _event(kind: str, when: datetime, place: str, step: str, **fields: object) -> Event:
    body: dict[str, Any] = {
        "type": kind,
        "event_time": when,
        "event_time_zone_offset": "+08:00" if place in (_ZONE, _STATION) else "+02:00",
        "biz_step": step if ":" in step else f"{CBV}BizStep-{step}",
        "read_point": Place(place),
        **fields,
    }
    return Event(**body)


def _seen(
    when: datetime, place: str, step: str, *things: str, papers: Sequence[BizTransaction] = ()
) -> Event:
    return _event(
        "ObjectEvent",
        when,
        place,
        step,
        action="OBSERVE",
        epc_list=things,
        disposition=f"{CBV}Disp-in_progress",
        biz_transaction_list=tuple(papers),
    )


def _packed(
    when: datetime, place: str, step: str, action: str, parent: str, children: Sequence[str]
) -> Event:
    return _event(
        "AggregationEvent", when, place, step, action=action, parent_id=parent, child_epcs=tuple(children)
    )


def deliveries(one: Consignment) -> list[tuple[str, list[Event]]]:
    """The consignment's papers in order: the delivering party and the events that it reports."""
    return [*_out(one), *_customs(one), *_into_stock(one), *_parcels(one)]


def _case(one: Consignment, position: int) -> str:
    return item_uri(CASE_GTIN, f"C{one.number:06d}{position:04d}")


def _container(one: Consignment) -> str:
    return f"urn:epc:id:bic:COSU{one.number:07d}"


def _out(one: Consignment) -> list[tuple[str, list[Event]]]:
    items, pallet, box = one.items, sscc(one.number), _container(one)
    lot = Extension("{urn:epcglobal:cbv:mda}lotNumber", one.lot)
    day, hour = timedelta(days=1), timedelta(hours=1)
    made = [
        _event(
            "ObjectEvent",
            one.start,
            _PLANT,
            "commissioning",
            action="ADD",
            epc_list=tuple(items),
            disposition=f"{CBV}Disp-active",
            ilmd=(lot,),
        ),
        _event(
            "ObjectEvent",
            one.start + hour,
            _PLANT,
            "inspecting",
            action="OBSERVE",
            quantity_list=(QuantityElement(f"https://id.gs1.org/01/{GTIN}/10/{one.lot}", "43200"),),
            biz_transaction_list=(one.paper("certificate", "C"),),
        ),
    ]
    made += [
        _packed(
            one.start + day,
            _PLANT,
            "packing",
            "ADD",
            _case(one, n),
            [item_uri(GTIN, serial) for serial in case],
        )
        for n, case in enumerate(one.cases)
    ]
    on_pallet = [_case(one, n) for n in range(CASES_ON_PALLET)]
    made += [
        _packed(one.start + day + hour, _PLANT, "packing", "ADD", pallet, on_pallet),
        _seen(one.start + day + 2 * hour, _PLANT, "storing", pallet),
    ]
    sea = one.start + 3 * day
    shipped = [
        _packed(
            sea, _PLANT, "loading", "ADD", box, [pallet, *(sscc(one.number * 100 + n) for n in range(19))]
        ),
        _seen(
            sea + hour, _PLANT, "departing", box, papers=[one.paper("bol", "COSU"), one.paper("seal", "S")]
        ),
        _seen(
            sea + day,
            _PORT,
            "loading",
            box,
            papers=[one.paper("bol", "COSU"), one.paper("vessel-voyage", "V")],
        ),
        _seen(sea + 30 * day, _ZONE, "arriving", box, papers=[one.paper("bol", "COSU")]),
    ]
    return [("bench-maker", made), ("bench-forwarder", shipped)]


def _customs(one: Consignment) -> list[tuple[str, list[Event]]]:
    start, hour, box = one.start + timedelta(days=34), timedelta(hours=1), _container(one)
    entry, declared = one.paper("bonded-list", "QD516525I"), one.paper("declaration", "5165")
    ledger = BizTransaction(_LEDGER, "urn:suyuan:btt:ledger-item")
    bill = one.paper("bol", "COSU")
    return [
        (
            "bench-broker",
            [
                _seen(
                    start, _ZONE, "urn:suyuan:bizstep:declaring", box, papers=[ledger, entry, declared, bill]
                ),
                _seen(start + hour, _ZONE, "urn:suyuan:bizstep:clearing", box, papers=[declared]),
                _seen(
                    start + 2 * hour,
                    _ZONE,
                    "receiving",
                    box,
                    papers=[entry, one.paper("gate-pass", "Z5165I")],
                ),
            ],
        )
    ]


def _into_stock(one: Consignment) -> list[tuple[str, list[Event]]]:
    start, hour = one.start + timedelta(days=35), timedelta(hours=1)
    pallet, cases = sscc(one.number), [_case(one, n) for n in range(len(one.cases))]
    entry = one.paper("bonded-list", "QD516525I")
    ledger = BizTransaction(_LEDGER, "urn:suyuan:btt:ledger-item")
    events = [
        _packed(start, _ZONE, "unloading", "DELETE", _container(one), [pallet]),
        _seen(start + hour, _ZONE, "receiving", pallet, papers=[one.paper("tally", "T"), ledger, entry]),
        _packed(start + 2 * hour, _ZONE, "unpacking", "DELETE", pallet, cases),
    ]
    for case, serials in zip(cases, one.cases, strict=True):
        items = [item_uri(GTIN, serial) for serial in serials]
        events += [
            _seen(start + 3 * hour, _ZONE, "storing", case),
            _packed(start + 24 * hour, _ZONE, "unpacking", "DELETE", case, items),
            _seen(start + 25 * hour, _ZONE, "urn:suyuan:bizstep:activating", *items),
        ]
    return [("bench-warehouse", events)]


def _parcels(one: Consignment) -> list[tuple[str, list[Event]]]:
    start, hour = one.start + timedelta(days=40), timedelta(hours=1)
    sold, carried = [], []
    leave = [one.paper("bonded-list", "QD516525E"), one.paper("gate-pass", "Z5165E")]
    for n in range(0, len(one.items), ITEMS_IN_PARCEL):
        number = f"{one.number:06d}{n:06d}"
        waybill = f"urn:suyuan:raw:waybill:4401W001:SF{number}"
        own = {
            kind: BizTransaction(f"urn:suyuan:raw:{kind}:4401P001:{number}", f"urn:suyuan:btt:{kind}")
            for kind in ("order", "payment", "parcel-list")
        }
        ledger = BizTransaction(_LEDGER, "urn:suyuan:btt:ledger-item")
        sold += [
            _seen(start, _ZONE, "picking", *one.items[n : n + ITEMS_IN_PARCEL]),
            _packed(start + hour, _ZONE, "packing", "ADD", waybill, one.items[n : n + ITEMS_IN_PARCEL]),
            _seen(
                start, _ZONE, "urn:suyuan:bizstep:ordering", waybill, papers=[own["order"], own["payment"]]
            ),
            _seen(
                start + 2 * hour,
                _ZONE,
                "urn:suyuan:bizstep:clearing",
                waybill,
                papers=[own["order"], own["parcel-list"], ledger],
            ),
            _seen(start + 3 * hour, _ZONE, "shipping", waybill, papers=[own["parcel-list"], *leave]),
        ]
        carried += [
            _seen(start + 6 * hour, _ZONE, "departing", waybill),
            _seen(start + 60 * hour, _STATION, "arriving", waybill),
        ]
    return [("bench-warehouse", sold), ("bench-courier", carried)]
