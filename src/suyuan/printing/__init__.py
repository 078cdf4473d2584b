"""Labels as printers take them: PDF, SVG, ZPL, images for a press, and CSV, streamed.

A label is a URI as a QR symbol and, in most styles, what a person wants to read beside it; in some also a pattern
of small dots by which one print is told from its copies. Styles are data; layout is computed once for all
formats; what would be too small to be read is refused, never printed. Pure: labels come in, bytes go out.
Which codes are printed, and the note that they were, is the issuing room's business.
"""

from suyuan.printing.fonts import Typeface, find_typeface
from suyuan.printing.label import Label
from suyuan.printing.layout import pattern_placement
from suyuan.printing.pattern import PATTERN_BYTES, PATTERN_SYMBOLS, sample_pattern
from suyuan.printing.render import (
    DEFAULT_DPI,
    FORMATS,
    Format,
    Printer,
    open_printer,
    render,
    render_csv,
    render_images,
    render_pdf,
    render_svg_archive,
    render_zpl,
    resolution,
)
from suyuan.printing.styles import Style, built_in_styles, get_style, read_styles
from suyuan.printing.svg import preview, render_svg
from suyuan.printing.symbol import IMAGE_RESOLUTIONS, PRESS_DPI, RESOLUTIONS

__all__ = [
    "DEFAULT_DPI",
    "FORMATS",
    "IMAGE_RESOLUTIONS",
    "PATTERN_BYTES",
    "PATTERN_SYMBOLS",
    "PRESS_DPI",
    "RESOLUTIONS",
    "Format",
    "Label",
    "Printer",
    "Style",
    "Typeface",
    "built_in_styles",
    "find_typeface",
    "get_style",
    "open_printer",
    "pattern_placement",
    "preview",
    "read_styles",
    "render",
    "render_csv",
    "render_images",
    "render_pdf",
    "render_svg",
    "render_svg_archive",
    "render_zpl",
    "resolution",
    "sample_pattern",
]
