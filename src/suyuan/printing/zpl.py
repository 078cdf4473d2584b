"""Labels as ZPL II, the language of most thermal label printers.

The symbol travels as a bitmap (^GFA) rather than as ^BQ: every module is then a whole number of dots, and the
level, the version and the quiet zone are ours, not the firmware's. Text in printable ASCII uses the printer's
scalable font 0; other text is drawn here as dots, because a printer's Chinese font cannot be counted on.
Rows of a bitmap are written in ZPL's short form: a letter repeats a digit, ``:`` repeats the row above,
``,`` fills with white.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from suyuan.errors import InputError, UnsupportedError
from suyuan.printing.fonts import Typeface, find_typeface
from suyuan.printing.label import Label
from suyuan.printing.layout import PlacedLabel, PlacedText, place
from suyuan.printing.styles import MM_PER_POINT, Style
from suyuan.printing.symbol import MM_PER_INCH

RESOLUTIONS: Final = (203, 300, 600)
_ASCENT = 0.74  # of the type size: where font 0 has its baseline under the field's top
_INK, _BOLD_INK = 100, 45  # of 255: how dark a dot of the drawn type must be to be printed
_REPEATED = re.compile(r"([0-9A-F])\1+")
_SPECIAL = re.compile(r"[\^~_\\]")


class ZplPrinter:
    """Takes labels one by one and returns the commands for each; sheets of paper do not matter here."""

    def __init__(self, style: Style, dpi: int = 203, *, typeface: Typeface | None = None) -> None:
        """Raises ``InputError`` (``printing.dpi``) for a resolution that label printers do not have."""
        if dpi not in RESOLUTIONS:
            raise InputError(
                "printing.dpi",
                f"Label printers have {', '.join(map(str, RESOLUTIONS))} dots an inch, not {dpi}.",
                path="dpi",
            )
        self._style = style
        self._dpi = dpi
        self._given = typeface

    def add(self, label: Label) -> bytes:
        """Raises what ``layout.place`` raises, and ``UnsupportedError`` (``printing.font.absent``)."""
        placed = place(label, self._style, self._dpi)
        width, height = self._dots(self._style.width), self._dots(self._style.height)
        parts = [f"^XA^LH0,0^PW{width}^LL{height}", self._symbol(placed)]
        if placed.outline is not None:
            x, y, box_width, box_height = map(self._dots, placed.outline)
            parts.append(f"^FO{x},{y}^GB{box_width},{box_height},1^FS")
        parts += [self._text(text) for text in placed.texts]
        return ("\n".join(parts) + "\n^XZ\n").encode("ascii")

    def finish(self) -> Iterator[bytes]:
        """Nothing: every label is complete in itself."""
        return iter(())

    def _dots(self, mm: float) -> int:
        return round(mm * self._dpi / MM_PER_INCH)

    def _symbol(self, placed: PlacedLabel) -> str:
        scale = self._dots(placed.module)
        symbol = placed.symbol
        rows = []
        for row in range(symbol.size):
            cells = symbol.cells[row * symbol.size : (row + 1) * symbol.size]
            bits = "".join("0" * scale if cell else "1" * scale for cell in cells)
            rows += [bits] * scale
        return f"^FO{self._dots(placed.x)},{self._dots(placed.y)}{_graphic(rows)}"

    def _text(self, text: PlacedText) -> str:
        height = self._dots(text.size * MM_PER_POINT)
        x, baseline = self._dots(text.x), self._dots(text.y)
        if text.text.isascii():
            data = _SPECIAL.sub(lambda found: f"_{ord(found[0]):02X}", text.text)
            return f"^FO{x},{max(baseline - round(height * _ASCENT), 0)}^A0N,{height}^FH_^FD{data}^FS"
        typeface = self._given or find_typeface()
        if typeface is None:
            raise UnsupportedError(
                "printing.font.absent",
                "The label has text that a label printer's own font lacks, and no font is installed to draw it.",
                path="style",
                remedy="Install the Chinese font package, leave the text out, or print a PDF.",
            )
        graphic, above = _dotted(typeface, text.text, height, text.bold)
        return f"^FO{x},{max(baseline - above, 0)}{graphic}"


@lru_cache(maxsize=64)
def _sized(typeface: Typeface, height: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(io.BytesIO(typeface.data), height)


@lru_cache(maxsize=256)
def _dotted(typeface: Typeface, text: str, height: int, bold: bool) -> tuple[str, int]:
    """One row of text as a graphic, and how many of its rows lie above the baseline."""
    font = _sized(typeface, height)
    shown = typeface.printable(text)
    # Small bold type would clog if it were outlined by a whole dot; taking fainter dots thickens it enough.
    stroke = height // 40 if bold else 0
    faintest = _BOLD_INK if bold else _INK
    left, top, right, bottom = font.getbbox(shown, anchor="ls", stroke_width=stroke)
    size = (max(int(right - left), 1), max(int(bottom - top), 1))
    image = Image.new("L", size, 0)
    ImageDraw.Draw(image).text((-left, -top), shown, fill=255, font=font, anchor="ls", stroke_width=stroke)
    pixels = image.tobytes()
    rows = (pixels[start : start + size[0]] for start in range(0, len(pixels), size[0]))
    return _graphic(["".join("1" if pixel > faintest else "0" for pixel in row) for row in rows]), -int(top)


def _graphic(rows: list[str]) -> str:
    """A ^GFA field of rows given as strings of 0 and 1, 1 being black."""
    row_bytes = -(-len(rows[0]) // 8)
    total = row_bytes * len(rows)
    written = []
    above = ""
    for row in rows:
        written.append(":" if row == above else _short(row, row_bytes))
        above = row
    return f"^GFA,{total},{total},{row_bytes},{''.join(written)}^FS"


def _short(row: str, row_bytes: int) -> str:
    digits = f"{int(row.ljust(row_bytes * 8, '0'), 2):0{row_bytes * 2}X}"
    kept = digits.rstrip("0")
    filler = "," if len(kept) < len(digits) else ""
    return _REPEATED.sub(lambda found: _repeat(found[1], len(found[0])), kept) + filler


def _repeat(digit: str, count: int) -> str:
    # g..z stand for 20, 40 ... 400 and G..Y for 1 ... 19; they add up.
    twenties, ones = divmod(count, 20)
    letters = ""
    while twenties:
        step = min(twenties, 20)
        letters += chr(ord("g") + step - 1)
        twenties -= step
    return letters + (chr(ord("G") + ones - 1) if ones else "") + digit
