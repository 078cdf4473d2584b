"""A console per test, on a database of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import console_site
import pytest
from console_site import Site
from console_world import world

__all__ = ["world"]


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """A deployment with two firms and nobody in them yet."""
    async with console_site.site(database_url, tmp_path) as opened:
        yield opened
