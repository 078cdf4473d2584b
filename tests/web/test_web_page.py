"""The consumer page as a pure function: what it says, in both languages, and what it never says."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import msgspec
import pytest
import web_samples as samples

from suyuan.compliance.model import CityDuty, Coverage
from suyuan.web.classify import block_of, segment_of, step_name
from suyuan.web.frame import security_headers
from suyuan.web.journey import import_record, journey
from suyuan.web.language import language
from suyuan.web.notice import render_notice
from suyuan.web.page import render_item_page
from suyuan.web.timeline import blocks, headline
from suyuan.web.verdict import verdict

BOTH = pytest.mark.parametrize("lang", ["zh-CN", "en"])


def page(lang: str, trace=None, coverage=None, scans=None, proof=None, settings=samples.SETTINGS) -> str:
    return render_item_page(trace or samples.trace(), coverage, scans, proof, lang, settings)


class Outline(HTMLParser):
    """Headings in order, ids, open tags and attributes of a document."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.stack: list[str] = []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name, value in attrs:
            self.attributes.append((f"{tag}.{name}", value or ""))
            if name == "id":
                self.ids.append(value or "")
        if tag not in {"meta", "link", "br", "path", "circle", "use"}:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"meta", "link", "br", "path", "circle", "use"}:
            assert self.stack.pop() == tag


@BOTH
def test_a_page_is_one_well_formed_document_without_scripts_or_inline_styles(lang: str) -> None:
    text = page(
        lang, samples.corrected(), samples.coverage({"load": "missing"}), samples.SCANS_MANY, samples.PROOF
    )
    outline = Outline(text)
    assert outline.stack == []
    assert text.startswith("<!doctype html>") and f'<html lang="{lang}">' in text
    assert "<script" not in text and "<style" not in text
    assert not [name for name, _ in outline.attributes if name.endswith(".style") or ".on" in name]
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.headings[0] == 1 and outline.headings.count(1) == 1
    assert all(
        after - before <= 1 for before, after in zip(outline.headings, outline.headings[1:], strict=False)
    )
    targets = {
        value for name, value in outline.attributes if name in ("use.href", "a.href") and value[:1] == "#"
    }
    assert {target[1:] for target in targets} <= set(outline.ids)
    labels = {
        one for name, value in outline.attributes if name.endswith("labelledby") for one in value.split()
    }
    assert labels <= set(outline.ids)


@pytest.mark.parametrize(
    ("changes", "scans", "code"),
    [
        ({}, None, "registered"),
        ({}, samples.SCANS_FIRST, "first"),
        ({}, samples.SCANS_MANY, "repeated"),
        ({}, samples.SCANS_SUSPICIOUS, "suspected"),
        ({"state": "suspected"}, None, "suspected"),
        ({"state": "voided"}, samples.SCANS_FIRST, "voided"),
        ({"state": "destroyed"}, None, "destroyed"),
        ({"state": "damaged"}, None, "damaged"),
        ({"state": "returned"}, None, "returned"),
        ({"state": "printed"}, samples.SCANS_FIRST, "unreleased"),
        ({"recall": samples.recall(), "state": "voided"}, samples.SCANS_FIRST, "recalled"),
        ({"serial": ""}, None, "class"),
    ],
)
@BOTH
def test_the_verdict_is_the_headline(lang: str, changes: dict, scans, code: str) -> None:
    trace = samples.trace(**changes)
    found = verdict(trace, scans, language(lang))
    assert found.code == code
    text = page(lang, trace, None, scans)
    assert f'<h1 id="verdict">{found.title}</h1>' in text
    assert "fake" not in text.lower() and "假" not in text


@pytest.mark.parametrize("state", ["printed", "damaged"])
@BOTH
def test_readers_are_asked_only_where_they_can_answer(lang: str, state: str) -> None:
    trace = samples.trace(state=state)
    words = language(lang)
    asked = ("tell us", "告诉我们", "向我们反映")
    mute, open_ = (verdict(trace, None, words, reportable=can).text for can in (False, True))
    assert open_.startswith(mute) and len(mute) > 5
    assert not any(one in mute for one in asked) and any(one in open_ for one in asked)
    nowhere = msgspec.structs.replace(samples.SETTINGS, report_url="")
    text = page(lang, trace, settings=nowhere)
    assert mute in text and not any(one in text for one in asked)


@BOTH
def test_nothing_is_said_of_scans_that_were_not_counted(lang: str) -> None:
    text = page(lang)
    assert "First verification" not in text and "首次验证" not in text


@BOTH
def test_only_a_standing_recall_raises_the_banner(lang: str) -> None:
    quiet, loud = page(lang), page(lang, samples.trace(recall=samples.recall()))
    assert "RC-2025-0007" in loud and 'role="alert"' in loud
    assert "RC-2025-0007" not in quiet and 'role="alert"' not in quiet


