"""Signatures of customs messages: what holds, and every way in which one must not."""

from __future__ import annotations

import base64
from datetime import timedelta

import customs_messages as messages
import pytest
import signing
from lxml import etree

from suyuan import customs
from suyuan.customs import sm2
from suyuan.customs.certificates import Certificate, read_certificate
from suyuan.customs.signature import SignedMessage, Verdict, read_signed
from suyuan.errors import InputError

DS = f"{{{signing.DS}}}"
SHA1_METHOD = signing.DS + "rsa-sha1"
SHA1 = signing.DS + "sha1"


def _trusted(der: bytes, *, legacy: bool = False) -> Certificate:
    return read_certificate(der, legacy=legacy)


def _verdict(data: bytes, *trusted: Certificate) -> Verdict:
    """What capture does: read, find the certificate that is named among the trusted ones, verify."""
    customs.read(data)
    signed = read_signed(data)
    assert signed is not None
    if isinstance(signed, Verdict):
        return signed
    named = [
        one
        for one in trusted
        if one.fingerprint == signed.fingerprint or (signed.serial and one.serial == signed.serial)
    ]
    return signed.verify(named[0] if named else None, signing.NOW)


@pytest.fixture(scope="module")
def der() -> bytes:
    return signing.certificate(signing.rsa_key())


@pytest.fixture(scope="module")
def receipt(der: bytes) -> bytes:
    return signing.sign(messages.message("CEB622"), signing.rsa_key(), der)


@pytest.mark.parametrize("kind", ["CEB311", "CEB622", "CEB818", "SAS/SAS223"])
def test_an_enveloped_signature_holds(kind: str, der: bytes) -> None:
    data = signing.sign(messages.message(kind), signing.rsa_key(), der)
    verdict = _verdict(data, _trusted(der))
    assert verdict.certificate == _trusted(der), verdict
    # The signature changes nothing of what is read.
    assert customs.read(data).events == customs.read(messages.message(kind)).events


@pytest.mark.parametrize("kind", ["SAS/INV101", "SAS/SAS121"])
def test_a_package_inside_its_signature_holds(kind: str, der: bytes) -> None:
    data = signing.sign_package(messages.message(kind), signing.rsa_key(), der)
    assert _verdict(data, _trusted(der)).certificate is not None
    altered = data.replace("示范".encode(), "范示".encode(), 1)
    assert _verdict(altered, _trusted(der)).code == "customs.signature.content"


def test_another_hand_signs_the_same_way() -> None:
    """signxml, with the canonical forms that it knows."""
    from signxml import CanonicalizationMethod, XMLSigner, methods

    key, der = signing.rsa_key(), signing.certificate(signing.rsa_key())
    for form in (
        CanonicalizationMethod.CANONICAL_XML_1_0,
        CanonicalizationMethod.CANONICAL_XML_1_1,
        CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    ):
        signer = XMLSigner(method=methods.enveloped, c14n_algorithm=form)
        pem = (
            "-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der).decode() + "-----END CERTIFICATE-----\n"
        )
        root = signer.sign(etree.fromstring(messages.message("CEB621")), key=key, cert=pem)
        verdict = _verdict(etree.tostring(root), _trusted(der))
        assert verdict.certificate is not None, (form, verdict)
    # What 1.1 makes of such attributes is not computed here.
    marked = etree.fromstring(messages.message("CEB621"))
    marked[0].set("{http://www.w3.org/XML/1998/namespace}lang", "zh")
    signer = XMLSigner(method=methods.enveloped, c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_1)
    verdict = _verdict(etree.tostring(signer.sign(marked, key=key, cert=pem)), _trusted(der))
    assert (verdict.certificate, verdict.code) == (None, "customs.signature.algorithm")


def test_without_a_signature_there_is_no_verdict() -> None:
    for kind in messages.KINDS:
        assert read_signed(messages.message(kind)) is None


