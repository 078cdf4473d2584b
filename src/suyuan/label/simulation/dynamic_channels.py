"""Which phones, hands, rooms and films there are: the ranges that a trial is drawn from.

The two splits do not share them. Thresholds are set on ``calibration``; ``test`` has other films, other lenses and
torches, darker and brighter rooms, quicker hands, stronger compression, and frame sizes that calibration never saw.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
import numpy as np

from suyuan.label.simulation.dynamic_paths import Hand
from suyuan.label.simulation.dynamic_scene import Foil, Layout, Screen
from suyuan.label.simulation.glitter import Film
from suyuan.label.simulation.optics import Camera, Light

Split = Literal["calibration", "test"]
Range = tuple[float, float]


class Ranges(msgspec.Struct, frozen=True, kw_only=True):
    """Uniform ranges of everything that is drawn for a label or for a clip."""

    layouts: tuple[Layout, ...]
    module: Range  # mm
    ratio: Range  # the film's side over the code's
    facet: Range  # mm
    tilt: Range
    lobe: Range
    gratings: Range
    gain: Range
    frames: tuple[tuple[int, int], ...]
    density: Range  # pixels a module, below the lens
    focal: Range  # of the longer side of the frame
    torch: Range  # mm beside the lens
    room: Range  # of the torch on white paper
    lamps: tuple[int, int]
    noise: Range
    vignette: Range
    gamma: Range
    shoulder: Range
    tone_mapping: Range
    defocus: Range
    quality: tuple[int, int]
    codec: float  # chance that frames come from a compressed video
    reach: tuple[float, float]
    tremor: Range
    drift: Range
    roll: float
    count: tuple[int, int]  # frames; a check's page takes up to 24
    hunting: float
    wear: Range
    bent: float  # chance of a label on a curved pack
    curvature: Range  # 1/mm


RANGES: Final[dict[Split, Ranges]] = {
    "calibration": Ranges(
        layouts=("around", "around", "beside", "on"),
        module=(0.33, 0.45),
        ratio=(1.8, 2.2),
        facet=(0.11, 0.18),
        tilt=(0.16, 0.26),
        lobe=(0.012, 0.040),
        gratings=(0.3, 0.7),
        gain=(6.0, 12.0),
        frames=((960, 960), (1280, 720)),
        density=(5.0, 8.0),
        focal=(1.0, 1.5),
        torch=(8.0, 16.0),
        room=(0.02, 0.20),
        lamps=(1, 3),
        noise=(0.006, 0.02),
        vignette=(0.0, 0.25),
        gamma=(1.9, 2.4),
        shoulder=(0.0, 1.0),
        tone_mapping=(0.0, 0.6),
        defocus=(0.4, 1.1),
        quality=(75, 95),
        codec=0.4,
        reach=(10.0, 16.0),
        tremor=(0.1, 0.5),
        drift=(0.0, 0.12),
        roll=0.15,
        count=(14, 24),
        hunting=0.2,
        wear=(0.0, 0.8),
        bent=0.0,
        curvature=(0.003, 0.012),
    ),
    "test": Ranges(
        layouts=("around", "beside", "below", "on"),
        module=(0.30, 0.50),
        ratio=(1.6, 2.5),
        facet=(0.10, 0.22),
        tilt=(0.13, 0.30),
        lobe=(0.010, 0.050),
        gratings=(0.15, 0.85),
        gain=(5.0, 15.0),
        frames=((1080, 1080), (800, 800), (1280, 960), (720, 1280)),
        density=(4.6, 8.5),
        focal=(0.85, 1.7),
        torch=(6.0, 20.0),
        room=(0.0, 0.28),
        lamps=(0, 4),
        noise=(0.004, 0.028),
        vignette=(0.0, 0.35),
        gamma=(1.7, 2.6),
        shoulder=(0.0, 1.8),
        tone_mapping=(0.0, 0.9),
        defocus=(0.3, 1.4),
        quality=(65, 96),
        codec=0.5,
        reach=(9.0, 18.0),
        tremor=(0.1, 0.7),
        drift=(0.0, 0.18),
        roll=0.25,
        count=(12, 24),
        hunting=0.3,
        wear=(0.0, 1.2),
        bent=0.0,
        curvature=(0.003, 0.02),
    ),
}


def draw_film(ranges: Ranges, random: np.random.Generator) -> Film:
    """A kind of film."""
    gain = random.uniform(*ranges.gain)
    return Film(
        facet=random.uniform(*ranges.facet),
        tilt=random.uniform(*ranges.tilt),
        lobe=random.uniform(*ranges.lobe),
        groove_lobe=random.uniform(0.03, 0.10),
        gratings=random.uniform(*ranges.gratings),
        mirror_gain=gain,
        grating_gain=gain * random.uniform(0.4, 0.8),
        base=random.uniform(0.15, 0.35),
    )


def draw_camera(ranges: Ranges, random: np.random.Generator) -> Camera:
    """A phone's camera and torch, as they are during one clip."""
    width, height = ranges.frames[int(random.integers(len(ranges.frames)))]
    turn = random.uniform(0, 2 * np.pi)
    away = random.uniform(*ranges.torch)
    noise = random.uniform(*ranges.noise)
    return Camera(
        width=width,
        height=height,
        focal=random.uniform(*ranges.focal) * max(width, height),
        torch=(float(away * np.cos(turn)), float(away * np.sin(turn))),
        noise=noise,
        read_noise=noise * random.uniform(0.2, 0.5),
        vignette=random.uniform(*ranges.vignette),
        balance=(random.uniform(0.75, 1.2), 1.0, random.uniform(0.75, 1.2)),
        exposure=random.uniform(0.5, 0.85),
        gamma=random.uniform(*ranges.gamma),
        shoulder=random.uniform(*ranges.shoulder),
        tone_mapping=random.uniform(*ranges.tone_mapping),
        defocus=random.uniform(*ranges.defocus),
        quality=int(random.integers(*ranges.quality)),
        codec=float(random.uniform(0.3, 0.9)) if random.random() < ranges.codec else 0.0,
    )


