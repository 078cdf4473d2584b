"""Is a customs message signed, and does the signature hold? XML signatures over RSA and SM2, nothing fetched.

Two shapes are known. CEB messages (and whatever else has its signature as a child of its root) sign the whole document
but the signature itself; SAS messages stand inside the signature's ``Object``. The rule that keeps wrapped signatures
out: **what is signed must be what is read**. So there is exactly one signature, it stands at the place that the reader
leaves out, it has one reference, and that reference covers either everything or the very element that the reader reads.

The key comes from a list of trusted certificates; the one inside the message only says which of them is meant. What
cannot be verified is no fault of the message: it is told, and the message counts as unsigned.
"""

from __future__ import annotations

import base64
import binascii
import copy
import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from suyuan.customs.certificates import Certificate, plain_serial, sm2_point
from suyuan.customs.message import SIGNATURE_NAMESPACE
from suyuan.customs.sm2 import is_signed, sm3
from suyuan.errors import UnsupportedError

_DS = f"{{{SIGNATURE_NAMESPACE}}}"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_ENC = "http://www.w3.org/2001/04/xmlenc#"
_PORT = "http://www.chinaport.gov.cn/2022/04/xmldsig#"
_ENVELOPED = SIGNATURE_NAMESPACE + "enveloped-signature"
_C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
_C14N_1_1 = "http://www.w3.org/2006/12/xml-c14n11"
_C14N_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_WEAK = "sha1"
# Algorithms by their names: kind of key and digest. Senders use two names for SM2.
_METHODS = {
    SIGNATURE_NAMESPACE + "rsa-sha1": ("rsa", "sha1"),
    _MORE + "rsa-sha256": ("rsa", "sha256"),
    _MORE + "rsa-sha384": ("rsa", "sha384"),
    _MORE + "rsa-sha512": ("rsa", "sha512"),
    SIGNATURE_NAMESPACE + "sm2-sm3": ("sm2", "sm3"),
    _PORT + "sm2-sm3": ("sm2", "sm3"),
}
_DIGESTS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    SIGNATURE_NAMESPACE + "sha1": ("sha1", lambda data: hashlib.sha1(data, usedforsecurity=False).digest()),
    _ENC + "sha256": ("sha256", lambda data: hashlib.sha256(data).digest()),
    _MORE + "sha384": ("sha384", lambda data: hashlib.sha384(data).digest()),
    _ENC + "sha512": ("sha512", lambda data: hashlib.sha512(data).digest()),
    SIGNATURE_NAMESPACE + "sm3": ("sm3", sm3),
    _PORT + "sm3": ("sm3", sm3),
}
_ID_NAMES = ("Id", "ID", "id")


