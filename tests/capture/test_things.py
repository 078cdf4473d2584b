"""Things that events name, made known in one statement whatever their URIs hold."""

from __future__ import annotations

from datetime import date

import pytest

from suyuan.capture.rows import write_things
from suyuan.db.pool import Pool, transaction
from suyuan.errors import IntegrityError
from suyuan.gs1.thing import thing_key

MONTH = date(2026, 1, 1)
# What stands between two of them on their way must be in none.
STRANGE = ["urn:example:a\nb", "urn:example:\n", "urn:example:c\n\x1f", "urn:example:d,e", "urn:example:f"]


async def write(pool: Pool, uris: dict[bytes, str], month: date = MONTH) -> None:
    await transaction(pool, lambda conn: write_things(conn, uris, month))


async def test_each_key_gets_its_own_uri(pool: Pool) -> None:
    uris = {thing_key(uri): uri for uri in STRANGE}
    await write(pool, uris)
    await write(pool, {})
    stored = await pool.fetch("SELECT key, uri FROM thing WHERE key = ANY ($1::bytea[])", list(uris))
    assert {row["key"]: row["uri"] for row in stored} == uris


async def test_known_things_note_a_new_month_and_refuse_another_uri(pool: Pool) -> None:
    uris = {thing_key(uri): uri for uri in STRANGE}
    await write(pool, uris)
    await write(pool, uris, date(2026, 2, 1))
    noted = await pool.fetchval("SELECT count(*) FROM thing_period WHERE key = ANY ($1::bytea[])", list(uris))
    assert noted == len(STRANGE)
    first = next(iter(uris))
    with pytest.raises(IntegrityError, match="same key"):
        await write(pool, {first: "urn:example:other"})
