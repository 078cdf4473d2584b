"""Photos of QR codes under a known homography, drawn by counting points, not by warping: the truth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

TEXT = "HTTPS://ID.EXAMPLE.CN/01/09506000134352/21/0ABCDEFGHJKMNP000001"
QUIET = 4
_POINTS = 4  # a side, in each pixel


@dataclass(frozen=True)
class Drawn:
    image: NDArray[np.uint8]
    homography: NDArray[np.float64]
    dark: NDArray[np.bool_]
    text: str

    @property
    def size(self) -> int:
        return len(self.dark)


def modules_of(text: str) -> NDArray[np.bool_]:
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="Q")
    return np.array(barcode.to_image(add_quiet_zones=False)) == 0


def homography(
    size: int, middle: tuple[float, float], scale: float, turn: float, tilt: tuple[float, float]
) -> NDArray:
    """A code of ``size`` modules about ``middle``, turned by ``turn`` radians, its scale falling off by ``tilt``."""
    half = size / 2
    home = np.array([(1, 0, -half), (0, 1, -half), (0, 0, 1)])
    perspective = np.array([(1, 0, 0), (0, 1, 0), (tilt[0] / half, tilt[1] / half, 1)])
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    found = np.array([(cos, -sin, middle[0]), (sin, cos, middle[1]), (0, 0, 1)]) @ perspective @ home
    return found / found[2, 2]


def draw(
    *,
    text: str = TEXT,
    scale: float = 4,
    turn: float = 0,
    tilt: tuple[float, float] = (0, 0),
    offset: tuple[float, float] = (0, 0),
    blur: float = 0.6,
    noise: float = 1,
    ink: float = 0,
    inverted: bool = False,
    dark: float = 35,
    light: float = 225,
    seed: int = 0,
) -> Drawn:
    """A photo with ``scale`` pixels a module at the middle; ``ink`` is by how much dark modules grow, in modules."""
    truth = modules_of(text)
    size = len(truth)
    reach = 1 + abs(tilt[0]) + abs(tilt[1])
    side = int((size + 2 * QUIET) * scale * 1.45 * reach) + 16
    middle = (side / 2 + offset[0], side / 2 + offset[1])
    to_pixels = homography(size, middle, scale, turn, tilt)
    y, x = (np.mgrid[0 : side * _POINTS, 0 : side * _POINTS] + 0.5) / _POINTS - 0.5
    back = np.linalg.inv(to_pixels)
    depth = back[2, 0] * x + back[2, 1] * y + back[2, 2]
    u = (back[0, 0] * x + back[0, 1] * y + back[0, 2]) / depth
    v = (back[1, 0] * x + back[1, 1] * y + back[1, 2]) / depth
    paper = np.pad(~truth, QUIET, constant_values=True)
    clear = np.ones(u.shape, np.bool_)
    for across in {-ink, ink}:
        for down in {-ink, ink}:
            row = np.clip(np.floor(v + down) + QUIET, 0, len(paper) - 1).astype(np.int32)
            column = np.clip(np.floor(u + across) + QUIET, 0, len(paper) - 1).astype(np.int32)
            clear &= paper[row, column]
    points = np.where(clear != inverted, light, dark)
    image = points.reshape(side, _POINTS, side, _POINTS).mean(axis=(1, 3))
    if blur:
        image = cv2.GaussianBlur(image, (0, 0), blur)
    image = image + np.random.default_rng(seed).normal(0, noise, image.shape)
    return Drawn(np.clip(np.rint(image), 0, 255).astype(np.uint8), to_pixels, truth, text)
