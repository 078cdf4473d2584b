"""What a day of a bonded warehouse with its parcels sends, for each parcel so much; and the papers themselves.

The figures are those of an ordinary day: a parcel of two pieces has its order and list and receipts delivered as they
happen, its waybill scanned by the courier in batches of many, its codes made and activated before it is packed at a
station, and some of its buyers open the page.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from stage.members import GTIN

PARCELS_A_DAY = 60_000
PARCELS_A_SECOND = PARCELS_A_DAY / 86_400
ITEMS = 2
COURIER = "440196X901"
LOT, LEDGER = "LOAD", "T5165W000999:1"
WAREHOUSE = "urn:suyuan:place:CNNSA:5165"
# Requests for each parcel, by kind. A batch of scans, of codes and of activations serves many parcels.
SCANS_IN_DOCUMENT, CODES_IN_BATCH = 100, 40
EACH_PARCEL = {
    "paper": 3.0,  # single posts: declared, released, its tax bill
    "scans": 4 / SCANS_IN_DOCUMENT,  # a waybill is scanned four times
    "codes": ITEMS / CODES_IN_BATCH,  # issued, read, activated
    "pack": 1.0,  # waybill, goods, each serial, the act
    "page": 0.5,
    "trace": 0.2,
    "checkpoint": 0.1,
}
_STEP = "https://ref.gs1.org/cbv/BizStep-"


class Parcel(msgspec.Struct, frozen=True):
    """A parcel by its number, which order, list and waybill share here."""

    number: str

    def raw(self, kind: str) -> str:
        """The number in the clear, as papers name it."""
        return f"urn:suyuan:raw:{kind}:{COURIER}:{self.number}"


def new_parcel() -> Parcel:
    """A parcel that nobody has heard of."""
    return Parcel(f"LD{uuid.uuid4().hex[:16].upper()}")


def document(events: Sequence[dict[str, object]]) -> bytes:
    """An EPCIS 2.0 document."""
    body = {
        "@context": [
            "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
            {"suyuan": "urn:suyuan:ext"},
        ],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": datetime.now(UTC).isoformat(),
        "epcisBody": {"eventList": list(events)},
    }
    return json.dumps(body).encode()


def _event(kind: str, step: str, **fields: object) -> dict[str, object]:
    return {
        "type": kind,
        "eventTime": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "eventTimeZoneOffset": "+08:00",
        "action": "OBSERVE",
        "bizStep": step if ":" in step else _STEP + step,
        **fields,
    }


def _papers(*uris: str) -> list[dict[str, str]]:
    kinds = [(uri.split(":")[3] if uri.startswith("urn:suyuan:raw:") else uri.split(":")[2]) for uri in uris]
    return [
        {"type": f"urn:suyuan:btt:{kind}", "bizTransaction": uri}
        for kind, uri in zip(kinds, uris, strict=True)
    ]


def papers_of(parcel: Parcel) -> list[bytes]:
    """Its list with order and waybill, the release of it, its tax bill; each a paper of its own."""
    ledger = f"urn:suyuan:ledger-item:{LEDGER}"
    line = {"suyuan:ledgerItem": ledger, "suyuan:quantity": str(ITEMS)}
    declared = _papers(parcel.raw("parcel-list"), parcel.raw("order"), parcel.raw("waybill"), ledger)
    events = [
        _event(
            "TransactionEvent", "urn:suyuan:bizstep:declaring", bizTransactionList=declared,
            disposition="urn:suyuan:disp:declared", **{"suyuan:line": line}, epcList=[],
        ),
        _event(
            "TransactionEvent", "urn:suyuan:bizstep:clearing", disposition="urn:suyuan:disp:released",
            bizTransactionList=_papers(parcel.raw("parcel-list")), epcList=[],
        ),
        _event(
            "TransactionEvent", "urn:suyuan:bizstep:taxing", epcList=[],
            bizTransactionList=_papers(parcel.raw("tax-bill"), parcel.raw("parcel-list")),
        ),
    ]  # fmt: skip
    return [document([event]) for event in events]


def courier_scans(parcels: Iterable[Parcel], step: str) -> bytes:
    """One scan of each waybill, in one document."""
    place = {"readPoint": {"id": WAREHOUSE}}
    return document([_event("ObjectEvent", step, epcList=[one.raw("waybill")], **place) for one in parcels])


def stock_in(quantity: int) -> bytes:
    """What the entry list and the tally say of the goods that the whole run packs."""
    ledger = f"urn:suyuan:ledger-item:{LEDGER}"
    lot = [{"epcClass": f"https://id.gs1.org/01/{GTIN}/10/{LOT}", "quantity": quantity}]
    line = {"suyuan:ledgerItem": ledger, "suyuan:quantity": str(quantity)}
    return document(
        [
            _event(
                "TransactionEvent", "urn:suyuan:bizstep:clearing", epcList=[], **{"suyuan:line": line},
                bizTransactionList=_papers("urn:suyuan:bonded-list:QD516525I000000999", ledger),
            ),
            _event(
                "ObjectEvent", "receiving", quantityList=lot, bizLocation={"id": WAREHOUSE},
                bizTransactionList=_papers("urn:suyuan:tally:LOAD-1", ledger),
            ),
        ]
    )  # fmt: skip
