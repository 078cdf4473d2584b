"""Patterns of labels: derived for each serial under a key of their own, never stored."""

from __future__ import annotations

import pytest
from deployment import GTIN, LOT, OTHER_GTIN, Deployment

from suyuan.errors import UnavailableError
from suyuan.issuing import PatternKeys, code_history, find_batches, get_batch, issue, iter_serials
from suyuan.issuing.patterns import PATTERN_BYTES

KEYS = PatternKeys({"0": b"k" * 32})
PRINT = KEYS.fingerprint("0")


def _bits(template: bytes) -> int:
    return int.from_bytes(template, "big").bit_count()


def test_each_serial_has_a_pattern_of_its_own() -> None:
    one = KEYS.template("0", PRINT, GTIN, "0A")
    assert len(one) == PATTERN_BYTES
    assert one == KEYS.template("0", PRINT, GTIN, "0A")
    others = [
        KEYS.template("0", PRINT, GTIN, "0B"),
        KEYS.template("0", PRINT, OTHER_GTIN, "0A"),
        PatternKeys({"0": b"j" * 32}).template(
            "0", PatternKeys({"0": b"j" * 32}).fingerprint("0"), GTIN, "0A"
        ),
    ]
    for other in others:
        # As unlike as chance: of 4,096 bits half differ, give or take five standard deviations.
        different = _bits(bytes(a ^ b for a, b in zip(one, other, strict=True)))
        assert 2048 - 160 < different < 2048 + 160
    assert 2048 - 160 < _bits(one) < 2048 + 160
    blocks = {one[start : start + 32] for start in range(0, PATTERN_BYTES, 32)}
    assert len(blocks) == 16


def test_another_key_gives_no_pattern() -> None:
    for keys, epoch in ((PatternKeys({"0": b"j" * 32}), "0"), (KEYS, "1")):
        with pytest.raises(UnavailableError) as refusal:
            keys.template(epoch, PRINT, GTIN, "0A")
        assert refusal.value.code == "issuing.pattern.key"
    assert "kkkk" not in repr(KEYS)
    assert KEYS.signature(b"x") != KEYS.signature(b"y")
    assert len(KEYS.signature(b"x")) == 16


async def test_a_batch_keeps_the_fingerprint_of_its_patterns(deployment: Deployment) -> None:
    await deployment.member("maker")
    services = deployment.services
    batch = await issue(
        deployment.pool,
        services.mac_keys,
        gtin=GTIN,
        lot=LOT,
        count=3,
        party_id="maker",
        pattern=services.pattern_keys,
    )
    assert batch.pattern_key == services.pattern_keys.fingerprint("0")
    assert (await get_batch(deployment.pool, batch.batch_id)).pattern_key == batch.pattern_key
    assert [one.pattern_key for one in await find_batches(deployment.pool, GTIN)] == [batch.pattern_key]
    [serial, *_] = [s async for part in iter_serials(deployment.pool, batch.batch_id) for s in part]
    history = await code_history(deployment.pool, GTIN, serial)
    assert history is not None
    assert history.batch.pattern_key == batch.pattern_key
    assert len(services.pattern_keys.template("0", batch.pattern_key, GTIN, serial)) == PATTERN_BYTES
    plain = await deployment.issued(1, await deployment.deliverer("maker"))
    assert plain
    assert (await find_batches(deployment.pool, GTIN))[-1].pattern_key == ""
