"""What an enrolled label should look like from a place it was not enrolled from: kernel regression, cell by cell.

A facet answers to the half-vector of light and view. At enrolment the torch is taken to be at the lens; that it is
some millimetres beside it moves all half-vectors alike, and only the difference between the enrolment's and the
check's matters, which the comparison finds. Near the label half-vectors differ from cell to cell.

Frames that were taken near each other look alike, those far apart do not; how near is near is a property of the film
and is measured on the enrolment itself (``_kernel_of``). With it the regression is the best linear one (a Gaussian
process), and it says how much of a look it can know at all: much on an enrolled place, little between two windings of
a spiral that is too coarse for the film.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from suyuan.label.dynamic_cells import CELLS, CHANNELS, differences
from suyuan.label.dynamic_record import Record, record_cells, record_film
from suyuan.label.model import Placement

Floats = NDArray[np.float32]
Wide = NDArray[np.float64]

REACH: Final = 0.48  # of the rough table: tangential part of the half-vector, 29 degrees
NODES: Final = 49
STEP: Final = 2 * REACH / (NODES - 1)
_BLOCK: Final = 4  # cells a side that share the kernel's weights
_BLOCKS: Final = CELLS // _BLOCK
_WIDTHS: Final = (0.014, 0.018, 0.023, 0.03, 0.039, 0.05, 0.065, 0.09)
_SHARES: Final = (0.5, 0.95)  # of a cell's variance that may be the label's; the rest is noise
_FAR: Final = 0.25  # beyond, no two looks have anything in common


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """How alike two looks are whose half-vectors lie apart: Gaussians of these widths, each with its share."""

    widths: tuple[float, ...]
    shares: Wide

    def __call__(self, squared: Floats) -> Floats:
        """Of the squares of distances."""
        alike = np.zeros_like(squared)
        for width, share in zip(self.widths, self.shares, strict=True):
            alike += np.float32(share) * np.exp(squared * np.float32(-1 / (2 * width**2)))
        return alike


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """The regression of one record."""

    placement: Placement
    film: NDArray[np.bool_]  # (24, 24)
    kernel: Kernel
    liveliness: (
        float  # how much the brightness of the film's cells changed at enrolment, one standard deviation
    )
    seen: Floats  # (blocks, n, 2): half-vectors of the enrolled frames at each block
    weights: Floats  # (blocks, n, cells of a block, channels): what stands behind the kernel
    light: Floats  # (blocks, n, cells of a block): of them the brightness
    middle: Floats  # (n, 2): half-vectors at the film's middle
    inverse: Wide  # (n, n)
    rough: Floats  # (nodes * nodes, cells / 2): the brightness of every other cell
    offsets: Floats  # (cells, 2): from a cell's half-vector to its place in the rough table


def half_vectors(centres: Wide, points: Wide) -> Floats:
    """Of each frame (n, 3) at each point (m, 2), for a torch at the lens: (n, m, 2)."""
    flat = centres[:, None, :2] - points[None]
    far = np.sqrt((flat**2).sum(axis=2) + centres[:, None, 2] ** 2)
    return np.asarray(flat / far[:, :, None], dtype=np.float32)


def cell_middles(placement: Placement) -> Wide:
    """In modules, row by row, (cells, 2)."""
    line = (np.arange(CELLS) + 0.5) * placement.side / CELLS
    x, y = np.meshgrid(placement.x + line, placement.y + line)
    return np.column_stack([x.ravel(), y.ravel()])


def film_middle(placement: Placement) -> Wide:
    """In modules, (2,)."""
    return np.array([placement.x + placement.side / 2, placement.y + placement.side / 2])


def surface_of(record: Record) -> Surface:
    """The regression of a record."""
    return build_surface(
        np.array(record.centres), record_cells(record), record_film(record), record.placement
    )


def build_surface(centres: Wide, cells: Floats, film: NDArray[np.bool_], placement: Placement) -> Surface:
    """The regression of frames' cells (n, 24, 24, 3), seen from ``centres`` (n, 3) in modules."""
    looks = usual_removed(differences(cells, film))
    middle = half_vectors(centres, film_middle(placement)[None])[:, 0]
    kernel = _kernel_of(looks[:, film.ravel(), 0], middle)
    alike = kernel(_apart(middle, middle)).astype(np.float64)
    inverse = np.asarray(np.linalg.inv(alike + (1 - kernel.shares.sum()) * np.eye(len(middle))), np.float64)
    behind = (inverse @ looks.reshape(len(looks), -1)).astype(np.float32)
    behind = behind.reshape(len(looks), CELLS * CELLS, CHANNELS)
    weights = _in_blocks(behind)
    points = cell_middles(placement)
    distance = float(np.median(np.linalg.norm(centres - np.append(film_middle(placement), 0.0), axis=1)))
    line = (np.arange(NODES) * STEP - REACH).astype(np.float32)
    nodes = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    return Surface(
        placement=placement,
        film=film,
        kernel=kernel,
        liveliness=float(looks[:, film.ravel(), 0].std()),
        seen=np.ascontiguousarray(_block_means(half_vectors(centres, points)).transpose(1, 0, 2)),
        weights=weights,
        light=np.ascontiguousarray(weights[..., 0]),
        middle=middle,
        inverse=inverse,
        rough=kernel(_apart(nodes, middle)) @ behind[:, ::2, 0],
        offsets=np.asarray((points - film_middle(placement)) / distance + REACH, dtype=np.float32),
    )


