"""The two North American coupon formats: AI 8110 (coupon code) and AI 8112 (positive offer file).

Both are digits in fields whose first digit says how long the rest is. They are read as one pattern each,
built from that rule; only the dates of a coupon need more than a pattern. Source: GS1 US, North American
Coupon Application Guideline, and GS1 AI (8112) Coupon Data Specification.
"""

from __future__ import annotations

import re
from typing import Final


def _counted(first: int, last: int, base: int) -> str:
    """A field of ``base`` + n digits behind its length indicator n, which is ``first`` to ``last``."""
    return "(?:" + "|".join(f"{size}[0-9]{{{base + size}}}" for size in range(first, last + 1)) + ")"


_COMPANY: Final = _counted(0, 6, 6)
_AMOUNT: Final = _counted(1, 5, 0)
_SERIAL: Final = _counted(0, 9, 6)
_OFFER: Final = "[0-9]{6}"
_PURCHASE: Final = f"{_AMOUNT}[0-49][0-9]{{3}}"  # amount required, what it counts, product family
_OTHER_COMPANY: Final = f"(?:{_COMPANY}|9)"  # 9: the company of the first purchase
_DATE: Final = "[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"

_COUPON: Final = re.compile(
    f"{_COMPANY}{_OFFER}{_AMOUNT}{_PURCHASE}"
    f"(?:1[0-3]{_PURCHASE}{_OTHER_COMPANY})?"
    f"(?:2{_PURCHASE}{_OTHER_COMPANY})?"
    f"(?:3(?P<expires>{_DATE}))?"
    f"(?:4(?P<starts>{_DATE}))?"
    f"(?:5{_SERIAL})?"
    f"(?:6{_counted(1, 7, 6)})?"
    "(?:9[01256][0-2][0-9][01])?"
)
_POSITIVE_OFFER: Final = re.compile(f"[01]{_COMPANY}{_OFFER}{_SERIAL}")
_SHORT_MONTHS: Final = {"02": 29, "04": 30, "06": 30, "09": 30, "11": 30}


def _is_day(date: str) -> bool:
    last = _SHORT_MONTHS.get(date[2:4], 31)
    if last == 29 and int(date[:2]) % 4:
        last = 28
    return int(date[4:]) <= last


def coupon_valid(text: str) -> bool:
    """Whether ``text`` is the content of AI 8110, with dates that exist and do not end before they start."""
    match = _COUPON.fullmatch(text)
    if match is None:
        return False
    expires, starts = match["expires"], match["starts"]
    if any(date is not None and not _is_day(date) for date in (expires, starts)):
        return False
    return expires is None or starts is None or starts <= expires


def positive_offer_valid(text: str) -> bool:
    """Whether ``text`` is the content of AI 8112."""
    return _POSITIVE_OFFER.fullmatch(text) is not None