class Unverified(Exception):  # noqa: N818 - an outcome that is told, not an error that is raised to callers
    """Why a signature counts for nothing: a stable ``code`` and a reason."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Verdict(msgspec.Struct, frozen=True):
    """What became of a signature: the certificate that holds it, or the code and reason why none does."""

    certificate: Certificate | None
    code: str = ""
    reason: str = ""


class SignedMessage:
    """A signed message, parsed: which certificate it names, and whether one verifies it."""

    def __init__(self, root: Any, signature: Any) -> None:
        self._root = root
        self._signature = signature
        self.fingerprint, self.serial = _named(signature)

    def verify(self, certificate: Certificate | None, at: datetime) -> Verdict:
        """Check the signature against the trusted certificate that the message names, as of the moment ``at``."""
        return _verdict(certificate, lambda: self._verify(certificate, at))

    def compare(self) -> Verdict:
        """Whether the content is what was signed, by its digest alone; an empty code where it is."""
        return _verdict(None, self._compare)

    def _compare(self) -> None:
        info = _only(self._signature, "SignedInfo")
        covered, digest_method = self._covered(info)
        _same_digest(info, covered, digest_method)

    def _verify(self, certificate: Certificate | None, at: datetime) -> None:
        info = _only(self._signature, "SignedInfo")
        kind, digest = _METHODS.get(_algorithm(info, "SignatureMethod"), ("", ""))
        if not kind:
            raise Unverified(
                "customs.signature.algorithm", "The signature uses an algorithm that is not accepted."
            )
        covered, digest_method = self._covered(info)
        if certificate is None:
            raise Unverified(
                "customs.signature.certificate_unknown",
                "The signature's certificate is not on the trusted list.",
            )
        if certificate.kind != kind:
            raise Unverified(
                "customs.signature.algorithm",
                "The algorithm of the signature is not that of the certificate's key.",
            )
        if _WEAK in (digest, _DIGESTS[digest_method][0]) and not certificate.legacy:
            raise Unverified(
                "customs.signature.algorithm",
                "The signature uses SHA-1, which is not accepted for this certificate.",
            )
        if not certificate.is_valid_at(at):
            raise Unverified(
                "customs.signature.certificate_expired", "The certificate is not valid at this time."
            )
        _same_digest(info, covered, digest_method)
        signed = _canonical(
            info, _algorithm(info, "CanonicalizationMethod"), _only(info, "CanonicalizationMethod")
        )
        if not _holds(certificate, digest, signed, _bytes_of(_only(self._signature, "SignatureValue"))):
            raise Unverified(
                "customs.signature.value", "The signature was not made with the certificate's key."
            )

    def _covered(self, info: Any) -> tuple[bytes, str]:
        """The canonical bytes that the one reference covers, and the name of its digest."""
        reference = _only(info, "Reference")
        digest_method = _algorithm(reference, "DigestMethod")
        if digest_method not in _DIGESTS:
            raise Unverified(
                "customs.signature.algorithm", "The digest uses an algorithm that is not accepted."
            )
        holders = reference.findall(_DS + "Transforms")
        transforms = [one for holder in holders for one in holder if isinstance(one.tag, str)]
        names = [one.get("Algorithm", "") for one in transforms]
        uri = reference.get("URI")
        if self._signature is self._root:
            element = self._object_read()
            if uri is None or not uri.startswith("#") or element.get("Id", "") != uri[1:] or not uri[1:]:
                raise _elsewhere()
        else:
            if uri != "" or not names or names.pop(0) != _ENVELOPED:
                raise _elsewhere()
            transforms = transforms[1:]
            element = _without(self._root, self._signature)
        if len(names) > 1:
            raise Unverified(
                "customs.signature.algorithm", "The signature uses transforms that are not accepted."
            )
        method = names[0] if names else _C14N
        return _canonical(element, method, transforms[0] if transforms else None), digest_method

    def _object_read(self) -> Any:
        """The ``Object`` whose package the reader reads; its ID must be the only one of its kind."""
        for child in self._root:
            if _local(child) == "Object" and any(_local(one) == "Package" for one in child):
                twins = [
                    one for one in self._root.iter() for name in _ID_NAMES if one.get(name) == child.get("Id")
                ]
                if len(twins) != 1:
                    raise _elsewhere()
                return child
        raise _elsewhere()


def _verdict(certificate: Certificate | None, check: Callable[[], None]) -> Verdict:
    try:
        check()
    except (Unverified, UnsupportedError) as why:
        return Verdict(None, why.code, why.reason)
    return Verdict(certificate)


def _same_digest(info: Any, covered: bytes, digest_method: str) -> None:
    stated = _bytes_of(_only(_only(info, "Reference"), "DigestValue"))
    if _DIGESTS[digest_method][1](covered) != stated:
        raise Unverified(
            "customs.signature.content", "The content is not what was signed: its digest differs."
        )


def _elsewhere() -> Unverified:
    return Unverified("customs.signature.reference", "The signature covers something else than what is read.")


def _local(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _only(parent: Any, name: str) -> Any:
    found = parent.findall(_DS + name)
    if len(found) != 1:
        raise Unverified("customs.signature.structure", f"The signature has not exactly one {name}.")
    return found[0]


def _algorithm(parent: Any, name: str) -> str:
    return str(_only(parent, name).get("Algorithm", ""))


def _bytes_of(element: Any) -> bytes:
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise Unverified("customs.signature.structure", "A value of the signature is no base64.") from None


def _has_xml_attributes(element: Any) -> bool:
    namespace = "{http://www.w3.org/XML/1998/namespace}"
    return any(name.startswith(namespace) for one in element.getroottree().iter() for name in one.attrib)


def _canonical(element: Any, method: str, parameters: Any) -> bytes:
    """Canonical XML of an element and all below it, without comments.

    Canonical XML 1.1 differs from 1.0 in what it makes of attributes of the namespace xml alone.
    """
    from lxml import etree

    plain = method == _C14N or (method == _C14N_1_1 and not _has_xml_attributes(element))
    if not plain and method != _C14N_EXCLUSIVE:
        raise Unverified(
            "customs.signature.algorithm", "The signature uses a canonical form that is not accepted."
        )
    exclusive = method == _C14N_EXCLUSIVE
    prefixes = None
    if exclusive and parameters is not None:
        listed = parameters.find(f"{{{_C14N_EXCLUSIVE}}}InclusiveNamespaces")
        prefixes = listed.get("PrefixList", "").split() if listed is not None else None
    whole = element.getroottree() if element.getparent() is None else element
    try:
        canonical: bytes = etree.tostring(
            whole, method="c14n", exclusive=exclusive, with_comments=False, inclusive_ns_prefixes=prefixes
        )
    except (etree.C14NError, ValueError):
        raise Unverified("customs.signature.structure", "The document has no canonical form.") from None
    return canonical


def _without(root: Any, signature: Any) -> Any:
    """The document without its signature; the text behind the signature stays."""
    from lxml import etree

    place = root.index(signature)
    whole = copy.deepcopy(root.getroottree()).getroot()
    taken = whole[place]
    before = taken.getprevious()
    if taken.tail:
        if before is not None:
            before.tail = (before.tail or "") + taken.tail
        else:
            whole.text = (whole.text or "") + taken.tail
    etree.ElementBase.remove(whole, taken)
    return whole


def _named(signature: Any) -> tuple[str, str]:
    """Fingerprint and serial number of the certificate that the message names; empty where it names none."""
    info = signature.find(_DS + "KeyInfo")
    if info is None:
        return "", ""
    holder = info.find(f"{_DS}X509Data/{_DS}X509Certificate")
    if holder is not None:
        try:
            text = "".join((holder.text or "").split())
            return hashlib.sha256(base64.b64decode(text, validate=True)).hexdigest(), ""
        except (binascii.Error, ValueError):
            return "", ""
    issued = info.findtext(f"{_DS}X509Data/{_DS}X509IssuerSerial/{_DS}X509SerialNumber", "").strip()
    if issued.isascii() and issued.isdigit() and len(issued) <= 60:
        return "", f"{int(issued):x}"
    return "", plain_serial(info.findtext(_DS + "KeyName", ""))[:64]


def _holds(certificate: Certificate, digest: str, signed: bytes, value: bytes) -> bool:
    if certificate.kind == "sm2":
        point = sm2_point(certificate.der)
        return point is not None and is_signed(point, signed, value)
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    key = x509.load_der_x509_certificate(certificate.der).public_key()
    algorithms: dict[str, hashes.HashAlgorithm] = {
        "sha1": hashes.SHA1(),  # noqa: S303 - where the operator said so for this certificate
        "sha256": hashes.SHA256(),
        "sha384": hashes.SHA384(),
        "sha512": hashes.SHA512(),
    }
    if not isinstance(key, RSAPublicKey):
        return False
    try:
        key.verify(value, signed, PKCS1v15(), algorithms[digest])
    except InvalidSignature:
        return False
    return True


def read_signed(data: bytes) -> SignedMessage | Verdict | None:
    """The signature of a customs message: ready to be verified, or a verdict on one that cannot be, or None.

    ``data`` must have passed the reader, which bounds it and refuses DTDs. A signature that is only a place for
    one (no ``SignatureValue``) is none.
    """
    if b"SignatureValue" not in data:
        return None
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return Verdict(
            None,
            "customs.signature.structure",
            "The signed document is too large, or is written in a way that the check does not read.",
        )
    found = [one for one in root.iter(_DS + "Signature") if one.find(_DS + "SignatureValue") is not None]
    if not found:
        return None
    signatures = list(root.iter(_DS + "Signature"))
    if len(signatures) != 1 or not (found[0] is root or found[0].getparent() is root):
        return Verdict(
            None, "customs.signature.structure", "There is not exactly one signature at the place for it."
        )
    return SignedMessage(root, found[0])
