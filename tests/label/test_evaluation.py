"""Rates and their bounds are exact, curves say what they should, and the methods err as rarely as they claim to."""

from __future__ import annotations

import math
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.label.evaluation import (
    GENUINE,
    MEANT_TO_STOP,
    Evaluation,
    Trial,
    calibrated_margin,
    evaluate,
    times_of,
)
from suyuan.label.evaluation_rates import quantile, rate, sweep
from suyuan.label.evaluation_tables import markdown_table, percent, table_of, times_line
from suyuan.label.model import Verdict

margins = st.lists(st.floats(-1, 1).map(lambda value: round(value, 3)), min_size=1, max_size=40)


def trial(**changes: object) -> Trial:
    fields: dict[str, object] = {
        "split": "test",
        "attack": GENUINE,
        "label": "one",
        "answer": "matches",
        "score": 0.8,
        "threshold": 0.6,
    }
    return Trial(**{**fields, **changes})  # type: ignore[arg-type]


# -- rates -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    # Clopper and Pearson at 95%, as published tables have them.
    [(1, 10, 0.0025, 0.4450), (5, 10, 0.1871, 0.8129), (9, 10, 0.5550, 0.9975), (10, 500, 0.0096, 0.0365)],
)
def test_bounds_are_exact(count: int, of: int, low: float, high: float) -> None:
    found = rate(count, of)
    assert found.value == count / of
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize("of", [30, 300, 3000])
def test_no_error_in_n_bounds_the_rate_at_three_in_n(of: int) -> None:
    none, every = rate(0, of), rate(of, of)
    assert none.low == 0
    assert none.high == pytest.approx(3 / of, rel=0.06)
    assert every.high == 1
    assert 1 - every.low == pytest.approx(none.high)


@settings(max_examples=60, deadline=None)
@given(of=st.integers(1, 400), data=st.data())
def test_bounds_hold_the_rate_and_are_symmetric(of: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, of))
    found, mirrored = rate(count, of), rate(of - count, of)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high - found.low < 1
    assert found.low == pytest.approx(1 - mirrored.high, abs=1e-9)


def test_bounds_hold_as_often_as_they_say() -> None:
    """Of many samples at a known rate, at least 95 of 100 intervals hold it."""
    chance, rng = 0.05, random.Random(3)
    held = 0
    for _ in range(400):
        found = rate(sum(rng.random() < chance for _ in range(120)), 120)
        held += found.low <= chance <= found.high
    assert held / 400 >= 0.94


def test_nothing_tried_is_nothing_known() -> None:
    found = rate(0, 0)
    assert math.isnan(found.value)
    assert (found.low, found.high) == (0, 1)


def test_quantiles_are_values() -> None:
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile([1, 2, 3, 4], 0) == 1
    assert quantile(range(1, 101), 0.95) == 95
    assert math.isnan(quantile([], 0.5))


# -- curves ------------------------------------------------------------------------------------------------


def test_sets_apart_have_no_error_and_a_margin_between() -> None:
    found = sweep([0.2, 0.3, 0.5], [-0.4, -0.1, 0.0])
    assert found.eer == 0
    assert 0 < found.eer_margin < 0.2
    assert found.refused_at_zero.count == 0
    assert found.points[0] == (0, 0)
    assert (0, 1) in found.points


def test_one_set_is_at_chance() -> None:
    values = [number / 100 for number in range(100)]
    found = sweep(values, values)
    assert found.eer == pytest.approx(0.5, abs=0.01)
    assert found.refused_at_zero.value == 1


def test_overlap_is_counted() -> None:
    """Ten genuine from 0 to 9, ten attacks from -8 to 1: one genuine lies below the best attack, one with it."""
    found = sweep(range(10), range(-8, 2))
    assert found.eer == pytest.approx(0.1)
    assert found.refused_at_zero.count == 2
    assert found.eer_high > 0.3  # ten trials bound little


