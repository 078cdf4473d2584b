"""What a print has beyond its template, and what of it a capture should show.

Whoever has the template, or reads it off a print, prints the same symbols. What he cannot repeat is how the ink lay
this one time. So all that the template explains is taken away: the mean picture of a symbol among its neighbours, one
for each of the 32 contexts of a symbol and its four neighbours, and what symbols farther off and pairs of neighbours
add to it. Light and contrast are first evened out against that same explanation, not against the mean of a photo's
surroundings: that mean depends on the template too, and would leave a trace of it in every copy.

The record is then brought to the photo's own blur, by the filter that takes the explained part of the one into that
of the other, and both are compared at the scale of a symbol, below which a photo at the gate holds only noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from suyuan.label.pattern_sheet import CELL, SIDE, SYMBOLS, Bits, Field, flattened

_FAR: Final = 2  # symbols: how far the neighbours lie that add to a symbol's picture
_RIDGE: Final = 20.0
_WINDOW: Final = 12 * CELL + 1  # grid values over which light and contrast are taken to change little
_ROUNDS: Final = 2
_FILTER: Final = 9  # grid values to each side that the filter between two captures reaches
_SCALE: Final = 2.5  # grid values: the Gaussian under which residuals are compared
_EVERY: Final = 3  # of the grid values, the ones compared

COMPARED: Final = SIDE // _EVERY  # values a side of what is compared


@dataclass(frozen=True, slots=True, eq=False)
class Parted:
    """A pattern's picture, light and contrast evened out, in two: what its template explains, and what is left."""

    explained: Field
    residual: Field

    @property
    def values(self) -> Field:
        """The evened picture itself."""
        return np.asarray(self.explained + self.residual, np.float32)


class Explanation:
    """All that a template can explain of a picture of its print.

    ``clear`` says which symbols are to be seen, 64 x 64; what covers the others has no say in what is explained.
    """

    def __init__(self, bits: Bits, clear: NDArray[np.bool_] | None = None) -> None:
        contexts, around = _contexts(bits)
        counted = (
            np.ones(SYMBOLS * SYMBOLS, np.float32) if clear is None else clear.ravel().astype(np.float32)
        )
        self._seen: Field | None = None
        if clear is not None:
            self._seen = np.kron(clear.astype(np.float32), np.ones((CELL, CELL), np.float32)).astype(
                np.float32
            )
        chosen = np.zeros((SYMBOLS * SYMBOLS, 32), np.float32)
        chosen[np.arange(SYMBOLS * SYMBOLS), contexts] = counted
        self._contexts = contexts
        self._means = np.ascontiguousarray((chosen / np.maximum(chosen.sum(axis=0), 1)).T)
        self._around = around - (self._means @ around)[contexts]
        weighted = np.ascontiguousarray((self._around * counted[:, None]).T)
        gram = weighted @ self._around + _RIDGE * np.eye(around.shape[1], dtype=np.float32)
        self._solve = np.ascontiguousarray(np.linalg.inv(gram).astype(np.float32) @ weighted)

    def part(self, raw: Field) -> Parted:
        """Part a picture of grey levels on the grid; of any brightness and contrast, and unevenly lit."""
        evened = flattened(raw)
        explained = self._explained(evened)
        for _ in range(_ROUNDS):
            evened = _evened(raw, explained, self._seen)
            explained = self._explained(evened)
        return Parted(explained, evened - explained)

    def _explained(self, values: Field) -> Field:
        patches = _patches(values)
        explained = (self._means @ patches)[self._contexts]
        explained += self._around @ (self._solve @ (patches - explained))
        return _joined(explained)


def predicted(record: Parted, capture: Parted) -> Field:
    """The record's residual as the capture's optics would show it."""
    seen, shown = np.fft.rfft2(capture.explained), np.fft.rfft2(record.explained)
    power = np.abs(shown) ** 2
    response = np.fft.irfft2(seen * shown.conj() / (power + 0.02 * power.mean()), s=(SIDE, SIDE))
    reach = np.minimum(np.arange(SIDE), SIDE - np.arange(SIDE))
    window = np.where(reach <= _FILTER, np.cos(np.pi * reach / (2 * _FILTER + 2)) ** 2, 0)
    kernel = np.fft.rfft2(response * np.outer(window, window))
    return np.asarray(np.fft.irfft2(np.fft.rfft2(record.residual) * kernel, s=(SIDE, SIDE)), np.float32)


def compared(field: Field) -> Field:
    """A residual at the scale of a symbol, ``COMPARED`` values a side."""
    smooth = cv2.GaussianBlur(field, (0, 0), _SCALE)
    return np.ascontiguousarray(smooth[_EVERY // 2 :: _EVERY, _EVERY // 2 :: _EVERY])


def _evened(raw: Field, explained: Field, seen: Field | None) -> Field:
    """``raw`` with the light and the contrast of ``explained``: both fitted to what is seen around a value."""
    share = np.float32(1) if seen is None else np.maximum(_around_each(seen), np.float32(1e-2))

    def around(values: Field) -> Field:
        return np.asarray(_around_each(values if seen is None else values * seen) / share, np.float32)

    mean_raw, mean = around(raw), around(explained)
    variance = around(explained * explained) - mean * mean
    gain = (around(raw * explained) - mean_raw * mean) / np.maximum(variance, 1e-3)
    gain = np.maximum(gain, 0.2 * max(float(np.median(gain[::4, ::4])), 1e-3))
    return np.asarray((raw - (mean_raw - gain * mean)) / gain, np.float32)


def _around_each(values: Field) -> Field:
    return np.asarray(cv2.blur(values, (_WINDOW, _WINDOW), borderType=cv2.BORDER_REFLECT), np.float32)


def _patches(values: Field) -> Field:
    grid = values.reshape(SYMBOLS, CELL, SYMBOLS, CELL).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(grid.reshape(SYMBOLS * SYMBOLS, CELL * CELL))


def _joined(patches: Field) -> Field:
    grid = patches.reshape(SYMBOLS, SYMBOLS, CELL, CELL).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(grid.reshape(SIDE, SIDE))


def _contexts(bits: Bits) -> tuple[NDArray[np.int64], Field]:
    """Per symbol, the number of its context; and its farther neighbours and pairs of near ones, as -1 and 1.

    Around the pattern is light.
    """
    framed = cv2.copyMakeBorder(bits, _FAR, _FAR, _FAR, _FAR, cv2.BORDER_CONSTANT, value=0)
    cross = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)]
    reach = range(-_FAR, _FAR + 1)
    far = [(row, column) for row in reach for column in reach if (row, column) not in cross]
    near = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)]

    def moved(at: tuple[int, int]) -> Bits:
        window = framed[_FAR + at[0] : _FAR + at[0] + SYMBOLS, _FAR + at[1] : _FAR + at[1] + SYMBOLS]
        return np.asarray(window, np.uint8)

    def signed(at: tuple[int, int]) -> Field:
        return np.asarray(moved(at).ravel() * np.float32(2) - 1, np.float32)

    contexts = sum((moved(at).astype(np.int64) << place) for place, at in enumerate(cross))
    pairs = [signed(one) * signed(other) for one, other in combinations(near, 2)]
    around = np.stack([*(signed(at) for at in far), *pairs], axis=1)
    return np.asarray(contexts, np.int64).ravel(), around
