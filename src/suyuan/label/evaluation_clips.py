"""Trials of the dynamic label out of its simulator. Pure.

A unit is four labels of one product line under one code, which is the hardest case for telling them apart. Every
genuine clip is held against the record of its own label and, as a trial of a wrong label each, against those of the
other three. A clip of what imitates a label is held against the record of that very label. Three times as many of
those are made as genuine ones, so that there are as many trials of each attack, and a third as many genuine ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from suyuan.label.codes import Located, locate, locate_roughly
from suyuan.label.dynamic import Features, clip_features, judge, surface
from suyuan.label.dynamic_frames import Registration
from suyuan.label.dynamic_model import Surface
from suyuan.label.dynamic_record import read_record
from suyuan.label.evaluation import GENUINE, Split, Trial
from suyuan.label.evaluation_trials import LABELS, SEEDS, Unit, capture_seeds, trial_of
from suyuan.label.model import Placement, Verdict
from suyuan.label.path import TiltPath
from suyuan.label.simulation.dynamic_trials import (
    ATTACKS,
    Conditions,
    SimulatedLabel,
    capture,
    make_label,
    trial_path,
    trial_uri,
)

WRONG: Final = "wrong"
REPLAY: Final = "replay"
NO_PATH: Final = "replay_path_unchecked"  # a replay judged by its light alone
# What optics cannot stop needs no bound on how rarely it succeeds: a clip of each label shows it.
SHOWN_ONLY: Final = frozenset(("replay_synchronised", "injected"))
_LINE: Final = 8  # seeds of one product line in a row
_EVERYWHERE: Final = TiltPath(())
_CONDITIONS: Final = {
    "torch off": Conditions(torch=False),
    "bent label": Conditions(bent=True),
    "phone held still": Conditions(still=True),
}


class _Enrolled(msgspec.Struct, frozen=True):
    """A label with what its record lets expect, made once for many clips."""

    name: str
    label: SimulatedLabel
    placement: Placement
    expected: Surface


class _Registered:
    """Where codes lie in a clip's frames, found once for films at several places."""

    def __init__(self) -> None:
        self._found: list[Located | None] = []

    def first(self, image: NDArray[np.uint8], uri: str | None, thorough: bool) -> Located | None:
        self._found.append(locate(image, uri, thorough))
        return self._found[-1]

    def again(self) -> Registration:
        found = iter(self._found)
        return lambda _image, _uri, _thorough: next(found)


def dynamic_trials(unit: Unit) -> Iterator[Trial]:
    """All trials of a unit."""
    first = (unit.seed * SEEDS + unit.number) * _LINE
    uri = trial_uri(first)
    labels = [_enrolled(first + place, unit.split, uri, place) for place in range(LABELS["B"])]
    imitations = [attack for attack in ATTACKS if attack != WRONG]
    for place, mine in enumerate(labels):
        others = [each for each in labels if each is not mine]
        for seed in capture_seeds(unit, place):
            yield from _genuine_trials(unit.split, seed, mine, others)
        for lane, attack in enumerate(imitations, 1):
            seeds = capture_seeds(unit, len(labels) * lane + place, len(others))
            for seed in seeds[:1] if attack in SHOWN_ONLY else seeds:
                yield from _imitation_trials(unit.split, attack, seed, mine)
        if unit.conditions:
            seed = capture_seeds(unit, len(labels) * len(ATTACKS) + place)[0]
            yield from _condition_trials(unit.split, seed, mine)


def _enrolled(seed: int, split: Split, uri: str, place: int) -> _Enrolled:
    label = make_label(seed, split, uri)
    return _Enrolled(f"{uri} {place}", label, read_record(label.record).placement, surface(label.record))


def _genuine_trials(split: Split, seed: int, mine: _Enrolled, others: Sequence[_Enrolled]) -> Iterator[Trial]:
    """A clip of a label, against its record and against those of the others."""
    frames, path = capture(mine.label, GENUINE, split, seed), trial_path(seed)
    registered = _Registered()
    features, trial = _checked(split, GENUINE, frames, mine, path, registered.first)
    yield trial
    read = {mine.placement: features}
    for other in others:
        if other.placement not in read:
            read[other.placement] = clip_features(frames, mine.label.uri, other.placement, registered.again())
        features = read[other.placement]
        yield _untimed(
            split,
            WRONG,
            mine.name,
            features,
            lambda features=features, other=other: judge(features, other.expected, path),  # type: ignore[misc]
        )


def _imitation_trials(split: Split, attack: str, seed: int, mine: _Enrolled) -> Iterator[Trial]:
    """A clip of what imitates a label, against that label's record; a replay also without regard to its path."""
    frames, path = capture(mine.label, attack, split, seed), trial_path(seed)
    features, trial = _checked(split, attack, frames, mine, path)
    yield trial
    if attack == REPLAY:
        yield _untimed(
            split, NO_PATH, mine.name, features, lambda: judge(features, mine.expected, _EVERYWHERE)
        )


def _condition_trials(split: Split, seed: int, mine: _Enrolled) -> Iterator[Trial]:
    """Genuine clips that a check should rather not tell, and one whose codes are placed by the decoder alone."""
    path = trial_path(seed)
    for condition, how in _CONDITIONS.items():
        frames = capture(mine.label, GENUINE, split, seed, how)
        yield _checked(split, GENUINE, frames, mine, path, condition=condition)[1]
    frames = capture(mine.label, GENUINE, split, seed)
    yield _checked(split, GENUINE, frames, mine, path, locate_roughly, "corners not refined")[1]


def _checked(
    split: Split,
    attack: str,
    frames: list[bytes],
    mine: _Enrolled,
    path: TiltPath,
    registration: Registration = locate,
    condition: str = "",
) -> tuple[Features, Trial]:
    """A clip against the record of its own label, in the steps of ``verify_dynamic`` and timed; and what was read."""
    kept: list[Features] = []

    def check() -> Verdict:
        kept.append(clip_features(frames, mine.label.uri, mine.placement, registration))
        return judge(kept[0], surface(mine.label.record), path)

    trial = trial_of(
        check,
        track="B",
        split=split,
        attack=attack,
        label=mine.name,
        frames=len(frames),
        condition=condition,
    )
    return kept[0], trial


def _untimed(split: Split, attack: str, name: str, features: Features, check: Callable[[], Verdict]) -> Trial:
    """A clip that was read before, held against a record once more."""
    made = trial_of(check, track="B", split=split, attack=attack, label=name, frames=features.reading.sent)
    return msgspec.structs.replace(made, milliseconds=0.0)
