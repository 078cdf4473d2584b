"""GS1 application identifiers: what each one is, how its value looks, what it goes with.

The table is ``data/application_identifiers.csv``, one row for an identifier or a run of them:

- ``form``: components separated by ``;``, each ``[?]<characters> <length> <rules...>``: ``?`` marks those
  that may be left out, ``1-20`` a length of up to 20, the rules are those of ``coded_values``;
- ``attribute``: may stand in a Digital Link's query; ``role`` ``key``: may start its path;
- ``qualifiers``: what may follow a key in the path, in this order; ``|`` separates alternatives;
- ``requires``: groups of which one must be present, ``+`` inside a group means together;
- ``excludes``: what it must not be paired with. ``n`` stands for any digit.

Facts as in the GS1 syntax dictionary and the General Specifications. Reading URIs is ``digital_link``'s.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import combinations
from typing import Final

from suyuan.errors import InputError
from suyuan.gs1.coded_values import CHECKS, REASONS, Check

_CHARACTERS: Final = {
    "digits": "0-9",
    "text": "!\"%&'()*+,\\-./0-9:;<=>?A-Z_a-z",
    "part": "#\\-/0-9A-Z",
    "base64url": "\\-0-9A-Z_a-z=",
}
# An identifier that signs must sit on a key that names one thing, not a class; these carry the serial inside.
_SIGNATURE: Final = "8030"
_CLASS_LENGTHS: Final = {"253": 13, "255": 13, "8003": 14}


@dataclass(frozen=True, slots=True)
class ApplicationIdentifier:
    """One application identifier. ``shortest`` and ``longest`` bound the whole value, in characters."""

    ai: str
    title: str
    attribute: bool
    key: bool
    qualifiers: tuple[tuple[str, ...], ...]
    requires: tuple[tuple[frozenset[str], ...], ...]
    excludes: frozenset[str]
    shortest: int
    longest: int
    allowed: re.Pattern[str]
    form: re.Pattern[str]
    checks: tuple[tuple[int, tuple[Check, ...]], ...]  # group of ``form`` -> the rules of that component


def _rows() -> Iterator[dict[str, str]]:
    text = files("suyuan.gs1").joinpath("data/application_identifiers.csv").read_text("utf-8")
    yield from csv.DictReader(text.splitlines())


_Form = tuple[int, int, re.Pattern[str], re.Pattern[str], tuple[tuple[int, tuple[Check, ...]], ...]]


def _read_form(text: str) -> _Form:
    shortest = longest = 0
    pattern, closing, allowed = "", "", ""
    checks: list[tuple[int, tuple[Check, ...]]] = []
    for group, component in enumerate(text.split("; "), start=1):
        optional = component.startswith("?")
        characters, length, *rules = component.lstrip("?").split()
        low, _, high = length.rpartition("-")
        longest += int(high)
        if optional:
            pattern += "(?:"
            closing += ")?"
        else:
            shortest += int(low or high)
        pattern += f"([{_CHARACTERS[characters]}]{{{low or high},{high}}})"
        allowed += _CHARACTERS[characters]
        if characters == "base64url":
            rules = ["base64url", *rules]
        if rules:
            checks.append((group, tuple(CHECKS[rule] for rule in rules)))
    return shortest, longest, re.compile(f"[{allowed}]*"), re.compile(pattern + closing), tuple(checks)


def _numbers(first: str, last: str) -> list[str]:
    return [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]


def _load() -> dict[str, ApplicationIdentifier]:
    rows = list(_rows())
    names = [ai for row in rows for ai in _numbers(row["first"], row["last"])]

    def matching(pattern: str) -> frozenset[str]:
        stem = pattern.rstrip("n")
        return frozenset(ai for ai in names if len(ai) == len(pattern) and ai.startswith(stem))

    forms: dict[str, _Form] = {}
    table: dict[str, ApplicationIdentifier] = {}
    for row in rows:
        form = forms.setdefault(row["form"], _read_form(row["form"]))
        excludes = frozenset[str]().union(*(matching(pattern) for pattern in row["excludes"].split()))
        for ai in _numbers(row["first"], row["last"]):
            table[ai] = ApplicationIdentifier(
                ai,
                row["title"],
                row["attribute"] == "yes",
                row["role"] == "key",
                tuple(tuple(order.split()) for order in row["qualifiers"].split(" | ") if order),
                tuple(
                    tuple(matching(pattern) for pattern in group.split("+"))
                    for group in row["requires"].split()
                ),
                excludes - {ai},
                *form,
            )
    return table


TABLE: Final[Mapping[str, ApplicationIdentifier]] = _load()


def _sequences() -> dict[tuple[str, ...], frozenset[str]]:
    """Every path that a Digital Link may have, and what could still be put into it."""
    orders: dict[tuple[str, ...], set[str]] = {}
    for entry in TABLE.values():
        if not entry.key:
            continue
        for order in entry.qualifiers or ((),):
            for size in range(len(order) + 1):
                for chosen in combinations(order, size):
                    missing = orders.setdefault((entry.ai, *chosen), set())
                    missing.update(set(order) - set(chosen))
    return {path: frozenset(missing) for path, missing in orders.items()}


PATHS: Final[Mapping[tuple[str, ...], frozenset[str]]] = _sequences()


def _refuse(ai: str, code: str, reason: str, remedy: str = "") -> InputError:
    return InputError(f"gs1.ai.{code}", f"AI ({ai}): {reason}", path=ai, remedy=remedy)


def check_length(entry: ApplicationIdentifier, value: str) -> None:
    """Raise ``InputError`` (``gs1.ai.too_short``, ``gs1.ai.too_long``) unless the length can be right."""
    if len(value) < entry.shortest:
        raise _refuse(entry.ai, "too_short", f"The value has fewer than {entry.shortest} characters.")
    if len(value) > entry.longest:
        raise _refuse(entry.ai, "too_long", f"The value has more than {entry.longest} characters.")


def check_value(ai: str, value: str) -> None:
    """Raise ``InputError`` (``gs1.ai.*``) unless ``value`` is valid for application identifier ``ai``."""
    entry = TABLE.get(ai)
    if entry is None:
        raise _refuse(ai, "unknown", "This is no application identifier.")
    match = entry.form.fullmatch(value)
    if match is None:
        if not entry.allowed.fullmatch(value):
            raise _refuse(ai, "character", "The value has a character that does not belong there.")
        check_length(entry, value)
        raise _refuse(ai, "form", "The value has not the form that this place asks for.")
    for group, rules in entry.checks:
        component = match[group]
        if component is not None:
            for rule in rules:
                code = rule(component)
                if code is not None:
                    raise _refuse(ai, code, REASONS[code])


def check_together(values: Mapping[str, str]) -> None:
    """Raise ``InputError`` unless these application identifiers may mark one thing together.

    ``gs1.ai.excluded`` for a forbidden pair, ``gs1.ai.missing`` for a partner that is required,
    ``gs1.ai.unserialised`` for a signature (8030) over a key that names only a class.
    """
    if fault := _fault_together(tuple(values)):
        raise _refuse(*fault)
    if _SIGNATURE in values:
        for ai, length in _CLASS_LENGTHS.items():
            if len(values.get(ai, "")) == length:
                raise _refuse(ai, "unserialised", "A digital signature needs a key with a serial number.")


# Many URIs name the same few sets of identifiers.
@lru_cache(maxsize=4096)
def _fault_together(ais: tuple[str, ...]) -> tuple[str, str, str] | None:
    """The identifier at fault, the code and the reason; None where these may stand together."""
    present = frozenset(ais)
    for ai in ais:
        if clash := TABLE[ai].excludes & present:
            return ai, "excluded", f"It must not be paired with AI ({min(clash)})."
    for ai in ais:
        groups = TABLE[ai].requires
        if groups and not any(all(one & present for one in group) for group in groups):
            wanted = ", ".join("+".join(_shown(one) for one in group) for group in groups)
            return ai, "missing", f"It needs one of: {wanted}."
    return None


def _shown(choices: frozenset[str]) -> str:
    names = sorted(choices)
    return names[0] if len(names) == 1 else f"{names[0]}..{names[-1]}"
