"""What is wrong with a sheet, all of it: each fault with its cell, so that one correction is enough."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from suyuan.errors import InputError, SuyuanError

# With so many faults it is the form of the sheet that is wrong, and the next hundred would say the same.
MAX_FAULTS: Final = 100


class Fault(msgspec.Struct, frozen=True):
    """One fault: ``code`` is stable, ``path`` the cell or row. Nothing personal is in ``reason`` or ``remedy``."""

    code: str
    path: str
    reason: str
    remedy: str = ""


class FaultySheetError(InputError):
    """A sheet with faults: reports the first, counts the others and carries them all."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        first, more = faults[0], len(faults) - 1
        reason = first.reason
        if more:
            least = "At least " if len(faults) >= MAX_FAULTS else ""
            were = "more faults were" if more > 1 else "more fault was"
            reason += f" {least}{more} {were} found: " + ", ".join(_places(faults[1:])) + "."
        super().__init__(first.code, reason, path=first.path, remedy=first.remedy)
        self.faults = faults


def _places(faults: tuple[Fault, ...]) -> Iterable[str]:
    places = list(dict.fromkeys(fault.path for fault in faults if fault.path))
    return places if len(places) <= 12 else [*places[:12], "..."]


def fault_of(error: SuyuanError) -> Fault:
    """The fault that an error tells of."""
    return Fault(error.code, error.path, error.reason, error.remedy)
