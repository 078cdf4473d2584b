"""The typeface for what Helvetica does not have: Noto Sans SC from its package, set in a PDF or as dots.

Glyphs are embedded: a print shop's machine then needs no Chinese font, and what is printed is what was seen
here. Where the font's package or fontTools is not installed, ``find_typeface`` says None: a PDF then names the
standard font STSong-Light, which a viewer must bring itself, and ZPL refuses the text.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module, resources, util
from typing import Any, Final

import msgspec

FONT_PACKAGE: Final = "pylopdf_fonts_zh_cn"
_FONT_FILE: Final = "NotoSansSC-Regular.otf"
_REPLACEMENT: Final = "□"
_NOT_DRAWN = ("GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG", "STAT")


class Metrics(msgspec.Struct, frozen=True):
    """In thousandths of the type size, as a PDF font descriptor has them."""

    ascent: int
    descent: int
    cap_height: int
    box: tuple[int, int, int, int]


class Typeface:
    """One CID-keyed OpenType font. Not safe for use by two threads at the same time."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        font = _opened(data)
        self._cmap: dict[int, str] = font.getBestCmap()
        self._widths = font["hmtx"]
        scale = 1000 / font["head"].unitsPerEm
        head = font["head"]
        self._scale = scale
        self.metrics = Metrics(
            round(font["hhea"].ascent * scale),
            round(font["hhea"].descent * scale),
            round(font["OS/2"].sCapHeight * scale),
            tuple(round(edge * scale) for edge in (head.xMin, head.yMin, head.xMax, head.yMax)),
        )

    def glyph(self, char: str) -> tuple[int, int]:
        """The glyph's CID and its width in thousandths; a box for a character the font lacks."""
        name = self._cmap.get(ord(char)) or self._cmap[ord(_REPLACEMENT)]
        return int(name[3:]), round(self._widths[name][0] * self._scale)

    def printable(self, text: str) -> str:
        """``text`` with a box for each character that the font lacks."""
        return "".join(char if ord(char) in self._cmap else _REPLACEMENT for char in text)

    def subset(self, chars: Iterable[str]) -> bytes:
        """The outlines of ``chars`` alone, as a bare CID-keyed CFF table whose CIDs are those of ``glyph``."""
        subset: Any = import_module("fontTools.subset")
        font = _opened(self.data)
        options = subset.Options(layout_features=[], name_IDs=[], notdef_outline=True, hinting=False)
        options.drop_tables += _NOT_DRAWN
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=[*map(ord, chars), ord(_REPLACEMENT)])
        subsetter.subset(font)
        return bytes(font["CFF "].compile(font))


def _opened(data: bytes) -> Any:
    # Half a second to import, and not always installed: only where a text needs it.
    library: Any = import_module("fontTools.ttLib")
    return library.TTFont(io.BytesIO(data), lazy=True)


def subset_prefix(chars: Iterable[str]) -> str:
    """Six capital letters that differ between subsets, as ISO 32000-1, 9.6.4 wants them."""
    digest = hashlib.sha256("".join(sorted(chars)).encode("utf-32-be")).digest()
    return "".join(chr(65 + byte % 26) for byte in digest[:6])


@lru_cache(maxsize=1)
def find_typeface() -> Typeface | None:
    """The installed Chinese typeface, read once, or None."""
    if util.find_spec(FONT_PACKAGE) is None or util.find_spec("fontTools") is None:
        return None
    return Typeface(resources.files(FONT_PACKAGE).joinpath(_FONT_FILE).read_bytes())