def test_facts_fall_into_the_five_blocks_and_segments() -> None:
    found = [(step_name(fact), block_of(fact), segment_of(fact)) for fact in samples.journey_facts()]
    assert found[0] == ("commissioning", "production", "factory")
    assert found[1] == ("inspecting", "production", "release")
    assert found[2] == ("inspecting", "third-party-inspection", "release")
    assert found[7] == ("departing", "transport", "import-export")
    assert found[10] == ("clearing", "clearance", "import-export")
    assert found[11] == ("inspecting", "declared-inspection", "import-export")
    assert found[14] == ("inspecting", "third-party-inspection", "import-export")
    assert found[18] == ("packing", "transport", "circulation")
    assert found[21] == ("arriving", "transport", "consumption")
    assert found[22] == ("verifying", "other", "consumption")


def test_an_inspection_is_third_party_by_what_was_earned_not_by_its_message() -> None:
    claimed = samples.fact(
        "2025-08-11T10:00", "+02:00", samples.CBV + "inspecting", samples.DAIRY, samples.PLANT
    )
    assert block_of(claimed) == "production"


def test_positions_run_through_all_blocks_in_the_order_of_time() -> None:
    shown = blocks(samples.trace(), language("en"))
    entries = [entry for block in shown for entry in block.entries]
    positions = sorted(record.position for entry in entries for record in entry.records)
    assert positions == list(range(1, len(samples.journey_facts()) + 1))
    for block in shown:
        first = [entry.records[0].position for entry in block.entries]
        assert first == sorted(first) != []
        for entry in block.entries:
            within = [record.position for record in entry.records]
            assert within == sorted(within)


@pytest.mark.parametrize(
    ("number", "english", "chinese"),
    [
        (0, "Lot produced", "批次生产"),
        (7, "Ship departed", "船舶启航"),
        (9, "Bonded list, entry: declared", "入区核注清单：已申报"),
        (10, "Import declaration: released by customs", "进境报关单：海关放行"),
        (17, "Parcel declaration: released by customs", "包裹清单：海关放行"),
        (20, "Bonded list, exit: approved by customs", "出区核注清单：海关审核通过"),
        (21, "Delivered and signed for", "送达并签收"),
    ],
)
def test_headlines(number: int, english: str, chinese: str) -> None:
    fact = samples.journey_facts()[number]
    assert headline(fact, language("en")) == english
    assert headline(fact, language("zh-CN")) == chinese


def test_an_unlisted_step_goes_by_its_own_name() -> None:
    fact = samples.fact("2025-08-11T10:00", "+02:00", "urn:suyuan:bizstep:blessing", samples.DAIRY, None)
    assert headline(fact, language("en")) == "blessing"


@BOTH
def test_a_forged_release_stays_a_paper_passed_on(lang: str) -> None:
    text = page(lang)
    wanted = {"en": "in the name of China Customs (district 5165)", "zh-CN": "以中国海关（关区 5165）名义"}
    assert wanted[lang] in text
    assert {"en": "Passed on by a partner", "zh-CN": "合作方转交"}[lang] in text
    assert "confirmed by authorities" not in text and "主管机关核实 " not in text


def test_times_are_local_and_a_day_stays_a_day() -> None:
    text = page("en")
    assert '<time datetime="2025-08-20T05:40:00+02:00">20 Aug 2025, 05:40 (UTC+2)</time>' in text
    assert '<time datetime="2025-10-23">23 Oct 2025</time>' in text
    assert '<time datetime="2025-08-20T05:40:00+02:00">2025年8月20日 05:40（UTC+2）</time>' in page("zh-CN")


@BOTH
def test_corrections_conflicts_waiting_facts_and_open_questions_are_named(lang: str) -> None:
    text = page(lang, samples.corrected(), None, None, samples.PROOF)
    words = language(lang)
    for message in (
        "withdrawn",
        "being logged",
        "Another record contradicts this one",
        "What the records leave open",
    ):
        assert words.t(message) in text
    assert words.name(samples.AMBIGUITY.reason_en, samples.AMBIGUITY.reason_zh) in text
    assert "wrong berth" in text


@BOTH
def test_missing_legs_are_named_with_who_owes_them(lang: str) -> None:
    states = {"gate-in": "missing", "exit-list": "late", "signed": "not yet due"}
    text = page(lang, None, samples.coverage(states))
    if lang == "en":
        assert "16 of 18 required steps present" in text
        assert "Entry into the bonded zone" in text and "owed by: bonded warehouse" in text
    else:
        assert "必需环节 18 个，已有 16 个" in text
        assert "入区过卡" in text and "应由保税仓提供" in text


