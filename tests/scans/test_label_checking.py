"""Checks of labels: what is answered, what is kept, who is held up by whom, and what a capture can break."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest
from deployment import GTIN, LOT, item
from label_world import HOME, OTHER, LabelWorld, picture, printed

from suyuan.enrolment import image_worker
from suyuan.enrolment.image_worker import ImageWorker
from suyuan.errors import (
    ConflictError,
    InputError,
    NotFoundError,
    RefusedError,
    UnavailableError,
    UnsupportedError,
)
from suyuan.issuing import PatternKeys, void
from suyuan.label.path import TiltPath
from suyuan.scans import LabelChecker, advice_of, label_checking, label_words_of
from suyuan.scans.label_images import forget_images
from suyuan.scans.label_nonces import LIFE, make_nonce, open_nonce, seal_nonce
from suyuan.scans.label_wording import MEANING_EN, MEANING_ZH
from suyuan.scans.standing import read_standing
from suyuan.trace import OPERATOR

WORDS = ("fake", "genuine", "counterfeit", "authentic", "假", "正品", "真品", "伪")


async def _journal(world: LabelWorld) -> list[tuple[str, str, int]]:
    rows = await world.deployment.pool.fetch("SELECT * FROM scan ORDER BY scan_id")
    return [(row["serial"], row["result"], row["score"]) for row in rows]


def _checker(world: LabelWorld, worker: ImageWorker | None = None, image_days: int = 0) -> LabelChecker:
    services = world.deployment.services
    return LabelChecker(
        services.pool,
        services.mac_keys,
        services.pattern_keys,
        worker or services.checking_images,
        services.vault,
        image_days=image_days,
    )


async def test_three_answers_each_a_scan_of_the_code(label_world: LabelWorld) -> None:
    await label_world.enrol(0)
    found = await label_world.check(0)
    assert (found.answer, found.track, found.score, found.enrolled_by) == ("matches", "A", 0.9, "maker")
    assert (await label_world.check(0, "a copy")).answer == "differs"
    blurred = await label_world.check(0, blurred=True)
    assert (blurred.answer, blurred.reasons) == ("unclear", ("blurred",))
    serial = label_world.serials[0]
    assert await _journal(label_world) == [
        (serial, "matches", 0),
        (serial, "differs", 60),
        (serial, "unclear", 0),
    ]
    standing = await read_standing(label_world.deployment.reader, GTIN, serial, item(serial), OPERATOR)
    assert standing is not None
    assert standing.label is not None
    assert (standing.label.matches, standing.label.differs, standing.label.unclear) == (1, 1, 1)
    assert standing.label.last is not None
    assert (standing.label.last.answer, standing.label.last.reasons) == ("unclear", ("blurred",))
    assert standing.label.last.quality == {"sharpness": 0.1}
    # A look at the label is no verification by scratch code.
    assert (standing.verified, standing.failed) == (0, 0)
    for statement in ("UPDATE label_check SET score = 1", "DELETE FROM label_check", "TRUNCATE label_check"):
        with pytest.raises(asyncpg.PostgresError) as refusal:
            await label_world.deployment.pool.execute(statement)
        assert refusal.value.sqlstate == "SY001"


async def test_a_black_picture_leaves_a_scan_that_can_be_read(label_world: LabelWorld) -> None:
    await label_world.enrol(0)
    found = await label_world.check(0, black=True)
    assert (found.answer, found.score, found.quality) == ("unclear", 0.0, {})
    serial = label_world.serials[0]
    standing = await read_standing(label_world.deployment.reader, GTIN, serial, item(serial), OPERATOR)
    assert standing is not None and standing.label is not None and standing.label.last is not None
    assert (standing.label.last.score, standing.label.last.quality) == (0.0, {})


async def test_of_several_photos_the_one_that_tells_most_counts(label_world: LabelWorld) -> None:
    await label_world.enrol(0)
    uri = printed(label_world.serials[0])
    nonce = (await label_world.challenge(0)).nonce
    images = [picture(uri, blurred=True), picture(uri), picture(uri, blurred=True)]
    checker = label_world.deployment.services.label_checker
    assert (await checker.check(nonce, images, address=HOME)).answer == "matches"


async def test_a_clip_follows_the_path_of_its_nonce(label_world: LabelWorld) -> None:
    await label_world.enrol(0, "B")
    challenge = await label_world.challenge(0)
    assert challenge.tracks == ("B",)
    assert len(challenge.path) in (3, 4)
    uri = printed(label_world.serials[0])
    checker = label_world.deployment.services.label_checker
    clip = [picture(uri, path=challenge.path) for _ in range(24)]
    assert (await checker.check(challenge.nonce, clip, address=HOME)).answer == "matches"
    # A clip of another check does not follow this one's path, unless by chance.
    other = await label_world.challenge(0)
    while other.path == challenge.path:
        other = await label_world.challenge(0)
    replay = [picture(uri, path=challenge.path) for _ in range(24)]
    assert (await checker.check(other.nonce, replay, address=HOME)).reasons == ("tilt_path",)


async def test_a_label_with_both_records_is_checked_by_either(label_world: LabelWorld) -> None:
    await label_world.enrol(0, "A", of="dots")
    await label_world.enrol(0, "B", of="glitter")
    challenge = await label_world.challenge(0)
    assert challenge.tracks == ("A", "B")
    checker, uri = label_world.deployment.services.label_checker, printed(label_world.serials[0])
    assert (await checker.check(challenge.nonce, [picture(uri, "dots")], address=HOME)).track == "A"
    second = await label_world.challenge(0)
    clip = [picture(uri, "glitter", path=second.path)] * 12
    found = await checker.check(second.nonce, clip, address=HOME)
    assert (found.track, found.answer) == ("B", "matches")
    third = await label_world.challenge(0)
    with pytest.raises(InputError) as refusal:
        await checker.check(third.nonce, clip, address=HOME, track="A")
    assert refusal.value.code == "scan.label.images"


async def test_a_nonce_serves_one_label_once_and_not_for_long(label_world: LabelWorld) -> None:
    await label_world.enrol(0)
    await label_world.enrol(1)
    nonce = (await label_world.challenge(0)).nonce
    answers = await asyncio.gather(
        *(label_world.check(0, nonce=nonce) for _ in range(4)), return_exceptions=True
    )
    codes = sorted(one.code if isinstance(one, ConflictError) else "answered" for one in answers)  # type: ignore[union-attr]
    assert codes == ["answered"] + ["scan.label.nonce.used"] * 3
    # However it is spelt: base64 has filling, and its last letter some bits that mean nothing.
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = nonce[:-1] + last[last.index(nonce[-1]) ^ 1]
    for spelt in (nonce + "=", nonce[:9] + "!" + nonce[9:], twin):
        with pytest.raises((ConflictError, InputError)):
            await label_world.check(0, nonce=spelt)
    # Bound to its label: a picture of another one is a picture of another one.
    first = (await label_world.challenge(0)).nonce
    assert (await label_world.check(1, nonce=first)).reasons == ("other_code",)
    keys = label_world.deployment.services.pattern_keys
    now = datetime.now(UTC)
    old = seal_nonce(keys, make_nonce(GTIN, label_world.serials[0], now - LIFE - timedelta(seconds=1)))
    strange = seal_nonce(PatternKeys({"0": b"k" * 32}), make_nonce(GTIN, label_world.serials[0], now))
    good = seal_nonce(keys, make_nonce(GTIN, label_world.serials[0], now))
    assert open_nonce(keys, good, now).serial == label_world.serials[0]
    for wrong in (old, strange, good[:-2], good[:20] + "A" + good[21:], "", "é", "x" * 10_000):
        with pytest.raises(InputError) as refusal:
            await label_world.check(0, nonce=wrong or " ")
        assert refusal.value.code == "scan.label.nonce"
    # What is handed out costs no row; what was used is forgotten after a day.
    pool = label_world.deployment.pool
    assert await pool.fetchval("SELECT count(*) FROM label_nonce") == 2
    await pool.execute("UPDATE label_nonce SET used_at = used_at - interval '25 hours'")
    await label_world.check(0)
    assert await pool.fetchval("SELECT count(*) FROM label_nonce") == 1


async def test_a_capture_that_was_sent_before_is_none(label_world: LabelWorld) -> None:
    await label_world.enrol(0)
    assert (await label_world.check(0, moment="a photo")).answer == "matches"
    again = await label_world.check(0, moment="a photo", address=OTHER)
    assert (again.answer, again.reasons) == ("unclear", ("near_duplicate",))
    assert (await label_world.check(0, moment="another photo")).answer == "matches"
    # At the same moment too: one is the first.
    twins = await asyncio.gather(*(label_world.check(0, moment="sent twice") for _ in range(3)))
    assert sorted(one.answer for one in twins) == ["matches", "unclear", "unclear"]


async def test_only_what_was_enrolled_can_be_checked(label_world: LabelWorld) -> None:
    checker = label_world.deployment.services.label_checker
    for uri in (
        item(label_world.serials[0]),
        item("0NOBODY"),
        item(label_world.serials[0][::-1]),
        item("A1"),
    ):
        assert await checker.challenge(uri) is None
    with pytest.raises(NotFoundError) as refusal:
        await checker.examine(item(label_world.serials[0]), [b"{}"])
    assert refusal.value.code == "scan.label.unknown"
    await label_world.enrol(0)
    with pytest.raises(InputError) as other:
        await checker.examine(item(label_world.serials[0]), [b"{}"], track="B")
    assert other.value.code == "scan.label.track"
    assert "track A" in other.value.reason
    assert await _journal(label_world) == []


async def test_a_voided_code_is_told_to_be_voided(label_world: LabelWorld) -> None:
    await label_world.enrol(0)
    pool, serial = label_world.deployment.pool, label_world.serials[0]
    await void(pool, gtin=GTIN, lot=LOT, serials=[serial], party_id="maker", reason="torn")
    assert (await label_world.challenge(0)).voided
    found = await label_world.check(0)
    assert (found.answer, found.voided) == ("matches", True)
    assert label_words_of(found).text_zh.startswith("此码在销售前已作废")


async def test_a_guesser_is_held_and_nobody_else(
    label_world: LabelWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_checking, "PAIR_LIMIT", 3)
    await label_world.enrol(0)
    await label_world.enrol(1)
    for _ in range(3):
        assert (await label_world.check(0, "a copy")).answer == "differs"
    written = len(await _journal(label_world))
    nonce = (await label_world.challenge(0)).nonce
    worker = label_world.deployment.services.checking_images
    await worker.close()
    held = await label_world.check(0, nonce=nonce)
    assert (held.answer, held.reasons) == ("unclear", ())
    assert 0 < held.retry_seconds <= 900
    # Nothing was looked at, nothing written, and the nonce is still good elsewhere.
    assert worker.process_id is None
    assert len(await _journal(label_world)) == written
    assert (await label_world.check(0, nonce=nonce, address=OTHER)).answer == "matches"
    assert (await label_world.check(1)).answer == "matches"
    await label_world.deployment.pool.execute("UPDATE scan_attempt SET since = since - interval '15 minutes'")
    assert (await label_world.check(0)).answer == "matches"


@pytest.mark.parametrize("limit", ["CODE_LIMIT", "ADDRESS_LIMIT"])
async def test_past_the_wider_limits_a_match_is_still_told(
    label_world: LabelWorld, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(label_checking, limit, 3)
    await label_world.enrol(0)
    address = HOME if limit == "ADDRESS_LIMIT" else "203.0.113.{}"
    for n in range(3):
        assert (await label_world.check(0, "a copy", address=address.format(n))).answer == "differs"
    written = len(await _journal(label_world))
    held = await label_world.check(0, "a copy", address=address.format(9))
    assert held.retry_seconds > 0
    assert len(await _journal(label_world)) == written
    assert (await label_world.check(0, address=address.format(10))).answer == "matches"


async def test_no_address_and_no_picture_is_kept(label_world: LabelWorld) -> None:
    await label_world.enrol(0)
    await label_world.check(0, "a copy", address=OTHER, moment="a secret moment")
    assert await label_world.deployment.search(OTHER, "a secret moment", "a copy") == []
    assert await label_world.deployment.pool.fetchval("SELECT count(*) FROM label_image") == 0


async def test_pictures_are_kept_sealed_as_long_as_policy_says(label_world: LabelWorld) -> None:
    services, pool = label_world.deployment.services, label_world.deployment.pool
    await label_world.enrol(0)
    checker = _checker(label_world, image_days=7)
    challenge = await label_world.challenge(0)
    image = picture(printed(label_world.serials[0]), moment="somebody's kitchen")
    await checker.check(challenge.nonce, [image], address=HOME)
    assert await pool.fetchval("SELECT count(*) FROM label_image") == 1
    assert await label_world.deployment.search("somebody's kitchen") == []
    row = await pool.fetchrow("SELECT subject_id, sealed FROM label_image")
    assert row is not None
    from suyuan.vault import SealedPart

    part = SealedPart(row["subject_id"], row["sealed"])
    assert await services.vault.unseal_parts(pool, [part]) == [image]
    with pytest.raises(asyncpg.PostgresError) as refusal:
        await pool.execute("DELETE FROM label_image")
    assert refusal.value.sqlstate == "SY001"
    today = datetime.now(UTC).date()
    assert await forget_images(pool, services.vault, days=7, today=today + timedelta(days=7)) == 0
    assert await forget_images(pool, services.vault, days=7, today=today + timedelta(days=8)) == 1
    assert await pool.fetchval("SELECT count(*) FROM label_image") == 0
    # A copy of the row from a backup says nothing any more: the day's key is gone, and the journal says so.
    assert await services.vault.unseal_parts(pool, [part]) == [None]
    entry = await pool.fetchrow("SELECT * FROM erasure_journal")
    assert entry is not None
    assert entry["reference"] == row["subject_id"].hex()
    assert "7 days" in entry["reason"]
    # The check itself stays, as any scan.
    assert len(await _journal(label_world)) == 1
    assert await forget_images(pool, services.vault, days=0, today=date(2100, 1, 1)) == 0


async def test_nobody_waits_while_pictures_of_a_check_are_sealed(
    label_world: LabelWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await label_world.enrol(0)
    vault = label_world.deployment.services.vault
    begun, go_on = asyncio.Event(), asyncio.Event()
    seal_parts = vault.seal_parts

    async def slowly(*given: Any) -> Any:
        begun.set()
        await go_on.wait()
        return await seal_parts(*given)

    monkeypatch.setattr(vault, "seal_parts", slowly)
    nonce = (await label_world.challenge(0)).nonce
    image = picture(printed(label_world.serials[0]))
    kept = asyncio.ensure_future(_checker(label_world, image_days=7).check(nonce, [image], address=HOME))
    await begun.wait()
    assert (await asyncio.wait_for(label_world.check(0), 5)).answer == "matches"
    go_on.set()
    assert (await kept).answer == "matches"
    assert await label_world.deployment.pool.fetchval("SELECT count(*) FROM label_image") == 1


async def test_a_damaged_record_is_no_try_of_who_checks(
    label_world: LabelWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_checking, "PAIR_LIMIT", 1)
    await label_world.enrol(0)
    pool = label_world.deployment.pool
    await pool.execute("ALTER TABLE label_record DISABLE TRIGGER USER")
    await pool.execute("UPDATE label_record SET record = record || 'x'::bytea")
    nonce = (await label_world.challenge(0)).nonce
    for _ in range(2):
        with pytest.raises(RefusedError) as refusal:
            await label_world.check(0, nonce=nonce)
        assert refusal.value.code == "enrolment.record.changed"
    await pool.execute("UPDATE label_record SET record = substr(record, 1, length(record) - 1)")
    assert (await label_world.check(0, nonce=nonce)).answer == "matches"


# -- the process that looks at pictures ---------------------------------------------------------------------


async def test_a_picture_that_ends_the_process_ends_one_check(label_world: LabelWorld) -> None:
    await label_world.enrol(0)
    worker = label_world.deployment.services.checking_images
    await label_world.check(0)
    first = worker.process_id
    for act in ("crash", "memory"):
        with pytest.raises(UnavailableError) as refusal:
            await label_world.check(0, act=act)
        assert refusal.value.code == "scan.label.lost"
        assert refusal.value.remedy
        assert (await label_world.check(0)).answer == "matches"
    assert worker.process_id not in (None, first)


async def test_whoever_ends_the_process_again_and_again_is_not_looked_at_any_more(
    label_world: LabelWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_checking, "PAIR_LIMIT", 2)
    await label_world.enrol(0)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            await label_world.check(0, act="crash")
    assert (await label_world.check(0, act="crash")).retry_seconds
    assert (await label_world.check(0, address=OTHER)).answer == "matches"


async def test_a_process_that_is_killed_or_hangs_is_replaced(
    label_world: LabelWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await label_world.enrol(0)
    worker = label_world.deployment.services.checking_images
    await label_world.check(0)
    hanging = asyncio.ensure_future(label_world.check(0, act="hang"))
    await asyncio.sleep(0.2)
    waiting = asyncio.ensure_future(label_world.check(0))
    await asyncio.sleep(0.1)
    assert worker.process_id is not None
    os.kill(worker.process_id, signal.SIGKILL)
    with pytest.raises(UnavailableError) as killed:
        await hanging
    assert killed.value.code == "scan.label.lost"
    assert (await waiting).answer == "matches"
    from suyuan.enrolment.image_tasks import ReadCode

    slow = [picture("x", act="hang")]
    with pytest.raises(UnavailableError) as late:
        await worker.run(ReadCode(), slow, seconds=0.3)
    assert late.value.code == "scan.label.lost"
    # Who goes away in the middle leaves nobody else's answer behind.
    gone = asyncio.ensure_future(worker.run(ReadCode(), slow))
    await asyncio.sleep(0.2)
    gone.cancel()
    assert (await label_world.check(0)).answer == "matches"


async def test_few_wait_and_fewer_from_one_place(
    label_world: LabelWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_worker, "MAX_WAITING", 3)
    monkeypatch.setattr(image_worker, "MAX_WAITING_FROM_ONE", 2)
    await label_world.enrol(0)
    nonces = [(await label_world.challenge(0)).nonce for _ in range(5)]
    first = [asyncio.ensure_future(label_world.check(0, nonce=nonce)) for nonce in nonces[:2]]
    first.append(asyncio.ensure_future(label_world.check(0, act="hang", nonce=nonces[2], address=OTHER)))
    await asyncio.sleep(0)
    worker = label_world.deployment.services.checking_images
    for _ in range(200):
        if worker._waiting == 3:
            break
        await asyncio.sleep(0.005)
    for address in (HOME, "203.0.113.5"):
        with pytest.raises(UnavailableError) as refusal:
            worker.check_free(address)
        assert refusal.value.code == "scan.label.busy"
    for task in first:
        task.cancel()
    await asyncio.gather(*first, return_exceptions=True)
    # Refused before the nonce was used: it is still good.
    assert (await label_world.check(0, nonce=nonces[4])).answer == "matches"


async def test_an_idle_process_ends(label_world: LabelWorld) -> None:
    worker = ImageWorker(idle_seconds=0.05)
    await label_world.enrol(0)
    found = await _checker(label_world, worker).examine(
        item(label_world.serials[0]), [picture(printed(label_world.serials[0]))]
    )
    assert found.answer == "matches"
    assert worker.process_id is not None
    await asyncio.sleep(0.3)
    assert worker.process_id is None
    await worker.close()


async def test_ten_thousand_tries_are_cheap(label_world: LabelWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand here: the first are looked at, the rest is answered at once and leaves no row."""
    monkeypatch.setattr(label_checking, "PAIR_LIMIT", 5)
    await label_world.enrol(0)
    uri = printed(label_world.serials[0])
    checker = label_world.deployment.services.label_checker
    nonces = [(await label_world.challenge(0)).nonce for _ in range(5)]
    for nonce in nonces:
        with pytest.raises(InputError):
            await checker.check(nonce, [b"no picture at all"], address=HOME)
    nonce = (await label_world.challenge(0)).nonce
    before = await label_world.deployment.counts()
    started = asyncio.get_running_loop().time()
    for _ in range(10):
        answers = await asyncio.gather(
            *(checker.check(nonce, [picture(uri, "a copy")], address=HOME) for _ in range(100))
        )
        assert all(answer.retry_seconds > 0 for answer in answers)
    seconds = asyncio.get_running_loop().time() - started
    assert await label_world.deployment.counts() == before
    assert seconds < 10
    assert (await checker.check(nonce, [picture(uri)], address=OTHER)).answer == "matches"


