"""Strangers at the doors: the deployment of the doors' own tests, and logs that stay quiet under thousands of calls."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "api"))

from api_deployment import deployment
from hostile_server import port

__all__ = ["deployment", "port"]


@pytest.fixture
def quiet() -> Iterator[None]:
    """Warnings alone are written while a test calls very often."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    yield
    structlog.configure(**before)
