"""People of member firms, who sign in to the console with a password and a second factor.

A user belongs to one party; what it sees of goods comes from its party's grants, never from itself. Its role says
what it may do in the console: an ``admin`` keeps the users of its party, a ``worker`` does the party's work, a
``reader`` looks. Nobody has a password that somebody else knows: an account is made empty, and a one-time link
(``users_links``) lets its person choose.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import Literal

import asyncpg
import msgspec

from suyuan.canon import base32_text
from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import ConflictError, InputError, NotFoundError, RefusedError
from suyuan.parties.members import unknown_party
from suyuan.parties.totp import new_recovery_codes, recovery_digest

UserRole = Literal["admin", "worker", "reader"]
USER_ROLES: dict[str, str] = {
    "admin": "does what a worker does, and keeps the users of its party",
    "worker": "searches, reads, captures and prints for its party",
    "reader": "searches and reads",
}
USER_LANGUAGES = ("", "zh-CN", "en")
_RANK = {"reader": 0, "worker": 1, "admin": 2}
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,62}")


class User(msgspec.Struct, frozen=True, kw_only=True):
    """An account, without its secrets. ``language`` is empty until somebody chooses."""

    user_id: str
    user_name: str
    party_id: str
    role: UserRole
    language: str = ""
    has_password: bool = False
    has_totp: bool = False
    created_at: datetime | None = None
    disabled_at: datetime | None = None
    seen_at: datetime | None = None

    def may(self, role: UserRole) -> bool:
        """Whether the user's role is ``role`` or one that includes it."""
        return _RANK[self.role] >= _RANK[role]


