"""The pure parts of a trace: intervals of containment, the state of an item, the recall that stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from facts import fact
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.trace.intervals import ADD, DELETE, OBSERVE, OPEN_END, OPEN_START, Interval, Move, containment
from suyuan.trace.model import Correction, Document, Party, Tie, TieLink
from suyuan.trace.state import recall_of, short_name, state_of

START = datetime(2025, 8, 1, tzinfo=UTC)
P, Q = b"P", b"Q"


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def move(hour: int, action: int, parent: bytes = P) -> Move:
    return Move(at(hour), action, parent, hour + 1)


def spans(moves: list[Move], emptied: list[Move] | None = None) -> list[tuple[bytes, Any, Any]]:
    """Intervals with hours for times, None where open."""
    return [
        (
            interval.parent,
            None if interval.since == OPEN_START else (interval.since - START) // timedelta(hours=1),
            None if interval.until == OPEN_END else (interval.until - START) // timedelta(hours=1),
        )
        for interval in containment(moves, emptied or [])
    ]


@pytest.mark.parametrize(
    ("moves", "emptied", "expected"),
    [
        ([], [], []),
        ([move(1, ADD)], [], [(P, 1, None)]),
        ([move(1, ADD), move(5, DELETE)], [], [(P, 1, 5)]),
        # seen inside: open from then, and never twice
        ([move(1, OBSERVE), move(2, OBSERVE), move(3, ADD)], [], [(P, 1, None)]),
        # one container, two trips
        (
            [move(1, ADD), move(2, DELETE), move(5, ADD), move(9, DELETE)],
            [],
            [(P, 1, 2), (P, 5, 9)],
        ),
        # into another one without leaving the first
        ([move(1, ADD), move(4, ADD, Q)], [], [(P, 1, 4), (Q, 4, None)]),
        ([move(1, ADD), move(4, ADD, Q), move(6, ADD)], [], [(P, 1, 4), (Q, 4, 6), (P, 6, None)]),
        # at one moment out comes before in
        ([move(4, ADD, Q), move(1, ADD), move(4, DELETE)], [], [(P, 1, 4), (Q, 4, None)]),
        # emptied as a whole
        ([move(1, ADD)], [move(7, DELETE)], [(P, 1, 7)]),
        ([move(1, ADD)], [move(0, DELETE)], [(P, 1, None)]),
        ([move(1, ADD)], [move(7, DELETE, Q)], [(P, 1, None)]),
        ([move(1, ADD), move(3, DELETE), move(8, ADD)], [move(5, DELETE)], [(P, 1, 3), (P, 8, None)]),
        # out without in: it was inside before
        ([move(5, DELETE)], [], [(P, None, 5)]),
        # but not before it was elsewhere, nor in a trip that ended before
        ([move(1, ADD, Q), move(3, DELETE, Q), move(5, DELETE)], [], [(Q, 1, 3), (P, 3, 5)]),
        ([move(1, ADD, Q), move(5, DELETE)], [], [(P, 1, 5), (Q, 1, 5)]),
        ([move(5, DELETE)], [move(2, DELETE)], [(P, 2, 5)]),
        ([move(5, DELETE), move(7, DELETE)], [], [(P, None, 5), (P, 5, 7)]),
    ],
)
def test_where_a_thing_was(
    moves: list[Move], emptied: list[Move], expected: list[tuple[bytes, int | None, int | None]]
) -> None:
    assert spans(moves, emptied) == expected
    assert spans(moves[::-1], emptied[::-1]) == expected


def test_an_interval_names_the_events_that_open_and_close_it() -> None:
    [interval] = containment([move(1, ADD), move(5, DELETE)])
    assert (interval.opened_by, interval.closed_by) == (2, 6)
    [interval] = containment([move(5, DELETE)])
    assert (interval.opened_by, interval.closed_by) == (0, 6)


def test_an_interval_is_cut_to_the_span_of_what_lies_in_it() -> None:
    interval = Interval(P, at(2), at(8), 1, 2)
    assert interval.clipped(at(0), at(5)) == Interval(P, at(2), at(5), 1, 2)
    assert interval.clipped(at(8), at(9)) == Interval(P, at(8), at(8), 1, 2)
    assert interval.clipped(at(9), at(10)) is None


MOVES = st.lists(
    st.builds(
        move, st.integers(0, 20), st.sampled_from([ADD, OBSERVE, DELETE]), st.sampled_from([P, Q, b"R"])
    ),
    max_size=12,
    unique_by=lambda one: (one.time, one.action, one.parent),
)


@given(MOVES, st.lists(st.builds(move, st.integers(0, 20), st.just(DELETE)), max_size=3), st.randoms())
@settings(deadline=None, max_examples=150)
def test_the_order_in_which_moves_become_known_does_not_matter(
    moves: list[Move], emptied: list[Move], random: Any
) -> None:
    shuffled = moves[:]
    random.shuffle(shuffled)
    assert containment(shuffled, emptied) == containment(moves, emptied)


@given(MOVES)
@settings(deadline=None, max_examples=150)
def test_a_thing_that_only_moves_in_is_in_one_container_at_a_time(moves: list[Move]) -> None:
    inward = [one for one in moves if one.action != DELETE]
    found = containment(inward)
    assert all(left.until <= right.since for left, right in pairwise(found))
    assert sum(interval.until == OPEN_END for interval in found) == (1 if inward else 0)
    for interval in containment(moves):
        assert OPEN_START <= interval.since <= interval.until <= OPEN_END


# -- state ----------------------------------------------------------------------------------------------------

DIRECT = Tie(kind="direct")
OF_LOT = Tie(kind="lot", links=(TieLink(kind="lot", uri="", label=""),))
IN_PALLET = Tie(kind="containment", links=(TieLink(kind="pallet", uri="", label=""),))
IN_PARCEL = Tie(kind="containment", links=(TieLink(kind="waybill", uri="", label=""),))
OF_PAPER = Tie(kind="document", links=(TieLink(kind="declaration", uri="", label=""),))
TAKEN_BACK = (
    Correction(
        party=Party(party_id="p", name_en="", name_zh="", role=""), declared_at=START, reason="did_not_occur"
    ),
)
BIRTH = fact("commissioning")


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ([], "unknown"),
        ([fact("inspecting")], "unknown"),
        ([fact("commissioning", tie=OF_LOT)], "commissioned"),
        ([BIRTH, fact("shipping", tie=OF_LOT)], "commissioned"),
        ([BIRTH, fact("packing"), fact("loading", tie=IN_PALLET)], "loaded"),
        ([BIRTH, fact("departing", tie=IN_PALLET), fact("arriving", tie=IN_PALLET)], "arrived"),
        ([BIRTH, fact("arriving", tie=OF_PAPER)], "commissioned"),
        ([BIRTH, fact("activating", "active")], "active"),
        ([BIRTH, fact("packing", things=("urn:suyuan:waybill:" + "a" * 52,))], "packed for the buyer"),
        ([BIRTH, fact("departing", tie=IN_PARCEL)], "dispatched"),
        ([BIRTH, fact("arriving", "signed", tie=IN_PARCEL)], "delivered"),
        ([BIRTH, fact("holding", "damaged"), fact("destroying", "destroyed")], "destroyed"),
        # The end of a code's life is the end.
        ([BIRTH, fact("destroying", "destroyed"), fact("shipping")], "destroyed"),
        ([BIRTH, fact("shipping", corrections=TAKEN_BACK)], "commissioned"),
        ([BIRTH, fact("urn:x:own-step", "urn:x:own")], "commissioned"),
    ],
)
def test_the_state_after_the_last_word(facts: list[Any], state: str) -> None:
    assert state_of(facts) == state


def test_bare_words_of_steps_and_dispositions() -> None:
    assert short_name("https://ref.gs1.org/cbv/BizStep-packing") == "packing"
    assert short_name("urn:suyuan:disp:released") == "released"
    assert short_name("urn:x:packing") == "urn:x:packing"


# -- recall ---------------------------------------------------------------------------------------------------

OWNER = Party(party_id="owner", name_en="Owner", name_zh="品牌方", role="brand-owner")
RC = (Document(kind="recall", uri="urn:suyuan:recall:RC-1", number="RC-1"),)


def test_a_recall_stands_until_one_who_may_lifts_it() -> None:
    raised = fact("recalling", "recalled", key=1, documents=RC, attributes={"reason": "bacteria"}, at=START)
    lifted = fact("releasing", "urn:suyuan:disp:recall_lifted", key=2)
    again = fact("inspecting", "recalled", key=3)
    recall = recall_of([raised], {1: OWNER}, "L1")
    assert recall is not None
    assert (recall.number, recall.reason, recall.lot, recall.since, recall.party) == (
        "RC-1",
        "bacteria",
        "L1",
        START,
        OWNER,
    )
    assert recall_of([raised, lifted], {1: OWNER, 2: OWNER}, "L1") is None
    # A stranger lifts nothing and raises nothing.
    assert recall_of([raised, lifted], {1: OWNER}, "L1") == recall
    assert recall_of([raised], {}, "L1") is None
    standing = recall_of([raised, lifted, again], {1: OWNER, 2: OWNER, 3: OWNER}, "L1")
    assert standing is not None
    assert standing.number == ""


def test_a_recall_that_was_taken_back_does_not_stand() -> None:
    raised = fact("recalling", "recalled", key=1, corrections=TAKEN_BACK)
    assert recall_of([raised], {1: OWNER}, "L1") is None
