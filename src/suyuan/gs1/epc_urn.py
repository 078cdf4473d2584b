"""EPC pure identity, class and pattern URNs <-> GS1 Digital Link, for every scheme that has both.

The source is the EPC Tag Data Standard (pure identity URI syntax) and CBV 2.0 (which of its forms an EPCIS
event may carry). A URN splits the key after the GS1 Company Prefix and leaves the check digit out; a
Digital Link does the opposite, so the way back needs the prefix length. It is a parameter; without it the
published table of prefix lengths is asked (``company_prefix``), and where that knows nothing there is no
translation: a guess would name a thing that does not exist.

Serial parts are carried over as they stand; only well-formed escapes of a Digital Link are re-escaped the
way a URN wants them. The canonical escapes of a Digital Link are ``digital_link.canonical``'s. Check digits
in a Digital Link are not verified here (``digital_link.parse`` does that).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, NoReturn

from suyuan.errors import InputError
from suyuan.gs1.check_digits import check_digit
from suyuan.gs1.company_prefix import company_prefix_length
from suyuan.gs1.percent import decode_value, encode_urn_value

Level = Literal["instance", "class"]

STEM: Final = "https://id.gs1.org"
MIN_PREFIX, MAX_PREFIX = 6, 12

_URN = re.compile(r"urn:epc:(id|class|idpat):([a-z]+):([0-9]+)\.(.*)", re.DOTALL)
# One character of a value: an escape, or a character of GS1 set 82. Older data leaves '"', '/', '<' bare.
_CHARACTER = r"(?:%[0-9A-Fa-f]{2}|[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z])"
_CPI_CHARACTER = r"(?:%[0-9A-Fa-f]{2}|[#\-/0-9A-Z])"
_LEGAL_SEGMENT = re.compile(r"(?:%[0-9A-Fa-f]{2}|[!&'()*+,\-.0-9:;=A-Z_a-z])+")
_QUERY = re.compile(r"\?[A-Za-z0-9_.:-]+=.*$", re.DOTALL)
_DIGITS = re.compile(r"[0-9]+")


def _refuse(reason: str, uri: str, code: str = "gs1.epc.form") -> NoReturn:
    raise InputError(code, reason, path=uri[:120])


@dataclass(frozen=True, slots=True)
class _Serial:
    """The part of a URN after the reference: how long, of what, and where a Digital Link carries it."""

    ai: str  # "" where the value follows the key without an AI of its own
    longest: int
    digits: bool = False


@dataclass(frozen=True, slots=True)
class _Scheme:
    """A key of fixed length: its AI, its digits without the check digit, and what surrounds them.

    ``indicator``: the URN moves the first digit (indicator or extension) in front of the item reference.
    ``lead``: fixed text before the key in the Digital Link (GRAI's zero). ``pieces``: ITIP's two fields.
    """

    ai: str
    digits: int
    serial: _Serial | None = None
    indicator: bool = False
    lead: str = ""
    pieces: bool = False
    pattern: bool = False


_SCHEMES: Final = {
    "sgtin": _Scheme("01", 13, _Serial("21", 20), indicator=True, pattern=True),
    "lgtin": _Scheme("01", 13, _Serial("10", 20), indicator=True),
    "upui": _Scheme("01", 13, _Serial("235", 28), indicator=True, pattern=True),
    "itip": _Scheme("8006", 13, _Serial("21", 20), indicator=True, pieces=True, pattern=True),
    "sscc": _Scheme("00", 17, indicator=True),
    "sgln": _Scheme("414", 12, _Serial("254", 20)),
    "pgln": _Scheme("417", 12),
    "grai": _Scheme("8003", 12, _Serial("", 16), lead="0", pattern=True),
    "gdti": _Scheme("253", 12, _Serial("", 17), pattern=True),
    "sgcn": _Scheme("255", 12, _Serial("", 12, digits=True), pattern=True),
    "gsrn": _Scheme("8018", 17),
    "gsrnp": _Scheme("8017", 17),
    "gsin": _Scheme("402", 16),
}
# Keys of free text after the company prefix, with their AI.
_FREE: Final = {"giai": "8004", "ginc": "401"}
_LONGEST_FREE: Final = 30
_CPI_LONGEST, _CPI_SERIAL = 30, re.compile(r"[0-9]{1,12}")


def _pattern_of(character: str, longest: int) -> Callable[[str], object]:
    return re.compile(f"{character}{{1,{longest}}}", re.DOTALL).fullmatch


_VALUE: Final = {length: _pattern_of(_CHARACTER, length) for length in range(1, 29)}
_CPI_VALUE: Final = {length: _pattern_of(_CPI_CHARACTER, length) for length in range(1, 25)}


def urn_to_digital_link(urn: str) -> str:
    """The Digital Link on ``https://id.gs1.org`` of an EPC URN, serial parts as they stand in the URN.

    Takes ``urn:epc:id:*`` (not ADI, USDOD, BIC, IMOVN: they have no Digital Link), ``urn:epc:class:lgtin``
    and ``urn:epc:idpat:*`` with a trailing ``*`` for a class. Raises ``InputError`` (``gs1.epc.form``).
    """
    match = _URN.fullmatch(urn)
    if match is None:
        _refuse("This is no EPC URN of a GS1 key.", urn)
    form, name, prefix, rest = match.groups()
    if not MIN_PREFIX <= len(prefix) <= MAX_PREFIX:
        _refuse("A GS1 Company Prefix has 6 to 12 digits.", urn)
    if (name == "lgtin") != (form == "class"):
        _refuse("Lots, and only lots, are written urn:epc:class:lgtin.", urn)
    if name in _SCHEMES and not (form == "idpat" and not _SCHEMES[name].pattern):
        return _fixed_from_urn(_SCHEMES[name], form, prefix, rest, urn)
    if name == "cpi":
        return _cpi_from_urn(form, prefix, rest, urn)
    if name in _FREE and form == "id":
        longest = _longest_reference(name, len(prefix))
        if not _VALUE[longest](rest):
            _refuse(f"The reference has 1 to {longest} characters of GS1 set 82.", urn)
        return f"{STEM}/{_FREE[name]}/{prefix}{rest}"
    _refuse("This EPC scheme has no Digital Link form.", urn)


def _longest_reference(name: str, prefix: int) -> int:
    # Existing asset numbers use the 24 characters of the shortest prefix behind a longer one, too.
    return _LONGEST_FREE - (MIN_PREFIX if name == "giai" else prefix)


def _fixed_from_urn(scheme: _Scheme, form: str, prefix: str, rest: str, urn: str) -> str:
    reference, dot, tail = rest.partition(".")
    if len(prefix) + len(reference) != scheme.digits or (reference and not _DIGITS.fullmatch(reference)):
        _refuse(f"Company prefix and reference have {scheme.digits} digits together.", urn)
    body = reference[0] + prefix + reference[1:] if scheme.indicator else prefix + reference
    key = scheme.lead + body + check_digit(body)
    if scheme.pieces:
        piece, _, after = tail.partition(".")
        total, dot, tail = after.partition(".")
        if not (len(piece) == len(total) == 2 and _DIGITS.fullmatch(piece + total)):
            _refuse("Piece and total have two digits each.", urn)
        key += piece + total
    stem = f"{STEM}/{scheme.ai}/{key}"
    if scheme.serial is None:
        if dot:
            _refuse("This scheme has no serial part.", urn)
        return stem
    if form == "idpat":
        if tail != "*":
            _refuse("Only patterns that end in '*' name a class.", urn)
        return stem
    serial = scheme.serial
    fits = (
        _DIGITS.fullmatch(tail) and len(tail) <= serial.longest
        if serial.digits
        else _VALUE[serial.longest](tail)
    )
    if not fits:
        kind = "digits" if serial.digits else "characters of GS1 set 82"
        _refuse(f"The serial part has 1 to {serial.longest} {kind}.", urn)
    if serial.ai == "254" and tail == "0":
        return stem  # the URN's way of saying "no extension"
    return f"{stem}/{serial.ai}/{tail}" if serial.ai else stem + tail


def _cpi_from_urn(form: str, prefix: str, rest: str, urn: str) -> str:
    reference, _, serial = rest.rpartition(".")
    if not _CPI_VALUE[_CPI_LONGEST - len(prefix)](reference):
        _refuse(
            "A part reference has digits, capitals, '#', '-' and '/'; 30 characters with the prefix.", urn
        )
    stem = f"{STEM}/8010/{prefix}{reference}"
    if form == "idpat" and serial == "*":
        return stem
    if form != "id" or not _CPI_SERIAL.fullmatch(serial):
        _refuse("A part's serial has 1 to 12 digits; a pattern ends in '*'.", urn)
    return f"{stem}/8011/{serial}"


def _link_pattern(path: str) -> re.Pattern[str]:
    return re.compile(rf"https?://[^/\s]+(?:/.*)?/{path}", re.IGNORECASE | re.DOTALL)


# The last matching AI in the path wins, as in a Digital Link's own reading order (from the right).
_Link = tuple[str, str, re.Pattern[str]]
_LINKS: Final[tuple[_Link, ...]] = (
    ("itip", "idpat:itip", _link_pattern(r"8006/([0-9]{14})([0-9]{2})([0-9]{2})(?:/21/(.+))?")),
    ("upui", "", _link_pattern(r"01/([0-9]{14})/235/(.+)")),
    ("lgtin", "", _link_pattern(r"01/([0-9]{14})/10/(.+)")),
    ("sgtin", "idpat:sgtin", _link_pattern(r"01/([0-9]{14})(?:/21/(.+))?")),
    ("sscc", "", _link_pattern(r"00/([0-9]{18})")),
    ("sgln", "", _link_pattern(r"414/([0-9]{13})(?:/254/(.+))?")),
    ("pgln", "", _link_pattern(r"417/([0-9]{13})")),
    ("grai", "idpat:grai", _link_pattern(r"8003/0([0-9]{13})(.+)?")),
    ("gdti", "idpat:gdti", _link_pattern(r"253/([0-9]{13})(.+)?")),
    ("sgcn", "idpat:sgcn", _link_pattern(r"255/([0-9]{13})([0-9]+)?")),
    ("gsrn", "", _link_pattern(r"8018/([0-9]{18})")),
    ("gsrnp", "", _link_pattern(r"8017/([0-9]{18})")),
    ("gsin", "", _link_pattern(r"402/([0-9]{17})")),
    ("giai", "", _link_pattern(r"8004/([0-9].+)")),
    ("ginc", "", _link_pattern(r"401/([0-9].+)")),
    ("cpi", "idpat:cpi", _link_pattern(r"8010/([0-9].*?)(?:/8011/([^/]*))?")),
)

_LINKS_OF_KEY: Final = {
    ai: tuple(
        (name, class_name, re.compile(f"{STEM}/{pattern.pattern.rpartition('(?:/.*)?/')[2]}", re.DOTALL))
        for name, class_name, pattern in _LINKS
        if f"(?:/.*)?/{ai}/" in pattern.pattern
    )
    for ai in {scheme.ai for scheme in _SCHEMES.values()} | {*_FREE.values(), "8010"}
}


def digital_link_to_urn(uri: str, gcp_length: int | None = None, *, level: Level | None = None) -> str | None:
    """The EPC URN of a Digital Link, or None where the company prefix's length is not known.

    ``gcp_length`` is the length of the GS1 Company Prefix (6 to 12); by default it is looked up. ``level``
    demands an instance (``urn:epc:id:``) or a class (``urn:epc:class:``, ``urn:epc:idpat:``); by default
    the URI decides. A query string is left out. Raises ``InputError`` (``gs1.epc.*``) if the URI has no
    URN of that level or does not fit the given length.
    """
    if gcp_length is not None and not MIN_PREFIX <= gcp_length <= MAX_PREFIX:
        _refuse("A GS1 Company Prefix has 6 to 12 digits.", uri, "gs1.epc.prefix_length")
    return _to_urn(_QUERY.sub("", uri), _LINKS, uri, gcp_length, level)


def canonical_to_urn(uri: str) -> str | None:
    """As ``digital_link_to_urn``, for what ``digital_link.canonical`` gave: its key stands first and alone."""
    return _to_urn(uri, _LINKS_OF_KEY.get(uri[len(STEM) + 1 :].partition("/")[0], ()), uri, None, None)


def _to_urn(
    plain: str, links: tuple[_Link, ...], uri: str, gcp_length: int | None, level: Level | None
) -> str | None:
    for name, class_name, pattern in links:
        match = pattern.fullmatch(plain)
        if match is None:
            continue
        serial = match[match.re.groups] if match.re.groups > 1 else None
        if name == "sscc" or name in _FREE or name in {"pgln", "gsrn", "gsrnp", "gsin"}:
            found: Level = "instance"
        elif name == "lgtin":
            found = "class"
        else:
            found = "class" if class_name and serial is None else "instance"
        if level is not None and level != found:
            _refuse(
                f"The URI names a {found}, not a{'n' * (level == 'instance')} {level}.", uri, "gs1.epc.level"
            )
        if name in _SCHEMES:
            return _fixed_to_urn(name, match, serial, gcp_length, uri)
        return _free_to_urn(name, match[1], serial, found, gcp_length, uri)
    _refuse("This is no Digital Link of a key with an EPC URN.", uri)


def _prefix_length(key: str, given: int | None) -> int | None:
    return given if given is not None else company_prefix_length(key)


def _urn_value(raw: str, longest: int, uri: str) -> str:
    if not _VALUE[longest](raw):
        _refuse(f"The serial part has 1 to {longest} characters of GS1 set 82.", uri)
    return encode_urn_value(decode_value(raw)) if _LEGAL_SEGMENT.fullmatch(raw) else raw


def _fixed_to_urn(
    name: str, match: re.Match[str], serial: str | None, given: int | None, uri: str
) -> str | None:
    scheme = _SCHEMES[name]
    key = match[1][: scheme.digits]
    indicator, body = (key[0], key[1:]) if scheme.indicator else ("", key)
    length = _prefix_length(body, given)
    if length is None:
        return None
    split = f"{name}:{body[:length]}.{indicator}{body[length:]}"
    if scheme.pieces:
        split += f".{match[2]}.{match[3]}"
    if scheme.serial is None:
        return f"urn:epc:id:{split}"
    if serial is None:
        return f"urn:epc:id:{split}.0" if name == "sgln" else f"urn:epc:idpat:{split}.*"
    if scheme.serial.digits:
        if len(serial) > scheme.serial.longest:
            _refuse(f"The serial part has 1 to {scheme.serial.longest} digits.", uri)
        value = serial
    else:
        value = _urn_value(serial, scheme.serial.longest, uri)
    return f"urn:epc:{'class' if name == 'lgtin' else 'id'}:{split}.{value}"


def _free_to_urn(
    name: str, key: str, serial: str | None, level: Level, given: int | None, uri: str
) -> str | None:
    length = _prefix_length(key, given)
    if length is None:
        return None
    prefix, rest = key[:length], key[length:]
    if not rest or len(prefix) != length or not _DIGITS.fullmatch(prefix):
        _refuse("The key is not longer than its company prefix, or the prefix is not numeric.", uri)
    if name != "cpi":
        return f"urn:epc:id:{name}:{prefix}.{_urn_value(rest, _longest_reference(name, length), uri)}"
    if not _CPI_VALUE[_CPI_LONGEST - length](rest):
        _refuse(
            "A part reference has digits, capitals, '#', '-' and '/'; 30 characters with the prefix.", uri
        )
    if level == "class":
        return f"urn:epc:idpat:cpi:{prefix}.{rest}.*"
    if serial is None or not _CPI_SERIAL.fullmatch(serial):
        _refuse("A part's serial has 1 to 12 digits.", uri)
    return f"urn:epc:id:cpi:{prefix}.{rest}.{serial}"
