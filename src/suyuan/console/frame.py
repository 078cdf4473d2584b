"""What every page of the console stands in: template, words, navigation, messages, headers.

For the pages, in Python:

- ``render(request, "item.html", session, title=words(...), **context)`` makes the answer. ``status`` and ``form``
  (what a person typed, to fill it in again) are optional.
- ``words(zh, en)`` is a text in both languages (``Words``); templates and ``render`` turn it into the reader's.
- ``redirect("/console/...")`` sends a browser on (303); ``flash`` puts a message on the next page:
  ``return flash(redirect("/console/users"), session, "good", words("已保存", "Saved"))``.
- ``NAV``: a module of pages names its entries ``NavEntry(key, path, zh, en, icon)``; ``render(..., nav="key")`` marks
  the current one.

In templates (``{% extends "base.html" %}``, blocks ``main``, ``title``, ``head``, ``search``), beside what ``render``
was given:

- ``t("中文", "English", n=3)``: the text in the reader's language, ``{n}`` filled in, escaped; ``many="{n} records"``
  is the English plural by ``n``. ``t(words)`` takes a ``Words``; ``name(en, zh)`` chooses between two names.
- ``session`` (None where nobody is signed in), ``lang``, ``zh`` (bool), ``csrf_field()`` for every POST form.
- ``when(moment, "+08:00")``: a ``<time>`` with local time and offset; ``day(moment)``, ``ago(moment)``.
- ``icon(name)``: a drawing that says nothing to a screen reader; ``number(n)`` groups thousands.
- ``{% import "parts.html" as parts with context %}``: ``parts.table``, ``parts.pager``, ``parts.empty``, ``parts.tag``,
  ``parts.field``, ``parts.note`` (see there).

Nothing is loaded from elsewhere, and no script or style is inline: the policy in ``PAGE_HEADERS`` forbids both.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response
from litestar.datastructures import Cookie
from markupsafe import Markup

from suyuan.parties.users import UserRole
from suyuan.web.frame import HERE as PUBLIC
from suyuan.web.language import choose_language, in_zone, language, machine_time

if TYPE_CHECKING:
    from suyuan.api.model import Call
    from suyuan.console.access import Session

HERE = Path(__file__).parent
_SYMBOL = re.compile(r'<symbol id="i-([a-z]+)"[^>]*>(.*?)</symbol>')
HTML = "text/html; charset=utf-8"
LANGUAGE_COOKIE = "suyuan_language"
FLASH_COOKIE = "suyuan_said"
CHINA = "+08:00"
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # "no-referrer" would make browsers send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
Tone = Literal["good", "info", "caution", "alarm"]
Page = Response[bytes]


class Words(NamedTuple):
    """A text in both languages."""

    zh: str
    en: str

    def of(self, code: str) -> str:
        """The text in the language of this code."""
        return self.zh if code == "zh-CN" else self.en


def words(zh: str, en: str, **values: object) -> Words:
    """A text in both languages, with its named values filled in."""
    return Words(zh.format(**values), en.format(**values)) if values else Words(zh, en)


class NavEntry(NamedTuple):
    """An entry of the navigation; ``role`` is the least that a user needs to see it, ``of`` what its party must be."""

    key: str
    path: str
    zh: str
    en: str
    icon: str
    role: UserRole = "reader"
    of: str = ""

    def shown_to(self, session: Session) -> bool:
        """Whether this person has any use for it."""
        return session.user.may(self.role) and (
            not self.of or any(grant.role == self.of for grant in session.grants)
        )


_navigation: list[NavEntry] = []


def set_navigation(entries: Sequence[NavEntry]) -> None:
    """The entries of the navigation, in order; ``routes`` calls this with those of all pages."""
    _navigation[:] = entries


# -- static files -----------------------------------------------------------------------------------------------


@cache
def static_files() -> dict[str, tuple[str, bytes]]:
    """Each file of ``static`` under the name that it is served by: one with a hash of its bytes."""
    kinds = {
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
    }
    found = {}
    for path in sorted((HERE / "static").iterdir()):
        if path.suffix in kinds:
            body = path.read_bytes()
            name = f"{path.stem}.{hashlib.sha256(body).hexdigest()[:12]}{path.suffix}"
            found[name] = (kinds[path.suffix], body)
    return found


@cache
def static_path(name: str) -> str:
    """The address of a file of ``static``, such as ``console.css``."""
    stem, _, suffix = name.rpartition(".")
    served = next(one for one in static_files() if one.startswith(f"{stem}.") and one.endswith(f".{suffix}"))
    return f"/console/static/{served}"


# -- language ---------------------------------------------------------------------------------------------------


def language_of(request: Call, session: Session | None = None) -> str:
    """The language of an answer: what the user chose, then the browser's cookie, then what it asks for."""
    if session is not None and session.user.language:
        return session.user.language
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return choose_language(chosen, request.headers.get("accept-language"))


