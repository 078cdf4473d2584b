"""Printed reflectance to pictures: the line camera that enrols a label, an attacker's scanner, and a buyer's phone.

A phone's picture goes through, in order: pose (perspective, any turn in the plane, a slightly bent label), lens,
defocus and motion blur, light (gradient, vignetting, glare), a Bayer mosaic with shot and read noise, demosaicing,
white balance, noise reduction, a tone curve, sharpening and JPEG. Lengths on the label are micrometres.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import msgspec
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from suyuan.label.simulation.print_press import PITCH, Field, Split, noise_field

Picture = NDArray[np.uint8]


class Scanner(msgspec.Struct, frozen=True):
    """A line camera or scanner: its pixel, its blur (in pixels), its noise, its tone."""

    pixel: float
    blur: float
    noise: float
    gamma: float
    stretch: float
    turn: float


class Phone(msgspec.Struct, frozen=True):
    """One picture by one phone. ``pixel`` is what a pixel covers on the label, in micrometres; blurs in pixels.

    ``radius`` is that of what the label stands round, in millimetres; none where it is flat.
    """

    pixel: float
    tilt: float
    turn: float
    distance: float
    bend: float
    lens: float
    defocus: float
    motion: float
    exposure: float
    gradient: float
    vignette: float
    glare: float
    shot: float
    read: float
    warmth: float
    denoise: float
    gamma: float
    contrast: float
    sharpen: float
    jpeg: float
    radius: float = 0.0


_SCANNER: Final[dict[Split, dict[str, tuple[float, float]]]] = {
    "calibration": {
        "pixel": (15.0, 19.0), "blur": (0.35, 0.55), "noise": (0.004, 0.010), "gamma": (1.0, 2.2),
        "stretch": (-0.003, 0.003), "turn": (-0.6, 0.6),
    },
    "test": {
        "pixel": (13.0, 20.0), "blur": (0.30, 0.70), "noise": (0.003, 0.015), "gamma": (0.9, 2.4),
        "stretch": (-0.006, 0.006), "turn": (-1.5, 1.5),
    },
}  # fmt: skip

_PHONE: Final[dict[Split, dict[str, tuple[float, float]]]] = {
    "calibration": {
        "pixel": (30.0, 37.5), "tilt": (0.0, 9.0), "turn": (0.0, 360.0), "distance": (90.0, 160.0),
        "bend": (0.0, 60.0), "lens": (0.30, 0.55), "defocus": (0.0, 0.8), "motion": (0.0, 1.0),
        "exposure": (0.60, 0.88), "gradient": (0.0, 0.25), "vignette": (0.0, 0.10), "glare": (0.0, 0.12),
        "shot": (0.010, 0.022), "read": (0.002, 0.005), "warmth": (-0.18, 0.18), "denoise": (0.0, 0.5),
        "gamma": (2.0, 2.4), "contrast": (0.0, 0.4), "sharpen": (0.2, 0.9), "jpeg": (80.0, 95.0),
    },
    "test": {
        "pixel": (29.0, 37.5), "tilt": (0.0, 13.0), "turn": (0.0, 360.0), "distance": (75.0, 200.0),
        "bend": (0.0, 110.0), "lens": (0.28, 0.65), "defocus": (0.0, 1.0), "motion": (0.0, 1.4),
        "exposure": (0.45, 0.95), "gradient": (0.0, 0.40), "vignette": (0.0, 0.18), "glare": (0.0, 0.22),
        "shot": (0.008, 0.030), "read": (0.001, 0.008), "warmth": (-0.28, 0.28), "denoise": (0.0, 0.7),
        "gamma": (1.8, 2.6), "contrast": (0.0, 0.6), "sharpen": (0.0, 1.2), "jpeg": (70.0, 96.0),
    },
}  # fmt: skip


def draw_scanner(split: Split, rng: Generator, **fixed: float) -> Scanner:
    """A scanner from the split's ranges."""
    return Scanner(**{**_draw(_SCANNER[split], rng), **fixed})


def draw_phone(split: Split, rng: Generator, **fixed: float) -> Phone:
    """A phone and one way of holding it, from the split's ranges."""
    return Phone(**{**_draw(_PHONE[split], rng), **fixed})


