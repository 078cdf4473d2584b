from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent))

from deployment import Deployment, deployment
from rehearsal import EXAMPLES, Rehearsal, small_journey

from suyuan.db import embedded

__all__ = ["deployment"]


@pytest.fixture(scope="session")
async def bonded(
    pg_server: embedded.Server, _template: str, tmp_path_factory: pytest.TempPathFactory
) -> Rehearsal:
    """Bonded import with 48 tins: parties and codes are there, no paper yet."""
    home = tmp_path_factory.mktemp("bonded")
    rehearsal = Rehearsal(pg_server, small_journey(home / "journey"), home, "bonded")
    await rehearsal.prepare(_template)
    return rehearsal


@pytest.fixture(scope="session")
async def direct(
    pg_server: embedded.Server, _template: str, tmp_path_factory: pytest.TempPathFactory
) -> Rehearsal:
    """Direct mail: parties and codes are there, no paper yet."""
    home = tmp_path_factory.mktemp("direct")
    rehearsal = Rehearsal(pg_server, EXAMPLES / "direct", home, "direct")
    await rehearsal.prepare(_template)
    return rehearsal


@pytest.fixture(scope="session")
async def rehearsals(bonded: Rehearsal, direct: Rehearsal) -> dict[str, Rehearsal]:
    """Both journeys by name."""
    return {"bonded": bonded, "direct": direct}


@pytest.fixture(scope="session")
async def captured(bonded: Rehearsal) -> AsyncIterator[Deployment]:
    """Bonded import with all its papers in and published. Only read it."""
    async with bonded.copy() as opened:
        await bonded.deliver(opened, bonded.papers())
        await opened.published()
        yield opened