@settings(max_examples=80, deadline=None)
@given(genuine=margins, attacks=margins, shift=st.floats(-3, 3))
def test_a_curve_is_monotonic_and_keeps_its_errors_when_all_shift(
    genuine: list[float], attacks: list[float], shift: float
) -> None:
    found = sweep(genuine, attacks)
    xs, ys = zip(*found.points, strict=True)
    assert list(xs) == sorted(xs)
    assert list(ys) == sorted(ys)
    assert found.points[0] == (0, 0)
    assert found.points[-1] == (1, 1)
    assert 0 <= found.eer <= found.eer_high <= 1
    moved = sweep([value + shift for value in genuine], [value + shift for value in attacks])
    if len(set(genuine) | set(attacks)) == len({value + shift for value in (*genuine, *attacks)}):
        assert moved.eer == pytest.approx(found.eer)
        assert moved.refused_at_zero.count == found.refused_at_zero.count


@settings(max_examples=60, deadline=None)
@given(genuine=margins, attacks=margins)
def test_at_the_margin_of_a_clean_curve_nothing_is_wrong(genuine: list[float], attacks: list[float]) -> None:
    found = sweep(genuine, attacks)
    if min(genuine) > max(attacks):
        assert all(value >= found.eer_margin for value in genuine)
        assert all(value < found.eer_margin for value in attacks)


def test_without_one_side_there_is_no_curve() -> None:
    found = sweep([], [0.1])
    assert math.isnan(found.eer)
    assert found.points == ()


# -- results -----------------------------------------------------------------------------------------------


def mixed() -> list[Trial]:
    """Ten genuine captures (one refused, two not told), ten copies (one let through), reprints, and a calibration."""
    trials = [trial(score=0.7 + number / 100, label=f"L{number}") for number in range(7)]
    trials += [trial(answer="differs", score=0.55, label="L7")]
    trials += [
        trial(answer="unclear", score=0.9, reasons=("glare", "blurred")),
        trial(answer="unclear", reasons=("glare",)),
    ]
    trials += [trial(attack="office_copy", answer="differs", score=0.1 + number / 100) for number in range(8)]
    trials += [trial(attack="office_copy", answer="matches", score=0.65)]
    trials += [trial(attack="office_copy", answer="unclear", reasons=("too_small",))]
    trials += [trial(attack="grey_reprint", answer="matches", score=0.75) for _ in range(3)]
    trials += [
        trial(split="calibration", score=0.8),
        trial(split="calibration", attack="office_copy", score=0.5),
    ]
    trials += [trial(split="calibration", attack="grey_reprint", score=0.95)]
    return trials


def test_every_kind_of_answer_is_counted_where_it_belongs() -> None:
    found = evaluate("A", "simulated", mixed())
    own = found.genuine
    assert (own.trials, own.matches, own.differs, own.unclear) == (10, 7, 1, 2)
    assert (own.refused.count, own.refused.of) == (1, 8)
    assert (own.retaken.count, own.retaken.of) == (2, 10)
    assert own.reasons == {"glare": 2, "blurred": 1}
    copy, reprint = found.attacks
    assert (copy.attack, copy.meant_to_stop, copy.trials) == ("office_copy", True, 10)
    assert (copy.matches, copy.differs, copy.unclear) == (1, 8, 1)
    assert (copy.accepted.count, copy.accepted.of) == (1, 10)
    assert copy.curve.refused_at_zero.count == 1
    assert (reprint.attack, reprint.meant_to_stop) == ("grey_reprint", False)
    assert reprint.accepted.value == 1


def test_what_is_doubtful_counts_against_its_label_and_what_was_badly_taken_does_not() -> None:
    doubtful = trial(answer="unclear", score=0.4, doubtful=True)
    badly = trial(answer="unclear", score=0.1)
    found = evaluate(
        "B", "simulated", [trial(), doubtful, badly, trial(attack="print", answer="differs", score=0.45)]
    )
    assert (found.genuine.refused.count, found.genuine.refused.of) == (1, 2)
    assert (found.genuine.retaken.count, found.genuine.unclear) == (1, 2)
    assert found.attacks[0].curve.refused_at_zero.count == 1


