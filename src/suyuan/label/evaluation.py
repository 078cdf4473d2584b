"""How often a check errs: trials become rates with bounds, curves and thresholds. Pure, and without arrays.

A trial is one capture held against one record. What a check answers is counted as it is. Beside it, its margin (score
less the threshold that the check chose for this capture) is swept, so that one sees what another threshold would do:
the equal error rate, and how many genuine labels are refused where no attack is let through.

A capture that could not be told is no error of either kind. It is counted apart, because it costs a retake.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, Literal

import msgspec

from suyuan.label.evaluation_rates import Curve, Rate, quantile, rate, sweep
from suyuan.label.model import Answer, Track

GENUINE: Final = "genuine"
Split = Literal["calibration", "test"]
Source = Literal["simulated", "captured"]

# Attacks that the methods are meant to stop: thresholds are set against them. The others are published as they are.
MEANT_TO_STOP: Final[Mapping[Track, frozenset[str]]] = {
    "A": frozenset(("office_copy", "same_press_copy", "learned_copy", "leaked_template", "wrong_label")),
    "B": frozenset(("wrong", "print", "foil", "replay", "replay_path_unchecked")),
}
_REFUSED_OTHERWISE: Final = -1.0
_BINS: Final = (0.0, 2.5, 3.0, 3.5, 4.5, math.inf)


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One capture held against one record. ``milliseconds`` of one core, 0 where it was not timed; ``frames`` of the
    capture.

    ``doubtful``: could not be told because the score was low, not because the capture was bad. ``condition`` names what
    was not as usual; those are counted apart. ``conditions`` are what is known of a real capture, such as its phone.
    """

    split: Split
    attack: str
    label: str
    answer: Answer
    score: float
    threshold: float
    reasons: tuple[str, ...] = ()
    quality: dict[str, float] = {}
    milliseconds: float = 0.0
    frames: int = 1
    doubtful: bool = False
    condition: str = ""
    conditions: dict[str, str] = {}

    @property
    def compared(self) -> bool:
        """Whether the capture was good enough, so that its score decided. What is doubtful did not match either."""
        return self.answer != "unclear" or self.doubtful

    @property
    def margin(self) -> float:
        """Score less threshold; far below zero where another rule than the score's refused the capture."""
        if self.answer == "differs" and self.score >= self.threshold:
            return _REFUSED_OTHERWISE
        return self.score - self.threshold


class AttackResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the captures of one attack; ``matches`` are its successes."""

    attack: str
    meant_to_stop: bool
    trials: int
    labels: int
    matches: int
    differs: int
    unclear: int
    accepted: Rate
    curve: Curve
    accepted_calibrated: Rate
    best_margin: float
    reasons: dict[str, int]


class GenuineResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of genuine captures.

    ``refused`` is the share that did not match of those that were good enough to compare; ``retaken`` is the share of
    the others.
    """

    trials: int
    labels: int
    matches: int
    differs: int
    unclear: int
    refused: Rate
    retaken: Rate
    refused_calibrated: Rate
    score_quantiles: tuple[float, float, float]  # 1%, 50%, 99%
    reasons: dict[str, int]


class Times(msgspec.Struct, frozen=True):
    """Milliseconds of one core. They are of the machine, and the only figures that a seed does not fix."""

    check_median: float
    check_p95: float
    frame_median: float