def scan(label: Field, scanner: Scanner, rng: Generator) -> Field:
    """A scan's values, 0 to 1, about ``scanner.pixel`` micrometres a pixel, with a margin around the label."""
    scale = scanner.pixel / PITCH
    height, width = (int(extent / scale) + 40 for extent in label.shape)
    turned = np.deg2rad(scanner.turn)
    cosine, sine = np.cos(turned) * scale, np.sin(turned) * scale
    linear = np.array([[cosine * (1 + scanner.stretch), -sine], [sine, cosine]])
    centre = np.array([label.shape[1] / 2, label.shape[0] / 2]) + rng.uniform(-3, 3, 2)
    offset = centre - linear @ np.array([width / 2, height / 2])
    blurred = cv2.GaussianBlur(label, (0, 0), float(np.hypot(scanner.blur, 0.29) * scale))
    inward = np.column_stack([linear, offset])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    picture = cv2.warpAffine(blurred, inward, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    picture = picture + scanner.noise * rng.standard_normal(picture.shape, np.float32)
    return np.asarray(np.clip(picture * 0.98, 0, 1) ** (1 / scanner.gamma), np.float32)


def as_png(values: Field) -> bytes:
    """Values from 0 to 1 as a grey PNG of 8 bits."""
    done, data = cv2.imencode(".png", np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8))
    assert done
    return data.tobytes()


def photograph(label: Field, phone: Phone, rng: Generator) -> bytes:
    """The phone's picture of a label, as JPEG. The label lies anywhere in it."""
    light = _pose(_blur(label, phone, rng), phone, rng)
    raw = _expose(light, phone, rng)
    picture = _develop(raw, phone)
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, round(phone.jpeg)])
    assert done
    return data.tobytes()


def _draw(ranges: dict[str, tuple[float, float]], rng: Generator) -> dict[str, Any]:
    return {name: float(rng.uniform(low, high)) for name, (low, high) in ranges.items()}


def _blur(label: Field, phone: Phone, rng: Generator) -> Field:
    """What the optics and the pixel's own aperture leave, on the label's grid."""
    scale = phone.pixel / PITCH
    blurred = cv2.GaussianBlur(label, (0, 0), float(np.hypot(phone.lens, 0.29) * scale))
    disk = _disk(phone.defocus * scale)
    streak = _streak(phone.motion * scale, float(rng.uniform(0, np.pi)))
    for kernel in (disk, streak):
        if kernel.size > 1:
            blurred = cv2.filter2D(blurred, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float32)


def _disk(radius: float) -> Field:
    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _streak(length: float, angle: float) -> Field:
    reach = int(np.ceil(length / 2))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    along, across = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    kernel = np.clip(length / 2 + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(across), 0, 1)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _pose(label: Field, phone: Phone, rng: Generator) -> Field:
    """The label seen by a pinhole at ``distance`` millimetres, tilted, turned, the label a little bent."""
    size = np.array([label.shape[1], label.shape[0]]) * PITCH / 1000
    to_pixels = _projection(phone, float(rng.uniform(0, 2 * np.pi)))
    corners = np.array([[x, y, 1.0] for x in (-0.5, 0.5) for y in (-0.5, 0.5)]) * [*size, 1.0]
    seen = corners @ to_pixels.T
    seen = seen[:, :2] / seen[:, 2:]
    low, extent = seen.min(0), np.ptp(seen, axis=0)
    before, after = rng.uniform(0.05, 0.35, 2) * extent, rng.uniform(0.05, 0.35, 2) * extent
    width, height = (int(length) for length in extent + before + after)
    shift = np.array([[1, 0, low[0] - before[0]], [0, 1, low[1] - before[1]], [0, 0, 1]])
    back = np.linalg.inv(to_pixels) @ shift
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    flat = [np.float32(r[0]) * columns + np.float32(r[1]) * rows + np.float32(r[2]) for r in back]
    x, y = flat[0] / flat[2], flat[1] / flat[2]
    if phone.radius > 0:
        x, y = _unrolled(x, y, phone)
    phase = rng.uniform(0, 2 * np.pi, 2)
    x += np.float32(phone.bend / 1000) * np.sin(y * np.float32(0.3) + np.float32(phase[0]))
    y += np.float32(phone.bend / 1000) * np.sin(x * np.float32(0.3) + np.float32(phase[1]))
    x = (x + np.float32(size[0] / 2)) * np.float32(1000 / PITCH) - np.float32(0.5)
    y = (y + np.float32(size[1] / 2)) * np.float32(1000 / PITCH) - np.float32(0.5)
    seen_label = cv2.remap(label, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=-1.0)
    board = float(rng.uniform(0.15, 0.6)) * (1 + 0.1 * noise_field((height, width), 80.0, rng))
    return np.where(seen_label >= 0, seen_label, board).astype(np.float32)


