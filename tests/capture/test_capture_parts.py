"""The pure parts of capture: what an event is filed under, which paper leads to which, what a statement earns."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from deployment import GTIN, LOT, OTHER_GTIN, container, item, lot_class, sscc
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.canon import canonical_json
from suyuan.capture.assurance import Assurance, earned
from suyuan.capture.evidence import reassemble, skeleton_of
from suyuan.capture.index import Role, index_rows, key_of, kind_of_thing, lot_classes
from suyuan.capture.links import (
    MAX_LINKS_PER_DOCUMENT,
    PERSON_KINDS,
    document_kind,
    document_links,
    document_number,
    link_kind,
    plural_kinds,
)
from suyuan.capture.payload import CHUNK, join_body, list_counts, read_body, split_body
from suyuan.epcis.reading import PersonalField
from suyuan.gs1.thing import kind, thing_key
from suyuan.parties.roles import Grant

CUSTOMS = "urn:suyuan:authority:customs:5165"
ENTRY, EXIT = "urn:suyuan:bonded-list:QD516525I000000001", "urn:suyuan:bonded-list:QD516525E000000009"


def pseudonym(kind: str, letter: str) -> str:
    return f"urn:suyuan:{kind}:{letter * 52}"


# -- evidence: skeleton and parts give the bytes again ---------------------------------------------------------


@given(st.binary(max_size=200), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 40)), max_size=12))
@settings(deadline=None, max_examples=200)
def test_skeleton_and_parts_give_the_exact_bytes_again(data: bytes, spans: list[tuple[int, int]]) -> None:
    personal = [
        PersonalField("$", min(start, len(data)), min(start + length, len(data)), "name", ("order", "", "1"))
        for start, length in spans
    ]
    skeleton, ranges = skeleton_of(data, personal, False)
    assert reassemble(skeleton, [(start, data[start:end]) for start, end in ranges]) == data
    assert ranges == sorted(ranges)
    assert all(left[1] <= right[0] for left, right in pairwise(ranges))
    covered = {place for start, end in ranges for place in range(start, end)}
    assert all(place in covered for field in personal for place in range(field.start, field.end))
    assert len(skeleton) == len(data) - len(covered)


def test_a_paper_that_is_personal_as_a_whole_leaves_no_skeleton() -> None:
    assert skeleton_of(b"PK\x03\x04", [], True) == (b"", [(0, 4)])


# -- payload: long lists lie apart ---------------------------------------------------------------------------


@given(
    st.lists(st.text(max_size=5), max_size=3),
    st.sampled_from([0, 1, CHUNK, CHUNK + 1, 3 * CHUNK, 1000]),
    st.sampled_from(["epcList", "childEPCs", "inputEPCList", "outputEPCList"]),
)
@settings(deadline=None, max_examples=50)
def test_a_body_comes_back_whole_from_its_parts(short: list[str], length: int, field: str) -> None:
    body: dict[str, Any] = {
        "type": "ObjectEvent",
        "checked": short,
        field: [item(f"{n}") for n in range(length)],
    }
    stored, chunks = split_body(body)
    apart = [(chunk.field, chunk.chunk, chunk.elements) for chunk in chunks]
    assert join_body(stored, reversed(apart)) == body
    if length <= CHUNK:
        assert (stored, chunks) == (canonical_json(body), [])
    else:
        assert list_counts(read_body(stored)) == {field: length}
        assert field not in read_body(stored)


def test_an_erased_body_is_empty() -> None:
    assert read_body(None) == {}


# -- documents -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "kind", "directed", "number"),
    [
        (ENTRY, "bonded-list", "bonded-list:in", "QD516525I000000001"),
        (EXIT, "bonded-list", "bonded-list:out", "QD516525E000000009"),
        (
            "urn:suyuan:gate-pass:Z5165I250926000000000012",
            "gate-pass",
            "gate-pass:in",
            "Z5165I250926000000000012",
        ),
        (
            "urn:suyuan:gate-pass:Z5165E251009000000000345",
            "gate-pass",
            "gate-pass:out",
            "Z5165E251009000000000345",
        ),
        ("urn:suyuan:bonded-list:odd", "bonded-list", "bonded-list", "odd"),
        ("urn:suyuan:ledger-item:T5165W000123:17", "ledger-item", "ledger-item", "T5165W000123:17"),
        ("urn:epc:id:bic:COSU9876546", "container", "container", "COSU9876546"),
        ("urn:suyuan:place:CNNSA:5165", "", "", "CNNSA:5165"),
        ("https://id.gs1.org/00/087100000000000123", "", "", "//id.gs1.org/00/087100000000000123"),
    ],
)
def test_the_kind_and_direction_of_a_document(uri: str, kind: str, directed: str, number: str) -> None:
    assert (document_kind(uri), link_kind(uri), document_number(uri)) == (kind, directed, number)


def test_links_lead_away_from_the_item() -> None:
    waybill, order, parcel = (pseudonym(kind, "a") for kind in ("waybill", "order", "parcel-list"))
    declaration, bol = "urn:suyuan:declaration:5166", "urn:suyuan:bol:COSU1"
    ledger = "urn:suyuan:ledger-item:T1:17"
    assert set(document_links([order, waybill, parcel, ledger])) == {
        (waybill, order),
        (waybill, parcel),
        (order, parcel),
        (parcel, ledger),
    }
    assert set(document_links([bol, declaration, ENTRY])) == {
        (ENTRY, declaration),
        (declaration, bol),
        (ENTRY, bol),
    }
    assert document_links([ENTRY, EXIT, pseudonym("order", "b")]) == []
    assert set(document_links([ledger, ENTRY, EXIT])) == {(ledger, ENTRY)}


_URIS = st.sampled_from(
    [
        *(pseudonym(kind, letter) for kind in sorted(PERSON_KINDS) for letter in "abc"),
        ENTRY,
        EXIT,
        "urn:suyuan:gate-pass:Z5165E251009000000000345",
        "urn:suyuan:declaration:5166",
        "urn:suyuan:bol:COSU1",
        "urn:suyuan:ledger-item:T1:17",
        "urn:epc:id:bic:COSU9876546",
    ]
)


@given(st.lists(_URIS, unique=True, max_size=10))
@settings(deadline=None, max_examples=200)
def test_no_goods_document_ever_leads_to_a_persons(documents: list[str]) -> None:
    pairs = document_links(documents)
    for source, target in pairs:
        assert source in documents and target in documents and source != target
        if document_kind(source) not in PERSON_KINDS:
            assert document_kind(target) not in PERSON_KINDS
    # Nobody's paper leads to somebody else's: where two kinds are named twice, none leads anywhere personal.
    if len(plural_kinds(documents)) > 1:
        assert not [pair for pair in pairs if {document_kind(uri) for uri in pair} <= PERSON_KINDS]


def test_a_list_of_unrelated_papers_links_nothing() -> None:
    containers = [f"urn:suyuan:bol:B{n}" for n in range(MAX_LINKS_PER_DOCUMENT + 1)]
    assert document_links(["urn:suyuan:declaration:1", *containers]) == []
    assert len(document_links(["urn:suyuan:declaration:1", *containers[1:]])) == MAX_LINKS_PER_DOCUMENT


# -- the index -----------------------------------------------------------------------------------------------


def roles_of(body: dict[str, Any], uri: str) -> set[Role]:
    rows, uris = index_rows(body)
    assert all(thing_key(name) == key for key, name in uris.items())
    assert {row.key for row in rows} <= set(uris)
    assert {row.other for row in rows} - {b""} <= set(uris)
    return {Role(row.role) for row in rows if row.key == thing_key(uri)}


def documents(*uris: str) -> list[dict[str, str]]:
    return [{"bizTransaction": uri} for uri in uris]


def test_an_aggregation_is_filed_under_parent_and_children() -> None:
    body = {
        "parentID": sscc(1),
        "childEPCs": [item("A1"), item("A2")],
        "childQuantityList": [{"epcClass": lot_class()}],
    }
    rows, _ = index_rows(body)
    parent = thing_key(sscc(1))
    by_key = {row.key: row for row in rows}
    assert (by_key[parent].role, by_key[parent].position) == (Role.PARENT, 3)
    assert [
        (by_key[thing_key(item(s))].other, by_key[thing_key(item(s))].position) for s in ("A1", "A2")
    ] == [
        (parent, 0),
        (parent, 1),
    ]
    assert roles_of(body, lot_class()) == {Role.CHILD}
    # A removal of everything names no children.
    [row] = index_rows({"parentID": sscc(1), "childEPCs": []})[0]
    assert (row.role, row.position) == (Role.PARENT, 0)


def test_a_shared_paper_of_an_event_about_goods_is_no_way_down_to_them() -> None:
    bol, parcel = "urn:suyuan:mrn:NL1", pseudonym("parcel-list", "a")
    for about in (
        {"epcList": [item("A1")]},
        {"parentID": sscc(1), "childEPCs": []},
        {"quantityList": [{"epcClass": lot_class()}]},
        {"outputEPCList": [item("A1")]},
    ):
        body = {**about, "bizTransactionList": documents(bol, parcel)}
        assert roles_of(body, bol) == {Role.SHARED}
        assert roles_of(body, parcel) == {Role.DOCUMENT}
    # An exit list's own event about parcels is about persons.
    assert roles_of({"bizTransactionList": documents(EXIT, parcel)}, EXIT) == {Role.SHARED}
    for about in (
        {"epcList": [container()]},
        {"epcList": []},
        {"quantityList": [{"epcClass": f"https://id.gs1.org/01/{GTIN}"}]},
    ):
        assert Role.DOCUMENT in roles_of({**about, "bizTransactionList": documents(bol)}, bol)


def test_the_lot_of_a_commissioning_event_is_said_of_every_gtin_in_it() -> None:
    body = {
        "ilmd": {"{urn:epcglobal:cbv:mda}lotNumber": LOT},
        "epcList": [item("A1"), item("C1", OTHER_GTIN)],
    }
    assert lot_classes(body, body["epcList"]) == {lot_class(), lot_class(LOT, OTHER_GTIN)}
    assert roles_of(body, lot_class()) == {Role.LOT}
    assert lot_classes({"ilmd": {"{urn:epcglobal:cbv:mda}lotNumber": "A/1"}}, [item("A1")]) == {
        f"https://id.gs1.org/01/{GTIN}/10/A%2F1"
    }
    assert lot_classes({"ilmd": {}}, [item("A1")]) == lot_classes({}, [item("A1")]) == set()


def test_a_thing_named_twice_in_one_role_has_one_row() -> None:
    rows, _ = index_rows({"epcList": [item("A1"), item("A1")], "inputEPCList": [item("A1")]})
    assert sorted(row.role for row in rows) == [Role.SUBJECT, Role.INPUT]


# -- assurance -----------------------------------------------------------------------------------------------


def grants(*roles: str) -> tuple[Grant, ...]:
    since = datetime(2025, 1, 1, tzinfo=UTC)
    return tuple(
        Grant(party_id="p", role=name, scope=scope, granted_at=since)
        for name, _, scope in (role.partition("/") for role in roles)
    )


@pytest.mark.parametrize(
    ("held", "stated_by", "goods", "level"),
    [
        ((), "", {GTIN}, Assurance.SELF_DECLARED),
        (("customs-broker",), "", {GTIN}, Assurance.SELF_DECLARED),
        # A broker's upload that says "customs released it" is the customs' word as the broker relays it.
        (("customs-broker",), CUSTOMS, set(), Assurance.RELAYED),
        (("inspector",), CUSTOMS, {GTIN}, Assurance.RELAYED),
        (("operator",), CUSTOMS, {GTIN}, Assurance.RELAYED),
        (("regulator",), CUSTOMS, {GTIN}, Assurance.RELAYED),
        # from the authority's own seat
        (("authority",), CUSTOMS, {GTIN}, Assurance.AUTHORITY_VERIFIED),
        (("authority",), "", {GTIN}, Assurance.AUTHORITY_VERIFIED),
        (("authority",), "urn:suyuan:firm:440196N001", {GTIN}, Assurance.RELAYED),
        ((f"authority/{GTIN}",), CUSTOMS, {GTIN}, Assurance.AUTHORITY_VERIFIED),
        ((f"authority/{GTIN}",), CUSTOMS, {OTHER_GTIN}, Assurance.RELAYED),
        ((f"authority/{GTIN}",), "", {OTHER_GTIN}, Assurance.SELF_DECLARED),
        # an inspector of goods that are not its own
        (("inspector",), "", {GTIN}, Assurance.INSPECTED),
        (("inspector",), "", set(), Assurance.INSPECTED),
        ((f"inspector/{GTIN}",), "", {GTIN}, Assurance.INSPECTED),
        ((f"inspector/{GTIN}",), "", {GTIN, OTHER_GTIN}, Assurance.SELF_DECLARED),
        ((f"inspector/{GTIN}",), "", set(), Assurance.SELF_DECLARED),
        (("inspector", f"seller/{OTHER_GTIN}"), "", {GTIN}, Assurance.INSPECTED),
        *(
            (("inspector", interest), "", {GTIN}, Assurance.SELF_DECLARED)
            for interest in (
                "seller",
                "brand-owner",
                "manufacturer",
                "entrusted-firm",
                "platform",
                f"seller/{GTIN}",
            )
        ),
        # Whose goods is unknown: an interest in any is too much.
        (("inspector", f"seller/{OTHER_GTIN}"), "", set(), Assurance.SELF_DECLARED),
    ],
)
def test_assurance_is_earned(
    held: tuple[str, ...], stated_by: str, goods: set[str], level: Assurance
) -> None:
    assert earned(grants(*held), stated_by, frozenset(goods))[0] is level


@given(
    st.lists(st.sampled_from(["customs-broker", "seller", "operator", "inspector", "regulator"]), max_size=4)
)
@settings(deadline=None, max_examples=50)
def test_without_the_authoritys_seat_nothing_is_the_authoritys(held: list[str]) -> None:
    for stated_by in ("", CUSTOMS):
        level, _ = earned(grants(*held), stated_by, frozenset({GTIN}))
        assert level < Assurance.AUTHORITY_VERIFIED


THINGS = st.one_of(
    st.from_regex(
        r"https://id\.gs1\.org/01/[0-9A-Z/]{12,16}(/(21|10|235)/[0-9A-Za-z%/]{0,6})?", fullmatch=True
    ),
    st.from_regex(r"https://id\.gs1\.org/01/[0-9]{14}/21/.{0,6}", fullmatch=True),
    st.sampled_from(["urn:epc:id:bic:COSU9876546", "urn:suyuan:waybill:" + "a" * 20 + "/21/x", ""]),
)


@given(THINGS)
def test_the_quick_way_to_a_key_leads_to_the_same_key(uri: str) -> None:
    assert key_of(uri) == thing_key(uri)
    assert kind_of_thing(uri) == kind(uri)
