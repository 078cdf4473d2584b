"""Who sits at the browser, and whether what it sent was meant.

For the pages:

- ``session = await signed_in(request)``: the ``Session`` of whoever is signed in; ``await signed_in(request,
  "worker")`` asks for a role (``reader`` < ``worker`` < ``admin``). Nobody signed in: the browser is sent to sign in
  and comes back. Too small a role: a page with status 403.
- ``Session``: ``user``, ``party``, ``grants``, ``viewer`` (for ``services.reader``), ``csrf``, ``is_operator``.
- ``form = await read_form(request)``: the fields of a POSTed form, each once, as ``dict[str, str]``; a list with
  ``await read_form_lists(request)``. Bodies over 64 KB are refused.
- ``services_of(request)`` (of ``suyuan.api.model``): the services; ``console_of(request)``: what the accounts need.

Every POST below ``/console`` passes ``check_form`` before its handler runs, so no page can forget it: the Origin must
be our own and the hidden field ``csrf`` (``{{ csrf_field() }}``) must fit the browser's cookie. The field is a keyed
digest of the session's token, thus worth nothing with another session, and changes at every sign-in.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from datetime import UTC, datetime
from typing import Any, Literal, cast
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec
from litestar.datastructures import Cookie

from suyuan.api.addresses import ADDRESS
from suyuan.api.model import Call, Services, services_of
from suyuan.canon import base32_text
from suyuan.console.frame import Page, Words
from suyuan.console.open_findings import OpenFindings
from suyuan.db.keyfiles import load_or_create
from suyuan.errors import InputError, PermissionDenied, TooLargeError
from suyuan.parties import Grant, Party, find_holders, get_party, grants_at
from suyuan.parties.sessions import UserSession, find_session
from suyuan.parties.sessions_attempts import Attempts
from suyuan.parties.totp import UserKeys
from suyuan.parties.users import User, UserRole
from suyuan.trace import Viewer

MAX_FORM_BYTES = 65_536
_OPERATOR_SECONDS = 60.0
_SAFE = ("GET", "HEAD", "OPTIONS")
_NEXT = re.compile(r"/console(?:[/?][\x21-\x5b\x5d-\x7e]*)?")


class SignInNeeded(Exception):  # noqa: N818 - it is no error: the browser is sent to sign in
    """Nobody is signed in; ``next_path`` is where to come back to."""

    def __init__(self, next_path: str, *, expired: bool = False) -> None:
        super().__init__("sign in")
        self.next_path = next_path
        self.expired = expired


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in, for which party, and what that party may see."""

    session_id: str
    user: User
    party: Party
    grants: tuple[Grant, ...]
    viewer: Viewer
    csrf: str
    secure: bool
    offered_totp: bytes | None = None

    @property
    def is_operator(self) -> bool:
        """Whether the party runs this deployment."""
        return any(grant.role == "operator" and grant.covers() for grant in self.grants)


class Console:
    """What the accounts of one process need; made once, with the routes."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.keys = UserKeys(load_or_create("console-users", 32, directory=services.settings.keys_dir))
        self.attempts = Attempts(services.pool, self.keys)
        self.secure = services.settings.base_url.startswith("https://")
        self.origin = services.settings.base_url
        # The prefix makes browsers refuse a cookie that another host or an unencrypted page set.
        self.session_cookie = "__Host-suyuan_session" if self.secure else "suyuan_session"
        self.visit_cookie = "__Host-suyuan_visit" if self.secure else "suyuan_visit"
        configured = services.settings
        self.operator = Words(configured.operator_name_zh, configured.operator_name_en)
        self._asked = -_OPERATOR_SECONDS
        self.open_findings = OpenFindings()

    def __deepcopy__(self, memo: dict[int, Any]) -> Console:
        # The framework copies routers with what hangs on them; there is one pool and one set of limits.
        return self

    async def know_operator(self) -> None:
        """Keep the operator's name at hand; the setting counts before the party that holds the role."""
        configured = self.services.settings
        if all((configured.operator_name_zh, configured.operator_name_en)):
            return
        if time.monotonic() - self._asked < _OPERATOR_SECONDS:
            return
        self._asked = time.monotonic()
        holders = await find_holders(self.services.pool, "operator", datetime.now(UTC))
        if holders:
            party = await get_party(self.services.pool, holders[0].party_id)
            self.operator = Words(
                configured.operator_name_zh or party.name_zh, configured.operator_name_en or party.name_en
            )


