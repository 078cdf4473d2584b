"""The policy in words: what each audience sees of each class, and which rule decided on a claim."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

from suyuan.disclosure.verdicts import Audience, Decision, FieldClass, Policy, Rule, Verdict, Words

Cell: TypeAlias = Literal["shown", "link", "hidden", "depends"]

_VERDICTS = {
    Verdict.SHOWN: Words("shown", "展示"),
    Verdict.LINK: Words("in proofs alone", "仅用于证明"),
    Verdict.HIDDEN: Words("hidden", "隐藏"),
}
_NAMED = {
    "item": Words("the item itself", "商品本身"),
    "lot": Words("its lot or GTIN", "其批号或 GTIN"),
    "chain": Words("what ties the fact to the item", "把事实与商品关联起来的对象"),
}


class Row(NamedTuple):
    """One class of the table: what each audience sees of it. ``depends`` is on the event or on what is named."""

    field_class: FieldClass
    cells: dict[str, Cell]


def table(policy: Policy, audiences: Iterable[str] = (), *, step: str = "", kind: str = "") -> list[Row]:
    """What these audiences (all, if none is named) see of each class; of one kind of event where a step or a kind
    of paper is given.

    Raises ``NotFoundError`` (``policy.audience.unknown``).
    """
    viewers = [policy.audience(name) for name in audiences or policy.audiences]
    return [
        Row(one, {viewer.name: _cell(viewer, one.name, step, kind) for viewer in viewers})
        for one in policy.classes.all
    ]


def _cell(viewer: Audience, class_name: str, step: str, kind: str) -> Cell:
    known = bool(step or kind)
    if known and viewer.is_blind_to(step, kind):
        return "hidden"
    found: set[Verdict] = set()
    for rule in viewer.rules:
        if not rule.for_class(class_name) or (known and not rule.for_event(step, kind)):
            continue
        found.add(rule.verdict)
        if rule.for_any_value and (known or rule.events is None):
            break
    else:
        found.add(viewer.default)
    return found.pop().value if len(found) == 1 else "depends"


def decision_words(policy: Policy, audience: str, decision: Decision) -> Words:
    """Why a claim is shown or not: one sentence naming the rule, in English and Chinese."""
    said = _VERDICTS[decision.verdict]
    name = next((one.words for one in policy.classes.all if one.name == decision.class_name), Words("", ""))
    what_en = f"{decision.class_name} ({name.en})" if name.en else decision.class_name
    what_zh = f"{decision.class_name}（{name.zh}）" if name.zh else decision.class_name
    if decision.blind is not None:
        return Words(
            f"{what_en}: {said.en}; {audience} sees nothing of such events: {decision.blind.words.en}.",
            f"{what_zh}：{said.zh}；{audience} 看不到此类事件：{decision.blind.words.zh}。",
        )
    if decision.rule is None:
        return Words(
            f"{what_en}: {said.en}; no rule speaks of it, the default of {audience} decides.",
            f"{what_zh}：{said.zh}；没有规则涉及，按 {audience} 的默认处理。",
        )
    asks = _asks(decision.rule)
    return Words(
        f"{what_en}: {said.en}; {decision.rule.place}{asks.en}.",
        f"{what_zh}：{said.zh}；{decision.rule.place}{asks.zh}。",
    )


def _asks(rule: Rule) -> Words:
    """What a rule asks for beside the class."""
    english, chinese = [], []
    if rule.names is not None:
        named = [_NAMED[name] for name in sorted(rule.names)]
        english.append("names " + " or ".join(words.en for words in named))
        chinese.append("指向" + "或".join(words.zh for words in named))
    if rule.matches is not None:
        english.append(f"matches {rule.matches.pattern}")
        chinese.append(f"符合 {rule.matches.pattern}")
    if rule.events is not None:
        english.append("is about " + " or ".join(one.words.en or one.name for one in rule.events))
        chinese.append("属于" + "或".join(one.words.zh or one.name for one in rule.events))
    if not english:
        return Words("", "")
    return Words(" (" + ", ".join(english) + ")", "（" + "，".join(chinese) + "）")