def test_the_margin_comes_from_calibration_and_from_what_should_be_stopped() -> None:
    """Genuine at 0.8, a copy at 0.5, about the threshold of 0.6: both errors are equal in the middle, at 0.65."""
    found = evaluate("A", "simulated", mixed())
    assert found.calibrated_margin == pytest.approx(0.05)
    assert found.calibration_trials == 3
    assert found.attacks[0].accepted_calibrated.count == 1  # at 0.65 exactly
    assert calibrated_margin("A", []) == 0


def test_what_another_rule_refused_is_not_let_through_by_a_high_score() -> None:
    odd = trial(attack="office_copy", answer="differs", score=0.99)
    assert odd.margin < -0.5
    assert evaluate("A", "captured", [trial(), odd]).attacks[0].curve.eer == 0


def test_the_order_of_trials_does_not_matter() -> None:
    trials = mixed()
    shuffled = random.Random(5).sample(trials, len(trials))
    assert msgspec.json.encode(evaluate("A", "simulated", trials)) == msgspec.json.encode(
        evaluate("A", "simulated", shuffled)
    )


def test_conditions_stand_apart() -> None:
    odd = [trial(condition="torch off", answer="unclear", reasons=("torch_off",)) for _ in range(3)]
    found = evaluate("B", "simulated", [trial(), *odd])
    assert found.genuine.trials == 1
    (only,) = found.conditions
    assert (only.condition, only.attack, only.trials, only.unclear) == ("torch off", GENUINE, 3, 3)
    assert only.reasons == {"torch_off": 3}
    assert "| torch off | own label | 3 | 0 | 0 | 3 (torch_off) |" in table_of(found)
    assert "手电筒关闭" in table_of(found, "zh")


def test_bands_part_by_pixels_a_symbol() -> None:
    trials = [trial(quality={"pixels_per_symbol": pixels}) for pixels in (2.6, 2.7, 3.2)]
    trials += [trial(attack="grey_reprint", score=0.7, quality={"pixels_per_symbol": 2.6})]
    near, far = evaluate("A", "simulated", trials).bands
    assert (near.low, near.high, near.genuine) == (2.5, 3.0, 2)
    assert (far.low, far.genuine) == (3.0, 1)
    assert near.accepted["grey_reprint"].of == 1
    assert math.isnan(far.eer["grey_reprint"])


def test_times_are_of_captures_that_were_compared() -> None:
    trials = [trial(milliseconds=value, frames=2) for value in (10, 20, 40)]
    trials += [trial(milliseconds=1, answer="unclear")]
    assert times_of(trials).check_median == 20
    assert times_of(trials).frame_median == 10
    assert "20 ms" in times_line(times_of(trials), "A")
    assert "每帧 10 毫秒" in times_line(times_of(trials), "B", "zh")


# -- tables ------------------------------------------------------------------------------------------------


def test_a_table_says_what_was_measured_and_never_more() -> None:
    english, chinese = (table_of(evaluate("A", "simulated", mixed()), language) for language in ("en", "zh"))  # type: ignore[arg-type]
    assert "simulator" in english
    assert "not on production labels" in english
    assert "仿真" in chinese
    assert "| own label | 10 |" in english
    assert "genuine" not in english.lower()
    assert "grey reprint `*`" in english
    for text in (english, chinese):
        for word in ("fake", "counterfeit", "正品", "假"):
            assert word not in text.lower()
    real = table_of(evaluate("A", "captured", mixed()), "en")
    assert "real captures" in real
    assert "simulator" not in real


def test_shares_have_the_digits_that_a_rare_error_needs() -> None:
    assert [percent(share) for share in (0, 0.001, 0.0312, 0.5, 1)] == [
        "0",
        "0.10%",
        "3.12%",
        "50.0%",
        "100.0%",
    ]
    assert percent(math.nan) == "-"


def test_a_table_is_markdown() -> None:
    assert markdown_table([("a", "b"), ("x", "1")]) == "| a | b |\n| --- | ---: |\n| x | 1 |"


# -- the methods themselves, small and seeded ----------------------------------------------------------------

cv2 = pytest.importorskip("cv2", reason="the extra `label` is not installed")

