"""Workbooks: what is read from them, and what is refused before it is unpacked."""

from __future__ import annotations

import io
import os
import zipfile
from datetime import datetime

import pytest
from openpyxl import Workbook, load_workbook

from suyuan import sheets
from suyuan.errors import SuyuanError, TooLargeError
from suyuan.sheets.catalogue_tables import workbook_as_csv
from suyuan.sheets.formulas import uncomputed

CASE = "https://id.gs1.org/01/18710000001233/21/A1"


def workbook_bytes(*tables, titles=("Sheet1", "Sheet2", "Sheet3")) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for title, table in zip(titles, tables, strict=False):
        sheet = book.create_sheet(title)
        for row in table:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def packing(*rows):
    return [["Time zone", "+02:00"], ["Pallet", "Case", "Date"], *rows]


GOOD = ["087100000000000123", CASE, datetime(2025, 8, 13, 11, 30)]  # noqa: DTZ001 - Excel knows no zones


def refusal(data: bytes) -> SuyuanError:
    with pytest.raises(SuyuanError) as caught:
        sheets.read(data)
    return caught.value


def rezip(data: bytes, change) -> bytes:
    """The workbook with ``change(name, content)`` applied to each part."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return result.getvalue()


def test_typed_cells_and_their_places():
    data = workbook_bytes(packing(GOOD))
    assert sheets.recognise(data)
    reading = sheets.read(data)
    assert reading.kind == "sheet/packing-list"
    assert (reading.events[0].path, reading.encrypt_whole) == ("Sheet1!3", False)
    assert reading.events[0].event.event_time.isoformat() == "2025-08-13T09:30:00+00:00"


@pytest.mark.parametrize(
    ("row", "code", "path"),
    [
        ([87100000000000123, CASE, GOOD[2]], "sheet.cell.rounded", "Sheet1!A3"),
        ([GOOD[0], 8710000001236.5, GOOD[2]], "sheet.cell.identifier", "Sheet1!B3"),
        ([GOOD[0], CASE, "soon"], "sheet.cell.time", "Sheet1!C3"),
        ([GOOD[0], CASE, None], "sheet.cell.missing", "Sheet1!C3"),
    ],
)
def test_a_bad_cell_is_named_with_its_sheet(row, code, path):
    error = refusal(workbook_bytes(packing(row)))
    assert (error.code, error.path) == (code, path)


def test_a_gtin_stored_as_a_number_gets_its_zeros_back():
    rows = [
        ["Pallet", "Lot", "GTIN", "Qty", "Date"],
        ["087100000000000123", "L1", 8710000001236, 720, "2025-08-13T11:30Z"],
    ]
    event = sheets.read(workbook_bytes(rows)).events[0].event
    assert event.child_quantity_list[0].epc_class == "https://id.gs1.org/01/08710000001236/10/L1"


def test_personal_data_in_a_workbook_asks_to_be_encrypted_whole():
    rows = [
        ["运单号", "快递公司代码", "时间", "时区", "状态", "签收人"],
        ["SF1399000000017", "440196X001", "2025-10-11 11:32", "+08:00", "签收", "测试"],
    ]
    reading = sheets.read(workbook_bytes(rows))
    assert reading.encrypt_whole
    assert {(p.path, p.category, p.end) for p in reading.personal} == {
        ("Sheet1!A2", "waybill_no", 0),
        ("Sheet1!F2", "name", 0),
    }


def test_several_sheets_of_one_kind_are_one_reading_and_other_sheets_are_named():
    other = [*GOOD]
    other[0], other[1] = "087100000000000130", CASE + "2"
    reading = sheets.read(workbook_bytes(packing(GOOD), packing(other)))
    assert [d.path for d in reading.events] == ["Sheet1!3", "Sheet2!3"]
    reading = sheets.read(workbook_bytes(packing(GOOD), [["notes"], ["call the driver"]]))
    assert [(w.code, w.path) for w in reading.warnings] == [("sheet.ignored", "Sheet2")]
    mixed = [["waybill", "carrier", "time", "status"], ["X1", "C1", "2025-10-11T11:32Z", "signed"]]
    assert refusal(workbook_bytes(packing(GOOD), mixed)).code == "sheet.kinds.mixed"


def hiding(data: bytes, *names: str) -> bytes:
    book, buffer = load_workbook(io.BytesIO(data)), io.BytesIO()
    for name in names:
        book[name].sheet_state = "hidden"
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("held", [True, False])
def test_what_nobody_sees_is_not_taken_in(held: bool, monkeypatch: pytest.MonkeyPatch):
    if not held:
        monkeypatch.setattr("suyuan.sheets.workbook.HELD_CELLS", 0)
    old = [*GOOD]
    old[0] = "087100000000000130"
    data = workbook_bytes(packing(GOOD), packing(old), [["notes"], ["a list"]])
    reading = sheets.read(hiding(data, "Sheet2", "Sheet3"))
    assert [d.path for d in reading.events] == ["Sheet1!3"]
    assert [(w.code, w.path) for w in reading.warnings] == [("sheet.hidden", "Sheet2")]
    error = refusal(hiding(data, "Sheet1", "Sheet2"))
    assert (error.code, error.path) == ("sheet.hidden", "Sheet1")


def test_a_code_of_which_the_spreadsheet_made_a_date_is_refused():
    rows = [
        ["Pallet", "Lot", "GTIN", "Qty", "Date"],
        ["087100000000000123", datetime(2026, 5, 1), "08710000001236", 720, "2025-08-13T11:30Z"],  # noqa: DTZ001
    ]
    error = refusal(workbook_bytes(rows))
    assert (error.code, error.path) == ("sheet.cell.dated", "Sheet1!B2")
    rows[1][1] = "2026-05-01"
    event = sheets.read(workbook_bytes(rows)).events[0].event
    assert event.child_quantity_list[0].epc_class.endswith("/10/2026-05-01")


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1,000", "1000"), ("12,345,678", "12345678"), ("1,000.5", "1000.5"), ("1,5", None), ("1,00", None),
     ("1234,567", None), ("0,5", None), (",5", None), ("1,000,5", None)],
)  # fmt: skip
def test_a_comma_that_may_be_a_decimal_sign_is_not_dropped(text: str, amount: str | None):
    rows = [
        ["Pallet", "Lot", "GTIN", "Qty", "Date"],
        ["087100000000000123", "L1", "08710000001236", text, "2025-08-13T11:30Z"],
    ]
    if amount is None:
        error = refusal(workbook_bytes(rows))
        assert (error.code, error.path) == ("sheet.cell.comma", "Sheet1!D2")
    else:
        event = sheets.read(workbook_bytes(rows)).events[0].event
        assert event.child_quantity_list[0].quantity == amount


def test_an_unknown_column_is_named():
    data = workbook_bytes([["Pallet", "Case", "Date", "Colour"], [*GOOD[:2], "2025-08-13T11:30Z", "red"]])
    assert [(w.code, w.path) for w in sheets.read(data).warnings] == [("sheet.column.unknown", "Sheet1!D1")]


def test_a_zip_bomb_is_refused_by_its_directory():
    bomb = rezip(
        workbook_bytes(packing(GOOD)),
        lambda name, content: b" " * 30_000_000 if name == "xl/theme/theme1.xml" else content,
    )
    assert len(bomb) < 200_000
    error = refusal(bomb)
    assert isinstance(error, TooLargeError)
    assert error.code == "sheet.workbook.bomb"
    many = io.BytesIO(workbook_bytes(packing(GOOD)))
    with zipfile.ZipFile(many, "a") as archive:
        for number in range(1_001):
            archive.writestr(f"xl/media/{number}", b"")
    assert refusal(many.getvalue()).code == "sheet.workbook.bomb"


def test_a_cell_in_the_last_corner_is_refused_before_memory_is_asked_for():
    far = rezip(
        workbook_bytes(packing(GOOD)), lambda _, content: content.replace(b'r="C3"', b'r="XFD1048576"')
    )
    assert refusal(far).code == "sheet.too_large"


def test_one_long_text_in_very_many_cells_is_refused():
    def change(name, content):
        if name.endswith("sheet1.xml"):
            row = b'<row spans="%s">' + b'<c t="s"><v>0</v></c>' * 20 + b"</row>"
            rows = b"".join(row % os.urandom(8).hex().encode() for _ in range(2_000))
            return content.replace(b"</sheetData>", rows + b"</sheetData>")
        return content

    data = io.BytesIO(rezip(workbook_bytes(packing(GOOD)), change))
    with zipfile.ZipFile(data, "a") as archive:
        archive.writestr("xl/texts.xml", b"<sst><si><t>%s</t></si></sst>" % os.urandom(15_000).hex().encode())
    assert refusal(data.getvalue()).code == "sheet.too_large"


def test_a_directory_that_lies_about_sizes_is_refused():
    data = workbook_bytes(packing(GOOD))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    lying = data.replace(size.to_bytes(4, "little"), (size - 40).to_bytes(4, "little"))
    assert lying != data
    assert refusal(lying).code == "sheet.workbook.unreadable"


def test_macros_and_external_links_are_not_looked_at():
    data = io.BytesIO(workbook_bytes(packing(GOOD)))
    with zipfile.ZipFile(data, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0 not really a macro")
        archive.writestr("xl/externalLinks/externalLink1.xml", b"<externalLink/>")
    assert len(sheets.read(data.getvalue()).events) == 1


@pytest.mark.parametrize("cut", [30, 200, -30])
def test_truncated_workbooks(cut):
    assert refusal(workbook_bytes(packing(GOOD))[:cut]).code == "sheet.workbook.unreadable"


def test_no_header_and_no_rows():
    assert refusal(workbook_bytes([["hello"], ["world"]])).code == "sheet.header.unknown"
    assert refusal(workbook_bytes(packing())).code == "sheet.no_rows"
    other_zip = io.BytesIO()
    with zipfile.ZipFile(other_zip, "w") as archive:
        archive.writestr("readme.txt", b"no workbook")
    assert not sheets.recognise(other_zip.getvalue())
    assert refusal(other_zip.getvalue()).code == "sheet.workbook.unreadable"


def formula_book(*cells: tuple[str, str], rows=(GOOD,)) -> bytes:
    """The packing list with formulas as a program writes them: no spreadsheet has worked them out."""
    book = load_workbook(io.BytesIO(workbook_bytes(packing(*rows))))
    for place, formula in cells:
        book.active[place] = formula
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "cells",
    [
        (("D2", "Lot"), ("D3", '="L"&"1"')),  # an optional column
        (("C3", "=NOW()"),),
        (("A4", "=A3"), ("C4", "=C3")),  # a row of formulas alone, behind what has values
        (("B1", '="+02:00"'),),  # above the table
        (("D2", '="L"&"ot"'), ("D3", "L1")),  # a header
    ],
)
def test_a_formula_without_a_value_is_refused(cells):
    data = formula_book(*cells)
    wanted = {f"Sheet1!{place}" for place, text in cells if text.startswith("=")}
    for held in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            if not held:
                patch.setattr("suyuan.sheets.workbook.HELD_CELLS", 0)
            error = refusal(data)
        assert error.code == "sheet.cell.formula"
        assert "Excel or WPS" in error.remedy
        faults = getattr(error, "faults", (error,))
        formulas = {one.path for one in faults if one.code == "sheet.cell.formula"}
        assert formulas == wanted
        assert {one.code for one in faults} == {
            "sheet.cell.formula"
        }  # and nothing of what lacks because of it


def test_a_formula_without_a_value_in_a_column_that_nobody_knows_is_nothing():
    reading = sheets.read(formula_book(("F3", "=1+1"), ("F9", "=2")))
    assert len(reading.events) == 1


def test_a_formula_counts_by_its_stored_value_and_an_empty_text_is_one():
    def computed(name, content):
        if name != "xl/worksheets/sheet1.xml":
            return content
        assert content.count(b"<v />") + content.count(b"<v></v>") + content.count(b"<v/>") == 2
        cells = content.replace(b"<v></v>", b"<v />").replace(b"<v/>", b"<v />").split(b"<v />")
        first, last = cells[0], cells[1]
        first = first.replace(b'<c r="D3"', b'<c t="str" r="D3"')
        last = last.replace(b'<c r="E3"', b'<c t="str" r="E3"')
        return first + b"<v>L1</v>" + last + b"<v></v>" + cells[2]

    data = formula_book(("D2", "Lot"), ("D3", '="L1"'), ("E2", "Remark"), ("E3", '=""'))
    assert refusal(data).code == "sheet.cell.formula"
    assert sheets.read(rezip(data, computed)).kind == "sheet/packing-list"


def test_a_formula_across_two_blocks_is_found():
    filler = b"<!--" + b"x" * (256 * 1024 - 700) + b"-->"

    def pushed(name, content):
        return content.replace(b"<sheetData>", filler + b"<sheetData>") if "sheet1" in name else content

    data = rezip(formula_book(("D2", "Lot"), ("D3", '="L1"')), pushed)
    assert {name: places.columns(3) for name, places in uncomputed(data).items()} == {
        "xl/worksheets/sheet1.xml": [4]
    }


def test_a_catalogue_table_with_such_a_formula_is_refused():
    with pytest.raises(SuyuanError) as caught:
        workbook_as_csv(formula_book(("D3", "=1")))
    assert (caught.value.code, caught.value.path) == ("sheet.cell.formula", "Sheet1!D3")