def _unrolled(x: Field, y: Field, phone: Phone) -> tuple[Field, Field]:
    """Where on a label round a bottle the ray goes that would meet the flat one at ``x``, ``y``; the bottle stands."""
    radius, distance = np.float32(phone.radius), np.float32(phone.distance)
    deeper = np.zeros_like(x)
    along = x
    for _ in range(8):
        along = radius * np.arcsin(np.clip(x * (1 + deeper / distance) / radius, -1, 1))
        deeper = radius * (1 - np.cos(along / radius))
    return np.asarray(along, np.float32), np.asarray(y * (1 + deeper / distance), np.float32)


def _projection(phone: Phone, axis: float) -> NDArray[np.float64]:
    """Millimetres on the label to pixels, the label's centre at the origin."""
    turn, tilt = np.deg2rad(phone.turn), np.deg2rad(phone.tilt)
    spin = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    across = np.array([np.cos(axis), np.sin(axis), 0])
    cross = np.array([[0, 0, across[1]], [0, 0, -across[0]], [-across[1], across[0], 0]])
    lean = np.eye(3) + np.sin(tilt) * cross + (1 - np.cos(tilt)) * cross @ cross
    turned = lean @ spin
    focal = phone.distance * 1000 / phone.pixel
    camera = np.diag([focal, focal, 1.0])
    return np.asarray(camera @ np.column_stack([turned[:, 0], turned[:, 1], [0, 0, phone.distance]]))


def _expose(light: Field, phone: Phone, rng: Generator) -> Field:
    """The sensor's mosaic, in shares of full scale, after illumination, white balance of the light, and noise."""
    height, width = light.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    falloff = (
        1
        + phone.gradient * (x * np.cos(angle) + y * np.sin(angle)) / 2
        - phone.vignette * (x * x + y * y) / 2
    )
    spot = rng.uniform(-1, 1, 2)
    reach = rng.uniform(0.15, 0.5)
    shine = phone.glare * np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / (2 * reach**2))
    seen = np.asarray((light * falloff + shine) * (phone.exposure / 0.85), np.float32)
    gains = _gains(phone)
    raw = seen * gains[1]
    raw[0::2, 0::2] = seen[0::2, 0::2] * gains[0]
    raw[1::2, 1::2] = seen[1::2, 1::2] * gains[2]
    deviation = np.sqrt(phone.shot**2 * np.clip(raw, 0, 1) + phone.read**2)
    raw += deviation * rng.standard_normal(raw.shape, np.float32)
    return np.asarray(np.clip(raw, 0, 1), np.float32)


def _gains(phone: Phone) -> tuple[float, float, float]:
    """How red, green and blue of this light reach the sensor."""
    return 0.62 * (1 + phone.warmth), 1.0, 0.58 * (1 - phone.warmth)


def _develop(raw: Field, phone: Phone) -> Picture:
    mosaic = np.rint(raw * 16383).astype(np.uint16)
    colour = cv2.cvtColor(mosaic, cv2.COLOR_BayerRGGB2BGR).astype(np.float32) / 16383
    gains = _gains(phone)
    colour *= np.array([1 / gains[2], 1 / gains[1], 1 / gains[0]], np.float32)
    colour = np.clip(colour, 0, 1)
    if phone.denoise > 0:
        smooth = cv2.bilateralFilter(colour, 5, 0.08, 1.5)
        colour += np.float32(phone.denoise) * (smooth - colour)
    toned = np.clip(colour, 0, 1) ** np.float32(1 / phone.gamma)
    toned += np.float32(phone.contrast) * (toned * toned * (3 - 2 * toned) - toned)
    soft = cv2.GaussianBlur(toned, (0, 0), 1.0)
    toned += np.float32(phone.sharpen) * (toned - soft)
    return np.rint(np.clip(toned, 0, 1) * 255).astype(np.uint8)
