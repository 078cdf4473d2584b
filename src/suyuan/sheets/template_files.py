"""Templates as files: XLSX with a guide, lists and checks of what is typed, and CSV.

All cells of the table are text, since a spreadsheet that sees a number drops its leading zeros and rounds it at the
sixteenth digit. The same template always has the same bytes.
"""

from __future__ import annotations

import csv
import io
from typing import Final

from suyuan.sheets.choices import words_of
from suyuan.sheets.templates import Column, Template, template_words, word

FORMATS: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


def write_template(
    template: Template, language: str, form: str = "xlsx", *, rows: tuple[dict[str, str], ...] = ()
) -> bytes:
    """The template as a file of ``form`` (a key of ``FORMATS``), with ``rows`` filled in (``Template.rows``)."""
    table = [[column.label(language) for column in template.columns]]
    table += [template.example(row, language) for row in rows]
    if form == "csv":
        return _csv(table)
    from suyuan.sheets.template_workbooks import workbook

    return workbook(template, language, table, _guide_rows(template, language))


def write_guide(template: Template, language: str) -> bytes:
    """The guide as CSV, for those who fill in the CSV."""
    return _csv(_guide_rows(template, language))


def _csv(table: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(table)
    # With the mark Excel takes it for UTF-8; without, for the code page of the machine.
    return out.getvalue().encode("utf-8-sig")


def _guide_rows(template: Template, language: str) -> list[list[str]]:
    rows = [[template.title(language)], [template.purpose(language)]]
    rows += [[word("rules", name, language)] for name in template_words()["rules"]]
    rows += [
        [],
        [word("words", name, language) for name in ("column", "meaning", "form", "example", "need")],
    ]
    rows += [
        [
            column.label(language),
            column.meaning(language),
            _form(column, language),
            _example(template, column, language),
            word("words", column.need, language),
        ]
        for column in template.columns
    ]
    return rows


def _form(column: Column, language: str) -> str:
    if column.choice:
        return (
            word("forms", "choice", language) + ": " + ", ".join(words_of(column.choice, language).values())
        )
    return word("forms", column.form, language)


def _example(template: Template, column: Column, language: str) -> str:
    place = template.columns.index(column)
    filled = (template.example(row, language)[place] for row in template.rows)
    return next((text for text in filled if text), "")