def console_of(request: Call) -> Console:
    """The console that this request belongs to."""
    return cast("Console", request.route_handler.opt["console"])


def operator_name(request: Call, code: str) -> str:
    """The operator's name in a language; the host where it has none."""
    console = console_of(request)
    return console.operator.of(code) or urlsplit(console.origin).netloc


def address_of(request: Call) -> str:
    """The address that the request came from, read behind trusted proxies; the same that limits count by."""
    return str(request.scope.get(ADDRESS) or (request.client.host if request.client is not None else ""))


# -- the session ------------------------------------------------------------------------------------------------


def session_secret(request: Call) -> str:
    """The session's token in the browser's cookie, or nothing."""
    return request.cookies.get(console_of(request).session_cookie, "")


def set_session(response: Page, request: Call, secret: str) -> Page:
    """Give the browser a session's token. It lasts as long as the browser is open; the database says how long."""
    console = console_of(request)
    response.set_cookie(_cookie(console.session_cookie, secret, console))
    return response


def drop_session(response: Page, request: Call) -> Page:
    """Take the session's token from the browser."""
    console = console_of(request)
    gone = _cookie(console.session_cookie, "", console)
    gone.max_age = 0
    response.set_cookie(gone)
    return response


def _cookie(name: str, value: str, console: Console) -> Cookie:
    return Cookie(name, value=value, path="/", httponly=True, secure=console.secure, samesite="lax")


async def stored_session(request: Call) -> UserSession | None:
    """The session of the browser's cookie, at whichever stage, or None. Looked up once for a request."""
    known: dict[str, Any] = request.scope  # type: ignore[assignment]
    if "suyuan_session" not in known:
        secret = session_secret(request)
        pool = console_of(request).services.pool
        known["suyuan_session"] = await find_session(pool, secret) if secret else None
    return cast("UserSession | None", known["suyuan_session"])


async def find_signed_in(request: Call) -> Session | None:
    """The full session of the browser, or None."""
    known: dict[str, Any] = request.scope  # type: ignore[assignment]
    if "suyuan_person" not in known:
        known["suyuan_person"] = await _person(request)
    return cast("Session | None", known["suyuan_person"])


def person_at(request: Call) -> Session | None:
    """What ``find_signed_in`` found for this request, if it was asked."""
    return cast("Session | None", request.scope.get("suyuan_person"))


async def _person(request: Call) -> Session | None:
    stored = await stored_session(request)
    if stored is None or stored.stage != "full":
        return None
    services = services_of(request)
    user = stored.user
    request.scope["suyuan_party"] = user.party_id  # type: ignore[typeddict-unknown-key]
    party = await get_party(services.pool, user.party_id)
    grants = tuple(await grants_at(services.pool, user.party_id, datetime.now(UTC)))
    return Session(
        session_id=stored.session_id,
        user=user,
        party=party,
        grants=grants,
        viewer=await services.reader.viewer_of(user.party_id),
        csrf=_csrf(session_secret(request)),
        secure=console_of(request).secure,
        offered_totp=stored.offered_totp,
    )


async def signed_in(request: Call, role: UserRole | Literal[""] = "") -> Session:
    """The session of whoever is signed in. Raises ``SignInNeeded`` and ``PermissionDenied`` (``user.role.missing``)."""
    session = await find_signed_in(request)
    if session is None:
        url = request.url
        back = url.path + (f"?{url.query}" if url.query else "") if request.method in _SAFE else ""
        raise SignInNeeded(back, expired=bool(session_secret(request)))
    if role and not session.user.may(role):
        raise PermissionDenied(
            "user.role.missing",
            f"This page is for users with the role {role}.",
            remedy="An admin of your party can give you the role.",
        )
    return session