from suyuan.label.evaluation_trials import CALIBRATION_SHARE, attacks_of, run_unit, trial_of, units  # noqa: E402


@pytest.mark.parametrize("track", ["A", "B"])
def test_what_should_be_stopped_is_simulated(track: str) -> None:
    derived = {"replay_path_unchecked"}  # a replay held against its record without its path
    assert MEANT_TO_STOP[track] - derived <= set(attacks_of(track))  # type: ignore[arg-type, index]


@pytest.mark.parametrize("trials", [1, 3, 25, 1000])
@pytest.mark.parametrize(("track", "pairs"), [("A", 1), ("B", 12)])
def test_units_hold_at_least_the_trials_that_were_asked_for(track: str, pairs: int, trials: int) -> None:
    """Four dynamic labels make twelve pairs of a clip and another's record to each clip of one, and as many captures
    of each other attack: the small unit below counts them."""
    for split, wanted in (("test", trials), ("calibration", trials * CALIBRATION_SHARE[track])):  # type: ignore[index]
        mine = [unit for unit in units(track, trials, 7) if unit.split == split]  # type: ignore[arg-type]
        made = sum(unit.captures * pairs for unit in mine)
        assert wanted <= made < wanted + 61
        assert len(set(mine)) == len(mine)


def evaluated(track: str, trials: int, seed: int) -> Evaluation:
    """Of the test split alone, as nothing here is of the other."""
    chosen = [unit for unit in units(track, trials, seed) if unit.split == "test"]  # type: ignore[arg-type]
    made = [each for unit in chosen for each in run_unit(unit)]
    timed = {each.attack for each in made if each.milliseconds > 0}
    read_before = {"wrong", "replay_path_unchecked"} if track == "B" else set()
    assert timed == {each.attack for each in made} - read_before
    return evaluate(track, "simulated", made)  # type: ignore[arg-type]


def held(found: Evaluation) -> None:
    """No capture was answered wrongly, and what is meant to be stopped lies apart from what is genuine."""
    assert found.genuine.differs == 0
    assert found.genuine.matches >= found.genuine.trials / 2
    for attack in found.attacks:
        if attack.meant_to_stop:
            assert attack.matches == 0, attack.attack
            assert not attack.curve.eer > 0, attack.attack


def test_a_printed_pattern_is_told_from_its_copies() -> None:
    found = evaluated("A", 2, 11)
    assert (found.genuine.trials, found.genuine.labels) == (2, 1)
    held(found)


@pytest.mark.slow
def test_a_dynamic_label_is_told_from_what_imitates_it() -> None:
    found = evaluated("B", 12, 11)
    assert (found.genuine.trials, found.genuine.labels) == (4, 4)
    attacks = {attack.attack: attack for attack in found.attacks}
    assert attacks["wrong"].trials == 12  # each genuine clip, against the records of the other three
    for attack in ("print", "foil", "replay", "replay_path_unchecked"):
        assert attacks[attack].trials == 12  # three clips of each label, against its own record
        assert attacks[attack].labels == 4
    assert attacks["injected"].trials == 4
    held(found)


@pytest.mark.parametrize(
    ("track", "changes", "doubtful"),
    [
        ("B", {"reasons": ("torch_off",)}, True),
        ("B", {"reasons": ("registration",)}, True),
        ("B", {"reasons": ("tilt_path",)}, False),
        ("B", {"reasons": ("blurred", "too_small")}, False),
        ("B", {"reasons": ("registration",), "quality": {"frames": 3.0}}, False),
        ("B", {"answer": "differs"}, False),
        ("A", {"reasons": ("registration",)}, False),
    ],
)
def test_a_good_clip_with_a_low_score_is_doubtful(
    track: str, changes: dict[str, Any], doubtful: bool
) -> None:
    fields = {"answer": "unclear", "score": 0.2, "threshold": 0.3, "quality": {"frames": 15.0}, **changes}
    made = trial_of(lambda: Verdict(**fields), track=track, split="test", attack="print", label="one")  # type: ignore[arg-type]
    assert made.doubtful is doubtful
    assert made.milliseconds >= 0
