"""The fingerprint of one clip: the way that the camera took, and what it saw on it.

Nobody moves a hand twice alike; a clip that was sent before, packed again, scaled or with some frames left out, took
the same way. Both parts are taken at stations evenly along the way. ``model.near_duplicate`` compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from suyuan.label.model import posed_fingerprint
from suyuan.label.path import Tilt

_STATIONS: Final = 8
_COARSE: Final = 12  # cells a side, of the brightness that is kept


def fingerprint(tilts: Sequence[Tilt], cells: NDArray[np.float32]) -> bytes:
    """Of a clip's tilts and its cells (n, 24, 24, 3); empty where it shows no way."""
    places = np.radians(np.array(tilts)).reshape(-1, 2)
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    way = np.concatenate([[0.0], np.cumsum(steps + 1e-9)])
    if len(places) < 2 or way[-1] < 1e-3:
        return b""
    stations = np.linspace(0, way[-1], _STATIONS)
    pose = [float(np.interp(at, way, places[:, axis])) for at in stations for axis in range(2)]
    light = np.stack([_light_at(at, way, cells) for at in stations])
    return posed_fingerprint(pose, np.packbits(light > np.median(light, axis=0)).tobytes())


def _light_at(at: float, way: NDArray[np.float64], cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """The brightness at a place of the way, between the frames on either side, against its surroundings."""
    after = int(np.clip(np.searchsorted(way, at), 1, len(way) - 1))
    part = np.float32((at - way[after - 1]) / (way[after] - way[after - 1]))
    light = np.nan_to_num(cells[after - 1, :, :, 0] * (1 - part) + cells[after, :, :, 0] * part)
    small = cv2.resize(light, (_COARSE, _COARSE), interpolation=cv2.INTER_AREA)
    return np.asarray(small - cv2.GaussianBlur(small, (0, 0), 1.5), dtype=np.float32)
