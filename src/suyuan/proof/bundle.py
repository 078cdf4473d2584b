"""Proof bundles (``suyuan-bundle/v1``): what a bundle holds, how it is made and written.

A bundle is one canonical JSON object in UTF-8, so that each bundle has one spelling:

    format      "suyuan-bundle/v1"
    thing       URI of the item
    audience    for whom it was made
    madeAt      UTC time of making
    logKey      verifier key of the log, a hint: whoever checks should know it from elsewhere
    checkpoint  the log's signed checkpoint, verbatim
    facts       a list, ascending by log index, of
        index       log index
        leaf        base64 of the log entry, 37 bytes
        inclusion   base64 of the inclusion proof's hashes, leaf to root, one after the other
        claimCount  leaves of the event's claim tree
        claims      [path, value, base64 of the salt, leaf index in the claim tree], ascending by the last
        claimProof  base64 of the hashes that prove the claims, one after the other
        ties        [kind, position of the fact that shows it, from, to]: the way from the item to this fact
        withdraws   only of an error declaration: positions of the facts that it takes back
    digest      base64 of SHA-256 over the object without this member

The digest finds damage, not fraud: ``thing``, ``audience``, ``madeAt`` and ``logKey`` are the maker's words.
Everything else is proved by the checkpoint's signature, see ``suyuan.proof.verification``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from suyuan.canon import JSON, canonical_json, sha256
from suyuan.disclosure.commitment import DisclosedClaim, DisclosedEvent
from suyuan.disclosure.leaf import parse_leaf
from suyuan.errors import InputError, TooLargeError
from suyuan.proof.ties import Tie, find_ties, names_of_all
from suyuan.tlog.note import strict_base64
from suyuan.tlog.tile import split_hashes

FORMAT = "suyuan-bundle/v1"
MAX_BUNDLE_BYTES = 64_000_000
MAX_FACTS = 10_000


class BundleFact(NamedTuple):
    """One fact with its proofs; ``ties`` None asks ``build_bundle`` to find them.

    ``withdraws`` are the positions of the facts that it takes back, where it is an error declaration.
    """

    log_index: int
    leaf: bytes
    event: DisclosedEvent
    inclusion: tuple[bytes, ...]
    ties: tuple[Tie, ...] | None = None
    withdraws: tuple[int, ...] = ()


class Bundle(NamedTuple):
    """A bundle's parts, nothing verified."""

    thing: str
    audience: str
    made_at: str
    log_key: str
    checkpoint: bytes
    facts: tuple[BundleFact, ...]


class _WireFact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    index: int
    leaf: str
    inclusion: str
    claimCount: int  # noqa: N815 - the names of the format
    claims: list[tuple[str, Any, str, int]]
    claimProof: str  # noqa: N815
    ties: list[tuple[str, int, str, str]]
    withdraws: list[int] = []


class _WireBundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    thing: str
    audience: str
    madeAt: str  # noqa: N815
    logKey: str  # noqa: N815
    checkpoint: str
    facts: list[_WireFact]
    digest: str


def build_bundle(
    thing: str, audience: str, made_at: str, facts: Sequence[BundleFact], checkpoint: bytes, log_key: str
) -> bytes:
    """The bytes of a bundle. Facts are sorted by log index, and ties found where they are not given.

    ``made_at`` is UTC text, ``checkpoint`` the signed note under which the inclusion proofs lead to its root,
    ``log_key`` the log's verifier key. Raises ``InputError`` (``bundle.fact.untied``: leave such a fact out,
    ``tied_facts`` says which; ``bundle.empty``).
    """
    if not facts:
        raise InputError("bundle.empty", "A bundle has at least one fact.")
    order = sorted(range(len(facts)), key=lambda position: facts[position].log_index)
    moved = {old: new for new, old in enumerate(order)}
    ordered = [
        facts[position]._replace(withdraws=tuple(sorted(moved[old] for old in facts[position].withdraws)))
        for position in order
    ]
    found = tied_facts(thing, ordered)
    written: list[JSON] = []
    for position, fact in enumerate(ordered):
        ties = found.get(position)
        if fact.ties is not None:
            ties = tuple(tie._replace(fact=moved[tie.fact]) for tie in fact.ties)
        if ties is None:
            raise InputError(
                "bundle.fact.untied",
                f"Nothing in the bundle ties the fact with log index {fact.log_index} to the item.",
                path=f"facts[{order[position]}]",
                remedy="Disclose the claims that tie it, or leave it out.",
            )
        written.append(_fact_json(fact, ties))
    content: dict[str, JSON] = {
        "format": FORMAT,
        "thing": thing,
        "audience": audience,
        "madeAt": made_at,
        "logKey": log_key,
        "checkpoint": checkpoint.decode(),
        "facts": written,
    }
    content["digest"] = _base64(sha256(canonical_json(content)))
    return canonical_json(content)


