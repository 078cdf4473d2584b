"""Codes: issue, fetch as CSV, activate, void. Serials are streamed; a batch is never held in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from suyuan.api.access import ISSUER_ROLES, deliverer_of, holds_any, require, require_issuer
from suyuan.api.documentation import takes
from suyuan.api.model import Call, Services, services_of
from suyuan.api.requests import MAX_COMMAND_BYTES, read_command
from suyuan.compliance.activation import ActivationCommand, ActivationResult, activate_codes
from suyuan.errors import InputError, NotFoundError
from suyuan.gs1.serials import item_uri
from suyuan.issuing import Activation, Batch, find_batches, get_batch, issue, iter_serials, void
from suyuan.issuing.codes import check_batch
from suyuan.parties import Principal
from suyuan.settings import Settings

CSV_HEADER = b"serial,uri,gtin,lot\r\n"


class IssueCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Issue ``count`` new codes of a GTIN (14 digits) and lot. ``label`` is for the issuer's own use."""

    gtin: str
    lot: str
    count: int
    label: str = ""


class VoidCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take codes (bare serials) of a GTIN and lot out of use for ever."""

    gtin: str
    lot: str
    serials: tuple[str, ...]
    reason: str


def label_stem(batch: Batch, settings: Settings) -> str:
    """What the label URIs of a batch have in common: a serial put behind it makes one.

    Serials are of an alphabet that no URI escapes.
    """
    scheme = settings.base_url.partition(":")[0]
    return item_uri(settings.code_host, batch.gtin, "0", scheme=scheme)[:-1]


def csv_rows(batch: Batch, settings: Settings, serials: list[str]) -> bytes:
    """Rows of the CSV of a batch: serial, the URI as the label carries it, GTIN and lot."""
    lot = f'"{batch.lot.replace(chr(34), chr(34) * 2)}"' if set(batch.lot) & set(',"') else batch.lot
    stem = label_stem(batch, settings)
    return "".join([f"{serial},{stem}{serial},{batch.gtin},{lot}\r\n" for serial in serials]).encode()


@post("/api/v1/codes/issue", status_code=201, request_max_body_size=MAX_COMMAND_BYTES, tags=["codes"],
      operation_class=takes(IssueCommand))  # fmt: skip
async def issue_codes(request: Call) -> Response[Batch]:
    """Issue a batch of codes, all or none. ``Location`` is its CSV."""
    principal = await require(request, "codes.issue")
    command = await read_command(request, IssueCommand)
    services = services_of(request)
    check_batch(command.gtin, command.lot, command.count)
    await require_issuer(services.pool, principal, command.gtin)
    batch = await issue(
        services.pool,
        services.mac_keys,
        gtin=command.gtin,
        lot=command.lot,
        count=command.count,
        party_id=principal.party_id,
        label=command.label[:200],
    )
    return Response(
        batch, status_code=201, headers={"Location": f"/api/v1/codes/batches/{batch.batch_id}.csv"}
    )


@get("/api/v1/codes/batches", tags=["codes"])
async def list_batches(request: Call, gtin: FromQuery[str], lot: FromQuery[str] = "") -> list[Batch]:
    """The batches of a GTIN that the caller may issue, of one lot or of all."""
    principal = await require(request, "codes.issue")
    pool = services_of(request).pool
    await require_issuer(pool, principal, gtin)
    return await find_batches(pool, gtin, lot)


@get("/api/v1/codes/batches/{file:str}", tags=["codes"], media_type="text/csv")
async def read_batch(request: Call, file: FromPath[str]) -> Stream:
    """The codes of a batch as CSV, in the order of issue: serial, URI for the label, GTIN, lot."""
    principal = await require(request, "codes.issue")
    services = services_of(request)
    batch = await _find_batch(services, principal, file)

    async def rows() -> AsyncIterator[bytes]:
        yield CSV_HEADER
        async for serials in iter_serials(services.pool, batch.batch_id):
            yield csv_rows(batch, services.settings, serials)

    name = f"codes-{batch.gtin}-{batch.batch_id}.csv"
    return Stream(
        rows(),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _find_batch(services: Services, principal: Principal, file: str) -> Batch:
    number, _, kind = file.partition(".")
    unknown = NotFoundError(
        "issuing.batch.unknown", "There is no such batch of this party.", path="batch_id",
        remedy="A batch is fetched as /api/v1/codes/batches/NUMBER.csv.",
    )  # fmt: skip
    if kind != "csv" or not (number.isascii() and number.isdigit()) or len(number) > 18:
        raise unknown
    batch = await get_batch(services.pool, int(number))
    if batch.issued_by != principal.party_id and not await holds_any(
        services.pool, principal, ISSUER_ROLES, batch.gtin
    ):
        raise unknown
    return batch


@post("/api/v1/codes/activate", status_code=200, request_max_body_size=MAX_COMMAND_BYTES, tags=["codes"],
      operation_class=takes(ActivationCommand))  # fmt: skip
async def activate(request: Call) -> ActivationResult:
    """Make codes active, no more than were received undamaged under the ledger item at the facility.

    All or none: a command over the allowance changes nothing (422, ``issuing.allowance.exceeded``).
    """
    principal = await require(request, "codes.activate")
    command = await read_command(request, ActivationCommand)
    check_batch(command.gtin, command.lot, 1)
    services = services_of(request)
    return await activate_codes(
        services.pool, services.capture, command, await deliverer_of(request, principal)
    )


@post("/api/v1/codes/void", status_code=200, request_max_body_size=MAX_COMMAND_BYTES, tags=["codes"],
      operation_class=takes(VoidCommand))  # fmt: skip
async def void_codes(request: Call) -> Activation:
    """Take codes out of use for ever, before they are active."""
    principal = await require(request, "codes.issue")
    command = await read_command(request, VoidCommand)
    check_batch(command.gtin, command.lot, 1)
    if not command.serials:
        raise InputError("issuing.serials.empty", "The command names no codes.", path="serials")
    pool = services_of(request).pool
    await require_issuer(pool, principal, command.gtin)
    return await void(
        pool,
        gtin=command.gtin,
        lot=command.lot,
        serials=command.serials,
        party_id=principal.party_id,
        reason=command.reason,
    )


ROUTES = (issue_codes, list_batches, read_batch, activate, void_codes)
