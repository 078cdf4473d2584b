"""A finding as it is listed, whatever kind it is of, and what all kinds share. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence, Set
from datetime import datetime

import msgspec

from suyuan.canon import base32_text
from suyuan.compliance.model import Leg
from suyuan.trace.model import Fact, Trace
from suyuan.trace.state import short_name

KINDS = ("quantity", "stock", "leg", "contradiction", "recall", "consignment", "reuse")


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One line of what a finding rests on. ``side`` is 0 or 1: what is set against each other.

    ``fact`` is the event that the line speaks of; its headline belongs before the text.
    """

    side: int
    en: str
    zh: str
    reference: str = ""
    fact: Fact | None = None


class ListedFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A finding with what it is about, who is concerned, and both sides of its evidence.

    ``finding_id`` is the same for the same finding, however often it is computed. ``since`` is the moment from which
    its age counts. ``owed_by`` is the role that can resolve it, ``parties`` those that speak in it here. ``step`` and
    ``quantity`` say of stock where in the warehouse a difference arose and how large it is; ``alarm``: act at once.
    """

    finding_id: str
    kind: str
    code: str
    reason_en: str
    reason_zh: str
    gtin: str = ""
    lot: str = ""
    things: tuple[str, ...] = ()
    owed_by: str = ""
    parties: tuple[str, ...] = ()
    since: datetime | None = None
    evidence: tuple[Evidence, ...] = ()
    event_keys: tuple[int, ...] = ()
    step: str = ""
    quantity: str = ""
    alarm: bool = False


class Judged(msgspec.Struct, frozen=True):
    """An item that was looked at: what the viewer sees of it, and its legs."""

    trace: Trace
    legs: tuple[Leg, ...]


def finding_id_of(kind: str, code: str, *parts: str) -> str:
    """The same for the same finding: of its kind and code, and of what it is about."""
    text = "\0".join((kind, code, *parts))
    return base32_text(hashlib.sha256(text.encode()).digest()[:10])


def speakers(facts: Iterable[Fact], role: str) -> tuple[str, ...]:
    """The parties that speak in a role in these facts, each once."""
    return tuple(
        dict.fromkeys(
            fact.party.party_id
            for fact in facts
            if fact.party.role.replace("_", "-") == role.replace("_", "-")
        )
    )


def last_moment(facts: Sequence[Fact], steps: Set[str] = frozenset()) -> datetime | None:
    """When the last of these steps was; the last fact of all where none is named, or none of them is there."""
    times = [fact.event_time for fact in facts if not steps or short_name(fact.biz_step) in steps]
    return max(times, default=facts[-1].event_time if facts else None)
