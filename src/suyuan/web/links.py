"""The links of a thing: those that members registered, and this deployment's own page, trace and bundle."""

from __future__ import annotations

from suyuan.gs1.linkset import PIP, RECALL_STATUS, TRACEABILITY, VERIFICATION_SERVICE, Link
from suyuan.web.answers import JSON_TYPE


def path_of(uri: str) -> str:
    """The path of a canonical URI: the same on every resolver."""
    return "/" + uri.split("://", 1)[-1].partition("/")[2]


def links_of(base: str, anchor: str, registered: tuple[Link, ...], described: tuple[str, str]) -> list[Link]:
    """The registered links of an anchor, then ours; ours is the default link where no other one is."""
    path = path_of(anchor)
    english, chinese = described[0] or described[1] or path, described[1] or described[0] or path
    page, trace = f"{base}/item{path}", f"{base}/trace{path}"

    def own(kind: str, href: str, title: str, media_type: str, *languages: str) -> Link:
        return Link(
            anchor=anchor,
            link_type=kind,
            href=href,
            title=title,
            media_type=media_type,
            hreflang=languages,
            default=kind == TRACEABILITY and href == page and not any(one.default for one in registered),
        )

    return [
        *registered,
        own(TRACEABILITY, page, english, "text/html", "zh-CN", "en"),
        own(TRACEABILITY, trace, english, JSON_TYPE),
        own(PIP, f"{page}?lang=zh-CN", chinese, "text/html", "zh-CN"),
        own(PIP, f"{page}?lang=en", english, "text/html", "en"),
        own(RECALL_STATUS, trace, english, JSON_TYPE),
        own(VERIFICATION_SERVICE, f"{base}/bundle{path}", english, JSON_TYPE),
    ]