def draw_lights(ranges: Ranges, random: np.random.Generator) -> list[Light]:
    """A room's lamps, and its walls as one very wide lamp above."""
    room = random.uniform(*ranges.room)
    lamps = int(random.integers(ranges.lamps[0], ranges.lamps[1] + 1))
    shares = random.dirichlet(np.ones(lamps + 1))
    lights = [Light(direction=(0.0, 0.0), strength=float(room * shares[0]), spread=0.9)]
    for share in shares[1:]:
        turn, lean = random.uniform(0, 2 * np.pi), random.uniform(0.2, 0.85)
        lights.append(
            Light(
                direction=(float(lean * np.cos(turn)), float(lean * np.sin(turn))),
                strength=float(room * share),
                spread=float(random.uniform(0.02, 0.15)),
                colour=(float(random.uniform(0.6, 1.1)), 1.0, float(random.uniform(0.8, 1.2))),
            )
        )
    return lights


def draw_hand(ranges: Ranges, camera: Camera, module: float, random: np.random.Generator) -> Hand:
    """A hand, at the distance where a module has as many pixels as drawn."""
    return Hand(
        distance=float(camera.focal * module / random.uniform(*ranges.density)),
        reach=ranges.reach,
        astray=12.0,
        returns=0.5,
        start=2.5,
        tremor=random.uniform(*ranges.tremor),
        drift=random.uniform(*ranges.drift),
        roll=ranges.roll,
        aim=1.5,
        shutter=random.uniform(0.02, 0.15),
        rolling=random.uniform(0.0, 0.15),
        hunting=ranges.hunting,
        blur=random.uniform(1.0, 3.0),
    )


def rig(width: int = 960, height: int = 960) -> Camera:
    """The camera that enrols: still, sharp and little noise."""
    return Camera(
        width=width,
        height=height,
        focal=1300.0,
        torch=(9.0, 0.0),
        noise=0.006,
        read_noise=0.002,
        vignette=0.1,
        balance=(1.0, 1.0, 1.0),
        exposure=0.65,
        gamma=2.2,
        shoulder=0.4,
        tone_mapping=0.0,
        defocus=0.6,
        quality=92,
    )


def draw_foil(random: np.random.Generator) -> Foil:
    """A foil from the market: half of them plain mirrors, the others rainbow foils, some in repeated patches."""
    rainbow = random.random() < 0.5
    return Foil(
        mirror=float(random.uniform(1.0, 6.0)),
        lobe=float(random.uniform(0.03, 0.15)),
        rainbow=float(random.uniform(1.0, 5.0)) if rainbow else 0.0,
        period=float(random.uniform(0.9, 2.6)),
        turn=float(random.uniform(0, np.pi)),
        tile=float(random.uniform(1.0, 4.0)) if rainbow and random.random() < 0.5 else 0.0,
    )


def draw_screen(random: np.random.Generator) -> Screen:
    """A phone's or a tablet's display."""
    return Screen(
        brightness=float(random.uniform(0.5, 3.0)),
        falloff=float(random.uniform(0.5, 2.0)),
        glare=float(random.uniform(0.5, 4.0)),
        gloss=float(random.uniform(0.01, 0.04)),
        pitch=float(random.uniform(0.05, 0.10)),
        levels=float(random.uniform(2.0, 2.4)),
    )
