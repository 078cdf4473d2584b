"""Check digits and check characters of the numbers that travel with goods.

GS1 keys (General Specifications 7.9: mod 10 with the weights 3 and 1), the GS1 check character pair
(7.9.5: mod 1021), containers (ISO 6346: mod 11), air waybills (IATA Resolution 600a: mod 7).

Every ``*_valid`` function returns False for text of the wrong shape instead of raising, so that it can be
asked about anything. Person numbers (GB 11643) belong to the room that reads customs messages.
"""

from __future__ import annotations

import re

from suyuan.errors import InputError

_DIGITS = re.compile(r"[0-9]+")
_CONTAINER = re.compile(r"[A-Z]{3}[UJZ][0-9]{7}")
_AIR_WAYBILL = re.compile(r"([0-9]{3})-?([0-9]{8})")

# ISO 6346 gives letters the numbers from 10 upwards and leaves out the multiples of 11.
_CONTAINER_VALUES = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        [*range(10), 10, *range(12, 22), *range(23, 33), *range(34, 39)],
        strict=True,
    )
)

# What is missing to the next ten, by the last digit of the sum.
_DIGIT_FOR = "0987654321"

CHARACTER_SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_CHECK_CHARACTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_VALUES_82 = {character: value for value, character in enumerate(CHARACTER_SET_82)}
MAX_CHECK_PAIR_TEXT = 97


def _primes(count: int) -> tuple[int, ...]:
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return tuple(found)


# The weights of the check pair, from the character beside the pair leftwards.
_WEIGHTS = _primes(MAX_CHECK_PAIR_TEXT)


def check_digit(digits: str) -> str:
    """The GS1 check digit that follows ``digits`` (without it), e.g. ``0950600013435`` -> ``2``.

    Raises ``InputError`` (``gs1.check_digit.not_digits``) for anything but ASCII digits.
    """
    if not (digits.isdigit() and digits.isascii()):
        raise InputError("gs1.check_digit.not_digits", "A check digit is computed over digits only.")
    return _DIGIT_FOR[_weighted(digits.encode("ascii")) % 10]


def _weighted(digits: bytes) -> int:
    """The sum over digits in ASCII, weights 3 and 1 from the right; their codes are 48 too large each."""
    return 3 * sum(digits[-1::-2]) + sum(digits[-2::-2]) - 48 * (2 * ((len(digits) + 1) // 2) + len(digits))


def check_digit_valid(number: str) -> bool:
    """Whether the last digit of a GS1 key (GTIN, SSCC, GLN ...) is its check digit."""
    if len(number) < 2 or not (number.isdigit() and number.isascii()):
        return False
    return _DIGIT_FOR[_weighted(number[:-1].encode("ascii")) % 10] == number[-1]


def check_pair(text: str) -> str:
    """The two check characters that follow ``text`` in a Global Model Number (AI 8013) or MUDI (8014).

    ``text`` has 1 to 97 characters of GS1 character set 82. Raises ``InputError``
    (``gs1.check_pair.text``) otherwise.
    """
    if not 0 < len(text) <= MAX_CHECK_PAIR_TEXT or not _VALUES_82.keys() >= set(text):
        raise InputError("gs1.check_pair.text", "The check pair covers 1 to 97 characters of GS1 set 82.")
    total = sum(
        _VALUES_82[character] * weight for character, weight in zip(reversed(text), _WEIGHTS, strict=False)
    )
    high, low = divmod(total % 1021, 32)
    return _CHECK_CHARACTERS[high] + _CHECK_CHARACTERS[low]


def check_pair_valid(text: str) -> bool:
    """Whether the last two characters of ``text`` are its check pair."""
    if not 2 < len(text) <= MAX_CHECK_PAIR_TEXT + 2 or not _VALUES_82.keys() >= set(text):
        return False
    return check_pair(text[:-2]) == text[-2:]


def container_check_digit(number: str) -> str:
    """The ISO 6346 check digit of the first ten characters of a container number (``COSU987654`` -> ``6``).

    Raises ``InputError`` (``gs1.container.form``) unless the text starts with owner code, category letter
    and six digits.
    """
    body = number[:10]
    if not _CONTAINER.fullmatch(body + "0"):
        raise InputError(
            "gs1.container.form",
            "A container number is three letters, U, J or Z, and seven digits (ISO 6346).",
        )
    total = sum(_CONTAINER_VALUES[character] << position for position, character in enumerate(body))
    return str(total % 11 % 10)


def container_valid(number: str) -> bool:
    """Whether ``number`` is a container number of eleven characters with its check digit."""
    return _CONTAINER.fullmatch(number) is not None and container_check_digit(number) == number[-1]


def air_waybill_check_digit(serial: str) -> str:
    """The last digit of an air waybill: its seven serial digits modulo 7 (``1234567`` -> ``5``).

    Raises ``InputError`` (``gs1.air_waybill.form``) for anything but seven digits.
    """
    if len(serial) != 7 or not _DIGITS.fullmatch(serial):
        raise InputError("gs1.air_waybill.form", "An air waybill has seven serial digits and a check digit.")
    return str(int(serial) % 7)


def air_waybill_valid(number: str) -> bool:
    """Whether ``number`` is an air waybill ``784-12345675`` (the hyphen may be missing)."""
    match = _AIR_WAYBILL.fullmatch(number)
    return match is not None and air_waybill_check_digit(match[2][:7]) == match[2][7]