def test_altered_content_is_not_what_was_signed(receipt: bytes, der: bytes) -> None:
    altered = receipt.replace(b"returnStatus>800<", b"returnStatus>899<")
    assert altered != receipt
    assert _verdict(altered, _trusted(der)).code == "customs.signature.content"


def test_an_altered_digest_is_not_what_the_key_signed(receipt: bytes, der: bytes) -> None:
    root = etree.fromstring(receipt.replace(b"returnStatus>800<", b"returnStatus>899<"))
    signature = root.find(DS + "Signature")
    bare = etree.fromstring(etree.tostring(root))
    bare.remove(bare.find(DS + "Signature"))
    import hashlib

    digest = hashlib.sha256(etree.tostring(bare.getroottree(), method="c14n")).digest()
    signature.find(f".//{DS}DigestValue").text = base64.b64encode(digest).decode()
    assert _verdict(etree.tostring(root), _trusted(der)).code == "customs.signature.value"


def test_another_key_under_the_same_certificate_is_refused(der: bytes) -> None:
    data = signing.sign(messages.message("CEB622"), signing.rsa_key(1), der)
    assert _verdict(data, _trusted(der)).code == "customs.signature.value"


def test_the_key_in_the_message_is_never_trusted_by_itself(der: bytes) -> None:
    own = signing.certificate(signing.rsa_key(1), name="Example customs")
    data = signing.sign(messages.message("CEB622"), signing.rsa_key(1), own)
    assert _verdict(data, _trusted(der)).code == "customs.signature.certificate_unknown"


def test_a_certificate_is_found_by_its_number(der: bytes) -> None:
    issued = (
        f"<ds:X509IssuerSerial><ds:X509SerialNumber>{0x42ABCDEF}</ds:X509SerialNumber></ds:X509IssuerSerial>"
    )
    for info in ("<ds:KeyName>0042ABCDEF</ds:KeyName>", f"<ds:X509Data>{issued}</ds:X509Data>"):
        data = signing.sign(messages.message("CEB622"), signing.rsa_key(), der, key_info=info)
        assert _verdict(data, _trusted(der)).certificate is not None
    nameless = signing.sign(messages.message("CEB622"), signing.rsa_key(), der, key_info="")
    assert _verdict(nameless, _trusted(der)).code == "customs.signature.certificate_unknown"


def test_an_expired_certificate_verifies_nothing() -> None:
    for days in ((-400, -1), (1, 400)):
        der = signing.certificate(signing.rsa_key(), days=days)
        data = signing.sign(messages.message("CEB622"), signing.rsa_key(), der)
        assert _verdict(data, _trusted(der)).code == "customs.signature.certificate_expired"


def test_sha1_counts_only_where_the_operator_says_so(der: bytes) -> None:
    data = signing.sign(
        messages.message("CEB622"), signing.rsa_key(), der, method=SHA1_METHOD, digest_method=SHA1
    )
    assert _verdict(data, _trusted(der)).code == "customs.signature.algorithm"
    assert _verdict(data, _trusted(der, legacy=True)).certificate is not None
    half = signing.sign(messages.message("CEB622"), signing.rsa_key(), der, digest_method=SHA1)
    assert _verdict(half, _trusted(der)).code == "customs.signature.algorithm"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"xmldsig-more#rsa-sha256", b"xmldsig-more#hmac-sha256", "algorithm"),
        (b"xmldsig-more#rsa-sha256", b"xmldsig-more#rsa-sha512", "value"),
        (b"xmlenc#sha256", b"xmldsig-more#md5", "algorithm"),
        (b'REC-xml-c14n-20010315"', b'REC-xml-c14n-20010315#WithComments"', "algorithm"),
        (b"xmldsig#enveloped-signature", b"xpath", "reference"),
        (b'URI=""', b'URI="http://example.com/"', "reference"),
        (b'URI=""', b'URI="#a"', "reference"),
        (b' URI=""', b"", "reference"),
        (b"<ds:SignatureValue>", b"<ds:SignatureValue>!", "structure"),
    ],
)
def test_what_the_signature_may_not_be(receipt: bytes, der: bytes, old: bytes, new: bytes, code: str) -> None:
    changed = receipt.replace(old, new)
    assert changed != receipt
    verdict = _verdict(changed, _trusted(der))
    assert (verdict.certificate, verdict.code) == (None, f"customs.signature.{code}")


