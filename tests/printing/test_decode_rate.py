"""Every label that is printed is read again from an everyday photo, at its printed size; worse photos are read less."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from PIL import Image
from printed_labels import svg_image, whole_label, zpl_image

cv2 = pytest.importorskip("cv2", reason="the extra `label` is not installed")

import numpy as np  # noqa: E402

from suyuan.cli.label_codes import code_rates, printed_codes  # noqa: E402
from suyuan.errors import RefusedError  # noqa: E402
from suyuan.label.codes import locate, project  # noqa: E402
from suyuan.label.evaluation_codes import (  # noqa: E402
    EVERYDAY,
    CodeTask,
    PrintedCode,
    Shot,
    degraded,
    is_read,
    photograph,
    read_rate,
)
from suyuan.printing import (  # noqa: E402
    Label,
    built_in_styles,
    find_typeface,
    get_style,
    render_images,
    render_pdf,
    render_svg,
    render_zpl,
)

STYLES = tuple(built_in_styles())
PIXELS_PER_MM = (
    12  # of the photo: three for a module of 0.25 mm; a phone over a hand's breadth of paper has more
)
DOTS_PER_MM = 400 / 25.4
Printed = tuple[Image.Image, float]
needs_font = pytest.mark.skipif(find_typeface() is None, reason="the Chinese font package is not installed")


def pdf_dots(item: Label, name: str) -> Printed:
    reader = pytest.importorskip("pypdfium2", reason="pypdfium2 rasterises PDF in tests")
    document = reader.PdfDocument(b"".join(render_pdf([item], name)))
    try:
        page = document[0]
        image = page.render(scale=DOTS_PER_MM * 25.4 / 72, grayscale=True).to_pil()
        page.close()
    finally:
        document.close()
    return image, DOTS_PER_MM


def svg_dots(item: Label, name: str) -> Printed:
    return svg_image(render_svg(item, get_style(name)), DOTS_PER_MM), DOTS_PER_MM


def zpl_dots(dpi: int) -> Callable[[Label, str], Printed]:
    def dots(item: Label, name: str) -> Printed:
        return zpl_image(b"".join(render_zpl([item], name, dpi)).decode("ascii")), dpi / 25.4

    return dots


def press_dots(form: str) -> Callable[[Label, str], Printed]:
    def dots(item: Label, name: str) -> Printed:
        packed = zipfile.ZipFile(io.BytesIO(b"".join(render_images([item], name, form=form))))
        return Image.open(io.BytesIO(packed.read(packed.namelist()[0]))), 812 / 25.4

    return dots


FORMATS: dict[str, Callable[[Label, str], Printed]] = {
    "pdf": pdf_dots,
    "svg": svg_dots,
    "zpl 203": zpl_dots(203),
    "zpl 300": zpl_dots(300),
    "zpl 600": zpl_dots(600),
    "png": press_dots("png"),
    "tiff": press_dots("tiff"),
}


def printed_code(item: Label, printed: Printed) -> PrintedCode:
    """The dots with the place of their code, which the reader finds on the dots themselves."""
    image, per_mm = printed
    dots = np.asarray(image.convert("L"))
    found = locate(dots, item.uri)
    assert found is not None, "not even the dots are read"
    corners = (project(found.homography, np.array([(0.0, 0.0), (found.size, found.size)])) + 0.5) / per_mm
    (left, top), (right, _) = corners
    side = float(right - left)
    return PrintedCode("", dots, per_mm, (float(left), float(top), side), side / found.size, item.uri)


@needs_font
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", STYLES)
def test_every_label_is_read_from_an_everyday_photo_at_its_printed_size(name: str, form: str) -> None:
    item = whole_label(get_style(name))
    try:
        printed = FORMATS[form](item, name)
    except RefusedError as refused:
        assert refused.code.startswith("printing.")  # too coarse a printer for this style; nothing is printed
        return
    code = printed_code(item, printed)
    assert code.module >= 0.25 - 1e-3
    shot = Shot(pixels_per_module=PIXELS_PER_MM * code.module, blur=EVERYDAY.blur * 0.25 / code.module)
    for seed in range(3):
        assert is_read(photograph(code, shot, seed), item.uri), seed


def smallest() -> PrintedCode:
    """The printed code with the smallest modules."""
    return min(printed_codes(), key=lambda printed: printed.module)


def test_the_smallest_module_is_read_where_it_has_a_quarter_of_a_millimetre() -> None:
    """Any printed code, scaled to modules of 0.25 mm, at three pixels a module: what the finest print comes to."""
    prints = printed_codes()[::5]
    assert len(prints) >= 8
    assert read_rate(CodeTask("everyday", 0, 2 * len(prints), 3), prints).read.value == 1


def test_worse_photos_are_read_less_and_hopeless_ones_not() -> None:
    prints = [smallest()]
    for name, good, hopeless in [
        ("pixels_per_module", 4, 0.8),
        ("blur", 0.3, 1.3),
        ("smear", 0.5, 4),
        ("noise", 8, 120),
        ("light", 0.5, 0.01),
        ("tilt", 20, 80),
        ("glare", 0.01, 0.45),
        ("quality", 60, 1),
    ]:
        best, worst = (read_rate(CodeTask(name, step, 6, 1), prints).read.count for step in (good, hopeless))
        assert best >= 5 > worst, name


def test_a_code_is_read_at_any_turn() -> None:
    prints = [smallest()]
    for turn in (0, 37, 90, 133, 180, 270):
        assert is_read(photograph(prints[0], Shot(turn=turn), turn), prints[0].uri)


def test_a_photo_follows_from_its_seed() -> None:
    printed = smallest()
    first, again, other = (photograph(printed, EVERYDAY, seed) for seed in (4, 4, 5))
    assert (first == again).all()
    assert first.shape != other.shape or (first != other).any()


def test_degrading_changes_one_thing() -> None:
    assert degraded("blur", 0.9) == Shot(blur=0.9)
    assert degraded("quality", 10) == Shot(quality=10)


def test_the_product_s_own_table_has_a_row_for_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    from suyuan.label import evaluation_codes

    monkeypatch.setattr(evaluation_codes, "DEGRADATIONS", {"blur": (0.3,), "turn": (90,)})
    rates = code_rates(2, 0, 1)
    assert [(rate.degradation, rate.step, rate.read.of) for rate in rates] == [
        ("everyday", 0, 2),
        ("blur", 0.3, 2),
        ("turn", 90, 2),
    ]