async def test_examining_at_the_counter_has_no_nonce_and_no_limits(
    label_world: LabelWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_checking, "PAIR_LIMIT", 1)
    await label_world.enrol(0, "B")
    uri = printed(label_world.serials[0])
    checker = label_world.deployment.services.label_checker
    path = TiltPath(("up", "left", "up"))
    for of, answer in (("a copy", "differs"), ("a copy", "differs"), ("its own", "matches")):
        clip = [picture(uri, of, path=path.directions)] * 12
        assert (await checker.examine(uri, clip, path=path)).answer == answer
    assert len(await _journal(label_world)) == 3


async def test_without_the_libraries_it_is_said(
    label_world: LabelWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await label_world.enrol(0)
    monkeypatch.setattr(image_worker.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UnsupportedError) as refusal:
        await label_world.challenge(0)
    assert (refusal.value.code, refusal.value.remedy) == ("label.extra", "Install suyuan[label].")


async def test_what_is_said_is_never_more_than_was_compared(label_world: LabelWorld) -> None:
    await label_world.enrol(0)
    found = await label_world.check(0)
    from suyuan.label.model import REASONS

    said = [MEANING_EN, MEANING_ZH]
    for answer in ("matches", "differs", "unclear"):
        said += msgspec.structs.astuple(label_words_of(msgspec.structs.replace(found, answer=answer)))
    held = msgspec.structs.replace(found, answer="unclear", retry_seconds=61)
    said += msgspec.structs.astuple(label_words_of(held))
    advice = advice_of(REASONS)
    assert [one.reason for one in advice] == list(REASONS)
    said += [text for one in advice for text in (one.text_en, one.text_zh)]
    assert not [text for text in said if any(word in text.lower() for word in WORDS)]
    assert "2 minutes" in label_words_of(held).text_en
