"""What a label says. Texts are tidied here once, so that no renderer meets a control character.

The human readable line follows GS1's General Specifications, section 4.14: application identifiers stand in
parentheses, which are not part of the data.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache
from typing import Final

import msgspec

from suyuan.errors import InputError
from suyuan.printing.pattern import PATTERN_BYTES

MAX_URI_LENGTH: Final = 255
MAX_TEXT_LENGTH: Final = 200
SERIAL_TAIL: Final = 6
_CODE_LENGTH = 20  # AI 10 and AI 21 take at most 20 characters
_URI = re.compile(r"https?://[!-~]+", re.IGNORECASE)
_GTIN = re.compile(r"[0-9]{14}")
_CODE = re.compile(rf"[!-~]{{0,{_CODE_LENGTH}}}")
_UNPRINTED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """One item's label.

    ``uri`` becomes the QR symbol as it stands. ``gtin`` (14 digits), ``serial`` and ``lot`` (at most 20
    printable ASCII characters each) may be empty where the goods carry no GS1 code. ``city`` is the market a
    label is meant for; ``scratch_code`` is the second code, printed under the scratch-off layer only. ``pattern``
    is what a style with room for it draws beside the symbol: 64 x 64 bits, row by row, the most significant first,
    1 is dark; empty where the label has none.
    """

    uri: str
    gtin: str = ""
    serial: str = ""
    lot: str = ""
    expiry: date | None = None
    name_zh: str = ""
    name_en: str = ""
    city: str = ""
    scratch_code: str = ""
    pattern: bytes = b""


def check_label(label: Label) -> None:
    """Raises ``InputError`` (``printing.label.*``) for what no label may carry."""
    if len(label.uri) > MAX_URI_LENGTH:
        raise InputError(
            "printing.label.uri_too_long",
            f"The URI has {len(label.uri)} characters; a label takes at most {MAX_URI_LENGTH}.",
            path="uri",
            remedy="Use a shorter resolver host.",
        )
    if not _URI.fullmatch(label.uri):
        raise InputError(
            "printing.label.uri",
            "A label's URI is http(s) in printable ASCII without blanks.",
            path="uri",
            remedy="Percent-encode other characters.",
        )
    if label.gtin and not _GTIN.fullmatch(label.gtin):
        raise InputError("printing.label.gtin", "A label's GTIN has 14 digits or is empty.", path="gtin")
    for field in ("serial", "lot", "scratch_code"):
        if not _CODE.fullmatch(getattr(label, field)):
            raise InputError(
                "printing.label.code",
                f"A {field} on a label has at most {_CODE_LENGTH} printable ASCII characters without blanks.",
                path=field,
            )
    if len(label.pattern) not in (0, PATTERN_BYTES):
        raise InputError(
            "printing.label.pattern",
            f"A pattern has {PATTERN_BYTES} bytes or is empty; this one has {len(label.pattern)}.",
            path="pattern",
        )
    for field in ("name_zh", "name_en", "city"):
        if len(getattr(label, field)) > MAX_TEXT_LENGTH:
            raise InputError(
                "printing.label.text_too_long",
                f"The text has more than {MAX_TEXT_LENGTH} characters.",
                path=field,
                remedy="Give a short name for the label.",
            )


@lru_cache(maxsize=1024)
def tidy(text: str) -> str:
    """``text`` on one line, composed (NFC), without control, format and unassigned characters."""
    words = unicodedata.normalize("NFC", " ".join(text.split()))
    return "".join(char for char in words if unicodedata.category(char) not in _UNPRINTED)


def fields_of(label: Label) -> dict[str, str]:
    """The texts a style can name, by field; a text that the label lacks is empty."""
    return {
        "name_zh": tidy(label.name_zh),
        "name_en": tidy(label.name_en),
        "city": tidy(label.city),
        "lot": label.lot,
        "serial": label.serial,
        "serial_tail": label.serial[-SERIAL_TAIL:],
        "expiry": label.expiry.isoformat() if label.expiry else "",
        "gtin": label.gtin,
        "ai_gtin": f"(01){label.gtin}" if label.gtin else "",
        "ai_serial": f"(21){label.serial}" if label.gtin and label.serial else "",
        "ai_lot": f"(10){label.lot}" if label.gtin and label.lot else "",
        "scratch_code": label.scratch_code,
    }
