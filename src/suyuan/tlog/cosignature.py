"""Cosignatures: a witness says that it saw a checkpoint, and when (C2SP tlog-cosignature).

Algorithm 04 signs with Ed25519, 06 with ML-DSA-44 (post-quantum). Both put the time, seconds since 1970 as
u64 big-endian, before the signature; what is signed is wrapped so that no plain note signature can be taken
for a cosignature or the reverse. The caller passes the time: there is no clock here.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from suyuan.errors import InputError, UnsupportedError
from suyuan.tlog.checkpoint import read_body
from suyuan.tlog.note import (
    ED25519,
    Ed25519Verifier,
    Verifier,
    bad_signature,
    check_name,
    key_id,
    read_vkey,
    write_vkey,
)

_mldsa: ModuleType | None
try:
    from cryptography.hazmat.primitives.asymmetric import mldsa as _mldsa
except ImportError:  # an older cryptography: Ed25519 alone
    _mldsa = None

COSIGNATURE = 0x04
ML_DSA_44 = 0x06
_TIME_BYTES = 8


def cosignature_message(time: int, body: bytes) -> bytes:
    """What algorithm 04 signs: the checkpoint's body with the time (seconds since 1970) before it."""
    return b"cosignature/v1\ntime %d\n" % time + body


def subtree_message(name: str, time: int, origin: str, start: int, end: int, root: bytes) -> bytes:
    """What algorithm 06 signs: that ``name`` saw the leaves [start, end) of the log ``origin`` with ``root``.

    Raises ``InputError`` (``tlog.cosignature.name``) for names over 255 bytes.
    """
    names = (name.encode(), origin.encode())
    if not all(0 < len(one) < 256 for one in names):
        raise InputError("tlog.cosignature.name", "The names in a cosignature have 1 to 255 bytes.")
    return b"".join(
        (
            b"subtree/v1\n\0",
            bytes((len(names[0]),)),
            names[0],
            time.to_bytes(8, "big"),
            bytes((len(names[1]),)),
            names[1],
            start.to_bytes(8, "big"),
            end.to_bytes(8, "big"),
            root,
        )
    )


def cosignature_time(signature: bytes) -> int:
    """Seconds since 1970 at which a cosignature says it was made. Raises ``InputError``."""
    if len(signature) <= _TIME_BYTES:
        raise InputError("tlog.cosignature.malformed", "A cosignature starts with eight bytes of time.")
    return int.from_bytes(signature[:_TIME_BYTES], "big")


def _message(algorithm: int, name: str, time: int, text: bytes) -> bytes:
    if algorithm == COSIGNATURE:
        return cosignature_message(time, text)
    checkpoint = read_body(text)
    return subtree_message(name, time, checkpoint.origin, 0, checkpoint.size, checkpoint.root)


class CosignatureVerifier:
    """Checks a witness's cosignatures of checkpoints, algorithm 04 or 06."""

    def __init__(self, vkey: str) -> None:
        """Raises ``InputError`` (``tlog.key.*``) and ``UnsupportedError`` (``tlog.key.ml_dsa``)."""
        key = read_vkey(vkey)
        self.name = key.name
        self.key_id = key.key_id
        self.vkey = vkey
        self._algorithm = key.algorithm
        if key.algorithm == COSIGNATURE and len(key.material) == 32:
            self._ed25519 = Ed25519PublicKey.from_public_bytes(key.material)
        elif key.algorithm == ML_DSA_44 and len(key.material) == 1312:
            self._ml_dsa = _ml_dsa("MLDSA44PublicKey").from_public_bytes(key.material)
        else:
            raise InputError("tlog.key.algorithm", "The key is not a witness's key (algorithm 04 or 06).")

    def verify(self, text: bytes, signature: bytes) -> None:
        """Check a cosignature of a body. Raises ``VerificationError`` (``tlog.signature.bad``)."""
        time = cosignature_time(signature)
        message = _message(self._algorithm, self.name, time, text)
        try:
            if self._algorithm == COSIGNATURE:
                self._ed25519.verify(signature[_TIME_BYTES:], message)
            else:
                self._ml_dsa.verify(signature[_TIME_BYTES:], message)
        except (InvalidSignature, ValueError):
            raise bad_signature(self.name) from None


class CosignatureSigner:
    """Makes a witness's cosignatures at one time, from a secret (seed) of 32 bytes."""

    def __init__(self, name: str, secret: bytes, time: int, *, algorithm: int = COSIGNATURE) -> None:
        """``time``: seconds since 1970. Raises ``InputError`` and ``UnsupportedError`` (``tlog.key.*``)."""
        check_name(name)
        if len(secret) != 32 or algorithm not in (COSIGNATURE, ML_DSA_44):
            raise InputError(
                "tlog.key.malformed", "A witness's secret has 32 bytes, its algorithm is 04 or 06."
            )
        self._algorithm = algorithm
        self._time = time
        if algorithm == COSIGNATURE:
            self._ed25519 = Ed25519PrivateKey.from_private_bytes(secret)
            public = self._ed25519.public_key().public_bytes_raw()
        else:
            self._ml_dsa = _ml_dsa("MLDSA44PrivateKey").from_seed_bytes(secret)
            public = self._ml_dsa.public_key().public_bytes_raw()
        self.name = name
        self.key_id = key_id(name, algorithm, public)
        self.vkey = write_vkey(name, algorithm, public)

    def sign(self, text: bytes) -> bytes:
        """Time and signature of a checkpoint's body."""
        message = _message(self._algorithm, self.name, self._time, text)
        key = self._ed25519 if self._algorithm == COSIGNATURE else self._ml_dsa
        signature: bytes = key.sign(message)
        return self._time.to_bytes(_TIME_BYTES, "big") + signature


def _ml_dsa(name: str) -> Any:
    # Typed loosely: the class is there or not depending on the library's version.
    if _mldsa is None or not hasattr(_mldsa, name):
        raise UnsupportedError(
            "tlog.key.ml_dsa",
            "The installed cryptography library knows no ML-DSA.",
            remedy="Install cryptography 50 or later.",
        )
    return getattr(_mldsa, name)


def verifier_of(vkey: str) -> Verifier:
    """The verifier of a key by its algorithm: 01 a log's, 04 and 06 a witness's.

    Raises ``InputError`` (``tlog.key.*``) and ``UnsupportedError`` (``tlog.key.ml_dsa``).
    """
    return Ed25519Verifier(vkey) if read_vkey(vkey).algorithm == ED25519 else CosignatureVerifier(vkey)
