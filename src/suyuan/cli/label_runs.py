"""Trials of labels run in processes of their own, kept as they come, so that a run that was stopped goes on.

What is kept is a file of lines: first what the run is, then one unit a line with its trials. Its head names a digest of
the code that made them; trials of two versions are never mixed.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
import typer

from suyuan.cli.context import say
from suyuan.errors import ConflictError, UnavailableError

if TYPE_CHECKING:
    from suyuan.label.evaluation import Trial
    from suyuan.label.evaluation_trials import Unit

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

_TELL_EVERY = 10.0  # seconds
# By how the names of modules begin: what no trial follows from, and what belongs to the other track.
_NO_PART = (
    "evaluation.",
    "evaluation_codes",
    "evaluation_rates",
    "evaluation_sets",
    "evaluation_tables",
    "manifest",
    "pattern_calibration",
)
_OTHER_TRACK = {"A": ("dynamic", "evaluation_clips", "glitter", "optics"), "B": ("pattern", "print_")}


class Head(msgspec.Struct, frozen=True):
    """What a file of trials is of."""

    format: str
    track: str
    seed: int
    code: str


def usable_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_processes(
    work: Callable[[Task], Outcome], tasks: Sequence[Task], jobs: int, what: str
) -> Iterator[tuple[int, Outcome]]:
    """The outcome of each task with its place, as they come. ``work`` and the tasks must be picklable."""
    tell = _Progress(what, len(tasks))
    if jobs == 1 or len(tasks) < 2:
        for place, task in enumerate(tasks):
            yield place, work(task)
            tell.one()
        return
    # Children read this as they load NumPy: one core each, however many there are.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=get_context("spawn")) as pool:
        places = {pool.submit(work, task): place for place, task in enumerate(tasks)}
        try:
            for future in as_completed(places):
                yield places[future], future.result()
                tell.one()
        except BrokenProcessPool as error:
            raise UnavailableError(
                "label.evaluation.lost",
                "A process of this run was ended from outside, perhaps for want of memory.",
                remedy="Run it again with fewer --jobs; with the same --out it goes on where it stopped.",
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def run_units(todo: Sequence[Unit], jobs: int, kept: Path | None, what: str) -> list[list[Trial]]:
    """The trials of each unit in its order, whatever ``jobs`` is; those in ``kept`` are not run again.

    Raises ``ConflictError`` (``label.evaluation.other``) where ``kept`` is of another seed or another version.
    """
    from suyuan.label.evaluation_trials import run_unit

    done: dict[Unit, list[Trial]] = {}
    if not todo:
        return []
    with _keeping(kept, todo[0], done) as keep:
        left = [unit for unit in todo if unit not in done]
        for place, trials in in_processes(run_unit, left, jobs, what):
            done[left[place]] = trials
            keep(left[place], trials)
    return [done[unit] for unit in todo]


def code_digest(track: str) -> str:
    """A digest of all code that a trial of the track follows from."""
    apart = _NO_PART + _OTHER_TRACK[track]
    digest = hashlib.sha256()
    for path in sorted(_modules(files("suyuan.label")), key=str):
        if not path.name.startswith(apart):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _modules(folder: Traversable) -> Iterator[Traversable]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _modules(entry)
        elif entry.name.endswith((".py", ".npz", ".npy", ".json", ".toml")):
            yield entry


@contextmanager
def _keeping(
    kept: Path | None, sample: Unit, done: dict[Unit, list[Trial]]
) -> Iterator[Callable[[Unit, list[Trial]], None]]:
    """Fill ``done`` from the file, and give what appends to it."""
    from suyuan.label.evaluation import Trial
    from suyuan.label.evaluation_trials import Unit

    if kept is None:
        yield lambda unit, trials: None
        return
    line = msgspec.json.Decoder(tuple[Unit, list[Trial]])
    head = Head("suyuan label trials 1", sample.track, sample.seed, code_digest(sample.track))
    present = kept.read_bytes().splitlines() if kept.exists() else []
    if present:
        _check_head(present[0], head, kept)
        for text in present[1:]:
            try:
                unit, trials = line.decode(text)
            except msgspec.MsgspecError:
                continue  # the run was stopped as it wrote this line
            done[unit] = trials
    # Written anew, so that a line that was cut off does not swallow the next one.
    with kept.open("wb") as out:
        out.write(msgspec.json.encode(head) + b"\n")
        for entry in done.items():
            out.write(msgspec.json.encode(entry) + b"\n")
        out.flush()

        def keep(unit: Unit, trials: list[Trial]) -> None:
            out.write(msgspec.json.encode((unit, trials)) + b"\n")
            out.flush()

        yield keep


def _check_head(text: bytes, head: Head, kept: Path) -> None:
    try:
        found = msgspec.json.decode(text, type=Head)
    except msgspec.MsgspecError:
        found = None
    if found != head:
        raise ConflictError(
            "label.evaluation.other",
            "This folder holds trials of another seed, or of another version of the code.",
            path=str(kept),
            remedy="Name another folder with --out, or remove that file.",
        )


class _Progress:
    """Tells on standard error how far a run is, now and then."""

    def __init__(self, what: str, of: int) -> None:
        self._what, self._of, self._done = what, of, 0
        self._begun = self._told = time.monotonic()

    def one(self) -> None:
        self._done += 1
        now = time.monotonic()
        if now - self._told < _TELL_EVERY or self._done == self._of:
            return
        self._told = now
        left = (now - self._begun) / self._done * (self._of - self._done) / 60
        typer.echo(
            say(
                f"{self._what}: {self._done} of {self._of}, about {left:.0f} min left",
                f"{self._what}：{self._done}/{self._of}，约剩 {left:.0f} 分钟",
            ),
            err=True,
        )


def flattened(parts: Iterable[Sequence[Outcome]]) -> list[Outcome]:
    """All outcomes of all parts."""
    return [one for part in parts for one in part]
