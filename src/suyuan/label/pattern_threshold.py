"""Above which score a photo matches the record."""

from __future__ import annotations


def threshold_at(pixels_per_symbol: float, sharpness: float) -> float:
    """The threshold for a photo of this resolution and sharpness."""
    return 0.6 + 0.05 * min(max(pixels_per_symbol - 2.5, 0.0), 1.0) + 0.1 * (min(max(sharpness, 0.0), 1.0) - 0.4)
