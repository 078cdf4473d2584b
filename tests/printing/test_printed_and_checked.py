"""What is printed can be enrolled and checked: from the file to a simulated print, to line camera and phone."""

from __future__ import annotations

import io
import zipfile

import pytest
from PIL import Image, ImageChops
from printed_labels import whole_label

from suyuan.label.model import Placement
from suyuan.printing import find_typeface, get_style, pattern_placement, render_images

np = pytest.importorskip("numpy", reason="the extra label is not installed")
pytest.importorskip("cv2", reason="the extra label is not installed")
camera = pytest.importorskip("suyuan.label.simulation.pattern_camera")
pattern = pytest.importorskip("suyuan.label.pattern")
press_room = pytest.importorskip("suyuan.label.simulation.print_press")
needs_font = pytest.mark.skipif(find_typeface() is None, reason="the Chinese font package is not installed")


@needs_font
@pytest.mark.parametrize(
    ("name", "dpi", "technology", "pixel"),
    [
        ("press-21x13", 812, "press", 32.0),
        ("tag-50x25", 812, "press", 36.0),
        ("tag-50x25", 600, "laser", 36.0),
        ("a4-3x8-pattern", 600, "laser", 36.0),
        ("roll-58x40-pattern", 203, "thermal", 36.0),
        ("roll-58x40-pattern", 300, "thermal", 36.0),
    ],
)
def test_a_print_matches_its_record_and_a_second_one_does_not(
    name: str, dpi: int, technology: str, pixel: float
) -> None:
    style = get_style(name)
    item = whole_label(style, 5)
    packed = zipfile.ZipFile(io.BytesIO(b"".join(render_images([item], style, dpi, form="png"))))
    image = Image.open(io.BytesIO(packed.read(packed.namelist()[0]))).convert("L")
    code, square = style.symbol, style.pattern
    assert square is not None
    edges = (code.x, code.y, square.x + square.side + 0.5, max(code.y + code.side, square.y + square.side))
    seen = image.crop(tuple(round(edge * dpi / 25.4) for edge in edges))
    dots = (np.asarray(ImageChops.invert(seen)) > 0).astype(np.uint8)

    rng = np.random.Generator(np.random.PCG64([dpi, len(name)]))
    press = press_room.draw_press("calibration", rng, technology=technology, dpi=dpi)
    once, twice = (
        press_room.print_dots(dots, press, rng),
        press_room.print_dots(dots, press_room.another_day(press, rng), rng),
    )
    scanner = camera.draw_scanner("calibration", rng)
    frames = [camera.as_png(camera.scan(once, scanner, rng)) for _ in range(3)]
    record = pattern.enrol_pattern(
        frames, item.uri, item.pattern, Placement(*pattern_placement(style, item, dpi))
    )

    photos = [
        camera.photograph(printed, camera.draw_phone("calibration", rng, pixel=pixel), rng)
        for printed in (once, twice)
    ]
    matches, differs = (pattern.verify_pattern(photo, record, item.pattern, item.uri) for photo in photos)
    assert (matches.answer, differs.answer) == ("matches", "differs")
    assert matches.quality["registration"] < 0.3 and matches.score - differs.score > 0.1
