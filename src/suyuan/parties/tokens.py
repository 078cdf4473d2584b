"""Tokens: who calls, and which doors are open to the call.

A token is ``suyuan_`` and 52 characters of base32: 256 random bits. The database keeps its SHA-256 digest
alone; with that much randomness a plain digest cannot be searched, and whoever reads the table cannot call.
Tokens are looked up by their digest, so the time of a look-up says nothing of the secret.

``Authenticator`` remembers a good token for a few seconds, so that a busy caller costs no round trip per
request. A revocation, an expiry or a changed grant therefore takes effect within ``cache_seconds`` in every
process.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime

import asyncpg
import msgspec

from suyuan.canon import base32_text
from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import AuthenticationError, InputError, NotFoundError, PermissionDenied
from suyuan.parties.members import unknown_party
from suyuan.parties.roles import Grant, grants_at

SCOPES: dict[str, str] = {
    "capture": "deliver papers, events and scans in this party's name",
    "epcis.read": "query events as far as this party may see them",
    "trace": "read traces, coverage and balance as far as this party may see them",
    "codes.issue": "issue, print and void codes of this party's GTINs",
    "labels.enrol": "enrol labels of codes that this party issued, or of its GTINs",
    "codes.activate": "activate codes under the allowance of a ledger item",
    "catalog.write": "put products and places",
    "personal.reveal": "read personal data, each time with a reason that is journalled",
    "personal.erase": "erase personal data, journalled",
    "parties.admin": "add parties, grant and revoke roles, create and revoke tokens",
    "operator": "everything above and the operator's own view, while the party holds the role operator",
}

_SECRET = re.compile(r"suyuan_[a-z2-7]{52}")
_REMEMBERED = 10_000


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a token, without its secret."""

    token_id: str
    party_id: str
    scopes: tuple[str, ...]
    label: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls: the party, the scopes of its token and the grants it holds at this time."""

    party_id: str
    token_id: str
    scopes: frozenset[str]
    grants: tuple[Grant, ...] = ()

    @property
    def roles(self) -> frozenset[str]:
        """The roles held for anything at all."""
        return frozenset(grant.role for grant in self.grants)

    @property
    def is_operator(self) -> bool:
        """The token was made for the operator, and its party still is one."""
        return "operator" in self.scopes and self.holds("operator")

    def holds(self, role: str, gtin: str | None = None) -> bool:
        """Whether the party holds ``role`` for ``gtin`` (None: for everything)."""
        return any(grant.role == role and grant.covers(gtin) for grant in self.grants)

    def allows(self, scope: str) -> bool:
        """Whether this call may do what ``scope`` stands for."""
        return (scope in self.scopes and scope != "operator") or self.is_operator

    def require(self, scope: str) -> None:
        """Raise ``PermissionDenied`` (``access.scope.missing``) unless the call may do what ``scope``
        says.
        """
        if scope not in SCOPES:
            raise ValueError(f"no such scope: {scope}")
        if not self.allows(scope):
            raise PermissionDenied(
                "access.scope.missing",
                f"This token is not for {scope}: {SCOPES[scope]}.",
                remedy="Ask the operator for a token with this scope.",
            )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("ascii")).digest()


def _token(row: asyncpg.Record) -> Token:
    return Token(**{**dict(row), "scopes": tuple(row["scopes"])})


async def create_token(
    db: Pool | Connection,
    party_id: str,
    scopes: Iterable[str],
    *,
    label: str = "",
    expires_at: datetime | None = None,
) -> tuple[Token, str]:
    """Create a token and return it with its secret, which can never be had again.

    Raises ``InputError`` (``access.scope.unknown``, ``access.token.expiry``) and ``NotFoundError``
    (``party.unknown``).
    """
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        raise InputError(
            "access.scope.unknown",
            f"There is no scope {unknown[0][:40]!r}." if unknown else "A token needs at least one scope.",
            path="scopes",
            remedy="The scopes are: " + ", ".join(SCOPES) + ".",
        )
    if expires_at is not None and expires_at.tzinfo is None:
        raise InputError("access.token.expiry", "The end of a token needs its time zone.", path="expires_at")
    secret = "suyuan_" + base32_text(secrets.token_bytes(32))
    token_id = "tk-" + base32_text(secrets.token_bytes(10))
    try:
        row = await db.fetchrow(
            sql(__package__, "create_token"),
            token_id,
            _digest(secret),
            party_id,
            wanted,
            label[:200],
            expires_at,
        )
    except asyncpg.ForeignKeyViolationError:
        raise unknown_party(party_id) from None
    assert row is not None
    return _token(row), secret


async def list_tokens(db: Pool | Connection, party_id: str) -> list[Token]:
    """A party's tokens, revoked ones too, oldest first."""
    return [_token(row) for row in await db.fetch(sql(__package__, "list_tokens"), party_id)]


