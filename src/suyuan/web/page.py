"""The public pages as pure functions: view models in, one complete HTML document out.

Complete without JavaScript, which the check of a label alone has. Everything from a trace is escaped by the
template engine; no style attribute and no inline style or script is written, so that the strict policy of
``security_headers`` holds. The words follow the language, never the facts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from suyuan.compliance.model import Coverage
from suyuan.trace.model import Fact, Trace
from suyuan.web.entries import entry_with_markup
from suyuan.web.journey import import_record, journey
from suyuan.web.language import LANGUAGES, N_, Language, language, translations
from suyuan.web.model import PageSettings, ProofSummary, ScanSummary
from suyuan.web.summary import (
    assurance_tally,
    coverage_view,
    glance,
    other_codes,
    product_view,
    recall_view,
    views_text,
)
from suyuan.web.timeline import EntryView, blocks, segments
from suyuan.web.verdict import Verdict, verdict
from suyuan.web.wording import ASSURANCE

HERE = Path(__file__).parent
Notice = Literal["unknown", "malformed", "not-a-code", "not-found", "not-enrolled", "unavailable", "failed"]
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
    "not-enrolled": (
        "calm",
        "info",
        N_("This label cannot be checked by its image"),
        N_("No record of its label is kept here. That says nothing against the item: few labels have one."),
        False,
    ),
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


@cache
def stylesheet() -> tuple[str, bytes]:
    """The style sheet's name, which carries a hash of its bytes, and the bytes."""
    body = resources.files("suyuan.web").joinpath("static/page.css").read_bytes()
    return f"page.{hashlib.sha256(body).hexdigest()[:12]}.css", body


def security_headers() -> dict[str, str]:
    """Headers of every HTML answer: nothing may be loaded but our own style sheet and images, and a form goes to us."""
    return {
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }


@cache
def icon(name: str, style: str = "") -> Markup:
    """A reference to a symbol of the sprite; it says nothing to a screen reader, the words beside it do."""
    return Markup('<svg class="{}" aria-hidden="true"><use href="#i-{}"/></svg>').format(
        f"i {style}".strip(), name
    )


_SPRITE = Markup("<!-- sprite -->")
_ICON_USE = re.compile(r'href="#i-([a-z]+)"')


@cache
def _symbols() -> dict[str, str]:
    """The symbols of the sprite by name."""
    text = (HERE / "templates" / "icons.html").read_text("utf-8")
    return dict(re.findall(r'(?m)^(?=<symbol id="i-([a-z]+)")(.*)$', text))


def with_symbols(document: str) -> str:
    """The document with just those symbols in its sprite that it uses."""
    used = sorted(set(_ICON_USE.findall(document)))
    symbols = "".join(_symbols()[name] for name in used)
    sprite = f'<svg width="0" height="0" class="sprite" aria-hidden="true" focusable="false">{symbols}</svg>'
    return document.replace(_SPRITE, sprite, 1)


@cache
def _badges(code: str) -> dict[str, Markup]:
    """The mark of each level of assurance: icon and words."""
    frame = Markup('<span class="how {}">{}{}</span>')
    words = language(code)
    return {
        level: frame.format(look.tone, icon(look.icon), words.t(look.label))
        for level, look in ASSURANCE.items()
    }


@cache
def _marks(code: str) -> dict[str, Markup]:
    """The same in words alone, for the records within an entry."""
    frame, words = Markup('<span class="how {}">{}</span>'), language(code)
    return {level: frame.format(look.tone, words.t(look.label)) for level, look in ASSURANCE.items()}


@cache
def template_of(code: str, name: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.globals["icon"] = icon
    environment.install_gettext_translations(translations(code), newstyle=True)  # type: ignore[attr-defined]
    environment.globals["_"] = _in_words(code)
    return environment.get_template(name)


def _in_words(code: str) -> Callable[..., Markup]:
    """``_`` of the templates: the same as theirs, each text looked up and marked as our own markup once."""
    found: dict[str, Markup] = {}
    gettext = translations(code).gettext

    def say(text: str, **variables: object) -> Markup:
        known = found.get(text)
        if known is None:
            known = found[text] = Markup(gettext(text))  # noqa: S704 - words of the catalogue
        return known % variables

    return say


def frame_of(words: Language, settings: PageSettings, address: str) -> dict[str, object]:
    other = next(code for code in LANGUAGES if code != words.code)
    return {
        "lang": words.code,
        "other_lang": other,
        "other_href": f"{address}?lang={other}",
        "address": address,
        "sprite": _SPRITE,
        "css": f"/static/{stylesheet()[0]}",
        "settings": settings,
        "operator": words.name(settings.operator_en, settings.operator_zh),
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
    scratch: bool = False,
    label: bool = False,
) -> str:
    """The public page of a known thing, in ``lang`` (a code of ``LANGUAGES``); ``scratch`` shows the form for its code,
    ``label`` leads to the check of its label.

    ``address`` is the path at which the page stands, by default the thing's own; links on the page use it.
    """
    words = language(lang)
    path = item_path(trace)
    block_views = blocks(trace, words, _entry)
    outcome = verdict(trace, scans, words)
    covered = coverage_view(coverage, words) if coverage is not None and trace.serial else None
    page = template_of(lang, "item.html").render(
        **frame_of(words, settings, address or path),
        trace=trace,
        scratch=scratch,
        label_href=f"/check{path}?lang={lang}" if label else "",
        verdict=outcome,
        background=_background(trace, scans, words, outcome),
        recall=recall_view(trace, words),
        product=product_view(trace, words),
        code=path,
        views=views_text(scans, words),
        other_codes=other_codes(trace),
        journey=journey(trace, words),
        record=import_record(trace, words, coverage.city if coverage is not None else None),
        segments=segments(trace, words),
        blocks=block_views,
        waiting=sum(fact.log_index is None for fact in trace.facts),
        tally=assurance_tally(trace),
        badges=_badges(lang),
        meanings={level: words.t(look.meaning) for level, look in ASSURANCE.items()},
        coverage=covered,
        glance=glance(trace, covered, words) if trace.serial and outcome.tone != "alarm" else [],
        ambiguities=[words.name(a.reason_en, a.reason_zh) for a in trace.ambiguities],
        proof=proof,
        published=(
            words.moment(proof.published_at, "+08:00") if proof is not None and proof.published_at else ""
        ),
        bundle_href=f"/bundle{path}",
        trace_href=f"/trace{path}",
        report_href=report_link(settings, path),
    )
    return with_symbols(page)


def _entry(positioned: Sequence[tuple[int, Fact]], words: Language) -> EntryView:
    """An entry of the timeline with its markup."""

    def render(view: EntryView) -> Markup:
        code = words.code
        text = template_of(code, "entry.html").render(entry=view, badges=_badges(code), marks=_marks(code))
        return Markup(text)  # noqa: S704 - the template has escaped what is not its own

    return entry_with_markup(positioned, words, render)


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
    page = template_of(lang, "notice.html").render(
        **frame_of(words, settings, address),
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
    return with_symbols(page)


def report_link(settings: PageSettings, code: str) -> str:
    """Where a reader reports something about a code; empty where the operator set no address."""
    if not settings.report_url:
        return ""
    if settings.report_url.startswith("mailto:"):
        return f"{settings.report_url}?subject={quote(code, safe='')}"
    joint = "&" if "?" in settings.report_url else "?"
    return f"{settings.report_url}{joint}code={quote(code, safe='')}"
