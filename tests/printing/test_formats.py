"""Every style in every format is read again at the size it is printed."""

from __future__ import annotations

import csv
import io
import re
import tracemalloc
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from printed_labels import label, scan, svg_image, whole_label, zpl_image

from suyuan.errors import InputError, NotFoundError, RefusedError, UnsupportedError
from suyuan.printing import (
    FORMATS,
    Label,
    built_in_styles,
    find_typeface,
    get_style,
    open_printer,
    preview,
    render,
    render_csv,
    render_pdf,
    render_svg,
    render_svg_archive,
    render_zpl,
)
from suyuan.printing import archive as archive_module
from suyuan.printing import pdf as pdf_module
from suyuan.printing import zpl as zpl_module
from suyuan.printing.label import tidy

STYLES = tuple(built_in_styles())
needs_font = pytest.mark.skipif(find_typeface() is None, reason="the Chinese font package is not installed")


def pdf_pages(data: bytes, dpi: int = 300) -> list[tuple[object, str]]:
    reader = pytest.importorskip("pypdfium2", reason="pypdfium2 rasterises PDF in tests")
    document = reader.PdfDocument(data)
    try:
        pages = []
        for page in document:
            text_page = page.get_textpage()
            pages.append((page.render(scale=dpi / 72).to_pil(), text_page.get_text_range()))
            text_page.close()
            page.close()
        return pages
    finally:
        document.close()


@pytest.mark.parametrize("name", STYLES)
def test_pdf_is_read_at_the_printed_size(name: str) -> None:
    style = get_style(name)
    on_page = style.sheet.columns * style.sheet.rows if style.sheet else 1
    labels = [whole_label(style, number) for number in range(on_page + 1)]
    pages = pdf_pages(b"".join(render_pdf(labels, name)))
    assert len(pages) == 2
    assert scan(pages[0][0]) == [item.uri for item in labels[:-1]]
    assert scan(pages[1][0]) == [labels[-1].uri]
    page = style.sheet or style
    assert pages[0][0].size == pytest.approx((page.width * 300 / 25.4, page.height * 300 / 25.4), abs=1.5)


@pytest.mark.parametrize("name", STYLES)
def test_svg_is_read_at_the_printed_size(name: str) -> None:
    item = whole_label(get_style(name))
    assert scan(svg_image(render_svg(item, get_style(name)))) == [item.uri]
    assert scan(svg_image(preview(get_style(name))))


@needs_font
@pytest.mark.parametrize("dpi", [203, 300, 600])
@pytest.mark.parametrize("name", [name for name in STYLES if get_style(name).pattern is None])
def test_zpl_is_read_at_one_pixel_a_dot(name: str, dpi: int) -> None:
    item = label()
    assert scan(zpl_image(b"".join(render_zpl([item], name, dpi)).decode("ascii"))) == [item.uri]


def test_csv_brings_every_field_back() -> None:
    item = label(name_en='Formula, "stage 1"')
    rows = list(csv.DictReader(io.StringIO(b"".join(render_csv([item])).decode("utf-8-sig"))))
    assert rows[0]["uri"] == item.uri
    assert rows[0]["name_en"] == item.name_en
    assert rows[0]["expiry"] == "2027-05-31"


def test_svg_archive_is_an_ordinary_zip() -> None:
    items = [label(0), label(1, serial="A/../B")]
    packed = zipfile.ZipFile(io.BytesIO(b"".join(render_svg_archive(items, "qr-25x25"))))
    assert packed.testzip() is None
    assert packed.namelist() == [f"0000001-{items[0].serial}.svg", "0000002-A____B.svg"]
    assert scan(svg_image(packed.read(packed.namelist()[1]).decode())) == [items[1].uri]


def test_archive_of_many_members_is_zip64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "_MAX_16", 2)
    data = b"".join(render_svg_archive([label(n) for n in range(4)], "qr-25x25"))
    assert b"PK\x06\x06" in data
    assert len(zipfile.ZipFile(io.BytesIO(data)).namelist()) == 4


