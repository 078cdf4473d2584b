"""Codes on the command line: scratch codes, printed and voided by batch, one code's story, other systems' codes."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from command_line import GTIN, LOT, Shell


@pytest.fixture
def issued(suyuan: Shell, tmp_path: Path) -> list[dict[str, str]]:
    suyuan.good("migrate")
    suyuan.good("party", "add", "op", "--name-en", "Op", "--name-zh", "运营", "--role", "operator")
    out = tmp_path / "codes.csv"
    done = suyuan.good(
        "issue", "--gtin", GTIN, "--lot", LOT, "-n", "6", "--party", "op", "--scratch", "--out", out, "--json"
    )
    assert len(done.json["scratch_key"]) == 16
    with out.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_batch_from_printing_to_the_rest(
    suyuan: Shell, issued: list[dict[str, str]], tmp_path: Path
) -> None:
    assert all(len(row["scratch_code"]) == 12 for row in issued)
    assert len({row["scratch_code"] for row in issued}) == 6
    printed = ("printed", "--batch", 1, "--party", "op", "--from")
    where = ("--facility", "urn:suyuan:place:NLZWO")
    assert "2 noted as printed, 0 noted before" in suyuan.good(*printed, 1, "--to", 2, *where).out
    assert suyuan.good(*printed, 1, "--to", 3, "--json").json["repeated"] == 2
    suyuan.good("party", "add", "house", "--name-en", "H", "--name-zh", "仓", "--role", "bonded-warehouse")
    spoilt = tmp_path / "spoilt.csv"
    spoilt.write_text(issued[4]["serial"], "utf-8")
    for what in (
        ("void", "--batch", 1, "--unprinted", "--reason", "x"),
        ("void", "--gtin", GTIN, "--lot", LOT, "--serials", spoilt, "--reason", "x"),
        ("printed", "--batch", 1, "--from", 1, "--to", 1),
    ):
        stranger = suyuan(*what, "--party", "house")
        assert (stranger.code, "access.gtin.issuer" in stranger.err) == (3, True), what
    rest = ("void", "--batch", 1, "--unprinted", "--party", "op", "--reason", "the lot is packed")
    assert "3 voided, 0 voided before" in suyuan.good(*rest).out
    told = suyuan.good("code", issued[0]["uri"]).out
    assert all(
        word in told
        for word in ("printed", f"lot {LOT}", "batch 1, label 1, with scratch code", "NLZWO", "op")
    )
    story = suyuan.good("code", f"(01){GTIN}(21){issued[5]['serial']}", "--json").json
    assert (story["state"], story["ordinal"]) == ("voided", 6)
    assert [(act["act"], act["reason"]) for act in story["acts"]] == [
        ("issued", ""),
        ("voided", "the lot is packed"),
    ]
    for arguments, code in (
        ((*printed, 2, "--to", 7), "issuing.range"),
        ((*printed, 4, "--to", 4), "issuing.code.voided"),
        (("void", "--batch", 1, "--party", "op", "--reason", "x"), "cli.void.what"),
        (("void", "--unprinted", "--party", "op", "--reason", "x"), "cli.void.what"),
        (("void", "--gtin", GTIN, "--party", "op", "--reason", "x"), "cli.void.what"),
        (("void", "--batch", 9, "--unprinted", "--party", "op", "--reason", "x"), "issuing.batch.unknown"),
        (("code", f"(01){GTIN}(21)0NOBODY"), "trace.thing.unknown"),
        (
            ("issue", "--gtin", GTIN, "--lot", LOT, "-n", 1, "--party", "op", "--scratch", "--format", "svg",
             "--style", "qr-25x25", "--out", tmp_path / "x.zip"),
            "issuing.scratch.style",
        ),
    ):  # fmt: skip
        assert code in suyuan(*arguments).err, arguments


def test_other_systems_codes(suyuan: Shell, issued: list[dict[str, str]], tmp_path: Path) -> None:
    take = ("alias", "import", "--party", "op", "--system")
    span = ("--from", "000000204200232", "--to", "000000204200234", "--batch", 1)
    assert "3 aliases stated, 0 stated before" in suyuan.good(*take, "ccic", *span).out
    rows = tmp_path / "own.csv"
    rows.write_text(f"code,item\nhttps://brand.example/x/123,{issued[1]['uri']}\n", "utf-8")
    assert suyuan.good(*take, "url", rows, "--json").json["count"] == 1
    # Found by the bare number and by the own address.
    for name in ("000000204200233", "urn:suyuan:label:ccic:000000204200233", "https://brand.example/x/123"):
        found = suyuan.good("trace", name, "--json").json
        assert [uri.rpartition("/")[2] for uri in found["aliases"]] == [issued[1]["serial"]], name
    assert "also known as urn:suyuan:label:ccic:000000204200233" in suyuan.good("code", issued[1]["uri"]).out
    bad = tmp_path / "bad.csv"
    bad.write_text(f"code,item\n204200240,{issued[1]['uri']}\n000000204200233,{issued[2]['uri']}\n", "utf-8")
    said = suyuan(*take, "ccic", bad)
    assert said.code == 2
    assert "issuing.alias.rows (line 2): 1 of 2 rows cannot be taken" in said.err
    assert "fifteen digits" in said.err
    for arguments, code in (
        ((*take, "ccic"), "cli.alias.what"),
        ((*take, "ccic", rows, *span), "cli.alias.what"),
        ((*take, "ccic", "--batch", 1), "cli.alias.what"),
        ((*take, "city", rows), "issuing.alias.city"),
        ((*take, "rfid", rows), "issuing.alias.system"),
        ((*take, "ccic", "--from", "1", "--to", "22", "--batch", 1), "issuing.alias.range"),
    ):
        assert code in suyuan(*arguments).err, arguments
