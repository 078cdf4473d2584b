"""Mappings of a party's own scans: stored once, then its scan files are read by them without being named."""

from __future__ import annotations

from datetime import datetime

import msgspec
from litestar import Response, delete, get, put
from litestar.params import FromPath, FromQuery

from suyuan.api.access import require
from suyuan.api.documentation import takes
from suyuan.api.members import ADMIN
from suyuan.api.model import Call, services_of
from suyuan.parties import Principal, get_party
from suyuan.parties.mappings import (
    MappingVersion,
    get_mapping,
    list_mappings,
    newest_mappings,
    put_mapping,
    withdraw_mapping,
)
from suyuan.sheets.mapping import MAX_MAPPING

SCOPE = "capture"
TOML = "application/toml"


class MappingRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a mapping, without its text."""

    name: str
    version: int
    added_at: datetime
    withdrawn: bool


def _record(version: MappingVersion) -> MappingRecord:
    return MappingRecord(
        name=version.name, version=version.version, added_at=version.added_at, withdrawn=version.withdrawn
    )


async def _keeper(request: Call, party_id: str) -> Principal:
    """The caller, who delivers papers as this party, or keeps the members."""
    principal = await require(request)
    principal.require(SCOPE if principal.party_id == party_id else ADMIN)
    return principal


@get("/api/v1/parties/{party_id:str}/mappings", tags=["papers"])
async def read_mappings(
    request: Call, party_id: FromPath[str], versions: FromQuery[bool] = False
) -> list[MappingRecord]:
    """The mappings of a party, each in its newest version; with ``?versions=true`` all versions."""
    await _keeper(request, party_id)
    pool = services_of(request).pool
    await get_party(pool, party_id)
    found = await (list_mappings(pool, party_id) if versions else newest_mappings(pool, party_id))
    return [_record(one) for one in found]


@get("/api/v1/parties/{party_id:str}/mappings/{name:str}", tags=["papers"])
async def read_mapping(
    request: Call, party_id: FromPath[str], name: FromPath[str], version: FromQuery[int | None] = None
) -> Response[bytes]:
    """A mapping as it was stored, the newest version or ``?version=``."""
    await _keeper(request, party_id)
    found = await get_mapping(services_of(request).pool, party_id, name, version)
    return Response(found.text.encode(), media_type=TOML, headers={"ETag": f'"{found.version}"'})


@put("/api/v1/parties/{party_id:str}/mappings/{name:str}", status_code=200, tags=["papers"],
     request_max_body_size=MAX_MAPPING, operation_class=takes(None, "application/octet-stream"))  # fmt: skip
async def store_mapping(request: Call, party_id: FromPath[str], name: FromPath[str]) -> MappingRecord:
    """Store a mapping (TOML): from now on the party's scan files of that shape are read by it without naming it.

    Under a name that is there already it becomes a new version; the same text again changes nothing.
    """
    await _keeper(request, party_id)
    return _record(await put_mapping(services_of(request).pool, party_id, name, await request.body()))


@delete("/api/v1/parties/{party_id:str}/mappings/{name:str}", status_code=200, tags=["papers"])
async def end_mapping(request: Call, party_id: FromPath[str], name: FromPath[str]) -> MappingRecord:
    """Take a mapping back: nothing is read by it any more. Its versions stay, as the evidence read by them does."""
    await _keeper(request, party_id)
    return _record(await withdraw_mapping(services_of(request).pool, party_id, name))


ROUTES = (read_mappings, read_mapping, store_mapping, end_mapping)
