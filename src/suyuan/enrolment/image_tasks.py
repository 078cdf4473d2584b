"""What is asked of the process that looks at images, and its answers; the form in which both travel.

A task is its length in four bytes and itself in MessagePack, then each image with its length before it. An answer is
the same without images.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from suyuan.label.model import Placement, Verdict

LENGTH_BYTES: Final = 4
MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024


class EnrolPattern(msgspec.Struct, frozen=True, tag="enrol A"):
    """Make the record of a printed pattern from images of one label."""

    uri: str
    template: bytes
    placement: Placement


class EnrolDynamic(msgspec.Struct, frozen=True, tag="enrol B"):
    """Make the record of a label whose look changes with the angle, from the frames of a clip."""

    uri: str


class VerifyPattern(msgspec.Struct, frozen=True, tag="verify A"):
    """Compare each photo with the record."""

    uri: str
    record: bytes
    template: bytes


class VerifyDynamic(msgspec.Struct, frozen=True, tag="verify B"):
    """Compare a clip with the record; ``path`` is the way in which it was to be tilted."""

    uri: str
    record: bytes
    path: tuple[str, ...]


class ReadCode(msgspec.Struct, frozen=True, tag="read"):
    """Say what the QR code in each image says; empty where none is found."""


Task: TypeAlias = EnrolPattern | EnrolDynamic | VerifyPattern | VerifyDynamic | ReadCode


class Order(msgspec.Struct, frozen=True):
    """A task with the number of images that follow it."""

    task: Task
    images: int


class Refusal(msgspec.Struct, frozen=True):
    """An error of ours as the other process raised it. ``kind`` is the name of its class."""

    kind: str
    code: str
    reason: str
    path: str
    remedy: str


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a task: a record, a verdict for each capture, what codes say, or a refusal.

    ``broken`` names an exception that nobody foresaw; the process ends after it.
    """

    record: bytes = b""
    verdicts: tuple[Verdict, ...] = ()
    texts: tuple[str, ...] = ()
    refusal: Refusal | None = None
    broken: str = ""
