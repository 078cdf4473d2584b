"""A deployment with its console open: the real database, real HTTP, people of two firms."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pyotp
from granian.server.embed import Server

from suyuan import settings
from suyuan.app import Services, open_services
from suyuan.asgi import opened
from suyuan.db.keyfiles import load_or_create
from suyuan.db.pool import Connection, transaction
from suyuan.parties import Party, add_party, grant_role
from suyuan.parties.passwords import hash_password
from suyuan.parties.sessions import open_session
from suyuan.parties.totp import UserKeys, new_totp_secret
from suyuan.parties.users import User, add_user, make_recovery_codes, set_totp, store_password_hash

PASSWORD = "korenbloem staal zeven lantaarn"
PARTIES = {
    "op": ("Demo operator", "演示运营方", "operator"),
    "haimen": ("Haimen Bonded", "海门保税", "bonded-warehouse"),
}


class Person(msgspec.Struct, frozen=True):
    """A user with everything that it needs to sign in."""

    user: User
    totp: str
    recovery: list[str]

    def code(self) -> str:
        """What the authenticator shows now."""
        return pyotp.TOTP(self.totp).now()


class Site(msgspec.Struct, frozen=True):
    """The console's address and the services behind it."""

    base: str
    services: Services

    async def person(
        self, name: str, party: str = "haimen", role: str = "worker", language: str = "en"
    ) -> Person:
        """A user who has set up its account."""
        pool = self.services.pool
        keys = UserKeys(load_or_create("console-users", 32, directory=self.services.settings.keys_dir))
        secret, hashed = new_totp_secret(), await hash_password(PASSWORD)

        async def work(conn: Connection) -> Person:
            user = await add_user(conn, name, party, role, language=language)
            await store_password_hash(conn, user.user_id, hashed)
            await set_totp(conn, user.user_id, keys.seal(user.user_id, secret), 0)
            return Person(user, secret, await make_recovery_codes(conn, user.user_id))

        return await transaction(pool, work)

    def browser(self, **more: Any) -> httpx.AsyncClient:
        """A browser without scripts: it keeps cookies and says where a form came from."""
        headers = {"Origin": self.base, **more.pop("headers", {})}
        return httpx.AsyncClient(base_url=self.base, headers=headers, trust_env=False, timeout=30, **more)

    async def session(self, person: Person) -> str:
        """A signed-in session's token, without the way through the door."""
        return await open_session(self.services.pool, person.user.user_id, "full", device="Firefox · Linux")

    async def signed_in(self, person: Person) -> httpx.AsyncClient:
        """A browser in which a person is signed in."""
        client = self.browser()
        client.cookies.set("suyuan_session", await self.session(person))
        return client


def csrf(page: httpx.Response) -> str:
    """The hidden field of a page's forms."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page.text)
    assert found, page.text[:2000]
    return found[1]


async def post(client: httpx.AsyncClient, path: str, form_on: str, **fields: str) -> httpx.Response:
    """Send a form that stands on the page ``form_on``."""
    page = await client.get(form_on)
    return await client.post(path, data={"csrf": csrf(page), **fields})


async def sign_in(
    client: httpx.AsyncClient, person: Person, *, password: str = PASSWORD, code: str = ""
) -> httpx.Response:
    """Both steps of signing in; the answer of the last one that was reached."""
    first = await post(
        client, "/console/sign-in", "/console/sign-in", name=person.user.user_name, password=password
    )
    if first.status_code != 303:
        return first
    return await post(client, "/console/second-factor", "/console/second-factor", code=code or person.code())


@contextlib.asynccontextmanager
async def site(database_url: str, folder: Path, **given: Any) -> AsyncIterator[Site]:
    """The deployment, for the length of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    base = f"http://127.0.0.1:{port}"
    configured = settings.load(
        {},
        database_url=database_url,
        data_dir=folder,
        base_url=given.pop("base_url", base),
        log_level="error",
        **given,
    )
    async with open_services(configured, migrate=False) as services:
        for party_id, (name_en, name_zh, role) in PARTIES.items():
            await add_party(services.pool, Party(party_id=party_id, name_en=name_en, name_zh=name_zh))
            await grant_role(services.pool, party_id, role)
        async with opened(services) as application:
            server = Server(
                application, address="127.0.0.1", port=port, interface="asginl", log_enabled=False
            )
            running = asyncio.create_task(server.serve())
            try:
                await _answers(port)
                yield Site(base, services)
            finally:
                server.stop()
                await running


async def _answers(port: int) -> None:
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return