def next_path(text: str) -> str:
    """Where to go after signing in: only ever a page of the console."""
    return text if _NEXT.fullmatch(text) and "//" not in text.partition("?")[0] else "/console"


def sign_in_path(back: str) -> str:
    """The address of the page to sign in, which leads back."""
    back = next_path(back) if back else ""
    return "/console/sign-in" + (f"?next={quote(back, safe='/')}" if back not in ("", "/console") else "")


# -- forms ------------------------------------------------------------------------------------------------------


def _csrf(secret: str) -> str:
    return hmac.new(secret.encode(), b"suyuan console form", hashlib.sha256).hexdigest()[:40]


def csrf_of(request: Call, session: Session | None) -> tuple[str, Cookie | None]:
    """The value of a form's hidden field, and the cookie that it is bound to where the browser has none yet."""
    if session is not None:
        return session.csrf, None
    secret, console = session_secret(request), console_of(request)
    stored = request.scope.get("suyuan_session")
    if secret and stored is not None:
        return _csrf(secret), None
    visit = request.cookies.get(console.visit_cookie, "")
    if re.fullmatch(r"[a-z2-7]{32}", visit):
        return _csrf(visit), None
    visit = base32_text(secrets.token_bytes(20))
    return _csrf(visit), _cookie(console.visit_cookie, visit, console)


async def check_form(request: Call) -> None:
    """Refuse a request that changes something unless one of our own pages sent it, in this browser.

    Raises ``PermissionDenied`` (``console.form.origin``, ``console.form.stale``) and ``TooLargeError``
    (``console.form.size``).
    """
    console = console_of(request)
    await console.know_operator()
    if request.method in _SAFE:
        return
    origin = request.headers.get("origin") or _origin_of(request.headers.get("referer", ""))
    ours = {console.origin, f"{'https' if console.secure else 'http'}://{request.headers.get('host', '')}"}
    site = request.headers.get("sec-fetch-site", "same-origin")
    if origin not in ours or site not in ("same-origin", "none"):
        raise PermissionDenied(
            "console.form.origin",
            "This form was not sent by a page of this console.",
            remedy="Open the page here and send it again.",
        )
    given = (await read_form(request)).get("csrf", "")
    secret, stored = session_secret(request), await stored_session(request)
    bound = secret if secret and stored is not None else request.cookies.get(console.visit_cookie, "")
    if not bound or not hmac.compare_digest(given.encode(), _csrf(bound).encode()):
        raise PermissionDenied(
            "console.form.stale",
            "The page that this form stood on is out of date.",
            remedy="Load the page again; if you were signed out meanwhile, sign in first.",
        )


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


async def read_form_lists(request: Call) -> dict[str, list[str]]:
    """The fields of a POSTed form, each with all its values.

    Raises ``InputError`` (``console.form.unreadable``) and ``TooLargeError`` (``console.form.size``).
    """
    length = request.headers.get("content-length", "0")
    if (
        not length.isdigit()
        or int(length) > MAX_FORM_BYTES
        or len(body := await request.body()) > MAX_FORM_BYTES
    ):
        raise TooLargeError("console.form.size", f"A form has at most {MAX_FORM_BYTES} bytes.")
    found: dict[str, list[str]] = {}
    try:
        for name, value in parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=500
        ):
            found.setdefault(name, []).append(value)
    except ValueError:
        raise InputError("console.form.unreadable", "The form cannot be read.") from None
    return found


async def read_form(request: Call) -> dict[str, str]:
    """The fields of a POSTed form, each with its last value. Raises as ``read_form_lists`` does."""
    return {name: values[-1] for name, values in (await read_form_lists(request)).items()}
