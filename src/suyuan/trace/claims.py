"""The claims of one event that a trace needs, without reading long lists.

A commissioning event of 43,200 serials has a claim for each; the item's own is known by its place in the list,
which its index row keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, TypeAlias

from suyuan.capture.links import PERSON_KINDS, PREFIX, document_kind, plural_kinds
from suyuan.capture.payload import list_counts
from suyuan.disclosure.claims import Claim, claims_apart
from suyuan.disclosure.policy import named_by

Positions: TypeAlias = "dict[tuple[str, str], int]"
"""Where an event's lists name things of ours: field and URI -> place."""

# What carries many people's goods: a paper of one of them that is named with it says nothing of the others.
CARRIERS = ("container", "awb")
_PERSONAL_LISTS = ("bizTransactionList", "epcList", "childEPCs")
# What the index files under one role, a body keeps in two lists.
_CLASSES_BESIDE = {
    "childEPCs": "childQuantityList",
    "inputEPCList": "inputQuantityList",
    "outputEPCList": "outputQuantityList",
}


def claims_at_hand(
    body: Mapping[str, Any], statement: Mapping[str, Any], positions: Mapping[tuple[str, str], int]
) -> list[Claim]:
    """All claims of a stored body, of long lists only those of the things in ``positions``."""
    apart = list_counts(body)
    plain = {name: value for name, value in body.items() if name != "#lists"}
    claims, starts = claims_apart(plain, statement, apart)
    for (field, uri), place in positions.items():
        beside = body.get(_CLASSES_BESIDE.get(field, ""), ())
        if field in apart and not any(element["epcClass"] == uri for element in beside):
            claims.append(Claim(field, starts[field] + place, uri))
    return sorted(claims, key=lambda claim: claim.position)


def own_claims(claims: Sequence[Claim], own: Set[str]) -> Sequence[Claim]:
    """The claims without those that name another person's papers: an exit list deducts a thousand parcels."""
    if not _names_several([named_by(claim.value) for claim in claims if claim.path in _PERSONAL_LISTS]):
        return claims
    return [claim for claim in claims if not _is_strangers(named_by(claim.value), own)]


def own_body(body: Mapping[str, Any], own: Set[str]) -> Mapping[str, Any]:
    """The body without the names of other persons' papers and parcels."""
    kept: dict[str, Any] = {}
    if not _names_several([named_by(one) for field in _PERSONAL_LISTS for one in body.get(field) or ()]):
        return body
    for field in _PERSONAL_LISTS:
        elements = body.get(field) or ()
        mine = [element for element in elements if not _is_strangers(named_by(element), own)]
        if len(mine) < len(elements):
            kept[field] = mine
    return {**body, **kept} if kept else body


def _names_several(uris: Sequence[str]) -> bool:
    """Whether an event may name people who have nothing to do with each other: several, or one with a carrier of
    many people's goods."""
    return bool(plural_kinds(uris)) or any(document_kind(uri) in CARRIERS for uri in uris)


def _is_strangers(uri: str, own: Set[str]) -> bool:
    return uri.startswith(PREFIX) and uri not in own and document_kind(uri) in PERSON_KINDS
