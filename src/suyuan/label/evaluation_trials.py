"""Trials out of simulators, in units that stand alone: any process may run any of them, in any order. Pure.

A unit of printed patterns is one label with its captures: genuine ones, then those of every attack. What a unit of
dynamic labels is, ``evaluation_clips`` says.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Final

import cv2
import msgspec

from suyuan.label.evaluation import GENUINE, Split, Trial
from suyuan.label.manifest import ManifestCapture, ManifestLabel
from suyuan.label.model import Track, Verdict

if TYPE_CHECKING:
    from suyuan.label.simulation.pattern_trials import Printer
    from suyuan.label.simulation.pattern_trials import SimulatedLabel as PrintedLabel

CALIBRATION_SHARE: Final[dict[Track, float]] = {"A": 0.25, "B": 0.1}  # captures of calibration to one of test
PER_LABEL: Final[dict[Track, int]] = {"A": 2, "B": 5}  # genuine captures of a label
LABELS: Final[dict[Track, int]] = {"A": 1, "B": 4}  # of a unit
SEEDS: Final = 10_000_000  # of labels, for one seed of an evaluation
_CONDITIONS_EVERY: Final = 10
# The tables of a printed pattern are of a press at 812 dpi; photos that should not be judged, and what else prints.
_PHONES: Final[dict[str, dict[str, float]]] = {
    "two pixels a symbol": {"pixel": 47.0},
    "out of focus": {"defocus": 4.0},
    "round a bottle of 40 mm": {"radius": 20.0},
}
# What a label has been through, or lies in, that photos of it should withstand.
_DAMAGES: Final[dict[str, dict[str, float]]] = {
    "three scratches": {"scratches": 3},
    "dust": {"dust": 25},
    "worn by 1%": {"worn": 0.01},
    "hard shadow": {"shadow": 0.7, "penumbra": 0.2},
}
_PRINTERS: Final[dict[Printer, str]] = {
    "press_8mm": "press at 812 dpi, 8 mm",
    "laser_600": "laser at 600 dpi",
    "thermal_300": "thermal at 300 dpi",
    "thermal_203": "thermal at 203 dpi",
}
# What a dynamic label's check says when a clip is good and its score is low; elsewhere these words are of the capture.
_OF_LOW_SCORES: Final = frozenset(("torch_off", "registration", "blurred", "glare"))
_COMPARED_FRAMES: Final = 8


class Unit(msgspec.Struct, frozen=True):
    """One part of an evaluation. ``captures`` of each label for each attack; the same unit gives the same trials."""

    track: Track
    split: Split
    number: int
    seed: int
    captures: int
    conditions: int = 0


def units(track: Track, trials: int, seed: int) -> list[Unit]:
    """The parts of an evaluation of at least ``trials`` for each attack, and some of calibration before them."""
    found: list[Unit] = []
    splits: tuple[tuple[Split, int], ...] = (
        ("calibration", math.ceil(trials * CALIBRATION_SHARE[track])),
        ("test", trials),
    )
    labels = LABELS[track]
    # A clip of one dynamic label is also held against the records of the others, each a trial of a wrong label; of
    # every other attack as many captures are made. So there are a third as many genuine ones.
    pairs = labels * max(1, labels - 1)
    for split, wanted in splits:
        captures = max(1, min(PER_LABEL[track], -(-wanted // pairs)))
        count = -(-wanted // (captures * pairs))
        for number in range(count):
            # Other conditions than the ordinary ones are looked at in every tenth unit, of the test alone.
            conditions = 1 if split == "test" and number % _CONDITIONS_EVERY == _CONDITIONS_EVERY - 1 else 0
            found.append(Unit(track, split, number, seed, captures, conditions))
    return found


def run_unit(unit: Unit) -> list[Trial]:
    """All trials of a unit, on one core."""
    cv2.setNumThreads(1)
    if unit.track == "B":
        from suyuan.label.evaluation_clips import dynamic_trials

        return list(dynamic_trials(unit))
    return list(_pattern_trials(unit))


def trial_of(
    check: Callable[[], Verdict],
    *,
    track: Track,
    split: Split,
    attack: str,
    label: str,
    frames: int = 1,
    condition: str = "",
    conditions: dict[str, str] | None = None,
) -> Trial:
    """One check made and timed."""
    begun = time.process_time()
    verdict = check()
    taken = (time.process_time() - begun) * 1000
    return Trial(
        split=split,
        attack=attack,
        label=label,
        answer=verdict.answer,
        score=verdict.score,
        threshold=verdict.threshold,
        reasons=verdict.reasons,
        quality=verdict.quality,
        milliseconds=taken,
        frames=frames,
        doubtful=track == "B" and _is_doubtful(verdict),
        condition=condition,
        conditions=conditions or {},
    )


def _is_doubtful(verdict: Verdict) -> bool:
    """Whether a clip that was good enough to compare could not be told because of a low score."""
    return (
        verdict.answer == "unclear"
        and set(verdict.reasons) <= _OF_LOW_SCORES
        and verdict.score < verdict.threshold
        and verdict.quality.get("frames", 0.0) >= _COMPARED_FRAMES
    )


def captured_trial(
    label: ManifestLabel, capture: ManifestCapture, images: Sequence[bytes], record: bytes, template: bytes
) -> Trial:
    """The trial of one real capture. Raises what the check of its track raises."""
    cv2.setNumThreads(1)

    def check() -> Verdict:
        if label.track == "B":
            from suyuan.label.dynamic import verify_dynamic

            return verify_dynamic(images, record, label.uri, capture.path)
        from suyuan.label.pattern import verify_pattern

        return verify_pattern(images[0], record, template, label.uri)

    conditions = {"phone": capture.phone, "light": capture.light}
    if capture.distance_mm is not None:
        conditions["distance_mm"] = f"{capture.distance_mm:g}"
    return trial_of(
        check,
        track=label.track,
        split=label.split,
        attack=capture.attack,
        label=label.name,
        frames=len(images),
        condition=capture.condition,
        conditions=conditions,
    )


def attacks_of(track: Track) -> tuple[str, ...]:
    """The attacks that the simulator of a track has."""
    return tuple(_simulator(track).ATTACKS)


def _simulator(track: Track) -> ModuleType:
    if track == "A":
        from suyuan.label.simulation import pattern_trials

        return pattern_trials
    from suyuan.label.simulation import dynamic_trials

    return dynamic_trials


def capture_seeds(unit: Unit, lane: int, times: int = 1) -> range:
    """The seeds of a unit's captures of one kind, of which there are so many times those that are genuine."""
    first = (unit.seed * SEEDS + unit.number) * 1000 + lane * 20
    return range(first, first + unit.captures * times)


