"""``suyuan check``: what a broker learns before sending, by itself and across the papers of one purchase."""

from __future__ import annotations

import ast
import json
import sys
from decimal import Decimal
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "customs"))

import customs_messages as messages
import signing

from suyuan.cli.findings import _chinese, _precise, check_paper, chinese_of
from suyuan.cli.main import app
from suyuan.cli.precheck import check_all
from suyuan.customs import read
from suyuan.customs.matching import limits_on
from suyuan.errors import InputError

# The four papers of one purchase, which agree.
AGREED: dict[str, dict[str, str | None]] = {"CEB311": {}, "CEB411": {}, "CEB511": {}, "CEB621": {}}


def _four(**changes: dict[str, str | None]) -> list[tuple[str, bytes]]:
    return [(f"{kind}.xml", messages.message(kind, changes.get(kind, {}))) for kind in AGREED]


def _codes(papers: list[tuple[str, bytes]]) -> set[str]:
    return {one.code for one in check_all(papers).findings}


def _run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        app([str(argument) for argument in arguments])
    return int(end.value.code or 0), capsys.readouterr().out


def test_four_papers_that_agree() -> None:
    checked = check_all(_four())
    assert checked.findings == []
    assert set(checked.files.values()) == set(AGREED)


@pytest.mark.parametrize(
    ("kind", "change", "code", "place"),
    [
        ("CEB411", {"amountPaid": "277.70"}, "customs.match.amount", "PaymentHead/amountPaid"),
        ("CEB411", {"payerIdNumber": "990101198808080021"}, "customs.match.buyer", "payerIdNumber"),
        ("CEB411", {"payerName": "样例己"}, "customs.match.buyer", "PaymentHead/payerName"),
        ("CEB411", {"ebpCode": "330196P043"}, "customs.match.platform", "PaymentHead/ebpCode"),
        ("CEB411", {"payTransactionId": "2026030522"}, "customs.match.number", "payTransactionId"),
        ("CEB411", {"orderNo": "PX2"}, "customs.match.alone", "PaymentHead/orderNo"),
        ("CEB511", {"logisticsNo": "YT77"}, "customs.match.waybill", "LogisticsHead/logisticsNo"),
        ("CEB511", {"consignee": "样例己"}, "customs.match.consignee", "LogisticsHead/consignee"),
        ("CEB621", {"buyerName": "样例己"}, "customs.match.buyer", "InventoryHead/buyerName"),
        ("CEB621", {"freight": "11"}, "customs.match.amount", "InventoryHead/freight"),
        ("CEB621", {"qty": "3"}, "customs.match.goods", "InventoryList[1]/qty"),
        ("CEB621", {"itemNo": "AB-43"}, "customs.match.goods", "InventoryList[1]/qty"),
        ("CEB621", {"totalPrice": "240.00"}, "customs.match.amount", "InventoryHead/totalPrice"),
    ],
)
def test_papers_that_contradict_each_other(
    kind: str, change: dict[str, str | None], code: str, place: str
) -> None:
    found = check_all(_four(**{kind: change})).findings
    assert any(
        one.code == code and one.path.endswith(place) and one.file == f"{kind}.xml" for one in found
    ), found
    # Nothing personal is said.
    for one in found:
        for value in ("990101", "样例", "示范路"):
            assert value not in one.reason + one.remedy


def test_a_purchase_is_judged_only_by_what_was_given() -> None:
    assert _codes(_four()[:1]) == set()
    # A deletion and a draft are not compared.
    for change in ({"appType": "3"}, {"appStatus": "1"}):
        assert "customs.match.amount" not in _codes(_four(CEB411={"amountPaid": "1", **change}))


def test_what_stands_twice() -> None:
    twice = [("a.xml", messages.message("CEB311", repeat=2))]
    assert _codes(twice) == {"customs.match.duplicate"}
    apart = [(name, messages.message("CEB311")) for name in ("a.xml", "b.xml")]
    [found] = check_all(apart).findings
    assert (found.file, found.code) == ("b.xml", "customs.match.duplicate")
    assert "a.xml" in found.reason


def _order(number: int, goods: str, qty: str = "2", **more: str) -> tuple[str, bytes]:
    change: dict[str, str | None] = {
        "orderNo": f"PX{number}",
        "goodsValue": goods,
        "freight": "0",
        "discount": "0",
        "taxTotal": "0",
        "acturalPaid": goods,
        "totalPrice": goods,
        "price": str(Decimal(goods) / int(qty)),
        "qty": qty,
        **more,
    }
    return f"{number}.xml", messages.message("CEB311", change)


