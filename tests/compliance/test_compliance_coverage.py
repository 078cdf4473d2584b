"""Legs of clause 486: what a trace proves, what is missing, late or contradictory, and who owes it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from facts import fact, place, trace_of

from suyuan.compliance.coverage import coverage_of, mode_of
from suyuan.compliance.legs import Condition, Profile, find_profile, load_profiles, read_profile
from suyuan.compliance.model import Coverage, Leg
from suyuan.errors import InputError
from suyuan.trace.model import Correction, Document, Fact, Party

DAY = timedelta(days=1)
START = datetime(2025, 8, 1, 2, tzinfo=UTC)
PROFILE = read_profile(
    b"""
mode = "1210"
name_en = "Three legs"
name_zh = "\xe4\xb8\x89"
valid_from = 2019-01-01

[[leg]]
code = "departure"
name_en = "Departed"
name_zh = "\xe5\x90\xaf\xe8\xbf\x90"
owed_by = "carrier"
[[leg.is]]
steps = ["departing"]

[[leg]]
code = "release"
name_en = "Released"
name_zh = "\xe6\x94\xbe\xe8\xa1\x8c"
owed_by = "customs-broker"
after = "departure"
days = 10
[[leg.is]]
papers = ["declaration"]
dispositions = ["released"]

[[leg]]
code = "test"
name_en = "Tested"
name_zh = "\xe6\xa3\x80\xe6\xb5\x8b"
owed_by = "laboratory"
conditional = true
[[leg.is]]
steps = ["inspecting"]

[[leg]]
code = "delivery"
name_en = "Delivered"
name_zh = "\xe7\xad\xbe\xe6\x94\xb6"
owed_by = "courier"
after = "release"
days = 5
[[leg.is]]
dispositions = ["signed"]
""",
    path="three.toml",
)
DECLARATION = (Document(kind="declaration", uri="urn:suyuan:declaration:1", number="1"),)
MODE = {"supervisionMode": "1210"}


def departed(days: float = 0, **fields: Any) -> Fact:
    return fact("departing", at=START + days * DAY, attributes=MODE, **fields)


def released(days: float, word: str = "released", step: str = "clearing", **fields: Any) -> Fact:
    return fact(step, word, at=START + days * DAY, documents=DECLARATION, **fields)


def signed(days: float, **fields: Any) -> Fact:
    return fact("arriving", "signed", at=START + days * DAY, **fields)


def coverage(*facts: Fact, now: float = 3) -> Coverage:
    ordered = sorted(facts, key=lambda one: one.event_time)
    return coverage_of(trace_of(*ordered), [PROFILE], START + now * DAY)


def states(*facts: Fact, now: float = 3) -> list[str]:
    return [leg.state for leg in coverage(*facts, now=now).legs]


def leg(found: Coverage, code: str) -> Leg:
    return next(leg for leg in found.legs if leg.code == code)


def test_what_is_there_and_what_is_not_yet_due() -> None:
    assert states(departed()) == ["present", "not yet due", "not required", "not yet due"]
    found = coverage(departed(), released(2), signed(4))
    assert [leg.state for leg in found.legs] == ["present", "present", "not required", "present"]
    assert (found.present, found.required, found.mode, found.profile) == (3, 3, "1210", "1210/2019-01-01")
    assert leg(found, "delivery").owed_by == "courier"


def test_a_leg_whose_time_is_over_is_missing() -> None:
    found = coverage(departed(), now=9)
    assert leg(found, "release").state == "not yet due"
    missing = leg(coverage(departed(), now=12), "release")
    assert (missing.state, missing.owed_by) == ("missing", "customs-broker")
    assert "2025-08-11" in missing.reason_en
    assert "2025-08-11" in missing.reason_zh


def test_a_leg_that_later_legs_skipped_is_missing() -> None:
    found = coverage(departed(), signed(4))
    assert leg(found, "release").state == "missing"
    assert "Delivered" in leg(found, "release").reason_en


def test_days_end_with_the_chinese_day() -> None:
    """Departed at 23:00 UTC on 1 August, which is 2 August in China: ten days end with 12 August there."""
    late_evening = departed(21 / 24)
    due = leg(coverage(late_evening), "release").due
    assert due == datetime(2025, 8, 12, 15, 59, 59, tzinfo=UTC)
    assert states(late_evening, released(11.5))[1] == "present"  # 12 August, 22:00 in China
    assert states(late_evening, released(11.6))[1] == "late"  # 13 August, 00:24 in China


def test_late_is_there_and_says_so() -> None:
    found = coverage(departed(), released(20))
    assert leg(found, "release").state == "late"
    assert found.present == 2


def test_contradictions() -> None:
    assert states(departed(), released(2, conflicts=1))[1] == "contradictory"
    # released before it departed
    assert states(departed(), released(-1))[1] == "contradictory"
    assert states(departed(), released(-1, day_precision=True))[1] == "present"
    # a later receipt of customs takes the release back
    assert states(departed(), released(2), released(3, "rejected"))[1] == "contradictory"
    assert states(departed(), released(4), released(3, "rejected"))[1] == "present"
    other = (Document(kind="declaration", uri="urn:suyuan:declaration:2", number="2"),)
    refusal = fact("clearing", "rejected", at=START + 3 * DAY, documents=other)
    assert states(departed(), released(2), refusal)[1] == "present"


def test_what_was_withdrawn_does_not_count() -> None:
    taken_back = (
        Correction(party=Party(party_id="p", name_en="", name_zh="", role=""), declared_at=START, reason=""),
    )
    assert states(departed(), released(2, corrections=taken_back))[1] == "not yet due"
    rejected = released(3, "rejected", corrections=taken_back)
    assert states(departed(), released(2), rejected)[1] == "present"


def test_the_best_assurance_of_a_leg_counts_once() -> None:
    found = coverage(departed(assurance="inspected"), released(2), released(2.5, assurance="relayed"))
    assert leg(found, "release").assurance == "relayed"
    assert leg(found, "release").facts == (1, 2)
    assert found.assurance_counts == {
        "authority-verified": 0,
        "relayed": 1,
        "inspected": 1,
        "partner-signed": 0,
        "self-declared": 0,
    }


# -- mode -----------------------------------------------------------------------------------------------------


def stated(**attributes: str) -> Fact:
    return fact("declaring", attributes=attributes)


def test_the_mode_is_what_the_papers_say() -> None:
    assert mode_of([stated(supervisionMode="1210")])[0] == "1210"
    assert mode_of([stated(tradeMode="9610")])[0] == "9610"
    awb = (Document(kind="awb", uri="urn:suyuan:awb:1", number="1"),)
    assert mode_of([fact("waybill_issued", documents=awb)]) == ("9610", [])
    assert mode_of([fact("departing")]) == ("unknown", [])
    mode, findings = mode_of([stated(supervisionMode="1210"), stated(tradeMode="9610")])
    assert (mode, [finding.code for finding in findings]) == ("9610", ["coverage.mode.conflict"])
    assert "1210, 9610" in findings[0].reason_en


def test_what_is_unknown_is_not_scored() -> None:
    found = coverage_of(trace_of(fact("departing")), [PROFILE], START)
    assert (found.mode, found.legs, found.required) == ("unknown", (), 0)
    assert [finding.code for finding in found.findings] == ["coverage.mode.unknown"]
    found = coverage_of(trace_of(stated(tradeMode="0110")), [PROFILE], START)
    assert [finding.code for finding in found.findings] == ["coverage.mode.no_profile"]
    # An empty trace is no error.
    assert coverage_of(trace_of(), [PROFILE], START).mode == "unknown"


# -- profiles -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        (Condition(steps=("departing",)), True),
        (Condition(steps=("arriving", "departing"), papers=("declaration",)), True),
        (Condition(steps=("arriving",)), False),
        (Condition(papers=("bol",)), False),
        (Condition(dispositions=("in_transit",)), True),
        (Condition(things=("container",)), True),
        (Condition(things=("waybill",)), False),
        (Condition(countries=("CN", "NL")), True),
        (Condition(countries=("CN",)), False),
        (Condition(outside=("CN",)), True),
        (Condition(outside=("NL",)), False),
    ],
)
def test_every_line_must_hold_and_one_entry_of_it_is_enough(condition: Condition, met: bool) -> None:
    departure = fact(
        "https://ref.gs1.org/cbv/BizStep-departing",
        "https://ref.gs1.org/cbv/Disp-in_transit",
        documents=DECLARATION,
        things=("urn:epc:id:bic:COSU9876546",),
        place=place("NL"),
    )
    assert condition.met_by(departure) is met


def test_the_shipped_profiles_can_be_read() -> None:
    profiles = load_profiles()
    assert {"1210", "9610"} <= {profile.mode for profile in profiles}
    bonded = find_profile(profiles, "1210", date(2025, 1, 1))
    assert bonded is not None
    assert len(bonded.legs) == 18
    assert all(rule.name_zh and rule.owed_by for rule in bonded.legs)
    # Before the law was in force nothing is asked for.
    assert find_profile(profiles, "1210", date(2018, 12, 31)) is None


def test_an_operators_profile_wins_from_its_date_on(tmp_path: Path) -> None:
    text = """
