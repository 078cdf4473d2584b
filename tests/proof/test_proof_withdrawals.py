"""What was taken back shows no tie, and a declaration takes back only what it repeats."""

from __future__ import annotations

import pytest

from suyuan.disclosure.commitment import DisclosedClaim, DisclosedEvent
from suyuan.errors import VerificationError
from suyuan.proof.ties import DECLARED_PATH, Tie, find_ties, names_of_all, verify_ties
from suyuan.proof.withdrawals import verify_withdrawals

PACKING = {
    "type": "AggregationEvent",
    "eventTime": "2025-08-01T00:00:00.000Z",
    "parentID": "urn:case",
    "childEPCs": "urn:item",
    "statement/party": "maker",
}
SHIPPING = {**PACKING, "type": "ObjectEvent", "epcList": "urn:case"}
DECLARED = {DECLARED_PATH: "2025-12-01T00:00:00.000Z"}


def event(claims: dict[str, str]) -> DisclosedEvent:
    listed = [DisclosedClaim(path, value, b"", number) for number, (path, value) in enumerate(claims.items())]
    return DisclosedEvent(b"", len(listed), tuple(listed), ())


def test_neither_the_fact_nor_its_declaration_shows_a_tie() -> None:
    shipping = {name: SHIPPING[name] for name in ("type", "eventTime", "epcList", "statement/party")}
    way = [Tie("containment", 0, "urn:item", "urn:case")]
    standing = [event(PACKING), event(shipping), event({**PACKING, **DECLARED})]
    names = names_of_all(standing, [(), (), ()])
    verify_ties(names, "urn:item", 1, way)
    taken_back = names_of_all(standing, [(), (), (0,)])
    assert find_ties(taken_back, "urn:item") == {0: (), 2: ()}
    for shown_by in (0, 2):
        with pytest.raises(VerificationError) as caught:
            verify_ties(taken_back, "urn:item", 1, [way[0]._replace(fact=shown_by)])
        assert caught.value.code == "bundle.tie.not_shown"


@pytest.mark.parametrize(
    "change",
    [
        {"statement/party": "other"},
        {"eventTime": "2025-08-01T00:00:00.001Z"},
        {"type": "ObjectEvent"},
        {"parentID": "urn:another"},
        {"statement/eventID": "ni:///2"},
        DECLARED,
    ],
)
def test_a_declaration_repeats_what_it_takes_back(change: dict[str, str]) -> None:
    declaration = event({**PACKING, **DECLARED, "statement/eventID": "ni:///1"})
    verify_withdrawals([event(PACKING), declaration], [(), (0,)])
    with pytest.raises(VerificationError) as caught:
        verify_withdrawals([event({**PACKING, **change}), declaration], [(), (0,)])
    assert caught.value.code in ("bundle.withdrawal.mismatch", "bundle.withdrawal.unnamed")
    hidden = {path: value for path, value in PACKING.items() if path != "statement/party"}
    with pytest.raises(VerificationError, match=r"bundle\.withdrawal\.mismatch"):
        verify_withdrawals([event(hidden), declaration], [(), (0,)])
