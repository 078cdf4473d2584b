"""Labels whose look changes with the angle: enrolled from a spiral, checked with clips of a simulator, all seeded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

pytest.importorskip("cv2", reason="the extra 'label' is not installed")

import cv2
import numpy as np

from suyuan.errors import InputError, TooLargeError
from suyuan.label import codes
from suyuan.label.dynamic import clip_features, enrol_dynamic, judge, score, surface, verify_dynamic
from suyuan.label.dynamic_record import FORM, read_record
from suyuan.label.model import Placement, near_duplicate
from suyuan.label.path import TiltPath
from suyuan.label.simulation.dynamic_trials import (
    ATTACKS,
    Conditions,
    SimulatedLabel,
    capture,
    clip_for,
    enrolment_images,
    placement_of,
    trial_path,
    trial_uri,
)
from suyuan.label.simulation.optics import encoded

SEED = 2
Clips = Callable[..., list[bytes]]


@pytest.fixture(scope="module")
def frames() -> list[bytes]:
    return enrolment_images(SEED, "test", trial_uri(SEED), 90)


@pytest.fixture(scope="module")
def label(frames: list[bytes]) -> SimulatedLabel:
    uri = trial_uri(SEED)
    record = enrol_dynamic(frames, uri)
    return SimulatedLabel(
        uri=uri, record=record, placement=placement_of(SEED, "test", uri), seed=SEED, split="test"
    )


@pytest.fixture(scope="module")
def clip(label: SimulatedLabel) -> Clips:
    """Clips of 13 frames, each made once."""
    made: dict[Any, list[bytes]] = {}

    def make(attack: str = "genuine", seed: int = SEED, **conditions: Any) -> list[bytes]:
        how = Conditions(**{"frames": 13, **conditions})
        key = (attack, seed, how)
        if key not in made:
            made[key] = capture(label, attack, "test", seed, how)
        return made[key]

    return make


def _verify(frames: list[bytes], label: SimulatedLabel, seed: int = SEED):
    return verify_dynamic(frames, label.record, label.uri, trial_path(seed))


def test_enrolment_finds_where_the_film_lies(label: SimulatedLabel):
    found = read_record(label.record).placement
    assert abs(found.x - label.placement.x) <= 1.5
    assert abs(found.y - label.placement.y) <= 1.5
    assert abs(found.side - label.placement.side) <= 2.5
    assert len(label.record) < 2000 * 90


@pytest.mark.parametrize("seed", [2, 5])
def test_the_label_itself_matches(label: SimulatedLabel, clip: Clips, seed: int):
    verdict = _verify(clip(seed=seed), label, seed)
    assert (verdict.answer, verdict.reasons) == ("matches", ())
    assert verdict.score >= verdict.threshold > 0
    assert verdict.quality["frames"] >= 8
    assert verdict.quality["tilt_degrees"] > 8


@pytest.mark.parametrize("attack", ["wrong", "print", "foil", "replay"])
def test_what_is_not_the_label_does_not_match(label: SimulatedLabel, clip: Clips, attack: str):
    verdict = _verify(clip(attack), label)
    assert verdict.answer != "matches"
    assert verdict.score < verdict.threshold / 2 or verdict.answer == "unclear"


def test_another_label_under_the_torch_is_told_apart(label: SimulatedLabel, clip: Clips):
    assert _verify(clip("wrong"), label).answer == "differs"


def test_an_injected_recording_is_known_by_its_path_alone(label: SimulatedLabel, clip: Clips):
    verdict = _verify(clip("injected"), label)
    assert (verdict.answer, verdict.reasons) == ("unclear", ("tilt_path",))
    assert verdict.score > verdict.threshold  # optics have nothing against it


def test_without_the_torch_it_cannot_be_told(label: SimulatedLabel):
    """Lit by lamps alone the label sparkles too, and must not be called another one."""
    seen = set()
    for seed in (SEED, SEED + 3):
        frames = capture(label, "genuine", "test", seed, Conditions(frames=12, torch=False))
        verdict = _verify(frames, label, seed)
        seen.add((verdict.answer, verdict.reasons))
    assert seen == {("unclear", ("torch_off",))}


def test_a_phone_held_still_shows_nothing(label: SimulatedLabel, clip: Clips):
    verdict = _verify(clip(still=True), label)
    assert (verdict.answer, verdict.reasons) == ("unclear", ("too_little_tilt",))


def test_a_few_frames_are_too_few(label: SimulatedLabel, clip: Clips):
    verdict = _verify(clip()[:11], label)
    assert (verdict.answer, verdict.reasons) == ("unclear", ("too_few_frames",))
    assert _verify([], label).reasons == ("too_few_frames",)


def test_corners_without_refinement_cannot_be_told(label: SimulatedLabel, clip: Clips):
    features = clip_features(clip(), label.uri, read_record(label.record).placement, codes.locate_roughly)
    verdict = judge(features, surface(label.record), trial_path(SEED))
    assert (verdict.answer, verdict.reasons) == ("unclear", ("registration",))


def test_another_items_code_is_said(label: SimulatedLabel, clip: Clips):
    verdict = verify_dynamic(clip(), label.record, label.uri + "X", trial_path(SEED))
    assert (verdict.answer, verdict.reasons) == ("unclear", ("other_code",))


def test_host_and_scheme_are_in_either_case(label: SimulatedLabel, clip: Clips):
    uri = label.uri.replace("https://id.example.org", "HTTPS://ID.EXAMPLE.ORG")
    assert verify_dynamic(clip(), label.record, uri, trial_path(SEED)).answer == "matches"


def test_a_wall_shows_no_code(label: SimulatedLabel):
    wall = encoded(np.full((480, 640, 3), 128, np.uint8), 90)
    verdict = _verify([wall] * 14, label)
    assert (verdict.answer, verdict.reasons, verdict.fingerprint) == ("unclear", ("no_code",), b"")


def test_frames_that_are_no_images_are_refused(label: SimulatedLabel, clip: Clips):
    with pytest.raises(InputError) as caught:
        _verify([*clip()[:12], b"no image"], label)
    assert caught.value.code == "label.image.form"
    with pytest.raises(TooLargeError):
        _verify([b"\xff\xd8\xff" + b"0" * 21_000_000] * 12, label)


def test_a_small_and_distant_label_is_too_small(label: SimulatedLabel, clip: Clips):
    small = [_repacked(frame, scale=0.13) for frame in clip()]
    assert set(_verify(small, label).reasons) <= {"too_small", "no_code"}
    assert _verify(small, label).answer == "unclear"


def _repacked(frame: bytes, *, scale: float = 1.0, quality: int = 80) -> bytes:
    image = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return encoded(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), quality)


def test_the_same_clip_is_known_again_and_another_is_not(label: SimulatedLabel, clip: Clips):
    sent = _verify(clip(), label).fingerprint
    again = [_repacked(frame, scale=0.9, quality=75) for frame in clip()]
    assert near_duplicate(sent, _verify(again, label).fingerprint)
    shorter = [frame for number, frame in enumerate(clip()) if number != 6]
    assert near_duplicate(sent, _verify(shorter, label).fingerprint)
    # The same path, walked another time.
    other = clip_for(label, trial_path(SEED), SEED + 50, conditions=Conditions(frames=13))
    assert not near_duplicate(sent, _verify(other, label).fingerprint)


def test_clips_in_other_sizes_and_rotations_match_too(label: SimulatedLabel, clip: Clips):
    def turned(frame: bytes) -> bytes:
        image = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        return encoded(np.ascontiguousarray(np.rot90(image)), 92)

    assert _verify([turned(frame) for frame in clip()], label).answer == "matches"
    assert _verify([_repacked(frame, scale=0.8) for frame in clip()], label).answer == "matches"


def test_a_clip_is_scored_against_many_records_once_read(label: SimulatedLabel, clip: Clips):
    features = clip_features(clip(), label.uri, read_record(label.record).placement)
    agreed = score(features, surface(label.record))
    assert agreed is not None
    assert agreed.score > 0.3
    assert len(agreed.frames) == len(features.tilts)


def test_a_long_clip_is_read_evenly(label: SimulatedLabel, clip: Clips):
    verdict = _verify([frame for frame in clip() for _ in range(8)], label)
    assert verdict.answer == "matches"
    assert verdict.quality["frames"] <= 60


def test_the_same_seed_makes_the_same_clip_and_splits_differ(label: SimulatedLabel, clip: Clips):
    again = capture(label, "genuine", "test", SEED, Conditions(frames=13))
    assert again == clip()
    assert capture(label, "genuine", "calibration", SEED, Conditions(frames=13)) != clip()
    with pytest.raises(ValueError, match="nonsense"):
        capture(label, "nonsense", "test", SEED)
    assert "genuine" not in ATTACKS


def test_an_enrolment_needs_frames_tilt_and_its_own_code(label: SimulatedLabel, frames: list[bytes]):
    for given, uri, code in (
        (frames[:40], label.uri, "label.enrolment.frames"),
        (frames[:30] * 2, label.uri, "label.enrolment.tilt"),  # the middle of the spiral
        (frames, label.uri + "X", "label.enrolment.other_code"),
        ([frames[0]] * 60, label.uri, "label.enrolment.static"),
    ):
        with pytest.raises(InputError) as caught:
            enrol_dynamic(given, uri)
        assert caught.value.code == code
        assert caught.value.path.startswith("$")
        assert caught.value.remedy


def test_an_enrolment_names_the_first_frame_that_cannot_be_used(label: SimulatedLabel, frames: list[bytes]):
    wall = encoded(np.full((64, 64, 3), 90, np.uint8), 90)
    with pytest.raises(InputError) as caught:
        enrol_dynamic([*frames[:5], *[wall] * 60], label.uri, label.placement)
    assert (caught.value.code, caught.value.path) == ("label.enrolment.no_code", "$[5]")


def test_frames_that_do_not_predict_each_other_are_not_enrolled(label: SimulatedLabel, frames: list[bytes]):
    """Glitter that was moved about: the camera's places say nothing of it."""
    chosen = frames[:62]
    images = [cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR) for frame in chosen]
    random = np.random.default_rng(0)
    noisy = []
    for image in images:
        assert image is not None
        found = codes.locate(np.asarray(image, np.uint8), label.uri)
        assert found is not None
        grain = random.integers(0, 200, (*(size // 16 for size in image.shape[:2]), 1), dtype=np.uint8)
        grain = cv2.resize(np.repeat(grain, 3, axis=2), (image.shape[1], image.shape[0]))
        around = codes.project(
            found.homography,
            np.array([(-2, -2), (found.size + 2, -2), (found.size + 2,) * 2, (-2, found.size + 2)], float),
        )
        mask = np.zeros(image.shape[:2], np.uint8)
        cv2.fillConvexPoly(mask, np.rint(around).astype(np.int32), 255)
        noisy.append(encoded(np.where(mask[:, :, None] > 0, image, grain).astype(np.uint8), 92))
    with pytest.raises(InputError) as caught:
        enrol_dynamic(noisy, label.uri, label.placement)
    assert caught.value.code == "label.enrolment.unsteady"


def test_a_record_is_read_as_it_was_written_and_no_other(label: SimulatedLabel):
    record = read_record(label.record)
    assert (record.form, record.size) == (FORM, 33)
    good = msgspec.msgpack.decode(label.record)
    for change in (
        {"form": "dynamic/2"},
        {"cells": good["cells"][:-1]},
        {"film": bytes(72)},
        {"scales": [0.0, 1.0, 1.0]},
        {"centres": [*good["centres"][:-1], [0.0, float("nan"), 1.0]]},
        {"centres": [*good["centres"][:-1], [0.0, 0.0, -1.0]]},
        {"usual": b"\x00\x7c" * 1728},
        {"size": 10**6},
        {"placement": {"x": 0.0, "y": 0.0, "side": 0.0}},
    ):
        with pytest.raises(InputError) as caught:
            read_record(msgspec.msgpack.encode({**good, **change}))
        assert caught.value.code == "label.record.form"
    for data in (b"", b"\x00", label.record[:-1], b"x" * 2_000_000):
        with pytest.raises(InputError):
            verify_dynamic([], data, label.uri, TiltPath(()))


def test_a_given_placement_is_kept(label: SimulatedLabel, frames: list[bytes]):
    place = Placement(label.placement.x + 1, label.placement.y + 1, label.placement.side - 2)
    assert read_record(enrol_dynamic(frames[:62], label.uri, place)).placement == place