def _pattern_trials(unit: Unit) -> Iterator[Trial]:
    from suyuan.label.simulation.pattern_trials import ATTACKS, capture, make_label
    from suyuan.label.simulation.print_damage import Damage

    own = unit.seed * SEEDS + unit.number
    label = make_label(own, unit.split)
    for lane, attack in enumerate((GENUINE, *ATTACKS)):
        for seed in capture_seeds(unit, lane):
            (image,) = capture(label, attack, unit.split, seed)
            yield _pattern_trial(label, image, unit.split, attack)
    if not unit.conditions:
        return
    for lane, (condition, phone) in enumerate(_PHONES.items()):
        (seed, *_) = capture_seeds(unit, 1 + len(ATTACKS) + lane)
        (image,) = capture(label, GENUINE, unit.split, seed, None, **phone)
        yield _pattern_trial(label, image, unit.split, GENUINE, condition)
    for lane, (condition, harm) in enumerate(_DAMAGES.items()):
        (seed, *_) = capture_seeds(unit, 10 + lane)
        (image,) = capture(label, GENUINE, unit.split, seed, msgspec.convert(harm, Damage))
        yield _pattern_trial(label, image, unit.split, GENUINE, condition)
    for printer, condition in _PRINTERS.items():
        label = make_label(own, unit.split, printer=printer)
        for lane, attack in enumerate((GENUINE, *ATTACKS)):
            (seed, *_) = capture_seeds(unit, 20 + lane)
            (image,) = capture(label, attack, unit.split, seed)
            yield _pattern_trial(label, image, unit.split, attack, condition)


def _pattern_trial(
    label: PrintedLabel, image: bytes, split: Split, attack: str, condition: str = ""
) -> Trial:
    from suyuan.label.pattern import verify_pattern

    return trial_of(
        lambda: verify_pattern(image, label.record, label.template, label.uri),
        track="A",
        split=split,
        attack=attack,
        label=label.uri,
        condition=condition,
    )
