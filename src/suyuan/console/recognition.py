"""What a typed or scanned text can be: canonical URIs to look for, each with the reason why. Pure.

A text can be several things at once (eighteen digits are an SSCC and a customs declaration): all of them are tried,
the surest first. What names a person's purchase is never recognised here: those numbers come by another way, see
``person_search``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import msgspec

from suyuan.capture.links import PERSON_KINDS, document_kind
from suyuan.console.words import Pair
from suyuan.errors import InputError
from suyuan.gs1.application_identifiers import TABLE
from suyuan.gs1.check_digits import check_digit_valid
from suyuan.gs1.digital_link import build, canonical, canonical_or_same, parse
from suyuan.gs1.percent import encode_value
from suyuan.issuing.foreign_codes import guess_things

MAX_TEXT = 300
GS = "\x1d"
_SYMBOLOGY = re.compile(r"^\](?:C1|d2|Q3|J1|e0)")
# Any other symbology says nothing of what was read.
_PLAIN_SYMBOLOGY = re.compile(r"^\](?!C1|d2|Q3|J1|e0)[A-Za-z][0-9]")
_BRACKETED = re.compile(r"\((\d{2,4})\)((?:\\\(|[^(])*)")
# Application identifiers whose value needs no separator after it, by their first two digits (General Specifications,
# figure 7.8.5-2): the length with the identifier.
_FIXED = {
    "00": 20, "01": 16, "02": 16, "03": 16, "04": 18, **{str(ai): 8 for ai in range(11, 20)}, "20": 4,
    **{str(ai): 10 for ai in range(31, 37)}, "41": 16,
}  # fmt: skip
_CONTAINER = re.compile(r"[A-Z]{3}[UJZ]\d{7}")
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("bonded-list", re.compile(r"QD\d{6}[IE]\d{6,12}")),
    ("gate-pass", re.compile(r"Z\d{4}[IE]\d{6,16}")),
    ("ledger-item", re.compile(r"[A-Z]\d{4}[A-Z]\d{6}:\d{1,6}")),
    ("declaration", re.compile(r"\d{18}")),
    ("awb", re.compile(r"\d{3}-\d{8}")),
    ("recall", re.compile(r"RC-[0-9A-Z-]+")),
)
# Papers whose numbers have no form of their own: each is tried.
_FREE = (
    "bol", "certificate", "recall", "mrn", "quarantine", "seal", "tally", "code-batch", "packing-list",
    "stock-bill", "declaration", "declaration-unified", "bonded-list", "bonded-list-preentry",
    "bonded-list-draft", "gate-pass", "gate-pass-preentry", "inbound-detail", "inbound-detail-draft", "awb",
    "flight", "vessel-voyage", "ledger-item",
)  # fmt: skip

WHY: dict[str, Pair] = {
    "link": ("标签上的网址", "the address on a label"),
    "urn": ("an EPC URN", "EPC URN"),
    "elements": ("扫描的应用标识符串", "a scanned element string"),
    "uri": ("本系统内的完整标识", "its full name here"),
    "gtin": ("校验位正确的 GTIN", "a GTIN with a correct check digit"),
    "sscc": ("校验位正确的 SSCC", "an SSCC with a correct check digit"),
    "gln": ("校验位正确的 GLN", "a GLN with a correct check digit"),
    "container": ("集装箱号格式", "the form of a container number"),
    "label": ("其他系统的标签编号", "a label number of another system"),
    "form": ("编号格式", "the form of its number"),
    "number": ("编号", "its number"),
    "serial": ("追溯码序列号", "the serial number of a code"),
    "lot": ("批号", "its lot number"),
    "name": ("名称", "its name"),
    "id": ("本系统内的编号", "its ID here"),
    "code": ("登记编号", "its registration number"),
    "batch": ("码批次号", "the number of a code batch"),
    "capture": ("递交单证的编号", "the number of a paper that was handed in"),
}


class Guess(msgspec.Struct, frozen=True):
    """One thing that the text may name, and why; ``why`` is a key of ``WHY``."""

    uri: str
    why: str


class Recognised(msgspec.Struct, frozen=True, kw_only=True):
    """A text with what it may be. ``word`` is the tidied text, for serials, lots and names."""

    word: str
    guesses: tuple[Guess, ...]
    personal: bool = False


def tidy(text: str) -> str:
    """The text as a person means it: compatibility forms folded, no blanks around, FNC1 kept, of symbologies GS1's."""
    text = unicodedata.normalize("NFKC", text[:MAX_TEXT]).replace("␝", GS)
    text = re.sub(r"(?i)<GS>|\{GS\}|\[GS\]|~1|\\x1d|\\u001d", GS, text)
    kept = "".join(char for char in text if char == GS or unicodedata.category(char) not in ("Cc", "Cf"))
    return _PLAIN_SYMBOLOGY.sub("", kept.strip(" \t"))


