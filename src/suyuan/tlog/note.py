"""Signed notes (C2SP signed-note): a text, a blank line, and lines of signatures.

A note is UTF-8 without control characters but newline; its text ends at the last blank line. Signatures of
unknown keys are ignored, a bad signature of a known key rejects the whole note. Keys are written as
``name+keyid+base64(algorithm || key)``; the key ID is the first four bytes of
SHA-256(name || 0x0A || algorithm || key). Which text a signature covers depends on the algorithm:
cosignatures (04, 06) wrap the text with a time, see ``suyuan.tlog.cosignature``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from suyuan.errors import InputError, VerificationError

ED25519 = 0x01
MAX_SIGNATURES = 100
MAX_NOTE_BYTES = 1_000_000

_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f]")
_SPACE = re.compile(r"\s", re.UNICODE)
_KEY_ID = re.compile("[0-9a-f]{8}")
_SKEY_PREFIX = "PRIVATE+KEY+"


class Verifier(Protocol):
    """Checks the signatures of one key."""

    @property
    def name(self) -> str:
        """Name of the key."""

    @property
    def key_id(self) -> bytes:
        """Four bytes that, with the name, pick the key."""

    def verify(self, text: bytes, signature: bytes) -> None:
        """Check the signature (without key ID) of a note's text. Raises ``VerificationError``."""


class Signer(Protocol):
    """Makes the signatures of one key."""

    @property
    def name(self) -> str:
        """Name of the key."""

    @property
    def key_id(self) -> bytes:
        """Four bytes that, with the name, pick the key."""

    def sign(self, text: bytes) -> bytes:
        """The signature (without key ID) of a note's text."""


class Signature(NamedTuple):
    """One signature line: the key's name and ID, and the signature proper."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> bytes:
        """The line as it stands in a note, with its newline."""
        payload = base64.b64encode(self.key_id + self.signature).decode("ascii")
        return f"\u2014 {self.name} {payload}\n".encode()


class Note(NamedTuple):
    """An opened note: its text and its signatures, those of known keys apart."""

    text: bytes
    verified: tuple[Signature, ...]
    unverified: tuple[Signature, ...]


class Key(NamedTuple):
    """The parts of a verifier key or of a secret key."""

    name: str
    key_id: bytes
    algorithm: int
    material: bytes


def strict_base64(text: str, code: str, what: str) -> bytes:
    """Decode standard base64, accepting only the one spelling that encoding would give back."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError(code, f"The {what} is not base64.") from None
    if base64.b64encode(data).decode("ascii") != text:
        raise InputError(code, f"The {what} is not base64 in its one valid spelling.")
    return data


def check_name(name: str) -> None:
    """Raise ``InputError`` (``tlog.key.name``) unless the name can stand in a note."""
    if not name or "+" in name or _SPACE.search(name) or _CONTROL.search(name):
        raise InputError("tlog.key.name", "A key's name is not empty and has no white space and no '+'.")


def key_id(name: str, algorithm: int, public_key: bytes) -> bytes:
    """The four bytes that stand before a signature."""
    return hashlib.sha256(name.encode() + b"\n" + bytes((algorithm,)) + public_key).digest()[:4]


def write_vkey(name: str, algorithm: int, public_key: bytes) -> str:
    """A verifier key's text. Raises ``InputError`` (``tlog.key.name``)."""
    check_name(name)
    material = base64.b64encode(bytes((algorithm,)) + public_key).decode("ascii")
    return f"{name}+{key_id(name, algorithm, public_key).hex()}+{material}"


def read_vkey(vkey: str) -> Key:
    """The parts of a verifier key. Raises ``InputError`` (``tlog.key.*``)."""
    # The base64 may itself hold a '+', so only the first two split.
    parts = vkey.split("+", 2)
    if len(parts) != 3 or not _KEY_ID.fullmatch(parts[1]):
        raise InputError(
            "tlog.key.malformed",
            "A verifier key is written name+hash+key.",
            remedy="Give the key as the log publishes it, on one line and without spaces around it.",
        )
    name = parts[0]
    check_name(name)
    data = strict_base64(parts[2], "tlog.key.malformed", "key")
    if len(data) < 2:
        raise InputError("tlog.key.malformed", "The key is empty.")
    if key_id(name, data[0], data[1:]).hex() != parts[1]:
        raise InputError("tlog.key.hash", "The key's hash does not belong to its name and key.")
    return Key(name, bytes.fromhex(parts[1]), data[0], data[1:])


class Ed25519Verifier:
    """Checks plain Ed25519 signatures (algorithm 01), as logs make them."""

    def __init__(self, vkey: str) -> None:
        """Raises ``InputError`` (``tlog.key.*``)."""
        key = read_vkey(vkey)
        if key.algorithm != ED25519 or len(key.material) != 32:
            raise InputError("tlog.key.algorithm", "The key is not an Ed25519 key (algorithm 01).")
        self.name = key.name
        self.key_id = key.key_id
        self.vkey = vkey
        self._key = Ed25519PublicKey.from_public_bytes(key.material)

    def verify(self, text: bytes, signature: bytes) -> None:
        """Check a signature of ``text``. Raises ``VerificationError`` (``tlog.signature.bad``)."""
        try:
            self._key.verify(signature, text)
        except InvalidSignature:
            raise bad_signature(self.name) from None


