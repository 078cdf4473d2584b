"""Sealing a few key files for the time apart: the age format, version 1 (C2SP ``age``), both of its own recipients.

A standard format, so that keys can be opened without Suyuan as well: ``age -d keys.age | tar x``. Recipients are
X25519 public keys (``age1...``, as age-keygen prints them) or one passphrase (scrypt). Everything is in memory:
this is for secrets of some hundred bytes, not for data.

Trust: whoever holds the identity or knows the passphrase has the keys. The file itself may lie anywhere; a changed
one is refused. It does not say who made it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from suyuan.errors import InputError, VerificationError

_VERSION = b"age-encryption.org/v1"
_CHUNK = 64 * 1024
_COLUMNS = 64
_WORK_FACTOR = 18
_HARDEST = (
    22  # a file from elsewhere must not take all memory: 2^22 is four gigabytes, the limit of age itself
)
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


class _Stanza(NamedTuple):
    arguments: tuple[bytes, ...]
    body: bytes


def seal(plaintext: bytes, *, recipients: Sequence[str] = (), passphrase: str = "") -> bytes:
    """An age file for these recipients, or for one passphrase.

    Raises ``InputError`` (``age.recipient``) for a recipient that cannot be read, or none and no passphrase.
    """
    if bool(recipients) == bool(passphrase):
        raise InputError(
            "age.recipient",
            "A sealed file is for recipients or for one passphrase, and not for both.",
            remedy="Name recipients (age1...), or give a passphrase.",
        )
    file_key = os.urandom(16)
    if passphrase:
        stanzas = [_to_passphrase(file_key, passphrase)]
    else:
        stanzas = [_to_recipient(file_key, recipient) for recipient in recipients]
    header = _VERSION + b"\n" + b"".join(map(_written, stanzas)) + b"---"
    mac = hmac.digest(_derive(file_key, b"", b"header"), header, "sha256")
    nonce = os.urandom(16)
    return (
        header
        + b" "
        + _encode(mac)
        + b"\n"
        + nonce
        + _encrypt(_derive(file_key, nonce, b"payload"), plaintext)
    )


def unseal(data: bytes, *, identities: Sequence[str] = (), passphrase: str = "") -> bytes:
    """What was sealed.

    ``identities`` are secret keys (``AGE-SECRET-KEY-1...``). Raises ``InputError`` (``age.format``,
    ``age.identity``) and ``VerificationError`` (``age.refused``: none of them opens it; ``age.changed``).
    """
    stanzas, header, mac, payload = _read(data)
    file_key = _find_file_key(stanzas, identities, passphrase)
    if not hmac.compare_digest(hmac.digest(_derive(file_key, b"", b"header"), header, "sha256"), mac):
        raise _changed()
    return _decrypt(_derive(file_key, payload[:16], b"payload"), payload[16:])


def recipient_of(identity: str) -> str:
    """The public key (``age1...``) of a secret one. Raises ``InputError`` (``age.identity``)."""
    public = _private_key(identity).public_key().public_bytes_raw()
    return _bech32_encode("age", public)


def new_identity() -> str:
    """A new secret key, in the form in which age-keygen prints it."""
    return _bech32_encode("age-secret-key-", X25519PrivateKey.generate().private_bytes_raw()).upper()


# -- stanzas --------------------------------------------------------------------------------------------------


def _to_recipient(file_key: bytes, recipient: str) -> _Stanza:
    public = _bech32_decode("age", recipient.strip().lower())
    if public is None:
        raise InputError(
            "age.recipient",
            "This is not a recipient of the form age1...",
            path=recipient[:16],
            remedy="Make a pair of keys with age-keygen, and name the public one.",
        )
    ephemeral = X25519PrivateKey.generate()
    share = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
    key = _derive(shared, share + public, _VERSION + b"/X25519")
    return _Stanza((b"X25519", _encode(share)), ChaCha20Poly1305(key).encrypt(bytes(12), file_key, None))


def _to_passphrase(file_key: bytes, passphrase: str) -> _Stanza:
    salt = os.urandom(16)
    body = ChaCha20Poly1305(_stretch(passphrase, salt, _WORK_FACTOR)).encrypt(bytes(12), file_key, None)
    return _Stanza((b"scrypt", _encode(salt), str(_WORK_FACTOR).encode()), body)


def _stretch(passphrase: str, salt: bytes, factor: int) -> bytes:
    label = _VERSION + b"/scrypt"
    return Scrypt(salt=label + salt, length=32, n=1 << factor, r=8, p=1).derive(passphrase.encode())


def _find_file_key(stanzas: Sequence[_Stanza], identities: Sequence[str], passphrase: str) -> bytes:
    secrets = [_private_key(identity) for identity in identities]
    for stanza in stanzas:
        kind = stanza.arguments[0]
        keys: list[bytes] = []
        if kind == b"X25519" and len(stanza.arguments) == 2:
            share = _decode(stanza.arguments[1], 32)
            for secret in secrets:
                public = secret.public_key().public_bytes_raw()
                try:
                    shared = secret.exchange(X25519PublicKey.from_public_bytes(share))
                except ValueError:  # a point that would make the secret the same for everybody
                    raise _malformed("its recipient is no key") from None
                keys.append(_derive(shared, share + public, _VERSION + b"/X25519"))
        elif kind == b"scrypt" and len(stanza.arguments) == 3 and passphrase:
            written = stanza.arguments[2]
            factor = int(written) if written.isdigit() and len(written) < 4 else 0
            if len(stanzas) != 1 or not 0 < factor <= _HARDEST:
                raise _malformed("its work factor or its number of recipients is not allowed")
            keys.append(_stretch(passphrase, _decode(stanza.arguments[1], 16), factor))
        for key in keys:
            try:
                return ChaCha20Poly1305(key).decrypt(bytes(12), stanza.body, None)
            except (InvalidTag, ValueError):
                continue
    raise VerificationError(
        "age.refused",
        "Neither the passphrase nor an identity that was given opens this file.",
        remedy="Give the passphrase or the identity that it was sealed for.",
    )


# -- the file -------------------------------------------------------------------------------------------------


def _written(stanza: _Stanza) -> bytes:
    body = _encode(stanza.body)
    lines = [body[at : at + _COLUMNS] for at in range(0, len(body) + 1, _COLUMNS)]
    return b"-> " + b" ".join(stanza.arguments) + b"\n" + b"".join(line + b"\n" for line in lines)


def _read(data: bytes) -> tuple[list[_Stanza], bytes, bytes, bytes]:
    """Stanzas, the bytes under the MAC, the MAC, and the payload with its nonce."""
    if not data.startswith(_VERSION + b"\n"):
        raise _malformed("it does not begin as one")
    at = len(_VERSION) + 1
    stanzas: list[_Stanza] = []
    while data.startswith(b"-> ", at):
        line, at = _line(data, at)
        body = b""
        while True:
            part, at = _line(data, at)
            body += part
            if len(part) < _COLUMNS:
                break
        stanzas.append(_Stanza(tuple(line[3:].split(b" ")), _decode(body)))
    start = at
    line, at = _line(data, at)
    if not stanzas or not line.startswith(b"--- ") or len(data) < at + 16:
        raise _malformed("its header is not whole")
    return stanzas, data[: start + 3], _decode(line[4:], 32), data[at:]


def _line(data: bytes, at: int) -> tuple[bytes, int]:
    end = data.find(b"\n", at)
    if end < 0:
        raise _malformed("its header is not whole")
    return data[at:end], end + 1


def _encrypt(key: bytes, plaintext: bytes) -> bytes:
    cipher = ChaCha20Poly1305(key)
    chunks = [plaintext[at : at + _CHUNK] for at in range(0, len(plaintext), _CHUNK)] or [b""]
    return b"".join(
        cipher.encrypt(_chunk_nonce(n, last=n == len(chunks) - 1), chunk, None)
        for n, chunk in enumerate(chunks)
    )


def _decrypt(key: bytes, ciphertext: bytes) -> bytes:
    cipher, size = ChaCha20Poly1305(key), _CHUNK + 16
    chunks = [ciphertext[at : at + size] for at in range(0, len(ciphertext), size)]
    try:
        if not chunks:
            raise _changed()
        return b"".join(
            cipher.decrypt(_chunk_nonce(n, last=n == len(chunks) - 1), chunk, None)
            for n, chunk in enumerate(chunks)
        )
    except (InvalidTag, ValueError):
        raise _changed() from None


def _chunk_nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _derive(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=salt or None, info=info).derive(secret)


def _encode(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _decode(text: bytes, length: int | None = None) -> bytes:
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("its header holds something that is not base64") from None
    if _encode(data) != text or length not in (None, len(data)):
        raise _malformed("a value in its header has the wrong length")
    return data


def _malformed(why: str) -> InputError:
    return InputError(
        "age.format", f"This is not an age file: {why}.", remedy="Name the file that holds the sealed keys."
    )


def _changed() -> VerificationError:
    return VerificationError(
        "age.changed", "The sealed file was changed or cut off.", remedy="Take another copy of it."
    )


# -- Bech32 (BIP 173, without its limit of length) ----------------------------------------------------------------


def _private_key(identity: str) -> X25519PrivateKey:
    secret = _bech32_decode("age-secret-key-", identity.strip().lower())
    if secret is None:
        raise InputError(
            "age.identity",
            "This is not an identity of the form AGE-SECRET-KEY-1...",
            remedy="Name the file that age-keygen wrote; lines that begin with # are left out.",
        )
    return X25519PrivateKey.from_private_bytes(secret)


def _polymod(values: Sequence[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            check ^= generator if top >> bit & 1 else 0
    return check


def _expanded(prefix: str) -> list[int]:
    return [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]


def _regroup(values: Sequence[int], width: int, target: int) -> tuple[list[int], int]:
    """The same bits in groups of ``target`` bits, and those left over (shifted up, number unknown to the reader)."""
    bits = pending = 0
    groups = []
    for value in values:
        pending, bits = pending << width | value, bits + width
        while bits >= target:
            bits -= target
            groups.append(pending >> bits & ((1 << target) - 1))
            pending &= (1 << bits) - 1
    return groups, pending << (target - bits) if bits else -1


def _bech32_encode(prefix: str, data: bytes) -> str:
    groups, rest = _regroup(data, 8, 5)
    if rest >= 0:
        groups.append(rest)
    check = _polymod([*_expanded(prefix), *groups, 0, 0, 0, 0, 0, 0]) ^ 1
    groups += [check >> 5 * (5 - n) & 31 for n in range(6)]
    return prefix + "1" + "".join(_BECH32[group] for group in groups)


def _bech32_decode(prefix: str, text: str) -> bytes | None:
    """The 32 bytes of a key, or None where the text is none of this kind."""
    body = text.removeprefix(prefix + "1")
    if body == text or not set(body) <= set(_BECH32):
        return None
    values = [_BECH32.index(letter) for letter in body]
    if _polymod([*_expanded(prefix), *values]) != 1:
        return None
    data, rest = _regroup(values[:-6], 5, 8)
    return bytes(data) if len(data) == 32 and rest <= 0 else None


def fingerprint(name: str, key: bytes) -> str:
    """What tells a key file from another without telling the key: 16 bytes of a digest, hexadecimal."""
    return hashlib.sha256(b"suyuan key file\0" + name.encode() + b"\0" + key).hexdigest()[:32]
