"""Each reader on mutated samples: only our own errors come out, in bounded time and memory.

Seeded, so that a run repeats; SUYUAN_TEST_FUZZ multiplies the number of tries. A failure names the try, and
``mutated(name, number)`` makes its bytes again.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import zlib
from collections.abc import Iterator

import pytest
from hostile_mutations import any_of
from hostile_readers import TARGETS

from suyuan.errors import SuyuanError

FACTOR = float(os.environ.get("SUYUAN_TEST_FUZZ", "1"))
TRIES = 1000
MAX_SECONDS = 5
MAX_GROWTH_KB = 400_000


def mutated(name: str, number: int) -> bytes:
    """The bytes of one try."""
    rng = random.Random(zlib.crc32(f"{name} {number}".encode()))
    data = rng.choice(TARGETS[name].samples())
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        data = any_of(rng, data)
    return data


class TooSlowError(Exception):
    """A reader took longer than any sample may."""


@contextlib.contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Raise ``TooSlowError`` in the block after so many seconds, wherever it is."""

    def stop(number: int, frame: object) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("name", TARGETS)
def test_a_sample_is_read(name: str) -> None:
    """The samples are good: else a fuzzer would only ever test the first refusal."""
    target = TARGETS[name]
    good = 0
    for sample in target.samples():
        try:
            target.read(sample)
            good += 1
        except SuyuanError:
            continue
    assert good


@pytest.mark.parametrize("name", TARGETS)
def test_only_our_errors_come_out(name: str) -> None:
    target = TARGETS[name]
    target.samples()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(int(TRIES * target.weight * FACTOR)):
        data = mutated(name, number)
        try:
            with at_most(MAX_SECONDS):
                target.read(data)
        except SuyuanError as error:
            assert error.code
            assert error.reason
        except Exception as error:
            error.add_note(f"try {number} of {name!r}, {len(data)} bytes")
            raise
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MAX_GROWTH_KB