class _Voice:
    """The functions of templates that depend on the language."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.language = language(code)

    def t(self, zh: str | Words, en: str = "", *, many: str = "", **values: Any) -> str:
        """A text in the reader's language, its values filled in."""
        if isinstance(zh, Words):
            return zh.of(self.code)
        text = zh if self.language.chinese else (many if many and values.get("n") != 1 else en)
        shown = {
            name: self.number(value) if isinstance(value, int) and not isinstance(value, bool) else value
            for name, value in values.items()
        }
        return text.format(**shown) if values else text

    def name(self, english: str | None, chinese: str | None) -> str:
        return self.language.name(english or "", chinese or "")

    @staticmethod
    def number(value: int | None) -> str:
        return "" if value is None else f"{value:,}"

    def when(self, moment: datetime | None, zone: str = CHINA, *, day_only: bool = False) -> Markup:
        """A moment as working people compare it: ``2025-08-20 05:40``, its zone told where it is not China's."""
        if moment is None:
            return Markup("")
        local = in_zone(moment, zone)
        text = local.strftime("%Y-%m-%d" if day_only else "%Y-%m-%d %H:%M")
        aside = "" if zone == CHINA or day_only else Markup(' <span class="zone">UTC{}</span>').format(zone)
        return Markup('<time datetime="{}" title="{}">{}{}</time>').format(
            machine_time(moment, zone, day_only=day_only),
            self.language.moment(moment, zone, day_only=day_only),
            text,
            aside,
        )

    def day(self, moment: datetime | None, zone: str = CHINA) -> Markup:
        return self.when(moment, zone, day_only=True)

    def ago(self, moment: datetime | None) -> Markup:
        """How long ago, in one unit; the exact time in the title."""
        if moment is None:
            return Markup("")
        seconds = max(0, int((datetime.now(UTC) - moment).total_seconds()))
        for size, zh, en in ((86400, "天", "day"), (3600, "小时", "hour"), (60, "分钟", "minute")):
            if seconds >= size:
                count = seconds // size
                text = f"{count} {zh}前" if self.language.chinese else f"{count} {en}{'s' * (count != 1)} ago"
                break
        else:
            text = "刚刚" if self.language.chinese else "just now"
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            machine_time(moment, CHINA), self.language.moment(moment, CHINA), text
        )


# -- templates --------------------------------------------------------------------------------------------------


def icon(name: str, style: str = "") -> Markup:
    """A drawing of the set in ``templates/icons.html``; the words beside it speak to a screen reader."""
    shape = _icons()[name]
    return Markup('<svg class="{}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{}</svg>').format(
        f"i {style}".strip(),
        Markup(shape),  # noqa: S704 - our own file
    )


@cache
def _icons() -> dict[str, str]:
    """The drawings of the public pages, and the console's own beside them."""
    found = dict(_SYMBOL.findall((PUBLIC / "templates" / "icons.html").read_text("utf-8")))
    for line in (HERE / "templates" / "icons.html").read_text("utf-8").splitlines():
        name, _, shape = line.partition(" ")
        found[name] = shape
    return found


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _sign(key: str, text: str) -> str:
    return hmac.new(key.encode(), b"flash\0" + text.encode(), hashlib.sha256).hexdigest()[:32]


def flash(response: Page, session: Session, tone: Tone, text: Words) -> Page:
    """Put a message on the page that the browser sees next. The message is signed with the session."""
    body = base64.urlsafe_b64encode(json.dumps([tone, *text]).encode()).decode()
    response.set_cookie(
        Cookie(
            FLASH_COOKIE,
            value=f"{_sign(session.csrf, body)}.{body}",
            path="/console",
            max_age=60,
            httponly=True,
            secure=session.secure,
            samesite="lax",
        )
    )
    return response


def _flashed(request: Call, session: Session | None) -> list[tuple[str, Words]]:
    value = request.cookies.get(FLASH_COOKIE)
    if not value or session is None:
        return []
    mark, _, body = value.partition(".")
    if not hmac.compare_digest(mark, _sign(session.csrf, body)):
        return []
    tone, zh, en = json.loads(base64.urlsafe_b64decode(body))
    return [(tone, Words(zh, en))]


def render(
    request: Call,
    template: str,
    session: Session | None,
    *,
    title: Words,
    nav: str = "",
    status: int = 200,
    messages: Sequence[tuple[Tone, Words]] = (),
    form: Mapping[str, str] | None = None,
    **context: Any,
) -> Page:
    """The answer of a page. ``session`` is what ``access.signed_in`` gave, None where nobody is signed in."""
    from suyuan.console.access import console_of, csrf_of, operator_name

    code = language_of(request, session)
    voice = _Voice(code)
    token, new_cookie = csrf_of(request, session)
    said = _flashed(request, session)
    body = (
        _environment()
        .get_template(template)
        .render(
            context
            | {
                "t": voice.t,
                "name": voice.name,
                "when": voice.when,
                "day": voice.day,
                "ago": voice.ago,
                "number": voice.number,
                "icon": icon,
                "csrf_field": lambda: Markup('<input type="hidden" name="csrf" value="{}">').format(token),
                "csrf": token,
                "session": session,
                "lang": code,
                "zh": voice.language.chinese,
                "other_lang": "en" if voice.language.chinese else "zh-CN",
                "title": title.of(code),
                "nav": nav,
                "navigation": [
                    entry for entry in _navigation if session is not None and entry.shown_to(session)
                ],
                "messages": [(tone, text.of(code)) for tone, text in (*said, *messages)],
                "form": form or {},
                "here": _here(request),
                "operator": operator_name(request, code),
                "css": static_path("console.css"),
                "script": static_path("console.js"),
            }
        )
    )
    response = Response(body.encode(), status_code=status, media_type=HTML, headers=dict(PAGE_HEADERS))
    if console_of(request).secure:
        # Browsers obey it only there, and complain of it elsewhere.
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if said:
        response.delete_cookie(FLASH_COOKIE, path="/console")
    if new_cookie is not None:
        response.set_cookie(new_cookie)
    return response


def _here(request: Call) -> str:
    """Where a change of language leads back to: this page, or the one whose form it answers."""
    url = urlsplit(str(request.url) if request.method == "GET" else request.headers.get("referer", ""))
    return (url.path + (f"?{url.query}" if url.query else "")) or "/console"


def redirect(path: str) -> Page:
    """Send the browser on to a page of ours, as a GET."""
    return Response(b"", status_code=303, media_type=HTML, headers={**PAGE_HEADERS, "Location": path})
