"""Templates in every language: filled in from their own definitions, they are papers that say the same."""

from __future__ import annotations

import io
import itertools

import pytest
from openpyxl import load_workbook

from suyuan import sheets
from suyuan.catalog import read_places_csv, read_products_csv
from suyuan.epcis import event_hash
from suyuan.errors import InputError, NotFoundError
from suyuan.sheets.choices import LANGUAGES, words_of
from suyuan.sheets.headers import field_of, normal_label
from suyuan.sheets.template_files import FORMATS, write_guide, write_template
from suyuan.sheets.templates import catalogue_labels, find_language, side_sheets, template_words, templates

PAPERS = [template for template in templates().values() if template.reads in sheets.KINDS]
EVERY = [
    pytest.param(template, language, form, id=f"{template.name}-{language}-{form}")
    for template, language, form in itertools.product(PAPERS, LANGUAGES, FORMATS)
]


def hashes(data: bytes) -> list[str]:
    return [event_hash(derived.event) for derived in sheets.read(data).events]


@pytest.mark.parametrize(("template", "language", "form"), EVERY)
def test_a_filled_template_says_the_same_in_every_language(template, language, form):
    data = write_template(template, language, form, rows=template.rows)
    assert sheets.recognise(data)
    reading = sheets.read(data)
    assert reading.kind == template.reads
    assert len(reading.events) >= len(template.rows)
    assert reading.warnings == ()
    assert hashes(data) == hashes(write_template(template, "en", "csv", rows=template.rows))


@pytest.mark.parametrize(("language", "form"), list(itertools.product(LANGUAGES, FORMATS)))
def test_filled_catalogue_templates_are_records(language, form):
    products, places = templates()["products"], templates()["places"]
    [product] = read_products_csv(write_template(products, language, form, rows=products.rows))
    assert {name: getattr(product, name) for name in products.rows[0]} == products.rows[0]
    [place] = read_places_csv(write_template(places, language, form, rows=places.rows))
    assert place.warehouse is True
    assert {name: getattr(place, name) for name in places.rows[0]} == {**places.rows[0], "warehouse": True}


@pytest.mark.parametrize("template", PAPERS, ids=lambda template: template.name)
def test_each_mandatory_column_is_needed(template):
    for field in [column.field for column in template.columns if column.need == "must"]:
        rows = tuple({name: text for name, text in row.items() if name != field} for row in template.rows)
        with pytest.raises(InputError) as caught:
            sheets.read(write_template(template, "de", "csv", rows=rows))
        assert caught.value.remedy
    data = write_template(template, "de", "csv")
    assert sheets.recognise(data)
    with pytest.raises(InputError) as caught:
        sheets.read(data)
    assert caught.value.code == "sheet.no_rows"


def test_every_column_has_an_example_or_may_be_left_out():
    for template in templates().values():
        shown = {field for row in template.rows for field in row}
        assert shown <= {column.field for column in template.columns}
        for column in template.columns:
            assert column.need == "may" or column.field in shown, (template.name, column.field)


def test_a_workbook_keeps_text_freezes_its_header_and_offers_words():
    for template, language in itertools.product(templates().values(), LANGUAGES):
        data = write_template(template, language)
        assert data == write_template(template, language)
        book = load_workbook(io.BytesIO(data))
        table, guide, lists = book.worksheets
        assert table.freeze_panes == "A2"
        assert {guide.title, lists.title} <= side_sheets()
        letters = {column.field: table.cell(row=1, column=x).column_letter
                   for x, column in enumerate(template.columns, start=1)}  # fmt: skip
        assert all(table.column_dimensions[letter].number_format == "@" for letter in letters.values())
        checks = {str(check.sqref).split(":")[0]: check for check in table.data_validations.dataValidation}
        for column in template.columns:
            if column.choice or column.form == "zone":
                check = checks[f"{letters[column.field]}2"]
                assert check.type == "list"
                title, _, reach = check.formula1.partition("!")
                cells = [cell.value for (cell,) in book[title.strip("'")][reach.replace("$", "")]]
                offered = list(words_of(column.choice, language).values()) if column.choice else cells
                assert cells == offered
                assert len(set(cells)) == len(cells)
        assert ("zone" in letters) == any(check.type == "custom" for check in checks.values())
        explained = {row[0]: row for row in guide.iter_rows(values_only=True) if row[0]}
        for column in template.columns:
            _, meaning, form, _, need = explained[column.label(language)]
            assert meaning
            assert form
            assert need == template_words()["words"][column.need][LANGUAGES.index(language)]
        assert all(len(check.prompt) <= 255 for check in checks.values())


def test_leading_zeros_and_long_numbers_survive_a_workbook():
    template = templates()["packing-list"]
    book = load_workbook(io.BytesIO(write_template(template, "fr", rows=template.rows)))
    values = {cell.value for row in book.worksheets[0].iter_rows() for cell in row}
    assert {"087100000000000123", "08710000001236", "+02:00"} <= values


def test_a_label_means_one_field():
    seen: dict[str, str] = {}
    for template in PAPERS:
        for column in template.columns:
            for language in LANGUAGES:
                label = column.label(language)
                assert field_of(label) == column.field, label
                assert seen.setdefault(normal_label(label), column.field) == column.field
        for language in LANGUAGES:
            labels = [column.label(language) for column in template.columns]
            assert len(set(map(normal_label, labels))) == len(labels)
    for template in templates().values():
        if template.reads in ("product", "place"):
            known = catalogue_labels(template.reads)
            assert all(
                known[column.label(language).casefold()] == column.field
                for column in template.columns
                for language in LANGUAGES
            )


def test_the_guide_goes_with_the_csv():
    guide = write_guide(templates()["tally"], "ja").decode("utf-8-sig")
    assert "実収" not in guide
    assert "受領数量" in guide
    assert not sheets.recognise(guide.encode())


def test_languages_by_their_tags():
    assert [find_language(tag) for tag in ("zh", "zh_CN", "de-AT", "FR", "ja")] == [
        "zh-CN",
        "zh-CN",
        "de",
        "fr",
        "ja",
    ]
    with pytest.raises(NotFoundError):
        find_language("xx")
