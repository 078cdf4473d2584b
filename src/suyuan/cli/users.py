"""``suyuan user``: people who sign in to the console. No command ever sets or shows a password."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from suyuan.cli.context import AsJson, CommandLine, DataDir, load_settings, note, run, say, show

if TYPE_CHECKING:
    from suyuan.app import Services
    from suyuan.db.pool import Connection
    from suyuan.parties.users import User

user = CommandLine(no_args_is_help=True, help="People who sign in to the console: add, list, close, reset.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name with which the person signs in.")]


def _show_link(user: User, secret: str, expires_at: datetime, data_dir: DataDir, as_json: bool) -> None:
    from suyuan.parties.users_links import link_path

    link = load_settings(data_dir).base_url + link_path(secret)
    found = {
        "user_id": user.user_id,
        "user_name": user.user_name,
        "party_id": user.party_id,
        "role": user.role,
        "link": link,
        "expires_at": expires_at,
    }
    show(found, as_json, lambda: link)
    note(
        f"Hand this link to {user.user_name}: it works once, until {expires_at:%Y-%m-%d %H:%M} UTC.",
        f"请把链接交给 {user.user_name}：只能使用一次，有效期至 {expires_at:%Y-%m-%d %H:%M} UTC。",
    )


@user.command("add")
def add(
    name: Name,
    party_id: Annotated[str, typer.Option("--party", metavar="ID", help="The member it works for.")],
    role: Annotated[str, typer.Option(help="admin, worker or reader.")] = "worker",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Add a person and print a one-time link, through which it chooses password and second factor.

    \b
      suyuan user add lin --party haimen --role admin
    """

    async def work(services: Services) -> tuple[User, str, datetime]:
        from suyuan.db.pool import transaction
        from suyuan.parties.users import add_user
        from suyuan.parties.users_journal import record_user_act
        from suyuan.parties.users_links import make_link

        async def adding(conn: Connection) -> tuple[User, str, datetime]:
            made = await add_user(conn, name, party_id, role)
            secret, expires_at = await make_link(conn, made.user_id, "set-up")
            await record_user_act(conn, "added", made.user_id, detail=made.role)
            await record_user_act(conn, "link-made", made.user_id)
            return made, secret, expires_at

        return await transaction(services.pool, adding)

    made, secret, expires_at = run(data_dir, work)
    _show_link(made, secret, expires_at, data_dir, as_json)


@user.command("list")
def list_all(
    party_id: Annotated[str, typer.Option("--party", metavar="ID", help="Of this member alone.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the people who can sign in, and those who cannot yet or no longer."""
    from suyuan.parties.users import list_users

    found = run(data_dir, lambda services: list_users(services.pool, party_id or None))

    def line(one: User) -> str:
        state = say("closed", "已停用") if one.disabled_at else say("in use", "正常")
        if not one.disabled_at and not (one.has_password and one.has_totp):
            state = say("not set up", "待设置")
        seen = f"{one.seen_at:%Y-%m-%d %H:%M}" if one.seen_at else "-"
        return f"{one.user_name:<24} {one.party_id:<24} {one.role:<7} {state:<11} {seen}"

    show([msgspec.structs.asdict(one) for one in found], as_json, lambda: "\n".join(map(line, found)))


async def _named(conn: Connection, name: str) -> User:
    from suyuan.parties.users import find_user, unknown_user

    found = await find_user(conn, name)
    if found is None:
        raise unknown_user(name)
    return found


@user.command("disable")
def disable(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Close an account: its sessions end at once, nobody can sign in to it. A reset opens it again."""

    async def work(services: Services) -> User:
        from suyuan.db.pool import transaction
        from suyuan.parties.sessions import end_sessions
        from suyuan.parties.users import disable_user
        from suyuan.parties.users_journal import record_user_act

        async def closing(conn: Connection) -> User:
            found = await _named(conn, name)
            closed = await disable_user(conn, found.user_id, last_admin_too=True)
            await end_sessions(conn, found.user_id)
            await record_user_act(conn, "disabled", found.user_id)
            return closed

        return await transaction(services.pool, closing)

    done = run(data_dir, work)
    show(msgspec.structs.asdict(done), as_json, lambda: say(f"{name} is closed", f"{name} 已停用"))


@user.command("reset")
def reset(
    name: Name,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Take password and second factor away, end all sessions, and print a new one-time link."""
    made, secret, expires_at = run(data_dir, lambda services: _reset(services, name))
    _show_link(made, secret, expires_at, data_dir, as_json)


async def _reset(services: Services, name: str) -> tuple[User, str, datetime]:
    from suyuan.db.pool import transaction
    from suyuan.parties.sessions import end_sessions
    from suyuan.parties.users import clear_user_secrets, enable_user
    from suyuan.parties.users_journal import record_user_act
    from suyuan.parties.users_links import make_link

    async def resetting(conn: Connection) -> tuple[User, str, datetime]:
        found = await _named(conn, name)
        await clear_user_secrets(conn, found.user_id)
        await end_sessions(conn, found.user_id)
        opened = await enable_user(conn, found.user_id)
        secret, expires_at = await make_link(conn, found.user_id, "set-up")
        await record_user_act(conn, "reset", found.user_id)
        await record_user_act(conn, "link-made", found.user_id)
        return opened, secret, expires_at

    return await transaction(services.pool, resetting)


def demo_entrance(data_dir: Path, party_id: str, name: str = "demo") -> str:
    """The path of a one-time link into a session of an admin of ``party_id``, whom nobody gave a password.

    For ``suyuan demo`` alone: its deployment is thrown away, and whoever starts it may see all of it.
    """

    async def work(services: Services) -> str:
        from suyuan.db.pool import transaction
        from suyuan.parties.users import add_user
        from suyuan.parties.users_journal import record_user_act
        from suyuan.parties.users_links import link_path, make_link

        async def entering(conn: Connection) -> str:
            made = await add_user(conn, name, party_id, "admin")
            secret, _ = await make_link(conn, made.user_id, "enter")
            await record_user_act(conn, "added", made.user_id, detail="admin")
            await record_user_act(conn, "link-made", made.user_id)
            return link_path(secret)

        return await transaction(services.pool, entering)

    return run(data_dir, work)
