"""The record of an enrolled pattern as bytes: what its print looked like, on the pattern's grid.

MessagePack of an array: form, placement (x, y, side), how many frames it is the mean of, the grid's values as bytes
(zlib), and the first 8 bytes of the SHA-256 over all before. The sum finds accidents of storage; against a forger the
record stands on the log, which commits to it. Nothing of the template is in it, and a reader makes room for no more
than one grid.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import Final

import msgspec
import numpy as np

from suyuan.errors import InputError
from suyuan.label.model import Placement
from suyuan.label.pattern_sheet import SIDE, Field

MAX_BYTES: Final = 200_000

_FORM: Final = "pattern/1"
_UNIT: Final = 36.0  # steps of a byte to the local spread
_ZERO: Final = 128
_COARSE: Final = (
    3  # values are kept to this many steps: finer ones would only be noise, and noise does not compress
)
_REMEDY: Final = "Read the record from where it was stored once more; if it stays so, enrol the label anew."


class Record(msgspec.Struct, frozen=True):
    """An enrolled pattern: where it stands beside its code, and its mean picture in units of the local spread."""

    placement: Placement
    frames: int
    values: Field


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    form: str
    x: float
    y: float
    side: float
    frames: int
    values: bytes
    check: bytes


def write_record(record: Record) -> bytes:
    """The record's bytes, at most ``MAX_BYTES``."""
    steps = np.rint(record.values * (_UNIT / _COARSE)) * _COARSE + _ZERO
    values = zlib.compress(np.clip(steps, 0, 255).astype(np.uint8).tobytes(), 9)
    place = record.placement
    stored = _Stored(_FORM, place.x, place.y, place.side, record.frames, values, b"")
    return msgspec.msgpack.encode(msgspec.structs.replace(stored, check=_check(stored)))


def read_record(data: bytes) -> Record:
    """The record in ``data``. Raises ``InputError`` (``label.record.form``) for anything that was not written here."""
    if len(data) > MAX_BYTES:
        raise _refused(f"The record has {len(data):,} bytes, more than any pattern's.")
    try:
        stored = msgspec.msgpack.decode(data, type=_Stored)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _refused("These bytes are no record of an enrolled pattern.") from error
    if stored.form != _FORM:
        raise _refused("The record is of another form than 'pattern/1'.")
    if stored.check != _check(stored):
        raise _refused("The record has changed since it was written.")
    unpacking = zlib.decompressobj()
    try:
        values = unpacking.decompress(stored.values, SIDE * SIDE + 1)
    except zlib.error as error:
        raise _refused("The record's values cannot be unpacked.") from error
    place = (stored.x, stored.y, stored.side)
    if len(values) != SIDE * SIDE or not np.isfinite(place).all() or not 1 <= stored.side <= 1000:
        raise _refused("The record's values are not those of one pattern.")
    grid = (np.frombuffer(values, np.uint8).reshape(SIDE, SIDE).astype(np.float32) - _ZERO) / np.float32(
        _UNIT
    )
    return Record(Placement(*place), stored.frames, grid)


def _check(stored: _Stored) -> bytes:
    bare = msgspec.msgpack.encode(msgspec.structs.replace(stored, check=b""))
    return hashlib.sha256(bare).digest()[:8]


def _refused(reason: str) -> InputError:
    return InputError("label.record.form", reason, path="$.record", remedy=_REMEDY)
