"""What becomes of codes: printed, activated, voided; and the standing of a single one."""

from __future__ import annotations

import msgspec
from litestar import post

from suyuan.api.access import deliverer_of, require, require_issuer
from suyuan.api.codes import find_batch_of
from suyuan.api.documentation import takes
from suyuan.api.model import Call, services_of
from suyuan.api.requests import MAX_COMMAND_BYTES, MAX_URI, read_command
from suyuan.compliance.activation import ActivationCommand, ActivationResult, activate_codes
from suyuan.errors import InputError
from suyuan.issuing import Activation, mark_range_printed, void, void_unprinted
from suyuan.issuing.codes import check_batch


class VoidCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take codes out of use for ever: serials (bare) of a GTIN and lot, or what was never printed of a batch."""

    reason: str
    gtin: str = ""
    lot: str = ""
    serials: tuple[str, ...] = ()
    batch: int = 0
    unprinted: bool = False
    facility: str = ""


class PrintedCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Labels ``from`` to ``to`` of a batch were printed, counted from 1 in the order of its file."""

    batch: int
    first: int = msgspec.field(name="from")
    last: int = msgspec.field(name="to")
    facility: str = ""


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
    """Take codes out of use for ever, before they are active: those named, or with ``batch`` and ``unprinted`` the
    rest of a batch on which nothing was ever done. All or none.
    """
    principal = await require(request, "codes.issue")
    command = await read_command(request, VoidCommand)
    pool = services_of(request).pool
    if bool(command.batch) != command.unprinted or (command.batch and command.serials):
        raise InputError(
            "issuing.void.what",
            "It is not clear which codes are meant.",
            path="serials",
            remedy="Send gtin, lot and serials, or batch with unprinted: true.",
        )
    if command.batch:
        batch = await find_batch_of(services_of(request), principal, str(command.batch))
        return await void_unprinted(
            pool,
            batch,
            party_id=principal.party_id,
            reason=command.reason,
            facility=command.facility[:MAX_URI],
        )
    check_batch(command.gtin, command.lot, 1)
    if not command.serials:
        raise InputError("issuing.serials.empty", "The command names no codes.", path="serials")
    await require_issuer(pool, principal, command.gtin)
    return await void(
        pool,
        gtin=command.gtin,
        lot=command.lot,
        serials=command.serials,
        party_id=principal.party_id,
        reason=command.reason,
        facility=command.facility[:MAX_URI],
    )


@post("/api/v1/codes/printed", status_code=200, request_max_body_size=MAX_COMMAND_BYTES, tags=["codes"],
      operation_class=takes(PrintedCommand))  # fmt: skip
async def note_printed(request: Call) -> Activation:
    """Note which labels of a batch were printed. Repeats are counted and change nothing."""
    principal = await require(request, "codes.issue")
    command = await read_command(request, PrintedCommand)
    services = services_of(request)
    batch = await find_batch_of(services, principal, str(command.batch))
    return await mark_range_printed(
        services.pool,
        batch,
        command.first,
        command.last,
        party_id=principal.party_id,
        facility=command.facility[:MAX_URI],
    )


ROUTES = (activate, void_codes, note_printed)
