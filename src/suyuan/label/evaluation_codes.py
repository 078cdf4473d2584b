"""How often the code of a printed label is read from worse and worse photos. Pure, seeded.

A label as dots is photographed: turned, tilted, defocused, smeared, in poor light, under glare, noisy, compressed. One
thing at a time gets worse, the rest stays as an everyday photo has it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import cv2
import msgspec
import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from suyuan.label.codes import locate, same_uri
from suyuan.label.evaluation_rates import Rate, rate

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class PrintedCode:
    """A label as dots, 0 for ink and 255 for paper, and where its code lies on it, in mm from the upper left."""

    name: str
    dots: Grey
    dots_per_mm: float
    code: tuple[float, float, float]  # x, y, side
    module: float
    uri: str


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """How a photo is taken. Blurs in modules of the code, tilt in degrees, noise in grey levels of 255.

    ``light`` is how bright white paper comes out, of full scale; ``glare`` the share of the code that is burnt out.
    """

    pixels_per_module: float = 3.0
    tilt: float = 12.0
    blur: float = 0.3
    smear: float = 0.0
    light: float = 0.8
    noise: float = 4.0
    glare: float = 0.0
    quality: int = 80
    turn: float | None = None  # degrees; any where it is None


EVERYDAY: Final = Shot()
# What gets worse, and its steps from harmless to hopeless.
DEGRADATIONS: Final[Mapping[str, tuple[float, ...]]] = {
    "pixels_per_module": (4.0, 3.0, 2.5, 2.0, 1.7, 1.4),
    "blur": (0.3, 0.5, 0.7, 0.9, 1.1),
    "smear": (0.5, 1.0, 1.5, 2.0, 3.0),
    "noise": (10, 20, 35, 50, 70),
    "light": (0.4, 0.2, 0.1, 0.06, 0.04),
    "tilt": (20, 35, 50, 60, 70),
    "turn": (0, 15, 45, 90, 180),
    "glare": (0.02, 0.05, 0.1, 0.15, 0.25),
    "quality": (50, 25, 10, 5, 3),
}
_PAPER, _INK, _TABLE = 0.85, 0.06, 0.45  # of the light that falls on them, as the camera's curve shows it
_MARGIN_MM: Final = 3.0


class CodeTask(msgspec.Struct, frozen=True):
    """One step of one degradation, on all prints of a list, ``trials`` photos in all."""

    degradation: str
    step: float
    trials: int
    seed: int


class CodeRate(msgspec.Struct, frozen=True):
    degradation: str
    step: float
    read: Rate


def code_tasks(trials: int, seed: int) -> list[CodeTask]:
    """Every step of every degradation; first the everyday photo."""
    tasks = [CodeTask("everyday", 0, trials, seed)]
    return tasks + [
        CodeTask(name, step, trials, seed) for name, steps in DEGRADATIONS.items() for step in steps
    ]


def read_rate(task: CodeTask, prints: list[PrintedCode]) -> CodeRate:
    """How many photos of a step were read, each print in turn."""
    cv2.setNumThreads(1)
    shot = EVERYDAY if task.degradation == "everyday" else degraded(task.degradation, task.step)
    read = 0
    for number in range(task.trials):
        printed = prints[number % len(prints)]
        read += is_read(photograph(printed, shot, task.seed * 1_000_003 + number), printed.uri)
    return CodeRate(task.degradation, task.step, rate(read, task.trials))


def degraded(degradation: str, step: float) -> Shot:
    """The everyday photo with one thing changed."""
    change: dict[str, Any] = {degradation: int(step) if degradation == "quality" else float(step)}
    return msgspec.structs.replace(EVERYDAY, **change)


def is_read(photo: Grey, uri: str) -> bool:
    """Whether the product's reader finds the code and reads just that."""
    found = locate(photo, uri)
    return found is not None and same_uri(found.text, uri)


def photograph(printed: PrintedCode, shot: Shot, seed: int) -> Grey:
    """A grey photo of the printed code and what lies about it."""
    random = Generator(PCG64(seed))
    scale = shot.pixels_per_module / printed.module  # pixels a mm
    dots, per_mm = _reduced(printed, scale)
    to_photo, size = _pose(printed, shot, scale, random)
    # Dots count from the middle of the first one, the label from its edge.
    from_dots = np.array([(1 / per_mm, 0, 0.5 / per_mm), (0, 1 / per_mm, 0.5 / per_mm), (0, 0, 1)])
    seen: Any = cv2.warpPerspective(
        _INK + (_PAPER - _INK) / 255 * dots.astype(np.float32),
        to_photo @ from_dots,
        size,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=_TABLE,
    )
    seen = seen * _gradient(size, random)
    seen = cv2.GaussianBlur(seen, (0, 0), max(0.3, shot.blur * shot.pixels_per_module))
    seen = _smeared(seen, shot.smear * shot.pixels_per_module, random)
    seen = seen / _PAPER * shot.light
    if shot.glare:
        seen = seen + _glare(printed, shot, to_photo, size, random)
    seen = seen * 255 + random.normal(0, shot.noise, seen.shape)
    photo = np.clip(np.rint(seen), 0, 255).astype(np.uint8)
    packed: Any = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, shot.quality])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)


