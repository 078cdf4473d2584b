"""What a party took back: a withdrawn fact and the error declaration that withdraws it, side by side.

A declaration repeats its event (EPCIS 2.0, error declaration): it has the same content, comes from the same party
and adds when and why. Their common event ID is hidden from most audiences, so the maker of a bundle says which fact a
declaration takes back, and whoever verifies compares all that both disclose. A maker can leave both out, or the
declaration alone; the log keeps it, and nobody can put one in that was not logged.
"""

from __future__ import annotations

from collections.abc import Sequence

from suyuan.canon import JSON
from suyuan.disclosure.commitment import DisclosedEvent
from suyuan.errors import VerificationError
from suyuan.proof.ties import DECLARED_PATH, first_text

_SAME = (
    "type",
    "action",
    "eventTime",
    "bizStep",
    "disposition",
    "readPoint/id",
    "bizLocation/id",
    "parentID",
    "statement/party",
    "statement/eventID",
)
_NEEDED = ("type", "eventTime", "statement/party")


def verify_withdrawals(events: Sequence[DisclosedEvent], withdrawals: Sequence[Sequence[int]]) -> None:
    """Check that each declaration fits the facts that it takes back, and that each says which they are.

    Raises ``VerificationError`` (``bundle.withdrawal.unnamed``, ``bundle.withdrawal.undeclared``,
    ``bundle.withdrawal.mismatch``).
    """
    for position, (event, withdrawn) in enumerate(zip(events, withdrawals, strict=True)):
        path = f"facts[{position}].withdraws"
        declares = bool(first_text(event, DECLARED_PATH))
        if declares and not withdrawn:
            raise VerificationError(
                "bundle.withdrawal.unnamed",
                "An error declaration does not say what it takes back.",
                path=path,
            )
        if withdrawn and not declares:
            raise VerificationError(
                "bundle.withdrawal.undeclared", "A fact takes another back without a declaration.", path=path
            )
        for earlier in withdrawn:
            if not fits(event, events[earlier]):
                raise VerificationError(
                    "bundle.withdrawal.mismatch",
                    f"The declaration does not repeat facts[{earlier}], which it takes back.",
                    path=path,
                )


def fits(declaration: DisclosedEvent, fact: DisclosedEvent) -> bool:
    """Whether a declaration repeats a fact of the same party, as far as both disclose it."""
    said, stated = _values(declaration), _values(fact)
    if first_text(fact, DECLARED_PATH) or any(path not in said or path not in stated for path in _NEEDED):
        return False
    return all(said[path] == stated[path] for path in said.keys() & stated.keys())


def _values(event: DisclosedEvent) -> dict[str, JSON]:
    return {claim.path: claim.value for claim in event.claims if claim.path in _SAME}
