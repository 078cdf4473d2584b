"""Looks at codes: verifying an item by its scratch code or its label's image, apart from tracing it; and what is known
of one code.

Anybody may look at an item's page, in a shop too, and that verifies nothing. A scratch code is under a layer that
is scratched off: who types it verifies the item, the first time counts as such and is never taken back. What is
proved is only that the label was made here and which verification this was; what is inside the pack is not.

A label that was enrolled is checked by a capture of the phone's camera (``LabelChecker``): it matches its record, it
differs, or it could not be told. That says something about the label; the goods inside are another matter.

Each verification leaves a row that nobody can change, without the address that it came from.
"""

from suyuan.scans.label_checking import LabelChecker
from suyuan.scans.label_model import Challenge, LabelCheck, LabelChecks
from suyuan.scans.label_wording import advice_of, label_words_of
from suyuan.scans.standing import CodeStanding, LaterState, read_standing
from suyuan.scans.verifying import Verification, Verifier
from suyuan.scans.wording import words_of

__all__ = [
    "Challenge",
    "CodeStanding",
    "LabelCheck",
    "LabelChecker",
    "LabelChecks",
    "LaterState",
    "Verification",
    "Verifier",
    "advice_of",
    "label_words_of",
    "read_standing",
    "words_of",
]
