"""The public pages as pure functions: view models in, one complete HTML document out.

Complete without JavaScript: there is none. Everything from a trace is escaped by the template engine; no
style attribute and no inline style or script is written, so that the strict policy of ``security_headers``
holds. The words follow the language, never the facts.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta, timezone
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from suyuan.compliance.model import Coverage, Leg
from suyuan.trace.model import Trace
from suyuan.web.journey import import_record, journey
from suyuan.web.language import LANGUAGES, N_, Language, language, translations
from suyuan.web.model import PageSettings, ProofSummary, ScanSummary
from suyuan.web.timeline import blocks, segments
from suyuan.web.verdict import Verdict, verdict
from suyuan.web.wording import ASSURANCE, LEG_STATES, MODES, PRODUCT_FIELDS, ROLES

HERE = Path(__file__).parent
_CHINA = timezone(timedelta(hours=8))
Notice = Literal["unknown", "malformed", "not-a-code", "not-found", "unavailable", "failed"]
_NOTICES: dict[str, tuple[str, str, str, str, bool]] = {
    "unknown": (
        "alarm",
        "question",
        N_("This code does not exist here"),
        N_("No item was ever registered under it. A typing error is possible; so is an invented code."),
        True,
    ),
    "malformed": (
        "alarm",
        "question",
        N_("This code does not exist"),
        N_("Its check characters do not fit, so it was never issued. Please compare it with the label."),
        True,
    ),
    "not-a-code": (
        "caution",
        "question",
        N_("This is not a code that can be read"),
        N_("The address is not a valid GS1 Digital Link. Please scan the code once more."),
        False,
    ),
    "not-found": ("calm", "info", N_("Nothing is kept under this address"), "", False),
    "unavailable": (
        "caution",
        "wait",
        N_("The answer cannot be given just now"),
        N_("This says nothing about the item. Please try again in a moment."),
        False,
    ),
    "failed": (
        "caution",
        "warn",
        N_("Something went wrong on our side"),
        N_("This says nothing about the item. Please try again in a moment."),
        False,
    ),
}


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
    legs: tuple[LegView, ...]
    findings: tuple[str, ...]


@cache
def stylesheet() -> tuple[str, bytes]:
    """The style sheet's name, which carries a hash of its bytes, and the bytes."""
    body = resources.files("suyuan.web").joinpath("static/page.css").read_bytes()
    return f"page.{hashlib.sha256(body).hexdigest()[:12]}.css", body


