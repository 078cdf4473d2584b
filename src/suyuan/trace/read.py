"""``TraceReader.read(thing, viewer)``: the only exit from stored events to a face.

Everything that leaves has passed the disclosure policy here: facts are made from masked bodies, ties name only
what the audience may see on its own, and a bundle carries the claims that the policy lets the audience see or lets
a proof need. As what a party looks at a thing is decided in ``sight``, by what is stored of the thing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from suyuan.catalog import Place as CatalogPlace
from suyuan.catalog import Product, find_places, find_products
from suyuan.db.pool import Connection, Pool, glancing, reading, sql
from suyuan.disclosure.policy import Policy, load_policy
from suyuan.gs1.thing import kind as thing_kind
from suyuan.gs1.thing import thing_key
from suyuan.parties.members import Party, find_parties, get_party
from suyuan.parties.roles import Grant, grants_at
from suyuan.trace.closing import Closing, close_reading, holds
from suyuan.trace.facts import Names, mentioned_places
from suyuan.trace.making import whole_fact
from suyuan.trace.masking import Footprint, Gathered, Masking, Seen, may_ask, on_the_way, split_item
from suyuan.trace.model import Ambiguity, Fact, Place, Recall, Trace
from suyuan.trace.model import Party as TraceParty
from suyuan.trace.remembered import Remembered
from suyuan.trace.shared import Borrowed, Shared
from suyuan.trace.sight import OPERATOR, PUBLIC, Ground, Viewer
from suyuan.trace.state import RECALL_ROLES, recall_of, state_of
from suyuan.trace.stored import Relatives, StoredEvent, fetch_events
from suyuan.trace.walk import Walk, walk

__all__ = ["OPERATOR", "PUBLIC", "Footprint", "Gathered", "Reading", "Seen", "TraceReader", "Viewer", "may_ask",
           "split_item"]  # fmt: skip

_ITEM_PREFIX = "https://id.gs1.org/01/"


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A trace with the masked events behind it, in the order of its facts, what it depends on, and whether the thing's
    label has a scratch code.
    """

    trace: Trace
    seen: tuple[Seen, ...]
    footprint: Footprint
    scratch: bool
    # which transactions had ended when it was read
    snapshot: str

    @property
    def is_nothing(self) -> bool:
        """For this viewer the thing does not exist: it is not on the thing's chain and delivered no fact of it."""
        return self.trace.audience == "elsewhere" and not self.seen


