"""Who may see what: the policy file, read into rules, and its verdict on a claim.

The policy is data (``policy.toml`` beside this module says how it is written); this module knows neither
audiences nor fields. Unknown keys, classes and verdicts are refused when it is read, so that a misspelt rule
never shows by accident what it was meant to hide. What no rule names gets the audience's default.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from fnmatch import translate
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, NamedTuple

import msgspec

from suyuan.canon import JSON
from suyuan.errors import InputError, NotFoundError

_NAME = Annotated[str, msgspec.Meta(min_length=1)]
_NAMED_MEMBERS = ("bizTransaction", "epcClass", "source", "destination", "id")


class Verdict(StrEnum):
    """``shown`` everywhere, ``link`` in proofs only, or ``hidden``."""

    SHOWN = "shown"
    LINK = "link"
    HIDDEN = "hidden"


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a verdict depends on beside the claim: the event, and the item for which it is shown.

    ``step`` is the bizStep, ``kind`` the paper that delivered the event. ``item`` holds the item's URIs (its
    aliases too), ``lot`` the classes that it belongs to (lot and GTIN), ``chain`` everything that ties the
    fact to the item: what contained it, and its documents.
    """

    step: str = ""
    kind: str = ""
    item: frozenset[str] = frozenset()
    lot: frozenset[str] = frozenset()
    chain: frozenset[str] = frozenset()


class _RawRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    verdict: Verdict
    class_: str | None = msgspec.field(name="class", default=None)
    paths: list[_NAME] | None = None
    names: list[str] | None = None
    matches: str | None = None
    step: list[_NAME] | None = None
    kind: list[_NAME] | None = None


