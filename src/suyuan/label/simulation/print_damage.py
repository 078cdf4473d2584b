"""What happens to a label between enrolment and a check: scratches, dust and worn spots, and a shadow's edge on it.

All of it lies on the print, and none of it is of the print: most symbols stay as they were.
"""

from __future__ import annotations

from typing import Final

import cv2
import msgspec
import numpy as np
from numpy.random import Generator

from suyuan.label.simulation.print_press import PITCH, Field, Split, noise_field

_PAPER: Final = 0.82  # reflectance where ink or coating has gone
_FINE: Final = 3  # bits of a fraction of a point, in which lines and dots are placed


class Damage(msgspec.Struct, frozen=True):
    """How much of each. ``worn`` is a share of the area; ``shadow`` how much light it takes, ``penumbra`` in mm."""

    scratches: int = 0
    dust: int = 0
    worn: float = 0.0
    shadow: float = 0.0
    penumbra: float = 1.0


_NO_DAMAGE: Final = Damage()
# What ordinary captures have at most: handled, not maltreated.
_USUAL: Final[dict[Split, Damage]] = {
    "calibration": Damage(scratches=1, dust=4, worn=0.001, shadow=0.2, penumbra=3.0),
    "test": Damage(scratches=2, dust=8, worn=0.003, shadow=0.4, penumbra=2.0),
}


def draw_damage(split: Split, rng: Generator) -> Damage:
    """What an ordinary capture's label has been through: half of them nothing."""
    most = _USUAL[split]
    share = float(rng.uniform(0, 1))
    return Damage(
        scratches=int(rng.integers(0, most.scratches + 1)) if share > 0.5 else 0,
        dust=int(rng.integers(0, most.dust + 1)) if share > 0.5 else 0,
        worn=float(rng.uniform(0, most.worn)) if share > 0.5 else 0.0,
        shadow=float(rng.uniform(0, most.shadow)) if share > 0.5 else 0.0,
        penumbra=float(rng.uniform(0.5, 1)) * most.penumbra,
    )


def damaged(label: Field, damage: Damage, rng: Generator) -> Field:
    """The reflectance of a label after ``damage``; a shadow is reckoned as less of it."""
    if damage == _NO_DAMAGE:
        return label
    seen = label.copy()
    if damage.worn > 0:
        field = noise_field(seen.shape, 60.0, rng)
        rubbed = field > np.quantile(field[::4, ::4], 1 - damage.worn)
        seen[rubbed] = 0.3 * seen[rubbed] + 0.7 * _PAPER
    for _ in range(damage.scratches):
        _draw(seen, _line(seen, rng), _PAPER)
    for _ in range(damage.dust):
        _draw(seen, _grain(seen, rng), float(rng.uniform(0.2, 0.6)))
    if damage.shadow > 0:
        seen *= _shade(seen, damage, rng)
    return seen


def _draw(seen: Field, mask: Field, value: float) -> None:
    seen += mask * (value - seen)


def _line(seen: Field, rng: Generator) -> Field:
    """A scratch right across the pattern, 30 to 70 micrometres wide. The pattern is the right half of a label."""
    height, width = seen.shape
    ends = [(float(rng.uniform(0.5, 1)) * width, float(edge)) for edge in (0, height)]
    if rng.random() < 0.3:
        ends = [(float(edge), float(rng.uniform(0.2, 0.8)) * height) for edge in (0, width)]
    mask = np.zeros(seen.shape, np.uint8)
    first, last = (tuple(round(value * 2**_FINE) for value in end) for end in ends)
    thick = max(1, round(float(rng.uniform(30, 70)) / PITCH))
    cv2.line(mask, first, last, 255, thick, cv2.LINE_AA, _FINE)
    return np.asarray(mask / np.float32(255), np.float32)


def _grain(seen: Field, rng: Generator) -> Field:
    """A grain of dust or a speck of dirt, 60 to 220 micrometres across."""
    height, width = seen.shape
    centre = (
        round(float(rng.uniform(0.5, 1)) * width * 2**_FINE),
        round(float(rng.uniform(0.1, 0.9)) * height * 2**_FINE),
    )
    mask = np.zeros(seen.shape, np.uint8)
    radius = round(float(rng.uniform(30, 110)) / PITCH * 2**_FINE)
    cv2.circle(mask, centre, radius, 255, -1, cv2.LINE_AA, _FINE)
    return np.asarray(mask / np.float32(255), np.float32)


def _shade(seen: Field, damage: Damage, rng: Generator) -> Field:
    """The light that is left beside a shadow whose edge goes through the pattern."""
    height, width = seen.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = float(rng.uniform(0, 2 * np.pi))
    place = float(rng.uniform(0.6, 0.85)) * width, float(rng.uniform(0.35, 0.65)) * height
    beyond = (x - np.float32(place[0])) * np.cos(angle) + (y - np.float32(place[1])) * np.sin(angle)
    across = np.clip(beyond * (PITCH / 1000 / max(damage.penumbra, 0.02)) + 0.5, 0, 1)
    return np.asarray(1 - damage.shadow * across * across * (3 - 2 * across), np.float32)
