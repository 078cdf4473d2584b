"""An event as an audience sees it, and which claims its proof may carry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from suyuan.canon import JSON
from suyuan.disclosure.claims import Claim, body_of, claims_of
from suyuan.disclosure.policy import Context, Policy, Verdict


class Masked(NamedTuple):
    """A masked event: what may be shown of it, and the positions of the claims for page and proof.

    ``shown`` and ``linked`` are disjoint; a proof carries both. An event of which nothing is shown does not
    exist for the audience: no page and no proof mentions it.
    """

    body: dict[str, JSON]
    statement: dict[str, JSON]
    shown: frozenset[int]
    linked: frozenset[int]

    @property
    def disclosed(self) -> frozenset[int]:
        """Positions of the claims that a proof carries; empty where nothing is shown."""
        return self.shown | self.linked if self.shown else frozenset()


def context_of(
    body: Mapping[str, JSON],
    statement: Mapping[str, JSON],
    *,
    item: Iterable[str] = (),
    lot: Iterable[str] = (),
    chain: Iterable[str] = (),
) -> Context:
    """The context of an event: its step and paper, and for which item it is shown (see ``Context``)."""
    step, kind = body.get("bizStep"), statement.get("deliveredAs")
    return Context(
        step=step if isinstance(step, str) else "",
        kind=kind if isinstance(kind, str) else "",
        item=frozenset(item),
        lot=frozenset(lot),
        chain=frozenset(chain),
    )


def mask_claims(policy: Policy, audience: str, claims: Iterable[Claim], context: Context) -> Masked:
    """The mask over these claims of one event, which need not be all of them.

    Raises ``NotFoundError`` (``policy.audience.unknown``).
    """
    view = policy.view(audience, context)
    shown: list[Claim] = []
    linked: list[int] = []
    for claim in claims:
        verdict = view.verdict(claim.path, claim.value)
        if verdict is Verdict.SHOWN:
            shown.append(claim)
        elif verdict is Verdict.LINK:
            linked.append(claim.position)
    body, statement = body_of([(claim.path, claim.value) for claim in shown])
    return Masked(body, statement, frozenset(claim.position for claim in shown), frozenset(linked))


def mask_body(
    policy: Policy,
    audience: str,
    body: Mapping[str, JSON],
    statement: Mapping[str, JSON],
    context: Context | None = None,
) -> Masked:
    """The mask over a whole event; without a context no claim counts as naming the item.

    Raises ``NotFoundError`` (``policy.audience.unknown``) and ``InputError`` (``disclosure.body.malformed``).
    """
    context = context_of(body, statement) if context is None else context
    return mask_claims(policy, audience, claims_of(body, statement), context)
