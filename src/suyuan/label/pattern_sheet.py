"""The pattern of a label, brought from a photo onto its own grid: ``CELL`` values a symbol, symbol upon symbol.

The code beside it says roughly where the pattern lies. Its own symbols, which the template names, then say exactly:
first the whole pattern is shifted, then blocks of it are, and at last a smooth warp is fitted in rounds to what blocks
of it measure to a fraction of a pixel. A bent label, a lens and a code set a little askew all pass for that warp.
No brightness is assumed: values are taken relative to the mean and the spread of their surroundings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from suyuan.label.codes import project
from suyuan.label.model import Placement

SYMBOLS: Final = 64
CELL: Final = 6
SIDE: Final = SYMBOLS * CELL

_AROUND: Final = (
    4  # symbols around the pattern that are looked at: so far may it lie from where the code says
)
_WINDOW: Final = 8 * CELL + 1  # the surroundings of a value
_ROUNDS: Final = ((4, 1), (4, 2), (8, 3))  # blocks a side, and the order of the warp fitted to their shifts
_FARTHEST: Final = 0.6 * CELL  # what a block claims beyond it is a mistake

Field = NDArray[np.float32]
Bits = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A pattern on its grid. ``values``: light is positive, in units of the local spread.

    ``raw`` are the photo's own grey levels there; ``agreement`` is the correlation with the reference it was laid on,
    ``blocks`` that of each of 8 x 8 blocks; ``rms`` how far blocks lie off the warp, in symbols; ``shift`` how far the
    pattern lies from where the code says, in symbols; ``bend`` how far, on average, the label curves it, in symbols.
    """

    values: Field
    raw: Field
    agreement: float
    blocks: NDArray[np.float64]
    rms: float
    shift: float
    bend: float


def template_bits(template: bytes) -> Bits:
    """The symbols of a template of 512 bytes, row by row, the most significant bit first; one is dark."""
    return np.unpackbits(np.frombuffer(template, np.uint8)).reshape(SYMBOLS, SYMBOLS)


def drawing(bits: Bits, blur: float = 0.42) -> Field:
    """A template as a photo with a blur of ``blur`` symbols shows it, light positive."""
    light = np.kron(1.0 - 2.0 * bits.astype(np.float32), np.ones((CELL, CELL), np.float32))
    framed = cv2.copyMakeBorder(light, CELL, CELL, CELL, CELL, cv2.BORDER_CONSTANT, value=1.0)
    return flattened(
        np.asarray(cv2.GaussianBlur(framed, (0, 0), blur * CELL)[CELL:-CELL, CELL:-CELL], np.float32)
    )


def flattened(values: Field) -> Field:
    """Values relative to the mean of their surroundings, in units of the spread there."""
    mean = cv2.blur(values, (_WINDOW, _WINDOW), borderType=cv2.BORDER_REFLECT)
    centred = values - mean
    # A running mean of squares may come out a little below zero where all is alike.
    spread = np.sqrt(
        np.maximum(cv2.blur(centred * centred, (_WINDOW, _WINDOW), borderType=cv2.BORDER_REFLECT), 0)
    )
    floor = max(0.25 * float(np.median(spread[::4, ::4])), 1e-3)
    return np.asarray(centred / np.maximum(spread, floor), np.float32)


def pixels_per_symbol(homography: NDArray[np.float64], placement: Placement) -> float:
    """The square root of the pixels that a symbol covers, at the middle of the pattern."""
    step = placement.side / SYMBOLS
    middle = np.array([placement.x + placement.side / 2, placement.y + placement.side / 2])
    steps = np.array([(-0.5, 0), (0.5, 0), (0, -0.5), (0, 0.5)]) * step
    across = project(homography, middle + steps)
    jacobian = np.column_stack([across[1] - across[0], across[3] - across[2]])
    return float(np.sqrt(abs(np.linalg.det(jacobian))))


def inside(homography: NDArray[np.float64], placement: Placement, shape: tuple[int, ...]) -> bool:
    """Whether the whole pattern is within a photo of ``shape``."""
    x, y = placement.x, placement.y
    ends = np.array([(x + a * placement.side, y + b * placement.side) for a in (0, 1) for b in (0, 1)])
    corners = project(homography, ends)
    if not np.isfinite(corners).all():
        return False
    return bool((corners >= 0).all() and (corners <= np.array([shape[1] - 1, shape[0] - 1])).all())


