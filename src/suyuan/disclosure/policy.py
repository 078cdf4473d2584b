"""The policy file: read, checked, made into a ``Policy``.

Unknown keys, classes, kinds of events and verdicts are refused, so that a misspelt rule never shows by accident what
it was meant to hide. A policy that a deployment runs on must also have every audience that the product speaks of and
keep two promises: a member elsewhere sees nothing, and event IDs are for the operator and who delivered the event.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import msgspec

from suyuan.disclosure.verdicts import (
    EVERYTHING,
    Audience,
    Context,
    EventKind,
    FieldClass,
    Policy,
    Rule,
    Verdict,
    Words,
    glob,
    named_by,
)
from suyuan.errors import InputError, NotFoundError

__all__ = ["AUDIENCES", "RELATION", "Context", "Policy", "Verdict", "check_deployed", "load_policy", "named_by",
           "policy_text", "read_policy"]  # fmt: skip

AUDIENCES = (
    "operator",
    "deliverer",
    "public",
    "elsewhere",
    "member",
    "named",
    "owner",
    "inspector",
    "regulator",
)
# In its fields a fact names the firms that it is between; see suyuan.trace.sight.
RELATION = "relation"
EVENT_ID = "event_id"
_WHOLE = ("operator", "deliverer")
_NAMES = frozenset({"item", "lot", "chain"})
_NAME = Annotated[str, msgspec.Meta(min_length=1)]


class _RawRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    verdict: Verdict
    class_: str | list[_NAME] = msgspec.field(name="class")
    names: list[str] | None = None
    matches: str | None = None
    events: list[_NAME] | None = None


class _RawAudience(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    en: str = ""
    zh: str = ""
    default: Verdict | None = None
    extends: str | None = None
    blind: list[_NAME] | None = None
    rules: list[_RawRule] = []


class _RawClass(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    paths: Annotated[list[_NAME], msgspec.Meta(min_length=1)]
    en: str = ""
    zh: str = ""
    matches: str | None = None


class _RawEvents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    en: str = ""
    zh: str = ""
    step: list[_NAME] = []
    kind: list[_NAME] = []


class _RawPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: _NAME
    classes: dict[str, _RawClass]
    audiences: dict[str, _RawAudience]
    events: dict[str, _RawEvents] = {}


def read_policy(text: str) -> Policy:
    """A policy file, checked. Raises ``InputError`` (``policy.malformed``) naming the place."""
    try:
        raw = msgspec.convert(tomllib.loads(text), _RawPolicy)
    except tomllib.TOMLDecodeError as error:
        raise InputError("policy.malformed", f"The policy is no TOML: {error}.") from None
    except msgspec.ValidationError as error:
        raise InputError("policy.malformed", f"The policy breaks its format: {error}.") from None
    if EVERYTHING in raw.classes:
        raise InputError("policy.malformed", f"{EVERYTHING} names all classes.", path=f"classes.{EVERYTHING}")
    classes = [
        FieldClass(
            name,
            Words(one.en, one.zh),
            glob(one.paths),
            _expression(one.matches, f"classes.{name}"),
            tuple(one.paths),
        )
        for name, one in raw.classes.items()
    ]
    events = {
        name: EventKind(
            name,
            Words(one.en, one.zh),
            glob(one.step) if one.step else None,
            glob(one.kind) if one.kind else None,
        )
        for name, one in raw.events.items()
    }
    rules = {
        name: tuple(
            _rule(rule, raw.classes, events, f"audiences.{name}.rules[{number}]")
            for number, rule in enumerate(audience.rules)
        )
        for name, audience in raw.audiences.items()
    }
    audiences = {name: _resolve(name, raw.audiences, rules, events) for name in raw.audiences}
    return Policy(raw.version, classes, events, audiences)


def check_deployed(policy: Policy) -> Policy:
    """The policy, fit to run a deployment on.

    Raises ``InputError``: ``policy.audience.missing``, ``policy.class.missing``, ``policy.unsafe``.
    """
    missing = [name for name in AUDIENCES if name not in policy.audiences]
    if missing:
        raise InputError(
            "policy.audience.missing",
            f"The policy lacks the audience {missing[0]}.",
            path=f"audiences.{missing[0]}",
            remedy="Take the table over from the policy that suyuan policy show prints.",
        )
    known = {one.name for one in policy.classes.all}
    for needed in (RELATION, EVENT_ID):
        if needed not in known:
            raise InputError(
                "policy.class.missing",
                f"The policy lacks the class {needed}.",
                path=f"classes.{needed}",
                remedy="Take the table over from the policy that suyuan policy show prints.",
            )
    if not policy.audience("operator").sees_all:
        raise InputError("policy.unsafe", "The operator sees everything.", path="audiences.operator")
    if not policy.audience("elsewhere").sees_nothing:
        raise InputError("policy.unsafe", "A member elsewhere sees nothing.", path="audiences.elsewhere")
    for name in policy.audiences:
        if name not in _WHOLE and _shows(policy.audience(name), EVENT_ID):
            raise InputError(
                "policy.unsafe",
                "An event ID lets a guess be tested; it is shown to the operator and who delivered the event alone.",
                path=f"audiences.{name}",
                remedy=f'Hide the class {EVENT_ID} from it: class = "{EVENT_ID}", verdict = "hidden".',
            )
    return policy


def load_policy(path: Path | None = None) -> Policy:
    """The policy that the package brings, or the operator's own in the file ``path``, checked for a deployment.

    Raises ``InputError`` (``policy.*``, whose path begins with the file's) and ``NotFoundError`` (``policy.absent``).
    """
    if path is None:
        return _own()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFoundError(
            "policy.absent",
            "There is no policy file here.",
            path=str(path),
            remedy="Write one (suyuan policy show prints the policy in force), or unset SUYUAN_POLICY.",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "policy.unreadable", f"The policy cannot be read: {error}.", path=str(path)
        ) from None
    try:
        return check_deployed(read_policy(text))
    except InputError as error:
        error.path = f"{path}: {error.path}" if error.path else str(path)
        raise


def policy_text(path: Path | None = None) -> str:
    """The text of the package's policy, or of the file at ``path``."""
    if path is not None:
        return path.read_text(encoding="utf-8")
    return files("suyuan.disclosure").joinpath("policy.toml").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _own() -> Policy:
    return check_deployed(read_policy(policy_text()))


def _shows(audience: Audience, class_name: str) -> bool:
    for rule in audience.rules:
        if rule.for_class(class_name):
            if rule.verdict is Verdict.SHOWN:
                return True
            if rule.for_any_value and rule.events is None:
                return False
    return audience.default is Verdict.SHOWN


def _resolve(
    name: str,
    audiences: Mapping[str, _RawAudience],
    rules: Mapping[str, tuple[Rule, ...]],
    events: Mapping[str, EventKind],
) -> Audience:
    """An audience's own rules, then those of the audience that it extends; the nearest default and blindness."""
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
    defaults = [verdict for one in chain if (verdict := audiences[one].default) is not None]
    blind = [named for one in chain if (named := audiences[one].blind) is not None]
    return Audience(
        name,
        Words(audiences[name].en, audiences[name].zh),
        defaults[0] if defaults else Verdict.HIDDEN,
        _events(blind[0] if blind else [], events, f"audiences.{name}.blind"),
        tuple(rule for one in chain for rule in rules[one]),
    )


def _events(names: list[str], events: Mapping[str, EventKind], path: str) -> tuple[EventKind, ...]:
    for name in names:
        if name not in events:
            raise InputError("policy.malformed", f"There is no kind of events {name!r}.", path=path)
    return tuple(events[name] for name in names)


def _rule(
    raw: _RawRule, classes: Mapping[str, _RawClass], events: Mapping[str, EventKind], path: str
) -> Rule:
    named = [raw.class_] if isinstance(raw.class_, str) else raw.class_
    for name in named:
        if name not in classes and name != EVERYTHING:
            raise InputError("policy.malformed", f"There is no class {name!r}.", path=f"{path}.class")
    if not named:
        raise InputError("policy.malformed", "A rule is about at least one class.", path=f"{path}.class")
    if raw.names is not None and (not raw.names or set(raw.names) - _NAMES):
        raise InputError("policy.malformed", "A rule names item, lot or chain.", path=f"{path}.names")
    if raw.events == []:
        raise InputError("policy.malformed", "A rule names a kind of events.", path=f"{path}.events")
    return Rule(
        path,
        raw.verdict,
        frozenset(named),
        None if raw.names is None else frozenset(raw.names),
        _expression(raw.matches, f"{path}.matches"),
        None if raw.events is None else _events(raw.events, events, f"{path}.events"),
    )


def _expression(text: str | None, path: str) -> re.Pattern[str] | None:
    try:
        return None if text is None else re.compile(text)
    except re.error as error:
        raise InputError("policy.malformed", f"The expression is broken: {error}.", path=path) from None
