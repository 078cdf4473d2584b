"""How a camera moves over a label: the spiral of an enrolment, and a hand that follows an asked tilt path."""

from __future__ import annotations

import msgspec
import numpy as np

from suyuan.label.path import LEANS, TiltPath
from suyuan.label.simulation.optics import Pose, Wide


class Hand(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody moves a phone."""

    distance: float  # mm
    reach: tuple[float, float]  # degrees of tilt that a leg goes to
    astray: float  # degrees by which a leg may miss its direction, one standard deviation
    returns: float  # chance to come back to the middle between two legs
    start: float  # degrees off the normal at rest, one standard deviation
    tremor: float  # degrees from frame to frame
    drift: float  # of the distance, of 1
    roll: float  # radians, one standard deviation
    aim: float  # mm by which the label is missed
    shutter: float  # part of a frame's time that the shutter is open
    rolling: float  # part of a frame's time from first to last row
    hunting: float  # chance that the focus is lost for a while
    blur: float  # pixels of defocus at the worst of it


def spiral(count: int, degrees: float, distance: float, random: np.random.Generator) -> list[Pose]:
    """An enrolment's poses: even over the disc of tilts up to ``degrees``, the camera always upright."""
    poses = []
    for number in range(count):
        tilt = np.radians(degrees) * np.sqrt((number + 0.5) / count)
        turn = number * np.pi * (3 - np.sqrt(5)) if count < 24 else _turn_of(tilt, degrees, count)
        lean = np.sin(tilt) * np.array([np.cos(turn), np.sin(turn)])
        wobble = distance * (1 + 0.01 * random.standard_normal())
        poses.append(
            Pose(
                centre=(float(lean[0] * wobble), float(lean[1] * wobble), float(np.cos(tilt) * wobble)),
                target=(float(0.3 * random.standard_normal()), float(0.3 * random.standard_normal())),
                roll=float(0.01 * random.standard_normal()),
            )
        )
    return poses


def _turn_of(tilt: float, degrees: float, count: int) -> float:
    """An Archimedean spiral whose windings lie as far apart as its points."""
    windings = np.sqrt(count / np.pi)
    return float(2 * np.pi * windings * tilt / np.radians(degrees))


def follow(path: TiltPath, count: int, hand: Hand, focal: float, random: np.random.Generator) -> list[Pose]:
    """A clip's poses along an asked path, with all that a hand adds."""
    tilts = np.radians(_tilts(path, count, hand, random))
    steps = np.linspace(0, 1, count)
    sway = np.cumsum(random.standard_normal((count, 4)), axis=0) / np.sqrt(count)
    distance = hand.distance * (1 + hand.drift * (0.5 * sway[:, 0] + random.uniform(-0.5, 0.5)))
    roll = hand.roll * random.standard_normal() + 0.05 * sway[:, 1]
    aim = hand.aim * (random.standard_normal(2) + 0.6 * sway[:, 2:4])
    size = np.hypot(tilts[:, 0], tilts[:, 1])
    ratio = np.where(size > 1e-9, np.sin(size) / np.maximum(size, 1e-9), 1.0)
    centres = np.column_stack([tilts * ratio[:, None], np.cos(size)]) * distance[:, None]
    centres[:, :2] += aim
    # What the picture moves between frames is mostly the hand's own shake, as the eye keeps the label in place.
    shake = random.standard_normal((count, 2)) * 0.012 * focal * hand.tremor
    moved = shake + np.gradient(tilts, axis=0) * 0.10 * focal
    lost = _lost_focus(steps, hand, random)
    return [
        Pose(
            centre=(float(centres[i, 0]), float(centres[i, 1]), float(centres[i, 2])),
            target=(float(aim[i, 0]), float(aim[i, 1])),
            roll=float(roll[i]),
            smear=(float(moved[i, 0] * hand.shutter), float(moved[i, 1] * hand.shutter)),
            skew=(float(moved[i, 0] * hand.rolling), float(moved[i, 1] * hand.rolling)),
            defocus=float(lost[i]),
        )
        for i in range(count)
    ]


def _tilts(path: TiltPath, count: int, hand: Hand, random: np.random.Generator) -> Wide:
    """Degrees, (count, 2)."""
    rest = hand.start * random.standard_normal(2)
    stations, lengths = [rest], [0.0]
    for number, direction in enumerate(path.directions):
        lean = np.array(LEANS[direction])
        miss = np.radians(np.clip(hand.astray * random.standard_normal(), -45, 45))
        lean = np.array(
            [lean[0] * np.cos(miss) - lean[1] * np.sin(miss), lean[0] * np.sin(miss) + lean[1] * np.cos(miss)]
        )
        if number and random.random() < hand.returns:
            stations.append(rest + random.standard_normal(2))
            lengths.append(random.uniform(0.5, 1.0))
        stations.append(rest * 0.5 + lean * random.uniform(*hand.reach))
        lengths.append(random.uniform(0.8, 1.4))
    times = np.cumsum(lengths) / np.sum(lengths)
    steps = np.linspace(0, 1, count)
    places = np.array(stations)
    after = np.clip(np.searchsorted(times, steps, side="left"), 1, len(times) - 1)
    part = (steps - times[after - 1]) / np.maximum(times[after] - times[after - 1], 1e-9)
    eased = (
        part + 0.5 * (1 - np.cos(np.pi * np.clip(part, 0, 1)))
    ) / 2  # between a steady and a resting hand
    tilts = places[after - 1] + eased[:, None] * (places[after] - places[after - 1])
    return np.asarray(tilts + hand.tremor * random.standard_normal((count, 2)))


def _lost_focus(steps: Wide, hand: Hand, random: np.random.Generator) -> Wide:
    if random.random() >= hand.hunting:
        return np.zeros_like(steps)
    middle, width = random.uniform(0, 1), random.uniform(0.04, 0.12)
    return np.asarray(hand.blur * np.exp(-(((steps - middle) / width) ** 2)))
