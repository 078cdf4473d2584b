"""Which document leads to which: the direction of the way from an item to its papers.

A link runs from the document that is nearer to the item to the one that is farther away, never back: from a
shared document (a declaration, a bill of lading) there is no way down to other people's parcels. Which
pairs count is said here once; the index stores a link row for each pair that an event names together.

The letter in a customs number tells entry from exit: ``QD516525I...`` is an entry list, ``QD516525E...`` an
exit list, ``Z5165I...`` an inbound and ``Z5165E...`` an outbound gate pass (number formats of the Chinese
bonded-zone system).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

PREFIX = "urn:suyuan:"
PERSON_KINDS = frozenset({"order", "payment", "waybill", "parcel-list", "parcel-list-draft", "tax-bill"})
MAX_LINKS_PER_DOCUMENT = 64

# What stands under the same prefix and is no paper; a label is another firm's code of a thing.
_NO_DOCUMENTS = frozenset({"place", "bizstep", "disp", "ext", "btt", "authority", "firm", "raw", "label"})
_ENTRY_OR_EXIT = re.compile(r"(?:QD\d{6}|Z\d{4})([IE])")

# from -> to; a kind with ":in" or ":out" is the entry or exit form of a list or gate pass
_LEADS_TO: dict[str, frozenset[str]] = {
    "waybill": frozenset(
        {"order", "parcel-list", "parcel-list-draft", "gate-pass:out", "awb", "bol"}
        | {"inbound-detail", "inbound-detail-draft"}
    ),
    "order": frozenset({"payment", "parcel-list", "parcel-list-draft"}),
    # The electronic port's and the broker's own number of a list lead to the number that customs gave it.
    "parcel-list-draft": frozenset({"parcel-list"}),
    "parcel-list": frozenset({"tax-bill", "bonded-list:out", "gate-pass:out", "ledger-item", "awb", "bol"}),
    "inbound-detail-draft": frozenset({"inbound-detail"}),
    "bonded-list:out": frozenset({"gate-pass:out", "bonded-list-preentry"}),
    "ledger-item": frozenset({"bonded-list:in"}),
    "bonded-list:in": frozenset(
        {"gate-pass:in", "declaration", "declaration-unified", "bonded-list-preentry", "bol"}
    ),
    "bonded-list-preentry": frozenset({"declaration-unified"}),
    "declaration-unified": frozenset({"declaration"}),
    "declaration": frozenset({"bol", "quarantine"}),
    "bol": frozenset({"vessel-voyage", "mrn"}),
    "awb": frozenset({"flight", "mrn"}),
    "container": frozenset({"bol", "seal"}),
    "tally": frozenset({"ledger-item", "bonded-list:in"}),
}


# A page asks this more than a thousand times, of some fifty URIs.
@lru_cache(maxsize=2048)
def document_kind(uri: str) -> str:
    """The kind of a document URI (``declaration``, ``waybill``, ``certificate``...), or an empty string.

    A container counts as ``container``. The kind says nothing of entry or exit; see ``link_kind``.
    """
    if uri.startswith("urn:epc:id:bic:"):
        return "container"
    if not uri.startswith(PREFIX):
        return ""
    kind = uri[len(PREFIX) :].partition(":")[0]
    return "" if kind in _NO_DOCUMENTS else kind


def document_number(uri: str) -> str:
    """The number in a plain document URI: what stands after the kind."""
    if uri.startswith(PREFIX):
        return uri[len(PREFIX) :].partition(":")[2]
    return uri.rpartition(":")[2]


def link_kind(uri: str) -> str:
    """The kind with its direction where it has one: ``bonded-list:in``, ``gate-pass:out``, else the kind."""
    kind = document_kind(uri)
    if kind in {"bonded-list", "gate-pass"}:
        letter = _ENTRY_OR_EXIT.match(document_number(uri))
        if letter:
            return f"{kind}:{'in' if letter.group(1) == 'I' else 'out'}"
    return kind


def plural_kinds(uris: Iterable[str]) -> frozenset[str]:
    """The kinds of person documents of which several are named; a list's drafts follow the list itself.

    A truck report that names ten waybills and ten parcel lists does not say which list is whose.
    """
    seen: set[str] = set()
    plural: set[str] = set()
    for uri in dict.fromkeys(uris):
        kind = document_kind(uri)
        if kind in PERSON_KINDS and kind != "parcel-list-draft":
            (plural if kind in seen else seen).add(kind)
    return frozenset(plural)


def document_links(documents: Sequence[str]) -> list[tuple[str, str]]:
    """The (from, to) pairs among the documents that one event names together.

    At most ``MAX_LINKS_PER_DOCUMENT`` leave one document: an event that names more is a list of unrelated
    papers, and following it would lead to other people's goods. Where several kinds of person documents are
    named more than once, nothing says which belong together, and none of them leads to another.
    """
    strangers = len(plural_kinds(documents)) > 1
    by_kind: dict[str, list[str]] = {}
    for uri in documents:
        by_kind.setdefault(link_kind(uri), []).append(uri)
    pairs: list[tuple[str, str]] = []
    for kind, sources in by_kind.items():
        targets = [uri for to in sorted(_LEADS_TO.get(kind, ())) for uri in by_kind.get(to, ())]
        if targets and len(targets) <= MAX_LINKS_PER_DOCUMENT:
            pairs.extend(
                (source, target)
                for source in sources
                for target in targets
                if not (strangers and kind in PERSON_KINDS and document_kind(target) in PERSON_KINDS)
            )
    return pairs