def security_headers() -> dict[str, str]:
    """Headers of every HTML answer: nothing may be loaded but our own style sheet and images."""
    return {
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


@cache
def _template(code: str, name: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(translations(code), newstyle=True)  # type: ignore[attr-defined]
    return environment.get_template(name)


def _frame(words: Language, settings: PageSettings, address: str) -> dict[str, object]:
    other = next(code for code in LANGUAGES if code != words.code)
    return {
        "lang": words.code,
        "other_lang": other,
        "other_href": f"{address}?lang={other}",
        "address": address,
        "css": f"/static/{stylesheet()[0]}",
        "settings": settings,
        "operator": words.name(settings.operator_en, settings.operator_zh),
    }


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
        missing=tuple(leg for leg in legs if leg.state in ("missing", "contradictory", "not-yet-due")),
        legs=legs,
        findings=tuple(words.name(f.reason_en, f.reason_zh) for f in coverage.findings),
    )


def _product(trace: Trace, words: Language) -> dict[str, object]:
    rows = [(words.t(label), words.of(trace.product, key)) for key, label in PRODUCT_FIELDS]
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


def _glance(trace: Trace, coverage: CoverageView | None, words: Language) -> list[tuple[str, str, str]]:
    """What is proved, by whom, and what is missing, as icon, tone and text: the answer at one glance."""
    lines: list[tuple[str, str, str]] = []
    if coverage is not None and coverage.scored:
        whole = coverage.present == coverage.required
        lines.append(("check" if whole else "warn", "full" if whole else "part", coverage.headline))
    counts = dict.fromkeys(ASSURANCE, 0)
    for fact in trace.facts:
        if not fact.withdrawn:
            counts[fact.assurance] += 1
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


def _assurance_tally(trace: Trace) -> list[tuple[object, int]]:
    counts = dict.fromkeys(ASSURANCE, 0)
    for fact in trace.facts:
        if not fact.withdrawn:
            counts[fact.assurance] += 1
    return [(ASSURANCE[level], count) for level, count in counts.items() if count]


def _recall(trace: Trace, words: Language) -> dict[str, str] | None:
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


def item_path(trace: Trace) -> str:
    """The path of the thing on any resolver: its canonical URI without scheme and host."""
    return "/" + trace.thing.split("://", 1)[-1].split("/", 1)[-1]


def render_item_page(
    trace: Trace,
    coverage: Coverage | None,
    scans: ScanSummary | None,
    proof: ProofSummary | None,
    lang: str,
    settings: PageSettings,
    *,
    address: str | None = None,
) -> str:
    """The public page of a known thing, in ``lang`` (a code of ``LANGUAGES``).

    ``address`` is the path at which the page stands, by default the thing's own; links on the page use it.
    """
    words = language(lang)
    path = item_path(trace)
    block_views = blocks(trace, words)
    facts = sorted((fact for block in block_views for fact in block.facts), key=lambda f: f.position)
    outcome = verdict(trace, scans, words)
    covered = coverage_view(coverage, words) if coverage is not None and trace.serial else None
    return _template(lang, "item.html").render(
        **_frame(words, settings, address or path),
        trace=trace,
        verdict=outcome,
        background=_background(trace, scans, words, outcome),
        recall=_recall(trace, words),
        product=_product(trace, words),
        code=path,
        journey=journey(trace, words),
        record=import_record(trace, words),
        segments=segments(trace, words),
        blocks=block_views,
        facts=facts,
        logged=[fact for fact in facts if fact.logged],
        waiting=sum(not fact.logged for fact in facts),
        tally=_assurance_tally(trace),
        assurance=ASSURANCE.values(),
        coverage=covered,
        glance=_glance(trace, covered, words) if trace.serial and outcome.tone != "alarm" else [],
        ambiguities=[words.name(a.reason_en, a.reason_zh) for a in trace.ambiguities],
        proof=proof,
        published=(
            words.moment(proof.published_at, "+08:00") if proof is not None and proof.published_at else ""
        ),
        bundle_href=f"/bundle{path}",
        trace_href=f"/trace{path}",
        report_href=report_link(settings, path),
    )


def _background(trace: Trace, scans: ScanSummary | None, words: Language, shown: Verdict) -> str:
    """What the code itself is, in one line, where a recall holds the headline."""
    if shown.code != "recalled":
        return ""
    behind = verdict(msgspec.structs.replace(trace, recall=None), scans, words)
    return words.say(N_("About the code itself: %(state)s"), state=behind.title)


def render_notice(
    notice: Notice,
    lang: str,
    settings: PageSettings,
    *,
    address: str,
    code: str = "",
    reason: str = "",
    product: str = "",
) -> str:
    """A page for a code or an address that gives no item: unknown, malformed, unreadable, failed.

    ``product`` names the product where its GTIN is known though the item is not.
    """
    words = language(lang)
    tone, icon, title, text, report = _NOTICES[notice]
    return _template(lang, "notice.html").render(
        **_frame(words, settings, address),
        verdict=Verdict(
            code=notice,
            tone=tone,
            icon=icon,
            title=words.t(title),
            text=words.t(text) if text else "",
            report=report,
        ),
        code=code,
        reason=reason,
        product=product,
        report_href=report_link(settings, code or address),
    )


def report_link(settings: PageSettings, code: str) -> str:
    """Where a reader reports something about a code; empty where the operator set no address."""
    if not settings.report_url:
        return ""
    if settings.report_url.startswith("mailto:"):
        return f"{settings.report_url}?subject={quote(code, safe='')}"
    joint = "&" if "?" in settings.report_url else "?"
    return f"{settings.report_url}{joint}code={quote(code, safe='')}"
