"""The roles that the operator's manual makes: the server's may do its work, and may not get past the triggers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from suyuan import settings
from suyuan.app import open_services
from suyuan.db.embedded import Server
from suyuan.db.migrate import prepare
from suyuan.log import publish, sequence_once
from suyuan.parties import Party, add_party, create_token, grant_role
from suyuan.vault.erasing import erase_subject
from suyuan.worker import ensure_all_partitions

ROOT = Path(__file__).resolve().parents[2]
PAPER = ROOT / "examples" / "bonded" / "papers" / "16-order-ceb311.xml"


def statements(name: str) -> str:
    """The SQL of the manual under a comment of that name."""
    manual = (ROOT / "docs" / "OPERATING.md").read_text("utf-8")
    found = re.search(rf"^    -- {name}.*?\n((?:    .*\n)+)", manual, re.MULTILINE)
    assert found, name
    return re.sub(r"^ {4}", "", found[1], flags=re.MULTILINE)


@pytest.fixture
async def roles(pg_server: Server) -> AsyncIterator[str]:
    """The name of a database made as the manual says, its roles beside it."""
    admin = await asyncpg.connect(pg_server.dsn)
    try:
        for statement in statements("as a superuser").split(";\n"):
            text = statement.replace("CREATE ROLE suyuan_eraser NOLOGIN", "SELECT 1").strip()
            if text:
                await admin.execute(text.replace("DATABASE suyuan ", "DATABASE manual "))
        yield "manual"
        await admin.execute("DROP DATABASE manual WITH (FORCE)")
        await admin.execute("DROP ROLE suyuan_server")
        await admin.execute("DROP ROLE suyuan_owner")
    finally:
        await admin.close()


def as_role(server: Server, role: str, database: str) -> str:
    return re.sub(r"//\w+@", f"//{role}@", server.database_dsn(database))


async def test_the_roles_of_the_manual(pg_server: Server, _template: str, roles: str, tmp_path: Path) -> None:
    owner = as_role(pg_server, "suyuan_owner", roles)
    await prepare(owner)
    connection = await asyncpg.connect(owner)
    try:
        await connection.execute(statements("as suyuan_owner"))
        # Partitions of later months are made by the owner's worker, and are open to the server at once.
        assert await ensure_all_partitions(connection, months_ahead=5)
    finally:
        await connection.close()
    url = as_role(pg_server, "suyuan_server", roles)
    chosen = settings.load({"SUYUAN_DATABASE_URL": url, "SUYUAN_DATA_DIR": str(tmp_path)})
    async with open_services(chosen, migrate=False) as services:
        await add_party(services.pool, Party(party_id="op", name_en="Op", name_zh="运营"))
        await grant_role(services.pool, "op", "operator")
        await create_token(services.pool, "op", ["operator"])
        stored = await services.capture.submit(PAPER.read_bytes(), await services.deliverer_of("op"))
        assert stored.events
        assert await sequence_once(services.pool) == len(stored.events)
        assert await publish(services.pool, services.signer) is not None
        subject = await services.pool.fetchval("SELECT subject_id FROM vault_subject LIMIT 1")
        assert await erase_subject(services.pool, subject, party_id="op", reason="asked for")
        for statement in (
            "UPDATE event SET role = 'operator'",
            "DELETE FROM log_entry",
            "DELETE FROM vault_subject",
            "TRUNCATE event",
            "ALTER TABLE event DISABLE TRIGGER forbid_change",
            "DROP TABLE event",
            "CREATE TABLE more (x int)",
            "SET session_replication_role = replica",
        ):
            with pytest.raises(asyncpg.PostgresError, match=r"never change|permission denied|must be owner"):
                await services.pool.execute(statement)
