"""Whether a photo can tell: how sharp it is, how much light there is, and how much of the pattern lies under glare.

All but glare is measured on the code, whose modules are known whichever pattern stands beside it: a pattern that does
not agree must not pass for a blurred one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from suyuan.label.codes import Located
from suyuan.label.pattern_sheet import SIDE, SYMBOLS, Field

_FINE: Final = 10  # values a module on which edges are measured
_BLOCKS: Final = 8
COVERED: Final = 0.5  # agreement with the record; a block that agrees less shows something else
_FAINT: Final = 0.45  # of the usual contrast of the pattern's blocks: glare, a shadow's edge, a finger


@dataclass(frozen=True, slots=True)
class Light:
    """Grey levels of a code's dark and light modules, 0 to 255, and the blur of its edges in pixels (sigma)."""

    dark: float
    light: float
    blur: float

    @property
    def contrast(self) -> float:
        """How far light lies above dark."""
        return self.light - self.dark


def measure_light(grey: NDArray[np.uint8], located: Located) -> Light:
    """The light on a code, and how far its edges are spread."""
    size = located.size
    step = np.array([(1 / _FINE, 0, 0.5 / _FINE), (0, 1 / _FINE, 0.5 / _FINE), (0, 0, 1)])
    flat = cv2.warpPerspective(
        grey, located.homography @ step, (size * _FINE, size * _FINE),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32)  # fmt: skip
    inner = flat.reshape(size, _FINE, size, _FINE)[:, 3:-3, :, 3:-3].mean(axis=(1, 3))
    modules = located.modules
    dark, light = float(np.median(inner[modules])), float(np.median(inner[~modules]))
    slopes = np.concatenate([_slopes(flat, inner, modules), _slopes(flat.T, inner.T, modules.T)])
    if not len(slopes) or abs(light - dark) < 1:
        return Light(min(dark, light), max(dark, light), 10.0)
    # An edge of height one, blurred by sigma, is 1 / (sigma sqrt(2 pi)) steep.
    steep = max(float(np.median(slopes)), 1e-3)
    blur = located.pixels_per_module / _FINE / (steep * np.sqrt(2 * np.pi))
    return Light(min(dark, light), max(dark, light), float(blur))


def _slopes(flat: Field, inner: Field, modules: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How steep the edges between unlike neighbours of one row are, in shares of their height for each value."""
    rows, columns = np.nonzero(modules[:, 1:] != modules[:, :-1])
    height = np.abs(inner[rows, columns + 1] - inner[rows, columns])
    clear = height > 0.5 * np.median(height) if len(height) else height > 0
    rows, columns, height = rows[clear], columns[clear], height[clear]
    lines = rows[:, None] * _FINE + np.arange(3, _FINE - 3)[None, :]
    edge = ((columns + 1) * _FINE)[:, None]
    best = np.zeros(lines.shape, np.float32)
    for at in (-2, -1, 0, 1, 2):  # an edge lies where it lies: ink spreads
        rise = np.abs(flat[lines, edge + at + 1] - flat[lines, edge + at - 2]) / 3
        best = np.maximum(best, rise)
    return np.asarray(np.median(best, axis=1) / height, np.float64)


def sharpness(blur: float, pixels_per_symbol: float) -> float:
    """The contrast that a blur leaves of symbols that alternate dark and light, 0 to 1."""
    return float(np.exp(-2 * (np.pi * 0.5 * blur / pixels_per_symbol) ** 2))


def block_contrast(raw: Field, contrast: float) -> NDArray[np.float64]:
    """How much each of 8 x 8 blocks of the pattern varies, in shares of the code's own contrast."""
    side = SIDE // _BLOCKS
    blocks = raw.reshape(_BLOCKS, side, _BLOCKS, side)
    return np.asarray(blocks.std(axis=(1, 3)) / max(contrast, 1.0), np.float64)


def glare_of(varied: NDArray[np.float64]) -> float:
    """The share of blocks that vary much less than the usual one."""
    return float((varied < _FAINT * np.median(varied)).mean())


def clear_symbols(varied: NDArray[np.float64], agreement: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of 64 x 64 symbols can be judged: in blocks neither under glare nor covered, a little away from those."""
    hidden = (varied < _FAINT * np.median(varied)) | (agreement < COVERED)
    each = SYMBOLS // _BLOCKS
    symbols = np.asarray(np.kron(hidden.astype(np.uint8), np.ones((each, each), np.uint8)), np.uint8)
    return np.asarray(cv2.dilate(symbols, np.ones((5, 5), np.uint8)) == 0, np.bool_)


assert SYMBOLS % _BLOCKS == 0
