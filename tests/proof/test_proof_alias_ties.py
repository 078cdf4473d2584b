"""A fact that says that two names are one thing ties one to the other, and no other fact does."""

from __future__ import annotations

import pytest

from suyuan.proof.ties import find_ties, is_about, steps_from

ALIASING = "urn:suyuan:bizstep:aliasing"


def fact(step: str = "", **lists: list[str]) -> dict[str, dict[str, None]]:
    names = {path: dict.fromkeys(uris) for path, uris in lists.items()}
    return {**names, "bizStep": {step: None}} if step else names


def test_both_directions() -> None:
    names = fact(ALIASING, epcList=["urn:a", "urn:b"])
    assert list(steps_from(names, "urn:a")) == [("alias", "urn:b")]
    assert list(steps_from(names, "urn:b")) == [("alias", "urn:a")]
    assert not is_about(names, ALIASING)


@pytest.mark.parametrize(
    "names",
    [
        fact("https://ref.gs1.org/cbv/BizStep-packing", epcList=["urn:a", "urn:b"]),
        fact(epcList=["urn:a", "urn:b"]),
        fact(ALIASING, epcList=["urn:a", "urn:b", "urn:c"]),
        fact(ALIASING, childEPCs=["urn:a", "urn:b"]),
    ],
)
def test_nothing_else_is_an_alias(names: dict[str, dict[str, None]]) -> None:
    assert not any(kind == "alias" for kind, _ in steps_from(names, "urn:a"))


def test_a_way_through_a_parcel_and_its_second_number() -> None:
    facts = [
        fact(parentID=["urn:parcel"], childEPCs=["urn:item"]),
        fact(ALIASING, epcList=["urn:parcel", "urn:second"]),
        fact("https://ref.gs1.org/cbv/BizStep-departing", epcList=["urn:second"]),
    ]
    ways = find_ties(facts, "urn:item")
    assert [tie.kind for tie in ways[2]] == ["containment", "alias"]
