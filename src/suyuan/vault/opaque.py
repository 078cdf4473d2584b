"""Opaque tokens: a short-lived name for a look-up that may stand in a URL where the numbers themselves may not.

A token is what was found, sealed under a key of this deployment for the one party that asked. Nothing is stored:
it says nothing to whoever reads it in a URL or a log, another party cannot use it, and it ends by itself.
Layout before base64url: version (1), nonce (12), ciphertext and tag; the party is associated data.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from suyuan.errors import NotFoundError

_VERSION = b"\x01"
_NONCE = 12
_MAX_TOKEN = 8192


class _Content(msgspec.Struct, frozen=True, array_like=True):
    expires_at: int
    names: tuple[str, ...]


def _cipher(pseudonym_key: bytes) -> AESGCM:
    return AESGCM(hmac.digest(pseudonym_key, b"suyuan opaque token", hashlib.sha256))


def make_token(pseudonym_key: bytes, party_id: str, names: Sequence[str], expires_at: datetime) -> str:
    """The token that gives ``names`` back to ``party_id`` until ``expires_at``."""
    content = msgspec.msgpack.encode(_Content(int(expires_at.timestamp()), tuple(names)))
    nonce = os.urandom(_NONCE)
    sealed = _VERSION + nonce + _cipher(pseudonym_key).encrypt(nonce, content, party_id.encode())
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def open_token(
    pseudonym_key: bytes, party_id: str, token: str, now: datetime
) -> tuple[tuple[str, ...], datetime]:
    """What the token names and when it ends.

    Raises ``NotFoundError`` (``vault.token.unknown``) for one that is over, another party's, or none at all: the
    three are not told apart.
    """
    try:
        if len(token) > _MAX_TOKEN:
            raise ValueError
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        if sealed[:1] != _VERSION or len(sealed) <= _NONCE:
            raise ValueError
        plain = _cipher(pseudonym_key).decrypt(
            sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], party_id.encode()
        )
        content = msgspec.msgpack.decode(plain, type=_Content)
    except (ValueError, binascii.Error, InvalidTag, msgspec.MsgspecError):
        raise _unknown() from None
    expires_at = datetime.fromtimestamp(content.expires_at, UTC)
    if now >= expires_at:
        raise _unknown()
    return content.names, expires_at


def _unknown() -> NotFoundError:
    return NotFoundError(
        "vault.token.unknown",
        "This look-up is over, or is not this party's.",
        path="token",
        remedy="Look the number up again.",
    )
