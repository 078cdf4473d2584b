"""Commitments computed again from what is stored: fsck's question to this room.

Body, lists, statement and secret give the commitment that was logged, or something was changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import asyncpg
import msgspec

from suyuan.capture.payload import join_body
from suyuan.db.pool import Connection, sql
from suyuan.disclosure.commitment import commit
from suyuan.errors import SuyuanError


async def recompute_commitments(conn: Connection, event_keys: Sequence[int]) -> Mapping[int, bytes | None]:
    """The commitments of these events from their payloads (``suyuan.log.fsck``'s ``recompute``).

    None for an erased payload. A payload that cannot be read any more gives an empty commitment, which equals
    none.
    """
    wanted = sorted(event_keys)
    payloads = {row["event_key"]: row for row in await conn.fetch(sql(__package__, "payloads"), wanted)}
    lists: dict[int, list[tuple[str, int, bytes]]] = {}
    for row in await conn.fetch(sql(__package__, "event_lists"), sorted(payloads)):
        lists.setdefault(row["event_key"], []).append((row["field"], row["chunk"], row["elements"]))
    found: dict[int, bytes | None] = dict.fromkeys(wanted)
    for key, payload in payloads.items():
        found[key] = await asyncio.to_thread(_commitment, payload, lists.get(key, []))
    return found


def _commitment(payload: asyncpg.Record, chunks: Sequence[tuple[str, int, bytes]]) -> bytes:
    try:
        body = join_body(payload["body"], chunks)
        statement = msgspec.json.decode(payload["statement"])
        return commit(body, statement, payload["secret"]).commitment
    except (SuyuanError, msgspec.DecodeError, TypeError, AttributeError):
        return b""
