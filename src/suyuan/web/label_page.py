"""The page on which a label is checked with the camera: how to take the picture, and what the answer means.

It is one page before and after: a form that works without scripts, the same thing guided by a script where there is
a camera, and above them the answer to what was sent. The answers are three, and each is followed by what to do next.
"""

from __future__ import annotations

import json

import msgspec
from markupsafe import Markup

from suyuan.label.model import Answer, Track
from suyuan.scans.label_model import CHECK_BOUNDS, FRAMES_WANTED, MIB, Challenge, LabelCheck
from suyuan.scans.label_wording import MEANING_EN, MEANING_ZH, advice_of, label_words_of
from suyuan.web.frame import frame_of, report_link, security_headers, template_of, with_symbols
from suyuan.web.label_files import READER_POLICY, served_path
from suyuan.web.language import N_, Language, language
from suyuan.web.model import PageSettings

DOOR = "/check"
_LOOKS: dict[Answer, tuple[str, str]] = {
    "matches": ("good", "check"),
    "differs": ("alarm", "warn"),
    "unclear": ("caution", "repeat"),
}
# Where each leg of the way leads, for the phone: the label's edge of that name is to go away from it.
_LEGS: dict[str, str] = {
    "up": N_("Phone towards the code's lower edge"),
    "down": N_("Phone towards the code's upper edge"),
    "left": N_("Phone towards the code's right edge"),
    "right": N_("Phone towards the code's left edge"),
}
_SAID: dict[str, str] = {
    "opening": N_("Allow the camera, please"),
    "loading": N_("One moment"),
    "other": N_("This is another item's code"),
    "closer": N_("A little closer"),
    "light": N_("More light, please"),
    "glare": N_("It mirrors: tilt the label a little"),
    "still": N_("Hold still"),
    "good": N_("Good: keep it so"),
    "taking": N_("Taking the photo"),
    "flat": N_("Hold the phone straight above the code"),
    "slower": N_("A little slower"),
    "further": N_("A little further along the arrow"),
    "torch_self": N_("Switch the torch on, or go under one bright lamp"),
    "torch_on": N_("It is too dark: the torch has to be on"),
    "sending": N_("Comparing with the record"),
    "again": N_("Check once more"),
    "camera_refused": N_(
        "The camera was not allowed. Allow it in the browser's settings, or choose photos below."
    ),
    "camera_missing": N_("No camera can be opened here. Choose photos below instead."),
    "camera_gone": N_("The camera was taken away by another program. Open it again."),
    "unread": N_("The reader of codes could not be loaded. Try again, or choose photos below."),
    "offline": N_(
        "The network did not answer, so nothing was compared. The pictures are still here: send them again."
    ),
    "lost": N_("The code was out of sight too long. Begin again, and keep it in the frame."),
    "busy": N_("Too many checks at the moment. Try again in a few minutes."),
    "broken": N_("Something went wrong on our side. It says nothing about the label. Try again in a moment."),
}
_OF_TRACK: dict[Track, dict[str, str]] = {
    "A": {"frame": N_("Bring the code and the pattern into the frame")},
    "B": {"frame": N_("Bring the code into the frame")},
}
# Refusals that somebody with a phone can meet, and what they are told; others are told as broken.
_REFUSED: dict[str, tuple[str, str]] = {
    "scan.label.nonce": (N_("That took too long"), N_("The page stood open too long. Take the picture once more.")),
    "scan.label.nonce.used": (N_("This was sent before"), N_("Each picture is compared once. Take a new one.")),
    "scan.label.images": (
        N_("No picture that can be compared"),
        N_("Choose photos as the camera takes them, not more and not larger than is said below."),
    ),
    "scan.label.track": (
        N_("This label is checked in another way"),
        N_("Nothing was compared. Take the picture as is said below."),
    ),
    "label.image.form": (
        N_("No picture that can be compared"),
        N_("Choose photos as the camera takes them, not more and not larger than is said below."),
    ),
    "label.image.too_large": (
        N_("The pictures are too large"),
        N_("Choose photos as the camera takes them, not more and not larger than is said below."),
    ),
    "label.upload.too_large": (
        N_("The pictures are too large"),
        N_("Choose photos as the camera takes them, not more and not larger than is said below."),
    ),
    "http.body.slow": (N_("The network was too slow"), N_("Nothing was compared. Try again where it is better.")),
    "label.upload.slow": (N_("The network was too slow"), N_("Nothing was compared. Try again where it is better.")),
    "label.upload.busy": (N_("Too much at once"), N_("Nothing was compared. Try again in a moment.")),
    "scan.label.busy": (N_("Too much at once"), N_("Nothing was compared. Try again in a moment.")),
}  # fmt: skip


