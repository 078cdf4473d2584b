"""What a check of a label comes to. Nothing here needs more than the standard library and msgspec.

A check compares a photo, or a short clip under a torch, with the record made when this very label was enrolled. It
has three answers: it matches, it does not match, or the capture was not good enough to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

Answer = Literal["matches", "differs", "unclear"]
Track = Literal["A", "B"]

# Why a capture could not be judged, as stable words; pages say what to do about each.
REASONS: Final = (
    "no_code",
    "other_code",
    "too_small",
    "blurred",
    "glare",
    "too_dark",
    "registration",
    "damaged",
    "torch_off",
    "too_few_frames",
    "too_little_tilt",
    "tilt_path",
    "near_duplicate",
    "moved_too_fast",
)


class Placement(msgspec.Struct, frozen=True):
    """The square of a pattern on its label, in modules of the QR code beside it.

    The origin is the corner of the code's first module, without the quiet zone; ``x`` goes right, ``y`` down.
    """

    x: float
    y: float
    side: float


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, with the score, the threshold that it was held against, and how good the capture was.

    ``reasons`` says why it could not be told; ``quality`` holds measured figures by name. ``fingerprint`` stands for
    this one capture: two that are nearly equal are one capture sent twice.
    """

    answer: Answer
    score: float = 0.0
    threshold: float = 0.0
    reasons: tuple[str, ...] = ()
    quality: dict[str, float] = {}
    fingerprint: bytes = b""


# Of the bits of two fingerprints of one capture, so many may differ: it was packed again, or cropped a little.
_DIFFERENT_BITS: Final = 1 / 16
# The same of fingerprints that also say how the camera was held; their bits are of noise alone, which packing wears.
_DIFFERENT_NOISE: Final = 0.22

_POSED: Final = b"\x00fp1"
_POSE_UNIT: Final = 1e-4
_SAME_POSE: Final = 0.001  # a quarter of a pixel of a code of 250


def near_duplicate(first: bytes, second: bytes) -> bool:
    """Whether two fingerprints stand for one capture that was sent twice, packed again or scaled in between.

    Fingerprints are bits of what is of one moment: noise, pose, light. An empty one is like none, and so are those
    of other lengths. Two captures of one label differ in how the camera was held, and on a tripod still in their
    noise: of fingerprints that hold both, both must agree.
    """
    if not first or len(first) != len(second):
        return False
    posed, counterpart = _posed(first), _posed(second)
    if posed is None or counterpart is None:
        return _differing(first, second) <= len(first) * 8 * _DIFFERENT_BITS
    pose, noise = posed
    other_pose, other_noise = counterpart
    if len(pose) != len(other_pose) or not noise:
        return False
    if any(abs(one - other) * _POSE_UNIT > _SAME_POSE for one, other in zip(pose, other_pose, strict=True)):
        return False
    return _differing(noise, other_noise) <= len(noise) * 8 * _DIFFERENT_NOISE


def posed_fingerprint(pose: Sequence[float], noise: bytes) -> bytes:
    """A fingerprint of how the camera was held, and of bits of the capture's noise.

    ``pose`` is without the image's own size and place, so that scaling and cropping leave it as it is: the code's
    corners less their mean, in units of the square root of their area. Where nothing could be measured ``noise`` is
    empty, and the fingerprint is like none.
    """
    steps = (max(-32_767, min(32_767, round(value / _POSE_UNIT))) for value in pose)
    return (
        _POSED
        + bytes([len(pose)])
        + b"".join(step.to_bytes(2, "little", signed=True) for step in steps)
        + noise
    )


def _posed(fingerprint: bytes) -> tuple[list[int], bytes] | None:
    start = len(_POSED) + 1
    if not fingerprint.startswith(_POSED) or len(fingerprint) < start:
        return None
    end = start + 2 * fingerprint[start - 1]
    if len(fingerprint) < end:
        return None
    pose = [int.from_bytes(fingerprint[at : at + 2], "little", signed=True) for at in range(start, end, 2)]
    return pose, fingerprint[end:]


def _differing(first: bytes, second: bytes) -> int:
    return (int.from_bytes(first, "big") ^ int.from_bytes(second, "big")).bit_count()
