"""Batches as a whole: scratch codes, ranges printed, the rest voided; and the story of one code."""

from __future__ import annotations

import asyncio

import pytest
from deployment import GTIN, LOT, OTHER_GTIN, Deployment

from suyuan.errors import InputError, RefusedError, UnavailableError
from suyuan.gs1.serials import ALPHABET
from suyuan.issuing import (
    Batch,
    ScratchKeys,
    code_history,
    get_batch,
    issue,
    iter_serials,
    mark_printed,
    mark_range_printed,
    void,
    void_unprinted,
)
from suyuan.issuing.drawing import draw_code
from suyuan.issuing.scratch import read_scratch_code

KEYS = ScratchKeys({"0": b"k" * 32})


async def a_batch(deployment: Deployment, count: int, *, scratch: bool = False) -> tuple[Batch, list[str]]:
    batch = await issue(
        deployment.pool,
        deployment.services.mac_keys,
        gtin=GTIN,
        lot=LOT,
        count=count,
        party_id="maker",
        scratch=deployment.services.scratch_keys if scratch else None,
    )
    return batch, [s async for part in iter_serials(deployment.pool, batch.batch_id) for s in part]


def test_a_scratch_code_is_sixty_bits_of_a_key_of_its_own() -> None:
    print_of = KEYS.fingerprint("0")
    [first, second] = KEYS.codes("0", print_of, GTIN, ["0A", "0B"])
    assert len(first) == 12
    assert set(first + second) <= set(ALPHABET)
    assert first != second
    assert KEYS.codes("0", print_of, OTHER_GTIN, ["0A"]) != [first]
    other = ScratchKeys({"0": b"j" * 32})
    assert other.codes("0", other.fingerprint("0"), GTIN, ["0A"]) != [first]
    assert other.fingerprint("0") != print_of
    # A key that is not the batch's calls no code wrong: it says that it is the wrong key.
    for keys, epoch in ((other, "0"), (KEYS, "1")):
        with pytest.raises(UnavailableError) as refusal:
            keys.codes(epoch, print_of, GTIN, ["0A"])
        assert refusal.value.code == "issuing.scratch.key"
    assert "kkkk" not in repr(KEYS)


def test_scratch_codes_spread_over_the_whole_alphabet() -> None:
    codes = KEYS.codes("0", KEYS.fingerprint("0"), GTIN, [f"0{n:05d}" for n in range(4000)])
    assert len(set(codes)) == 4000
    for place in range(12):
        assert {code[place] for code in codes} == set(ALPHABET)


@pytest.mark.parametrize(
    "typed",
    ["0123 4567 89ab", "O1234567-89AB", " oi23-4567-89ab ", "0l23456789AB", "０１２３４５６７８９ＡＢ"],
)
def test_a_scratch_code_is_taken_as_people_type_it(typed: str) -> None:
    assert read_scratch_code(typed) == "0123456789AB"


@pytest.mark.parametrize("typed", ["", "0123456789A", "0123456789ABC", "0123456789AU", "0" * 5000])
def test_what_is_no_scratch_code_is_said_to_be_none(typed: str) -> None:
    with pytest.raises(InputError) as refusal:
        read_scratch_code(typed)
    assert refusal.value.code == "scan.code.form"


