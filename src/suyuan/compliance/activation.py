"""Activating codes: the one command that a quantity can refuse.

In one transaction: lock (lot, ledger item, facility), compute the allowance from what was received, let
``issuing`` record the act, and state it as an event in the log. Either all of it stands afterwards or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from suyuan.canon import canonical_json
from suyuan.capture.intake import Capture
from suyuan.capture.prepare import Deliverer
from suyuan.compliance.balance import Subject, allowance_of, balance_of
from suyuan.db.pool import Connection, Pool, transaction
from suyuan.epcis.model import BizTransaction, Event, Place
from suyuan.epcis.reading import DerivedEvent, Reading
from suyuan.errors import InputError
from suyuan.issuing import activate, lock_activation

CBV_ACTIVE = "https://ref.gs1.org/cbv/Disp-active"
ACTIVATING = "urn:suyuan:bizstep:activating"
_ZONE = "+08:00"


class ActivationCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to activate: serials (bare) of one GTIN and lot, under a ledger item, at a facility.

    ``event_time`` is when the goods were found good and the codes made active (ISO 8601 with offset); now
    where it is left out.
    """

    gtin: str
    lot: str
    serials: tuple[str, ...]
    ledger_item: str = ""
    facility: str = ""
    event_time: datetime | None = None


class ActivationResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the command did, and what is left of the allowance after it."""

    activated: int
    repeated: int
    remaining: int
    event_id: str | None
    capture_id: str | None


async def activate_codes(
    pool: Pool, capture: Capture, command: ActivationCommand, deliverer: Deliverer
) -> ActivationResult:
    """Run the command. Raises ``RefusedError`` (``issuing.allowance.exceeded``, ``issuing.code.*``) or
    ``InputError`` (``issuing.*``); nothing is changed then.
    """
    subject = Subject(
        gtin=command.gtin, lot=command.lot, ledger_item=command.ledger_item, facility=command.facility
    )
    if command.event_time is not None and command.event_time.tzinfo is None:
        raise InputError(
            "issuing.event_time.naive",
            "The time of activation has no offset.",
            path="event_time",
            remedy="Write it like 2025-09-28T10:00:00+08:00.",
        )

    async def work(conn: Connection) -> ActivationResult:
        await lock_activation(conn, subject.gtin, subject.lot, subject.ledger_item, subject.facility)
        # Other words for ledger item and place must not open a second allowance for the same pieces.
        lot = Subject(gtin=subject.gtin, lot=subject.lot)
        allowance = min([allowance_of(await balance_of(conn, one)) for one in dict.fromkeys([subject, lot])])
        done = await activate(
            conn,
            gtin=subject.gtin,
            lot=subject.lot,
            ledger_item=subject.ledger_item,
            facility=subject.facility,
            serials=command.serials,
            party_id=deliverer.party_id,
            allowance=allowance,
        )
        remaining = allowance - done.count
        if not done.count:
            return ActivationResult(
                activated=0, repeated=done.repeated, remaining=remaining, event_id=None, capture_id=None
            )
        reading = Reading("suyuan/activation", (_statement(command),))
        stored = await capture.submit_events(
            conn,
            reading,
            canonical_json({"act": done.act_id, "command": "activate"}),
            deliverer,
            name="activation",
        )
        return ActivationResult(
            activated=done.count,
            repeated=done.repeated,
            remaining=remaining,
            event_id=stored.events[0].event_id,
            capture_id=stored.capture_id,
        )

    return await transaction(pool, work)


def _statement(command: ActivationCommand) -> DerivedEvent:
    """The activation as an event: which codes, where, under which ledger item."""
    stem = f"https://id.gs1.org/01/{command.gtin}"
    place = Place(command.facility) if command.facility else None
    papers: Sequence[BizTransaction] = (
        [BizTransaction(f"urn:suyuan:ledger-item:{command.ledger_item}", "urn:suyuan:btt:ledger-item")]
        if command.ledger_item
        else []
    )
    event = Event(
        type="ObjectEvent",
        event_time=(command.event_time or datetime.now(UTC)).astimezone(UTC),
        event_time_zone_offset=_offset(command.event_time),
        action="OBSERVE",
        epc_list=tuple(f"{stem}/21/{serial}" for serial in dict.fromkeys(command.serials)),
        biz_step=ACTIVATING,
        disposition=CBV_ACTIVE,
        read_point=place,
        biz_location=place,
        biz_transaction_list=tuple(papers),
    )
    return DerivedEvent(event, "$", "activation/1")


def _offset(moment: datetime | None) -> str:
    if moment is None:
        return _ZONE
    text = moment.strftime("%z")
    return f"{text[:3]}:{text[3:5]}"
