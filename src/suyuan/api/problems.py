"""Errors as problem documents (RFC 9457), in JSON or, on the EPCIS doors, in XML.

``code`` is the stable part; ``detail`` the reason, ``remedy`` what to do now, ``path`` the field. On ``/epcis``
the type is the exception of the EPCIS standard. An error that was not foreseen gets a reference and no detail:
what went wrong stands in the log under that reference.
"""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from traceback import extract_tb
from typing import Any
from xml.sax.saxutils import escape

import asyncpg
import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from suyuan.errors import InputError, SuyuanError, UnavailableError
from suyuan.observing import ERRORS
from suyuan.sheets import FaultySheetError

_logger = structlog.get_logger("suyuan.api")
PROBLEM_JSON = "application/problem+json"
PROBLEM_XML = "application/problem+xml"
_EPCIS_TYPES = {
    400: "ValidationException",
    401: "SecurityException",
    403: "SecurityException",
    404: "NoSuchResourceException",
    406: "NotAcceptableException",
    409: "ResourceAlreadyExistsException",
    413: "CaptureLimitExceededException",
    414: "URITooLongException",
    415: "UnsupportedMediaTypeException",
    422: "ValidationException",
}
_HTTP_CODES = {
    400: "http.request",
    404: "http.route.unknown",
    405: "http.method",
    406: "http.accept",
    413: "http.body.too_large",
    415: "http.content_type",
}
# The database went away under us; the same call may succeed in a moment.
_LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
)


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One problem document."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    path: str = ""
    remedy: str = ""
    instance: str = ""
    findings: tuple[dict[str, str], ...] = ()


def problem_of(
    error: SuyuanError, *, epcis: bool = False, status: int | None = None, instance: str = ""
) -> Problem:
    """The problem document of one of our errors."""
    code = status or error.http_status
    name = _EPCIS_TYPES.get(code, "ImplementationException")
    return Problem(
        type=f"epcisException:{name}" if epcis else f"urn:suyuan:problem:{error.code}",
        title=HTTPStatus(code).phrase,
        status=code,
        detail=error.reason,
        code=error.code,
        path=error.path,
        remedy=error.remedy,
        instance=instance,
        findings=_findings(error),
    )


def _findings(error: SuyuanError) -> tuple[dict[str, str], ...]:
    """Every fault of a sheet that was refused, so that one correction is enough."""
    if not isinstance(error, FaultySheetError):
        return ()
    return tuple(msgspec.to_builtins(fault) for fault in error.faults)


def _xml(problem: Problem) -> bytes:
    members: dict[str, Any] = msgspec.to_builtins(problem)
    members.pop("findings", None)  # sheets have a door of their own, which answers in JSON
    fields = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in members.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<epcis:EPCISException xmlns:epcis="urn:epcglobal:epcis:xsd:2">{fields}</epcis:EPCISException>'
    ).encode()


def wants_xml(accept: str) -> bool:
    """Whether an Accept header asks for XML before JSON."""
    for part in accept.lower().split(","):
        kind = part.split(";")[0].strip()
        if kind.endswith(("/json", "+json")) or kind == "*/*":
            return False
        if kind.endswith(("/xml", "+xml")):
            return True
    return False


class Reply(msgspec.Struct, frozen=True):
    """An answer to an error as bytes, for whoever sends it."""

    status: int
    headers: dict[str, str]
    body: bytes


def reply_to(scope: Any, error: SuyuanError, status: int, headers: dict[str, str]) -> Reply:
    """How an error is answered: a problem document, or for people at an item's address a page in both languages."""
    ERRORS.labels(error.code).inc()
    epcis = scope["path"].startswith("/epcis")
    accept = _accept(scope)
    reference = str(scope.get("suyuan_reference", ""))
    instance = f"urn:suyuan:request:{reference}" if reference and status >= 500 else ""
    problem = problem_of(error, epcis=epcis, status=status, instance=instance)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        headers["Retry-After"] = "1"
    if error.code == "http.held.code" and "text/html" in accept:
        return Reply(status, {**headers, "Content-Type": "text/html; charset=utf-8"}, _held_page(headers))
    if epcis and wants_xml(accept):
        return Reply(status, {**headers, "Content-Type": PROBLEM_XML}, _xml(problem))
    return Reply(status, {**headers, "Content-Type": PROBLEM_JSON}, msgspec.json.encode(problem))


