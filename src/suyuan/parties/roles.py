"""Roles, and what they were granted for at which moment.

A grant counts from ``granted_at`` (inclusive) until ``revoked_at`` (exclusive). Its scope is empty for
everything, or one GTIN. Grants are kept after their end, so the standing of a party at any earlier moment can
always be looked up.
"""

from __future__ import annotations

import re
from datetime import datetime

import asyncpg
import msgspec

from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import InputError, NotFoundError
from suyuan.gs1.check_digits import check_digit_valid
from suyuan.parties.members import unknown_party

ROLES: dict[str, str] = {
    "operator": "runs this deployment; sees everything; grants the other roles",
    "manufacturer": "makes the goods",
    "brand-owner": "owns the brand; may raise a recall of its GTINs",
    "entrusted-firm": "domestic firm that a seller entrusted with recalls; may raise a recall of its GTINs",
    "label-maker": "prints labels for others; may enrol those of its GTINs",
    "laboratory": "tests samples",
    "inspector": "independent third party; what it inspected itself counts as inspected",
    "forwarder": "moves consignments for others",
    "carrier": "runs vessels, aircraft or trucks",
    "customs-broker": "declares for others",
    "bonded-warehouse": "keeps the goods in the bonded zone and packs parcels",
    "platform": "runs the marketplace",
    "seller": "sells its GTINs to the consumer and owes the trail of clause 486",
    "payment": "payment institution",
    "courier": "delivers parcels",
    "regulator": "reads by lot, firm and order; may raise a recall",
    "authority": "confirms from its own seat; what it states itself counts as authority-verified",
}

_GTIN = re.compile(r"[0-9]{14}")


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """One role of one party. ``scope`` is empty for everything, or a GTIN of 14 digits."""

    party_id: str
    role: str
    scope: str
    granted_at: datetime
    revoked_at: datetime | None = None

    def covers(self, gtin: str | None = None) -> bool:
        """Whether the grant is for this GTIN; a grant for everything covers every one.

        Without a GTIN the question is about everything, which a grant for one GTIN does not cover.
        """
        return self.scope == "" or (gtin is not None and self.scope == gtin)


def _check(role: str, scope: str) -> None:
    if role not in ROLES:
        raise InputError(
            "party.role.unknown",
            f"There is no role {role[:40]!r}.",
            path="role",
            remedy="The roles are: " + ", ".join(ROLES) + ".",
        )
    if scope and not (_GTIN.fullmatch(scope) and check_digit_valid(scope)):
        raise InputError(
            "party.role.scope",
            "The scope of a grant is a GTIN of 14 digits with its check digit, or empty for everything.",
            path="scope",
            remedy="Put zeros before a shorter GTIN until it has 14 digits.",
        )


def _grant(row: asyncpg.Record) -> Grant:
    return Grant(**dict(row))


async def grant_role(
    db: Pool | Connection, party_id: str, role: str, scope: str = "", *, granted_at: datetime | None = None
) -> Grant:
    """Grant a role, from now or from ``granted_at``; a grant that is open already is returned as it is.

    Raises ``InputError`` (``party.role.*``) and ``NotFoundError`` (``party.unknown``).
    """
    _check(role, scope)
    try:
        row = await db.fetchrow(sql(__package__, "grant_role"), party_id, role, scope, granted_at)
    except asyncpg.ForeignKeyViolationError:
        raise unknown_party(party_id) from None
    if row is None:
        row = await db.fetchrow(sql(__package__, "get_open_grant"), party_id, role, scope)
    if row is None:  # revoked by someone else between the two statements
        return await grant_role(db, party_id, role, scope, granted_at=granted_at)
    return _grant(row)


async def revoke_role(db: Pool | Connection, party_id: str, role: str, scope: str = "") -> Grant:
    """End an open grant now. Raises ``NotFoundError`` (``party.role.not_granted``)."""
    _check(role, scope)
    row = await db.fetchrow(sql(__package__, "revoke_role"), party_id, role, scope)
    if row is None:
        raise NotFoundError(
            "party.role.not_granted",
            f"{party_id} holds no open grant of the role {role}{' for ' + scope if scope else ''}.",
            path="role",
            remedy="List its grants: a grant for one GTIN is revoked under that GTIN.",
        )
    return _grant(row)


async def list_grants(db: Pool | Connection, party_id: str) -> list[Grant]:
    """All grants of a party, ended ones too, oldest first."""
    return [_grant(row) for row in await db.fetch(sql(__package__, "list_grants"), party_id)]


async def grants_at(db: Pool | Connection, party_id: str, moment: datetime) -> list[Grant]:
    """The grants that a party held at ``moment``, ordered by role and scope."""
    return [_grant(row) for row in await db.fetch(sql(__package__, "grants_at"), party_id, moment)]


async def find_holders(
    db: Pool | Connection, role: str, moment: datetime, *, gtin: str | None = None
) -> list[Grant]:
    """Who held ``role`` at ``moment``: grants for everything and, with ``gtin``, those for that GTIN."""
    return [_grant(row) for row in await db.fetch(sql(__package__, "find_holders"), role, moment, gtin)]
