"""Each reader fuzzed by coverage for a while (``make test-all``); SUYUAN_TEST_FUZZ_SECONDS says for how long each."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hostile_readers import TARGETS

SECONDS = int(os.environ.get("SUYUAN_TEST_FUZZ_SECONDS", "10"))


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_our_errors_on_any_way(name: str, tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("no atheris here: uv sync --inexact --group fuzz (Linux on x86-64, Python 3.11 to 3.14)")
    program = Path(__file__).with_name("hostile_coverage.py")
    done = subprocess.run(
        [
            sys.executable,
            str(program),
            name,
            str(tmp_path / "corpus"),
            f"-max_total_time={SECONDS}",
            "-seed=1",
        ],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS + 120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "stat::number_of_executed_units" in done.stderr
