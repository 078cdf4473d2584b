"""Codes: only what was issued here, under the lot, is acted upon, and an act happens once."""

from __future__ import annotations

import asyncio

import pytest
from deployment import GTIN, LOT, OTHER_GTIN, Deployment, item

from suyuan.errors import InputError, NotFoundError, RefusedError, SuyuanError
from suyuan.gs1.serials import check_serial
from suyuan.issuing import code_statuses, find_batches, get_batch, issue, mark_printed, void
from suyuan.trace import OPERATOR


async def test_a_batch_has_its_count_of_serials_that_nobody_guesses(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    keys = deployment.services.mac_keys
    done: list[int] = []
    batch = await issue(
        deployment.pool,
        keys,
        gtin=GTIN,
        lot=LOT,
        count=120,
        party_id="maker",
        label="first",
        progress=done.append,
    )
    assert (batch.count, batch.lot, batch.issued_by, done) == (120, LOT, "maker", [120])
    assert await get_batch(deployment.pool, batch.batch_id) == batch
    assert await find_batches(deployment.pool, GTIN, LOT) == [batch]
    assert await find_batches(deployment.pool, GTIN, "other") == []
    serials = await deployment.issued(40, maker)
    assert len(set(serials)) == 40
    assert all(keys.is_ours(GTIN, serial) and not keys.is_forged(GTIN, serial) for serial in serials)
    # The MAC binds the GTIN and every character.
    assert keys.is_forged(OTHER_GTIN, serials[0])
    swapped = serials[0][:-1] + ("A" if serials[0][-1] != "A" else "B")
    assert keys.is_forged(GTIN, swapped)
    assert not check_serial(GTIN, swapped, {})
    with pytest.raises(NotFoundError) as unknown:
        await get_batch(deployment.pool, 999)
    assert unknown.value.code == "issuing.batch.unknown"


@pytest.mark.parametrize(
    ("gtin", "lot", "count", "code"),
    [
        ("08710000001237", LOT, 1, "issuing.gtin"),
        ("8710000001236", LOT, 1, "issuing.gtin"),
        ("٠8710000001236", LOT, 1, "issuing.gtin"),
        (GTIN, "", 1, "issuing.lot"),
        (GTIN, "A" * 21, 1, "issuing.lot"),
        (GTIN, "A B", 1, "issuing.lot"),
        (GTIN, "批", 1, "issuing.lot"),
        (GTIN, LOT, 0, "issuing.count"),
        (GTIN, LOT, 50_000_001, "issuing.count"),
    ],
)
async def test_a_batch_that_cannot_be(
    deployment: Deployment, gtin: str, lot: str, count: int, code: str
) -> None:
    await deployment.member("maker")
    with pytest.raises(InputError) as refusal:
        await issue(
            deployment.pool, deployment.services.mac_keys, gtin=gtin, lot=lot, count=count, party_id="maker"
        )
    assert refusal.value.code == code
    assert await deployment.pool.fetchval("SELECT count(*) FROM code_batch") == 0


async def test_acts_on_codes(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    serials = await deployment.issued(5, maker)
    others = await deployment.issued(1, maker, lot="L2")
    pool = deployment.pool
    printed = await mark_printed(pool, gtin=GTIN, lot=LOT, serials=serials[:3], party_id="maker")
    assert (printed.count, printed.repeated) == (3, 0)
    again = await mark_printed(pool, gtin=GTIN, lot=LOT, serials=[*serials[:4], serials[0]], party_id="maker")
    assert (again.count, again.repeated) == (1, 3)
    assert (await mark_printed(pool, gtin=GTIN, lot=LOT, serials=serials[:4], party_id="maker")).count == 0
    voided = await void(
        pool, gtin=GTIN, lot=LOT, serials=serials[4:], party_id="maker", reason="spoilt label"
    )
    assert voided.count == 1
    assert (
        await void(pool, gtin=GTIN, lot=LOT, serials=serials[4:], party_id="maker", reason="x x")
    ).repeated == 1
    statuses = await code_statuses(pool, GTIN, [*serials, "0NOBODY"])
    assert [statuses[serial]["acts"] for serial in serials] == [["printed"]] * 4 + [["voided"]]
    assert "0NOBODY" not in statuses
    before = await deployment.counts()
    for named, reason, code, kind in (
        (["0NOBODY"], "x", "issuing.code.unknown", RefusedError),
        ([serials[0], others[0]], "x", "issuing.code.other_lot", RefusedError),
        (serials[:1], "  ", "issuing.reason", InputError),
        ([], "x", "issuing.serials.empty", InputError),
    ):
        with pytest.raises(kind) as refusal:
            await void(pool, gtin=GTIN, lot=LOT, serials=named, party_id="maker", reason=reason)
        assert refusal.value.code == code
    with pytest.raises(RefusedError) as refusal:
        await mark_printed(pool, gtin=GTIN, lot=LOT, serials=serials, party_id="maker")
    assert refusal.value.code == "issuing.code.voided"
    assert await deployment.counts() == before
    trace = await deployment.trace(item(serials[4]))
    assert (trace.state, trace.lot, trace.facts) == ("voided", LOT, ())
    assert (await deployment.trace(item(serials[0]))).state == "issued"
    assert await deployment.reader.read(item("0NOBODY"), OPERATOR) is None


async def test_the_same_act_from_many_hands_happens_once(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    serials = await deployment.issued(30, maker)
    results = await asyncio.gather(
        *(
            mark_printed(
                deployment.pool, gtin=GTIN, lot=LOT, serials=serials[n:] + serials[:n], party_id="maker"
            )
            for n in range(8)
        ),
        return_exceptions=True,
    )
    assert all(not isinstance(result, BaseException) or isinstance(result, SuyuanError) for result in results)
    assert await deployment.pool.fetchval("SELECT count(*) FROM code_state") == 30
    assert await deployment.pool.fetchval("SELECT sum(count) FROM code_act") == 30
