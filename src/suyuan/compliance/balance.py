"""Quantity balance (数量勾稽): per lot, ledger item and facility, every difference explained or a finding.

Computed from events at read time, so late and corrected papers need no repair. Figures:

- *coded*: codes issued here for the lot, or serials commissioned under it where another system issued them;
- *entered*: what the entry lists of the ledger item state; of several papers on one list the surest counts
  (formal deduction INV211, then approval INV201, then the declaration INV101), of a list that was last rejected
  or deleted none;
- *received*, *damaged*: what the tally states for the lot at the facility; pieces that are unpacked, received and
  stored are the same pieces, and so are those that were damaged first and destroyed later;
- *activated*: codes made active under (lot, ledger item, facility);
- *exited*, *returned*: what exit lists deduct and returns add back;
- *unexplained*: entered - received, as far as damage does not explain it, where both sides are known.

A report is never refused because of a quantity. What does not add up is a finding; the allowance bounds only the
command to activate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import asyncpg
import msgspec

from suyuan.capture.index import Role, documents_of
from suyuan.capture.links import document_kind, link_kind
from suyuan.capture.payload import list_counts, read_body
from suyuan.compliance.discrepancies import discrepancies, plain
from suyuan.compliance.model import Balance
from suyuan.db.pool import Connection, Pool, sql
from suyuan.gs1.percent import encode_value
from suyuan.gs1.thing import thing_key
from suyuan.issuing import code_statuses, find_batches
from suyuan.issuing.codes import activated_count
from suyuan.trace.state import short_name

EVENT_LIMIT = 20_000
# The kind of evidence that the command to activate leaves.
_COMMAND = "suyuan/activation"
_EXT = "{urn:suyuan:ext}"
_TALLY_STEPS = frozenset({"receiving", "storing", "unpacking", "accepting"})
_DAMAGE = frozenset({"damaged", "destroyed", "disposed"})
_ENDED = frozenset({"rejected", "deleted"})
# How sure a paper's word on a list's quantity is.
_SURENESS = {"SAS/INV211": 3, "SAS/INV201": 2, "SAS/INV101": 1}


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is balanced: a lot, and optionally the ledger item (``ledger:item``) and the facility's URI."""

    gtin: str
    lot: str
    ledger_item: str = ""
    facility: str = ""

    @property
    def lot_uri(self) -> str:
        """The lot as a class URI."""
        return f"https://id.gs1.org/01/{self.gtin}/10/{encode_value(self.lot)}"

    @property
    def ledger_uri(self) -> str:
        """The ledger item as a document URI."""
        return f"urn:suyuan:ledger-item:{self.ledger_item}"


class _Event(msgspec.Struct, frozen=True):
    row: asyncpg.Record
    body: dict[str, Any]

    @property
    def words(self) -> tuple[str, str]:
        return short_name(self.row["biz_step"] or ""), short_name(self.row["disposition"] or "")


async def _events(db: Pool | Connection, uris: Iterable[str], roles: Iterable[int]) -> list[_Event]:
    keys = sorted({thing_key(uri) for uri in uris})
    if not keys:
        return []
    rows = await db.fetch(sql(__package__, "events_of"), keys, [int(role) for role in roles], EVENT_LIMIT)
    return [_Event(row, read_body(row["body"])) for row in rows]


def _number(value: Any) -> Decimal | None:
    text = value.get("#number") if isinstance(value, dict) else value
    try:
        return Decimal(text) if isinstance(text, str) and text else None
    except InvalidOperation:
        return None


def _lines(body: Mapping[str, Any], ledger_uri: str) -> Decimal | None:
    """What the lines of a bonded list say of one ledger item, or None where they say nothing of it."""
    lines = body.get(f"{_EXT}line")
    total: Decimal | None = None
    for line in lines if isinstance(lines, list) else [lines]:
        if isinstance(line, dict) and line.get(f"{_EXT}ledgerItem") == ledger_uri:
            quantity = _number(line.get(f"{_EXT}quantity"))
            if quantity is not None:
                total = quantity if total is None else total + quantity
    return total


