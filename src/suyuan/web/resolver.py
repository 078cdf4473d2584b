"""Answers at the URI of a thing: the page for people, links and facts for machines.

GS1-Conformant Resolver 1.2. ``text/html`` gets the page with status 200; ``application/json`` the public
trace; ``linkType=linkset`` or ``application/linkset+json`` the linkset; everything else is redirected (307)
to the one default link, with the request's query as it was sent. A path that is no valid Digital Link is
400; an unknown lot or variant is answered from the level above; an unknown serial shows people that the
code does not exist (404) and sends machines to its product. A serial of ours with a wrong MAC is refused
before anything is asked of the database. No identifier is ever written to a log line here.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from typing import Literal

import msgspec

from suyuan.errors import InputError, NotFoundError, SuyuanError
from suyuan.gs1.digital_link import without_trailing_slash
from suyuan.gs1.link_choice import choose
from suyuan.gs1.linkset import (
    LINKSET_MEDIA_TYPE,
    Link,
    context_header,
    link_header,
    linkset,
    with_query,
)
from suyuan.scans import Verification
from suyuan.trace.kept import Kept
from suyuan.web.answers import CORS, HTML, JSON_TYPE, METHODS, VARY, Answer, Question, item_json, packed
from suyuan.web.frame import security_headers, stylesheet
from suyuan.web.labels import item_path_of
from suyuan.web.language import choose_language, language
from suyuan.web.links import links_of, path_of
from suyuan.web.model import ItemSource, PageSettings
from suyuan.web.page import render_item_page
from suyuan.web.refusals import UnknownThingError, refusal
from suyuan.web.targets import Target, Wanted, parameters_of, read_target, wanted
from suyuan.web.verified import verification_answer

# Bytes of pages that are kept, as they are sent: packed.
PAGE_BYTES = 12 << 20
_PAGE_FRAME = 600
Seen = Callable[[str, str], None]


class _Stored(msgspec.Struct, frozen=True):
    etag: str
    gzipped: bytes


class Resolver:
    """Answers for the things of one ``ItemSource``. Pages are kept only as long as their version holds."""

    def __init__(self, source: ItemSource, settings: PageSettings, seen: Seen | None = None) -> None:
        """``seen`` is told the GTIN and serial of each item whose page a person opened."""
        self.source = source
        self.settings = settings
        self._seen = seen
        self._pages: Kept[tuple[str, str, str], _Stored] = Kept(PAGE_BYTES)

    async def answer(self, question: Question, kind: Wanted | Literal["bundle"] | None = None) -> Answer:
        """The answer to a request for the thing at ``question.path``.

        ``kind`` is given where the address itself says what is asked for (the page's own address, the
        trace, the bundle); None negotiates.
        """
        parameters = parameters_of(question.query)
        lang = choose_language(parameters.get("lang"), question.accept_language)
        link_type = parameters.get("linkType") if kind is None else None
        asked = kind or wanted(question.accept, link_type)
        human = asked == "page"
        try:
            if question.method == "OPTIONS":
                return self._options(question)
            target = read_target(question.path, self.settings.base_url)
            self.check_serial(target)
            if asked == "page":
                address = ("/item" if kind == "page" else "") + path_of(target.uri)
                answer = await self._page(question, target, lang, address)
                self._note_look(question, target, answer)
                return answer
            if asked == "json":
                return await self._trace(target)
            if asked == "bundle":
                return await self._bundle(target)
            return await self._links(question, target, link_type, parameters.get("context"))
        except SuyuanError as error:
            return refusal(error, question, lang, self.settings, human=human)

    def _note_look(self, question: Question, target: Target, answer: Answer) -> None:
        link = target.link
        if self._seen is None or not question.looked or answer.status not in (200, 304) or link is None:
            return
        if link.gtin is not None and link.serial is not None:
            self._seen(link.gtin, link.serial)

    def check_serial(self, target: Target) -> None:
        """Raise ``NotFoundError`` (``web.code.malformed``) for a serial that was never issued here."""
        link = target.link
        if link is None or link.gtin is None or link.serial is None:
            return
        if self.source.check_serial(link.gtin, link.serial) == "malformed":
            raise NotFoundError("web.code.malformed", "This serial was never issued.", path="21")

    async def verify(self, question: Question, typed: str, address: str, prefix: str) -> Answer:
        """The page that answers a scratch code which somebody at ``address`` typed on an item's page."""
        parameters = parameters_of(question.query)
        lang = choose_language(parameters.get("lang"), question.accept_language)
        try:
            target = read_target(question.path, self.settings.base_url)
            self.check_serial(target)
            link = target.link
            if link is None or link.gtin is None or link.serial is None:
                raise NotFoundError("web.code.unknown", "Only a single item is verified.", path="/")
            answer = await self._verified(link.gtin, link.serial, typed, address)
        except SuyuanError as error:
            return refusal(error, question, lang, self.settings, human=True)
        path = path_of(target.uri)
        return verification_answer(answer, lang, self.settings, address=prefix + path, code=path)

    async def by_label(self, question: Question) -> Answer:
        """Send whoever asks with another system's code to the item that bears it."""
        try:
            path = await item_path_of(self.source, question.path)
        except SuyuanError as error:
            lang = choose_language(parameters_of(question.query).get("lang"), question.accept_language)
            human = wanted(question.accept, None) == "page"
            return refusal(error, question, lang, self.settings, human=human)
        location = f"{path}?{question.query}" if question.query else path
        return Answer(status=307, headers={**CORS, "Location": location, "Cache-Control": "no-cache"})

    async def _verified(self, gtin: str, serial: str, typed: str, address: str) -> Verification | None:
        """What the verification came to; None where what was typed is no scratch code."""
        try:
            return await self.source.verify(gtin, serial, typed, address)
        except InputError as error:
            if error.code == "scan.code.form":
                return None
            raise

    def _options(self, question: Question) -> Answer:
        linkset_uri = self._linkset_uri(question.path)
        return Answer(status=204, headers={**CORS, "Allow": METHODS, "Link": link_header(linkset_uri)})

    def _linkset_uri(self, path: str) -> str:
        return f"{self.settings.base_url}{without_trailing_slash(path)}?linkType=linkset"

    async def _page(self, question: Question, target: Target, lang: str, address: str) -> Answer:
        version = await self.source.version(target.uri)
        key = (target.uri, address, lang)
        etag = f'W/"{_short_hash(version, lang, stylesheet()[0])}"' if version is not None else ""
        headers = {
            **CORS,
            **VARY,
            **security_headers(),
            "Content-Type": HTML,
            "Content-Language": lang,
            "Cache-Control": "no-cache",
            "Link": link_header(self._linkset_uri(path_of(target.uri))),
        }
        if etag:
            headers["ETag"] = etag
            if etag in question.if_none_match:
                return Answer(status=304, headers=headers)
            stored = self._pages.get(key)
            if stored is not None and stored.etag == etag:
                return _page_answer(stored, question, headers)
        body = await self._render(target, lang, address, version or "")
        if not etag:
            return Answer(status=200, headers=headers, body=body)
        stored = _Stored(etag, packed(body))
        self._pages.put(key, stored, len(stored.gzipped) + _PAGE_FRAME)
        return _page_answer(stored, question, headers)

    async def _render(self, target: Target, lang: str, address: str, version: str) -> bytes:
        """The page of the finest level that is known; an item is never answered with another level's page."""
        item_asked = target.link is None or target.link.serial is not None
        for anchor in (target.uri,) if item_asked else dict.fromkeys((target.uri, *target.anchors)):
            item = await self.source.read_public(anchor, version if anchor == target.uri else "")
            if item is not None:
                page = render_item_page(
                    item.trace,
                    item.coverage,
                    item.scans,
                    item.proof,
                    lang,
                    self.settings,
                    address=address,
                    scratch=item.scratch,
                    label=item.label,
                )
                return page.encode()
        product = ""
        if target.link is not None and item_asked:
            described = await self.source.describe(target.anchors[-1])
            product = language(lang).name(*described) if described is not None else ""
        raise UnknownThingError(product)

    async def _trace(self, target: Target) -> Answer:
        item = await self.source.read_public(target.uri)
        if item is None:
            raise UnknownThingError("")
        headers = {
            **CORS,
            **VARY,
            "Content-Type": JSON_TYPE,
            "Cache-Control": "no-cache",
            "Link": link_header(self._linkset_uri(path_of(target.uri))),
        }
        return Answer(status=200, headers=headers, body=item_json(item))

    async def _bundle(self, target: Target) -> Answer:
        body = await self.source.bundle(target.uri)
        if body is None:
            raise UnknownThingError("")
        headers = {
            **CORS,
            "Content-Type": JSON_TYPE,
            "Content-Disposition": 'attachment; filename="bundle.json"',
            "Cache-Control": "no-cache",
        }
        return Answer(status=200, headers=headers, body=body)

    async def _links(
        self, question: Question, target: Target, link_type: str | None, context: str | None
    ) -> Answer:
        links: list[Link] = []
        descriptions: dict[str, str] = {}
        anchors = tuple(dict.fromkeys((target.uri, *target.anchors)))
        for anchor in anchors:
            described = await self.source.describe(anchor)
            if described is not None:
                descriptions[anchor] = described[0] or described[1] or anchor
                links += links_of(self.settings.base_url, anchor, await self.source.links(anchor), described)
        if not links:
            raise UnknownThingError("")
        choice = choose(
            links,
            anchors,
            link_type=link_type,
            accept=question.accept,
            accept_language=question.accept_language,
            context=context,
        )
        headers = {
            **CORS,
            **VARY,
            "Link": link_header(self._linkset_uri(path_of(target.uri))),
            "Cache-Control": "no-cache",
        }
        if choice.outcome == "redirect":
            headers["Location"] = with_query(choice.links[0], question.query)
            return Answer(status=307, headers=headers)
        if choice.outcome == "not_found":
            raise NotFoundError(
                "web.link_type.unknown",
                "There is no link of this type.",
                path="linkType",
                remedy="Ask with linkType=linkset for the types that there are.",
            )
        shown = links
        if choice.outcome == "multiple":
            shown = [link for link in links if link in choice.links or link.default]
        headers |= {"Content-Type": LINKSET_MEDIA_TYPE, "Link": f"{headers['Link']}, {context_header()}"}
        return Answer(
            status=choice.status, headers=headers, body=msgspec.json.encode(linkset(shown, descriptions))
        )


def _page_answer(stored: _Stored, question: Question, headers: dict[str, str]) -> Answer:
    if "gzip" in question.accept_encoding:
        return Answer(status=200, headers={**headers, "Content-Encoding": "gzip"}, body=stored.gzipped)
    return Answer(status=200, headers=headers, body=gzip.decompress(stored.gzipped))


def _short_hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]
