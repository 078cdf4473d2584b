"""A template as a workbook: its table, its guide, lists to choose from and checks of what is typed.

Apart from the other forms of a template: the library that writes workbooks takes ten megabytes in a process, and only
who asks for one needs it.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from typing import Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from suyuan.sheets.choices import words_of
from suyuan.sheets.templates import Template, word

_LAST_ROW: Final = 5000
_ZONES: Final = (
    "+08:00", "+09:00", "+00:00", "+01:00", "+02:00", "+03:00", "+05:30", "+07:00", "+10:00", "+11:00", "+12:00",
    "+13:00", "-03:00", "-04:00", "-05:00", "-06:00", "-07:00", "-08:00",
)  # fmt: skip
_MUST: Final = PatternFill("solid", fgColor="1F4E5F")
_MAY: Final = PatternFill("solid", fgColor="7A8B92")
_EITHER: Final = PatternFill("solid", fgColor="3E7C8C")
_FILLS: Final = {"must": _MUST, "may": _MAY, "either": _EITHER}
_WHITE: Final = Font(bold=True, color="FFFFFF")
_CLOCK: Final = b"2025-01-01T00:00:00Z"
_EPOCH: Final = (2025, 1, 1, 0, 0, 0)


def workbook(
    template: Template, language: str, table: Sequence[Sequence[str]], guide: Sequence[Sequence[str]]
) -> bytes:
    """The workbook of a template with this table and this guide. The same words always give the same bytes."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = template.title(language)[:31]
    _fill_table(sheet, template, language, table)
    _fill_guide(book.create_sheet(word("words", "guide", language)), guide)
    _add_lists(book, sheet, template, language)
    buffer = io.BytesIO()
    book.save(buffer)
    return _without_clock(buffer.getvalue())


def _fill_table(sheet: Worksheet, template: Template, language: str, table: Sequence[Sequence[str]]) -> None:
    for number, column in enumerate(template.columns, start=1):
        dimension = sheet.column_dimensions[get_column_letter(number)]
        label = column.label(language)
        dimension.width = max(14, min(40, 2 * len(label) + 2 if not label.isascii() else len(label) + 4))
        dimension.number_format = "@"
    for y, values in enumerate(table, start=1):
        for x, value in enumerate(values, start=1):
            if value:
                cell = sheet.cell(row=y, column=x, value=value)
                cell.number_format = "@"
                cell.data_type = "s"
    for number, column in enumerate(template.columns, start=1):
        head = sheet.cell(row=1, column=number)
        head.fill, head.font = _FILLS[column.need], _WHITE
        head.alignment = Alignment(vertical="center", wrap_text=True)
    sheet.row_dimensions[1].height = 30
    sheet.freeze_panes = "A2"


def _fill_guide(sheet: Worksheet, rows: Sequence[Sequence[str]]) -> None:
    head = next(number for number, row in enumerate(rows, start=1) if len(row) > 1)
    for y, values in enumerate(rows, start=1):
        for x, value in enumerate(values, start=1):
            cell = sheet.cell(row=y, column=x, value=value)
            cell.number_format, cell.data_type = "@", "s"
            cell.alignment = Alignment(vertical="top", wrap_text=y >= head)
            if y == head:
                cell.fill, cell.font = _MUST, _WHITE
    sheet["A1"].font = Font(bold=True, size=14)
    for letter, width in zip("ABCDE", (26, 50, 44, 34, 26), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = f"A{head + 1}"


def _add_lists(book: Workbook, sheet: Worksheet, template: Template, language: str) -> None:
    lists = book.create_sheet(word("words", "lists", language))
    used = 0
    for number, column in enumerate(template.columns, start=1):
        offered = _ZONES if column.form == "zone" else tuple(
            dict.fromkeys(words_of(column.choice, language).values()) if column.choice else ()
        )  # fmt: skip
        if not offered:
            continue
        used += 1
        letter = get_column_letter(used)
        lists.column_dimensions[letter].width = 26
        for y, value in enumerate((column.label(language), *offered), start=1):
            cell = lists.cell(row=y, column=used, value=value)
            cell.number_format, cell.data_type = "@", "s"
        lists.cell(row=1, column=used).font = Font(bold=True)
        # A zone that is not listed may be right (+05:45), and then is only asked about.
        check = DataValidation(
            type="list",
            formula1=f"'{lists.title}'!${letter}$2:${letter}${len(offered) + 1}",
            allow_blank=True,
            errorStyle="warning" if column.form == "zone" else "stop",
            showErrorMessage=True,
            showInputMessage=True,
        )
        check.error = word("words", "chosen", language)
        check.promptTitle = column.label(language)[:32]
        check.prompt = column.meaning(language)[:255]
        place = get_column_letter(number)
        check.add(f"{place}2:{place}{_LAST_ROW}")
        sheet.add_data_validation(check)
    _demand_zone(sheet, template, language)


def _demand_zone(sheet: Worksheet, template: Template, language: str) -> None:
    """Refuse a time that is typed before its zone."""
    by_field = {column.field: get_column_letter(x) for x, column in enumerate(template.columns, start=1)}
    if "zone" not in by_field or "time" not in by_field:
        return
    time, zone = by_field["time"], by_field["zone"]
    check = DataValidation(
        type="custom",
        formula1=f"LEN(${zone}2)>0",
        allow_blank=True,
        errorStyle="warning",
        showErrorMessage=True,
        showInputMessage=True,
    )
    check.errorTitle = word("words", "zone_title", language)[:32]
    check.error = word("rules", "zone", language)[:255]
    check.promptTitle = word("words", "zone_title", language)[:32]
    check.prompt = f"{word('forms', 'time', language)}\n{word('rules', 'zone', language)}"[:255]
    check.add(f"{time}2:{time}{_LAST_ROW}")
    sheet.add_data_validation(check)


def _without_clock(workbook: bytes) -> bytes:
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as old,
        zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", _CLOCK, data)
            new.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return result.getvalue()
