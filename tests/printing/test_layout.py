"""Sizes: modules, quiet zones, line breaks, and styles that could not be printed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from printed_labels import label

from suyuan.errors import InputError, RefusedError
from suyuan.printing import built_in_styles, get_style, read_styles
from suyuan.printing.layout import MIN_POINTS, place
from suyuan.printing.metrics import text_width
from suyuan.printing.styles import MM_PER_POINT
from suyuan.printing.symbol import MIN_MODULE_MM, draw_symbol, module_mm, smallest_field_mm


def test_an_upper_case_uri_is_version_4_at_level_q() -> None:
    symbol = draw_symbol(label().uri)
    assert (symbol.size, symbol.level) == (33, "Q")


@pytest.mark.parametrize(("length", "level"), [(67, "Q"), (68, "M"), (70, "M")])
def test_70_characters_stay_at_version_4(length: int, level: str) -> None:
    symbol = draw_symbol(label().uri.ljust(length, "A"))
    assert (symbol.size, symbol.level) == (33, level)


def test_runs_are_the_dark_modules() -> None:
    symbol = draw_symbol(label().uri)
    cells = bytearray(b"\xff" * symbol.size**2)
    for row, column, length in symbol.runs():
        start = row * symbol.size + column
        cells[start : start + length] = bytes(length)
    assert bytes(cells) == symbol.cells


def test_a_module_under_a_quarter_millimetre_is_refused_with_the_smallest_size() -> None:
    assert smallest_field_mm(33) == 10.25
    assert module_mm(33, 10.25) == pytest.approx(0.25)
    with pytest.raises(RefusedError, match=r"at least 10\.2 mm") as caught:
        module_mm(33, 10)
    assert caught.value.code == "printing.module.too_small"


@pytest.mark.parametrize(("dpi", "dots", "needed"), [(203, 2, "10.3"), (300, 3, "10.4"), (600, 6, "10.4")])
def test_printer_modules_are_whole_dots(dpi: int, dots: int, needed: str) -> None:
    dot = 25.4 / dpi
    assert module_mm(33, 41 * dots * dot + 0.01, dpi) == pytest.approx(dots * dot)
    with pytest.raises(RefusedError, match=f"at least {needed} mm"):
        module_mm(33, 41 * dots * dot - 0.05, dpi)


@pytest.mark.parametrize(
    ("name", "dpi"),
    [
        (name, dpi)
        for name, style in built_in_styles().items()
        for dpi in (None, 203, 300, 600)
        if dpi is None or style.pattern is None
    ],
)
def test_quiet_zone_lies_inside_the_symbol_field(name: str, dpi: int | None) -> None:
    style = get_style(name)
    placed = place(label(), style, dpi)
    dot = 25.4 / (dpi or (style.pattern.dpi if style.pattern else 25_400))
    quiet = 4 * placed.module - dot  # the symbol may move by half a dot to lie on the printer's grid
    side = placed.symbol.size * placed.module
    assert placed.module >= MIN_MODULE_MM
    assert min(placed.x - style.symbol.x, placed.y - style.symbol.y) >= quiet
    assert style.symbol.x + style.symbol.side - placed.x - side >= quiet
    assert style.symbol.y + style.symbol.side - placed.y - side >= quiet


names = st.text(st.characters(codec="gb18030", categories=("L", "N", "P", "Zs")), max_size=200)


@given(name=names, lot=st.text("0123456789ABCDEFGHJKLMNPRSTUVXYZ-./", max_size=20))
@settings(max_examples=80, deadline=None)
def test_every_row_fits_its_column(name: str, lot: str) -> None:
    for style in built_in_styles().values():
        item = label(name_zh=name, name_en=name, city=name, lot=lot)
        for text in place(item, style).texts:
            width = text_width(text.text, text.bold) * text.size * MM_PER_POINT
            assert text.x + width <= style.width
            assert 0 < text.y <= style.height
            assert text.size >= MIN_POINTS


def test_codes_are_never_cut_and_names_end_in_an_ellipsis() -> None:
    rows = [
        text.text
        for text in place(
            label(name_zh="奶粉" * 60, lot="ABCD1234567890-KLMNP"), get_style("item-40x20")
        ).texts
    ]
    assert any(row.endswith("…") for row in rows)
    assert "ABCD1234567890-KLMNP" in "".join(rows)


def test_chinese_breaks_neither_before_a_mark_nor_before_a_measure_word() -> None:
    for length in range(4, 14):
        texts = place(label(name_zh="奶" * length + "，1段（进口）"), get_style("a4-5x13")).texts
        for text in texts:
            assert not text.text.startswith(("，", "）", "段"))
            assert not text.text.endswith("（")


BASE = {
    "name": "x", "title_zh": "x", "title_en": "x", "width": 30, "height": 30,
    "symbol": {"x": 1, "y": 1, "side": 20},
}  # fmt: skip
LINE = {"text": "{lot}", "size": 5}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"symbol": {"x": 20, "y": 1, "side": 20}}, "does not lie on the label"),
        ({"columns": [{"x": 1, "y": 15, "width": 20, "height": 5, "lines": [LINE]}]}, "overlap"),
        ({"columns": [{"x": 1, "y": 22, "width": 20, "height": 1, "lines": [LINE]}]}, "holds"),
        (
            {
                "columns": [
                    {"x": 1, "y": 22, "width": 20, "height": 5, "lines": [{**LINE, "text": "{price}"}]}
                ]
            },
            "do not have",
        ),
        (
            {
                "columns": [
                    {"x": 1, "y": 22, "width": 20, "height": 5, "lines": [{**LINE, "text": "{lot.x}"}]}
                ]
            },
            "do not have",
        ),
        ({"pattern": {"x": 20, "y": 1, "side": 8.2, "dpi": 812}}, "overlap"),
        ({"pattern": {"x": 1, "y": 21.5, "side": 8.2, "dpi": 300}}, "6 mm is the least"),
        ({"pattern": {"x": 1, "y": 21.5, "side": 6.1, "dpi": 203}}, "less than one dot"),
        ({"sheet": {"width": 210, "height": 297, "columns": 8, "rows": 1, "left": 0, "top": 0}}, "sheet"),
    ],
)
def test_a_style_that_cannot_be_printed_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_styles(json.dumps([{**BASE, **change}]).encode())
    assert caught.value.code == "printing.style.impossible"


def test_styles_that_are_not_styles_are_refused() -> None:
    for data in (b"{", b'[{"name": 1}]', json.dumps([{**BASE, "colour": "red"}]).encode()):
        with pytest.raises(InputError, match=r"printing\.style\.malformed"):
            read_styles(data)
