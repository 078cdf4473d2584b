"""Verification by scratch code: what is answered, what is kept, and who is held up by whom."""

from __future__ import annotations

import asyncio

import asyncpg
import msgspec
import pytest
from deployment import GTIN, LOT, OTHER_GTIN, Deployment

from suyuan.errors import InputError, UnavailableError
from suyuan.issuing import ScratchKeys, issue, iter_serials, void
from suyuan.scans import Verifier, verifying

HOME, OTHER, THIRD = "192.0.2.7", "198.51.100.9", "203.0.113.4"
WRONG = "000000000000"


class World(msgspec.Struct, frozen=True):
    deployment: Deployment
    verifier: Verifier
    serials: list[str]
    codes: list[str]

    async def verify(self, n: int, code: str | None = None, address: str = HOME, place: str = "") -> str:
        typed = self.codes[n] if code is None else code
        answer = await self.verifier.verify(GTIN, self.serials[n], typed, address=address, place=place)
        return answer.result

    async def journal(self) -> list[tuple[str, str, int, str]]:
        rows = await self.deployment.pool.fetch("SELECT * FROM scan ORDER BY scan_id")
        return [(row["serial"], row["result"], row["score"], row["place"]) for row in rows]


@pytest.fixture
async def world(deployment: Deployment) -> World:
    await deployment.member("maker")
    services = deployment.services
    batch = await issue(
        deployment.pool,
        services.mac_keys,
        gtin=GTIN,
        lot=LOT,
        count=40,
        party_id="maker",
        scratch=services.scratch_keys,
    )
    serials = [s async for part in iter_serials(deployment.pool, batch.batch_id) for s in part]
    codes = services.scratch_keys.codes("0", batch.scratch_key, GTIN, serials)
    verifier = Verifier(deployment.pool, services.mac_keys, services.scratch_keys)
    return World(deployment, verifier, serials, codes)


async def test_the_first_verification_is_the_first_for_ever(world: World) -> None:
    first = await world.verifier.verify(
        GTIN, world.serials[0], world.codes[0].lower(), address=HOME, place="CNHGH"
    )
    assert (first.result, first.count, first.voided) == ("first", 1, False)
    again = await world.verifier.verify(GTIN, world.serials[0], world.codes[0], address=OTHER, place="CNSHA")
    assert (again.result, again.count, again.first_at) == ("repeated", 2, first.first_at)
    third = await world.verifier.verify(GTIN, world.serials[0], world.codes[0], address=HOME, place="330100")
    assert (third.result, third.count, third.first_at) == ("repeated", 3, first.first_at)
    assert await world.verify(1, world.codes[0]) == "wrong"
    serial, other = world.serials[:2]
    assert await world.journal() == [
        (serial, "first", 0, "CNHGH"),
        (serial, "repeated", 50, "CNSHA"),
        (serial, "repeated", 20, "330100"),
        (other, "wrong", 0, ""),
    ]


async def test_many_at_once_have_one_first(world: World) -> None:
    answers = await asyncio.gather(*(world.verify(0, address=f"192.0.2.{n}") for n in range(20)))
    assert sorted(answers) == ["first"] + ["repeated"] * 19


async def test_the_journal_cannot_be_changed(world: World) -> None:
    await world.verify(0)
    for statement in ("UPDATE scan SET result = 'wrong'", "DELETE FROM scan", "TRUNCATE scan"):
        with pytest.raises(asyncpg.PostgresError) as refusal:
            await world.deployment.pool.execute(statement)
        assert refusal.value.sqlstate == "SY001"


async def test_no_address_and_no_code_is_kept(world: World) -> None:
    await world.verify(0, WRONG)
    await world.verify(0)
    for table in ("scan", "scan_attempt"):
        rows = [dict(row) for row in await world.deployment.pool.fetch(f"SELECT * FROM {table}")]
        assert rows
        assert not any(word in repr(rows) for word in (HOME, world.codes[0], WRONG))
    # Counts are forgotten after a day.
    await world.deployment.pool.execute("UPDATE scan_attempt SET since = since - interval '25 hours'")
    await world.verify(1, WRONG)
    assert await world.deployment.pool.fetchval("SELECT count(*) FROM scan_attempt") == 3


