"""What goes where on one label: the same for paper, screen and thermal printer.

Millimetres from the label's top left corner; type sizes in points. The renderers draw what stands here and
decide nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from suyuan.errors import RefusedError
from suyuan.printing.label import Label, check_label, fields_of
from suyuan.printing.metrics import text_width
from suyuan.printing.pattern import PATTERN_SYMBOLS, symbol_mm
from suyuan.printing.styles import (
    LINE_HEIGHT,
    MM_PER_POINT,
    PatternField,
    Style,
    SymbolField,
    TextLine,
)
from suyuan.printing.symbol import MM_PER_INCH, Symbol, draw_symbol, module_mm

MIN_POINTS: Final = 3.5  # about 1.2 mm, the smallest type that a 300 dpi printer still forms
_STEP = 0.25
_ASCENT = 0.95  # of the type size, from the top of a row to the baseline: Chinese characters stand higher
_ELLIPSIS = "…"
_OPENING = "(（[【《“‘"
_CLOSING = ")）]】》”’，。、：；！？,.:;!?%…"


class PlacedText(msgspec.Struct, frozen=True):
    """One row of text; ``y`` is the baseline."""

    text: str
    x: float
    y: float
    size: float
    bold: bool


class PlacedPattern(msgspec.Struct, frozen=True):
    """A pattern ready to be drawn: its bits, its corner, and the side of one of its symbols."""

    bits: bytes
    x: float
    y: float
    symbol: float

    @property
    def side(self) -> float:
        return PATTERN_SYMBOLS * self.symbol


class PlacedLabel(msgspec.Struct, frozen=True):
    """A label ready to be drawn; (``x``, ``y``) is the corner of the symbol without its quiet zone."""

    symbol: Symbol
    x: float
    y: float
    module: float
    texts: tuple[PlacedText, ...]
    outline: tuple[float, float, float, float] | None
    pattern: PlacedPattern | None


def place(label: Label, style: Style, dpi: int | None = None) -> PlacedLabel:
    """Lay out one label; with ``dpi``, modules and the symbols of a pattern are whole printer dots.

    Raises ``InputError`` (``printing.label.*``) or ``RefusedError`` (``printing.module.too_small``,
    ``printing.text.too_long``, ``printing.pattern.*``).
    """
    check_label(label)
    dpi = grid_dpi(style, dpi)
    symbol = draw_symbol(label.uri)
    field = style.symbol
    module = module_mm(symbol.size, field.side, dpi)
    x, y = _centred(field, symbol.size * module, dpi)
    pattern = None
    if style.pattern is not None or label.pattern:
        pattern_x, pattern_y, side = _pattern_square(style, dpi)
        if label.pattern:
            pattern = PlacedPattern(label.pattern, pattern_x, pattern_y, side)
    texts: list[PlacedText] = []
    if style.columns:
        fields = fields_of(label)
        for column in style.columns:
            top = column.y
            for line in column.lines:
                text = _filled(line, fields)
                if not text:
                    continue
                rows, size = _fitted(text, line, column.width)
                for row in rows:
                    baseline = top + size * _ASCENT * MM_PER_POINT
                    texts.append(PlacedText(row, column.x, baseline, size, line.bold))
                    top += size * LINE_HEIGHT * MM_PER_POINT
    outline = None
    if style.panel is not None:
        panel = style.panel
        outline = (panel.x, panel.y, panel.width, panel.height)
        texts += _panel_texts(style, label.scratch_code)
    return PlacedLabel(symbol, x, y, module, tuple(texts), outline, pattern)


def grid_dpi(style: Style, dpi: int | None = None) -> int | None:
    """The resolution on whose dots a label is laid out: the printer's, else the one that a pattern is made for."""
    if dpi is None and style.pattern is not None:
        return style.pattern.dpi
    return dpi