def test_limits_of_an_order_and_of_a_person_in_a_year() -> None:
    assert _codes([_order(1, "5000")]) == set()
    assert _codes([_order(1, "5000.01")]) == {"customs.limit.order"}
    assert _codes([_order(1, "5000.01", qty="1")]) == {"customs.limit.order_single"}
    many = [_order(number, "5000") for number in range(5)]
    assert _codes(many) == set()
    assert _codes([*many, _order(5, "1000")]) == set()
    assert _codes([*many, _order(5, "1000.01")]) == {"customs.limit.person_year"}
    other = _order(5, "1000.01", buyerIdNumber="990101198808080021")
    assert "customs.limit.person_year" not in _codes([*many, other])
    # A statutory year is a year in China: this one is the next there.
    late = _order(5, "1000.01", appTime="20270101000000")
    assert _codes([*many, late]) == set()
    # With a list, its value counts, and once.
    assert _codes([_order(1, "5000"), *_four()[3:]]) <= {"customs.match.alone"}


def test_limits_are_dated() -> None:
    from datetime import date

    assert limits_on(date(2018, 12, 31)) is None
    today = limits_on(date(2026, 3, 5))
    assert today is not None
    assert (today.per_order, today.per_person_year) == (5000, 26000)


def test_every_kind_of_paper_is_checked(tmp_path: Path) -> None:
    papers = [
        (
            "broken.json",
            b'{"@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"], "type": "EP',
        ),
        ("empty.csv", b""),
        ("cut.xml", messages.message("CEB311")[:500]),
        ("receipt.xml", messages.message("SAS/SAS253")),
    ]
    checked = check_all(papers)
    assert {one.file for one in checked.findings} == {"broken.json", "empty.csv", "cut.xml"}
    assert all(one.severity == "error" and one.reason for one in checked.findings)
    assert checked.files["receipt.xml"] == "SAS/SAS253"


def test_the_command_in_both_languages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_bytes(messages.message("CEB311"))
    bad.write_bytes(messages.message("CEB621", {"emsNo": None, "unit": "999"}))
    assert _run(capsys, "--lang", "en", "check", good) == (
        0,
        f"{good}: CEB311, unsigned, nothing found\n1 file, 0 errors, 0 notes\n",
    )
    code, out = _run(capsys, "--lang", "zh", "check", bad)
    assert code == 2
    assert "账册编号" in out or "emsNo" in out
    assert "监管方式 1210 下" in out and "（emsNo）必填" in out.replace(" ", "")
    code, out = _run(capsys, "--lang", "en", "check", bad)
    assert "Fill in emsNo" in out
    assert "必填" not in out
    code, out = _run(capsys, "check", tmp_path, "--json")
    found = json.loads(out)
    assert (code, found["errors"]) == (2, 1)
    assert {one["code"] for one in found["findings"]} >= {
        "customs.field.mode_missing",
        "customs.field.code_unlisted",
    }
    first = next(one for one in found["findings"] if one["severity"] == "error")
    assert first["remedy"] and first["remedy_zh"] and first["path"].endswith("/emsNo")


@pytest.mark.parametrize(
    ("kind", "change", "code", "said"),
    [
        ("CEB621", {"currency": "1"}, "format", ["“1”", "恰好 3 个字符"]),
        ("CEB621", {"appTime": "20260230000000"}, "time", ["“20260230000000”", "yyyyMMddHHmmss"]),
        ("CEB311", {"appType": "7"}, "value", ["“7”", "只能填 1 或 2 或 3"]),
        ("CEB621", {"unit": "999"}, "code_unlisted", ["“999”", "unit"]),
        ("CEB311", {"acturalPaid": "1.00"}, "amount_paid", ["1.00", "277.71"]),
        ("CEB621", {"emsNo": None}, "mode_missing", ["1210", "（emsNo）"]),
        ("CEB311", {"buyerName": None}, "missing", ["（buyerName）"]),
    ],
)
def test_chinese_says_what_was_found_and_what_is_wanted(
    kind: str, change: dict[str, str | None], code: str, said: list[str]
) -> None:
    found = check_paper(messages.message(kind, change), "a.xml")
    one = next(one for one in found if one.code == f"customs.field.{code}")
    for part in said:
        assert part in one.reason_zh + one.remedy_zh, one


