"""Signing in and out: password, second factor, one-time links, and the language of the pages.

The same words answer a wrong name and a wrong password, after the same work. A link's page can be opened any number
of times, since mail programs open links too; only its form uses the link up.
"""

from __future__ import annotations

import re

import segno
from litestar import get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath
from markupsafe import Markup

from suyuan.api.model import Call
from suyuan.console.access import (
    Console,
    address_of,
    console_of,
    drop_session,
    find_signed_in,
    next_path,
    operator_name,
    read_form,
    set_session,
    sign_in_path,
    stored_session,
)
from suyuan.console.frame import LANGUAGE_COOKIE, Page, Tone, Words, redirect, render, words
from suyuan.console.refusals import explained
from suyuan.db.pool import Connection, transaction
from suyuan.errors import InputError, SuyuanError
from suyuan.parties.origins import network_of
from suyuan.parties.passwords import check_password, hash_password, needs_new_hash, verify_password
from suyuan.parties.sessions import end_session, end_sessions, open_session
from suyuan.parties.sessions_attempts import HeldError
from suyuan.parties.totp import looks_like_recovery_code, new_totp_secret, totp_step, totp_uri
from suyuan.parties.users import (
    User,
    find_user_secrets,
    get_user,
    get_user_secrets,
    make_recovery_codes,
    set_totp,
    set_user_language,
    store_password_hash,
    take_recovery_code,
    take_totp_step,
)
from suyuan.parties.users_journal import record_user_act
from suyuan.parties.users_links import get_link, link_path, offer_totp, take_link

