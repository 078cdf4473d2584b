"""What a process keeps for all goods of a consignment never shows: a reading with it is one without it, always."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from deployment import (
    GTIN,
    OTHER_GTIN,
    Deployment,
    commissioned,
    container,
    item,
    moved,
    observed,
    of_lot,
    paper,
    parcel_paper,
    raw,
    sscc,
    withdrawn,
)

from suyuan.trace import OPERATOR, PUBLIC, TraceReader
from suyuan.trace.rows import fetch_rows
from suyuan.trace.shared import Shared

CASE = item("C1", OTHER_GTIN)
TINS = [item("A1"), item("A2"), item("A3")]
BOL = paper("bol", "COSU0001")
ENTRY = paper("bonded-list", "QD516525I000000001")
STORED = observed("2025-08-20", sscc(1), bizStep="storing")
LOADED = moved("2025-08-04", container(), sscc(1), bizStep="loading")
MOVING = observed("2025-08-05", container(), bizStep="departing", bizTransactionList=[BOL])
ENTERED = observed("2025-08-10", container(), bizStep="accepting", bizTransactionList=[BOL, ENTRY])
LISTED = observed("2025-08-11", container(), bizStep="storing", bizTransactionList=[ENTRY])
WAYBILL, SECOND = raw("waybill", "SF100", "SF"), raw("waybill", "YT200", "YT")

RECALL = observed(
    "2025-11-04",
    quantityList=[{"epcClass": f"https://id.gs1.org/01/{GTIN}"}],
    bizStep="urn:suyuan:bizstep:recalling",
    disposition="recalled",
)


def start() -> list[dict[str, object]]:
    """Three tins in one case on one pallet, a parcel with two of them."""
    return [
        commissioned("2025-08-01", *TINS),
        moved("2025-08-02", CASE, *TINS),
        moved("2025-08-03", sscc(1), CASE),
        LOADED,
        moved("2025-09-01", CASE, *TINS[:2], action="DELETE", bizStep="unpacking"),
        moved("2025-09-02", WAYBILL, *TINS[:2]),
        observed(
            "2025-09-03", WAYBILL, bizStep="departing", bizTransactionList=[parcel_paper("order", "O-1")]
        ),
    ]


def later() -> dict[str, dict[str, object]]:
    """What is said afterwards, each of it of a thing that the tins share."""
    return {
        "container": MOVING,
        "entry": ENTERED,
        "late paper": LISTED,
        "pallet": STORED,
        "parcel": observed("2025-09-04", WAYBILL, bizStep="arriving"),
        "lot": of_lot("2025-08-02", bizStep="sampling"),
        "unloaded": moved("2025-08-08", container(), sscc(1), action="DELETE", bizStep="unloading"),
        "withdrawn loading": withdrawn(LOADED),
        "withdrawn entry": withdrawn(ENTERED),
        "alias": observed("2025-09-03", WAYBILL, SECOND, bizStep="urn:suyuan:bizstep:aliasing"),
        "scan under the second number": observed("2025-09-05", SECOND, bizStep="arriving"),
        "recall": of_lot("2025-11-03", bizStep="urn:suyuan:bizstep:recalling", disposition="recalled"),
        "recall of the product": RECALL,
        "withdrawn recall": withdrawn(RECALL),
    }


class Pair:
    """A reader that keeps what it read, and a way to read without."""

    def __init__(self, deployment: Deployment) -> None:
        self.pool = deployment.pool
        self.shared = Shared()
        self.warm = TraceReader(self.pool, shared=self.shared)

    async def check(self, told: str) -> None:
        """All tins, their parcel and their papers, for both audiences."""
        for thing in (*TINS, CASE, sscc(1), container(), WAYBILL, SECOND, BOL["bizTransaction"]):
            cold = TraceReader(self.pool, shared=Shared(0))
            expected = await cold.read_views(thing, OPERATOR, PUBLIC)
            found = await self.warm.read_views(thing, OPERATOR, PUBLIC)
            assert [one.trace for one in found] == [one.trace for one in expected], (told, thing)
            assert [one.footprint for one in found] == [one.footprint for one in expected], (told, thing)
            for one, other in zip(found, expected, strict=True):
                assert [seen.masked for seen in one.seen] == [seen.masked for seen in other.seen]


def orders() -> Iterator[list[str]]:
    """Every rotation of what is said afterwards, forwards and backwards: each word comes early and late."""
    names = list(later())
    for first in range(0, len(names), 3):
        turned = names[first:] + names[:first]
        yield turned
        yield turned[::-1]


@pytest.mark.parametrize("order", list(orders()), ids=lambda order: order[0])
async def test_what_is_said_of_shared_things_shows_at_once(deployment: Deployment, order: list[str]) -> None:
    maker = await deployment.member("maker", "brand-owner", "bonded-warehouse", "courier", "customs-broker")
    said = later()
    pair = Pair(deployment)
    await deployment.say(maker, *start())
    await deployment.published()
    await pair.check("start")
    for name in order:
        await deployment.say(maker, said[name])
        # Before the log has taken it in, and after.
        await pair.check(name)
        await deployment.published()
        await pair.check(f"{name}, published")
    assert len(pair.shared.kept) > 20


async def test_what_others_say_of_the_same_events_shows_at_once(deployment: Deployment) -> None:
    maker = await deployment.member("maker", "brand-owner", "bonded-warehouse")
    other = await deployment.member("other", "bonded-warehouse")
    pair = Pair(deployment)
    await deployment.say(maker, *start(), MOVING, ENTERED)
    await deployment.published()
    await pair.check("start")
    before = await pair.warm.read(TINS[0], OPERATOR)
    await deployment.say(other, MOVING)
    await deployment.published()
    await pair.check("corroborated")
    after = await pair.warm.read(TINS[0], OPERATOR)
    assert before is not None and after is not None
    assert [fact.corroborations for fact in before.facts] != [fact.corroborations for fact in after.facts]
    # The one that stands speaks: the maker takes its word back, the other's stays.
    await deployment.say(maker, withdrawn(MOVING))
    await pair.check("taken back by one")
    await deployment.say(other, withdrawn(MOVING))
    await pair.check("taken back by both")


async def test_a_refused_alias_counts_as_soon_as_its_speaker_has_a_say(deployment: Deployment) -> None:
    stranger = await deployment.member("stranger", "bonded-warehouse")
    pair = Pair(deployment)
    twin = item("B9", OTHER_GTIN)
    await deployment.say(
        stranger, observed("2025-09-01", TINS[0], twin, bizStep="urn:suyuan:bizstep:aliasing")
    )
    await deployment.published()
    (reading,) = await pair.warm.read_views(TINS[0], OPERATOR)
    assert reading.trace.aliases == ()
    assert await pair.warm.unchanged(reading.footprint)
    await deployment.say(stranger, commissioned("2025-08-01", twin))
    assert not await pair.warm.unchanged(reading.footprint)
    assert (await pair.warm.read_views(TINS[0], OPERATOR))[0].trace.aliases == (twin,)


async def test_neighbours_read_shared_rows_once(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second tin of a parcel asks the tables for its own rows alone, in one statement."""
    maker = await deployment.member("maker", "brand-owner", "bonded-warehouse")
    await deployment.say(maker, *start(), MOVING, ENTERED, LISTED)
    await deployment.published()
    asked: list[int] = []

    async def counting(conn, spans, known):  # type: ignore[no-untyped-def]
        asked.append(len(spans))
        return await fetch_rows(conn, spans, known)

    monkeypatch.setattr("suyuan.trace.findings.fetch_rows", counting)
    reader = TraceReader(deployment.pool)
    await reader.read(TINS[0], PUBLIC)
    first, asked[:] = sum(asked), []
    await reader.read(TINS[1], PUBLIC)
    assert first > 5 and sum(asked) == 1
    # Nothing depends on it: dropped at any time, the reading is the same.
    kept = await reader.read(TINS[1], PUBLIC)
    assert kept == await TraceReader(deployment.pool, shared=Shared(0)).read(TINS[1], PUBLIC)


def test_rotations_put_every_word_before_every_other() -> None:
    before = {pair for order in orders() for pair in itertools.combinations(order, 2)}
    assert before == set(itertools.permutations(later(), 2))
