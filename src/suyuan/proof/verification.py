"""Checking a bundle offline: nothing is asked of anyone, nothing is believed that is not proved.

A bundle holds if the log's key signed its checkpoint, each fact's leaf is in the tree of that checkpoint, the
disclosed claims belong to the commitment in the leaf, and each fact names the item or is tied to it by what
other facts of the bundle disclose. A fact that its party took back stands beside the declaration that says so.
The key decides what that is worth: with a key or trust policy that the caller brings, the log vouches; with the
key in the bundle alone the bundle only agrees with itself, and the report says so. What the claims say remains
the word of the party that they name.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from suyuan.canon import JSON
from suyuan.disclosure.claims import body_of
from suyuan.disclosure.commitment import verify_disclosed
from suyuan.disclosure.leaf import parse_leaf
from suyuan.errors import SuyuanError, VerificationError
from suyuan.proof.bundle import Bundle, read_bundle
from suyuan.proof.ties import DECLARED_PATH, Tie, first_text, late_ties, names_of_all, verify_ties
from suyuan.proof.withdrawals import verify_withdrawals
from suyuan.tlog.checkpoint import SignedCheckpoint, open_checkpoint
from suyuan.tlog.merkle import leaf_hash, verify_inclusion
from suyuan.tlog.note import Ed25519Verifier
from suyuan.tlog.trust_policy import TrustPolicy, verify_checkpoint

KeySource = Literal["given", "policy", "self-asserted"]


class FactReport(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that holds: where it stands in the log, when it was recorded, what it says, how it is tied.

    ``body`` and ``statement`` hold the disclosed claims only. ``recorded_on`` is the leaf's UTC date. A fact with
    ``withdrawn_by`` was taken back by its party and no longer counts; these are the positions of the error
    declarations that say so, which ``withdraws`` what they name.
    """

    log_index: int
    recorded_on: date
    body: dict[str, JSON]
    statement: dict[str, JSON]
    ties: tuple[Tie, ...]
    withdraws: tuple[int, ...] = ()
    withdrawn_by: tuple[int, ...] = ()


class BundleWarning(msgspec.Struct, frozen=True):
    """Something that does not break the proof and that a reader should know; ``path`` names the fact."""

    code: str
    reason: str
    path: str = ""


class BundleReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle proves. ``witnesses`` are the policy's names of those that cosigned the checkpoint."""

    thing: str
    audience: str
    made_at: str
    key_source: KeySource
    origin: str
    tree_size: int
    root_hash: bytes
    witnesses: tuple[str, ...]
    facts: tuple[FactReport, ...]
    warnings: tuple[BundleWarning, ...]


def verify_bundle(
    data: bytes, log_vkey: str | None = None, policy: TrustPolicy | None = None
) -> BundleReport:
    """Check a bundle and report what it proves.

    ``log_vkey`` is the log's key and ``policy`` a trust policy, both from a source that the caller trusts;
    given both, both must accept the checkpoint. Raises ``VerificationError`` (``bundle.*``,
    ``commitment.*``, ``tlog.*``) with the fact's path, and ``InputError`` (``bundle.*``, ``leaf.malformed``,
    ``tlog.*``) for what is no bundle.
    """
    bundle = read_bundle(data)
    signed, source, witnesses = _checkpoint(bundle, log_vkey, policy)
    head = signed.checkpoint
    warnings: list[BundleWarning] = []
    if source == "self-asserted":
        warnings.append(
            BundleWarning(
                "bundle.key.self_asserted",
                "Self-asserted key: the signature was checked with the key in the bundle itself."
                " Compare it with the key that the log publishes.",
                "logKey",
            )
        )
    indices = [fact.log_index for fact in bundle.facts]
    if indices != sorted(set(indices)):
        raise VerificationError(
            "bundle.facts.order", "The facts are not in the order of the log.", path="facts"
        )
    for position, fact in enumerate(bundle.facts):
        try:
            root = head.root
            verify_inclusion(fact.log_index, head.size, leaf_hash(fact.leaf), fact.inclusion, root)
            verify_disclosed(fact.event)
        except SuyuanError as error:
            raise type(error)(error.code, error.reason, path=f"facts[{position}]") from None
    events = [fact.event for fact in bundle.facts]
    verify_withdrawals(events, [fact.withdraws for fact in bundle.facts])
    names = names_of_all(events, [fact.withdraws for fact in bundle.facts])
    for position, fact in enumerate(bundle.facts):
        verify_ties(names, bundle.thing, position, fact.ties or ())
    reports = tuple(_fact_report(bundle, position) for position in range(len(bundle.facts)))
    warnings += _fact_warnings(bundle)
    return BundleReport(
        thing=bundle.thing,
        audience=bundle.audience,
        made_at=bundle.made_at,
        key_source=source,
        origin=head.origin,
        tree_size=head.size,
        root_hash=head.root,
        witnesses=witnesses,
        facts=reports,
        warnings=tuple(warnings),
    )


def _checkpoint(
    bundle: Bundle, log_vkey: str | None, policy: TrustPolicy | None
) -> tuple[SignedCheckpoint, KeySource, tuple[str, ...]]:
    key = Ed25519Verifier(log_vkey or bundle.log_key)
    source: KeySource = "self-asserted" if log_vkey is None else "given"
    if policy is None:
        return open_checkpoint(bundle.checkpoint, key), source, ()
    if not policy.logs:
        # A policy may name no log and leave that to the caller.
        policy = policy._replace(logs=(key,))
    elif log_vkey is None:
        source = "policy"
    else:
        open_checkpoint(bundle.checkpoint, key)
    signed, cosigned = verify_checkpoint(policy, bundle.checkpoint)
    return signed, source, tuple(sorted(cosigned))


def _fact_report(bundle: Bundle, position: int) -> FactReport:
    fact = bundle.facts[position]
    body, statement = body_of([(claim.path, claim.value) for claim in fact.event.claims])
    return FactReport(
        log_index=fact.log_index,
        recorded_on=parse_leaf(fact.leaf).date,
        body=body,
        statement=statement,
        ties=fact.ties or (),
        withdraws=fact.withdraws,
        withdrawn_by=_declarations_of(bundle, position),
    )


def _declarations_of(bundle: Bundle, position: int) -> tuple[int, ...]:
    return tuple(later for later, fact in enumerate(bundle.facts) if position in fact.withdraws)


def _fact_warnings(bundle: Bundle) -> list[BundleWarning]:
    warnings: list[BundleWarning] = []
    events = [fact.event for fact in bundle.facts]
    for position, fact in enumerate(bundle.facts):
        path = f"facts[{position}]"
        for later in _declarations_of(bundle, position):
            when = str(first_text(events[later], DECLARED_PATH))[:10]
            warnings.append(
                BundleWarning(
                    "bundle.fact.withdrawn",
                    f"This fact does not count: its party took it back on {when}, as facts[{later}] shows.",
                    path,
                )
            )
        for shown_by in late_ties(events, position, fact.ties or ()):
            warnings.append(
                BundleWarning(
                    "bundle.tie.time",
                    f"The containment that facts[{shown_by}] shows does not cover the day of this fact.",
                    path,
                )
            )
    return warnings
