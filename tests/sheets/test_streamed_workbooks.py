"""Workbooks of many cells: read row by row, they say what they say when they are held."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from datetime import date, datetime, time, timedelta

import pytest
from openpyxl import Workbook

from suyuan import sheets
from suyuan.errors import SuyuanError
from suyuan.sheets import workbook
from suyuan.sheets.archive import check_archive
from suyuan.sheets.template_files import write_template
from suyuan.sheets.templates import templates
from suyuan.sheets.workbook import read_grids, streamed_grids

CODE = "https://id.gs1.org/01/08710000001236/21/S"


def saved(*rows: list[object], name: str = "S") -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(name)
    for row in rows:
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


VALUES = [
    ["text", " padded ", "", None, "0087", "王测试"],
    [],
    [1, 1.0, 1.5, -2, 1e20, 87100000000000123, True, False],
    [datetime(2025, 8, 13, 11, 30), date(2025, 8, 13), time(11, 30), timedelta(hours=30)],  # noqa: DTZ001
    [None, None, "far"],
]


def cells(grids) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    return [(g.name, [(c.path, c.text, c.numeric) for row in g.rows for c in row if c]) for g in grids]


def test_both_ways_give_the_same_cells():
    data = saved(*VALUES)
    held, streamed = cells(read_grids(data)), cells(streamed_grids(data))
    assert streamed == held
    assert len(held[0][1]) == 17
    assert cells(streamed_grids(data)) == streamed


@pytest.mark.parametrize("template", templates().values(), ids=lambda template: template.name)
def test_both_ways_give_the_same_reading(template, monkeypatch):
    data = write_template(template, "ja", rows=template.rows)
    if template.reads not in sheets.KINDS:
        assert cells(streamed_grids(data)) == cells(read_grids(data))
        return
    held = sheets.read(data)
    monkeypatch.setattr(workbook, "HELD_CELLS", 0)
    monkeypatch.setattr(workbook, "CalamineWorkbook", None)
    assert sheets.read(data) == held


def test_faults_of_a_streamed_workbook_are_in_their_cells(monkeypatch):
    monkeypatch.setattr(workbook, "HELD_CELLS", 0)
    data = saved(["Pallet", "Case", "Date", "Time zone"], ["087100000000000124", CODE, "soon", "+08:00"])
    with pytest.raises(sheets.FaultySheetError) as caught:
        sheets.read(data)
    assert {fault.path for fault in caught.value.faults} == {"S!A2", "S!C2"}


def test_a_row_that_was_read_is_let_go():
    def peak(read, count: int) -> int:
        data = saved(*([f"{CODE}{n}", n, "x" * 20] for n in range(count)))
        tracemalloc.start()
        seen = sum(1 for grid in read(data) for row in grid.rows if row[0])
        grown = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert seen == count
        return grown

    # What is left of a row is an emptied element of the library's.
    streamed, held = (peak(read, 5000) - peak(read, 500) for read in (streamed_grids, read_grids))
    assert streamed < 4500 * 350 < held / 2


def rezipped(data: bytes, part: str, change) -> bytes:
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return result.getvalue()


def test_entities_are_refused_before_anything_reads_them():
    data = rezipped(
        saved(["a"]), "xl/worksheets/sheet1.xml",
        lambda xml: b'<!DOCTYPE x [<!ENTITY a "b">]>' + xml.removeprefix(b'<?xml version="1.0"?>'),
    )  # fmt: skip
    with pytest.raises(SuyuanError) as caught:
        sheets.read(data)
    assert caught.value.code == "sheet.workbook.unreadable"


def test_a_broken_sheet_is_refused_also_when_it_is_streamed(monkeypatch):
    monkeypatch.setattr(workbook, "HELD_CELLS", 0)
    whole = saved(["Pallet", "Case", "Date"], *([str(n), "x", "y"] for n in range(50)))
    for part, change in (
        ("xl/worksheets/sheet1.xml", lambda xml: xml[: len(xml) // 2]),
        ("xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'r="A9"', b'r="9A"')),
        ("xl/workbook.xml", lambda xml: b"<workbook/>"),
        ("xl/styles.xml", lambda xml: b"<"),
    ):
        with pytest.raises(SuyuanError) as caught:
            sheets.read(rezipped(whole, part, change))
        assert caught.value.code.startswith("sheet.")


def test_cells_are_counted_over_the_edges_of_blocks(monkeypatch):
    data = saved(*([f"{CODE}{n}", n, "x", None, "y"] for n in range(800)))
    whole = check_archive(data)
    assert whole == 800 * 4
    for size in (71, 1000, 4096):
        monkeypatch.setattr("suyuan.sheets.archive._CHUNK", size)
        assert check_archive(data) == whole