def pattern_placement(style: Style, label: Label, dpi: int | None = None) -> tuple[float, float, float]:
    """Where a pattern lies as it is drawn: x, y and side of its square, in modules of the symbol beside it.

    The origin is the corner of the symbol without its quiet zone; x goes right, y goes down. ``dpi`` is that of ZPL
    and of images; PDF and SVG have none. Raises what ``place`` raises.
    """
    check_label(label)
    dpi = grid_dpi(style, dpi)
    size = draw_symbol(label.uri).size
    module = module_mm(size, style.symbol.side, dpi)
    symbol_x, symbol_y = _centred(style.symbol, size * module, dpi)
    x, y, symbol = _pattern_square(style, dpi)
    return (x - symbol_x) / module, (y - symbol_y) / module, PATTERN_SYMBOLS * symbol / module


def _pattern_square(style: Style, dpi: int | None) -> tuple[float, float, float]:
    """The corner of a style's pattern and the side of one of its symbols."""
    if style.pattern is None or dpi is None:
        raise RefusedError(
            "printing.pattern.style",
            f"The style {style.name} has no room for a pattern.",
            path="style",
            remedy="Take one that has, such as tag-50x25.",
        )
    symbol = symbol_mm(style.pattern.side, dpi)
    return (*_centred(style.pattern, PATTERN_SYMBOLS * symbol, dpi), symbol)


def _centred(field: SymbolField | PatternField, side: float, dpi: int | None) -> tuple[float, float]:
    """The corner of a square in the middle of its field, moved to the nearest dot where there are dots."""
    margin = (field.side - side) / 2
    x, y = field.x + margin, field.y + margin
    if dpi is None:
        return x, y
    dot = MM_PER_INCH / dpi
    return round(x / dot) * dot, round(y / dot) * dot


def _filled(line: TextLine, fields: dict[str, str]) -> str:
    if line.needs and not fields[line.needs]:
        return ""
    return line.text.format_map(fields).strip()


def _panel_texts(style: Style, scratch_code: str) -> list[PlacedText]:
    panel = style.panel
    assert panel is not None
    line = TextLine(text="", size=4.5)
    rows, size = _fitted(panel.caption, line, panel.width - 1)
    caption_y = panel.y + 0.5 + size * _ASCENT * MM_PER_POINT
    texts = [PlacedText(rows[0], panel.x + 0.5, caption_y, size, False)]
    if scratch_code:
        rows, size = _fitted(scratch_code, TextLine(text="", size=7, bold=True), panel.width - 1)
        texts.append(PlacedText(rows[0], panel.x + 0.5, panel.y + panel.height - 1, size, True))
    return texts


@lru_cache(maxsize=1024)
def _fitted(text: str, line: TextLine, width_mm: float) -> tuple[tuple[str, ...], float]:
    """The rows of ``text`` and the type size: as large as the style says, else the largest that fits."""
    size = line.size
    while True:
        ems = width_mm / (size * MM_PER_POINT)
        rows = _wrapped(text, ems, line.bold)
        if len(rows) <= line.rows:
            return tuple(rows), size
        if size - _STEP < max(MIN_POINTS, line.size * 0.7 if line.cut else 0):
            break
        size -= _STEP
    if not line.cut:
        raise RefusedError(
            "printing.text.too_long",
            f"{text!r} does not fit in {width_mm:g} mm at {MIN_POINTS} points.",
            path="style",
            remedy="Take a larger style, or one without this text.",
        )
    rows = rows[: line.rows]
    last = rows[-1]
    while last and text_width(last + _ELLIPSIS, line.bold) > ems:
        last = last[:-1]
    rows[-1] = last.rstrip() + _ELLIPSIS
    return tuple(rows), size


def _wrapped(text: str, ems: float, bold: bool) -> list[str]:
    """``text`` in rows of at most ``ems``: broken at blanks, between Chinese characters, else anywhere."""
    rows: list[str] = []
    rest = text
    while text_width(rest, bold) > ems:
        end = 1
        while text_width(rest[: end + 1], bold) <= ems:
            end += 1
        cut = end
        while cut > 0 and not _may_break(rest, cut):
            cut -= 1
        cut = cut or end
        rows.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*rows, rest] if rest else rows


def _may_break(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if after == " " or before == " ":
        return True
    # A number stays with its measure word: no break between a Latin character and a Chinese one after it.
    return before >= "\u2e80" and before not in _OPENING and after not in _CLOSING
