"""The claims of one event that a trace needs, without reading long lists.

A commissioning event of 43,200 serials has a claim for each; the item's own is known by its place in the list,
which its index row keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from suyuan.capture.payload import list_counts
from suyuan.disclosure.claims import Claim, claims_apart


def claims_at_hand(
    body: Mapping[str, Any], statement: Mapping[str, Any], positions: Mapping[str, int]
) -> list[Claim]:
    """All claims of a stored body, of long lists only those of the things in ``positions`` (URI -> place)."""
    apart = list_counts(body)
    plain = {name: value for name, value in body.items() if name != "#lists"}
    claims, starts = claims_apart(plain, statement, apart)
    for field in apart:
        claims.extend(Claim(field, starts[field] + place, uri) for uri, place in sorted(positions.items()))
    return sorted(claims, key=lambda claim: claim.position)
