"""Files of labels: the captures that a manifest names, and whole folders of simulated ones to begin from."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from suyuan.cli.checking import read_file
from suyuan.cli.label_files import VIDEOS, Files, Joined, images_in, video_frames
from suyuan.cli.label_runs import in_processes
from suyuan.errors import ConflictError, SuyuanError
from suyuan.label.evaluation import Trial
from suyuan.label.manifest import Manifest, ManifestCapture, ManifestFault, ManifestLabel
from suyuan.label.model import Placement, Track

if TYPE_CHECKING:
    from suyuan.label.evaluation import Source

CLIP_FRAMES: Final = 60  # that are taken of a video of a check
ENROLMENT_FRAMES: Final = 160
MANIFEST_NAME: Final = "manifest.csv"
_COLUMNS: Final = (
    "row", "label", "attack", "condition", "phone", "split", "answer", "score", "threshold", "reasons", "quality",
    "not_evaluated", "files",
)  # fmt: skip


class LabelTask(msgspec.Struct, frozen=True):
    """One label of a manifest with its captures, to be checked in one process."""

    folder: str
    label: ManifestLabel
    captures: tuple[ManifestCapture, ...]


class SimulatedTask(msgspec.Struct, frozen=True):
    """One simulated label to be written with its captures."""

    track: Track
    number: int
    seed: int


class Checked(msgspec.Struct, frozen=True):
    """A capture of a manifest with its trial, or with why there is none."""

    capture: ManifestCapture
    track: Track
    trial: Trial | None
    fault: ManifestFault | None = None


def evaluate_manifest(file: Path, tracks: tuple[Track, ...], jobs: int) -> tuple[Source, list[Checked]]:
    """Where the captures of a manifest come from, as it says, and what became of each.

    A label that cannot be enrolled and a capture that cannot be read have no trial and are told as such. Raises
    ``FaultyManifestError`` with all that is wrong in the rows, for files that are not there, and where no capture
    of the test split has a trial.
    """
    from suyuan.label.manifest import FaultyManifestError, read_manifest

    manifest = read_manifest(read_file(file))
    folder = file.resolve().parent
    missing = [
        ManifestFault(row, "files", f"There is no {name}, or no image in it.")
        for name, row in manifest.file_rows().items()
        if not _files_of(folder, (name,))
    ]
    if missing:
        raise FaultyManifestError(missing)
    tasks = _tasks(manifest, str(folder), tracks)
    if not any(task.label.split == "test" for task in tasks):
        raise FaultyManifestError([ManifestFault(0, "", "No capture of the split `test` to report on.")])
    done = dict(in_processes(check_label, tasks, jobs, file.name))
    found = [one for place in range(len(tasks)) for one in done[place]]
    if not any(one.trial is not None and one.trial.split == "test" for one in found):
        raise FaultyManifestError([one.fault for one in found if one.fault is not None])
    return manifest.source, found


def check_label(task: LabelTask) -> list[Checked]:
    """All captures of one label held against its record."""
    from suyuan.label.evaluation_trials import captured_trial

    folder, label = Path(task.folder), task.label
    try:
        record = _record(folder, label)
        template = read_file(folder / label.template) if label.template else b""
    except (SuyuanError, OSError) as error:
        column = "record" if label.record else "enrolment"
        return [_left_out(label, capture, column, error) for capture in task.captures]
    found = []
    for capture in task.captures:
        try:
            images = _images(folder, capture.files, CLIP_FRAMES)
            trial = captured_trial(label, capture, images, record, template)
        except (SuyuanError, OSError) as error:
            found.append(_left_out(label, capture, "files", error))
        else:
            found.append(Checked(capture, label.track, trial))
    return found


def _left_out(
    label: ManifestLabel, capture: ManifestCapture, column: str, error: SuyuanError | OSError
) -> Checked:
    reason = error.reason if isinstance(error, SuyuanError) else f"It cannot be read: {error.strerror}."
    return Checked(capture, label.track, None, ManifestFault(capture.row, column, reason))


def captures_table(checked: Iterable[Checked]) -> str:
    """A CSV of what became of each capture, in the order of their rows: which photo was refused, and why."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for one in sorted(checked, key=lambda one: one.capture.row):
        capture, trial, fault = one.capture, one.trial, one.fault
        told: list[object] = ["", "", "", "", "", ""]
        if trial is not None:
            quality = " ".join(f"{name}={value:g}" for name, value in sorted(trial.quality.items()))
            told = [trial.split, trial.answer, trial.score, trial.threshold, " ".join(trial.reasons), quality]
        why = "" if fault is None else f"{fault.column}: {fault.reason}"
        writer.writerow(
            [
                capture.row,
                capture.label,
                capture.attack,
                capture.condition,
                capture.phone,
                *told,
                why,
                *capture.files,
            ]
        )
    return out.getvalue()


