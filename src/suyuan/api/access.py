"""Who calls, and what the call may do. One rule per question; the doors only ask.

No door is open by accident: what a caller may not see does not exist for it (``NotFoundError``), what it may
see and not do is refused by name (``PermissionDenied``).
"""

from __future__ import annotations

from collections import OrderedDict

from suyuan.api.model import Call, Services, services_of
from suyuan.capture.prepare import Deliverer
from suyuan.catalog import find_products
from suyuan.db.pool import Pool
from suyuan.errors import AuthenticationError, PermissionDenied
from suyuan.parties import Principal
from suyuan.trace import OPERATOR, PUBLIC, Viewer

# Roles that make codes of a GTIN, and those that have a stake in how its quantities add up.
ISSUER_ROLES = ("brand-owner", "manufacturer")
BALANCE_ROLES = (*ISSUER_ROLES, "seller", "entrusted-firm", "bonded-warehouse", "regulator")
# Whoever hands these out could make itself the operator, or read what only the operator may.
OPERATOR_SCOPES = frozenset({"operator", "parties.admin", "personal.reveal", "personal.erase"})
_BEARER = "bearer "
_REMEMBERED = 10_000


async def find_principal(call: Call) -> Principal | None:
    """The caller, or None without a token. A token that is no good is an error, never "nobody".

    Raises ``AuthenticationError`` (``access.token.*``).
    """
    header = call.headers.get("authorization")
    if header is None:
        return None
    if not header.lower().startswith(_BEARER):
        raise AuthenticationError(
            "access.token.scheme",
            "Only bearer tokens are taken.",
            path="Authorization",
            remedy="Send it as: Authorization: Bearer suyuan_...",
        )
    principal = await services_of(call).authenticator.authenticate(header[len(_BEARER) :].strip())
    call.scope["suyuan_party"] = principal.party_id  # type: ignore[typeddict-unknown-key]
    return principal


async def require(call: Call, *scopes: str) -> Principal:
    """The caller, who must have one of these scopes; without ``scopes`` any good token will do.

    Raises ``AuthenticationError`` and ``PermissionDenied`` (``access.scope.missing``).
    """
    principal = await find_principal(call)
    if principal is None:
        await services_of(call).authenticator.authenticate(None)  # raises, with the reason and the remedy
    assert principal is not None
    if scopes and not any(principal.allows(scope) for scope in scopes):
        principal.require(scopes[0])
    return principal


class Deliverers:
    """Callers as those who deliver papers, remembered for as long as the authenticator remembers their token.

    While it does, it gives the very same ``Principal``; a revocation or a changed grant thus counts here as soon as
    it counts there.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: OrderedDict[str, tuple[Principal, Deliverer]] = OrderedDict()

    async def of(self, principal: Principal) -> Deliverer:
        """The caller with the grants and numbers of its party."""
        known = self._known.get(principal.token_id)
        if known is not None and known[0] is principal:
            return known[1]
        deliverer = await self._services.deliverer(principal)
        self._known[principal.token_id] = (principal, deliverer)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return deliverer


async def deliverer_of(call: Call, principal: Principal) -> Deliverer:
    """The caller as one who delivers papers."""
    deliverers: Deliverers = call.app.state["deliverers"]
    return await deliverers.of(principal)


async def viewer_of(call: Call) -> Viewer:
    """For whom a trace is read: the public without a token, the operator with an operator's token, else the member,
    as what each thing lets it look.

    Raises ``AuthenticationError`` and ``PermissionDenied`` (``access.scope.missing``).
    """
    principal = await find_principal(call)
    if principal is None:
        return PUBLIC
    if principal.is_operator:
        return OPERATOR
    principal.require("trace")
    deliverer = await deliverer_of(call, principal)
    return Viewer("", principal.party_id, deliverer.codes, principal.grants)


async def holds_any(pool: Pool, principal: Principal, roles: tuple[str, ...], gtin: str) -> bool:
    """Whether the caller is the operator, holds one of ``roles`` for the GTIN, or owns the product."""
    if principal.is_operator or any(principal.holds(role, gtin) for role in roles):
        return True
    product = (await find_products(pool, [gtin])).get(gtin)
    return product is not None and product.owner_party == principal.party_id


async def require_issuer(pool: Pool, principal: Principal, gtin: str) -> None:
    """Raise ``PermissionDenied`` (``access.gtin.issuer``) unless the caller may make codes of the GTIN."""
    if not await holds_any(pool, principal, ISSUER_ROLES, gtin):
        raise PermissionDenied(
            "access.gtin.issuer",
            f"{principal.party_id} is neither brand owner nor manufacturer of the GTIN {gtin}.",
            path="gtin",
            remedy="The operator grants the role, or names the party as owner of the product.",
        )


def require_operator(principal: Principal, what: str, path: str = "") -> None:
    """Raise ``PermissionDenied`` (``access.operator``) unless the operator calls."""
    if not principal.is_operator:
        raise PermissionDenied(
            "access.operator",
            f"Only the operator may {what}.",
            path=path,
            remedy="Use a token with the scope operator, of a party that holds the role operator.",
        )