class TraceReader:
    """Reads traces for viewers. Holds the policy and the pool, and nothing that could not be dropped at any time."""

    def __init__(self, pool: Pool, policy: Policy | None = None, shared: Shared | None = None) -> None:
        self.pool = pool
        self._shared = shared or Shared()
        self.policy = policy or load_policy()
        self._parties: Remembered[Party] = Remembered(find_parties)
        self._places: Remembered[CatalogPlace] = Remembered(find_places)
        self._products: Remembered[Product] = Remembered(find_products)
        self._grants: Remembered[tuple[Grant, ...]] = Remembered(_find_grants)

    async def viewer_of(self, party_id: str, *, as_operator: bool = True) -> Viewer:
        """A party as a viewer: the operator where it holds that role, else by what each thing has to do with it.

        ``as_operator`` is False for a caller that may not act as the operator whatever its party holds. Raises
        ``NotFoundError`` (``party.unknown``).
        """
        party = await get_party(self.pool, party_id)
        grants = tuple(await grants_at(self.pool, party_id, datetime.now(UTC)))
        if as_operator and any(grant.role == "operator" and not grant.scope for grant in grants):
            return OPERATOR
        return Viewer("", party_id, party_numbers(party), grants)

    async def read(self, thing: str, viewer: Viewer) -> Trace | None:
        """The trace of ``thing`` (a canonical URI) for ``viewer``; None where nothing is known of it, or nothing
        that the viewer may know.

        Raises ``NotFoundError`` (``policy.audience.unknown``).
        """
        readings = await self.read_views(thing, viewer)
        return readings[0].trace if readings and not readings[0].is_nothing else None

    async def read_views(self, thing: str, *viewers: Viewer) -> list[Reading]:
        """The readings of one thing for several viewers, from one walk in one snapshot; empty if unknown."""
        async with reading(self.pool) as conn:
            gathered = await self.gather(conn, thing)
        return [] if gathered is None else [self.view(gathered, viewer) for viewer in viewers]

    async def gather(self, conn: Connection, thing: str) -> Gathered | None:
        """Everything that is stored of a thing, unmasked. It leaves this room through ``view`` only."""
        found, events, closing = await self._walk(conn, thing)
        gtin, serial, lot = split_item(thing)
        if not events and not closing.issued:
            return None
        relatives = {event.row["event_key"]: event.known.relatives for event in events if event.known}
        names = await self._names(conn, events, relatives)
        said = [split_item(uri)[2] for uri in found.lots if uri.startswith(f"{_ITEM_PREFIX}{gtin}/")]
        lot = lot or next(iter(said), closing.lot)
        chain = frozenset(on_the_way(found, events))
        facts = tuple(whole_fact(event, chain, names) for event in events)
        # State and recall are read off the whole facts: a mask hides fields, it never changes what is so.
        recall = await self._recall(conn, facts, relatives, names, gtin, lot)
        record = (await self._products.find(conn, {gtin})).get(gtin) if gtin else None
        return Gathered(
            walk=found,
            events=events,
            relatives=relatives,
            names=names,
            facts=facts,
            gtin=gtin,
            serial=serial,
            lot=lot,
            state=_state(facts, recall, closing),
            recall=recall,
            product=await self._product(conn, record),
            ground=Ground(
                events=events,
                relatives=relatives,
                gtin=gtin,
                product=record,
                grants=await self._grants.find(conn, _speakers(events, relatives)),
            ),
            footprint=closing.footprint,
            scratch=closing.scratch,
            chain=chain,
            snapshot=closing.snapshot,
        )

    async def _walk(self, conn: Connection, thing: str) -> tuple[Walk, list[StoredEvent], Closing]:
        """The walk with its events, of which nothing is out of date."""
        for borrowed in (self._shared.borrow(), self._shared.borrow(), Borrowed()):
            found = await walk(conn, thing, borrowed)
            events = await fetch_events(conn, found, borrowed)
            closing = await close_reading(conn, thing, borrowed)
            if borrowed.settle(closing.counts):
                break
        return found, events, closing

    def view(self, gathered: Gathered, viewer: Viewer) -> Reading:
        """What a viewer sees of what was gathered. Pure. Raises ``NotFoundError``
        (``policy.audience.unknown``).
        """
        masking = self.masking(gathered, viewer)
        audience = masking.standing.audience
        found = gathered.walk
        whole = viewer.whole
        seen = masking.all_seen()
        facts = tuple(one.fact for one in seen)
        outside = audience == "elsewhere"
        return Reading(
            trace=Trace(
                thing=found.thing,
                kind=thing_kind(found.thing),
                gtin=gathered.gtin,
                serial=gathered.serial,
                lot="" if outside else gathered.lot,
                state="unknown" if outside else gathered.state,
                audience=audience,
                product={} if outside else {**gathered.product, **_dates(facts)},
                facts=facts,
                ambiguities=()
                if outside
                else tuple(found.ambiguities)
                if whole
                else _plain_ambiguities(found),
                recall=None if outside else gathered.recall,
                aliases=() if outside else tuple(found.aliases),
                parcels=found.parcels if whole else (),
                truncated=found.truncated,
                standing=masking.standing.rests,
            ),
            seen=tuple(seen),
            footprint=gathered.footprint,
            scratch=gathered.scratch,
            snapshot=gathered.snapshot,
        )

    def masking(self, gathered: Gathered, viewer: Viewer) -> Masking:
        """The viewer's mask over what was gathered. Raises ``NotFoundError`` (``policy.audience.unknown``)."""
        return Masking(self.policy, gathered, viewer)

    async def unchanged(self, footprint: Footprint) -> bool:
        """Whether nothing was said, since the trace was read, of anything that it went through.

        Names of parties, products and places are not watched.
        """
        async with glancing(self.pool) as conn:
            return await holds(conn, footprint)

    async def snapshot(self) -> str:
        """Which transactions have ended: equal words mean that not one ended in between."""
        async with glancing(self.pool) as conn:
            return str(await conn.fetchval("SELECT pg_current_snapshot()::text"))

    async def knows(self, thing: str) -> bool:
        """Whether any event names the thing."""
        async with glancing(self.pool) as conn:
            return bool(await conn.fetchval(sql("suyuan.trace", "knows"), thing_key(thing)))

    async def product(self, thing: str, gtin: str, viewer: Viewer) -> Trace:
        """A product of which no event speaks: what the catalogue knows, and no facts."""
        async with self.pool.acquire() as conn:
            record = (await self._products.find(conn, {gtin})).get(gtin) if gtin else None
            attributes = await self._product(conn, record)
        return Trace(
            thing=thing, kind=thing_kind(thing), gtin=gtin, serial="", lot="", state="unknown",
            audience=viewer.audience, product=attributes, facts=(), ambiguities=(), recall=None,
        )  # fmt: skip

    # -- names --------------------------------------------------------------------------------------------

    async def _names(
        self, conn: Connection, events: Sequence[StoredEvent], relatives: dict[int, Relatives]
    ) -> Names:
        parties = _speakers(events, relatives)
        known = await self._parties.find(conn, parties)
        places = await self._places.find(
            conn, {uri for event in events for uri in mentioned_places(event.body)}
        )
        return Names(
            {party_id: (party.name_en, party.name_zh) for party_id, party in known.items()},
            {uri: _place(place) for uri, place in places.items()},
        )

    async def _product(self, conn: Connection, product: Product | None) -> dict[str, str]:
        if product is None:
            return {}
        attributes = {name: str(value) for name, value in msgspec.to_builtins(product).items() if value}
        roles = ("producer", "importer", "agent", "distributor", "seller", "owner_party")
        firms = await self._parties.find(conn, {attributes[role] for role in roles if role in attributes})
        for role in roles:
            firm = firms.get(attributes.get(role, ""))
            if firm is not None:
                attributes[f"{role}_en"] = firm.name_en
                attributes[f"{role}_zh"] = firm.name_zh
        attributes.pop("owner_party", None)
        return attributes

    async def _recall(
        self,
        conn: Connection,
        facts: Sequence[Fact],
        relatives: Mapping[int, Relatives],
        names: Names,
        gtin: str,
        lot: str,
    ) -> Recall | None:
        """The recall that stands. Whoever repeats a recall's words neither raises nor hides it."""
        may: dict[int, TraceParty] = {}
        for fact in facts:
            if "recall" not in fact.disposition and "recall" not in fact.biz_step:
                continue
            for row in relatives[fact.event_key].equals:
                grants = await grants_at(conn, row["party_id"], row["record_time"])
                held = [g.role for g in grants if g.role in RECALL_ROLES and g.covers(gtin or None)]
                if held:
                    may.setdefault(fact.event_key, names.party(row["party_id"], row["role"]))
        return recall_of(facts, may, lot)