class ConditionResult(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered to captures under a condition that is not the ordinary one."""

    condition: str
    attack: str
    trials: int
    matches: int
    differs: int
    unclear: int
    reasons: dict[str, int]


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """Results among captures of one range of pixels a symbol."""

    low: float
    high: float
    genuine: int
    refused: Rate
    accepted: dict[str, Rate]
    eer: dict[str, float]


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """All that is reported of one track, of the test split alone.

    ``calibrated_margin`` comes from the calibration split: how much to add to the thresholds that the checks carry, so
    that both errors are equal there. Near zero means that these are well set.
    """

    track: Track
    source: Source
    calibration_trials: int
    calibrated_margin: float
    genuine: GenuineResult
    attacks: tuple[AttackResult, ...]
    conditions: tuple[ConditionResult, ...]
    bands: tuple[Band, ...]


def evaluate(track: Track, source: Source, trials: Sequence[Trial]) -> Evaluation:
    """What ``trials`` of both splits show. Their order does not matter."""
    calibration = [trial for trial in trials if trial.split == "calibration" and not trial.condition]
    test = [trial for trial in trials if trial.split == "test" and not trial.condition]
    margin = calibrated_margin(track, calibration)
    genuine = [trial for trial in test if trial.attack == GENUINE]
    names = _in_order({trial.attack for trial in test} - {GENUINE}, track)
    return Evaluation(
        track=track,
        source=source,
        calibration_trials=len(calibration),
        calibrated_margin=margin,
        genuine=_genuine_result(genuine, margin),
        attacks=tuple(
            _attack_result(track, name, [trial for trial in test if trial.attack == name], genuine, margin)
            for name in names
        ),
        conditions=_conditions(track, [trial for trial in trials if trial.condition]),
        bands=_bands(test, names) if track == "A" else (),
    )


def calibrated_margin(track: Track, calibration: Iterable[Trial]) -> float:
    """The margin at which both errors are equal against all attacks that are meant to be stopped; 0 without any."""
    compared = [trial for trial in calibration if trial.compared]
    genuine = [trial.margin for trial in compared if trial.attack == GENUINE]
    attacks = [trial.margin for trial in compared if trial.attack in MEANT_TO_STOP[track]]
    if not genuine or not attacks:
        return 0.0
    return sweep(genuine, attacks).eer_margin


def times_of(trials: Iterable[Trial]) -> Times:
    """How long checks took, of captures that came to a comparison."""
    compared = [trial for trial in trials if trial.compared and trial.milliseconds > 0]
    checks = [trial.milliseconds for trial in compared]
    frames = [trial.milliseconds / max(1, trial.frames) for trial in compared]
    return Times(quantile(checks, 0.5), quantile(checks, 0.95), quantile(frames, 0.5))


def _genuine_result(trials: Sequence[Trial], margin: float) -> GenuineResult:
    compared = [trial for trial in trials if trial.compared]
    answers = Counter(trial.answer for trial in trials)
    scores = [trial.score for trial in compared]
    return GenuineResult(
        trials=len(trials),
        labels=len({trial.label for trial in trials}),
        matches=answers["matches"],
        differs=answers["differs"],
        unclear=answers["unclear"],
        refused=rate(sum(trial.answer != "matches" for trial in compared), len(compared)),
        retaken=rate(len(trials) - len(compared), len(trials)),
        refused_calibrated=rate(sum(trial.margin < margin for trial in compared), len(compared)),
        score_quantiles=(quantile(scores, 0.01), quantile(scores, 0.5), quantile(scores, 0.99)),
        reasons=_reasons(trials),
    )


def _attack_result(
    track: Track, attack: str, trials: Sequence[Trial], genuine: Sequence[Trial], margin: float
) -> AttackResult:
    """An attack is let through by a match, and by nothing else: what could not be told counts as a trial too."""
    answers = Counter(trial.answer for trial in trials)
    margins = [trial.margin for trial in trials if trial.compared]
    return AttackResult(
        attack=attack,
        meant_to_stop=attack in MEANT_TO_STOP[track],
        trials=len(trials),
        labels=len({trial.label for trial in trials}),
        matches=answers["matches"],
        differs=answers["differs"],
        unclear=answers["unclear"],
        accepted=rate(answers["matches"], len(trials)),
        curve=sweep([trial.margin for trial in genuine if trial.compared], margins),
        accepted_calibrated=rate(sum(each >= margin for each in margins), len(trials)),
        best_margin=max(margins, default=math.nan),
        reasons=_reasons(trials),
    )


def _conditions(track: Track, unusual: Sequence[Trial]) -> tuple[ConditionResult, ...]:
    found = []
    for condition in sorted({trial.condition for trial in unusual}):
        those = [trial for trial in unusual if trial.condition == condition]
        attacks = _in_order({trial.attack for trial in those} - {GENUINE}, track)
        for attack in (GENUINE, *attacks):
            mine = [trial for trial in those if trial.attack == attack]
            answers = Counter(trial.answer for trial in mine)
            found.append(
                ConditionResult(
                    condition=condition,
                    attack=attack,
                    trials=len(mine),
                    matches=answers["matches"],
                    differs=answers["differs"],
                    unclear=answers["unclear"],
                    reasons=_reasons(mine),
                )
            )
    return tuple(found)


def _bands(test: Sequence[Trial], names: Sequence[str]) -> tuple[Band, ...]:
    bands = []
    for low, high in pairwise(_BINS):
        inside = [
            trial
            for trial in test
            if trial.compared and low <= trial.quality.get("pixels_per_symbol", -1.0) < high
        ]
        genuine = [trial for trial in inside if trial.attack == GENUINE]
        if not genuine:
            continue
        own = [trial.margin for trial in genuine]
        attacks = {name: [trial for trial in inside if trial.attack == name] for name in names}
        bands.append(
            Band(
                low=low,
                high=high,
                genuine=len(genuine),
                refused=rate(sum(trial.answer != "matches" for trial in genuine), len(genuine)),
                accepted={
                    name: rate(sum(trial.answer == "matches" for trial in those), len(those))
                    for name, those in attacks.items()
                },
                eer={
                    name: sweep(own, [trial.margin for trial in those]).eer for name, those in attacks.items()
                },
            )
        )
    return tuple(bands)


def _reasons(trials: Iterable[Trial]) -> dict[str, int]:
    counted = Counter(reason for trial in trials if trial.answer == "unclear" for reason in trial.reasons)
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _in_order(names: set[str], track: Track) -> list[str]:
    """What is meant to be stopped first, then the rest, each by name."""
    return sorted(names, key=lambda name: (name not in MEANT_TO_STOP[track], name))
