"""``suyuan label``: from the printer's own file to a check, as an operator does it; folders with faults."""

from __future__ import annotations

import io
import itertools
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
from command_line import Shell
from label_world import picture
from PIL import Image, ImageChops

from suyuan.printing import get_style

np = pytest.importorskip("numpy", reason="the extra label is not installed")
cv2 = pytest.importorskip("cv2", reason="the extra label is not installed")

GTIN, LOT = "09506000134352", "LOT-1"
STYLE, DPI = "tag-50x25", 812
HOST = "HTTP://LOCALHOST:8080"


def _issued(suyuan: Shell, out: Path, count: int) -> list[str]:
    """Serials of a new batch with patterns, whose labels are in ``out`` as the press takes them."""
    suyuan.good("migrate")
    suyuan.good("party", "add", "op", "--name-en", "Op", "--name-zh", "运营", "--role", "operator")
    issue = ("issue", "--gtin", GTIN, "--lot", LOT, "--party", "op", "--pattern")
    refused = suyuan(*issue, "-n", 1, "--format", "svg", "--style", "item-40x20", "--out", out)
    assert (refused.code, "issuing.pattern.style" in refused.err) == (2, True)
    suyuan.good(*issue, "-n", count, "--format", "tiff", "--style", STYLE, "--out", out)
    with zipfile.ZipFile(out) as images:
        return [Path(name).stem.rpartition("-")[2] for name in sorted(images.namelist())]


def _dots(archive: Path, number: int) -> Any:
    """What of a label a camera is held over: the code and the pattern, in printer dots."""
    style = get_style(STYLE)
    code, square = style.symbol, style.pattern
    assert square is not None
    with zipfile.ZipFile(archive) as images:
        paper = Image.open(io.BytesIO(images.read(sorted(images.namelist())[number]))).convert("L")
    edges = (code.x, code.y, square.x + square.side + 0.5, max(code.y + code.side, square.y + square.side))
    seen = paper.crop(tuple(round(edge * DPI / 25.4) for edge in edges))
    return (np.asarray(ImageChops.invert(seen)) > 0).astype(np.uint8)


def test_from_the_printers_file_to_a_check(suyuan: Shell, tmp_path: Path) -> None:
    camera = pytest.importorskip("suyuan.label.simulation.pattern_camera")
    press_room = pytest.importorskip("suyuan.label.simulation.print_press")
    archive = tmp_path / "tags.zip"
    serials = _issued(suyuan, archive, 2)
    rng = np.random.Generator(np.random.PCG64(11))
    press = press_room.draw_press("calibration", rng, dpi=DPI)
    scanner = camera.draw_scanner("calibration", rng)
    printed = [press_room.print_dots(_dots(archive, n), press, rng) for n in range(2)]
    scans = tmp_path / "scans"
    for folder, label in ((scans / "by hand", printed[0]), (scans, printed[1])):
        # One item has a folder, the other's frames lie loose: the code on them says whose they are.
        folder.mkdir(parents=True, exist_ok=True)
        for frame in range(3):
            (folder / f"IMG_{frame}.png").write_bytes(camera.as_png(camera.scan(label, scanner, rng)))
    done = suyuan.good("label", "enrol", scans, "--style", STYLE, "--json").json
    assert (done["enrolled"], done["skipped"], done["faults"]) == (2, 0, [])
    again = suyuan.good("label", "enrol", scans, "--style", STYLE)
    assert "0 labels enrolled (0 of them anew), 2 were enrolled before and skipped." in again.out

    def photo(name: str, label: Any, pixel: float = 36.0) -> Path:
        path = tmp_path / name
        path.write_bytes(camera.photograph(label, camera.draw_phone("calibration", rng, pixel=pixel), rng))
        return path

    reprint = press_room.print_dots(_dots(archive, 0), press_room.another_day(press, rng), rng)
    matched = suyuan("label", "verify", photo("photo.jpg", printed[0]))
    assert matched.code == 0, matched
    assert matched.out.startswith("The label matches its enrolment")
    assert "simulator" in matched.out
    differs = suyuan("label", "verify", photo("copy.jpg", reprint), "--json")
    assert (differs.code, json.loads(differs.out)["answer"]) == (7, "differs"), differs
    uri = f"https://id.gs1.org/01/{GTIN}/21/{serials[0]}"
    unclear = suyuan("label", "verify", photo("far.jpg", printed[0], 110.0), "--uri", uri)
    assert unclear.code == 8, unclear
    assert "Could not tell: please take it again" in unclear.out
    # The item may be named as it stands under the code; where nothing was compared there is no score.
    named = suyuan(
        "label", "verify", photo("wall.jpg", printed[0][:40, :40]), "--uri", f"(01){GTIN}(21){serials[0]}"
    )
    assert (named.code, uri in named.out, "score" in named.out) == (8, True, False), named
    # The other label is another item, whatever address is named.
    other = suyuan("label", "verify", photo("other.jpg", printed[1]), "--uri", uri, "--json")
    assert (other.code, json.loads(other.out)["reasons"]) == (8, ["other_code"]), other
    story = suyuan.good("code", uri).out
    assert "label enrolled (A)" in story
    assert "label checked: 1 matched, 1 differed, 3 unclear; last" in story
    wall = tmp_path / "wall.png"
    wall.write_bytes(cv2.imencode(".png", np.full((300, 300, 3), 200, np.uint8))[1].tobytes())
    seen = suyuan("label", "verify", wall)
    assert (seen.code, "cli.label.no_code" in seen.err) == (4, True), seen


