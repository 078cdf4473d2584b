"""Dots to ink on a substrate: what one printing of an artwork looks like, and how no two printings agree.

Physics, in order: every dot lays down its own amount of ink (head elements differ, a few dots are missing); lines are
fed with jitter; the ink of a dot spreads over a spot larger than the dot; whether ink covers a point is decided by the
spread ink against a random field of the substrate (fibres, coating) with a soft edge, which is dot gain and ragged
edges in one; density varies by mottling and grain; light that enters the substrate leaves it elsewhere (optical dot
gain). Reflectance comes out, 0 to 1, on a grid of ``PITCH`` micrometres.
"""

from __future__ import annotations

from typing import Final, Literal

import cv2
import msgspec
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from suyuan.label.simulation.print_label import Dots

PITCH: Final = 25400 / 812 / 3  # three points of the grid to a dot of the press

Field = NDArray[np.float32]
Split = Literal["calibration", "test"]
Technology = Literal["press", "laser", "thermal", "double"]


class Press(msgspec.Struct, frozen=True):
    """One printer on one day. Lengths in micrometres; amounts relative to the ink of one full dot."""

    technology: Technology
    dpi: float
    spot: float
    gain: float
    softness: float
    dot_spread: float
    element_spread: float
    missing: float
    satellites: float
    jitter: float
    edge: float
    edge_scale: float
    fibre: float
    fibre_scale: float
    density: float
    mottle: float
    grain: float
    scatter: float
    paper: float
    texture: float


# (low, high) of each parameter of a press; the test split reaches beyond the calibration split on both sides.
_PRESS: Final[dict[Split, dict[str, tuple[float, float]]]] = {
    "calibration": {
        "spot": (15.0, 20.0), "gain": (0.02, 0.10), "softness": (0.05, 0.09), "dot_spread": (0.08, 0.14),
        "element_spread": (0.02, 0.04), "missing": (0.0005, 0.002), "satellites": (0.0001, 0.0005),
        "jitter": (1.5, 4.0), "edge": (0.09, 0.14), "edge_scale": (14.0, 22.0), "fibre": (0.07, 0.11),
        "fibre_scale": (35.0, 60.0), "density": (1.15, 1.45), "mottle": (0.04, 0.10), "grain": (0.03, 0.07),
        "scatter": (20.0, 35.0), "paper": (0.78, 0.90), "texture": (0.010, 0.020),
    },
    "test": {
        "spot": (13.0, 23.0), "gain": (0.0, 0.13), "softness": (0.04, 0.11), "dot_spread": (0.06, 0.16),
        "element_spread": (0.01, 0.05), "missing": (0.0002, 0.004), "satellites": (0.0001, 0.001),
        "jitter": (1.0, 5.0), "edge": (0.075, 0.16), "edge_scale": (12.0, 26.0), "fibre": (0.06, 0.13),
        "fibre_scale": (28.0, 70.0), "density": (1.0, 1.6), "mottle": (0.03, 0.14), "grain": (0.02, 0.09),
        "scatter": (15.0, 45.0), "paper": (0.70, 0.93), "texture": (0.006, 0.030),
    },
}  # fmt: skip

# How the other technologies differ: factors on the press's own parameters.
_FACTORS: Final[dict[Technology, dict[str, float]]] = {
    "press": {},
    # Toner: scattered particles, ragged edges, coarse grain.
    "laser": {"spot": 1.25, "edge": 1.3, "satellites": 8.0, "dot_spread": 1.3, "grain": 1.5, "jitter": 1.5},
    # Heat: soft spots of one element each, no satellites, elements that differ.
    "thermal": {"spot": 1.6, "element_spread": 1.5, "satellites": 0.1, "edge": 0.9, "mottle": 0.7},
    # A finer machine, dots of half the size, on the smoothest stock that its owner could find.
    "double": {"spot": 0.62, "edge": 0.55, "fibre": 0.55, "dot_spread": 0.8, "jitter": 0.6, "missing": 0.5},
}


def draw_press(
    split: Split, rng: Generator, *, technology: Technology = "press", dpi: float = 812.0
) -> Press:
    """A printer of a technology, its parameters drawn from the split's ranges."""
    values = {name: float(rng.uniform(low, high)) for name, (low, high) in _PRESS[split].items()}
    for name, factor in _FACTORS[technology].items():
        values[name] *= factor
    return Press(technology=technology, dpi=dpi, **values)


