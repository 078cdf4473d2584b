"""What a check of a label comes to. Nothing here needs more than the standard library and msgspec.

A check compares a photo, or a short clip under a torch, with the record made when this very label was enrolled. It
has three answers: it matches, it does not match, or the capture was not good enough to tell.
"""

from __future__ import annotations

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


def near_duplicate(first: bytes, second: bytes) -> bool:
    """Whether two fingerprints stand for one capture that was sent twice.

    Fingerprints are bits of what is of one moment: noise, pose, light. An empty one is like none, and so are those
    of other lengths.
    """
    if not first or len(first) != len(second):
        return False
    different = (int.from_bytes(first, "big") ^ int.from_bytes(second, "big")).bit_count()
    return different <= len(first) * 8 * _DIFFERENT_BITS
