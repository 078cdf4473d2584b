"""Why a viewer sees or does not see each fact of a thing. For the operator, who may ask about everybody."""

from __future__ import annotations

from datetime import datetime

import msgspec

from suyuan.disclosure.claims import STATEMENT
from suyuan.disclosure.explaining import decision_words
from suyuan.disclosure.policy import Policy, Verdict
from suyuan.trace.masking import Asked, Masking, may_ask
from suyuan.trace.model import Sight
from suyuan.trace.read import Gathered, TraceReader, Viewer

_ORDER = (Verdict.SHOWN, Verdict.LINK, Verdict.HIDDEN)


class ExplainedClaims(msgspec.Struct, frozen=True, kw_only=True):
    """Claims of one fact on which the same rule decides: their paths, the verdict, why."""

    verdict: str
    field_class: str
    paths: tuple[str, ...]
    reason_en: str
    reason_zh: str


class ExplainedFact(msgspec.Struct, frozen=True, kw_only=True):
    """One fact: whether it exists for the viewer, as which audiences of the policy it is asked, and every claim."""

    event_time: datetime
    biz_step: str
    party: str
    shown: bool
    audiences: tuple[str, ...]
    sight: Sight | None
    claims: tuple[ExplainedClaims, ...]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """As what a viewer looks at a thing, on what that rests, and every fact that there is.

    ``may_ask`` is False where the audience may not ask for such a thing at all, whatever the rules say of its facts.
    """

    thing: str
    party: str
    audience: str
    may_ask: bool
    standing: tuple[Sight, ...]
    facts: tuple[ExplainedFact, ...]


async def explain(reader: TraceReader, thing: str, viewer: Viewer) -> Explanation | None:
    """Why the viewer sees what it sees of a thing; None where nothing is known of it.

    Raises ``NotFoundError`` (``policy.audience.unknown``).
    """
    async with (
        reader.pool.acquire() as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        gathered = await reader.gather(conn, thing)
    return None if gathered is None else _explained(reader, gathered, viewer)


def _explained(reader: TraceReader, gathered: Gathered, viewer: Viewer) -> Explanation:
    masking = reader.masking(gathered, viewer)
    asks = may_ask(gathered.walk.thing, masking.standing.audience)
    facts = []
    for asked in masking.asked():
        seen = masking.seen(asked) if asks else None
        facts.append(
            ExplainedFact(
                event_time=asked.event.row["event_time"],
                biz_step=str(asked.event.body.get("bizStep") or ""),
                party=asked.event.row["party_id"],
                shown=seen is not None,
                audiences=masking.audiences(asked),
                sight=None if seen is None else seen.fact.sight,
                claims=_claims(reader.policy, masking, asked),
            )
        )
    return Explanation(
        thing=gathered.walk.thing,
        party=viewer.party,
        audience=masking.standing.audience,
        may_ask=asks,
        standing=masking.standing.rests,
        facts=tuple(facts),
    )


def _claims(policy: Policy, masking: Masking, asked: Asked) -> tuple[ExplainedClaims, ...]:
    """All claims of an event, those together on which the same rule decides; what is shown first."""
    paths: dict[tuple[Verdict, str, str, str], dict[str, None]] = {}
    for claim in asked.claims():
        of_statement = claim.path.startswith(STATEMENT)
        audiences = masking.of_statement(asked) if of_statement else masking.audiences(asked)
        decided = [(policy.decide(name, claim.path, claim.value, asked.context), name) for name in audiences]
        # Of several audiences the one that sees more decides.
        decision, name = min(decided, key=lambda one: _ORDER.index(one[0].verdict))
        words = decision_words(policy, name, decision)
        paths.setdefault((decision.verdict, decision.class_name, words.en, words.zh), {})[claim.path] = None
    return tuple(
        ExplainedClaims(
            verdict=verdict.value, field_class=name, paths=tuple(named), reason_en=english, reason_zh=chinese
        )
        for (verdict, name, english, chinese), named in sorted(
            paths.items(), key=lambda entry: _ORDER.index(entry[0][0])
        )
    )
