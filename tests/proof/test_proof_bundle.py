"""Bundles: redacted ones verify, changed ones do not, and each fact is tied to the item."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import proof_journey as journey
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.canon import canonical_json, sha256
from suyuan.errors import InputError, SuyuanError, VerificationError
from suyuan.proof import bundle, verification
from suyuan.tlog import checkpoint, cosignature, note, trust_policy

WAY = journey.Journey()
PUBLIC = WAY.bundle()
VKEY = journey.SIGNER.vkey


def resealed(change: Any, data: bytes = PUBLIC) -> bytes:
    """The bundle after ``change`` of its content, with a digest that fits again: what a forger would send."""
    content = json.loads(data)
    del content["digest"]
    change(content)
    content["digest"] = bundle._base64(sha256(canonical_json(content)))
    return canonical_json(content)


def test_a_redacted_bundle_verifies() -> None:
    report = verification.verify_bundle(PUBLIC, VKEY)
    assert (report.thing, report.audience, report.key_source) == (journey.TIN, "public", "given")
    assert (report.origin, report.tree_size, report.root_hash) == WAY.head
    assert report.warnings == ()
    # All but the order, of which the public sees nothing.
    assert len(report.facts) == len(journey.EVENTS) - 1
    assert {fact.recorded_on.isoformat() for fact in report.facts} == {"2025-10-08"}
    assert {fact.recorded_on.isoformat() for fact in report.facts} == {"2025-10-08"}
    ways = {fact.log_index - 40: [tie.kind for tie in fact.ties] for fact in report.facts}
    assert ways[0] == ways[1] == ["lot"]
    assert ways[2] == ways[3] == []
    assert ways[6] == ["containment"] * 3
    assert ways[7] == ["containment", "document"]
    assert ways[12] == ["containment"]


def test_what_is_hidden_is_not_in_the_bundle() -> None:
    for secret in (
        journey.OTHER_TIN,
        journey.ORDER,
        "43200",
        "ni:///sha-256",
        "recipe",
        "totalPrice",
        "aa" * 32,
        "depot-17",
    ):
        assert secret.encode() not in PUBLIC
    for shown in (
        journey.TIN,
        journey.LOT,
        journey.DECLARATION,
        journey.ENTRY_LIST,
        "CCIC-EU-2025-004417",
        "0123",
    ):
        assert shown.encode() in PUBLIC


def test_the_operators_bundle_holds_everything() -> None:
    report = verification.verify_bundle(WAY.bundle("operator"), VKEY)
    assert len(report.facts) == len(journey.EVENTS)
    for fact, (body, statement) in zip(report.facts, journey.EVENTS, strict=True):
        assert canonical_json(sorted_lists(fact.body)) == canonical_json(sorted_lists(body))
        assert fact.statement == statement


def sorted_lists(body: dict[str, Any]) -> dict[str, Any]:
    """Claims stand in the order of their digests, so lists come back in any order."""
    return {
        key: sorted(value, key=canonical_json)
        if isinstance(value, list) and not key.startswith("{")
        else value
        for key, value in body.items()
    }


def test_the_key_decides_what_it_is_worth() -> None:
    report = verification.verify_bundle(PUBLIC)
    assert report.key_source == "self-asserted"
    assert [one.code for one in report.warnings] == ["bundle.key.self_asserted"]
    stranger = note.Ed25519Signer(journey.SIGNER.name, b"\x08" * 32)
    with pytest.raises(VerificationError, match=r"tlog\.signature"):
        verification.verify_bundle(PUBLIC, stranger.vkey)
    with pytest.raises(InputError, match=r"tlog\.key"):
        verification.verify_bundle(PUBLIC, "nonsense")


def test_trust_policies() -> None:
    witness = cosignature.CosignatureSigner("w.example", b"\x05" * 32, 1_760_000_000)
    strict = trust_policy.read_trust_policy(f"log {VKEY}\nwitness W {witness.vkey}\nquorum W\n".encode())
    with pytest.raises(VerificationError, match=r"tlog\.policy\.quorum"):
        verification.verify_bundle(PUBLIC, policy=strict)
    cosigned = checkpoint.sign_checkpoint(WAY.head, [journey.SIGNER, witness])
    data = resealed(lambda content: content.update(checkpoint=cosigned.decode()))
    report = verification.verify_bundle(data, policy=strict)
    assert (report.key_source, report.witnesses) == ("policy", ("W",))
    assert verification.verify_bundle(data, VKEY, strict).key_source == "given"
    open_policy = trust_policy.read_trust_policy(f"witness W {witness.vkey}\nquorum W\n".encode())
    assert verification.verify_bundle(data, policy=open_policy).key_source == "self-asserted"
    assert verification.verify_bundle(data, VKEY, open_policy).key_source == "given"


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_changing_any_byte_fails(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(PUBLIC) - 1))
    changed = bytearray(PUBLIC)
    changed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SuyuanError):
        verification.verify_bundle(bytes(changed), VKEY)


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [one for key, inner in value.items() for one in _leaves(inner, (*path, key))]
    if isinstance(value, list):
        return [one for key, inner in enumerate(value) for one in _leaves(inner, (*path, key))]
    return [path]


PROVED = [path for path in _leaves(json.loads(PUBLIC)) if path[0] in ("facts", "checkpoint", "thing")]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_forger_who_mends_the_digest_fails_too(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(PROVED))

    def change(content: Any) -> None:
        at = content
        for step in path[:-1]:
            at = at[step]
        old = at[path[-1]]
        if isinstance(old, int):
            at[path[-1]] = old + data.draw(st.sampled_from([-1, 1, 256]))
        elif old is None:
            at[path[-1]] = ""
        else:
            place = data.draw(st.integers(0, max(0, len(old) - 1)))
            at[path[-1]] = old[:place] + ("B" if old[place : place + 1] != "B" else "C") + old[place + 1 :]

    with pytest.raises(SuyuanError):
        verification.verify_bundle(resealed(change), VKEY)


json_like = st.recursive(st.none() | st.text(max_size=3), st.lists)


@given(st.binary(max_size=200) | json_like.map(canonical_json))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_no_bundle(data: bytes) -> None:
    with pytest.raises(SuyuanError):
        verification.verify_bundle(data)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda one: one["facts"].pop(3), "bundle.tie"),
        (lambda one: one["facts"].reverse(), "bundle.facts.order"),
        (lambda one: one["facts"].append(one["facts"][-1]), "bundle.facts.order"),
        (lambda one: one.update(thing=journey.OTHER_TIN), "bundle."),
        (lambda one: one["facts"][6].update(ties=[]), "bundle.fact.untied"),
        (lambda one: one["facts"][6].update(ties=one["facts"][6]["ties"] * 20), "bundle.tie.too_long"),
        (lambda one: one["facts"][6].update(ties=one["facts"][6]["ties"][1:]), "bundle.tie.gap"),
        (lambda one: one["facts"][6]["ties"][0].__setitem__(1, 99), "bundle.tie.fact"),
        (lambda one: one["facts"][6]["ties"][0].__setitem__(1, 0), "bundle.tie.not_shown"),
        (lambda one: one["facts"][6]["ties"][0].__setitem__(0, "lot"), "bundle.tie.not_shown"),
        (lambda one: one["facts"][0].update(claims=[], claimProof=""), "commitment.malformed"),
        (lambda one: one.update(format="suyuan-bundle/v2"), "bundle.malformed"),
        (lambda one: one.update(facts=[]), "bundle.malformed"),
        (lambda one: one.update(more=1), "bundle.malformed"),
        (lambda one: one["facts"][0].update(index=-1), "bundle.malformed"),
    ],
)
def test_forgeries(change: Any, code: str) -> None:
    with pytest.raises(SuyuanError) as caught:
        verification.verify_bundle(resealed(change), VKEY)
    assert caught.value.code.startswith(code)


def test_other_spellings_are_refused() -> None:
    for data in (
        PUBLIC + b"\n",
        PUBLIC.replace(b'"facts":', b'"facts": '),
        b"[" * 100_000,
        b'{"a":1e5}',
        b"{}",
    ):
        with pytest.raises(InputError):
            bundle.read_bundle(data)


def test_facts_that_nothing_ties_are_refused_or_left_out() -> None:
    facts = WAY.facts("public")
    lonely = [fact for fact in facts if fact.log_index - 40 != 3]
    tied = bundle.tied_facts(journey.TIN, lonely)
    # Without the case nothing leads to pallet, container, bill of lading and declaration by that way.
    assert {lonely[position].log_index - 40 for position in tied} >= {0, 1, 2, 11, 12}
    assert not {lonely[position].log_index - 40 for position in tied} & {4, 5}
    with pytest.raises(InputError, match=r"bundle\.fact\.untied"):
        bundle.build_bundle(journey.TIN, "public", "", lonely, WAY.checkpoint, VKEY)
    with pytest.raises(InputError, match=r"bundle\.empty"):
        bundle.build_bundle(journey.TIN, "public", "", [], WAY.checkpoint, VKEY)


def test_given_ties_are_kept_and_facts_sorted() -> None:
    facts = WAY.facts("public")
    tied = bundle.tied_facts(journey.TIN, facts)
    given_ = [fact._replace(ties=tied[position]) for position, fact in enumerate(facts)]
    turned = [
        fact._replace(ties=tuple(tie._replace(fact=len(facts) - 1 - tie.fact) for tie in fact.ties or ()))
        for fact in reversed(given_)
    ]
    made = "2025-11-01T00:00:00.000Z"
    args = (WAY.checkpoint, VKEY)
    assert bundle.build_bundle(journey.TIN, "public", made, turned, *args) == PUBLIC


def test_a_tie_that_does_not_fit_in_time_is_named() -> None:
    facts = WAY.facts("public")
    pallet = next(position for position, fact in enumerate(facts) if fact.log_index == 44)
    early = facts[pallet].event
    claims = tuple(
        msgspec.structs.replace(claim, value="2025-07-01T00:00:00.000Z")
        if claim.path == "eventTime"
        else claim
        for claim in early.claims
    )
    events = [fact.event for fact in facts]
    ties = bundle.tied_facts(journey.TIN, facts)[pallet]
    assert verification.late_ties(events, pallet, ties) == []
    events[pallet] = msgspec.structs.replace(early, claims=claims)
    assert verification.late_ties(events, pallet, ties) == [ties[0].fact]


def test_twenty_five_facts_verify_in_time() -> None:
    started = time.perf_counter()
    for _ in range(5):
        verification.verify_bundle(PUBLIC, VKEY)
    per_fact = (time.perf_counter() - started) / 5 / (len(journey.EVENTS) - 1)
    # The bar is 50 ms for 25 facts; five times that leaves room for a busy machine.
    assert per_fact * 25 < 0.25
