"""The acts of issuing. Serials are streamed: memory stays bounded at any count."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import TypeAlias

import asyncpg
import msgspec

from suyuan.db.pool import Connection, Pool, sql, transaction
from suyuan.errors import ConflictError, InputError, NotFoundError, RefusedError
from suyuan.gs1.check_digits import check_digit_valid
from suyuan.gs1.serials import new_serials
from suyuan.issuing.keys import MacKeys
from suyuan.issuing.patterns import PatternKeys
from suyuan.issuing.scratch import ScratchKeys

Store: TypeAlias = "Pool | Connection"
MAX_BATCH = 50_000_000
PORTION = 50_000
_LOT_CHARACTERS = 20


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of codes of one GTIN and lot.

    ``scratch_key`` is the fingerprint of the key of its scratch codes, ``pattern_key`` of that of its labels' patterns;
    empty where it has none.
    """

    batch_id: int
    gtin: str
    lot: str
    count: int
    epoch: str
    label: str
    issued_by: str
    issued_at: datetime
    scratch_key: str = ""
    pattern_key: str = ""


class Activation(msgspec.Struct, frozen=True, kw_only=True):
    """What an activation did: ``count`` codes became active, ``repeated`` were active before."""

    act_id: int
    count: int
    repeated: int
    acted_at: datetime | None


def check_batch(gtin: str, lot: str, count: int) -> None:
    """Raises ``InputError`` (``issuing.gtin``, ``issuing.lot``, ``issuing.count``)."""
    if len(gtin) != 14 or not gtin.isascii() or not gtin.isdigit() or not check_digit_valid(gtin):
        raise InputError(
            "issuing.gtin",
            f"{gtin[:20]!r} is not a GTIN of 14 digits with a correct check digit.",
            path="gtin",
            remedy="Pad a shorter GTIN with zeros on the left and check its last digit.",
        )
    if not 1 <= len(lot) <= _LOT_CHARACTERS or not lot.isascii() or not lot.isprintable() or " " in lot:
        raise InputError(
            "issuing.lot",
            f"A lot number has 1 to {_LOT_CHARACTERS} printable characters without blanks (AI 10).",
            path="lot",
        )
    if not 1 <= count <= MAX_BATCH:
        raise InputError("issuing.count", f"A batch has 1 to {MAX_BATCH} codes.", path="count")


async def issue(
    pool: Pool,
    keys: MacKeys,
    *,
    gtin: str,
    lot: str,
    count: int,
    party_id: str,
    label: str = "",
    scratch: ScratchKeys | None = None,
    pattern: PatternKeys | None = None,
    progress: Callable[[int], None] | None = None,
) -> Batch:
    """Issue ``count`` new codes in one transaction and return their batch; with ``scratch`` each has a scratch code,
    with ``pattern`` its label a pattern of its own.

    Either all codes of the batch exist afterwards or none. Raises ``InputError`` (``issuing.*``).
    """
    check_batch(gtin, lot, count)
    scratch_key = "" if scratch is None else scratch.fingerprint(keys.current)
    pattern_key = "" if pattern is None else pattern.fingerprint(keys.current)

    async def work(conn: Connection) -> Batch:
        record = await conn.fetchrow(
            sql(__package__, "add_batch"),
            gtin,
            lot,
            count,
            keys.current,
            label,
            party_id,
            scratch_key,
            pattern_key,
        )
        assert record is not None
        batch = Batch(**dict(record))
        for done in range(0, count, PORTION):
            portion = min(PORTION, count - done)
            serials = await asyncio.to_thread(new_serials, gtin, keys.current, keys.current_key, portion)
            await conn.copy_records_to_table(
                "code",
                records=[(gtin, serial, batch.batch_id, done + n) for n, serial in enumerate(serials, 1)],
                columns=("gtin", "serial", "batch_id", "ordinal"),
            )
            if progress is not None:
                progress(done + portion)
        return batch

    return await transaction(pool, work)