def test_wrapping_is_seen_whatever_its_shape(receipt: bytes, der: bytes) -> None:
    """A genuine signature over something else than what is read verifies nothing."""
    trusted = _trusted(der)
    forged = messages.message("CEB622", {"returnStatus": "899"})
    genuine = etree.fromstring(receipt)
    signature = genuine.find(DS + "Signature")
    # The signature moved into a forged message, alone and with what it signed in an Object of its own.
    for with_original in (False, True):
        root = etree.fromstring(forged)
        moved = etree.fromstring(etree.tostring(signature))
        if with_original:
            holder = etree.SubElement(moved, DS + "Object", Id="original")
            holder.append(etree.fromstring(messages.message("CEB622")))
        root.append(moved)
        assert _verdict(etree.tostring(root), trusted).code == "customs.signature.content"
    # The whole signed message as a child of a forged one: the signature no longer stands at the root.
    root = etree.fromstring(forged)
    extension = etree.SubElement(root, "{http://www.chinaport.gov.cn/ceb}ExtendMessage")
    extension.append(etree.fromstring(receipt))
    assert _verdict(etree.tostring(root), trusted).code == "customs.signature.structure"
    # A second record beside the signed one.
    root = etree.fromstring(receipt)
    root.insert(0, etree.fromstring(forged)[0])
    assert _verdict(etree.tostring(root), trusted).code == "customs.signature.content"
    # Two signatures.
    root = etree.fromstring(receipt)
    root.append(etree.fromstring(etree.tostring(signature)))
    assert _verdict(etree.tostring(root), trusted).code == "customs.signature.structure"


def test_wrapping_of_a_package_is_seen(der: bytes) -> None:
    trusted = _trusted(der)
    data = signing.sign_package(messages.message("SAS/INV101"), signing.rsa_key(), der)
    root = etree.fromstring(data)
    original = root.find(DS + "Object")
    forged = etree.fromstring(messages.message("SAS/INV101", {"DclQty": "1"})).find(DS + "Object")
    # A forged package before the signed one is what would be read; with another ID, and with the same.
    for name in ("y", original.get("Id")):
        forged.set("Id", name)
        root.insert(0, forged)
        assert _verdict(etree.tostring(root), trusted).code == "customs.signature.reference"
        root.remove(forged)
    # The same ID somewhere below.
    holder = etree.SubElement(root, DS + "Object")
    etree.SubElement(holder, "x", id=original.get("Id"))
    assert _verdict(etree.tostring(root), trusted).code == "customs.signature.reference"


def test_comments_change_nothing_that_is_read(receipt: bytes, der: bytes) -> None:
    """A comment inside a value is not signed; the reader must not take it for a border either."""
    data = receipt.replace(b"returnStatus>800<", b"returnStatus>8<!-- -->00<")
    assert _verdict(data, _trusted(der)).certificate is not None
    assert customs.read(data).events == customs.read(receipt).events


