"""Finds the browser for the browser tests, or installs it where that needs no questions.

Says the path on standard output. Exit code 1, with a loud line, where there is none: the tests that need a
browser are then skipped, all others run. Installed only by root of a Debian or Ubuntu (apt-get), which is
what a container of a build server is; nobody's desktop is changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chromium-headless-shell")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
PACKAGES = ("chromium", "fonts-noto-cjk")
APT_SECONDS = 600


def find() -> str | None:
    """The path of a browser that runs here: named in SUYUAN_TEST_CHROMIUM, installed, or Playwright's own."""
    named = os.environ.get("SUYUAN_TEST_CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    for name in NAMES:
        if path := shutil.which(name):
            return path
    if MAC.exists():
        return str(MAC)
    home = os.environ.get("HOME", "")
    for cache in (Path(home) / ".cache/ms-playwright", Path(home) / "Library/Caches/ms-playwright"):
        for pattern in ("chromium*/chrome-linux*/*chrome", "chromium*/chrome-linux*/headless_shell"):
            if found := sorted(cache.glob(pattern)):
                return str(found[-1])
    return None


def install() -> str:
    """Try to install it; the reason why not, or an empty text."""
    if os.geteuid() != 0:
        return "only root may install it"
    if shutil.which("apt-get") is None:
        return "there is no apt-get"
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    commands = (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES],
    )
    for command in commands:
        try:
            done = subprocess.run(  # noqa: S603
                command,
                env=environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=APT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{command[0]} {command[1]}: {error}"
        if done.returncode != 0:
            return f"{' '.join(command)} failed: {done.stderr.decode('utf-8', 'replace').strip()[-300:]}"
    return ""


def main() -> int:
    path = find()
    reason = ""
    if path is None and "SUYUAN_TEST_CHROMIUM" not in os.environ:
        sys.stderr.write("Installing Chromium for the browser tests ...\n")
        reason = install()
        path = find()
    if path is None:
        sys.stderr.write(
            "\n*** NO CHROMIUM: the browser tests will be SKIPPED"
            f" ({reason or 'SUYUAN_TEST_CHROMIUM names no file'}).\n"
            "*** Install Chromium, or name one in SUYUAN_TEST_CHROMIUM.\n\n"
        )
        return 1
    sys.stdout.write(path + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
