"""The threshold's rule, fitted to trials of the calibration split. Run it when the method changes, and write down what
it says in ``pattern_threshold.FITTED``.

Every second genuine photo is taken with poorer focus and more noise than the split's own, down to the gate: so the
plane of expected scores knows what it is asked for.
"""

from __future__ import annotations

from typing import Final

from numpy.random import PCG64, Generator

from suyuan.label.model import Verdict
from suyuan.label.pattern import verify_pattern
from suyuan.label.pattern_threshold import Genuine, Rule, fit
from suyuan.label.simulation.pattern_trials import ATTACKS, SimulatedLabel, capture, make_label

COUNTED: Final = tuple(attack for attack in ATTACKS if attack != "grey_reprint")

_DEFOCUS: Final = (0.8, 1.9)  # pixels, of every second photo
_SHOT: Final = (0.010, 0.045)


def calibrate(seeds: range, *, genuine_photos: int = 4) -> Rule:
    """The rule for labels of these seeds: genuine photos and one photo of each attack that counts, of each label."""
    genuine: list[Genuine] = []
    copies: dict[str, list[float]] = {attack: [] for attack in COUNTED}
    for seed in seeds:
        label = make_label(seed, "calibration")
        genuine += genuine_trials(label, genuine_photos)
        for index, attack in enumerate(COUNTED):
            photo = capture(label, attack, "calibration", 100 * seed + index)[0]
            verdict = verify_pattern(photo, label.record, label.template, label.uri)
            if _counted(verdict):
                copies[attack].append(verdict.score)
    return fit(genuine, copies)


def genuine_trials(label: SimulatedLabel, photos: int) -> list[Genuine]:
    """Photos of the label itself that pass the gate, every second one poor."""
    trials = []
    rng = Generator(PCG64([label.seed, 7]))
    for index in range(photos):
        poor = (
            {"defocus": float(rng.uniform(*_DEFOCUS)), "shot": float(rng.uniform(*_SHOT))}
            if index % 2
            else {}
        )
        photo = capture(label, "genuine", "calibration", 100 * label.seed + 50 + index, None, **poor)[0]
        verdict = verify_pattern(photo, label.record, label.template, label.uri)
        if _counted(verdict):
            quality = verdict.quality
            trials.append(Genuine(verdict.score, quality["pixels_per_symbol"], quality["sharpness"]))
    return trials


def _counted(verdict: Verdict) -> bool:
    """Whether the photo was good enough to compare; what its score said of it does not choose what the rule sees."""
    return "better_blocks" in verdict.quality and set(verdict.reasons) <= {"registration", "damaged"}