def test_sm2_signatures(der: bytes) -> None:
    pytest.importorskip("gmssl", reason="the extra sm is not installed")
    key = signing.Sm2Key()
    own = signing.sm2_certificate(key.point)
    trusted = _trusted(own)
    assert (trusted.kind, trusted.serial) == ("sm2", "42abcd01")
    port = "http://www.chinaport.gov.cn/2022/04/xmldsig#"
    data = signing.sign(
        messages.message("CEB622"), key, own, method=port + "sm2-sm3", digest_method=port + "sm3"
    )
    assert _verdict(data, trusted).certificate == trusted
    assert _verdict(data.replace(b">800<", b">899<"), trusted).code == "customs.signature.content"
    # The digest that some senders use with it is SHA-1.
    mixed = signing.sign(
        messages.message("CEB622"), key, own, method=signing.DS + "sm2-sm3", digest_method=SHA1
    )
    assert _verdict(mixed, trusted).code == "customs.signature.algorithm"
    assert _verdict(mixed, _trusted(own, legacy=True)).certificate is not None
    # An RSA method under an SM2 certificate, and the other way round.
    crossed = signing.sign(messages.message("CEB622"), signing.rsa_key(), own)
    assert _verdict(crossed, trusted).code == "customs.signature.algorithm"
    crossed = signing.sign(
        messages.message("CEB622"), key, der, method=port + "sm2-sm3", digest_method=port + "sm3"
    )
    assert _verdict(crossed, _trusted(der)).code == "customs.signature.algorithm"


def test_sm2_refuses_what_a_forger_would_try() -> None:
    pytest.importorskip("gmssl", reason="the extra sm is not installed")
    key = signing.Sm2Key()
    signature = key.sign(b"content")
    order = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
    assert sm2.is_signed(key.point, b"content", signature)
    assert not sm2.is_signed(key.point, b"other", signature)
    assert not sm2.is_signed(signing.Sm2Key(7).point, b"content", signature)
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    for pair in ((0, 0), (0, s), (r, 0), (r, order), (order - s, s), (2**256 - 1, s)):
        forged = b"".join(number.to_bytes(32, "big") for number in pair)
        assert not sm2.is_signed(key.point, b"content", forged)
    assert not sm2.is_signed(b"\x01" * 64, b"content", signature)
    assert not sm2.is_signed(key.point, b"content", b"short")


def test_the_sm2_check_agrees_with_the_standard() -> None:
    """The key pair of GB/T 32918.5, annex A, has this public key; SM3 of GB/T 32905, annex A, this digest."""
    pytest.importorskip("gmssl", reason="the extra sm is not installed")
    assert signing.Sm2Key().point.hex().startswith("09f9df311e5421a150dd7d161e4bc5c6")
    assert sm2.sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_without_the_optional_package_the_message_counts_as_unsigned(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gmssl", reason="the extra sm is not installed")
    key = signing.Sm2Key()
    own = signing.sm2_certificate(key.point)
    port = "http://www.chinaport.gov.cn/2022/04/xmldsig#"
    data = signing.sign(
        messages.message("CEB622"), key, own, method=port + "sm2-sm3", digest_method=port + "sm3"
    )
    monkeypatch.setitem(__import__("sys").modules, "gmssl.sm2", None)
    assert not sm2.is_at_hand()
    assert _verdict(data, _trusted(own)).code == "customs.signature.sm_absent"


def test_certificates_that_are_none() -> None:
    for data, code in (
        (b"", "certificate.unreadable"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate.unreadable"),
        (signing.elliptic_certificate(), "certificate.key"),
        (signing.certificate(signing.rsa_key(2, 1024)), "certificate.key"),
    ):
        with pytest.raises(InputError) as caught:
            read_certificate(data)
        assert caught.value.code == code
    assert read_certificate(signing.certificate(signing.rsa_key(2, 1024)), legacy=True).kind == "rsa"
    validity = read_certificate(signing.certificate(signing.rsa_key()))
    assert validity.is_valid_at(signing.NOW)
    assert not validity.is_valid_at(signing.NOW + timedelta(days=366))


def test_nothing_is_fetched_and_no_entity_is_read(receipt: bytes) -> None:
    hostile = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + receipt.partition(b"?>")[2]
    with pytest.raises(InputError) as caught:
        customs.read(hostile)
    assert caught.value.code == "xml.doctype.forbidden"
    signed = read_signed(hostile.replace(b">800<", b">&e;<"))
    if isinstance(signed, SignedMessage):
        assert signed.verify(None, signing.NOW).certificate is None
