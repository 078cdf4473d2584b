"""Labels as ZPL II, the language of most thermal label printers.

Symbol and pattern travel as bitmaps (^GFA), not as ^BQ: every module is then a whole number of dots, and the
level, the version and the quiet zone are ours, not the firmware's. Text in printable ASCII uses the printer's
scalable font 0; other text is drawn here as dots, because a printer's Chinese font cannot be counted on.
Rows of a bitmap are written in ZPL's short form: a letter repeats a digit, ``:`` repeats the row above,
``,`` fills with white.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from PIL import Image

from suyuan.errors import InputError, UnsupportedError
from suyuan.printing.dots import pattern_dots, symbol_dots, text_dots
from suyuan.printing.fonts import Typeface, find_typeface
from suyuan.printing.label import Label
from suyuan.printing.layout import PlacedText, place
from suyuan.printing.styles import MM_PER_POINT, Style
from suyuan.printing.symbol import MM_PER_INCH, RESOLUTIONS

_ASCENT = 0.74  # of the type size: where font 0 has its baseline under the field's top
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
        parts = [f"^XA^LH0,0^PW{width}^LL{height}"]
        parts.append(self._dotted(placed.x, placed.y, symbol_dots(placed.symbol, self._dots(placed.module))))
        if placed.pattern is not None:
            pattern = placed.pattern
            mask = pattern_dots(pattern.bits, self._dots(pattern.symbol))
            parts.append(self._dotted(pattern.x, pattern.y, mask))
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

    def _dotted(self, x: float, y: float, mask: Image.Image) -> str:
        return f"^FO{self._dots(x)},{self._dots(y)}{_graphic(mask)}"

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
        mask, above = text_dots(typeface, text.text, height, text.bold)
        return f"^FO{x},{max(baseline - above, 0)}{_graphic(mask)}"


def _graphic(mask: Image.Image) -> str:
    """A ^GFA field of a mask of one bit a dot, 1 being black."""
    row_bytes = -(-mask.width // 8)
    data = mask.tobytes()
    written = []
    above = b""
    for start in range(0, len(data), row_bytes):
        row = data[start : start + row_bytes]
        written.append(":" if row == above else _short(row))
        above = row
    return f"^GFA,{len(data)},{len(data)},{row_bytes},{''.join(written)}^FS"


def _short(row: bytes) -> str:
    digits = row.hex().upper()
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
