"""Trials of the dynamic label: labels enrolled, clips of them, and clips of what is not them. Seeded.

Eight labels in a row of seeds are one product line: same layout, size and kind of film, other facets. The attacks:

``wrong``                 another label of the same line, its code copied
``print``                 the film's picture, taken under the torch, printed on matt paper
``foil``                  such a picture printed on mirror or hologram foil, which shines by itself
``replay``                a screen shows a recording of the label that was made along another path
``replay_synchronised``   a screen that follows the asked path, as well as a person in front of it can
``injected``              a digital recording of the label itself along another path, sent instead of the camera's

Optics do not tell an injected recording: only that its path is not the one asked for, and that it was sent before.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec
import numpy as np

from suyuan.label.dynamic import enrol_dynamic
from suyuan.label.model import Placement
from suyuan.label.path import TiltPath, tilt_path
from suyuan.label.simulation.dynamic_attacks import PAINTERS, Stage, other_path
from suyuan.label.simulation.dynamic_channels import (
    RANGES,
    Split,
    draw_camera,
    draw_film,
    draw_hand,
    draw_lights,
    rig,
)
from suyuan.label.simulation.dynamic_paths import follow, spiral
from suyuan.label.simulation.dynamic_scene import Scene, label_texture, make_scene, take, worn
from suyuan.label.simulation.optics import Light, Sensor

ATTACKS: Final = ("wrong", "print", "foil", "replay", "replay_synchronised", "injected")
ENROLMENT_FRAMES: Final = 140
ENROLMENT_DEGREES: Final = 20.0
_LINE: Final = 8  # labels of a line
_OTHER: Final = 1_000_003  # added to a seed for the facets of another label


class SimulatedLabel(msgspec.Struct, frozen=True, kw_only=True):
    """A label that was enrolled; ``template`` is empty, as this kind has none."""

    uri: str
    record: bytes
    placement: Placement
    seed: int
    split: Split
    template: bytes = b""


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What to do to a genuine clip, to see what the method says of it."""

    torch: bool = True
    bent: bool = False
    frames: int = 0  # 0: as drawn
    still: bool = False  # the phone is not tilted


def trial_uri(seed: int) -> str:
    """The code of a simulated label."""
    return f"https://id.example.org/01/09506000134352/21/L{seed:07d}"


def trial_path(seed: int) -> TiltPath:
    """The path that the trial of this seed asks for."""
    return tilt_path(f"trial {seed}".encode())


def make_label(seed: int, split: Split, uri: str | None = None) -> SimulatedLabel:
    """A label, enrolled as the product enrols it; its film lies where enrolment found it."""
    uri = uri or trial_uri(seed)
    record = enrol_dynamic(enrolment_images(seed, split, uri), uri)
    return SimulatedLabel(
        uri=uri, record=record, placement=placement_of(seed, split, uri), seed=seed, split=split
    )


def enrolment_images(seed: int, split: Split, uri: str, count: int = ENROLMENT_FRAMES) -> list[bytes]:
    """What a rig delivers that moves a camera and its torch on a spiral over the label."""
    scene = _scene(seed, split, uri)
    random = _random(split, seed, 1)
    camera = rig()
    distance = max(110.0, 1.15 * scene.extent * camera.focal / camera.width)
    poses = spiral(count, ENROLMENT_DEGREES, distance, random)
    lights = [Light(direction=(0.0, 0.0), strength=float(random.uniform(0, 0.05)), spread=0.9)]
    sensor = Sensor(camera, random)
    return [
        sensor.photograph(take(label_texture(scene, camera, pose, lights, distance), scene, camera, pose))
        for pose in poses
    ]


def capture(
    label: SimulatedLabel, attack: str, split: Split, seed: int, conditions: Conditions | None = None
) -> list[bytes]:
    """A clip along ``trial_path(seed)``: of the label itself ("genuine"), or of what an attacker shows instead."""
    if attack != "genuine" and attack not in ATTACKS:
        raise ValueError(attack)
    asked = trial_path(seed)
    if attack == "injected":
        return clip_for(label, other_path(asked, str(seed)), seed, split=split, conditions=conditions)
    return _clip(label, attack, asked, split, seed, conditions or Conditions())


def clip_for(
    label: SimulatedLabel,
    path: TiltPath,
    seed: int,
    *,
    split: Split | None = None,
    conditions: Conditions | None = None,
) -> list[bytes]:
    """A clip of the label itself along a given path."""
    return _clip(label, "genuine", path, split or label.split, seed, conditions or Conditions())


def placement_of(seed: int, split: Split, uri: str) -> Placement:
    """Where a label's film lies in truth, in modules of its code."""
    scene = _scene(seed, split, uri)
    return Placement(
        x=(scene.film_at[0] - scene.side / 2 - scene.code_at[0]) / scene.module,
        y=(scene.film_at[1] - scene.side / 2 - scene.code_at[1]) / scene.module,
        side=scene.side / scene.module,
    )


def _random(split: Split, *seeds: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([0 if split == "calibration" else 1, *seeds]))


@lru_cache(maxsize=8)
def _scene(seed: int, split: Split, uri: str, other: bool = False) -> Scene:
    ranges = RANGES[split]
    line = _random(split, seed // _LINE, 2)
    layout = ranges.layouts[seed // _LINE % len(ranges.layouts)]
    film = draw_film(ranges, line)
    module, ratio = line.uniform(*ranges.module), line.uniform(*ranges.ratio)
    return make_scene(uri, layout, film, module, ratio, _random(split, seed + (_OTHER if other else 0), 3))


def _clip(
    label: SimulatedLabel, attack: str, path: TiltPath, split: Split, seed: int, conditions: Conditions
) -> list[bytes]:
    ranges, random = RANGES[split], _random(split, seed, 4, ("genuine", *ATTACKS).index(attack))
    scene = _scene(label.seed, label.split, label.uri)
    camera = draw_camera(ranges, random)
    hand = draw_hand(ranges, camera, scene.module, random)
    # Nobody holds a phone so near that the label does not fit, nor does a lens focus there.
    fitting = 1.05 * scene.extent * camera.focal / min(camera.width, camera.height)
    hand = msgspec.structs.replace(hand, distance=max(hand.distance, fitting, 65.0))
    if conditions.still:
        hand = msgspec.structs.replace(hand, reach=(0.5, 1.5), start=1.0)
    count = conditions.frames or int(random.integers(ranges.count[0], ranges.count[1] + 1))
    poses = follow(path, count, hand, camera.focal, random)
    lights = draw_lights(ranges, random)
    distance = hand.distance
    if not conditions.torch:
        lights = [msgspec.structs.replace(light, strength=light.strength + 0.05) for light in lights]
        distance = 1e-6 * hand.distance
    bend = 0.0
    if conditions.bent or random.random() < ranges.bent:
        bend = float(random.uniform(*ranges.curvature) * random.choice((-1, 1)))
    stage = Stage(
        scene=scene,
        camera=camera,
        lights=lights,
        distance=distance,
        bend=bend,
        wear=worn(scene, random.uniform(*ranges.wear), random),
        path=path,
        hand=hand,
        ranges=ranges,
    )
    if attack == "wrong":
        stage = msgspec.structs.replace(stage, scene=_scene(label.seed, label.split, label.uri, other=True))
    paint = PAINTERS[attack](stage, poses, random)
    sensor = Sensor(camera, random)
    return [
        sensor.photograph(take(paint(number, pose), stage.scene, camera, pose, bend))
        for number, pose in enumerate(poses)
    ]
