"""An event as an audience sees it, and which claims its proof may carry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from suyuan.canon import JSON
from suyuan.disclosure.claims import STATEMENT, Claim, body_of, claims_of
from suyuan.disclosure.verdicts import Context, Policy, Verdict, View


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


def mask_claims(
    policy: Policy,
    audience: str | Sequence[str],
    claims: Iterable[Claim],
    context: Context,
    *,
    of_statement: str | Sequence[str] | None = None,
) -> Masked:
    """The mask over these claims of one event, which need not be all of them.

    Of several audiences the one that sees more decides on each claim. The claims of the statement are for
    ``of_statement`` where that is given: who delivered an equal event knows the body, not how another delivered it.
    Raises ``NotFoundError`` (``policy.audience.unknown``).
    """
    views = _views(policy, audience, context)
    apart = (
        views if of_statement is None or of_statement == audience else _views(policy, of_statement, context)
    )
    shown: list[Claim] = []
    linked: list[int] = []
    alone = views[0] if len(views) == 1 and apart is views else None
    known = alone.event.by_path if alone is not None else {}
    for claim in claims:
        path, position, value = claim
        if alone is not None:
            verdict = known.get(path) or alone.verdict(path, value)
        else:
            verdict = _verdict(apart if path.startswith(STATEMENT) else views, path, value)
        if verdict is Verdict.SHOWN:
            shown.append(claim)
        elif verdict is Verdict.LINK:
            linked.append(position)
    body, statement = body_of([(claim.path, claim.value) for claim in shown])
    return Masked(body, statement, frozenset(claim.position for claim in shown), frozenset(linked))


def _views(policy: Policy, audience: str | Sequence[str], context: Context) -> list[View]:
    names = [audience] if isinstance(audience, str) else audience
    return [policy.view(name, context) for name in names]


def _verdict(views: list[View], path: str, value: JSON) -> Verdict:
    best = Verdict.HIDDEN
    for view in views:
        verdict = view.verdict(path, value)
        if verdict is Verdict.SHOWN:
            return verdict
        if verdict is Verdict.LINK:
            best = verdict
    return best


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
