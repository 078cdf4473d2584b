"""Codes of other systems on the same items, stated as aliases: a list as CSV, or a range on a batch's labels."""

from __future__ import annotations

import io
from typing import BinaryIO

import msgspec
from litestar import post
from litestar.params import FromQuery

from suyuan.api.access import deliverer_of, require
from suyuan.api.codes import find_batch_of
from suyuan.api.documentation import takes
from suyuan.api.model import Call, services_of
from suyuan.api.requests import MAX_COMMAND_BYTES, MAX_URI, PAPER_BYTES, read_command, received_paper
from suyuan.issuing.alias_rows import rows_of_list, rows_of_range
from suyuan.issuing.aliasing import AliasImport, import_aliases
from suyuan.issuing.foreign_codes import code_range, code_system


class AliasRange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Codes ``from`` to ``to`` of a system are on the labels of a batch, in its order from ``label`` on."""

    system: str
    batch: int
    first: str = msgspec.field(name="from")
    last: str = msgspec.field(name="to")
    city: str = ""
    label: int = 1
    facility: str = ""


@post("/api/v1/codes/aliases", status_code=201, request_max_body_size=PAPER_BYTES, tags=["codes"],
      operation_class=takes(None, "text/csv"))  # fmt: skip
async def import_list(
    request: Call, system: FromQuery[str], city: FromQuery[str] = "", facility: FromQuery[str] = ""
) -> AliasImport:
    """State codes of another system as aliases of items: a CSV with the columns ``code`` and ``item``.

    ``system`` is ``ccic``, ``ecode``, ``city`` (with ``city``, six digits of GB/T 2260) or ``url``. All rows are taken
    or none (400, ``issuing.alias.rows``, the first faulty rows named). The caller must have issued the items' codes,
    or be the first that commissioned one of the two.
    """
    principal = await require(request, "codes.issue", "capture")
    wanted = code_system(system, city)
    services = services_of(request)
    deliverer = await deliverer_of(request, principal)
    async with received_paper(request) as given:

        def opened() -> BinaryIO:
            return io.BytesIO(given) if isinstance(given, bytes) else given.open()

        return await import_aliases(
            services.pool,
            services.capture,
            wanted,
            rows_of_list(opened),
            deliverer,
            facility=facility[:MAX_URI],
        )


@post("/api/v1/codes/aliases/range", status_code=201, request_max_body_size=MAX_COMMAND_BYTES, tags=["codes"],
      operation_class=takes(AliasRange))  # fmt: skip
async def import_range(request: Call) -> AliasImport:
    """State a range of another system's codes as aliases of the items of a batch, label by label."""
    principal = await require(request, "codes.issue")
    command = await read_command(request, AliasRange)
    services = services_of(request)
    wanted = code_system(command.system, command.city)
    batch = await find_batch_of(services, principal, str(command.batch))
    rows = rows_of_range(batch, code_range(command.first, command.last), command.label)
    return await import_aliases(
        services.pool,
        services.capture,
        wanted,
        rows,
        await deliverer_of(request, principal),
        facility=command.facility[:MAX_URI],
    )


ROUTES = (import_list, import_range)
