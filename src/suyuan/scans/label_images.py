"""Images of checks, where a deployment's policy keeps them: sealed under a key of their day, and gone after some days.

A photo may show a person or a room, so it is personal data. When a day's images are due, the day's key is erased as any
subject's, journalled first: copies of the database in backups become unreadable with it.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from suyuan.db.pool import Connection, Pool, sql, transaction
from suyuan.vault import Vault, become_eraser, erase_subject

_KIND = "label-images"


def _subject(day: date) -> tuple[str, str]:
    return _KIND, day.isoformat()


async def keep_images(pool: Pool, vault: Vault, scan_id: int, images: Sequence[bytes]) -> None:
    """Seal and store the images of a check that is noted; all of them, or none.

    It has a transaction of its own, so that nobody who checks the same label waits for it.
    """
    day = datetime.now(UTC).date()

    async def work(conn: Connection) -> None:
        for position in range(len(images)):
            # Some lie in a file until it is their turn.
            image = await asyncio.to_thread(operator.getitem, images, position)
            [part] = await vault.seal_parts(conn, [(_subject(day), image)])
            await conn.execute(
                sql(__package__, "add_label_image"), scan_id, position, day, part.subject_id, part.sealed
            )

    await transaction(pool, work)


async def forget_images(pool: Pool, vault: Vault, *, days: int, today: date | None = None) -> int:
    """Erase the images of every day that is more than ``days`` days ago; returns how many days went.

    Raises ``UnavailableError`` (``vault.eraser``).
    """
    first_kept = (today or datetime.now(UTC).date()) - timedelta(days=days)
    old = await pool.fetch(sql(__package__, "old_label_images"), first_kept)
    for row in old:
        reason = f"images of checks are kept for {days} days"
        await erase_subject(pool, row["subject_id"], party_id="", reason=reason)
        async with pool.acquire() as conn, conn.transaction():
            await become_eraser(conn)
            await conn.execute(sql(__package__, "delete_label_images"), row["day"])
    return len(old)
