"""Nonces of checks: handed out without being stored, bound to one label, good for some minutes and for one check.

A nonce is when it ends, some random bytes and the code's GTIN and serial, under a MAC of this deployment. Whoever asks
for a million costs no row; only the digest of one that served its check is kept, for a day.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from suyuan.errors import InputError
from suyuan.gs1.percent import encode_value
from suyuan.issuing import PatternKeys
from suyuan.label.path import TiltPath, tilt_path

LIFE: Final = timedelta(minutes=10)
_MAC_BYTES = 16
_MAX_CHARACTERS = 400


class LabelNonce(msgspec.Struct, frozen=True, array_like=True):
    """What a nonce says: until when (seconds since 1970), and of which code."""

    expires: int
    random: bytes
    gtin: str
    serial: str

    @property
    def expires_at(self) -> datetime:
        """The moment from which on it serves no check."""
        return datetime.fromtimestamp(self.expires, UTC)

    @property
    def path(self) -> TiltPath:
        """The way in which a dynamic label is to be tilted."""
        return tilt_path(self.random)


def make_nonce(gtin: str, serial: str, now: datetime) -> LabelNonce:
    """A new nonce for a check of one label."""
    return LabelNonce(int((now + LIFE).timestamp()), secrets.token_bytes(16), gtin, serial)


def seal_nonce(keys: PatternKeys, nonce: LabelNonce) -> str:
    """The nonce as it travels."""
    packed = msgspec.msgpack.encode(nonce)
    return base64.urlsafe_b64encode(packed + keys.signature(packed)).rstrip(b"=").decode("ascii")


def open_nonce(keys: PatternKeys, text: str, now: datetime, uri: str = "") -> LabelNonce:
    """What a nonce says. Raises ``InputError`` (``scan.label.nonce``) for one that is not ours, has ended, or is that
    of another label than ``uri`` names.
    """
    try:
        raw = base64.urlsafe_b64decode(text[:_MAX_CHARACTERS].encode("ascii") + b"==")
        packed, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if not hmac.compare_digest(keys.signature(packed), mac):
            raise _no_nonce()
        nonce = msgspec.msgpack.decode(packed, type=LabelNonce)
    except (UnicodeEncodeError, binascii.Error, msgspec.MsgspecError):
        raise _no_nonce() from None
    of = f"https://id.gs1.org/01/{nonce.gtin}/21/{encode_value(nonce.serial)}"
    if nonce.expires_at <= now or uri not in ("", of):
        raise _no_nonce()
    return nonce


def _no_nonce() -> InputError:
    return InputError(
        "scan.label.nonce",
        "This check was never begun here, or too long ago.",
        path="nonce",
        remedy="Begin the check anew and send the capture within ten minutes.",
    )
