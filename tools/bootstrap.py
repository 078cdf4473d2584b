"""Makes ``.venv`` from the lock file on a machine that has only Python.

``python3 tools/bootstrap.py run`` installs what the program needs, ``... test`` what its tests need as well.
Nothing outside the project's folder is changed but uv's cache. uv is used if it is there, else brought in
(``fetch_uv``). Where pip is told of another index than PyPI, packages come from there, still with the
hashes of the lock file. Standard library only; every trouble is told with its remedy.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = (3, 11)
# The first uv that reads the lock file of this project.
OLDEST_UV = (0, 9)
VENV = ROOT / ".venv"
STAMP = VENV / "suyuan-synced"
OWN_UV = ROOT / ".tools" / "uv"


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def check_machine() -> None:
    """Refuse what cannot work before anything is fetched."""
    if sys.version_info < NEEDED:
        version = ".".join(str(part) for part in sys.version_info[:2])
        raise SystemExit(
            f"Python 3.11 or later is needed; this is {version} ({sys.executable}).\n"
            "Install a newer one beside it, then: make PYTHON=/path/to/python3.11 ..."
        )
    from fetch_uv import is_musl

    if is_musl():
        raise SystemExit(
            "This Linux uses the C library musl (Alpine); embedded database is for glibc only.\n"
            "Use an image with glibc, such as python:3.12-slim (Debian)."
        )


def uv_version(program: str) -> tuple[int, ...]:
    """The version of a uv, empty if it does not run (a leftover of a version switcher, a noexec mount)."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.match(r"uv (\d+)\.(\d+)\.(\d+)", said.stdout)
    return tuple(int(part) for part in found.groups()) if found and said.returncode == 0 else ()


def get_uv(settings: object) -> str:
    """A uv that is new enough: from PATH, from ``.tools``, or fetched now."""
    import fetch_uv

    for program in (shutil.which("uv"), str(OWN_UV)):
        if program and uv_version(program)[:2] >= OLDEST_UV:
            return program
    say("Fetching uv ...")
    fetch_uv.fetch_uv(settings, OWN_UV, cool_down())  # type: ignore[arg-type]
    if not uv_version(str(OWN_UV)):
        raise fetch_uv.Trouble(
            f"{OWN_UV} was fetched but does not run. Is the file system of this folder mounted noexec?"
        )
    return str(OWN_UV)


def cool_down() -> str:
    """The date in pyproject.toml after which nobody has looked at a release yet."""
    import tomllib

    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(table.get("tool", {}).get("uv", {}).get("exclude-newer", ""))


def fingerprint(level: str) -> str:
    """What the environment was made from; it is made anew when this changes."""
    digest = hashlib.sha256(level.encode())
    for name in ("pyproject.toml", "uv.lock"):
        digest.update((ROOT / name).read_bytes())
    # A folder that was moved takes its environment along, whose scripts then name the old place.
    digest.update(str(ROOT).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def is_current(level: str) -> bool:
    """Whether the environment holds at least ``level`` already."""
    try:
        said = STAMP.read_text(encoding="ascii").split()
    except OSError:
        return False
    enough = {fingerprint(level), fingerprint("test")}
    return bool(enough & set(said)) and (VENV / "bin" / "python").exists()


def has_python() -> bool:
    """Whether ``.venv`` is an environment of a Python that will do."""
    program = VENV / "bin" / "python"
    question = f"import sys; sys.exit(sys.version_info < {NEEDED})"
    try:
        return subprocess.run([program, "-c", question], capture_output=True, check=False).returncode == 0  # noqa: S603
    except OSError:
        return False


def uv_environment(settings: object) -> dict[str, str]:
    """The environment of uv: what pip is told, in uv's words."""
    environ = dict(os.environ)
    environ["UV_PYTHON_DOWNLOADS"] = "never"
    environ["UV_NO_PROGRESS"] = "1"
    environ["UV_PROJECT_ENVIRONMENT"] = str(VENV)
    environ.pop("VIRTUAL_ENV", None)
    if certificates := getattr(settings, "certificates", ""):
        environ.setdefault("SSL_CERT_DIR" if Path(certificates).is_dir() else "SSL_CERT_FILE", certificates)
    if proxy := getattr(settings, "proxy", ""):
        environ.setdefault("HTTPS_PROXY", proxy)
        environ.setdefault("HTTP_PROXY", proxy)
    if hosts := getattr(settings, "trusted_hosts", []):
        environ.setdefault("UV_INSECURE_HOST", " ".join(hosts))
    cache = Path(
        environ.get("UV_CACHE_DIR")
        or environ.get("XDG_CACHE_HOME")
        or Path(environ.get("HOME", "/")) / ".cache"
    )
    if not _is_writable(cache):
        environ["UV_CACHE_DIR"] = str(ROOT / ".tools" / "cache")
    return environ


def _is_writable(path: Path) -> bool:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path.is_dir() and os.access(path, os.W_OK | os.X_OK)


def install(uv: str, settings: object, level: str) -> None:
    """Bring ``.venv`` to what the lock file says. Raises ``CalledProcessError``."""
    environ = uv_environment(settings)
    python = [] if has_python() else ["--python", sys.executable]
    # The demo checks a label by its image; what draws an evaluation of labels is for its tests.
    groups = ["--extra", "label"]
    groups += ["--extra", "plots"] if level == "test" else ["--no-dev"]
    if getattr(settings, "is_pypi", True):
        _run([uv, "sync", "--frozen", "--inexact", "--quiet", *groups, *python], environ)
        return
    # The lock file names PyPI's addresses, which a machine behind a mirror may not reach: the same files by
    # the same hashes come from the mirror.
    environ["UV_DEFAULT_INDEX"] = getattr(settings, "index", "")
    if extra := getattr(settings, "extra_indexes", []):
        environ["UV_INDEX"] = " ".join(extra)
    locked = ROOT / ".tools" / "locked.txt"
    locked.parent.mkdir(exist_ok=True)
    if python:
        _run([uv, "venv", "--quiet", "--clear", *python, str(VENV)], environ)
    _run(
        [uv, "export", "--frozen", "--quiet", "--no-emit-project", *groups, "--output-file", str(locked)],
        environ,
    )
    into = ["--python", str(VENV / "bin" / "python"), "--quiet"]
    _run([uv, "pip", "install", *into, "--require-hashes", "--requirements", str(locked)], environ)
    _run([uv, "pip", "install", *into, "--no-deps", "--editable", str(ROOT)], environ)


def _run(command: list[str], environ: dict[str, str]) -> None:
    subprocess.run(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, check=True)  # noqa: S603


def main(arguments: list[str]) -> int:
    check_machine()
    from fetch_uv import Trouble
    from pipconf import PipSettings

    level = arguments[0] if arguments else "run"
    if level not in ("run", "test"):
        say("usage: bootstrap.py [run|test]")
        return 2
    if is_current(level):
        return 0
    settings = PipSettings(dict(os.environ))
    try:
        uv = get_uv(settings)
        say("Installing the packages of the lock file ...")
        install(uv, settings, level)
    except Trouble as trouble:
        say(str(trouble))
        return 1
    except subprocess.CalledProcessError as failed:
        say(
            f"uv could not install the packages (exit code {failed.returncode}); it says why above.\n"
            "Behind a mirror set PIP_INDEX_URL, behind a proxy HTTPS_PROXY, for own certificates PIP_CERT."
        )
        return 1
    STAMP.write_text(fingerprint(level) + "\n", encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
