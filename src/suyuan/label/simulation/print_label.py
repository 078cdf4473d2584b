"""The artwork of a label as a raster of printer dots: QR code, quiet zone and the pattern beside it.

One is ink. The code's quiet zone of four modules is kept on every side; the pattern stands to the right of it, centred
on the code. Sizes are whole dots, as a press or a thermal head prints them.
"""

from __future__ import annotations

from typing import Final

import cv2
import msgspec
import numpy as np
import segno
from numpy.typing import NDArray

from suyuan.label.model import Placement

SYMBOLS: Final = 64
QUIET: Final = 4

Dots = NDArray[np.uint8]


class Layout(msgspec.Struct, frozen=True):
    """How large a label's parts are, in dots of a printer of ``dpi``."""

    dpi: float = 812.0
    module_dots: int = 8
    symbol_dots: int = 3

    @property
    def side_mm(self) -> float:
        """The pattern's side on the label."""
        return SYMBOLS * self.symbol_dots * 25.4 / self.dpi


# What the printers that labels are made on can do; the nearest whole dots to a pattern of 6 to 8 mm.
LAYOUTS: Final = {
    "press": Layout(),
    "press_8mm": Layout(symbol_dots=4),
    "laser_600": Layout(dpi=600.0, module_dots=6, symbol_dots=2),
    "thermal_300": Layout(dpi=300.0, module_dots=4, symbol_dots=1),
    "thermal_203": Layout(dpi=203.0, module_dots=3, symbol_dots=1),
}


def code_modules(uri: str) -> Dots:
    """The modules of the code that says ``uri``, version 4 or above, without its quiet zone."""
    smallest = segno.make(uri, error="m", micro=False, boost_error=False)
    code = (
        smallest if int(smallest.version) >= 4 else segno.make(uri, error="m", version=4, boost_error=False)
    )
    return np.array([list(row) for row in code.matrix], np.uint8)


def template_bits(template: bytes) -> Dots:
    """The 64 x 64 symbols of a template, row by row, the most significant bit first; one is dark."""
    return np.unpackbits(np.frombuffer(template, np.uint8)).reshape(SYMBOLS, SYMBOLS)


def placement(modules: int, layout: Layout) -> Placement:
    """Where the pattern stands on a label whose code has ``modules`` a side."""
    side = SYMBOLS * layout.symbol_dots / layout.module_dots
    gap = QUIET * layout.module_dots
    return Placement(modules + gap / layout.module_dots, _top(modules, layout) / layout.module_dots, side)


def artwork(uri: str, bits: Dots, layout: Layout) -> Dots:
    """The label's dots. ``bits`` may have any whole number of cells a symbol, as a copy's artwork does."""
    modules = code_modules(uri)
    code = np.kron(modules, np.ones((layout.module_dots, layout.module_dots), np.uint8))
    side = SYMBOLS * layout.symbol_dots
    pattern = cv2.resize(bits, (side, side), interpolation=cv2.INTER_NEAREST)
    quiet = QUIET * layout.module_dots
    height = 2 * quiet + max(code.shape[0], side)
    dots = np.zeros((height, 3 * quiet + code.shape[1] + side), np.uint8)
    dots[quiet : quiet + code.shape[0], quiet : quiet + code.shape[1]] = code
    top, left = pattern_origin(modules.shape[0], layout)
    dots[top : top + side, left : left + side] = pattern
    return dots


def pattern_origin(modules: int, layout: Layout) -> tuple[int, int]:
    """Row and column of the pattern's first dot in the artwork."""
    quiet = QUIET * layout.module_dots
    return quiet + _top(modules, layout), 2 * quiet + modules * layout.module_dots


def _top(modules: int, layout: Layout) -> int:
    return max(0, (modules * layout.module_dots - SYMBOLS * layout.symbol_dots) // 2)
