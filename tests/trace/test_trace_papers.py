"""A paper that is asked for by itself, and what a walk says where it stops short of the whole."""

from __future__ import annotations

import pytest
from deployment import (
    OTHER_GTIN,
    Deployment,
    commissioned,
    container,
    item,
    moved,
    observed,
    paper,
    sscc,
    steps_of,
)

from suyuan.trace import PUBLIC, rows
from suyuan.trace.rows import ROW_LIMIT

DECLARATION = "urn:suyuan:declaration:516520250000001"
BOL = "urn:suyuan:bol:COSU0001"
ENTRY_LIST = "urn:suyuan:bonded-list:QD516525I000000001"


async def test_a_declaration_gives_the_events_that_name_it_and_the_papers_it_leads_to(
    deployment: Deployment,
) -> None:
    broker = await deployment.member("broker", "customs-broker")
    mine, other = item("A1"), item("A2")
    await deployment.say(
        broker,
        commissioned("2025-08-01", mine),
        # about particular goods: the declaration is shared
        observed(
            "2025-08-04", mine, bizStep="inspecting", bizTransactionList=[paper("declaration", DECLARATION)]
        ),
        observed(
            "2025-08-05",
            container(),
            bizStep="accepting",
            bizTransactionList=[paper("declaration", DECLARATION), paper("bol", BOL)],
        ),
        observed("2025-08-06", container(), bizStep="departing", bizTransactionList=[paper("bol", BOL)]),
        # the other item came with the same bill of lading and another declaration
        observed("2025-08-07", other, bizStep="storing", bizTransactionList=[paper("bol", BOL)]),
    )
    trace = await deployment.trace(DECLARATION)
    assert steps_of(trace.facts) == ["inspecting", "accepting", "departing"]
    assert [fact.tie.kind for fact in trace.facts] == ["direct", "direct", "document"]
    assert not trace.truncated
    # Its number can be guessed: the public is shown nothing of it.
    seen = await deployment.reader.read(DECLARATION, PUBLIC)
    assert seen is not None
    assert seen.facts == ()


async def test_a_bill_of_lading_does_not_lead_back_to_the_lists_that_name_it(deployment: Deployment) -> None:
    broker = await deployment.member("broker", "customs-broker")
    await deployment.say(
        broker,
        observed(
            "2025-08-05",
            container(),
            bizStep="accepting",
            bizTransactionList=[paper("bonded-list", ENTRY_LIST), paper("bol", BOL)],
        ),
        observed(
            "2025-08-06",
            container(),
            bizStep="storing",
            bizTransactionList=[paper("bonded-list", ENTRY_LIST)],
        ),
    )
    assert steps_of((await deployment.trace(BOL)).facts) == ["accepting"]
    assert steps_of((await deployment.trace(ENTRY_LIST)).facts) == ["accepting", "storing"]


async def test_rows_beyond_the_limit_are_named(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "ROW_LIMIT", 3)
    keeper = await deployment.member("keeper", "bonded-warehouse")
    tin = item("A1")
    await deployment.say(keeper, *(observed(f"2025-08-0{day}", tin, bizStep="storing") for day in (1, 2, 3)))
    assert not (await deployment.trace(tin)).truncated
    await deployment.say(keeper, observed("2025-08-04", tin, bizStep="storing"))
    assert (await deployment.trace(tin)).truncated


async def test_a_place_is_known_however_long_ago_it_was_said(deployment: Deployment) -> None:
    """The case stood on its pallet for two years before the item came into it, and the pallet moved since."""
    keeper = await deployment.member("keeper", "bonded-warehouse")
    tin, case = item("A1"), item("C1", OTHER_GTIN)
    await deployment.say(
        keeper,
        moved("2023-08-01", sscc(1), case),
        observed("2023-08-02", sscc(1), bizStep="inspecting"),
        moved("2025-08-01", case, tin),
        observed("2025-08-03", sscc(1), bizStep="storing"),
    )
    trace = await deployment.trace(tin)
    assert steps_of(trace.facts) == ["packing", "storing"]


async def test_a_pallet_that_was_emptied_long_ago_holds_nothing(deployment: Deployment) -> None:
    keeper = await deployment.member("keeper", "bonded-warehouse")
    tin, case = item("A1"), item("C1", OTHER_GTIN)
    await deployment.say(
        keeper,
        moved("2023-08-01", sscc(1), case),
        moved("2024-01-01", sscc(1), action="DELETE", bizStep="unpacking"),
        moved("2025-08-01", case, tin),
        observed("2025-08-03", sscc(1), bizStep="storing"),
    )
    assert steps_of((await deployment.trace(tin)).facts) == ["packing"]


async def test_a_thousand_events_that_name_the_same_two_papers_are_one_link(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exit list's gate pass is found though more parcels name the two together than rows are read."""
    monkeypatch.setattr(rows, "ROW_LIMIT", 5)
    broker = await deployment.member("broker", "customs-broker")
    together = [paper("declaration", DECLARATION), paper("bol", BOL)]
    tin = item("A1")
    await deployment.say(
        broker,
        observed(
            "2025-08-01", tin, bizStep="accepting", bizTransactionList=[paper("declaration", DECLARATION)]
        ),
        *(
            observed(f"2025-08-{day:02}", item(f"B{day}"), bizStep="storing", bizTransactionList=together)
            for day in range(2, 12)
        ),
        observed("2025-08-20", container(), bizStep="departing", bizTransactionList=[paper("bol", BOL)]),
    )
    trace = await deployment.trace(tin)
    assert steps_of(trace.facts) == ["accepting", "departing"]
    assert not trace.truncated
    assert ROW_LIMIT == 1000
