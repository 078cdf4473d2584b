"""A grid of modules laid on a photo: blocks of it are drawn, matched, and the homography is fitted to their shifts.

A block's drawing is its modules through a Gaussian, which has exact derivatives. The photo of the block is explained by
least squares as light, contrast, the two slopes of the drawing (a shift to first order), ink that spread, and a blur
other than the one assumed. So neither ink nor blur nor a shadow passes for a shift.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Square = NDArray[np.float32]

# Each round: the blur in modules that is laid on the photo, so that the first one sees far and the last one sharp.
_ROUNDS: Final = (0.7, 0.35, 0.25)
_USUAL_BLUR: Final = 0.25  # modules; what a photo is taken to have of itself, until its blocks say better
_RIM: Final = 0.5  # modules of the quiet zone that come in: the outer edge is an edge too
_FARTHEST: Final = 1.0  # modules; what a block claims beyond it is a mistake
_FARTHEST_CORNER: Final = 2.5  # modules that a corner may move in all
_LEAST_BLOCKS: Final = 7
_ERF_SERIES: Final = np.array(
    [
        [-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806],
        [0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277],
    ]
).ravel()
_LEAST_VARIANCE: Final = 0.01  # of a block's drawing
_LEAST_CONTRAST: Final = 0.04  # of full scale, between a block's dark and light modules


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """A homography from modules to pixels, the rms of its blocks in pixels, and the modules as sampled."""

    homography: Floats
    rms: float
    modules: NDArray[np.bool_]
    inverted: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Drawing:
    """A drawing of modules, and its derivatives, at the pixels of the rectified square."""

    value: Square
    right: Square
    down: Square
    bend: Square


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """The rectified square: ``blocks`` a side, each of ``side`` pixels; ``scale`` pixels a module."""

    blocks: int
    side: int
    scale: float

    @property
    def pixels(self) -> int:
        return self.blocks * self.side

    def centres(self) -> Floats:
        """The middle of each block in modules, (blocks * blocks, 2) as (x, y), row by row."""
        line = (np.arange(self.blocks) + 0.5) * self.side / self.scale - _RIM
        x, y = np.meshgrid(line, line)
        return np.stack([x.ravel(), y.ravel()], axis=1)


def refine(grey: NDArray[np.uint8], homography: Floats, size: int) -> Refined:
    """``homography`` (modules to pixels) fitted to the modules of the code that it roughly lies on.

    Where too few blocks can be measured, or the fit leaves the code, the homography stays as it came, and ``rms``
    is a whole module.
    """
    layout = _laid_out(size, _scale_of(homography, size))
    inverted = _is_inverted(grey, homography, size)
    current = homography
    rms_modules = 1.0
    modules = np.zeros((size, size), np.bool_)
    own_blur = _USUAL_BLUR
    for added in _ROUNDS:
        flat = _rectified(grey, current, layout, inverted)
        modules = _sampled(flat, layout, size)
        softened = np.asarray(cv2.GaussianBlur(flat, (0, 0), added * layout.scale), np.float32)
        blur = round(float(np.hypot(added, own_blur)), 2)
        shifts, information, wider = _shifts(softened, _drawn(modules, layout, size, blur), layout)
        own_blur = float(np.sqrt(np.clip(blur**2 + wider - added**2, 0.01, 1.0)))
        fitted = _fitted(layout.centres(), shifts, information, size)
        if fitted is None:
            return Refined(current, _scale_of(current, size), modules, inverted)
        step, rms_modules = fitted
        current = current @ step
        current = current / current[2, 2]
    if _strayed(homography, current, size):
        return Refined(homography, _scale_of(homography, size), modules, inverted)
    return Refined(current, rms_modules * _scale_of(current, size), modules, inverted)


def _strayed(rough: Floats, fitted: Floats, size: int) -> bool:
    """Whether the fit has left the code that was found: the decoder's corners are never that far out."""
    corners = np.array([(0, 0, 1), (size, 0, 1), (size, size, 1), (0, size, 1)], np.float64)
    back = corners @ (np.linalg.inv(rough) @ fitted).T
    moved = back[:, :2] / back[:, 2:] - corners[:, :2]
    return not bool(np.abs(moved).max() < _FARTHEST_CORNER)