def another_day(press: Press, rng: Generator) -> Press:
    """The same class of press on another day: every parameter within a few per cent of what it was."""
    drift = {
        name: value * float(rng.uniform(0.95, 1.05))
        for name, value in msgspec.structs.asdict(press).items()
        if name not in ("technology", "dpi", "paper")
    }
    return msgspec.structs.replace(press, **drift, paper=press.paper * float(rng.uniform(0.98, 1.02)))


def print_dots(dots: Dots, press: Press, rng: Generator) -> Field:
    """Reflectance of one printing of ``dots``: everything random in it happens anew with each call."""
    ink = _ink(_deposit(dots, press, rng), press, rng)
    shape = ink.shape
    ragged = press.edge * noise_field(shape, press.edge_scale, rng)
    ragged += press.fibre * noise_field(shape, press.fibre_scale, rng)
    ink += ragged * np.clip(ink * 6, 0, 1)  # a substrate has its say where ink comes near, and makes none
    ink -= 0.5 - press.gain
    ink *= -1.0 / press.softness
    coverage = 1.0 / (1.0 + np.exp(np.clip(ink, -30.0, 30.0)))
    uneven = 1.0 + press.mottle * noise_field(shape, 260.0, rng) + press.grain * noise_field(shape, 25.0, rng)
    light = np.exp(coverage * np.maximum(uneven, 0.3) * np.float32(-0.5 * np.log(10.0) * press.density))
    spread = cv2.GaussianBlur(light, (0, 0), press.scatter / PITCH)
    paper = press.paper * (1.0 + press.texture * noise_field(shape, 60.0, rng))
    return np.asarray(np.clip(paper * light * spread, 0.0, 1.0), np.float32)


def noise_field(shape: tuple[int, ...], scale: float, rng: Generator) -> Field:
    """A Gaussian random field of unit variance whose correlation falls off over ``scale`` micrometres."""
    step = max(1.0, scale / PITCH / 2.0)  # drawn no finer than it needs: a field has nothing below its scale
    small = (int(shape[0] / step) + 3, int(shape[1] / step) + 3)
    field = rng.standard_normal(small, np.float32)
    field = np.asarray(cv2.GaussianBlur(field, (0, 0), scale / PITCH / step / 1.5), np.float32)
    if step > 1.0:
        size = (int(small[1] * step) + 1, int(small[0] * step) + 1)
        field = np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_CUBIC), np.float32)
    field = field[: shape[0], : shape[1]]
    return np.asarray(field / np.float32(max(float(field.std()), 1e-6)), np.float32)


def _deposit(dots: Dots, press: Press, rng: Generator) -> Field:
    amount = 1.0 + press.dot_spread * rng.standard_normal(dots.shape, np.float32)
    amount *= 1.0 + press.element_spread * rng.standard_normal((1, dots.shape[1]), np.float32)
    amount *= rng.random(dots.shape, np.float32) >= press.missing
    deposit = dots * amount
    stray = rng.random(dots.shape, np.float32) < press.satellites
    deposit[stray] += 0.7
    return np.asarray(deposit, np.float32)


def _ink(deposit: Field, press: Press, rng: Generator) -> Field:
    """Each dot's amount, spread over its spot, with lines that are fed unevenly."""
    pitch = 25400 / press.dpi
    height, width = (round(extent * pitch / PITCH) for extent in deposit.shape)
    fine = cv2.resize(deposit, (width, height), interpolation=cv2.INTER_NEAREST)
    down = np.arange(height, dtype=np.float32) + press.jitter / PITCH * _wander(height, rng)
    along = np.arange(width, dtype=np.float32) + press.jitter / PITCH * _wander(width, rng)
    rows, columns = np.broadcast_to(down[:, None], fine.shape), np.broadcast_to(along[None, :], fine.shape)
    fine = cv2.remap(fine, np.ascontiguousarray(columns), np.ascontiguousarray(rows), cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    return np.asarray(cv2.GaussianBlur(fine, (0, 0), press.spot / PITCH), np.float32)


def _wander(length: int, rng: Generator) -> Field:
    steps = rng.standard_normal((1, length), np.float32)
    smooth = cv2.GaussianBlur(steps, (0, 0), 12.0)
    return np.asarray(smooth[0] / max(float(smooth.std()), 1e-6), np.float32)