class Ed25519Signer:
    """Makes plain Ed25519 signatures (algorithm 01) from a secret of 32 bytes."""

    def __init__(self, name: str, secret: bytes) -> None:
        """Raises ``InputError`` (``tlog.key.name``, ``tlog.key.malformed``)."""
        check_name(name)
        if len(secret) != 32:
            raise InputError("tlog.key.malformed", "An Ed25519 secret has 32 bytes.")
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        public = self._key.public_key().public_bytes_raw()
        self.name = name
        self.key_id = key_id(name, ED25519, public)
        self.vkey = write_vkey(name, ED25519, public)

    def sign(self, text: bytes) -> bytes:
        """The 64 bytes of the signature of ``text``."""
        return self._key.sign(text)


def write_skey(name: str, secret: bytes) -> str:
    """Text of an Ed25519 secret key: ``PRIVATE+KEY+name+hash+base64(01 || secret)``."""
    signer = Ed25519Signer(name, secret)
    material = base64.b64encode(bytes((ED25519,)) + secret).decode("ascii")
    return f"{_SKEY_PREFIX}{name}+{signer.key_id.hex()}+{material}"


def read_skey(skey: str) -> Ed25519Signer:
    """The signer of a secret key's text. Raises ``InputError`` (``tlog.key.*``), never quoting the key."""
    parts = skey.removeprefix(_SKEY_PREFIX).split("+", 2)
    if not skey.startswith(_SKEY_PREFIX) or len(parts) != 3:
        raise InputError("tlog.key.malformed", "A secret key is written PRIVATE+KEY+name+hash+key.")
    data = strict_base64(parts[2], "tlog.key.malformed", "secret key")
    if len(data) != 33 or data[0] != ED25519:
        raise InputError("tlog.key.algorithm", "The secret key is not an Ed25519 key (algorithm 01).")
    signer = Ed25519Signer(parts[0], data[1:])
    if signer.key_id.hex() != parts[1]:
        raise InputError("tlog.key.hash", "The key's hash does not belong to its name and key.")
    return signer


def bad_signature(name: str) -> VerificationError:
    """The error of a signature that does not hold."""
    return VerificationError("tlog.signature.bad", f"The signature of {name} does not hold.")


def check_text(text: bytes) -> None:
    """Raise ``InputError`` (``tlog.note.malformed``) unless ``text`` can be the text of a note."""
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        raise InputError("tlog.note.malformed", "A note is UTF-8 text.") from None
    if not decoded.endswith("\n") or _CONTROL.search(decoded):
        raise InputError(
            "tlog.note.malformed", "A note ends with a newline and has no other control character."
        )


def sign_note(text: bytes, signers: Iterable[Signer]) -> bytes:
    """The signed note of ``text``, one line per signer. Raises ``InputError`` (``tlog.note.malformed``)."""
    check_text(text)
    lines = [Signature(signer.name, signer.key_id, signer.sign(text)).line for signer in signers]
    return text + b"\n" + b"".join(lines)


def split_note(note: bytes) -> tuple[bytes, tuple[Signature, ...]]:
    """A note's text and its signature lines, none of them checked.

    Raises ``InputError`` (``tlog.note.malformed``, ``tlog.note.too_many_signatures``).
    """
    if len(note) > MAX_NOTE_BYTES:
        raise InputError("tlog.note.malformed", f"A note has at most {MAX_NOTE_BYTES} bytes.")
    check_text(note)
    blank = note.rfind(b"\n\n")
    if blank < 0:
        raise InputError("tlog.note.malformed", "The note has no blank line before its signatures.")
    lines = note[blank + 2 :].decode().split("\n")[:-1]
    if not lines:
        raise InputError("tlog.note.malformed", "The note has no signature.")
    if len(lines) > MAX_SIGNATURES:
        raise InputError("tlog.note.too_many_signatures", f"A note has at most {MAX_SIGNATURES} signatures.")
    return note[: blank + 1], tuple(_read_line(line) for line in lines)


def _read_line(line: str) -> Signature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014":
        raise InputError("tlog.note.malformed", "A line after the note's blank line is no signature.")
    check_name(parts[1])
    payload = strict_base64(parts[2], "tlog.note.malformed", "signature")
    if len(payload) < 5:
        raise InputError("tlog.note.malformed", "A signature is too short.")
    return Signature(parts[1], payload[:4], payload[4:])


def open_note(note: bytes, verifiers: Sequence[Verifier]) -> Note:
    """A note whose signatures by known keys all hold, at least one of them there.

    A key that signed twice counts once. Raises ``InputError`` (``tlog.note.*``, and ``tlog.key.ambiguous``
    where two of the verifiers have the signature's name and ID) and ``VerificationError``
    (``tlog.signature.bad``, ``tlog.signature.missing``).
    """
    text, signatures = split_note(note)
    verified: dict[tuple[str, bytes], Signature] = {}
    unverified: list[Signature] = []
    for signature in signatures:
        known = [key for key in verifiers if (key.name, key.key_id) == (signature.name, signature.key_id)]
        if len(known) > 1:
            raise InputError("tlog.key.ambiguous", f"Two known keys are named {signature.name}.")
        if not known:
            unverified.append(signature)
        elif (signature.name, signature.key_id) not in verified:
            known[0].verify(text, signature.signature)
            verified[signature.name, signature.key_id] = signature
    if not verified:
        raise VerificationError(
            "tlog.signature.missing",
            "No known key signed the note.",
            remedy="Check that the key belongs to this log.",
        )
    return Note(text, tuple(verified.values()), tuple(unverified))
