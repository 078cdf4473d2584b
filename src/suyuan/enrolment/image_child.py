"""The process that looks at images: ``python -m suyuan.enrolment.image_child``, tasks on standard input.

Whoever sends a picture may mean harm, and the libraries that read pictures are large and written in C. So they run
here: without a database, without the server's memory, with a bound on their own. What ends this process ends one check.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from suyuan.enrolment.image_tasks import (
    LENGTH_BYTES,
    Answer,
    EnrolDynamic,
    EnrolPattern,
    Order,
    ReadCode,
    Refusal,
    Task,
    VerifyPattern,
)
from suyuan.errors import SuyuanError

if TYPE_CHECKING:
    from collections.abc import Sequence


def confine(memory_bytes: int) -> None:
    """Bound the memory of this process, and let it write no file and leave no core."""
    for kind, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # Not every system takes every bound; the others hold all the same.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (bound, bound))


def perform(task: Task, images: Sequence[bytes]) -> Answer:
    """Do one task. Raises ``SuyuanError`` for what can be refused."""
    if isinstance(task, ReadCode):
        from suyuan.label.codes import locate
        from suyuan.label.images import decode

        found = [locate(decode(image), None) for image in images]
        return Answer(texts=tuple("" if one is None else one.text for one in found))
    if isinstance(task, EnrolPattern):
        from suyuan.label.pattern import enrol_pattern

        return Answer(record=enrol_pattern(images, task.uri, task.template, task.placement))
    if isinstance(task, VerifyPattern):
        from suyuan.label.pattern import verify_pattern

        return Answer(
            verdicts=tuple(verify_pattern(one, task.record, task.template, task.uri) for one in images)
        )
    from suyuan.label.dynamic import enrol_dynamic, verify_dynamic

    if isinstance(task, EnrolDynamic):
        return Answer(record=enrol_dynamic(images, task.uri))
    from suyuan.label.path import TiltPath

    path = msgspec.convert({"directions": task.path}, TiltPath)
    return Answer(verdicts=(verify_dynamic(images, task.record, task.uri, path),))


def answered(task: Task, images: Sequence[bytes]) -> Answer:
    """``perform``, with what goes wrong as an answer."""
    try:
        return perform(task, images)
    except SuyuanError as error:
        kind = type(error)
        while kind.__module__ != "suyuan.errors":
            kind = kind.__bases__[0]
        return Answer(refusal=Refusal(kind.__name__, error.code, error.reason, error.path, error.remedy))
    except Exception as error:
        return Answer(broken=type(error).__name__)


def _read(stream: BinaryIO) -> bytes | None:
    head = stream.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    size = int.from_bytes(head, "big")
    data = stream.read(size)
    return data if len(data) == size else None


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer tasks until the other side is gone or something unforeseen happened."""
    decoder = msgspec.msgpack.Decoder(Order)
    while (data := _read(source)) is not None:
        order = decoder.decode(data)
        images = [image for _ in range(order.images) if (image := _read(source)) is not None]
        if len(images) < order.images:
            return
        answer = answered(order.task, images)
        packed = msgspec.msgpack.encode(answer)
        sink.write(len(packed).to_bytes(LENGTH_BYTES, "big") + packed)
        sink.flush()
        if answer.broken:
            return


def main() -> None:
    """Serve on standard input and output; what a library prints goes to standard error."""
    confine(int(sys.argv[1]))
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        import cv2
    except ImportError:
        pass  # said with the first task that needs it
    else:
        cv2.setNumThreads(1)
    serve(sys.stdin.buffer, sink)


if __name__ == "__main__":
    main()
