"""Entries of the timeline: what belongs together stands together, nothing is lost, and the page stays light."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import web_samples as samples
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.customs import states
from suyuan.trace.model import Correction, Fact
from suyuan.trace.state import short_name
from suyuan.web.classify import block_of, paper_of
from suyuan.web.frame import stylesheet
from suyuan.web.grouping import group_facts
from suyuan.web.headlines import group_headline, headline, step_headline
from suyuan.web.language import language
from suyuan.web.page import render_item_page
from suyuan.web.timeline import blocks, entry_view
from suyuan.web.wording import CUSTOMS_STATES, REQUESTS, plain

OWN, CBV = samples.OWN, samples.CBV
DISP = "urn:suyuan:disp:"
CN = "+08:00"


def receipt(when: str, step: str, state: str, party=samples.BROKER, **more: object) -> Fact:
    """A step of a customs paper, as the public sees it."""
    relayed = step != "declaring"
    return samples.fact(
        when,
        CN,
        OWN + step,
        party,
        samples.ZONE,
        "relayed" if relayed else "self-declared",
        disposition=DISP + state,
        stated_by=samples.CUSTOMS if relayed else "",
        tie=str(more.pop("tie", "document")),
        **more,
    )


LIST_MARKS = {"direction": "I", "supervisionMode": "1210", "transportMode": "2"}
NUMBER = (("bonded-list", "QD516525I000012345"),)
ENTRY_LIST = [
    receipt("2025-09-25T10:05", "declaring", "declared", papers=NUMBER, attributes=LIST_MARKS),
    receipt("2025-09-25T10:22", "clearing", "approved", papers=NUMBER, attributes=LIST_MARKS),
    receipt("2025-10-20T10:15", "clearing", "deducted", papers=NUMBER, attributes=LIST_MARKS),
]
# The number of a gate pass is not for the public: it is known by its marks.
GATE = [
    receipt("2025-09-26T08:10", "declaring", "declared", samples.WAREHOUSE, papers=NUMBER,
            attributes={"direction": "I"}, tie="container"),
    receipt("2025-09-26T08:16", "clearing", "approved", samples.WAREHOUSE, papers=NUMBER,
            attributes={"direction": "I"}, tie="container"),
    samples.fact("2025-09-26T09:30", CN, CBV + "arriving", samples.WAREHOUSE, samples.ZONE, "relayed",
                 tie="container", papers=NUMBER, attributes={"direction": "I"},
                 disposition=DISP + "passed_gate", stated_by=samples.CUSTOMS),
]  # fmt: skip
COURIER = [
    samples.fact(when, CN, CBV + step, samples.COURIER, samples.CHENGDU, tie="parcel")
    for when, step in (
        ("2025-10-09T07:25", "accepting"),
        ("2025-10-09T09:10", "arriving"),
        ("2025-10-09T22:40", "departing"),
        ("2025-10-10T21:05", "arriving"),
        ("2025-10-11T08:30", "transporting"),
    )
]
INTAKE = [
    samples.fact("2025-09-26T14:00", CN, CBV + step, samples.WAREHOUSE, samples.ZONE, tie="pallet")
    for step in ("receiving", "unpacking", "unloading")
]


@pytest.mark.parametrize(
    ("facts", "english", "chinese", "steps"),
    [
        (ENTRY_LIST, "Bonded list, entry: deducted from the ledger", "入区核注清单：账册已核扣",
         ["已申报", "海关审核通过", "账册已核扣"]),
        (GATE, "Entered the bonded zone", "入区过卡", ["已申报", "海关审核通过", "已过卡"]),
        (GATE[:2], "Gate pass, entry: approved by customs", "入区核放单：海关审核通过",
         ["已申报", "海关审核通过"]),
        (COURIER, "On the way with the courier", "快递运输途中", None),
        (INTAKE, "Taken into the warehouse", "入库理货", ["收货", "拆柜理货", "卸货"]),
    ],
)  # fmt: skip
def test_what_belongs_together_is_one_entry(
    facts: list[Fact], english: str, chinese: str, steps: list[str] | None
) -> None:
    assert group_facts(facts) == [tuple(range(len(facts)))]
    assert group_headline(facts, language("en")) == english
    words = language("zh-CN")
    assert group_headline(facts, words) == chinese
    if steps is not None:
        assert [step_headline(fact, words) for fact in facts] == steps


def test_a_list_a_gate_pass_and_a_declaration_are_told_apart_without_their_numbers() -> None:
    declaration = receipt(
        "2025-09-25T10:40", "declaring", "declared", papers=(("declaration", "516620251000123456"), *NUMBER)
    )
    papers = [paper_of(fact) for fact in (ENTRY_LIST[0], GATE[0], GATE[2], declaration)]
    assert papers == ["bonded-list", "gate-pass", "gate-pass", "declaration"]
    exit_list = receipt(
        "2025-10-09T18:00", "declaring", "declared", attributes={**LIST_MARKS, "direction": "E"}
    )
    assert headline(exit_list, language("en")) == "Bonded list, exit: declared"
    assert len(group_facts([ENTRY_LIST[0], GATE[0], declaration, exit_list])) == 4


def test_papers_without_a_number_stay_apart_when_far_apart() -> None:
    later = msgspec.structs.replace(GATE[0], event_time=GATE[0].event_time + timedelta(days=30))
    assert group_facts([*GATE, later]) == [(0, 1, 2), (3,)]


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("manufacturer", "Packed into a case"),
        ("seller", "Packed"),
        ("platform", "Packed"),
        ("courier", "Packed"),
    ],
)
def test_what_a_seller_packs_abroad_is_not_called_a_case(role: str, said: str) -> None:
    party = msgspec.structs.replace(samples.DAIRY, role=role)
    packed = samples.fact("2025-10-21T09:10", "+11:00", CBV + "packing", party, samples.PLANT)
    assert headline(packed, language("en")) == said


def test_a_withdrawn_receipt_speaks_for_nothing_and_is_not_overlooked() -> None:
    withdrawal = Correction(
        party=samples.BROKER,
        declared_at=datetime(2025, 10, 21, tzinfo=UTC),
        reason="https://ref.gs1.org/cbv/ER-incorrect_data",
    )
    gone = msgspec.structs.replace(ENTRY_LIST[2], corrections=(withdrawal,))
    entry = entry_view(list(enumerate([*ENTRY_LIST[:2], gone], 1)), language("en"))
    assert entry.title == "Bonded list, entry: approved by customs"
    assert entry.opened and not entry.withdrawn
    assert entry.records[2].withdrawn == (
        "Withdrawn on 21 Oct 2025, 08:00 (UTC+8) by Nanyue Customs Broker: its data was wrong",
    )


def test_an_entry_says_who_and_how_sure_for_each_of_its_records() -> None:
    entry = entry_view(list(enumerate(ENTRY_LIST, 1)), language("en"))
    assert entry.who == ("Nanyue Customs Broker · customs broker",)
    assert entry.levels == ("relayed", "self-declared")
    assert [record.assurance for record in entry.records] == ["self-declared", "relayed", "relayed"]
    assert entry.remarks == ("About its papers",)
    assert "in the name of China Customs (district 5165)" in entry.records[1].remarks
    assert entry.when == "25 Sep – 20 Oct 2025" and entry.records[1].when == "25 Sep, 10:22 (UTC+8)"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([*samples.journey_facts(), *ENTRY_LIST, *GATE, *COURIER, *INTAKE]), max_size=40)
)
def test_any_facts_are_each_shown_once_and_groups_keep_to_their_block(facts: list[Fact]) -> None:
    ordered = sorted(facts, key=lambda fact: fact.event_time)
    groups = group_facts(ordered)
    assert sorted(position for group in groups for position in group) == list(range(len(ordered)))
    for group in groups:
        assert len({block_of(ordered[position]) for position in group}) == 1
    shown = blocks(samples.trace(facts=tuple(ordered)), language("zh-CN"))
    assert sum(block.size for block in shown) == len(ordered)


def test_every_state_that_customs_gives_has_words() -> None:
    given_states = {
        short_name(state.disposition)
        for table in vars(states).values()
        if isinstance(table, dict)
        for state in table.values()
        if isinstance(state, states.DocumentState)
    }
    assert len(given_states) > 10
    for state in given_states:
        request, _, rest = state.partition("_")
        assert state in CUSTOMS_STATES or (request in REQUESTS and rest in CUSTOMS_STATES), state


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("https://partner.example/voc/cold_check", "cold check"),
        ("urn:x:step:deep-freezing", "deep freezing"),
        ("https://partner.example/voc#Weighing", "Weighing"),
        ("", ""),
    ],
)
def test_a_word_of_somebody_elses_vocabulary_can_be_read(word: str, shown: str) -> None:
    assert plain(word) == shown


def fifty_facts() -> tuple[Fact, ...]:
    """The sample journey with the receipts and scans that a real one has: fifty facts."""
    more = [*ENTRY_LIST, *GATE, *COURIER, *INTAKE]
    more += [
        msgspec.structs.replace(fact, event_time=fact.event_time + timedelta(days=13)) for fact in more[:12]
    ]
    facts = sorted([*samples.journey_facts(), *more], key=lambda fact: fact.event_time)
    assert len(facts) == 50
    return tuple(msgspec.structs.replace(fact, log_index=48_000 + n) for n, fact in enumerate(facts))


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_the_first_view_of_a_long_way_stays_within_50_kb_uncompressed(lang: str) -> None:
    trace = samples.trace(recall=samples.recall(), facts=fifty_facts())
    holes = samples.coverage({"gate-in": "missing", "exit-list": "late", "signed": "not yet due"})
    text = render_item_page(trace, holes, samples.SCANS_MANY, samples.PROOF, lang, samples.SETTINGS)
    assert len(text.encode()) + len(stylesheet()[1]) <= 50_000
