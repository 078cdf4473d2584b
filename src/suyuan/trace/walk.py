"""The walk: from one thing to every event that is provably about it, and how each is tied to it.

Four kinds of edges are followed, each in its interval and only in its direction: containment (up), lot
membership, transformation (back to the inputs) and documents (from the item's parcel or container to
farther papers, never down to other goods). Where several consignments fit and nothing binds the item to one
of them, the walk names the ambiguity and follows none.

The result depends on the set of events only, not on the order in which they arrived.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from suyuan.capture.index import EVENT_TYPES, Role, documents_of, lot_classes
from suyuan.capture.links import PERSON_KINDS, document_kind, document_number, link_kind, plural_kinds
from suyuan.capture.payload import list_counts
from suyuan.db.pool import Connection, sql
from suyuan.gs1.percent import encode_value
from suyuan.gs1.thing import thing_key
from suyuan.issuing import code_statuses
from suyuan.trace.claims import CARRIERS, Positions
from suyuan.trace.intervals import DELETE, OPEN_END, OPEN_START, Interval, Move, containment
from suyuan.trace.model import Ambiguity, Tie, TieLink
from suyuan.trace.rows import Row, Span, fetch_rows

MAX_DEPTH = 8
MAX_REACHED = 400
# A courier may use a waybill number again after six months (customs specification of the waybill message).
WAYBILL_BEFORE = timedelta(days=60)
WAYBILL_AFTER = timedelta(days=120)

ALIASING = "urn:suyuan:bizstep:aliasing"
_GTIN = "https://id.gs1.org/01/"
_ITEM = re.compile(r"https://id\.gs1\.org/01/(\d{14})/21/([^/?#]+)")
AGGREGATION = EVENT_TYPES["AggregationEvent"]
TRANSFORMATION = EVENT_TYPES["TransformationEvent"]

_DIRECT = (Role.SUBJECT, Role.PARENT, Role.CHILD, Role.INPUT, Role.OUTPUT, Role.CLASS, Role.LOT)
_UP = (Role.SUBJECT, Role.PARENT, Role.CHILD, Role.DOCUMENT)
_PAPER = (Role.SUBJECT, Role.DOCUMENT, Role.LINK)
# Papers of one consignment: what tells two consignments of the same goods apart.
_CONSIGNMENT = frozenset({"bonded-list:in", "declaration", "bol", "gate-pass:in", "container", "awb"})
# Papers that only lead on: their own events are about all goods of a ledger.
_BRIDGES = frozenset({"ledger-item"})
_PRECEDENCE = {"direct": 0, "alias": 1, "containment": 2, "transformation": 3, "lot": 4, "document": 5}


_FIELDS = {
    Role.SUBJECT: "epcList",
    Role.CHILD: "childEPCs",
    Role.INPUT: "inputEPCList",
    Role.OUTPUT: "outputEPCList",
}


class Reach(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A thing on the item's way, in the span in which it belongs to it, with the links that lead there."""

    key: bytes
    uri: str
    since: datetime
    until: datetime
    tie: Tie


class Walk(msgspec.Struct, kw_only=True):
    """What a walk found: events with their ties, and the things and papers that it went through."""

    thing: str
    events: dict[int, Tie]
    aliases: list[str]
    lots: list[str]
    containers: list[Reach]
    papers: dict[str, Reach]
    ambiguities: list[Ambiguity]
    # where in an event's long lists the thing or its container stands, by event key, field and URI
    positions: dict[int, Positions]
    bodies: dict[int, dict[str, Any]]
    truncated: bool = False

    @property
    def parcels(self) -> tuple[str, ...]:
        """The parcels that held the thing by their waybills, each with its other numbers after it."""
        return tuple(dict.fromkeys(r.uri for r in self.containers if document_kind(r.uri) == "waybill"))

    @property
    def footprint(self) -> dict[bytes, bool]:
        """Keys of everything that the walk went through; True for a bridge, of which only links matter."""
        names = [self.thing, *self.aliases, *self.lots, *(reach.uri for reach in self.containers)]
        return {thing_key(uri): link_kind(uri) in _BRIDGES for uri in (*names, *self.papers)}


def short_label(uri: str) -> str:
    """What a person calls a thing: its SSCC, serial, lot or number."""
    if uri.startswith("https://id.gs1.org/"):
        return uri.rsplit("/", 1)[-1]
    return document_number(uri)


