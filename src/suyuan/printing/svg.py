"""Labels as SVG, one document each, in millimetres. The symbol is one path of whole modules."""

from __future__ import annotations

from datetime import date
from xml.sax.saxutils import escape, quoteattr

import msgspec

from suyuan.printing.label import Label
from suyuan.printing.layout import PlacedLabel, place
from suyuan.printing.pattern import pattern_runs, sample_pattern
from suyuan.printing.styles import MM_PER_POINT, Style

# The reader's machine sets the text: SVG names fonts, it does not carry them.
_FONTS = "Helvetica, Arial, 'Noto Sans SC', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
_SAMPLE = Label(
    uri="HTTPS://ID.EXAMPLE.CN/01/09506000134352/21/0ABCDEFGHJKMNPQRSTVW",
    gtin="09506000134352",
    serial="0ABCDEFGHJKMNPQRSTVW",
    lot="L2025-0731A",
    expiry=date(2027, 5, 31),
    name_zh="婴儿配方奶粉 1段 800克",
    name_en="Infant formula, stage 1, 800 g",
    city="广州",
)


def render_svg(label: Label, style: Style) -> str:
    """One label as an SVG document of its printed size. Raises what ``layout.place`` raises."""
    return _document(place(label, style), style, title=f"{label.gtin} {label.serial}".strip() or label.uri)


def preview(style: Style) -> str:
    """The style with a sample's data and the label's edge, for people who choose one."""
    edge = (
        f'<rect x="0.1" y="0.1" width="{style.width - 0.2:g}" height="{style.height - 0.2:g}" rx="0.8"'
        ' fill="none" stroke="#767676" stroke-width="0.2"/>'
    )
    sample = _SAMPLE
    if style.pattern is not None:
        sample = msgspec.structs.replace(_SAMPLE, pattern=sample_pattern())
    return _document(place(sample, style), style, title=f"{style.title_zh} {style.title_en}", extra=edge)


def _document(placed: PlacedLabel, style: Style, *, title: str, extra: str = "") -> str:
    size = f'width="{style.width:g}mm" height="{style.height:g}mm"'
    view = f'viewBox="0 0 {style.width:g} {style.height:g}" xml:space="preserve"'
    symbol = f"translate({placed.x:.4f} {placed.y:.4f}) scale({placed.module:.6f})"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view} role="img" font-family={quoteattr(_FONTS)}>',
        f"<title>{escape(title)}</title>",
        f'<rect width="{style.width:g}" height="{style.height:g}" fill="#fff"/>',
        extra,
        f'<path transform="{symbol}" shape-rendering="crispEdges" d="',
        "".join(f"M{column} {row}h{length}v1h-{length}z" for row, column, length in placed.symbol.runs()),
        '"/>',
    ]
    if placed.pattern is not None:
        pattern = placed.pattern
        square = f"translate({pattern.x:.4f} {pattern.y:.4f}) scale({pattern.symbol:.6f})"
        drawn = "".join(
            f"M{column} {row}h{length}v1h-{length}z" for row, column, length in pattern_runs(pattern.bits)
        )
        parts.append(f'<path transform="{square}" shape-rendering="crispEdges" d="{drawn}"/>')
    if placed.outline is not None:
        x, y, width, height = placed.outline
        parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="none" stroke="#000"'
            ' stroke-width="0.15" stroke-dasharray="0.8 0.5"/>'
        )
    for text in placed.texts:
        weight = ' font-weight="bold"' if text.bold else ""
        parts.append(
            f'<text x="{text.x:.3f}" y="{text.y:.3f}" font-size="{text.size * MM_PER_POINT:.3f}"{weight}>'
            f"{escape(text.text)}</text>"
        )
    return "".join(parts) + "</svg>\n"
