"""GS1 Digital Link URIs: the strict reading, and the canonical form.

``parse`` judges as GS1's own syntax engine does (URI Syntax 1.x, uncompressed form): the key is looked for
from the right end of the path, every value is checked against its application identifier, the identifiers
against each other. ``canonical`` is lenient and never refuses by content: it is what an event is hashed
over. The item's key is (GTIN, serial); a lot beside a serial is information.

Compressed links are not read. A trailing slash is refused; who answers requests strips it first
(``without_trailing_slash``), since both spellings must get the same answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypedDict

from suyuan.errors import InputError
from suyuan.gs1.application_identifiers import PATHS, TABLE, check_length, check_together, check_value
from suyuan.gs1.canonical_form import (
    ALPHA_KEYS,
    CANONICAL_KEYS,
    canonical,
    canonical_of_pairs,
    canonical_once,
    canonical_or_same,
)
from suyuan.gs1.epc_urn import canonical_to_urn
from suyuan.gs1.percent import decode_value, encode_value

__all__ = [
    "CheckedUri",
    "DigitalLink",
    "build",
    "canonical",
    "canonical_or_same",
    "check_uri",
    "parse",
    "without_trailing_slash",
]

_URI: Final = re.compile(r"[0-9A-Za-z\-._~:/?#\[\]@!$&'()*+,;=%]*")
_SCHEME: Final = re.compile(r"https?://|HTTPS?://")
_HOST: Final = re.compile(r"[^_~?#@!$&'()*+,;=%/]+")
_DIGITS: Final = re.compile(r"[0-9]*")
_SHORT_GTINS: Final = frozenset({8, 12, 13})
MAX_PARAMETERS: Final = 64

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DigitalLink:
    """A Digital Link taken apart; values are decoded.

    ``stem`` is everything before the key (``https://example.com/some/path``), ``parameters`` are the query's
    parts that are no application identifiers, raw and in order, ``fragment`` what follows ``#``.
    """

    uri: str
    stem: str
    key: Pair
    qualifiers: tuple[Pair, ...]
    attributes: tuple[Pair, ...]
    parameters: tuple[str, ...]
    fragment: str

    @property
    def ais(self) -> dict[str, str]:
        """All application identifiers with their values: key, qualifiers, attributes, in order."""
        return dict((self.key, *self.qualifiers, *self.attributes))

    @property
    def element_string(self) -> str:
        """The identifiers in brackets: ``(01)09506000134352(21)A\\(1``; a bracket in a value is escaped."""
        return _element_string(list(self.ais.items()))

    @property
    def gtin(self) -> str | None:
        """The GTIN of 14 digits, if that is the key."""
        return self.key[1] if self.key[0] == "01" else None

    @property
    def serial(self) -> str | None:
        """The serial number (AI 21), decoded."""
        return dict(self.qualifiers).get("21")

    @property
    def lot(self) -> str | None:
        """The batch or lot number (AI 10), decoded."""
        return dict(self.qualifiers).get("10")

    @property
    def canonical(self) -> str:
        """The canonical URI of the thing: on id.gs1.org, finest level only, without the query."""
        path = build((self.key, *self.qualifiers))
        return canonical_or_same(path)


class CheckedUri(TypedDict):
    """What ``check_uri`` says about one URI."""

    uri: str
    valid: bool
    error: str | None
    ais: str | None
    canonical: str | None
    urn: str | None


def build(path: tuple[Pair, ...], stem: str = "https://id.gs1.org") -> str:
    """The Digital Link of a key and its qualifiers, in this order, on ``stem``. Nothing is checked."""
    return stem.rstrip("/") + "".join(f"/{ai}/{encode_value(value)}" for ai, value in path)


def without_trailing_slash(uri: str) -> str:
    """``uri`` without one slash at the end of its path (before query and fragment)."""
    end = min((position for position in (uri.find("?"), uri.find("#")) if position >= 0), default=len(uri))
    return uri[: end - 1] + uri[end:] if end and uri[end - 1] == "/" else uri


def _refuse(code: str, reason: str, remedy: str = "", path: str = "") -> InputError:
    return InputError(code, reason, path=path, remedy=remedy)


def parse(uri: str, *, older_forms: bool = False, content: bool = True) -> DigitalLink:
    """Take a Digital Link apart and check it.

    ``older_forms`` also reads alpha keys (``/gtin/``) and GTINs of 8, 12 or 13 digits, which the standard has
    withdrawn. ``content=False`` checks structure and lengths only. Raises ``InputError``:
    ``gs1.uri.*`` for the URI, ``gs1.ai.*`` (path: the application identifier) for its contents.
    """
    stem, pairs, attributes, parameters, fragment = _taken_apart(uri, older_forms)
    if content:
        _check_content(pairs, attributes)
    else:
        for ai, value in (*pairs, *attributes):
            check_length(TABLE[ai], value)
    return DigitalLink(uri, stem, pairs[0], tuple(pairs[1:]), tuple(attributes), tuple(parameters), fragment)


def _check_content(pairs: list[Pair], attributes: list[Pair]) -> None:
    values = dict(pairs)
    values.update(attributes)
    for ai, value in values.items():
        check_value(ai, value)
    check_together(values)


def _taken_apart(uri: str, older_forms: bool) -> tuple[str, list[Pair], list[Pair], list[str], str]:
    """Stem, path and query of a URI whose structure is right; what stands in them is not looked at."""
    if not _URI.fullmatch(uri):
        raise _refuse(
            "gs1.uri.character", "The URI has a character that URIs do not have.", "Percent-encode it."
        )
    scheme = _SCHEME.match(uri)
    if scheme is None:
        raise _refuse("gs1.uri.scheme", "A Digital Link starts with https:// or http://.")
    host = _HOST.match(uri, scheme.end())
    if host is None or uri[host.end() : host.end() + 1] != "/":
        raise _refuse("gs1.uri.host", "A Digital Link has a host name and a path after it.")
    before, _, fragment = uri.partition("#")
    location, _, query = before.partition("?")
    steps = location[host.end() :].split("/")
    start, pairs = _path_pairs(steps, older_forms)
    attributes: list[Pair] = []
    parameters: list[str] = []
    if query:
        attributes, parameters = _query_pairs(query, older_forms)
    _check_structure(pairs, attributes)
    return uri[: host.end()] + "/".join(steps[:start]), pairs, attributes, parameters, fragment


def _path_pairs(steps: list[str], older_forms: bool) -> tuple[int, list[Pair]]:
    """Where the key stands in the path, and the decoded pairs from there on."""
    names: list[str] = []
    position = len(steps) - 2
    while position >= 1:
        ai = ALPHA_KEYS.get(steps[position], steps[position]) if older_forms else steps[position]
        entry = TABLE.get(ai)
        if entry is None:
            break
        names.append(ai)
        if entry.key:
            names.reverse()
            values = steps[position + 1 :: 2]
            return position, [
                (ai, _decoded(ai, raw, older_forms)) for ai, raw in zip(names, values, strict=True)
            ]
        position -= 2
    if steps[-1] == "" and len(steps) > 2:
        raise _refuse(
            "gs1.uri.trailing_slash", "The path ends in a slash.", "Leave the last slash out.", path="/"
        )
    raise _refuse("gs1.uri.no_key", "The path has no GS1 key with its value.")


def _decoded(ai: str, raw: str, short_gtin: bool) -> str:
    if not raw:
        raise _refuse("gs1.ai.empty", f"AI ({ai}) has no value.", path=ai)
    value = decode_value(raw)
    if "\0" in value:
        raise _refuse("gs1.ai.character", f"AI ({ai}): The value has a null character.", path=ai)
    if short_gtin and ai == "01" and len(value) in _SHORT_GTINS:
        return value.zfill(14)
    return value


def _query_pairs(query: str, short_gtin: bool) -> tuple[list[Pair], list[str]]:
    attributes: list[Pair] = []
    parameters: list[str] = []
    parts = [part for part in query.split("&") if part]
    if len(parts) > MAX_PARAMETERS:
        raise _refuse("gs1.uri.too_many", f"The query has more than {MAX_PARAMETERS} parameters.")
    for part in parts:
        name, equals, raw = part.partition("=")
        if not equals or not _DIGITS.fullmatch(name):
            parameters.append(part)
        elif name not in TABLE:
            raise _refuse("gs1.ai.unknown", f"({name[:12]}) is no application identifier.", path=name[:12])
        else:
            attributes.append((name, _decoded(name, raw.replace("+", " "), short_gtin)))
    return attributes, parameters


def _check_structure(pairs: list[Pair], attributes: list[Pair]) -> None:
    missing = PATHS.get(tuple([ai for ai, _ in pairs]))
    if missing is None:
        raise _refuse(
            "gs1.ai.order",
            "The key is not followed by its qualifiers, each at most once and in their order.",
            path=pairs[0][0],
        )
    if not attributes:
        return
    seen = {ai for ai, _ in pairs}
    for ai, _ in attributes:
        if ai in seen:
            raise _refuse("gs1.ai.duplicate", f"AI ({ai}) is given twice.", path=ai)
        seen.add(ai)
        if not TABLE[ai].attribute:
            raise _refuse("gs1.ai.not_attribute", f"AI ({ai}) cannot stand in the query.", path=ai)
        if ai in missing:
            raise _refuse("gs1.ai.in_query", f"AI ({ai}) belongs into the path.", path=ai)


def check_uri(uri: str) -> CheckedUri:
    """Say everything about one identifier: a Digital Link or an EPC URN. Never raises.

    ``valid`` and ``error`` (``code: reason``) are ``parse``'s verdict (for a URN: on the link that it stands
    for), ``ais`` the element string, ``canonical`` and ``urn`` the two translations where they exist, even if
    the URI is not valid.
    """
    if uri.startswith("urn:"):
        return _checked_urn(uri)
    found: str | None = None
    known = False
    error = ais = None
    try:
        _, pairs, attributes, _, _ = _taken_apart(uri, False)
        if pairs[0][0] in CANONICAL_KEYS:
            found, known = canonical_of_pairs(pairs), True
        _check_content(pairs, attributes)
        ais = _element_string([*pairs, *attributes])
    except InputError as fault:
        error = f"{fault.code}: {fault.reason}"
    if not known:
        found = canonical_once(uri)
    return _checked(uri, error, ais, found, _urn_of(found) if found is not None else None)


def _checked(uri: str, error: str | None, ais: str | None, found: str | None, urn: str | None) -> CheckedUri:
    return {
        "uri": uri, "valid": error is None, "error": error, "ais": ais, "canonical": found, "urn": urn,
    }  # fmt: skip


def _urn_of(found: str) -> str | None:
    try:
        return canonical_to_urn(found)
    except InputError:
        return None


def _checked_urn(uri: str) -> CheckedUri:
    found = canonical_once(uri)
    if found is None:
        error = "gs1.epc.form: This URN has no Digital Link: another scheme, or a wrong form."
        return _checked(uri, error, None, None, None)
    try:
        _, pairs, attributes, _, _ = _taken_apart(found, False)
        _check_content(pairs, attributes)
    except InputError as fault:
        return _checked(uri, f"{fault.code}: {fault.reason}", None, found, uri)
    return _checked(uri, None, _element_string(pairs), found, uri)


def _element_string(pairs: list[Pair]) -> str:
    return "".join(
        [f"({ai}){value.replace('(', chr(92) + '(') if '(' in value else value}" for ai, value in pairs]
    )