def _list_quantities(events: Iterable[_Event], ledger_uri: str) -> dict[str, dict[str, Decimal]]:
    """Quantity of the ledger item per bonded list, entry and exit apart, each by its surest paper."""
    found: dict[str, dict[str, tuple[int, Decimal]]] = {"in": {}, "out": {}}
    last: dict[str, tuple[datetime, bool]] = {}
    for event in events:
        quantity = _lines(event.body, ledger_uri)
        sureness = _SURENESS.get(event.row["message"], 0)
        for uri in documents_of(event.body):
            kind, _, direction = link_kind(uri).partition(":")
            if kind != "bonded-list" or direction not in found:
                continue
            said = event.row["event_time"], event.words[1] in _ENDED
            last[uri] = max(last.get(uri, said), said)
            known = found[direction].get(uri)
            if quantity is not None and (known is None or (sureness, quantity) > known):
                found[direction][uri] = (sureness, quantity)
    return {
        way: {uri: pair[1] for uri, pair in lists.items() if not last[uri][1]} for way, lists in found.items()
    }


def _class_quantity(body: Mapping[str, Any], lot_uri: str) -> Decimal:
    return sum(
        (
            _number(element.get("quantity")) or Decimal(0)
            for field in ("quantityList", "childQuantityList")
            for element in body.get(field) or ()
            if element.get("epcClass") == lot_uri
        ),
        Decimal(0),
    )


def _at(event: _Event, facility: str) -> bool:
    places = (event.row["biz_location"], event.row["read_point"])
    return not facility or facility in places or places == (None, None)


class _Sums(msgspec.Struct):
    # by step and by disposition: each names the same pieces again
    tallied: dict[str, Decimal]
    spoiled: dict[str, Decimal]
    returned: Decimal = Decimal(0)
    reported_active: Decimal = Decimal(0)
    coded: Decimal = Decimal(0)


def _add_up(events: Iterable[_Event], subject: Subject) -> _Sums:
    sums = _Sums({}, {})
    for event in events:
        step, disposition = event.words
        quantity = _class_quantity(event.body, subject.lot_uri)
        if step == "commissioning" and event.row["event_type"] == 1:
            sums.coded += list_counts(event.body).get("epcList", len(event.body.get("epcList") or ()))
        if not _at(event, subject.facility) or not _of_ledger(event.body, subject):
            continue
        if disposition in _DAMAGE:
            sums.spoiled[disposition] = sums.spoiled.get(disposition, Decimal(0)) + quantity
        elif disposition == "returned":
            sums.returned += quantity
        elif step in _TALLY_STEPS:
            sums.tallied[step] = sums.tallied.get(step, Decimal(0)) + quantity
        elif disposition == "active":
            sums.reported_active = max(sums.reported_active, quantity)
    return sums


def _of_ledger(body: Mapping[str, Any], subject: Subject) -> bool:
    """Whether an event on the lot belongs to the ledger item: it names it, or names none."""
    named = {uri for uri in documents_of(body) if document_kind(uri) == "ledger-item"}
    return not subject.ledger_item or not named or subject.ledger_uri in named


async def find_ledger_items(db: Pool | Connection, gtin: str, lot: str) -> list[tuple[str, str]]:
    """Ledger items and facilities under which a lot was tallied, as (``ledger:item``, facility URI)."""
    subject = Subject(gtin=gtin, lot=lot)
    found: dict[tuple[str, str], None] = {}
    for event in await _events(db, [subject.lot_uri], [Role.CLASS]):
        if event.words[0] not in _TALLY_STEPS:
            continue
        for uri in documents_of(event.body):
            if document_kind(uri) == "ledger-item":
                place = event.row["biz_location"] or event.row["read_point"] or ""
                found[uri.removeprefix("urn:suyuan:ledger-item:"), place] = None
    return sorted(found)


