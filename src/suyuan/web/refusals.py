"""Answers that tell of an error, to people by a page and to machines by JSON. Pure."""

from __future__ import annotations

from suyuan.errors import NotFoundError, SuyuanError, UnavailableError
from suyuan.gs1.digital_link import without_trailing_slash
from suyuan.web.answers import CORS, HTML, JSON_TYPE, VARY, Answer, Question, error_json
from suyuan.web.frame import security_headers
from suyuan.web.language import choose_language
from suyuan.web.model import PageSettings
from suyuan.web.notice import Notice, render_notice
from suyuan.web.targets import wanted


class UnknownThingError(NotFoundError):
    """Nothing is known under the URI; ``product`` is the name of its GTIN's product where that is known."""

    def __init__(self, product: str) -> None:
        super().__init__("web.code.unknown", "Nothing is registered under this code.", path="/")
        self.product = product


def refusal(
    error: SuyuanError, question: Question, lang: str, settings: PageSettings, *, human: bool
) -> Answer:
    """The answer that an error is told with, to people or to machines."""
    status = error.http_status
    headers = {**CORS, **VARY, "Cache-Control": "no-store"}
    if question.held and status in (400, 404):
        return Answer(status=status, headers=headers)
    headers |= retry_headers(error)
    if not human:
        return Answer(status=status, headers={**headers, "Content-Type": JSON_TYPE}, body=error_json(error))
    page = render_notice(
        _notice_of(error),
        lang,
        settings,
        address=question.path[:2000],
        code=without_trailing_slash(question.path)[:200] if status in (400, 404) else "",
        product=error.product if isinstance(error, UnknownThingError) else "",
    )
    headers |= {**security_headers(), "Content-Type": HTML, "Content-Language": lang}
    return Answer(status=status, headers=headers, body=page.encode())


def retry_headers(error: SuyuanError) -> dict[str, str]:
    """When it is worth trying again, for what passes by itself."""
    return {"Retry-After": "5"} if isinstance(error, UnavailableError) else {}


def failure(question: Question, settings: PageSettings) -> Answer:
    """The answer where something broke that nobody foresaw."""
    lang = choose_language(None, question.accept_language)
    error = SuyuanError("web.failed", "Something went wrong here.", remedy="Try again in a moment.")
    return refusal(error, question, lang, settings, human=wanted(question.accept, None) == "page")


def _notice_of(error: SuyuanError) -> Notice:
    if error.code in ("web.label.not_enrolled", "scan.label.unknown"):
        return "not-enrolled"
    if error.code == "label.extra":
        return "no-checks"
    if error.code == "web.code.malformed":
        return "malformed"
    if error.http_status == 404:
        return "unknown"
    if error.http_status < 500:
        return "not-a-code"
    return "unavailable" if isinstance(error, UnavailableError) else "failed"
