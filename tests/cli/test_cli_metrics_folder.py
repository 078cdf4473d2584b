"""Folders of metrics: one for each server, gone with it, and what a killed one left goes at the next start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from suyuan.cli.metrics_folder import PREFIX, forget_left_folders, metrics_folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary directory of the test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_it_goes_with_its_server(place: Path) -> None:
    with metrics_folder() as folder:
        assert Path(folder).is_dir()
        with metrics_folder() as other:
            assert Path(folder).is_dir()
            assert other != folder
    assert list(place.iterdir()) == []


def test_what_a_killed_server_left_is_taken_away(place: Path) -> None:
    program = (
        "import sys, time\nfrom suyuan.cli.metrics_folder import metrics_folder\n"
        "with metrics_folder() as f:\n    open(f + '/counter_1.db', 'w').close()\n"
        "    print(f, flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(place)}
    ) as killed:
        assert killed.stdout is not None
        folder = Path(killed.stdout.readline().decode().strip())
        assert forget_left_folders(place) == 0
        assert folder.is_dir()
        killed.send_signal(signal.SIGKILL)
        killed.wait(10)
    assert folder.is_dir()
    with metrics_folder():
        assert not folder.exists()


def test_what_is_not_ours_to_judge_is_left(place: Path) -> None:
    (place / f"{PREFIX}old").mkdir()
    (place / f"{PREFIX}file").write_text("x")
    real = place / "real"
    real.mkdir()
    (real / "owner.lock").write_text("")
    (place / f"{PREFIX}link").symlink_to(real)
    assert forget_left_folders(place) == 0
    assert len(list(place.iterdir())) == 4