async def balance_of(db: Pool | Connection, subject: Subject) -> Balance:
    """The balance of one lot, ledger item and facility, with its findings."""
    lot_events = await _events(db, [subject.lot_uri], [Role.CLASS, Role.LOT])
    sums = _add_up(lot_events, subject)
    batches = await find_batches(db, subject.gtin, subject.lot)
    coded = Decimal(sum(batch.count for batch in batches)) or sums.coded
    activated = Decimal(
        await activated_count(db, subject.gtin, subject.lot, subject.ledger_item, subject.facility)
    )
    active = activated
    received = max(sums.tallied.values(), default=None)
    damaged = max(sums.spoiled.values(), default=Decimal(0))
    lists: dict[str, dict[str, Decimal]] = {"in": {}, "out": {}}
    if subject.ledger_item:
        ledger = await _events(db, [subject.ledger_uri], [Role.DOCUMENT, Role.SHARED])
        lists = _list_quantities(ledger, subject.ledger_uri)
        damaged += await _damaged_serials(db, subject, ledger)
        active += await _reported_serials(db, subject, ledger)
    active = max(active, sums.reported_active)
    entered = sum(lists["in"].values(), Decimal(0)) if lists["in"] else None
    exited = sum(lists["out"].values(), Decimal(0))
    packed = await _packed(db, subject, lists["out"])
    unexplained = Decimal(0)
    if entered is not None and received is not None:
        short = entered - received
        # Pieces that were damaged after the tally were received all the same.
        unexplained = short if short < 0 else max(Decimal(0), short - damaged)
    return Balance(
        lot=subject.lot,
        ledger_item=subject.ledger_item,
        facility=subject.facility,
        coded=plain(coded),
        entered=plain(entered),
        received=plain(received),
        damaged=plain(damaged),
        activated=plain(activated),
        exited=plain(exited),
        returned=plain(sums.returned),
        unexplained=plain(unexplained),
        findings=tuple(
            discrepancies(
                stock=received if received is not None else entered,
                returned=sums.returned,
                active=active,
                coded=coded,
                exited=exited,
                packed=packed,
                unexplained=unexplained,
                lists=lists,
            )
        ),
    )


async def _damaged_serials(db: Pool | Connection, subject: Subject, events: Iterable[_Event]) -> Decimal:
    """Serials of the lot that events under the ledger item name as damaged, each once."""
    stem = f"https://id.gs1.org/01/{subject.gtin}/21/"
    serials = {
        uri.removeprefix(stem)
        for event in events
        if event.words[1] in _DAMAGE and _at(event, subject.facility)
        for uri in event.body.get("epcList") or ()
        if uri.startswith(stem)
    }
    # A serial that was issued here says its lot; another system's is taken at the event's word.
    known = await code_statuses(db, subject.gtin, sorted(serials))
    return Decimal(sum(serial not in known or known[serial]["lot"] == subject.lot for serial in serials))


async def _reported_serials(db: Pool | Connection, subject: Subject, events: Iterable[_Event]) -> Decimal:
    """Serials of the lot that reports under the ledger item call active and no command made so."""
    stem = f"https://id.gs1.org/01/{subject.gtin}/21/"
    reports = [
        event
        for event in events
        if event.words[1] == "active" and event.row["message"] != _COMMAND and _at(event, subject.facility)
    ]
    named = {uri for event in reports for uri in event.body.get("epcList") or ()}
    apart = [event.row["event_key"] for event in reports if "epcList" in list_counts(event.body)]
    for row in await db.fetch(sql("suyuan.capture", "event_lists"), apart):
        named.update(msgspec.json.decode(row["elements"]) if row["field"] == "epcList" else ())
    serials = sorted(uri.removeprefix(stem) for uri in named if uri.startswith(stem))
    known = await code_statuses(db, subject.gtin, serials) if serials else {}
    return Decimal(
        sum(
            serial not in known
            or (known[serial]["lot"] == subject.lot and "activated" not in known[serial]["acts"])
            for serial in serials
        )
    )


async def _packed(
    db: Pool | Connection, subject: Subject, exit_lists: Mapping[str, Decimal]
) -> Decimal | None:
    """How many serials of the GTIN were packed into the parcels of these exit lists; None where none are named."""
    if not exit_lists:
        return None
    papers = await _events(db, exit_lists, [Role.DOCUMENT, Role.SHARED])
    parcels = {
        uri for event in papers for uri in documents_of(event.body) if document_kind(uri) == "parcel-list"
    }
    packings = await _events(db, parcels, [Role.DOCUMENT])
    gtin = f"https://id.gs1.org/01/{subject.gtin}/21/"
    serials = {
        uri
        for event in packings
        if event.words[0] == "packing"
        for uri in event.body.get("childEPCs") or ()
        if uri.startswith(gtin)
    }
    return Decimal(len(serials)) if parcels else None


def allowance_of(balance: Balance) -> int:
    """How many more codes may be activated: what was received undamaged, less what is active.

    Never more than what entered the ledger less the damage; zero where nothing is known to have been received.
    """
    if not balance.received:
        return 0
    allowed = Decimal(balance.received)
    if balance.entered:
        allowed = min(allowed, Decimal(balance.entered) - Decimal(balance.damaged))
    return int(allowed - Decimal(balance.activated or "0"))
