"""Erasing a label: its records, and images of its checks where they are kept. The checks stay, as every scan does."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from suyuan.db.pool import Pool, sql
from suyuan.enrolment.erasing import delete_records, journal_label, journalled_enrolments, tracks_with_records
from suyuan.errors import NotFoundError
from suyuan.label.model import Track
from suyuan.vault import become_eraser


class ErasedLabel(msgspec.Struct, frozen=True, kw_only=True):
    """What went: of which tracks, how many records (superseded ones too), how many images of checks."""

    tracks: tuple[Track, ...]
    records: int
    images: int


async def erase_label(
    pool: Pool, gtin: str, serial: str, track: Track | None = None, *, party_id: str, reason: str
) -> ErasedLabel:
    """Erase the records of a label, of one track or of all that it has, and images of checks against them.

    The journal holds the request before anything is deleted. Raises ``NotFoundError`` (``scan.label.unknown``) where
    there is no record, ``InputError`` (``vault.reason``) and ``UnavailableError`` (``vault.eraser``; the worker
    finishes it then).
    """
    tracks = [one for one in await tracks_with_records(pool, gtin, serial) if track in (None, one)]
    if not tracks:
        raise NotFoundError(
            "scan.label.unknown",
            "There is no record of this label here.",
            path="uri",
            remedy="Check the address, and the track if one was named.",
        )
    references = [
        await journal_label(pool, gtin, serial, one, party_id=party_id, reason=reason) for one in tracks
    ]
    records, images = await finish_label_erasures(pool, references)
    return ErasedLabel(tracks=tuple(tracks), records=records, images=images)


async def finish_label_erasures(pool: Pool, references: Sequence[str] | None = None) -> tuple[int, int]:
    """Delete what the journal names and is still there, of all labels or of some references: records, images.

    Doing it again does nothing more. Raises ``UnavailableError`` (``vault.eraser``).
    """
    enrolments = await journalled_enrolments(pool, references)
    if not enrolments:
        return 0, 0
    records = await delete_records(pool, enrolments)
    found = await pool.fetch(sql(__package__, "label_images_of"), enrolments)
    if found:
        async with pool.acquire() as conn, conn.transaction():
            await become_eraser(conn)
            await conn.execute(sql(__package__, "delete_images_of"), [row["scan_id"] for row in found])
    return records, sum(row["images"] for row in found)
