"""How far a fact was verified when it came in. Earned by what was checked, never by the type of a message.

A receipt that a broker uploads is the customs' word as relayed by that broker, whatever status it claims. It
becomes the customs' own only when it comes through the authority's seat or with a signature that was checked
against a certificate of the authority. An inspector's finding counts as inspected only where the inspector neither
owns nor sells the goods.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from suyuan.parties.roles import Grant

AUTHORITY = "urn:suyuan:authority:"
# What a party may not be for goods that it inspects.
_INTERESTED = ("manufacturer", "brand-owner", "entrusted-firm", "seller", "platform")
# In this order a party's role is named when it holds several.
_ROLE_ORDER = (
    "authority",
    "regulator",
    "inspector",
    "bonded-warehouse",
    "customs-broker",
    "courier",
    "carrier",
    "forwarder",
    "laboratory",
    "label-maker",
    "payment",
    "platform",
    "seller",
    "manufacturer",
    "brand-owner",
    "entrusted-firm",
    "operator",
)


class Assurance(IntEnum):
    """Levels in rising order; the stored number is the rank."""

    SELF_DECLARED = 0
    RELAYED = 1
    PARTNER_SIGNED = 2
    INSPECTED = 3
    AUTHORITY_VERIFIED = 4

    @property
    def label(self) -> str:
        """The name that faces and proofs use, e.g. ``self-declared``."""
        return self.name.lower().replace("_", "-")


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """The party whose checked signature a paper bears, with what it held when the paper came in.

    ``codes`` are the numbers that a message may call it by, ``certificate`` is the fingerprint of its certificate.
    """

    party_id: str
    grants: tuple[Grant, ...] = ()
    codes: frozenset[str] = frozenset()
    certificate: str = ""


def raised(
    level: Assurance, signer: Signer, stated_by: str, deliverer: str, gtins: frozenset[str]
) -> Assurance:
    """The level with a checked signature, never lower than without.

    A signature vouches for the signer's own words alone. ``stated_by`` is who the message says made the statement;
    where it says nothing, ``deliverer`` speaks. A broker that signs what customs stated is still a messenger.
    """
    if stated_by.startswith(AUTHORITY):
        own = _covers(signer.grants, "authority", gtins)
        return max(level, Assurance.AUTHORITY_VERIFIED) if own else level
    own = (
        stated_by.rpartition(":")[2].rpartition("/")[2] in signer.codes
        if stated_by
        else signer.party_id == deliverer
    )
    return max(level, Assurance.PARTNER_SIGNED) if own else level


def earned(grants: tuple[Grant, ...], stated_by: str, gtins: frozenset[str]) -> tuple[Assurance, str]:
    """The level of a fact that a party with these grants delivers, and the role it spoke in.

    ``stated_by`` is the authority or firm that a message says made the statement, empty where the party speaks
    for itself. ``gtins`` are the goods that the fact names (14 digits each); an empty set means goods unknown.
    """
    held = {grant.role for grant in grants}
    role = next((name for name in _ROLE_ORDER if name in held), "member")
    if stated_by:
        if stated_by.startswith(AUTHORITY) and _covers(grants, "authority", gtins):
            return Assurance.AUTHORITY_VERIFIED, role
        return Assurance.RELAYED, role
    independent = not any(_touches(grants, interest, gtins) for interest in _INTERESTED)
    if independent and _covers(grants, "inspector", gtins):
        return Assurance.INSPECTED, "inspector"
    if _covers(grants, "authority", gtins):
        return Assurance.AUTHORITY_VERIFIED, role
    return Assurance.SELF_DECLARED, role


def _covers(grants: tuple[Grant, ...], role: str, gtins: frozenset[str]) -> bool:
    scopes = {grant.scope for grant in grants if grant.role == role}
    return "" in scopes or (bool(gtins) and gtins <= scopes)


def _touches(grants: tuple[Grant, ...], role: str, gtins: frozenset[str]) -> bool:
    scopes = {grant.scope for grant in grants if grant.role == role}
    return bool(scopes) and ("" in scopes or not gtins or bool(scopes & gtins))
