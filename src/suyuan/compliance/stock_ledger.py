"""What customs papers say of one ledger item: entered, taken by parcels, exited, gone through the gate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from suyuan.capture.index import Role, documents_of
from suyuan.capture.links import document_kind, link_kind
from suyuan.compliance.bonded_lists import ListQuantities, read_quantity
from suyuan.compliance.standing import StandingEvent, standing_events
from suyuan.compliance.stock_figures import ZERO
from suyuan.db.pool import Connection
from suyuan.gs1.percent import decode_value
from suyuan.gs1.thing import thing_key

PREFIX = "urn:suyuan:ledger-item:"
_EXT = "{urn:suyuan:ext}"
_ENDED = frozenset({"rejected", "deleted", "void", "withdrawn", "cancelled"})
_PASSED = frozenset({"passed_gate", "in_transit"})


class ExitList(msgspec.Struct):
    """An exit list: what it deducts, its parcels, and whether it went through the gate, as far as a pass says so."""

    uri: str
    quantity: Decimal
    parcels: set[str] = msgspec.field(default_factory=set)
    gate: Decimal | None = None
    passed: bool = False


class LedgerPapers(msgspec.Struct):
    """The papers of one ledger item. ``declared`` is by parcel list, ``waybills`` are the parcels' keys by list."""

    ledger_item: str
    entries: dict[str, Decimal]
    exits: dict[str, ExitList]
    declared: dict[str, Decimal]
    waybills: dict[str, set[bytes]]
    lots: set[tuple[str, str]]

    def packed(self, parcels: Mapping[bytes, int], lists: Iterable[str]) -> int:
        """How many items lie in the parcels of these parcel lists."""
        keys = {key for uri in lists for key in self.waybills.get(uri, ())}
        return sum(parcels.get(key, 0) for key in keys)


class _Declared(msgspec.Struct):
    said: tuple[datetime, Decimal] | None = None
    last: tuple[datetime, bool] | None = None


async def read_papers(conn: Connection, ledger_item: str) -> LedgerPapers:
    """All that the papers of a ledger item say, in whatever order they came."""
    uri = PREFIX + ledger_item
    lists, parcels = ListQuantities(uri), dict[str, _Declared]()
    items: dict[str, set[str]] = {}
    waybills: dict[str, set[bytes]] = {}
    lots: set[tuple[str, str]] = set()
    async for event in standing_events(conn, [uri], [Role.DOCUMENT, Role.SHARED]):
        lists.add(event)
        lots.update(_lots(event.body))
        documents = documents_of(event.body)
        if any(document_kind(one) == "bonded-list" for one in documents):
            numbers = {_word(line, "itemNo") for line in _lines(event.body, uri)} - {""}
            for one in documents:
                items.setdefault(one, set()).update(numbers)
        else:
            _declare(parcels, event, uri)
    quantities = lists.quantities()
    exits = {one: ExitList(one, quantity) for one, quantity in quantities["out"].items()}
    await _read_exits(conn, exits, items)
    named = set(parcels) | {one for found in exits.values() for one in found.parcels}
    passes = await _read_parcels(conn, named, parcels, waybills)
    declared = {
        one: paper.said[1]
        for one, paper in parcels.items()
        if paper.said is not None and not (paper.last is not None and paper.last[1])
    }
    await _read_passes(conn, exits, passes, declared)
    return LedgerPapers(ledger_item, quantities["in"], exits, declared, waybills, lots)


def _lines(body: Mapping[str, Any], ledger_uri: str = "") -> list[Mapping[str, Any]]:
    lines = body.get(f"{_EXT}line")
    return [
        line
        for line in (lines if isinstance(lines, list) else [lines])
        if isinstance(line, dict) and (not ledger_uri or line.get(f"{_EXT}ledgerItem") == ledger_uri)
    ]


def _word(line: Mapping[str, Any], name: str) -> str:
    value = line.get(_EXT + name)
    return value if isinstance(value, str) else ""


def _total(lines: list[Mapping[str, Any]]) -> Decimal | None:
    quantities = [read_quantity(line.get(f"{_EXT}quantity")) for line in lines]
    known = [quantity for quantity in quantities if quantity is not None]
    return sum(known, ZERO) if known else None


def _lots(body: Mapping[str, Any]) -> set[tuple[str, str]]:
    stem = "https://id.gs1.org/01/"
    return {
        (uri[len(stem) : len(stem) + 14], decode_value(uri[len(stem) + 18 :]))
        for element in body.get("quantityList") or ()
        if (uri := str(element.get("epcClass", ""))).startswith(stem)
        and uri[len(stem) + 14 : len(stem) + 18] == "/10/"
    }