def test_each_fault_is_named_by_its_file(suyuan: Shell, tmp_path: Path, image_processes: None) -> None:
    serials = _issued(suyuan, tmp_path / "tags.zip", 4)
    uris = [f"{HOST}/01/{GTIN}/21/{serial}" for serial in serials]
    scans = tmp_path / "scans"
    for name, images in {
        "good": [picture(uris[0])] * 2,
        "mixed": [picture(uris[1]), picture(uris[2])],
        "empty": [],
        "unread": [picture("")],
        "broken": [b"no picture"],
        "strange": [picture(f"{HOST}/01/{GTIN}/21/0AAAAAAAAAAAAAAAAAAA")],
        "nowhere": [picture("https://shop.example/")],
    }.items():
        (scans / name).mkdir(parents=True)
        for n, image in enumerate(images):
            (scans / name / f"{n}.png").write_bytes(image)
    (scans / "loose.jpg").write_bytes(picture(uris[3]))
    (scans / "wall.jpg").write_bytes(picture(""))
    (scans / "notes.txt").write_text("not an image")
    said = suyuan("label", "enrol", scans, "--style", STYLE, "--json")
    report = json.loads(said.out)
    assert (said.code, report["enrolled"], report["skipped"]) == (2, 2, 0)
    found = {Path(one["file"]).relative_to(scans).as_posix(): one["code"] for one in report["faults"]}
    assert found == {
        "mixed/1.png": "label.enrolment.other_code",
        "empty": "cli.label.empty",
        "unread": "cli.label.no_code",
        "broken": "label.image.form",
        "strange": "cli.label.party",
        "nowhere": "gs1.uri.host",
        "wall.jpg": "cli.label.no_code",
    }
    # The same words once more: what was good is skipped, what was not is told again.
    again = json.loads(suyuan("label", "enrol", scans, "--style", STYLE, "--json").out)
    assert (again["enrolled"], again["skipped"], len(again["faults"])) == (0, 2, 7)
    anew = json.loads(suyuan("label", "enrol", scans / "good", "--style", STYLE, "--again", "--json").out)
    assert (anew["enrolled"], anew["superseded"]) == (0, 0)
    without = json.loads(suyuan("label", "enrol", scans, "--again", "--json").out)
    assert {one["code"] for one in without["faults"]} >= {"enrolment.placement"}
    for arguments, code in (
        (("enrol", scans, "--track", "C"), "cli.label.track"),
        (("verify", scans / "notes.txt"), "cli.label.file"),
        (("verify", scans / "good", "--path", "up,sideways"), "cli.label.path"),
        (("verify", scans / "empty"), "cli.label.empty"),
        (
            ("verify", scans / "notes.txt", scans / "wall.jpg"),
            "label.image.form (" + str(scans / "notes.txt"),
        ),
        (("verify", scans / "good", "--uri", "rubbish"), "uri"),
        # A style without a pattern is told once, not for each label.
        (("enrol", scans, "--style", "item-40x20"), "issuing.pattern.style"),
        (("evaluate", "--codes", "--manifest", scans / "notes.txt"), "label.evaluate.options"),
    ):
        assert code in suyuan("label", *arguments).err


