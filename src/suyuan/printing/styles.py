"""Label styles: sizes and places as data (``styles.json``), in millimetres from the top left corner.

A style that could not be printed (a field outside the label, two fields that overlap, lines taller than their
column, a sheet wider than its paper) is refused when it is read, not when someone prints. Type sizes are in
points.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from itertools import combinations
from typing import Final

import msgspec

from suyuan.errors import InputError, NotFoundError, RefusedError
from suyuan.printing.label import Label, fields_of
from suyuan.printing.pattern import symbol_mm

LINE_HEIGHT: Final = 1.22  # of the type size
MM_PER_POINT: Final = 25.4 / 72
_SLACK: Final = 1e-6
_FIELD = re.compile(r"\{([a-z_]+)\}")
_BRACE = re.compile(r"[{}]")


class SymbolField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A square for the QR symbol; its quiet zone lies inside."""

    x: float
    y: float
    side: float


class PatternField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A square for a label's pattern.

    ``dpi`` is the resolution of the printer that the style is made for: PDF and SVG, which know no printer, are drawn
    on its grid. Elsewhere the printer's own resolution counts.
    """

    x: float
    y: float
    side: float
    dpi: int


class TextLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text with {fields}, wrapped to at most ``rows`` rows.

    It is left out if it comes out empty or the field ``needs`` is empty. A text that does not fit is set
    smaller; if that does not help, it ends in an ellipsis (``cut``) or is refused: a code is never shortened.
    """

    text: str
    size: float
    rows: int = 1
    bold: bool = False
    cut: bool = False
    needs: str = ""


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Lines one below the other."""

    x: float
    y: float
    width: float
    height: float
    lines: tuple[TextLine, ...]


class Panel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Room for a scratch-off layer: an outline, a caption and the second code if the label has one."""

    x: float
    y: float
    width: float
    height: float
    caption: str


class Sheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Paper with labels in columns and rows; ``left`` and ``top`` are the first label's place."""

    width: float
    height: float
    columns: int
    rows: int
    left: float
    top: float
    gap_x: float = 0.0
    gap_y: float = 0.0


class Style(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of label. Without ``sheet`` every label is a page of its own (a roll)."""

    name: str
    title_zh: str
    title_en: str
    width: float
    height: float
    symbol: SymbolField
    columns: tuple[Column, ...] = ()
    panel: Panel | None = None
    pattern: PatternField | None = None
    sheet: Sheet | None = None


def read_styles(data: bytes) -> dict[str, Style]:
    """Styles by name from a JSON list. Raises ``InputError`` (``printing.style.*``)."""
    try:
        styles = msgspec.json.decode(data, type=tuple[Style, ...])
    except msgspec.DecodeError as error:
        raise InputError(
            "printing.style.malformed", f"The styles cannot be read: {error}", path="styles"
        ) from None
    for style in styles:
        _check(style)
    return {style.name: style for style in styles}


@cache
def built_in_styles() -> dict[str, Style]:
    """The styles that come with Suyuan, by name."""
    return read_styles(resources.files(__package__).joinpath("styles.json").read_bytes())


def get_style(name: str) -> Style:
    """Raises ``NotFoundError`` (``printing.style.unknown``), which names the styles there are."""
    styles = built_in_styles()
    if name not in styles:
        raise NotFoundError(
            "printing.style.unknown",
            f"There is no label style {name[:40]!r}.",
            path="style",
            remedy=f"Take one of {', '.join(styles)}.",
        )
    return styles[name]


def _check(style: Style) -> None:
    def refuse(reason: str) -> InputError:
        return InputError("printing.style.impossible", f"Style {style.name}: {reason}", path=style.name)

    boxes = _boxes(style)
    for name, (x, y, width, height) in boxes.items():
        inside = x + width <= style.width + _SLACK and y + height <= style.height + _SLACK
        if not (inside and min(x, y) >= 0 and min(width, height) > 0):
            raise refuse(f"the {name} does not lie on the label.")
    for (one, first), (other, second) in combinations(boxes.items(), 2):
        if _overlap(first, second):
            raise refuse(f"the {one} and the {other} overlap.")
    known = fields_of(Label(uri=""))
    for column in style.columns:
        if text_height(column.lines) > column.height + _SLACK:
            raise refuse(
                f"a column of {column.height:g} mm holds {text_height(column.lines):.2f} mm of text."
            )
        for line in column.lines:
            named = {*_FIELD.findall(line.text), line.needs or "lot"}
            if not named <= known.keys() or _BRACE.search(_FIELD.sub("", line.text)):
                raise refuse(f"{line.text!r} names a field that labels do not have.")
    if style.pattern is not None:
        try:
            symbol_mm(style.pattern.side, style.pattern.dpi)
        except RefusedError as error:
            raise refuse(error.reason) from None
    if style.sheet is not None:
        sheet = style.sheet
        right = sheet.left + sheet.columns * (style.width + sheet.gap_x) - sheet.gap_x
        bottom = sheet.top + sheet.rows * (style.height + sheet.gap_y) - sheet.gap_y
        counted = sheet.columns > 0 and sheet.rows > 0 and min(sheet.left, sheet.top) >= 0
        if not counted or right > sheet.width + _SLACK or bottom > sheet.height + _SLACK:
            raise refuse("its labels do not fit on the sheet.")


def _boxes(style: Style) -> dict[str, tuple[float, float, float, float]]:
    boxes = {"symbol": (style.symbol.x, style.symbol.y, style.symbol.side, style.symbol.side)}
    for number, column in enumerate(style.columns, 1):
        boxes[f"column {number}"] = (column.x, column.y, column.width, column.height)
    if style.panel is not None:
        boxes["panel"] = (style.panel.x, style.panel.y, style.panel.width, style.panel.height)
    if style.pattern is not None:
        boxes["pattern"] = (style.pattern.x, style.pattern.y, style.pattern.side, style.pattern.side)
    return boxes


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    apart = (
        one[0] + one[2] <= other[0] + _SLACK
        or other[0] + other[2] <= one[0] + _SLACK
        or one[1] + one[3] <= other[1] + _SLACK
        or other[1] + other[3] <= one[1] + _SLACK
    )
    return not apart


def text_height(lines: tuple[TextLine, ...]) -> float:
    """The most that ``lines`` can take up, in mm."""
    return sum(line.rows * line.size * LINE_HEIGHT * MM_PER_POINT for line in lines)
