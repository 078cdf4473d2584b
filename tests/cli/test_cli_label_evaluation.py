"""``suyuan label evaluate`` and ``simulate``: the same result however it is run, and files that people can try."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cv2", reason="the extra `label` is not installed")

from suyuan.cli import label_runs
from suyuan.cli.main import app
from suyuan.enrolment import image_worker
from suyuan.label.evaluation import GENUINE
from suyuan.label.simulation.pattern_trials import ATTACKS


def run(capfd: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        app([str(argument) for argument in ("label", *arguments)])
    out, err = capfd.readouterr()
    return int(end.value.code or 0), out, err


def result(capfd: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    code, out, err = run(capfd, *arguments, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def tryout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two simulated labels, one of each split, as anybody would make them."""
    folder = tmp_path_factory.mktemp("labels") / "tryout"
    with pytest.raises(SystemExit) as end:
        app(["label", "simulate", str(folder), "--track", "A", "--count", "2", "--jobs", "1"])
    assert not end.value.code
    return folder


# -- simulated -----------------------------------------------------------------------------------------------


def test_the_result_is_the_same_however_many_processes(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    command = ("evaluate", "--track", "A", "--trials", 1, "--seed", 5)
    one = result(capfd, *command, "--jobs", 1, "--out", tmp_path)
    two = result(capfd, *command, "--jobs", 2)
    assert one["evaluations"] == two["evaluations"]
    assert one["parameters"] == {"trials": 1, "seed": 5}
    (evaluation,) = one["evaluations"]
    assert evaluation["source"] == "simulated"
    assert {attack["attack"] for attack in evaluation["attacks"]} == set(ATTACKS)
    assert evaluation["genuine"]["trials"] == 1
    assert one["times"]["A"]["check_median"] > 0

    # What was kept: tables, plots, trials; and it is not run again.
    assert "simulator" in (tmp_path / "simulated-A.md").read_text("utf-8")
    assert json.loads((tmp_path / "simulated-A.json").read_bytes())["evaluations"] == one["evaluations"]
    if pytest.importorskip("matplotlib"):
        for name in ("roc", "margins"):
            assert (tmp_path / f"{name}-simulated-A.png").read_bytes().startswith(b"\x89PNG")
            assert b"</svg>" in (tmp_path / f"{name}-simulated-A.svg").read_bytes()


def test_a_run_that_was_stopped_goes_on(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from suyuan.label import evaluation_trials
    from suyuan.label.evaluation import Trial

    made: list[int] = []

    def quick(unit: evaluation_trials.Unit) -> list[Trial]:
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append(unit.number)
        return [
            Trial(
                split=unit.split,
                attack=attack,
                label=str(unit.number),
                answer="matches",
                score=1,
                threshold=0,
            )
            for attack in (GENUINE, "office_copy")
        ]

    monkeypatch.setattr(evaluation_trials, "run_unit", quick)
    command = ("evaluate", "--track", "A", "--trials", 8, "--jobs", 1, "--out", tmp_path)
    code, _, _ = run(capfd, *command)
    assert code
    kept = tmp_path / "trials-A.jsonl"
    with kept.open("ab") as file:
        file.write(b'[{"track":"A","split":"te')  # it was stopped as it wrote
    before = len(made)
    made.clear()
    monkeypatch.setattr(evaluation_trials, "PER_LABEL", {"A": 2, "B": 10})
    done = 0
    while not (tmp_path / "simulated-A.json").exists():
        made.clear()
        run(capfd, *command)
        done += 1
        assert done < 4
    assert before == 3
    lines = kept.read_bytes().splitlines()
    units = [json.dumps(json.loads(line)[0]) for line in lines[1:]]
    assert len(units) == len(set(units)) == len(evaluation_trials.units("A", 8, 0))


def test_trials_of_another_seed_or_version_are_not_mixed(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from suyuan.label import evaluation_trials

    monkeypatch.setattr(evaluation_trials, "run_unit", lambda unit: [])
    command = ("evaluate", "--track", "A", "--trials", 1, "--jobs", 1, "--out", tmp_path)
    for _ in range(2):
        code, _, err = run(capfd, *command)
        assert code == 0, err
    code, _, err = run(capfd, *command, "--seed", 1)
    assert (code, "label.evaluation.other" in err) == (5, True)
    monkeypatch.setattr(label_runs, "code_digest", lambda track: "another")
    assert run(capfd, *command)[0] == 5
    (tmp_path / "trials-A.jsonl").write_text("not a list of trials\n")
    assert run(capfd, *command)[0] == 5


def test_a_change_of_one_track_keeps_the_trials_of_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("codes.py", "dynamic_score.py", "evaluation_tables.py", "pattern.py"):
        (tmp_path / name).write_text("one")
    monkeypatch.setattr(label_runs, "files", lambda room: tmp_path)
    for name, changed in [
        ("evaluation_tables.py", ""),
        ("pattern.py", "A"),
        ("dynamic_score.py", "B"),
        ("codes.py", "AB"),
    ]:
        before = {track: label_runs.code_digest(track) for track in "AB"}
        (tmp_path / name).write_text("two")
        assert {track for track in "AB" if label_runs.code_digest(track) != before[track]} == set(changed), (
            name
        )


def test_progress_is_on_standard_error(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from suyuan.label import evaluation_trials

    monkeypatch.setattr(evaluation_trials, "run_unit", lambda unit: [])
    monkeypatch.setattr(label_runs, "_TELL_EVERY", 0.0)
    code, out, err = run(capfd, "evaluate", "--track", "A", "--trials", 8, "--jobs", 1)
    assert code == 0
    assert "track A: 1 of 5" in err
    assert "of 5" not in out


def test_without_the_libraries_it_says_which_to_install(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_worker, "can_look", lambda: False)
    for command in (("evaluate",), ("simulate", "anywhere")):
        code, _, err = run(capfd, *command)
        assert code == 2
        assert "label.extra" in err
        assert "suyuan[label]" in err


def test_without_matplotlib_it_goes_on(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from suyuan.cli import label_plots
    from suyuan.label import evaluation_trials

    monkeypatch.setattr(evaluation_trials, "run_unit", lambda unit: [])
    monkeypatch.setattr(label_plots, "find_spec", lambda name: None)
    code, _, err = run(capfd, "evaluate", "--track", "A", "--trials", 1, "--jobs", 1, "--out", tmp_path)
    assert code == 0
    assert "suyuan[plots]" in err
    assert not list(tmp_path.glob("*.png"))


def test_a_track_that_is_none_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capfd, "evaluate", "--track", "C")
    assert (code, "label.track" in err) == (2, True)


# -- captured ------------------------------------------------------------------------------------------------


def test_simulated_files_go_through_the_evaluation_of_real_ones(
    capfd: pytest.CaptureFixture[str], tryout: Path, tmp_path: Path
) -> None:
    manifest = tryout / "manifest.csv"
    assert len(manifest.read_text("utf-8").splitlines()) == 2 + 2 * (1 + len(ATTACKS))
    found = result(capfd, "evaluate", "--manifest", manifest, "--jobs", 1, "--out", tmp_path)
    assert found["source"] == "simulated"
    assert found["parameters"] == {"manifest": "manifest.csv", "captures": 14}
    (evaluation,) = found["evaluations"]
    assert evaluation["genuine"]["trials"] == 1
    wrong = next(each for each in evaluation["attacks"] if each["attack"] == "wrong_label")
    assert wrong["matches"] == 0
    text = (tmp_path / "manifest-A.md").read_text("utf-8")
    assert "simulator" in text
    assert "real captures" not in text
    # Not under the name of an evaluation of so many trials.
    assert not (tmp_path / "simulated-A.md").exists()
    assert "genuine" not in manifest.read_text("utf-8").replace("genuine.jpg", "")


def test_captures_that_say_nothing_of_their_source_were_taken(
    capfd: pytest.CaptureFixture[str], tryout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("labels", "captures"):
        (tmp_path / name).symlink_to(tryout / name)
    text = (tryout / "manifest.csv").read_text("utf-8").replace("simulated", "")
    (tmp_path / "manifest.csv").write_text(text, "utf-8")
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    code, out, _ = run(
        capfd, "evaluate", "--manifest", tmp_path / "manifest.csv", "--jobs", 1, "--out", tmp_path
    )
    assert code == 0
    assert "真实拍摄" in out and "清单 manifest.csv，拍摄次数 14" in out
    assert (tmp_path / "captured-A.md").read_text("utf-8") == out


def test_files_that_are_not_there_or_no_images_are_told_with_their_rows(
    capfd: pytest.CaptureFixture[str], tryout: Path, tmp_path: Path
) -> None:
    text = (tryout / "manifest.csv").read_text("utf-8")
    (tmp_path / "captures").mkdir()
    (tmp_path / "labels").symlink_to(tryout / "labels")
    for folder in (tryout / "captures").iterdir():
        (tmp_path / "captures" / folder.name).symlink_to(folder)
    gone = text.replace("captures/A0000/genuine.jpg", "captures/gone.jpg")
    gone = gone.replace("captures/A0001/genuine.jpg", "captures/gone-too.jpg")
    (tmp_path / "manifest.csv").write_text(gone, "utf-8")
    code, _, err = run(capfd, "evaluate", "--manifest", tmp_path / "manifest.csv", "--jobs", 1)
    assert code == 2
    assert "row 3, files: There is no captures/gone.jpg" in err
    assert "row 10, files: There is no captures/gone-too.jpg" in err


def test_a_capture_that_cannot_be_read_is_told_and_the_others_are_evaluated(
    capfd: pytest.CaptureFixture[str], tryout: Path, tmp_path: Path
) -> None:
    (tmp_path / "captures").mkdir()
    (tmp_path / "labels").symlink_to(tryout / "labels")
    for folder in (tryout / "captures").iterdir():
        (tmp_path / "captures" / folder.name).symlink_to(folder)
    (tmp_path / "captures" / "wall.jpg").write_bytes(b"not a photo")
    text = (tryout / "manifest.csv").read_text("utf-8")
    (tmp_path / "manifest.csv").write_text(
        text.replace("captures/A0001/office_copy.jpg", "captures/wall.jpg"), "utf-8"
    )
    code, out, err = run(
        capfd, "evaluate", "--manifest", tmp_path / "manifest.csv", "--jobs", 1, "--out", tmp_path / "out"
    )
    assert code == 0
    assert "captures 13, left out 1" in out
    assert "row 11, files" in err
    with (tmp_path / "out" / "manifest-A-captures.csv").open(encoding="utf-8", newline="") as table:
        rows = {row["row"]: row for row in csv.DictReader(table)}
    assert len(rows) == 14
    assert rows["11"]["not_evaluated"].startswith("files: ")
    assert rows["11"]["files"] == "captures/wall.jpg"
    assert rows["10"]["answer"] == "matches"
    assert "pixels_per_symbol=" in rows["10"]["quality"]


def test_where_no_label_can_be_enrolled_nothing_is_reported(
    capfd: pytest.CaptureFixture[str], tryout: Path, tmp_path: Path
) -> None:
    (tmp_path / "captures").symlink_to(tryout / "captures")
    for file in (tryout / "labels").rglob("*"):
        if file.is_file():
            copy = tmp_path / file.relative_to(tryout)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(b"not a photo")
    (tmp_path / "manifest.csv").write_text((tryout / "manifest.csv").read_text("utf-8"), "utf-8")
    code, _, err = run(capfd, "evaluate", "--manifest", tmp_path / "manifest.csv", "--jobs", 1)
    assert code == 2
    assert "row 3, enrolment" in err


def test_a_manifest_without_a_test_split_has_nothing_to_report(
    capfd: pytest.CaptureFixture[str], tryout: Path, tmp_path: Path
) -> None:
    lines = (tryout / "manifest.csv").read_text("utf-8").splitlines()
    (tmp_path / "labels").symlink_to(tryout / "labels")
    (tmp_path / "captures").symlink_to(tryout / "captures")
    kept = [*lines[:2], *(line for line in lines[2:] if line.startswith("calibration"))]
    (tmp_path / "manifest.csv").write_text("\n".join(kept), "utf-8")
    code, _, err = run(capfd, "evaluate", "--manifest", tmp_path / "manifest.csv", "--jobs", 1)
    assert code == 2
    assert "split `test`" in err


def test_frames_of_a_dynamic_label_come_in_order_from_folders_and_videos(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cv2
    import numpy as np

    from suyuan.label import dynamic
    from suyuan.label.images import decode
    from suyuan.label.manifest import write_manifest
    from suyuan.label.model import Verdict
    from suyuan.label.path import TiltPath

    shades = [20, 80, 140, 200]
    pictures = [np.full((64, 96, 3), shade, np.uint8) for shade in shades]
    (tmp_path / "frames").mkdir()
    for number, picture in enumerate(pictures):
        cv2.imwrite(str(tmp_path / "frames" / f"{number:02d}.png"), picture)
    video = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (96, 64))
    for picture in pictures:
        video.write(picture)
    video.release()

    seen: list[tuple[list[int], TiltPath]] = []

    def means(images: list[bytes]) -> list[int]:
        return [round(float(decode(image).mean()) / 20) * 20 for image in images]

    def verify(images: list[bytes], record: bytes, uri: str, path: TiltPath) -> Verdict:
        assert (record, uri) == (b"record", "https://id.example.cn/01/09506000134352/21/B1")
        seen.append((means(images), path))
        return Verdict(answer="matches", score=0.5, threshold=0.3)

    def enrol(images: list[bytes], uri: str) -> bytes:
        assert means(images) == shades
        return b"record"

    monkeypatch.setattr(dynamic, "verify_dynamic", verify)
    monkeypatch.setattr(dynamic, "enrol_dynamic", enrol)
    row = {
        "split": "test",
        "track": "B",
        "label": "B1",
        "uri": "https://id.example.cn/01/09506000134352/21/B1",
        "phone": "phone-1",
        "enrolment": "clip.avi",
    }
    rows = [
        {**row, "attack": GENUINE, "files": "frames", "path": "up left up"},
        {**row, "attack": "replay", "files": "clip.avi"},
        {**row, "attack": "print", "files": "frames/03.png; frames/00.png"},
    ]
    (tmp_path / "manifest.csv").write_text(write_manifest(rows), "utf-8")
    found = result(capfd, "evaluate", "--manifest", tmp_path / "manifest.csv", "--jobs", 1)
    assert [track["track"] for track in found["evaluations"]] == ["B"]
    assert seen == [
        (shades, TiltPath(("up", "left", "up"))),
        (shades, TiltPath(())),
        ([200, 20], TiltPath(())),
    ]


def test_nothing_is_overwritten(capfd: pytest.CaptureFixture[str], tryout: Path) -> None:
    code, _, err = run(capfd, "simulate", tryout, "--count", 1)
    assert (code, "label.simulate.exists" in err) == (5, True)


# -- codes ---------------------------------------------------------------------------------------------------


def test_codes_have_a_table_of_their_own(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from suyuan.label import evaluation_codes

    monkeypatch.setattr(evaluation_codes, "DEGRADATIONS", {"blur": (0.3, 1.1), "tilt": (20,)})
    code, out, _ = run(capfd, "evaluate", "--codes", "--trials", 4, "--jobs", 1, "--out", tmp_path)
    assert code == 0
    assert "| everyday photo | 100.0% |" in out
    assert "| defocus, modules | 0.3: 100.0%, 1.1: 0 |" in out
    assert (tmp_path / "codes.md").read_text("utf-8") == out
    rates = json.loads((tmp_path / "codes.json").read_bytes())["rates"]
    assert [rate["degradation"] for rate in rates] == ["everyday", "blur", "blur", "tilt"]
