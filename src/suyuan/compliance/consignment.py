"""Short and surplus parcels (短少、溢装) of a consignment that many people share: what left against what arrived.

Computed from events at read time. *Consolidated* are the parcels that were put under an air waybill before it
arrived, less those taken out again; *received* those that the inbound details of the supervised site list under
it. A later report on a detail stands in the place of the earlier one, a deletion takes it back. Where no detail
has come, nothing is short yet. A parcel that is received under its second waybill number is received.

The difference is a finding of the consignment, not of every parcel in it: asked for one item, the finding says
whether its parcel is among the missing. No other parcel is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import asyncpg
import msgspec

from suyuan.capture.index import Role, documents_of
from suyuan.capture.links import document_kind, document_number
from suyuan.capture.payload import read_body
from suyuan.compliance.model import Finding
from suyuan.compliance.standing import PAGE, one_view, whole_list
from suyuan.db.pool import Connection, Pool, sql
from suyuan.gs1.thing import thing_key
from suyuan.trace.model import Trace
from suyuan.trace.state import short_name

_INBOUND = ("inbound-detail", "inbound-detail-draft")
_RECEIVING = frozenset({"receiving", "accepting", "unpacking"})
# Who may say what a consignment holds and what of it arrived; anybody else could make it short.
_SPEAKERS = frozenset(
    {"courier", "carrier", "forwarder", "bonded-warehouse", "inspector", "seller", "authority", "operator"}
)

ParcelState = Literal["received", "missing", "surplus", "not known"]


class Consignment(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the parcels under one air waybill. ``parcel`` is where the parcel that was asked for is."""

    document: str
    number: str
    consolidated: int
    received: int
    missing: int
    surplus: int
    details: tuple[str, ...]
    parcel: ParcelState
    finding: Finding | None = None


class _Event(msgspec.Struct, frozen=True):
    time: datetime
    step: str
    action: str
    is_carrier: bool
    documents: tuple[str, ...]
    things: frozenset[str]
    changed: bool


class _Count(msgspec.Struct):
    """Parcels that left and that arrived; ``by_paper`` are the arrivals by inbound detail, "" without one."""

    consolidated: set[str]
    by_paper: dict[str, set[str]]
    arrived: bool = False

    @property
    def received(self) -> set[str]:
        """All that arrived, whatever paper says so."""
        return {parcel for parcels in self.by_paper.values() for parcel in parcels}

    def add(self, moment: list[_Event]) -> None:
        """Take in all that happened at one moment; moments come in the order of time."""
        self.arrived = self.arrived or any(event.step in ("arriving", "receiving") for event in moment)
        for event in sorted(moment, key=lambda event: (event.step, sorted(event.things))):
            self._add(event)

    def _add(self, event: _Event) -> None:
        detail = next((uri for uri in event.documents if document_kind(uri) in _INBOUND), "")
        if detail and event.action == "DELETE":
            self.by_paper.pop(detail, None)
        elif event.step in _RECEIVING and event.things:
            known = set() if event.changed else self.by_paper.get(detail, set())
            known.update(event.things)
            self.by_paper[detail] = known
        elif event.is_carrier and event.action != "DELETE":
            self.consolidated.update(event.things)
        elif event.is_carrier and not self.arrived:
            # Without children everything was taken out (EPCIS 2.0, AggregationEvent).
            self.consolidated.difference_update(event.things or set(self.consolidated))


async def consignments_of(db: Pool | Connection, trace: Trace) -> tuple[Consignment, ...]:
    """The consignments of an item's parcel, as the operator's trace names them."""
    air_waybills = {
        uri
        for fact in trace.facts
        if not fact.withdrawn
        for uri in (*(document.uri for document in fact.documents), *fact.things)
        if document_kind(uri) == "awb"
    }
    return tuple([await consignment_of(db, uri, trace.parcels) for uri in sorted(air_waybills)])


async def consignment_findings(db: Pool | Connection, trace: Trace) -> tuple[Finding, ...]:
    """What does not add up in the consignments of an item's parcel, from the operator's trace.

    A finding names the air waybill and counts other people's parcels: it is for whoever sees the whole.
    """
    found = await consignments_of(db, trace)
    return tuple(consignment.finding for consignment in found if consignment.finding is not None)


