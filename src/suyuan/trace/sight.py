"""Who looks, as what, and why: the audience of a member is decided here, anew for every thing.

A member is on the chain of goods through what the operator granted or the catalogue says, or through others: never
through its own word alone, since anybody can deliver a fact about anything. So

- a fact that it delivered counts if it held a role for these goods when it was recorded, and holds one now;
- a fact of another that names it counts if that other held a role for these goods when it was recorded.

Whoever is not on the chain still sees the facts that it delivered itself. The walk has bounded what belongs to the
goods in time (a pallet's other journeys are not theirs), so no interval is asked for here. Grants count as they are
now: a revoked role no longer opens anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from suyuan.catalog import Product
from suyuan.disclosure.policy import RELATION, named_by
from suyuan.disclosure.verdicts import Classes
from suyuan.parties.roles import Grant
from suyuan.trace.model import WHOLE, Sight
from suyuan.trace.stored import Relatives, StoredEvent

OWNER_ROLES = frozenset({"brand-owner", "seller", "entrusted-firm"})
REGULATOR_ROLES = frozenset({"regulator", "authority"})
CATALOGUE_ROLES = {
    "owner_party": ("owner", "品牌方"),
    "seller": ("seller", "销售方"),
    "producer": ("producer", "生产商"),
    "importer": ("importer", "进口商"),
    "agent": ("agent", "代理商"),
    "distributor": ("distributor", "经销商"),
}
_OWNERS = ("owner_party", "seller")
_STATED_BY = "{urn:suyuan:ext}statedBy"
_PARTY = "urn:suyuan:party:"

# Why a fact is seen, by the audience that sees it.
SIGHTS = {
    "operator": WHOLE,
    "public": Sight("public", "Whoever holds the item may see this.", "任何持有该商品的人都可见。"),
    "deliverer": Sight("delivered", "You delivered this fact.", "此事实由贵方提交。"),
    "named": Sight("named", "This fact names you.", "此事实写明了贵方。"),
    "owner": Sight("product-owner", "The goods are yours.", "这是贵方的商品。"),
    "inspector": Sight("inspected-chain", "You inspect these goods.", "贵方负责检验该商品。"),
    "regulator": Sight("regulator", "You regulate these goods.", "贵方监管该商品。"),
    "member": Sight("on-chain", "You are on the chain of these goods.", "贵方在该商品的链条上。"),
}


class Viewer(msgspec.Struct, frozen=True):
    """For whom a trace is read: an audience of the policy, or a party, whose audience each thing decides.

    A party's ``audience`` is empty. ``numbers`` are those by which papers may name it (customs code, social credit
    code, GLN), ``grants`` what it holds now.
    """

    audience: str
    party: str = ""
    numbers: frozenset[str] = frozenset()
    grants: tuple[Grant, ...] = ()

    @property
    def whole(self) -> bool:
        """The operator sees keys, IDs and papers beside the facts."""
        return self.audience == "operator"

    def is_named(self, text: str) -> bool:
        """Whether a value means this party: its number alone or at the end of a URI, or ``urn:suyuan:party:ID``."""
        if text.startswith(_PARTY):
            return text[len(_PARTY) :] == self.party
        return text.rpartition(":")[2].rpartition("/")[2] in self.numbers


OPERATOR = Viewer("operator")
PUBLIC = Viewer("public")


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """As what a viewer looks at one thing, and on what that rests.

    ``delivered`` and ``named`` are the keys of events that it delivered itself and of those of others that name it.
    """

    audience: str
    rests: tuple[Sight, ...] = ()
    delivered: frozenset[int] = frozenset()
    named: frozenset[int] = frozenset()


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What a standing is judged by: the facts of a thing, its product, and all grants, ended ones too, of the
    parties that delivered them.
    """

    events: Sequence[StoredEvent]
    relatives: Mapping[int, Relatives]
    gtin: str
    product: Product | None
    grants: Mapping[str, tuple[Grant, ...]]

    def delivered_by(self, party: str) -> Iterable[tuple[StoredEvent, asyncpg.Record]]:
        """Events that the party delivered, with its own row of each, which may be a corroboration's."""
        for event in self.events:
            rows = (event.row, *self.relatives[event.row["event_key"]].equals)
            for row in rows:
                if row["party_id"] == party:
                    yield event, row
                    break

    def has_word(self, party: str, moment: datetime) -> bool:
        """Whether the party held a role for these goods at that moment, so that its word counts for others."""
        return any(
            grant.covers(self.gtin or None)
            and grant.granted_at <= moment
            and (grant.revoked_at is None or moment < grant.revoked_at)
            for grant in self.grants.get(party, ())
        )


