"""What cameras see of the demo's labels, simulated. Slow work, for processes of its own; needs the extra ``label``.

A hang tag starts from the deployment's own file for the press: it is printed once, enrolled by a line camera, and
photographed by a phone. A copier has a scan of it, or the very file. A dynamic label is filmed by a rig, and then in
a hand that follows the path which the server asked for; so does whoever holds something else before the camera.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from itertools import count
from typing import Final, cast

import cv2
import msgspec
import numpy as np
from numpy.random import PCG64, Generator
from PIL import Image, ImageChops

from suyuan.label.model import Placement
from suyuan.label.path import Direction, TiltPath
from suyuan.label.simulation import dynamic_trials
from suyuan.label.simulation.pattern_camera import as_png, draw_phone, draw_scanner, photograph, scan
from suyuan.label.simulation.pattern_copies import copied
from suyuan.label.simulation.print_label import LAYOUTS
from suyuan.label.simulation.print_press import another_day, draw_press, print_dots

_FRAMES = 3
# Ordinary phones, hands and rooms. How checks fare at the edges is what an evaluation is for.
_SPLIT: Final = "calibration"
_NO_BITS = np.zeros((1, 1), np.uint8)


class TagCaptures(msgspec.Struct, frozen=True):
    """Frames that enrol a tag, and photos: of the tag, of an office copy, of a tag printed again from the same file."""

    enrolment: tuple[bytes, ...]
    itself: bytes
    office_copy: bytes
    reprint: bytes


def stand_back() -> None:
    """For the start of a process: others work on the same cores, and are waited for."""
    cv2.setNumThreads(1)
    os.nice(10)


def tag_captures(image: bytes, box: tuple[int, int, int, int], dpi: int, seed: int) -> TagCaptures:
    """What is seen of one tag. ``image`` is its file for the press, ``box`` what of it the cameras look at, in dots.

    Same arguments, same captures.
    """
    rng = Generator(PCG64(seed))
    paper = Image.open(io.BytesIO(image)).convert("L").crop(box)
    dots = (np.asarray(ImageChops.invert(paper)) > 0).astype(np.uint8)
    press = draw_press(_SPLIT, rng, dpi=dpi)
    tag = print_dots(dots, press, rng)
    scanner = draw_scanner(_SPLIT, rng)
    enrolment = tuple(as_png(scan(tag, scanner, rng)) for _ in range(_FRAMES))
    copy = copied("office_copy", tag, "", _NO_BITS, LAYOUTS["press_8mm"], press, _SPLIT, rng)
    reprint = print_dots(dots, another_day(press, rng), rng)
    photos = [photograph(seen, draw_phone(_SPLIT, rng), rng) for seen in (tag, copy, reprint)]
    return TagCaptures(enrolment, *photos)


def dynamic_frames(uri: str, seed: int) -> list[bytes]:
    """What a rig delivers to enrol a dynamic label."""
    return dynamic_trials.enrolment_images(seed, _SPLIT, uri)


def dynamic_clip(uri: str, attack: str, directions: Sequence[str], seed: int) -> list[bytes]:
    """A clip along an asked path: of the label that ``dynamic_frames`` shows ("genuine"), or of an attack."""
    label = dynamic_trials.SimulatedLabel(
        uri=uri, record=b"", placement=Placement(0.0, 0.0, 0.0), seed=seed, split=_SPLIT
    )
    path = TiltPath(tuple(cast("Direction", direction) for direction in directions))
    if attack == "genuine":
        return dynamic_trials.clip_for(label, path, seed)
    # A trial's path follows from its seed, and there are few paths: some seed asks for this one.
    trial = next(number for number in count(seed) if dynamic_trials.trial_path(number) == path)
    return dynamic_trials.capture(label, attack, _SPLIT, trial)
