"""The web room's routes: items, their page, trace and bundle, the resolver's description, static files.

The item routes are mounted as plain ASGI because a resolver needs the path as it was sent: ``%2F`` must not
become a slash, and the query must reach the redirect unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache
from pathlib import Path
from traceback import extract_tb
from typing import Literal
from urllib.parse import parse_qsl

import msgspec
import structlog
from litestar import Router
from litestar.enums import ScopeType
from litestar.handlers import ASGIRouteHandler, asgi
from litestar.types import HTTPScope, Receive, Scope, Send

from suyuan.errors import InputError
from suyuan.gs1.linkset import SUPPORTED_KEYS, resolver_description
from suyuan.web.answers import Answer, Question, packed
from suyuan.web.frame import HERE, stylesheet
from suyuan.web.label_door import DOOR, LabelDoor
from suyuan.web.label_files import served_files
from suyuan.web.model import ItemSource, PageSettings
from suyuan.web.refusals import failure
from suyuan.web.resolver import Resolver, Seen
from suyuan.web.targets import Wanted
from suyuan.web.viewing import is_look

_log = structlog.get_logger(__name__)
_ROOT_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\.(?:txt|html|xml|json)")
_ROOT_TYPES = {
    ".txt": "text/plain; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".xml": "application/xml",
    ".json": "application/json",
}
MAX_ROOT_FILES, MAX_ROOT_FILE_BYTES = 50, 65_536
ROBOTS = b"User-agent: *\nDisallow: /\n"
App = Callable[[HTTPScope, Receive, Send], Awaitable[None]]
# A typed code and the names of its fields.
MAX_FORM_BYTES = 1024


def item_routes(source: ItemSource, settings: PageSettings, seen: Seen | None = None) -> Router:
    """All routes of this room over one source of items. Root verification files are read once, here.

    ``seen`` is told of each item whose page a person opened.
    Raises ``InputError`` (``web.root_files.*``) where the folder of root files is unfit.
    """
    resolver = Resolver(source, settings, seen)
    keys = (*SUPPORTED_KEYS, "obj")
    handlers = [
        _mount([f"/{key}" for key in keys], _items(resolver, None, "")),
        _mount(["/item"], _items(resolver, "page", "/item")),
        _mount(["/trace"], _items(resolver, "json", "/trace")),
        _mount(["/bundle"], _items(resolver, "bundle", "/bundle")),
        _mount(["/label"], _items(resolver, "label", "/label")),
        _mount([DOOR], _labels(LabelDoor(resolver), resolver)),
    ]
    handlers += [_mount([path], _fixed(answer)) for path, answer in _fixed_answers(settings).items()]
    return Router(path="/", route_handlers=handlers)


def _mount(paths: list[str], app: App) -> ASGIRouteHandler:
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.WEBSOCKET:
            await send({"type": "websocket.close", "code": 1003, "reason": "no websocket here"})
            return
        await app(scope, receive, send)

    return asgi(paths, is_mount=True, copy_scope=False)(mounted)


def _items(resolver: Resolver, kind: Wanted | Literal["bundle", "label"] | None, prefix: str) -> App:
    # Where people look at an item they may also verify it.
    allowed = ("GET", "HEAD", "OPTIONS", *(("POST",) if kind in (None, "page") else ()))

    async def app(scope: HTTPScope, receive: Receive, send: Send) -> None:
        question = read_question(scope, prefix)
        if question.method not in allowed:
            await _reply(send, question.method, Answer(status=405, headers={"Allow": ", ".join(allowed)}))
            return
        try:
            if question.method == "POST":
                typed = await _read_typed(receive)
                answer = await resolver.verify(question, typed, str(scope.get("suyuan_address", "")), prefix)
            elif kind == "label":
                answer = await resolver.by_label(question)
            else:
                answer = await resolver.answer(question, kind)
        except Exception as error:
            answer = await _broken(resolver.settings, question, error)
        await _reply(send, question.method, answer)

    return app


def _labels(door: LabelDoor, resolver: Resolver) -> App:
    async def app(scope: HTTPScope, receive: Receive, send: Send) -> None:
        question = read_question(scope, DOOR)
        try:
            answer = await door.answer(question, scope, receive)
        except Exception as error:
            answer = await _broken(resolver.settings, question, error)
        await _reply(send, question.method, answer)

    return app


async def _broken(settings: PageSettings, question: Question, error: Exception) -> Answer:
    # The path names an item: it stays out of the log, the exception's own text with it.
    frames = extract_tb(error.__traceback__)[-6:]
    where = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
    await _log.aerror("item route failed", kind=type(error).__name__, where=where)
    return failure(question, settings)


async def _read_typed(receive: Receive) -> str:
    """The scratch code of a form; empty where the body is longer than such a form, or none."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return ""
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_FORM_BYTES:
            return ""
    try:
        fields = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=10))
    except ValueError:
        return ""
    return fields.get("scratch_code", "")