def element_pairs(text: str) -> list[tuple[str, str]]:
    """The identifiers of an element string, in brackets or as a scanner sends it; empty for anything else."""
    if text.startswith("("):
        found = _BRACKETED.findall(text)
        if "".join(f"({ai}){value}" for ai, value in found) != text or not all(value for _, value in found):
            return []
        return [(ai, value.replace("\\(", "(").strip()) for ai, value in found]
    bare = _SYMBOLOGY.sub("", text).lstrip(GS)
    return _unbracketed(bare) if bare[:2].isdigit() else []


def _unbracketed(text: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    while text:
        ai = next((text[:length] for length in (2, 3, 4) if text[:length] in TABLE), "")
        if not ai:
            return []
        fixed = _FIXED.get(text[:2])
        cut = fixed if fixed is not None else text.find(GS) if GS in text else len(text)
        value = text[len(ai) : cut]
        entry = TABLE[ai]
        if not entry.shortest <= len(value) <= entry.longest:
            return []
        pairs.append((ai, value))
        text = text[cut:].lstrip(GS)
    return pairs


def _of_elements(text: str) -> list[Guess]:
    pairs = dict(element_pairs(text))
    if "01" in pairs:
        gtin = ("01", pairs["01"])
        paths: list[tuple[tuple[str, str], ...]] = [
            (gtin, (ai, pairs[ai])) for ai in ("21", "10") if pairs.get(ai)
        ]
        paths = paths or [(gtin,)]
        return [Guess(canonical_or_same(build(path)), "elements") for path in paths]
    return [
        Guess(canonical_or_same(build(((ai, value),))), "elements")
        for ai, value in pairs.items()
        if TABLE[ai].key
    ]


def _of_link(text: str) -> list[Guess]:
    try:
        link = parse(text, older_forms=True)
    except InputError:
        found = canonical(text)
        return [] if found is None else [Guess(found, "link")]
    guesses = [Guess(link.canonical, "link")]
    if link.gtin and link.serial and link.lot:
        guesses.append(Guess(build((("01", link.gtin), ("10", link.lot))), "link"))
    return guesses


def _of_digits(text: str) -> list[Guess]:
    found = []
    if len(text) in (8, 12, 13, 14) and check_digit_valid(text):
        found.append(Guess(f"https://id.gs1.org/01/{text.zfill(14)}", "gtin"))
        if len(text) == 13:
            found.append(Guess(f"https://id.gs1.org/414/{text}", "gln"))
    if len(text) == 18 and check_digit_valid(text):
        found.append(Guess(f"https://id.gs1.org/00/{text}", "sscc"))
    if len(text) == 11:
        found.append(Guess(f"urn:suyuan:awb:{text[:3]}-{text[3:]}", "form"))
    return found


def _of_number(text: str) -> list[Guess]:
    found = []
    upper = text.upper()
    plain = re.sub(r"[\s-]", "", upper)
    if _CONTAINER.fullmatch(plain):
        found.append(Guess(f"urn:epc:id:bic:{plain}", "container"))
    for kind, form in _FORMS:
        found += [
            Guess(f"urn:suyuan:{kind}:{said}", "form") for said in (upper, plain) if form.fullmatch(said)
        ]
    spellings = dict.fromkeys((text, upper, plain))
    found += [Guess(thing, "label") for thing in guess_things(text)]
    found += [Guess(f"urn:suyuan:{kind}:{said}", "number") for kind in _FREE for said in spellings]
    return found


def recognise(text: str) -> Recognised:
    """What ``text`` may be, the surest first. Never raises."""
    word = tidy(text)
    guesses: list[Guess] = []
    if not word:
        return Recognised(word="", guesses=())
    if word.lower().startswith(("http://", "https://")):
        guesses = _of_link(word) or [Guess(canonical_or_same(word), "uri")]
    elif "/" in word and "." in word.partition("/")[0] and " " not in word:
        guesses = _of_link(f"https://{word}")
    elif word.startswith("/") and word[1:3].isdigit():
        guesses = _of_link(f"https://id.gs1.org{word}")
    elif word.lower().startswith("urn:"):
        guesses = [Guess(canonical_or_same(word), "uri" if word.startswith("urn:suyuan:") else "urn")]
    elif word.startswith("(") or GS in word or _SYMBOLOGY.match(word):
        guesses = _of_elements(word)
    else:
        if word.isascii() and word.isdigit():
            guesses += _of_digits(word)
        if word[:2] in ("00", "01") and len(word) >= 16:
            guesses += _of_elements(word)
        guesses += _of_number(word)
    personal = any(document_kind(guess.uri) in PERSON_KINDS for guess in guesses)
    return Recognised(word=word, guesses=tuple(_once(guesses)), personal=personal)


def _once(guesses: Iterable[Guess]) -> list[Guess]:
    found: dict[str, Guess] = {}
    for guess in guesses:
        found.setdefault(guess.uri, guess)
    return list(found.values())


def item_uri(gtin: str, serial: str) -> str:
    """The canonical URI of an item."""
    return f"https://id.gs1.org/01/{gtin}/21/{encode_value(serial)}"


def lot_uri(gtin: str, lot: str) -> str:
    """The canonical URI of a lot."""
    return f"https://id.gs1.org/01/{gtin}/10/{encode_value(lot)}"
