"""The operator's manual and the Chinese README held to what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_docs import commands, section

from suyuan.settings import TABLE

ROOT = Path(__file__).resolve().parents[2]
MANUAL = (ROOT / "docs" / "OPERATING.md").read_text("utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text("utf-8")
ENGLISH = (ROOT / "README.md").read_text("utf-8")


def metric_names() -> set[str]:
    """Every metric that a server gives."""
    from suyuan.api import metrics
    from suyuan.log import LogStatus

    status = LogStatus(waiting=0, sequenced=0, published=0, published_at=None)
    text = "\n".join(metrics._log_gauges(status, 0.0))
    source = (ROOT / "src" / "suyuan" / "api" / "metrics.py").read_text("utf-8")
    names = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    names |= set(re.findall(r'_gauge\(\s*"(suyuan_\w+)"', source))
    for family in metrics.REGISTRY.collect():
        names.add(family.name + ("_total" if family.type == "counter" else ""))
    return names


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_the_manual_says_what_to_choose_for_each_setting(setting: object) -> None:
    name = getattr(setting, "name", "")
    rows = [line for line in section(MANUAL, "Settings").splitlines() if f"`{name}`" in line]
    assert len(rows) == 1
    assert rows[0].startswith("| `SUYUAN_")


def test_every_metric_is_in_the_manual_and_none_that_is_not_there() -> None:
    described = set(re.findall(r"`(suyuan_\w+)`", section(MANUAL, "Monitoring")))
    assert described == metric_names()
    used = set(re.findall(r"\bsuyuan_\w+", section(MANUAL, "Monitoring")))
    assert {name for name in used if not name.endswith("_")} <= described


def test_every_command_is_in_the_chinese_list() -> None:
    table = re.search(r"<!-- commands -->(.*)<!-- /commands -->", CHINESE, re.DOTALL)
    assert table
    named = set(re.findall(r"`suyuan ([a-z0-9 -]+?)`", table[1]))
    assert named == commands()


def test_both_readmes_lead_to_each_other_and_name_the_same_settings() -> None:
    assert "(README.zh-CN.md)" in ENGLISH
    assert "(README.md)" in CHINESE
    named = set(re.findall(r"SUYUAN_[A-Z_]+", CHINESE))
    assert named <= {setting.name for setting in TABLE}


def test_chinese_is_written_in_chinese_marks() -> None:
    text = re.sub(r"```.*?```|`[^`]*`|\([^)]*\)|^ {4}.*$", "", CHINESE, flags=re.DOTALL | re.MULTILINE)
    assert not re.findall(r"[\u4e00-\u9fff][,;:?!](?=[\u4e00-\u9fff])", text)
