"""Ended sessions and used links are forgotten after a time: nobody needs to know for ever with which device somebody
signed in. What happened to accounts stays in their journal, which knows networks and no devices.
"""

from __future__ import annotations

from typing import Final

from suyuan.db.pool import Connection, Pool, sql

KEPT_DAYS: Final = 90
_DAY: Final = 86_400.0


async def forget_sessions(db: Pool | Connection, days: int = KEPT_DAYS) -> int:
    """Forget sessions and one-time links that ended, or could have been used, longer ago; returns how many went.

    Of each person the last session stays, which says when that was.
    """
    gone = 0
    for name in ("forget_sessions", "forget_user_links"):
        done = await db.execute(sql(__package__, name), days * _DAY)
        gone += int(done.rpartition(" ")[2])
    return gone
