"""Above which score a photo matches the record. The figures follow from the calibration split by a stated rule.

The rule: the threshold lies half way between what genuine photos of this resolution and sharpness score on average (a
plane fitted by least squares to the calibration split) and the ceiling of copies (of all attacks that print at the
label's own resolution, the highest mean plus three standard deviations). Beyond the range that was calibrated the plane
is not followed. Reprints at twice the resolution are left out of the rule: a threshold drawn up to them would stand so
near the genuine scores that an unusual phone's photo of the right label would fall below it.
The worse blocks of a pattern have a limit of their own, half way from that ceiling to the threshold.
``simulation.pattern_calibration`` makes the figures anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray


class Rule(msgspec.Struct, frozen=True):
    """A plane of expected genuine scores over pixels to a symbol and sharpness, its range, and the copies' ceiling."""

    level: float
    per_pixel: float
    per_sharpness: float
    pixels: tuple[float, float]
    sharpness: tuple[float, float]
    ceiling: float

    def expected(self, pixels_per_symbol: float, sharpness: float) -> float:
        """The score that a genuine photo reaches on average."""
        pixels = min(max(pixels_per_symbol, self.pixels[0]), self.pixels[1])
        sharp = min(max(sharpness, self.sharpness[0]), self.sharpness[1])
        middle = sum(self.pixels) / 2, sum(self.sharpness) / 2
        return self.level + self.per_pixel * (pixels - middle[0]) + self.per_sharpness * (sharp - middle[1])

    def threshold(self, pixels_per_symbol: float, sharpness: float) -> float:
        """Half way from the copies' ceiling to what is expected."""
        return (self.expected(pixels_per_symbol, sharpness) + self.ceiling) / 2

    def worst(self, pixels_per_symbol: float, sharpness: float) -> float:
        """What the worse parts of a pattern must reach: half way from the copies' ceiling to the threshold."""
        return (self.threshold(pixels_per_symbol, sharpness) + self.ceiling) / 2


class Genuine(msgspec.Struct, frozen=True):
    """The score of a genuine photo, and how good it was."""

    score: float
    pixels_per_symbol: float
    sharpness: float


FITTED: Final = Rule(0.9703, 0.0122, 0.0812, (2.5, 3.11), (0.25, 0.53), 0.611)


def threshold_at(pixels_per_symbol: float, sharpness: float) -> float:
    """The threshold for a photo of this resolution and sharpness."""
    return FITTED.threshold(pixels_per_symbol, sharpness)


def worst_at(pixels_per_symbol: float, sharpness: float) -> float:
    """What the worse parts of the pattern must reach in such a photo."""
    return FITTED.worst(pixels_per_symbol, sharpness)


def fit(genuine: Sequence[Genuine], copies: Mapping[str, Sequence[float]]) -> Rule:
    """The rule for these trials: at least ten genuine ones, and scores of each attack that counts."""
    pixels = np.array([trial.pixels_per_symbol for trial in genuine])
    sharp = np.array([trial.sharpness for trial in genuine])
    score = np.array([trial.score for trial in genuine])
    (low, high), (dull, crisp) = _range(pixels), _range(sharp)
    design = np.column_stack(
        [
            np.ones_like(score),
            np.clip(pixels, low, high) - (low + high) / 2,
            np.clip(sharp, dull, crisp) - (dull + crisp) / 2,
        ]
    )
    level, per_pixel, per_sharpness = (
        float(value) for value in np.linalg.lstsq(design, score, rcond=None)[0]
    )
    ceiling = max(float(np.mean(scores) + 3 * np.std(scores)) for scores in copies.values())
    return Rule(
        round(level, 4),
        round(per_pixel, 4),
        round(per_sharpness, 4),
        (low, high),
        (dull, crisp),
        round(ceiling, 3),
    )


def _range(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(values, (2, 98))
    return round(float(low), 2), round(float(high), 2)
