"""The page that answers a scratch code: what is proved by it, and no more."""

from __future__ import annotations

from suyuan.scans import Verification, words_of
from suyuan.scans.verifying import Result
from suyuan.scans.wording import UNREADABLE
from suyuan.web.answers import HTML, Answer
from suyuan.web.frame import frame_of, report_link, security_headers, template_of, with_symbols
from suyuan.web.language import language
from suyuan.web.model import PageSettings
from suyuan.web.verdict import Verdict

_VERIFIED: dict[Result, tuple[str, str]] = {
    "first": ("good", "check"),
    "repeated": ("caution", "info"),
    "wrong": ("alarm", "warn"),
    "not_applicable": ("calm", "info"),
    "too_many": ("caution", "wait"),
}


def verification_answer(
    answer: Verification | None, lang: str, settings: PageSettings, *, address: str, code: str
) -> Answer:
    """The answer to a typed code, which nobody keeps."""
    headers = {
        **security_headers(),
        "Content-Type": HTML,
        "Content-Language": lang,
        "Cache-Control": "no-store",
    }
    page = render_verification(answer, lang, settings, address=address, code=code)
    if answer is None or answer.result != "too_many":
        return Answer(status=200, headers=headers, body=page.encode())
    headers["Retry-After"] = str(answer.retry_seconds)
    return Answer(status=429, headers=headers, body=page.encode())


def render_verification(
    answer: Verification | None, lang: str, settings: PageSettings, *, address: str, code: str
) -> str:
    """The page that answers a typed scratch code: what is proved, and the form again where another try makes sense.

    ``answer`` is None where what was typed is no scratch code.
    """
    words = language(lang)
    said = UNREADABLE if answer is None else words_of(answer)
    result, voided = (None, False) if answer is None else (answer.result, answer.voided)
    tone, icon = ("caution", "question") if result is None else _VERIFIED[result]
    if voided:
        tone, icon = "alarm", "warn"
    page = template_of(lang, "verified.html").render(
        **frame_of(words, settings, address),
        verdict=Verdict(
            code=result or "unreadable",
            tone=tone,
            icon=icon,
            title=said.title_zh if words.chinese else said.title_en,
            text=said.text_zh if words.chinese else said.text_en,
            report=voided or result in ("wrong", "repeated"),
        ),
        again=result in (None, "wrong"),
        code=code,
        report_href=report_link(settings, code),
    )
    return with_symbols(page)