def write_simulated(folder: Path, track: Track, count: int, seed: int, jobs: int) -> int:
    """Write ``count`` simulated labels and their captures with a manifest; the number of captures.

    Raises ``ConflictError`` (``label.simulate.exists``) where the folder is not empty.
    """
    from suyuan.label.manifest import write_manifest

    if folder.exists() and any(folder.iterdir()):
        raise ConflictError(
            "label.simulate.exists",
            "The folder is not empty, and nothing is overwritten.",
            path=str(folder),
            remedy="Name a folder that is new or empty.",
        )
    tasks = [SimulatedTask(track, number, seed) for number in range(count)]
    rows: dict[int, list[dict[str, str]]] = {}
    for place, (written, made) in in_processes(simulate_label, tasks, jobs, str(folder)):
        for name, data in written:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        rows[place] = [row | {"source": "simulated"} for row in made]
    ordered = [row for place in sorted(rows) for row in rows[place]]
    (folder / MANIFEST_NAME).write_text(write_manifest(ordered), "utf-8")
    return len(ordered)


def simulate_label(task: SimulatedTask) -> tuple[list[tuple[str, bytes]], list[dict[str, str]]]:
    """The files of one simulated label and the rows of a manifest that name them."""
    from suyuan.label.evaluation_sets import simulated_set

    return simulated_set(task.track, task.number, task.seed)


def _tasks(manifest: Manifest, folder: str, tracks: tuple[Track, ...]) -> list[LabelTask]:
    by_label: dict[str, list[ManifestCapture]] = {}
    for capture in manifest.captures:
        by_label.setdefault(capture.label, []).append(capture)
    return [
        LabelTask(folder, manifest.labels[name], tuple(captures))
        for name, captures in by_label.items()
        if manifest.labels[name].track in tracks
    ]


def _record(folder: Path, label: ManifestLabel) -> bytes:
    if label.record:
        return read_file(folder / label.record)
    images = _images(folder, label.enrolment, ENROLMENT_FRAMES)
    if label.track == "B":
        from suyuan.label.dynamic import enrol_dynamic

        return enrol_dynamic(images, label.uri)
    from suyuan.label.pattern import enrol_pattern

    template = read_file(folder / label.template)
    return enrol_pattern(images, label.uri, template, label.placement or Placement(0, 0, 0))


def _images(folder: Path, names: tuple[str, ...], most: int) -> Sequence[bytes]:
    """The images that entries name, in order; of a video at most so many frames. Each is read when it is its turn."""
    parts: list[Sequence[bytes]] = []
    for path in _files_of(folder, names):
        parts.append(video_frames(path, most) if path.suffix.lower() in VIDEOS else Files([path]))
    return parts[0] if len(parts) == 1 else Joined(parts)


def _files_of(folder: Path, names: tuple[str, ...]) -> list[Path]:
    """The files that entries name: each by itself, or the images of a folder by name."""
    found: list[Path] = []
    for name in names:
        path = folder / name
        if path.is_dir():
            found += images_in(path)
        elif path.is_file():
            found.append(path)
    return found
