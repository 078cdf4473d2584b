"""Performing an act and taking one back: checked and stored in one transaction, at most once.

The act's ID is its event's ID, so an act that is sent again, by a handheld that never got its answer, is found and
answered as it was. What is checked is locked: of two stations that pack one serial at the same moment the second is
refused. A refused act leaves nothing behind; the station keeps it until somebody puts it right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from suyuan.canon import canonical_json
from suyuan.capture.index import key_of
from suyuan.capture.intake import Capture
from suyuan.capture.prepare import Deliverer
from suyuan.compliance.stations.events import RULE, event_of
from suyuan.compliance.stations.model import Act, Finding, check_act, check_id, check_moment
from suyuan.compliance.stations.standing import findings_of, standings_of
from suyuan.compliance.stations.waybills import Parcel, find_parcel
from suyuan.db.pool import Connection, Pool, sql, transaction
from suyuan.epcis import event_from_body
from suyuan.epcis.model import ErrorDeclaration
from suyuan.epcis.reading import DerivedEvent, PersonalField, Reading
from suyuan.errors import NotFoundError
from suyuan.vault import Vault

KIND = "suyuan/station"
_MISTAKE = "https://ref.gs1.org/cbv/ER-did_not_occur"


class Undo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take the act ``act_id`` back, as of ``at``."""

    act_id: str
    at: datetime


class ActResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an act. ``refused``: nothing was stored, ``findings`` say why."""

    state: Literal["stored", "repeat", "refused"]
    act_id: str
    findings: tuple[Finding, ...] = ()


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """Where acts are performed: for which party, at which place, with which couriers' customs codes.

    ``by`` is the ID of the user, which stands in the evidence and nowhere else.
    """

    deliverer: Deliverer
    by: str = ""
    place: str = ""
    couriers: Sequence[str] = ()


def _event_key(act_id: str) -> bytes:
    return hashlib.sha256(f"urn:uuid:{act_id}".encode()).digest()[:16]


async def _lock(conn: Connection, keys: Sequence[bytes]) -> None:
    await conn.execute(
        sql(__package__, "lock"), [int.from_bytes(key[-8:], "big", signed=True) for key in keys]
    )


async def perform(pool: Pool, capture: Capture, vault: Vault, act: Act, station: Station) -> ActResult:
    """Check an act and store its event. Raises ``InputError`` (``station.*``) for one without a proper form."""
    now = datetime.now(UTC)
    check_act(act, now)
    party_id = station.deliverer.party_id

    async def work(conn: Connection) -> ActResult:
        named = [key_of(uri) for uri in (*(part.uri for part in act.parts), act.parent) if uri]
        await _lock(conn, [_event_key(act.act_id), *named])
        known = await conn.fetchrow(sql(__package__, "own_event"), _event_key(act.act_id), party_id)
        if known is not None:
            return ActResult(state="repeat", act_id=act.act_id)
        parcel = await _parcel(conn, vault, act, station, now)
        findings = await _findings(conn, act, parcel)
        if findings:
            return ActResult(state="refused", act_id=act.act_id, findings=tuple(findings))
        data = canonical_json({"act": msgspec.to_builtins(act), "by": station.by})
        courier = parcel.courier if parcel is not None else ""
        papers = parcel.papers if parcel is not None and act.kind == "pack" else ()
        event = event_of(act, station.place, courier, papers)
        reading = Reading(KIND, (event,), personal=_personal(data, act, courier))
        await capture.submit_events(conn, reading, data, station.deliverer, name=f"station-{act.kind}")
        return ActResult(state="stored", act_id=act.act_id)

    return await transaction(pool, work)


async def _parcel(conn: Connection, vault: Vault, act: Act, station: Station, now: datetime) -> Parcel | None:
    if not act.waybill:
        return None
    return await find_parcel(conn, vault, act.waybill, station.couriers, act.courier, now)


async def _findings(conn: Connection, act: Act, parcel: Parcel | None) -> list[Finding]:
    standings = await standings_of(conn, [part.uri for part in act.parts if not part.quantity])
    found = findings_of(act, standings.values(), parcel.pseudonym if parcel is not None else "")
    if act.kind == "pack" and parcel is not None:
        found += surplus(act, parcel, {finding.uri for finding in found})
    return found


def surplus(act: Act, parcel: Parcel, refused: set[str]) -> list[Finding]:
    """Items that the parcel's order does not have: of another GTIN, or more than were ordered."""
    if not parcel.expected:
        return []
    left = dict(parcel.expected)
    found = []
    for uri in (*parcel.packed, *(part.uri for part in act.parts)):
        if uri in refused:
            continue
        gtin = uri.partition("/01/")[2][:14]
        if gtin not in left:
            found.append(Finding(code="station.sku.wrong", uri=uri))
        elif left[gtin] <= 0:
            found.append(Finding(code="station.sku.enough", uri=uri))
        else:
            left[gtin] -= 1
    already = set(parcel.packed)
    return [finding for finding in found if finding.uri not in already]


def _personal(data: bytes, act: Act, courier: str) -> tuple[PersonalField, ...]:
    """Where the waybill's number stands in the act's bytes, so that it is sealed like any other."""
    if not act.waybill:
        return ()
    start = data.index(b'"waybill":"') + len(b'"waybill":"')
    subject = ("waybill", courier, act.waybill)
    return (PersonalField("$.act.waybill", start, start + len(act.waybill), "waybill_no", subject),)


async def withdraw(pool: Pool, capture: Capture, undo: Undo, station: Station) -> ActResult:
    """Declare an act of this party as not done: its event again, with an error declaration.

    Raises ``NotFoundError`` (``station.act.unknown``) and ``InputError`` (``station.act.*``).
    """
    check_id(undo.act_id)
    check_moment(undo.at, datetime.now(UTC))
    party_id = station.deliverer.party_id

    async def work(conn: Connection) -> ActResult:
        await _lock(conn, [_event_key(undo.act_id)])
        row = await conn.fetchrow(sql(__package__, "own_event"), _event_key(undo.act_id), party_id)
        if row is None:
            raise NotFoundError(
                "station.act.unknown",
                "No act of this party has that number.",
                path="act_id",
                remedy="An act that was refused needs no undoing.",
            )
        if row["withdrawn"]:
            return ActResult(state="repeat", act_id=undo.act_id)
        event = msgspec.structs.replace(
            event_from_body(msgspec.json.decode(row["body"])),
            event_id=f"urn:uuid:{undo.act_id}",
            error_declaration=ErrorDeclaration(declaration_time=undo.at.astimezone(UTC), reason=_MISTAKE),
        )
        data = canonical_json(
            {"undo": undo.act_id, "at": undo.at.astimezone(UTC).isoformat(), "by": station.by}
        )
        reading = Reading(KIND, (DerivedEvent(event, "$", RULE),))
        await capture.submit_events(conn, reading, data, station.deliverer, name="station-undo")
        return ActResult(state="stored", act_id=undo.act_id)

    return await transaction(pool, work)
