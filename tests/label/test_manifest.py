"""A manifest of real captures: read as it is meant, refused with every fault at once, each with its row."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.errors import TooLargeError
from suyuan.label import manifest as module
from suyuan.label.manifest import (
    COLUMNS,
    MANIFEST_MARK,
    FaultyManifestError,
    read_manifest,
    write_manifest,
)
from suyuan.label.model import Placement
from suyuan.label.path import TiltPath

PATTERN = {
    "split": "test",
    "track": "A",
    "label": "A1",
    "uri": "https://id.example.cn/01/09506000134352/21/A1",
    "attack": "genuine",
    "phone": "phone-3",
    "files": "a1/photo.jpg",
    "enrolment": "a1/e1.png; a1/e2.png",
    "template": "a1/template.bin",
    "placement": "36.5 2 20.25",
    "light": "office",
    "distance_mm": "95",
}
DYNAMIC = {
    "split": "calibration",
    "track": "B",
    "label": "B1",
    "uri": "https://id.example.cn/01/09506000134352/21/B1",
    "attack": "foil",
    "phone": "phone-1",
    "files": "b1/clip",
    "record": "b1/record.bin",
    "path": "up left up",
}


def read(*rows: dict[str, str]) -> module.Manifest:
    return read_manifest(write_manifest(rows).encode())


def faults(*rows: dict[str, str]) -> list[tuple[int, str]]:
    with pytest.raises(FaultyManifestError) as caught:
        read(*rows)
    assert caught.value.code == "label.manifest.form"
    assert caught.value.remedy
    return [(fault.row, fault.column) for fault in caught.value.faults]


def test_rows_become_labels_and_captures() -> None:
    found = read(PATTERN, DYNAMIC, {**PATTERN, "attack": "office_copy", "files": "a1/copy.jpg"})
    assert set(found.labels) == {"A1", "B1"}
    pattern, dynamic = found.labels["A1"], found.labels["B1"]
    assert pattern.enrolment == ("a1/e1.png", "a1/e2.png")
    assert pattern.placement == Placement(36.5, 2, 20.25)
    assert (dynamic.record, dynamic.split) == ("b1/record.bin", "calibration")
    assert [(each.row, each.label, each.attack) for each in found.captures] == [
        (3, "A1", "genuine"),
        (4, "B1", "foil"),
        (5, "A1", "office_copy"),
    ]
    assert found.captures[1].path == TiltPath(("up", "left", "up"))
    assert found.captures[0].distance_mm == 95
    assert found.file_rows()["a1/copy.jpg"] == 5
    assert found.file_rows()["b1/record.bin"] == 4


def test_a_label_is_described_once() -> None:
    bare = {name: PATTERN[name] for name in ("split", "track", "label", "uri", "phone")}
    found = read(PATTERN, {**bare, "attack": "wrong_label", "files": "x.jpg"})
    assert len(found.captures) == 2
    assert found.labels["A1"].template == "a1/template.bin"


def test_what_spreadsheets_make_of_it_is_read() -> None:
    """A mark of byte order, commas after the first line, spaces, an empty row."""
    text = write_manifest([PATTERN]).replace(MANIFEST_MARK, MANIFEST_MARK + ",,,")
    text = "\ufeff" + text.replace("\n", "\r\n") + ",,,,\r\n"
    assert read_manifest(text.encode()).captures[0].row == 3


def test_all_faults_are_told_at_once_with_their_rows() -> None:
    bad = {
        **PATTERN,
        "split": "training",
        "track": "C",
        "attack": "Office copy",
        "files": "../secret.jpg",
        "path": "sideways",
        "distance_mm": "near",
    }
    none = {**PATTERN, "label": "A2", "phone": "", "enrolment": "", "placement": "1 2"}
    both = {**DYNAMIC, "enrolment": "b1/frames", "template": "t.bin"}
    found = faults(bad, none, both)
    for expected in [
        (3, "split"),
        (3, "track"),
        (3, "attack"),
        (3, "files"),
        (3, "path"),
        (3, "distance_mm"),
        (4, "phone"),
        (4, "record"),
        (4, "placement"),
        (5, "record"),
        (5, "template"),
    ]:
        assert expected in found, expected
    assert found == sorted(found)


def test_the_reason_names_every_row() -> None:
    with pytest.raises(FaultyManifestError) as caught:
        read({**PATTERN, "split": "x"}, {**PATTERN, "track": "x"})
    assert "row 3, split" in caught.value.reason
    assert "row 4, track" in caught.value.reason


@pytest.mark.parametrize("column", ["label", "phone"])
def test_labels_and_phones_stand_in_one_split(column: str) -> None:
    other = {**PATTERN, "split": "calibration", "label": "A2", "phone": "phone-9", "files": "a2.jpg"}
    assert (4, column) in faults(PATTERN, {**other, column: PATTERN[column]})
    assert len(read(PATTERN, other).captures) == 2


def test_rows_of_one_label_agree() -> None:
    assert (4, "uri") in faults(PATTERN, {**PATTERN, "uri": "https://id.example.cn/01/1", "files": "b.jpg"})


def test_one_photo_is_a_capture_of_a_pattern() -> None:
    assert (3, "files") in faults({**PATTERN, "files": "a.jpg; b.jpg"})


def test_a_manifest_says_whether_its_captures_were_taken_or_simulated() -> None:
    assert read(PATTERN).source == read({**PATTERN, "source": "captured"}).source == "captured"
    assert read({**PATTERN, "source": "simulated"}).source == "simulated"
    assert (3, "source") in faults({**PATTERN, "source": "drawn"})
    assert (4, "source") in faults(PATTERN, {**PATTERN, "source": "simulated"})


def test_captures_of_the_label_itself_are_called_enrolled() -> None:
    found = read(PATTERN, {**PATTERN, "attack": "enrolled"})
    assert {capture.attack for capture in found.captures} == {"genuine"}
    assert "genuine" not in write_manifest([PATTERN])


def test_a_condition_is_of_captures_of_the_label_itself() -> None:
    assert read({**PATTERN, "condition": "torch off"}).captures[0].condition == "torch off"
    assert (3, "condition") in faults({**PATTERN, "attack": "office_copy", "condition": "torch off"})


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "..", "a/../../b", "C:/x.jpg", "a\\b.jpg", "a/..\\b"], ids=lambda name: name
)
def test_files_lie_in_the_folder_of_the_manifest(name: str) -> None:
    assert (3, "files") in faults({**PATTERN, "files": name})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"split,track\ntest,A\n",
        b"# suyuan-label-manifest 2\nsplit\n",
        f"{MANIFEST_MARK}\n{','.join(COLUMNS)}\n".encode(),
        f"{MANIFEST_MARK}\nsplit,track\ntest,A\n".encode(),
        f"{MANIFEST_MARK}\n{','.join(COLUMNS)},colour\n".encode(),
        f"{MANIFEST_MARK}\n{','.join(COLUMNS)},split\n".encode(),
        f'{MANIFEST_MARK}\n{",".join(COLUMNS)}\n"open'.encode(),
        "溯源".encode("gb18030"),
    ],
)
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(FaultyManifestError):
        read_manifest(data)


def test_a_comma_that_was_not_quoted_is_told() -> None:
    text = write_manifest([PATTERN]).rstrip("\n") + ",more,still more\n"
    with pytest.raises(FaultyManifestError, match="more cells"):
        read_manifest(text.encode())


def test_it_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ROWS", 2)
    with pytest.raises(TooLargeError):
        read(*[{**PATTERN, "files": f"{number}.jpg"} for number in range(3)])
    monkeypatch.setattr(module, "MAX_BYTES", 10)
    with pytest.raises(TooLargeError):
        read(PATTERN)


def test_a_thousand_faults_make_a_readable_reason() -> None:
    with pytest.raises(FaultyManifestError) as caught:
        read(*[{**PATTERN, "split": "x"} for _ in range(1000)])
    assert len(caught.value.faults) == 1000
    assert "and 800 more" in caught.value.reason


@settings(max_examples=80, deadline=None)
@given(cells=st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=12), max_size=8))
def test_any_row_is_read_or_refused(cells: dict[str, str]) -> None:
    try:
        text = write_manifest([{**PATTERN, **cells}])
        read_manifest(text.encode("utf-8", "surrogatepass"))
    except FaultyManifestError as error:
        assert error.faults
