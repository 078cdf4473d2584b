"""Members of this deployment: who they are, what the operator granted them, and the tokens they come with.

A party is never trusted for what it says of itself. Its role is granted by the operator, for everything or
for one GTIN, and counts from a moment until a moment, so that a fact keeps the standing that its speaker had
when it was captured. A token opens doors (scopes); it grants no role.

Not here: what an audience may see (``disclosure``), what a role's word is worth (``capture``).
"""

from suyuan.parties.identifiers import check_customs_code, check_gln, check_uscc, uscc_check_character
from suyuan.parties.members import Party, add_party, find_parties, get_party, list_parties
from suyuan.parties.roles import ROLES, Grant, find_holders, grant_role, grants_at, list_grants, revoke_role
from suyuan.parties.tokens import (
    SCOPES,
    Authenticator,
    Principal,
    Token,
    create_token,
    list_tokens,
    revoke_token,
)

__all__ = [
    "ROLES",
    "SCOPES",
    "Authenticator",
    "Grant",
    "Party",
    "Principal",
    "Token",
    "add_party",
    "check_customs_code",
    "check_gln",
    "check_uscc",
    "create_token",
    "find_holders",
    "find_parties",
    "get_party",
    "grant_role",
    "grants_at",
    "list_grants",
    "list_parties",
    "list_tokens",
    "revoke_role",
    "revoke_token",
    "uscc_check_character",
]
