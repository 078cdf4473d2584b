"""Looks at codes: verifying an item by its scratch code, apart from tracing it; and what is known of one code.

Anybody may look at an item's page, in a shop too, and that verifies nothing. A scratch code is under a layer that
is scratched off: who types it verifies the item, the first time counts as such and is never taken back. What is
proved is only that the label was made here and which verification this was; what is inside the pack is not.

Each verification leaves a row that nobody can change, without the address that it came from.
"""

from suyuan.scans.standing import CodeStanding, LaterState, read_standing
from suyuan.scans.verifying import Verification, Verifier
from suyuan.scans.wording import words_of

__all__ = ["CodeStanding", "LaterState", "Verification", "Verifier", "read_standing", "words_of"]
