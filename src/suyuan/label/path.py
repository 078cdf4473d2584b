"""The tilt path that a check asks for, and whether a clip followed it. No arrays: the server's processes import it.

A path is drawn from the check's nonce, so that a clip that was recorded before the nonce existed follows it only by
chance. Directions are the label's own, in the frame of its QR code read upright: ``left`` means that the label's
left edge goes away from the camera, ``up`` that its upper edge does. To somebody who holds the phone over a label
that lies still, that is: for ``left`` the phone moves to the label's right and keeps looking at it.

A tilt is a pair of degrees (x, y): how far the camera stands off the label's normal towards the label's right and
towards its lower edge. Frontal is (0, 0); ``left`` is (+, 0), ``up`` is (0, +).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

Direction = Literal["up", "down", "left", "right"]
Tilt = tuple[float, float]

DIRECTIONS: Final[tuple[Direction, ...]] = ("up", "down", "left", "right")
# Where the camera goes, in the label's frame (x right, y down), when an edge goes away from it.
LEANS: Final[dict[Direction, Tilt]] = {
    "up": (0.0, 1.0),
    "down": (0.0, -1.0),
    "left": (1.0, 0.0),
    "right": (-1.0, 0.0),
}
LEG_DEGREES: Final = 6.0  # the least tilt that counts as a leg
LEG_COSINE: Final = 0.64  # a leg may miss its direction by 50 degrees


class TiltPath(msgspec.Struct, frozen=True):
    """The directions to tilt in, one after the other. An empty path asks for nothing."""

    directions: tuple[Direction, ...]


def tilt_path(nonce: bytes) -> TiltPath:
    """The path of a nonce: three or four legs, no two equal ones after each other."""
    digest = hashlib.sha256(b"suyuan tilt path\n" + nonce).digest()
    legs: list[Direction] = []
    for byte in digest[1 : 4 + (digest[0] & 1)]:
        choices = [name for name in DIRECTIONS if not legs or name != legs[-1]]
        legs.append(choices[byte % len(choices)])
    return TiltPath(tuple(legs))


def follows(tilts: Sequence[Tilt], path: TiltPath) -> bool:
    """Whether tilts, in order of time, go along the path, seen from the normal or from where the clip began.

    A hand seldom starts exactly above the label, therefore the two origins.
    """
    if not path.directions:
        return True
    return bool(tilts) and any(_goes_along(tilts, path, origin) for origin in ((0.0, 0.0), tilts[0]))


def _goes_along(tilts: Sequence[Tilt], path: TiltPath, origin: Tilt) -> bool:
    """Whether the tilts go to each leg in turn, and nowhere else: a clip that goes everywhere answers no question."""
    leg, visits, current = 0, 0, ""
    for tilt in tilts:
        x, y = tilt[0] - origin[0], tilt[1] - origin[1]
        size = math.hypot(x, y)
        if size < LEG_DEGREES:
            continue
        if leg < len(path.directions) and _toward(x, y, path.directions[leg]) >= LEG_COSINE * size:
            leg += 1
        nearest = max(DIRECTIONS, key=lambda name: _toward(x, y, name))
        if nearest != current:
            visits, current = visits + 1, nearest
    return leg == len(path.directions) == visits


def _toward(x: float, y: float, direction: Direction) -> float:
    lean = LEANS[direction]
    return x * lean[0] + y * lean[1]
