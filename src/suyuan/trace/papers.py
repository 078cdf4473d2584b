"""Papers: from the item's parcel or container to farther ones, and which consignment the goods came in.

The way runs along links from the nearer paper to the farther one, never from a shared paper down to other goods.
Where several consignments fit and nothing binds the item to one of them, the walk names the ambiguity and follows
none.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from suyuan.capture.index import Role, documents_of
from suyuan.capture.links import PERSON_KINDS, document_kind, link_kind, plural_kinds
from suyuan.capture.payload import list_counts
from suyuan.gs1.thing import thing_key
from suyuan.trace.claims import CARRIERS
from suyuan.trace.findings import MAX_REACHED, Findings, Reach, short_label, tie_rank, whole_reach
from suyuan.trace.model import Ambiguity
from suyuan.trace.rows import Link, Row

# Papers that only lead on: their own events are about all goods of a ledger.
BRIDGES = frozenset({"ledger-item"})
_PAPER = (Role.SUBJECT, Role.DOCUMENT)
_LOT = (Role.CLASS, Role.INPUT, Role.OUTPUT)
# Papers of one consignment: what tells two consignments of the same goods apart.
_CONSIGNMENT = frozenset({"bonded-list:in", "declaration", "bol", "gate-pass:in", "container", "awb"})


class PaperTrail:
    """The papers of what a walk has found so far."""

    def __init__(self, found: Findings) -> None:
        self.found = found
        # Where ledger items lead, which is not followed: they belong to many consignments.
        self.bridged: dict[bytes, list[Link]] = {}

    async def read(self) -> None:
        """Follow the papers of the item's own way, settle on a consignment, take what concerns it of the lot."""
        found = self.found
        trail = await self.follow(self.seeds())
        lots = sorted(found.lots)
        keys = {thing_key(lot) for lot in lots}
        spans = [whole_reach(lot, found.lots[lot]).span(_LOT) for lot in lots]
        rows = await found.rows([*spans, *(reach.span(_PAPER) for reach in trail)])
        lot_rows = [row for row in rows if row.key in keys]
        self.take(trail, rows)
        candidates = await self.candidates(lot_rows)
        if not any(link_kind(uri) == "bonded-list:in" for uri in found.papers):
            await self.settle(candidates)
        self.take_lot_events(lot_rows, {reach.uri for reach in candidates})

    async def read_itself(self, paper: Reach, rows: list[Row]) -> None:
        """A paper that is asked for by itself: the events that name it, and the papers that it leads to."""
        for row in rows:
            self.found.note(row.event_key, paper.tie)
        if link_kind(paper.uri) not in BRIDGES:
            await self.take_all(await self.follow([paper]))

    # -- following ----------------------------------------------------------------------------------------

    def seeds(self) -> list[Reach]:
        """Papers that the item's own events and its containers' events name, and the parcel itself."""
        walk = self.found
        found: dict[str, Reach] = {}
        for reach in walk.containers:
            if document_kind(reach.uri) in ("waybill", "awb"):
                found.setdefault(reach.uri, reach)
        for event_key, tie in sorted(walk.events.items(), key=lambda one: (tie_rank(one[1]), one[0])):
            if event_key in walk.withdrawn:
                continue
            documents = documents_of(walk.bodies.get(event_key, {}))
            # A wave pick for ten orders does not say which of them is the item's, nor does a paper of one order
            # that is named with the container of a thousand.
            shared = bool(tie.links) and tie.links[-1].kind in CARRIERS
            strangers = shared or self.names_several_people(event_key)
            for uri in documents:
                kind = document_kind(uri)
                if kind and uri not in found and not (strangers and kind in PERSON_KINDS):
                    named_at = datetime.fromisoformat(walk.bodies[event_key]["eventTime"])
                    found[uri] = walk.paper(uri, tie, event_key, named_at)
        return [found[uri] for uri in sorted(found)]

    def names_several_people(self, event_key: int) -> bool:
        """Whether an event names people who have nothing to do with each other."""
        body = self.found.bodies.get(event_key, {})
        things = [*(body.get("epcList") or ()), *(body.get("childEPCs") or ())]
        return bool(plural_kinds([*documents_of(body), *things]) or list_counts(body))

    async def follow(self, frontier: list[Reach]) -> list[Reach]:
        """From paper to farther paper; returns the new ones whose events count."""
        found = self.found
        trail: list[Reach] = []
        while frontier:
            new = [reach for reach in frontier if reach.uri not in found.papers]
            room = MAX_REACHED - len(found.papers)
            if len(new) > room:
                found.truncated = True
                new = new[:room]
            found.papers.update((reach.uri, reach) for reach in new)
            trail += [reach for reach in new if link_kind(reach.uri) not in BRIDGES]
            by_key = {reach.key: reach for reach in new}
            following: dict[str, Reach] = {}
            for link in await found.links(new):
                reach = by_key[link.key]
                if link_kind(reach.uri) in BRIDGES:
                    self.bridged.setdefault(link.key, []).append(link)
                elif link.uri not in found.papers:
                    step = found.paper(link.uri, reach.tie, link.event_key, link.time)
                    known = following.get(link.uri)
                    if known is None or tie_rank(step.tie) < tie_rank(known.tie):
                        following[link.uri] = step
            frontier = [following[uri] for uri in sorted(following)]
        return trail

    async def take_all(self, trail: list[Reach]) -> None:
        """Read the events of papers, and note those that are not about other goods."""
        self.take(trail, await self.found.rows([reach.span(_PAPER) for reach in trail]))

    def take(self, trail: Iterable[Reach], rows: Iterable[Row]) -> None:
        """Of rows about papers note the events that do not concern another container."""
        ties = {reach.key: reach.tie for reach in trail}
        for row in rows:
            tie = ties.get(row.key)
            if tie is not None and not self.concerns_other_container(row.event_key):
                self.found.note(row.event_key, tie)

    def concerns_other_container(self, event_key: int) -> bool:
        """Whether the event names containers or air waybills and ours, where known, is not among them."""
        named = self.found.bodies.get(event_key, {}).get("epcList") or ()
        for kind in CARRIERS:
            theirs = {uri for uri in named if document_kind(uri) == kind}
            if theirs and (mine := self.carriers(kind)) and not theirs & mine:
                return True
        return False

    def carriers(self, kind: str) -> set[str]:
        """The containers or air waybills that the goods came in, as far as is known by now."""
        way = [*(reach.uri for reach in self.found.containers), *self.found.papers]
        return {uri for uri in way if document_kind(uri) == kind}

    # -- which consignment --------------------------------------------------------------------------------

    async def settle(self, candidates: list[Reach]) -> None:
        """Follow the one entry list that fits the goods; name the ambiguity where several do."""
        if len(candidates) == 1:
            await self.take_all(await self.follow(candidates))
        elif candidates:
            names = tuple(sorted(short_label(reach.uri) for reach in candidates))
            # A parcel by its waybill: nobody labelled what is in it.
            parcel = document_kind(self.found.thing) == "waybill"
            what_en = "the goods of this parcel" if parcel else "this item"
            what_zh = "这个包裹里的商品" if parcel else "这件商品"
            self.found.ambiguities.append(
                Ambiguity(
                    code="trace.consignment.ambiguous",
                    reason_en=f"The goods came in {len(names)} consignments and no paper binds {what_en} to one.",
                    reason_zh=f"该货物分 {len(names)} 批入境，没有单证把{what_zh}与其中一批绑定。",
                    candidates=names,
                )
            )

    async def candidates(self, lot_rows: list[Row]) -> list[Reach]:
        """Entry lists that fit the goods: through the ledger items of the parcel and through the lot's papers."""
        found = self.found
        ledger = [reach for uri, reach in sorted(found.papers.items()) if link_kind(uri) in BRIDGES]
        by_lot: dict[str, Reach] = {}
        for row in lot_rows:
            if row.withdrawn:
                continue
            for uri in documents_of(found.bodies.get(row.event_key, {})):
                tie = next(iter(found.lots.values()))
                if link_kind(uri) == "bonded-list:in":
                    by_lot.setdefault(uri, found.paper(uri, tie, row.event_key, row.time))
                elif link_kind(uri) in BRIDGES and not ledger:
                    ledger.append(found.paper(uri, tie, row.event_key, row.time))
                    found.papers.setdefault(uri, ledger[-1])
                    self.bridged[ledger[-1].key] = await found.links(ledger[-1:])
        by_ledger: dict[str, Reach] = {}
        for reach in ledger:
            for link in self.bridged.get(reach.key, ()):
                by_ledger.setdefault(link.uri, found.paper(link.uri, reach.tie, link.event_key, link.time))
        both = {uri: reach for uri, reach in by_ledger.items() if uri in by_lot}
        chosen = both or by_ledger or by_lot
        return [chosen[uri] for uri in sorted(chosen)]

    def take_lot_events(self, lot_rows: list[Row], candidates: set[str]) -> None:
        """Lot events that concern this item's consignment, or no consignment in particular."""
        mine: dict[str, set[str]] = {}
        for uri in self.found.papers:
            mine.setdefault(link_kind(uri), set()).add(uri)
        for kind in CARRIERS:
            mine.setdefault(kind, set()).update(self.carriers(kind))
        ties = {thing_key(lot): tie for lot, tie in self.found.lots.items()}
        for row in lot_rows:
            body = self.found.bodies.get(row.event_key, {})
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
                self.found.note(row.event_key, ties[row.key])

    def about_other_parcels(self, body: dict[str, Any]) -> bool:
        """Whether a lot event names a person's papers and none of them is on this item's way."""
        people = {uri for uri in documents_of(body) if document_kind(uri) in PERSON_KINDS}
        return bool(people) and not people & self.found.papers.keys()
