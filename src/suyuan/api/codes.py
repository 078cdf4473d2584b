"""Codes: issue, and fetch as CSV or labels. Serials are streamed; a batch is never held in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from suyuan.api.access import ISSUER_ROLES, holds_any, require, require_issuer
from suyuan.api.batch_files import batch_file, check_kinds, file_name, media_type, read_order
from suyuan.api.documentation import takes
from suyuan.api.model import Call, Services, services_of
from suyuan.api.problems import problem_of
from suyuan.api.requests import MAX_COMMAND_BYTES, read_command
from suyuan.errors import NotFoundError, SuyuanError
from suyuan.issuing import Batch, find_batches, get_batch, issue
from suyuan.issuing.codes import check_batch
from suyuan.parties import Principal
from suyuan.printing import FORMATS

NDJSON = "application/x-ndjson"


class IssueCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Issue ``count`` new codes of a GTIN (14 digits) and lot, with ``scratch`` a scratch code for each, with
    ``pattern`` a pattern on each label that a camera can check.

    ``label`` is for the issuer's own use.
    """

    gtin: str
    lot: str
    count: int
    label: str = ""
    scratch: bool = False
    pattern: bool = False


@post("/api/v1/codes/issue", status_code=201, request_max_body_size=MAX_COMMAND_BYTES, tags=["codes"],
      operation_class=takes(IssueCommand))  # fmt: skip
async def issue_codes(request: Call) -> Response[Batch] | Stream:
    """Issue a batch of codes, all or none. ``Location`` is its CSV.

    With ``Accept: application/x-ndjson`` the answer is a stream that tells how far it is: lines ``{"issued": n,
    "count": m}``, then the batch with its ``location``, or a problem. Who hangs up in between gets no codes made.
    """
    principal = await require(request, "codes.issue")
    command = await read_command(request, IssueCommand)
    services = services_of(request)
    check_batch(command.gtin, command.lot, command.count)
    check_kinds(scratch=command.scratch, pattern=command.pattern)
    await require_issuer(services.pool, principal, command.gtin)

    async def made(progress: Callable[[int], None] | None = None) -> Batch:
        return await issue(
            services.pool,
            services.mac_keys,
            gtin=command.gtin,
            lot=command.lot,
            count=command.count,
            party_id=principal.party_id,
            label=command.label[:200],
            scratch=services.scratch_keys if command.scratch else None,
            pattern=services.pattern_keys if command.pattern else None,
            progress=progress,
        )

    if NDJSON in request.headers.get("accept", ""):
        return Stream(_told(made, command.count), media_type=NDJSON, status_code=200)
    batch = await made()
    return Response(batch, status_code=201, headers={"Location": _location(batch)})


def _location(batch: Batch) -> str:
    return f"/api/v1/codes/batches/{batch.batch_id}.csv"


async def _told(
    made: Callable[[Callable[[int], None]], Awaitable[Batch]], count: int
) -> AsyncIterator[bytes]:
    """Lines about a batch in the making; leaving off undoes it."""
    steps: asyncio.Queue[int | None] = asyncio.Queue()
    task = asyncio.ensure_future(made(steps.put_nowait))
    task.add_done_callback(lambda _: steps.put_nowait(None))
    try:
        while (issued := await steps.get()) is not None:
            yield msgspec.json.encode({"issued": issued, "count": count}) + b"\n"
        try:
            batch = await task
            last = {**msgspec.to_builtins(batch), "location": _location(batch)}
        except SuyuanError as error:
            last = msgspec.to_builtins(problem_of(error))
        yield msgspec.json.encode(last) + b"\n"
    finally:
        task.cancel()


@get("/api/v1/codes/batches", tags=["codes"])
async def list_batches(request: Call, gtin: FromQuery[str], lot: FromQuery[str] = "") -> list[Batch]:
    """The batches of a GTIN that the caller may issue, of one lot or of all."""
    principal = await require(request, "codes.issue")
    pool = services_of(request).pool
    await require_issuer(pool, principal, gtin)
    return await find_batches(pool, gtin, lot)


@get("/api/v1/codes/batches/{file:str}", tags=["codes"])
async def read_batch(
    request: Call,
    file: FromPath[str],
    format: FromQuery[str] = "",  # noqa: A002 - the query's own word
    style: FromQuery[str] = "",
    dpi: FromQuery[int] = 0,
    expiry: FromQuery[str] = "",
) -> Stream:
    """The codes of a batch in the order of issue, streamed: CSV (serial, URI for the label, GTIN, lot), or labels.

    ``file`` is ``NUMBER.csv``, or ``NUMBER`` with ``format``: ``pdf``, ``zpl``, ``csv``, or a ZIP of ``svg``, ``png``
    or ``tiff``. ``style`` is one of the label styles, ``dpi`` that of a ZPL printer or of images (203 and 812 where it
    is left out), ``expiry`` a date for the label.
    """
    principal = await require(request, "codes.issue")
    services = services_of(request)
    batch = await find_batch_of(services, principal, file)
    order = read_order(format or file.partition(".")[2], style, dpi, expiry)
    return Stream(
        await batch_file(services, batch, order),
        media_type=media_type(order),
        headers={"Content-Disposition": f'attachment; filename="{file_name(batch, order)}"'},
    )


async def find_batch_of(services: Services, principal: Principal, file: str) -> Batch:
    """The batch of a file's name, for who may make its codes. Raises ``NotFoundError`` (``issuing.batch.unknown``)."""
    number, _, kind = file.partition(".")
    unknown = NotFoundError(
        "issuing.batch.unknown", "There is no such batch of this party.", path="batch_id",
        remedy="A batch is fetched as /api/v1/codes/batches/NUMBER.csv.",
    )  # fmt: skip
    if kind not in ("", *FORMATS) or not (number.isascii() and number.isdigit()) or len(number) > 18:
        raise unknown
    batch = await get_batch(services.pool, int(number))
    if batch.issued_by != principal.party_id and not await holds_any(
        services.pool, principal, ISSUER_ROLES, batch.gtin
    ):
        raise unknown
    return batch


ROUTES = (issue_codes, list_batches, read_batch)
