"""A dynamic label from its rig to a buyer's clip, with the methods as they are and simulated captures."""

from __future__ import annotations

import msgspec
import pytest
from deployment import GTIN, Deployment, item
from label_world import HOME, OTHER, printed

from suyuan.enrolment.enrolling import EnrolCommand
from suyuan.label.model import Placement
from suyuan.label.path import TiltPath

pytest.importorskip("cv2", reason="the extra label is not installed")
SEED = 7


@pytest.mark.slow
async def test_a_clip_along_the_asked_path_matches_and_a_recording_is_none(deployment: Deployment) -> None:
    from suyuan.label.simulation import dynamic_trials

    maker = await deployment.member("maker")
    [serial] = await deployment.issued(1, maker)
    uri = printed(serial)
    services = deployment.services
    frames = dynamic_trials.enrolment_images(SEED, "test", uri)
    made = await services.enroller.enrol(EnrolCommand(uri=item(serial), track="B"), frames, maker)
    assert (made.gtin, made.method) == (GTIN, "dynamic/1")
    label = dynamic_trials.SimulatedLabel(
        uri=uri, record=b"", placement=Placement(0.0, 0.0, 0.0), seed=SEED, split="test"
    )
    checker = services.label_checker
    first = await checker.challenge(item(serial))
    assert first is not None
    assert (first.tracks, first.code_text) == (("B",), uri)
    path = msgspec.convert({"directions": first.path}, TiltPath)
    clip = dynamic_trials.clip_for(label, path, 3)
    found = await checker.check(first.nonce, clip, address=HOME)
    assert (found.answer, found.track) == ("matches", "B")
    assert found.score > found.threshold > 0
    # The same clip for another check: its way is another one, and it was sent before.
    second = await checker.challenge(item(serial))
    assert second is not None
    replay = await checker.check(second.nonce, clip, address=OTHER)
    assert replay.answer == "unclear"
    assert set(replay.reasons) & {"tilt_path", "near_duplicate"}
    # One photo is no clip.
    third = await checker.challenge(item(serial))
    assert third is not None
    still = await checker.check(third.nonce, clip[:1], address=HOME)
    assert (still.answer, still.reasons) == ("unclear", ("too_few_frames",))
    results = await deployment.pool.fetch("SELECT result FROM scan ORDER BY scan_id")
    assert [row["result"] for row in results] == ["matches", "unclear", "unclear"]
