"""How well a clip's changes agree with those that its poses lead to expect of one enrolled label.

Both sides lose each cell's mean over the clip: what does not change says nothing (a picture can be copied). What is
left is correlated over frames and cells. Two things of a phone are unknown and are searched, within what phones
have: where the torch sits beside the lens, which moves all half-vectors alike in the camera's frame, and what remains
wrong of the focal length, which scales the tilts. Every candidate gives an impostor another draw, so the search is
short and the thresholds are set with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from suyuan.label.dynamic_cells import differences
from suyuan.label.dynamic_model import (
    Surface,
    half_vectors,
    predict,
    predict_light,
    usual_removed,
)
from suyuan.label.dynamic_pose import camera_centre

Floats = NDArray[np.float32]

TORCH_REACH: Final = (
    0.165  # half the torch's way off the lens over the distance, at enrolment and at the check
)
_COARSE: Final = 0.033
_FINE: Final = (0.016, 0.008)
_ZOOMS: Final = (0.82, 0.91, 1.0, 1.1, 1.21)
_WINDOWS: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """What of a clip is compared: frames that were registered, in order of time."""

    homographies: list[NDArray[np.float64]]
    shape: tuple[int, int]
    focal: float
    cells: Floats  # (n, 24, 24, 3)


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """``score`` is the correlation over the clip, ``weakest`` that of its weakest part; per-frame ones beside."""

    score: float
    weakest: float
    frames: Floats
    shift: tuple[float, float]
    zoom: float


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """Half-vectors at one zoom, and what turns a shift in the camera's frame into the label's."""

    vectors: Floats  # (n, cells, 2)
    turns: Floats  # (n, 2, 2)


def agreement(clip: Clip, surface: Surface) -> Agreement:
    """The best agreement within what phones have."""
    values = differences(clip.cells, surface.film)
    seen = usual_removed(values)
    known = np.isfinite(values).reshape(seen.shape)
    views = [_view(clip, surface, zoom) for zoom in _ZOOMS]
    light = np.ascontiguousarray(surface.table[:, :, 0])
    best, zoom, shift = -2.0, 2, (0.0, 0.0)
    for number, view in enumerate(views):
        for candidate in _around((0.0, 0.0), _COARSE, round(TORCH_REACH / _COARSE)):
            expected = _centred(predict_light(surface, light, _moved(view, candidate)), known[:, :, 0])
            value = _correlation(expected, seen[:, :, 0])
            if value > best:
                best, zoom, shift = value, number, candidate
    best = -2.0
    for step in _FINE:
        for candidate in _around(shift, step, 1):
            expected = _centred(predict(surface, _moved(views[zoom], candidate)), known)
            value = _correlation(expected, seen)
            if value > best:
                best, shift = value, candidate
    expected = _centred(predict(surface, _moved(views[zoom], shift)), known)
    return Agreement(
        score=_correlation(expected, seen),
        weakest=_weakest(expected, seen),
        frames=np.array([_correlation(a, b) for a, b in zip(expected, seen, strict=True)], np.float32),
        shift=shift,
        zoom=_ZOOMS[zoom],
    )


def _view(clip: Clip, surface: Surface, zoom: float) -> _View:
    placement = surface.placement
    found = [camera_centre(each, clip.shape, clip.focal * zoom) for each in clip.homographies]
    centres = np.array([centre for centre, _ in found])
    rolls = np.array([roll for _, roll in found])
    middle = np.array([placement.x + placement.side / 2, placement.y + placement.side / 2, 0.0])
    far = np.linalg.norm(centres - middle, axis=1)
    nearness = np.median(far) / far
    cos, sin = np.cos(rolls) * nearness, np.sin(rolls) * nearness
    # The label's frame seen by a camera that is rolled: columns are its right and down.
    turns = np.stack([np.stack([cos, sin], axis=1), np.stack([-sin, cos], axis=1)], axis=1)
    return _View(half_vectors(centres, placement), turns.astype(np.float32))


def _moved(view: _View, shift: tuple[float, float]) -> Floats:
    return view.vectors + (view.turns @ np.array(shift, np.float32))[:, None, :]


def _around(middle: tuple[float, float], step: float, count: int) -> list[tuple[float, float]]:
    line = [number * step for number in range(-count, count + 1)]
    reach = (count + 0.5) * step
    return [
        (middle[0] + x, middle[1] + y) for x in line for y in line if count == 1 or np.hypot(x, y) <= reach
    ]


def _centred(expected: Floats, known: NDArray[np.bool_]) -> Floats:
    expected = np.where(known, expected, 0)
    mean = expected.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, expected - mean, 0).astype(np.float32)


def _correlation(expected: Floats, seen: Floats) -> float:
    energy = float(np.vdot(expected, expected)) * float(np.vdot(seen, seen))
    return float(np.vdot(expected, seen) / np.sqrt(max(energy, 1e-12)))


def _weakest(expected: Floats, seen: Floats) -> float:
    """The lowest correlation over parts of the clip: a recording that is in step for a while is out of it later."""
    parts = np.array_split(np.arange(len(seen)), _WINDOWS)
    return min(_correlation(expected[part], seen[part]) for part in parts)
