"""The paper as evidence: what is kept in the open, what is sealed for whom, and how its bytes come back.

A paper is kept as its skeleton, the bytes without the personal ranges, and those ranges sealed for their subjects.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

import msgspec

from suyuan.capture.copying import big, blob, copy_rows, integer, row, text
from suyuan.capture.prepare import PreparedEvent
from suyuan.db.pool import Connection
from suyuan.epcis.reading import PersonalField, Reading
from suyuan.vault import PersonDocument, Vault

PART_COLUMNS = ("evidence_id", "start_at", "end_at", "category", "path", "subject_id", "sealed")
WHOLE = "whole"


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """A paper that was read and prepared, ready to be stored."""

    data: bytes
    name: str
    reading: Reading
    events: list[PreparedEvent]
    identity: bytes
    capture_id: str
    salt: bytes

    @property
    def warnings(self) -> tuple[tuple[str, str, str], ...]:
        """What was odd in it: code, path, reason."""
        return tuple((w.code, w.path, w.reason) for w in self.reading.warnings)


class Part(msgspec.Struct, frozen=True):
    """A byte range of a paper that is sealed: whose it is and what it is."""

    start: int
    end: int
    category: str
    path: str
    subject: tuple[str, ...]
    data: bytes


def evidence_identity(key: bytes, party_id: str, digest: bytes) -> bytes:
    """Keyed digest by which a party's repeat of the same bytes is known; worthless without the key.

    ``digest`` is SHA-256 of the bytes.
    """
    return hmac.digest(key, party_id.encode() + b"\0" + digest, "sha256")[:16]


def salted_digest(salt: bytes, data: bytes) -> bytes:
    """The digest under which evidence is stored: without the salt no guess can be tested."""
    digest = hashlib.sha256(salt)
    digest.update(data)
    return digest.digest()


def skeleton_of(
    data: bytes, personal: Sequence[PersonalField], encrypt_whole: bool
) -> tuple[bytes, list[tuple[int, int]]]:
    """The bytes without the personal ranges, and those ranges in order, overlapping ones joined."""
    if encrypt_whole:
        return b"", [(0, len(data))]
    if not personal:
        return data, []
    ranges = joined(personal)
    kept, last = [], 0
    for start, end in ranges:
        kept.append(data[last:start])
        last = end
    kept.append(data[last:])
    return b"".join(kept), ranges


def joined(personal: Sequence[PersonalField]) -> list[tuple[int, int]]:
    """The ranges of personal fields in their order, overlapping ones joined."""
    ranges: list[tuple[int, int]] = []
    for start, end in sorted((field.start, field.end) for field in personal if field.end > field.start):
        if ranges and start < ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(end, ranges[-1][1]))
        else:
            ranges.append((start, end))
    return ranges


def reassemble(skeleton: bytes, parts: Sequence[tuple[int, bytes]]) -> bytes:
    """The exact bytes again: ``parts`` are (start in the original, bytes)."""
    out, taken, written = [], 0, 0
    for start, piece in sorted(parts):
        gap = start - written
        out.append(skeleton[taken : taken + gap])
        taken += gap
        out.append(piece)
        written = start + len(piece)
    out.append(skeleton[taken:])
    return b"".join(out)


def dismantle(paper: Paper) -> tuple[bytes, list[Part]]:
    """A paper's skeleton and the parts of it that are to be sealed."""
    reading = paper.reading
    skeleton, ranges = skeleton_of(paper.data, reading.personal, reading.encrypt_whole)
    by_start = {field.start: field for field in reversed(reading.personal)}
    parts: list[Part] = []
    for start, end in ranges:
        field = None if reading.encrypt_whole else by_start.get(start)
        piece = paper.data[start:end]
        if field is None:
            parts.append(Part(start, end, WHOLE, "", ("evidence", paper.capture_id), piece))
        else:
            parts.append(Part(start, end, field.category, field.path, field.subject, piece))
    return skeleton, parts


async def seal_evidence(
    conn: Connection,
    vault: Vault,
    parts: Sequence[tuple[int, Part]],
    people: Sequence[PersonDocument],
) -> None:
    """Seal the parts (each with the evidence it is of) and the numbers behind pseudonyms, all in one go."""
    if not parts and not people:
        return
    sealed = await vault.seal_parts(conn, [(part.subject, part.data) for _, part in parts], people)
    rows = [
        row(
            big(evidence_id),
            integer(part.start),
            integer(part.end),
            text(part.category),
            text(part.path),
            blob(secret.subject_id),
            blob(secret.sealed),
        )
        for (evidence_id, part), secret in zip(parts, sealed, strict=True)
    ]
    await copy_rows(conn, "evidence_part", PART_COLUMNS, rows)
