"""The load runs, every kind of its requests is answered as it should be, and growth is told from noise."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
KINDS = {"paper", "scans", "codes", "pack", "page", "trace", "checkpoint"}


@pytest.fixture(scope="module")
def trending() -> object:
    sys.path.insert(0, str(BENCH))
    from load import trend

    return trend


def test_a_short_load_is_answered_and_reported() -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith("SUYUAN_")}
    command = [sys.executable, str(BENCH / "run.py"), "load", "--minutes", "0.33", "--pace", "3"]
    command += ["--items", "120", "--pages", "60"]
    done = subprocess.run(
        [*command, "--every", "1", "--json"],
        env=own,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert done.returncode == 0, report["wrong"]
    kinds = {one["name"]: one for one in report["kinds"]}
    assert kinds.keys() == KINDS
    for one in kinds.values():
        assert one["requests"] > 0 and one["wrong"] == 0, one
        assert 0 < one["p50"] <= one["p99"], one
    # Waybill, goods, two serials and the act for each parcel that was due, and none for want of codes.
    assert kinds["pack"]["requests"] == 5 * int(3 * 60_000 / 86_400 * 0.33 * 60)
    assert report["conditions"]["parcels_without_codes"] == 0
    assert report["conditions"]["events_added"] > 3 * kinds["pack"]["requests"] / 5
    assert len(report["samples"]) >= 12
    for sample in report["samples"]:
        assert sample["resident"] >= sample["proportional"] > 0
        assert sample["connections"] > 0 and sample["database_own"] > 0
        assert len(sample["each"]) >= 2
    assert {one["name"] for one in report["trends"]} >= {
        "server memory (RSS)",
        "database connections",
        "unpublished",
    }


def test_growth_is_told_from_noise(trending: object) -> None:
    noise = random.Random(5)
    flat = [(second, 200 + noise.gauss(0, 3)) for second in range(400)]
    leak = [(second, value + second * 0.1) for second, value in flat]
    warm = [(second, value + min(second, 150)) for second, value in flat]
    told = {
        name: trending.trend(name, "MB", points, 10)  # type: ignore[attr-defined]
        for name, points in (("flat", flat), ("leak", leak), ("warm", warm))
    }
    assert not told["flat"].grows
    assert told["leak"].grows
    assert told["leak"].slope == pytest.approx(6, abs=0.7)
    assert told["leak"].margin < 1
    assert not told["warm"].grows, "what grows while it warms up does not grow in the second half"


def test_a_rise_within_the_tolerance_is_no_growth_and_few_samples_say_nothing(trending: object) -> None:
    rising = [(second, 200 + second * 0.01) for second in range(400)]
    assert not trending.trend("x", "MB", rising, 10).grows  # type: ignore[attr-defined]
    assert trending.trend("x", "MB", rising, 1).grows  # type: ignore[attr-defined]
    assert trending.trend("x", "MB", rising[:10], 1) is None  # type: ignore[attr-defined]