mode = "1210"
name_en = "Stricter"
name_zh = "更严"
valid_from = {day}
[[leg]]
code = "departure"
name_en = "Departed"
name_zh = "启运"
owed_by = "carrier"
[[leg.is]]
steps = ["departing"]
"""
    (tmp_path / "stricter.toml").write_text(text.format(day="2026-01-01"), encoding="utf-8")
    (tmp_path / "same.toml").write_text(text.format(day="2019-01-01"), encoding="utf-8")
    profiles = load_profiles(tmp_path)

    def legs(day: date) -> int:
        profile: Profile | None = find_profile(profiles, "1210", day)
        assert profile is not None
        return len(profile.legs)

    assert (legs(date(2025, 6, 1)), legs(date(2026, 1, 1))) == (1, 1)
    assert [p.name_en for p in profiles if p.mode == "1210"] == ["Stricter", "Stricter"]


_HEAD = b'mode = "1210"\nname_en = "a"\nname_zh = "b"\nvalid_from = 2019-01-01\n'
_LEG = b'[[leg]]\ncode = "x"\nname_en = "a"\nname_zh = "b"\nowed_by = "carrier"\n'
_IS = b'[[leg.is]]\nsteps = ["departing"]\n'


@pytest.mark.parametrize(
    "text",
    [
        b"\xff",
        b"mode = ",
        b'mode = "1210"',
        _HEAD + _LEG + b'after = "nowhere"\n' + _IS,
        _HEAD + _LEG + _IS + _LEG + _IS,
        _HEAD + _LEG,
        _HEAD + _LEG + b'[[leg.is]]\nstepz = ["departing"]\n',
        _HEAD + b"unknown = 1\n" + _LEG + _IS,
    ],
)
def test_a_profile_that_makes_no_sense_is_refused(text: bytes) -> None:
    with pytest.raises(InputError) as refusal:
        read_profile(text, path="x.toml")
    assert (refusal.value.code, refusal.value.path) == ("compliance.legs.malformed", "x.toml")
