"""Facts that are made once for all goods for which an event says the same.

What a fact shows depends on the event, on what its parties and places are called, and of the goods only on which of
the names in the event are theirs: so far goods of one case or consignment differ in few facts.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import msgspec

from suyuan.capture.payload import list_counts
from suyuan.disclosure.claims import Claim
from suyuan.disclosure.policy import named_by
from suyuan.trace.claims import claims_at_hand, own_body
from suyuan.trace.facts import Names, make_fact, mentioned_places
from suyuan.trace.model import Fact, Tie
from suyuan.trace.stored import StoredEvent

_MAX_MADE = 4


def is_shared(event: StoredEvent) -> bool:
    """Whether facts of the event are kept: not where its lists lie apart and each item reads its own place in them."""
    return event.known is not None and not list_counts(event.body)


def names_in(event: StoredEvent) -> frozenset[str]:
    """Everything that the claims of a shared event name."""
    known = event.known
    assert known is not None
    if known.named is None:
        known.claims = claims_at_hand(event.body, event.statement, {})
        known.named = frozenset(named_by(claim.value) for claim in known.claims)
    return known.named


def claims_in(event: StoredEvent) -> Sequence[Claim]:
    """All claims of a shared event; they are not kept for long."""
    known = event.known
    assert known is not None
    claims, known.claims = known.claims, None
    return claims_at_hand(event.body, event.statement, {}) if claims is None else claims


def fact_for(
    event: StoredEvent, depends: Hashable, names: Names, make: Callable[[], Fact | None], tie: Tie
) -> Fact | None:
    """What ``make`` gives, with this tie: made once for all that ``depends`` and the names are the same for."""
    known = event.known
    assert known is not None
    if known.called is None:
        speakers = {row["party_id"] for row in known.relatives.declarations}
        speakers.add(str(event.statement.get("party", "")))
        known.called = sorted(speakers), mentioned_places(event.body)
    parties, places = known.called
    key = (
        depends,
        tuple([names.parties.get(party) for party in parties]),
        tuple([names.places.get(uri) for uri in places]),
    )
    if key not in known.made:
        if len(known.made) >= _MAX_MADE:
            known.made.clear()
        known.made[key] = make()
    fact = known.made[key]
    return None if fact is None else msgspec.structs.replace(fact, tie=tie)


def whole_fact(event: StoredEvent, chain: frozenset[str], names: Names) -> Fact:
    """The fact of an event as the operator sees it, with the papers of no other person's goods."""

    def make() -> Fact:
        assert event.known is not None
        return make_fact(
            event,
            body=own_body(event.body, chain),
            statement=event.statement,
            relatives=event.known.relatives,
            names=names,
            tie=event.tie,
            whole=True,
        )

    if not is_shared(event):
        return make()
    # Of the goods it depends on which of the papers and parcels that the event names are theirs.
    fact = fact_for(event, names_in(event) & chain, names, make, event.tie)
    assert fact is not None
    return fact
