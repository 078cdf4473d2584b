"""Filling the templates: what each placeholder stands for, and what is refused."""

from __future__ import annotations

import io
import json
import shutil
import time
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from suyuan.cli.journey import expand, load_journey, load_manifest
from suyuan.errors import InputError, NotFoundError

BONDED = Path(__file__).parents[2] / "examples" / "bonded"
SERIALS = [f"S{number:019d}" for number in range(1, 43_201)]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "papers").mkdir()
    text = (BONDED / "journey.toml").read_text("utf-8").replace("count = 43200", "count = 12")
    (tmp_path / "journey.toml").write_text(text, "utf-8")
    return tmp_path


def filled(folder, name, content, host="https://trace.example/"):
    path = folder / "papers" / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content, "utf-8")
    (folder / "manifest.csv").write_text(f"step,paper,delivering_party,door\n1,{name},me,epcis\n", "utf-8")
    return expand(load_manifest(folder)[0], SERIALS[:12], host)


def test_single_placeholders(folder):
    text = filled(
        folder, "a.csv", "{{item 2}} {{serial 2}} {{link 2}} {{case 12}} {{sscc 1}} {{ sscc 2 }}"
    ).decode()
    serial = SERIALS[1]
    assert text.split() == [
        f"https://id.gs1.org/01/08710000001236/21/{serial}",
        serial,
        f"https://trace.example/01/08710000001236/21/{serial}",
        "https://id.gs1.org/01/18710000001233/21/C25216A0012",
        "https://id.gs1.org/00/087100000000000123",
        "https://id.gs1.org/00/087100000000000130",
    ]


def test_ranges_repeat_what_stands_around_them(folder):
    assert json.loads(filled(folder, "a.json", '{"x": ["{{serial 1..3}}"], "y": "{{serial 4}}"}')) == {
        "x": SERIALS[:3],
        "y": SERIALS[3],
    }
    xml = filled(folder, "a.xml", "<l><epc>{{serial 1..2}}</epc></l>").decode()
    assert xml == f"<l><epc>{SERIALS[0]}</epc><epc>{SERIALS[1]}</epc></l>"
    assert filled(folder, "a.csv", "x,{{serial 1..2}}").decode() == f"x,{SERIALS[0]} {SERIALS[1]}"


def test_blocks_repeat_with_an_index(folder):
    found = json.loads(
        filled(
            folder,
            "a.json",
            '[{{each n 1..4}}{"p": "{{case n}}", "c": ["{{serial 3n-2..3n}}"], "g": "{{sscc n/2}}",'
            ' "t": "{{at 2025-08-12T23:59:58 4 n}}"}{{end}}]',
        )
    )
    assert [each["c"] for each in found] == [SERIALS[i : i + 3] for i in (0, 3, 6, 9)]
    assert [each["g"][-1] for each in found] == ["3", "3", "0", "0"]
    assert found[1]["t"] == "2025-08-13T00:00:02"
    assert filled(folder, "a.csv", "h\n{{each n 1..2}}{{serial n}}\n{{end}}").decode() == (
        f"h\n{SERIALS[0]}\n{SERIALS[1]}\n"
    )


def test_rows_of_a_workbook_repeat(folder):
    book = Workbook()
    book.active.append(["head", 1.5])
    book.active.append(["{{each n 1..3}}{{serial n}}", "{{serial 1..2}}", 7])
    buffer = io.BytesIO()
    book.save(buffer)
    data = filled(folder, "a.xlsx", buffer.getvalue())
    rows = list(load_workbook(io.BytesIO(data)).active.iter_rows(values_only=True))
    assert rows[0] == ("head", 1.5, None)
    assert rows[1:] == [(serial, f"{SERIALS[0]} {SERIALS[1]}", 7) for serial in SERIALS[:3]]


@pytest.mark.parametrize(
    "text",
    ["{{serial 13}}", "{{serial 0}}", "{{thing 1}}", "{{serial}}", "{{serial x}}", "{{each n 1..2}}", "{{end}}",
     "{{serial 1..}}", '"{{serial 1..2}}', "{{at never 4 1}}", "{{}}"],
)  # fmt: skip
def test_a_placeholder_that_cannot_be_filled_is_refused(folder, text):
    with pytest.raises(InputError) as caught:
        filled(folder, "a.json", text)
    assert caught.value.code == "journey.placeholder"


def test_a_wrong_batch_a_missing_paper_and_a_broken_manifest(folder):
    filled(folder, "a.json", "{}")
    paper = load_manifest(folder)[0]
    with pytest.raises(InputError, match="12"):
        expand(paper, SERIALS[:11], "https://x")
    paper.path.unlink()
    assert load_manifest(folder)[0].missing
    with pytest.raises(NotFoundError) as caught:
        expand(paper, SERIALS[:12], "https://x")
    assert caught.value.code == "journey.paper.missing"
    (folder / "manifest.csv").write_text("step,paper,delivering_party,door\n1,a.json,me,window\n", "utf-8")
    with pytest.raises(InputError) as wrong:
        load_manifest(folder)
    assert wrong.value.path.endswith("manifest.csv:2")
    (folder / "journey.toml").write_text("name = 1", "utf-8")
    with pytest.raises(InputError):
        load_journey(folder)
    shutil.rmtree(folder)
    with pytest.raises(NotFoundError):
        load_manifest(folder)


def test_the_whole_journey_is_filled_in_two_seconds_and_always_alike():
    papers = load_manifest(BONDED)
    start = time.perf_counter()
    first = [expand(paper, SERIALS, "https://trace.example") for paper in papers]
    assert time.perf_counter() - start < 2
    assert first == [expand(paper, SERIALS, "https://trace.example") for paper in papers]
    for paper, data in zip(papers, first, strict=True):
        assert paper.path.suffix == ".xlsx" or b"{{" not in data
