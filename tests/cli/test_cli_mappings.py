"""``suyuan mapping``, and the commands that read scans by what it stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "mappings"


@pytest.fixture
def told(suyuan: Any) -> Any:
    """The command line with a party that delivers scans."""
    suyuan.good(
        "party", "add", "sanhe", "--name-en", "Sanhe", "--name-zh", "三禾", "--role", "bonded-warehouse"
    )
    return suyuan


def test_stored_once_and_then_found(told: Any, tmp_path: Path) -> None:
    put = told.good("mapping", "put", EXAMPLES / "flat.toml", "--party", "sanhe", "--json").json
    assert (put["name"], put["version"], put["withdrawn"]) == ("flat", 1, False)
    told.good("mapping", "put", EXAMPLES / "lines.toml", "--party", "sanhe", "--name", "express-two")
    listed = told.good("mapping", "list", "--party", "sanhe", "--json").json
    assert [one["name"] for one in listed] == ["express-two", "flat"]
    shown = told.good("mapping", "show", "flat", "--party", "sanhe").out
    assert shown.strip() == (EXAMPLES / "flat.toml").read_text("utf-8").strip()

    checked = told.good("check", EXAMPLES / "flat.csv", "--party", "sanhe", "--json").json
    assert list(checked["files"].values()) == ["scan/courier"]
    assert [one["code"] for one in checked["findings"]] == ["sheet.mapping.stored"]
    assert "映射" in checked["findings"][0]["reason_zh"]

    taken = told.good(
        "capture", EXAMPLES / "flat.csv", EXAMPLES / "lines.jsonl", "--party", "sanhe", "--json"
    ).json
    assert [(one["kind"], one["new_events"]) for one in taken] == [("scan/courier", 4), ("scan/courier", 3)]

    told.good("mapping", "withdraw", "flat", "--party", "sanhe")
    copy = tmp_path / "later.csv"
    copy.write_bytes((EXAMPLES / "flat.csv").read_bytes())
    refused = told("--lang", "zh", "capture", copy, "--party", "sanhe")
    assert refused.code == 2
    assert "sheet.mapping.none" in refused.err
    assert "映射" in refused.err


def test_a_named_one_reads_what_several_fit(told: Any, tmp_path: Path) -> None:
    told.good("mapping", "put", EXAMPLES / "flat.toml", "--party", "sanhe")
    other = tmp_path / "other.toml"
    other.write_text((EXAMPLES / "flat.toml").read_text("utf-8").replace("440196X001", "310196Z044"))
    told.good("mapping", "put", other, "--party", "sanhe")
    checked = told("check", EXAMPLES / "flat.csv", "--party", "sanhe", "--json")
    assert checked.code == 2
    assert [one["code"] for one in checked.json["findings"]] == ["sheet.mapping.ambiguous"]
    told.good("check", EXAMPLES / "flat.csv", "--party", "sanhe", "--mapping", "other")
    told.good("capture", EXAMPLES / "flat.csv", "--party", "sanhe", "--mapping", "other")


def test_a_check_needs_no_deployment_where_the_mapping_is_given(told: Any, tmp_path: Path) -> None:
    said = told.good(
        "check",
        EXAMPLES / "nested.json",
        "--mapping",
        EXAMPLES / "nested.toml",
        "--data-dir",
        tmp_path,
        "--json",
    ).json
    assert (said["errors"], list(said["files"].values())) == (0, ["scan/courier"])
    broken = tmp_path / "broken.json"
    broken.write_bytes((EXAMPLES / "nested.json").read_bytes().replace(b'"at": "', b'"at": "x', 1))
    said = told("check", broken, "--mapping", EXAMPLES / "nested.toml", "--json")
    assert said.code == 2
    assert [one["code"] for one in said.json["findings"]] == ["sheet.cell.time"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--mapping", "flat"), "cli.mapping.party"),
        (("--mapping", "No such file"), "cli.mapping"),
        (("--mapping", "flat", "--party", "sanhe"), "mapping.unknown"),
        (("--party", "nobody"), "party.unknown"),
    ],
)
def test_what_is_not_there_is_named(told: Any, options: tuple[str, ...], code: str) -> None:
    said = told("check", EXAMPLES / "flat.csv", *options, "--json")
    assert said.code in (2, 4)
    assert json.loads(said.err)["code"] == code


def test_a_watched_folder_reads_scans_by_it(told: Any, tmp_path: Path) -> None:
    told.good("mapping", "put", EXAMPLES / "flat.toml", "--party", "sanhe")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.csv").write_bytes((EXAMPLES / "flat.csv").read_bytes())
    rows = (EXAMPLES / "flat.csv").read_text("utf-8").splitlines()
    column = rows[0].split(",").index("操作时刻")
    cells = rows[1].split(",")
    cells[column] = "soon"
    (folder / "bad.csv").write_text("\n".join([rows[0], ",".join(cells), *rows[2:]]) + "\n", "utf-8")
    said = told("watch", folder, "--party", "sanhe", "--once", "--settle", "0")
    assert said.code == 2
    assert len(list((folder / "done").rglob("good.csv"))) == 1
    [reason] = (folder / "refused").rglob("*.reason.json")
    found = json.loads(reason.read_text("utf-8"))
    assert found["code"] == "sheet.cell.time"
    assert {one["code"] for one in found["findings"]} == {"sheet.cell.time"}
