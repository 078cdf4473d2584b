"""The canonical URI of a GS1 identifier: one thing, one text, on ``https://id.gs1.org``.

This is the constrained form that the CBV 2.0 event hash is computed over: the finest level of
identification only (a serial drops the lot, the consumer product variant goes always), no query string,
GTINs of 14 digits, alpha keys of older Digital Links replaced by their application identifiers, one way of
percent-encoding. Check digits are not looked at: the canonical form must be the same for every reader of an
event, whatever else that reader refuses; ``digital_link.parse`` is the strict judge.

An identifier without such a form (another scheme, or a key that event hashes leave alone) keeps its text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from suyuan.errors import InputError
from suyuan.gs1.epc_urn import STEM, urn_to_digital_link
from suyuan.gs1.percent import decode_value, encode_value

# Already canonical, and by far the most frequent in events: answered without taking the text apart.
_CANONICAL = re.compile(
    r"https://id\.gs1\.org/(?:01/[0-9]{14}(?:/(?:21|10)/[0-9A-Za-z\-._';=]{1,20})?|00/[0-9]{18}|41[47]/[0-9]{13})"
)
_LINK = re.compile(r"https?://[^/?#\s]+(/[^?#]*)(?:[?#].*)?", re.IGNORECASE | re.DOTALL)

ALPHA_KEYS: Final = {
    "cpid": "8010", "cpsn": "8011", "cpv": "22", "gcn": "255", "gdti": "253", "giai": "8004", "ginc": "401",
    "gln": "414", "glnx": "254", "grai": "8003", "gsin": "402", "gsrn": "8018", "gsrnp": "8017", "gtin": "01",
    "itip": "8006", "lot": "10", "party": "417", "ser": "21", "sscc": "00",
}  # fmt: skip
_TEXT: Final = r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]"
_KEYS: Final = {
    ai: re.compile(form, re.DOTALL)
    for ai, form in {
        "00": r"[0-9]{18}",
        "01": r"[0-9]{14}|[0-9]{13}|[0-9]{12}|[0-9]{8}",
        "253": rf"[0-9]{{13}}{_TEXT}{{0,17}}",
        "255": r"[0-9]{13,25}",
        "401": rf"[0-9]{{4}}{_TEXT}{{1,26}}",
        "402": r"[0-9]{17}",
        "414": r"[0-9]{13}",
        "417": r"[0-9]{13}",
        "8003": rf"[0-9]{{14}}{_TEXT}{{0,16}}",
        "8004": rf"[0-9]{{4}}{_TEXT}{{1,26}}",
        "8006": r"[0-9]{18}",
        "8010": r"[0-9]{4}[#\-/0-9A-Z]{1,26}",
        "8017": r"[0-9]{18}",
        "8018": r"[0-9]{18}",
    }.items()
}
CANONICAL_KEYS: Final = frozenset(_KEYS)
_QUALIFIER_ORDER: Final = {
    "01": (("22", "10", "21"), ("235",)),
    "8006": (("22", "10", "21"),),
    "414": (("254",),),
    "8010": (("8011",),),
}
_QUALIFIERS: Final = {
    **{ai: re.compile(_TEXT + "{1,20}", re.DOTALL) for ai in ("22", "10", "21", "254")},
    "235": re.compile(_TEXT + "{1,28}", re.DOTALL),
    "8011": re.compile(r"[0-9]{1,12}"),
}


def canonical(uri: str) -> str | None:
    """The canonical Digital Link of an EPC URN or a Digital Link of any host, or None if there is none.

    Idempotent: a canonical URI is returned unchanged. Never raises for any text.
    """
    if _CANONICAL.fullmatch(uri):
        return uri
    # Other schemes never enter the cache below: some of them carry the number of somebody's order.
    if not uri[:8].lower().startswith(("urn:epc:", "http:", "https:")):
        return None
    return _canonical(uri)


@lru_cache(maxsize=2048)
def _canonical(uri: str) -> str | None:
    if uri.startswith("urn:epc:"):
        try:
            uri = urn_to_digital_link(uri)
        except InputError:
            return None
        path = uri[len(STEM) :]
        # A bare '/' inside a serial is data there; only the AIs' own slashes may stay.
        return _from_pairs(_pairs_of_urn(path))
    match = _LINK.fullmatch(uri)
    if match is None:
        return None
    return _from_pairs(_pairs_of_path(match[1]))


def canonical_once(uri: str) -> str | None:
    """As ``canonical``, for one of many that are all different: nothing is kept."""
    if _CANONICAL.fullmatch(uri):
        return uri
    if not uri[:8].lower().startswith(("urn:epc:", "http:", "https:")):
        return None
    return _canonical.__wrapped__(uri)


def canonical_of_pairs(pairs: list[tuple[str, str]]) -> str | None:
    """The canonical URI of one of ``CANONICAL_KEYS`` and its qualifiers, decoded, in the order of the path."""
    ai, key = pairs[0]
    return _from_decoded(ai, key, pairs[1:])


def canonical_or_same(uri: str) -> str:
    """The canonical Digital Link where there is one, else ``uri`` as it is."""
    found = canonical(uri)
    return uri if found is None else found


def _pairs_of_urn(path: str) -> list[tuple[str, str]] | None:
    _, ai, rest = path.split("/", 2)
    for orders in _QUALIFIER_ORDER.get(ai, ()):
        qualifier = orders[-1]
        for name in (qualifier, "10") if ai == "01" and qualifier == "21" else (qualifier,):
            key, found, value = rest.partition(f"/{name}/") if ai != "8010" else rest.rpartition(f"/{name}/")
            if found and key:
                return [(ai, key), (name, value)]
    return [(ai, rest)]


def _pairs_of_path(path: str) -> list[tuple[str, str]] | None:
    steps = path.split("/")
    if steps[-1] == "":
        steps.pop()  # a trailing slash names the same thing
    pairs: list[tuple[str, str]] = []
    for position in range(len(steps) - 2, 0, -2):
        ai = ALPHA_KEYS.get(steps[position], steps[position])
        pairs.append((ai, steps[position + 1]))
        if ai in _KEYS:
            pairs.reverse()
            return pairs
        if ai not in _QUALIFIERS:
            return None
    return None


def _from_pairs(pairs: list[tuple[str, str]] | None) -> str | None:
    if not pairs:
        return None
    (ai, raw), *rest = pairs
    return _from_decoded(ai, decode_value(raw), [(name, decode_value(value)) for name, value in rest])


def _from_decoded(ai: str, key: str, rest: list[tuple[str, str]]) -> str | None:
    if not _KEYS[ai].fullmatch(key):
        return None
    if ai == "01":
        key = key.zfill(14)
    qualifiers = dict(rest)
    if len(qualifiers) != len(rest) or not _in_order(ai, tuple(qualifiers)):
        return None
    for name, value in qualifiers.items():
        if not _QUALIFIERS[name].fullmatch(value):
            return None
    stem = f"{STEM}/{ai}/{encode_value(key)}"
    for name in ("21", "10", "235", "254", "8011"):
        if name in qualifiers:
            return f"{stem}/{name}/{encode_value(qualifiers[name])}"
    return stem


@lru_cache(maxsize=1024)
def _in_order(ai: str, names: tuple[str, ...]) -> bool:
    if not names:
        return True
    return any(
        tuple(name for name in order if name in names) == names for order in _QUALIFIER_ORDER.get(ai, ())
    )
