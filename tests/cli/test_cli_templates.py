"""``suyuan template``: written, filled in, checked and taken in, in every language."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from command_line import Shell
from openpyxl import load_workbook

from suyuan import sheets
from suyuan.sheets.choices import LANGUAGES
from suyuan.sheets.templates import templates


def fill(file: Path, rows: list[list[str]]) -> None:
    """Type rows into an empty template, as a person would."""
    book = load_workbook(file)
    for y, row in enumerate(rows, start=2):
        for x, text in enumerate(row, start=1):
            if text:
                book.worksheets[0].cell(row=y, column=x, value=text)
    book.save(file)


def test_filled_templates_of_every_kind_and_language_are_taken_in(suyuan: Shell, tmp_path: Path) -> None:
    suyuan.good("party", "add", "op", "--name-en", "Operator", "--name-zh", "运营方", "--role", "operator")
    folder = tmp_path / "filled"
    folder.mkdir()
    papers = [template for template in templates().values() if template.reads in sheets.KINDS]
    for template in papers:
        for language in LANGUAGES:
            file = folder / f"{template.name}-{language}.xlsx"
            suyuan.good("template", template.name, "--lang", language, "--out", file)
            fill(file, [template.example(row, language) for row in template.rows])
    checked = suyuan.good("check", folder, "--json").json
    assert (checked["errors"], checked["warnings"], len(checked["files"])) == (
        0,
        0,
        len(papers) * len(LANGUAGES),
    )
    taken = suyuan.good("capture", folder, "--party", "op", "--json").json
    by_kind: dict[str, list[int]] = {}
    for one in taken:
        by_kind.setdefault(Path(one["file"]).name.rpartition("-")[0].removesuffix("-zh"), []).append(
            one["new_events"]
        )
    # Whichever language comes first states the events; in the others they are the same.
    assert {name: [count > 0 for count in counts] for name, counts in by_kind.items()} == {
        template.name: [True] + [False] * (len(LANGUAGES) - 1) for template in papers
    }


def test_products_and_places_in_any_language(suyuan: Shell, tmp_path: Path) -> None:
    for language, form in (("ja", "xlsx"), ("de", "csv"), ("fr", "xlsx")):
        for name, command, changed in (("products", "product", 1), ("places", "place", 1)):
            file = tmp_path / f"{name}-{language}.{form}"
            suyuan.good("template", name, "--lang", language, "--example", "--out", file)
            said = suyuan.good(command, "put", file)
            assert str(changed if language == "ja" else 0) in said.out


def test_the_list_the_guide_and_what_is_refused(suyuan: Shell, tmp_path: Path) -> None:
    listed = suyuan.good("template", "list", "--json").json
    assert [one["name"] for one in listed] == list(templates())
    assert "装箱单" in suyuan.good("--lang", "zh", "template", "list").out
    guide = tmp_path / "guide.csv"
    suyuan.good("template", "events", "--lang", "fr", "--guide", "--out", guide)
    rows = list(csv.reader(io.StringIO(guide.read_text("utf-8-sig"))))
    assert any(row and row[0] == "Fuseau horaire" for row in rows)
    for arguments, code, exit_code in (
        (("nothing", "--out", "x.xlsx"), "template.unknown", 4),
        (("events", "--lang", "nl", "--out", "x.xlsx"), "template.language", 4),
        (("events", "--format", "ods", "--out", "x.ods"), "template.format", 2),
        (("events",), "template.out", 2),
        (("events", "--out", guide), "template.exists", 5),
    ):
        said = suyuan("template", *arguments)
        assert said.code == exit_code, said
        assert code in said.err
    assert suyuan.apart("template", "tally", "--format", "csv", "--out", "-").out.startswith(
        "\ufeffTally number,"
    )


def test_a_faulty_sheet_is_checked_in_two_languages_and_refused_whole(suyuan: Shell, tmp_path: Path) -> None:
    suyuan.good("party", "add", "op", "--name-en", "Operator", "--name-zh", "运营方", "--role", "operator")
    template = templates()["tally"]
    file = tmp_path / "tally.xlsx"
    suyuan.good("template", "tally", "--lang", "de", "--out", file)
    row = {field: text for field, text in template.rows[0].items() if field != "damaged_serials"}
    bad = {**row, "gtin": "08710000001237", "zone": ""}
    fill(file, [template.example(one, "de") for one in (row, bad, row)])
    letters = {column.field: chr(65 + x) for x, column in enumerate(template.columns)}
    said = suyuan("check", file, "--json")
    assert said.code == 2
    found = {one["path"].rpartition("!")[2]: one for one in said.json["findings"]}
    assert set(found) == {f"{letters['gtin']}3", f"{letters['time']}3"}
    for one in found.values():
        assert one["severity"] == "error"
        assert all(one[text] for text in ("reason", "remedy", "reason_zh", "remedy_zh"))
    assert "时间没有时区" in suyuan("--lang", "zh", "check", file).out
    said = suyuan("capture", file, "--party", "op", "--json")
    assert said.code == 2
    assert [one["path"] for one in said.json[0]["faults"]] == [one["path"] for one in found.values()]
    fill(file, [template.example(one, "de") for one in (row, row, row)])
    [taken] = suyuan.good("capture", file, "--party", "op", "--json").json
    assert taken["event_count"] == taken["new_events"] > 0
