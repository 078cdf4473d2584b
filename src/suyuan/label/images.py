"""Bytes that claim to be a photograph become pixels, or a clear refusal.

The header is read first, and nothing is decoded that the header alone shows to be too much: a few kilobytes can
announce hundreds of megapixels. A file that ends early is refused too. Its decoder would fill the rest with grey, and
grey cells look like a measurement.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
from typing import Any, Final, Literal

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from suyuan.errors import InputError, TooLargeError

MAX_BYTES: Final = 20 * 1000 * 1000
MAX_PIXELS: Final = 40 * 1000 * 1000
MIN_SIDE: Final = 16

_ORIENTATION: Final = 0x0112  # the EXIF tag
_TAKE_ANOTHER: Final = "Send a photo as JPEG, PNG or WebP, 8 bits a channel, as the camera wrote it."
_SMALLER: Final = (
    f"Send at most {MAX_BYTES // 1_000_000} MB and {MAX_PIXELS // 1_000_000} megapixels;"
    " a photo in the camera's ordinary mode, cropped to the label, is enough."
)
# In a JPEG's coded data 0xFF is followed by 0x00, by a restart mark or by itself; anything else is a marker.
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


class Header(msgspec.Struct, frozen=True):
    """What a file says about itself before a pixel is decoded; ``width`` and ``height`` as stored, not as turned."""

    form: Literal["JPEG", "PNG", "WEBP"]
    width: int
    height: int
    orientation: int = 1


def read_header(data: bytes) -> Header:
    """The header of a JPEG, PNG or WebP, after every bound on it has been checked.

    Raises ``TooLargeError`` (``label.image.too_large``) and ``InputError`` (``label.image.form``).
    """
    if len(data) > MAX_BYTES:
        raise _too_large(f"The image has {len(data):,} bytes.")
    form = _form_of(data)
    if form == "WEBP":
        # Pillow makes room for a WebP's whole canvas as it opens it, so its size is read here first.
        _bound(*_webp_canvas(data))
    image = _opened(data, form)
    _bound(*image.size)
    if image.mode in ("CMYK", "YCCK", "LAB"):
        raise _form(f"The image's colours are {image.mode}, meant for a press.")
    if _is_deep(image):
        raise _form("The image has 16 bits a channel.")
    if form != "JPEG" and getattr(image, "is_animated", False):
        raise _form("The image is an animation.")
    if not _is_whole(data, form):
        raise _form("The image ends before its last row: the file was cut off.")
    width, height = image.size
    return Header(form, width, height, _orientation(image.info.get("exif")))


def decode(data: bytes) -> NDArray[np.uint8]:
    """The pixels of a JPEG, PNG or WebP as (height, width, 3), blue first, upright as EXIF says.

    Raises ``TooLargeError`` (``label.image.too_large``) and ``InputError`` (``label.image.form``).
    """
    header = read_header(data)
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image: Any = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None or image.shape != (header.height, header.width, 3):
        raise _form(f"The {header.form} cannot be decoded: its data is damaged.")
    return _upright(image, header.orientation)


def reduce(image: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """The image with its longer side at most ``longest`` pixels, each the mean of those it stands for."""
    height, width = image.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _form_of(data: bytes) -> Literal["JPEG", "PNG", "WEBP"]:
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    raise _form("This is not an image in a form that is read here." if data else "The image is empty.")


def _opened(data: bytes, form: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of sizes that are bounded here
            return Image.open(io.BytesIO(data), formats=(form,))
    except Image.DecompressionBombError as error:
        raise _too_large("The image announces more pixels than any camera has.") from error
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, struct.error) as error:
        raise _form(f"The header of the {form} cannot be read.") from error


def _bound(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _too_large(f"The image announces {width} x {height} pixels.")
    if min(width, height) < MIN_SIDE:
        raise _form(f"The image has {width} x {height} pixels; no label is to be seen on it.")


def _webp_canvas(data: bytes) -> tuple[int, int]:
    kind, body = data[12:16], data[20:30]
    if len(body) == 10:
        if kind == b"VP8X":
            return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
        if kind == b"VP8L":
            bits = int.from_bytes(body[1:5], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        if kind == b"VP8 ":
            width, height = struct.unpack("<HH", body[6:10])
            return width & 0x3FFF, height & 0x3FFF
    raise _form("The header of the WEBP cannot be read.")


def _is_deep(image: Image.Image) -> bool:
    if image.mode.startswith(("I", "F")):
        return True
    # A PNG of 16 bits in colour is "RGB" to Pillow; how its rows are stored tells.
    return any("16" in str(tile[3]) for tile in getattr(image, "tile", ()))


def _is_whole(data: bytes, form: str) -> bool:
    if form == "JPEG":
        return _jpeg_is_whole(data)
    if form == "WEBP":
        return len(data) >= 8 + int.from_bytes(data[4:8], "little")
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IEND":
            return True
        at += 12 + length
    return False


def _jpeg_is_whole(data: bytes) -> bool:
    """Whether the end marker comes that belongs to the picture, not to a thumbnail inside its header."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return False
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xD9:
            return True
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            found = _NEXT_MARKER.search(data, at)
            if found is None:
                return False
            at = found.start()
    return data[at : at + 2] == b"\xff\xd9"


def _orientation(exif: bytes | None) -> int:
    if not exif:
        return 1
    tags = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tags.load(exif)
            value = tags.get(_ORIENTATION, 1)
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, struct.error):
        return 1  # damaged notes of a camera are no reason to refuse its picture
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(image: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    if orientation >= 5:
        image = image.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)


def _form(reason: str) -> InputError:
    return InputError("label.image.form", reason, remedy=_TAKE_ANOTHER)


def _too_large(reason: str) -> TooLargeError:
    return TooLargeError("label.image.too_large", reason, remedy=_SMALLER)
