"""Patterns of labels: what is printed in small dots beside the QR symbol, different for every serial.

A pattern is 64 x 64 bits (512 bytes, row by row, the most significant bit first, 1 is dark): HMAC-SHA-256 over GTIN,
serial and a counter, under a key that serves nothing else. It is derived and never stored; a batch keeps the
fingerprint of the key. It leaves the server in files for the printer alone: who has it can print the label again,
although not with the grain of the print that was enrolled. Keys have the epochs of serials and lie in files
``label-pattern-<epoch>``.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final

from suyuan.errors import UnavailableError

PATTERN_BYTES: Final = 512
_STREAM = b"suyuan/label-pattern/1\0"
_FINGERPRINT = b"suyuan/label-pattern-key/1\0"
_SIGNING = b"suyuan/label-nonce/1\0"
_BLOCK = 32
_SIGNATURE_BYTES = 16


class PatternKeys:
    """The keys of patterns, one per epoch of serials."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """``keys`` holds 32 secret bytes for each epoch."""
        self._keys = dict(keys)
        self._newest = self._keys[max(self._keys)]

    def __repr__(self) -> str:
        return f"PatternKeys(epochs={''.join(sorted(self._keys))!r})"

    def fingerprint(self, epoch: str) -> str:
        """Sixteen hexadecimal digits that tell one key from another and nothing of it."""
        return hmac.digest(self._key(epoch), _FINGERPRINT, "sha256")[:8].hex()

    def template(self, epoch: str, fingerprint: str, gtin: str, serial: str) -> bytes:
        """The pattern of one serial of a batch. Raises ``UnavailableError`` (``issuing.pattern.key``)."""
        if not hmac.compare_digest(self.fingerprint(epoch), fingerprint):
            raise _other_key(epoch)
        stem = _STREAM + gtin.encode() + b"\0" + serial.encode() + b"\0"
        key = self._key(epoch)
        return b"".join(
            hmac.digest(key, stem + bytes([block]), "sha256") for block in range(PATTERN_BYTES // _BLOCK)
        )

    def signature(self, data: bytes) -> bytes:
        """A MAC for what this deployment hands out and takes back (16 bytes), apart from every pattern."""
        return hmac.digest(self._newest, _SIGNING + data, "sha256")[:_SIGNATURE_BYTES]

    def _key(self, epoch: str) -> bytes:
        key = self._keys.get(epoch)
        if key is None:
            raise _other_key(epoch)
        return key


def _other_key(epoch: str) -> UnavailableError:
    return UnavailableError(
        "issuing.pattern.key",
        "The key of these labels' patterns is not here.",
        path=f"label-pattern-{epoch}",
        remedy="Restore the key file from where keys are kept; with another key every label would seem another one.",
    )
