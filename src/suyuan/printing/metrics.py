"""Widths of text, near enough to break lines by.

Helvetica's widths (Adobe's published metrics of the standard fonts, in thousandths of the type size) for
printable ASCII; the wider bold for bold; accented Latin letters count as 0.8 and everything else, Chinese
first of all, as a full square, which is never too little.
"""

from __future__ import annotations

from functools import lru_cache

_REGULAR = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
_BOLD = (
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611,
    975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556,
    333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611,
    611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
)  # fmt: skip


@lru_cache(maxsize=4096)
def is_latin(char: str) -> bool:
    """Whether Helvetica in Windows' Latin encoding has the character."""
    if " " <= char <= "~":
        return True
    try:
        return len(char.encode("cp1252")) == 1 and char >= "\xa0"
    except UnicodeEncodeError:
        return False


@lru_cache(maxsize=4096)
def char_width(char: str, bold: bool = False) -> float:
    """The width of a character in ems."""
    if " " <= char <= "~":
        return (_BOLD if bold else _REGULAR)[ord(char) - 32] / 1000
    if "\xc0" <= char <= "\u024f" and char not in "ÆŒ":
        return 0.8
    return 1.0


def text_width(text: str, bold: bool = False) -> float:
    """The width of ``text`` in ems."""
    return sum(char_width(char, bold) for char in text)
