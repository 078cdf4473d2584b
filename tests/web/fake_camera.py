"""Pictures as a camera that Chromium opens: a film without sound, and a browser that takes it for its camera."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import zxingcpp
from PIL import Image

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


def film(path: Path, pictures: Iterable[Image.Image], rate: int = 10) -> str:
    """Write a film of pictures of one size (even sides) in YUV4MPEG2; returns the argument that makes it the camera."""
    with path.open("wb") as target:
        for count, picture in enumerate(pictures):
            if not count:
                head = f"YUV4MPEG2 W{picture.width} H{picture.height} F{rate}:1 Ip A1:1 C420jpeg\n"
                target.write(head.encode())
            luma, blue, red = picture.convert("YCbCr").split()
            half = (picture.width // 2, picture.height // 2)
            planes = (luma, blue.resize(half), red.resize(half))
            target.write(b"FRAME\n" + b"".join(plane.tobytes() for plane in planes))
    return f"--use-file-for-fake-video-capture={path}"


def code(
    text: str, form: zxingcpp.BarcodeFormat, size: tuple[int, int] = (640, 480), side: int = 320
) -> Image.Image:
    """A picture of a code on a grey table."""
    drawn = zxingcpp.create_barcode(text, form).to_image(scale=8)
    height, width = drawn.shape[:2]
    found = Image.frombytes("L", (width, height), bytes(memoryview(drawn)))
    scale = side / max(found.size)
    found = found.resize(
        (round(found.width * scale), max(120, round(found.height * scale))), Image.Resampling.BICUBIC
    )
    table = Image.new("L", size, 150)
    table.paste(found, ((size[0] - found.width) // 2, (size[1] - found.height) // 2))
    return table
