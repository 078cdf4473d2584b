"""Short names for the namespaces of extensions, chosen by the writer: the same events, the same prefixes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from suyuan.epcis import cbv
from suyuan.epcis.identifiers import canonical_uri
from suyuan.epcis.model import Event, Extension
from suyuan.errors import InputError
from suyuan.gs1.epc_urn import digital_link_to_urn

SUYUAN_NAMESPACE: Final = "urn:suyuan:ext"
# Where XML carries the keywords of JSON-LD that stand in an extension (``@id``, ``@type``, ``@value``).
KEYWORD_NAMESPACE: Final = "http://www.w3.org/ns/json-ld#"
_WELL_KNOWN: Final = {
    **{namespace: prefix for prefix, namespace in cbv.NAMESPACES.items()},
    SUYUAN_NAMESPACE: "suyuan",
    KEYWORD_NAMESPACE: "jsonld",
    "http://www.w3.org/2001/XMLSchema-instance": "xsi",
}
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


def split_name(name: str) -> tuple[str, str]:
    """Namespace and local name of an expanded name; the namespace of a bare name is empty."""
    if name.startswith("{"):
        namespace, _, local = name[1:].rpartition("}")
        return namespace, local
    if name.startswith("@"):
        return KEYWORD_NAMESPACE, name[1:]
    return "", name


def _names(extensions: Iterable[Extension]) -> Iterator[str]:
    stack = list(extensions)
    while stack:
        extension = stack.pop()
        yield extension.name
        for name, _ in extension.attributes:
            yield name
        if isinstance(extension.value, tuple):
            stack += extension.value


def _trees(event: Event) -> Iterator[Extension]:
    yield from event.extensions
    yield from event.ilmd
    for place in (event.read_point, event.biz_location):
        if place is not None:
            yield from place.extensions
    if event.error_declaration is not None:
        yield from event.error_declaration.extensions
    for element in event.sensor_element_list:
        yield from element.extensions
        if element.metadata is not None:
            yield from element.metadata.extensions
        for report in element.reports:
            yield from report.extensions


class Prefixes:
    """Prefixes for every namespace in some events: the well-known ones, then ``ext1``, ``ext2`` ..."""

    def __init__(self, events: Iterable[Event]) -> None:
        found = {split_name(name)[0] for event in events for name in _names(_trees(event))} - {""}
        self.by_namespace: dict[str, str] = {}
        number = 0
        for namespace in sorted(found):
            prefix = _WELL_KNOWN.get(namespace)
            if prefix is None:
                number += 1
                prefix = f"ext{number}"
            self.by_namespace[namespace] = prefix

    def shorten(self, name: str, *, iri: bool = False) -> str:
        """``{namespace}local`` -> ``prefix:local``. With ``iri``, what is a whole IRI already stays one."""
        if iri and name.startswith("@"):
            return name
        namespace, local = split_name(name)
        if not namespace or (iri and _SCHEME.fullmatch(namespace)):
            return namespace + local
        return f"{self.by_namespace[namespace]}:{local}"


def formatted(uri: str, form: str) -> str:
    """An identifier in the wanted form: ``dl`` canonical Digital Link, ``urn`` EPC URN where there is one
    (the length of the company prefix must be known), ``same`` as it is."""
    if form == "same":
        return uri
    canonical = canonical_uri(uri)
    if form == "dl":
        return canonical
    if uri.startswith("urn:") or not canonical.startswith("https://id.gs1.org/"):
        return uri
    try:
        return digital_link_to_urn(canonical) or canonical
    except InputError:
        return canonical
