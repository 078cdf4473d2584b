"""How much of what a photo shows beyond the template is this label's own, block by block.

One correlation over all of a pattern is ruled by its few largest values: a scratch a few hundredths of a millimetre
wide, or a shadow's edge, outweighs thousands of symbols that agree. A copy differs everywhere, damage does not. So
symbols that stand out from everything a print does are left out, each of 8 x 8 blocks is correlated by itself, and the
score is the median of the blocks. How the blocks lie about it says what the score alone cannot: that a part of the
pattern is this label's and another part is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from suyuan.label.pattern_residual import COMPARED, Parted, compared
from suyuan.label.pattern_sheet import CELL, SYMBOLS, Field

_BLOCKS: Final = 8
_SIDE: Final = COMPARED // _BLOCKS
_LEAST_SEEN: Final = 0.35  # of a block; with less of it in sight it is not counted
_STANDS_OUT: Final = 5.0  # times the usual deviation, of the mean of a symbol
_MOST_DAMAGED: Final = 0.4  # of the symbols; more is no damage but another print

# The quantiles of the blocks that say whether all of the pattern agrees, and whether a part of it does.
_LOW: Final = 0.3
_HIGH: Final = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """The correlations of a pattern's blocks: the median, and how low the worse and how high the better ones lie.

    ``seen`` is the share of blocks that could be compared.
    """

    score: float
    low: float
    high: float
    seen: float


def damaged_symbols(capture: Parted) -> NDArray[np.bool_]:
    """Which of 64 x 64 symbols stand out from what a print does: scratches, dust, worn spots. None if too many do."""
    means = cv2.resize(capture.residual, (SYMBOLS, SYMBOLS), interpolation=cv2.INTER_AREA)
    means = means - cv2.medianBlur(means, 5)  # light that changes slowly; a scratch does not drag it along
    usual = 1.4826 * float(np.median(np.abs(means))) + 1e-6
    damaged = np.asarray(np.abs(means) > _STANDS_OUT * usual, np.uint8)
    wide = np.asarray(cv2.dilate(damaged, np.ones((3, 3), np.uint8)) > 0, np.bool_)
    return wide if wide.mean() <= _MOST_DAMAGED else np.zeros_like(wide)


def likeness(expected: Field, capture: Parted, seen: NDArray[np.bool_]) -> Likeness:
    """How the blocks of a capture agree with what was expected of them; ``seen`` are the symbols that count.

    Dark and light parts may show the residual with gains of their own, as a camera's tone curve makes them, but none
    turned round.
    """
    one, other = _in_blocks(compared(expected)), _in_blocks(compared(capture.residual))
    dark = _in_blocks((compared(capture.explained) < 0).astype(np.float32))
    weight = _in_blocks(_spread(seen))
    counted = weight.mean(axis=1) >= _LEAST_SEEN
    if not counted.any():
        return Likeness(0.0, 0.0, 0.0, 0.0)
    one, other, dark, weight = one[counted], other[counted], dark[counted], weight[counted]
    fitted, left = np.zeros_like(one), np.zeros_like(other)
    for part in (weight * dark, weight * (1 - dark)):
        here, there = _centred(one, part), _centred(other, part)
        gains = (here * there).sum(axis=1) / ((here * here).sum(axis=1) + 1e-6)
        fitted += max(float(np.median(gains)), 0.1) * here
        left += there
    scale = np.sqrt((fitted * fitted).sum(axis=1) * (left * left).sum(axis=1)) + 1e-9
    blocks = (fitted * left).sum(axis=1) / scale
    low, middle, high = (float(value) for value in np.quantile(blocks, (_LOW, 0.5, _HIGH)))
    return Likeness(middle, low, high, float(counted.mean()))


def _centred(values: Field, weight: Field) -> Field:
    """Less the mean of each block's weighted values; nothing where nothing counts."""
    total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-6)
    return np.asarray(weight * (values - (weight * values).sum(axis=1, keepdims=True) / total), np.float32)


def _spread(symbols: NDArray[np.bool_]) -> Field:
    each = COMPARED // SYMBOLS
    return np.kron(symbols.astype(np.float32), np.ones((each, each), np.float32)).astype(np.float32)


def _in_blocks(square: Field) -> Field:
    parts = square.reshape(_BLOCKS, _SIDE, _BLOCKS, _SIDE).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(parts.reshape(_BLOCKS * _BLOCKS, _SIDE * _SIDE))


assert SYMBOLS * CELL % COMPARED == 0