def test_an_unknown_mode_is_not_scored() -> None:
    unknown = Coverage(mode="", profile="", legs=(), findings=(), assurance_counts={})
    text = page("en", None, unknown)
    assert "completeness is not scored" in text and "required steps present" not in text


def test_empty_blocks_are_hidden() -> None:
    text = page("en", samples.trace(facts=(), product={}, lot=""))
    for heading in (
        "The way",
        "Import record",
        "Every record, and",
        "Customs clearance",
        "Is the way complete?",
    ):
        assert heading not in text
    assert "Unnamed product" in text


def test_the_route_is_one_line_of_stops() -> None:
    line = journey(samples.trace(), language("en"))
    assert line is not None
    assert [stop.name for stop in line.stops] == ["Zwolle", "Rotterdam", "Nansha", "Chengdu"]
    assert [hop.text for hop in line.hops] == ["by road, 4 days", "by sea, 35 days", "by courier, 2 days"]
    assert line.text.startswith("Zwolle (4–14 Aug 2025) → Rotterdam")
    assert journey(samples.trace(facts=samples.journey_facts()[:3]), language("en")) is None


def test_the_import_record_is_read_off_the_facts() -> None:
    record = dict(import_record(samples.trace(), language("en")))
    assert record["Departed from"] == "Rotterdam, 20 Aug 2025"
    assert record["Transport mode"] == "by sea"
    assert record["Entry port"] == "Nansha port, 24 Sep 2025"
    assert record["Customs declaration no."] == "516620251000123456"
    assert record["Supervision no. (bonded list)"] == "QD516525I000012345"
    assert record["Parcel declaration"] == "ending in 0123, 8 Oct 2025"
    assert record["Delivered in"] == "Chengdu, 11 Oct 2025"


@BOTH
def test_what_a_trace_says_is_escaped(lang: str) -> None:
    bad = '<script>alert("1")</script>'
    trace = samples.trace(
        product={"name_en": bad, "name_zh": bad},
        lot=bad,
        facts=(
            msgspec.structs.replace(
                samples.journey_facts()[0], attributes={"result": bad}, biz_step=f"urn:suyuan:bizstep:{bad}"
            ),
        ),
        recall=msgspec.structs.replace(samples.recall(), reason=bad, number=bad),
    )
    text = page(lang, trace)
    assert "<script" not in text and "&lt;script&gt;" in text


def test_an_untrusted_product_name_cannot_break_out_of_a_translated_sentence() -> None:
    text = render_notice(
        "unknown", "zh-CN", samples.SETTINGS, address="/01/1", code="/01/1", product="<b onclick=x>"
    )
    assert "<b onclick" not in text


@BOTH
@pytest.mark.parametrize(
    "notice", ["unknown", "malformed", "not-a-code", "not-found", "unavailable", "failed"]
)
def test_notices_in_both_languages(lang: str, notice: str) -> None:
    text = render_notice(notice, lang, samples.SETTINGS, address="/01/1", code="/01/1")  # type: ignore[arg-type]
    outline = Outline(text)
    assert outline.stack == [] and outline.headings[0] == 1
    assert ("Report a problem" in text or "投诉与反馈" in text) == (notice in ("unknown", "malformed"))


def test_the_page_names_the_official_domain_the_limits_and_the_operator() -> None:
    text = page("en")
    assert "This page is official only at sy.example.cn." in text
    assert "does not prove what is inside" in text
    assert "粤ICP备00000000号-1" in text
    assert 'href="mailto:trace@example.cn?subject=%2F01%2F' in text
    bare = page("en", settings=msgspec.structs.replace(samples.SETTINGS, report_url="", icp_number=""))
    assert "Report a problem" not in bare and "beian" not in bare


def test_verify_it_yourself_holds_index_checkpoint_bundle_and_command() -> None:
    text = page("en", proof=samples.PROOF)
    details = text[text.index('<details id="verify-yourself">') :]
    for word in ("sy.example.cn/log", "48213", "#1200", "suyuan verify bundle.json --log-key", "/bundle/01/"):
        assert word in details
    before = text[: text.index('<details id="verify-yourself">')]
    assert "#1200" not in before and "checkpoint" not in before


