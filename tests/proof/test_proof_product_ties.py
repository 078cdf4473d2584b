"""A recall that names the GTIN alone is tied to its items and lots by their own URIs; nothing else is."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from suyuan.errors import VerificationError
from suyuan.proof.ties import Names, Tie, find_ties, product_of, verify_ties

GTIN = "https://id.gs1.org/01/08710000001236"
ITEM, LOT = f"{GTIN}/21/A1", f"{GTIN}/10/L1"
RECALLING = "urn:suyuan:bizstep:recalling"
RECALLED = "https://ref.gs1.org/cbv/Disp-recalled"


def fact(*, step: str = "", disposition: str = "", **lists: list[str]) -> dict[str, dict[str, None]]:
    names = {path.replace("__", "/"): dict.fromkeys(uris) for path, uris in lists.items()}
    names |= {"bizStep": {step: None}} if step else {}
    return names | ({"disposition": {disposition: None}} if disposition else {})


RECALL = fact(step=RECALLING, quantityList__epcClass=[GTIN])
ORDER = fact(step="https://ref.gs1.org/cbv/BizStep-picking", quantityList__epcClass=[GTIN])
DIRECT = fact(epcList=[ITEM])


@pytest.mark.parametrize(
    ("uri", "product"),
    [
        (ITEM, GTIN),
        (LOT, GTIN),
        (f"{GTIN}/10/L1/21/A1", GTIN),
        (GTIN, ""),
        ("https://id.gs1.org/00/087100000000000123", ""),
        ("urn:suyuan:waybill:x", ""),
    ],
)
def test_the_product_stands_in_the_uri(uri: str, product: str) -> None:
    assert product_of(uri) == product


@pytest.mark.parametrize("thing", [ITEM, LOT])
def test_the_recall_is_tied_and_the_order_is_not(thing: str) -> None:
    facts = [fact(epcList=[thing]), ORDER, RECALL]
    ties = find_ties(facts, thing)
    assert ties == {0: (), 2: (Tie("product", 2, thing, GTIN),)}
    verify_ties(facts, thing, 2, ties[2])


@pytest.mark.parametrize(
    "recall",
    [
        fact(disposition=RECALLED, quantityList__epcClass=[GTIN]),
        fact(disposition="urn:suyuan:disp:recall_lifted", quantityList__epcClass=[GTIN]),
        fact(step=RECALLING, epcList=[GTIN]),
    ],
)
def test_every_word_of_a_recall_counts(recall: Names) -> None:
    assert 1 in find_ties([DIRECT, recall], ITEM)


def test_through_another_name_of_the_item() -> None:
    label = "urn:suyuan:label:ccic:000000204200001"
    facts = [fact(step="urn:suyuan:bizstep:aliasing", epcList=[label, ITEM]), RECALL]
    ties = find_ties(facts, label)
    assert [tie.kind for tie in ties[1]] == ["alias", "product"]
    verify_ties(facts, label, 1, ties[1])


def test_not_through_what_it_was_made_from_or_packed_with() -> None:
    other = "https://id.gs1.org/01/09506000134352/21/B1"
    made = fact(outputEPCList=[other], inputEPCList=[ITEM])
    assert 1 not in find_ties([made, RECALL], other)


BAD: dict[str, tuple[Sequence[Names], int, list[Tie]]] = {
    "an order": ([DIRECT, ORDER], 1, [Tie("product", 1, ITEM, GTIN)]),
    "shown by another fact": ([DIRECT, RECALL, ORDER], 2, [Tie("product", 1, ITEM, GTIN)]),
    "another product": (
        [DIRECT, fact(step=RECALLING, quantityList__epcClass=["https://id.gs1.org/01/09506000134352"])],
        1,
        [Tie("product", 1, ITEM, "https://id.gs1.org/01/09506000134352")],
    ),
    "not the last": (
        [DIRECT, {**RECALL, "bizTransactionList": {"urn:d": None}}, fact(bizTransactionList=["urn:d"])],
        1,
        [Tie("product", 1, ITEM, GTIN), Tie("document", 1, GTIN, "urn:d")],
    ),
    "behind an input": (
        [fact(outputEPCList=["urn:x"], inputEPCList=[ITEM]), RECALL],
        1,
        [Tie("transformation", 0, "urn:x", ITEM), Tie("product", 1, ITEM, GTIN)],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bundle_cannot_claim_more(case: str) -> None:
    facts, position, ties = BAD[case]
    thing = "urn:x" if case == "behind an input" else ITEM
    with pytest.raises(VerificationError) as caught:
        verify_ties(facts, thing, position, ties)
    assert caught.value.code == "bundle.tie.not_shown"


def test_a_withdrawn_recall_is_tied_like_its_declaration() -> None:
    declared = {**RECALL, "errorDeclaration/declarationTime": {"2025-11-04T00:00:00.000Z": None}}
    assert set(find_ties([DIRECT, declared, declared], ITEM)) == {0, 1, 2}