def tied_facts(thing: str, facts: Sequence[BundleFact]) -> dict[int, tuple[Tie, ...]]:
    """Which of these facts can be tied to the item by what they disclose, by position, and how."""
    return find_ties(names_of_all([fact.event for fact in facts], [fact.withdraws for fact in facts]), thing)


def read_bundle(data: bytes) -> Bundle:
    """The parts of a bundle, nothing verified but its digest.

    Raises ``InputError`` (``bundle.malformed``, ``bundle.damaged``) and ``TooLargeError``
    (``bundle.too_large``).
    """
    if len(data) > MAX_BUNDLE_BYTES:
        raise TooLargeError("bundle.too_large", f"A bundle has at most {MAX_BUNDLE_BYTES} bytes.")
    wire = _read_wire(data)
    if wire.format != FORMAT:
        raise InputError("bundle.malformed", f"The format is not {FORMAT}.", path="format")
    if not 0 < len(wire.facts) <= MAX_FACTS:
        raise InputError("bundle.malformed", f"A bundle has 1 to {MAX_FACTS} facts.", path="facts")
    facts = tuple(_read_fact(fact, f"facts[{position}]") for position, fact in enumerate(wire.facts))
    for position, fact in enumerate(facts):
        if any(not 0 <= earlier < len(facts) or earlier == position for earlier in fact.withdraws):
            raise InputError(
                "bundle.malformed",
                "It takes back a fact that is not there.",
                path=f"facts[{position}].withdraws",
            )
    return Bundle(wire.thing, wire.audience, wire.madeAt, wire.logKey, wire.checkpoint.encode(), facts)


def _read_wire(data: bytes) -> _WireBundle:
    try:
        content = json.loads(data.decode())
        if not isinstance(content, dict) or canonical_json(content) != data:
            raise InputError("bundle.malformed", "The bundle is not in its one canonical spelling.")
        wire = msgspec.convert(content, _WireBundle)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        # msgspec's refusals are ValueErrors too; none of them quotes a value.
        reason = str(error) if isinstance(error, msgspec.ValidationError) else "it is no JSON"
        raise InputError("bundle.malformed", f"The file is no proof bundle: {reason}.") from None
    del content["digest"]
    if _base64(sha256(canonical_json(content))) != wire.digest:
        raise InputError(
            "bundle.damaged",
            "The bundle was changed after it was made: its digest is another.",
            path="digest",
            remedy="Fetch it again.",
        )
    return wire


def _read_fact(wire: _WireFact, path: str) -> BundleFact:
    leaf = strict_base64(wire.leaf, "bundle.malformed", "leaf")
    claims = tuple(
        DisclosedClaim(claim_path, value, strict_base64(salt, "bundle.malformed", "salt"), leaf_index)
        for claim_path, value, salt, leaf_index in wire.claims
    )
    if wire.index < 0 or any(claim.leaf_index < 0 for claim in claims):
        raise InputError("bundle.malformed", "An index is negative.", path=path)
    proof = _hashes(wire.claimProof)
    event = DisclosedEvent(parse_leaf(leaf).commitment, wire.claimCount, claims, proof)
    ties = tuple(Tie(*tie) for tie in wire.ties)
    return BundleFact(wire.index, leaf, event, _hashes(wire.inclusion), ties, tuple(wire.withdraws))


def _fact_json(fact: BundleFact, ties: Sequence[Tie]) -> dict[str, JSON]:
    claims: list[JSON] = [
        [claim.path, claim.value, _base64(claim.salt), claim.leaf_index] for claim in fact.event.claims
    ]
    written: dict[str, JSON] = {
        "index": fact.log_index,
        "leaf": _base64(fact.leaf),
        "inclusion": _base64(b"".join(fact.inclusion)),
        "claimCount": fact.event.claim_count,
        "claims": claims,
        "claimProof": _base64(b"".join(fact.event.proof)),
        "ties": [list(tie) for tie in ties],
    }
    if fact.withdraws:
        written["withdraws"] = list(fact.withdraws)
    return written


def _hashes(text: str) -> tuple[bytes, ...]:
    return tuple(split_hashes(strict_base64(text, "bundle.malformed", "list of hashes")))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
