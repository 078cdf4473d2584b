"""Percent-encoding of values inside identifiers.

GS1 values are characters of set 82; a Digital Link's path and an EPC URN each leave another part of that
set unencoded. Escapes are read leniently: ``%`` without two hexadecimal digits is itself, as the GS1
syntax engine and existing data have it. Nothing here knows about application identifiers.
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
# GS1 Digital Link, table of characters to encode: everything of set 82 but these and the alphanumerics.
_ENCODED_IN_PATH = re.compile(r"[^0-9A-Za-z\-._';=~]")
# EPC Tag Data Standard, table of the alphanumeric serial: these seven are escaped in a pure identity URN.
_ENCODED_IN_URN = re.compile(r"[^0-9A-Za-z!'()*+,\-.:;=_]")


def decode_value(text: str) -> str:
    """``text`` with its ``%XX`` escapes replaced, one character for one byte (Latin-1)."""
    if "%" not in text:
        return text
    return _ESCAPE.sub(lambda match: chr(int(match[0][1:], 16)), text)


def _escaped(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))


def encode_value(text: str) -> str:
    """``text`` as one path segment of a canonical Digital Link, escapes in upper case."""
    return text if text.isalnum() and text.isascii() else _ENCODED_IN_PATH.sub(_escaped, text)


def encode_urn_value(text: str) -> str:
    """``text`` as one part of an EPC URN, escapes in upper case."""
    return text if text.isalnum() and text.isascii() else _ENCODED_IN_URN.sub(_escaped, text)