def test_a_video_is_a_dynamic_label(
    suyuan: Shell, tmp_path: Path, image_processes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    [serial] = _issued(suyuan, tmp_path / "tags.zip", 1)
    uri = f"{HOST}/01/{GTIN}/21/{serial}"
    film = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter_fourcc(*"MJPG"), 30, (64, 48))
    for n in range(500):
        writer.write(np.full((48, 64, 3), n % 250, np.uint8))
    writer.release()
    from suyuan.cli import label_files

    read = label_files.video_frames
    frames = read(film, 40)
    levels = [int(cv2.imdecode(np.frombuffer(frame, np.uint8), 0).mean()) for frame in frames]
    assert len(frames) == 40
    assert levels[0] < 3
    # Evenly spread over all of it: twice through the grey levels.
    assert sum(later < earlier for earlier, later in itertools.pairwise(levels)) == 1
    assert frames[-1] == frames[39] and list(frames[:2]) == [frames[0], frames[1]]
    with pytest.raises(IndexError):
        frames[40]
    monkeypatch.setattr(label_files, "video_frames", lambda path, most: [picture(uri)] * most)
    done = json.loads(suyuan("label", "enrol", film, "--json").out)
    assert (done["enrolled"], done["faults"]) == (1, [])
    found = suyuan("label", "verify", film, "--json")
    assert (found.code, json.loads(found.out)["track"]) == (0, "B"), found
    no_film = tmp_path / "no.mp4"
    no_film.write_bytes(b"not a film")
    with pytest.raises(label_files.InputError) as refusal:
        read(no_film, 40)
    assert refusal.value.code == "cli.label.video"


def test_memory_does_not_grow_with_the_frames_of_a_video(tmp_path: Path) -> None:
    film = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter_fourcc(*"MJPG"), 30, (320, 240))
    noise = np.random.Generator(np.random.PCG64(1))
    for _ in range(120):
        writer.write(noise.integers(0, 256, (240, 320, 3), np.uint8))
    writer.release()
    from suyuan.cli.label_files import video_frames

    tracemalloc.start()
    try:
        frames = video_frames(film, 100)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    together = sum(map(len, frames))
    assert (len(frames), together > 6_000_000) == (100, True)
    assert peak < together / 3


def test_a_label_is_erased_by_who_says_why_and_means_it(
    suyuan: Shell, tmp_path: Path, image_processes: None
) -> None:
    [serial] = _issued(suyuan, tmp_path / "tags.zip", 1)
    photo = tmp_path / "0.png"
    photo.write_bytes(picture(f"{HOST}/01/{GTIN}/21/{serial}"))
    suyuan.good("label", "enrol", photo, "--style", STYLE)
    item = f"https://id.gs1.org/01/{GTIN}/21/{serial}"
    words = ("label", "erase", item, "--party", "op", "--reason", "mixed up")
    unsure = suyuan(*words)
    assert (unsure.code, "cli.label.erase" in unsure.err) == (2, True)
    assert suyuan("label", "verify", photo).code == 0
    other = suyuan(*words, "--track", "B", "--yes")
    assert (other.code, "scan.label.unknown" in other.err) == (4, True)
    done = json.loads(suyuan.good(*words, "--yes", "--json").out)
    assert (done["tracks"], done["records"], done["images"]) == (["A"], 1, 0)
    assert suyuan("label", "verify", photo).code == 4
    assert json.loads(suyuan.good("fsck", "--json").out)["finding_count"] == 0
    suyuan.good("label", "enrol", photo, "--style", STYLE)
    photo.write_bytes(picture(f"{HOST}/01/{GTIN}/21/{serial}"))
    assert suyuan("label", "verify", photo).code == 0


def test_what_was_forgotten_in_the_command_is_told_once(
    suyuan: Shell, tmp_path: Path, image_processes: None
) -> None:
    serials = _issued(suyuan, tmp_path / "tags.zip", 4)
    for serial in serials:
        folder = tmp_path / "scans" / serial
        folder.mkdir(parents=True)
        (folder / "0.png").write_bytes(picture(f"{HOST}/01/{GTIN}/21/{serial}"))
    (tmp_path / "scans" / "empty").mkdir()
    (tmp_path / "scans" / "empty too").mkdir()
    said = suyuan("label", "enrol", tmp_path / "scans")
    assert (said.code, said.out.count("enrolment.placement"), " and 3 more: " in said.out) == (2, 1, True)
    assert said.out.count("cli.label.empty") == 2
    report = json.loads(suyuan("label", "enrol", tmp_path / "scans", "--json").out)
    assert [(one["code"], one["files"]) for one in report["faults"] if one["files"] > 1] == [
        ("enrolment.placement", 4)
    ]
    assert len(report["faults"]) == 3
