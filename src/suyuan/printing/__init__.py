"""Labels as printers take them: PDF, SVG, ZPL and CSV, streamed.

A label is a URI as a QR symbol and, in most styles, what a person wants to read beside it. Styles are data;
layout is computed once for all formats; a symbol whose modules would be too small to be read is refused, never
printed. Pure: labels come in, bytes go out. Which codes are printed, and the note that they were, is
the issuing room's business.
"""

from suyuan.printing.fonts import Typeface, find_typeface
from suyuan.printing.label import Label
from suyuan.printing.render import (
    DEFAULT_DPI,
    FORMATS,
    Format,
    Printer,
    open_printer,
    render,
    render_csv,
    render_pdf,
    render_svg_archive,
    render_zpl,
)
from suyuan.printing.styles import Style, built_in_styles, get_style, read_styles
from suyuan.printing.svg import preview, render_svg
from suyuan.printing.zpl import RESOLUTIONS

__all__ = [
    "DEFAULT_DPI",
    "FORMATS",
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
    "preview",
    "read_styles",
    "render",
    "render_csv",
    "render_pdf",
    "render_svg",
    "render_svg_archive",
    "render_zpl",
]
