"""What an installation does without NumPy, OpenCV and Matplotlib: everything but to look at images."""

from __future__ import annotations

import subprocess
import sys

# Hidden as they are where they were never installed: nobody finds them.
_HIDDEN = """
import importlib.machinery, sys
found = importlib.machinery.PathFinder.find_spec
def hidden(name, path=None, target=None):
    return None if name in ("numpy", "cv2", "matplotlib") else found(name, path, target)
importlib.machinery.PathFinder.find_spec = hidden
"""
_EVERY_MODULE = """
import importlib, pkgutil
import suyuan
for module in pkgutil.walk_packages(suyuan.__path__, "suyuan."):
    name = module.name
    if name.endswith("__main__"):
        continue
    if name.startswith("suyuan.label.") and name not in ("suyuan.label.model", "suyuan.label.path"):
        continue
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        print(name, error.name)
"""
_COMMAND = """
from suyuan.cli.main import app
app()
"""


def _run(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _HIDDEN + code, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_only_what_draws_captures_for_the_demo_needs_them() -> None:
    done = _run(_EVERY_MODULE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["suyuan.cli.demo_captures cv2"]


def test_commands_on_labels_say_what_to_install() -> None:
    assert "enrol" in _run(_COMMAND, "label", "--help").stdout
    for words in (("evaluate", "--track", "A", "--trials", "1"), ("simulate", "new folder")):
        done = _run(_COMMAND, "label", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("label.extra") and "suyuan[label]" in done.stderr
