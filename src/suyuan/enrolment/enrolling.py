"""Enrolling a label: its record is made from images, stored, and bound to the item's code by an event in the log.

All of it stands afterwards, or nothing does. Only who issued the code may enrol its label, or whom the operator granted
a role for the GTIN. A label that is enrolled again gets a new record; the newest counts and the earlier ones are kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

import asyncpg
import msgspec

from suyuan.canon import canonical_json
from suyuan.capture.intake import Capture
from suyuan.capture.prepare import Deliverer
from suyuan.db.pool import Connection, Pool, sql, transaction
from suyuan.enrolment.image_tasks import EnrolDynamic, EnrolPattern
from suyuan.enrolment.image_worker import ENROL_SECONDS, ImageWorker
from suyuan.enrolment.records import LABEL_METHOD, LABEL_RECORD, LABEL_TRACK, record_digest
from suyuan.epcis.model import Event, Extension
from suyuan.epcis.reading import DerivedEvent, Reading
from suyuan.errors import ConflictError, InputError, PermissionDenied, RefusedError
from suyuan.gs1.digital_link import parse, without_trailing_slash
from suyuan.gs1.percent import encode_value
from suyuan.gs1.serials import item_uri
from suyuan.issuing import PatternKeys
from suyuan.label.model import Placement, Track

ENROLLING: Final = "urn:suyuan:bizstep:enrolling"
METHODS: Final[dict[Track, str]] = {"A": "pattern/1", "B": "dynamic/1"}
# Who may enrol labels of a GTIN beside the party that issued the code.
ENROL_ROLES: Final = ("operator", "label-maker", "brand-owner", "manufacturer")
# A spiral of 130 to 160 frames is what a rig delivers for a dynamic label; three images for a pattern.
MAX_IMAGES: Final[dict[Track, int]] = {"A": 12, "B": 200}
MAX_IMAGE_BYTES: Final = 20 * 1024 * 1024
MAX_TOTAL_BYTES: Final = 256 * 1024 * 1024
_CHINA: Final = timezone(timedelta(hours=8))
_WIDEST_ZONE: Final = timedelta(hours=14)
# By how much the clock of who took the images may be ahead of ours.
_AHEAD: Final = timedelta(minutes=5)
_PLAIN_HOST = "https://id.gs1.org/"


class EnrolCommand(msgspec.Struct, frozen=True, kw_only=True):
    """Which label is enrolled, and how. ``uri`` is what its code says, or the item's canonical URI.

    ``placement`` is where the pattern of a label of track A lies beside its code. ``event_time`` is when the images
    were taken, with its zone, where that was not now.
    """

    uri: str
    track: Track
    placement: Placement | None = None
    event_time: datetime | None = None


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it. ``repeated`` means that the same images of this label had been enrolled before;
    ``supersedes`` is the number of the enrolment that this one takes the place of.
    """

    enrolment_id: int
    uri: str
    gtin: str
    serial: str
    track: Track
    method: str
    enrolled_at: datetime
    repeated: bool = False
    supersedes: int | None = None
    event_id: str | None = None
    capture_id: str | None = None


class _Made(NamedTuple):
    """A record and what it was made from: when the images were taken, and their digest."""

    track: Track
    taken: datetime
    record: bytes
    images: bytes


