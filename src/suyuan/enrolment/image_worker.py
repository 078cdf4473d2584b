"""The child process that looks at images, as its server process uses it: one at a time, bounded in every way.

It is started with the first task and again after it died, ran out of time or lay idle. Images are handed on one by
one, so this process never holds more than one of them on their way. Few may wait; of those only some from one place,
so that somebody who sends a thousand captures holds up others of the same moment for a second and nobody for longer.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import operator
import os
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from suyuan import errors
from suyuan.enrolment.image_tasks import LENGTH_BYTES, MAX_ANSWER_BYTES, Answer, Order, Refusal, Task
from suyuan.errors import SuyuanError, UnavailableError, UnsupportedError

_logger = structlog.get_logger("suyuan.enrolment")
CHECK_SECONDS: Final = 60.0
# A hundred and fifty frames are refined one by one.
ENROL_SECONDS: Final = 300.0
# Address space, most of which the libraries map and never touch.
MEMORY_BYTES: Final = 2 << 30
MAX_WAITING: Final = 16
MAX_WAITING_FROM_ONE: Final = 4
IDLE_SECONDS: Final = 300.0
_CHILD = "suyuan.enrolment.image_child"
# Settings of the server, and of PostgreSQL's clients: a password may be among them.
_OF_THE_SERVER = ("SUYUAN_", "PG")
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


class LostImagesError(UnavailableError):
    """The process that looked at these images died or ran out of time."""


def can_look() -> bool:
    """Whether the libraries for images are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("numpy", "cv2"))


def check_extra() -> None:
    """Raise ``UnsupportedError`` (``label.extra``) where ``can_look`` says no."""
    if not can_look():
        raise UnsupportedError(
            "label.extra",
            "This installation cannot look at images.",
            remedy="Install suyuan[label].",
        )


class ImageWorker:
    """One child process for images and the queue before it. For one event loop."""

    def __init__(self, *, memory_bytes: int = MEMORY_BYTES, idle_seconds: float = IDLE_SECONDS) -> None:
        """``memory_bytes`` bounds the child's address space; after ``idle_seconds`` without a task it ends."""
        self._memory_bytes = memory_bytes
        self._idle_seconds = idle_seconds
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._from: Counter[str] = Counter()
        self._child: asyncio.subprocess.Process | None = None
        self._idle: asyncio.TimerHandle | None = None

    @property
    def process_id(self) -> int | None:
        """The process of the child, or None while there is none."""
        return None if self._child is None else self._child.pid

    def check_free(self, place: str = "") -> None:
        """Raise ``UnavailableError`` (``scan.label.busy``) where so many wait that another one would be refused."""
        crowded = place and self._from[place] >= MAX_WAITING_FROM_ONE
        if crowded or self._waiting >= MAX_WAITING:
            raise UnavailableError(
                "scan.label.busy",
                "More captures wait to be looked at than this process should hold.",
                remedy="Send it again in a few seconds.",
            )

    async def run(
        self, task: Task, images: Sequence[bytes], *, seconds: float = CHECK_SECONDS, place: str = ""
    ) -> Answer:
        """Have one task done; ``place`` is where it comes from, if it is to wait among its own.

        Raises what the task raises, ``UnsupportedError`` (``label.extra``), ``UnavailableError`` (``scan.label.busy``)
        and ``LostImagesError`` (``scan.label.lost``: the child died or ran out of time, and is started again).
        """
        check_extra()
        self.check_free(place)
        self._waiting += 1
        self._from[place] += 1
        try:
            async with self._turn:
                return await self._run(task, images, seconds)
        finally:
            self._waiting -= 1
            self._from[place] -= 1
            if not self._from[place]:
                del self._from[place]

    async def _run(self, task: Task, images: Sequence[bytes], seconds: float) -> Answer:
        if self._idle is not None:
            self._idle.cancel()
        whole = False
        try:
            async with asyncio.timeout(seconds):
                child = await self._started()
                answer = await self._asked(child, task, images)
            whole = not answer.broken
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            _logger.warning("the process that looks at images was lost", error=type(error).__name__)
            raise _lost() from None
        finally:
            # Whoever is interrupted in the middle leaves a child that would answer the next one's question.
            if whole:
                self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self._retire)
            else:
                self._retire()
        if answer.broken:
            _logger.warning("the process that looks at images broke off", error=answer.broken)
            raise _lost()
        if answer.refusal is not None:
            raise _raised(answer.refusal)
        return answer

    async def _started(self) -> asyncio.subprocess.Process:
        if self._child is None or self._child.returncode is not None:
            environment = {
                name: value for name, value in os.environ.items() if not name.startswith(_OF_THE_SERVER)
            }
            environment.update(dict.fromkeys(_ONE_THREAD, "1"))
            self._child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", _CHILD, str(self._memory_bytes)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
        return self._child

    async def _asked(self, child: asyncio.subprocess.Process, task: Task, images: Sequence[bytes]) -> Answer:
        assert child.stdin is not None
        assert child.stdout is not None
        await _send(child.stdin, msgspec.msgpack.encode(Order(task, len(images))))
        for position in range(len(images)):
            # Some lie in a file until it is their turn.
            await _send(child.stdin, await asyncio.to_thread(operator.getitem, images, position))
        size = int.from_bytes(await child.stdout.readexactly(LENGTH_BYTES), "big")
        if size > MAX_ANSWER_BYTES:
            raise OSError("an answer that is too long")
        return msgspec.msgpack.decode(await child.stdout.readexactly(size), type=Answer)

    def _retire(self) -> None:
        child, self._child = self._child, None
        if child is not None and child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()

    async def close(self) -> None:
        """End the child. A task under way is lost."""
        if self._idle is not None:
            self._idle.cancel()
        child = self._child
        self._retire()
        if child is not None:
            await child.wait()


async def _send(stream: asyncio.StreamWriter, data: bytes) -> None:
    stream.write(len(data).to_bytes(LENGTH_BYTES, "big"))
    stream.write(data)
    await stream.drain()


def _lost() -> LostImagesError:
    return LostImagesError(
        "scan.label.lost",
        "Looking at the capture was broken off.",
        remedy="Take a new one and send it again; if that happens to every capture, tell the operator.",
    )


def _raised(refusal: Refusal) -> SuyuanError:
    kind = getattr(errors, refusal.kind)
    error: SuyuanError = kind(refusal.code, refusal.reason, path=refusal.path, remedy=refusal.remedy)
    return error
