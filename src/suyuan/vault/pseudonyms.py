"""Names that stand in the open for what must not: pseudonyms of person documents, digests of subjects.

Both are HMAC-SHA256 under keys of this deployment, over parts that are each preceded by their length, so that
no two tuples give the same bytes. Numbers are normalised first (compatibility forms folded, surrounding white
space cut, upper case), since one paper writes ``sf139`` where another writes ``ＳＦ139``.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from suyuan.canon import base32_text
from suyuan.errors import InputError

_KIND = re.compile(r"[a-z][a-z-]{1,30}")
_PSEUDONYM = re.compile(r"urn:suyuan:([a-z][a-z-]{1,30}):[a-z2-7]{52}")
_MAX_NUMBER = 200


class PersonDocument(NamedTuple):
    """A document that identifies a person's purchase: ``kind`` such as order or waybill, who numbered it (may
    be empty) and its number."""

    kind: str
    issuer: str
    number: str

    @property
    def subject(self) -> tuple[str, str, str]:
        """The document as a subject of the vault."""
        return (self.kind, self.issuer, self.number)


def normal_number(text: str) -> str:
    """A number as it is compared: NFKC, no surrounding white space, upper case."""
    return unicodedata.normalize("NFKC", text).strip().upper()


def is_pseudonym(uri: str) -> bool:
    """Whether ``uri`` has the form of a pseudonym, ``urn:suyuan:<kind>:`` and 52 characters of base32."""
    return _PSEUDONYM.fullmatch(uri) is not None


def _keyed(key: bytes, purpose: str, parts: Sequence[str]) -> bytes:
    message = bytearray()
    for part in (purpose, *parts):
        data = part.encode("utf-8")
        message += len(data).to_bytes(4, "big") + data
    return hmac.digest(key, bytes(message), hashlib.sha256)


def pseudonym_of(key: bytes, kind: str, issuer: str, number: str) -> str:
    """The pseudonym of a person document. Raises ``InputError`` (``vault.kind``, ``vault.number``)."""
    if not _KIND.fullmatch(kind):
        raise InputError("vault.kind", f"{kind[:40]!r} is no kind of document.", path="kind")
    normal = normal_number(number)
    if not normal or len(normal) > _MAX_NUMBER:
        # The number itself is personal and must not be part of the message.
        raise InputError(
            "vault.number",
            f"The number of a person's document has 1 to {_MAX_NUMBER} characters.",
            path=kind,
            remedy="Leave the reference out where the paper has no number.",
        )
    digest = _keyed(key, "pseudonym", (kind, normal_number(issuer), normal))
    return f"urn:suyuan:{kind}:{base32_text(digest)}"


def search_stem_of(key: bytes, kind: str, number: str) -> str:
    """The beginning of the names under which a number is found by whoever does not know its issuer.

    A keyed digest of kind and number alone: it says no more than a pseudonym does. Raises as ``pseudonym_of``.
    """
    pseudonym_of(key, kind, "", number)  # the same rules for what can be named
    return f"urn:suyuan:number:{base32_text(_keyed(key, 'search', (kind, normal_number(number))))}:"


def subject_id_of(key: bytes, subject: Sequence[str]) -> bytes:
    """The 16 bytes under which a subject is stored. Raises ``InputError`` (``vault.subject``)."""
    if len(subject) < 2 or not all(isinstance(part, str) for part in subject) or not subject[-1].strip():
        raise InputError(
            "vault.subject", "A subject is a kind and at least one more part, the last not empty."
        )
    return _keyed(key, "subject", (subject[0], *map(normal_number, subject[1:])))[:16]
