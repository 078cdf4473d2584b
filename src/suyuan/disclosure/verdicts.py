"""Who may see what: audiences, the rules that they have, and the verdict on a claim.

The policy is data (``policy.toml`` beside this module says how it is written, ``policy`` reads it); this module
knows neither fields nor what an audience may see. Every claim has one class; a rule speaks of classes. What no rule
names gets the audience's default.

A verdict is asked for every claim of every fact of a page, so what depends on the kind of the event and the path of
the claim alone is worked out once and kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from fnmatch import translate
from functools import lru_cache
from typing import NamedTuple

import msgspec

from suyuan.canon import JSON
from suyuan.errors import NotFoundError

EVERYTHING = "everything"
UNCLASSED = "unclassed"
_NAMED_MEMBERS = ("bizTransaction", "epcClass", "source", "destination", "id")
# Paths and steps come from strangers too: what is remembered of them is bounded.
_REMEMBERED = 4096


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


class Words(NamedTuple):
    """What something is called, in English and Chinese; empty where the file does not say."""

    en: str
    zh: str


class EventKind(NamedTuple):
    """A kind of events: by their step, or by the paper that they came in."""

    name: str
    words: Words
    step: re.Pattern[str] | None
    kind: re.Pattern[str] | None

    def fits(self, step: str, kind: str) -> bool:
        """Whether an event with this step, from such a paper, is of this kind."""
        return bool(
            (self.step is not None and self.step.fullmatch(step))
            or (self.kind is not None and self.kind.fullmatch(kind))
        )


class FieldClass(NamedTuple):
    """A class of claims: by their path, and where it asks by what their value names."""

    name: str
    words: Words
    path: re.Pattern[str]
    matches: re.Pattern[str] | None
    patterns: tuple[str, ...]


class Rule(NamedTuple):
    """One rule, its patterns compiled; None where it does not ask. ``place`` is where it stands in the file."""

    place: str
    verdict: Verdict
    classes: frozenset[str]
    names: frozenset[str] | None
    matches: re.Pattern[str] | None
    events: tuple[EventKind, ...] | None

    def for_class(self, name: str) -> bool:
        """Whether the rule speaks of this class."""
        return name in self.classes or EVERYTHING in self.classes

    def for_event(self, step: str, kind: str) -> bool:
        """Whether the rule speaks of such an event."""
        return self.events is None or any(one.fits(step, kind) for one in self.events)

    @property
    def for_any_value(self) -> bool:
        """Whether the rule does not ask for the value."""
        return self.names is None and self.matches is None

    def fits(self, named: str, context: Context) -> bool:
        """Whether the rule, whose class and event fit, fits a claim that names this."""
        if self.matches is not None and not self.matches.search(named):
            return False
        return self.names is None or (
            ("item" in self.names and named in context.item)
            or ("lot" in self.names and named in context.lot)
            or ("chain" in self.names and named in context.chain)
        )


class Audience(NamedTuple):
    """An audience with all rules that count for it, inherited ones last."""

    name: str
    words: Words
    default: Verdict
    blind: tuple[EventKind, ...]
    rules: tuple[Rule, ...]

    def is_blind_to(self, step: str, kind: str) -> bool:
        """Whether the audience sees nothing at all of such an event."""
        return any(one.fits(step, kind) for one in self.blind)

    @property
    def sees_all(self) -> bool:
        """Whether everything is shown, whatever it is."""
        return self.default is Verdict.SHOWN and not self.rules and not self.blind

    @property
    def sees_nothing(self) -> bool:
        """Whether nothing is ever shown, whatever it is."""
        return self.default is not Verdict.SHOWN and not any(
            rule.verdict is Verdict.SHOWN for rule in self.rules
        )


class Decision(NamedTuple):
    """A verdict with what decided it: a rule, else the audience's blindness to the event, else its default."""

    verdict: Verdict
    class_name: str
    rule: Rule | None = None
    blind: EventKind | None = None


class Classes:
    """The field classes, and to which of them a claim belongs: the first that fits."""

    def __init__(self, classes: Iterable[FieldClass]) -> None:
        self.all = tuple(classes)
        self._by_path: dict[str, tuple[FieldClass, ...]] = {}

    def candidates(self, path: str) -> tuple[FieldClass, ...]:
        """The classes that a claim with this path can have; the last one asks for no value, if any does not."""
        known = self._by_path.get(path)
        if known is None:
            found: list[FieldClass] = []
            for one in self.all:
                if one.path.fullmatch(path):
                    found.append(one)
                    if one.matches is None:
                        break
            if len(self._by_path) >= _REMEMBERED:
                self._by_path.clear()
            known = self._by_path[path] = tuple(found)
        return known

    def of(self, path: str, named: str) -> str:
        """The class of a claim with this path that names this; ``UNCLASSED`` where none fits."""
        for one in self.candidates(path):
            if one.matches is None or one.matches.search(named):
                return one.name
        return UNCLASSED


