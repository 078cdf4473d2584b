"""Short and surplus parcels (短少、溢装) of a consignment that many people share: what left against what arrived.

Computed from events at read time. *Consolidated* are the parcels that were put under an air waybill before it
arrived, less those taken out again; *received* those that the inbound details of the supervised site list under
it. A later report on a detail stands in the place of the earlier one, a deletion takes it back. Where no detail
has come, nothing is short yet. A parcel that is received under its second waybill number is received.

The difference is a finding of the consignment, not of every parcel in it: asked for one item, the finding says
whether its parcel is among the missing. No other parcel is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from suyuan.capture.index import Role, documents_of
from suyuan.capture.links import document_kind, document_number
from suyuan.capture.payload import list_counts, read_body
from suyuan.compliance.model import Finding
from suyuan.db.pool import Connection, Pool, sql
from suyuan.gs1.thing import thing_key
from suyuan.trace.model import Trace
from suyuan.trace.state import short_name

EVENT_LIMIT = 1000
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
    finding: Finding | None


class _Event(msgspec.Struct, frozen=True):
    time: datetime
    step: str
    action: str
    documents: tuple[str, ...]
    things: frozenset[str]
    changed: bool


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


async def consignment_of(db: Pool | Connection, document: str, parcels: Sequence[str] = ()) -> Consignment:
    """The consignment under an air waybill (its URI), seen from one parcel by its waybill URIs (pseudonyms)."""
    consolidated, received, details = _count(await _events(db, document), document)
    missing, surplus = consolidated - received, received - consolidated
    if missing and surplus:
        for one, other in await _second_numbers(db, missing, surplus):
            missing.discard(one)
            surplus.discard(other)
    mine = set(parcels)
    state: ParcelState = "not known"
    if mine & received:
        state = "surplus" if mine & surplus and not mine & consolidated else "received"
    elif mine & missing and details:
        state = "missing"
    return Consignment(
        document=document,
        number=document_number(document),
        consolidated=len(consolidated),
        received=len(received),
        missing=len(missing) if details else 0,
        surplus=len(surplus) if details and consolidated else 0,
        details=details,
        parcel=state,
        finding=_finding(document, consolidated, received, missing, surplus, details, state),
    )


def _count(events: Iterable[_Event], document: str) -> tuple[set[str], set[str], tuple[str, ...]]:
    """Parcels consolidated, parcels received, and the inbound details that say so."""
    ordered = sorted(events, key=lambda event: (event.time, event.step, sorted(event.things)))
    arrival = min((e.time for e in ordered if e.step in ("arriving", "receiving")), default=None)
    consolidated: set[str] = set()
    by_detail: dict[str, set[str]] = {}
    for event in ordered:
        detail = next((uri for uri in event.documents if document_kind(uri) in _INBOUND), "")
        if detail:
            if event.action == "DELETE":
                by_detail.pop(detail, None)
            elif event.step in _RECEIVING:
                known = set() if event.changed else by_detail.get(detail, set())
                by_detail[detail] = known | event.things
        elif event.step in _RECEIVING:
            if event.things and document in event.documents:
                by_detail.setdefault("", set()).update(event.things)
        elif event.action == "DELETE":
            if arrival is None or event.time < arrival:
                consolidated -= event.things
        elif document not in event.documents:
            consolidated |= event.things
    received = {parcel for parcels in by_detail.values() for parcel in parcels}
    return consolidated, received, tuple(sorted(by_detail))


async def _events(db: Pool | Connection, document: str) -> list[_Event]:
    roles = [int(Role.PARENT), int(Role.SUBJECT), int(Role.DOCUMENT), int(Role.SHARED)]
    rows = await db.fetch(sql(__package__, "consignment_events"), thing_key(document), roles, EVENT_LIMIT)
    bodies = {row["event_key"]: read_body(row["body"]) for row in rows if row["role"] in _SPEAKERS}
    apart = [key for key, body in bodies.items() if list_counts(body)]
    lists: dict[int, dict[str, list[str]]] = {}
    for chunk in await db.fetch(sql("suyuan.capture", "event_lists"), apart) if apart else ():
        elements = lists.setdefault(chunk["event_key"], {}).setdefault(chunk["field"], [])
        elements.extend(msgspec.json.decode(chunk["elements"]))
    return [_event(body, lists.get(key, {})) for key, body in bodies.items()]


def _event(body: dict[str, Any], lists: dict[str, list[str]]) -> _Event:
    things = [
        uri
        for field in ("epcList", "childEPCs")
        for uri in (*(body.get(field) or ()), *lists.get(field, ()))
        if document_kind(uri) == "waybill"
    ]
    return _Event(
        time=datetime.fromisoformat(body["eventTime"]),
        step=short_name(body.get("bizStep") or ""),
        action=body.get("action") or "",
        documents=tuple(documents_of(body)),
        things=frozenset(things),
        changed=body.get("{urn:suyuan:ext}reportType") == "2",
    )


async def _second_numbers(
    db: Pool | Connection, missing: set[str], surplus: set[str]
) -> list[tuple[str, str]]:
    """Pairs of a missing and a surplus waybill that are one parcel, as one who moved it says."""
    few = sorted(min(missing, surplus, key=len))
    rows = await db.fetch(sql(__package__, "parcel_aliases"), [thing_key(uri) for uri in few], EVENT_LIMIT)
    pairs = []
    for row in rows:
        names = set(read_body(row["body"]).get("epcList") or ())
        one, other = names & missing, names & surplus
        if row["role"] in _SPEAKERS and len(names) == 2 and len(one) == len(other) == 1:
            pairs.append((one.pop(), other.pop()))
    return pairs


def _finding(
    document: str,
    consolidated: set[str],
    received: set[str],
    missing: set[str],
    surplus: set[str],
    details: tuple[str, ...],
    state: ParcelState,
) -> Finding | None:
    if not details or not consolidated or not (missing or surplus):
        return None
    whose_en, whose_zh = {
        "missing": (", this one among them", "，本件在内"),
        "received": (", not this one", "，非本件"),
        "surplus": (", this one among them", "，本件在内"),
        "not known": ("", ""),
    }[state]
    number = document_number(document)
    counted_en = f"{len(consolidated)} parcels were consolidated under {number}, {len(received)} arrived"
    counted_zh = f"提运单 {number} 集货 {len(consolidated)} 件，实到 {len(received)} 件"
    code, count, word_en, word_zh = (
        ("consignment.short", len(missing), "short", "短少")
        if missing
        else ("consignment.surplus", len(surplus), "surplus", "溢装")
    )
    return Finding(
        code=code,
        reason_en=f"{counted_en}: {count} {word_en}{whose_en}.",
        reason_zh=f"{counted_zh}：{word_zh} {count} 件{whose_zh}。",
        quantity=str(count),
        references=(document, *(detail for detail in details if detail)),
    )
