"""Pictures of an evaluation of labels, drawn by matplotlib (the extra ``plots``)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from suyuan.label.evaluation_tables import TITLES

if TYPE_CHECKING:
    from suyuan.label.evaluation import Evaluation, Trial

_FORMATS: Final = ("png", "svg")


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def draw(evaluation: Evaluation, trials: Sequence[Trial], folder: Path, stem: str) -> list[str]:
    """Write the curves and the margins of an evaluation as PNG and SVG, ``stem`` in their names; the names."""
    import matplotlib

    matplotlib.use("Agg")
    # The same evaluation gives the same file: no date, no random identifiers.
    matplotlib.rcParams["svg.hashsalt"] = "suyuan"
    from matplotlib import pyplot

    written = []
    for name, paint in (("roc", _curves), ("margins", _margins)):
        figure, axes = pyplot.subplots(figsize=(7, 5), layout="constrained")
        paint(axes, evaluation, trials)
        axes.set_title(f"{TITLES[evaluation.track]['en']} ({evaluation.source})")
        for form in _FORMATS:
            file = f"{name}-{stem}-{evaluation.track}.{form}"
            figure.savefig(folder / file, dpi=120, metadata={"Date": None} if form == "svg" else None)
            written.append(file)
        pyplot.close(figure)
    return written


def _curves(axes: Any, evaluation: Evaluation, trials: Sequence[Trial]) -> None:
    """Attacks let through against captures of the enrolled label refused; both on a scale that shows what is rare."""
    floor = 0.5 / max([1, *(attack.trials for attack in evaluation.attacks), evaluation.genuine.trials])
    for attack in evaluation.attacks:
        points = attack.curve.points
        if points:
            axes.step(
                [max(floor, let) for let, _ in points],
                [max(floor, 1 - accepted) for _, accepted in points],
                where="post",
                label=attack.attack.replace("_", " "),
            )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(floor, 1)
    axes.set_ylim(floor, 1)
    axes.set_xlabel("attacks let through")
    axes.set_ylabel("captures of the own label refused")
    axes.grid(visible=True, which="both", alpha=0.3)
    _name_lines(axes)


def _margins(axes: Any, evaluation: Evaluation, trials: Sequence[Trial]) -> None:
    """How scores lie about the threshold that each capture was held against."""
    shown = [trial for trial in trials if trial.split == "test" and trial.compared and not trial.condition]
    for name in ("genuine", *(attack.attack for attack in evaluation.attacks)):
        values = [trial.score - trial.threshold for trial in shown if trial.attack == name]
        values = [value for value in values if math.isfinite(value)]
        said = "own label" if name == "genuine" else name.replace("_", " ")
        if values:
            axes.hist(values, bins=60, histtype="step", density=True, label=said)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("score less threshold")
    axes.set_ylabel("density")
    _name_lines(axes)


def _name_lines(axes: Any) -> None:
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize="small")