def standing_of(viewer: Viewer, ground: Ground, classes: Classes) -> Standing:
    """As what the viewer looks at the thing. A viewer that is no party looks as its audience. Pure."""
    if not viewer.party:
        return Standing(audience=viewer.audience)
    delivered = {event.row["event_key"]: (event, row) for event, row in ground.delivered_by(viewer.party)}
    named = {
        event.row["event_key"]
        for event in ground.events
        if event.row["event_key"] not in delivered and _names(viewer, event, ground, classes)
    }
    audience, rests = _audience(viewer, ground, list(delivered.values()), len(named))
    on_chain = audience != "elsewhere"
    return Standing(
        audience=audience,
        rests=rests,
        delivered=frozenset(delivered),
        named=frozenset(named) if on_chain else frozenset(),
    )


def _audience(
    viewer: Viewer, ground: Ground, delivered: list[tuple[StoredEvent, asyncpg.Record]], named: int
) -> tuple[str, tuple[Sight, ...]]:
    gtin = ground.gtin
    covering = [grant for grant in viewer.grants if grant.covers(gtin or None)]
    own = [grant for grant in covering if grant.scope]
    regulating = [grant for grant in covering if grant.role in REGULATOR_ROLES]
    if regulating:
        return "regulator", tuple(_granted(grant) for grant in regulating)
    rests = [_granted(grant) for grant in own]
    catalogued = _catalogued(viewer, ground.product)
    rests += [_in_catalogue(field) for field in catalogued]
    spoken = sum(
        1
        for event, row in delivered
        if covering and not _withdrawn(event, row) and ground.has_word(viewer.party, event.row["record_time"])
    )
    if spoken:
        rests.append(_spoke(spoken))
    if named:
        rests.append(_was_named(named))
    if any(grant.role in OWNER_ROLES for grant in own) or any(field in _OWNERS for field in catalogued):
        return "owner", tuple(rests)
    inspects = {grant.scope for grant in covering if grant.role == "inspector"}
    if (inspects - {""}) or (inspects and (spoken or named)):
        return "inspector", tuple(rests)
    return ("member", tuple(rests)) if rests else ("elsewhere", ())


def _withdrawn(event: StoredEvent, row: asyncpg.Record) -> bool:
    """Whether the party's own event was taken back; of equal events only standing ones are at hand."""
    return row is event.row and bool(row["withdrawn"])


def _names(viewer: Viewer, event: StoredEvent, ground: Ground, classes: Classes) -> bool:
    """Whether the event, which stands, names the party in the word of another that counts."""
    row = event.row
    if row["withdrawn"] or not any(viewer.is_named(text) for text in firms_of(event.body, classes)):
        return False
    saying = (row, *ground.relatives[row["event_key"]].equals)
    return any(
        said["party_id"] != viewer.party and ground.has_word(said["party_id"], said["record_time"])
        for said in saying
    )


def firms_of(body: Mapping[str, Any], classes: Classes) -> list[str]:
    """What an event's body says of the firms that it is between: the values of the class ``relation``, and the firm
    whose word a message relays.
    """
    found: list[str] = []
    for path, value in body.items():
        if path != _STATED_BY and not any(one.name == RELATION for one in classes.candidates(path)):
            continue
        for element in value if isinstance(value, list) else [value]:
            text = named_by(element)
            if text and (path == _STATED_BY or classes.of(path, text) == RELATION):
                found.append(text)
    return found


def _catalogued(viewer: Viewer, product: Product | None) -> list[str]:
    if product is None:
        return []
    return [field for field in CATALOGUE_ROLES if getattr(product, field) == viewer.party]


def _granted(grant: Grant) -> Sight:
    scope_en = f" for {grant.scope}" if grant.scope else " for all goods"
    scope_zh = f"，适用于 {grant.scope}" if grant.scope else "，适用于全部商品"
    return Sight(
        "granted",
        f"The operator granted you the role {grant.role}{scope_en}.",
        f"运营方授予贵方角色 {grant.role}{scope_zh}。",
    )


def _in_catalogue(field: str) -> Sight:
    english, chinese = CATALOGUE_ROLES[field]
    return Sight(
        "catalogue", f"The catalogue names you as {english} of the product.", f"商品目录将贵方列为{chinese}。"
    )


def _spoke(count: int) -> Sight:
    return Sight(
        "delivered",
        f"You delivered {count} of its facts, in a role that the operator granted.",
        f"贵方以运营方授予的角色提交了其中 {count} 条事实。",
    )


def _was_named(count: int) -> Sight:
    return Sight("named", f"{count} facts of others name you.", f"他方提交的 {count} 条事实写明了贵方。")
