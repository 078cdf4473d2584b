"""The first thing that a reader sees: what this code is, in one line.

The page never says "fake": it says what is known. It speaks of a first or a repeated verification only
where scans were counted. A recall outranks everything, a voided code everything but a recall.
"""

from __future__ import annotations

import msgspec

from suyuan.trace.model import Trace
from suyuan.web.language import N_, Language
from suyuan.web.model import ScanSummary


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict: its code, tone (calm, good, caution, alarm), icon, words, and reasons if any."""

    code: str
    tone: str
    icon: str
    title: str
    text: str
    reasons: tuple[str, ...] = ()
    report: bool = False


_VOIDED = frozenset({"voided", "destroyed"})
_UNRELEASED = frozenset({"issued", "printed"})


def verdict(
    trace: Trace, scans: ScanSummary | None, language: Language, *, reportable: bool = False
) -> Verdict:
    """The verdict on a known thing; ``reportable`` where the operator said where readers report something."""
    if trace.recall is not None:
        return Verdict(
            code="recalled",
            tone="alarm",
            icon="warn",
            title=language.t(N_("Recalled: please do not use")),
            text=language.t(N_("This product belongs to a recall. Stop using it and contact the seller.")),
        )
    if not trace.serial:
        return _not_one_item(trace, language)
    if trace.state in _VOIDED:
        return Verdict(
            code=trace.state,
            tone="alarm",
            icon="cross",
            title=language.t(N_("This code was voided")),
            text=language.t(N_("It was taken out of use and should not be on any product for sale.")),
            report=True,
        )
    if trace.state == "suspected" or (scans is not None and scans.tier == "suspicious"):
        return Verdict(
            code="suspected",
            tone="caution",
            icon="warn",
            title=language.t(N_("Suspected: this code may have been copied")),
            text=language.t(N_("Something about the checks of this code does not fit. Please look closely.")),
            reasons=() if scans is None else (scans.reasons_zh if language.chinese else scans.reasons_en),
            report=True,
        )
    if trace.state in _UNRELEASED:
        return Verdict(
            code="unreleased",
            tone="caution",
            icon="wait",
            title=language.t(N_("This code is not in use yet")),
            text=_asking(
                language,
                N_("It was issued, but no record puts it on a product."),
                N_("Please tell us if you bought one."),
                reportable,
            ),
            report=True,
        )
    if trace.state == "damaged":
        return Verdict(
            code="damaged",
            tone="caution",
            icon="warn",
            title=language.t(N_("This item is recorded as damaged")),
            text=_asking(
                language,
                N_("It should not be on sale."),
                N_("Please tell us where you got it."),
                reportable,
            ),
            report=True,
        )
    if trace.state == "returned":
        return Verdict(
            code="returned",
            tone="caution",
            icon="back",
            title=language.t(N_("This item was returned")),
            text=language.t(N_("The records say that a buyer sent this item back.")),
        )
    return _registered(trace, scans, language)


def _asking(language: Language, text: str, request: str, reportable: bool) -> str:
    """A text, and what we ask of readers where they can answer."""
    return language.joint.join(language.t(one) for one in ((text, request) if reportable else (text,)))


def _registered(trace: Trace, scans: ScanSummary | None, language: Language) -> Verdict:
    records = language.count(
        "%(n)d record of its way is shown below.",
        "%(n)d records of its way are shown below.",
        len(trace.facts),
    )
    if scans is None or scans.count < 1:
        return Verdict(
            code="registered",
            tone="good",
            icon="check",
            title=language.t(N_("Registered code")),
            text=language.t(N_("This code was issued for exactly one item.")) + language.joint + records,
        )
    if scans.count == 1:
        return Verdict(
            code="first",
            tone="good",
            icon="check",
            title=language.t(N_("First verification")),
            text=language.t(N_("Nobody has verified this code before.")) + language.joint + records,
        )
    first = ""
    if scans.first_at is not None:
        when = language.moment(scans.first_at, scans.zone_offset)
        city = language.name(scans.first_city_en, scans.first_city_zh)
        first = (
            language.say(N_("First on %(when)s in %(city)s."), when=when, city=city)
            if city
            else language.say(N_("First on %(when)s."), when=when)
        )
    hint = language.t(N_("If that was not you, ask the seller."))
    return Verdict(
        code="repeated",
        tone="calm",
        icon="repeat",
        title=language.say(N_("Verified %(times)d times"), times=scans.count),
        text=language.joint.join(part for part in (first, hint) if part),
    )


def _not_one_item(trace: Trace, language: Language) -> Verdict:
    if trace.gtin and trace.lot:
        title, text = N_("A lot, not one item"), N_("This page shows what is recorded for the whole lot.")
    elif trace.gtin:
        title, text = N_("A product, not one item"), N_("This page shows the product that the code names.")
    else:
        title, text = N_("A transport unit"), N_("This code names something that goods travel in.")
    hint = N_("Scan the code on the item itself to see its own way.")
    return Verdict(
        code="class",
        tone="calm",
        icon="info",
        title=language.t(title),
        text=language.t(text) + language.joint + language.t(hint),
    )