def party_numbers(party: Party) -> frozenset[str]:
    """The numbers by which a paper may name a party."""
    return frozenset(number for number in (party.customs_code, party.uscc, party.gln) if number)


def _speakers(events: Iterable[StoredEvent], relatives: Mapping[int, Relatives]) -> set[str]:
    """Everybody who delivered one of these events, an equal one or a declaration."""
    parties = {event.row["party_id"] for event in events}
    return parties | {
        row["party_id"] for one in relatives.values() for row in (*one.declarations, *one.equals)
    }


async def _find_grants(conn: Connection, party_ids: Collection[str]) -> dict[str, tuple[Grant, ...]]:
    found: dict[str, list[Grant]] = {party_id: [] for party_id in party_ids}
    for row in await conn.fetch(sql("suyuan.trace", "grants"), sorted(party_ids)):
        found[row["party_id"]].append(Grant(**dict(row)))
    return {party_id: tuple(grants) for party_id, grants in found.items()}


# Master data of a lot (CBV 2.0, ilmd) under the names that a product card has for it.
_DATES = {
    "productionDate": "production_date",
    "bestBeforeDate": "best_before",
    "itemExpirationDate": "expiry",
}


def _dates(facts: Sequence[Fact]) -> dict[str, str]:
    """Production and expiry dates that the viewer's own facts state; the first that says one counts."""
    found: dict[str, str] = {}
    for fact in facts:
        for attribute, name in _DATES.items():
            if attribute in fact.attributes and not fact.withdrawn:
                found.setdefault(name, fact.attributes[attribute])
    return found


def _state(facts: Sequence[Fact], recall: Recall | None, closing: Closing) -> str:
    if "voided" in closing.acts:
        return "voided"
    if recall is not None:
        return "recalled"
    state = state_of(facts)
    return "issued" if state == "unknown" and closing.issued else state


def _place(place: CatalogPlace) -> Place:
    return Place(
        uri=place.uri,
        name_en=place.name_en,
        name_zh=place.name_zh,
        city_en=place.city_en,
        city_zh=place.city_zh,
        country=place.country,
        unlocode=place.unlocode,
        customs_code=place.customs_code,
    )


def _plain_ambiguities(found: Walk) -> tuple[Ambiguity, ...]:
    return tuple(msgspec.structs.replace(ambiguity, candidates=()) for ambiguity in found.ambiguities)
