"""``label evaluate`` and ``label simulate``: how often checks of labels err, on simulated captures and on real ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import msgspec
import typer

from suyuan.cli.context import AsJson, note, say
from suyuan.cli.label_runs import flattened, run_units, usable_cores
from suyuan.errors import InputError
from suyuan.label.model import Track

if TYPE_CHECKING:
    from suyuan.label.evaluation import Evaluation, Source, Trial
    from suyuan.label.evaluation_tables import Language
    from suyuan.label.manifest import ManifestFault

RESULT_FORMAT: Final = "suyuan label evaluation 1"
_PARAMETERS_ZH: Final = {
    "trials": "每种拍摄次数",
    "seed": "随机种子",
    "manifest": "清单",
    "captures": "拍摄次数",
    "left_out": "未参与评估",
}
_MOST_TOLD: Final = 20

TrackOption = Annotated[
    str,
    typer.Option("--track", metavar="A|B", help="A: printed pattern. B: dynamic label.", show_default=False),
]
Seed = Annotated[
    int, typer.Option("--seed", min=0, max=1_000_000, help="Another seed, other labels and captures.")
]
Jobs = Annotated[
    int, typer.Option("--jobs", min=0, max=64, help="Processes at once; 0: as many as there are cores.")
]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``evaluate`` says. All but ``times`` and ``suyuan`` is the same for the same seed, trials and code."""

    format: str
    suyuan: str
    source: str
    parameters: dict[str, Any]
    evaluations: list[Any]
    times: dict[str, Any]


def evaluate(
    track: TrackOption = "",
    trials: Annotated[
        int, typer.Option("--trials", min=1, max=1_000_000, help="Captures of each attack.")
    ] = 100,
    seed: Seed = 0,
    manifest: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Evaluate the captures of this manifest instead of drawing some."),
    ] = None,
    codes: Annotated[
        bool,
        typer.Option("--codes", help="Instead: how often codes of printed labels are read, by degradation."),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Keep trials, tables and plots here; a run that was stopped goes on."
        ),
    ] = None,
    jobs: Jobs = 0,
    as_json: AsJson = False,
) -> None:
    """How often checks of labels err: rates with bounds, per attack, on simulated captures or real ones.

    Thresholds were set on a calibration split; results are of the test split, whose seeds and channel parameters
    differ from it. Without --track both are evaluated. The same seed gives the same result, whatever --jobs is.

    \b
      suyuan label evaluate --track A --trials 1000 --out results
      suyuan label evaluate --manifest captures/manifest.csv --out results
      suyuan label evaluate --codes
    """
    from suyuan.enrolment.image_worker import check_extra

    check_extra()
    tracks = _tracks(track)
    if codes and manifest is not None:
        raise InputError(
            "label.evaluate.options",
            "--codes are read from simulated photos; captures of a manifest are not looked at.",
            path="--codes",
            remedy="Give --codes or --manifest, not both.",
        )
    jobs = jobs or usable_cores()
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    if codes:
        from suyuan.cli.label_codes import code_rates, write_codes

        data, text = write_codes(code_rates(trials, seed, jobs), trials, seed, out)
        typer.echo(data.decode() if as_json else text, nl=as_json)
        return
    if manifest is None:
        by_track = {each: _simulated(each, trials, seed, jobs, out) for each in tracks}
        _show("simulated", "simulated", by_track, {"trials": trials, "seed": seed}, out, as_json)
        return
    _captured(manifest, tracks, jobs, out, as_json)


def _captured(manifest: Path, tracks: tuple[Track, ...], jobs: int, out: Path | None, as_json: bool) -> None:
    """Evaluate the captures of a manifest; those that have no trial are told, and counted apart."""
    from suyuan.cli.label_captures import captures_table, evaluate_manifest

    source, checked = evaluate_manifest(manifest, tracks, jobs)
    # Never under the name of an evaluation of as many trials as were asked for.
    name = "manifest" if source == "simulated" else source
    by_track: dict[Track, list[Trial]] = {}
    for one in checked:
        if one.trial is not None:
            by_track.setdefault(one.track, []).append(one.trial)
    if out is not None:
        for track in sorted({one.track for one in checked}):
            table = captures_table(one for one in checked if one.track == track)
            (out / f"{name}-{track}-captures.csv").write_text(table, "utf-8")
    faults = [one.fault for one in checked if one.fault is not None]
    parameters = {"manifest": manifest.name, "captures": len(checked) - len(faults)}
    if faults:
        parameters["left_out"] = len(faults)
        _tell_left_out(faults)
    _show(name, source, dict(sorted(by_track.items())), parameters, out, as_json)


