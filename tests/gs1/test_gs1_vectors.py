"""Conformance with the published test data: GS1's syntax engine, event hash normaliser, EPC translators."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from suyuan.errors import InputError
from suyuan.gs1 import application_identifiers, linkset
from suyuan.gs1.coded_values import CHECKS
from suyuan.gs1.digital_link import canonical, check_uri, parse, without_trailing_slash
from suyuan.gs1.epc_urn import digital_link_to_urn, urn_to_digital_link

LINTERS = {
    "couponcode": "coupon",
    "couponposoffer": "positive_offer",
    "cset64": "base64url",
    "csum": "check_digit",
    "csumalpha": "check_pair",
    "gcppos1": "company_prefix",
    "gcppos2": "company_prefix_after_first",
    "hasnondigit": "has_non_digit",
    "hh": "hour",
    "hhmi": "time",
    "hyphen": "hyphen",
    "iban": "iban",
    "importeridx": "importer_index",
    "iso3166": "country",
    "iso3166999": "country_or_999",
    "iso3166alpha2": "country_alpha2",
    "iso4217": "currency",
    "iso5218": "sex",
    "latitude": "latitude",
    "longitude": "longitude",
    "mediatype": "media_type",
    "mi": "minute",
    "nonzero": "nonzero",
    "nozeroprefix": "no_leading_zero",
    "packagetype": "package_type",
    "pcenc": "percent_encoded",
    "pieceoftotal": "piece_of_total",
    "posinseqslash": "position_in_sequence",
    "ss": "second",
    "winding": "winding",
    "yesno": "yes_no",
    "yymmd0": "date_or_month",
    "yymmdd": "date",
    "yyyymmd0": "long_date_or_month",
    "yyyymmdd": "long_date",
    "zero": "zero",
}
# These need GS1's register of allotted company prefixes, which the engine's tests replace by a mock.
REGISTER = {"GS1_LINTER_GCP_DATASOURCE_OFFLINE", "GS1_LINTER_INVALID_GCP_PREFIX"}


def read_json(path: Path) -> list[dict]:
    return json.loads(path.read_text("utf-8"))


def read_tsv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_every_verdict_of_the_syntax_engine(vectors_dir: Path):
    different = []
    for row in read_json(vectors_dir / "gs1/dl-oracle.json"):
        told = check_uri(row["uri"])
        if told["valid"] != row["ok"] or (row["ok"] and told["ais"] != row["ai"]):
            different.append((row, told))
    assert not different


def test_a_trailing_slash_changes_no_answer_once_it_is_stripped(vectors_dir: Path):
    rows = [row for row in read_json(vectors_dir / "gs1/dl-oracle.json") if row["ok"]]
    for row in rows:
        location, mark, query = row["uri"].partition("?")
        slashed = f"{location}/{mark}{query}" if "#" not in location else row["uri"]
        assert parse(without_trailing_slash(slashed)).element_string == row["ai"]


def test_structure_of_the_engines_own_unit_tests(vectors_dir: Path):
    for row in read_json(vectors_dir / "gs1/dl-vectors.json"):
        if row["call"] != "test_parseDLuri":
            continue
        expected = row["args"][0]["expr"] == "true"
        verdicts = []
        for older_forms in (False, True):
            try:
                parse(row["args"][1], older_forms=older_forms, content=False)
                verdicts.append(True)
            except InputError:
                verdicts.append(False)
        assert expected in verdicts, row  # the data does not say which of the engine's switches was on


def test_rules_of_coded_values(vectors_dir: Path):
    wrong = []
    for row in read_json(vectors_dir / "gs1/linter-vectors.json"):
        name = LINTERS.get(row["linter"])
        if name is None or (not row["pass"] and row["args"][1]["expr"] in REGISTER):
            continue
        if (CHECKS[name](row["args"][0]) is None) != row["pass"]:
            wrong.append(row)
    assert not wrong


def test_the_table_has_every_identifier_of_the_syntax_dictionary(vectors_dir: Path):
    listed = set()
    for line in (vectors_dir / "gs1/gs1-syntax-dictionary.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            first, _, last = line.split()[0].partition("-")
            listed.update(
                str(number).zfill(len(first)) for number in range(int(first), int(last or first) + 1)
            )
    assert set(application_identifiers.TABLE) == listed


@pytest.mark.parametrize("group", ["validateAImutex", "validateAIrequisites"])
def test_identifiers_that_belong_together_or_must_not(vectors_dir: Path, group: str):
    for row in read_json(vectors_dir / "gs1/ai-vectors.json"):
        if row["call"] != "test_validateAIs" or row["args"][1]["expr"] != group:
            continue
        values = {}
        for part in row["args"][2].split("(")[1:]:
            ai, _, value = part.partition(")")
            values[ai] = value
        if not values.keys() <= application_identifiers.TABLE.keys():
            continue
        expected = row["args"][0]["expr"] == "true"
        try:
            application_identifiers.check_together(values)
            verdict = True
        except InputError:
            verdict = False
        if expected or group == "validateAImutex":
            assert verdict == expected, row


def test_canonical_form_of_the_event_hash(vectors_dir: Path):
    for row in read_tsv(vectors_dir / "epcis/ralphtro_normaliser.share.tsv"):
        expected = row["expected_canonical_dl_or_empty_if_none"] or None
        assert canonical(row["input"]) == expected, row["input"]


def hashed_uris(vectors_dir: Path) -> set[str]:
    """The identifiers in the reference pre-hash strings, as far as they can be cut out of them."""
    found = set()
    for row in read_tsv(vectors_dir / "epcis/reference_event_hashes.tsv"):
        for piece in row["prehash"].replace("epc=", "\n").replace("action=", "\n").split("\n"):
            if piece.startswith("https://id.gs1.org/") and "=" not in piece:
                found.add(piece.removesuffix("childEPCs").removesuffix("quantity"))
    return found


def test_uris_inside_reference_hashes_are_canonical_already(vectors_dir: Path):
    uris = [uri for uri in hashed_uris(vectors_dir) if canonical(uri) is not None]
    assert len(uris) > 40
    assert [uri for uri in uris if canonical(uri) != uri] == []


def translate(row: dict[str, str]) -> str | None:
    length = int(row["gcp_length"]) if row["gcp_length"] else None
    match row["operation"]:
        case "toURI" | "toURIForClassLevelIdentifier" | "toDigitalLink":
            return urn_to_digital_link(row["input"])
        case "toURN":
            return digital_link_to_urn(row["input"], length, level="instance")
        case "toURNForClassLevelIdentifier":
            return digital_link_to_urn(row["input"], length, level="class")
    return pytest.fail(f"unknown operation {row['operation']}")


def of_keys(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [row for row in rows if not row["scheme"].endswith("Vocabulary")]


def test_translation_gives_the_exact_string(vectors_dir: Path):
    unknown = 0
    for row in of_keys(read_tsv(vectors_dir / "epcis/openepcis_valid.share.tsv")):
        told = translate(row)
        if told is None and not row["gcp_length"]:
            unknown += 1  # the length of this company prefix is not in the table: no guess is made
            continue
        assert told == row["expected"], row
    assert unknown <= 6


def test_translation_refuses_what_has_none(vectors_dir: Path):
    for row in of_keys(read_tsv(vectors_dir / "epcis/openepcis_invalid.share.tsv")):
        try:
            told = translate(row)
        except InputError as error:
            assert error.code.startswith("gs1.epc.")
        else:
            assert told is None, row


def test_link_types_are_in_the_vocabulary(vectors_dir: Path):
    names = read_json(vectors_dir / "gs1/linktypes.json")
    ours = [
        linkset.PIP,
        linkset.TRACEABILITY,
        linkset.EPCIS,
        linkset.DPP,
        linkset.CERTIFICATION_INFO,
        linkset.VERIFICATION_SERVICE,
        linkset.RECALL_STATUS,
        linkset.JWS,
        linkset.DEFAULT_LINK,
    ]
    assert {link_type.removeprefix(linkset.VOCABULARY) for link_type in ours} <= names.keys()


def test_resolver_description_satisfies_its_schema(vectors_dir: Path):
    schema = read_json(vectors_dir / "gs1/description-file-schema.json")
    allowed = set(schema["properties"]["supportedPrimaryKeys"]["items"]["enum"])
    description = linkset.resolver_description("https://id.example.com", "Example", contact="Desk")
    assert set(schema["required"]) <= description.keys() <= schema["properties"].keys()
    assert set(description["supportedPrimaryKeys"]) <= allowed
