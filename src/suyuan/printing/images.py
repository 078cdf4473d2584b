"""Labels as images of one bit a dot, for a press: PNG, or TIFF with CCITT Group 4, one file a label in a ZIP.

A platesetter or a digital press shows a dot for a bit, so that what was enrolled is what was meant; both formats name
their resolution. How labels are laid out on a sheet of the press is the press's own business.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from functools import partial
from typing import Final

from PIL import Image, ImageChops, ImageDraw

from suyuan.errors import InputError, UnsupportedError
from suyuan.printing.archive import LabelArchive
from suyuan.printing.dots import pattern_dots, symbol_dots, text_dots, text_length
from suyuan.printing.fonts import Typeface, find_typeface
from suyuan.printing.label import Label
from suyuan.printing.layout import PlacedText, place
from suyuan.printing.metrics import text_width
from suyuan.printing.styles import MM_PER_POINT, Style
from suyuan.printing.symbol import IMAGE_RESOLUTIONS, MM_PER_INCH, PRESS_DPI

_OUTLINE_MM = 0.15
_WHITE = 255  # not 1, although the image has one bit a dot: the library inverts by subtracting from 255
_PHOTOMETRIC: Final = 262  # TIFF 6.0's tag that says which bit is white


class ImageArchive(LabelArchive):
    """Takes labels one by one and returns a ZIP member with the image of each; sheets of paper do not matter."""

    def __init__(
        self, style: Style, form: str, dpi: int = PRESS_DPI, *, typeface: Typeface | None = None
    ) -> None:
        """``form`` is ``png`` or ``tiff``. Raises ``InputError`` (``printing.dpi``)."""
        if dpi not in IMAGE_RESOLUTIONS:
            raise InputError(
                "printing.dpi",
                f"Images of labels have {', '.join(map(str, IMAGE_RESOLUTIONS))} dots an inch, not {dpi}.",
                path="dpi",
            )
        draw: Callable[[Label], Image.Image] = partial(draw_label, style=style, dpi=dpi, typeface=typeface)
        super().__init__(lambda label: image_bytes(draw(label), form, dpi), f".{form}", packed=False)


def draw_label(
    label: Label, style: Style, dpi: int = PRESS_DPI, *, typeface: Typeface | None = None
) -> Image.Image:
    """One label as an image of one bit a dot. Raises as ``layout.place``, and ``printing.font.absent``."""
    placed = place(label, style, dpi)

    def dots(mm: float) -> int:
        return round(mm * dpi / MM_PER_INCH)

    paper = Image.new("1", (dots(style.width), dots(style.height)), _WHITE)
    paper.paste(0, (dots(placed.x), dots(placed.y)), symbol_dots(placed.symbol, dots(placed.module)))
    if placed.pattern is not None:
        pattern = placed.pattern
        mask = pattern_dots(pattern.bits, dots(pattern.symbol))
        paper.paste(0, (dots(pattern.x), dots(pattern.y)), mask)
    if placed.outline is not None:
        x, y, width, height = placed.outline
        corners = (dots(x), dots(y), dots(x + width) - 1, dots(y + height) - 1)
        ImageDraw.Draw(paper).rectangle(corners, outline=0, width=max(dots(_OUTLINE_MM), 1))
    if placed.texts:
        face = typeface or find_typeface()
        if face is None:
            raise UnsupportedError(
                "printing.font.absent",
                "The label has text, and no font is installed to draw it as dots.",
                path="style",
                remedy="Install the Chinese font package, take a style without text, or print a PDF.",
            )
        for text in placed.texts:
            _draw_text(paper, text, face, dpi)
    return paper


def _draw_text(paper: Image.Image, text: PlacedText, face: Typeface, dpi: int) -> None:
    """Draw one row; set smaller where this typeface runs wider than the one that rows are broken by."""
    height = max(round(text.size * MM_PER_POINT * dpi / MM_PER_INCH), 1)
    room = text_width(text.text, text.bold) * height
    length = text_length(face, text.text, height)
    if length > room:
        height = max(int(height * room / length), 1)
    mask, above = text_dots(face, text.text, height, text.bold)
    x, baseline = (round(mm * dpi / MM_PER_INCH) for mm in (text.x, text.y))
    paper.paste(0, (x, max(baseline - above, 0)), mask)


def image_bytes(image: Image.Image, form: str, dpi: int) -> bytes:
    """An image of one bit a dot as a file that names its resolution."""
    file = io.BytesIO()
    if form == "png":
        image.save(file, "PNG", dpi=(dpi, dpi))
        return file.getvalue()
    # Group 4 counts on white paper: its short codes are for long runs of 0. So ink is 1 here, and the tag says so.
    ImageChops.invert(image).save(file, "TIFF", compression="group4", dpi=(dpi, dpi))
    return _white_is_zero(file.getvalue())


def _white_is_zero(data: bytes) -> bytes:
    """A TIFF whose tag says that a bit of 0 is white; the library that wrote it says the opposite of every image."""
    file = bytearray(data)
    order = "<" if file[:2] == b"II" else ">"
    (start,) = struct.unpack_from(f"{order}L", file, 4)
    (count,) = struct.unpack_from(f"{order}H", file, start)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        (tag,) = struct.unpack_from(f"{order}H", file, entry)
        if tag == _PHOTOMETRIC:
            struct.pack_into(f"{order}H", file, entry + 8, 0)
    return bytes(file)
