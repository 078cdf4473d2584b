"""Serial numbers that cannot be forged without a key: one item, one code.

A serial has 20 characters of Crockford's base32 (the most that AI 21 takes): one that names the key epoch,
eleven random ones (55 bits) and eight (40 bits) of HMAC-SHA-256 over GTIN, epoch and random part. A guess
hits a valid serial with probability 2**-40. The MAC tells forged codes from issued ones; it says nothing
about copies, and only who holds the key can check it.

Pure: the caller brings the key and, if it wants to, the source of randomness; uniqueness against codes
issued before is the issuing room's index.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Final

from suyuan.errors import InputError
from suyuan.gs1.check_digits import check_digit_valid
from suyuan.gs1.percent import encode_value

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SERIAL_LENGTH: Final = 20
MAX_ITEM_URI_LENGTH: Final = 70
MIN_KEY_BYTES: Final = 16
_RANDOM_LENGTH: Final = 11
_BLOCK: Final = 64  # bytes of a SHA-256 block, the unit of HMAC's key padding

_SERIAL = re.compile(f"[{ALPHABET}]{{{SERIAL_LENGTH}}}")
_GTIN = re.compile(r"[0-9]{14}")
_HOST = re.compile(r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?")
# Each random byte gives five bits: 256 is a multiple of 32, so every character is equally likely.
_BYTE_TO_CHARACTER = bytes(ord(ALPHABET[value & 31]) for value in range(256))
_RFC4648_TO_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", ALPHABET.encode())


def _checked(gtin: str, epoch: str, key: bytes) -> bytes:
    if not _GTIN.fullmatch(gtin) or not check_digit_valid(gtin):
        raise InputError(
            "gs1.serial.gtin",
            "Serials are issued under a GTIN of 14 digits with a correct check digit.",
            path="gtin",
            remedy="Pad a shorter GTIN with zeros on the left.",
        )
    if len(epoch) != 1 or epoch not in ALPHABET:
        raise InputError("gs1.serial.epoch", f"A key epoch is one character of {ALPHABET}.", path="epoch")
    if len(key) < MIN_KEY_BYTES:
        raise InputError("gs1.serial.key", f"A MAC key has at least {MIN_KEY_BYTES} bytes.", path="key")
    return (gtin + epoch).encode("ascii")


def new_serials(
    gtin: str,
    epoch: str,
    key: bytes,
    count: int,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> list[str]:
    """``count`` different serials for ``gtin`` (14 digits) under the key of ``epoch`` (one character).

    ``random_bytes(n)`` must return n unpredictable bytes. Memory is about 70 bytes a serial; callers that
    issue more than a million ask in portions. Raises ``InputError`` (``gs1.serial.*``).
    """
    prefix = _checked(gtin, epoch, key)
    if count < 0:
        raise InputError("gs1.serial.count", "The number of serials cannot be negative.", path="count")
    serials: dict[str, None] = {}
    while len(serials) < count:
        # A second round happens only if two random parts of one batch are equal.
        serials.update(dict.fromkeys(_batch(prefix, key, count - len(serials), random_bytes)))
    return list(serials)


def _batch(prefix: bytes, key: bytes, count: int, random_bytes: Callable[[int], bytes]) -> list[str]:
    # HMAC with its two key blocks and the common prefix absorbed once: each serial pays two copies only.
    padded = (key if len(key) <= _BLOCK else hashlib.sha256(key).digest()).ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + prefix)
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))
    characters = random_bytes(_RANDOM_LENGTH * count).translate(_BYTE_TO_CHARACTER)
    randoms = [
        characters[start : start + _RANDOM_LENGTH] for start in range(0, len(characters), _RANDOM_LENGTH)
    ]
    macs = bytearray()
    for random in randoms:
        first = inner.copy()
        first.update(random)
        second = outer.copy()
        second.update(first.digest())
        macs += second.digest()[:5]
    codes = base64.b32encode(macs).translate(_RFC4648_TO_CROCKFORD).decode("ascii")
    epoch = prefix[-1:].decode("ascii")
    return [
        f"{epoch}{random.decode('ascii')}{codes[8 * position : 8 * position + 8]}"
        for position, random in enumerate(randoms)
    ]


def serial_epoch(serial: str) -> str | None:
    """The key epoch that ``serial`` names, or None if it has not the form of a serial issued here."""
    return serial[0] if _SERIAL.fullmatch(serial) else None


def check_serial(gtin: str, serial: str, keys: Mapping[str, bytes]) -> bool:
    """Whether ``serial`` carries the MAC of one of ``keys`` (epoch character -> key) for ``gtin``.

    False as well for another form, an unknown epoch or a GTIN that is not 14 digits. The comparison takes
    the same time wherever the MAC differs.
    """
    epoch = serial_epoch(serial)
    key = keys.get(epoch) if epoch is not None else None
    if key is None or not _GTIN.fullmatch(gtin):
        return False
    message = (gtin + serial[: 1 + _RANDOM_LENGTH]).encode("ascii")
    mac = hmac.digest(key, message, "sha256")[:5]
    expected = base64.b32encode(mac).translate(_RFC4648_TO_CROCKFORD)
    return hmac.compare_digest(expected, serial[1 + _RANDOM_LENGTH :].encode("ascii"))


def item_uri(host: str, gtin: str, serial: str, *, scheme: str = "https", upper_case: bool = True) -> str:
    """The URI that is printed on the item, e.g. ``HTTPS://ID.EXAMPLE.CN/01/09506000134352/21/0ABC...``.

    Upper case keeps a QR symbol in its alphanumeric mode; ``upper_case=False`` is for readers that do not
    take an upper-case scheme. Raises ``InputError`` (``gs1.item_uri.*``) for a bad host or GTIN and for
    more than 70 characters, which would need a larger symbol.
    """
    if not _HOST.fullmatch(host) or scheme not in {"https", "http"}:
        raise InputError(
            "gs1.item_uri.host", "The resolver's address is http(s) and a host name with optional port."
        )
    if not _GTIN.fullmatch(gtin):
        raise InputError("gs1.item_uri.gtin", "An item's URI carries a GTIN of 14 digits.", path="gtin")
    value = encode_value(serial)
    if not 0 < len(serial) <= SERIAL_LENGTH or (upper_case and value != value.upper()):
        raise InputError(
            "gs1.item_uri.serial",
            "A serial has 1 to 20 characters, and no lower-case letters where the URI is upper case.",
            path="serial",
        )
    address = f"{scheme}://{host}"
    uri = f"{address.upper() if upper_case else address.lower()}/01/{gtin}/21/{value}"
    if len(uri) > MAX_ITEM_URI_LENGTH:
        raise InputError(
            "gs1.item_uri.too_long",
            f"The URI has {len(uri)} characters; {MAX_ITEM_URI_LENGTH} fit the label's symbol.",
            path="host",
            remedy="Use a shorter host name.",
        )
    return uri
