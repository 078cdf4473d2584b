"""The public page of an item as a pure function: view models in, one complete HTML document out.

Complete without JavaScript, which the check of a label alone has. Everything from a trace is escaped by the
template engine. The words follow the language, never the facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import msgspec
from markupsafe import Markup

from suyuan.compliance.model import Coverage
from suyuan.trace.model import Fact, Trace
from suyuan.web.entries import entry_with_markup
from suyuan.web.frame import frame_of, icon, report_link, template_of, with_symbols
from suyuan.web.journey import import_record, journey
from suyuan.web.language import N_, Language, language
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
    outcome = verdict(trace, scans, words, reportable=bool(settings.report_url))
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
