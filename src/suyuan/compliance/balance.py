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

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from suyuan.capture.index import Role, documents_of
from suyuan.capture.links import document_kind
from suyuan.capture.payload import list_counts
from suyuan.compliance.bonded_lists import ListQuantities, read_quantity
from suyuan.compliance.discrepancies import discrepancies, plain
from suyuan.compliance.model import Balance
from suyuan.compliance.standing import StandingEvent, one_view, standing_events, whole_list
from suyuan.db.pool import Connection, Pool
from suyuan.gs1.percent import encode_value
from suyuan.issuing import code_statuses, find_batches
from suyuan.issuing.codes import activated_count

# The kind of evidence that the command to activate leaves.
_COMMAND = "suyuan/activation"
# Serials that are looked up at a time.
_SERIALS = 5_000
_TALLY_STEPS = frozenset({"receiving", "storing", "unpacking", "accepting"})
_DAMAGE = frozenset({"damaged", "destroyed", "disposed"})


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


def _class_quantity(body: Mapping[str, Any], lot_uri: str) -> Decimal:
    return sum(
        (
            read_quantity(element.get("quantity")) or Decimal(0)
            for field in ("quantityList", "childQuantityList")
            for element in body.get(field) or ()
            if element.get("epcClass") == lot_uri
        ),
        Decimal(0),
    )


def _at(event: StandingEvent, facility: str) -> bool:
    places = (event.row["biz_location"], event.row["read_point"])
    return not facility or facility in places or places == (None, None)


class _Sums(msgspec.Struct):
    # by step and by disposition: each names the same pieces again
    tallied: dict[str, Decimal]
    spoiled: dict[str, Decimal]
    returned: Decimal = Decimal(0)
    reported_active: Decimal = Decimal(0)
    coded: Decimal = Decimal(0)


async def _add_up(conn: Connection, subject: Subject) -> _Sums:
    """What the events that name the lot say of its quantities."""
    sums = _Sums({}, {})
    async for event in standing_events(conn, [subject.lot_uri], [Role.CLASS, Role.LOT]):
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
    async with one_view(db) as conn:
        async for event in standing_events(conn, [subject.lot_uri], [Role.CLASS]):
            if event.words[0] not in _TALLY_STEPS:
                continue
            for uri in documents_of(event.body):
                if document_kind(uri) == "ledger-item":
                    place = event.row["biz_location"] or event.row["read_point"] or ""
                    found[uri.removeprefix("urn:suyuan:ledger-item:"), place] = None
    return sorted(found)


async def balance_of(db: Pool | Connection, subject: Subject) -> Balance:
    """The balance of one lot, ledger item and facility, with its findings; exact however many events there are."""
    async with one_view(db) as conn:
        return await _balance(conn, subject)


async def _balance(db: Connection, subject: Subject) -> Balance:
    sums = await _add_up(db, subject)
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
        ledger = await _read_ledger(db, subject)
        lists = ledger.lists.quantities()
        damaged += await _damaged_serials(db, subject, ledger.damaged)
        active += await _reported_serials(db, subject, ledger.active)
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


class _Ledger(msgspec.Struct):
    """What the events under a ledger item say; serials of the GTIN that they name, each once."""

    lists: ListQuantities
    damaged: set[str]
    active: set[str]


async def _read_ledger(conn: Connection, subject: Subject) -> _Ledger:
    found = _Ledger(ListQuantities(subject.ledger_uri), set(), set())
    stem = f"https://id.gs1.org/01/{subject.gtin}/21/"
    async for event in standing_events(conn, [subject.ledger_uri], [Role.DOCUMENT, Role.SHARED]):
        found.lists.add(event)
        disposition = event.words[1]
        if disposition in _DAMAGE:
            serials = found.damaged
        elif disposition == "active" and event.row["message"] != _COMMAND:
            serials = found.active
        else:
            continue
        if _at(event, subject.facility):
            named = await whole_list(conn, event.row["event_key"], event.body, "epcList")
            serials.update(uri.removeprefix(stem) for uri in named if uri.startswith(stem))
    return found


async def _statuses(
    conn: Connection, gtin: str, serials: Iterable[str]
) -> AsyncIterator[tuple[str, asyncpg.Record | None]]:
    """Each serial with its lot and acts, None where another system issued it."""
    ordered = sorted(serials)
    for start in range(0, len(ordered), _SERIALS):
        portion = ordered[start : start + _SERIALS]
        known = await code_statuses(conn, gtin, portion)
        for serial in portion:
            yield serial, known.get(serial)


async def _damaged_serials(conn: Connection, subject: Subject, serials: set[str]) -> Decimal:
    """How many of the damaged serials are of the lot."""
    # A serial that was issued here says its lot; another system's is taken at the event's word.
    count = 0
    async for _, code in _statuses(conn, subject.gtin, serials):
        count += code is None or code["lot"] == subject.lot
    return Decimal(count)


async def _reported_serials(conn: Connection, subject: Subject, serials: set[str]) -> Decimal:
    """How many of the serials that reports call active are of the lot, and no command made so."""
    count = 0
    async for _, code in _statuses(conn, subject.gtin, serials):
        count += code is None or (code["lot"] == subject.lot and "activated" not in code["acts"])
    return Decimal(count)


async def _packed(conn: Connection, subject: Subject, exit_lists: Mapping[str, Decimal]) -> Decimal | None:
    """How many serials of the GTIN lie in the parcels of these exit lists; None where no parcels are named.

    A packing names the list of its parcel, or its waybill alone, as stations do; other papers say whose that is.
    """
    lists: set[str] = set()
    async for event in standing_events(conn, exit_lists, [Role.DOCUMENT, Role.SHARED]):
        lists.update(uri for uri in documents_of(event.body) if document_kind(uri) == "parcel-list")
    if not lists:
        return None
    inside = _Inside(f"https://id.gs1.org/01/{subject.gtin}/21/")
    waybills: set[str] = set()
    async for event in standing_events(conn, lists, [Role.DOCUMENT]):
        documents = documents_of(event.body)
        if event.words[0] == "packing":
            await inside.add(conn, event)
        elif len({uri for uri in documents if document_kind(uri) == "parcel-list"}) == 1:
            waybills.update(uri for uri in documents if document_kind(uri) == "waybill")
    async for event in standing_events(conn, waybills, [Role.PARENT]):
        await inside.add(conn, event)
    return Decimal(inside.count())


class _Inside:
    """Which serials lie in a parcel: put in by their last act, and the parcel not emptied since."""

    def __init__(self, stem: str) -> None:
        self._stem = stem
        self._last: dict[str, tuple[datetime, bool, str]] = {}
        self._emptied: dict[str, datetime] = {}

    async def add(self, conn: Connection, event: StandingEvent) -> None:
        """Take in one act on a parcel, in whatever order."""
        named = await whole_list(conn, event.row["event_key"], event.body, "childEPCs")
        parent, at = str(event.body.get("parentID") or ""), event.row["event_time"]
        taken_out = event.body.get("action") == "DELETE"
        if taken_out and not named:
            self._emptied[parent] = max(self._emptied.get(parent, at), at)
        for uri in named:
            if uri.startswith(self._stem):
                said = (at, not taken_out, parent)
                self._last[uri] = max(self._last.get(uri, said), said)

    def count(self) -> int:
        """How many lie in a parcel."""
        return sum(
            put_in and (parent not in self._emptied or self._emptied[parent] < at)
            for at, put_in, parent in self._last.values()
        )


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
