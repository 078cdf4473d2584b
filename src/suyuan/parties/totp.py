"""The second factor: time-based one-time codes (RFC 6238) and recovery codes for a lost device.

Secrets of 160 bits, six digits, steps of 30 seconds, one step of clock error either way; a code counts once, since
the step that it stood for is kept. Secrets are sealed with AES-256-GCM under a key that is derived from a key
file, the user's ID as associated data. Recovery codes have 80 random bits, so a plain digest cannot be searched.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import time

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from suyuan.canon import base32_text
from suyuan.errors import IntegrityError

STEP_SECONDS = 30
RECOVERY_CODES = 10
_DRIFT = 1
_VERSION = b"\x01"
_NONCE = 12


class UserKeys:
    """What the accounts need of a key file of 32 bytes: sealing of secrets, and digests of names and addresses."""

    def __init__(self, key: bytes) -> None:
        self._sealing = AESGCM(hmac.digest(key, b"suyuan user totp sealing", "sha256"))
        self._naming = hmac.digest(key, b"suyuan sign-in digests", "sha256")

    def __repr__(self) -> str:
        return "UserKeys()"

    def seal(self, user_id: str, secret: str) -> bytes:
        """A TOTP secret as it is stored."""
        nonce = os.urandom(_NONCE)
        return _VERSION + nonce + self._sealing.encrypt(nonce, secret.encode(), user_id.encode())

    def unseal(self, user_id: str, sealed: bytes) -> str:
        """The TOTP secret again. Raises ``IntegrityError`` (``user.totp.sealed``)."""
        try:
            if sealed[:1] != _VERSION:
                raise InvalidTag
            return self._sealing.decrypt(sealed[1:13], sealed[13:], user_id.encode()).decode()
        except InvalidTag:
            raise IntegrityError(
                "user.totp.sealed",
                "A user's second factor was sealed with another key, or changed.",
                remedy="Put back the key file console-users that belongs to this database, or reset the user.",
            ) from None

    def digest(self, kind: str, text: str) -> bytes:
        """A keyed digest of a name or an address: equal ones can be counted, none can be read."""
        return hmac.digest(self._naming, f"{kind}\0{text}".encode(), "sha256")[:16]


def new_totp_secret() -> str:
    """A new secret in base32."""
    return pyotp.random_base32()


def totp_uri(secret: str, user_name: str, issuer: str) -> str:
    """The ``otpauth:`` URI that an authenticator reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=user_name, issuer_name=issuer)


def totp_step(secret: str, code: str, last_step: int, *, now: float | None = None) -> int | None:
    """The time step for which the code is right and that is later than ``last_step``; None if there is none."""
    digits = re.sub(r"[\s-]", "", code)
    if not re.fullmatch(r"[0-9]{6}", digits):
        return None
    current = int((time.time() if now is None else now) // STEP_SECONDS)
    one = pyotp.TOTP(secret)
    found = None
    for step in range(current - _DRIFT, current + _DRIFT + 1):
        # All are compared, whichever fits: the time says nothing.
        if hmac.compare_digest(one.generate_otp(step), digits) and step > last_step and found is None:
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Fresh recovery codes, such as ``abcd-efgh-ijkl-mnop``."""
    return ["-".join(_fours(base32_text(secrets.token_bytes(10)))) for _ in range(RECOVERY_CODES)]


def _fours(text: str) -> list[str]:
    return [text[start : start + 4] for start in range(0, len(text), 4)]


def recovery_digest(code: str) -> bytes:
    """The digest under which a recovery code is kept, whatever its case, blanks and hyphens."""
    return hashlib.sha256(re.sub(r"[\s-]", "", code).lower().encode()).digest()


def looks_like_recovery_code(code: str) -> bool:
    """Whether a text has the form of a recovery code rather than that of a one-time code."""
    return re.fullmatch(r"[a-z2-7]{16}", re.sub(r"[\s-]", "", code).lower()) is not None
