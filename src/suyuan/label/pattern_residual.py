"""What a print has beyond its template, and how much of it two captures share.

Whoever has the template, or reads it off a print, prints the same symbols. What he cannot repeat is how the ink lay
this one time. So all that the template explains is taken away: the mean picture of a symbol among its neighbours, one
for each of the 32 contexts of a symbol and its four neighbours, and what symbols farther off add to it. The record is
brought to the photo's own blur first, by the filter that takes the explained part of the one into that of the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from suyuan.label.pattern_sheet import CELL, SIDE, SYMBOLS, Bits, Field

_FAR: Final = 2  # symbols: how far the neighbours lie that add to a symbol's picture
_FILTER: Final = 9  # grid values to each side that the filter between two captures reaches


@dataclass(frozen=True, slots=True, eq=False)
class Parted:
    """A pattern's picture in two: what its template explains, and what is left."""

    explained: Field
    residual: Field


def parted(values: Field, bits: Bits) -> Parted:
    """Take from ``values`` what the template explains."""
    patches = _patches(values)
    contexts, around = _contexts(bits)
    chosen = np.zeros((SYMBOLS * SYMBOLS, 32), np.float32)
    chosen[np.arange(SYMBOLS * SYMBOLS), contexts] = 1
    counts = np.maximum(chosen.sum(axis=0), 1)[:, None]
    explained = (chosen.T @ patches / counts)[contexts]
    left = patches - explained
    gram = around.T @ around + 20 * np.eye(around.shape[1], dtype=np.float32)
    explained = explained + around @ np.linalg.solve(gram, around.T @ left)
    field = _joined(explained)
    return Parted(field, values - field)


def predicted(record: Parted, capture: Parted) -> Field:
    """The record's residual as the capture's optics would show it."""
    seen, shown = np.fft.rfft2(capture.explained), np.fft.rfft2(record.explained)
    power = np.abs(shown) ** 2
    response = np.fft.irfft2(seen * shown.conj() / (power + 0.02 * power.mean()), s=(SIDE, SIDE))
    reach = np.minimum(np.arange(SIDE), SIDE - np.arange(SIDE))
    window = np.where(reach <= _FILTER, np.cos(np.pi * reach / (2 * _FILTER + 2)) ** 2, 0)
    kernel = np.fft.rfft2(response * np.outer(window, window))
    return np.asarray(np.fft.irfft2(np.fft.rfft2(record.residual) * kernel, s=(SIDE, SIDE)), np.float32)


def correlated(expected: Field, seen: Field, weight: Field) -> float:
    """The correlation of two residuals under a weight, each centred under it."""
    total = float(weight.sum()) + 1e-9
    one = expected - float((weight * expected).sum()) / total
    other = seen - float((weight * seen).sum()) / total
    product = float((weight * one * other).sum())
    scale = float((weight * one * one).sum()) * float((weight * other * other).sum())
    return product / float(np.sqrt(scale + 1e-12))


def _patches(values: Field) -> Field:
    grid = values.reshape(SYMBOLS, CELL, SYMBOLS, CELL).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(grid.reshape(SYMBOLS * SYMBOLS, CELL * CELL))


def _joined(patches: Field) -> Field:
    grid = patches.reshape(SYMBOLS, SYMBOLS, CELL, CELL).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(grid.reshape(SIDE, SIDE))


def _contexts(bits: Bits) -> tuple[NDArray[np.int64], Field]:
    """Per symbol, the number of its context; and its farther neighbours as -1 and 1. Around the pattern is light."""
    framed = cv2.copyMakeBorder(bits, _FAR, _FAR, _FAR, _FAR, cv2.BORDER_CONSTANT, value=0)
    near = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)]
    reach = range(-_FAR, _FAR + 1)
    far = [(row, column) for row in reach for column in reach if (row, column) not in near]

    def moved(row: int, column: int) -> Bits:
        window = framed[_FAR + row : _FAR + row + SYMBOLS, _FAR + column : _FAR + column + SYMBOLS]
        return np.asarray(window, np.uint8)

    contexts = sum((moved(row, column).astype(np.int64) << place) for place, (row, column) in enumerate(near))
    around = np.stack([moved(row, column).ravel() * 2.0 - 1.0 for row, column in far], axis=1)
    return np.asarray(contexts, np.int64).ravel(), around.astype(np.float32)
