"""Where an item stands in its life, and whether a recall stands against it: both read off its facts.

Issuing stores its own acts only; every other state of a code is computed here, from facts in order of event
time. A later fact moves the state, a withdrawn fact does not count, and some states end the life of a code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from suyuan.trace.model import Fact, Party, Recall

RECALL_ROLES = ("brand-owner", "entrusted-firm", "regulator", "authority")
_RECALL_LIFTED = "recall_lifted"

# disposition (short name) -> state; looked at before the business step
_BY_DISPOSITION = {
    "damaged": "damaged",
    "destroyed": "destroyed",
    "disposed": "destroyed",
    "returned": "returned",
    "active": "active",
    "signed": "delivered",
    "retail_sold": "sold",
    "inactive": "voided",
}
_BY_STEP = {
    "commissioning": "commissioned",
    "packing": "packed",
    "loading": "loaded",
    "departing": "in transit",
    "shipping": "in transit",
    "transporting": "in transit",
    "arriving": "arrived",
    "receiving": "received",
    "storing": "stored",
    "unpacking": "received",
    "activating": "active",
    "accepting": "received",
    "decommissioning": "voided",
    "destroying": "destroyed",
}
_FINAL = frozenset({"destroyed", "voided", "returned"})
_AFTER_PARCEL = {
    "packed": "packed for the buyer",
    "in transit": "dispatched",
    "arrived": "dispatched",
    "received": "dispatched",
}


@lru_cache(maxsize=4096)
def short_name(uri: str) -> str:
    """The bare word of a business step or disposition URI; other URIs as they are."""
    for prefix in ("https://ref.gs1.org/cbv/BizStep-", "https://ref.gs1.org/cbv/Disp-"):
        if uri.startswith(prefix):
            return uri[len(prefix) :]
    for prefix in ("urn:suyuan:bizstep:", "urn:suyuan:disp:"):
        if uri.startswith(prefix):
            return uri[len(prefix) :]
    return uri


def state_of(facts: Iterable[Fact]) -> str:
    """The state after the last fact that says one; ``unknown`` where none does.

    Facts about the lot alone do not move one item's state, except its production.
    """
    state = "unknown"
    in_parcel = delivered = False
    for fact in facts:
        if fact.withdrawn or (fact.tie.kind == "lot" and state != "unknown"):
            continue
        in_parcel |= any(link.kind == "waybill" for link in fact.tie.links) or (
            fact.tie.kind == "direct" and any(uri.startswith("urn:suyuan:waybill:") for uri in fact.things)
        )
        said = _BY_DISPOSITION.get(short_name(fact.disposition)) or _BY_STEP.get(short_name(fact.biz_step))
        if said is None or fact.tie.kind == "document":
            continue
        if state in _FINAL and said not in _FINAL:
            continue
        # What comes after the signature is no delivery any more: a return, a resale.
        state = _AFTER_PARCEL.get(said, said) if in_parcel and not delivered else said
        delivered |= said == "delivered"
    return state


def recall_of(facts: Iterable[Fact], speakers: Mapping[int, Party], lot: str) -> Recall | None:
    """The recall that stands after the last word of a party that may say it, or None.

    ``speakers`` gives, by event key, the party that says a fact and was brand owner, entrusted firm or regulator
    of these goods when it was recorded: anybody's event may *say* recalled, only theirs raises the banner.
    """
    standing: Recall | None = None
    for fact in facts:
        word = short_name(fact.disposition)
        recalling = word == "recalled" or short_name(fact.biz_step) == "recalling"
        speaker = speakers.get(fact.event_key)
        if fact.withdrawn or not (recalling or word == _RECALL_LIFTED) or speaker is None:
            continue
        if word == _RECALL_LIFTED:
            standing = None
        else:
            number = next((document.number for document in fact.documents if document.kind == "recall"), "")
            standing = Recall(
                number=number,
                since=fact.event_time,
                zone_offset=fact.zone_offset,
                party=speaker,
                reason=fact.attributes.get("reason", ""),
                # A recall of the whole product is none of a lot.
                lot="" if any(link.kind == "product" for link in fact.tie.links) else lot,
            )
    return standing
