"""A sheet is refused whole, with every fault in it, each in its cell."""

from __future__ import annotations

import pytest

from suyuan import sheets
from suyuan.sheets.choices import LANGUAGES
from suyuan.sheets.faults import MAX_FAULTS, FaultySheetError
from suyuan.sheets.template_files import write_template
from suyuan.sheets.templates import templates


def faults(data: bytes) -> list[tuple[str, str]]:
    with pytest.raises(FaultySheetError) as caught:
        sheets.read(data)
    first = caught.value.faults[0]
    assert (caught.value.code, caught.value.path) == (first.code, first.path)
    assert all(one.reason and one.path for one in caught.value.faults)
    return [(one.path, one.code.removeprefix("sheet.cell.")) for one in caught.value.faults]


HEADER = "Tally number,Date and time,Time zone,Place,Container number,GTIN,Lot number,Quantity received\n"
GOOD = "T1,2025-09-26 14:00,+08:00,CNNSA,COSU9876546,8710000001236,L1,7\n"


def test_all_faults_of_all_rows_each_in_its_cell():
    data = (
        HEADER
        + GOOD
        + "T1,soon,+08:00,CNNSA,COSU9876547,8710000001237,L1,-3\n"
        + GOOD
        + "T1,2025-09-26 14:00,+99:00,Moon,COSU9876546,8710000001236,,many\n"
    ).encode()
    assert sorted(faults(data)) == [
        ("B3", "time"),
        ("C5", "zone"),
        ("D5", "place"),
        ("E3", "check_digit"),
        ("F3", "check_digit"),
        ("G5", "missing"),
        ("H3", "quantity"),
        ("H5", "quantity"),
    ]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_faults_in_a_filled_template_of_any_language(language, form):
    template = templates()["events"]
    letters = {column.field: chr(65 + x) for x, column in enumerate(template.columns)}
    good = template.rows[1]
    rows = (
        good,
        {**good, "gtin": "08710000001237", "step": "dancing"},
        good,
        {**good, "time": "", "quantity": "a lot"},
    )
    sheet = f"{template.title(language)}!" if form == "xlsx" else ""
    assert set(faults(write_template(template, language, form, rows=rows))) == {
        (f"{sheet}{letters['step']}3", "step"),
        (f"{sheet}{letters['gtin']}3", "check_digit"),
        (f"{sheet}{letters['time']}5", "missing"),
        (f"{sheet}{letters['quantity']}5", "quantity"),
    }


def test_the_number_of_faults_is_bounded_and_said():
    row = "T1,soon,+08:00,CNNSA,COSU9876546,8710000001236,L1,7\n"
    with pytest.raises(FaultySheetError) as caught:
        sheets.read((HEADER + row * 5000).encode())
    assert len(caught.value.faults) == MAX_FAULTS
    assert f"At least {MAX_FAULTS - 1} more faults were found: B3, B4" in caught.value.reason
    with pytest.raises(FaultySheetError) as caught:
        sheets.read((HEADER + row).encode())
    assert len(caught.value.faults) == 1
    assert "more" not in caught.value.reason


def test_a_fault_above_the_table_is_told_once():
    data = b"Time zone,Mars\nPallet,Case,Date\n" + (
        b"087100000000000123,https://id.gs1.org/01/18710000001233/21/A1,2025-08-13 11:30\n" * 3
    )
    assert faults(data) == [("B1", "zone")]


def test_no_fault_repeats_a_value():
    data = (HEADER + "T1,王测试,+08:00,王测试,王测试,王测试,王 测试,王测试\n").encode()
    with pytest.raises(FaultySheetError) as caught:
        sheets.read(data)
    assert len(caught.value.faults) >= 5
    assert "王测试" not in repr(caught.value.faults) + str(caught.value)