def _accept(scope: Any) -> str:
    return ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"accept")


def _held_page(headers: dict[str, str]) -> bytes:
    seconds = headers.get("Retry-After", "60")
    return (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>请稍后再试 / Please wait</title>'
        "<h1>请稍后再试</h1><p>您所在的网络查询了太多不存在的溯源码。"
        f"请在 {seconds} 秒后重试；真实的溯源码随时可以查询。</p>"
        '<div lang="en"><h1>Please wait</h1><p>Too many codes that do not exist were asked for from your network. '
        f"Try again in {seconds} seconds; a code that exists is always answered.</p></div></html>"
    ).encode()


def _respond(call: Request[Any, Any, Any], error: SuyuanError, status: int, headers: dict[str, str]) -> Any:
    reply = reply_to(call.scope, error, status, headers)
    kind = reply.headers.pop("Content-Type")
    return Response(reply.body, status_code=status, media_type=kind, headers=reply.headers)


def _ours(call: Request[Any, Any, Any], error: SuyuanError) -> Any:
    # A paper that a rule of its format forbids is one thing for EPCIS, whichever rule it is.
    status = (
        400 if error.http_status == 422 and call.scope["path"].startswith("/epcis") else error.http_status
    )
    if status >= 500:
        _logger.error(
            "refused", code=error.code, reason=error.reason, reference=call.scope.get("suyuan_reference")
        )
    return _respond(call, error, status, {})


def _http(call: Request[Any, Any, Any], error: HTTPException) -> Any:
    status = error.status_code
    code = _HTTP_CODES.get(status, f"http.{status}")
    reason, path, remedy = str(error.detail) or HTTPStatus(status).phrase, "", ""
    if isinstance(error.extra, list) and error.extra and isinstance(error.extra[0], dict):
        first = error.extra[0]
        code, path, reason = "http.parameter", str(first.get("key", "")), str(first.get("message", reason))
    elif status == 400 and reason.startswith("Missing required"):
        code, path = "http.parameter", reason.split("'")[1] if "'" in reason else ""
        reason = f"The parameter {path} is missing."
    elif status == 404:
        reason, remedy = "There is no such route.", "The routes are listed at /schema."
    elif status == 405:
        reason = "This route does not take that method."
    elif status == 413:
        reason, remedy = "The body is larger than this door takes.", "Split it into several documents."
    headers = {name: str(value) for name, value in (error.headers or {}).items()}
    return _respond(call, SuyuanError(code, reason, path=path, remedy=remedy), status, headers)


def unstorable(error: Exception) -> InputError | None:
    """What the database says of a value that none of its types holds: a null character, half a character, a number
    beyond all bounds. It is the sender's to change; the frames are logged all the same, since a door should know
    its values better.
    """
    if not isinstance(error, (asyncpg.DataError, UnicodeEncodeError)):
        return None
    frames = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
    _logger.warning("value that cannot be stored", kind=type(error).__name__, frames=frames[-8:])
    return InputError(
        "http.value",
        "A value holds a character or a number that cannot be stored or looked for.",
        remedy="Leave out control characters and numbers that mean nothing.",
    )


def _unforeseen(call: Request[Any, Any, Any], error: Exception) -> Any:
    if isinstance(error, _LOST):
        lost = UnavailableError(
            "db.lost", "The database does not answer right now.", remedy="Send the request again in a moment."
        )
        _logger.warning("database lost", kind=type(error).__name__)
        return _respond(call, lost, 503, {})
    if (refused := unstorable(error)) is not None:
        return _respond(call, refused, refused.http_status, {})
    # Neither the exception's text nor its values are logged: both may quote what was sent.
    frames = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
    reference = call.scope.get("suyuan_reference")
    _logger.error("unforeseen", kind=type(error).__name__, frames=frames[-8:], reference=reference)
    hidden = SuyuanError(
        "internal",
        "Something went wrong on this side.",
        remedy="Try again; if it stays, report the reference in instance to the operator.",
    )
    return _respond(call, hidden, 500, {})


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    SuyuanError: _ours,
    HTTPException: _http,
    Exception: _unforeseen,
}
