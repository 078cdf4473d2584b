"""The demo says what its doors say: a whole journey, and one with papers missing and wrong, on a real server."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from rich.console import Console
from rich.text import Text

from suyuan.cli.context import choose_language
from suyuan.cli.demo import begun_journey, run_journey
from suyuan.cli.demo_client import CommandLine, Demo
from suyuan.cli.demo_labels import LabelCapture, LabelReport, LabelWork, label_lines
from suyuan.cli.demo_orders import purchase_lines, purchase_of
from suyuan.cli.demo_server import free_port, fresh_directory, server, wait_for_server
from suyuan.cli.demo_summary import JourneyReport, masked, route_of, summary_lines
from suyuan.cli.journey import load_journey, load_manifest
from suyuan.enrolment.image_worker import can_look
from suyuan.errors import SuyuanError

EXAMPLES = Path(__file__).parents[2] / "examples"
DIRECT = EXAMPLES / "direct"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = fresh_directory(tmp_path_factory.mktemp("demo") / "data")
    port = free_port(0, "127.0.0.1")
    address = f"http://127.0.0.1:{port}"
    with (
        server(folder, "127.0.0.1", port, address) as process,
        httpx.Client(base_url=address, timeout=60, trust_env=False) as client,
        (folder / "screen").open("w", encoding="utf-8") as screen,
    ):
        wait_for_server(process, client, folder)
        yield Demo(client, CommandLine(folder), Console(file=screen, width=160), address)


@pytest.fixture(scope="module")
def faulty(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> JourneyReport:
    """One paper is gone, two are cut off, and nobody reports what arrived."""
    folder = tmp_path_factory.mktemp("faulty") / "direct"
    shutil.copytree(DIRECT, folder)
    (folder / "papers" / "07-inbound-detail-ceb711.xml").unlink()
    for name in ("08-import-list-ceb621.xml", "11-second-waybill.jsonld"):
        path = folder / "papers" / name
        path.write_bytes(path.read_bytes()[:-200])
    return run_journey(demo, folder)


@pytest.fixture(scope="module")
def whole(demo: Demo, faulty: JourneyReport) -> JourneyReport:
    """Afterwards everything is delivered, as it should have been."""
    assert faulty.papers
    return run_journey(demo, DIRECT)


@pytest.fixture
def chinese() -> Iterator[None]:
    choose_language("zh")
    with contextlib.ExitStack() as stack:
        stack.callback(choose_language, "en")
        yield


def lines_of(report: JourneyReport) -> list[str]:
    """The summary as it is read: without its colours."""
    return [Text.from_markup(line).plain for line in summary_lines(report)]


def test_the_second_waybill_and_the_short_parcel_are_read_back(whole: JourneyReport) -> None:
    number = load_journey(DIRECT).second_waybill
    assert whole.second_waybill == masked(number) == "SF...233"
    assert (whole.waybills, whole.steps_found) == (2, tuple(range(1, 15)))
    head, route, legs, *_ = lines_of(whole)
    assert head == (
        f"DIRECT  item {whole.item}   14 of 14 steps, second waybill SF...233, one parcel of the consignment short"
        " (not this one), from 26 papers"
    )
    assert route == "  Sydney 10-21 -> Guangzhou 10-22 -> released 10-22 -> Hangzhou 10-25"
    assert legs.startswith("  clause 486: 12/12 legs ")
    assert "  consignment 784-12345675: 412 parcels left, 411 arrived" in lines_of(whole)
    assert "  returned: this code is never sold again" in lines_of(whole)
    assert not any("refused" in line or "not delivered" in line for line in lines_of(whole))
    # The whole number stands nowhere in what the demo gives out.
    assert number not in msgspec.json.encode(whole).decode()


def test_wrong_and_missing_papers_are_told_and_the_rest_goes_on(faulty: JourneyReport) -> None:
    assert [delivery.paper for delivery in faulty.missing_papers] == ["07-inbound-detail-ceb711.xml"]
    assert [delivery.paper for delivery in faulty.refused_papers] == [
        "08-import-list-ceb621.xml",
        "11-second-waybill.jsonld",
    ]
    assert (faulty.papers, faulty.second_waybill, faulty.waybills) == (23, "", 1)
    lines = lines_of(faulty)
    assert lines[0].endswith("of 14 steps, from 23 papers")
    assert "  not delivered: 07-inbound-detail-ceb711.xml (step 7, baiyun-site)" in lines
    at = lines.index("  refused: 11-second-waybill.jsonld (step 11, example-express)")
    assert lines[at + 1].startswith("    json.malformed (line ")
    assert any(line.startswith("  missing: Into the supervised site") for line in lines)
    assert "  consignment 784-12345675: 412 parcels left, none reported as arrived" in lines
    assert "short" not in lines[0]


def test_an_item_that_no_paper_names_has_a_summary(demo: Demo, whole: JourneyReport, tmp_path: Path) -> None:
    assert whole.papers
    shutil.copytree(DIRECT, tmp_path / "direct")
    for path in (tmp_path / "direct" / "papers").iterdir():
        if b"{{" in path.read_bytes():
            path.unlink()
    report = run_journey(demo, tmp_path / "direct")
    assert (report.steps_found, report.facts_verified, report.route) == ((), 0, ())
    assert "  proof: no fact of this item is known yet" in lines_of(report)
    assert {delivery.step for delivery in report.missing_papers} == {3, 4, 14}


@pytest.mark.usefixtures("chinese")
def test_the_summary_speaks_chinese(whole: JourneyReport, faulty: JourneyReport) -> None:
    head, route, *_ = lines_of(whole)
    assert head == (
        f"直邮  商品 {whole.item}   14 步中找到 14 步，境内运单 SF...233，同批短少 1 件（非本件），来自 26 份单证"
    )
    assert route == "  悉尼 10-21 -> 广州 10-22 -> 放行 10-22 -> 杭州 10-25"
    lines = lines_of(faulty)
    assert "  未交付：07-inbound-detail-ceb711.xml（第 7 步，baiyun-site）" in lines
    assert any(line.startswith("  缺失：入监管场所，责任方：保税仓。") for line in lines)


def test_more_than_one_short_parcel_and_this_one_among_them(whole: JourneyReport) -> None:
    [found] = whole.consignments
    for missing, parcel, words in (
        (1, "missing", "one parcel of the consignment short (this one)"),
        (3, "missing", "3 parcels of the consignment short (this one among them)"),
        (3, "received", "3 parcels of the consignment short (not this one)"),
    ):
        report = msgspec.structs.replace(
            whole, consignments=({**found, "missing": missing, "parcel": parcel},)
        )
        assert words in lines_of(report)[0]


def test_a_delivery_borrows_no_place_from_before_the_release() -> None:
    def fact(day: int, city: str = "") -> dict[str, object]:
        place = {"city_en": city, "city_zh": city, "name_en": "", "name_zh": ""} if city else None
        return {"event_time": f"2025-10-{day}T08:00:00Z", "zone_offset": "+08:00", "place": place}

    facts = [fact(20, "Sydney"), fact(22, "Guangzhou"), fact(23), fact(24, "Hangzhou"), fact(25)]

    def route(without: int = -1) -> list[str]:
        kept = [each if at != without else {**each, "place": None} for at, each in enumerate(facts)]
        codes = {"departure": 0, "arrival": 1, "list-release": 2, "delivery": 4}
        legs = [{"code": code, "facts": [at]} for code, at in codes.items()]
        return route_of({"facts": kept}, {"legs": legs})

    assert route()[-1] == "Hangzhou 10-25"
    assert route(without=3)[-1] == "delivered 10-25"


def test_a_short_number_is_hidden_whole() -> None:
    assert masked("SF1399000000233") == "SF...233"
    assert masked("SF1399000") == "..."


def test_an_order_page_has_a_trace_with_a_label_and_without(demo: Demo) -> None:
    journey = load_journey(EXAMPLES / "ningbo")
    report = run_journey(demo, EXAMPLES / "ningbo")
    assert (report.steps_found, report.legs_present) == (tuple(range(1, 20)), report.legs_required)
    lines = lines_of(report)
    assert lines[0].startswith(f"NINGBO  pack {report.item}   19 of 19 steps, from ")
    assert "  same thing under: ningbo:330200251111000301" in lines
    city = "  Ningbo since 2019-01-01: a trace code of the city's system, met (rule not confirmed)"
    assert city in lines
    labelled, bare = report.orders
    assert (labelled.labelled, bare.labelled) == (True, False)
    at = lines.index(f"  order page YX...302: no label, its parcel, {bare.facts} facts")
    assert lines[at - 1] == f"  order page YX...301: labelled, its item, {labelled.facts} facts"
    assert lines[at + 1] == (
        "    The goods came in 2 consignments and no paper binds the goods of this parcel to one."
    )
    assert "  finding: 2 pieces left the ledger and no code was packed for them." in lines
    told = msgspec.json.encode(report).decode()
    assert journey.order not in told
    assert journey.unlabelled_order not in told


def check_labels(report: JourneyReport) -> None:
    """What the doors said of simulated captures of the bag's labels, and that it is told for what it is."""
    label = report.label
    assert label is not None
    if not can_look():
        assert lines_of(report)[label_line(report)].endswith("install suyuan[label]")
        return
    assert label.simulated and label.refused is None
    assert label.enrolled["A"] == 3 and label.enrolled["B"] >= 60
    answers = {(capture.track, capture.shown): capture.answer for capture in label.captures}
    assert answers.pop(("B", "replay")) in ("differs", "unclear")
    assert answers == {
        ("A", "itself"): "matches",
        ("A", "office_copy"): "differs",
        ("A", "reprint"): "differs",
        ("B", "itself"): "matches",
        ("B", "print"): "differs",
    }
    at = label_line(report)
    told = lines_of(report)[at : at + 8]
    assert told[1] == "    tag, a photo of this label: matches the enrolment"
    assert told[2] == "    tag, a photo of a copy by scanner and office printer: does not match"
    assert told[4] == "    dynamic label, a torch-lit clip of this label: matches the enrolment"
    assert told[7].strip() == label.meaning_en
    assert not re.search(r"fake|genuine|authentic", " ".join(told))
    # Both records are events of the item: its proof has them.
    assert report.facts_verified >= 22


