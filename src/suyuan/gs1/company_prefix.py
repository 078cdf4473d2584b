"""How long a GS1 Company Prefix is, as far as the table beside this module knows."""

from __future__ import annotations


def company_prefix_length(key: str) -> int | None:
    """The number of digits of the company prefix that ``key`` starts with, or None if it is not known."""
    return None
