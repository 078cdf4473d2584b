"""Labels by their image: enrolled by who makes them, checked by anybody with a camera."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, post
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema

from suyuan.api.access import deliverer_of, require
from suyuan.api.addresses import ADDRESS
from suyuan.api.batch_files import label_of
from suyuan.api.documentation import takes
from suyuan.api.model import Call, Services, services_of
from suyuan.api.requests import read_command, read_thing
from suyuan.catalog import find_products
from suyuan.enrolment.enrolling import (
    MAX_IMAGE_BYTES,
    MAX_IMAGES,
    MAX_TOTAL_BYTES,
    EnrolCommand,
    Enrolled,
)
from suyuan.errors import InputError
from suyuan.issuing import code_history
from suyuan.label.model import Answer, Placement, Track
from suyuan.parties.origins import place_of
from suyuan.printing import get_style, pattern_placement
from suyuan.scans import Challenge, LabelCheck, advice_of, label_words_of
from suyuan.scans.label_answers import unknown_label
from suyuan.scans.label_model import Bounds
from suyuan.scans.label_uploads import CHECK_BYTES, FORM_BYTES, Upload, received_upload
from suyuan.scans.label_wording import MEANING_EN, MEANING_ZH, Advice
from suyuan.trace.read import split_item

MAX_CHALLENGE_BYTES = 4096
_ENROL_SECONDS = 1800.0
_ENROL_BOUNDS = Bounds(max(MAX_IMAGES.values()), MAX_IMAGE_BYTES)


class ChallengeCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The item's address as it was scanned."""

    uri: str


class CheckAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of a label came to, in one word, in figures and in words for people. It says nothing of what is in
    the pack.
    """

    answer: Answer
    track: Track
    score: float
    threshold: float
    reasons: tuple[str, ...]
    quality: dict[str, float]
    voided: bool
    retry_seconds: int
    enrolled_at: datetime | None
    title_en: str
    title_zh: str
    text_en: str
    text_zh: str
    advice: tuple[Advice, ...]
    meaning_en: str
    meaning_zh: str


def _form(**fields: str) -> type[Operation]:
    """The OpenAPI operation of a route that takes a form with images."""
    properties = {name: Schema(type="string", description=meaning) for name, meaning in fields.items()}  # type: ignore[arg-type]
    images = Schema(type="array", items=Schema(type="string", format="binary"))  # type: ignore[arg-type]
    schema = Schema(type="object", properties={**properties, "images": images}, required=["images"])  # type: ignore[arg-type]

    @dataclass
    class Taking(Operation):
        def __post_init__(self) -> None:
            content = {"multipart/form-data": OpenAPIMediaType(schema=schema)}
            self.request_body = RequestBody(content=content, required=True)

    return Taking


_ENROL_FORM = _form(
    uri="What the label's QR code says, or the item's address.",
    track="A (a pattern, one image or some) or B (a dynamic label, frames of a clip).",
    style="Track A: the label style that it was printed with.",
    dpi="Track A: the resolution of the printer, for ZPL and images.",
    event_time="When the images were taken, with its zone, as 2026-03-01T09:10:00+08:00; now where left out.",
)
_CHECK_FORM = _form(
    nonce="From a challenge.",
    uri="The item whose label it is, if the answer is to be refused for another one.",
    track="A or B, where the label has both records.",
    place="A UN/LOCODE or six digits of GB/T 2260, or nothing.",
)


@post("/api/v1/labels/enrolments", status_code=201, tags=["labels"], operation_class=_ENROL_FORM,
      request_max_body_size=MAX_TOTAL_BYTES + FORM_BYTES)  # fmt: skip
async def enrol_label(request: Call) -> Response[Enrolled]:
    """Enrol one label from images of it: 201, or 200 for the same images again. A later enrolment supersedes it.

    For who issued the code, or whom the operator granted the role label-maker for its GTIN. The form has ``uri``,
    ``track``, for track A ``style`` (and ``dpi``), and ``images``: some of a pattern, 130 to 160 frames of a dynamic
    label.
    """
    principal = await require(request, "labels.enrol")
    services = services_of(request)
    deliverer = await deliverer_of(request, principal)
    async with received_upload(
        request.stream(),
        request.headers.get("content-type", ""),
        bounds=_ENROL_BOUNDS,
        total_bytes=MAX_TOTAL_BYTES,
        seconds=_ENROL_SECONDS,
        place=principal.party_id,
        purpose="enrolment",
    ) as upload:
        command = await read_enrolment(services, upload)
        done = await services.enroller.enrol(command, upload.images, deliverer)
    return Response(done, status_code=200 if done.repeated else 201)


async def read_enrolment(services: Services, upload: Upload) -> EnrolCommand:
    """The command of a form. Raises ``InputError`` (``enrolment.track``, ``label.upload.field``, ``printing.*``,
    ``enrolment.event_time``).
    """
    track = read_track(upload.field("track"))
    uri, style = upload.field("uri"), upload.fields.get("style", "")
    placement = None
    if track == "A" and style:
        placement = await placement_of(services, uri, style, _dpi(upload.fields.get("dpi", "")))
    taken = read_event_time(upload.fields.get("event_time", ""))
    return EnrolCommand(uri=uri, track=track, placement=placement, event_time=taken)


def read_event_time(text: str) -> datetime | None:
    """When images were taken; None where it is not said. Raises ``InputError`` (``enrolment.event_time``)."""
    if not text:
        return None
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        raise InputError(
            "enrolment.event_time",
            "This is no time.",
            path="event_time",
            remedy="Give it as 2026-03-01T09:10:00+08:00, or leave it out: now.",
        ) from None


def read_track(text: str) -> Track:
    """A track by its letter. Raises ``InputError`` (``enrolment.track``)."""
    if text == "A":
        return "A"
    if text == "B":
        return "B"
    raise InputError(
        "enrolment.track",
        "There is no such track.",
        path="track",
        remedy="A is a pattern in print, B a label whose look changes with the angle.",
    )


def _dpi(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 5:
        raise InputError("printing.dpi", "The resolution is no whole number.", path="dpi")
    return int(text)


async def placement_of(services: Services, uri: str, style: str, dpi: int | None) -> Placement | None:
    """Where the pattern of a label lies that was printed in a style; None where its code was not issued here.

    Raises ``InputError`` (``gs1.*``, ``enrolment.uri.item``) and what ``printing.pattern_placement`` raises.
    """
    _, gtin, serial = services.enroller.printed(uri)
    history = await code_history(services.pool, gtin, serial)
    if history is None:
        return None
    product = (await find_products(services.pool, [gtin])).get(gtin)
    label = label_of(history.batch, services.settings, serial, product, None)
    return Placement(*pattern_placement(get_style(style), label, dpi))


@post("/api/v1/labels/challenges", status_code=200, request_max_body_size=MAX_CHALLENGE_BYTES, tags=["labels"],
      operation_class=takes(ChallengeCommand))  # fmt: skip
async def challenge_label(request: Call) -> Response[Challenge]:
    """Begin a check of a label: a nonce for one check, which kinds of record the label has, and for a dynamic label the
    way in which the phone is to be tilted. 404 where no label was enrolled. No token is needed.
    """
    command = await read_command(request, ChallengeCommand)
    gtin, serial, _ = split_item(uri := read_thing(command.uri))
    found = await services_of(request).label_checker.challenge(uri) if gtin and serial else None
    if found is None:
        raise unknown_label()
    return Response(found, headers={"Cache-Control": "no-store"})


@post("/api/v1/labels/checks", status_code=200, request_max_body_size=CHECK_BYTES + FORM_BYTES, tags=["labels"],
      operation_class=_CHECK_FORM)  # fmt: skip
async def check_label(request: Call) -> Response[CheckAnswer]:
    """Check a label by a capture: ``matches`` its record, ``differs`` from it, or ``unclear`` with advice. After too
    many failures 429 with ``Retry-After``, and nothing was looked at. No token is needed.

    The form has the ``nonce`` of a challenge and ``images``: one photo of a pattern (three at most), or the frames of a
    clip of a dynamic label under the torch.
    """
    address = str(request.scope.get(ADDRESS, ""))
    kind = request.headers.get("content-type", "")
    async with received_upload(request.stream(), kind, place=place_of(address)) as upload:
        check = await services_of(request).label_checker.check(
            upload.field("nonce"),
            upload.images,
            address=address,
            place=upload.fields.get("place", ""),
            track=_chosen(upload.fields.get("track", "")),
            uri=read_thing(named) if (named := upload.fields.get("uri", "")) else "",
        )
    headers = {"Cache-Control": "no-store"}
    if check.retry_seconds:
        headers["Retry-After"] = str(check.retry_seconds)
    return Response(answer_of(check), status_code=429 if check.retry_seconds else 200, headers=headers)


def _chosen(text: str) -> str:
    return read_track(text) if text else ""


def answer_of(check: LabelCheck) -> CheckAnswer:
    """A check with its words. Who enrolled the label stands on the item's page."""
    words = label_words_of(check)
    figures: dict[str, Any] = {
        name: getattr(check, name) for name in CheckAnswer.__struct_fields__ if hasattr(check, name)
    }
    return CheckAnswer(
        **figures,
        **msgspec.structs.asdict(words),
        advice=advice_of(check.reasons),
        meaning_en=MEANING_EN,
        meaning_zh=MEANING_ZH,
    )


ROUTES = (enrol_label, challenge_label, check_label)