async def test_what_has_no_scratch_code_is_not_called_wrong(world: World) -> None:
    maker = await world.deployment.deliverer("maker")
    [plain] = await world.deployment.issued(1, maker)
    for gtin, serial in (
        (GTIN, plain),
        (GTIN, "A1"),
        (OTHER_GTIN, world.serials[0]),
        (GTIN, world.serials[0][::-1]),
    ):
        answer = await world.verifier.verify(gtin, serial, WRONG, address=HOME)
        assert (answer.result, answer.count) == ("not_applicable", 0)
    # Only what was issued here has a journal: anybody could fill it otherwise.
    assert await world.journal() == [(plain, "not_applicable", 0, "")]


async def test_a_voided_code_is_told_to_be_voided(world: World) -> None:
    await void(
        world.deployment.pool, gtin=GTIN, lot=LOT, serials=world.serials[:1], party_id="maker", reason="torn"
    )
    answer = await world.verifier.verify(GTIN, world.serials[0], world.codes[0], address=HOME)
    assert (answer.result, answer.voided) == ("first", True)


async def test_a_guesser_is_held_and_the_buyer_is_not(world: World) -> None:
    for _ in range(verifying.PAIR_LIMIT):
        assert await world.verify(0, WRONG, address=OTHER) == "wrong"
    assert await world.verify(0, WRONG, address=OTHER) == "too_many"
    # Of this code that address gets no answer any more, right or wrong; of others it does.
    held = await world.verifier.verify(GTIN, world.serials[0], world.codes[0], address=OTHER)
    assert held.result == "too_many"
    assert 0 < held.retry_seconds <= verifying.WINDOW_SECONDS
    assert await world.verify(1, address=OTHER) == "first"
    assert await world.verify(0, address=HOME) == "first"


async def test_many_guessers_at_one_code_are_held_and_the_buyer_is_not(world: World) -> None:
    for n in range(verifying.CODE_LIMIT):
        assert await world.verify(0, WRONG, address=f"192.0.2.{n}") == "wrong"
    written = len(await world.journal())
    assert await world.verify(0, WRONG, address=OTHER) == "too_many"
    assert await world.verify(0, address=THIRD) == "first"
    assert len(await world.journal()) == written + 1


async def test_a_guesser_does_not_hold_up_its_neighbours(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "ADDRESS_LIMIT", 20)
    for n in range(20):
        assert await world.verify(n, WRONG) == "wrong"
    for n in range(20, 25):
        assert await world.verify(n, WRONG) == "too_many"
    assert await world.verify(30) == "first"
    assert await world.verify(5) == "first"
    assert len(await world.journal()) == 22


async def test_right_answers_of_one_code_are_not_endless(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "RIGHT_LIMIT", 3)
    assert [await world.verify(0) for _ in range(5)] == [
        "first",
        "repeated",
        "repeated",
        "too_many",
        "too_many",
    ]


async def test_a_window_ends(world: World) -> None:
    for _ in range(verifying.PAIR_LIMIT):
        await world.verify(0, WRONG)
    assert await world.verify(0) == "too_many"
    await world.deployment.pool.execute("UPDATE scan_attempt SET since = since - interval '15 minutes'")
    assert await world.verify(0) == "first"


@pytest.mark.parametrize("place", ["cnhgh", "Hangzhou", "3301", "CNHGH1", "30.27,120.15", "杭州杭州杭"])
async def test_a_place_is_coarse(world: World, place: str) -> None:
    with pytest.raises(InputError) as refusal:
        await world.verify(0, place=place)
    assert refusal.value.code == "scan.place.form"
    assert await world.journal() == []


async def test_a_lost_key_calls_no_label_wrong(world: World) -> None:
    verifier = Verifier(
        world.deployment.pool, world.deployment.services.mac_keys, ScratchKeys({"0": b"x" * 32})
    )
    with pytest.raises(UnavailableError) as refusal:
        await verifier.verify(GTIN, world.serials[0], world.codes[0], address=HOME)
    assert refusal.value.code == "issuing.scratch.key"
    assert await world.journal() == []
