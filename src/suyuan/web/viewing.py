"""Whether somebody looks: a page that was asked for by a person, as far as the request itself tells. Pure.

Counted are pages that a browser opens to show them. Not counted are what browsers and messengers fetch ahead or for a
preview, crawlers, programs, and parts of other pages. Nothing of the request is kept. Who lies about itself counts as
a person: the count is a hint, and no evidence.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_NOT_OPENED = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)
# By their own names: crawlers, makers of previews, monitors, libraries and tools.
_MACHINES = re.compile(
    r"bot\b|bots\b|bot/|crawl|spider|slurp|archive|preview|fetcher|monitor|uptime|validator|headless|lighthouse"
    r"|facebookexternalhit|curl|wget|httpie|python|aiohttp|httpx|okhttp|go-http|java/|ruby|perl|php/|node|axios",
    re.IGNORECASE,
)


def is_look(method: str, header: Callable[[str], str]) -> bool:
    """Whether a request for a page is a person's look at it; ``header`` gives a header's value, or an empty text."""
    if method != "GET" or any(_NOT_OPENED.search(header(name)) for name in _AHEAD):
        return False
    if header("sec-fetch-dest") not in ("", "document"):
        return False
    agent = header("user-agent")
    return bool(agent) and _MACHINES.search(agent) is None