async def test_the_rest_of_a_batch_is_voided_in_one_act(deployment: Deployment) -> None:
    await deployment.member("maker")
    batch, serials = await a_batch(deployment, 40)
    other, _ = await a_batch(deployment, 3)
    pool = deployment.pool
    done = await mark_range_printed(pool, batch, 1, 10, party_id="maker", facility="urn:suyuan:place:NLZWO")
    assert (done.count, done.repeated) == (10, 0)
    again = await mark_range_printed(pool, batch, 6, 12, party_id="maker")
    assert (again.count, again.repeated) == (2, 5)
    assert (await mark_range_printed(pool, batch, 1, 12, party_id="maker")).repeated == 12
    await void(pool, gtin=GTIN, lot=LOT, serials=serials[12:14], party_id="maker", reason="spoilt")
    rest = await void_unprinted(pool, batch, party_id="maker", reason=" the lot is packed ")
    assert (rest.count, rest.repeated) == (26, 0)
    assert (await void_unprinted(pool, batch, party_id="maker", reason="again")).count == 0
    voided = {row["serial"] for row in await pool.fetch("SELECT serial FROM code_state WHERE act = 'voided'")}
    assert voided == set(serials[12:])
    assert await pool.fetchval("SELECT count FROM code_act WHERE act_id = $1", rest.act_id) == 26
    assert await pool.fetchval("SELECT reason FROM code_act WHERE act_id = $1", rest.act_id) == (
        "the lot is packed"
    )
    assert (await void_unprinted(pool, other, party_id="maker", reason="unused")).count == 3
    before = await deployment.counts()
    for first, last, code, kind in (
        (0, 5, "issuing.range", InputError),
        (5, 4, "issuing.range", InputError),
        (1, 41, "issuing.range", InputError),
        (12, 14, "issuing.code.voided", RefusedError),
    ):
        with pytest.raises(kind) as refusal:
            await mark_range_printed(pool, batch, first, last, party_id="maker")
        assert refusal.value.code == code
    with pytest.raises(InputError) as refusal:
        await void_unprinted(pool, batch, party_id="maker", reason=" ")
    assert refusal.value.code == "issuing.reason"
    assert await deployment.counts() == before


async def test_no_code_is_both_printed_and_voided_as_unprinted(deployment: Deployment) -> None:
    await deployment.member("maker")
    batch, serials = await a_batch(deployment, 30)
    pool = deployment.pool

    async def draw(n: int) -> None:
        async with pool.acquire() as conn, conn.transaction():
            await draw_code(conn, gtin=GTIN, lot=LOT, party_id="maker", draw_id=str(n))

    acts = (
        [mark_range_printed(pool, batch, n, n + 5, party_id="maker") for n in range(1, 10, 3)]
        + [draw(n) for n in range(3)]
        + [void_unprinted(pool, batch, party_id="maker", reason="rest")]
        + [mark_printed(pool, gtin=GTIN, lot=LOT, serials=serials[20:24], party_id="maker")]
    )
    results = await asyncio.gather(*acts, return_exceptions=True)
    assert all(not isinstance(one, BaseException) or isinstance(one, RefusedError) for one in results), (
        results
    )
    both = await pool.fetchval(
        "SELECT count(*) FROM (SELECT FROM code_state GROUP BY serial HAVING count(*) > 1) x"
    )
    assert both == 0
    assert await pool.fetchval("SELECT count(*) FROM code_state") == 30
    assert await pool.fetchval("SELECT sum(count) FROM code_act") == 30


async def test_the_story_of_one_code(deployment: Deployment) -> None:
    await deployment.member("maker")
    batch, serials = await a_batch(deployment, 4, scratch=True)
    assert await get_batch(deployment.pool, batch.batch_id) == batch
    assert batch.scratch_key == deployment.services.scratch_keys.fingerprint("0")
    pool = deployment.pool
    await mark_range_printed(pool, batch, 2, 2, party_id="maker", facility="urn:suyuan:place:NLZWO")
    await void(
        pool, gtin=GTIN, lot=LOT, serials=serials[1:2], party_id="maker", reason="torn", facility="urn:x:y"
    )
    story = await code_history(pool, GTIN, serials[1])
    assert story is not None
    assert (story.ordinal, story.batch, story.serial) == (2, batch, serials[1])
    assert [(act.act, act.party_id, act.facility, act.reason) for act in story.acts] == [
        ("issued", "maker", "", ""),
        ("printed", "maker", "urn:suyuan:place:NLZWO", ""),
        ("voided", "maker", "urn:x:y", "torn"),
    ]
    assert [act.at for act in story.acts] == sorted(act.at for act in story.acts)
    assert await code_history(pool, GTIN, "0NOBODY") is None
