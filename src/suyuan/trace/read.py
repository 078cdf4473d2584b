"""``TraceReader.read(thing, viewer)``: the only exit from stored events to a face.

Everything that leaves has passed the disclosure policy here: facts are made from masked bodies, ties show a
masked audience only what kind of thing they go through, and a bundle carries the claims that the policy lets
the audience see or lets a proof need.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from suyuan.capture.links import PERSON_KINDS, document_kind
from suyuan.catalog import Place as CatalogPlace
from suyuan.catalog import Product, find_places, find_products
from suyuan.db.pool import Connection, Pool, reading, sql
from suyuan.disclosure.mask import Masked, context_of, mask_claims
from suyuan.disclosure.policy import Policy, load_policy
from suyuan.gs1.percent import decode_value
from suyuan.gs1.thing import kind as thing_kind
from suyuan.gs1.thing import thing_key
from suyuan.issuing import code_statuses
from suyuan.parties.members import Party, find_parties
from suyuan.parties.roles import grants_at
from suyuan.trace.claims import Positions, claims_at_hand, own_body, own_claims
from suyuan.trace.facts import (
    Names,
    Relatives,
    StoredEvent,
    fetch_events,
    fetch_relatives,
    make_fact,
    mentioned_places,
)
from suyuan.trace.model import Fact, Place, Recall, Tie, TieLink, Trace
from suyuan.trace.model import Party as TraceParty
from suyuan.trace.remembered import Remembered
from suyuan.trace.state import RECALL_ROLES, recall_of, state_of
from suyuan.trace.walk import Walk, walk

_ITEM_PREFIX = "https://id.gs1.org/01/"


class Viewer(msgspec.Struct, frozen=True):
    """For whom a trace is read: the audience of the policy."""

    audience: str

    @property
    def whole(self) -> bool:
        """The operator sees keys, IDs and papers beside the facts."""
        return self.audience == "operator"


OPERATOR = Viewer("operator")
PUBLIC = Viewer("public")


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One event as its viewer gets it: the event, its mask, its fact. Bundles are built from these."""

    event: StoredEvent
    masked: Masked
    fact: Fact
    positions: Positions


