"""Reading captures and whole events back, for whoever handed them in and for the operator."""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from suyuan.capture.payload import join_body
from suyuan.capture.store import MAX_TOLD
from suyuan.db.pool import Connection, Pool, sql
from suyuan.epcis import Event, event_from_body
from suyuan.errors import NotFoundError
from suyuan.parties import Principal

_CAPTURE = "suyuan.capture"
MAX_VERSIONS = 100


class CapturedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a paper: where it stands in it, the rule that derived it, new or known before."""

    event_id: str
    outcome: str
    path: str
    rule: str


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something in a paper that was odd and did not refuse it."""

    code: str
    path: str
    reason: str


class CaptureRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A paper as it was taken in. ``events`` are at most ``MAX_TOLD`` of its ``event_count``."""

    capture_id: str
    party_id: str
    kind: str
    name: str
    size: int
    received_at: datetime
    events: tuple[CapturedEvent, ...]
    event_count: int
    warnings: tuple[Notice, ...]
    repeated: bool = False


async def get_capture(
    db: Pool | Connection, capture_id: str, principal: Principal, after: int = 0
) -> CaptureRecord:
    """A capture of the caller; of any party for the operator; its events from the ``after``-th on.

    Raises ``NotFoundError`` (``capture.unknown``)."""
    row = await db.fetchrow(sql(_CAPTURE, "get_capture"), capture_id)
    if row is None or not (principal.is_operator or row["party_id"] == principal.party_id):
        raise NotFoundError("capture.unknown", "There is no such capture of this party.", path="capture_id")
    events = await db.fetch(sql(_CAPTURE, "capture_events"), row["evidence_id"], after, MAX_TOLD)
    return CaptureRecord(
        capture_id=row["capture_id"],
        party_id=row["party_id"],
        kind=row["kind"],
        name=row["name"],
        size=row["size"],
        received_at=row["received_at"],
        events=tuple(
            CapturedEvent(event_id=e["event_id"], outcome=e["outcome"], path=e["path"], rule=e["rule"])
            for e in events
        ),
        event_count=row["events"],
        warnings=tuple(msgspec.json.decode(row["warnings"], type=list[Notice])),
    )


async def get_events(db: Pool | Connection, event_id: str, principal: Principal) -> list[Event]:
    """The event under an ID with its error declarations, as the caller captured it; all parties' for the operator.

    Whole events, with their ID and record time, in the order of capture. Raises ``NotFoundError``
    (``epcis.event.unknown``, ``epcis.event.erased``).
    """
    rows = await db.fetch(sql(_CAPTURE, "find_event"), event_id_key(event_id))
    mine = [
        row
        for row in rows
        if row["event_id"] == event_id and (principal.is_operator or row["party_id"] == principal.party_id)
    ][:MAX_VERSIONS]
    if not mine:
        raise NotFoundError(
            "epcis.event.unknown", "There is no such event that this caller may see.", path="eventID"
        )
    kept = [row for row in mine if row["body"] is not None]
    if not kept:
        raise NotFoundError("epcis.event.erased", "The content of this event was erased.", path="eventID")
    chunks: dict[int, list[tuple[str, int, bytes]]] = {}
    for part in await db.fetch(sql(_CAPTURE, "event_lists"), [row["event_key"] for row in kept]):
        chunks.setdefault(part["event_key"], []).append((part["field"], part["chunk"], part["elements"]))
    return [
        msgspec.structs.replace(
            event_from_body(join_body(row["body"], chunks.get(row["event_key"], ()))),
            event_id=event_id,
            record_time=row["record_time"],
        )
        for row in kept
    ]


def event_id_key(event_id: str) -> bytes:
    """The key under which events of an ID are stored."""
    return hashlib.sha256(event_id.encode("utf-8", "surrogatepass")).digest()[:16]
