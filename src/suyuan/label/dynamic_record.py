"""The record of a dynamic label's enrolment: its cells in every frame, and from where each frame was taken.

It keeps what was measured, not a model of it: a later method can be applied to earlier enrolments. Form
``dynamic/1``: MessagePack; the cells as signed bytes, frame by frame, row by row, three channels each.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from suyuan.errors import InputError
from suyuan.label.dynamic_cells import CELLS, CHANNELS
from suyuan.label.model import Placement

FORM: Final = "dynamic/1"
MOST_FRAMES: Final = 400
MOST_BYTES: Final = 1_000_000
MISSING: Final = -128
_PER_FRAME: Final = CELLS * CELLS * CHANNELS


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """``centres`` are each frame's camera, (x, y, height) in modules."""

    form: str
    size: int  # modules of the code
    placement: Placement
    centres: list[tuple[float, float, float]]
    film: bytes  # 576 bits, row by row: the cells that lie on the film
    usual: bytes  # 24 x 24 x 3 numbers of two bytes, little endian: the cells' means
    scales: tuple[float, float, float]  # what a step of a channel's bytes in ``cells`` stands for
    cells: bytes  # what they differ by


def write_record(
    size: int,
    placement: Placement,
    centres: NDArray[np.float64],
    film: NDArray[np.bool_],
    cells: NDArray[np.float32],
) -> bytes:
    """The record of frames' cells (n, 24, 24, 3), as ``dynamic_cells.film_cells`` measures them."""
    known = np.isfinite(cells)
    usual = np.where(known, cells, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    usual = usual.astype("<f2")
    apart = np.where(known, cells - usual.astype(np.float32), 0)
    scales = np.maximum(apart[:, film].std(axis=(0, 1)) * 5, 1e-4) / 127
    steps = np.clip(np.rint(apart / scales), -127, 127)
    record = Record(
        form=FORM,
        size=size,
        placement=placement,
        centres=[(round(float(x), 3), round(float(y), 3), round(float(z), 3)) for x, y, z in centres],
        film=np.packbits(film).tobytes(),
        usual=usual.tobytes(),
        scales=(float(scales[0]), float(scales[1]), float(scales[2])),
        cells=np.where(known, steps, MISSING).astype(np.int8).tobytes(),
    )
    return msgspec.msgpack.encode(record)


def read_record(data: bytes) -> Record:
    """A record, checked; raises ``InputError`` (``label.record.form``)."""
    if len(data) > MOST_BYTES:
        raise _refused("It is longer than any record.")
    try:
        record = msgspec.msgpack.decode(data, type=Record)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _refused("It cannot be read.") from error
    count = len(record.centres)
    if record.form != FORM:
        raise _refused(f"Its form is not {FORM}.")
    lengths = (len(record.film), len(record.usual), len(record.cells))
    if not 1 <= count <= MOST_FRAMES or lengths != (CELLS * CELLS // 8, 2 * _PER_FRAME, count * _PER_FRAME):
        raise _refused("Its parts do not belong together.")
    placement = record.placement
    figures = [placement.x, placement.y, placement.side, *record.scales]
    figures += [figure for centre in record.centres for figure in centre]
    if not np.isfinite(figures).all() or not np.isfinite(np.frombuffer(record.usual, "<f2")).all():
        raise _refused("A figure in it is out of bounds.")
    bounded = max(abs(figure) for figure in figures) < 1e6 and 21 <= record.size <= 177
    if not bounded or placement.side <= 0 or min(record.scales) <= 0 or not any(record.film):
        raise _refused("A figure in it is out of bounds.")
    if any(centre[2] <= 0 for centre in record.centres):
        raise _refused("A figure in it is out of bounds.")
    return record


def record_film(record: Record) -> NDArray[np.bool_]:
    """Which cells (24, 24) lie on the film."""
    return np.unpackbits(np.frombuffer(record.film, np.uint8)).astype(bool).reshape(CELLS, CELLS)


def record_cells(record: Record) -> NDArray[np.float32]:
    """The cells (n, 24, 24, 3), NaN where a frame did not show one."""
    shape = (CELLS, CELLS, CHANNELS)
    usual = np.frombuffer(record.usual, "<f2").astype(np.float32).reshape(shape)
    steps = np.frombuffer(record.cells, np.int8).reshape(-1, *shape)
    cells = usual + steps.astype(np.float32) * np.array(record.scales, np.float32)
    return np.where(steps == MISSING, np.nan, cells).astype(np.float32)


def _refused(reason: str) -> InputError:
    return InputError(
        "label.record.form",
        f"This is no record of a dynamic label. {reason}",
        remedy="Take the record as enrolment made it, or enrol the label again.",
    )
