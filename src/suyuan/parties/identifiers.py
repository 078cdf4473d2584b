"""Numbers that identify a firm: GLN (GS1), unified social credit code (GB 32100-2015), customs code.

Each ``check_*`` returns the number in its normal form or raises ``InputError`` with the field as path.
"""

from __future__ import annotations

import re

from suyuan.errors import InputError
from suyuan.gs1.check_digits import check_digit, check_digit_valid

# GB 32100 leaves out I, O, S, V and Z; a character's value is its position.
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC = re.compile(f"[{_USCC_ALPHABET}]{{2}}[0-9]{{6}}[{_USCC_ALPHABET}]{{10}}")
_CUSTOMS_CODE = re.compile(r"[0-9]{4}[0-9A-Z]{6}")


def uscc_check_character(body: str) -> str:
    """The 18th character of a unified social credit code, from its first 17 (mod 31, weights 3**i mod 31)."""
    total = sum(_USCC_ALPHABET.index(character) * pow(3, i, 31) for i, character in enumerate(body[:17]))
    return _USCC_ALPHABET[-total % 31]


def check_uscc(text: str, path: str = "uscc") -> str:
    """A unified social credit code (统一社会信用代码), upper case, its check character verified."""
    code = text.strip().upper()
    if not _USCC.fullmatch(code):
        raise InputError(
            "party.uscc.form",
            "A unified social credit code has 18 characters: digits and capitals without I, O, S, V, Z, with"
            " a six-digit region in places 3 to 8.",
            path=path,
            remedy="Copy it from the business licence.",
        )
    if uscc_check_character(code) != code[17]:
        raise InputError(
            "party.uscc.check",
            f"The check character of {code} should be {uscc_check_character(code)}.",
            path=path,
            remedy="One of its characters is mistyped; copy it from the business licence.",
        )
    return code


def check_gln(text: str, path: str = "gln") -> str:
    """A Global Location Number of 13 digits, its check digit verified."""
    gln = text.strip()
    if not re.fullmatch(r"[0-9]{13}", gln):
        raise InputError("party.gln.form", "A GLN has 13 digits.", path=path)
    if not check_digit_valid(gln):
        raise InputError(
            "party.gln.check",
            f"The check digit of {gln} should be {check_digit(gln[:12])}.",
            path=path,
            remedy="One of its digits is mistyped; look it up at the firm or in the GS1 registry.",
        )
    return gln


def check_customs_code(text: str, path: str = "customs_code") -> str:
    """A customs registration code (海关注册编码): ten characters, the first four digits, no check digit."""
    code = text.strip().upper()
    if not _CUSTOMS_CODE.fullmatch(code):
        raise InputError(
            "party.customs_code.form",
            "A customs registration code has ten characters, four digits and six digits or capitals.",
            path=path,
        )
    return code
