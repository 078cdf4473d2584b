"""Parties, their grants and their tokens. A token's secret is shown once, when it is made."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from suyuan.api.access import OPERATOR_SCOPES, require, require_operator
from suyuan.api.documentation import takes
from suyuan.api.model import Call, services_of
from suyuan.api.requests import read_command
from suyuan.errors import NotFoundError
from suyuan.parties import (
    Grant,
    Party,
    Principal,
    Token,
    add_party,
    create_token,
    get_party,
    grant_role,
    list_grants,
    list_parties,
    list_tokens,
    revoke_role,
    revoke_token,
)

ADMIN = "parties.admin"
MAX_PAGE = 1000


class AddParty(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new party. Names are needed in both languages; numbers only where the firm has them."""

    party_id: str
    name_en: str
    name_zh: str
    gln: str | None = None
    uscc: str | None = None
    customs_code: str | None = None
    country: str | None = None


class GrantRole(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role for everything, or with ``scope`` for one GTIN of 14 digits."""

    role: str
    scope: str = ""


class CreateToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token for these scopes. ``expires_at`` has its offset; without it the token lasts until revoked."""

    scopes: tuple[str, ...]
    label: str = ""
    expires_at: datetime | None = None


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that was just made, with the secret that is never shown again."""

    token: Token
    secret: str


def limit_of(limit: int) -> int:
    """A page has 1 to 1000 entries."""
    return max(1, min(limit, MAX_PAGE))


def _check_grant(principal: Principal, role: str) -> None:
    if role == "operator":
        require_operator(principal, "grant or revoke the role operator", "role")


@post("/api/v1/parties", status_code=201, tags=["members"], operation_class=takes(AddParty))
async def create_party(request: Call) -> Response[Party]:
    """Add a party. What is stored of it is never overwritten."""
    await require(request, ADMIN)
    command = await read_command(request, AddParty)
    party = await add_party(services_of(request).pool, Party(**msgspec.structs.asdict(command)))
    return Response(party, status_code=201, headers={"Location": f"/api/v1/parties/{party.party_id}"})


@get("/api/v1/parties", tags=["members"])
async def read_parties(request: Call, after: FromQuery[str] = "", limit: FromQuery[int] = 100) -> list[Party]:
    """Parties in order of their ID; ``after`` is the last ID of the page before."""
    await require(request, ADMIN)
    return await list_parties(services_of(request).pool, after=after, limit=limit_of(limit))


@get("/api/v1/parties/{party_id:str}", tags=["members"])
async def read_party(request: Call, party_id: FromPath[str]) -> Party:
    """One party; a party may always read itself."""
    principal = await require(request)
    if principal.party_id != party_id:
        principal.require(ADMIN)
    return await get_party(services_of(request).pool, party_id)


@get("/api/v1/parties/{party_id:str}/grants", tags=["members"])
async def read_grants(request: Call, party_id: FromPath[str]) -> list[Grant]:
    """The grants of a party, ended ones too; a party may always read its own."""
    principal = await require(request)
    if principal.party_id != party_id:
        principal.require(ADMIN)
    pool = services_of(request).pool
    await get_party(pool, party_id)
    return await list_grants(pool, party_id)


@post("/api/v1/parties/{party_id:str}/grants", status_code=201, tags=["members"],
      operation_class=takes(GrantRole))  # fmt: skip
async def create_grant(request: Call, party_id: FromPath[str]) -> Grant:
    """Grant a role from now on. Only the operator makes operators."""
    principal = await require(request, ADMIN)
    command = await read_command(request, GrantRole)
    _check_grant(principal, command.role)
    return await grant_role(services_of(request).pool, party_id, command.role, command.scope)


@delete("/api/v1/parties/{party_id:str}/grants/{role:str}", status_code=200, tags=["members"])
async def end_grant(
    request: Call,
    party_id: FromPath[str],
    role: FromPath[str],
    gtin: Annotated[str, QueryParameter(name="scope")] = "",
) -> Grant:
    """End a grant now, with ``scope`` one for a GTIN. What the party said before keeps its standing."""
    principal = await require(request, ADMIN)
    _check_grant(principal, role)
    return await revoke_role(services_of(request).pool, party_id, role, gtin)


@get("/api/v1/parties/{party_id:str}/tokens", tags=["members"])
async def read_tokens(request: Call, party_id: FromPath[str]) -> list[Token]:
    """The tokens of a party without their secrets, revoked ones too."""
    await require(request, ADMIN)
    pool = services_of(request).pool
    await get_party(pool, party_id)
    return await list_tokens(pool, party_id)


@post("/api/v1/parties/{party_id:str}/tokens", status_code=201, tags=["members"],
      operation_class=takes(CreateToken))  # fmt: skip
async def make_token(request: Call, party_id: FromPath[str]) -> NewToken:
    """Make a token. Scopes that reach beyond one party are the operator's to give."""
    principal = await require(request, ADMIN)
    command = await read_command(request, CreateToken)
    if OPERATOR_SCOPES.intersection(command.scopes):
        require_operator(principal, "give the scopes " + ", ".join(sorted(OPERATOR_SCOPES)), "scopes")
    token, secret = await create_token(
        services_of(request).pool,
        party_id,
        command.scopes,
        label=command.label,
        expires_at=command.expires_at,
    )
    return NewToken(token=token, secret=secret)


@delete("/api/v1/parties/{party_id:str}/tokens/{token_id:str}", status_code=200, tags=["members"])
async def end_token(request: Call, party_id: FromPath[str], token_id: FromPath[str]) -> Token:
    """Revoke a token; every process has forgotten it some seconds later."""
    principal = await require(request, ADMIN)
    pool = services_of(request).pool
    found = next((token for token in await list_tokens(pool, party_id) if token.token_id == token_id), None)
    if found is None:
        raise NotFoundError(
            "access.token.unknown", "This party has no such token.", path="token_id",
            remedy="Give the ID that begins with tk-, not the secret.",
        )  # fmt: skip
    if OPERATOR_SCOPES.intersection(found.scopes):
        require_operator(principal, "revoke a token of these scopes", "token_id")
    return await revoke_token(pool, token_id)


ROUTES = (
    create_party,
    read_parties,
    read_party,
    read_grants,
    create_grant,
    end_grant,
    read_tokens,
    make_token,
    end_token,
)
