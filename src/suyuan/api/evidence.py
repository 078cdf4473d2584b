"""The door for papers of every kind: customs messages, sheets, scans, logs, EPCIS. Recognised by content."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from suyuan.api.access import deliverer_of, require
from suyuan.api.documentation import takes
from suyuan.api.metrics import count_paper
from suyuan.api.model import Call, services_of
from suyuan.api.requests import PAPER_BYTES, paper_name, received_paper
from suyuan.api.stored import CapturedEvent, CaptureRecord, Notice, get_capture


@post("/api/v1/evidence", status_code=201, request_max_body_size=PAPER_BYTES, tags=["papers"],
      operation_class=takes(None, "application/octet-stream"))  # fmt: skip
async def capture_paper(request: Call, mapping: FromQuery[str] = "") -> Response[CaptureRecord]:
    """Take one paper in, whole or not at all: the body is the file as it is, of any kind that is known here.

    Scans in a shape of the caller's own are read by the mapping that its party stored: the one that they fit, or
    ``?mapping=NAME``. A paper's name comes from ``?name=`` or Content-Disposition and only serves people. The same
    bytes from the same party again are answered with 200 and what they gave the first time.
    """
    principal = await require(request, "capture")
    name = paper_name(request)
    services = services_of(request)
    deliverer = await deliverer_of(request, principal)
    async with received_paper(request) as given:
        size = len(given) if isinstance(given, bytes) else given.size
        stored = await services.capture.submit(given, deliverer, name=name, mapping=mapping)
    count_paper(stored)
    record = CaptureRecord(
        capture_id=stored.capture_id,
        party_id=principal.party_id,
        kind=stored.kind,
        name=name,
        size=size,
        received_at=stored.received_at,
        events=tuple(
            CapturedEvent(event_id=e.event_id, outcome=e.outcome, path=e.path, rule=e.rule)
            for e in stored.events
        ),
        event_count=sum(stored.counts.values()),
        warnings=tuple(Notice(code=c, path=p, reason=r) for c, p, r in stored.warnings),
        repeated=stored.repeated,
    )
    location = {"Location": f"/api/v1/evidence/{stored.capture_id}"}
    return Response(record, status_code=200 if stored.repeated else 201, headers=location)


@get("/api/v1/evidence/{capture_id:str}", tags=["papers"])
async def read_paper(request: Call, capture_id: FromPath[str], after: FromQuery[int] = 0) -> CaptureRecord:
    """What became of a paper of the caller: its events, and what was odd in it.

    Of a long paper 10,000 events are told at a time; ``?after=10000`` gives those behind the first 10,000, and
    ``event_count`` says how many there are.
    """
    principal = await require(request, "capture", "epcis.read", "trace")
    return await get_capture(services_of(request).pool, capture_id, principal, max(0, after))


ROUTES = (capture_paper, read_paper)
