"""The links of an identifier: their rules, the RFC 9264 linkset, and the resolver's description of itself.

A link hangs on an anchor, the canonical URI of one level (an item, a lot, a GTIN); the linkset of a request
is the union of its levels, the finest first. GS1-Conformant Resolver 1.2 asks for exactly one default link
and for language tags of the form ``ll`` or ``ll-CC``. Which link answers a request is ``link_choice``'s;
where links are stored is not said here. Pure: nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from suyuan.errors import InputError
from suyuan.gs1.digital_link import DigitalLink, build

LinksetJSON: TypeAlias = "dict[str, list[dict[str, str | list[dict[str, str | bool | list[str]]]]]]"

VOCABULARY: Final = "https://ref.gs1.org/voc/"
DEFAULT_LINK: Final = VOCABULARY + "defaultLink"
LINKSET_MEDIA_TYPE: Final = "application/linkset+json"
LINKSET_CONTEXT: Final = "https://ref.gs1.org/standards/resolver/linkset-context"
LINKSET_LINK_TYPES: Final = frozenset({"linkset", "all"})  # "all" is what older requests say

# The link types that this product publishes; any other of GS1's vocabulary or a full URI is taken as well.
PIP: Final = VOCABULARY + "pip"
TRACEABILITY: Final = VOCABULARY + "traceability"
EPCIS: Final = VOCABULARY + "epcis"
DPP: Final = VOCABULARY + "dpp"
CERTIFICATION_INFO: Final = VOCABULARY + "certificationInfo"
VERIFICATION_SERVICE: Final = VOCABULARY + "verificationService"
RECALL_STATUS: Final = VOCABULARY + "recallStatus"
JWS: Final = VOCABULARY + "jws"

SUPPORTED_KEYS: Final = ("01", "00", "8006", "8003", "8004", "253", "414", "417")
_DESCRIBABLE_KEYS: Final = {
    "all", "00", "01", "253", "255", "401", "402", "410", "411", "412", "413", "414", "415", "417", "8003",
    "8004", "8006", "8010", "8013", "8017", "8018",
}  # fmt: skip

_RELATION: Final = re.compile(r"[a-z][a-z-]*|https?://[A-Za-z0-9./]+")
_SHORT_TYPE: Final = re.compile(r"gs1:([A-Za-z][A-Za-z0-9]*)")
_HREF: Final = re.compile(r"https?://[A-Za-z0-9][^\s<>\"{}|\\^`]*")
_LANGUAGE: Final = re.compile(r"[a-z]{2}(?:-[A-Z]{2})?")
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link from ``anchor`` (a canonical URI) to ``href``.

    ``link_type`` is a full URI (``full_link_type``) or a registered relation name; ``hreflang`` holds tags
    ``ll`` or ``ll-CC``; ``context`` restricts the link, mostly to territories. ``default`` marks the one
    link that a bare request is sent to. ``forward_query``: the request's query goes on to ``href``.
    """

    anchor: str
    link_type: str
    href: str
    title: str
    hreflang: tuple[str, ...] = ()
    media_type: str | None = None
    context: tuple[str, ...] = ()
    default: bool = False
    forward_query: bool = True


def full_link_type(name: str) -> str:
    """The full URI of a link type given as ``gs1:pip``, as a URI or as a relation name.

    Raises ``InputError`` (``gs1.link.type``) for anything else.
    """
    short = _SHORT_TYPE.fullmatch(name)
    if short is not None:
        return VOCABULARY + short[1]
    if not _RELATION.fullmatch(name):
        raise InputError(
            "gs1.link.type",
            "A link type is gs1:<name>, a plain http(s) URI or a registered relation name.",
            path="linkType",
        )
    return name


def check_link(link: Link) -> None:
    """Raise ``InputError`` (``gs1.link.*``) unless ``link`` may stand in a linkset."""
    rules = (
        (_HREF.fullmatch(link.anchor), "anchor", "The anchor is the canonical http(s) URI of a thing."),
        (_HREF.fullmatch(link.href), "href", "The target is an http(s) URI."),
        (link.title.strip(), "title", "A link has a title."),
        (link.link_type == full_link_type(link.link_type), "link_type", "Write the link type as a full URI."),
        (
            link.link_type != DEFAULT_LINK,
            "link_type",
            "Mark the default link with its flag, beside its own type.",
        ),
        (all(map(_LANGUAGE.fullmatch, link.hreflang)), "hreflang", "A language is ll or ll-CC: zh or zh-CN."),
        (
            link.media_type is None or _MEDIA_TYPE.fullmatch(link.media_type),
            "media_type",
            "A media type looks like text/html.",
        ),
        (
            "/21/" not in link.anchor or ("/10/" not in link.anchor and "/22/" not in link.anchor),
            "anchor",
            "An item's anchor is GTIN and serial; its lot is information, not part of the key.",
        ),
    )
    for passes, field, reason in rules:
        if not passes:
            raise InputError(f"gs1.link.{field}", reason, path=field)


