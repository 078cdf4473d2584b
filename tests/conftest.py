"""Fixtures for every room: a real database, fresh for each test, and the standards' test vectors.

One embedded server serves the whole session (without fsync: its data is thrown away). The schema is
migrated once, into a template; a test's database is a copy of it, made in some hundredths of a second.
``SUYUAN_TEST_POSTGRES=16`` runs everything on the older server that the wheel also carries.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

import browsing
from suyuan.db import embedded
from suyuan.db.migrate import prepare
from suyuan.db.pool import Pool, open_pool

# Small matrices gain nothing from a second thread, and its waiting costs a busy machine dearly. Read when NumPy loads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = "suyuan_template"
_number = itertools.count(1)


@pytest.fixture(scope="session")
def pg_server() -> Iterator[embedded.Server]:
    """The server of this test session."""
    data_dir = Path(tempfile.mkdtemp(prefix="suyuan-test-"))
    server = embedded.start(data_dir, durable=False, major=int(os.environ.get("SUYUAN_TEST_POSTGRES", "18")))
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(data_dir)


@pytest.fixture(scope="session")
async def _template(pg_server: embedded.Server) -> str:
    connection = await asyncpg.connect(pg_server.dsn)
    try:
        await connection.execute(f"CREATE DATABASE {TEMPLATE}")
    finally:
        await connection.close()
    await prepare(pg_server.database_dsn(TEMPLATE))
    return TEMPLATE


async def _create(server: embedded.Server, template: str) -> str:
    name = f"test_{next(_number)}"
    connection = await asyncpg.connect(server.dsn)
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    finally:
        await connection.close()
    return name


async def _drop(server: embedded.Server, name: str) -> None:
    connection = await asyncpg.connect(server.dsn)
    try:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@pytest.fixture
async def empty_database_url(pg_server: embedded.Server) -> AsyncIterator[str]:
    """The DSN of a new database with nothing in it."""
    name = await _create(pg_server, "template1")
    yield pg_server.database_dsn(name)
    await _drop(pg_server, name)


@pytest.fixture
async def database_url(pg_server: embedded.Server, _template: str) -> AsyncIterator[str]:
    """The DSN of a new database with the current schema."""
    name = await _create(pg_server, _template)
    yield pg_server.database_dsn(name)
    await _drop(pg_server, name)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A pool on a new database with the current schema."""
    async with open_pool(database_url, size=8) as opened:
        yield opened


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The path of a Chromium for browser tests (``executable_path``); skipped where there is none."""
    found = subprocess.run(
        [sys.executable, "-c", "import chromium; print(chromium.find() or '')"],
        cwd=ROOT / "tools",
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    return found or pytest.skip("no Chromium: install it, or name one in SUYUAN_TEST_CHROMIUM")


@pytest.fixture(autouse=True)
def script_errors() -> Iterator[list[str]]:
    """What broke in the scripts of the pages that a test opened; a test that breaks them on purpose empties it."""
    browsing.HEARD.clear()
    yield browsing.HEARD
    assert browsing.HEARD == []


@pytest.fixture(scope="session")
def vectors_dir() -> Path:
    """The folder of the standards' test vectors; the test is skipped where it is not."""
    named = os.environ.get("SUYUAN_VECTORS")
    candidates = [Path(named)] if named else [ROOT.parent / "shared" / "vectors"]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    pytest.skip(f"no test vectors in {candidates[0]}; set SUYUAN_VECTORS to their folder")