class Enroller:
    """Enrols labels of this deployment."""

    def __init__(
        self,
        pool: Pool,
        capture: Capture,
        pattern_keys: PatternKeys,
        worker: ImageWorker,
        *,
        code_host: str,
        scheme: str,
    ) -> None:
        """``code_host`` and ``scheme`` are those of the codes that are printed now."""
        self._pool = pool
        self._capture = capture
        self._pattern_keys = pattern_keys
        self._worker = worker
        self._code_host = code_host
        self._scheme = scheme

    async def enrol(self, command: EnrolCommand, images: Sequence[bytes], deliverer: Deliverer) -> Enrolled:
        """Enrol one label in the name of a party. The same images again are no second enrolment.

        ``images`` may be read one at a time, twice. Raises ``InputError`` (``enrolment.*``, ``label.*``),
        ``PermissionDenied`` (``enrolment.party``), ``RefusedError`` (``issuing.code.*``, ``enrolment.pattern.none``),
        ``ConflictError`` (``enrolment.other_party``), ``UnavailableError`` (``scan.label.*``, ``issuing.pattern.key``)
        and ``UnsupportedError`` (``label.extra``). Nothing is stored then.
        """
        check_count(command.track, len(images))
        taken = command.event_time or datetime.now(_CHINA)
        _check_time(taken)
        uri, gtin, serial = self.printed(command.uri)
        code = await self._code(self._pool, gtin, serial, command.track, deliverer)
        digest = self._pattern_keys.signature(await asyncio.to_thread(_images_digest, images))
        if code["enrolment_id"] is not None and code["images"] == digest:
            return _repeated(code, gtin, serial, command.track)
        record = await self._record(command, uri, gtin, serial, code, images)

        async def work(conn: Connection) -> Enrolled:
            await conn.execute(sql(__package__, "lock_code"), gtin, serial)
            now = await self._code(conn, gtin, serial, command.track, deliverer)
            if now["enrolment_id"] is not None and now["images"] == digest:
                return _repeated(now, gtin, serial, command.track)
            made = _Made(command.track, taken, record, digest)
            return await self._store(conn, made, uri, gtin, serial, deliverer, now)

        return await transaction(self._pool, work)

    def printed(self, uri: str) -> tuple[str, str, str]:
        """What the label's code says, with GTIN and serial; of a canonical URI what this deployment prints for it.

        Raises ``InputError`` (``gs1.*``, ``enrolment.uri.item``).
        """
        link = parse(without_trailing_slash(uri.strip()), older_forms=True)
        if not link.gtin or not link.serial:
            raise InputError(
                "enrolment.uri.item",
                "That is no address of a single item.",
                path="uri",
                remedy="Send what the label's QR code says.",
            )
        if uri.strip().lower().startswith(_PLAIN_HOST) and self._code_host != "id.gs1.org":
            uri = item_uri(self._code_host, link.gtin, link.serial, scheme=self._scheme)
        return uri.strip(), link.gtin, link.serial

    async def _code(
        self, db: Pool | Connection, gtin: str, serial: str, track: Track, deliverer: Deliverer
    ) -> asyncpg.Record:
        """The code, which the party may enrol the label of."""
        row = await db.fetchrow(sql(__package__, "enrolled_code"), gtin, serial, track)
        granted = any(grant.role in ENROL_ROLES and grant.covers(gtin) for grant in deliverer.grants)
        issuer = row is not None and row["issued_by"] == deliverer.party_id
        if not granted and not issuer:
            raise PermissionDenied(
                "enrolment.party",
                f"{deliverer.party_id} neither issued this code nor was granted to enrol labels of its GTIN.",
                path="uri",
                remedy="The operator grants the role label-maker for the GTIN.",
            )
        if row is None:
            raise RefusedError(
                "issuing.code.unknown",
                "This code was never issued here.",
                path="uri",
                remedy="Enrol labels of codes that were issued here; check the QR code.",
            )
        if row["voided"]:
            raise RefusedError(
                "issuing.code.voided",
                f"The code {serial} is voided.",
                path="uri",
                remedy="Throw the label away; a voided code is never used again.",
            )
        other = row["party_id"] not in (None, deliverer.party_id)
        if other and not issuer and not any(grant.role == "operator" for grant in deliverer.grants):
            raise ConflictError(
                "enrolment.other_party",
                "Another party enrolled this label.",
                path="uri",
                remedy="The party that issued the code, or the operator, may enrol it again.",
            )
        return row

    async def _record(
        self,
        command: EnrolCommand,
        uri: str,
        gtin: str,
        serial: str,
        code: asyncpg.Record,
        images: Sequence[bytes],
    ) -> bytes:
        if command.track == "B":
            answer = await self._worker.run(EnrolDynamic(uri), images, seconds=ENROL_SECONDS)
            return answer.record
        if not code["pattern_key"]:
            raise RefusedError(
                "enrolment.pattern.none",
                "The label of this code has no pattern.",
                path="track",
                remedy="Issue the batch with patterns (--pattern), or enrol the label as track B.",
            )
        if command.placement is None:
            raise InputError(
                "enrolment.placement",
                "Where the pattern lies on the label was not said.",
                path="style",
                remedy="Name the style, and for ZPL and images the resolution, that the label was printed with.",
            )
        template = self._pattern_keys.template(code["epoch"], code["pattern_key"], gtin, serial)
        task = EnrolPattern(uri, template, command.placement)
        return (await self._worker.run(task, images, seconds=ENROL_SECONDS)).record

    async def _store(
        self,
        conn: Connection,
        made: _Made,
        uri: str,
        gtin: str,
        serial: str,
        deliverer: Deliverer,
        code: asyncpg.Record,
    ) -> Enrolled:
        salt, track = secrets.token_bytes(32), made.track
        digest = record_digest(salt, made.record)
        stored = await self._capture.submit_events(
            conn,
            Reading("suyuan/label-enrolment", (_statement(gtin, serial, made, digest),)),
            canonical_json({"command": "enrol label", "record": digest}),
            deliverer,
            name="label enrolment",
        )
        [event] = stored.events
        row = await conn.fetchrow(
            sql(__package__, "add_enrolment"),
            *(gtin, serial, track, METHODS[track], uri, deliverer.party_id, event.event_key, made.images),
        )
        assert row is not None
        await conn.execute(sql(__package__, "add_record"), row["enrolment_id"], salt, made.record)
        return Enrolled(
            enrolment_id=row["enrolment_id"],
            uri=uri,
            gtin=gtin,
            serial=serial,
            track=track,
            method=METHODS[track],
            enrolled_at=row["enrolled_at"],
            supersedes=code["enrolment_id"],
            event_id=event.event_id,
            capture_id=stored.capture_id,
        )


