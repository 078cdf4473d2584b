"""The record of a pattern: it comes back as it went in, stays within its bounds, and a changed one is refused."""

from __future__ import annotations

import hashlib
import zlib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

np = pytest.importorskip("numpy", reason="the extra `label` is not installed")
pytest.importorskip("cv2", reason="the extra `label` is not installed")

from suyuan.errors import InputError  # noqa: E402
from suyuan.label.model import Placement, near_duplicate, posed_fingerprint  # noqa: E402
from suyuan.label.pattern_record import MAX_BYTES, Record, read_record, write_record  # noqa: E402
from suyuan.label.pattern_sheet import SIDE  # noqa: E402
from suyuan.label.pattern_threshold import FITTED, Genuine, fit, threshold_at  # noqa: E402

_PLACE = Placement(37.0, 4.5, 24.0)


def _record(seed: int = 3, place: Placement = _PLACE) -> Record:
    values = np.random.default_rng(seed).normal(0, 1, (SIDE, SIDE)).astype(np.float32)
    return Record(place, 3, values)


_WRITTEN = write_record(_record())


@settings(max_examples=8, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), x=st.floats(-100, 100), y=st.floats(-100, 100), side=st.floats(1, 1000))
def test_a_record_comes_back(seed: int, x: float, y: float, side: float) -> None:
    record = _record(seed, Placement(x, y, side))
    data = write_record(record)
    again = read_record(data)
    assert (again.placement, again.frames) == (record.placement, 3)
    assert np.abs(again.values - np.clip(record.values, -3.5, 3.5)).max() < 0.06
    assert len(data) <= MAX_BYTES


@settings(max_examples=40, deadline=None, derandomize=True)
@given(at=st.integers(0, len(_WRITTEN) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused(at: int, bit: int) -> None:
    changed = bytearray(_WRITTEN)
    changed[at] ^= 1 << bit
    with pytest.raises(InputError, match=r"label\.record\.form"):
        read_record(bytes(changed))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.binary(max_size=300))
def test_bytes_that_are_no_record_are_refused(data: bytes) -> None:
    for candidate in (data, _WRITTEN[: len(data)], _WRITTEN + data + b"!"):
        with pytest.raises(InputError, match=r"label\.record\.form"):
            read_record(candidate)


def test_the_worst_picture_stays_within_the_bound() -> None:
    noise = np.random.default_rng(1).uniform(-9, 9, (SIDE, SIDE)).astype(np.float32)
    assert len(write_record(Record(_PLACE, 12, noise))) <= MAX_BYTES


def test_a_record_that_unpacks_to_gigabytes_is_refused() -> None:
    packed = zlib.compress(b"\0" * 50_000_000, 9)
    fields = ["pattern/1", 1.0, 1.0, 24.0, 3, packed, b""]
    fields[6] = hashlib.sha256(msgspec.msgpack.encode(fields)).digest()[:8]
    with pytest.raises(InputError, match="not those of one pattern"):
        read_record(msgspec.msgpack.encode(fields))


def test_fingerprints_agree_in_pose_and_in_noise() -> None:
    rng = np.random.default_rng(2)
    pose = [float(value) for value in rng.uniform(-0.8, 0.8, 8)]
    noise = rng.bytes(512)
    one = posed_fingerprint(pose, noise)
    moved = posed_fingerprint([pose[0] + 0.005, *pose[1:]], noise)
    assert near_duplicate(one, posed_fingerprint([value + 0.0004 for value in pose], noise))
    assert not near_duplicate(one, moved)
    assert not near_duplicate(one, posed_fingerprint(pose, rng.bytes(512)))
    assert not near_duplicate(one, b"") and not near_duplicate(
        posed_fingerprint(pose, b""), posed_fingerprint(pose, b"")
    )
    assert not near_duplicate(one, one[:5]) and not near_duplicate(one[:5], one[:5] + b"x")


def test_the_rule_is_half_way_between_what_is_expected_and_the_ceiling() -> None:
    rng = np.random.default_rng(4)
    genuine = [
        Genuine(0.9 + 0.05 * (pixels - 2.8), float(pixels), float(rng.uniform(0.3, 0.6)))
        for pixels in rng.uniform(2.4, 3.2, 200)
    ]
    rule = fit(genuine, {"office": [0.3, 0.5] * 20, "leaked": [0.0] * 40})
    assert rule.ceiling == pytest.approx(0.4 + 3 * 0.1)
    assert rule.expected(2.8, 0.45) == pytest.approx(0.9, abs=0.003)
    assert rule.threshold(2.8, 0.45) == pytest.approx(0.8, abs=0.003)
    assert rule.threshold(9.0, 0.45) == rule.threshold(rule.pixels[1], 0.45)


def test_a_better_photo_is_held_to_more() -> None:
    assert threshold_at(FITTED.pixels[1], FITTED.sharpness[1]) >= threshold_at(
        *(FITTED.pixels[0], FITTED.sharpness[0])
    )
    assert FITTED.ceiling < threshold_at(2.5, 0.4) < FITTED.expected(2.5, 0.4)