def _tell_left_out(faults: Sequence[ManifestFault]) -> None:
    note(
        f"{len(faults)} captures are not evaluated:",
        f"有 {len(faults)} 次拍摄未参与评估：",
    )
    for fault in faults[:_MOST_TOLD]:
        note(
            f"  row {fault.row}, {fault.column}: {fault.reason}",
            f"  第 {fault.row} 行，{fault.column}：{fault.reason}",
        )
    if len(faults) > _MOST_TOLD:
        note("  ...; --out keeps a table of all.", "  ……；使用 --out 可保存全部明细。")


def simulate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    track: TrackOption = "A",
    count: Annotated[int, typer.Option("--count", min=1, max=10_000, help="Labels to make.")] = 4,
    seed: Seed = 0,
    jobs: Jobs = 0,
    as_json: AsJson = False,
) -> None:
    """Write simulated labels: images to enrol them by, captures of them, one of each attack, and a manifest.

    They stand for themselves and are evaluated from their manifest. Their codes were issued by no deployment, so that
    none enrols them; suyuan demo shows enrolment and checks with the labels of its own deployment.

    \b
      suyuan label simulate tryout --track A --count 4
      suyuan label evaluate --manifest tryout/manifest.csv
    """
    from suyuan.enrolment.image_worker import check_extra

    check_extra()
    from suyuan.cli.label_captures import MANIFEST_NAME, write_simulated

    (chosen,) = _tracks(track or "A")
    written = write_simulated(folder, chosen, count, seed, jobs or usable_cores())
    listed = folder / MANIFEST_NAME
    if as_json:
        typer.echo(msgspec.json.encode({"manifest": str(listed), "captures": written}).decode())
        return
    typer.echo(
        say(
            f"{count} labels and {written} captures; {listed} lists them.",
            f"已生成 {count} 个标签、{written} 次拍摄，清单见 {listed}。",
        )
    )


def _tracks(given: str) -> tuple[Track, ...]:
    if given.upper() not in ("", "A", "B"):
        raise InputError(
            "label.track", "There are two tracks, A and B.", path="--track", remedy="Give A or B."
        )
    return (cast(Track, given.upper()),) if given else ("A", "B")


def _simulated(track: Track, trials: int, seed: int, jobs: int, out: Path | None) -> list[Trial]:
    from suyuan.label.evaluation_trials import units

    kept = None if out is None else out / f"trials-{track}.jsonl"
    what = say(f"track {track}", f"{track} 轨")
    return flattened(run_units(units(track, trials, seed), jobs, kept, what))


def _show(
    name: str,
    source: Source,
    by_track: dict[Track, list[Trial]],
    parameters: dict[str, Any],
    out: Path | None,
    as_json: bool,
) -> None:
    from suyuan import __version__
    from suyuan.label.evaluation import evaluate as evaluated
    from suyuan.label.evaluation import times_of

    evaluations = {track: evaluated(track, source, trials) for track, trials in by_track.items()}
    times = {track: times_of(trials) for track, trials in by_track.items()}

    def result(tracks: Sequence[Track]) -> Result:
        return Result(
            format=RESULT_FORMAT,
            suyuan=__version__,
            source=source,
            parameters=parameters,
            evaluations=[evaluations[track] for track in tracks],
            times={track: msgspec.to_builtins(times[track]) for track in tracks},
        )

    if out is not None:
        for track, evaluation in evaluations.items():
            data = msgspec.json.format(msgspec.json.encode(result([track])))
            (out / f"{name}-{track}.json").write_bytes(data + b"\n")
            text = _text({track: evaluation}, times, parameters)
            (out / f"{name}-{track}.md").write_text(text, "utf-8")
        _draw([(evaluations[track], by_track[track]) for track in evaluations], out, name)
    everything = msgspec.json.encode(result(list(evaluations))).decode()
    typer.echo(everything if as_json else _text(evaluations, times, parameters), nl=as_json)


def _text(evaluations: dict[Track, Evaluation], times: dict[Track, Any], parameters: dict[str, Any]) -> str:
    from suyuan.label.evaluation_tables import MEANING, table_of, times_line

    language: Language = "zh" if say("", "zh") else "en"
    told = [
        f"{say(name.replace('_', ' '), _PARAMETERS_ZH[name])} {value}" for name, value in parameters.items()
    ]
    parts = [MEANING[language], say(", ", "，").join(told)]
    for track, evaluation in evaluations.items():
        parts += [table_of(evaluation, language), times_line(times[track], track, language)]
    return "\n\n".join(parts) + "\n"


def _draw(pairs: Sequence[tuple[Evaluation, Sequence[Trial]]], out: Path, name: str) -> None:
    from suyuan.cli.label_plots import can_draw, draw

    if not can_draw():
        note(
            "No plots: matplotlib is not installed (suyuan[plots]).",
            "未绘图：没有安装 matplotlib（suyuan[plots]）。",
        )
        return
    for evaluation, trials in pairs:
        draw(evaluation, trials, out, name)