def label_line(report: JourneyReport) -> int:
    [at] = [at for at, line in enumerate(lines_of(report)) if line.startswith("  label")]
    return at


@pytest.mark.usefixtures("chinese")
def test_labels_are_told_in_chinese_and_only_as_far_as_they_were_checked() -> None:
    capture = LabelCapture(
        track="B", shown="replay", answer="unclear", score=0.1, threshold=0.2, reasons=("tilt_path",),
        advice_en=("Tilt as shown.",), advice_zh=("请按提示倾斜手机。",),
    )  # fmt: skip
    report = LabelReport(
        enrolled={"A": 3, "B": 140},
        captures=(capture,),
        meaning_en="It means.",
        meaning_zh="含义。",
        seconds=2.04,
    )
    assert [Text.from_markup(line).plain for line in label_lines(report)] == [
        "  标签（图像均为模拟）：已登记吊牌 3 帧，动态标签 140 帧",
        "    动态标签，开灯短视频，播放其录像的屏幕：无法判断。请按提示倾斜手机。",
        "    含义。",
    ]
    refusal = {"code": "label.enrolment.frames", "path": "", "reason": "Too few [x].", "remedy": ""}
    assert [Text.from_markup(line).plain for line in label_lines(LabelReport(refused=refusal))] == [
        "  标签：未核对 label.enrolment.frames: Too few [x]."
    ]
    work = LabelWork.__new__(LabelWork)
    for fault, code in ((httpx.ReadTimeout("timed out"), "demo.label"), (SuyuanError("x.y", "No."), "x.y")):
        work._prepared = Future()
        work._prepared.set_exception(fault)
        refused = work.report().refused
        assert refused is not None and refused["code"] == code
    choose_language("en")
    [missing] = label_lines(LabelReport(missing="suyuan[label]"))
    assert Text.from_markup(missing).plain == "  label: not checked by image here; install suyuan[label]"
    assert list(label_lines(None)) == []