async def get_batch(db: Store, batch_id: int) -> Batch:
    """Raises ``NotFoundError`` (``issuing.batch.unknown``)."""
    record = await db.fetchrow(sql(__package__, "get_batch"), batch_id)
    if record is None:
        raise NotFoundError("issuing.batch.unknown", f"There is no batch {batch_id}.", path="batch_id")
    return Batch(**dict(record))


async def find_batches(db: Store, gtin: str, lot: str = "") -> list[Batch]:
    """Batches of a GTIN, of one lot or of all."""
    return [Batch(**dict(row)) for row in await db.fetch(sql(__package__, "find_batches"), gtin, lot)]


async def issuing_gtins(db: Store) -> list[str]:
    """GTINs under which codes were issued here."""
    return [row["gtin"] for row in await db.fetch(sql(__package__, "issuing_gtins"))]


async def iter_serials(db: Store, batch_id: int) -> AsyncIterator[list[str]]:
    """The serials of a batch in the order of issue, in portions."""
    last = 0
    while True:
        rows = await db.fetch(sql(__package__, "serials"), batch_id, last, PORTION)
        if not rows:
            return
        yield [row["serial"] for row in rows]
        last = rows[-1]["ordinal"]


async def code_statuses(db: Store, gtin: str, serials: Sequence[str]) -> dict[str, asyncpg.Record]:
    """Batch, lot and acts of the serials that were issued here, by serial."""
    rows = await db.fetch(sql(__package__, "code_statuses"), gtin, list(serials))
    return {row["serial"]: row for row in rows}


async def lock_activation(conn: Connection, gtin: str, lot: str, ledger_item: str, facility: str) -> int:
    """Take the lock on (lot, ledger item, facility) until the transaction ends; return what is activated so far.

    A concurrent command on the same lot waits here, so that two never share one allowance: what the lot as a
    whole received bounds each of its ledger items and facilities too.
    """
    for scope in dict.fromkeys([("", ""), (ledger_item, facility)]):
        await conn.execute(sql(__package__, "make_lock"), gtin, lot, *scope)
        await conn.fetchval(sql(__package__, "take_lock"), gtin, lot, *scope)
    return await activated_count(conn, gtin, lot, ledger_item, facility)


async def activated_count(db: Store, gtin: str, lot: str, ledger_item: str = "", facility: str = "") -> int:
    """How many codes of a lot are activated, for one ledger item and facility or for all.

    What was activated without a ledger item or facility counts for each.
    """
    value = await db.fetchval(sql(__package__, "activated"), gtin, lot, ledger_item, facility)
    return int(value)


async def _check_issued(
    conn: Connection, act: str, gtin: str, lot: str, serials: Sequence[str]
) -> dict[str, asyncpg.Record]:
    known = await code_statuses(conn, gtin, serials)
    absent = [serial for serial in serials if serial not in known]
    if absent:
        raise RefusedError(
            "issuing.code.unknown",
            f"{len(absent)} of {len(serials)} codes were never issued here, the first is {absent[0]}.",
            path="serials",
            remedy="Take the serials from the batch's own list.",
        )
    elsewhere = [serial for serial, row in known.items() if row["lot"] != lot]
    if elsewhere:
        raise RefusedError(
            "issuing.code.other_lot",
            f"{len(elsewhere)} codes belong to another lot, the first is {elsewhere[0]}.",
            path="serials",
        )
    voided = [serial for serial, row in known.items() if "voided" in row["acts"]]
    if voided and act != "voided":
        raise RefusedError(
            "issuing.code.voided",
            f"{len(voided)} codes are voided, the first is {voided[0]}.",
            path="serials",
            remedy="Leave them out; a voided code is never used again.",
        )
    return known