def check_links(links: Sequence[Link]) -> None:
    """Raise ``InputError`` unless these links make one linkset: each valid, one default link an anchor.

    ``gs1.link.defaults`` names an anchor with two default links, or a linkset without any.
    """
    defaults: set[str] = set()
    for link in links:
        check_link(link)
        if link.default:
            if link.anchor in defaults:
                raise InputError(
                    "gs1.link.defaults", f"{link.anchor} has more than one default link.", path="default"
                )
            defaults.add(link.anchor)
    if links and not defaults:
        raise InputError("gs1.link.defaults", "One link must be the default link.", path="default")


def levels(link: DigitalLink) -> tuple[str, ...]:
    """The anchors that answer for ``link``, the finest first: item, lot, variant, then the key alone.

    An unknown serial, lot or variant is answered from the level above it. Item and lot hang on the key
    directly, so a request for a serial in some lot finds the links of the item and those of the lot.
    """
    return (*(build((link.key, qualifier)) for qualifier in reversed(link.qualifiers)), build((link.key,)))


def linkset(links: Iterable[Link], descriptions: Mapping[str, str]) -> LinksetJSON:
    """The RFC 9264 JSON linkset of ``links``; ``descriptions`` gives each anchor's ``itemDescription``.

    Anchors and link types keep the order in which they first appear. Raises ``InputError`` as
    ``check_links`` does.
    """
    links = list(links)
    check_links(links)
    entries: dict[str, dict[str, str | list[dict[str, str | bool | list[str]]]]] = {}
    for link in links:
        entry = entries.setdefault(
            link.anchor,
            {"anchor": link.anchor, "itemDescription": descriptions.get(link.anchor, link.anchor)},
        )
        _targets(entry, link.link_type).append(_target(link))
        if link.default:
            _targets(entry, DEFAULT_LINK).append({"href": link.href, "title": link.title})
    return {"linkset": list(entries.values())}


def _targets(
    entry: dict[str, str | list[dict[str, str | bool | list[str]]]], relation: str
) -> list[dict[str, str | bool | list[str]]]:
    targets = entry.setdefault(relation, [])
    assert isinstance(targets, list)
    return targets


def _target(link: Link) -> dict[str, str | bool | list[str]]:
    target: dict[str, str | bool | list[str]] = {"href": link.href, "title": link.title}
    if link.hreflang:
        target["hreflang"] = list(link.hreflang)
    if link.media_type is not None:
        target["type"] = link.media_type
    if link.context:
        target["context"] = list(link.context)
    if not link.forward_query:
        target["fwqs"] = False
    return target


def link_header(linkset_uri: str) -> str:
    """The value of the ``Link`` header of every answer about an identifier: where its linkset is."""
    return f'<{linkset_uri}>; rel="linkset"; type="{LINKSET_MEDIA_TYPE}"'


def context_header() -> str:
    """The ``Link`` value that a linkset itself carries besides: its JSON-LD context."""
    return f'<{LINKSET_CONTEXT}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'


def with_query(link: Link, query: str) -> str:
    """``link``'s target with the request's query (raw, without ``?``) appended as it was sent."""
    if not query or not link.forward_query:
        return link.href
    target, hash_mark, fragment = link.href.partition("#")
    joint = "" if target.endswith(("?", "&")) else "&" if "?" in target else "?"
    return f"{target}{joint}{query}{hash_mark}{fragment}"


def resolver_description(
    root: str, name: str, *, keys: Sequence[str] = SUPPORTED_KEYS, contact: str = ""
) -> dict[str, object]:
    """What ``/.well-known/gs1resolver`` says. ``root`` is the resolver's https address without a slash.

    Raises ``InputError`` (``gs1.resolver.*``) for a root that is no address or a key that no resolver
    description may name.
    """
    if not _HREF.fullmatch(root):
        raise InputError("gs1.resolver.root", "The resolver's root is an http(s) address.", path="root")
    unknown = set(keys) - _DESCRIBABLE_KEYS
    if unknown or not keys:
        raise InputError("gs1.resolver.keys", "The keys are AIs that may start a Digital Link.", path="keys")
    description: dict[str, object] = {
        "name": name,
        "resolverRoot": root.rstrip("/"),
        "supportedPrimaryKeys": list(keys),
        "supportedLinkType": [{"namespace": VOCABULARY, "prefix": "gs1:"}],
        "linkTypeDefaultCanBeLinkset": False,
        "jsonLdContextLocation": LINKSET_CONTEXT,
    }
    if contact:
        description["contact"] = {"fn": contact}
    return description
