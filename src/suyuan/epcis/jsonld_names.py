"""JSON as strangers send it, and the names that a JSON-LD context gives.

Numbers keep their exact text, a key that appears twice in one object is refused (two parsers would see two
events), so are NaN, U+0000, halves of surrogate pairs and depth without end. That is why the standard
library's scanner is used, whose hooks see every number and every pair. Of a context only prefixes are used;
remote contexts are never fetched, the one of EPCIS is known.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from suyuan.epcis import cbv, values
from suyuan.errors import InputError, TooLargeError

_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
# What the sender calls the event is not part of what the event says; GS1's own examples send it twice.
_OUTSIDE_CONTENT: Final = frozenset({"eventID", "recordTime"})
_BAD_KEY: Final = re.compile(r"[\s{}\x00-\x1f]")


class Lexeme(str):
    """A JSON number as it was written."""

    __slots__ = ()


class Names:
    """The prefixes in force and the expanded names made of them."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self.prefixes = dict(prefixes)
        self.ignored: frozenset[str] = frozenset()
        self._expanded: dict[str, str] = {}

    def declare(self, context: object, path: str) -> Names:
        """These names with what a ``@context`` adds. A later entry wins, as in JSON-LD."""
        added: dict[str, str] = {}
        for entry in context if isinstance(context, list) else [context]:
            if type(entry) is str or entry is None:
                continue
            if not isinstance(entry, dict):
                raise InputError("epcis.context.invalid", "A context is an address or an object.", path=path)
            for prefix, namespace in entry.items():
                if type(namespace) is str and not prefix.startswith("@") and ":" in namespace:
                    # JSON-LD joins prefix and word, XML keeps them apart: CBV's own differ by this colon.
                    plain = namespace == cbv.MASTER_DATA_NAMESPACE + ":"
                    added[prefix] = cbv.MASTER_DATA_NAMESPACE if plain else namespace
        if not added:
            return self
        names = Names({**self.prefixes, **added})
        names.ignored = self.ignored
        return names

    def expand(self, key: str, path: str) -> str:
        """``ext:word`` -> ``{namespace}word``; a name without a prefix stays bare."""
        known = self._expanded.get(key)
        if known is not None:
            return known
        if _BAD_KEY.search(key) or not key:
            raise InputError("epcis.extension.name", f"{key[:60]!r} is no name for a field.", path=path)
        prefix, colon, local = key.partition(":")
        namespace = self.prefixes.get(prefix)
        if not colon or prefix.startswith("@"):
            name = key  # without a namespace, or a keyword of JSON-LD
        elif namespace is not None and not local.startswith("//"):
            name = f"{{{namespace}}}{local}"
        else:
            cut = max(key.rfind("/"), key.rfind("#"), key.rfind(":")) + 1
            name, local = f"{{{key[:cut]}}}{key[cut:]}", key[cut:]
        if colon and not local:
            raise InputError("epcis.extension.name", f"{key[:60]!r} has no local name.", path=path)
        self._expanded[key] = name
        return name


class Duplicates:
    """Refuses a key that appears twice, save where the event's content does not hang on it."""

    def __init__(self) -> None:
        self.tolerated: list[str] = []

    def join(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            for key in [key for key, count in counts.items() if count > 1]:
                if key not in _OUTSIDE_CONTENT:
                    raise InputError(
                        "json.key.duplicate",
                        f"The key {key[:60]!r} appears twice in one object.",
                        remedy="Send each field once; which of the two is meant cannot be known.",
                    )
                self.tolerated.append(key)
        return found


def _constant(text: str) -> object:
    raise InputError("json.number.invalid", f"{text} is not a number that JSON knows.")


def load(data: bytes) -> tuple[object, list[str]]:
    """The JSON value in ``data``; numbers are ``Lexeme``. Also the keys sent twice without harm, last wins.

    Raises ``InputError`` (``json.encoding.invalid``, ``json.malformed``, ``json.key.duplicate``,
    ``json.number.invalid``, ``json.text.*``) or ``TooLargeError`` (``json.depth.exceeded``).
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise not_utf8(error.start) from None
    duplicates = Duplicates()
    try:
        value = decoder(duplicates).decode(text)
    except json.JSONDecodeError as error:
        raise malformed(error.msg, error.lineno, error.colno) from None
    except RecursionError:
        raise TooLargeError("json.depth.exceeded", "Objects and lists are nested too deep.") from None
    check_text(text, value)
    return value, duplicates.tolerated


def decoder(duplicates: Duplicates) -> json.JSONDecoder:
    """The standard library's decoder with our rules."""
    return json.JSONDecoder(
        object_pairs_hook=duplicates.join, parse_float=Lexeme, parse_int=Lexeme, parse_constant=_constant
    )


def not_utf8(place: int) -> InputError:
    """The error for bytes in another encoding."""
    return InputError(
        "json.encoding.invalid",
        f"The bytes are not UTF-8 at byte {place}.",
        remedy="Save the file as UTF-8; JSON knows no other encoding.",
    )


def malformed(reason: str, line: int, column: int) -> InputError:
    """The error for a text that is no JSON."""
    return InputError(
        "json.malformed",
        f"The text is not JSON: {reason}.",
        path=f"line {line}, column {column}",
        remedy="Send the file as the sending system wrote it; a cut transfer is the usual cause.",
    )


def check_text(text: str, value: object) -> None:
    """Hold the text of a value to what no database and no XML keeps. Raises ``InputError`` (``json.text.*``)."""
    if "\\u0000" in text or "\0" in text:
        raise InputError(
            "json.text.nul", "The text holds the character U+0000, which no database and no XML keeps."
        )
    if _SURROGATE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except RecursionError:
            raise TooLargeError("json.depth.exceeded", "Objects and lists are nested too deep.") from None
        except UnicodeEncodeError:
            raise InputError(
                "json.text.lone_surrogate", "The text holds half of a surrogate pair, which is no character."
            ) from None


def text_of(value: object, field: str, path: str) -> str:
    """The text of a field, or ``InputError``."""
    if type(value) is not str:
        raise values.wrong(field, path, f"{field} is a text, not {kind_of(value)}.")
    return value


def kind_of(value: object) -> str:
    """What a JSON value is, in words."""
    if isinstance(value, Lexeme):
        return "a number"
    names = {bool: "a truth value", dict: "an object", list: "a list", str: "a text"}
    return names.get(type(value), "null")


def object_of(value: object, field: str, path: str) -> dict[str, Any]:
    """The object of a field, or ``InputError``."""
    if not isinstance(value, dict):
        raise values.wrong(field, path, f"{field} is an object, not {kind_of(value)}.")
    return value


def list_of(value: object, field: str, path: str) -> list[Any]:
    """The list of a field, or ``InputError``."""
    if not isinstance(value, list):
        raise values.wrong(field, path, f"{field} is a list, not {kind_of(value)}.")
    return value


def number_of(value: object, field: str, path: str) -> str:
    """The normalised decimal of a number field, or ``InputError``."""
    if type(value) is not Lexeme:
        raise values.wrong(field, path, f"{field} is a number, not {kind_of(value)}.")
    return values.read_decimal(value, field, path)
