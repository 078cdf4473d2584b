"""Commands that are written wrongly: code, reason and remedy, in the language and the form that were asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import GTIN, LOT, Shell


@pytest.mark.parametrize(
    ("written", "code", "remedy"),
    [
        (("isue",), "cli.usage.command", "suyuan --help"),
        (("party", "ad"), "cli.usage.command", "party --help"),
        (("issue", "--gtin"), "cli.usage.option", "issue --help"),
        (("issue", "--gtin", "1"), "cli.usage.missing", "issue --help"),
        (("token", "create"), "cli.usage.missing", "token create --help"),
        (("capture", "nowhere.xml", "--party", "a"), "cli.usage.value", "capture --help"),
        (("--data-dir", "x", "serve"), "cli.usage.option", "suyuan COMMAND --data-dir"),
        (("check", "x.xml", "--lang", "zh"), "cli.usage.option", "suyuan --lang zh COMMAND"),
        (("gs1", "check", "uris.txt"), "cli.usage", "gs1 check < FILE"),
    ],
)
def test_a_mistake_has_code_and_remedy(
    suyuan: Shell, written: tuple[str, ...], code: str, remedy: str
) -> None:
    said = suyuan(*written)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith((f"{code}: ", f"{code} ("))
    assert remedy in said.err


def test_it_is_told_in_chinese_and_to_machines(suyuan: Shell) -> None:
    chinese = suyuan("--lang", "zh", "issue", "--gtin", "1")
    assert "缺少必填的选项或参数。Missing option '--lot'." in chinese.err
    assert "处理办法：写法见" in chinese.err
    assert "没有这个命令" in suyuan("--lang=zh", "isue").err
    # A template's own language is not that of messages.
    assert "处理办法" not in suyuan("template", "--lang", "zh-CN", "--form").err
    for written in (("issue", "--gtin", "1", "--json"), ("--json", "issue")):
        said = suyuan(*written)
        assert set(json.loads(said.err)) == {"code", "path", "reason", "remedy"}


def test_no_words_at_all_are_a_wish_for_help(suyuan: Shell) -> None:
    for group in ((), ("label",), ("alias",)):
        said = suyuan(*group)
        assert (said.code, "Usage: " in said.out + said.err) == (2, True), said


def test_an_address_without_scheme_or_token_is_told(suyuan: Shell, tmp_path: Path) -> None:
    paper = tmp_path / "a.csv"
    paper.write_text("a,b\n1,2\n")
    assert "cli.server.address" in suyuan("capture", paper, "--url", "localhost:1", "--token", "x").err
    assert "cli.server.token" in suyuan("capture", paper, "--url", "http://localhost:1").err


def test_an_empty_folder_does_not_pass_for_good_papers(suyuan: Shell, tmp_path: Path) -> None:
    for command in (("check", tmp_path), ("capture", tmp_path, "--party", "op")):
        said = suyuan(*command)
        assert (said.code, "cli.papers.none" in said.err) == (4, True), said


def test_no_code_is_issued_where_its_file_cannot_be_written(suyuan: Shell, tmp_path: Path) -> None:
    suyuan.good("migrate")
    suyuan.good("party", "add", "op", "--name-en", "Op", "--name-zh", "运营", "--role", "operator")
    issue = ("issue", "--gtin", GTIN, "--lot", LOT, "-n", 2, "--party", "op", "--out")
    for out in (tmp_path / "nowhere" / "codes.csv", tmp_path):
        said = suyuan(*issue, out)
        assert (said.code, said.err.startswith("cli.file (")) == (2, True), said
    good = suyuan.good(*issue, tmp_path / "codes.csv", "--json")
    assert good.json["batch_id"] == 1
    assert not list(tmp_path.glob("*.part"))


def test_a_ledger_item_that_no_paper_names_is_not_shown_as_one(suyuan: Shell) -> None:
    suyuan.good("migrate")
    said = suyuan.good("stock", "--ledger-item", "T5165W000123:17")
    assert said.out.startswith("Nothing of that is in stock or on a ledger.")


def test_states_of_a_code_are_told_in_chinese(suyuan: Shell, tmp_path: Path) -> None:
    suyuan.good("migrate")
    suyuan.good("party", "add", "op", "--name-en", "Op", "--name-zh", "运营", "--role", "operator")
    out = tmp_path / "codes.csv"
    suyuan.good("issue", "--gtin", GTIN, "--lot", LOT, "-n", 1, "--party", "op", "--out", out)
    serial = out.read_text().splitlines()[1].split(",")[0]
    item = f"(01){GTIN}(21){serial}"
    assert f"{item}  已发码" in suyuan.good("--lang", "zh", "code", item).out
    assert f"{item}  issued" in suyuan.good("code", item).out
