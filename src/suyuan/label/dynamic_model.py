"""What an enrolled label should look like from a place it was not enrolled from: kernel regression, cell by cell.

A facet answers to the half-vector of light and view. The torch is taken to be at the lens; that it is some
millimetres beside it moves all half-vectors of a clip alike, and only the difference between the enrolment's and the
check's matters, which the comparison finds. Near the label the half-vector differs from cell to cell, so it is
computed for each of them.

``predict`` reads from a table over half-vectors, made once for a record; blocks of cells share the kernel's weights.
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

REACH: Final = 0.48  # of the table: tangential part of the half-vector, 29 degrees
NODES: Final = 33
STEP: Final = 2 * REACH / (NODES - 1)
WIDTH: Final = 0.026  # of the kernel: a spiral of 140 frames to 20 degrees has its points about 0.05 apart
_SHRINK: Final = 0.35  # weight of "as usual" against the frames near by
_BLOCK: Final = 6  # cells a side that share the weights


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """The expected differences from each cell's usual look, and how much was seen around each half-vector."""

    table: Floats  # (nodes * nodes, cells, channels), first node row by row downwards
    support: Floats  # (nodes * nodes,): the kernel's weights at the film's middle
    distance: float  # modules, at enrolment
    placement: Placement
    film: NDArray[np.bool_]  # (24, 24)


def half_vectors(centres: NDArray[np.float64], placement: Placement) -> Floats:
    """Of each frame (n, 3) at each cell, for a torch at the lens: (n, cells, 2)."""
    return _towards(centres, cell_middles(placement))


def cell_middles(placement: Placement) -> NDArray[np.float64]:
    """In modules, row by row, (cells, 2)."""
    line = (np.arange(CELLS) + 0.5) * placement.side / CELLS
    x, y = np.meshgrid(placement.x + line, placement.y + line)
    return np.column_stack([x.ravel(), y.ravel()])


def _towards(centres: NDArray[np.float64], points: NDArray[np.float64]) -> Floats:
    flat = centres[:, None, :2] - points[None]
    far = np.sqrt((flat**2).sum(axis=2) + centres[:, None, 2] ** 2)
    return np.asarray(flat / far[:, :, None], dtype=np.float32)


def surface_of(record: Record, width: float = WIDTH) -> Surface:
    """The table of a record."""
    centres = np.array(record.centres)
    return build_surface(centres, record_cells(record), record_film(record), record.placement, width)


def build_surface(
    centres: NDArray[np.float64],
    cells: Floats,
    film: NDArray[np.bool_],
    placement: Placement,
    width: float = WIDTH,
) -> Surface:
    """The table of frames' cells (n, 24, 24, 3), seen from ``centres`` (n, 3) in modules."""
    looks = usual_removed(differences(cells, film)).reshape(len(cells), CELLS, CELLS, CHANNELS)
    line = (np.arange(NODES) * STEP - REACH).astype(np.float32)
    nodes = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    table = np.zeros((NODES * NODES, CELLS, CELLS, CHANNELS), np.float32)
    middles = cell_middles(placement).reshape(CELLS, CELLS, 2)
    middle = np.array([[placement.x + placement.side / 2, placement.y + placement.side / 2]])
    at_middle = _towards(centres, middle)[:, 0]
    support = _kernel(nodes, at_middle, width).sum(axis=1)
    near = np.flatnonzero(support > 0.01)
    distance = float(np.median(np.linalg.norm(centres - np.append(middle[0], 0.0), axis=1)))
    for row in range(0, CELLS, _BLOCK):
        for column in range(0, CELLS, _BLOCK):
            block = (slice(row, row + _BLOCK), slice(column, column + _BLOCK))
            place = middles[block].reshape(-1, 2).mean(axis=0)
            # Nodes are of the half-vector at the film's middle; the block sees it moved by its own place.
            seen = _towards(centres, place[None])[:, 0]
            shift = ((middle[0] - place) / distance).astype(np.float32)
            weights = _kernel(nodes[near] + shift, seen, width)
            weights /= weights.sum(axis=1, keepdims=True) + np.float32(_SHRINK)
            values = looks[:, block[0], block[1]].reshape(len(looks), -1)
            table[near, block[0], block[1]] = (weights @ values).reshape(len(near), _BLOCK, _BLOCK, CHANNELS)
    flat = table.reshape(NODES * NODES, CELLS * CELLS, CHANNELS)
    return Surface(flat, support, distance, placement, film)


def usual_removed(cells: Floats) -> Floats:
    """Each cell's mean over the frames taken away, what is missing as zero: (n, cells, channels)."""
    flat = cells.reshape(len(cells), CELLS * CELLS, CHANNELS)
    known = np.isfinite(flat)
    filled = np.where(known, flat, 0)
    mean = filled.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, filled - mean, 0).astype(np.float32)


def predict(surface: Surface, vectors: Floats, channels: int = CHANNELS) -> Floats:
    """Expected differences at half-vectors (n, cells, 2) of the cells: (n, cells, channels), between nodes bilinear."""
    cells = np.arange(CELLS * CELLS)
    place, inside = _in_table(surface, vectors)
    low = np.floor(place).astype(np.int32)
    part = (place - low).astype(np.float32)[..., None]
    width = len(cells)
    table = surface.table.reshape(-1, CHANNELS)
    first = (low[..., 1] * NODES + low[..., 0]) * width + cells
    across, down = part[..., 0, :], part[..., 1, :]
    upper = table[first] * (1 - across) + table[first + width] * across
    lower = table[first + NODES * width] * (1 - across) + table[first + (NODES + 1) * width] * across
    value = upper * (1 - down) + lower * down
    return np.where(inside[..., None], value, 0)[..., :channels].astype(np.float32)


def predict_light(surface: Surface, light: Floats, vectors: Floats) -> Floats:
    """The brightness alone, at the nearest node, for a search: ``light`` is the table's first channel, contiguous."""
    place, inside = _in_table(surface, vectors)
    near = np.rint(place).astype(np.int32)
    index = (near[..., 1] * NODES + near[..., 0]) * light.shape[1] + np.arange(light.shape[1])
    return np.where(inside, light.ravel()[index], 0).astype(np.float32)


def _in_table(surface: Surface, vectors: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    placement = surface.placement
    middle = np.array([placement.x + placement.side / 2, placement.y + placement.side / 2])
    shift = ((cell_middles(placement) - middle) / surface.distance).astype(np.float32)
    place = (vectors + shift + np.float32(REACH)) / np.float32(STEP)
    inside = ((place >= 0) & (place < NODES - 1.001)).all(axis=-1)
    return np.clip(place, 0, NODES - 1.001).astype(np.float32), inside


def _kernel(at: Floats, seen: Floats, width: float) -> Floats:
    apart = (at[:, None, 0] - seen[None, :, 0]) ** 2 + (at[:, None, 1] - seen[None, :, 1]) ** 2
    return np.asarray(np.exp(-apart / np.float32(2 * width**2)), dtype=np.float32)