async def consignment_of(db: Pool | Connection, document: str, parcels: Sequence[str] = ()) -> Consignment:
    """The consignment under an air waybill (its URI), seen from one parcel by its waybill URIs (pseudonyms)."""
    async with one_view(db) as conn:
        count = await _count(conn, document)
        received = count.received
        missing, surplus = count.consolidated - received, received - count.consolidated
        pairs = await _second_numbers(conn, missing, surplus) if missing and surplus else []
    for one, other in pairs:
        missing.discard(one)
        surplus.discard(other)
    if not count.by_paper or not count.consolidated:
        missing, surplus = set(), set()
    mine = set(parcels)
    state: ParcelState = "not known"
    if mine & missing:
        state = "missing"
    elif mine & surplus:
        state = "surplus"
    elif mine & received:
        state = "received"
    details = tuple(sorted(uri for uri in count.by_paper if uri))
    found = Consignment(
        document=document,
        number=document_number(document),
        consolidated=len(count.consolidated),
        received=len(received),
        missing=len(missing),
        surplus=len(surplus),
        details=details,
        parcel=state,
    )
    return msgspec.structs.replace(found, finding=_finding(found))


async def _count(conn: Connection, document: str) -> _Count:
    """The count over all events of the consignment, which pass by in the order of time, one moment at once."""
    count = _Count(set(), {})
    roles = [int(Role.PARENT), int(Role.SUBJECT), int(Role.DOCUMENT), int(Role.SHARED)]
    text = sql(__package__, "consignment_events")
    moment: list[_Event] = []
    async for row in conn.cursor(text, thing_key(document), roles, list(_SPEAKERS), prefetch=PAGE):
        event = await _event(conn, row, document)
        if moment and event.time != moment[0].time:
            count.add(moment)
            moment = []
        moment.append(event)
    count.add(moment)
    return count


async def _event(conn: Connection, row: asyncpg.Record, document: str) -> _Event:
    body = read_body(row["body"])
    things = [
        uri
        for field in ("epcList", "childEPCs")
        for uri in await whole_list(conn, row["event_key"], body, field)
        if document_kind(uri) == "waybill"
    ]
    return _Event(
        time=row["event_time"],
        step=short_name(body.get("bizStep") or ""),
        action=body.get("action") or "",
        is_carrier=body.get("parentID") == document,
        documents=tuple(documents_of(body)),
        things=frozenset(things),
        changed=body.get("{urn:suyuan:ext}reportType") == "2",
    )


async def _second_numbers(conn: Connection, missing: set[str], surplus: set[str]) -> list[tuple[str, str]]:
    """Pairs of a missing and a surplus waybill that are one parcel, as one who moved it says."""
    few = min((missing, surplus), key=len)
    text, keys = sql(__package__, "parcel_aliases"), sorted(thing_key(uri) for uri in few)
    pairs = []
    async for row in conn.cursor(text, keys, list(_SPEAKERS), prefetch=PAGE):
        names = set(read_body(row["body"]).get("epcList") or ())
        one, other = names & missing, names & surplus
        if len(names) == 2 and len(one) == len(other) == 1:
            pairs.append((one.pop(), other.pop()))
    return pairs


_WHOSE: dict[ParcelState, tuple[str, str]] = {
    "missing": (", this one among them", "，本件在内"),
    "surplus": (", this one among them", "，本件在内"),
    "received": (" (not this one)", "（非本件）"),
    "not known": ("", ""),
}


def _finding(found: Consignment) -> Finding | None:
    if not found.missing and not found.surplus:
        return None
    whose_en, whose_zh = _WHOSE[found.parcel]
    code, count, word_en, word_zh = (
        ("consignment.short", found.missing, "short", "短少")
        if found.missing
        else ("consignment.surplus", found.surplus, "surplus", "溢装")
    )
    return Finding(
        code=code,
        reason_en=(
            f"{found.consolidated} parcels were consolidated under {found.number}, {found.received} arrived:"
            f" {count} {word_en}{whose_en}."
        ),
        reason_zh=(
            f"提运单 {found.number} 集货 {found.consolidated} 件，实到 {found.received} 件："
            f"{word_zh} {count} 件{whose_zh}。"
        ),
        quantity=str(count),
        references=(found.document, *found.details),
    )