class UserSecrets(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed to check who somebody is. Never shown, never logged."""

    user_id: str
    password_hash: str | None
    totp_sealed: bytes | None
    totp_step: int
    disabled_at: datetime | None


def normal_name(text: str) -> str:
    """A user's name as it is compared: lower case, without blanks around."""
    return text.strip().lower()


def _check_role(role: str) -> None:
    if role not in USER_ROLES:
        raise InputError(
            "user.role.unknown",
            f"There is no role {role[:40]!r} for users.",
            path="role",
            remedy="The roles are: " + ", ".join(USER_ROLES) + ".",
        )


async def add_user(
    db: Pool | Connection, user_name: str, party_id: str, role: str, *, language: str = ""
) -> User:
    """Add an account without a password; nobody can sign in to it before its link was used.

    Raises ``InputError`` (``user.name.form``, ``user.role.unknown``), ``ConflictError`` (``user.exists``) and
    ``NotFoundError`` (``party.unknown``).
    """
    name = normal_name(user_name)
    if not _NAME.fullmatch(name):
        raise InputError(
            "user.name.form",
            "A user's name has 2 to 63 letters a-z, digits, dots, hyphens and underscores.",
            path="user_name",
        )
    _check_role(role)
    user_id = "us-" + base32_text(secrets.token_bytes(10))
    try:
        row = await db.fetchrow(sql(__package__, "add_user"), user_id, name, party_id, role, language)
    except asyncpg.ForeignKeyViolationError:
        raise unknown_party(party_id) from None
    if row is None:
        raise ConflictError(
            "user.exists",
            f"There is a user {name} already.",
            path="user_name",
            remedy="Choose another name; names are unique in the whole deployment.",
        )
    return User(**dict(row))


def unknown_user(name: str) -> NotFoundError:
    """The error for a name or ID that no user has."""
    return NotFoundError(
        "user.unknown",
        f"There is no user {name[:64]!r}.",
        path="user_name",
        remedy="List the users: suyuan user list",
    )


async def find_user(db: Pool | Connection, user_name: str) -> User | None:
    """The user of this name, or None."""
    row = await db.fetchrow(sql(__package__, "find_user"), normal_name(user_name))
    return None if row is None else User(**dict(row))


async def get_user(db: Pool | Connection, user_id: str) -> User:
    """The user of this ID. Raises ``NotFoundError`` (``user.unknown``)."""
    row = await db.fetchrow(sql(__package__, "get_user"), user_id)
    if row is None:
        raise unknown_user(user_id)
    return User(**dict(row))


async def list_users(db: Pool | Connection, party_id: str | None = None) -> list[User]:
    """The users of a party, or of all, with the time at which each was last seen."""
    return [User(**dict(row)) for row in await db.fetch(sql(__package__, "list_users"), party_id)]


async def find_user_secrets(db: Pool | Connection, user_name: str) -> UserSecrets | None:
    """The secrets of the user of this name, or None."""
    row = await db.fetchrow(sql(__package__, "find_user_secrets"), normal_name(user_name))
    return None if row is None else UserSecrets(**dict(row))


async def get_user_secrets(db: Pool | Connection, user_id: str) -> UserSecrets:
    """The secrets of the user of this ID. Raises ``NotFoundError`` (``user.unknown``)."""
    row = await db.fetchrow(sql(__package__, "get_user_secrets"), user_id)
    if row is None:
        raise unknown_user(user_id)
    return UserSecrets(**dict(row))


async def store_password_hash(db: Pool | Connection, user_id: str, password_hash: str) -> None:
    """Store the hash of a password that was checked before."""
    await db.execute(sql(__package__, "set_user_password"), user_id, password_hash)


async def set_totp(db: Pool | Connection, user_id: str, sealed: bytes, step: int) -> None:
    """Set a user's second factor, sealed, and the time step whose code confirmed it."""
    await db.execute(sql(__package__, "set_user_totp"), user_id, sealed, step)


async def take_totp_step(db: Pool | Connection, user_id: str, step: int) -> bool:
    """Use up a time step; False where it, or a later one, was used before."""
    return await db.fetchrow(sql(__package__, "take_totp_step"), user_id, step) is not None


async def make_recovery_codes(conn: Connection, user_id: str) -> list[str]:
    """New recovery codes, which are shown once; those before are void. In the caller's transaction."""
    codes = new_recovery_codes()
    await conn.execute(sql(__package__, "drop_recovery_codes"), user_id)
    await conn.execute(
        sql(__package__, "add_recovery_codes"), user_id, [recovery_digest(code) for code in codes]
    )
    return codes


async def take_recovery_code(db: Pool | Connection, user_id: str, code: str) -> bool:
    """Use up a recovery code; False if there is no such unused one."""
    row = await db.fetchrow(sql(__package__, "take_recovery_code"), user_id, recovery_digest(code))
    return row is not None


async def count_recovery_codes(db: Pool | Connection, user_id: str) -> int:
    """How many recovery codes are left."""
    return int(await db.fetchval(sql(__package__, "count_recovery_codes"), user_id))


async def set_user_language(db: Pool | Connection, user_id: str, language: str) -> None:
    """Keep the language that a user chose; one of ``USER_LANGUAGES``."""
    await db.execute(sql(__package__, "set_user_language"), user_id, language)


async def set_user_role(conn: Connection, user_id: str, role: str) -> User:
    """Give a user another role, in the caller's transaction.

    Raises ``InputError`` (``user.role.unknown``), ``NotFoundError`` (``user.unknown``) and ``RefusedError``
    (``user.last_admin``).
    """
    _check_role(role)
    user = await get_user(conn, user_id)
    if role != "admin":
        await _keep_an_admin(conn, user)
    row = await conn.fetchrow(sql(__package__, "set_user_role"), user_id, role)
    assert row is not None
    return User(**dict(row))


async def disable_user(conn: Connection, user_id: str, *, last_admin_too: bool = False) -> User:
    """Close an account; its sessions end with it. In the caller's transaction.

    Raises ``NotFoundError`` (``user.unknown``) and, unless ``last_admin_too``, ``RefusedError``
    (``user.last_admin``).
    """
    user = await get_user(conn, user_id)
    if not last_admin_too:
        await _keep_an_admin(conn, user)
    row = await conn.fetchrow(sql(__package__, "disable_user"), user_id)
    assert row is not None
    return User(**dict(row))


async def enable_user(conn: Connection, user_id: str) -> User:
    """Open a closed account again. Raises ``NotFoundError`` (``user.unknown``)."""
    row = await conn.fetchrow(sql(__package__, "enable_user"), user_id)
    if row is None:
        raise unknown_user(user_id)
    return User(**dict(row))


async def clear_user_secrets(conn: Connection, user_id: str) -> None:
    """Take password, second factor and recovery codes away: the person starts again with a new link."""
    await conn.execute(sql(__package__, "clear_user_secrets"), user_id)
    await conn.execute(sql(__package__, "drop_recovery_codes"), user_id)


async def _keep_an_admin(conn: Connection, user: User) -> None:
    rows = await conn.fetch(sql(__package__, "lock_party_users"), user.party_id)
    admins = {row["user_id"] for row in rows if row["role"] == "admin" and row["disabled_at"] is None}
    if admins == {user.user_id}:
        raise RefusedError(
            "user.last_admin",
            f"{user.user_name} is the last admin of its party.",
            path="user_name",
            remedy="Make somebody else admin first.",
        )
