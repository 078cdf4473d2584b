"""Scratch codes: the second code of an item, under a layer that is scratched off.

Twelve characters of Crockford's base32 are 60 bits of HMAC-SHA-256 over GTIN and serial, under a key that serves
nothing else: who copies the outer code, or learns the key of serials, cannot make one. Nothing is stored but the
fingerprint of the key, with the batch. Keys have the epochs of serials and lie in files ``scratch-mac-<epoch>``.
"""

from __future__ import annotations

import base64
import hmac
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from suyuan.errors import InputError, UnavailableError
from suyuan.gs1.serials import ALPHABET

SCRATCH_LENGTH: Final = 12
_CODE = b"suyuan/scratch-code/1\0"
_FINGERPRINT = b"suyuan/scratch-key/1\0"
_DIGEST = b"suyuan/scan-digest/1\0"
_DIGEST_BYTES = 16
_MAC_BYTES = 8  # 64 bits make 13 characters, of which the first 12 are taken
_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", ALPHABET.encode())
_TYPED = str.maketrans("OIL", "011")
_FORM = re.compile(f"[{ALPHABET}]{{{SCRATCH_LENGTH}}}")
_BETWEEN = re.compile(r"[\s-]+")


def read_scratch_code(typed: str) -> str:
    """A scratch code as people type it: blanks, hyphens, small or wide letters, O for 0, I and L for 1 are taken.

    Raises ``InputError`` (``scan.code.form``).
    """
    code = _BETWEEN.sub("", unicodedata.normalize("NFKC", typed[:100])).upper().translate(_TYPED)
    if not _FORM.fullmatch(code):
        raise InputError(
            "scan.code.form",
            f"A scratch code has {SCRATCH_LENGTH} letters and digits.",
            path="scratch_code",
            remedy="Type the code from under the layer that is scratched off, not the serial beside it.",
        )
    return code


class ScratchKeys:
    """The keys of scratch codes, one per epoch of serials."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """``keys`` holds 32 secret bytes for each epoch."""
        self._keys = dict(keys)
        self._newest = self._keys[max(self._keys)]

    def __repr__(self) -> str:
        return f"ScratchKeys(epochs={''.join(sorted(self._keys))!r})"

    def fingerprint(self, epoch: str) -> str:
        """Sixteen hexadecimal digits that tell one key from another and nothing of it."""
        return hmac.digest(self._key(epoch), _FINGERPRINT, "sha256")[:8].hex()

    def codes(self, epoch: str, fingerprint: str, gtin: str, serials: Sequence[str]) -> list[str]:
        """The scratch codes of serials of one batch. Raises ``UnavailableError`` (``issuing.scratch.key``)."""
        if not hmac.compare_digest(self.fingerprint(epoch), fingerprint):
            raise _other_key(epoch)
        key, stem = self._key(epoch), _CODE + gtin.encode() + b"\0"
        return [_text(hmac.digest(key, stem + serial.encode(), "sha256")) for serial in serials]

    def digest(self, *words: str) -> bytes:
        """A keyed digest of what is counted and not kept, such as an address (16 bytes)."""
        return hmac.digest(self._newest, _DIGEST + "\0".join(words).encode(), "sha256")[:_DIGEST_BYTES]

    def _key(self, epoch: str) -> bytes:
        key = self._keys.get(epoch)
        if key is None:
            raise _other_key(epoch)
        return key


def _text(mac: bytes) -> str:
    return base64.b32encode(mac[:_MAC_BYTES])[:SCRATCH_LENGTH].translate(_CROCKFORD).decode("ascii")


def _other_key(epoch: str) -> UnavailableError:
    return UnavailableError(
        "issuing.scratch.key",
        "The key of these scratch codes is not here.",
        path=f"scratch-mac-{epoch}",
        remedy="Restore the key file from where keys are kept; with another key no code could be verified.",
    )
