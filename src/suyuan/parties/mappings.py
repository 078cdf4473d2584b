"""The mappings that a party stored: how its scans, in a shape of its own, are read.

A mapping has a name and versions. A correction is a new version and counts for what comes from then on; what was read
before stays as it was read, and its evidence holds the version that it was read by. A mapping that is taken back reads
nothing more. Only mappings that name what a scan is nothing without are stored, so that none fits by chance.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import ConflictError, InputError, NotFoundError
from suyuan.parties.members import unknown_party
from suyuan.sheets.mapping import check_stored
from suyuan.sheets.recognised import StoredMapping

MAX_MAPPINGS: Final = 50
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_ATTEMPTS: Final = 5


class MappingVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a mapping of a party; ``withdrawn`` says that from then on there was none."""

    name: str
    version: int
    text: str
    added_at: datetime
    withdrawn: bool = False

    @property
    def stored(self) -> StoredMapping:
        """The mapping as scans are read by it."""
        return StoredMapping(name=self.name, version=self.version, text=self.text)


def _version(row: asyncpg.Record) -> MappingVersion:
    fields = dict(row)
    text = fields.pop("text")
    return MappingVersion(**fields, text=text or "", withdrawn=text is None)


async def put_mapping(db: Pool | Connection, party_id: str, name: str, data: bytes) -> MappingVersion:
    """Store a mapping under a name, as a new version where there is one; the same text again changes nothing.

    Raises ``InputError`` (``mapping.name``, ``sheet.mapping.*``), ``TooLargeError`` (``sheet.mapping.too_large``),
    ``NotFoundError`` (``party.unknown``) and ``ConflictError`` (``mapping.too_many``, ``mapping.contended``).
    """
    check_name(name)
    check_stored(data)
    text = data.decode("utf-8-sig")
    for _ in range(_ATTEMPTS):
        newest = {one.name: one for one in await newest_mappings(db, party_id)}
        before = newest.get(name)
        if before is not None and not before.withdrawn and before.text == text:
            return before
        if before is None and len(newest) >= MAX_MAPPINGS:
            raise ConflictError(
                "mapping.too_many",
                f"The party has {MAX_MAPPINGS} mappings, and no more are kept.",
                path="name",
                remedy="Give a mapping of that shape a new version: store it under its name.",
            )
        if added := await _add(db, party_id, name, before.version + 1 if before else 1, text):
            return added
    raise _contended()


async def withdraw_mapping(db: Pool | Connection, party_id: str, name: str) -> MappingVersion:
    """Read nothing by a mapping any more. Raises ``NotFoundError`` (``mapping.unknown``)."""
    for _ in range(_ATTEMPTS):
        before = await get_mapping(db, party_id, name)
        if added := await _add(db, party_id, name, before.version + 1, None):
            return added
    raise _contended()


async def _add(
    db: Pool | Connection, party_id: str, name: str, version: int, text: str | None
) -> MappingVersion | None:
    try:
        row = await db.fetchrow(sql(__package__, "add_mapping"), party_id, name, version, text)
    except asyncpg.ForeignKeyViolationError:
        raise unknown_party(party_id) from None
    return _version(row) if row is not None else None


async def newest_mappings(db: Pool | Connection, party_id: str) -> list[MappingVersion]:
    """The newest version of each mapping of a party, in order of names, those taken back too."""
    return [_version(row) for row in await db.fetch(sql(__package__, "newest_mappings"), party_id)]


async def stored_mappings(db: Pool | Connection, party_id: str) -> list[StoredMapping]:
    """The mappings by which a party's scans are read now."""
    return [one.stored for one in await newest_mappings(db, party_id) if not one.withdrawn]


async def list_mappings(db: Pool | Connection, party_id: str, name: str = "") -> list[MappingVersion]:
    """All versions of a party's mappings, or of one, the newest of each first."""
    return [_version(row) for row in await db.fetch(sql(__package__, "mapping_versions"), party_id, name)]


async def get_mapping(
    db: Pool | Connection, party_id: str, name: str, version: int | None = None
) -> MappingVersion:
    """The newest version of a mapping, or a certain one. Raises ``NotFoundError`` (``mapping.unknown``)."""
    if _NAME.fullmatch(name):
        for one in await list_mappings(db, party_id, name):
            if version is None or one.version == version:
                if one.withdrawn:
                    break
                return one
    raise NotFoundError(
        "mapping.unknown",
        "The party has no such mapping, or took it back.",
        path="mapping",
        remedy="suyuan mapping list shows the names and versions.",
    )


def check_name(name: str) -> str:
    """The name of a mapping. Raises ``InputError`` (``mapping.name``)."""
    if not _NAME.fullmatch(name):
        raise InputError(
            "mapping.name",
            "A mapping's name has up to 40 lower-case letters, digits and hyphens.",
            path="name",
            remedy="Call it after whoever's scans it reads: express-one.",
        )
    return name


def _contended() -> ConflictError:
    return ConflictError(
        "mapping.contended", "Others kept storing the same mapping.", path="name", remedy="Store it again."
    )