def _reduced(printed: PrintedCode, scale: float) -> tuple[Grey, float]:
    """The dots at twice the photo's resolution, each the mean of those it stands for."""
    factor = min(1.0, 2 * scale / printed.dots_per_mm)
    height, width = printed.dots.shape
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if size == (width, height):
        return printed.dots, printed.dots_per_mm
    small = cv2.resize(printed.dots, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), printed.dots_per_mm * size[0] / width


def _pose(
    printed: PrintedCode, shot: Shot, scale: float, random: Generator
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """Millimetres on the label to pixels, and the size of the photo: the code and a little around it."""
    turn = math.radians(random.uniform(0, 360) if shot.turn is None else shot.turn)
    tilt, axis = math.radians(shot.tilt), random.uniform(0, 2 * math.pi)
    x, y, side = printed.code
    away = 5.0 * side  # the camera's distance, so that the code fills a fifth of its height
    centre = np.array([(1, 0, -(x + side / 2)), (0, 1, -(y + side / 2)), (0, 0, 1)])
    cos, sin = math.cos(axis), math.sin(axis)
    lean = np.array([(cos, sin, 0), (-sin, cos, 0), (0, 0, 1)])
    depth = np.array([(math.cos(tilt), 0, 0), (0, 1, 0), (math.sin(tilt) / away, 0, 1)])
    back = np.array([(cos, -sin, 0), (sin, cos, 0), (0, 0, 1)])
    cos, sin = scale * math.cos(turn), scale * math.sin(turn)
    spin = np.array([(cos, -sin, 0), (sin, cos, 0), (0, 0, 1)])
    flat = spin @ back @ depth @ lean @ centre
    reach = side / 2 + _MARGIN_MM
    corners = np.array(
        [(x + side / 2 + a, y + side / 2 + b, 1) for a in (-reach, reach) for b in (-reach, reach)]
    )
    seen = corners @ flat.T
    seen = seen[:, :2] / seen[:, 2:]
    low, high = seen.min(axis=0), seen.max(axis=0)
    offset = -low + random.uniform(0, 1, 2)
    moved = np.array([(1, 0, offset[0]), (0, 1, offset[1]), (0, 0, 1)]) @ flat
    width, height = (int(each) + 2 for each in high - low)
    return moved, (max(32, width), max(32, height))


def _gradient(size: tuple[int, int], random: Generator) -> Floats:
    """Light that falls off across the photo by up to a third."""
    across, down = random.uniform(-0.17, 0.17, 2)
    x = np.linspace(-1, 1, size[0], dtype=np.float32)
    y = np.linspace(-1, 1, size[1], dtype=np.float32)
    return np.asarray(1 + across * x[None, :] + down * y[:, None], np.float32)


def _smeared(seen: Any, length: float, random: Generator) -> Any:
    """Moved by ``length`` pixels while the shutter was open."""
    if length < 1:
        return seen
    reach = math.ceil(length / 2)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    angle = random.uniform(0, math.pi)
    for at in np.linspace(-length / 2, length / 2, 8 * reach + 1):
        kernel[round(reach + at * math.sin(angle)), round(reach + at * math.cos(angle))] += 1
    return cv2.filter2D(seen, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)


def _glare(
    printed: PrintedCode, shot: Shot, to_photo: NDArray[np.float64], size: tuple[int, int], random: Generator
) -> Any:
    """A lamp's reflection somewhere on the code, burnt out over the share of it that the shot names."""
    x, y, side = printed.code
    at = to_photo @ np.array([x + side * random.uniform(0.2, 0.8), y + side * random.uniform(0.2, 0.8), 1])
    radius = math.sqrt(shot.glare / math.pi) * side / printed.module * shot.pixels_per_module
    spot = np.zeros((size[1], size[0]), np.float32)
    cv2.circle(spot, (round(at[0] / at[2]), round(at[1] / at[2])), max(1, round(radius)), 1.0, -1)
    return cv2.GaussianBlur(spot, (0, 0), max(0.5, radius / 5)) * 1.5
