"""The tilt path: drawn from a nonce, and followed or not."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import pytest

from suyuan.label.path import LEANS, TiltPath, follows, tilt_path


def _walk(*directions: str, degrees: float = 9.0, off: float = 0.0, start: tuple[float, float] = (0.0, 0.0)):
    """From the start out along each direction (missed by ``off`` degrees) and back to it."""
    tilts = [start]
    for direction in directions:
        x, y = LEANS[direction]  # type: ignore[index]
        turn = math.radians(off)
        x, y = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
        for part in (0.5, 1.0, 0.5, 0.0):
            tilts.append((start[0] + degrees * part * x, start[1] + degrees * part * y))
    return tilts


def test_a_nonce_draws_one_path_and_other_nonces_draw_all_of_them():
    paths = {tilt_path(str(number).encode()).directions for number in range(4000)}
    assert tilt_path(b"7") == tilt_path(b"7")
    assert {len(path) for path in paths} == {3, 4}
    assert len(paths) == 4 * 3 * 3 + 4 * 3 * 3 * 3
    assert all(a != b for path in paths for a, b in itertools.pairwise(path))


def test_left_is_the_left_edge_going_away_so_the_camera_leans_right():
    assert follows([(0, 0), (8, 0)], TiltPath(("left",)))
    assert not follows([(0, 0), (-8, 0)], TiltPath(("left",)))
    assert follows([(0, 0), (0, 8)], TiltPath(("up",)))
    assert not follows([(0, 0), (0, 8)], TiltPath(("down",)))


@pytest.mark.parametrize("off", [-50, -20, 0, 20, 50])
@pytest.mark.parametrize("start", [(0.0, 0.0), (4.0, -7.0), (-10.0, 3.0)])
def test_a_hand_may_miss_a_direction_and_start_off_the_normal(off: float, start: tuple[float, float]):
    path = TiltPath(("left", "up", "right", "left"))
    assert follows(_walk("left", "up", "right", "left", off=off, start=start), path)


@pytest.mark.parametrize(
    ("walked", "degrees"),
    [
        (("up", "left", "right"), 9.0),  # in another order
        (("left", "right"), 9.0),  # a leg short
        (("left", "up", "right"), 4.0),  # hardly tilted
        (("right", "down", "left"), 9.0),  # the other way round
        ((), 9.0),
    ],
)
def test_another_path_is_not_followed(walked: tuple[str, ...], degrees: float):
    assert not follows(_walk(*walked, degrees=degrees), TiltPath(("left", "up", "right")))


def test_a_clip_that_goes_everywhere_answers_no_question():
    around = [(12 * math.cos(step / 3), 12 * math.sin(step / 3)) for step in range(60)]
    assert not follows(around, TiltPath(("left", "up", "right")))
    assert follows(around[:12], TiltPath(("left", "up", "right")))


def test_a_way_follows_the_path_that_it_was_asked_for_and_no_other():
    paths = sorted({tilt_path(str(number).encode()).directions for number in range(4000)})
    for walked in paths[::5]:
        tilts = _walk(*walked)
        assert [path for path in paths if follows(tilts, TiltPath(path))] == [walked]


def test_nothing_asked_is_followed_by_anything_and_nothing_seen_follows_nothing():
    assert follows([], TiltPath(()))
    assert not follows([], TiltPath(("up",)))


def test_the_path_needs_no_arrays():
    code = "import suyuan.label.path, sys; sys.exit('numpy' in sys.modules or 'cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
