"""Records of labels: which of them counts for a code, and that it is still the one that the log commits to.

The event of an enrolment names a salted digest of the record. Each time a record is used that digest is computed again,
and the event's commitment with it: whoever changed the record in the database would have to change the log too.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

import msgspec

from suyuan.capture.checking import recompute_commitments
from suyuan.capture.payload import read_body
from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import RefusedError
from suyuan.gs1.percent import encode_value
from suyuan.label.model import Track

EXT: Final = "{urn:suyuan:ext}"
LABEL_TRACK: Final = EXT + "labelTrack"
LABEL_RECORD: Final = EXT + "labelRecord"
LABEL_METHOD: Final = EXT + "labelMethod"
_DIGEST = b"suyuan/label-record/1\0"


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """An enrolment that counts. ``uri`` is what the label's code says, ``epoch`` and ``pattern_key`` are those of the
    code's batch; ``voided`` says that the code was taken out of use.
    """

    enrolment_id: int
    gtin: str
    serial: str
    track: Track
    method: str
    uri: str
    party_id: str
    event_key: int
    enrolled_at: datetime
    epoch: str
    pattern_key: str
    voided: bool


def record_digest(salt: bytes, record: bytes) -> str:
    """The digest of a record as its event names it (hexadecimal)."""
    return hashlib.sha256(_DIGEST + salt + record).hexdigest()


async def find_enrolments(db: Pool | Connection, gtin: str, serial: str) -> tuple[Enrolment, ...]:
    """The newest enrolment of each track of a code, by track; none where its label was never enrolled."""
    rows = await db.fetch(sql(__package__, "enrolments_of"), gtin, serial)
    return tuple(Enrolment(gtin=gtin, serial=serial, **dict(row)) for row in rows)


async def read_record(conn: Connection, enrolment: Enrolment) -> bytes:
    """The record of an enrolment, held against its event.

    Raises ``RefusedError``: ``enrolment.record.erased``, ``enrolment.record.changed``.
    """
    row = await conn.fetchrow(sql(__package__, "record_of"), enrolment.enrolment_id)
    if row is None or row["record"] is None or row["body"] is None:
        raise RefusedError(
            "enrolment.record.erased",
            "The record of this label was erased.",
            remedy="Enrol the label again, if it is at hand.",
        )
    recomputed = await recompute_commitments(conn, [enrolment.event_key])
    fits = is_of(read_body(row["body"]), row["salt"], row["record"], enrolment)
    if not fits or recomputed[enrolment.event_key] != row["commitment"]:
        raise RefusedError(
            "enrolment.record.changed",
            "The record of this label is not the one that was enrolled.",
            remedy="Run suyuan fsck, and restore the database from a backup; nothing is compared with this record.",
        )
    return bytes(row["record"])


class Label(Protocol):
    """Which label a record is of."""

    @property
    def gtin(self) -> str: ...
    @property
    def serial(self) -> str: ...
    @property
    def track(self) -> Track: ...


def is_of(body: dict[str, object], salt: bytes, record: bytes, label: Label) -> bool:
    """Whether the body of an event names this record, and this label as the one that it is of."""
    return (
        hmac.compare_digest(str(body.get(LABEL_RECORD, "")), record_digest(salt, record))
        and body.get(LABEL_TRACK) == label.track
        and _things(body) == [f"https://id.gs1.org/01/{label.gtin}/21/{encode_value(label.serial)}"]
    )


def _things(body: dict[str, object]) -> Sequence[object]:
    things = body.get("epcList")
    return things if isinstance(things, list) else ()
