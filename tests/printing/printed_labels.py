"""Ways to look at printed labels as a scanner would: everything becomes dots first."""

from __future__ import annotations

import re
from datetime import date
from xml.etree import ElementTree

import zxingcpp
from PIL import Image, ImageDraw

from suyuan.printing import Label, Style, sample_pattern
from suyuan.printing.symbol import draw_symbol

HOST = "HTTPS://ID.EXAMPLE.CN"
GTIN = "09506000134352"
_FIELD = re.compile(r"\^FO(\d+),(\d+)\^GFA,(\d+),(\d+),(\d+),([^^]*)\^FS")
_RUN = re.compile(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z")


def label(number: int = 0, **changes: object) -> Label:
    serial = f"0ABCDEFGHJKMNP{number:06d}"
    fields: dict[str, object] = {
        "uri": f"{HOST}/01/{GTIN}/21/{serial}",
        "gtin": GTIN,
        "serial": serial,
        "lot": "L2025-0731A",
        "expiry": date(2027, 5, 31),
        "name_zh": "荷兰婴儿配方奶粉 1段 800克（原装进口）",
        "name_en": "Infant formula, stage 1, 800 g",
        "city": "广州",
        "scratch_code": "7K2M9QXW4TBD",
    }
    return Label(**{**fields, **changes})  # type: ignore[arg-type]


def whole_label(style: Style, number: int = 0) -> Label:
    """A label with all that the style draws: a pattern of its own where there is room for one."""
    if style.pattern is None:
        return label(number)
    return label(number, pattern=bytes(each ^ (number & 0xFF) for each in sample_pattern()))


def scan(image: Image.Image) -> list[str]:
    return sorted(found.text for found in zxingcpp.read_barcodes(image, zxingcpp.BarcodeFormat.QRCode))


def read_pattern(image: Image.Image, placement: tuple[float, float, float]) -> bytes:
    """The bits of the pattern beside the only symbol on ``image``, found by the symbol and the placement alone."""
    left, top, module = _symbol_on(image)
    x, y, side = placement
    step = side * module / 64
    bits = 0
    for row in range(64):
        for column in range(64):
            at = (
                int(left + x * module + (column + 0.5) * step),
                int(top + y * module + (row + 0.5) * step),
            )
            bits = bits << 1 | (image.getpixel(at) < 128)  # type: ignore[operator]
    return bits.to_bytes(512)


def _symbol_on(image: Image.Image) -> tuple[float, float, float]:
    """The corner of the symbol's first module in pixels, and the pixels of a module: from its outermost ink."""
    [found] = zxingcpp.read_barcodes(image, zxingcpp.BarcodeFormat.QRCode)
    place = found.position
    corners = (place.top_left, place.top_right, place.bottom_left, place.bottom_right)
    size = draw_symbol(found.text).size
    across = [corner.x for corner in corners]
    down = [corner.y for corner in corners]
    reach = 2 * (max(across) - min(across)) / size  # half of the quiet zone: nothing else is printed there
    left, top = int(min(across) - reach), int(min(down) - reach)
    around = image.crop((left, top, int(max(across) + reach) + 1, int(max(down) + reach) + 1))
    inner = around.point(lambda pixel: 255 if pixel < 128 else 0).getbbox()
    assert inner is not None
    assert abs((inner[2] - inner[0]) - (inner[3] - inner[1])) <= 1
    return left + inner[0], top + inner[1], (inner[2] - inner[0]) / size


def zpl_image(commands: str) -> Image.Image:
    """The dots of one label's graphics, at one pixel a dot."""
    width = int(re.search(r"\^PW(\d+)", commands)[1])  # type: ignore[index]
    height = int(re.search(r"\^LL(\d+)", commands)[1])  # type: ignore[index]
    paper = Image.new("L", (width, height), 255)
    for x, y, total, again, row_bytes, data in _FIELD.findall(commands):
        assert total == again
        rows = _unpacked(data, int(row_bytes) * 2)
        assert len(rows) * int(row_bytes) == int(total)
        for dy, row in enumerate(rows):
            bits = f"{int(row, 16):0{len(row) * 4}b}"
            for dx, bit in enumerate(bits):
                if bit == "1":
                    paper.putpixel((int(x) + dx, int(y) + dy), 0)
    return paper


def _unpacked(data: str, digits: int) -> list[str]:
    """Rows of hexadecimal digits out of ZPL's short form."""
    rows: list[str] = []
    row, count = "", 0
    for char in data:
        if char == ":":
            rows.append(rows[-1])
        elif char == ",":
            rows.append(row.ljust(digits, "0"))
            row = ""
        elif "G" <= char <= "Y":
            count += ord(char) - ord("G") + 1
        elif "g" <= char <= "z":
            count += 20 * (ord(char) - ord("g") + 1)
        else:
            row += char * (count or 1)
            count = 0
            if len(row) == digits:
                rows.append(row)
                row = ""
    assert not row and not count
    return rows


def svg_image(document: str, dots_per_mm: float = 300 / 25.4) -> Image.Image:
    """The symbol of an SVG label and its pattern, painted at the printed size."""
    root = ElementTree.fromstring(document)
    name = "{http://www.w3.org/2000/svg}"
    width, height = (float(root.attrib[side].removesuffix("mm")) for side in ("width", "height"))
    paper = Image.new("L", (round(width * dots_per_mm), round(height * dots_per_mm)), 255)
    paths = root.findall(f"{name}path")
    assert paths
    draw = ImageDraw.Draw(paper)
    for path in paths:
        x, y, scale = map(float, re.findall(r"[\d.]+", path.attrib["transform"]))
        for column, row, length, back in _RUN.findall(path.attrib["d"]):
            assert length == back
            corners = (int(column), int(row)), (int(column) + int(length), int(row) + 1)
            (left, top), (right, bottom) = (
                (round((x + a * scale) * dots_per_mm), round((y + b * scale) * dots_per_mm))
                for a, b in corners
            )
            draw.rectangle((left, top, right - 1, bottom - 1), fill=0)
    return paper
