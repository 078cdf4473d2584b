"""Labels as a PDF: one label a page, or sheets. The symbol is drawn as a path, sharp at any resolution.

A pattern is a stencil of one bit a symbol: as a path its thousand squares would make a label eight times as large.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from suyuan.printing.fonts import Typeface, find_typeface, subset_prefix
from suyuan.printing.label import Label
from suyuan.printing.layout import PlacedLabel, PlacedPattern, PlacedText, grid_dpi, place
from suyuan.printing.metrics import is_latin
from suyuan.printing.pattern import PATTERN_SYMBOLS
from suyuan.printing.pdf_objects import RESOURCES, PdfWriter, literal
from suyuan.printing.styles import MM_PER_POINT, Style
from suyuan.printing.symbol import MM_PER_INCH

_SLACK = 1e-9
_BOLD_STROKE = 0.03  # of the type size: Chinese has no bold face here, a thin outline stands in for it


class PdfPrinter:
    """Takes labels one by one and returns the bytes of every page that is full."""

    def __init__(self, style: Style, *, typeface: Typeface | None = None) -> None:
        """``typeface`` stands in for the installed one."""
        self._style = style
        page = style.sheet or style
        self._writer = PdfWriter(page.width / MM_PER_POINT, page.height / MM_PER_POINT)
        # A page is measured from its lower edge: there too a pattern has to begin with a whole dot.
        self._page_height = _on_grid(page.height, style) / MM_PER_POINT
        self._fonts = _Fonts(self._writer, typeface)
        self._places = _places(style)
        self._content: list[bytes] = []
        self._taken = 0
        self._begun = False

    def add(self, label: Label) -> bytes:
        """Raises what ``layout.place`` raises; nothing of that label is then on the page."""
        placed = place(label, self._style)
        done = b"" if self._begun else self._begin()
        left, top = self._places[self._taken]
        self._content.append(self._drawn(placed, left, top))
        self._taken += 1
        if self._taken == len(self._places):
            done += self._page()
        return done

    def finish(self) -> Iterator[bytes]:
        """The last page, the fonts and the index of the file."""
        if not self._begun:
            yield self._begin()
        if self._content:
            yield self._page()
        yield from self._fonts.written()
        title = f"{self._style.title_zh} {self._style.title_en}".encode("utf-16-be")
        yield from self._writer.end(b"<FEFF" + title.hex().upper().encode() + b">")

    def _begin(self) -> bytes:
        self._begun = True
        return self._writer.begin()

    def _page(self) -> bytes:
        done = self._writer.page(b"\n".join(self._content))
        self._content = []
        self._taken = 0
        return done

    def _drawn(self, placed: PlacedLabel, left: float, top: float) -> bytes:
        points = 1 / MM_PER_POINT
        side = placed.module * points
        size = placed.symbol.size
        x = (left + placed.x) * points
        y = self._page_height - (top + placed.y) * points - size * side
        squares = " ".join(
            f"{column} {size - 1 - row} {length} 1 re" for row, column, length in placed.symbol.runs()
        )
        parts = [f"q {side:.5f} 0 0 {side:.5f} {x:.4f} {y:.4f} cm {squares} f Q".encode()]
        if placed.pattern is not None:
            pattern = placed.pattern
            pattern_x = (left + pattern.x) * points
            pattern_y = self._page_height - (top + pattern.y + pattern.side) * points
            parts.append(_stencil(pattern, pattern_x, pattern_y))
        if placed.outline is not None:
            box_x, box_y, width, height = (edge * points for edge in placed.outline)
            base = self._page_height - top * points - box_y - height
            box = f"{left * points + box_x:.3f} {base:.3f} {width:.3f} {height:.3f} re"
            parts.append(f"q 0.4 w [2 1.4] 0 d {box} S Q".encode())
        for text in placed.texts:
            text_x = (left + text.x) * points
            text_y = self._page_height - (top + text.y) * points
            parts.append(self._fonts.shown(text, text_x, text_y))
        return b"\n".join(parts)


class _Fonts:
    """Helvetica, its bold, and one font for all other characters, of which it notes those in use."""

    def __init__(self, writer: PdfWriter, typeface: Typeface | None) -> None:
        self._writer = writer
        self._given = typeface
        self._other = writer.reserve()
        self._used: dict[str, tuple[int, int]] = {}

    def shown(self, text: PlacedText, x: float, y: float) -> bytes:
        """The operators that set one row of text at (``x``, ``y``) in points."""
        parts = [f"BT {x:.3f} {y:.3f} Td".encode()]
        for latin, run in groupby(text.text, is_latin):
            chars = "".join(run)
            if latin:
                font = "F2" if text.bold else "F1"
                parts.append(
                    f"/{font} {text.size:g} Tf 0 Tr ".encode() + literal(chars.encode("cp1252")) + b" Tj"
                )
            else:
                mode = f"2 Tr {text.size * _BOLD_STROKE:.3f} w" if text.bold else "0 Tr"
                parts.append(f"/F3 {text.size:g} Tf {mode} <{self._coded(chars)}> Tj".encode())
        return b" ".join((*parts, b"ET"))

    def _typeface(self) -> Typeface | None:
        return self._given or find_typeface()

    def _coded(self, chars: str) -> str:
        typeface = self._typeface()
        if typeface is None:
            self._used.setdefault(" ", (0, 0))
            return chars.encode("utf-16-be").hex().upper()
        for char in chars:
            if char not in self._used:
                self._used[char] = typeface.glyph(char)
        return "".join(f"{self._used[char][0]:04X}" for char in chars)

    def written(self) -> Iterator[bytes]:
        """The font objects and the resources that name them."""
        latin = "/Type /Font /Subtype /Type1 /Encoding /WinAnsiEncoding"
        fonts = f"/F1 << {latin} /BaseFont /Helvetica >> /F2 << {latin} /BaseFont /Helvetica-Bold >>"
        if self._used:
            fonts += f" /F3 {self._other} 0 R"
        yield self._writer.object(RESOURCES, f"<< /Font << {fonts} >> >>")
        typeface = self._typeface() if self._used else None
        if typeface is not None:
            yield from self._embedded(typeface)
        else:
            # Without text in need of it this object has no reader, but its number must lead somewhere.
            yield self._writer.object(self._other, _STANDARD_CHINESE)

    def _embedded(self, typeface: Typeface) -> Iterator[bytes]:
        writer = self._writer
        descendant, descriptor, file, unicode = (writer.reserve() for _ in range(4))
        name = f"{subset_prefix(self._used)}+NotoSansSC-Regular"
        yield writer.object(
            self._other,
            f"<< /Type /Font /Subtype /Type0 /BaseFont /{name}-Identity-H /Encoding /Identity-H"
            f" /DescendantFonts [{descendant} 0 R] /ToUnicode {unicode} 0 R >>",
        )
        widths = " ".join(f"{cid} [{width}]" for cid, width in sorted(set(self._used.values())))
        yield writer.object(
            descendant,
            f"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /{name}"
            " /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
            f" /FontDescriptor {descriptor} 0 R /DW 1000 /W [{widths}] >>",
        )
        metrics = typeface.metrics
        box = " ".join(map(str, metrics.box))
        yield writer.object(
            descriptor,
            f"<< /Type /FontDescriptor /FontName /{name} /Flags 4 /FontBBox [{box}] /ItalicAngle 0"
            f" /Ascent {metrics.ascent} /Descent {metrics.descent} /CapHeight {metrics.cap_height} /StemV 80"
            f" /FontFile3 {file} 0 R >>",
        )
        yield writer.stream(file, typeface.subset(self._used), "/Subtype /CIDFontType0C ")
        yield writer.stream(unicode, _to_unicode({cid: char for char, (cid, _) in self._used.items()}))


_STANDARD_CHINESE = (
    "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light-UniGB-UTF16-H /Encoding /UniGB-UTF16-H"
    " /DescendantFonts [<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000"
    " /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >>"
    " /FontDescriptor << /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /ItalicAngle 0"
    " /FontBBox [-25 -254 1000 880] /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >> >>] >>"
)


def _to_unicode(chars: dict[int, str]) -> bytes:
    """The map that lets a reader copy and search the text (ISO 32000-1, 9.10.3)."""
    lines = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
        "1 begincodespacerange <0000> <FFFF> endcodespacerange",
    ]
    entries = sorted(chars.items())
    for start in range(0, len(entries), 100):  # the most that one block may have
        portion = entries[start : start + 100]
        lines.append(f"{len(portion)} beginbfchar")
        lines += [f"<{cid:04X}> <{char.encode('utf-16-be').hex().upper()}>" for cid, char in portion]
        lines.append("endbfchar")
    lines.append("endcmap CMapName currentdict /CMap defineresource pop end end")
    return "\n".join(lines).encode("ascii")


def _stencil(pattern: PlacedPattern, x: float, y: float) -> bytes:
    """An image mask inside the page's content; in hexadecimal, because a reader may search for the end mark."""
    side = pattern.side / MM_PER_POINT
    head = f"q {side:.5f} 0 0 {side:.5f} {x:.5f} {y:.5f} cm BI /W {PATTERN_SYMBOLS} /H {PATTERN_SYMBOLS}"
    return f"{head} /IM true /D [1 0] /F /AHx ID {pattern.bits.hex()}> EI Q".encode()


def _on_grid(mm: float, style: Style) -> float:
    """``mm``, for a style with a pattern down to a whole number of its dots."""
    dpi = grid_dpi(style)
    if dpi is None:
        return mm
    dot = MM_PER_INCH / dpi
    return int(mm / dot + _SLACK) * dot


def _places(style: Style) -> list[tuple[float, float]]:
    """The corners of the labels on one page, in mm, row by row."""
    sheet = style.sheet
    if sheet is None:
        return [(0.0, 0.0)]
    return [
        (
            _on_grid(sheet.left + column * (style.width + sheet.gap_x), style),
            _on_grid(sheet.top + row * (style.height + sheet.gap_y), style),
        )
        for row in range(sheet.rows)
        for column in range(sheet.columns)
    ]
