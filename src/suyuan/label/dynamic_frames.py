"""A clip's frames, read one by one: where the code is, the film's cells, and how good the frame is.

A frame that cannot be used says why in one of ``model.REASONS``; a clip can lose some. Memory is one frame at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from suyuan.label.codes import Located, locate, same_uri
from suyuan.label.dynamic_cells import CELLS, CHANNELS, Cells, film_cells
from suyuan.label.images import decode
from suyuan.label.model import Placement

Registration = Callable[[NDArray[np.uint8], str | None, bool], Located | None]

LEAST_CELL_PIXELS: Final = 4.0  # a cell's side; below, its glitter is not told from its neighbours'
MOST_RMS: Final = 0.12  # modules that blocks of the code may lie off; unrefined corners miss by more
LEAST_SHARPNESS: Final = 0.30  # contrast of single modules against that of large areas
LEAST_LIGHT: Final = 0.12  # of full scale, on the code's white
MOST_GLARE: Final = 0.6  # part of the film's cells that is white to the brim
_GAMMA: Final = 2.2  # taken for the camera's
_BRIM: Final = 0.96
_FEWEST_MODULES: Final = 12
_OTHER_CODES: Final = 3
_FRUITLESS: Final = 2  # thorough looks for a code, each of which takes as long as twenty frames
_PER_MODULE: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What one usable frame showed."""

    homography: NDArray[np.float64]
    shape: tuple[int, int]
    cells: Cells
    rms: float  # modules
    pixels_per_module: float
    code: CodeLook
    glare: float


@dataclass(frozen=True, slots=True, eq=False)
class CodeLook:
    """How the code itself looks: ``slope`` is how the light on its white changes per module, as logarithm."""

    sharpness: float
    light: float
    slope: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A clip as read: usable frames with their numbers, and why the others were not."""

    sent: int
    sights: list[Sight]
    numbers: list[int]
    refusals: list[str]
    size: int  # modules of the code; 0 where none was seen


def read_clip(
    frames: Sequence[bytes], uri: str, placement: Placement, registration: Registration = locate
) -> Reading:
    """Read frames (JPEG, PNG or WebP). Raises what ``images.decode`` raises."""
    sights: list[Sight] = []
    numbers: list[int] = []
    refusals: list[str] = []
    size = fruitless = 0
    for number, data in enumerate(frames):
        if not sights and refusals.count("other_code") >= _OTHER_CODES:
            refusals.append("other_code")  # the rest of the clip will not show another label
            continue
        image = decode(data)
        thorough = fruitless < _FRUITLESS
        located = registration(image, uri, thorough)
        if located is None:
            fruitless += thorough
            refusals.append("no_code")
            continue
        if not same_uri(located.text, uri):
            refusals.append("other_code")
            continue
        size = located.size
        sight = see(image, located, placement)
        refusal = _refusal(sight, placement)
        if refusal:
            refusals.append(refusal)
            continue
        sights.append(sight)
        numbers.append(number)
    return Reading(len(frames), sights, numbers, refusals, size)


def see(image: NDArray[np.uint8], located: Located, placement: Placement) -> Sight:
    """Measure one frame."""
    cells = film_cells(image, located.homography, placement)
    bright = cells[:, :, 0] > np.log(0.97)
    return Sight(
        homography=located.homography,
        shape=(image.shape[0], image.shape[1]),
        cells=cells,
        rms=located.rms / located.pixels_per_module,
        pixels_per_module=located.pixels_per_module,
        code=_code_look(image, located),
        glare=float(bright.mean()),
    )


def stacked(sights: Sequence[Sight]) -> NDArray[np.float32]:
    """The cells of sights, (n, 24, 24, 3)."""
    if not sights:
        return np.zeros((0, CELLS, CELLS, CHANNELS), np.float32)
    return np.stack([sight.cells for sight in sights])


def _refusal(sight: Sight, placement: Placement) -> str:
    if sight.pixels_per_module * placement.side / CELLS < LEAST_CELL_PIXELS:
        return "too_small"
    if sight.rms > MOST_RMS:
        return "registration"
    if sight.code.light < LEAST_LIGHT:
        return "too_dark"
    if sight.code.sharpness < LEAST_SHARPNESS:
        return "blurred"
    if sight.glare > MOST_GLARE:
        return "glare"
    if not np.isfinite(sight.cells).any():
        return "registration"  # the film is outside the frame
    return ""


def _code_look(image: NDArray[np.uint8], located: Located) -> CodeLook:
    size, fine = located.size, _PER_MODULE
    scale = 1 / fine
    to_pixels = located.homography @ np.array([[scale, 0, scale / 2], [0, scale, scale / 2], [0, 0, 1]])
    flat = cv2.warpPerspective(
        image,
        to_pixels,
        (size * fine, size * fine),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    grey = cv2.cvtColor(flat, cv2.COLOR_BGR2GRAY).astype(np.float32) / np.float32(255)
    centres = grey[fine // 2 :: fine, fine // 2 :: fine]
    if located.inverted:
        centres = 1 - centres
    dark = located.modules
    timing = np.concatenate([centres[6, 8 : size - 8], centres[8 : size - 8, 6]])
    odd = np.concatenate([np.arange(8, size - 8)] * 2) % 2 == 1
    corner = (slice(2, 5), slice(2, 5))
    large = float(np.percentile(centres[~dark], 75) - centres[corner].mean())
    sharpness = float(timing[odd].mean() - timing[~odd].mean()) / max(large, 1e-3)
    return CodeLook(max(0.0, sharpness), float(np.median(centres[~dark])), _slope(centres, dark))


def _slope(centres: NDArray[np.float32], dark: NDArray[np.bool_]) -> tuple[float, float]:
    """How the light changes from module to module, by what is white all around and by what is dark all around.

    White shows it best, unless it is white to the brim; then the ink does. Either counts as far as it is certain.
    """
    half = len(dark) / 2
    total, weight = np.zeros(2), 1e-12
    for inner in (~_grown(dark) & (centres < _BRIM), ~_grown(~dark)):
        rows, columns = np.nonzero(inner)
        if len(rows) < _FEWEST_MODULES or np.ptp(rows) < half or np.ptp(columns) < half:
            continue
        design = np.column_stack([np.ones(len(rows)), columns - half, rows - half])
        values = _GAMMA * np.log(np.clip(centres[rows, columns], 0.02, 1.0))
        solved = np.linalg.solve(design.T @ design, design.T @ values)
        spread = float(np.var(values - design @ solved)) / len(rows) + 1e-8
        total += solved[1:] / spread
        weight += 1 / spread
    return float(total[0] / weight), float(total[1] / weight)


def _grown(dark: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Modules and their neighbours above, below and beside."""
    return np.asarray(
        cv2.dilate(dark.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))) > 0
    )
