"""Events for the log's tests, put straight into the tables that captures fill."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from suyuan.db.pool import Connection, Pool
from suyuan.disclosure.leaf import leaf_bytes, utc_day
from suyuan.log import append_intake
from suyuan.tlog.note import Ed25519Signer, Ed25519Verifier

ORIGIN = "log.example/suyuan"
SIGNER = Ed25519Signer(ORIGIN, bytes(range(32)))
VERIFIER = Ed25519Verifier(SIGNER.vkey)
RECORDED = datetime(2025, 10, 8, 12, 26, 58, tzinfo=UTC)


def commitment_of(event_key: int) -> bytes:
    return hashlib.sha256(b"event %d" % event_key).digest()


def leaf_of(event_key: int) -> bytes:
    return leaf_bytes(commitment_of(event_key), utc_day(RECORDED))


async def add_events(conn: Connection, keys: Sequence[int]) -> None:
    """Events and their intake rows, in the transaction of ``conn``."""
    await conn.execute(
        "INSERT INTO party (party_id, name_en, name_zh) VALUES ('haimen', 'Haimen', '海门')"
        " ON CONFLICT DO NOTHING"
    )
    columns = (
        "event_key", "party_id", "event_id", "event_id_key", "declaration", "content_hash", "event_type",
        "action", "event_time", "zone_offset", "day_precision", "record_time", "assurance", "role",
        "evidence_id", "path", "rule", "commitment", "claim_count",
    )  # fmt: skip
    records = [
        (
            key, "haimen", f"ni:///sha-256;{key}", key.to_bytes(16, "big"), b"", commitment_of(key), 1,
            1, RECORDED, "+08:00", False, RECORDED, 0, "carrier",
            1, "$", "", commitment_of(key), 4,
        )
        for key in keys
    ]  # fmt: skip
    await conn.copy_records_to_table("event", records=records, columns=columns)
    await append_intake(conn, [(key, leaf_of(key)) for key in keys])


async def store_events(pool: Pool, keys: Sequence[int]) -> None:
    async with pool.acquire() as conn, conn.transaction():
        await add_events(conn, keys)