def test_without_the_extra_the_demo_says_so_and_goes_on(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("suyuan.cli.demo.can_look", lambda: False)
    with begun_journey(demo, EXAMPLES / "handbag") as begun:
        assert begun.labels() == LabelReport(missing="suyuan[label]")
    with begun_journey(demo, DIRECT) as begun:
        assert begun.labels() is None


def test_the_purchase_near_the_limit_is_told_with_it(demo: Demo, tmp_path: Path) -> None:
    report = run_journey(demo, EXAMPLES / "handbag")
    lines = lines_of(report)
    assert lines[0].startswith(f"HANDBAG bag {report.item}   15 of 15 steps, from 23 papers")
    assert "  same thing under: hangzhou:330100251204000749, valdora:VP-25A-000749" in lines
    assert "  purchase: order, payment, waybill, list agree; 4,980.00 of 5,000 yuan an order" in lines
    check_labels(report)
    # The labels were enrolled in the story, at the workshop, and not when the demo ran.
    [uri] = parse_qs(urlsplit(report.api).query)["uri"]
    facts = demo.wait_until_published(uri)["facts"]
    enrolled = [fact["event_time"] for fact in facts if fact["biz_step"].endswith(":enrolling")]
    assert [one[:16] for one in enrolled] == ["2025-12-02T08:10"] * 2

    # A payment that says another sum is named, and one that is gone is not compared.
    folder = tmp_path / "handbag"
    shutil.copytree(EXAMPLES / "handbag", folder)
    paid = folder / "papers" / "02-payment-ceb411.xml"
    paid.write_text(re.sub(r"(amountPaid>)[^<]*", r"\g<1>5000.00", paid.read_text("utf-8")), encoding="utf-8")
    journey, papers = load_journey(folder), load_manifest(folder)
    contradicted = purchase_of(journey, papers)
    assert contradicted is not None
    [line] = purchase_lines(contradicted)
    assert "contradict each other" in line
    assert contradicted.contradictions
    paid.unlink()
    without = purchase_of(journey, papers)
    assert without is not None
    assert (without.kinds, without.contradictions) == (("order", "waybill", "list"), ())
    (folder / "papers" / "01-order-ceb311.xml").unlink()
    assert purchase_of(journey, papers) is None