def test_the_policy_allows_nothing_inline() -> None:
    policy = security_headers()["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy


def test_a_product_may_be_described_by_codes_alone() -> None:
    text = page("zh-CN", samples.trace(product={"name_en": "Milk", "origin_country": "NL"}))
    assert "荷兰" in text and "Milk" in text


def test_published_time_is_shown_when_known() -> None:
    proof = msgspec.structs.replace(samples.PROOF, published_at=datetime(2025, 11, 24, 3, 50, tzinfo=UTC))
    assert "24 Nov 2025, 11:50 (UTC+8)" in page("en", proof=proof)


@BOTH
def test_the_item_shows_its_codes_of_other_systems(lang: str) -> None:
    label = {"en": "Other code", "zh-CN": "其他编码"}[lang]
    codes = ("https://brand.example/c/7", "urn:suyuan:label:ccic:0002%2F7", "urn:suyuan:label:x:<b>")
    text = page(lang, samples.trace(aliases=codes))
    assert text.count(f"<dt>{label}</dt>") == 3
    assert '<span class="num">0002/7</span> <span class="soft">ccic</span>' in text
    assert '<span class="num">https://brand.example/c/7</span></dd>' in text
    assert "&lt;b&gt;" in text and 'num"><b>' not in text
    assert label not in page(lang)


def test_another_code_is_of_the_item_and_another_waybill_of_its_way() -> None:
    step = "urn:suyuan:bizstep:aliasing"
    code = samples.fact("2025-08-11T10:00", "+02:00", step, samples.DAIRY, None)
    waybill = samples.fact("2025-08-11T10:00", "+02:00", step, samples.DAIRY, None, tie="parcel")
    assert (block_of(code), block_of(waybill)) == ("production", "transport")
    assert headline(code, language("zh-CN")) == "登记另一编号"


def test_the_city_of_delivery_is_that_of_a_word_that_names_one() -> None:
    facts = samples.journey_facts()
    [signed] = [fact for fact in facts if fact.disposition.endswith("signed")]
    bare = msgspec.structs.replace(signed, place=None)
    rest = tuple(fact for fact in facts if fact is not signed)
    # A receipt without a place stands beside the courier's own word, which has one.
    both = dict(import_record(samples.trace(facts=(*rest, bare, signed)), language("en")))
    assert both["Delivered in"] == "Chengdu, 11 Oct 2025"

    def scan(hour: int, city: str, **changes: object) -> object:
        changes = {"attributes": {"city": city, "scanStatus": "in_transit"}, "disposition": "", **changes}
        return msgspec.structs.replace(bare, event_time=bare.event_time - timedelta(hours=hour), **changes)

    scans = (scan(30, "广州"), scan(6, "武汉"), scan(2, "成都"), scan(-3, "西安"))
    told = dict(import_record(samples.trace(facts=(*rest, *scans[:3], bare, scans[3])), language("en")))  # type: ignore[arg-type]
    assert told["Last courier scan in"] == "成都, 11 Oct 2025"
    assert told["Delivered"] == "11 Oct 2025"
    assert "Delivered in" not in told
    # What was told before the release is no way to the buyer, and nobody is guessed at.
    early = (scan(24 * 20, "上海"),)
    alone = dict(import_record(samples.trace(facts=(*early, *rest, bare)), language("en")))  # type: ignore[arg-type]
    assert "Last courier scan in" not in alone
    assert alone["Delivered"] == "11 Oct 2025"


def test_cities_that_couriers_tell_are_stops() -> None:
    facts = samples.journey_facts()
    [signed] = [fact for fact in facts if fact.disposition.endswith("signed")]
    seen = msgspec.structs.replace(
        signed,
        place=None,
        disposition="",
        event_time=signed.event_time - timedelta(hours=20),
        attributes={"city": "武汉", "scanStatus": "arrived"},
    )
    line = journey(
        samples.trace(facts=(*[f for f in facts if f is not signed], seen, signed)), language("en")
    )
    assert line is not None
    assert [stop.name for stop in line.stops][-2:] == ["武汉", "Chengdu"]


def test_a_citys_code_is_shown_with_its_city() -> None:
    duty = CityDuty(
        city="CNNGB", name_en="Ningbo", name_zh="宁波", requires="local-system", since=date(2019, 1, 1),
        until=None, met=True, basis="practice", confirmed=False, codes=("330200251111000301",),
    )  # fmt: skip
    english = dict(import_record(samples.trace(), language("en"), duty))
    assert english["City code"] == (
        "Ningbo, 330200251111000301, asked for since 1 Jan 2019 (rule not confirmed)"
    )
    chinese = dict(import_record(samples.trace(), language("zh-CN"), duty))
    assert chinese["城市追溯码"].startswith("宁波，330200251111000301，2019年1月1日 起要求")
    sure = msgspec.structs.replace(duty, confirmed=True)
    assert dict(import_record(samples.trace(), language("en"), sure))["City code"].endswith(
        "since 1 Jan 2019"
    )
    free = msgspec.structs.replace(duty, requires="not-yet-required")
    assert (
        dict(import_record(samples.trace(), language("en"), free))["City code"]
        == "Ningbo, 330200251111000301"
    )
    without = msgspec.structs.replace(duty, codes=())
    assert "City code" not in dict(import_record(samples.trace(), language("en"), without))
