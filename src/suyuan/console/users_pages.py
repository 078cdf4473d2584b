"""The users of a party, and the journal of their accounts; for admins.

An admin sees and keeps the users of its own party; an admin of the operator those of every party. A link that sets an
account up is shown once, to whoever made it, to be handed to the person it is for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from litestar import get, post
from litestar.params import FromPath

from suyuan.api.model import Call
from suyuan.console.access import Session, address_of, console_of, read_form, signed_in
from suyuan.console.frame import NavEntry, Page, Tone, Words, flash, redirect, render, words
from suyuan.console.sessions_pages import complaint
from suyuan.db.pool import Connection, transaction
from suyuan.errors import ConflictError, InputError, NotFoundError, PermissionDenied, RefusedError
from suyuan.parties import list_parties
from suyuan.parties.sessions import end_sessions
from suyuan.parties.users import (
    USER_ROLES,
    User,
    add_user,
    clear_user_secrets,
    disable_user,
    enable_user,
    get_user,
    list_users,
    set_user_role,
    unknown_user,
)
from suyuan.parties.users_journal import list_user_acts, record_user_act
from suyuan.parties.users_links import link_path, make_link

NAV = (
    NavEntry("users", "/console/users", "用户", "Users", "users", "admin"),
    NavEntry("journal", "/console/journal", "登录记录", "Sign-ins", "journal", "admin"),
)
_USERS = words("用户", "Users")
_JOURNAL = words("登录记录", "Sign-ins")
_PAGE = 50


async def _users(
    request: Call,
    session: Session,
    *,
    status: int = 200,
    messages: list[tuple[Tone, Words]],
    form: dict[str, str] | None = None,
) -> Page:
    pool = console_of(request).services.pool
    everyone = session.is_operator
    return render(
        request,
        "users.html",
        session,
        title=_USERS,
        nav="users",
        status=status,
        messages=messages,
        form=form,
        users=await list_users(pool, None if everyone else session.party.party_id),
        parties=await list_parties(pool, limit=1000) if everyone else [],
        roles=tuple(USER_ROLES),
    )


@get("/console/users")
async def users(request: Call) -> Page:
    """The users that an admin keeps."""
    return await _users(request, await signed_in(request, "admin"), messages=[])


def _show_link(request: Call, session: Session, user: User, secret: str, expires_at: object) -> Page:
    return render(
        request,
        "user_link.html",
        session,
        title=words("一次性链接", "One-time link"),
        nav="users",
        user=user,
        link=console_of(request).services.settings.base_url + link_path(secret),
        expires_at=expires_at,
    )


@post("/console/users")
async def add(request: Call) -> Page:
    """Add a user and show its one-time link."""
    session, form = await signed_in(request, "admin"), await read_form(request)
    party_id = form.get("party_id", "") if session.is_operator else session.party.party_id

    async def work(conn: Connection) -> Page:
        user = await add_user(conn, form.get("user_name", ""), party_id, form.get("role", ""))
        secret, expires_at = await make_link(conn, user.user_id, "set-up")
        for act, detail in (("added", user.role), ("link-made", "")):
            await _record(conn, request, session, act, user, detail)
        return _show_link(request, session, user, secret, expires_at)

    try:
        return await transaction(console_of(request).services.pool, work)
    except (InputError, ConflictError, NotFoundError) as error:
        return await _users(request, session, status=422, messages=[complaint(error)], form=form)


async def _record(
    conn: Connection, request: Call, session: Session, act: str, user: User, detail: str = ""
) -> None:
    await record_user_act(
        conn,
        act,  # type: ignore[arg-type]
        user.user_id,
        actor_id=session.user.user_id,
        address=address_of(request),
        detail=detail,
    )


async def _kept(conn: Connection, session: Session, user_id: str) -> User:
    """A user that this admin keeps and that is not itself. Raises ``NotFoundError`` and ``PermissionDenied``."""
    user = await get_user(conn, user_id)
    if user.party_id != session.party.party_id and not session.is_operator:
        raise unknown_user(user_id)  # of another party: to this admin it does not exist
    if user.user_id == session.user.user_id:
        raise PermissionDenied(
            "user.self",
            "Admins do not change their own account here.",
            remedy="Use the page of your account, or ask another admin.",
        )
    return user


@post("/console/users/{user_id:str}/reset")
async def reset(request: Call, user_id: FromPath[str]) -> Page:
    """Take password and second factor away, end all sessions, and show a new one-time link."""
    session = await signed_in(request, "admin")

    async def work(conn: Connection) -> Page:
        user = await _kept(conn, session, user_id)
        await clear_user_secrets(conn, user_id)
        await end_sessions(conn, user_id)
        secret, expires_at = await make_link(conn, user_id, "set-up")
        await _record(conn, request, session, "reset", user)
        await _record(conn, request, session, "link-made", user)
        return _show_link(request, session, user, secret, expires_at)

    return await transaction(console_of(request).services.pool, work)


async def _changed(
    request: Call,
    user_id: str,
    change: Callable[[Connection, Session, User], Awaitable[None]],
    said: Callable[[User], Words],
) -> Page:
    """Change an account that this admin keeps, and say so on the list; a refusal stands above it."""
    session = await signed_in(request, "admin")

    async def work(conn: Connection) -> User:
        user = await _kept(conn, session, user_id)
        await change(conn, session, user)
        return user

    try:
        user = await transaction(console_of(request).services.pool, work)
    except (InputError, RefusedError) as error:
        return await _users(request, session, status=422, messages=[complaint(error)])
    return flash(redirect("/console/users"), session, "good", said(user))


@post("/console/users/{user_id:str}/role")
async def change_role(request: Call, user_id: FromPath[str]) -> Page:
    """Give a user another role."""
    role = (await read_form(request)).get("role", "")

    async def change(conn: Connection, session: Session, user: User) -> None:
        changed = await set_user_role(conn, user_id, role)
        await _record(conn, request, session, "role-set", user, changed.role)

    return await _changed(
        request,
        user_id,
        change,
        lambda user: words("{user} 的角色已更改。", "The role of {user} is changed.", user=user.user_name),
    )


@post("/console/users/{user_id:str}/disable")
async def disable(request: Call, user_id: FromPath[str]) -> Page:
    """Close an account; its sessions end at once."""

    async def change(conn: Connection, session: Session, user: User) -> None:
        await disable_user(conn, user_id)
        await end_sessions(conn, user_id)
        await _record(conn, request, session, "disabled", user)

    return await _changed(
        request,
        user_id,
        change,
        lambda user: words("{user} 已停用。", "{user} is closed.", user=user.user_name),
    )


@post("/console/users/{user_id:str}/enable")
async def enable(request: Call, user_id: FromPath[str]) -> Page:
    """Open a closed account again."""

    async def change(conn: Connection, session: Session, user: User) -> None:
        await enable_user(conn, user_id)
        await _record(conn, request, session, "enabled", user)

    return await _changed(
        request,
        user_id,
        change,
        lambda user: words("{user} 已启用。", "{user} is open again.", user=user.user_name),
    )


@get("/console/journal")
async def journal(request: Call) -> Page:
    """What happened to the accounts, newest first."""
    session = await signed_in(request, "admin")
    text = request.query_params.get("before") or ""
    before = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None
    party_id = None if session.is_operator else session.party.party_id
    acts = await list_user_acts(
        console_of(request).services.pool, party_id=party_id, before=before, limit=_PAGE + 1
    )
    older = "?" + urlencode({"before": acts[_PAGE - 1].act_id}) if len(acts) > _PAGE else ""
    return render(
        request,
        "journal.html",
        session,
        title=_JOURNAL,
        nav="journal",
        acts=acts[:_PAGE],
        older=older,
        newest=before is None,
    )


ROUTES = (users, add, reset, change_role, disable, enable, journal)
