"""From where a camera saw a label: its place in the label's frame, in modules, out of the code's homography.

The focal length is not known: pictures come without their camera's data, cropped or not. A clip's tilted frames
say something of it (the images of the code's two axes must come out orthogonal and equally long), an assumption about
phones says the rest; both are weighed. What remains wrong of it scales the tilts of the whole clip, which the
comparison with an enrolment tries to find (``dynamic_score``). The principal point is taken to be the middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from suyuan.label.model import Placement

Floats = NDArray[np.float64]

USUAL_FOCAL: Final = 1.05  # of the frame's longer side: phones' main cameras, somewhat cropped
_TRUST: Final = 5e-4  # how firmly the assumption is held; some six frames tilted by ten degrees outweigh it


def focal_length(homographies: Sequence[Floats], shape: tuple[int, int]) -> float:
    """Pixels; ``shape`` is (height, width) of the frames."""
    usual = USUAL_FOCAL * max(shape)
    left = right = 0.0
    for homography in homographies:
        one, two = _centred(homography, shape).T[:2]
        size = (np.hypot(one[0], one[1]) + np.hypot(two[0], two[1])) / 2
        one, two = one / size, two / size
        # In units of the usual focal length, so that both equations are of one size.
        for flat, deep in (
            (one[0] * two[0] + one[1] * two[1], one[2] * two[2]),
            ((one[:2] @ one[:2] - two[:2] @ two[:2]) / 2, (one[2] ** 2 - two[2] ** 2) / 2),
        ):
            left += (deep * usual**2) ** 2
            right -= flat * deep * usual**2
    # flat + deep * usual^2 * (focal / usual)^2 = 0, by least squares.
    squared = (right + _TRUST) / (left + _TRUST)
    return float(usual * np.clip(np.sqrt(max(squared, 0.0)), 0.6, 1.8))


def cameras_of(homographies: Sequence[Floats], shape: tuple[int, int], focal: float) -> tuple[Floats, Floats]:
    """The camera's places (n, 3) as (x, y, height) in modules; its right and down (n, 2, 3) in the label's frame."""
    columns = np.stack([_centred(homography, shape) for homography in homographies])
    columns[:, :2] /= focal
    columns *= np.where(columns[:, 2:, 2:] < 0, -1.0, 1.0)
    axes = columns[:, :, :2]
    scale = np.linalg.norm(axes, axis=1).mean(axis=1)[:, None, None]
    turned, _, back = np.linalg.svd(axes / scale, full_matrices=False)
    axes = turned @ back
    rotation = np.concatenate([axes, np.cross(axes[:, :, 0], axes[:, :, 1])[:, :, None]], axis=2)
    places = -(rotation.transpose(0, 2, 1) @ (columns[:, :, 2:] / scale))[:, :, 0]
    # The third axis of a label seen from above goes into it; heights go the other way.
    upward = np.array([1.0, 1.0, -1.0])
    return places * upward, rotation[:, :2] * upward


def label_tilts(places: Floats, size: int, film: Placement) -> Floats:
    """Degrees (n, 2) that cameras stand off the normal through the label's middle: that of code and film together."""
    low = np.minimum(0.0, [film.x, film.y])
    high = np.maximum(size, [film.x + film.side, film.y + film.side])
    return np.asarray(np.degrees(np.arctan2(places[:, :2] - (low + high) / 2, places[:, 2:])))


def _centred(homography: Floats, shape: tuple[int, int]) -> Floats:
    middle = np.array([[1, 0, -(shape[1] - 1) / 2], [0, 1, -(shape[0] - 1) / 2], [0, 0, 1]])
    return np.asarray(middle @ homography)