class Footprint(msgspec.Struct, frozen=True, kw_only=True):
    """What a trace depends on, and how much of it there was: a cheap way to know that nothing changed.

    ``rows`` counts the index rows of these keys since ``month``; ``acts`` the acts of issuing on the code.
    """

    keys: dict[bytes, bool]
    month: date
    rows: int
    acts: int
    gtin: str
    serial: str


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A trace with the masked events behind it, in the order of its facts, and what it depends on."""

    trace: Trace
    seen: tuple[Seen, ...]
    footprint: Footprint


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """All that is stored of one thing, before any mask. Not for faces."""

    walk: Walk
    events: list[StoredEvent]
    relatives: dict[int, Relatives]
    names: Names
    facts: tuple[Fact, ...]
    gtin: str
    serial: str
    lot: str
    state: str
    recall: Recall | None
    product: dict[str, str]
    footprint: Footprint


def split_item(uri: str) -> tuple[str, str, str]:
    """GTIN, serial and lot in a canonical GTIN URI; empty where it has none."""
    if not uri.startswith(_ITEM_PREFIX):
        return "", "", ""
    parts = [decode_value(part) for part in uri[len(_ITEM_PREFIX) :].split("/")]
    keys = dict(zip(parts[1::2], parts[2::2], strict=False))
    return parts[0], keys.get("21", ""), keys.get("10", "")


class TraceReader:
    """Reads traces for viewers. Holds the policy and the pool, no other state."""

    def __init__(self, pool: Pool, policy: Policy | None = None) -> None:
        self.pool = pool
        self.policy = policy or load_policy()
        self._parties: Remembered[Party] = Remembered(find_parties)
        self._places: Remembered[CatalogPlace] = Remembered(find_places)
        self._products: Remembered[Product] = Remembered(find_products)

    async def read(self, thing: str, viewer: Viewer) -> Trace | None:
        """The trace of ``thing`` (a canonical URI) for ``viewer``; None where nothing is known of it.

        Raises ``NotFoundError`` (``policy.audience.unknown``).
        """
        readings = await self.read_views(thing, viewer)
        return readings[0].trace if readings else None

    async def read_views(self, thing: str, *viewers: Viewer) -> list[Reading]:
        """The readings of one thing for several viewers, from one walk in one snapshot; empty if unknown."""
        async with reading(self.pool) as conn:
            gathered = await self.gather(conn, thing)
        return [] if gathered is None else [self.view(gathered, viewer) for viewer in viewers]

    async def gather(self, conn: Connection, thing: str) -> Gathered | None:
        """Everything that is stored of a thing, unmasked. It leaves this room through ``view`` only."""
        found = await walk(conn, thing)
        events = await fetch_events(conn, found.events, found.bodies)
        gtin, serial, lot = split_item(thing)
        status = (await code_statuses(conn, gtin, [serial])).get(serial) if serial else None
        if not events and status is None:
            return None
        relatives = await fetch_relatives(conn, events)
        names = await self._names(conn, events, relatives)
        said = [split_item(uri)[2] for uri in found.lots if uri.startswith(f"{_ITEM_PREFIX}{gtin}/")]
        lot = lot or next(iter(said), status["lot"] if status is not None else "")
        own = _on_the_way(found, events)
        facts = [
            make_fact(
                event,
                body=own_body(event.body, own),
                statement=event.statement,
                relatives=relatives[event.row["event_key"]],
                names=names,
                tie=event.tie,
                whole=True,
            )
            for event in events
        ]
        # State and recall are read off the whole facts: a mask hides fields, it never changes what is so.
        recall = await self._recall(conn, facts, relatives, names, gtin, lot)
        month = datetime.now(UTC).date().replace(day=1)
        return Gathered(
            walk=found,
            events=events,
            relatives=relatives,
            names=names,
            facts=tuple(facts),
            gtin=gtin,
            serial=serial,
            lot=lot,
            state=_state(facts, recall, status),
            recall=recall,
            product=await self._product(conn, gtin),
            footprint=Footprint(
                keys=found.footprint,
                month=month,
                rows=await _rows_since(conn, found.footprint, month),
                acts=len(status["acts"]) if status is not None else 0,
                gtin=gtin,
                serial=serial,
            ),
        )

    def view(self, gathered: Gathered, viewer: Viewer) -> Reading:
        """What a viewer sees of what was gathered. Pure. Raises ``NotFoundError``
        (``policy.audience.unknown``).
        """
        seen = self._mask(gathered, viewer) if viewer.whole or _is_held(gathered.walk.thing) else []
        facts = tuple(one.fact for one in seen)
        found = gathered.walk
        return Reading(
            trace=Trace(
                thing=found.thing,
                kind=thing_kind(found.thing),
                gtin=gathered.gtin,
                serial=gathered.serial,
                lot=gathered.lot,
                state=gathered.state,
                audience=viewer.audience,
                product={**gathered.product, **_dates(facts)},
                facts=facts,
                ambiguities=tuple(found.ambiguities) if viewer.whole else _plain_ambiguities(found),
                recall=gathered.recall,
                aliases=tuple(found.aliases),
                parcels=found.parcels if viewer.whole else (),
                truncated=found.truncated,
            ),
            seen=tuple(seen),
            footprint=gathered.footprint,
        )

    async def unchanged(self, footprint: Footprint) -> bool:
        """Whether nothing was said, since the trace was read, of anything that it went through.

        Names of parties, products and places are not watched.
        """
        async with self.pool.acquire() as conn:
            if await _rows_since(conn, footprint.keys, footprint.month) != footprint.rows:
                return False
            if not footprint.serial:
                return True
            status = await code_statuses(conn, footprint.gtin, [footprint.serial])
            acts = status[footprint.serial]["acts"] if footprint.serial in status else ()
            return len(acts) == footprint.acts

    async def snapshot(self) -> str:
        """Which transactions have ended: equal words mean that not one ended in between."""
        return str(await self.pool.fetchval("SELECT pg_current_snapshot()::text"))

    async def knows(self, thing: str) -> bool:
        """Whether any event names the thing."""
        return bool(await self.pool.fetchval(sql("suyuan.trace", "knows"), thing_key(thing)))

    async def product(self, thing: str, gtin: str, viewer: Viewer) -> Trace:
        """A product of which no event speaks: what the catalogue knows, and no facts."""
        async with self.pool.acquire() as conn:
            attributes = await self._product(conn, gtin)
        return Trace(
            thing=thing, kind=thing_kind(thing), gtin=gtin, serial="", lot="", state="unknown",
            audience=viewer.audience, product=attributes, facts=(), ambiguities=(), recall=None,
        )  # fmt: skip

    # -- masking ------------------------------------------------------------------------------------------

    def _mask(self, gathered: Gathered, viewer: Viewer) -> list[Seen]:
        found, events = gathered.walk, gathered.events
        chain = _on_the_way(found, events)
        item = {found.thing, *found.aliases}
        lots = {*found.lots, *(uri.split("/21/")[0].split("/10/")[0] for uri in item | set(found.lots))}
        seen = []
        for event, whole in zip(events, gathered.facts, strict=True):
            key = event.row["event_key"]
            positions = found.positions.get(key, {})
            context = context_of(event.body, event.statement, item=item, lot=lots, chain=chain)
            claims = own_claims(claims_at_hand(event.body, event.statement, positions), chain)
            masked = mask_claims(self.policy, viewer.audience, claims, context)
            if not masked.shown:
                continue
            if viewer.whole:
                fact = whole
            else:
                fact = make_fact(
                    event,
                    body=masked.body,
                    statement=masked.statement,
                    relatives=gathered.relatives[key],
                    names=gathered.names,
                    tie=_plain_tie(event.tie),
                    whole=False,
                )
            seen.append(Seen(event=event, masked=masked, fact=fact, positions=positions))
        return seen

    # -- names --------------------------------------------------------------------------------------------

    async def _names(
        self, conn: Connection, events: Sequence[StoredEvent], relatives: dict[int, Relatives]
    ) -> Names:
        parties = {event.row["party_id"] for event in events}
        parties |= {row["party_id"] for one in relatives.values() for row in (*one.declarations, *one.equals)}
        known = await self._parties.find(conn, parties)
        places = await self._places.find(
            conn, {uri for event in events for uri in mentioned_places(event.body)}
        )
        return Names(
            {party_id: (party.name_en, party.name_zh) for party_id, party in known.items()},
            {uri: _place(place) for uri, place in places.items()},
        )

    async def _product(self, conn: Connection, gtin: str) -> dict[str, str]:
        product = (await self._products.find(conn, {gtin})).get(gtin) if gtin else None
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


def _on_the_way(found: Walk, events: Sequence[StoredEvent]) -> set[str]:
    """Everything that ties facts to the item: what contained it, its papers, what it was made from."""
    chain = {reach.uri for reach in found.containers} | set(found.papers) | {found.thing}
    return chain | {link.uri for event in events for link in event.tie.links}


def _is_held(thing: str) -> bool:
    """Whether the public may ask for it: an item, a lot or a package that somebody can have in hand.

    A bare GTIN stands in everybody's orders, a container and a paper belong to trade: their URIs can be guessed.
    """
    gtin, serial, lot = split_item(thing)
    return bool(serial or lot) if gtin else not document_kind(thing)


async def _rows_since(conn: Connection, keys: Mapping[bytes, bool], month: date) -> int:
    wanted = sorted(keys)
    count = await conn.fetchval(
        sql("suyuan.trace", "footprint"), wanted, [keys[key] for key in wanted], month
    )
    return int(count)


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


def _state(facts: Sequence[Fact], recall: Recall | None, status: Any) -> str:
    if status is not None and "voided" in status["acts"]:
        return "voided"
    if recall is not None:
        return "recalled"
    state = state_of(facts)
    if state == "unknown" and status is not None:
        return "issued"
    return state


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


def _plain_tie(tie: Tie) -> Tie:
    """A tie as the public sees it: what kinds of things it goes through and when. Only a lot has its name."""
    return Tie(kind=tie.kind, links=tuple(_plain_link(link) for link in tie.links))


def _plain_link(link: TieLink) -> TieLink:
    lot = link.kind == "lot"
    return TieLink(
        kind="parcel" if link.kind in PERSON_KINDS else link.kind,
        uri=link.uri if lot else "",
        label=link.label if lot else "",
        since=link.since,
        until=link.until,
    )


def _plain_ambiguities(found: Walk) -> tuple[Any, ...]:
    return tuple(msgspec.structs.replace(ambiguity, candidates=()) for ambiguity in found.ambiguities)
