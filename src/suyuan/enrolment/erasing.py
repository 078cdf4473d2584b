"""Erasing the record of a label: what a capture is compared with goes, what the log commits to stays.

The journal's row is committed first, as with every erasure; a crash in between leaves one that ``finish`` ends, and a
restore from a backup deletes again what the journal's copy from outside names. Records that are made later are spared.
Without the record and its salt the digest in the event says nothing of the label.
"""

from __future__ import annotations

from collections.abc import Sequence

from suyuan.db.pool import Pool, sql
from suyuan.label.model import Track
from suyuan.vault import become_eraser
from suyuan.vault.erasing import journal_erasure


async def tracks_with_records(pool: Pool, gtin: str, serial: str) -> tuple[Track, ...]:
    """Of which kinds a code's label has records, superseded ones too."""
    return tuple(
        row["track"] for row in await pool.fetch(sql(__package__, "labels_with_records"), gtin, serial)
    )


async def journal_label(
    pool: Pool, gtin: str, serial: str, track: Track, *, party_id: str, reason: str
) -> str:
    """Enter the erasure of a label's records of one track; returns the reference by which the journal names them.

    Raises ``InputError`` (``vault.reason``).
    """
    reference = f"{gtin}/{track}/{serial}"
    await journal_erasure(pool, "label", reference, party_id=party_id, reason=reason)
    return reference


async def journalled_enrolments(pool: Pool, references: Sequence[str] | None = None) -> list[int]:
    """The enrolments whose records the journal says are erased: all, or those of some references."""
    rows = await pool.fetch(sql(__package__, "journalled_records"), references)
    return [row["enrolment_id"] for row in rows]


async def delete_records(pool: Pool, enrolments: Sequence[int]) -> int:
    """Delete the records of journalled enrolments; how many there were.

    Raises ``UnavailableError`` (``vault.eraser``).
    """
    async with pool.acquire() as conn, conn.transaction():
        await become_eraser(conn)
        return len(await conn.fetch(sql(__package__, "delete_records"), enrolments))
