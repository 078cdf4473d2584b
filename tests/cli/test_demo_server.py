"""The demo's server ends with the demo, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_DEMO = """
import sys, time
from pathlib import Path
from suyuan.cli import demo_server
demo_server.sys.executable = sys.argv[2]
with demo_server.server(Path(sys.argv[1]), "127.0.0.1", 1, "http://127.0.0.1:1") as process:
    print(process.pid, flush=True)
    time.sleep(60)
"""


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_demo_that_is_told_to_end_ends_its_server(tmp_path: Path) -> None:
    waits = tmp_path / "waits"
    waits.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n", encoding="utf-8")
    waits.chmod(0o755)
    command = [sys.executable, "-c", _DEMO, str(tmp_path), str(waits)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        server = int(demo.stdout.readline())
        assert _runs(server)
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(20) == 128 + signal.SIGTERM
    until = time.monotonic() + 5
    while _runs(server) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _runs(server)
