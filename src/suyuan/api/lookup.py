"""Looking up a person's document by its number, and revealing what lies in the vault.

Numbers of orders, parcels, payments and lists come in a body, never in a URL, and what was found goes by an opaque
token that ends by itself. A reveal gives personal data to the operator or to the party that delivered it. Every call
says why; it is journalled with who and when before anything is answered. Answers are not to be cached.
"""

from __future__ import annotations

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from suyuan.api.access import deliverer_of, require
from suyuan.api.documentation import takes
from suyuan.api.model import Call, services_of
from suyuan.api.requests import read_command
from suyuan.errors import InputError, NotFoundError
from suyuan.parties import Principal
from suyuan.trace.lookup import Asker, LookUp, find_person_documents, may_know, open_lookup
from suyuan.trace.revealing import PersonalValue, reveal_paper
from suyuan.vault import is_pseudonym

_PRIVATE = {"Cache-Control": "no-store"}


class LookUpCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number to look up. ``issuer`` is the firm that gave it, by its code; left out, every firm is a candidate."""

    kind: str
    number: str
    reason: str
    issuer: str | None = None


class RevealCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to reveal: a document by its pseudonym, or the personal fields of a paper by its capture, all of them or
    those whose path begins with ``path``.
    """

    reason: str
    document: str = ""
    capture_id: str = ""
    path: str = ""


class Revealed(msgspec.Struct, frozen=True, kw_only=True):
    """Plain personal data: the number behind a pseudonym, or the fields of a paper."""

    kind: str = ""
    issuer: str = ""
    number: str = ""
    fields: tuple[PersonalValue, ...] = ()


@post("/api/v1/lookup", status_code=200, tags=["personal data"], operation_class=takes(LookUpCommand))
async def look_up(request: Call) -> Response[LookUp]:
    """Find a person's document by its number, with the goods that it was written for.

    A number may be several firms', and a courier uses one again after six months: all of them are answered, each
    with its time. The token gives the same again for a quarter of an hour. Journalled.
    """
    principal = await require(request, "trace")
    command = await read_command(request, LookUpCommand)
    services = services_of(request)
    found = await find_person_documents(
        services.pool,
        services.vault,
        command.kind,
        command.number,
        command.issuer,
        asker=await _asker(request, principal),
        reason=command.reason,
    )
    return Response(found, headers=_PRIVATE)


@get("/api/v1/lookup/{token:str}", tags=["personal data"])
async def read_lookup(request: Call, token: FromPath[str]) -> Response[LookUp]:
    """What a look-up of the caller's found, by its token, until that ends."""
    principal = await require(request, "trace")
    services = services_of(request)
    asker = await _asker(request, principal)
    return Response(await open_lookup(services.pool, services.vault, token, asker=asker), headers=_PRIVATE)


@post("/api/v1/reveal", status_code=200, tags=["personal data"], operation_class=takes(RevealCommand))
async def reveal(request: Call) -> Response[Revealed]:
    """Give the number behind a pseudonym, or the personal fields of a paper, in plain.

    To the operator, and to the party that delivered it or numbered the document. Journalled before it is read.
    """
    principal = await require(request, "personal.reveal")
    command = await read_command(request, RevealCommand)
    if bool(command.document) == bool(command.capture_id):
        raise InputError(
            "vault.reveal.subject",
            "Either a document or a capture is revealed.",
            path="document",
            remedy="Give the pseudonym of a document, or the capture_id of a paper.",
        )
    if command.document:
        return Response(await _document(request, principal, command), headers=_PRIVATE)
    fields = await reveal_paper(
        services_of(request).pool,
        services_of(request).vault,
        command.capture_id,
        asker=await _asker(request, principal),
        reason=command.reason,
        path=command.path,
    )
    return Response(Revealed(fields=fields), headers=_PRIVATE)


async def _document(call: Call, principal: Principal, command: RevealCommand) -> Revealed:
    services = services_of(call)
    asker = await _asker(call, principal)
    known = is_pseudonym(command.document) and (
        asker.whole or await may_know(services.pool, services.vault, command.document, asker)
    )
    if not known:
        # The same answer for what is not there and for what is somebody else's.
        raise NotFoundError(
            "vault.number.unknown", "No number is kept under this pseudonym; it may have been erased."
        )
    found = await services.vault.reveal_number(
        services.pool,
        command.document,
        party_id=principal.party_id,
        reason=command.reason,
        by=principal.token_id,
    )
    return Revealed(kind=found.kind, issuer=found.issuer, number=found.number)


async def _asker(call: Call, principal: Principal) -> Asker:
    deliverer = await deliverer_of(call, principal)
    return Asker(
        party_id=principal.party_id,
        by=principal.token_id,
        codes=deliverer.codes,
        whole=principal.is_operator,
    )


ROUTES = (look_up, read_lookup, reveal)
