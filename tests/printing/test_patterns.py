"""A pattern beside the symbol: where it says it is, every symbol a whole number of dots, in every format."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Callable

import pytest
from PIL import Image
from printed_labels import label, read_pattern, scan, svg_image, whole_label, zpl_image

from suyuan.errors import InputError, RefusedError, SuyuanError
from suyuan.printing import (
    IMAGE_RESOLUTIONS,
    PATTERN_BYTES,
    RESOLUTIONS,
    Label,
    built_in_styles,
    find_typeface,
    get_style,
    pattern_placement,
    preview,
    render,
    render_images,
    render_pdf,
    render_svg,
    render_zpl,
    resolution,
    sample_pattern,
)
from suyuan.printing.layout import place
from suyuan.printing.pattern import MIN_PATTERN_MM, pattern_runs, symbol_mm

# The resolutions that each style with a pattern can be printed at.
PRINTABLE = {
    "press-21x13": {812},
    "tag-50x25": {203, 600, 812, 1200},
    "roll-58x40-pattern": {203, 300, 600, 812, 1200},
    "a4-3x8-pattern": {203, 600, 812, 1200},
}
AT = [(name, dpi) for name, found in PRINTABLE.items() for dpi in sorted(found)]
needs_font = pytest.mark.skipif(find_typeface() is None, reason="the Chinese font package is not installed")


def pdf_label(data: bytes, name: str, dpi: int) -> Image.Image:
    """The first label of a PDF as a printer of ``dpi`` would form it."""
    reader = pytest.importorskip("pypdfium2", reason="pypdfium2 rasterises PDF in tests")
    document = reader.PdfDocument(data)
    page = document[0]
    picture = page.render(scale=dpi / 72, grayscale=True).to_pil()
    page.close()
    document.close()
    style = get_style(name)
    return picture.crop((0, 0, round(style.width * dpi / 25.4), round(style.height * dpi / 25.4)))


def test_the_table_names_every_style_with_a_pattern() -> None:
    assert PRINTABLE.keys() == {name for name, style in built_in_styles().items() if style.pattern}
    for name, found in PRINTABLE.items():
        assert get_style(name).pattern.dpi in found  # type: ignore[union-attr]


# -- all 4096 symbols come back ----------------------------------------------------------------------------------


@needs_font
@pytest.mark.parametrize(("name", "dpi"), [(name, dpi) for name, dpi in AT if dpi in RESOLUTIONS])
def test_zpl_draws_every_symbol_where_the_placement_says(name: str, dpi: int) -> None:
    style = get_style(name)
    item = whole_label(style, 1)
    drawn = zpl_image(b"".join(render_zpl([item], style, dpi)).decode("ascii"))
    assert scan(drawn) == [item.uri]
    assert read_pattern(drawn, pattern_placement(style, item, dpi)) == item.pattern


@needs_font
@pytest.mark.parametrize("form", ["png", "tiff"])
@pytest.mark.parametrize(("name", "dpi"), AT)
def test_images_draw_every_symbol_where_the_placement_says(name: str, dpi: int, form: str) -> None:
    style = get_style(name)
    item = whole_label(style, 2)
    data = b"".join(render_images([item], style, dpi, form=form))
    [member] = zipfile.ZipFile(io.BytesIO(data)).namelist()
    drawn = Image.open(io.BytesIO(zipfile.ZipFile(io.BytesIO(data)).read(member)))
    assert drawn.mode == "1"
    assert member == f"0000001-{item.serial}.{form}"
    assert drawn.info["dpi"] == pytest.approx((dpi, dpi), abs=0.02)  # PNG counts in whole dots a metre
    if form == "tiff":
        assert (drawn.info["compression"], drawn.tag_v2[262]) == ("group4", 0)  # type: ignore[attr-defined]
    assert drawn.size == (round(style.width * dpi / 25.4), round(style.height * dpi / 25.4))
    grey = drawn.convert("L")
    assert scan(grey) == [item.uri]
    assert read_pattern(grey, pattern_placement(style, item, dpi)) == item.pattern


@pytest.mark.parametrize(
    ("name", "times"),
    [("press-21x13", 1), ("tag-50x25", 1), ("roll-58x40-pattern", 2), ("a4-3x8-pattern", 1)],
)
def test_pdf_draws_every_symbol_where_the_placement_says(name: str, times: int) -> None:
    style = get_style(name)
    assert style.pattern is not None
    item = whole_label(style, 3)
    drawn = pdf_label(b"".join(render_pdf([item], style)), name, style.pattern.dpi * times)
    assert scan(drawn) == [item.uri]
    assert read_pattern(drawn, pattern_placement(style, item)) == item.pattern


@pytest.mark.parametrize("name", PRINTABLE)
def test_svg_draws_every_symbol_where_the_placement_says(name: str) -> None:
    style = get_style(name)
    assert style.pattern is not None
    item = whole_label(style, 4)
    drawn = svg_image(render_svg(item, style), dots_per_mm=style.pattern.dpi / 25.4)
    assert scan(drawn) == [item.uri]
    assert read_pattern(drawn, pattern_placement(style, item)) == item.pattern
    shown = svg_image(preview(style), dots_per_mm=style.pattern.dpi / 25.4)
    [text] = scan(shown)
    assert read_pattern(shown, pattern_placement(style, Label(uri=text))) == sample_pattern()


# -- sizes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "dpi"), AT)
def test_corners_and_symbols_are_whole_dots(name: str, dpi: int) -> None:
    style = get_style(name)
    placed = place(whole_label(style), style, dpi)
    pattern, dot = placed.pattern, 25.4 / dpi
    assert pattern is not None and style.pattern is not None
    for length in (placed.x, placed.y, placed.module, pattern.x, pattern.y, pattern.symbol):
        assert length / dot == pytest.approx(round(length / dot), abs=1e-6)
    assert MIN_PATTERN_MM <= pattern.side <= style.pattern.side
    for inner, outer in ((pattern.x, style.pattern.x), (pattern.y, style.pattern.y)):
        assert outer - dot / 2 <= inner
        assert inner + pattern.side <= outer + style.pattern.side + dot / 2
    if dpi == 812 and name in ("press-21x13", "tag-50x25"):
        assert round(pattern.symbol / dot) == {"press-21x13": 3, "tag-50x25": 4}[name]
        assert 6 <= pattern.side <= 8.01


def test_a_longer_address_moves_the_symbol_and_the_placement_with_it() -> None:
    style = get_style("tag-50x25")
    short = whole_label(style)
    long = label(uri=short.uri.ljust(110, "A"), pattern=short.pattern)
    assert pattern_placement(style, long, 812) != pattern_placement(style, label(), 812)
    if find_typeface() is not None:
        data = b"".join(render_images([long], style, form="png"))
        packed = zipfile.ZipFile(io.BytesIO(data))
        drawn = Image.open(io.BytesIO(packed.read(packed.namelist()[0]))).convert("L")
        assert read_pattern(drawn, pattern_placement(style, long, 812)) == long.pattern


def test_the_remedy_is_a_size_that_does() -> None:
    import re

    for dpi in IMAGE_RESOLUTIONS:
        with pytest.raises(RefusedError) as caught:
            symbol_mm(5.9, dpi)
        needed = float(re.search(r"at least ([\d.]+) mm", caught.value.remedy)[1])  # type: ignore[index]
        assert symbol_mm(needed, dpi) * 64 >= MIN_PATTERN_MM
        with pytest.raises(RefusedError):
            symbol_mm(needed - 0.2, dpi)


def test_a_label_without_a_pattern_leaves_the_square_white() -> None:
    style = get_style("press-21x13")
    [drawn] = zipfile.ZipFile(io.BytesIO(b"".join(render_images([label()], style, form="png")))).filelist
    assert drawn.filename.endswith(".png")
    assert place(label(), style).pattern is None
    assert render_svg(label(), style).count("<path") == 1
    # Where the pattern would be stays the same, so that labels of a batch can get theirs later.
    assert pattern_placement(style, label()) == pattern_placement(style, whole_label(style))


def test_runs_are_the_dark_symbols() -> None:
    bits = sample_pattern()
    cells = [[0] * 64 for _ in range(64)]
    for row, column, length in pattern_runs(bits):
        for at in range(column, column + length):
            cells[row][at] += 1
    assert int("".join(str(cell) for row in cells for cell in row), 2).to_bytes(PATTERN_BYTES) == bits
    assert 1900 < sum(map(sum, cells)) < 2200


# -- refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "kind", "code"),
    [
        (lambda p: render("zpl", [p], "press-21x13", 203), RefusedError, "printing.pattern.dots"),
        (lambda p: render("zpl", [p], "press-21x13", 600), RefusedError, "printing.pattern.too_small"),
        (lambda p: render("png", [p], "a4-3x8-pattern", 300), RefusedError, "printing.pattern.too_small"),
        (lambda p: render("pdf", [p], "item-40x20"), RefusedError, "printing.pattern.style"),
        (lambda p: render("zpl", [p], "item-40x20", 300), RefusedError, "printing.pattern.style"),
        (
            lambda p: pattern_placement(get_style("item-40x20"), label()),
            RefusedError,
            "printing.pattern.style",
        ),
        (
            lambda p: render("pdf", [label(pattern=b"\0" * 511)], "tag-50x25"),
            InputError,
            "printing.label.pattern",
        ),
        (lambda p: render("tiff", [p], "tag-50x25", 2400), InputError, "printing.dpi"),
        (lambda p: render("png", [p], "tag-50x25", 17), InputError, "printing.dpi"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    call: Callable[[Label], object], kind: type[SuyuanError], code: str
) -> None:
    with pytest.raises(kind) as caught:
        call(label(pattern=sample_pattern()))
    assert caught.value.code == code


def test_a_format_knows_its_usual_resolution() -> None:
    assert [resolution(name) for name in ("csv", "pdf", "svg", "zpl", "png", "tiff")] == [
        None, None, None, 203, 812, 812,
    ]  # fmt: skip
    assert [resolution(name, 600) for name in ("pdf", "zpl", "tiff")] == [None, 600, 600]


# -- at volume -----------------------------------------------------------------------------------------------------


@needs_font
def test_a_thousand_patterns_in_two_seconds_and_two_kilobytes_each() -> None:
    from time import process_time

    style = get_style("a4-3x8-pattern")
    b"".join(render_pdf([whole_label(style)], style))  # the font is read once a process
    start = process_time()
    size = sum(map(len, render_pdf((whole_label(style, number) for number in range(1000)), style)))
    assert process_time() - start < 2
    assert size < 2_000_000


@needs_font
@pytest.mark.parametrize("form", ["png", "tiff"])
def test_images_leave_as_they_are_made(form: str) -> None:
    style = get_style("tag-50x25")
    b"".join(render_images([whole_label(style)], style, form=form))
    tracemalloc.start()
    try:
        labels = (whole_label(style, number) for number in range(200))
        size = sum(map(len, render_images(labels, style, form=form)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 700_000 < 1_500_000 < size