def read_sheet(
    grey: NDArray[np.uint8], homography: NDArray[np.float64], placement: Placement, reference: Field
) -> Sheet:
    """The pattern at ``placement`` beside the code at ``homography``, laid on ``reference``."""
    photo, to_photo = _crop(grey, homography @ _to_modules(placement), placement)
    offset = _coarse(photo, to_photo, reference)
    warp = np.zeros((4, 4, 2))
    warp[0, 0] = offset
    warp += _block_warp(_sampled(photo, to_photo, warp), reference)
    rms = 0.0
    for blocks, order in _ROUNDS:
        seen = flattened(_sampled(photo, to_photo, warp))
        shifts, weight = _shifts(seen, reference, blocks)
        step, rms = _fitted(shifts, weight, blocks, order)
        warp += step
    raw = _sampled(photo, to_photo, warp)
    values = flattened(raw)
    agreed = _agreement(values, reference)
    middle = float(np.hypot(*warp[0, 0])) / CELL
    return Sheet(values, raw, float(_correlation(values, reference)), agreed, rms / CELL, middle, _bend(warp))


def _bend(warp: NDArray[np.float64]) -> float:
    """The rms over the pattern of all of the warp that no flat label shows, in symbols."""
    curved = warp.copy()
    curved[0, 0] = curved[1, 0] = curved[0, 1] = 0
    powers = _powers(16)
    moved = [powers @ curved[..., axis] @ powers.T for axis in (0, 1)]
    return float(np.sqrt(sum(float((way**2).mean()) for way in moved))) / CELL


def _to_modules(placement: Placement) -> NDArray[np.float64]:
    """Grid values, counted from the centre of the first, to modules of the code."""
    step = placement.side / SIDE
    return np.array([(step, 0, placement.x + step / 2), (0, step, placement.y + step / 2), (0, 0, 1)])


