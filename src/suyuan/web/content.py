"""What an item's page says, as a value: its coverage as the public sees it, whether it is final, its digest. Pure."""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from suyuan.compliance.model import Coverage
from suyuan.trace.model import Trace
from suyuan.web.model import PublicItem


def as_seen(coverage: Coverage, whole: Trace, seen: Trace) -> Coverage:
    """The coverage with its legs pointing at facts of the trace as the public sees it."""
    places = {fact.log_index: n for n, fact in enumerate(seen.facts) if fact.log_index is not None}
    shown = {n: places[fact.log_index] for n, fact in enumerate(whole.facts) if fact.log_index in places}
    legs = tuple(
        msgspec.structs.replace(leg, facts=tuple(shown[n] for n in leg.facts if n in shown))
        for leg in coverage.legs
    )
    return msgspec.structs.replace(coverage, legs=legs)


def settled(item: PublicItem) -> bool:
    """Every fact is in the log, under the head that the page shows."""
    indexes = [fact.log_index for fact in item.trace.facts]
    if None in indexes:
        return False
    return not indexes or (
        item.proof is not None and max(filter(None, indexes), default=0) < item.proof.tree_size
    )


def content_digest(item: PublicItem, now: datetime) -> tuple[str, int]:
    """The digest of the content, and how long it is; the day is part of it since legs fall due.

    Of the proof only what a newer head does not outdate: an older one that covers all facts proves them still.
    """
    proof = item.proof
    log = None if proof is None else (proof.origin, proof.log_key, proof.witnesses, settled(item))
    content = msgspec.json.encode([item.trace, item.coverage, item.scans, item.label, log, now.date()])
    return hashlib.sha256(content).hexdigest()[:24], len(content)
