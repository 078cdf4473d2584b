"""Canonical bytes: the one way in which values become the bytes that are hashed.

Rules (a subset of RFC 8785, which keeps two implementations from ever disagreeing): objects with keys
sorted by their UTF-16 code units, no white space, shortest escapes, UTF-8. Floats are refused: a number
that must be committed is a normalised decimal string (``normal_decimal``). Lone surrogates are refused.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring
from typing import TypeAlias

from suyuan.errors import InputError

JSON: TypeAlias = "str | int | bool | list[JSON] | dict[str, JSON] | None"

MAX_DECIMAL_DIGITS = 40
MAX_DECIMAL_EXPONENT = 40
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?")
_NON_ASCII_BMP_SAFE = re.compile("[\ud800-\uffff\U00010000-\U0010ffff]")


def _sorted(value: object, path: str) -> object:
    if isinstance(value, Mapping):
        keys = list(value)
        if any(not isinstance(key, str) for key in keys):
            raise InputError("canon.key.not_string", "An object's keys must be strings.", path=path)
        # Code point order and UTF-16 order differ only above U+D7FF; the fast path is the usual one.
        if any(_NON_ASCII_BMP_SAFE.search(key) for key in keys):
            keys.sort(key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        else:
            keys.sort()
        return {key: _sorted(value[key], f"{path}.{key}") for key in keys}
    if isinstance(value, list | tuple):
        return [_sorted(item, f"{path}[{position}]") for position, item in enumerate(value)]
    if isinstance(value, float | Decimal):
        raise InputError(
            "canon.number.not_canonical",
            "A floating-point number has no canonical bytes.",
            path=path,
            remedy="Pass it through normal_decimal first.",
        )
    if value is None or isinstance(value, str | bool | int):
        return value
    raise InputError("canon.type.unknown", f"A {type(value).__name__} has no canonical bytes.", path=path)


class _UnusualError(Exception):
    """A value that the quick writer leaves to the careful one, which may refuse it."""


@lru_cache(maxsize=4096)
def _member(key: str) -> str:
    """A key as it stands before its value; keys repeat, values do not."""
    if type(key) is not str or _NON_ASCII_BMP_SAFE.search(key):
        raise _UnusualError
    return encode_basestring(key) + ":"


def _written(value: object) -> str:
    kind = type(value)
    if kind is str:
        return encode_basestring(value)  # type: ignore[arg-type]
    if kind is dict:
        members: dict[str, object] = value  # type: ignore[assignment]
        return "{" + ",".join([_member(key) + _written(members[key]) for key in sorted(members)]) + "}"
    if kind is list or kind is tuple:
        return "[" + ",".join([_written(item) for item in value]) + "]"  # type: ignore[attr-defined]
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if type(value) is int:
        return int.__repr__(value)
    raise _UnusualError


def canonical_text(value: object) -> str:
    """The canonical JSON text of a value, whose UTF-8 bytes are ``canonical_json``; lone surrogates are let pass.

    Raises ``InputError`` (``canon.*``) for a float, a non-string key or an unknown type.
    """
    try:
        return _written(value)
    except (_UnusualError, TypeError):
        return json.dumps(_sorted(value, "$"), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def canonical_json(value: object) -> bytes:
    """Canonical UTF-8 bytes of a JSON value without floats.

    Raises ``InputError`` (``canon.*``) for a float, a non-string key, an unknown type or a lone surrogate.
    """
    return canonical_bytes(canonical_text(value))


def canonical_bytes(text: str) -> bytes:
    """The bytes of a canonical text. Raises ``InputError`` (``canon.text.lone_surrogate``)."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(
            "canon.text.lone_surrogate", "The text holds half of a surrogate pair, which is no character."
        ) from None


def normal_decimal(text: str | int | float | Decimal, *, path: str = "") -> str:
    """The shortest plain decimal of a number: no exponent, no trailing zeros, no plus sign, no ``-0``.

    ``1e2`` -> ``100``, ``-0.0`` -> ``0``, ``02.50`` -> ``2.5``. At most 40 digits and exponents within
    +-40, so that a short text cannot become a gigabyte. Raises ``InputError`` (``canon.decimal.*``).
    """
    raw = repr(text) if isinstance(text, float) else str(text).strip()
    if not _DECIMAL.fullmatch(raw):
        raise InputError("canon.decimal.invalid", f"{raw[:60]!r} is not a decimal number.", path=path)
    mantissa, _, exponent = raw.lower().partition("e")
    digits = mantissa.lstrip("+-")
    if len(digits) > MAX_DECIMAL_DIGITS + 1 or abs(int(exponent or "0")) > MAX_DECIMAL_EXPONENT:
        raise InputError(
            "canon.decimal.too_long",
            f"The number has more than {MAX_DECIMAL_DIGITS} digits or an exponent beyond"
            f" {MAX_DECIMAL_EXPONENT}.",
            path=path,
        )
    plain = format(Decimal(raw), "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain in {"-0", "0", "", "-"} else plain


def sha256(*parts: bytes) -> bytes:
    """SHA-256 over the concatenation of ``parts`` (32 bytes)."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


def base32_text(data: bytes) -> str:
    """RFC 4648 base32, lower case, without padding: safe in URIs and case-insensitive to type."""
    return base64.b32encode(data).decode("ascii").rstrip("=").lower()


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, e.g. ``2025-10-08T12:26:58.000Z``. Naive times are refused."""
    if moment.tzinfo is None:
        raise InputError("canon.time.naive", "A time without its zone cannot be compared with any other.")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