def test_archive_beyond_4_gib_keeps_its_offsets() -> None:
    printer = archive_module.SvgArchive(get_style("qr-25x25"))
    printer._position = 5 << 30  # as if so much had gone before; zipfile takes what is missing for a cut head
    data = printer.add(label()) + printer.add(label(1)) + b"".join(printer.finish())
    packed = zipfile.ZipFile(io.BytesIO(data))
    assert packed.testzip() is None
    assert len(packed.namelist()) == 2


@needs_font
def test_pdf_embeds_chinese_and_lets_it_be_searched() -> None:
    data = b"".join(render_pdf([label()], "item-50x30"))
    assert b"/FontFile3" in data and b"STSong" not in data
    text = pdf_pages(data)[0][1]
    for expected in (
        "婴儿配方奶粉",
        "Infant formula",
        "L2025-0731A",
        "2027-05-31",
        "广州",
        "(01)09506000134352",
    ):
        assert expected in text


def test_without_a_font_a_pdf_names_the_standard_one_and_zpl_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_module, "find_typeface", lambda: None)
    monkeypatch.setattr(zpl_module, "find_typeface", lambda: None)
    data = b"".join(render_pdf([label()], "item-50x30"))
    assert b"/STSong-Light" in data
    assert scan(pdf_pages(data)[0][0]) == [label().uri]
    with pytest.raises(UnsupportedError, match=r"printing\.font\.absent"):
        render_zpl([label()], "item-50x30")
    assert b"".join(render_zpl([label()], "qr-25x25"))


@needs_font
def test_same_labels_same_bytes() -> None:
    for name in FORMATS:
        once, twice = (b"".join(render(name, [label()], "item-40x20")) for _ in range(2))
        assert once == twice


def test_scratch_code_is_on_styles_with_a_panel_only() -> None:
    for name in STYLES:
        shown = label().scratch_code in render_svg(label(), get_style(name))
        assert shown == (get_style(name).panel is not None)


def test_codes_that_are_not_gs1_print_without_ai_lines() -> None:
    item = Label(uri="https://goods.example/obj/tea.00017", name_en="Tea")
    document = render_svg(item, get_style("item-50x30"))
    assert "(01)" not in document and "LOT" not in document
    assert scan(svg_image(document)) == [item.uri]


def test_progress_is_told() -> None:
    told: list[int] = []
    for _ in render("csv", (label(n) for n in range(2500)), "qr-25x25", progress=told.append):
        pass
    assert told == [1000, 2000, 2500]


