"""The parties themselves."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime

import asyncpg
import msgspec

from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import ConflictError, InputError, NotFoundError
from suyuan.parties.identifiers import check_customs_code, check_gln, check_uscc

_PARTY_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """A firm or an authority. ``country`` is ISO 3166-1 alpha-2; numbers that it does not have are None."""

    party_id: str
    name_en: str
    name_zh: str
    gln: str | None = None
    uscc: str | None = None
    customs_code: str | None = None
    country: str | None = None
    created_at: datetime | None = None


def _checked(party: Party) -> Party:
    if not _PARTY_ID.fullmatch(party.party_id):
        raise InputError(
            "party.id.form",
            "A party's ID has 2 to 63 lower-case letters, digits and hyphens, the first no hyphen.",
            path="party_id",
        )
    names = {"name_en": party.name_en.strip(), "name_zh": party.name_zh.strip()}
    for path, name in names.items():
        if not name or len(name) > 200:
            raise InputError("party.name.form", "A party's name has 1 to 200 characters.", path=path)
    if party.country is not None and not re.fullmatch(r"[A-Z]{2}", party.country):
        raise InputError(
            "party.country.form", "A country is two capitals of ISO 3166-1, such as CN.", path="country"
        )
    return msgspec.structs.replace(
        party,
        **names,
        gln=check_gln(party.gln) if party.gln else None,
        uscc=check_uscc(party.uscc) if party.uscc else None,
        customs_code=check_customs_code(party.customs_code) if party.customs_code else None,
    )


def _party(row: asyncpg.Record) -> Party:
    return Party(**dict(row))


async def add_party(db: Pool | Connection, party: Party) -> Party:
    """Add a party and return it as stored.

    Raises ``InputError`` (``party.*``) for a field that breaks its rule and ``ConflictError``
    (``party.exists``) where the ID is taken.
    """
    party = _checked(party)
    row = await db.fetchrow(
        sql(__package__, "add_party"),
        party.party_id,
        party.name_en,
        party.name_zh,
        party.gln,
        party.uscc,
        party.customs_code,
        party.country,
    )
    if row is None:
        raise ConflictError(
            "party.exists",
            f"There is a party {party.party_id} already.",
            path="party_id",
            remedy="Choose another ID; a party's data is never overwritten.",
        )
    return _party(row)


async def get_party(db: Pool | Connection, party_id: str) -> Party:
    """The party of this ID. Raises ``NotFoundError`` (``party.unknown``)."""
    row = await db.fetchrow(sql(__package__, "get_party"), party_id)
    if row is None:
        raise unknown_party(party_id)
    return _party(row)


async def find_parties(db: Pool | Connection, party_ids: Collection[str]) -> dict[str, Party]:
    """Those of these parties that there are, by ID, in one query."""
    rows = await db.fetch(sql(__package__, "find_parties"), sorted(set(party_ids)))
    return {row["party_id"]: _party(row) for row in rows}


async def list_parties(db: Pool | Connection, *, after: str = "", limit: int = 100) -> list[Party]:
    """Parties in order of their ID, at most ``limit`` of those that come after the ID ``after``."""
    return [_party(row) for row in await db.fetch(sql(__package__, "list_parties"), after, limit)]


def unknown_party(party_id: str) -> NotFoundError:
    """The error for an ID that no party has."""
    return NotFoundError(
        "party.unknown",
        f"There is no party {party_id[:64]!r}.",
        path="party_id",
        remedy="List the parties, or add this one first.",
    )