def function_modules(size: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which modules of a code of ``size`` are the same in each (finders, timing), and which of these are dark."""
    known = np.zeros((size, size), np.bool_)
    dark = np.zeros((size, size), np.bool_)
    known[6, :] = known[:, 6] = True
    dark[6, ::2] = dark[::2, 6] = True
    finder = np.zeros((8, 8), np.bool_)
    finder[:7, :7] = True
    finder[1:6, 1:6] = False
    finder[2:5, 2:5] = True
    for turned, rows, columns in (
        (finder, slice(0, 8), slice(0, 8)),
        (finder[:, ::-1], slice(0, 8), slice(size - 8, size)),
        (finder[::-1], slice(size - 8, size), slice(0, 8)),
    ):
        known[rows, columns] = True
        dark[rows, columns] = turned
    return known, dark


def _scale_of(homography: Floats, size: int) -> float:
    """Pixels a module at the middle of the code."""
    middle = np.array([size / 2, size / 2, 1.0])
    mapped = homography @ middle
    jacobian = (homography[:2, :2] - np.outer(mapped[:2] / mapped[2], homography[2, :2])) / mapped[2]
    return float(np.sqrt(abs(np.linalg.det(jacobian))))


def _laid_out(size: int, pixels_per_module: float) -> _Layout:
    span = size + 2 * _RIM
    blocks = int(np.clip(round(span / 5), 4, 12))
    wanted = float(np.clip(round(pixels_per_module * 1.2), 4, 6))
    side = int(np.clip(round(wanted * span / blocks), 12, 64))
    return _Layout(blocks, side, blocks * side / span)


def _rectified(grey: NDArray[np.uint8], homography: Floats, layout: _Layout, inverted: bool) -> Square:
    """The square of the code and its rim, dark as 0 and light as 1 roughly."""
    shift = 0.5 / layout.scale - _RIM
    to_modules = np.array([(1 / layout.scale, 0, shift), (0, 1 / layout.scale, shift), (0, 0, 1)])
    flat = cv2.warpPerspective(
        grey,
        homography @ to_modules,
        (layout.pixels, layout.pixels),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32)
    return np.asarray((255 - flat if inverted else flat) / np.float32(255))


def _is_inverted(grey: NDArray[np.uint8], homography: Floats, size: int) -> bool:
    """Whether the modules that should be dark are the light ones."""
    known, dark = function_modules(size)
    rows, columns = np.nonzero(known)
    points = np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))])
    mapped = homography @ points
    x, y = mapped[:2] / mapped[2]
    values = cv2.remap(
        grey,
        x[None].astype(np.float32),
        y[None].astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )[0]
    truth = dark[rows, columns]
    return bool(values[truth].mean() > values[~truth].mean())


def _sampled(flat: Square, layout: _Layout, size: int) -> NDArray[np.bool_]:
    """The modules that the rectified square shows, each against the light around it; what is known is put right."""
    at = ((np.arange(size) + 0.5 + _RIM) * layout.scale - 0.5).astype(np.float32)
    x, y = np.meshgrid(at, at)
    soft = cv2.GaussianBlur(flat, (0, 0), 0.25 * layout.scale)
    values = np.asarray(cv2.remap(soft, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    # The middle between the darkest and the lightest of a neighbourhood that surely has both.
    kernel = np.ones((9, 9), np.uint8)
    middle = (cv2.erode(values, kernel) + cv2.dilate(values, kernel)) / 2
    dark = values < cv2.blur(middle, (5, 5))
    known, truth = function_modules(size)
    return np.asarray(np.where(known, truth, dark), np.bool_)


def _shifts(flat: Square, drawing: _Drawing, layout: _Layout) -> tuple[Floats, Floats, float]:
    """How far each block lies from where it should, and by how much the photo's blur differs from the drawing's.

    Shifts in modules, (n, 2); the information behind them, (n, 2, 2); the difference of the squared blurs.
    """
    steep = np.sqrt(drawing.right**2 + drawing.down**2)
    columns = (drawing.value, np.ones_like(flat), steep, drawing.bend, drawing.right, drawing.down)
    design = np.stack([_in_blocks(column, layout) for column in columns], axis=1)
    seen = _in_blocks(flat, layout)[..., None]
    normal = (design @ design.transpose(0, 2, 1)).astype(np.float64)
    ridge = np.eye(6) * 1e-6 * np.trace(normal, axis1=1, axis2=2)[:, None, None]
    solved = np.linalg.solve(normal + ridge, (design @ seen).astype(np.float64))
    left = ((seen - design.transpose(0, 2, 1) @ solved.astype(np.float32)) ** 2).mean(axis=(1, 2))
    solved = solved[..., 0]
    # Where all modules of a block are alike, light and contrast cannot be told apart.
    usable = (solved[:, 0] > _LEAST_CONTRAST) & (design[:, 0].var(axis=1) > _LEAST_VARIANCE)
    contrast = np.where(usable, solved[:, 0], 1.0)
    shifts = -solved[:, 4:6] / contrast[:, None]
    usable &= np.abs(shifts).max(axis=1) < _FARTHEST
    wider = float(np.median(2 * solved[usable, 3] / contrast[usable])) if usable.any() else 0.0
    cross = normal[:, 4:, :4]
    information = normal[:, 4:, 4:] - cross @ np.linalg.solve(
        normal[:, :4, :4] + ridge[:, :4, :4], cross.transpose(0, 2, 1)
    )
    weight = usable / (left / contrast**2 + 1e-5)
    return np.where(usable[:, None], shifts, 0.0), information * weight[:, None, None], wider


def _in_blocks(square: Square, layout: _Layout) -> Square:
    count, side = layout.blocks, layout.side
    return square.reshape(count, side, count, side).transpose(0, 2, 1, 3).reshape(count * count, side * side)


def _drawn(modules: NDArray[np.bool_], layout: _Layout, size: int, blur: float) -> _Drawing:
    value, slope, bend = _profiles(size, layout.pixels, layout.scale, blur)
    light = np.pad((~modules).astype(np.float32), 1, constant_values=1.0)
    across, along, curve = light @ value.T, light @ slope.T, light @ bend.T
    return _Drawing(value @ across, value @ along, slope @ across, value @ curve + bend @ across)


@lru_cache(maxsize=32)
def _profiles(size: int, pixels: int, scale: float, blur: float) -> tuple[Square, Square, Square]:
    """How much of each module a pixel in a line sees through the blur, and the first two derivatives.

    The first and the last column are the quiet zone, which goes on.
    """
    at = (np.arange(pixels) + 0.5) / scale - _RIM
    edges = np.concatenate([[-1e3], np.arange(size + 1), [1e3]])
    reach = (edges[None, :] - at[:, None]) / blur
    bell = np.exp(-0.5 * reach**2) / np.sqrt(2 * np.pi)
    step = 0.5 * (1 + _erf(reach / np.sqrt(2)))
    value = np.diff(step, axis=1)
    slope = -np.diff(bell, axis=1) / blur
    bend = -np.diff(reach * bell, axis=1) / blur**2
    return value.astype(np.float32), slope.astype(np.float32), bend.astype(np.float32)


def _erf(x: Floats) -> Floats:
    """The error function to 1.2e-7 (a rational form of Chebyshev type); NumPy has none."""
    t = 1 / (1 + 0.5 * np.abs(x))
    exponent = np.polynomial.polynomial.polyval(t, _ERF_SERIES)
    tail = t * np.exp(np.maximum(-(x**2) + exponent, -700))
    return np.asarray(np.where(x >= 0, 1 - tail, tail - 1))


def _fitted(centres: Floats, shifts: Floats, information: Floats, size: int) -> tuple[Floats, float] | None:
    """The homography near the identity that explains the shifts, and their rms about it, both in modules."""
    weight = np.linalg.eigvalsh(information)[:, 0]
    positive = weight > 1e-3 * weight.max(initial=0.0)
    if weight.max(initial=0.0) <= 0 or positive.sum() < _LEAST_BLOCKS:
        return None
    half = size / 2
    x, y = ((centres - half) / half).T
    zero, one = np.zeros_like(x), np.ones_like(x)
    design = np.stack(
        [
            np.stack([one, x, y, zero, zero, zero, x * x, x * y], axis=1),
            np.stack([zero, zero, zero, one, x, y, x * y, y * y], axis=1),
        ],
        axis=1,
    )
    target = shifts / half
    trust = np.where(positive, 1.0, 0.0)
    # No block counts for much more than the usual one: a homography has to hold everywhere.
    scale = np.minimum(1.0, 3 * np.median(weight[positive]) / np.maximum(weight, 1e-300))
    step = np.zeros(8)
    for _ in range(4):
        share = (information * (trust * scale)[:, None, None])[:, None]
        weighted = np.einsum("nij,nip->njp", share[:, 0], design)
        normal = np.einsum("nip,niq->pq", design, weighted)
        step = np.linalg.solve(
            normal + np.eye(8) * 1e-9 * np.trace(normal), np.einsum("njp,nj->p", weighted, target)
        )
        left = np.linalg.norm(target - design @ step, axis=1)
        usual = np.median(left[positive]) * 1.5 + 1e-4
        trust = np.where(positive, 1 / np.maximum(1.0, left / (1.5 * usual)), 0.0)
        trust[left > 6 * usual] = 0.0
    a1, a2, a3, b1, b2, b3, c1, c2 = step
    near = np.array([(1 + a2, a3, a1), (b2, 1 + b3, b1), (-c1, -c2, 1)])
    normalise = np.array([(1 / half, 0, -1), (0, 1 / half, -1), (0, 0, 1)])
    kept = trust > 0
    rms = float(np.sqrt((left[kept] ** 2).mean())) * half
    return np.linalg.inv(normalise) @ near @ normalise, rms
