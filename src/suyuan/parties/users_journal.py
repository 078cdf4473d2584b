"""The journal of accounts: who signed in, who failed to, what was set and reset, by whom. Rows never change.

An address is kept as its network (IPv4 /24, IPv6 /48): enough to see that somebody came from elsewhere, too little
to follow a person. A name that no user has is not kept, since people type passwords into the wrong field.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from suyuan.db.pool import Connection, Pool, sql
from suyuan.parties.origins import network_of

Act = Literal[
    "added", "link-made", "link-used", "signed-in", "sign-in-failed", "sign-in-held", "signed-out",
    "second-factor-failed", "recovery-code-used", "password-set", "second-factor-set", "recovery-codes-made",
    "session-revoked", "role-set", "disabled", "enabled", "reset",
]  # fmt: skip


class UserAct(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the journal; ``actor_name`` is who did it to somebody else, None for the user or the operator."""

    act_id: int
    act: str
    acted_at: datetime
    network: str
    detail: str
    user_name: str | None
    actor_name: str | None


async def record_user_act(
    db: Pool | Connection,
    act: Act,
    user_id: str | None,
    *,
    party_id: str | None = None,
    actor_id: str | None = None,
    address: str = "",
    detail: str = "",
) -> None:
    """Add a row; the party is the user's own where none is given."""
    await db.execute(
        sql(__package__, "add_user_act"), act, user_id, party_id, actor_id, network_of(address), detail
    )


async def list_user_acts(
    db: Pool | Connection,
    *,
    party_id: str | None = None,
    user_id: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[UserAct]:
    """Rows of a party, a user or all, newest first, those before the row ``before``."""
    rows = await db.fetch(sql(__package__, "list_user_acts"), party_id, user_id, before, limit)
    return [UserAct(**dict(row)) for row in rows]