def _crop(
    grey: NDArray[np.uint8], to_photo: NDArray[np.float64], placement: Placement
) -> tuple[Field, NDArray[np.float64]]:
    """The part of the photo around the pattern, made smaller where it has many more pixels than the grid."""
    low, high = -(_AROUND + 2) * CELL, SIDE + (_AROUND + 2) * CELL
    corners = project(to_photo, np.array([(x, y) for x in (low, high) for y in (low, high)], np.float64))
    height, width = grey.shape
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, (width - 2, height - 2))
    right, bottom = np.clip(
        np.ceil(corners.max(axis=0)).astype(int) + 1, (left + 2, top + 2), (width, height)
    )
    part = grey[top:bottom, left:right]
    move = np.array([(1, 0, -left), (0, 1, -top), (0, 0, 1)], np.float64)
    middle = project(to_photo, np.array([(SIDE / 2, SIDE / 2), (SIDE / 2 + CELL, SIDE / 2)]))
    factor = int(np.hypot(*(middle[1] - middle[0])) // CELL)
    if factor > 1:
        rows, columns = part.shape[0] // factor, part.shape[1] // factor
        size = (max(columns, 1), max(rows, 1))
        part = part[: size[1] * factor, : size[0] * factor]
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
        half = (1 / factor - 1) / 2
        move = np.array([(1 / factor, 0, half), (0, 1 / factor, half), (0, 0, 1)]) @ move
    return part.astype(np.float32), move @ to_photo


def _powers(count: int, order: int = 3) -> NDArray[np.float64]:
    """Powers of the position from -1 to 1 of ``count`` equal parts of a side."""
    at = (np.arange(count) + 0.5) / count * 2 - 1
    return np.asarray(np.stack([at**k for k in range(order + 1)], axis=1))


def _sampled(
    photo: Field, to_photo: NDArray[np.float64], warp: NDArray[np.float64], around: int = 0
) -> Field:
    """The photo on the grid, which is first moved by the polynomial ``warp`` (rows, columns, xy), in grid values."""
    count = SIDE + 2 * around
    at = np.arange(count, dtype=np.float32) - around
    x, y = np.broadcast_to(at[None, :], (count, count)), np.broadcast_to(at[:, None], (count, count))
    if np.any(warp):
        powers = _powers(SIDE)
        if around:
            place = (np.arange(count) - around + 0.5) / SIDE * 2 - 1
            powers = np.stack([place**k for k in range(4)], axis=1)
        x = x + (powers @ warp[..., 0] @ powers.T).astype(np.float32)
        y = y + (powers @ warp[..., 1] @ powers.T).astype(np.float32)
    m = to_photo.astype(np.float32)
    over = 1 / (m[2, 0] * x + m[2, 1] * y + m[2, 2])
    columns = (m[0, 0] * x + m[0, 1] * y + m[0, 2]) * over
    rows = (m[1, 0] * x + m[1, 1] * y + m[1, 2]) * over
    return np.asarray(
        cv2.remap(photo, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def _coarse(photo: Field, to_photo: NDArray[np.float64], reference: Field) -> NDArray[np.float64]:
    """The shift of the whole pattern, found at two values a symbol."""
    step = CELL // 2
    wide = flattened(_sampled(photo, to_photo, np.zeros((4, 4, 2)), around=_AROUND * CELL))
    small = cv2.resize(wide, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
    sought = cv2.resize(reference, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
    match = cv2.matchTemplate(small, sought, cv2.TM_CCOEFF_NORMED)
    row, column = np.unravel_index(int(match.argmax()), match.shape)
    return (np.array([float(column), float(row)]) - _AROUND * CELL / step) * step


def _block_warp(seen: Field, reference: Field) -> NDArray[np.float64]:
    """A first warp from shifts of 4 x 4 blocks by up to 1.3 symbols, at three values a symbol."""
    step, blocks, reach = CELL // 3, 4, 4
    small = cv2.resize(flattened(seen), None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
    sought = cv2.resize(reference, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
    side = sought.shape[0] // blocks
    shifts, weight = np.zeros((blocks * blocks, 2)), np.zeros(blocks * blocks)
    for index in range(blocks * blocks):
        top, left = (index // blocks) * side, (index % blocks) * side
        part = sought[top + reach : top + side - reach, left + reach : left + side - reach]
        match = cv2.matchTemplate(small[top : top + side, left : left + side], part, cv2.TM_CCOEFF_NORMED)
        row, column = np.unravel_index(int(match.argmax()), match.shape)
        shifts[index] = (column - reach) * step, (row - reach) * step
        weight[index] = max(float(match[row, column]), 0.0) ** 2
    step_warp, _ = _fitted(shifts, weight, blocks, 1)
    return step_warp


def _shifts(seen: Field, reference: Field, blocks: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far each block lies off, in grid values, and its weight: by least squares, light and blur left free."""
    smooth = cv2.GaussianBlur(reference, (0, 0), 0.25 * CELL)
    seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), 0.25 * CELL), np.float32)
    down, right = np.gradient(smooth)
    bend = cv2.Laplacian(smooth, cv2.CV_32F)
    columns = (smooth, np.ones_like(smooth), bend, right, down)
    design = np.stack([_in_blocks(np.asarray(column, np.float32), blocks) for column in columns], axis=-1)
    target = _in_blocks(seen, blocks)
    normal = design.transpose(0, 2, 1) @ design
    ridge = np.eye(5, dtype=np.float32) * 1e-5 * np.trace(normal, axis1=1, axis2=2)[:, None, None]
    solved = np.linalg.solve(normal + ridge, design.transpose(0, 2, 1) @ target[..., None])[..., 0].astype(
        np.float64
    )
    gain = np.where(solved[:, 0] > 0.1, solved[:, 0], 1.0)
    # What is seen at a place lies further right on the reference by the shift: the slope's share, turned round.
    shifts = -solved[:, 3:5] / gain[:, None]
    usable = (solved[:, 0] > 0.1) & (np.abs(shifts).max(axis=1) < _FARTHEST)
    return np.where(usable[:, None], shifts, 0.0), np.where(usable, np.minimum(solved[:, 0], 1.5) ** 2, 0.0)


def _fitted(
    shifts: NDArray[np.float64], weight: NDArray[np.float64], blocks: int, order: int
) -> tuple[NDArray[np.float64], float]:
    """The polynomial of ``order`` that explains the shifts of ``blocks`` a side, and the rms that it leaves."""
    terms = [(row, column) for row in range(order + 1) for column in range(order + 1 - row)]
    powers = _powers(blocks)
    design = np.stack([np.outer(powers[:, row], powers[:, column]).ravel() for row, column in terms], axis=1)
    warp = np.zeros((4, 4, 2))
    if (weight > 0).sum() <= len(terms):
        return warp, float(_FARTHEST)
    trust = weight.copy()
    solved = np.zeros((len(terms), 2))
    left = np.zeros(len(shifts))
    for _ in range(3):
        weighted = design * trust[:, None]
        solved = np.linalg.solve(
            weighted.T @ design + 1e-6 * trust.sum() * np.eye(len(terms)), weighted.T @ shifts
        )
        left = np.hypot(*(shifts - design @ solved).T)
        usual = 1.5 * float(np.median(left[weight > 0])) + 0.02
        trust = weight / np.maximum(1.0, left / (2 * usual)) ** 2
    for (row, column), value in zip(terms, solved, strict=True):
        warp[row, column] = value
    return warp, float(np.sqrt((trust * left**2).sum() / max(trust.sum(), 1e-9)))


def _in_blocks(square: Field, blocks: int) -> Field:
    side = SIDE // blocks
    return np.ascontiguousarray(
        square.reshape(blocks, side, blocks, side).transpose(0, 2, 1, 3).reshape(blocks * blocks, side * side)
    )


def _agreement(values: Field, reference: Field) -> NDArray[np.float64]:
    one, other = _in_blocks(values, 8), _in_blocks(reference, 8)
    one = one - one.mean(axis=1, keepdims=True)
    other = other - other.mean(axis=1, keepdims=True)
    product = (one * other).sum(axis=1) / np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1) + 1e-9)
    return np.asarray(product.reshape(8, 8), np.float64)


def _correlation(one: Field, other: Field) -> float:
    a, b = one - one.mean(), other - other.mean()
    return float((a * b).sum() / np.sqrt(float((a * a).sum()) * float((b * b).sum()) + 1e-9))
