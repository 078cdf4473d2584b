"""Certificates that sign customs messages: what one holds, read from DER or PEM.

Two kinds of keys are seen on the cards that the electronic port hands out: RSA, and SM2 (GB/T 32918), whose curve the
usual libraries do not know. Whether a certificate is to be trusted is decided by who puts it on the list, never here.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

import msgspec

from suyuan.errors import InputError

# SubjectPublicKeyInfo of a key on the curve sm2p256v1 (1.2.156.10197.1.301), up to the uncompressed point.
_SM2_KEY = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
_POINT_BYTES = 64
# RSA keys of the older cards have 1,024 bits; what is shorter protects nothing.
RSA_BITS, RSA_BITS_LEGACY = 2048, 1024


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate: ``fingerprint`` is SHA-256 of its DER in hexadecimal, ``serial`` hexadecimal without zeros in
    front, ``kind`` is ``rsa`` or ``sm2``. ``legacy`` is the operator's word that SHA-1 and short keys pass for it.
    """

    fingerprint: str
    serial: str
    subject: str
    kind: str
    not_before: datetime
    not_after: datetime
    der: bytes
    legacy: bool = False

    def is_valid_at(self, moment: datetime) -> bool:
        """Whether the certificate says that it is valid at this moment."""
        return self.not_before <= moment <= self.not_after


def plain_serial(text: str) -> str:
    """A serial number as it is compared: hexadecimal, lower case, without zeros in front."""
    return re.sub(r"[\s:]", "", text).lower().lstrip("0")


def sm2_point(der: bytes) -> bytes | None:
    """The 64 bytes of the SM2 key in a certificate; None if its key is no SM2 key."""
    at = der.find(_SM2_KEY)
    point = der[at + len(_SM2_KEY) : at + len(_SM2_KEY) + _POINT_BYTES]
    return point if at >= 0 and len(point) == _POINT_BYTES else None


def read_certificate(data: bytes, *, legacy: bool = False, path: str = "") -> Certificate:
    """A certificate from DER or PEM bytes.

    Raises ``InputError``: ``certificate.unreadable``, ``certificate.key`` (neither RSA nor SM2, or too short).
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        pem = data.lstrip().startswith(b"-----BEGIN")
        found = x509.load_pem_x509_certificate(data) if pem else x509.load_der_x509_certificate(data)
        der = found.public_bytes(Encoding.DER)
        subject = found.subject.rfc4514_string()
        not_before, not_after = found.not_valid_before_utc, found.not_valid_after_utc
        serial = f"{found.serial_number:x}"
    except Exception:  # the library has errors of several kinds for what is no certificate, or a strange one
        raise InputError(
            "certificate.unreadable",
            "The file is no X.509 certificate in DER or PEM.",
            path=path,
            remedy="Export the certificate alone, without its key, as .cer, .crt or .pem.",
        ) from None
    kind = "sm2"
    if sm2_point(der) is None:
        kind = "rsa"
        try:
            key = found.public_key()
        except Exception:  # an algorithm that the library does not know has no class of its own
            key = None
        least = RSA_BITS_LEGACY if legacy else RSA_BITS
        if not isinstance(key, RSAPublicKey) or key.key_size < least:
            raise InputError(
                "certificate.key",
                f"The key is neither SM2 nor RSA of at least {least} bits.",
                path=path,
                remedy="Ask its holder for another certificate; --legacy lets RSA keys of 1,024 bits pass.",
            )
    return Certificate(
        fingerprint=hashlib.sha256(der).hexdigest(),
        serial=serial,
        subject=subject[:400],
        kind=kind,
        not_before=not_before,
        not_after=not_after,
        der=der,
        legacy=legacy,
    )
