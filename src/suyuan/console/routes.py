"""The console's routes: its pages, its files, and the pages that say what went wrong.

A module of pages has ``ROUTES`` (its handlers, with whole paths below ``/console``) and may have ``NAV``; it is named
once, in ``PAGES``.
"""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb
from typing import Any

import asyncpg
import structlog
from litestar import Response, Router, get
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from suyuan.api.model import Call, Services
from suyuan.api.problems import unstorable
from suyuan.console import (
    account_pages,
    consignment_pages,
    finding_pages,
    home,
    item_pages,
    label_pages,
    pack_pages,
    search_pages,
    sessions_pages,
    users_pages,
)
from suyuan.console.access import Console, SignInNeeded, check_form, find_signed_in, person_at, sign_in_path
from suyuan.console.frame import Page, Words, redirect, render, set_navigation, static_files, words
from suyuan.console.refusals import explained
from suyuan.errors import NotFoundError, SuyuanError

PAGES = (
    home,
    search_pages,
    item_pages,
    consignment_pages,
    finding_pages,
    label_pages,
    pack_pages,
    users_pages,
    account_pages,
    sessions_pages,
)
_logger = structlog.get_logger("suyuan.console")
_FOREVER = "public, max-age=31536000, immutable"
_LOST = (OSError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.InterfaceError)


def console_routes(services: Services) -> Router:
    """All routes below ``/console``, over these services."""
    set_navigation([entry for pages in PAGES for entry in getattr(pages, "NAV", ())])
    handlers = [handler for pages in PAGES for handler in pages.ROUTES]
    return Router(
        path="/",
        route_handlers=[*handlers, static_file, elsewhere],
        before_request=check_form,
        exception_handlers={
            SignInNeeded: _sign_in,
            SuyuanError: _refused,
            HTTPException: _http,
            Exception: _unforeseen,
        },
        opt={"console": Console(services)},
        include_in_schema=False,
    )


@get("/console/static/{name:str}")
async def static_file(name: FromPath[str]) -> Page:
    """A style sheet, script or drawing; its name changes with its bytes."""
    found = static_files().get(name)
    if found is None:
        return Response(b"not found\n", status_code=404, media_type="text/plain")
    headers = {"Cache-Control": _FOREVER, "X-Content-Type-Options": "nosniff"}
    return Response(found[1], media_type=found[0], headers=headers)


@get("/console/{rest:path}")
async def elsewhere(request: Call, rest: FromPath[str]) -> Page:
    """Whatever no page answers."""
    await find_signed_in(request)
    raise NotFoundError("console.page.unknown", "There is no such page.")


ROUTES = (static_file, elsewhere)


# -- what went wrong --------------------------------------------------------------------------------------------

_TITLES: dict[int, Words] = {
    400: words("这个请求无法读取", "This request cannot be read"),
    403: words("不能这样做", "This is not allowed"),
    404: words("找不到", "Not found"),
    405: words("不能这样做", "This is not allowed"),
    409: words("与已有记录冲突", "This contradicts what is stored"),
    413: words("内容过大", "Too large"),
    422: words("不符合规则", "A rule forbids this"),
    429: words("尝试次数过多", "Too many attempts"),
    500: words("系统出错了", "Something went wrong on our side"),
    503: words("暂时无法响应", "No answer just now"),
}


def _sign_in(request: Any, needed: SignInNeeded) -> Page:
    return redirect(sign_in_path(needed.next_path))


def problem_page(request: Call, error: SuyuanError, status: int | None = None) -> Page:
    """The page of an error: what it is, why, what to do now, and a reference where it is ours to repair."""
    status = status or error.http_status
    reason, remedy = explained(error)
    return render(
        request,
        "problem.html",
        person_at(request),
        title=_TITLES.get(status, _TITLES[500]),
        status=status,
        problem_status=status,
        code=error.code,
        reason=reason,
        remedy=remedy,
        path=error.path,
        reference=str(request.scope.get("suyuan_reference", "")) if status >= 500 else "",
    )


def _refused(request: Call, error: SuyuanError) -> Page:
    if error.http_status >= 500:
        _logger.error("refused", code=error.code, reason=error.reason, reference=_reference(request))
    return problem_page(request, error)


def _http(request: Call, error: HTTPException) -> Page:
    kind = {404: "console.page.unknown", 405: "http.method", 413: "http.body.too_large"}
    code = kind.get(error.status_code, "http.request")
    return problem_page(request, SuyuanError(code, "The request cannot be answered."), error.status_code)


def _unforeseen(request: Call, error: Exception) -> Page:
    if (refused := unstorable(error)) is not None:
        return problem_page(request, refused)
    # Neither the exception's text nor its values are logged: both may quote what was sent.
    frames = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
    _logger.error("unforeseen", kind=type(error).__name__, frames=frames[-8:], reference=_reference(request))
    if isinstance(error, _LOST):
        return problem_page(request, SuyuanError("db.lost", "The database does not answer right now."), 503)
    return problem_page(request, SuyuanError("internal", "Something went wrong on this side."), 500)


def _reference(request: Call) -> str:
    return str(request.scope.get("suyuan_reference", ""))
