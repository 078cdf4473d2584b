"""How long a GS1 Company Prefix is, as far as the table beside this module knows.

The lengths of company prefixes are published by GS1 per range; most countries mix lengths in ranges so fine
that only GS1's own register knows them all. The table keeps the ranges of up to five digits that have one
length throughout (GS1's list of 2021). Everything else is unknown, and unknown is said, never guessed: a
wrong length would translate a Digital Link into the URN of another company's thing.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Final

_LONGEST_RANGE: Final = 5


@cache
def _lengths() -> dict[str, int]:
    text = files("suyuan.gs1").joinpath("data/company_prefix_lengths.csv").read_text("utf-8")
    table: dict[str, int] = {}
    for row in csv.DictReader(text.splitlines()):
        width = len(row["first"])
        for number in range(int(row["first"]), int(row["last"]) + 1):
            table[str(number).zfill(width)] = int(row["length"])
    return table


def company_prefix_length(key: str) -> int | None:
    """The number of digits of the company prefix that ``key`` starts with, or None if it is not known.

    ``key`` starts with the prefix itself: a GTIN without its indicator digit, an SSCC without its extension.
    """
    table = _lengths()
    for width in range(_LONGEST_RANGE, 1, -1):
        length = table.get(key[:width])
        if length is not None:
            return length
    return None
