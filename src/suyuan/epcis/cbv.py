"""The Core Business Vocabulary: one URI for each word, in whatever spelling it was sent.

A word of a family comes as a bare word (``departing``), a CURIE (``cbv:BizStep-departing``), a URN
(``urn:epcglobal:cbv:bizstep:departing``) or a Web URI (``https://ref.gs1.org/cbv/BizStep-departing``).
Inside Suyuan only the Web URI exists. A URI of somebody else's vocabulary stays what it is; a bare word that
the family does not know is no word. The words are data (``data/cbv.toml``).

Source: CBV 2.0 section 7, EPCIS 2.0 section 10 (JSON-LD context).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Final, Literal, TypeAlias

Family: TypeAlias = Literal[
    "biz_step",
    "disposition",
    "biz_transaction_type",
    "source_destination_type",
    "error_reason",
    "component",
    "measurement_type",
    "sensor_alert",
]

CBV_NAMESPACE: Final = "https://ref.gs1.org/cbv/"
GS1_NAMESPACE: Final = "https://gs1.org/voc/"
MASTER_DATA_NAMESPACE: Final = "urn:epcglobal:cbv:mda"
# GS1 moved its Web Vocabulary; the event hash of CBV 2.0 knows the first address.
_MOVED_GS1_NAMESPACE: Final = "https://ref.gs1.org/voc/"

_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-_]*:[^\s\x00-\x1f\x7f<>\"{}|\\^`]+")

NAMESPACES: Final[Mapping[str, str]] = {
    "cbv": CBV_NAMESPACE,
    "gs1": GS1_NAMESPACE,
    "cbvmda": MASTER_DATA_NAMESPACE,
    "epcis": "https://ref.gs1.org/epcis/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcterms": "http://purl.org/dc/terms/",
}
"""Prefixes that the EPCIS context declares for every document."""


class _Words:
    """One family: its prefixes and the table from every known spelling to the Web URI."""

    def __init__(self, urn: str, uri: str, words: list[str]) -> None:
        self.urn = urn
        self.uri = uri
        self.words = frozenset(words)
        self.known: dict[str, str] = {}
        for word in words:
            full = uri + word
            self.known[word] = self.known[full] = full
            self.known[full.replace(CBV_NAMESPACE, "cbv:").replace(GS1_NAMESPACE, "gs1:")] = full
            if urn:
                self.known[urn + word] = full


def _load() -> dict[str, _Words]:
    text = resources.files("suyuan.epcis").joinpath("data/cbv.toml").read_text(encoding="utf-8")
    return {
        family: _Words(entry.get("urn", ""), entry["uri"], entry["words"].split())
        for family, entry in tomllib.loads(text).items()
    }


_FAMILIES: Final = _load()


def expand(family: Family, text: str) -> str | None:
    """The URI of a vocabulary word, or None where ``text`` is neither a known word nor a URI.

    Only GS1's own prefixes are resolved; a CURIE of the sender's (``example:word``) is kept as it is, since
    in XML nothing tells it from a URI and both syntaxes must say the same.
    """
    words = _FAMILIES[family]
    known = words.known.get(text)
    if known is not None:
        return known
    if not _URI.fullmatch(text):
        return None
    if text.startswith("cbv:"):
        return CBV_NAMESPACE + text[4:]
    if text.startswith("gs1:"):
        return GS1_NAMESPACE + text[4:]
    if words.urn and text.startswith(words.urn):
        return words.uri + text[len(words.urn) :]
    if text.startswith(_MOVED_GS1_NAMESPACE):
        return GS1_NAMESPACE + text[len(_MOVED_GS1_NAMESPACE) :]
    return text


def bare_word(family: Family, uri: str) -> str:
    """The word as JSON-LD writes it: bare where the family knows it, else the URI unchanged."""
    words = _FAMILIES[family]
    if uri.startswith(words.uri):
        word = uri[len(words.uri) :]
        if word in words.words:
            return word
    return uri


def urn(family: Family, uri: str) -> str:
    """The word as EPCIS XML writes it: a CBV URN, a CURIE for the sensor families, else the URI unchanged."""
    words = _FAMILIES[family]
    if not uri.startswith(words.uri):
        return uri
    word = uri[len(words.uri) :]
    if words.urn:
        return words.urn + word if word in words.words else uri
    prefix = "gs1:" if words.uri == GS1_NAMESPACE else "cbv:" + words.uri[len(CBV_NAMESPACE) :]
    return prefix + word


def is_standard(family: Family, uri: str) -> bool:
    """Whether the URI is a word that CBV 2.0 itself defines for the family."""
    words = _FAMILIES[family]
    return uri.startswith(words.uri) and uri[len(words.uri) :] in words.words
