"""What is summed up above the timeline: the product, coverage, the answer at one glance, a recall."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta, timezone
from urllib.parse import unquote

import msgspec

from suyuan.compliance.model import Coverage, Leg
from suyuan.trace.model import Trace
from suyuan.web.language import N_, Language
from suyuan.web.model import ScanSummary
from suyuan.web.wording import ASSURANCE, LEG_STATES, MODES, PRODUCT_FIELDS, ROLES

_CHINA = timezone(timedelta(hours=8))

_LABEL = "urn:suyuan:label:"
# How many other codes the card shows.
MAX_CODES = 6
# How many missing steps the answer at one glance names; the section on coverage names all.
MAX_NAMED = 3


class LegView(msgspec.Struct, frozen=True, kw_only=True):
    """A required leg in words."""

    name: str
    state: str
    icon: str
    state_text: str
    owed_by: str
    due: str
    reason: str


class CoverageView(msgspec.Struct, frozen=True, kw_only=True):
    """Coverage in words; ``scored`` is False where the mode of import is not known."""

    scored: bool
    headline: str
    mode: str
    present: int
    required: int
    missing: tuple[LegView, ...]
    ahead: str
    legs: tuple[LegView, ...]
    findings: tuple[str, ...]


def _leg(leg: Leg, words: Language) -> LegView:
    icon, text = LEG_STATES[leg.state]
    due = words.date(leg.due.astimezone(_CHINA)) if leg.due is not None else ""
    return LegView(
        name=words.name(leg.name_en, leg.name_zh),
        state=leg.state.replace(" ", "-"),
        icon=icon,
        state_text=words.t(text),
        owed_by=words.t(ROLES[leg.owed_by]) if leg.owed_by in ROLES else leg.owed_by,
        due=due,
        reason=words.name(leg.reason_en, leg.reason_zh),
    )


def coverage_view(coverage: Coverage, words: Language) -> CoverageView:
    """Coverage as the page says it; statutory days are Chinese calendar days."""
    legs = tuple(_leg(leg, words) for leg in coverage.legs if leg.state != "not required")
    ahead = sum(leg.state == "not-yet-due" for leg in legs)
    scored = coverage.mode in MODES and bool(legs)
    return CoverageView(
        scored=scored,
        headline=words.say(
            N_("%(present)d of %(required)d required steps present"),
            present=coverage.present,
            required=coverage.required,
        ),
        mode=words.t(MODES[coverage.mode]) if coverage.mode in MODES else "",
        present=coverage.present,
        required=coverage.required,
        missing=tuple(leg for leg in legs if leg.state in ("missing", "contradictory", "late")),
        ahead=(
            words.count("%(n)d step is not due yet", "%(n)d steps are not due yet", ahead) if ahead else ""
        ),
        legs=legs,
        findings=tuple(words.name(f.reason_en, f.reason_zh) for f in coverage.findings),
    )


def product_view(trace: Trace, words: Language) -> dict[str, object]:
    """The product's name, its original name where it differs, and the rows of its card."""
    given = trace.product
    rows = [
        (words.t(label), words.calendar(words.of(given, key)))
        for key, label in PRODUCT_FIELDS
        if key != "expiry" or given.get(key) != given.get("best_before")
    ]
    name = words.of(trace.product, "name")
    original = trace.product.get("name_original", "")
    country = trace.product.get("origin_country", "")
    if country and not words.of(trace.product, "origin"):
        rows.insert(1, (words.t(N_("Origin")), words.country(country)))
    return {
        "name": name,
        "original": original if original != name else "",
        "rows": [(label, value) for label, value in rows if value],
    }


def other_codes(trace: Trace) -> list[tuple[str, str]]:
    """The item's codes in other systems, as system and code; an address stands for itself, without a system."""
    found = []
    for uri in trace.aliases[:MAX_CODES] if trace.serial else ():
        system, _, code = uri.removeprefix(_LABEL).partition(":") if uri.startswith(_LABEL) else ("", "", uri)
        found.append((system, unquote(code)))
    return found


def glance(trace: Trace, coverage: CoverageView | None, words: Language) -> list[tuple[str, str, str]]:
    """What is proved, by whom, and what is missing, as icon, tone and text: the answer at one glance."""
    lines: list[tuple[str, str, str]] = []
    if coverage is not None and coverage.scored:
        whole = coverage.present == coverage.required
        lines.append(("check" if whole else "warn", "full" if whole else "part", coverage.headline))
        lost = [leg.name for leg in coverage.legs if leg.state == "missing"]
        if lost:
            names = words.t(N_(" · ")).join(lost[:MAX_NAMED])
            text = N_("missing: %(names)s") if len(lost) <= MAX_NAMED else N_("missing: %(names)s and others")
            lines.append(("cross", "gap", words.say(text, names=names)))
    counts = Counter(assurance_tally(trace))
    if n := counts["authority-verified"]:
        text = words.count(
            "%(n)d record confirmed by authorities", "%(n)d records confirmed by authorities", n
        )
        lines.append(("seal", "full", text))
    if n := counts["inspected"]:
        text = words.count(
            "%(n)d check by independent inspectors", "%(n)d checks by independent inspectors", n
        )
        lines.append(("eye", "full", text))
    if n := counts["relayed"]:
        text = words.count(
            "%(n)d official paper, passed on by firms", "%(n)d official papers, passed on by firms", n
        )
        lines.append(("relay", "", text))
    return lines


def assurance_tally(trace: Trace) -> dict[str, int]:
    """How many standing facts there are of each level, the strongest first; levels without facts are left out."""
    found = Counter(fact.assurance for fact in trace.facts if not fact.withdrawn)
    return {level: found[level] for level in ASSURANCE if found[level]}  # type: ignore[index]


def views_text(scans: ScanSummary | None, words: Language) -> str:
    """How often the page was opened, and that this verifies nothing; empty where only one look is known."""
    if scans is None or scans.seen < 2 or scans.seen_since is None:
        return ""
    opened = words.say(
        N_("This page was opened at least %(times)d times since %(day)s."),
        times=scans.seen,
        day=words.calendar(scans.seen_since.isoformat()),
    )
    hint = words.t(N_("Opening it verifies nothing: anybody may look, in a shop too."))
    return opened + words.joint + hint


def recall_view(trace: Trace, words: Language) -> dict[str, str] | None:
    """The standing recall in words; None where there is none."""
    recall = trace.recall
    if recall is None:
        return None
    return {
        "number": recall.number,
        "since": words.moment(recall.since, recall.zone_offset),
        "who": words.name(recall.party.name_en, recall.party.name_zh),
        "role": words.t(ROLES[recall.party.role]) if recall.party.role in ROLES else recall.party.role,
        "reason": recall.reason,
        "lot": recall.lot,
    }