async def _record(
    conn: Connection,
    act: str,
    gtin: str,
    lot: str,
    serials: Sequence[str],
    party_id: str,
    *,
    ledger_item: str = "",
    facility: str = "",
    reason: str = "",
) -> Activation:
    wanted = list(dict.fromkeys(serials))
    if not wanted:
        raise InputError("issuing.serials.empty", "The command names no codes.", path="serials")
    statuses = await _check_issued(conn, act, gtin, lot, wanted)
    fresh = sorted(serial for serial in wanted if act not in statuses[serial]["acts"])
    if not fresh:
        return Activation(act_id=0, count=0, repeated=len(wanted), acted_at=None)
    row = await conn.fetchrow(
        sql(__package__, "add_act"), act, gtin, lot, ledger_item, facility, len(fresh), reason, party_id
    )
    assert row is not None
    done = await conn.fetch(sql(__package__, "add_states"), gtin, fresh, act, row["act_id"])
    if len(done) != len(fresh):
        raise ConflictError(
            "issuing.code.race",
            "Another command acted on some of these codes at the same moment.",
            remedy="Send the command again; codes that are done already are skipped.",
        )
    return Activation(
        act_id=row["act_id"], count=len(fresh), repeated=len(wanted) - len(fresh), acted_at=row["acted_at"]
    )


async def activate(
    conn: Connection,
    *,
    gtin: str,
    lot: str,
    ledger_item: str,
    facility: str,
    serials: Sequence[str],
    party_id: str,
    allowance: int,
) -> Activation:
    """Activate codes, at most ``allowance`` of them new, inside the caller's transaction and lock.

    Codes that are active already are counted as repeated and use no allowance. Raises ``RefusedError``
    (``issuing.allowance.exceeded``, ``issuing.code.*``); the caller's transaction must then roll back.
    """
    done = await _record(
        conn, "activated", gtin, lot, serials, party_id, ledger_item=ledger_item, facility=facility
    )
    if done.count > allowance:
        raise RefusedError(
            "issuing.allowance.exceeded",
            f"The command would activate {done.count} codes; {max(allowance, 0)} more are allowed for lot {lot}"
            f" of ledger item {ledger_item or '(none)'}.",
            path="serials",
            remedy="Activate no more codes than pieces were received undamaged; report what was received first.",
        )
    return done


async def void(
    pool: Pool,
    *,
    gtin: str,
    lot: str,
    serials: Sequence[str],
    party_id: str,
    reason: str,
    facility: str = "",
) -> Activation:
    """Take codes out of use for ever; codes that are voided already are counted as repeated.

    Raises ``InputError`` (``issuing.reason``) or ``RefusedError`` (``issuing.code.*``).
    """
    if not reason.strip():
        raise InputError("issuing.reason", "Voiding codes needs a reason.", path="reason")

    async def work(conn: Connection) -> Activation:
        # An activation of the same codes is over or has not begun.
        await lock_activation(conn, gtin, lot, "", "")
        statuses = await code_statuses(conn, gtin, serials)
        active = [serial for serial, row in statuses.items() if "activated" in row["acts"]]
        if active:
            raise RefusedError(
                "issuing.code.active",
                f"{len(active)} codes are active, the first is {active[0]}; an active code is not voided.",
                path="serials",
                remedy="Report what became of the goods (destroyed, returned) as an event.",
            )
        return await _record(
            conn, "voided", gtin, lot, serials, party_id, facility=facility, reason=reason.strip()
        )

    return await transaction(pool, work)


async def mark_printed(
    pool: Pool, *, gtin: str, lot: str, serials: Sequence[str], party_id: str, facility: str = ""
) -> Activation:
    """Note that labels of these codes were printed."""

    async def work(conn: Connection) -> Activation:
        # Nobody voids them as unprinted meanwhile.
        await lock_activation(conn, gtin, lot, "", "")
        return await _record(conn, "printed", gtin, lot, serials, party_id, facility=facility)

    return await transaction(pool, work)