def _link_kind_of(uri: str) -> str:
    kind = document_kind(uri)
    if kind:
        return kind
    if uri.startswith("https://id.gs1.org/00/"):
        return "pallet"
    if "/10/" in uri:
        return "lot"
    return "package" if uri.startswith("https://id.gs1.org/01/") else "thing"


def _tie_rank(tie: Tie) -> tuple[int, int, tuple[str, ...]]:
    return _PRECEDENCE[tie.kind], len(tie.links), tuple(link.uri for link in tie.links)


def _moves(rows: Iterable[Row]) -> dict[bytes, list[Move]]:
    """What standing aggregations say of the places of things, by thing."""
    moves: dict[bytes, list[Move]] = {}
    for row in rows:
        if row.role == Role.CHILD and row.event_type == AGGREGATION and not row.withdrawn and row.other:
            moves.setdefault(row.key, []).append(Move(row.time, row.action, row.other, row.event_key))
    return moves


class Walker:
    """One walk over one connection. State is the walk's own; nothing is written."""

    def __init__(self, conn: Connection, thing: str) -> None:
        self.conn = conn
        self.thing = thing
        self.events: dict[int, Tie] = {}
        self.bodies: dict[int, dict[str, Any]] = {}
        self.uris: dict[bytes, str] = {}
        self.withdrawn: set[int] = set()
        self.positions: dict[int, Positions] = {}
        self.truncated = False
        self.aliases: list[str] = []
        self.lots: dict[str, Tie] = {}
        self.containers: list[Reach] = []
        self.papers: dict[str, Reach] = {}
        self.ambiguities: list[Ambiguity] = []

    # -- reading ------------------------------------------------------------------------------------------

    async def rows(self, spans: list[Span], roles: Iterable[int]) -> list[Row]:
        found = await fetch_rows(self.conn, spans, roles)
        self.truncated |= found.truncated
        self.uris.update(found.uris)
        self.bodies.update(found.bodies)
        self.withdrawn.update(row.event_key for row in found.rows if row.withdrawn)
        return found.rows

    def note(self, event_key: int, tie: Tie) -> None:
        known = self.events.get(event_key)
        if known is None or _tie_rank(tie) < _tie_rank(known):
            self.events[event_key] = tie

    # -- the item itself ----------------------------------------------------------------------------------

    async def run(self) -> Walk:
        start = [
            Reach(
                key=thing_key(self.thing),
                uri=self.thing,
                since=OPEN_START,
                until=OPEN_END,
                tie=Tie(kind="direct"),
            )
        ]
        rows = await self.direct(start)
        other_names = await self.follow_aliases(rows)
        if other_names:
            rows += await self.direct(other_names)
            start += other_names
        await self.climb(start, rows)
        await self.join_lots(rows)
        await self.read_papers()
        return Walk(
            thing=self.thing,
            events=self.events,
            aliases=sorted(self.aliases),
            lots=sorted(self.lots),
            containers=self.containers,
            papers=self.papers,
            ambiguities=self.ambiguities,
            positions=self.positions,
            bodies=self.bodies,
            truncated=self.truncated,
        )

    async def direct(self, reaches: list[Reach]) -> list[Row]:
        rows = await self.rows([Span(r.key, r.since, r.until) for r in reaches], _DIRECT)
        ties = {reach.key: reach.tie for reach in reaches}
        names = {reach.key: reach.uri for reach in reaches}
        for row in rows:
            self.note(row.event_key, ties[row.key])
            self.place(row, names[row.key])
        return rows

    def place(self, row: Row, uri: str) -> None:
        """Remember where the event's lists name a thing of ours."""
        field = _FIELDS.get(Role(row.role))
        if field is not None:
            self.positions.setdefault(row.event_key, {})[field, uri] = row.position

    async def follow_aliases(self, rows: list[Row]) -> list[Reach]:
        """Other codes of the same thing, where the one who said so issued one of the two.

        A hostile alias must not merge two items: an aliasing event counts only if the party that captured it
        issued one of the two codes or was the first to commission one; of a parcel, if it moved the parcel.
        """
        found: dict[str, Reach] = {}
        for row in rows:
            body = self.bodies.get(row.event_key, {})
            if body.get("bizStep") != ALIASING or row.event_key in self.withdrawn or row.role != Role.SUBJECT:
                continue
            names = [uri for uri in body.get("epcList", ()) if uri != self.thing]
            if len(names) == 1 and await self.may_alias(row, [self.thing, *names]):
                link = TieLink(
                    kind="alias", uri=names[0], label=short_label(names[0]), event_key=row.event_key
                )
                found[names[0]] = Reach(
                    key=thing_key(names[0]),
                    uri=names[0],
                    since=OPEN_START,
                    until=OPEN_END,
                    tie=Tie(kind="alias", links=(link,)),
                )
        self.aliases = sorted(found)
        return [found[uri] for uri in self.aliases]

    async def may_alias(self, said: Row, uris: list[str]) -> bool:
        parcels = [document_kind(uri) == "waybill" for uri in uris]
        if any(parcels):
            return all(parcels) and bool(
                await self.conn.fetchval(
                    sql("suyuan.trace", "may_alias_parcel"),
                    said.event_key,
                    [thing_key(uri) for uri in uris],
                    said.time - WAYBILL_AFTER,
                    said.time + WAYBILL_AFTER,
                )
            )
        codes = [match.groups() if (match := _ITEM.fullmatch(uri)) else None for uri in uris]
        return bool(
            await self.conn.fetchval(
                sql("suyuan.trace", "may_alias"),
                said.event_key,
                [thing_key(uri) for uri in uris],
                [code[0] if code else "" for code in codes],
                [code[1] if code else "" for code in codes],
            )
        )

    # -- containment and transformation -------------------------------------------------------------------

    async def climb(self, start: list[Reach], rows: list[Row]) -> None:
        """Everything that contained the item, level by level, and the inputs it was made from.

        A level's containers are read in the spans that the item's side states; what emptied them meanwhile
        then shortens the spans.
        """
        level, seen = start, set[tuple[bytes, datetime, datetime]]()
        for _ in range(MAX_DEPTH):
            moves = _moves(rows)
            stated = self.parents(level, moves, [])
            inputs = self.inputs(level, rows)
            if not stated and not inputs:
                return
            rows = await self.about([*stated, *inputs])
            emptied = [
                Move(row.time, DELETE, row.key, row.event_key)
                for row in rows
                if row.role == Role.PARENT and row.action == DELETE and row.position == 0
                if row.event_type == AGGREGATION and not row.withdrawn
            ]
            parents = self.parents(level, moves, emptied) if emptied else stated
            twins, twin_rows = await self.second_numbers(parents, rows)
            rows += twin_rows
            level = [r for r in (*parents, *twins, *inputs) if (r.key, r.since, r.until) not in seen]
            seen.update((r.key, r.since, r.until) for r in level)
            self.containers += [r for r in level if r.tie.links[-1].kind != "input"]
            self.note_within(level, rows)
            if len(seen) > MAX_REACHED:
                self.truncated = True
                return
        self.truncated = True

    async def second_numbers(self, level: list[Reach], rows: list[Row]) -> tuple[list[Reach], list[Row]]:
        """Parcels of a level under their other waybill numbers, and the rows about those.

        A courier abroad and one at home number the same parcel; one of them says so in an aliasing event.
        """
        known = {reach.uri for reach in (*self.containers, *level)}
        found: list[Reach] = []
        found_rows: list[Row] = []
        frontier, fresh = level, rows
        while frontier:
            new = []
            for row in fresh:
                body = self.bodies.get(row.event_key, {})
                if row.role != Role.SUBJECT or row.withdrawn or body.get("bizStep") != ALIASING:
                    continue
                names = list(body.get("epcList") or ())
                for reach in frontier:
                    others = [uri for uri in names if uri != reach.uri]
                    if (
                        reach.key == row.key
                        and reach.since <= row.time <= reach.until
                        and len(others) == 1
                        and others[0] not in known
                        and await self.may_alias(row, [reach.uri, *others])
                    ):
                        known.add(others[0])
                        new.append(self.renumbered(reach, others[0], row))
            fresh = await self.about(new)
            found += new
            found_rows += fresh
            frontier = new
        return found, found_rows

    def renumbered(self, reach: Reach, uri: str, said: Row) -> Reach:
        link = TieLink(kind=document_kind(uri), uri=uri, label=short_label(uri), event_key=said.event_key)
        return msgspec.structs.replace(
            reach, key=thing_key(uri), uri=uri, tie=Tie(kind=reach.tie.kind, links=(*reach.tie.links, link))
        )

    def parents(self, level: list[Reach], moves: dict[bytes, list[Move]], emptied: list[Move]) -> list[Reach]:
        found = []
        for reach in level:
            mine = moves.get(reach.key, [])
            into = {move.parent for move in mine}
            for interval in containment(mine, [move for move in emptied if move.parent in into]):
                clipped = interval.clipped(reach.since, reach.until)
                if clipped is not None:
                    found.append(self.contained(reach, clipped))
        return found

    def contained(self, reach: Reach, interval: Interval) -> Reach:
        uri = self.uris[interval.parent]
        since, until = interval.since, interval.until
        if document_kind(uri) == "waybill":
            anchor = interval.since if interval.since != OPEN_START else interval.until
            since, until = anchor - WAYBILL_BEFORE, anchor + WAYBILL_AFTER
        link = TieLink(
            kind=_link_kind_of(uri),
            uri=uri,
            label=short_label(uri),
            since=None if interval.since == OPEN_START else interval.since,
            until=None if interval.until == OPEN_END else interval.until,
            event_key=interval.opened_by or interval.closed_by,
        )
        return Reach(
            key=interval.parent,
            uri=uri,
            since=since,
            until=until,
            tie=Tie(kind="containment", links=(*reach.tie.links, link)),
        )

    def inputs(self, level: list[Reach], rows: list[Row]) -> list[Reach]:
        """What a transformation made the thing from, up to the moment of the transformation."""
        reaches = {reach.key: reach for reach in level}
        found = []
        for row in rows:
            if row.role != Role.OUTPUT or row.event_type != TRANSFORMATION or row.withdrawn:
                continue
            reach, body = reaches[row.key], self.bodies.get(row.event_key, {})
            # Hundreds of inputs lie apart; one by one they are nobody's way.
            self.truncated |= "inputEPCList" in list_counts(body)
            names = list(body.get("inputEPCList") or ())
            names += [element["epcClass"] for element in body.get("inputQuantityList") or ()]
            for uri in names:
                link = TieLink(
                    kind="input", uri=uri, label=short_label(uri), until=row.time, event_key=row.event_key
                )
                found.append(
                    Reach(
                        key=thing_key(uri),
                        uri=uri,
                        since=OPEN_START,
                        until=min(row.time, reach.until),
                        tie=Tie(kind="transformation", links=(*reach.tie.links, link)),
                    )
                )
        return found

    async def about(self, level: list[Reach]) -> list[Row]:
        """Rows of these containers or inputs in their spans; earlier moves are read to know their places."""
        roles = (*_UP, Role.INPUT, Role.OUTPUT, Role.CLASS)
        return await self.rows(
            [Span(r.key, max(OPEN_START, r.since - timedelta(days=90)), r.until) for r in level], roles
        )

    def note_within(self, level: list[Reach], rows: list[Row]) -> None:
        """Note the events about the containers or inputs of a level, each within its span."""
        by_key: dict[bytes, list[Reach]] = {}
        for reach in level:
            by_key.setdefault(reach.key, []).append(reach)
        for row in rows:
            # A container's own packing list names other goods; ours is found from our side.
            if row.role == Role.PARENT and row.event_type == AGGREGATION and row.position > 0:
                continue
            for reach in by_key.get(row.key, ()):
                if reach.since <= row.time <= reach.until:
                    self.note(row.event_key, reach.tie)
                    self.place(row, reach.uri)

    # -- lots ---------------------------------------------------------------------------------------------

    async def join_lots(self, rows: list[Row]) -> None:
        """Lots that commissioning events bind the item to. Their events are read when the papers are known.

        Anybody may say a lot. Where several are said, the one under which the code was issued here counts, of
        another system's code none does, and the contradiction is named.
        """
        names = {thing_key(uri): uri for uri in (self.thing, *self.aliases)}
        for row in rows:
            if row.role not in (Role.SUBJECT, Role.OUTPUT) or row.event_key in self.withdrawn:
                continue
            for lot in lot_classes(self.bodies.get(row.event_key, {}), [names[row.key]]):
                link = TieLink(kind="lot", uri=lot, label=short_label(lot), event_key=row.event_key)
                self.lots.setdefault(lot, Tie(kind="lot", links=(link,)))
        for uri in names.values():
            await self.settle_lot(uri)
        if "/10/" in self.thing:
            self.lots.setdefault(self.thing, Tie(kind="direct"))

    async def settle_lot(self, uri: str) -> None:
        match = _ITEM.fullmatch(uri)
        said = sorted(lot for lot in self.lots if match and lot.startswith(f"{_GTIN}{match[1]}/10/"))
        if match is None or len(said) < 2:
            return
        status = (await code_statuses(self.conn, match[1], [match[2]])).get(match[2])
        issued = f"{_GTIN}{match[1]}/10/{encode_value(status['lot'])}" if status is not None else ""
        for lot in said:
            if lot != issued:
                del self.lots[lot]
        self.ambiguities.append(
            Ambiguity(
                code="trace.lot.ambiguous",
                reason_en=f"Events name {len(said)} lots for this item.",
                reason_zh=f"不同事件为这件商品记载了 {len(said)} 个批号。",
                candidates=tuple(short_label(lot) for lot in said),
            )
        )

    # -- papers -------------------------------------------------------------------------------------------

    async def read_papers(self) -> None:
        lot_rows = await self.rows(
            [Span(thing_key(lot), OPEN_START, OPEN_END) for lot in sorted(self.lots)],
            (Role.CLASS, Role.INPUT, Role.OUTPUT),
        )
        await self.follow_papers(self.seeds())
        candidates = await self.consignment_candidates(lot_rows)
        chosen = {uri for uri in self.papers if link_kind(uri) == "bonded-list:in"}
        if not chosen and len(candidates) == 1:
            await self.follow_papers(candidates)
        elif not chosen and candidates:
            names = tuple(sorted(short_label(reach.uri) for reach in candidates))
            self.ambiguities.append(
                Ambiguity(
                    code="trace.consignment.ambiguous",
                    reason_en=f"The goods came in {len(names)} consignments and no paper binds this item to one.",
                    reason_zh=f"该货物分 {len(names)} 批入境，没有单证把这件商品与其中一批绑定。",
                    candidates=names,
                )
            )
        self.take_lot_events(lot_rows, {reach.uri for reach in candidates})

    def seeds(self) -> list[Reach]:
        """Papers that the item's own events and its containers' events name, and the parcel itself."""
        found: dict[str, Reach] = {}
        for reach in self.containers:
            if document_kind(reach.uri) in ("waybill", "awb"):
                found.setdefault(reach.uri, reach)
        for event_key, tie in sorted(self.events.items(), key=lambda entry: (_tie_rank(entry[1]), entry[0])):
            if event_key in self.withdrawn:
                continue
            documents = documents_of(self.bodies.get(event_key, {}))
            # A wave pick for ten orders does not say which of them is the item's, nor does a paper of one order
            # that is named with the container of a thousand.
            shared = bool(tie.links) and tie.links[-1].kind in CARRIERS
            strangers = shared or self.names_several_people(event_key)
            for uri in documents:
                kind = document_kind(uri)
                if kind and uri not in found and not (strangers and kind in PERSON_KINDS):
                    found[uri] = self.paper(uri, tie, event_key)
        return [found[uri] for uri in sorted(found)]

    def names_several_people(self, event_key: int) -> bool:
        body = self.bodies.get(event_key, {})
        things = [*(body.get("epcList") or ()), *(body.get("childEPCs") or ())]
        return bool(plural_kinds([*documents_of(body), *things]) or list_counts(body))

    def paper(self, uri: str, tie: Tie, event_key: int) -> Reach:
        kind = document_kind(uri)
        link = TieLink(kind=kind, uri=uri, label=short_label(uri), event_key=event_key)
        since, until = OPEN_START, OPEN_END
        if kind == "waybill":
            named_at = datetime.fromisoformat(self.bodies[event_key]["eventTime"])
            since, until = named_at - WAYBILL_BEFORE, named_at + WAYBILL_AFTER
        return Reach(
            key=thing_key(uri),
            uri=uri,
            since=since,
            until=until,
            tie=Tie(kind="document", links=(*tie.links, link)),
        )

    async def follow_papers(self, frontier: list[Reach]) -> None:
        """From paper to farther paper. Ledger items are noted, not followed: they belong to many consignments."""
        while frontier:
            new = []
            for reach in frontier:
                if reach.uri not in self.papers:
                    self.papers[reach.uri] = reach
                    if link_kind(reach.uri) not in _BRIDGES:
                        new.append(reach)
            rows = await self.rows([Span(r.key, r.since, r.until) for r in new], _PAPER)
            by_key = {reach.key: reach for reach in new}
            following: dict[str, Reach] = {}
            for row in rows:
                reach = by_key[row.key]
                if row.role != Role.LINK:
                    if self.concerns_other_container(row.event_key):
                        continue
                    self.note(row.event_key, reach.tie)
                elif not row.withdrawn and self.uris[row.other] not in self.papers:
                    uri = self.uris[row.other]
                    step = self.paper(uri, reach.tie, row.event_key)
                    if uri not in following or _tie_rank(step.tie) < _tie_rank(following[uri].tie):
                        following[uri] = step
            frontier = [following[uri] for uri in sorted(following)]
            if len(self.papers) > MAX_REACHED:
                self.truncated = True
                return

    def concerns_other_container(self, event_key: int) -> bool:
        """Whether the event names containers or air waybills and ours, where known, is not among them."""
        named = self.bodies.get(event_key, {}).get("epcList") or ()
        way = [*(reach.uri for reach in self.containers), *self.papers]
        for kind in CARRIERS:
            theirs = {uri for uri in named if document_kind(uri) == kind}
            mine = {uri for uri in way if document_kind(uri) == kind}
            if theirs and mine and not theirs & mine:
                return True
        return False

    async def consignment_candidates(self, lot_rows: list[Row]) -> list[Reach]:
        """Entry lists that fit the goods: through the ledger items of the parcel and through the lot's papers."""
        by_ledger: dict[str, Reach] = {}
        ledger = [reach for uri, reach in sorted(self.papers.items()) if link_kind(uri) in _BRIDGES]
        by_lot: dict[str, Reach] = {}
        for row in lot_rows:
            if row.withdrawn:
                continue
            for uri in documents_of(self.bodies.get(row.event_key, {})):
                tie = next(iter(self.lots.values()))
                if link_kind(uri) == "bonded-list:in":
                    by_lot.setdefault(uri, self.paper(uri, tie, row.event_key))
                elif link_kind(uri) in _BRIDGES and not ledger:
                    ledger.append(self.paper(uri, tie, row.event_key))
                    self.papers.setdefault(uri, ledger[-1])
        rows = await self.rows([Span(r.key, r.since, r.until) for r in ledger], [Role.LINK])
        sources = {reach.key: reach for reach in ledger}
        for row in rows:
            if not row.withdrawn:
                uri = self.uris[row.other]
                by_ledger.setdefault(uri, self.paper(uri, sources[row.key].tie, row.event_key))
        both = {uri: reach for uri, reach in by_ledger.items() if uri in by_lot}
        chosen = both or by_ledger or by_lot
        return [chosen[uri] for uri in sorted(chosen)]

    def take_lot_events(self, lot_rows: list[Row], candidates: set[str]) -> None:
        """Lot events that concern this item's consignment, or no consignment in particular."""
        mine: dict[str, set[str]] = {}
        for uri in self.papers:
            mine.setdefault(link_kind(uri), set()).add(uri)
        for kind in CARRIERS:
            mine.setdefault(kind, set()).update(
                r.uri for r in self.containers if document_kind(r.uri) == kind
            )
        ties = {thing_key(lot): tie for lot, tie in self.lots.items()}
        for row in lot_rows:
            body = self.bodies.get(row.event_key, {})
            named: dict[str, set[str]] = {}
            for uri in [*documents_of(body), *(body.get("epcList") or ())]:
                named.setdefault(link_kind(uri), set()).add(uri)
            elsewhere = any(
                named.get(kind)
                and not named[kind] & mine.get(kind, set())
                and (mine.get(kind) or (kind == "bonded-list:in" and named[kind] & candidates))
                for kind in _CONSIGNMENT
            )
            if not elsewhere and not self.about_other_parcels(body):
                self.note(row.event_key, ties[row.key])

    def about_other_parcels(self, body: dict[str, Any]) -> bool:
        """Whether a lot event names a person's papers and none of them is on this item's way."""
        people = {uri for uri in documents_of(body) if document_kind(uri) in PERSON_KINDS}
        return bool(people) and not people & self.papers.keys()


async def walk(conn: Connection, thing: str) -> Walk:
    """Every event that is about ``thing`` (a canonical URI), with its tie. Reads only."""
    return await Walker(conn, thing).run()
