"""The door at which a label is checked: ``/check`` before the address of an item.

``GET`` is the page with a fresh challenge, ``POST`` takes the page's form (multipart: nonce, track, images) and answers
with the same page, or with JSON where that is asked for. Nothing of what is sent is written to a log line.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from litestar.types import HTTPScope, Receive

from suyuan.errors import InputError, NotFoundError, PermissionDenied, SuyuanError
from suyuan.gs1.digital_link import DigitalLink
from suyuan.label.model import Track
from suyuan.parties.origins import place_of
from suyuan.printing.symbol import draw_symbol
from suyuan.scans.label_model import FRAMES_WANTED, Challenge
from suyuan.scans.label_uploads import received_upload
from suyuan.web.answers import JSON_TYPE, Answer, Question, error_json
from suyuan.web.label_page import (
    DOOR,
    LabelPage,
    Outcome,
    label_headers,
    meaning,
    outcome_of,
    refusal_of,
    render_label_page,
)
from suyuan.web.language import choose_language, language
from suyuan.web.links import path_of
from suyuan.web.refusals import refusal, retry_headers
from suyuan.web.resolver import Resolver
from suyuan.web.targets import parameters_of, read_target, wanted

METHODS = ("GET", "HEAD", "POST")


class LabelDoor:
    """Checks of labels over the same source and settings as the resolver's pages."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._source = resolver.source
        self._settings = resolver.settings

    async def answer(self, question: Question, scope: HTTPScope, receive: Receive) -> Answer:
        """The answer to a request for ``question.path``, the item's own address."""
        asked = parameters_of(question.query)
        lang = choose_language(asked.get("lang"), question.accept_language)
        human = wanted(question.accept, None) != "json"
        if question.method not in METHODS:
            return Answer(status=405, headers={"Allow": ", ".join(METHODS)})
        try:
            link, uri = self._item(question.path)
            if question.method == "POST":
                return await self._check(question, scope, receive, link, uri, lang, human=human)
            challenge = await self._challenge(uri)
            track = _track(challenge, asked.get("track", ""))
            if not human:
                return _json(200, _of_challenge(challenge, track))
            return await self._page(link, challenge, track, lang)
        except SuyuanError as error:
            return refusal(error, question, lang, self._settings, human=human)

    def _item(self, path: str) -> tuple[DigitalLink, str]:
        target = read_target(path, self._settings.base_url)
        self._resolver.check_serial(target)
        link = target.link
        if link is None or link.gtin is None or link.serial is None:
            raise _not_enrolled()
        return link, target.uri

    async def _challenge(self, uri: str) -> Challenge:
        challenge = await self._source.label_challenge(uri)
        if challenge is None:
            raise _not_enrolled()
        return challenge

    async def _page(
        self,
        link: DigitalLink,
        challenge: Challenge,
        track: Track,
        lang: str,
        outcome: Outcome | None = None,
    ) -> Answer:
        path = path_of(challenge.uri)
        names = await self._source.describe(f"https://id.gs1.org/01/{link.gtin}")
        page = LabelPage(
            path=path,
            gtin=link.gtin or "",
            serial=link.serial or "",
            product=language(lang).name(*names) if names else "",
            track=track,
            modules=draw_symbol(challenge.code_text).size,
        )
        body = render_label_page(page, challenge, lang, self._settings, outcome).encode()
        return Answer(status=200, headers=label_headers(lang), body=body)

    async def _check(
        self,
        question: Question,
        scope: HTTPScope,
        receive: Receive,
        link: DigitalLink,
        uri: str,
        lang: str,
        *,
        human: bool,
    ) -> Answer:
        words = language(lang)
        track = ""
        address = str(scope.get("suyuan_address", ""))
        try:
            _check_sender(question)
            chunks, place = _chunks(receive), place_of(address)
            async with received_upload(chunks, question.content_type, place=place) as sent:
                track = sent.fields.get("track", "")
                check = await self._source.check_label(
                    uri,
                    sent.field("nonce"),
                    sent.images,
                    address=address,
                    track=track,
                )
        except NotFoundError:
            raise
        except SuyuanError as error:
            outcome, status = refusal_of(error.code, words), error.http_status
            retry = retry_headers(error)
            if not human:
                body = _of_outcome(outcome, lang) | msgspec.json.decode(error_json(error))
                return _json(status, body, retry)
        else:
            outcome = outcome_of(check, words)
            status = 429 if outcome.retry_seconds else 200
            retry = {"Retry-After": str(outcome.retry_seconds)} if outcome.retry_seconds else {}
            if not human:
                return _json(status, _of_outcome(outcome, lang) | {"reasons": check.reasons}, retry)
        challenge = await self._challenge(uri)
        answer = await self._page(link, challenge, _track(challenge, track), lang, outcome)
        return msgspec.structs.replace(answer, status=status, headers={**answer.headers, **retry})


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise InputError("web.label.cut", "The connection ended before the pictures did.")
        yield message.get("body", b"")
        more = message.get("more_body", False)


def _check_sender(question: Question) -> None:
    """Another site may not let a picture of its own be judged under this address."""
    if question.fetch_site not in ("", "same-origin", "none"):
        raise PermissionDenied(
            "web.label.other_site",
            "The form was sent by another site.",
            path="Sec-Fetch-Site",
            remedy="Check the label from its own page.",
        )


def _track(challenge: Challenge, asked: str) -> Track:
    return next((track for track in challenge.tracks if track == asked), challenge.tracks[0])


def _of_challenge(challenge: Challenge, track: Track) -> dict[str, object]:
    return {
        "nonce": challenge.nonce,
        "expires_at": challenge.expires_at,
        "track": track,
        "tracks": challenge.tracks,
        "path": challenge.path if track == "B" else (),
        "frames": FRAMES_WANTED,
    }


def _of_outcome(outcome: Outcome, lang: str) -> dict[str, object]:
    return {
        "answer": outcome.code,
        "tone": outcome.tone,
        "icon": outcome.icon,
        "title": outcome.title,
        "text": outcome.text,
        "advice": outcome.advice,
        "report": outcome.report,
        "meaning": meaning(language(lang)),
    }


def _json(status: int, body: dict[str, object], more: dict[str, str] | None = None) -> Answer:
    headers = {"Content-Type": JSON_TYPE, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Answer(status=status, headers={**headers, **(more or {})}, body=msgspec.json.encode(body))


def _not_enrolled() -> NotFoundError:
    return NotFoundError(
        "web.label.not_enrolled",
        "No record of a label is kept for this code, so there is nothing to compare a picture with.",
        path="/",
        remedy="Its way can be read at the address on the label.",
    )


__all__ = ["DOOR", "METHODS", "LabelDoor"]
