"""What a viewer sees of what was gathered of a thing: event by event, claim by claim, as the policy says.

A mask hides fields, it never changes what is so: nothing is computed from what is left here but the facts themselves.
Nobody outside this room gets an event but through here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cached_property

import msgspec

from suyuan.capture.links import PERSON_KINDS, document_kind
from suyuan.disclosure.claims import Claim
from suyuan.disclosure.mask import Masked, context_of, mask_claims
from suyuan.disclosure.policy import Context, Policy, Verdict
from suyuan.gs1.percent import decode_value
from suyuan.trace.claims import Positions, claims_at_hand, own_claims
from suyuan.trace.facts import Names, make_fact
from suyuan.trace.making import claims_in, fact_for, is_shared, names_in
from suyuan.trace.model import Fact, Recall, Tie, TieLink
from suyuan.trace.sight import SIGHTS, Ground, Viewer, standing_of
from suyuan.trace.stored import Relatives, StoredEvent
from suyuan.trace.walk import Walk

_ITEM_PREFIX = "https://id.gs1.org/01/"
_ASK_ANYTHING = ("operator", "regulator")
# Where an event would name the thing that a link of a tie goes through.
_LINK_PATHS = {"alias": "epcList", "input": "inputEPCList", "lot": "quantityList/epcClass"}


class Seen:
    """One event as its viewer gets it: the event, its fact, its mask, and where its lists name our things.

    Bundles are built from these. ``audiences`` are those of the policy as which the viewer sees the event.
    """

    def __init__(
        self,
        event: StoredEvent,
        fact: Fact,
        positions: Positions,
        audiences: tuple[str, ...],
        mask: Callable[[], Masked],
    ) -> None:
        self.event = event
        self.fact = fact
        self.positions = positions
        self.audiences = audiences
        self._mask = mask

    @cached_property
    def masked(self) -> Masked:
        """The mask. A page of the operator's never asks for it."""
        return self._mask()


class Footprint(msgspec.Struct, frozen=True, kw_only=True):
    """What a trace depends on, and how much of it there was: a cheap way to know that nothing changed.

    ``rows`` counts the index rows of these keys since ``month``, of those marked True their links alone; ``acts`` the
    acts of issuing on the code.
    """

    keys: dict[bytes, bool]
    month: date
    rows: int
    acts: int
    gtin: str
    serial: str


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
    ground: Ground
    footprint: Footprint
    # its label has a scratch code
    scratch: bool
    # everything that ties facts to the thing
    chain: frozenset[str]
    # which transactions had ended
    snapshot: str


def split_item(uri: str) -> tuple[str, str, str]:
    """GTIN, serial and lot in a canonical GTIN URI; empty where it has none."""
    if not uri.startswith(_ITEM_PREFIX):
        return "", "", ""
    parts = [decode_value(part) for part in uri[len(_ITEM_PREFIX) :].split("/")]
    keys = dict(zip(parts[1::2], parts[2::2], strict=False))
    return parts[0], keys.get("21", ""), keys.get("10", "")


def may_ask(thing: str, audience: str) -> bool:
    """Whether an audience may ask for such a thing at all.

    The public asks for what somebody can have in hand: an item, a lot or a package. A container and a paper belong to
    trade, their numbers can be guessed in order, and members see of them what their chain lets them. A bare GTIN
    stands in everybody's orders: its way would be that of every lot and parcel.
    """
    if audience in _ASK_ANYTHING:
        return True
    gtin, serial, lot = split_item(thing)
    if gtin:
        return bool(serial or lot)
    return audience != "public" or not document_kind(thing)


class Asked:
    """One event that a mask is asked for, with its whole fact, and the item for which it is asked."""

    def __init__(
        self, event: StoredEvent, whole: Fact, positions: Positions, item: Context, chain: frozenset[str]
    ) -> None:
        self.event = event
        self.whole = whole
        self.positions = positions
        self.item = item
        self.chain = chain

    @cached_property
    def context(self) -> Context:
        """What verdicts on the event depend on."""
        item, event = self.item, self.event
        return context_of(event.body, event.statement, item=item.item, lot=item.lot, chain=item.chain)

    def claims(self) -> Sequence[Claim]:
        """The claims of the event that are about this thing."""
        return own_claims(claims_at_hand(self.event.body, self.event.statement, self.positions), self.chain)


