"""What of a frame is compared: the square of the film in 24 x 24 cells, each with its brightness and two colours.

Brightness is logarithmic, so that exposure and light add the same to every cell; colours are ratios, so that the
white balance does. What is smooth across cells (light, shading, a uniform foil's shine) is taken away; what is left
is how each cell differs from its surroundings.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from suyuan.label.model import Placement

CELLS: Final = 24
CHANNELS: Final = 3
Cells = NDArray[np.float32]  # (24, 24, 3); NaN where the film is outside the frame

_DARK: Final = 0.05  # of full scale: below, sensors show noise only
_SMOOTH: Final = 2.0  # cells
_FEWEST: Final = 0.5  # of the film that has to be inside the frame


def film_cells(image: NDArray[np.uint8], homography: NDArray[np.float64], placement: Placement) -> Cells:
    """The cells of the film in a frame, of which ``homography`` takes modules to pixels."""
    step = placement.side / CELLS
    across = np.sqrt(abs(np.linalg.det(_jacobian(homography, placement)))) * step
    fine = int(np.clip(np.ceil(across / 1.5), 2, 10))
    size = CELLS * fine
    scale = placement.side / size
    to_pixels = homography @ np.array(
        [
            [scale, 0, placement.x + scale / 2],
            [0, scale, placement.y + scale / 2],
            [0, 0, 1],
        ]
    )
    flat = cv2.warpPerspective(
        image,
        to_pixels,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    cells = cv2.resize(flat.astype(np.float32), (CELLS, CELLS), interpolation=cv2.INTER_AREA) / np.float32(
        255
    )
    values = _logarithmic(np.asarray(cells, dtype=np.float32))
    values[~_inside(to_pixels, fine, (image.shape[0], image.shape[1]))] = np.nan
    return values


def differences(cells: Cells, film: NDArray[np.bool_]) -> Cells:
    """Each cell of frames (n, 24, 24, 3) against its surroundings on the film; NaN where there is none.

    ``film`` (24, 24) says which cells count: a patch of paper inside the square must not weigh on its neighbours.
    """
    known = np.isfinite(cells[..., :1]) & film[:, :, None]
    weight = _smoothed(known.astype(np.float32))
    around = _smoothed(np.where(known, cells, 0).astype(np.float32))
    around /= np.maximum(weight, np.float32(1e-3))
    values = np.where(known, cells - around, np.nan)
    few = known.mean(axis=(1, 2, 3)) < _FEWEST * film.mean()
    values[few] = np.nan
    return values.astype(np.float32)


def _kernel() -> NDArray[np.float32]:
    line = np.arange(CELLS)
    return np.exp(-((line[:, None] - line[None, :]) ** 2) / (2 * _SMOOTH**2)).astype(np.float32)


_KERNEL: Final = _kernel()


def _smoothed(values: NDArray[np.float32]) -> NDArray[np.float32]:
    along = np.einsum("ij,njkc->nikc", _KERNEL, values, optimize=True)
    return np.asarray(np.einsum("ij,nkjc->nkic", _KERNEL, along, optimize=True), dtype=np.float32)


def _jacobian(homography: NDArray[np.float64], placement: Placement) -> NDArray[np.float64]:
    middle = np.array([placement.x + placement.side / 2, placement.y + placement.side / 2, 1.0])
    x, y, depth = homography @ middle
    return np.asarray((homography[:2, :2] - np.outer([x / depth, y / depth], homography[2, :2])) / depth)


def _logarithmic(cells: Cells) -> Cells:
    cells = cells + np.float32(_DARK)
    blue, green, red = cells[:, :, 0], cells[:, :, 1], cells[:, :, 2]
    light = np.log(0.25 * blue + 0.5 * green + 0.25 * red)
    return np.stack([light, np.log(red / green), np.log(blue / green)], axis=2).astype(np.float32)


def _inside(to_pixels: NDArray[np.float64], fine: int, shape: tuple[int, int]) -> NDArray[np.bool_]:
    edges = np.arange(CELLS + 1) * fine - 0.5
    x, y = np.meshgrid(edges, edges)
    mapped = np.stack([x, y, np.ones_like(x)], axis=-1) @ to_pixels.T
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = mapped[:, :, :2] / mapped[:, :, 2:]
    good = (
        (mapped[:, :, 2] * mapped[0, 0, 2] > 0)
        & (pixels >= 0).all(axis=2)
        & (pixels <= np.array([shape[1] - 1, shape[0] - 1])).all(axis=2)
    )
    return np.asarray(good[:-1, :-1] & good[1:, :-1] & good[:-1, 1:] & good[1:, 1:])
