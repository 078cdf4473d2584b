"""The pattern beside a QR symbol: 64 x 64 symbols that tell one print of a label from a copy of it.

A copy loses what the print added to the finest dots. Symbols are therefore as small as a phone's camera still
resolves, and each is a whole number of printer dots: a printer that had to round would draw its own error. A square
under 6 mm is refused, because its symbols would be too small for that camera.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final

from suyuan.errors import RefusedError
from suyuan.printing.symbol import MM_PER_INCH

PATTERN_SYMBOLS: Final = 64
PATTERN_BYTES: Final = PATTERN_SYMBOLS * PATTERN_SYMBOLS // 8
MIN_PATTERN_MM: Final = 6.0
_ROW_BYTES: Final = PATTERN_SYMBOLS // 8
_SLACK: Final = 1e-9


@cache
def sample_pattern() -> bytes:
    """A pattern to show, which belongs to no label."""
    return hashlib.shake_256(b"a pattern to look at").digest(PATTERN_BYTES)


def symbol_mm(field_mm: float, dpi: int) -> float:
    """The side of a pattern's symbol in mm: as many whole dots as a square of ``field_mm`` allows.

    Raises ``RefusedError`` (``printing.pattern.dots``, ``printing.pattern.too_small``), which names what would do.
    """
    dot = MM_PER_INCH / dpi
    dots = int(field_mm / PATTERN_SYMBOLS / dot + _SLACK)
    if not dots:
        raise RefusedError(
            "printing.pattern.dots",
            f"At {dpi} dpi a square of {field_mm:g} mm has less than one dot for each of its"
            f" {PATTERN_SYMBOLS} x {PATTERN_SYMBOLS} symbols.",
            path="dpi",
            remedy="Print at a higher resolution, or take a style whose pattern is at least"
            f" {_needed_mm(dot):.1f} mm wide.",
        )
    side = dots * PATTERN_SYMBOLS * dot
    if side < MIN_PATTERN_MM - _SLACK:
        raise RefusedError(
            "printing.pattern.too_small",
            f"At {dpi} dpi whole dots give a pattern of {side:.2f} mm in a square of {field_mm:g} mm;"
            f" {MIN_PATTERN_MM:g} mm is the least.",
            path="dpi",
            remedy="Print at the resolution that the style is made for, or take a style whose pattern is at least"
            f" {_needed_mm(dot):.1f} mm wide.",
        )
    return dots * dot


def _needed_mm(dot: float) -> float:
    """The side of the smallest square, in whole dots a symbol, that is not refused."""
    dots = -int(-(MIN_PATTERN_MM - _SLACK) // (PATTERN_SYMBOLS * dot))
    return max(dots, 1) * PATTERN_SYMBOLS * dot + 0.05  # rounded up: the figure is shown with one digit


def pattern_runs(bits: bytes) -> list[tuple[int, int, int]]:
    """The dark symbols as horizontal runs: row from the top, first column, length."""
    found = []
    for row in range(PATTERN_SYMBOLS):
        data = bits[row * _ROW_BYTES : (row + 1) * _ROW_BYTES]
        line = f"{int.from_bytes(data):0{PATTERN_SYMBOLS}b}"
        start = line.find("1")
        while start >= 0:
            end = line.find("0", start)
            end = PATTERN_SYMBOLS if end < 0 else end
            found.append((row, start, end - start))
            start = line.find("1", end)
    return found