def check_count(track: Track, count: int) -> None:
    """Raise ``InputError`` (``enrolment.images``) for no images or more than an enrolment takes."""
    if not 1 <= count <= MAX_IMAGES[track]:
        raise InputError(
            "enrolment.images",
            f"An enrolment of track {track} takes 1 to {MAX_IMAGES[track]} images, not {count}.",
            path="images",
            remedy="Send three images of a printed pattern, or 130 to 160 frames of a dynamic label.",
        )


def _check_time(taken: datetime) -> None:
    """Raise ``InputError`` (``enrolment.event_time``) for a time without its zone, before there were such labels, or to
    come.
    """
    zone = taken.utcoffset()
    if zone is None or abs(zone) > _WIDEST_ZONE or taken.year < 2000 or taken > datetime.now(UTC) + _AHEAD:
        raise InputError(
            "enrolment.event_time",
            "The time at which the images were taken has no zone, is long ago, or is still to come.",
            path="event_time",
            remedy="Give it as 2026-03-01T09:10:00+08:00, or leave it out: now.",
        )


def _statement(gtin: str, serial: str, made: _Made, digest: str) -> DerivedEvent:
    """The enrolment as an event: of which item, by which method, with which record."""
    event = Event(
        type="ObjectEvent",
        event_time=made.taken.astimezone(UTC),
        event_time_zone_offset=made.taken.isoformat()[-6:],
        action="OBSERVE",
        epc_list=(f"https://id.gs1.org/01/{gtin}/21/{encode_value(serial)}",),
        biz_step=ENROLLING,
        extensions=(
            Extension(LABEL_TRACK, made.track),
            Extension(LABEL_RECORD, digest),
            Extension(LABEL_METHOD, METHODS[made.track]),
        ),
    )
    return DerivedEvent(event, "$", "label-enrolment/1")


def _repeated(code: asyncpg.Record, gtin: str, serial: str, track: Track) -> Enrolled:
    return Enrolled(
        enrolment_id=code["enrolment_id"],
        uri=code["uri"],
        gtin=gtin,
        serial=serial,
        track=track,
        method=code["method"],
        enrolled_at=code["enrolled_at"],
        repeated=True,
    )


def _images_digest(images: Sequence[bytes]) -> bytes:
    digest = hashlib.sha256()
    for position in range(len(images)):
        image = images[position]
        digest.update(len(image).to_bytes(8, "big") + image)
    return digest.digest()
