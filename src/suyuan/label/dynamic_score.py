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

from suyuan.label.dynamic_cells import CELLS, differences
from suyuan.label.dynamic_model import (
    Surface,
    cell_middles,
    film_middle,
    half_vectors,
    knowable,
    predict,
    predict_light,
    predict_light_roughly,
    usual_removed,
)
from suyuan.label.dynamic_pose import cameras_of

Floats = NDArray[np.float32]

TORCH_REACH: Final = (
    0.165  # half the torch's way off the lens over the distance, at enrolment and at the check
)
_COARSE: Final = 0.0275
_FINE: Final = (0.013, 0.0065)
_ZOOMS: Final = (0.92, 1.09)
_ZOOM_STEP: Final = 1.08
_WINDOWS: Final = 3
_EVEN: Final = 0.3  # of the mean power of a course: what is weaker is left as it is
_WEIGHTS: Final = (0.6, 0.2, 0.2)  # of brightness and the two colours
_LAMP_REACH: Final = 0.4  # half of the tangential part of the direction towards a lamp
_LAMP_STEP: Final = 0.04
_MIDDLE: Final = [CELLS * row + column for row in (11, 12) for column in (11, 12)]


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """What of a clip is compared: frames that were registered, in order of time."""

    homographies: list[NDArray[np.float64]]
    shape: tuple[int, int]
    focal: float
    cells: Floats  # (n, 24, 24, 3)


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """``score`` is the correlation over the clip, ``weakest`` that of its weakest part; per-frame ones beside.

    ``knowable`` is the correlation that the label itself would reach there, had the clip no noise of its own;
    ``liveliness`` how much the film changes, of what it did at enrolment. ``light`` is the correlation of brightness
    alone, in the plain measure of ``fixed_light``.
    """

    score: float
    weakest: float
    knowable: float
    liveliness: float
    light: float
    frames: Floats
    shift: tuple[float, float]
    zoom: float


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """A clip's cameras at one zoom: half-vectors for a torch at the lens, and what a torch beside it needs."""

    vectors: Floats  # (n, cells, 2)
    to_view: NDArray[np.float64]  # (n, 4, 3): from the film's corners to the camera
    towards: NDArray[np.float64]  # the same as unit vectors
    axes: NDArray[np.float64]  # (n, 2, 3)
    distance: float


def agreement(clip: Clip, surface: Surface) -> Agreement:
    """The best agreement within what phones have."""
    values = differences(clip.cells, surface.film)
    seen = usual_removed(values)
    known = np.isfinite(values).reshape(seen.shape)
    zoom, shift = _searched(clip, surface, seen, known)
    view = _view(clip, surface, zoom)
    best = -2.0
    for candidate in _around(shift, _FINE[1], 1):
        fitting = _centred(predict(surface, _moved(view, candidate)), known)
        value = _over_channels(fitting, seen)
        if value > best:
            best, shift, expected = value, candidate, fitting
    lively = float(seen[:, surface.film.ravel(), 0].std())
    light = _correlation(expected[:, :, 0], seen[:, :, 0])
    expected, seen = _evened(expected, seen)
    return Agreement(
        score=_over_channels(expected, seen),
        weakest=_weakest(expected, seen),
        knowable=knowable(surface, _moved(view, shift)[:, _MIDDLE].mean(axis=1)),
        liveliness=lively / max(surface.liveliness, 1e-6),
        light=light,
        frames=np.array([_over_channels(a, b) for a, b in zip(expected, seen, strict=True)], np.float32),
        shift=shift,
        zoom=zoom,
    )


def fixed_light(clip: Clip, surface: Surface) -> float:
    """The best agreement for a light that stays where it is, far away, while the camera moves.

    A label that is lit by a lamp and not by the torch agrees better with this than with a light beside the lens.
    """
    values = differences(clip.cells, surface.film)
    seen = usual_removed(values)[:, ::2, 0]
    known = np.isfinite(values).reshape(len(values), -1, values.shape[-1])[:, ::2, 0]
    half = _view(clip, surface, 1.0).vectors[:, ::2] / 2
    best = -1.0
    for lamp in _around((0.0, 0.0), _LAMP_STEP, round(_LAMP_REACH / _LAMP_STEP)):
        expected = _centred(
            predict_light_roughly(surface, np.asarray(half + np.array(lamp, np.float32), np.float32)), known
        )
        best = max(best, _correlation(expected, seen))
    return best


