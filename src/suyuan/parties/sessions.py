"""Sessions of people in the console: a random token in a cookie, its digest in the database.

A session ends when it was not used for an hour, after half a day in any case, when it is revoked, and when its
account is closed. Every sign-in gets a new token: the one that a browser held before is worth nothing afterwards.
A session of the stage ``password`` knows the password and not yet the second factor; it opens nothing, and lasts
ten minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import datetime
from typing import Literal

import msgspec

from suyuan.canon import base32_text
from suyuan.db.pool import Connection, Pool, sql
from suyuan.parties.users import User

Stage = Literal["password", "full"]
IDLE_SECONDS = 3600.0
FULL_SECONDS = 12 * 3600.0
PASSWORD_SECONDS = 600.0
_SECRET = re.compile(r"[a-z2-7]{52}")


class UserSession(msgspec.Struct, frozen=True, kw_only=True):
    """An open session and whose it is. ``offered_totp`` is a second factor that awaits its confirmation."""

    session_id: str
    stage: Stage
    user: User
    offered_totp: bytes | None = None


class SessionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A session as its user sees it in a list."""

    session_id: str
    device: str
    network: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


def _digest(secret: str) -> bytes:
    return hashlib.sha256(b"suyuan session\0" + secret.encode("ascii")).digest()


async def open_session(
    db: Pool | Connection, user_id: str, stage: Stage, *, device: str = "", network: str = ""
) -> str:
    """Open a session and return its token, which can never be had again."""
    secret = base32_text(secrets.token_bytes(32))
    await db.execute(
        sql(__package__, "add_session"),
        "se-" + base32_text(secrets.token_bytes(10)),
        _digest(secret),
        user_id,
        stage,
        device[:100],
        network,
        FULL_SECONDS if stage == "full" else PASSWORD_SECONDS,
    )
    return secret


async def find_session(db: Pool | Connection, secret: str) -> UserSession | None:
    """The open session of a token, or None; to have been asked for is to have been used."""
    if not _SECRET.fullmatch(secret):
        return None
    digest = _digest(secret)
    row = await db.fetchrow(sql(__package__, "find_session"), digest, IDLE_SECONDS)
    if row is None or not hmac.compare_digest(row["session_digest"], digest):
        return None
    if row["stale"]:
        await db.execute(sql(__package__, "touch_session"), row["session_id"])
    fields = {name: row[name] for name in User.__struct_fields__ if name in row}
    return UserSession(
        session_id=row["session_id"],
        stage=row["stage"],
        user=User(**fields),
        offered_totp=row["offered_totp"],
    )


async def list_sessions(db: Pool | Connection, user_id: str) -> list[SessionEntry]:
    """A user's open sessions, the last used one first."""
    rows = await db.fetch(sql(__package__, "list_sessions"), user_id, IDLE_SECONDS)
    return [SessionEntry(**dict(row)) for row in rows]


async def end_session(db: Pool | Connection, session_id: str, user_id: str) -> bool:
    """End one session of a user; False where there is no such open one."""
    return await db.fetchrow(sql(__package__, "end_session"), session_id, user_id) is not None


async def end_sessions(db: Pool | Connection, user_id: str, *, but: str = "") -> None:
    """End all sessions of a user, except the one with the ID ``but``."""
    await db.execute(sql(__package__, "end_sessions"), user_id, but)


async def offer_session_totp(db: Pool | Connection, session_id: str, sealed: bytes) -> bytes:
    """Keep a second factor that awaits confirmation; the one that was kept first stays."""
    return bytes(await db.fetchval(sql(__package__, "offer_session_totp"), session_id, sealed))


async def forget_offered_totp(db: Pool | Connection, session_id: str) -> None:
    """Drop the second factor that awaited confirmation."""
    await db.execute(sql(__package__, "forget_offered_totp"), session_id)
