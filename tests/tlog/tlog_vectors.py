"""Where the standards' test data lies, if it is there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(os.environ.get("SUYUAN_VECTORS", Path(__file__).parents[3] / "shared" / "vectors")) / "tlog"


def load(name: str) -> Any:
    """The parsed vector file, or a skip with the reason."""
    path = ROOT / name
    if not path.is_file():
        pytest.skip(f"test data of the standards is not at {ROOT}")
    return json.loads(path.read_text(encoding="utf-8"))