def test_a_refused_message_says_in_chinese_what_is_wanted() -> None:
    data = messages.message("CEB621", {"emsNo": None, "unit": "1"})
    with pytest.raises(InputError) as refused:
        read(data)
    lines = "\n".join(chinese_of(refused.value))
    assert "监管方式 1210 下" in lines
    assert "恰好 3 个字符" in lines
    assert chinese_of(InputError("xml.malformed", "No.")) == []


def test_chinese_repeats_no_personal_value() -> None:
    found = check_paper(messages.message("CEB311", {"buyerIdNumber": "9901011988"}), "a.xml")
    number = [one for one in found if one.path.endswith("buyerIdNumber")]
    assert number and not any("9901011988" in one.reason_zh + one.remedy_zh for one in number)


def test_a_signature_is_told_as_far_as_it_can_be_offline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = signing.rsa_key()
    whole = signing.sign(messages.message("CEB622"), key, signing.certificate(key))
    changed = whole.replace(b"returnStatus>800<", b"returnStatus>899<")
    strange = whole.replace(b"xmlenc#sha256", b"xmlenc#sha0")
    broken = changed.replace(b"<ceb:returnTime>", b"<ceb:returnTime>x", 1)
    papers = {"whole": whole, "changed": changed, "strange": strange, "bare": messages.message("CEB622")}
    for name, data in {**papers, "cut": whole[:-9], "broken": broken}.items():
        (tmp_path / f"{name}.xml").write_bytes(data)
    code, out = _run(capsys, "check", tmp_path, "--json")
    found = json.loads(out)
    states = {Path(file).stem: state for file, state in found["signatures"].items()}
    assert code == 2
    assert states == {
        "whole": "agrees",
        "changed": "differs",
        "strange": "unjudged",
        "bare": "unsigned",
        "cut": "unjudged",
        "broken": "differs",
    }
    told = {
        (Path(one["file"]).stem, one["code"], one["severity"])
        for one in found["findings"]
        if one["code"].startswith("customs.signature.")
    }
    assert told == {
        ("changed", "customs.signature.content", "error"),
        ("broken", "customs.signature.content", "error"),
        ("strange", "customs.signature.algorithm", "warning"),
    }
    differs = next(one for one in found["findings"] if one["code"] == "customs.signature.content")
    assert "摘要不符" in differs["reason_zh"] and differs["remedy_zh"] and differs["remedy"]
    assert _run(capsys, "--lang", "en", "check", tmp_path / "whole.xml")[1].startswith(
        f"{tmp_path / 'whole.xml'}: CEB622, signed: the digest agrees, the certificate is not judged offline, nothing"
    )
    assert "，未签名，未发现问题" in _run(capsys, "--lang", "zh", "check", tmp_path / "bare.xml")[1]


def test_a_sheet_is_not_called_unsigned() -> None:
    checked = check_all([("a.csv", b"Pallet,Case,Date\n")])
    assert checked.signatures == {}


def test_every_template_has_the_words_that_its_findings_carry() -> None:
    """Each call that makes a finding, against the braces of its template."""
    root = Path(__file__).resolve().parents[2] / "src" / "suyuan" / "customs"
    seen: set[str] = set()
    for file in root.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
                continue
            words = {one.arg for one in node.keywords if one.arg not in ("path", "remedy")}
            code: Any = node.args[0].value
            if words and code in _precise():
                seen.add(code)
                wanted = {
                    name for text in _precise()[code] for _, name, _, _ in Formatter().parse(text) if name
                }
                assert wanted <= words, (code, wanted - words)
    assert len(seen) > 20
    assert set(_precise()) <= set(_chinese())


def _raised_codes() -> set[str]:
    """Every code that the customs room writes down, but for what is told of signatures when a paper comes in."""
    root = Path(__file__).resolve().parents[2] / "src" / "suyuan" / "customs"
    codes: set[str] = set()
    for file in root.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                value: Any = node.value
                if value.startswith(
                    ("customs.field.", "customs.record.", "customs.match.", "customs.limit.")
                ):
                    codes.add(value)
    return codes


def test_every_finding_has_its_chinese_words() -> None:
    codes = {code for code in _raised_codes() if not code.endswith(".")}
    assert len(codes) > 25
    assert codes <= set(_chinese()), codes - set(_chinese())
    for code, texts in _chinese().items():
        assert len(texts) == 2, code
        assert all(texts), code