class EventView:
    """An audience's verdicts on one kind of event, as far as they do not depend on the item. Remembered."""

    def __init__(self, audience: Audience, classes: Classes, step: str, kind: str) -> None:
        self._classes = classes
        self._default = audience.default
        self._rules = (
            None
            if audience.is_blind_to(step, kind)
            else [rule for rule in audience.rules if rule.for_event(step, kind)]
        )
        self._by_class: dict[str, Verdict | tuple[Rule, ...]] = {}
        # Verdicts on paths that do not depend on the value, for who asks many times; None where they do.
        self.by_path: dict[str, Verdict | None] = {}

    @property
    def is_blind(self) -> bool:
        """Whether nothing at all is seen of such an event."""
        return self._rules is None

    def for_path(self, path: str) -> Verdict | None:
        """The verdict on every claim with this path, or None where it depends on the value."""
        try:
            return self.by_path[path]
        except KeyError:
            pass
        candidates = self._classes.candidates(path)
        names = [one.name for one in candidates]
        if not candidates or candidates[-1].matches is not None:
            names.append(UNCLASSED)
        verdicts = {self._for_class(name) for name in names}
        found = verdicts.pop() if len(verdicts) == 1 else None
        if len(self.by_path) >= _REMEMBERED:
            self.by_path.clear()
        verdict = self.by_path[path] = found if isinstance(found, Verdict) else None
        return verdict

    def verdict(self, path: str, value: JSON, context: Context) -> Verdict:
        """The verdict on one claim."""
        known = self.for_path(path)
        if known is not None:
            return known
        named = named_by(value)
        found = self._for_class(self._classes.of(path, named))
        if isinstance(found, Verdict):
            return found
        return next((rule.verdict for rule in found if rule.fits(named, context)), self._default)

    def _for_class(self, name: str) -> Verdict | tuple[Rule, ...]:
        """What decides on the class: one verdict, or the rules to be asked in turn."""
        found = self._by_class.get(name)
        if found is None:
            rules = [] if self._rules is None else [rule for rule in self._rules if rule.for_class(name)]
            if self._rules is None:
                found = Verdict.HIDDEN
            elif not rules:
                found = self._default
            else:
                found = rules[0].verdict if rules[0].for_any_value else tuple(rules)
            self._by_class[name] = found
        return found


class View(NamedTuple):
    """The verdicts for one audience on the claims of one event."""

    event: EventView
    context: Context

    def verdict(self, path: str, value: JSON) -> Verdict:
        """The verdict on the claim with this path and value."""
        return self.event.verdict(path, value, self.context)


class Policy:
    """All audiences with their rules. Immutable but for what it remembers of its own answers."""

    def __init__(
        self,
        version: str,
        classes: Iterable[FieldClass],
        events: Mapping[str, EventKind],
        audiences: Mapping[str, Audience],
    ) -> None:
        self.version = version
        self.classes = Classes(classes)
        self.events = dict(events)
        self._audiences = dict(audiences)
        self._event_view = lru_cache(maxsize=_REMEMBERED)(self._make_event_view)

    @property
    def audiences(self) -> tuple[str, ...]:
        """Names of the audiences that the policy knows."""
        return tuple(self._audiences)

    def audience(self, name: str) -> Audience:
        """An audience by its name. Raises ``NotFoundError`` (``policy.audience.unknown``)."""
        found = self._audiences.get(name)
        if found is None:
            raise NotFoundError(
                "policy.audience.unknown",
                f"The policy has no audience {name[:40]!r}.",
                path="audience",
                remedy=f"It has: {', '.join(self._audiences)}.",
            )
        return found

    def view(self, audience: str, context: Context) -> View:
        """The verdicts for one event. Raises ``NotFoundError`` (``policy.audience.unknown``)."""
        return View(self._event_view(audience, context.step, context.kind), context)

    def verdict(self, audience: str, path: str, value: JSON, context: Context) -> Verdict:
        """The verdict on one claim. Raises ``NotFoundError`` (``policy.audience.unknown``)."""
        return self.view(audience, context).verdict(path, value)

    def may_see(self, audience: str, path: str, context: Context, value: JSON = None) -> bool:
        """Whether the audience is shown the claim, on pages too. Raises as ``verdict``."""
        return self.verdict(audience, path, value, context) is Verdict.SHOWN

    def decide(self, audience: str, path: str, value: JSON, context: Context) -> Decision:
        """The verdict on one claim with the rule that gives it: slower than ``verdict``, and the same.

        Raises ``NotFoundError`` (``policy.audience.unknown``).
        """
        viewer = self.audience(audience)
        named = named_by(value)
        name = self.classes.of(path, named)
        blind = next((one for one in viewer.blind if one.fits(context.step, context.kind)), None)
        if blind is not None:
            return Decision(Verdict.HIDDEN, name, blind=blind)
        for rule in viewer.rules:
            if (
                rule.for_class(name)
                and rule.for_event(context.step, context.kind)
                and rule.fits(named, context)
            ):
                return Decision(rule.verdict, name, rule)
        return Decision(viewer.default, name)

    def _make_event_view(self, audience: str, step: str, kind: str) -> EventView:
        return EventView(self.audience(audience), self.classes, step, kind)


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


def glob(patterns: Iterable[str]) -> re.Pattern[str]:
    """One expression for these patterns, in which * alone is special: paths hold braces and may hold brackets."""
    return re.compile("|".join(translate(one.replace("[", "[[]").replace("?", "[?]")) for one in patterns))
