"""The laws of claims and commitments: what is shown holds, what is changed fails, the rest stays hidden."""

from __future__ import annotations

import hmac
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.canon import canonical_json
from suyuan.disclosure import claims, commitment, leaf
from suyuan.errors import InputError, NotFoundError, TooLargeError, VerificationError

SECRET = bytes(range(32))
STATEMENT: dict[str, Any] = {"party": "haimen", "partyRole": "bonded-warehouse", "recordedOn": "2025-10-08"}
TIN = "https://id.gs1.org/01/08710000001236/21/"


def event(epcs: int = 3, **fields: Any) -> dict[str, Any]:
    """A commissioning event of so many tins."""
    return {
        "type": "ObjectEvent",
        "eventTime": "2025-08-12T06:00:00.000Z",
        "eventTimeZoneOffset": "+02:00",
        "action": "ADD",
        "epcList": [f"{TIN}{number:06d}" for number in range(epcs)],
        "ilmd": {"{urn:epcglobal:cbv:mda}lotNumber": "L25216A", "{urn:x}note": "溯源"},
        **fields,
    }


values = st.text(max_size=8) | st.integers(-5, 5) | st.booleans() | st.none()
trees = st.recursive(
    values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
members = st.dictionaries(st.text(max_size=4), trees, max_size=2)
quantities = st.fixed_dictionaries({"epcClass": st.text(max_size=3)}, optional={"quantity": st.just("2")})
bodies = st.fixed_dictionaries(
    {"type": st.just("ObjectEvent")},
    optional={
        "epcList": st.lists(st.text(max_size=6), max_size=40),
        "childEPCs": st.lists(st.text(max_size=6), max_size=3),
        "quantityList": st.lists(quantities, max_size=3),
        "bizTransactionList": st.lists(members, max_size=3),
        "ilmd": st.dictionaries(st.text(max_size=4), trees, max_size=3),
        "readPoint": st.dictionaries(st.text(max_size=4), trees, max_size=2),
        "{urn:x}extension": trees,
        "{http://x/y}list": st.lists(trees, max_size=2),
    },
)
statements = st.dictionaries(
    st.sampled_from(["party", "partyRole", "assurance", "eventID"]), st.text(max_size=5)
)


@settings(max_examples=100, deadline=None)
@given(bodies, statements, st.data())
def test_any_subset_verifies_and_any_change_fails(body: Any, statement: Any, data: st.DataObject) -> None:
    everything = claims.claims_of(body, statement)
    assert [one.position for one in everything] == list(range(len(everything)))
    entries = [canonical_json([one.path, one.value]) for one in everything]
    assert claims.all_claim_bytes(body, statement) == entries
    wanted = data.draw(st.sets(st.sampled_from(range(len(everything))), min_size=1))
    made = commitment.commit(body, statement, SECRET)
    shown = commitment.disclose(body, statement, SECRET, wanted)
    assert shown.commitment == made.commitment
    commitment.verify_disclosed(shown)
    as_bytes = lambda pairs: sorted(canonical_json(list(pair)) for pair in pairs)  # noqa: E731
    assert as_bytes((one.path, one.value) for one in shown.claims) == as_bytes(
        (one.path, one.value) for one in everything if one.position in wanted
    )

    victim = data.draw(st.sampled_from(shown.claims))
    rest = tuple(one for one in shown.claims if one is not victim)
    wrongs = [
        msgspec.structs.replace(victim, value=[victim.value]),
        msgspec.structs.replace(victim, path=victim.path + "x"),
        msgspec.structs.replace(victim, salt=bytes(16)),
        msgspec.structs.replace(victim, salt=victim.salt + b"\0"),
        msgspec.structs.replace(victim, leaf_index=victim.leaf_index ^ 1),
    ]
    changes = [
        msgspec.structs.replace(shown, claims=tuple(sorted((*rest, wrong), key=lambda one: one.leaf_index)))
        for wrong in wrongs
    ]
    changes += [
        msgspec.structs.replace(shown, claims=rest),
        msgspec.structs.replace(shown, claims=(*shown.claims, victim)),
        msgspec.structs.replace(shown, claim_count=shown.claim_count * 2),
        msgspec.structs.replace(shown, claim_count=shown.claim_count + 1),
        msgspec.structs.replace(shown, commitment=bytes(32)),
        msgspec.structs.replace(shown, proof=(*shown.proof, bytes(32))),
    ]
    if shown.proof:
        changes += [
            msgspec.structs.replace(shown, proof=shown.proof[:-1]),
            msgspec.structs.replace(shown, proof=(bytes(32), *shown.proof[1:])),
            msgspec.structs.replace(shown, proof=(shown.proof[0] + b"\0", *shown.proof[1:])),
        ]
    for changed in changes:
        with pytest.raises(VerificationError):
            commitment.verify_disclosed(changed)


@settings(max_examples=60, deadline=None)
@given(bodies, statements)
def test_claims_determine_the_event(body: Any, statement: Any) -> None:
    pairs = [(one.path, one.value) for one in claims.claims_of(body, statement)]
    assert claims.body_of(pairs) == (body, statement)


@settings(max_examples=60, deadline=None)
@given(bodies, statements)
def test_positions_need_no_list(body: Any, statement: Any) -> None:
    lengths = {field: len(body[field]) for field in claims.LIST_FIELDS if field in body}
    starts = claims.list_positions(len(claims.head_claims(body, statement)), lengths)
    for field, start in starts.items():
        assert claims.claims_of(body, statement)[start].path.split("/")[0] == field


@settings(max_examples=40, deadline=None)
@given(bodies, statements)
def test_events_are_never_linkable(body: Any, statement: Any) -> None:
    one, two = (commitment.commit(body, statement, secret) for secret in (SECRET, SECRET[::-1]))
    assert not set(one.digests) & set(two.digests)
    # Nor within an event: equal values at two positions have two digests.
    assert len(set(one.digests)) == one.claim_count


def test_salts_and_digests_are_what_the_format_says() -> None:
    body = event()
    made = commitment.commit(body, STATEMENT, SECRET)
    for claim in claims.claims_of(body, STATEMENT):
        salt = hmac.digest(SECRET, b"suyuan-salt/v1\0" + claim.position.to_bytes(8, "big"), "sha256")[:16]
        assert commitment.claim_salt(SECRET, claim.position) == salt
        assert commitment.claim_digest(claim, SECRET) in made.digests
    assert made.digests == sorted(made.digests)
    assert made.commitment.hex() == "19c274dd5e0055927563f88d9b1a3725cad80861bbab0aa499c034e625c85363"


def test_the_count_tells_a_size_class_only() -> None:
    assert [commitment.padded_count(count) for count in (0, 1, 16, 17, 43_202)] == [16, 16, 16, 32, 65_536]
    counts = {commitment.commit(event(epcs), STATEMENT, SECRET).claim_count for epcs in range(1, 7)}
    assert counts == {16}
    with pytest.raises(TooLargeError):
        commitment.padded_count(commitment.MAX_COUNT + 1)


@pytest.mark.parametrize("epcs", [240, 300, 700, 5_000])
def test_claims_are_proved_from_few_tiles(epcs: int) -> None:
    body = event(epcs, quantityList=[{"epcClass": "urn:x", "quantity": "1"}])
    made = commitment.commit(body, STATEMENT, SECRET)
    tiles = {(one.level, one.n): one for one in made.tiles()}
    firsts = [tiles[0, n].first for n in range(made.claim_count // 256)] if tiles else []
    if not tiles:
        assert made.claim_count <= 256
        return
    apart = {field: value for field, value in body.items() if field != "epcList"}
    head, starts = claims.claims_apart(apart, STATEMENT, {"epcList": epcs})
    lengths = {field: len(body[field]) for field in claims.LIST_FIELDS if field in body}
    plain = claims.head_claims(apart, STATEMENT)
    assert claims.list_positions(len(plain), lengths)["epcList"] == starts["epcList"]
    item = claims.element_claims("epcList", starts["epcList"] + epcs - 2, body["epcList"][epcs - 2])[0]
    assert item == claims.claims_of(body, STATEMENT)[-2]
    for chosen in ([item], [item, head[0], head[4]]):
        places = [(0, commitment.find_tile(firsts, commitment.claim_digest(one, SECRET))) for one in chosen]
        read = {place: tiles[place].hashes for place in [*places, (1, 0)]}
        shown = commitment.disclose_from_tiles(chosen, SECRET, made.commitment, made.claim_count, read)
        commitment.verify_disclosed(shown)
        assert shown == commitment.disclose(body, STATEMENT, SECRET, {one.position for one in chosen})
        indices, proof = commitment.claim_proof_from_tiles(
            [commitment.claim_digest(one, SECRET) for one in chosen], made.claim_count, read
        )
        assert sorted(indices) == [one.leaf_index for one in shown.claims]
        assert proof == shown.proof
    other = [item._replace(value="other")]
    with pytest.raises(NotFoundError):
        commitment.disclose_from_tiles(other, SECRET, made.commitment, made.claim_count, read)


def test_what_is_no_event_is_refused() -> None:
    for body, code in (
        (event(statement=1) | {"statement/party": "me"}, "disclosure.body.malformed"),
        (event(epcList="one"), "disclosure.body.malformed"),
        (event(quantityList=[{"quantity": "1"}]), "disclosure.body.malformed"),
        (event(epcList=["\ud800"]), "canon.text.lone_surrogate"),
        (event(action="\ud800"), "canon.text.lone_surrogate"),
        (event(weight=1.5), "canon.number.not_canonical"),
    ):
        with pytest.raises(InputError) as caught:
            commitment.commit(body, STATEMENT, SECRET)
        assert caught.value.code == code
    with pytest.raises(InputError, match="secret"):
        commitment.commit(event(), STATEMENT, b"short")
    with pytest.raises(InputError, match="nothing_disclosed"):
        commitment.disclose(event(), STATEMENT, SECRET, lambda _: False)


def test_leaves() -> None:
    moment = datetime(2025, 10, 8, 7, 30, tzinfo=timezone(timedelta(hours=8)))
    day = leaf.utc_day(moment)
    data = leaf.leaf_bytes(bytes(32), day)
    assert len(data) == leaf.LEAF_BYTES
    assert leaf.parse_leaf(data) == (bytes(32), day)
    assert leaf.parse_leaf(data).date == date(2025, 10, 7)
    assert leaf.utc_day(datetime(1970, 1, 2, tzinfo=UTC)) == 1
    for bad in (b"", data[:-1], data + b"\0", b"\2" + data[1:], data[:33] + b"\xff" * 4):
        with pytest.raises(InputError):
            leaf.parse_leaf(bad)
    for wrong, when in ((b"short", 1), (bytes(32), -1)):
        with pytest.raises(InputError):
            leaf.leaf_bytes(wrong, when)
    with pytest.raises(InputError):
        leaf.utc_day(datetime(2025, 1, 1))  # noqa: DTZ001