_SENT = N_(
    "Only the pictures that you take or choose here are sent: nothing else of your phone, and not where you are."
)
_NOTED = N_("The answer stays with the code, without your address.")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as it is shown: ``code`` is its stable word, or that of a refusal; ``advice`` says what to do next."""

    code: str
    tone: str
    icon: str
    title: str
    text: str
    advice: tuple[str, ...] = ()
    report: bool = False
    retry_seconds: int = 0


def outcome_of(check: LabelCheck, words: Language) -> Outcome:
    """What a check came to."""
    said = label_words_of(check)
    tone, icon = _LOOKS[check.answer]
    if check.retry_seconds:
        icon = "wait"
    if check.voided:
        tone, icon = "alarm", "warn"
    return Outcome(
        code="too_many" if check.retry_seconds else check.answer,
        tone=tone,
        icon=icon,
        title=said.title_zh if words.chinese else said.title_en,
        text=said.text_zh if words.chinese else said.text_en,
        advice=tuple(one.text_zh if words.chinese else one.text_en for one in advice_of(check.reasons)),
        report=check.voided or check.answer == "differs",
        retry_seconds=check.retry_seconds,
    )


def refusal_of(code: str, words: Language) -> Outcome:
    """What was not even compared, and why."""
    title, text = _REFUSED.get(code, (N_("Nothing was compared"), _SAID["broken"]))
    return Outcome(code=code, tone="caution", icon="wait", title=words.t(title), text=words.t(text))


def meaning(words: Language) -> str:
    """What any answer means, to stand near it."""
    return MEANING_ZH if words.chinese else MEANING_EN


def label_headers(lang: str) -> dict[str, str]:
    """Headers of the page: the camera, and what the shipped reader needs, are allowed here and nowhere else."""
    return {
        **security_headers(),
        "Content-Security-Policy": f"default-src 'none'; style-src 'self'; img-src 'self'; {READER_POLICY}; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
        "X-Robots-Tag": "noindex",
        "Content-Type": "text/html; charset=utf-8",
        "Content-Language": lang,
        "Cache-Control": "no-store",
    }


class LabelPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page is about: the item's path and keys, its product's name, the track, the code's side in modules."""

    path: str
    gtin: str
    serial: str
    product: str
    track: Track
    modules: int


def render_label_page(
    page: LabelPage, challenge: Challenge, lang: str, settings: PageSettings, outcome: Outcome | None = None
) -> str:
    """The page with a fresh challenge, and the answer to the last one where there is one."""
    words = language(lang)
    bounds = CHECK_BOUNDS[page.track]
    said = {name: words.t(text) for name, text in (_SAID | _LEGS | _OF_TRACK[page.track]).items()}
    text = template_of(lang, "label.html").render(
        **frame_of(words, settings, DOOR + page.path),
        page=page,
        challenge=challenge,
        outcome=outcome,
        meaning=meaning(words),
        way=[words.t(_LEGS[leg]) for leg in challenge.path],
        bounds=bounds,
        megabytes=f"{bounds.image_bytes / MIB:g}",
        wanted=FRAMES_WANTED,
        sent=words.joint.join((words.t(_SENT), _kept(settings, words), words.t(_NOTED))),
        item_href=f"{page.path}?lang={lang}",
        report_href=report_link(settings, page.path),
        files={
            "css": served_path("label.css"),
            "codes": served_path("label_codes.js"),
            "camera": served_path("label_camera.js"),
            "flow": served_path("label_flow.js"),
            "reader": served_path("vendor/zxing_reader.js"),
            "wasm": served_path("vendor/zxing_reader.wasm"),
        },
        said=_in_script(said),
    )
    return with_symbols(text)


def _kept(settings: PageSettings, words: Language) -> str:
    """How long pictures are kept here."""
    hours = settings.label_image_hours
    if not hours:
        return words.t(N_("They are compared and not kept."))
    if hours % 24:
        return words.count("They are kept for %(n)d hour.", "They are kept for %(n)d hours.", hours)
    return words.count("They are kept for %(n)d day.", "They are kept for %(n)d days.", hours // 24)


def _in_script(value: object) -> Markup:
    """JSON that may stand inside a script element."""
    return Markup(json.dumps(value, ensure_ascii=False).replace("<", "\\u003c"))  # noqa: S704
