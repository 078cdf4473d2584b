"""The bench runs and keeps its shape. What it measures at this size means nothing and is not looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

RUN = Path(__file__).resolve().parents[2] / "bench" / "run.py"
PURE = {"event_hash", "commitment", "gs1_check"}
CHEAP = PURE | {"issue_serials", "log_integrate", "inclusion_proof", "trace_item", "verify_bundle"}
CHEAP |= {"bytes_event", "bytes_item"}
SHAPE = {"name", "value", "unit", "floor", "ratio", "conditions"}


def run_bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("SUYUAN_")}
    command = [sys.executable, str(RUN), "--scale", "tiny", *arguments]
    return subprocess.run(command, env=own, capture_output=True, text=True, check=False, timeout=300)


def rows_of(*arguments: str) -> dict[str, dict[str, Any]]:
    done = run_bench("--json", *arguments)
    assert done.returncode == 0, done.stderr
    return {row["name"]: row for row in json.loads(done.stdout)}


def check(row: dict[str, Any]) -> None:
    assert row.keys() >= SHAPE
    assert not row["skipped"]
    assert row["value"] > 0
    assert row["floor"] > 0
    assert row["ratio"] > 0
    assert row["conditions"]["cores"] == os.cpu_count()
    assert "load_average" in row["conditions"]
    assert row["conditions"]["floor"]


def test_cheap_rows_have_the_documented_shape() -> None:
    rows = rows_of(*CHEAP)
    assert rows.keys() == CHEAP
    for row in rows.values():
        check(row)
    for name in CHEAP - PURE:
        assert rows[name]["conditions"]["fsync"] == "on"
        assert rows[name]["conditions"]["shared_buffers"]
    assert rows["trace_item"]["p50"] <= rows["trace_item"]["p99"]
    assert rows["trace_item"]["conditions"]["events_of_the_item"] == 25
    assert rows["verify_bundle"]["conditions"]["facts"] == 25


@pytest.mark.slow
def test_every_row_is_measured() -> None:
    rows = rows_of()
    for row in rows.values():
        check(row)
    listed = {line.split()[0] for line in run_bench("--list").stdout.splitlines()}
    assert rows.keys() == listed


def test_people_get_a_table_and_the_conditions() -> None:
    done = run_bench("gs1_check")
    assert done.returncode == 0, done.stderr
    assert "gs1_check" in done.stdout
    assert "URIs/s" in done.stdout
    assert "floor=" in done.stdout


@pytest.mark.slow
def test_curves_go_on_where_they_were_stopped(tmp_path: Path) -> None:
    def curves(*arguments: str) -> subprocess.CompletedProcess[str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("SUYUAN_")}
        command = [sys.executable, str(RUN), "curves", "--data-dir", str(tmp_path), *arguments]
        return subprocess.run(command, env=own, capture_output=True, text=True, check=False, timeout=300)

    done = curves("--to", "10000", "--json")
    assert done.returncode == 0, done.stderr
    (step,) = json.loads(done.stdout)
    assert step["target"] == 10_000
    assert 0.9 <= step["events"] / 10_000 <= 1.1
    assert step["items"] > 0 < step["index_rows"]
    assert 0 < step["index_bytes"] < step["disk_bytes"]
    for what in ("trace", "page", "proof"):
        assert 0 < step[f"{what}_p50"] <= step[f"{what}_p99"]
    again = curves("--to", "10000")
    assert again.returncode == 0, again.stderr
    assert "measured before" in again.stderr
    assert "bytes/item" in again.stdout
    assert curves("--to", "10").returncode == 2


def test_a_name_that_is_no_row_is_refused() -> None:
    done = run_bench("gs1_chek")
    assert done.returncode == 2
    assert "no row gs1_chek" in done.stderr
