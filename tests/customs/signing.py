"""Keys, certificates and signed messages made on the spot: RSA with signxml as an independent hand, SM2 with gmssl."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree

from suyuan.customs.sm2 import signed_digest

DS = "http://www.w3.org/2000/09/xmldsig#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
NOW = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)


@cache
def _rsa_key(number: int, bits: int) -> rsa.RSAPrivateKey:
    del number
    return rsa.generate_private_key(65537, bits)


def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key of this test session; another number, another key."""
    return _rsa_key(number, bits)


def certificate(
    key: Any, *, days: tuple[int, int] = (-30, 365), now: datetime = NOW, name: str = "Example customs"
) -> bytes:
    """A self-signed certificate in DER, valid from and until so many days from ``now``."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(0x42ABCDEF)
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


def elliptic_certificate() -> bytes:
    """A certificate with a key that no customs card has."""
    return certificate(ec.generate_private_key(ec.SECP256R1()))


# -- SM2: no library makes such certificates, so the DER is written by hand ----------------------------------


def _der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    width = (size.bit_length() + 7) // 8
    length = bytes([size]) if size < 128 else bytes([0x80 + width]) + size.to_bytes(width, "big")
    return bytes([tag]) + length + body


def _name(text: str) -> bytes:
    return _der(
        0x30, _der(0x31, _der(0x30, bytes.fromhex("0603550403"), _der(0x0C, text.encode())))
    )  # commonName


def sm2_certificate(point: bytes) -> bytes:
    """A certificate of an SM2 key; its own signature is not looked at by anyone."""
    algorithm = _der(0x30, bytes.fromhex("06082a811ccf55018375"))  # SM3 with SM2
    key = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004") + point
    validity = _der(0x30, _der(0x17, b"260101000000Z"), _der(0x17, b"280101000000Z"))
    body = _der(
        0x30,
        bytes.fromhex("a003020102"),
        _der(0x02, bytes.fromhex("42abcd01")),
        algorithm,
        _name("Example SM2"),
        validity,
        _name("Example SM2"),
        key,
    )
    return _der(0x30, body, algorithm, _der(0x03, b"\x00" + b"\x30\x06\x02\x01\x01\x02\x01\x01"))


class Sm2Key:
    """An SM2 key pair from a private number."""

    def __init__(
        self, private: int = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
    ) -> None:
        from gmssl import sm2

        self._curve = sm2.CryptSM2(private_key=f"{private:064x}", public_key="")
        self.point = bytes.fromhex(self._curve._kg(private, sm2.default_ecc_table["g"]))

    def sign(self, message: bytes) -> bytes:
        digest = signed_digest(self.point, message)
        return bytes.fromhex(
            self._curve.sign(digest, f"{int.from_bytes(hashlib.sha256(message).digest()):x}")
        )


# -- signed messages -------------------------------------------------------------------------------------------


def _digest(algorithm: str, data: bytes) -> bytes:
    from suyuan.customs.sm2 import sm3

    return (
        sm3(data) if algorithm.endswith("#sm3") else hashlib.new(algorithm.rpartition("#")[2], data).digest()
    )


def _signed_info(method: str, digest_method: str, uri: str, transforms: list[str], digest: bytes) -> str:
    listed = "".join(f'<ds:Transform Algorithm="{one}"/>' for one in transforms)
    listed = f"<ds:Transforms>{listed}</ds:Transforms>" if listed else ""
    return (
        f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{C14N}"/>'
        f'<ds:SignatureMethod Algorithm="{method}"/><ds:Reference URI="{uri}">{listed}'
        f'<ds:DigestMethod Algorithm="{digest_method}"/>'
        f"<ds:DigestValue>{base64.b64encode(digest).decode()}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    )


def sign(
    data: bytes,
    key: Any,
    certificate_der: bytes,
    *,
    method: str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    digest_method: str = "http://www.w3.org/2001/04/xmlenc#sha256",
    key_info: str | None = None,
) -> bytes:
    """The message with a signature as the last child of its root, as the clients of the electronic port make it."""
    root = etree.fromstring(data)
    digest = _digest(digest_method, etree.tostring(root.getroottree(), method="c14n"))
    info = _signed_info(method, digest_method, "", [DS + "enveloped-signature"], digest)
    # In place, the namespaces of the root are in scope and so part of the canonical form.
    signature = etree.SubElement(root, f"{{{DS}}}Signature", nsmap={"ds": DS})
    signature.append(etree.fromstring(info))
    canonical = etree.tostring(signature[0], method="c14n")
    value = etree.SubElement(signature, f"{{{DS}}}SignatureValue")
    value.text = base64.b64encode(_value(key, canonical, method)).decode()
    if key_info is None:
        named = base64.b64encode(certificate_der).decode()
        key_info = f"<ds:X509Data><ds:X509Certificate>{named}</ds:X509Certificate></ds:X509Data>"
    signature.append(etree.fromstring(f'<ds:KeyInfo xmlns:ds="{DS}">{key_info}</ds:KeyInfo>'))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def sign_package(data: bytes, key: Any, certificate_der: bytes) -> bytes:
    """A SAS message that stands in the ``Object`` of its signature, signed."""
    root = etree.fromstring(data)
    holder = root.find(f"{{{DS}}}Object")
    digest = hashlib.sha256(etree.tostring(holder, method="c14n")).digest()
    method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    info = _signed_info(method, "http://www.w3.org/2001/04/xmlenc#sha256", f"#{holder.get('Id')}", [], digest)
    root.insert(0, etree.fromstring(info))
    value = etree.Element(f"{{{DS}}}SignatureValue")
    value.text = base64.b64encode(_value(key, etree.tostring(root[0], method="c14n"), method)).decode()
    root.insert(1, value)
    named = base64.b64encode(certificate_der).decode()
    root.insert(
        2,
        etree.fromstring(
            f'<ds:KeyInfo xmlns:ds="{DS}"><ds:X509Data><ds:X509Certificate>{named}</ds:X509Certificate>'
            "</ds:X509Data></ds:KeyInfo>"
        ),
    )
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _value(key: Any, canonical: bytes, method: str) -> bytes:
    if isinstance(key, Sm2Key):
        return key.sign(canonical)
    algorithm: Any = hashes.SHA1() if method.endswith("rsa-sha1") else hashes.SHA256()
    return key.sign(canonical, padding.PKCS1v15(), algorithm)