class Masking:
    """One viewer's mask over what was gathered of one thing."""

    def __init__(self, policy: Policy, gathered: Gathered, viewer: Viewer) -> None:
        """Raises ``NotFoundError`` (``policy.audience.unknown``)."""
        self.policy = policy
        self.standing = standing_of(viewer, gathered.ground, policy.classes)
        self._sees_all = policy.audience(self.standing.audience).sees_all
        self._gathered = gathered
        self._viewer = viewer
        self._plain_ties: dict[int, Tie] = {}

    def all_seen(self) -> list[Seen]:
        """The events that exist for the viewer, in order."""
        if not may_ask(self._gathered.walk.thing, self.standing.audience):
            return []
        return [one for asked in self.asked() if (one := self.seen(asked)) is not None]

    def asked(self) -> Iterator[Asked]:
        """Every event, with the item for which it is asked."""
        found, gathered = self._gathered.walk, self._gathered
        names = frozenset({found.thing, *found.aliases})
        classes = {uri.split("/21/")[0].split("/10/")[0] for uri in names | set(found.lots)}
        item = Context(item=names, lot=frozenset({*found.lots, *classes}), chain=gathered.chain)
        for event, whole in zip(gathered.events, gathered.facts, strict=True):
            positions = found.positions.get(event.row["event_key"], {})
            yield Asked(event, whole, positions, item, gathered.chain)

    def audiences(self, asked: Asked) -> tuple[str, ...]:
        """As which audiences of the policy the viewer sees an event, the one that says most of why first."""
        key, standing = asked.event.row["event_key"], self.standing
        if self._is_own(asked) or key in standing.delivered:
            return ("deliverer",)
        if key in standing.named and standing.audience not in _ASK_ANYTHING:
            return ("named", standing.audience)
        return (standing.audience,)

    def of_statement(self, asked: Asked) -> tuple[str, ...]:
        """The same for who delivered the event and how: of an event that the viewer delivered as well, the word of
        the one that stands for it is not the viewer's own.
        """
        return self.audiences(asked) if self._is_own(asked) else (self.standing.audience,)

    def seen(self, asked: Asked) -> Seen | None:
        """The event as the viewer sees it; None where nothing of it is shown."""
        if self._sees_all:
            # Nothing is asked of the policy, claim by claim, until a proof is.
            return Seen(
                asked.event, asked.whole, asked.positions, (self.standing.audience,), lambda: self._all(asked)
            )
        event, audiences = asked.event, self.audiences(asked)
        if self.standing.audience == "public" and not self._viewer.party and is_shared(event):
            return self._public(asked)
        if all(self.policy.view(name, asked.context).event.is_blind for name in audiences):
            return None
        claims = asked.claims()
        masked = mask_claims(
            self.policy, audiences, claims, asked.context, of_statement=self.of_statement(asked)
        )
        if not masked.shown:
            return None
        sight = SIGHTS.get(audiences[0], SIGHTS["public"])
        if self._viewer.party and audiences[0] not in ("deliverer", "named", "public"):
            public = mask_claims(self.policy, "public", claims, asked.context)
            sight = SIGHTS["public"] if masked.shown <= public.shown else sight
        fact = make_fact(
            event,
            body=masked.body,
            statement=masked.statement,
            relatives=self._gathered.relatives[event.row["event_key"]],
            names=self._gathered.names,
            tie=self._tie(event.tie, audiences, asked.context),
            whole=False,
            own=self._is_own(asked),
            sight=sight,
            shows=self._shows(audiences, asked),
        )
        return Seen(event, fact, asked.positions, audiences, lambda: masked)

    def _public(self, asked: Asked) -> Seen | None:
        """The event as the public sees it, made once for all goods for which it says the same.

        A rule asks of the goods only whether what a claim names is the item, of its lot or on its chain.
        """
        event, item = asked.event, asked.item
        names = names_in(event)
        for_item = (names & item.item, names & item.lot, names & item.chain)
        fact = fact_for(
            event,
            (self.policy, *for_item),
            self._gathered.names,
            lambda: self._public_fact(asked),
            self._tie(event.tie, ("public",), item),
        )
        if fact is None:
            return None
        return Seen(event, fact, asked.positions, ("public",), lambda: self._all(asked))

    def _public_fact(self, asked: Asked) -> Fact | None:
        claims = own_claims(claims_in(asked.event), asked.chain)
        masked = mask_claims(self.policy, "public", claims, asked.context)
        if not masked.shown:
            return None
        event = asked.event
        return make_fact(
            event,
            body=masked.body,
            statement=masked.statement,
            relatives=self._gathered.relatives[event.row["event_key"]],
            names=self._gathered.names,
            tie=event.tie,
            whole=False,
            sight=SIGHTS["public"],
            shows=self._shows(("public",), asked),
        )

    def _shows(self, audiences: tuple[str, ...], asked: Asked) -> Callable[[str, str], bool]:
        """Which fields of a declaration against the event the audiences see: it is masked as the event is."""

        def shows(path: str, value: str) -> bool:
            views = [self.policy.view(name, asked.context) for name in audiences]
            return any(view.verdict(path, value) is Verdict.SHOWN for view in views)

        return shows

    def _is_own(self, asked: Asked) -> bool:
        return bool(self._viewer.party) and asked.event.row["party_id"] == self._viewer.party

    def _all(self, asked: Asked) -> Masked:
        return mask_claims(self.policy, self.standing.audience, asked.claims(), asked.context)

    def _tie(self, tie: Tie, audiences: tuple[str, ...], context: Context) -> Tie:
        """A tie as a masked audience sees it: what kinds of things it goes through and when, and of these by name
        the lot and what the audience may see on its own. The public's page names kinds alone.
        """
        if audiences == ("public",):
            plain = self._plain_ties.get(id(tie))
            if plain is None:
                plain = Tie(kind=tie.kind, links=tuple(_plain_link(link) for link in tie.links))
                self._plain_ties[id(tie)] = plain
            return plain
        views = [self.policy.view(name, context) for name in audiences]
        links = []
        for link in tie.links:
            path = _LINK_PATHS.get(link.kind, "bizTransactionList" if document_kind(link.uri) else "parentID")
            shown = any(view.verdict(path, link.uri) is Verdict.SHOWN for view in views)
            links.append(msgspec.structs.replace(link, event_key=0) if shown else _plain_link(link))
        return Tie(kind=tie.kind, links=tuple(links))


def on_the_way(found: Walk, events: Sequence[StoredEvent]) -> set[str]:
    """Everything that ties facts to the item: what contained it, its papers, what it was made from."""
    chain = {reach.uri for reach in found.containers} | set(found.papers) | {found.thing}
    return chain | {link.uri for event in events for link in event.tie.links}


def _plain_link(link: TieLink) -> TieLink:
    lot = link.kind == "lot"
    return TieLink(
        kind="parcel" if link.kind in PERSON_KINDS else link.kind,
        uri=link.uri if lot else "",
        label=link.label if lot else "",
        since=link.since,
        until=link.until,
    )
