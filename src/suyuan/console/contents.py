"""What a package, container, parcel or lot holds: counted and read in portions, never a list of millions at once."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from suyuan.capture.index import ACTIONS, Role
from suyuan.capture.payload import CHUNK, list_counts, read_body
from suyuan.db.pool import Pool, sql
from suyuan.gs1.thing import thing_key

EVENT_LIMIT = 500
PORTION = 50


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """How many things were put in, one portion of them, and whether more events were there than are counted."""

    total: int
    start: int
    things: tuple[str, ...]
    truncated: bool = False


class _Segment(msgspec.Struct, frozen=True):
    event_key: int
    count: int
    inline: tuple[str, ...]


async def contents_of(pool: Pool, uri: str, *, start: int = 0) -> Contents:
    """The things that were put into ``uri``; of a lot its items. What was taken out again is counted all the same."""
    is_lot = "/10/" in uri
    field = "epcList" if is_lot else "childEPCs"
    roles = [int(Role.LOT)] if is_lot else [int(Role.PARENT)]
    rows = await pool.fetch(sql(__package__, "contents"), thing_key(uri), roles, EVENT_LIMIT)
    segments = []
    for row in rows:
        if row["action"] == ACTIONS["DELETE"] or (is_lot and row["action"] != ACTIONS["ADD"]):
            continue
        body = read_body(row["body"])
        inline = tuple(body.get(field) or ())
        segments.append(_Segment(row["event_key"], list_counts(body).get(field, len(inline)), inline))
    total = sum(segment.count for segment in segments)
    start = max(0, min(start, total - 1)) if total else 0
    return Contents(
        total=total,
        start=start,
        things=tuple(await _portion(pool, segments, field, start)),
        truncated=len(rows) >= EVENT_LIMIT,
    )


async def _portion(pool: Pool, segments: Sequence[_Segment], field: str, start: int) -> list[str]:
    found: list[str] = []
    skip = start
    for segment in segments:
        if skip >= segment.count:
            skip -= segment.count
            continue
        wanted = PORTION - len(found)
        if segment.inline:
            found += segment.inline[skip : skip + wanted]
        else:
            first, last = skip // CHUNK, (skip + wanted - 1) // CHUNK
            parts = await pool.fetch(sql(__package__, "list_part"), segment.event_key, field, first, last)
            elements = [
                one for part in parts for one in msgspec.json.decode(part["elements"], type=list[str])
            ]
            found += elements[skip - first * CHUNK :][:wanted]
        skip = 0
        if len(found) >= PORTION:
            break
    return found
