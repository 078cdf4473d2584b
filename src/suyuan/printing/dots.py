"""What is drawn as dots: symbols, patterns and rows of text, as masks of one bit a dot in which 1 is ink."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from suyuan.printing.fonts import Typeface
from suyuan.printing.pattern import PATTERN_SYMBOLS
from suyuan.printing.symbol import Symbol

_INK, _BOLD_INK = 100, 45  # of 255: how dark a dot of the drawn type must be to be printed


def symbol_dots(symbol: Symbol, scale: int) -> Image.Image:
    """A QR symbol of ``scale`` dots a module."""
    light = Image.frombytes("L", (symbol.size, symbol.size), symbol.cells)
    return _scaled(light.point(lambda cell: 0 if cell else 255, mode="1"), scale)


def pattern_dots(bits: bytes, scale: int) -> Image.Image:
    """A pattern of ``scale`` dots a symbol."""
    return _scaled(Image.frombytes("1", (PATTERN_SYMBOLS, PATTERN_SYMBOLS), bits), scale)


def _scaled(mask: Image.Image, scale: int) -> Image.Image:
    return mask.resize((mask.width * scale, mask.height * scale), Image.Resampling.NEAREST)


@lru_cache(maxsize=256)
def text_dots(typeface: Typeface, text: str, height: int, bold: bool) -> tuple[Image.Image, int]:
    """One row of text of a type size of ``height`` dots, and how many of its rows lie above the baseline."""
    font = _sized(typeface, height)
    shown = typeface.printable(text)
    # Small bold type would clog if it were outlined by a whole dot; taking fainter dots thickens it enough.
    stroke = height // 40 if bold else 0
    faintest = _BOLD_INK if bold else _INK
    left, top, right, bottom = font.getbbox(shown, anchor="ls", stroke_width=stroke)
    size = (max(int(right - left), 1), max(int(bottom - top), 1))
    image = Image.new("L", size, 0)
    ImageDraw.Draw(image).text((-left, -top), shown, fill=255, font=font, anchor="ls", stroke_width=stroke)
    return image.point(lambda pixel: 255 if pixel > faintest else 0, mode="1"), -int(top)


def text_length(typeface: Typeface, text: str, height: int) -> float:
    """How many dots a row of text is wide."""
    return float(_sized(typeface, height).getlength(typeface.printable(text)))


@lru_cache(maxsize=64)
def _sized(typeface: Typeface, height: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(io.BytesIO(typeface.data), height)
