"""``suyuan customs status``: the receipts of a document, in order, in plain words."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command_line import Shell

sys.path.append(str(Path(__file__).resolve().parents[1] / "customs"))

import customs_messages as messages

from suyuan import customs as reader
from suyuan.customs.states import document_states
from suyuan.customs.timeline import _RECEIPTS, Told, moment_of, timeline

T = datetime(2026, 3, 5, tzinfo=UTC)


def _told(status: str, hour: int, **more: object) -> Told:
    return Told(time=T.replace(hour=hour), message="CEB622", attributes={"returnStatus": status}, **more)  # type: ignore[arg-type]


def test_the_newest_receipt_says_where_it_stands_whatever_came_first() -> None:
    found = timeline([_told("800", 9), _told("120", 3), _told("500", 5)])
    assert [moment.code for moment in found.moments] == ["120", "500", "800"]
    standing = found.standing["parcel-list"]
    assert (standing.state_zh, standing.state_en, standing.stage) == ("放行", "released", "done")
    # A receipt that was taken back is shown and does not count.
    found = timeline([_told("800", 9, withdrawn=True), _told("500", 5)])
    assert len(found.moments) == 2
    assert found.standing["parcel-list"].advice_zh == "配合海关查验，准备商品与单证。"


def test_an_unknown_code_is_shown_as_it_stands() -> None:
    moment = moment_of(_told("42", 1))
    assert (moment.code, moment.state_en, moment.stage) == ("42", "42", "")


def test_a_code_below_zero_says_that_the_message_was_not_processed() -> None:
    moment = moment_of(_told("-301001", 1))
    assert (moment.code, moment.state_zh, moment.state_en) == ("-301001", "处理异常", "not processed")
    assert moment.stage == "held"
    assert moment.advice_zh and moment.advice_en
    # Other authorities' codes have no such rule.
    other = moment_of(Told(time=T, message="SAS/INV201", attributes={"bondedListStatus": "-1"}))
    assert (other.state_en, other.stage) == ("-1", "")


def test_every_receipt_and_every_state_has_words() -> None:
    receipts = {kind for kind, table in reader.message_kinds().items() if table.receipt}
    # INV202 speaks of a declaration that was drafted; it gives the list no state. The port's answer is no event at all.
    assert receipts - set(_RECEIPTS) == {"SAS/INV202", "SAS/CommonResponse"}
    for message, (kind, field) in _RECEIPTS.items():
        for code in document_states()[kind]:
            moment = moment_of(Told(time=T, message=message, attributes={field: code}))
            assert moment.meaning_zh
            assert moment.meaning_en
            assert moment.state_zh != code
            if moment.stage == "held":
                assert moment.advice_zh and moment.advice_en, (message, code)


def test_the_command(suyuan: Shell, tmp_path: Path) -> None:
    suyuan.good(
        "party", "add", "broker", "--name-en", "Broker", "--name-zh", "报关行", "--role", "customs-broker"
    )
    papers = tmp_path / "papers"
    papers.mkdir()
    for name, kind, change in (
        ("1", "CEB622", {"returnTime": "20260305111922123"}),
        ("2", "CEB622", {"returnStatus": "120"}),
        ("3", "CEB621", {}),
        ("4", "SAS/SAS253", {}),
        ("5", "CEB312", {"returnStatus": "100"}),
    ):
        (papers / f"{name}.xml").write_bytes(messages.message(kind, change))
    suyuan.good("capture", papers, "--party", "broker")
    said = suyuan.good("--lang", "zh", "customs", "status", messages.PARCEL_LIST_NO)
    lines = said.out.splitlines()
    assert [part in line for part, line in zip(("进口清单", "120", "800"), lines[:3], strict=True)] == [
        True
    ] * 3
    assert "2026-03-05 11:19:22" in lines[2]
    assert "relayed" in lines[2]
    assert lines[3].startswith("清单当前状态：放行")
    said = suyuan.good("--lang", "en", "customs", "status", messages.TWO_STEP_PASS)
    assert "The gate pass is: through the gate (settled)." in said.out
    said = suyuan.good("customs", "status", messages.ORDER_NO, "--kind", "order", "--json")
    assert said.json["standing"]["order"]["advice_en"].startswith("Correct what the rejection names")
    for arguments, code in (
        (("51652026I000000099",), 4),
        (("12",), 2),
        (("12", "--kind", "horse"), 2),
    ):
        assert suyuan("customs", "status", *arguments).code == code


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (messages.PARCEL_LIST_NO, "parcel-list"),
        (messages.ENTRY_LIST, "bonded-list"),
        (messages.TWO_STEP_PASS, "gate-pass"),
        ("516620261000000042", "declaration"),
        ("I20260000000000001", "declaration-unified"),
    ],
)
def test_a_number_says_what_it_is(number: str, kind: str) -> None:
    from suyuan.cli.receipts import kind_of

    assert kind_of(number) == kind
