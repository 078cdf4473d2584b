"""What every public page has: style sheet, headers, icons, templates in the reader's language, the frame's own links.

No style attribute and no inline style or script is written, so that the strict policy of ``security_headers`` holds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from suyuan.web.language import LANGUAGES, Language, translations
from suyuan.web.model import PageSettings

HERE = Path(__file__).parent


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


def report_link(settings: PageSettings, code: str) -> str:
    """Where a reader reports something about a code; empty where the operator set no address."""
    if not settings.report_url:
        return ""
    if settings.report_url.startswith("mailto:"):
        return f"{settings.report_url}?subject={quote(code, safe='')}"
    joint = "&" if "?" in settings.report_url else "?"
    return f"{settings.report_url}{joint}code={quote(code, safe='')}"
