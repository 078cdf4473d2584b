"""Checking an SM2 signature (GB/T 32918.2) over SM3 (GB/T 32905), with the optional package ``gmssl``.

``gmssl`` does the arithmetic on the curve; everything around it that a forger would use is checked here: the range of
both halves of a signature, that the point is on the curve, the length of what is given. The signer's identity that
enters the digest is the standard's default, which the cards of the electronic port use (general knowledge).
"""

from __future__ import annotations

import importlib
from typing import Any

from suyuan.errors import UnsupportedError

_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_A = _P - 3
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_G = bytes.fromhex(
    "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
    "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
)
_IDENTITY = b"1234567812345678"
_HALF = 32


def is_at_hand() -> bool:
    """Whether the optional package is installed."""
    try:
        importlib.import_module("gmssl.sm2")
    except ImportError:
        return False
    return True


def sm3(data: bytes) -> bytes:
    """The SM3 digest, 32 bytes."""
    from cryptography.hazmat.primitives import hashes

    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def signed_digest(point: bytes, message: bytes) -> bytes:
    """What is signed: SM3 of the signer's identity and key, then of the message after it."""
    field = b"".join(number.to_bytes(_HALF, "big") for number in (_A, _B)) + _G + point
    identity = sm3((len(_IDENTITY) * 8).to_bytes(2, "big") + _IDENTITY + field)
    return sm3(identity + message)


def _halves(signature: bytes) -> tuple[int, int] | None:
    """The two numbers of a signature of 64 bytes, or of a DER sequence of two integers."""
    if len(signature) == 2 * _HALF:
        return int.from_bytes(signature[:_HALF], "big"), int.from_bytes(signature[_HALF:], "big")
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    try:
        return decode_dss_signature(signature)
    except ValueError:
        return None


def _is_on_curve(point: bytes) -> bool:
    x, y = int.from_bytes(point[:_HALF], "big"), int.from_bytes(point[_HALF:], "big")
    return x < _P and y < _P and (y * y - (x * x * x + _A * x + _B)) % _P == 0


def is_signed(point: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` (64 bytes or DER) of ``message`` was made with the key of ``point`` (64 bytes).

    Raises ``UnsupportedError`` (``customs.signature.sm_absent``) without the optional package.
    """
    try:
        library: Any = importlib.import_module("gmssl.sm2")
    except ImportError:
        raise UnsupportedError(
            "customs.signature.sm_absent",
            "SM2 signatures are checked with the optional package gmssl, which is not installed.",
            remedy="Install suyuan[sm] and send the message again.",
        ) from None
    halves = _halves(signature)
    if halves is None or len(point) != 2 * _HALF or not _is_on_curve(point):
        return False
    r, s = halves
    if not (0 < r < _N and 0 < s < _N) or (r + s) % _N == 0:
        return False
    curve = library.CryptSM2(private_key="", public_key="")
    # Given to the constructor, a key that begins with the digits 0 or 4 would lose them.
    curve.public_key = point.hex()
    try:
        return bool(curve.verify(f"{r:064x}{s:064x}", signed_digest(point, message)))
    except (TypeError, ValueError, IndexError):
        # The library has no word for the point at infinity; no honest signature leads to it.
        return False
