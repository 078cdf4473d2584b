"""One-time links: how a person gets into an account without anybody else knowing its password.

A link holds 256 random bits, of which the database keeps the digest. It ends when it is used, when it expires, or
when another one is made for the same user. ``set-up`` leads to the page where the person chooses a password and
confirms a second factor; ``enter`` opens a session, and only ``suyuan demo`` makes one.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime
from typing import Literal

import msgspec

from suyuan.canon import base32_text
from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import NotFoundError

Purpose = Literal["set-up", "enter"]
SET_UP_SECONDS = 3 * 24 * 3600
ENTER_SECONDS = 12 * 3600
_SECRET = re.compile(r"[a-z2-7]{52}")


class UserLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link that still works. ``totp_sealed`` is the second factor that its page has offered."""

    user_id: str
    purpose: Purpose
    totp_sealed: bytes | None
    expires_at: datetime | None = None


def _digest(secret: str) -> bytes:
    return hashlib.sha256(b"suyuan user link\0" + secret.encode("ascii", "replace")).digest()


def link_path(secret: str) -> str:
    """The path of the page that a link leads to."""
    return f"/console/link/{secret}"


async def make_link(
    conn: Connection, user_id: str, purpose: Purpose, *, seconds: int | None = None
) -> tuple[str, datetime]:
    """A new link's secret, which can never be had again, and its end. Links of the user before it are void."""
    secret = base32_text(secrets.token_bytes(32))
    lifetime = seconds or (SET_UP_SECONDS if purpose == "set-up" else ENTER_SECONDS)
    await conn.execute(sql(__package__, "end_user_links"), user_id)
    expires_at = await conn.fetchval(
        sql(__package__, "add_user_link"), _digest(secret), user_id, purpose, None, float(lifetime)
    )
    return secret, expires_at


def dead_link() -> NotFoundError:
    """The error for a link that never was, is used or has expired: nobody is told which."""
    return NotFoundError(
        "user.link.dead",
        "This link does not work, or no longer.",
        remedy="Ask your administrator for a new one; a link works once and for a limited time.",
    )


async def get_link(db: Pool | Connection, secret: str) -> UserLink:
    """The link of a secret, unused. Raises ``NotFoundError`` (``user.link.dead``)."""
    row = None
    if _SECRET.fullmatch(secret):
        row = await db.fetchrow(sql(__package__, "find_user_link"), _digest(secret))
    if row is None:
        raise dead_link()
    return UserLink(**dict(row))


async def offer_totp(db: Pool | Connection, secret: str, sealed: bytes) -> bytes:
    """Keep the second factor that the link's page offers; the one that was kept first stays."""
    kept = await db.fetchval(sql(__package__, "set_link_totp"), _digest(secret), sealed)
    if kept is None:
        raise dead_link()
    return bytes(kept)


async def take_link(conn: Connection, secret: str, purpose: Purpose) -> UserLink:
    """Use a link up. Raises ``NotFoundError`` (``user.link.dead``)."""
    row = None
    if _SECRET.fullmatch(secret):
        row = await conn.fetchrow(sql(__package__, "take_user_link"), _digest(secret))
    if row is None or row["purpose"] != purpose:
        raise dead_link()
    return UserLink(**dict(row))
