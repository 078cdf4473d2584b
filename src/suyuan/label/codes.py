"""The QR code of a label, found and then measured to a fraction of a pixel.

A decoder needs the corners to within half a module; telling one print from another needs them to a tenth of a pixel.
So the decoder only finds and reads the code. Its modules, sampled from the photo itself, are then the yardstick: they
are drawn again as the camera would see them, block by block the drawing is laid on the photo, and the homography is
fitted anew to the shifts that were measured.

Pixels count from the centre of the first one, as OpenCV counts them; modules from the outer corner of the first one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from suyuan.label.grid import Refined, refine
from suyuan.label.images import reduce

Floats = NDArray[np.float64]
View = tuple[
    NDArray[np.uint8], Floats
]  # an image to look for codes in, and what takes its pixels to the whole image's

# The code that labels have. To the decoder "QRCode" is a family: micro codes and rectangular ones belong to it too.
_FORMATS: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
_QUICK_LONGEST: Final = 1920  # a first look at this size finds nearly every code
_LARGEST: Final = 2560  # of a view that is enlarged
_MARGIN: Final = 2.0  # modules around the code that come into the crop


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """A code in an image: what it says, and where each of its modules lies.

    ``homography`` takes module coordinates (x, y, 1) to pixels. ``rms`` is how far, in pixels, blocks of modules
    lie from where it says: large for a bent label, and where nothing could be measured. ``modules`` are those
    sampled, True for dark, row by row.
    """

    text: str
    size: int
    homography: Floats
    rms: float
    pixels_per_module: float
    modules: NDArray[np.bool_]
    inverted: bool


def locate(image: NDArray[np.uint8], expected: str | None = None, thorough: bool = True) -> Located | None:
    """The code in ``image`` that says ``expected``; without one that does, the largest code; None without any.

    ``image`` is grey or has three channels, blue first. Whoever expects a text compares it with the answer's.
    Where it is not ``thorough``, a code that is not seen in the image as it is is not looked for any further.
    """
    grey = _grey(image)
    found = _find(grey, expected, thorough)
    if found is None:
        return None
    text, size, corners = found
    rough = homography_of(corners, size)
    refined = _refined_in_crop(grey, rough, size)
    return Located(
        text,
        size,
        refined.homography,
        refined.rms,
        pixels_per_module(refined.homography, size),
        refined.modules,
        refined.inverted,
    )


def locate_roughly(
    image: NDArray[np.uint8], expected: str | None = None, thorough: bool = True
) -> Located | None:
    """The same from the decoder's corners alone, which are whole pixels: ``rms`` says that nothing was measured.

    It is there to show what measuring is good for.
    """
    grey = _grey(image)
    found = _find(grey, expected, thorough)
    if found is None:
        return None
    text, size, corners = found
    rough = homography_of(corners, size)
    pixels = pixels_per_module(rough, size)
    return Located(text, size, rough, pixels, pixels, np.zeros((size, size), np.bool_), False)


def same_uri(one: str, other: str) -> bool:
    """Whether two codes say the same: upper case saves modules, and only scheme and host may be in either case."""
    return _canonical(one) == _canonical(other)


def homography_of(corners: Floats, size: int) -> Floats:
    """The homography that takes the corners of a square of ``size`` modules to four pixels, clockwise."""
    square = np.array([(0, 0), (size, 0), (size, size), (0, size)], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(square, corners.astype(np.float32)), np.float64)


def project(homography: Floats, points: Floats) -> Floats:
    """``points`` (..., 2) taken through ``homography``."""
    mapped = points @ homography[:, :2].T + homography[:, 2]
    return np.asarray(mapped[..., :2] / mapped[..., 2:], np.float64)


def pixels_per_module(homography: Floats, size: int) -> float:
    """The square root of the pixels that a module covers, over the whole code."""
    square = np.array([(0, 0), (size, 0), (size, size), (0, size)], np.float64)
    x, y = project(homography, square).T
    area = 0.5 * abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))
    return float(np.sqrt(area)) / size


def _grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def _canonical(uri: str) -> str:
    scheme, mark, rest = uri.partition("://")
    if not mark:
        return uri
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}"


def _find(grey: NDArray[np.uint8], expected: str | None, thorough: bool) -> tuple[str, int, Floats] | None:
    """Text, modules a side and corners in pixels. Later looks cost more and are for what the first did not show."""
    best: tuple[str, int, Floats] | None = None
    for attempt, look in enumerate(_LOOKS if thorough else _QUICK_LOOKS):
        view, to_image = look(grey)
        codes = zxingcpp.read_barcodes(
            np.ascontiguousarray(view), formats=_FORMATS, try_downscale=attempt > 0, try_invert=attempt > 0
        )
        sized = [(code.text, _size(code), project(to_image, _corners(code))) for code in codes]
        for code in sorted(sized, key=lambda each: cv2.contourArea(each[2].astype(np.float32)), reverse=True):
            if expected is None or same_uri(code[0], expected):
                return code
            best = best or code
    return best


def _quickly(grey: NDArray[np.uint8]) -> View:
    return _scaled(grey, reduce(grey, _QUICK_LONGEST))


def _as_it_is(grey: NDArray[np.uint8]) -> View:
    return _scaled(grey, grey)


def _sharpened(grey: NDArray[np.uint8]) -> View:
    """For small or blurred modules: more pixels, steeper edges."""
    return _scaled(grey, _steepened(_enlarged(grey, 2), 4))


def _smoothed(grey: NDArray[np.uint8]) -> View:
    """For noise: the same, on what was smoothed before."""
    soft = np.asarray(cv2.GaussianBlur(_enlarged(grey, 3), (0, 0), 2), np.uint8)
    return _scaled(grey, _steepened(soft, 6))


def _turned(look: Callable[[NDArray[np.uint8]], View]) -> Callable[[NDArray[np.uint8]], View]:
    """The same by half a right angle: the decoder looks along rows and columns, and sees least across."""

    def turned(grey: NDArray[np.uint8]) -> View:
        view, to_image = look(grey)
        height, width = view.shape
        side = int(np.hypot(height, width)) + 1
        turn = np.vstack([cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), 45, 1), (0, 0, 1)])
        turn[:2, 2] += (side - width) / 2, (side - height) / 2
        seen = cv2.warpAffine(view, turn[:2], (side, side), borderMode=cv2.BORDER_CONSTANT, borderValue=200)
        return np.asarray(seen, np.uint8), to_image @ np.linalg.inv(turn)

    return turned


_QUICK_LOOKS: Final = (_quickly, _as_it_is)
_LOOKS: Final = (*_QUICK_LOOKS, _sharpened, _smoothed, _turned(_sharpened), _turned(_smoothed))


def _scaled(grey: NDArray[np.uint8], view: NDArray[np.uint8]) -> View:
    """A view of the whole image in another size; the middle of a pixel of one is not that of the other."""
    scale = max(grey.shape) / max(view.shape)
    shift = (scale - 1) / 2
    return view, np.array([(scale, 0, shift), (0, scale, shift), (0, 0, 1)])


def _enlarged(grey: NDArray[np.uint8], times: float) -> NDArray[np.uint8]:
    """As many times larger as leaves a picture that is looked through in a moment."""
    small = reduce(grey, _LARGEST // 2)
    times = min(times, _LARGEST / max(small.shape))
    return np.asarray(cv2.resize(small, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC), np.uint8)


def _steepened(grey: NDArray[np.uint8], reach: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.addWeighted(grey, 4, cv2.GaussianBlur(grey, (0, 0), reach), -3, 0), np.uint8)


def _size(code: zxingcpp.Barcode) -> int:
    return 17 + 4 * int(cast(dict[str, str], code.extra)["Version"])


def _corners(code: zxingcpp.Barcode) -> Floats:
    place = code.position
    points = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    # The decoder counts from the outer edge of the first pixel.
    return np.array([(point.x, point.y) for point in points], np.float64) - 0.5


def _refined_in_crop(grey: NDArray[np.uint8], rough: Floats, size: int) -> Refined:
    """Refined on a crop, brought to a scale at which a module has enough pixels and no more."""
    around = np.array(
        [(x, y) for x in (-_MARGIN, size + _MARGIN) for y in (-_MARGIN, size + _MARGIN)], np.float64
    )
    corners = project(rough, around)
    height, width = grey.shape
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, (width - 1, height - 1))
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 1, 1, (width, height))
    crop = grey[top:bottom, left:right]
    factor = max(1, int(pixels_per_module(rough, size) // 6))
    to_crop = np.array([(1, 0, -left), (0, 1, -top), (0, 0, 1)], np.float64)
    if factor > 1:
        rows, columns = (crop.shape[0] // factor) * factor, (crop.shape[1] // factor) * factor
        crop = np.asarray(
            cv2.resize(
                crop[:rows, :columns], (columns // factor, rows // factor), interpolation=cv2.INTER_AREA
            ),
            np.uint8,
        )
        half = (1 / factor - 1) / 2
        to_crop = np.array([(1 / factor, 0, half), (0, 1 / factor, half), (0, 0, 1)]) @ to_crop
    refined = refine(crop, to_crop @ rough, size)
    homography = np.linalg.inv(to_crop) @ refined.homography
    return Refined(homography / homography[2, 2], refined.rms * factor, refined.modules, refined.inverted)
