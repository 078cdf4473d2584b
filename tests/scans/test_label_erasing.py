"""A label's record is erased: journalled, with images of its checks, and again after a restore; what fsck finds."""

from __future__ import annotations

import pytest
from deployment import GTIN
from label_world import HOME, LabelWorld, picture, printed

from suyuan import log
from suyuan.capture.checking import recompute_commitments
from suyuan.enrolment.checking import check_records
from suyuan.errors import InputError, NotFoundError
from suyuan.scans import LabelChecker
from suyuan.scans.label_erasing import erase_label, finish_label_erasures
from suyuan.tlog.note import Ed25519Verifier
from suyuan.vault import read_erasure_journal

WHY = "mixed up at the maker's"


async def _fsck(world: LabelWorld) -> list[tuple[str, str]]:
    services = world.deployment.services
    report = await log.fsck(
        services.pool,
        Ed25519Verifier(services.signer.vkey),
        recompute=recompute_commitments,
        beside=(check_records,),
    )
    return [(one.code, one.reference) for one in report.findings]


async def _rows(world: LabelWorld, table: str) -> int:
    count: int = await world.deployment.pool.fetchval(f"SELECT count(*) FROM {table}")
    return count


async def test_an_erased_label_is_compared_with_nothing(label_world: LabelWorld) -> None:
    world, services = label_world, label_world.deployment.services
    await world.enrol(0)
    await world.enrol(0, take=2)
    await world.enrol(0, "B")
    await world.enrol(1)
    keeping = LabelChecker(
        services.pool,
        services.mac_keys,
        services.pattern_keys,
        services.checking_images,
        services.vault,
        image_days=7,
    )
    for n in (0, 1):
        nonce = (await world.challenge(n)).nonce
        await keeping.check(nonce, [picture(printed(world.serials[n]))], address=HOME)
    pool, serial = services.pool, world.serials[0]
    with pytest.raises(InputError):
        await erase_label(pool, GTIN, serial, "A", party_id="maker", reason=" ")
    assert await _rows(world, "label_record") == 4
    done = await erase_label(pool, GTIN, serial, "A", party_id="maker", reason=WHY)
    assert (done.tracks, done.records, done.images) == (("A",), 2, 1)
    assert (await world.challenge(0)).tracks == ("B",)
    assert (await _rows(world, "label_record"), await _rows(world, "label_image")) == (2, 1)
    [entry] = await read_erasure_journal(pool)
    assert (entry.kind, entry.reference) == ("label", f"{GTIN}/A/{serial}")
    assert (entry.party_id, entry.reason) == ("maker", WHY)
    assert (await erase_label(pool, GTIN, serial, party_id="maker", reason=WHY)).tracks == ("B",)
    item = f"https://id.gs1.org/01/{GTIN}/21/{serial}"
    assert await services.label_checker.challenge(item) is None
    for unknown in (serial, "0NOBODY"):
        with pytest.raises(NotFoundError) as refusal:
            await erase_label(pool, GTIN, unknown, party_id="maker", reason=WHY)
        assert refusal.value.code == "scan.label.unknown"
    # What was said of it stays, and the other label with all that it has.
    assert (await _rows(world, "label_enrolment"), await _rows(world, "label_check")) == (4, 2)
    assert (await world.check(1)).answer == "matches"
    assert await _fsck(world) == []


async def test_an_erased_label_can_be_enrolled_anew_from_the_same_images(label_world: LabelWorld) -> None:
    pool, serial = label_world.deployment.pool, label_world.serials[0]
    uri = printed(serial)
    from suyuan.enrolment.enrolling import EnrolCommand

    images = [picture(uri)] * 3
    enrol = label_world.deployment.services.enroller.enrol
    command = EnrolCommand(uri=uri, track="B")
    assert not (await enrol(command, images, label_world.maker)).repeated
    assert (await enrol(command, images, label_world.maker)).repeated
    await erase_label(pool, GTIN, serial, party_id="maker", reason=WHY)
    assert not (await enrol(command, images, label_world.maker)).repeated
    # What is journalled spares what came later.
    assert await finish_label_erasures(pool) == (0, 0)
    assert (await label_world.challenge(0)).tracks == ("B",)
    assert await _fsck(label_world) == []


async def test_what_a_restored_backup_brought_back_is_erased_again(label_world: LabelWorld) -> None:
    await label_world.enrol(0)
    pool, serial = label_world.deployment.pool, label_world.serials[0]
    kept = await pool.fetchrow("SELECT * FROM label_record")
    await erase_label(pool, GTIN, serial, party_id="maker", reason=WHY)
    assert kept is not None
    await pool.execute("INSERT INTO label_record VALUES ($1, $2, $3)", *kept)
    [(code, reference)] = await _fsck(label_world)
    assert (code, serial in reference) == ("enrolment.record.kept", True)
    assert await finish_label_erasures(pool) == (1, 0)
    assert await _rows(label_world, "label_record") == 0
    assert await _fsck(label_world) == []


async def test_fsck_finds_records_that_are_not_what_their_events_name(label_world: LabelWorld) -> None:
    for n in range(4):
        await label_world.enrol(n)
    assert await _fsck(label_world) == []
    pool = label_world.deployment.pool
    await pool.execute("ALTER TABLE label_record DISABLE TRIGGER USER")
    await pool.execute("UPDATE label_record SET record = record || 'x'::bytea WHERE enrolment_id = 1")
    await pool.execute("UPDATE label_record SET salt = sha256(salt) WHERE enrolment_id = 2")
    await pool.execute("DELETE FROM label_record WHERE enrolment_id = 3")
    found = await _fsck(label_world)
    assert found == [
        (code, f"{GTIN}/A/{label_world.serials[n - 1]} ({n})")
        for n, code in (
            (1, "enrolment.record.changed"),
            (2, "enrolment.record.changed"),
            (3, "enrolment.record.lost"),
        )
    ]