@pytest.mark.parametrize(
    ("call", "kind", "code"),
    [
        (lambda: render("docx", [label()], "qr-25x25"), UnsupportedError, "printing.format.unknown"),
        (lambda: render("pdf", [label()], "poster"), NotFoundError, "printing.style.unknown"),
        (lambda: render("pdf", [], "qr-25x25"), InputError, "printing.labels.empty"),
        (lambda: render("zpl", [label()], "qr-25x25", 150), InputError, "printing.dpi"),
        (
            lambda: render("pdf", [label(uri="HTTPS://X/" + "A" * 250)], "qr-25x25"),
            InputError,
            "printing.label.uri_too_long",
        ),
        (
            lambda: render("zpl", [label(uri="https://x/" + "a" * 245)], "a4-5x13"),
            RefusedError,
            "printing.module.too_small",
        ),
        (lambda: render("svg", [label(uri="https://x/é")], "qr-25x25"), InputError, "printing.label.uri"),
        (lambda: render("svg", [label(uri="ftp://x/1")], "qr-25x25"), InputError, "printing.label.uri"),
        (lambda: render("csv", [label(gtin="123")], "qr-25x25"), InputError, "printing.label.gtin"),
        (lambda: render("csv", [label(lot="A B")], "qr-25x25"), InputError, "printing.label.code"),
        (lambda: render("csv", [label(lot="=1+1")], "qr-25x25"), RefusedError, "printing.csv.formula"),
        (
            lambda: render("pdf", [label(name_zh="奶" * 201)], "item-40x20"),
            InputError,
            "printing.label.text_too_long",
        ),
    ],
)
def test_bad_inputs_are_refused_before_the_first_byte(call, kind: type, code: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.code == code


texts = st.text(st.characters(exclude_categories=()), max_size=60)
evil = st.sampled_from(
    ["^XZ~JA", "]]><script>&\"'", "\\) Tj ET", "_5E^FS", "=cmd|' /C calc'!A0", "\u202eabc", "𠮷野家"]
)


@given(name=texts | evil, city=texts | evil)
@settings(max_examples=50, deadline=None)
def test_any_text_stays_text(name: str, city: str) -> None:
    item = label(name_zh=name, name_en=name, city=city)
    style = get_style("roll-58x40")
    root = ElementTree.fromstring(render_svg(item, style))
    drawn = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert "(21)" + item.serial in drawn
    commands = b"".join(render_zpl([item], style)).decode("ascii") if find_typeface() else ""
    for line in commands.splitlines()[1:-1]:
        assert re.fullmatch(r"\^FO\d+,\d+(\^GFA,[^^~]*|\^GB[\d,]+|\^A0N,\d+\^FH_\^FD[^^~]*)\^FS", line)
    row = next(csv.DictReader(io.StringIO(b"".join(render_csv([item])).decode("utf-8-sig"), newline="")))
    assert row["city"].removeprefix("'") == tidy(city).removeprefix("'")
    assert not row["city"].startswith(("=", "+", "-", "@"))


@given(name=texts | evil)
@settings(max_examples=20, deadline=None)
def test_any_text_leaves_a_whole_pdf(name: str) -> None:
    item = label(name_zh=name, name_en=name)
    image, text = pdf_pages(b"".join(render_pdf([item], "item-50x30")), dpi=150)[0]
    assert scan(image) == [item.uri]
    assert item.serial in text


def test_thousand_labels_in_two_seconds() -> None:
    from time import process_time

    b"".join(render_pdf([label()], "a4-3x8"))  # the font is read once a process
    start = process_time()
    size = sum(map(len, render_pdf((label(n) for n in range(1000)), "a4-3x8")))
    assert size > 100_000
    assert process_time() - start < 2


def peak(format_name: str, style: str, count: int) -> int:
    def labels() -> Iterator[Label]:
        return (label(n) for n in range(count))

    b"".join(render(format_name, [label()], style))
    tracemalloc.start()
    try:
        for _ in render(format_name, labels(), style):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("format_name", [name for name in FORMATS if name not in ("png", "tiff")])
def test_memory_does_not_grow_with_the_number_of_labels(format_name: str) -> None:
    assert peak(format_name, "qr-25x25", 800) < 2_000_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("format_name", "style"), [("pdf", "qr-25x25"), ("pdf", "a4-5x13"), ("svg", "qr-25x25")]
)
def test_twenty_thousand_labels_take_no_more_than_a_hundred(format_name: str, style: str) -> None:
    few = peak(format_name, style, 100)  # the font alone takes some 24 MB while its subset is made
    assert peak(format_name, style, 20_000) < few + 3_000_000


def test_a_printer_can_be_fed_by_hand() -> None:
    printer = open_printer("pdf", get_style("qr-25x25"))
    data = printer.add(label()) + printer.add(label(1)) + b"".join(printer.finish())
    assert data.startswith(b"%PDF") and data.endswith(b"%%EOF\n")
    assert len(pdf_pages(data)) == 2


def test_pages_beyond_one_node_of_the_tree() -> None:
    data = b"".join(render_pdf((label(n) for n in range(600)), "qr-25x25"))
    assert data.count(b"/Type /Pages ") == 4
    reader = pytest.importorskip("pypdfium2")
    document = reader.PdfDocument(data)
    assert len(document) == 600
    page = document[599]
    assert scan(page.render(scale=3).to_pil()) == [label(599).uri]
    page.close()
    document.close()