def usual_removed(cells: Floats) -> Floats:
    """Each cell's mean over the frames taken away, what is missing as zero: (n, cells, channels)."""
    flat = cells.reshape(len(cells), CELLS * CELLS, CHANNELS)
    known = np.isfinite(flat)
    filled = np.where(known, flat, 0)
    mean = filled.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, filled - mean, 0).astype(np.float32)


def predict(surface: Surface, vectors: Floats) -> Floats:
    """Expected differences at half-vectors (n, cells, 2) of the cells: (n, cells, channels)."""
    near = _near(surface, vectors)
    found = near @ surface.weights.reshape(len(near), surface.weights.shape[1], -1)
    return _from_blocks(found.reshape(*found.shape[:2], _BLOCK * _BLOCK, CHANNELS))


def predict_light(surface: Surface, vectors: Floats) -> Floats:
    """The brightness alone, (n, cells, 1)."""
    return _from_blocks((_near(surface, vectors) @ surface.light)[..., None])


def predict_light_roughly(surface: Surface, vectors: Floats) -> Floats:
    """The brightness of every other cell from the nearest node of a table, for a search.

    ``vectors`` are those of every other cell (n, cells / 2, 2). Beyond the table it goes on as at its border, which is
    far outside what is enrolled.
    """
    place = vectors + surface.offsets[::2]
    place *= np.float32(1 / STEP)
    place += np.float32(0.5)
    np.clip(place, 0, NODES - 1, out=place)
    near = place.astype(np.int32)
    width = surface.rough.shape[1]
    index = (near[..., 1] * NODES + near[..., 0]) * width
    index += np.arange(width, dtype=np.int32)
    return np.asarray(surface.rough.ravel().take(index), dtype=np.float32)


def knowable(surface: Surface, vectors: Floats) -> float:
    """The correlation that the label itself would reach at half-vectors (n, 2) of the film's middle."""
    near = surface.kernel(_apart(vectors, surface.middle)).astype(np.float64)
    known = ((near @ surface.inverse) * near).sum(axis=1)
    return float(np.sqrt(np.clip(known.mean(), 0.0, 1.0)))


def _kernel_of(looks: Floats, middle: Floats) -> Kernel:
    """The kernel that explains best how alike pairs of frames (n, cells) are, by how far apart they were taken."""
    one, two = np.triu_indices(len(looks), 1)
    alike = (looks @ looks.T).astype(np.float64)
    variance = max(float(np.trace(alike)) / len(looks), 1e-12)
    apart = ((middle[one] - middle[two]) ** 2).sum(axis=1)
    near = apart < _FAR**2
    shapes = np.exp(-apart[near, None] / (2 * np.array(_WIDTHS) ** 2))
    design = np.column_stack([shapes, np.ones(len(shapes))])
    shares = _not_negative(design.T @ design, design.T @ (alike[one, two][near] / variance))[:-1]
    total = float(shares.sum())
    if total < 1e-6:
        return Kernel(_WIDTHS[2:3], np.array([_SHARES[0]]))
    shares *= np.clip(total, *_SHARES) / total
    used = shares > 0.01
    return Kernel(tuple(float(width) for width in np.array(_WIDTHS)[used]), shares[used])


def _not_negative(normal: Wide, right: Wide) -> Wide:
    """Least squares of which every part but the last is at least 0, part by part."""
    solved = np.zeros(len(right))
    for _ in range(300):
        for part in range(len(right)):
            step = (right[part] - normal[part] @ solved) / normal[part, part]
            solved[part] = solved[part] + step if part == len(right) - 1 else max(0.0, solved[part] + step)
    return solved


def _near(surface: Surface, vectors: Floats) -> Floats:
    """The kernel between a clip's half-vectors (n, cells, 2) and the enrolled ones: (blocks, n, enrolled)."""
    asked = _block_means(vectors).transpose(1, 0, 2)
    apart = (asked[:, :, None, 0] - surface.seen[:, None, :, 0]) ** 2
    apart += (asked[:, :, None, 1] - surface.seen[:, None, :, 1]) ** 2
    return surface.kernel(apart)


def _apart(at: Floats, seen: Floats) -> Floats:
    return np.asarray((at[:, None, 0] - seen[None, :, 0]) ** 2 + (at[:, None, 1] - seen[None, :, 1]) ** 2)


def _block_means(vectors: Floats) -> Floats:
    """(n, cells, 2) to (n, blocks, 2)."""
    shape = (len(vectors), _BLOCKS, _BLOCK, _BLOCKS, _BLOCK, 2)
    means = vectors.reshape(shape).mean(axis=(2, 4))
    return np.asarray(means.reshape(len(vectors), _BLOCKS * _BLOCKS, 2), dtype=np.float32)


def _in_blocks(cells: Floats) -> Floats:
    """(n, cells, channels) to (blocks, n, cells of a block, channels)."""
    split = cells.reshape(len(cells), _BLOCKS, _BLOCK, _BLOCKS, _BLOCK, -1).transpose(1, 3, 0, 2, 4, 5)
    return np.ascontiguousarray(split).reshape(_BLOCKS * _BLOCKS, len(cells), _BLOCK * _BLOCK, -1)


def _from_blocks(blocks: Floats) -> Floats:
    """(blocks, n, cells of a block, channels) to (n, cells, channels)."""
    count, channels = blocks.shape[1], blocks.shape[3]
    split = blocks.reshape(_BLOCKS, _BLOCKS, count, _BLOCK, _BLOCK, channels).transpose(2, 0, 3, 1, 4, 5)
    return np.asarray(split.reshape(count, CELLS * CELLS, channels), dtype=np.float32)