_SIGN_IN = words("登录", "Sign in")
_SECOND = words("两步验证", "Second step")
_SET_UP = words("设置账户", "Set up your account")
_SAID: dict[str, tuple[Tone, Words]] = {
    "out": ("good", words("您已退出。", "You are signed out.")),
    "expired": ("info", words("登录已过期，请重新登录。", "Your session has ended. Please sign in again.")),
}
_BROWSERS = (
    ("MicroMessenger", "WeChat"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"),
    ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def device_of(agent: str) -> str:
    """What a browser says it is, in two words; nothing that would tell one person's from another's."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return " · ".join(part for part in (browser, system) if part)


# -- password ---------------------------------------------------------------------------------------------------


@get("/console/sign-in")
async def sign_in_page(request: Call) -> Page:
    """The form for name and password."""
    back = next_path(request.query_params.get("next") or "")
    if await find_signed_in(request) is not None:
        return redirect(back)
    said = _SAID.get(request.query_params.get("said") or "")
    return _sign_in_form(request, back, messages=[said] if said else [])


def _sign_in_form(
    request: Call, back: str, *, name: str = "", status: int = 200, messages: list[tuple[Tone, Words]]
) -> Page:
    return render(
        request,
        "sign_in.html",
        None,
        title=_SIGN_IN,
        status=status,
        messages=messages,
        back=back,
        user_name=name,
    )


def complaint(error: SuyuanError) -> tuple[Tone, Words]:
    """A refusal as a message above the form that it is about."""
    reason, remedy = explained(error)
    return "alarm", Words(f"{reason.zh}{remedy.zh}", f"{reason.en} {remedy.en}".rstrip())


@post("/console/sign-in")
async def sign_in(request: Call) -> Page:
    """Check name and password; the second factor comes next."""
    form = await read_form(request)
    console, address = console_of(request), address_of(request)
    name, back = form.get("name", ""), next_path(form.get("next", ""))
    pool = console.services.pool
    found = await find_user_secrets(pool, name)
    known = found.user_id if found is not None else None
    try:
        attempt = await console.attempts.begin(name, address)
    except HeldError as held:
        await record_user_act(pool, "sign-in-held", known, address=address)
        return _sign_in_form(request, back, name=name, status=429, messages=[complaint(held)])
    password = form.get("password", "")
    usable = found is not None and found.disabled_at is None and found.totp_sealed is not None
    right = await verify_password(found.password_hash if found is not None and usable else None, password)
    if found is None or not right:
        await record_user_act(pool, "sign-in-failed", known, address=address)
        wrong = InputError(
            "user.sign_in.wrong",
            "Name or password is wrong.",
            remedy="Type them again; an admin of your party can reset a forgotten password.",
        )
        return _sign_in_form(request, back, name=name, status=403, messages=[complaint(wrong)])
    await console.attempts.right(attempt)
    if found.password_hash is not None and needs_new_hash(found.password_hash):
        await store_password_hash(pool, found.user_id, await hash_password(password))
    await _end_present(request, console)
    secret = await open_session(pool, found.user_id, "password", network=network_of(address))
    target = "/console/second-factor" + sign_in_path(back).removeprefix("/console/sign-in")
    return set_session(redirect(target), request, secret)


async def _end_present(request: Call, console: Console) -> None:
    """Whatever session the browser held before a sign-in ends with it."""
    before = await stored_session(request)
    if before is not None:
        await end_session(console.services.pool, before.session_id, before.user.user_id)


async def enter(request: Call, user: User, response: Page) -> Page:
    """Open a full session for a user, with a token that no browser held before."""
    console, address = console_of(request), address_of(request)
    await _end_present(request, console)
    secret = await open_session(
        console.services.pool,
        user.user_id,
        "full",
        device=device_of(request.headers.get("user-agent", "")),
        network=network_of(address),
    )
    return set_session(response, request, secret)


# -- second factor ----------------------------------------------------------------------------------------------


@get("/console/second-factor")
async def second_factor_page(request: Call) -> Page:
    """The form for the code of the second factor."""
    back = next_path(request.query_params.get("next") or "")
    stored = await stored_session(request)
    if stored is None:
        return redirect(sign_in_path(back))
    if stored.stage == "full":
        return redirect(back)
    return render(request, "second_factor.html", None, title=_SECOND, back=back)


@post("/console/second-factor")
async def second_factor(request: Call) -> Page:
    """Check the code, or a recovery code, and open the session."""
    form = await read_form(request)
    back = next_path(form.get("next", ""))
    stored = await stored_session(request)
    if stored is None or stored.stage != "password":
        return redirect(sign_in_path(back))
    user = stored.user
    console, address = console_of(request), address_of(request)
    pool = console.services.pool
    counted = f"second factor of {user.user_name}"
    try:
        await console.attempts.begin(counted, address)
        await check_second_factor(console, user, form.get("code", ""), address)
    except (HeldError, InputError) as error:
        status = error.http_status if isinstance(error, HeldError) else 403
        return render(
            request,
            "second_factor.html",
            None,
            title=_SECOND,
            status=status,
            messages=[complaint(error)],
            back=back,
        )
    await console.attempts.succeeded(counted, address)
    await console.attempts.succeeded(user.user_name, address)
    await record_user_act(pool, "signed-in", user.user_id, address=address)
    return await enter(request, user, redirect(back))


async def check_second_factor(console: Console, user: User, code: str, address: str) -> None:
    """Use up a one-time code or a recovery code. Raises ``InputError`` (``user.totp.wrong``)."""
    pool = console.services.pool
    if looks_like_recovery_code(code):
        if await take_recovery_code(pool, user.user_id, code):
            await record_user_act(pool, "recovery-code-used", user.user_id, address=address)
            return
    else:
        secrets = await get_user_secrets(pool, user.user_id)
        if secrets.totp_sealed is not None:
            secret = console.keys.unseal(user.user_id, secrets.totp_sealed)
            step = totp_step(secret, code, secrets.totp_step)
            if step is not None and await take_totp_step(pool, user.user_id, step):
                return
    await record_user_act(pool, "second-factor-failed", user.user_id, address=address)
    raise wrong_code()


def wrong_code() -> InputError:
    """The error for a code that does not fit, or was used before."""
    return InputError(
        "user.totp.wrong",
        "The code is wrong, or it was used already.",
        path="code",
        remedy="Type the one that your app shows now; check the clock of your phone.",
    )


@post("/console/sign-out")
async def sign_out(request: Call) -> Page:
    """End the session."""
    stored, console = await stored_session(request), console_of(request)
    if stored is not None:
        await end_session(console.services.pool, stored.session_id, stored.user.user_id)
        await record_user_act(
            console.services.pool, "signed-out", stored.user.user_id, address=address_of(request)
        )
    return drop_session(redirect("/console/sign-in?said=out"), request)


# -- one-time links ---------------------------------------------------------------------------------------------


def qr_code(text: str) -> Markup:
    """A QR code as a drawing inside the page."""
    drawing = segno.make(text, error="m").svg_inline(omitsize=True, border=3, svgclass="qr", lineclass=None)
    return Markup(drawing)  # noqa: S704 - made of our own text, which holds no markup


async def _set_up_page(
    request: Call, secret: str, *, status: int = 200, messages: list[tuple[Tone, Words]]
) -> Page:
    console = console_of(request)
    pool = console.services.pool
    link = await get_link(pool, secret)
    user = await get_user(pool, link.user_id)
    sealed = link.totp_sealed
    if sealed is None:
        sealed = await offer_totp(pool, secret, console.keys.seal(user.user_id, new_totp_secret()))
    totp = console.keys.unseal(user.user_id, sealed)
    return render(
        request,
        "set_up.html",
        None,
        title=_SET_UP,
        status=status,
        messages=messages,
        user=user,
        action=link_path(secret),
        qr=qr_code(totp_uri(totp, user.user_name, f"Suyuan {operator_name(request, 'en')}")),
        totp=re.sub(r"(.{4})", r"\1 ", totp).strip(),
    )


@get("/console/link/{secret:str}")
async def link_page(request: Call, secret: FromPath[str]) -> Page:
    """Where a one-time link leads: to set up an account, or into a session."""
    link = await get_link(console_of(request).services.pool, secret)
    if link.purpose == "enter":
        title = words("进入控制台", "Enter the console")
        user = await get_user(console_of(request).services.pool, link.user_id)
        return render(request, "enter.html", None, title=title, action=link_path(secret), user=user)
    return await _set_up_page(request, secret, messages=[])


@post("/console/link/{secret:str}")
async def use_link(request: Call, secret: FromPath[str]) -> Page:
    """Use a one-time link up."""
    pool = console_of(request).services.pool
    link = await get_link(pool, secret)
    user = await get_user(pool, link.user_id)
    address = address_of(request)
    if link.purpose == "enter":

        async def take(conn: Connection) -> None:
            await take_link(conn, secret, "enter")
            await record_user_act(conn, "link-used", user.user_id, address=address)
            await record_user_act(conn, "signed-in", user.user_id, address=address)

        await transaction(pool, take)
        return await enter(request, user, redirect("/console"))
    try:
        codes = await _set_up(request, secret, user, link.totp_sealed)
    except InputError as error:
        return await _set_up_page(request, secret, status=422, messages=[complaint(error)])
    title = words("恢复码", "Recovery codes")
    page = render(request, "recovery_codes.html", None, title=title, codes=codes, onward="/console")
    return await enter(request, user, page)


async def _set_up(request: Call, secret: str, user: User, sealed: bytes | None) -> list[str]:
    """Set password and second factor of a link's user, and make its recovery codes. Raises ``InputError``."""
    console, address, form = console_of(request), address_of(request), await read_form(request)
    check_new_password(form, user.user_name)
    step = totp_step(console.keys.unseal(user.user_id, sealed), form.get("code", ""), 0) if sealed else None
    if sealed is None or step is None:
        raise wrong_code()
    password_hash = await hash_password(form["password"])
    factor, confirmed = sealed, step

    async def work(conn: Connection) -> list[str]:
        await take_link(conn, secret, "set-up")
        await store_password_hash(conn, user.user_id, password_hash)
        await set_totp(conn, user.user_id, factor, confirmed)
        codes = await make_recovery_codes(conn, user.user_id)
        await end_sessions(conn, user.user_id)
        for act in ("link-used", "password-set", "second-factor-set", "signed-in"):
            await record_user_act(conn, act, user.user_id, address=address)
        return codes

    codes = await transaction(console.services.pool, work)
    await console.attempts.succeeded(user.user_name, address)
    return codes


def check_new_password(form: dict[str, str], user_name: str) -> None:
    """Check a new password and its repetition. Raises ``InputError`` (``user.password.*``)."""
    password = form.get("password", "")
    check_password(password, user_name)
    if form.get("again", "") != password:
        raise InputError(
            "user.password.repeat", "The two passwords differ.", path="again", remedy="Type them again."
        )


# -- language ---------------------------------------------------------------------------------------------------


@post("/console/language")
async def choose_language(request: Call) -> Page:
    """Keep the language that somebody chose, in the account and in the browser."""
    form = await read_form(request)
    chosen = "en" if form.get("language") == "en" else "zh-CN"
    session, console = await find_signed_in(request), console_of(request)
    if session is not None:
        await set_user_language(console.services.pool, session.user.user_id, chosen)
    response = redirect(next_path(form.get("next", "")))
    response.set_cookie(
        Cookie(
            LANGUAGE_COOKIE,
            value=chosen,
            path="/console",
            max_age=365 * 86400,
            httponly=True,
            secure=console.secure,
            samesite="lax",
        )
    )
    return response


ROUTES = (
    sign_in_page,
    sign_in,
    second_factor_page,
    second_factor,
    sign_out,
    link_page,
    use_link,
    choose_language,
)
