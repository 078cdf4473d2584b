"""Which link answers a request: by level, link type, context, language and media type, in this order.

GS1-Conformant Resolver 1.2: a bare request goes to the default link and nowhere else; a link type that is
not there is "not found"; what the request cannot tell apart is answered with all of it (300). Languages are
matched by RFC 4647: lookup first (``zh-CN`` falls back to ``zh``), then basic filtering (``zh`` finds
``zh-CN``). The finest level that has a link of the type wins, so that a serial's link outranks a lot's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from suyuan.gs1.linkset import LINKSET_LINK_TYPES, LINKSET_MEDIA_TYPE, Link, full_link_type

MAX_RANGES: Final = 32  # parts of an Accept or Accept-Language header that are looked at

Outcome = Literal["redirect", "multiple", "linkset", "not_found"]
STATUS: Final[dict[Outcome, int]] = {"redirect": 307, "multiple": 300, "linkset": 200, "not_found": 404}


@dataclass(frozen=True, slots=True)
class Choice:
    """The answer: one link to go to, several to choose from, the linkset, or nothing.

    ``links`` has one link for ``redirect``, those that cannot be told apart for ``multiple``, else none.
    """

    outcome: Outcome
    links: tuple[Link, ...] = ()

    @property
    def status(self) -> int:
        """The HTTP status of the outcome."""
        return STATUS[self.outcome]


def weighted(header: str) -> list[str]:
    """The parts of an ``Accept`` or ``Accept-Language`` header, lower case, most wanted first.

    Parts with weight 0 are left out; of equal weights the order stays. Never raises.
    """
    parts: list[tuple[float, str]] = []
    for part in header.split(",")[:MAX_RANGES]:
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                weight = _weight(value.strip())
        if name and weight > 0:
            parts.append((weight, name.lower()))
    return [name for _, name in sorted(parts, key=lambda item: -item[0])]


def _weight(text: str) -> float:
    whole, _, fraction = text.partition(".")
    if (
        whole in {"0", "1"}
        and len(fraction) <= 3
        and (not fraction or (fraction.isascii() and fraction.isdigit()))
    ):
        return min(float(text), 1.0)
    return 0.0


def choose(
    links: Sequence[Link],
    anchors: Sequence[str],
    *,
    link_type: str | None = None,
    accept: str = "",
    accept_language: str = "",
    context: str | None = None,
) -> Choice:
    """Choose among ``links`` for a request whose levels are ``anchors`` (``linkset.levels``).

    ``link_type``, ``accept``, ``accept_language`` and ``context`` are as they came with the request.
    Raises ``InputError`` (``gs1.link.type``) for a link type that is none.
    """
    if link_type in LINKSET_LINK_TYPES or LINKSET_MEDIA_TYPE in weighted(accept)[:1]:
        return Choice("linkset" if any(link.anchor in anchors for link in links) else "not_found")
    if link_type is None or link_type in {"gs1:defaultLink", full_link_type("gs1:defaultLink")}:
        for anchor in anchors:
            for link in links:
                if link.default and link.anchor == anchor:
                    return Choice("redirect", (link,))
        return Choice("not_found")
    wanted = full_link_type(link_type)
    for anchor in anchors:
        found = [link for link in links if link.anchor == anchor and link.link_type == wanted]
        if found:
            found = _of_context(found, context)
            found = _of_language(found, weighted(accept_language))
            found = _of_media_type(found, weighted(accept))
            if len({link.href for link in found}) == 1:
                return Choice("redirect", (found[0],))
            return Choice("multiple", tuple(found))
    return Choice("not_found")


def _first(links: list[Link], *tests: Callable[[Link], bool]) -> list[Link]:
    """The links that pass the first test that any link passes; all of them if none does."""
    for test in tests:
        passing = [link for link in links if test(link)]
        if passing:
            return passing
    return links


def _of_context(links: list[Link], context: str | None) -> list[Link]:
    if context is None:
        return _first(links, lambda link: not link.context)
    return _first(
        links,
        lambda link: context.lower() in (one.lower() for one in link.context),
        lambda link: not link.context,
    )


def _of_language(links: list[Link], ranges: list[str]) -> list[Link]:
    tags = {link: tuple(tag.lower() for tag in link.hreflang) for link in links}
    for one in ranges:
        if one == "*":
            return links
        wanted = one
        while wanted:
            found = [link for link in links if wanted in tags[link]]
            if found:
                return found
            # RFC 4647, 3.4: a single letter or digit goes together with what follows it.
            wanted = wanted.rpartition("-")[0]
            if len(wanted) > 2 and wanted[-2] == "-":
                wanted = wanted[:-2]
        found = [link for link in links if any(tag.startswith(f"{one}-") for tag in tags[link])]
        if found:
            return found
    return _first(links, lambda link: not link.hreflang) if ranges else links


def _of_media_type(links: list[Link], ranges: list[str]) -> list[Link]:
    for one in ranges:
        if one == "*/*":
            break
        found = [link for link in links if _fits(link.media_type, one)]
        if found:
            return found
    return links


def _fits(media_type: str | None, wanted: str) -> bool:
    if media_type is None:
        return False
    return media_type == wanted or (wanted.endswith("/*") and media_type.startswith(wanted[:-1]))
