"""Verification of scratch codes, open to everybody, and the standing of one code for who has to do with it."""

from __future__ import annotations

from datetime import datetime

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from suyuan.api.access import ISSUER_ROLES, holds_any, require, viewer_of
from suyuan.api.addresses import ADDRESS
from suyuan.api.documentation import takes
from suyuan.api.model import Call, services_of
from suyuan.api.requests import read_command, read_thing
from suyuan.errors import InputError, NotFoundError
from suyuan.gs1.percent import encode_value
from suyuan.scans import CodeStanding, Verifier, read_standing, words_of
from suyuan.scans.standing import without_acts
from suyuan.scans.verifying import Result
from suyuan.trace import PUBLIC, Viewer
from suyuan.trace.read import split_item

MAX_VERIFY_BYTES = 4096


class VerifyCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The item's address as it was scanned, and the code from under the layer. ``place`` is coarse: a UN/LOCODE or
    six digits of GB/T 2260, or nothing.
    """

    uri: str
    scratch_code: str
    place: str = ""


class VerifyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the verification came to, in one word and in words for people. It says nothing of what is in the pack."""

    result: Result
    count: int
    first_at: datetime | None
    voided: bool
    retry_seconds: int
    title_en: str
    title_zh: str
    text_en: str
    text_zh: str


@post("/api/v1/scans/verify", status_code=200, request_max_body_size=MAX_VERIFY_BYTES, tags=["scans"],
      operation_class=takes(VerifyCommand))  # fmt: skip
async def verify_code(request: Call) -> Response[VerifyAnswer]:
    """Verify an item by its scratch code: ``first``, ``repeated``, ``wrong``, ``not_applicable``, or ``too_many`` tries
    (429, with ``Retry-After``). No token is needed.

    The first verification of a code stays the first. Reading an item's page or trace verifies nothing.
    """
    command = await read_command(request, VerifyCommand)
    gtin, serial, _ = split_item(read_thing(command.uri))
    if not gtin or not serial:
        raise InputError(
            "scan.uri.item",
            "That is no address of a single item.",
            path="uri",
            remedy="Send the address from the label, such as https://HOST/01/GTIN/21/SERIAL.",
        )
    services = services_of(request)
    verifier = Verifier(services.pool, services.mac_keys, services.scratch_keys)
    answer = await verifier.verify(
        gtin, serial, command.scratch_code, address=str(request.scope.get(ADDRESS, "")), place=command.place
    )
    words = words_of(answer)
    held = answer.result == "too_many"
    return Response(
        VerifyAnswer(
            result=answer.result,
            count=answer.count,
            first_at=answer.first_at,
            voided=answer.voided,
            retry_seconds=answer.retry_seconds,
            title_en=words.title_en,
            title_zh=words.title_zh,
            text_en=words.text_en,
            text_zh=words.text_zh,
        ),
        status_code=429 if held else 200,
        headers={
            "Cache-Control": "no-store",
            **({"Retry-After": str(answer.retry_seconds)} if held else {}),
        },
    )


@get("/api/v1/codes/{gtin:str}/{serial:str}", tags=["codes"])
async def read_code(request: Call, gtin: FromPath[str], serial: FromPath[str]) -> CodeStanding:
    """One code: issued, printed, activated, voided with who, when and where, the later states off the facts, and how
    often it was verified.

    What was done to it here is told to the operator, to its issuer, to who acted on it and to who makes codes of the
    GTIN; others see what its trace shows them.
    """
    principal = await require(request, "codes.issue", "codes.activate", "trace")
    services = services_of(request)
    uri = read_thing(f"https://id.gs1.org/01/{encode_value(gtin)}/21/{encode_value(serial)}", "gtin")
    gtin, serial, _ = split_item(uri)
    found = await read_standing(services.reader, gtin, serial, uri, await viewer_of_code(request))
    if found is None:
        raise unknown_code()
    concerned = any(act.party_id == principal.party_id for act in found.acts)
    if concerned or await holds_any(services.pool, principal, ISSUER_ROLES, gtin):
        return found
    bare = without_acts(found)
    if not bare.later:
        raise unknown_code()
    return bare


async def viewer_of_code(request: Call) -> Viewer:
    """The viewer of the code's trace; a token that may not read traces sees what the public sees."""
    principal = await require(request)
    return await viewer_of(request) if principal.is_operator or principal.allows("trace") else PUBLIC


def unknown_code() -> NotFoundError:
    """The error for a code of which the caller may know nothing: the same whether there is one or not."""
    return NotFoundError(
        "issuing.code.unknown",
        "Nothing is known of that code.",
        path="serial",
        remedy="Check GTIN and serial; a code is shown to who made it, acted on it or may see its trace.",
    )


ROUTES = (verify_code, read_code)