async def revoke_token(db: Pool | Connection, token_id: str) -> Token:
    """Revoke a token; one that is revoked already keeps its time. Raises ``NotFoundError``
    (``access.token.unknown``)."""
    row = await db.fetchrow(sql(__package__, "revoke_token"), token_id)
    if row is None:
        raise NotFoundError(
            "access.token.unknown",
            f"There is no token {token_id[:40]!r}.",
            path="token_id",
            remedy="Give the ID that begins with tk-, not the secret.",
        )
    return _token(row)


class Authenticator:
    """Turns a token's secret into a ``Principal``; one per process.

    Safe for concurrent use within one event loop. Only good tokens are remembered, at most 10,000 of them, so
    guesses can neither fill the memory nor push out a caller for long.
    """

    def __init__(
        self,
        db: Pool | Connection,
        *,
        cache_seconds: float = 3.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._cache_seconds = cache_seconds
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()

    async def authenticate(self, secret: str | None) -> Principal:
        """Who holds this secret.

        Raises ``AuthenticationError``: ``access.token.missing``, ``access.token.malformed``,
        ``access.token.unknown``, ``access.token.revoked`` or ``access.token.expired``.
        """
        if not secret:
            raise AuthenticationError(
                "access.token.missing",
                "This door needs a token.",
                remedy="Send it as: Authorization: Bearer suyuan_...",
            )
        if not _SECRET.fullmatch(secret):
            raise AuthenticationError(
                "access.token.malformed",
                "This is no token: one is suyuan_ and 52 characters a-z and 2-7.",
                remedy="Copy the token whole, as it was shown when it was created.",
            )
        digest = _digest(secret)
        known = self._known.get(digest)
        if known is not None and self._clock() < known[0]:
            return known[1]
        self._known.pop(digest, None)
        asked = self._clock()
        principal, seconds = await self._look_up(digest)
        self._known[digest] = (asked + min(seconds, self._cache_seconds), principal)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return principal

    async def _look_up(self, digest: bytes) -> tuple[Principal, float]:
        """The principal, and for how many seconds from now its token is good at most."""
        row = await self._db.fetchrow(sql(__package__, "find_token"), digest)
        if row is None or not hmac.compare_digest(row["token_digest"], digest):
            raise AuthenticationError(
                "access.token.unknown",
                "This token is not known here.",
                remedy="Ask the operator for a new one.",
            )
        if row["revoked_at"] is not None:
            raise AuthenticationError(
                "access.token.revoked",
                "This token was revoked.",
                remedy="Ask the operator for a new one.",
            )
        seconds = float("inf")
        if row["expires_at"] is not None:
            seconds = (row["expires_at"] - row["asked_at"]).total_seconds()
            if seconds <= 0:
                raise AuthenticationError(
                    "access.token.expired",
                    "This token has expired.",
                    remedy="Ask the operator for a new one.",
                )
        grants = await grants_at(self._db, row["party_id"], row["asked_at"])
        principal = Principal(
            party_id=row["party_id"],
            token_id=row["token_id"],
            scopes=frozenset(row["scopes"]),
            grants=tuple(grants),
        )
        return principal, seconds