def _searched(
    clip: Clip, surface: Surface, seen: Floats, known: NDArray[np.bool_]
) -> tuple[float, tuple[float, float]]:
    """Zoom and shift by brightness: roughly, on half of the cells; then closer around the best."""
    best, zoom, shift = -2.0, 1.0, (0.0, 0.0)
    seen_light, known_light = seen[:, :, :1], known[:, :, :1]
    half, known_half = seen_light[:, ::2, 0], known_light[:, ::2, 0]
    for rough in _ZOOMS:
        view = _view(clip, surface, rough)
        for candidate in _around((0.0, 0.0), _COARSE, round(TORCH_REACH / _COARSE)):
            expected = _centred(predict_light_roughly(surface, _moved(view, candidate, 2)), known_half)
            value = _correlation(expected, half)
            if value > best:
                best, zoom, shift = value, rough, candidate
    best, middle, start = -2.0, zoom, shift
    for closer in (middle / _ZOOM_STEP, middle, middle * _ZOOM_STEP):
        view = _view(clip, surface, closer)
        for candidate in _around(start, _FINE[0], 1):
            expected = _centred(predict_light(surface, _moved(view, candidate)), known_light)
            value = _correlation(expected, seen_light)
            if value > best:
                best, zoom, shift = value, closer, candidate
    return zoom, shift


def _view(clip: Clip, surface: Surface, zoom: float) -> _View:
    centres, axes = cameras_of(clip.homographies, clip.shape, clip.focal * zoom)
    middle = np.append(film_middle(surface.placement), 0.0)
    distance = float(np.median(np.linalg.norm(centres - middle, axis=1)))
    vectors = half_vectors(centres, cell_middles(surface.placement))
    place = surface.placement
    across = place.x + place.side * np.array([0, 1, 0, 1])
    corners = np.column_stack([across, place.y + place.side * np.array([0, 0, 1, 1]), np.zeros(4)])
    to_view = centres[:, None] - corners
    return _View(vectors, to_view, to_view / _lengths(to_view), axes, distance)


def _moved(view: _View, shift: tuple[float, float], every: int = 1) -> Floats:
    """Half-vectors for a torch beside the lens: exact at the film's corners, between them bilinear.

    Of every cell, or every other.
    """
    beside = 2 * view.distance * (shift[0] * view.axes[:, 0] + shift[1] * view.axes[:, 1])
    to_torch = view.to_view + beside[:, None]
    apart = (to_torch / _lengths(to_torch) - view.towards)[:, :, :2] / 2
    return np.asarray(
        view.vectors[:, ::every] + _BILINEAR[::every] @ apart.astype(np.float32), dtype=np.float32
    )


def _lengths(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(np.einsum("ijk,ijk->ij", vectors, vectors))[:, :, None])


def _bilinear() -> Floats:
    """From the corners of a square to its cells, (cells, 4)."""
    line = (np.arange(CELLS) + 0.5) / CELLS
    x, y = (part.ravel() for part in np.meshgrid(line, line))
    return np.column_stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y]).astype(np.float32)


_BILINEAR: Final = _bilinear()


def _around(middle: tuple[float, float], step: float, count: int) -> list[tuple[float, float]]:
    line = [number * step for number in range(-count, count + 1)]
    reach = (count + 0.5) * step
    return [
        (middle[0] + x, middle[1] + y) for x in line for y in line if count == 1 or np.hypot(x, y) <= reach
    ]


def _evened(expected: Floats, seen: Floats) -> tuple[Floats, Floats]:
    """Both sides in a measure of time in which no few courses of brightness or colour make up most of what is seen.

    A print on foil comes and goes with the foil's own shine: its changes are a few pictures, each times a course. A
    label's facets answer one by one. What the measure does to one side it does to the other, so a label agrees as
    before.
    """
    even_expected, even_seen = np.empty_like(expected), np.empty_like(seen)
    for channel in range(seen.shape[2]):
        changes = seen[:, :, channel].astype(np.float64)
        power, courses = np.linalg.eigh(changes @ changes.T)
        power = np.maximum(power, 0.0)
        level = _EVEN * float(power.mean()) + 1e-12
        measure = (courses / np.sqrt(power + level)) @ courses.T
        even_seen[:, :, channel] = measure @ changes
        even_expected[:, :, channel] = measure @ expected[:, :, channel]
    return even_expected, even_seen


def _centred(expected: Floats, known: NDArray[np.bool_]) -> Floats:
    if known.all():
        return np.asarray(expected - expected.mean(axis=0))
    expected = np.where(known, expected, 0)
    mean = expected.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, expected - mean, 0).astype(np.float32)


def _correlation(expected: Floats, seen: Floats) -> float:
    energy = float(np.vdot(expected, expected)) * float(np.vdot(seen, seen))
    return float(np.vdot(expected, seen) / np.sqrt(max(energy, 1e-12)))


def _over_channels(expected: Floats, seen: Floats) -> float:
    """The mean of the channels' correlations: a copy that has the brightness right lacks the colours, and a camera
    whose colours are mostly noise still has the brightness."""
    return sum(
        weight * _correlation(expected[..., channel], seen[..., channel])
        for channel, weight in enumerate(_WEIGHTS)
    )


def _weakest(expected: Floats, seen: Floats) -> float:
    """The lowest correlation over parts of the clip: a recording that is in step for a while is out of it later."""
    parts = np.array_split(np.arange(len(seen)), _WINDOWS)
    return min(_over_channels(expected[part], seen[part]) for part in parts)
