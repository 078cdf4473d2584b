"""Pages for what gives no item: a code that is unknown, malformed or no code, a label never enrolled, a failure."""

from __future__ import annotations

from typing import Literal

from suyuan.web.frame import frame_of, report_link, template_of, with_symbols
from suyuan.web.language import N_, language
from suyuan.web.model import PageSettings
from suyuan.web.verdict import Verdict

Notice = Literal[
    "unknown", "malformed", "not-a-code", "not-found", "not-enrolled", "no-checks", "unavailable", "failed"
]
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
    "no-checks": (
        "calm",
        "info",
        N_("Labels cannot be checked by a photo on this server"),
        N_(
            "It has no program installed that looks at pictures, so nothing was compared; that says nothing about the"
            " label. What is recorded about the item can be read at the address on the label. The operator of this"
            " server can add the checks."
        ),
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
