"""Quantity balance (数量勾稽): per lot, ledger item and facility, every difference explained or a finding.

Computed from events at read time, so late and corrected papers need no repair. Figures:

- *coded*: codes issued here for the lot, or serials commissioned under it where another system issued them;
- *entered*: what the entry lists of the ledger item state; of several papers on one list the surest counts
  (formal deduction INV211, then approval INV201, then the declaration INV101);
- *received*, *damaged*: what the tally states for the lot at the facility;
- *activated*: codes made active under (lot, ledger item, facility);
- *exited*, *returned*: what exit lists deduct and returns add back;
- *unexplained*: entered - received - damaged, where both sides are known.

A report is never refused because of a quantity. What does not add up is a finding; the allowance bounds only the
command to activate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import asyncpg
import msgspec

from suyuan.canon import normal_decimal
from suyuan.capture.index import Role, documents_of
from suyuan.capture.links import document_kind, link_kind
from suyuan.capture.payload import list_counts, read_body
from suyuan.compliance.model import Balance, Finding
from suyuan.db.pool import Connection, Pool, sql
from suyuan.gs1.thing import thing_key
from suyuan.issuing import code_statuses, find_batches
from suyuan.issuing.codes import activated_count
from suyuan.trace.state import short_name

EVENT_LIMIT = 20_000
_EXT = "{urn:suyuan:ext}"
_TALLY_STEPS = frozenset({"receiving", "storing", "unpacking", "accepting"})
_DAMAGE = frozenset({"damaged", "destroyed", "disposed"})
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
        return f"https://id.gs1.org/01/{self.gtin}/10/{self.lot}"

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
    for event in events:
        quantity = _lines(event.body, ledger_uri)
        sureness = _SURENESS.get(event.row["message"], 0)
        if quantity is None:
            continue
        for uri in documents_of(event.body):
            kind, _, direction = link_kind(uri).partition(":")
            if kind == "bonded-list" and direction in found:
                known = found[direction].get(uri)
                if known is None or (sureness, quantity) > known:
                    found[direction][uri] = (sureness, quantity)
    return {way: {uri: pair[1] for uri, pair in lists.items()} for way, lists in found.items()}


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
    received: Decimal | None = None
    damaged: Decimal = Decimal(0)
    returned: Decimal = Decimal(0)
    reported_active: Decimal = Decimal(0)
    coded: Decimal = Decimal(0)


def _add_up(events: Iterable[_Event], subject: Subject) -> _Sums:
    sums = _Sums()
    for event in events:
        step, disposition = event.words
        quantity = _class_quantity(event.body, subject.lot_uri)
        if step == "commissioning" and event.row["event_type"] == 1:
            # The larger of what was produced and what was given serials.
            serials = Decimal(list_counts(event.body).get("epcList", len(event.body.get("epcList") or ())))
            sums.coded = max(sums.coded, serials)
        if not _at(event, subject.facility) or not _of_ledger(event.body, subject):
            continue
        if disposition in _DAMAGE:
            sums.damaged += quantity
        elif disposition == "returned":
            sums.returned += quantity
        elif step in _TALLY_STEPS:
            sums.received = (sums.received or Decimal(0)) + quantity
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
    lists: dict[str, dict[str, Decimal]] = {"in": {}, "out": {}}
    if subject.ledger_item:
        ledger = await _events(db, [subject.ledger_uri], [Role.DOCUMENT, Role.SHARED])
        lists = _list_quantities(ledger, subject.ledger_uri)
        sums.damaged += await _damaged_serials(db, subject, ledger)
    entered = sum(lists["in"].values(), Decimal(0)) if lists["in"] else None
    exited = sum(lists["out"].values(), Decimal(0))
    packed = await _packed(db, subject, lists["out"])
    unexplained = Decimal(0)
    if entered is not None and sums.received is not None:
        unexplained = entered - sums.received - sums.damaged
    return Balance(
        lot=subject.lot,
        ledger_item=subject.ledger_item,
        facility=subject.facility,
        coded=_plain(coded),
        entered=_plain(entered),
        received=_plain(sums.received),
        damaged=_plain(sums.damaged),
        activated=_plain(activated),
        exited=_plain(exited),
        returned=_plain(sums.returned),
        unexplained=_plain(unexplained),
        findings=tuple(_findings(sums, coded, entered, activated, exited, packed, unexplained, lists)),
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


def _plain(value: Decimal | None) -> str:
    return "" if value is None else normal_decimal(value)


def _findings(
    sums: _Sums,
    coded: Decimal,
    entered: Decimal | None,
    activated: Decimal,
    exited: Decimal,
    packed: Decimal | None,
    unexplained: Decimal,
    lists: Mapping[str, Mapping[str, Decimal]],
) -> list[Finding]:
    found: list[Finding] = []

    def finding(code: str, quantity: Decimal, en: str, zh: str, references: Iterable[str] = ()) -> None:
        found.append(
            Finding(
                code=code,
                reason_en=en,
                reason_zh=zh,
                quantity=_plain(quantity),
                references=tuple(sorted(references)),
            )
        )

    active = max(activated, sums.reported_active)
    stock = sums.received if sums.received is not None else entered
    if unexplained:
        word_en = "fewer" if unexplained > 0 else "more"
        word_zh = "少" if unexplained > 0 else "多"
        finding(
            "balance.entry.difference",
            unexplained,
            f"{_plain(abs(unexplained))} {word_en} pieces were received than the entry lists state.",
            f"实收比核注清单申报{word_zh} {_plain(abs(unexplained))} 件，未作说明。",
            lists["in"],
        )
    if stock is not None and active > stock:
        finding(
            "balance.active.excess",
            active - stock,
            f"{_plain(active - stock)} more codes are reported active than pieces were received.",
            f"激活的追溯码比实收多 {_plain(active - stock)} 个。",
        )
    if stock is not None and exited > stock + sums.returned:
        finding(
            "balance.exit.excess",
            exited - stock - sums.returned,
            f"{_plain(exited - stock - sums.returned)} more pieces left than were received.",
            f"出区数量比实收多 {_plain(exited - stock - sums.returned)} 件。",
            lists["out"],
        )
    if packed is not None and coded and exited > packed:
        finding(
            "balance.outflow.uncoded",
            exited - packed,
            f"{_plain(exited - packed)} pieces left the ledger and no code was packed for them.",
            f"有 {_plain(exited - packed)} 件出区核扣而无追溯码装箱记录。",
            lists["out"],
        )
    return found


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
