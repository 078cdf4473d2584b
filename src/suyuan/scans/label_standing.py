"""What is known of one code's label: which records it has, and what checks of it came to."""

from __future__ import annotations

from datetime import datetime

import msgspec

from suyuan.db.pool import Pool, sql
from suyuan.enrolment.records import find_enrolments
from suyuan.label.model import Track


class LastCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The last check of a label, with its figures."""

    answer: str
    at: datetime
    score: float
    threshold: float
    reasons: tuple[str, ...] = ()
    quality: dict[str, float] = {}


class LabelStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A label that was enrolled: by whom and when the newest record was made, how many checks gave which answer."""

    tracks: tuple[Track, ...]
    enrolled_at: datetime
    enrolled_by: str
    matches: int = 0
    differs: int = 0
    unclear: int = 0
    last: LastCheck | None = None


async def read_label_standing(pool: Pool, gtin: str, serial: str) -> LabelStanding | None:
    """What is known of the label of a code; None where it was never enrolled."""
    enrolments = await find_enrolments(pool, gtin, serial)
    if not enrolments:
        return None
    newest = max(enrolments, key=lambda one: one.enrolment_id)
    counts = {
        row["result"]: row["count"]
        for row in await pool.fetch(sql(__package__, "label_scans_of"), gtin, serial)
    }
    last = await pool.fetchrow(sql(__package__, "last_label_check"), gtin, serial) if counts else None
    return LabelStanding(
        tracks=tuple(one.track for one in enrolments),
        enrolled_at=newest.enrolled_at,
        enrolled_by=newest.party_id,
        matches=counts.get("matches", 0),
        differs=counts.get("differs", 0),
        unclear=counts.get("unclear", 0),
        last=None
        if last is None
        else LastCheck(
            answer=last["result"],
            at=last["scanned_at"],
            score=last["score"],
            threshold=last["threshold"],
            reasons=tuple(last["reasons"]),
            quality=msgspec.json.decode(last["quality"], type=dict[str, float]),
        ),
    )
