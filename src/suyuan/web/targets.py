"""What a request to the resolver names and asks for: read from its path, its query and its ``Accept``. Pure."""

from __future__ import annotations

from typing import Literal
from urllib.parse import parse_qsl

import msgspec

from suyuan.errors import InputError
from suyuan.gs1.digital_link import DigitalLink, canonical_or_same, parse, without_trailing_slash
from suyuan.gs1.link_choice import weighted
from suyuan.gs1.linkset import LINKSET_MEDIA_TYPE, levels
from suyuan.web.answers import JSON_TYPE

Wanted = Literal["page", "json", "linkset", "link"]


class Target(msgspec.Struct, frozen=True):
    """What a path names: its canonical URI, the anchors that answer for it, and the link where it is one."""

    uri: str
    anchors: tuple[str, ...]
    link: DigitalLink | None


def read_target(path: str, base_url: str) -> Target:
    """What the raw ``path`` names. Raises ``InputError`` (``gs1.*``) where it is no valid identifier.

    ``/obj/{class}.{serial}`` names goods without a GS1 key under this host's own name.
    """
    path = without_trailing_slash(path)
    if path.startswith("/obj/"):
        name = path[len("/obj/") :]
        if not name or "/" in name:
            raise InputError("gs1.uri.object", "An object's address is /obj/{class}.{serial}.", path="/")
        uri = canonical_or_same(base_url + path)
        return Target(uri, (uri,), None)
    link = parse(base_url + path)
    return Target(link.canonical, levels(link), link)


def wanted(accept: str, link_type: str | None) -> Wanted:
    """Which kind of answer a request asks for."""
    if link_type is not None:
        return "linkset" if link_type in ("linkset", "all") else "link"
    for media_type in weighted(accept):
        if media_type in ("text/html", "application/xhtml+xml"):
            return "page"
        if media_type == JSON_TYPE:
            return "json"
        if media_type == LINKSET_MEDIA_TYPE:
            return "linkset"
    return "link"


def parameters_of(query: str) -> dict[str, str]:
    """The parameters of a query; none where there are more than anybody needs."""
    try:
        return dict(parse_qsl(query.replace(";", "%3B"), max_num_fields=100))
    except ValueError:
        return {}
