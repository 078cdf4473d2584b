"""The QR symbol of a URI and the size it may be printed at.

ISO/IEC 18004: a quiet zone of four modules on every side. Level Q (a quarter of the codewords may be lost) as
long as the symbol stays at version 4 or below, level M above: a larger symbol in the same field has smaller
modules, which costs more reads than the weaker level. Modules under 0.25 mm are refused: phones in a shop
do not read them reliably (GS1's General Specifications ask for 0.396 mm at the least, for 0.495 mm best).
"""

from __future__ import annotations

from typing import Final, cast

import msgspec
import zxingcpp

from suyuan.errors import RefusedError

QUIET_MODULES: Final = 4
MIN_MODULE_MM: Final = 0.25
MM_PER_INCH: Final = 25.4
# What printers have, in dots an inch: label printers, and whatever an image is made for.
RESOLUTIONS: Final = (203, 300, 600)
PRESS_DPI: Final = 812
IMAGE_RESOLUTIONS: Final = (*RESOLUTIONS, PRESS_DPI, 1200)
_VERSION_4_MODULES: Final = 33
# 2 dots at 203 dpi are 0.2502 mm; the slack only forgives binary fractions.
_SLACK: Final = 1e-9


class Symbol(msgspec.Struct, frozen=True):
    """A square of ``size`` x ``size`` modules without quiet zone; ``cells`` row by row, 0 is dark."""

    size: int
    level: str
    cells: bytes

    def runs(self) -> list[tuple[int, int, int]]:
        """The dark modules as horizontal runs: row from the top, first column, length."""
        found = []
        size = self.size
        for row in range(size):
            line = self.cells[row * size : (row + 1) * size]
            start = line.find(0)
            while start >= 0:
                end = line.find(255, start)
                end = size if end < 0 else end
                found.append((row, start, end - start))
                start = line.find(0, end)
        return found


def draw_symbol(uri: str) -> Symbol:
    """The QR symbol of ``uri``, printable ASCII; upper case makes the smallest one."""
    level = "Q"
    image = _image(uri, level)
    if image.shape[0] > _VERSION_4_MODULES:
        level = "M"
        image = _image(uri, level)
    # The library's stub does not say so, but an image is a buffer of one byte a module.
    return Symbol(image.shape[0], level, bytes(memoryview(cast(bytes, image))))


def _image(uri: str, level: str) -> zxingcpp.Image:
    barcode = zxingcpp.create_barcode(uri, zxingcpp.BarcodeFormat.QRCode, ec_level=level)
    return barcode.to_image(add_quiet_zones=False)


def smallest_field_mm(size: int) -> float:
    """The side in mm of the smallest square that may hold a symbol of ``size`` modules and its quiet zone."""
    return (size + 2 * QUIET_MODULES) * MIN_MODULE_MM


def module_mm(size: int, field_mm: float, dpi: int | None = None) -> float:
    """The side of a module in mm, as large as a square of ``field_mm`` allows.

    With ``dpi`` it is a whole number of printer dots. Raises ``RefusedError`` (``printing.module.too_small``),
    which names the smallest field.
    """
    modules = size + 2 * QUIET_MODULES
    module = field_mm / modules
    if dpi is not None:
        dot = MM_PER_INCH / dpi
        module = int(module / dot + _SLACK) * dot
    if module < MIN_MODULE_MM - _SLACK:
        needed = smallest_field_mm(size)
        if dpi is not None:
            dot = MM_PER_INCH / dpi
            needed = modules * dot * -int(-(MIN_MODULE_MM - _SLACK) // dot)
        at = f" at {dpi} dpi" if dpi is not None else ""
        raise RefusedError(
            "printing.module.too_small",
            f"A symbol of {size} x {size} modules in a field of {field_mm:g} mm would have modules of"
            f" {module:.3f} mm{at}; {MIN_MODULE_MM} mm is the least.",
            path="style",
            remedy=f"Take a style whose symbol field is at least {needed:.1f} mm wide, or a shorter host name"
            " in upper case.",
        )
    return module