def _declare(parcels: dict[str, _Declared], event: StandingEvent, ledger_uri: str) -> None:
    quantity = _total(_lines(event.body, ledger_uri))
    for uri in documents_of(event.body):
        if document_kind(uri) == "parcel-list" and quantity is not None:
            paper = parcels.setdefault(uri, _Declared())
            said = (event.row["event_time"], quantity)
            paper.said = max(paper.said or said, said)


async def _read_exits(conn: Connection, exits: dict[str, ExitList], items: dict[str, set[str]]) -> None:
    """Parcels and gate passes of the exit lists. A pass with lines counts where it is of one list alone."""
    gone: dict[str, tuple[datetime, bool]] = {}
    passes: dict[str, set[str]] = {}
    async for event in standing_events(conn, exits, [Role.DOCUMENT, Role.SHARED]):
        documents = documents_of(event.body)
        named = [uri for uri in documents if uri in exits]
        gates = [uri for uri in documents if link_kind(uri) == "gate-pass:out"]
        parcels = {uri for uri in documents if document_kind(uri) == "parcel-list"}
        for uri in named:
            exits[uri].parcels |= parcels
        for gate in gates:
            passes.setdefault(gate, set()).update(named)
            _note(gone, gate, event)
            if len({uri for uri in documents if link_kind(uri) == "bonded-list:out"}) == 1 and named:
                _add_gate(exits[named[0]], event, items.get(named[0], set()))
    for gate, (_, passed) in gone.items():
        for uri in passes.get(gate, ()):
            exits[uri].passed = exits[uri].passed or passed


def _note(gone: dict[str, tuple[datetime, bool]], gate: str, event: StandingEvent) -> None:
    """What an event says of the way of a gate pass: gone through, ended, or nothing."""
    said = (event.row["event_time"], event.words[1] in _PASSED or event.words[0] == "departing")
    if said[1] or event.words[1] in _ENDED:
        gone[gate] = max(gone.get(gate, said), said)


async def _read_passes(
    conn: Connection,
    exits: dict[str, ExitList],
    passes: dict[str, set[str]],
    declared: Mapping[str, Decimal],
) -> None:
    """The pass of a parcel comes before its exit list, so what ties them is the parcel: a list went through the gate
    whose parcels all did, or those that hold all that it takes of this ledger item."""
    gone: dict[str, tuple[datetime, bool]] = {}
    async for event in standing_events(conn, passes, [Role.DOCUMENT, Role.SHARED]):
        for gate in set(documents_of(event.body)) & passes.keys():
            _note(gone, gate, event)
    left = {parcel for gate, (_, passed) in gone.items() if passed for parcel in passes[gate]}
    for found in exits.values():
        mine = found.parcels & declared.keys()
        holding = mine if sum((declared[one] for one in mine), ZERO) == found.quantity else found.parcels
        found.passed = found.passed or (bool(holding) and holding <= left)


def _add_gate(found: ExitList, event: StandingEvent, items: set[str]) -> None:
    lines = [line for line in _lines(event.body) if _word(line, "itemNo") in items]
    total = _total(lines)
    if total is not None:
        found.gate = max(found.gate or ZERO, total)


async def _read_parcels(
    conn: Connection,
    named: set[str],
    parcels: dict[str, _Declared],
    waybills: dict[str, set[bytes]],
) -> dict[str, set[str]]:
    """What is said of parcel lists; the lists whose parcels are on each gate pass out."""
    passes: dict[str, set[str]] = {}
    async for event in standing_events(conn, named, [Role.DOCUMENT, Role.SHARED]):
        documents = documents_of(event.body)
        lists = [uri for uri in documents if uri in named]
        if any(document_kind(uri) == "bonded-list" for uri in documents):
            continue  # says what became of the bonded list, not of the parcel
        for gate in documents:
            if link_kind(gate) == "gate-pass:out":
                passes.setdefault(gate, set()).update(lists)
        moved = {uri for uri in documents if document_kind(uri) == "waybill"}
        parent = str(event.body.get("parentID") or "")
        if document_kind(parent) == "waybill":
            moved.add(parent)
        # What names several lists does not say which waybill is whose.
        if len(lists) == 1:
            waybills.setdefault(lists[0], set()).update(thing_key(uri) for uri in moved)
            paper = parcels.setdefault(lists[0], _Declared())
            ended = event.words[1] in _ENDED or event.body.get("action") == "DELETE"
            if document_kind(parent) != "waybill":
                said = (event.row["event_time"], ended)
                paper.last = max(paper.last or said, said)
    return passes
