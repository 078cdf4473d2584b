"""The field tables against the lists of fields that the specifications give, where those lists are at hand."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from pathlib import Path

import pytest

from suyuan import customs
from suyuan.customs.derivation import RULES
from suyuan.customs.drafting import place_of_district
from suyuan.customs.tables import FieldRule, field_labels

DOMAIN = Path(os.environ.get("SUYUAN_DOMAIN", Path(__file__).parents[3] / "shared" / "domain"))
# The list puts the status of a tax bill under the bill itself.
_OTHER_MESSAGE = {"TaxHeadStatus": "CEB818"}


def _rows(name: str) -> list[dict[str, str]]:
    file = DOMAIN / name
    if not file.exists():
        pytest.skip(f"{name} is not at ../shared/domain and SUYUAN_DOMAIN names no folder that has it")
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def _same_length(rule: FieldRule, wanted: str) -> bool:
    """Whether one of the rule's formats takes what the list says; times are kept by their kind, not length."""
    times = {"C8": "D8", "C14": "T14", "C17": "T17"}
    return wanted in rule.formats or times.get(wanted) in rule.formats


def test_ceb_tables_have_every_field_of_the_list_and_no_other() -> None:
    wanted: dict[tuple[str, str], dict[str, dict[str, str]]] = defaultdict(dict)
    for row in _rows("ceb_fields.csv"):
        if row["element"] == "BaseTransfer":
            continue
        kind = _OTHER_MESSAGE.get(row["element"], row["message"].removesuffix("Message"))
        wanted[kind, row["element"]][row["field"]] = row
    kinds = customs.message_kinds()
    had = {(kind, part) for kind, table in kinds.items() if table.family == "ceb" for part in table.parts}
    assert had == set(wanted)
    for (kind, part), rows in wanted.items():
        rules = kinds[kind].parts[part]
        assert set(rules) == set(rows), (kind, part)
        for name, row in rows.items():
            assert _same_length(rules[name], row["format"]), (kind, part, name)
            # What the list calls mandatory is asked for; what it calls optional is never refused when empty.
            assert (rules[name].presence == "O") == (row["required"] != "M"), (kind, part, name)


def test_sas_tables_have_every_field_of_the_list() -> None:
    kinds = customs.message_kinds()
    for row in _rows("sas_fields.csv"):
        table = kinds[f"SAS/{row['message']}"]
        known = {name.lower() for rules in table.parts.values() for name in rules}
        assert row["field"].lower() in known, (row["message"], row["field"])


def test_every_field_has_a_name_in_both_languages() -> None:
    labels = field_labels()
    for kind, table in customs.message_kinds().items():
        for part, rules in table.parts.items():
            for name in rules:
                zh, en = labels.get(name[:1].lower() + name[1:], ("", ""))
                assert zh and en, (kind, part, name)


def test_every_message_has_a_rule_and_every_rule_a_message() -> None:
    assert set(RULES) == set(customs.message_kinds())


def test_the_messages_of_the_specification_are_all_read() -> None:
    ceb = (311, 312, 411, 412, 511, 512, 513, 514, 621, 622, 623, 624, 625, 626, 711, 712, 816, 818)
    sas = (
        "CommonResponse",
        "INV101",
        "INV201",
        "INV202",
        "INV211",
        "SAS121",
        "SAS221",
        "SAS223",
        "SAS224",
        "SAS251",
        "SAS253",
    )
    assert set(customs.message_kinds()) == {*(f"CEB{n}" for n in ceb), *(f"SAS/{name}" for name in sas)}


def test_the_samples_at_hand_are_read() -> None:
    """Scrubbed receipts are format references: their numbers may break a check digit, which only warns."""
    folder = DOMAIN / "samples" / "sas"
    if not folder.is_dir():
        pytest.skip("the samples are not at ../shared/domain")
    read = 0
    for file in sorted(folder.glob("*.xml")):
        data = file.read_bytes()
        if customs.recognise(data):
            reading = customs.read(data)
            assert bool(reading.events) == (reading.kind != "SAS/CommonResponse")
            read += 1
    assert read == len(list(folder.glob("*.xml")))


def test_districts_lie_where_the_table_says():
    places = {code: place_of_district(code) for code in ("5165", "3105", "2916", "4604", "5141", "9999", "")}
    assert places == {
        "5165": "urn:suyuan:place:CNNSA:5165",
        "3105": "urn:suyuan:place:CNNGB:3105",
        "2916": "urn:suyuan:place:CNHGH:2916",
        "4604": "urn:suyuan:place:CNCGO:4604",
        "5141": "urn:suyuan:place:CNCAN:5141",
        "9999": "urn:suyuan:place:CN:9999",
        "": "urn:suyuan:place:CN:",
    }
    # Every district whose name is known has its place.
    for code in customs.packaged_codes().entries("customs_district"):
        assert not place_of_district(code).startswith("urn:suyuan:place:CN:"), code
