"""EPCIS 2.0: the capture interface and the single event, as far as the standard's REST binding describes them.

A capture is finished when it is acknowledged: the job that ``Location`` names has ended and its events are stored.
With ``GS1-Capture-Error-Behaviour: rollback`` (the default) a document is taken whole or refused at once with
400 or 409; with ``proceed`` what can be stored is, and the job names the rest. Events are private: only the party
that captured one, and the operator, get it back, as the policy shows it to them. For nobody else is there an event
under an ID: an ID is computed from the content, and a door that knew it would let a guess be tested.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

import msgspec
from litestar import Response, get, post, route
from litestar.params import FromPath

from suyuan import epcis
from suyuan.api.access import deliverer_of, require
from suyuan.api.documentation import takes
from suyuan.api.metrics import count_paper
from suyuan.api.model import Call, Services, services_of
from suyuan.api.problems import wants_xml
from suyuan.api.requests import PAPER_BYTES, raw_tail, received_paper
from suyuan.api.stored import CaptureRecord, get_capture, get_events
from suyuan.capture.intake import MAX_CONFLICTS
from suyuan.capture.long_papers import PROCEED, REFUSED, notes_of
from suyuan.capture.paper import read_paper
from suyuan.capture.prepare import Deliverer
from suyuan.capture.sources import Source
from suyuan.capture.store import Stored
from suyuan.db.pool import transaction
from suyuan.disclosure.mask import mask_body
from suyuan.disclosure.policy import Policy
from suyuan.epcis import (
    DerivedEvent,
    Event,
    Reading,
    canonical_body,
    event_from_body,
    write_json_document,
    write_xml_document,
)
from suyuan.errors import ConflictError, InputError, NotFoundError, SuyuanError, UnsupportedError

JSON_TYPES = ("application/json", "application/ld+json")
XML_TYPES = ("application/xml", "text/xml")
# What a version header may not say: another version, a lowest above 2.0, a highest below it.
_VERSIONS = (
    ("GS1-EPCIS-Version", re.compile(r"(?!2\.0)")),
    ("GS1-CBV-Version", re.compile(r"(?!2\.)")),
    ("GS1-EPCIS-Min", re.compile(r"(?:2\.[1-9]|[3-9]|\d\d)")),
    ("GS1-EPCIS-Max", re.compile(r"[01](?:\.|$)")),
)
_FORMATS = {"Always_GS1_Digital_Link": "dl", "No_Preference": "dl", "Always_EPC_URN": "urn"}


class NotAcceptable(SuyuanError):  # noqa: N818 - as its siblings in suyuan.errors
    """The caller takes no form that this door gives."""

    http_status = 406
    exit_code = 2


class CaptureJob(msgspec.Struct, frozen=True, kw_only=True):
    """A capture job in the words of the EPCIS standard."""

    captureID: str  # noqa: N815 - the standard's names
    createdAt: str  # noqa: N815
    finishedAt: str  # noqa: N815
    running: bool
    success: bool
    captureErrorBehaviour: str  # noqa: N815
    errors: list[dict[str, str]]


def job_of(record: CaptureRecord) -> CaptureJob:
    """The job as which a stored document is reported."""
    at = msgspec.to_builtins(record.received_at)
    errors = [
        {
            "type": "epcisException:ValidationException",
            "title": "The event was refused.",
            "detail": notice.reason,
            "path": notice.path,
        }
        for notice in record.warnings
        if notice.code == REFUSED
    ]
    proceed = any(notice.code == PROCEED for notice in record.warnings)
    return CaptureJob(
        captureID=record.capture_id,
        createdAt=at,
        finishedAt=at,
        running=False,
        success=not errors,
        captureErrorBehaviour="proceed" if proceed else "rollback",
        errors=errors,
    )


def _check_versions(call: Call) -> None:
    """Raise ``NotAcceptable`` (``epcis.version``) where the caller asks for another version than 2.0."""
    for name, wrong in _VERSIONS:
        asked = call.headers.get(name)
        if asked is not None and wrong.match(asked.strip()):
            raise NotAcceptable(
                "epcis.version",
                f"{name} asks for {asked[:20]}; EPCIS 2.0 is spoken here.",
                path=name,
                remedy="Leave the header out or ask for 2.0.0.",
            )


def _behaviour(call: Call) -> str:
    asked = call.headers.get("GS1-Capture-Error-Behaviour", "rollback").strip().lower()
    if asked not in ("rollback", "proceed"):
        raise InputError(
            "epcis.capture.behaviour",
            f"{asked[:20]!r} is neither rollback nor proceed.",
            path="GS1-Capture-Error-Behaviour",
        )
    return asked


def check_epcis_type(call: Call) -> None:
    """Raise ``UnsupportedError`` (``epcis.content_type``) for a body that is labelled as something else."""
    kind = (call.headers.get("content-type") or "").split(";")[0].strip().lower()
    if kind and kind not in JSON_TYPES + XML_TYPES:
        raise UnsupportedError(
            "epcis.content_type",
            f"This door does not take {kind[:60]}.",
            path="Content-Type",
            remedy="Send EPCIS as application/ld+json, application/json or application/xml; other papers go to"
            " /api/v1/evidence.",
        )


def _check_epcis(data: bytes) -> None:
    """Refuse what is no EPCIS: other papers have a door of their own."""
    if not data.strip() or epcis.recognise(data):
        return  # an empty body is refused by the reader, in its words
    epcis.read(data)
    read_paper(data)


async def _take(services: Services, given: bytes | Source, deliverer: Deliverer, *, proceed: bool) -> Stored:
    """Store a document: as a whole, or what holds of it."""
    if isinstance(given, Source):
        stored = await services.capture.submit_long(given, deliverer, name="capture", proceed=proceed)
        if stored is not None:
            return stored
        given = await asyncio.to_thread(given.whole)
    _check_epcis(given)
    if proceed:
        return await _proceed(services, given, deliverer, "capture")
    return await services.capture.submit(given, deliverer, name="capture")


async def _proceed(services: Services, data: bytes, deliverer: Deliverer, name: str) -> Stored:
    """Store what can be stored; what is refused is noted with the evidence."""
    refused: list[SuyuanError] = []
    reading = epcis.read(data, refused=refused)
    kept: list[DerivedEvent] = []
    for derived in reading.events:
        try:
            services.capture.prepare_events([derived], deliverer, reading.kind)
        except SuyuanError as error:
            error.path = error.path or derived.path
            refused.append(error)
        else:
            kept.append(derived)
    while True:
        if not kept:
            raise refused[0]
        attempt = Reading(
            kind=reading.kind,
            events=tuple(kept),
            personal=reading.personal,
            warnings=(*reading.warnings, *notes_of(refused)),
            encrypt_whole=reading.encrypt_whole or bool(refused),
        )
        try:
            return await transaction(
                services.pool,
                lambda conn, attempt=attempt: services.capture.submit_events(  # type: ignore[misc]
                    conn, attempt, data, deliverer, name=name
                ),
            )
        except ConflictError as error:
            left = [derived for derived in kept if derived.path != error.path]
            if len(left) == len(kept) or len(refused) >= MAX_CONFLICTS + len(reading.events):
                raise
            refused.append(error)
            kept = left


@post("/epcis/capture", status_code=202, request_max_body_size=PAPER_BYTES, tags=["EPCIS"],
      operation_class=takes(None, *JSON_TYPES, *XML_TYPES))  # fmt: skip
async def capture_events(request: Call) -> Response[bytes]:
    """Capture the events of an EPCIS document, JSON-LD or XML. ``Location`` names the capture job."""
    principal = await require(request, "capture")
    _check_versions(request)
    behaviour = _behaviour(request)
    check_epcis_type(request)
    services = services_of(request)
    deliverer = await deliverer_of(request, principal)
    async with received_paper(request) as given:
        stored = await _take(services, given, deliverer, proceed=behaviour == "proceed")
    count_paper(stored)
    headers = {
        "Location": f"/epcis/capture/{stored.capture_id}",
        "GS1-Capture-Error-Behaviour": behaviour,
    }
    return Response(b"", status_code=202, media_type="text/plain", headers=headers)


@get("/epcis/capture/{capture_id:str}", tags=["EPCIS"])
async def read_capture_job(request: Call, capture_id: FromPath[str]) -> Response[Any]:
    """A capture job of the caller: whether it succeeded, and which events it refused."""
    principal = await require(request, "capture", "epcis.read")
    _check_versions(request)
    job = job_of(await get_capture(services_of(request).pool, capture_id, principal))
    return Response(msgspec.json.encode(job), media_type="application/json")


@get("/epcis/events/{event_id:path}", tags=["EPCIS"])
async def read_event(request: Call) -> Response[bytes]:
    """One event by its ID, with its error declarations, as an EPCISQueryDocument in JSON-LD or XML.

    Only the party that captured the event, and the operator, get it. ``GS1-EPC-Format`` chooses Digital Links
    or EPC URNs.
    """
    principal = await require(request, "epcis.read", "capture")
    _check_versions(request)
    asked = request.headers.get("GS1-EPC-Format", "No_Preference").strip()
    form = _FORMATS.get(asked)
    if form is None:
        raise NotAcceptable(
            "epcis.format",
            f"Identifiers are not given as {asked[:40]!r}.",
            path="GS1-EPC-Format",
            remedy="Ask for Always_GS1_Digital_Link or Always_EPC_URN.",
        )
    xml = _wants_xml(request)
    services = services_of(request)
    events = [
        seen_event(event, services.reader.policy, "operator" if principal.is_operator else "deliverer")
        for event in await get_events(services.pool, _event_id(request), principal)
    ]
    write = write_xml_document if xml else write_json_document
    body = write(events, form, query="SimpleEventQuery")  # type: ignore[arg-type]
    headers = {"GS1-EPC-Format": "Always_EPC_URN" if form == "urn" else "Always_GS1_Digital_Link"}
    kind = "application/xml" if xml else "application/ld+json"
    return Response(body, media_type=kind, headers=headers)


def seen_event(event: Event, policy: Policy, audience: str) -> Event:
    """A whole event as an audience of the policy sees it, with its ID and record time.

    Raises ``NotFoundError`` (``epcis.event.unknown``) where the audience sees nothing of it, or no event's ID.
    """
    if policy.audience(audience).sees_all:
        return event
    body = canonical_body(event)
    masked = mask_body(policy, audience, body, {"eventID": event.event_id or ""})
    if (
        "eventID" not in masked.statement
        or not {"type", "eventTime", "eventTimeZoneOffset"} <= masked.body.keys()
    ):
        raise NotFoundError(
            "epcis.event.unknown", "There is no such event that this caller may see.", path="eventID"
        )
    return msgspec.structs.replace(
        event_from_body(masked.body), event_id=event.event_id, record_time=event.record_time
    )


def _wants_xml(call: Call) -> bool:
    accept = call.headers.get("accept") or "*/*"
    if wants_xml(accept):
        return True
    kinds = {part.split(";")[0].strip().lower() for part in accept.split(",")}
    if kinds.isdisjoint({*JSON_TYPES, "*/*", "application/*"}):
        raise NotAcceptable(
            "http.accept",
            "An event is given as JSON-LD or XML.",
            path="Accept",
            remedy="Accept application/ld+json or application/xml.",
        )
    return False


def _event_id(call: Call) -> str:
    """The ID as it stands in the path. The ``?ver=`` of a hash ID that was not escaped came as a query."""
    event_id = raw_tail(call, "/epcis/events/")
    version = call.query_params.get("ver")
    if version and event_id.startswith("ni:") and "?ver=" not in event_id:
        event_id += f"?ver={version}"
    return event_id


@route("/epcis", http_method=["OPTIONS"], status_code=204, tags=["EPCIS"])
async def discover(request: Call) -> Response[None]:
    """What this interface speaks: versions, formats and limits, in the headers. Every route answers OPTIONS."""
    return Response(None, status_code=204, headers={"Allow": "OPTIONS"})


ROUTES = (capture_events, read_capture_job, read_event, discover)