def read_question(scope: HTTPScope, prefix: str) -> Question:
    """A request as the resolver reads it, its path without ``prefix``."""
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))

    def header(name: str) -> str:
        return ", ".join(headers.get(name, ()))

    raw_path = scope["raw_path"].partition(b"?")[0].decode("latin-1")
    return Question(
        method=str(scope["method"]),
        path=raw_path[len(prefix) :] or "/",
        query=scope["query_string"].decode("latin-1"),
        accept=header("accept"),
        accept_language=header("accept-language"),
        accept_encoding=header("accept-encoding"),
        if_none_match=header("if-none-match"),
        content_type=header("content-type"),
        fetch_site=header("sec-fetch-site"),
        looked=is_look(str(scope["method"]), header),
        held=bool(scope.get("suyuan_held")),
    )


_packed_once = lru_cache(64)(packed)  # the shipped reader takes a moment


def _fixed(answer: Answer) -> App:
    gzipped = _packed_once(answer.body)

    async def app(scope: HTTPScope, _: Receive, send: Send) -> None:
        question = read_question(scope, "")
        reply = answer
        if scope["path"] not in ("", "/"):
            reply = Answer(status=404, headers={"Content-Type": "text/plain"}, body=b"not found\n")
        elif question.method not in ("GET", "HEAD"):
            reply = Answer(status=405, headers={"Allow": "GET, HEAD"})
        elif "gzip" in question.accept_encoding and len(gzipped) < len(answer.body):
            headers = {**answer.headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            reply = Answer(status=200, headers=headers, body=gzipped)
        await _reply(send, question.method, reply)

    return app


def _fixed_answers(settings: PageSettings) -> dict[str, Answer]:
    name, css = stylesheet()
    name_of_resolver = settings.operator_en or settings.operator_zh or settings.domain
    description = msgspec.json.encode(resolver_description(settings.base_url, name_of_resolver))
    forever = "public, max-age=31536000, immutable"
    day = "public, max-age=86400"
    open_to_all = {"Access-Control-Allow-Origin": "*"}
    answers = {
        f"/static/{name}": _file(css, "text/css; charset=utf-8", forever),
        "/static/icon.svg": _file((HERE / "static" / "icon.svg").read_bytes(), "image/svg+xml", day),
        "/robots.txt": _file(ROBOTS, "text/plain; charset=utf-8", day),
        "/.well-known/gs1resolver": _file(description, "application/json", day, open_to_all),
    }
    answers |= {path: _file(body, kind, forever) for path, (kind, body) in served_files().items()}
    for path in _root_files(settings.root_files):
        answers[f"/{path.name}"] = _file(path.read_bytes(), _ROOT_TYPES[path.suffix], "no-cache")
    return answers


def _file(body: bytes, media_type: str, cache: str, more: dict[str, str] | None = None) -> Answer:
    headers = {"Content-Type": media_type, "Cache-Control": cache, "X-Content-Type-Options": "nosniff"}
    return Answer(status=200, headers={**headers, **(more or {})}, body=body)


def _root_files(folder: Path | None) -> Iterable[Path]:
    if folder is None:
        return ()
    if not folder.is_dir():
        raise InputError(
            "web.root_files.folder",
            "The folder of root verification files is not there.",
            path="root_files",
            remedy="Create it or leave the setting out.",
        )
    found = [path for path in sorted(folder.iterdir()) if path.is_file() and _ROOT_FILE.fullmatch(path.name)]
    if len(found) > MAX_ROOT_FILES or any(path.stat().st_size > MAX_ROOT_FILE_BYTES for path in found):
        raise InputError(
            "web.root_files.size",
            f"At most {MAX_ROOT_FILES} root files of {MAX_ROOT_FILE_BYTES} bytes are served.",
            path="root_files",
        )
    return [path for path in found if path.name != "robots.txt"]


async def _reply(send: Send, method: str, answer: Answer) -> None:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
    if answer.status not in (204, 304):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    body = b"" if method == "HEAD" or answer.status in (204, 304) else answer.body
    await send({"type": "http.response.body", "body": body, "more_body": False})
