"""How a reading ends: by counting what was said of all that it went through, in the snapshot that it read.

The counts tell whether what it took from its process still holds, and later whether anything was said since.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

import msgspec

from suyuan.db.pool import Connection, sql
from suyuan.trace.masking import Footprint, split_item
from suyuan.trace.shared import RECALLS, Borrowed, Counts


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """What the end of a reading tells: the counts, what was issued, and which transactions had ended.

    ``lot`` is that under which the code was issued here, ``scratch`` whether its label has a scratch code, ``acts``
    what was done with it.
    """

    thing: str
    asked: Mapping[bytes, bool]
    counts: Counts
    snapshot: str
    issued: bool
    lot: str
    scratch: bool
    acts: tuple[str, ...]

    @property
    def footprint(self) -> Footprint:
        """What the reading depends on."""
        gtin, serial, _ = split_item(self.thing)
        return Footprint(
            keys=dict(self.asked),
            month=self.counts.month,
            rows=self.counts.total(self.asked),
            acts=len(self.acts),
            gtin=gtin,
            serial=serial,
        )


async def close_reading(conn: Connection, thing: str, borrowed: Borrowed) -> Closing:
    """The end of a reading of ``thing``."""
    gtin, serial, _ = split_item(thing)
    month = datetime.now(UTC).date().replace(day=1)
    return await _closing(conn, thing, borrowed.asked, borrowed.counted, month, gtin, serial)


async def holds(conn: Connection, footprint: Footprint) -> bool:
    """Whether nothing was said since of anything that a reading with this footprint went through."""
    now = await _closing(
        conn, "", footprint.keys, footprint.keys, footprint.month, footprint.gtin, footprint.serial
    )
    return now.counts.total(footprint.keys) == footprint.rows and len(now.acts) == footprint.acts


async def _closing(
    conn: Connection,
    thing: str,
    asked: Mapping[bytes, bool],
    counted: Mapping[bytes, bool],
    month: date,
    gtin: str,
    serial: str,
) -> Closing:
    keys = [key for key in counted if key != RECALLS]
    row = await conn.fetchrow(
        sql("suyuan.trace", "closing"), keys, [counted[key] for key in keys], month, gtin, serial
    )
    assert row is not None
    return Closing(
        thing=thing,
        asked=asked,
        counts=Counts(month, {RECALLS: row["recalls"], **dict(zip(keys, row["counts"], strict=True))}),
        snapshot=row["snapshot"],
        issued=row["lot"] is not None,
        lot=row["lot"] or "",
        scratch=bool(row["scratch"]),
        acts=tuple(row["acts"] or ()),
    )