class _RawAudience(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    default: Verdict | None = None
    extends: str | None = None
    rules: list[_RawRule] = []


class _RawPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: _NAME
    classes: dict[str, list[_NAME]]
    audiences: dict[str, _RawAudience]


class Rule(NamedTuple):
    """One rule, its patterns compiled; None where it does not ask."""

    verdict: Verdict
    path: re.Pattern[str]
    names: frozenset[str] | None
    matches: re.Pattern[str] | None
    step: re.Pattern[str] | None
    kind: re.Pattern[str] | None

    def for_event(self, context: Context) -> bool:
        """Whether the rule can fit any claim of such an event."""
        return not (
            (self.step is not None and not self.step.fullmatch(context.step))
            or (self.kind is not None and not self.kind.fullmatch(context.kind))
        )

    def fits(self, named: str, context: Context) -> bool:
        """Whether the rule, whose path fits, fits a claim that names this."""
        if self.matches is not None and not self.matches.search(named):
            return False
        return self.names is None or (
            ("item" in self.names and named in context.item)
            or ("lot" in self.names and named in context.lot)
            or ("chain" in self.names and named in context.chain)
        )


class View:
    """The verdicts for one audience on the claims of one event."""

    def __init__(self, rules: Iterable[Rule], default: Verdict, context: Context) -> None:
        self._rules = [rule for rule in rules if rule.for_event(context)]
        self._default = default
        self._context = context
        self._by_path: dict[str, list[Rule]] = {}

    def verdict(self, path: str, value: JSON) -> Verdict:
        """The verdict on the claim with this path and value."""
        rules = self._by_path.get(path)
        if rules is None:
            rules = self._by_path[path] = [rule for rule in self._rules if rule.path.fullmatch(path)]
        named = named_by(value)
        for rule in rules:
            if rule.fits(named, self._context):
                return rule.verdict
        return self._default


class Policy:
    """All audiences with their rules."""

    def __init__(
        self,
        version: str,
        classes: Mapping[str, tuple[str, ...]],
        audiences: Mapping[str, tuple[tuple[Rule, ...], Verdict]],
    ) -> None:
        self.version = version
        self.classes = dict(classes)
        self._audiences = dict(audiences)

    @property
    def audiences(self) -> tuple[str, ...]:
        """Names of the audiences that the policy knows."""
        return tuple(self._audiences)

    def view(self, audience: str, context: Context) -> View:
        """The verdicts for one event. Raises ``NotFoundError`` (``policy.audience.unknown``)."""
        found = self._audiences.get(audience)
        if found is None:
            raise NotFoundError(
                "policy.audience.unknown",
                f"The policy has no audience {audience!r}.",
                remedy=f"It has: {', '.join(self._audiences)}.",
            )
        return View(*found, context)

    def verdict(self, audience: str, path: str, value: JSON, context: Context) -> Verdict:
        """The verdict on one claim. Raises ``NotFoundError`` (``policy.audience.unknown``)."""
        return self.view(audience, context).verdict(path, value)

    def may_see(self, audience: str, path: str, context: Context, value: JSON = None) -> bool:
        """Whether the audience is shown the claim, on pages too. Raises as ``verdict``."""
        return self.verdict(audience, path, value, context) is Verdict.SHOWN


def named_by(value: JSON) -> str:
    """What a claim's value names: a URI, the URI of a document, class, party or place, or its text."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        for member in _NAMED_MEMBERS:
            named = value.get(member)
            if isinstance(named, str):
                return named
    return ""


def read_policy(text: str) -> Policy:
    """A policy file, checked. Raises ``InputError`` (``policy.malformed``) naming the place."""
    try:
        raw = msgspec.convert(tomllib.loads(text), _RawPolicy)
    except tomllib.TOMLDecodeError as error:
        raise InputError("policy.malformed", f"The policy is no TOML: {error}.") from None
    except msgspec.ValidationError as error:
        raise InputError("policy.malformed", f"The policy breaks its format: {error}.") from None
    rules = {
        name: tuple(
            _rule(rule, raw.classes, f"audiences.{name}.rules[{number}]")
            for number, rule in enumerate(audience.rules)
        )
        for name, audience in raw.audiences.items()
    }
    audiences = {name: _resolve(name, raw.audiences, rules) for name in raw.audiences}
    classes = {name: tuple(paths) for name, paths in raw.classes.items()}
    return Policy(raw.version, classes, audiences)


@lru_cache(maxsize=1)
def load_policy() -> Policy:
    """The policy that the package brings. Raises ``InputError`` (``policy.malformed``)."""
    return read_policy(files("suyuan.disclosure").joinpath("policy.toml").read_text(encoding="utf-8"))


def _resolve(
    name: str, audiences: Mapping[str, _RawAudience], rules: Mapping[str, tuple[Rule, ...]]
) -> tuple[tuple[Rule, ...], Verdict]:
    """An audience's own rules, then those of the audience that it extends, and the nearest default."""
    chain: list[str] = []
    step: str | None = name
    while step is not None:
        if step not in audiences or step in chain:
            raise InputError(
                "policy.malformed",
                "The audience extends one that is not there, or itself.",
                path=f"audiences.{name}",
            )
        chain.append(step)
        step = audiences[step].extends
    # An audience that says nothing shows nothing.
    default = next((found for one in chain if (found := audiences[one].default) is not None), Verdict.HIDDEN)
    return tuple(rule for one in chain for rule in rules[one]), default


def _rule(raw: _RawRule, classes: Mapping[str, list[str]], path: str) -> Rule:
    if (raw.class_ is None) == (raw.paths is None):
        raise InputError("policy.malformed", "A rule has either a class or paths.", path=path)
    if raw.class_ is not None and raw.class_ not in classes:
        raise InputError("policy.malformed", f"There is no class {raw.class_!r}.", path=f"{path}.class")
    unknown = set(raw.names or ()) - {"item", "lot", "chain"}
    if unknown or raw.names == []:
        raise InputError("policy.malformed", "A rule names item, lot or chain.", path=f"{path}.names")
    try:
        matches = None if raw.matches is None else re.compile(raw.matches)
    except re.error as error:
        raise InputError(
            "policy.malformed", f"The expression is broken: {error}.", path=f"{path}.matches"
        ) from None
    paths = raw.paths if raw.class_ is None else classes[raw.class_]
    return Rule(
        raw.verdict,
        _glob(paths or []),
        None if raw.names is None else frozenset(raw.names),
        matches,
        None if raw.step is None else _glob(raw.step),
        None if raw.kind is None else _glob(raw.kind),
    )


def _glob(patterns: Iterable[str]) -> re.Pattern[str]:
    # Only * is special: paths hold braces and may hold brackets.
    return re.compile("|".join(translate(one.replace("[", "[[]").replace("?", "[?]")) for one in patterns))
