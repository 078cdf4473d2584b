"""Checking a label by a capture: nonce, limits, comparison in a process of its own, and the scan that it leaves.

As with scratch codes only failures are held against anybody, in windows of a quarter of an hour. After some from one
address, captures of that code from there are not looked at any more. Failures of a code from wherever, and of an
address with whatever codes, only end their journal and their answers: a capture that matches is told at once, to
everybody. A capture that was sent before is none, however well it matches.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, cast

import msgspec

from suyuan.db.pool import Connection, Pool, sql, transaction
from suyuan.enrolment.image_tasks import Task, VerifyDynamic, VerifyPattern
from suyuan.enrolment.image_worker import ImageWorker, LostImagesError, check_extra
from suyuan.enrolment.records import Enrolment, find_enrolments, read_record
from suyuan.errors import ConflictError, InputError, RefusedError, TooLargeError
from suyuan.gs1.digital_link import parse, without_trailing_slash
from suyuan.gs1.percent import encode_value
from suyuan.issuing import MacKeys, PatternKeys
from suyuan.label.model import Track, Verdict, near_duplicate
from suyuan.label.path import TiltPath
from suyuan.observing import LABEL_CHECKS
from suyuan.parties.origins import place_of
from suyuan.scans.label_answers import held, measured, other_track, told, unknown_label
from suyuan.scans.label_images import keep_images
from suyuan.scans.label_model import CHECK_BOUNDS, Challenge, LabelCheck
from suyuan.scans.label_nonces import LabelNonce, make_nonce, open_nonce, seal_nonce
from suyuan.scans.verifying import WINDOW_SECONDS, check_place
from suyuan.vault import Vault

# Captures that did not match, in a window: of a code from one address, of a code, of an address.
PAIR_LIMIT: Final = 20
CODE_LIMIT: Final = 200
ADDRESS_LIMIT: Final = 600
# Captures of one code that matched, in a window.
MATCH_LIMIT: Final = 60
# How much a label that differs speaks for a second one under the same code.
_DIFFERS_SCORE = 60
_ORDER = ("unclear", "differs", "matches")


class _Subjects(msgspec.Struct, frozen=True):
    pair: bytes
    code: bytes
    address: bytes
    matched: bytes


class _Capture(msgspec.Struct, frozen=True):
    """One capture on its way: of which label, with which record, from where; no subjects where nothing is limited."""

    enrolment: Enrolment
    record: bytes
    images: Sequence[bytes]
    place: str
    path: TiltPath
    subjects: _Subjects | None = None


class LabelChecker:
    """Checks labels of this deployment (``label_model.LabelChecks``); any number of processes over the same rows."""

    def __init__(
        self,
        pool: Pool,
        mac_keys: MacKeys,
        pattern_keys: PatternKeys,
        worker: ImageWorker,
        vault: Vault,
        *,
        image_days: int = 0,
    ) -> None:
        """``image_days`` is for how long images of checks are kept, sealed; with 0 they are never stored."""
        self._pool = pool
        self._mac_keys = mac_keys
        self._keys = pattern_keys
        self._worker = worker
        self._vault = vault
        self._image_days = image_days

    async def challenge(self, uri: str) -> Challenge | None:
        """See ``LabelChecks.challenge``. Raises ``InputError`` (``gs1.*``), ``UnsupportedError`` (``label.extra``)."""
        check_extra()
        link = parse(without_trailing_slash(uri.strip()), older_forms=True)
        if not link.gtin or not link.serial or self._mac_keys.is_forged(link.gtin, link.serial):
            return None
        enrolments = await find_enrolments(self._pool, link.gtin, link.serial)
        if not enrolments:
            return None
        nonce = make_nonce(link.gtin, link.serial, datetime.now(UTC))
        tracks = tuple(enrolment.track for enrolment in enrolments)
        return Challenge(
            nonce=seal_nonce(self._keys, nonce),
            expires_at=nonce.expires_at,
            uri=f"https://id.gs1.org/01/{link.gtin}/21/{encode_value(link.serial)}",
            code_text=enrolments[-1].uri,
            tracks=tracks,
            path=nonce.path.directions if "B" in tracks else (),
            voided=enrolments[0].voided,
        )

    async def check(
        self,
        nonce: str,
        images: Sequence[bytes],
        *,
        address: str,
        place: str = "",
        track: str = "",
        uri: str = "",
    ) -> LabelCheck:
        """See ``LabelChecks.check``."""
        check_extra()
        check_place(place)
        opened = open_nonce(self._keys, nonce, datetime.now(UTC), uri)
        enrolment = await self._enrolment(opened.gtin, opened.serial, track, len(images))
        subjects = self._subjects(opened, address)
        row = await self._pool.fetchrow(
            sql(__package__, "label_tries"), list(msgspec.structs.astuple(subjects)), WINDOW_SECONDS
        )
        assert row is not None
        pair, _, _, matched = row["tries"]
        if pair >= PAIR_LIMIT or matched >= MATCH_LIMIT:
            return _counted(held(enrolment, row["seconds_left"]))
        self._worker.check_free(place_of(address))
        # Before the nonce is taken and a try counted: a record that is damaged is no fault of who sends a capture.
        record = await self._record(enrolment)
        await self._take(opened)
        capture = _Capture(enrolment, record, images, place, opened.path, subjects)
        try:
            verdict = await self._verdict(capture, place_of(address))
        except (InputError, TooLargeError, LostImagesError) as error:
            if error.code == "label.record.form":
                raise RefusedError(
                    "enrolment.record.changed",
                    "The record of this label cannot be read.",
                    remedy="Run suyuan fsck, and restore the database from a backup, or enrol the label again.",
                ) from None
            # What is no image, or ends the process that looks at it, was a try too: sending such things is not free.
            await self._pool.execute(sql(__package__, "count_tries"), _failed(subjects), WINDOW_SECONDS)
            raise
        return await self._noted(capture, verdict)

    async def examine(
        self, uri: str, images: Sequence[bytes], *, track: str = "", path: TiltPath | None = None
    ) -> LabelCheck:
        """A check by who works at this deployment: no nonce and no limits, noted as any other.

        ``path`` is the way in which a clip was tilted; an empty one asks for none. Raises ``InputError`` (``gs1.*``,
        ``scan.label.images``, ``scan.label.track``), ``NotFoundError`` (``scan.label.unknown``) and what ``check``
        raises.
        """
        check_extra()
        link = parse(without_trailing_slash(uri.strip()), older_forms=True)
        enrolment = await self._enrolment(link.gtin or "", link.serial or "", track, len(images))
        record = await self._record(enrolment)
        capture = _Capture(enrolment, record, images, "", path or TiltPath(()))
        return await self._noted(capture, await self._verdict(capture, ""))

    async def _enrolment(self, gtin: str, serial: str, track: str, count: int) -> Enrolment:
        found = {one.track: one for one in await find_enrolments(self._pool, gtin, serial)}
        if not found:
            raise unknown_label()
        if track and track not in found:
            raise other_track(next(iter(found)))
        by_count: Track = "A" if count <= CHECK_BOUNDS["A"].images else "B"
        chosen = cast("Track", track) or (by_count if by_count in found else next(iter(found)))
        most = CHECK_BOUNDS[chosen].images
        if not 1 <= count <= most:
            raise InputError(
                "scan.label.images",
                f"A check of this label takes 1 to {most} images, not {count}.",
                path="images",
                remedy="Send one photo of the pattern, or 12 to 40 frames of a clip under the torch.",
            )
        return found[chosen]

    def _subjects(self, nonce: LabelNonce, address: str) -> _Subjects:
        def digest(*words: str) -> bytes:
            return self._keys.signature("\0".join(("tries", *words)).encode())

        place = place_of(address)
        return _Subjects(
            pair=digest("pair", nonce.gtin, nonce.serial, place),
            code=digest("code", nonce.gtin, nonce.serial),
            address=digest("address", place),
            matched=digest("matched", nonce.gtin, nonce.serial),
        )

    async def _take(self, nonce: LabelNonce) -> None:
        # What it says, not how it is written: one nonce has several spellings in base64.
        digest = self._keys.signature(b"used\0" + msgspec.msgpack.encode(nonce))
        if await self._pool.fetchval(sql(__package__, "take_label_nonce"), digest) is None:
            raise ConflictError(
                "scan.label.nonce.used",
                "This check was made already.",
                path="nonce",
                remedy="Begin another one; a nonce serves one check.",
            )
        await self._pool.execute(sql(__package__, "forget_label_nonces"))

    async def _record(self, enrolment: Enrolment) -> bytes:
        async with self._pool.acquire() as conn:
            return await read_record(conn, enrolment)

    async def _verdict(self, capture: _Capture, place: str) -> Verdict:
        enrolment, record = capture.enrolment, capture.record
        task: Task = VerifyDynamic(enrolment.uri, record, capture.path.directions)
        if enrolment.track == "A":
            template = self._keys.template(
                enrolment.epoch, enrolment.pattern_key, enrolment.gtin, enrolment.serial
            )
            task = VerifyPattern(enrolment.uri, record, template)
        answer = await self._worker.run(task, capture.images, place=place)
        # Of several photos of one label the one that tells most counts.
        return max(map(measured, answer.verdicts), key=lambda one: (_ORDER.index(one.answer), one.score))

    async def _noted(self, capture: _Capture, verdict: Verdict) -> LabelCheck:
        check, scan_id = await transaction(self._pool, lambda conn: self._note(conn, capture, verdict))
        if scan_id is not None and self._image_days:
            await keep_images(self._pool, self._vault, scan_id, capture.images)
        return _counted(check)

    async def _note(
        self, conn: Connection, capture: _Capture, verdict: Verdict
    ) -> tuple[LabelCheck, int | None]:
        """The scan of a check, unless so many failed that nobody is told any more; with its number."""
        code = capture.enrolment.gtin, capture.enrolment.serial
        subjects = capture.subjects
        await conn.execute(sql(__package__, "lock_label"), *code)
        if verdict.answer == "matches" and await self._sent_before(conn, code, verdict.fingerprint):
            verdict = msgspec.structs.replace(verdict, answer="unclear", reasons=("near_duplicate",))
        if subjects is not None:
            failed = verdict.answer != "matches"
            if failed and (seconds := await self._exhausted(conn, subjects)):
                return held(capture.enrolment, seconds), None
            counted = _failed(subjects) if failed else [subjects.matched]
            await conn.execute(sql(__package__, "count_tries"), counted, WINDOW_SECONDS)
            await conn.execute(sql(__package__, "forget_tries"))
        scan_id = await conn.fetchval(
            sql(__package__, "add_label_scan"),
            *code,
            verdict.answer,
            _DIFFERS_SCORE if verdict.answer == "differs" else 0,
            capture.place,
        )
        await conn.execute(
            sql(__package__, "add_label_check"),
            *(scan_id, capture.enrolment.enrolment_id, verdict.score, verdict.threshold),
            *(list(verdict.reasons), msgspec.json.encode(verdict.quality).decode(), verdict.fingerprint),
        )
        return told(capture.enrolment, verdict), scan_id

    async def _sent_before(self, conn: Connection, code: tuple[str, str], fingerprint: bytes) -> bool:
        if not fingerprint:
            return False
        earlier = await conn.fetch(sql(__package__, "label_fingerprints"), *code)
        return any(near_duplicate(fingerprint, row["fingerprint"]) for row in earlier)

    async def _exhausted(self, conn: Connection, subjects: _Subjects) -> int:
        """Seconds until a failure is told again; 0 where it is told now."""
        row = await conn.fetchrow(
            sql(__package__, "label_tries"), [subjects.code, subjects.address], WINDOW_SECONDS
        )
        assert row is not None
        code, address = row["tries"]
        return max(1, row["seconds_left"]) if code >= CODE_LIMIT or address >= ADDRESS_LIMIT else 0


def _failed(subjects: _Subjects) -> list[bytes]:
    # Sorted, so that two failures never wait for each other in a circle.
    return sorted([subjects.pair, subjects.code, subjects.address])


def _counted(check: LabelCheck) -> LabelCheck:
    LABEL_CHECKS.labels(check.track, "held" if check.retry_seconds else check.answer).inc()
    return check
