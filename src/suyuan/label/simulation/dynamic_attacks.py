"""What the camera is shown in a trial: the label, or what an attacker made in its place.

A painter is called with the number and the pose of each frame and gives the texture that lies there. Attackers are
as good as their means allow: prints are levelled and registered exactly, the code is copied without loss, a screen
lies where the label should lie and shows a recording that was rectified beforehand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import msgspec
import numpy as np

from suyuan.label.path import TiltPath, tilt_path
from suyuan.label.simulation.dynamic_channels import Ranges, draw_foil, draw_screen
from suyuan.label.simulation.dynamic_paths import Hand, follow
from suyuan.label.simulation.dynamic_scene import (
    Foil,
    Scene,
    Wear,
    label_texture,
    print_texture,
    printed_picture,
    screen_texture,
)
from suyuan.label.simulation.optics import Camera, Floats, Light, Pose

Painter = Callable[[int, Pose], Floats]


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of one clip."""

    scene: Scene
    camera: Camera
    lights: list[Light]
    distance: float  # where the torch gives 1 on paper, mm
    bend: float
    wear: Wear
    path: TiltPath
    hand: Hand
    ranges: Ranges


def other_path(path: TiltPath, word: str) -> TiltPath:
    """A path that is not the given one."""
    number = 0
    while (other := tilt_path(f"{word} {number}".encode())) == path:
        number += 1
    return other


def _label(stage: Stage, _poses: list[Pose], _random: np.random.Generator) -> Painter:
    def paint(_number: int, pose: Pose) -> Floats:
        return label_texture(
            stage.scene, stage.camera, pose, stage.lights, stage.distance, stage.bend, stage.wear
        )

    return paint


def _print(stage: Stage, _poses: list[Pose], random: np.random.Generator) -> Painter:
    return _printed(stage, None, random)


def _print_on_foil(stage: Stage, _poses: list[Pose], random: np.random.Generator) -> Painter:
    return _printed(stage, draw_foil(random), random)


def _printed(stage: Stage, foil: Foil | None, random: np.random.Generator) -> Painter:
    """A picture of the label, taken with the forger's own lens and torch near the middle of its tilts."""
    lean = random.normal(0, 4, 2)
    tilts = np.radians(lean)
    far = stage.hand.distance
    pose = Pose(centre=(float(far * tilts[0]), float(far * tilts[1]), far), target=(0.0, 0.0), roll=0.0)
    turn, away = random.uniform(0, 2 * np.pi), random.uniform(5, 20)
    camera = msgspec.structs.replace(
        stage.camera, torch=(float(away * np.cos(turn)), float(away * np.sin(turn)))
    )
    picture = printed_picture(stage.scene, camera, pose, [], far, random.uniform(0.02, 0.10))

    def paint(_number: int, pose: Pose) -> Floats:
        return print_texture(
            stage.scene, picture, stage.camera, pose, stage.lights, stage.distance, foil, stage.bend
        )

    return paint


def _replay(stage: Stage, poses: list[Pose], random: np.random.Generator) -> Painter:
    """Recorded along another path, at the forger's own pace."""
    path = other_path(stage.path, f"replay {random.integers(1 << 62)}")
    return _shown(stage, follow(path, len(poses), stage.hand, stage.camera.focal, random), random)


def _synchronised(stage: Stage, poses: list[Pose], random: np.random.Generator) -> Painter:
    """The screen knows where the camera is going, to within a hand's precision."""
    away = np.radians(random.normal(0, 1.2, (len(poses), 2))) * stage.hand.distance
    recorded = [
        msgspec.structs.replace(
            pose, centre=(pose.centre[0] + float(x), pose.centre[1] + float(y), pose.centre[2])
        )
        for pose, (x, y) in zip(poses, away, strict=True)
    ]
    return _shown(stage, recorded, random)


def _shown(stage: Stage, recorded: list[Pose], random: np.random.Generator) -> Painter:
    screen = draw_screen(random)
    softness = random.uniform(0.3, 1.2)

    def paint(number: int, pose: Pose) -> Floats:
        shown = label_texture(stage.scene, stage.camera, recorded[number], stage.lights, stage.hand.distance)
        shown = np.asarray(cv2.GaussianBlur(shown, (0, 0), softness), dtype=np.float32)
        return screen_texture(stage.scene, shown, screen, stage.camera, pose, stage.lights, stage.distance)

    return paint


PAINTERS: Final[dict[str, Callable[[Stage, list[Pose], np.random.Generator], Painter]]] = {
    "genuine": _label,
    "wrong": _label,
    "print": _print,
    "foil": _print_on_foil,
    "replay": _replay,
    "replay_synchronised": _synchronised,
}
