"""Running ``suyuan``: in this process for its results, as a process of its own for what only that shows."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

GTIN = "09506000134352"
LOT = "LOT-1"
ITEM = f"https://id.gs1.org/01/{GTIN}/21/A1"


class Said(NamedTuple):
    """Exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Shell:
    """``suyuan`` on one deployment, which lies in a database of the test."""

    def __init__(self, database_url: str, data_dir: Path, monkeypatch: Any, capfd: Any) -> None:
        self.data_dir = data_dir
        self._capfd = capfd
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SUYUAN_", "LANG", "LC_"))
        }
        self.environment |= {
            "SUYUAN_DATABASE_URL": database_url,
            "SUYUAN_DATA_DIR": str(data_dir),
            "LANG": "C",
        }
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)

    def __call__(self, *arguments: object) -> Said:
        """In this process."""
        from suyuan.cli.main import app

        self._capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            app([str(argument) for argument in arguments])
        out, err = self._capfd.readouterr()
        return Said(int(end.value.code or 0), out, err)

    def good(self, *arguments: object) -> Said:
        said = self(*arguments)
        assert said.code == 0, said
        return said

    def apart(self, *arguments: object, given: bytes = b"", **environment: str) -> Said:
        """As a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "suyuan", *map(str, arguments)],
            input=given,
            capture_output=True,
            env={**self.environment, **environment},
            timeout=60,
            check=False,
        )
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def suyuan(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Shell:
    """The command line on a new deployment."""
    return Shell(database_url, tmp_path / "data", monkeypatch, capfd)
