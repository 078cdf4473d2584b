"""The keys of the vault and what is done with them.

Two secrets come from key files: one keys pseudonyms and subject digests and can never be changed (all
pseudonyms would change), the other wraps the subjects' data keys. Sealing is AES-256-GCM with a random nonce
of 96 bits, the subject's ID as associated data. Layouts:

- sealed value: 0x01, ID of the data key (4), nonce (12), ciphertext and tag
- wrapped key:  0x01, ID of the wrapping key (4), nonce (12), ciphertext and tag (48): 65 bytes

A key's ID is cut from a digest of it. It tells a value of an erased key from one that was tampered with.
"""

from __future__ import annotations

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from suyuan.errors import InputError, IntegrityError

_VERSION = b"\x01"
_NONCE = 12


class VaultKeys:
    """The secrets of the vault. ``pseudonym_key`` and ``wrapping_key`` have 32 bytes each and differ."""

    def __init__(self, pseudonym_key: bytes, wrapping_key: bytes) -> None:
        """Raises ``InputError`` (``vault.key``) for keys of the wrong length or two equal ones."""
        if len(pseudonym_key) != 32 or len(wrapping_key) != 32 or pseudonym_key == wrapping_key:
            raise InputError("vault.key", "The vault needs two different keys of 32 bytes.")
        self.pseudonym_key = pseudonym_key
        self._wrapping = AESGCM(wrapping_key)
        self._wrapping_id = hashlib.sha256(b"suyuan vault wrapping key\0" + wrapping_key).digest()[:4]

    def __repr__(self) -> str:
        return f"VaultKeys(wrapping_id={self._wrapping_id.hex()})"

    def new_data_key(self, subject_id: bytes) -> tuple[bytes, bytes]:
        """A fresh data key for a subject and its wrapped form."""
        data_key = AESGCM.generate_key(256)
        nonce = os.urandom(_NONCE)
        sealed = self._wrapping.encrypt(nonce, data_key, subject_id)
        return data_key, _VERSION + self._wrapping_id + nonce + sealed

    def unwrap(self, subject_id: bytes, wrapped: bytes) -> bytes:
        """The data key of a subject. Raises ``IntegrityError`` (``vault.wrapped_key``)."""
        if wrapped[:1] != _VERSION or wrapped[1:5] != self._wrapping_id:
            raise IntegrityError(
                "vault.wrapped_key",
                "A subject's key was wrapped by another key than the one in the key file.",
                remedy="Put back the key file that belongs to this database.",
            )
        try:
            return self._wrapping.decrypt(wrapped[5:17], wrapped[17:], subject_id)
        except (InvalidTag, ValueError):
            raise IntegrityError("vault.wrapped_key", "A subject's wrapped key was changed.") from None


def _data_key_id(data_key: bytes) -> bytes:
    return hashlib.sha256(b"suyuan vault data key\0" + data_key).digest()[:4]


def seal(data_key: bytes, subject_id: bytes, plaintext: bytes) -> bytes:
    """Seal a value for a subject: 33 bytes longer than the value."""
    nonce = os.urandom(_NONCE)
    ciphertext = AESGCM(data_key).encrypt(nonce, plaintext, subject_id)
    return _VERSION + _data_key_id(data_key) + nonce + ciphertext


def unseal(data_key: bytes, subject_id: bytes, sealed: bytes) -> bytes | None:
    """The value again, or None if it was sealed under a key of its subject that has been erased since.

    Raises ``IntegrityError`` (``vault.sealed``) if it was changed or is another subject's.
    """
    if sealed[:1] != _VERSION:
        raise IntegrityError("vault.sealed", "A sealed value has an unknown layout.")
    if sealed[1:5] != _data_key_id(data_key):
        return None
    try:
        return AESGCM(data_key).decrypt(sealed[5:17], sealed[17:], subject_id)
    except (InvalidTag, ValueError):
        raise IntegrityError("vault.sealed", "A sealed value was changed.") from None
