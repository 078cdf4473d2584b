"""One's own account: password, second factor, recovery codes, open sessions, language.

Whoever changes what lets a person in must give the password again: an unattended screen is not enough. Such a guess
counts like one at the door.
"""

from __future__ import annotations

import re

from litestar import get, post

from suyuan.api.model import Call
from suyuan.console.access import Session, address_of, console_of, operator_name, read_form, signed_in
from suyuan.console.frame import Page, Tone, Words, flash, redirect, render, words
from suyuan.console.sessions_pages import check_new_password, complaint, qr_code, wrong_code
from suyuan.db.pool import Connection, transaction
from suyuan.errors import InputError, RefusedError
from suyuan.parties.passwords import hash_password, verify_password
from suyuan.parties.sessions import (
    end_session,
    end_sessions,
    forget_offered_totp,
    list_sessions,
    offer_session_totp,
)
from suyuan.parties.sessions_attempts import HeldError
from suyuan.parties.totp import new_totp_secret, totp_step, totp_uri
from suyuan.parties.users import (
    count_recovery_codes,
    get_user_secrets,
    make_recovery_codes,
    set_totp,
    store_password_hash,
)
from suyuan.parties.users_journal import list_user_acts, record_user_act

_ACCOUNT = words("我的账户", "Your account")
_SECOND = words("更换验证器", "Another authenticator")
_CODES = words("恢复码", "Recovery codes")


async def _account(
    request: Call, session: Session, *, status: int = 200, messages: list[tuple[Tone, Words]]
) -> Page:
    pool, user_id = console_of(request).services.pool, session.user.user_id
    return render(
        request,
        "account.html",
        session,
        title=_ACCOUNT,
        nav="account",
        status=status,
        messages=messages,
        sessions=await list_sessions(pool, user_id),
        codes_left=await count_recovery_codes(pool, user_id),
        acts=await list_user_acts(pool, user_id=user_id, limit=8),
    )


@get("/console/account")
async def account(request: Call) -> Page:
    """The account of whoever is signed in."""
    return await _account(request, await signed_in(request), messages=[])


async def _check_own_password(request: Call, session: Session, password: str) -> None:
    """Raises ``InputError`` (``user.password.wrong``) and ``HeldError``."""
    console, address = console_of(request), address_of(request)
    attempt = await console.attempts.begin(session.user.user_name, address)
    secrets = await get_user_secrets(console.services.pool, session.user.user_id)
    if not await verify_password(secrets.password_hash, password):
        await record_user_act(console.services.pool, "sign-in-failed", session.user.user_id, address=address)
        raise InputError(
            "user.password.wrong", "The present password is wrong.", path="current", remedy="Type it again."
        )
    await console.attempts.right(attempt)


@post("/console/account/password")
async def change_password(request: Call) -> Page:
    """Set another password; all other sessions end."""
    session, form = await signed_in(request), await read_form(request)
    user = session.user
    try:
        await _check_own_password(request, session, form.get("current", ""))
        check_new_password(form, user.user_name)
    except (InputError, HeldError) as error:
        return await _account(request, session, status=422, messages=[complaint(error)])
    password_hash = await hash_password(form["password"])

    async def work(conn: Connection) -> None:
        await store_password_hash(conn, user.user_id, password_hash)
        await end_sessions(conn, user.user_id, but=session.session_id)
        await record_user_act(conn, "password-set", user.user_id, address=address_of(request))

    await transaction(console_of(request).services.pool, work)
    said = words("密码已更改，其他登录均已结束。", "The password is changed; all other sessions have ended.")
    return flash(redirect("/console/account"), session, "good", said)


# -- second factor ----------------------------------------------------------------------------------------------


async def _second_factor(
    request: Call, session: Session, *, status: int = 200, messages: list[tuple[Tone, Words]]
) -> Page:
    console, user = console_of(request), session.user
    sealed = session.offered_totp or await offer_session_totp(
        console.services.pool, session.session_id, console.keys.seal(user.user_id, new_totp_secret())
    )
    totp = console.keys.unseal(user.user_id, sealed)
    return render(
        request,
        "new_second_factor.html",
        session,
        title=_SECOND,
        nav="account",
        status=status,
        messages=messages,
        qr=qr_code(totp_uri(totp, user.user_name, f"Suyuan {operator_name(request, 'en')}")),
        totp=re.sub(r"(.{4})", r"\1 ", totp).strip(),
    )


def _needs_password(session: Session) -> None:
    if not session.user.has_password:
        raise RefusedError(
            "user.password.none",
            "This account has no password: a one-time link opened the session.",
            remedy="An admin, or suyuan user reset, makes a link that sets password and second factor.",
        )


@get("/console/account/second-factor")
async def new_second_factor(request: Call) -> Page:
    """Show a new second factor; it counts when its first code is given."""
    session = await signed_in(request)
    _needs_password(session)
    return await _second_factor(request, session, messages=[])


@post("/console/account/second-factor")
async def set_second_factor(request: Call) -> Page:
    """Confirm the new second factor with a code of it and the password."""
    session, form, console = await signed_in(request), await read_form(request), console_of(request)
    _needs_password(session)
    user, sealed = session.user, session.offered_totp
    if sealed is None:
        return redirect("/console/account/second-factor")
    try:
        await _check_own_password(request, session, form.get("current", ""))
        step = totp_step(console.keys.unseal(user.user_id, sealed), form.get("code", ""), 0)
        if step is None:
            raise wrong_code()
    except (InputError, HeldError) as error:
        return await _second_factor(request, session, status=422, messages=[complaint(error)])
    confirmed = step

    async def work(conn: Connection) -> None:
        await set_totp(conn, user.user_id, sealed, confirmed)
        await forget_offered_totp(conn, session.session_id)
        await end_sessions(conn, user.user_id, but=session.session_id)
        await record_user_act(conn, "second-factor-set", user.user_id, address=address_of(request))

    await transaction(console.services.pool, work)
    said = words("验证器已更换。", "The new authenticator counts from now on.")
    return flash(redirect("/console/account"), session, "good", said)


@post("/console/account/recovery-codes")
async def new_recovery_codes(request: Call) -> Page:
    """Make new recovery codes and show them once."""
    session, form = await signed_in(request), await read_form(request)
    _needs_password(session)
    user = session.user
    try:
        await _check_own_password(request, session, form.get("current", ""))
    except (InputError, HeldError) as error:
        return await _account(request, session, status=422, messages=[complaint(error)])

    async def work(conn: Connection) -> list[str]:
        await record_user_act(conn, "recovery-codes-made", user.user_id, address=address_of(request))
        return await make_recovery_codes(conn, user.user_id)

    codes = await transaction(console_of(request).services.pool, work)
    return render(
        request,
        "recovery_codes.html",
        session,
        title=_CODES,
        nav="account",
        codes=codes,
        onward="/console/account",
    )


# -- sessions ---------------------------------------------------------------------------------------------------


@post("/console/account/sessions")
async def end_other_session(request: Call) -> Page:
    """End one session by its ID, or all but the present one."""
    session, form = await signed_in(request), await read_form(request)
    pool, user_id = console_of(request).services.pool, session.user.user_id
    if form.get("session_id"):
        await end_session(pool, form["session_id"], user_id)
    else:
        await end_sessions(pool, user_id, but=session.session_id)
    await record_user_act(pool, "session-revoked", user_id, address=address_of(request))
    return flash(redirect("/console/account"), session, "good", words("已结束。", "Ended."))


ROUTES = (
    account,
    change_password,
    new_second_factor,
    set_second_factor,
    new_recovery_codes,
    end_other_session,
)
