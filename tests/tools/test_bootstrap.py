"""The bootstrap on a machine that has only Python: indexes, hashes, pip's settings, and clear refusals."""

from __future__ import annotations

import base64
import hashlib
import http.server
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import bootstrap  # noqa: E402
import fetch_uv  # noqa: E402
import pipconf  # noqa: E402

TAGS = [r"manylinux_2_28_x86_64", r"manylinux_2_17_x86_64", r"manylinux2014_x86_64"]
WHEEL = "uv-0.9.9-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
PROGRAM = b"#!/bin/sh\necho 'uv 0.9.9 (test)'\n"


def wheel_bytes(member: str = "uv-0.9.9.data/scripts/uv") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as wheel:
        wheel.writestr("uv/__init__.py", "")
        wheel.writestr(member, PROGRAM)
    return buffer.getvalue()


class Index(http.server.ThreadingHTTPServer):
    """A package index on this machine, which answers what a test put into ``pages``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.pages: dict[str, tuple[str, bytes]] = {}
        self.authorizations: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def offer(self, *, as_html: bool = False, sha256: str | None = None, wheel: bytes | None = None) -> None:
        data = wheel_bytes() if wheel is None else wheel
        digest = hashlib.sha256(data).hexdigest() if sha256 is None else sha256
        self.pages["/files/" + WHEEL] = ("application/zip", data)
        if as_html:
            page = f'<html><a href="../../files/{WHEEL}#sha256={digest}">{WHEEL}</a></html>'
            self.pages["/simple/uv/"] = ("text/html", page.encode())
        else:
            file = {"filename": WHEEL, "url": f"../../files/{WHEEL}", "hashes": {"sha256": digest}}
            self.pages["/simple/uv/"] = (
                "application/vnd.pypi.simple.v1+json",
                json.dumps({"files": [file]}).encode(),
            )


class Answer(http.server.BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:
        self.server.authorizations.append(self.headers["Authorization"])
        media_type, body = self.server.pages.get(self.path, ("", b""))
        self.send_response(200 if media_type else 404)
        self.send_header("Content-Type", media_type or "text/plain")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def index() -> Iterator[Index]:
    with Index() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_uv, "platform_tags", lambda: TAGS)


def settings_for(index: Index, **environ: str) -> pipconf.PipSettings:
    return pipconf.PipSettings(
        {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": index.url + "/simple", "no_proxy": "*", **environ}
    )


@pytest.mark.parametrize("as_html", [False, True])
def test_uv_comes_from_the_index_and_its_hash_is_checked(index: Index, tmp_path: Path, as_html: bool) -> None:
    index.offer(as_html=as_html)
    target = tmp_path / "a folder" / "uv"
    fetch_uv.fetch_uv(settings_for(index), target)
    assert target.read_bytes() == PROGRAM
    assert bootstrap.uv_version(str(target)) == (0, 9, 9)
    assert [path.name for path in target.parent.iterdir()] == ["uv"]


@pytest.mark.parametrize(
    ("offer", "says"),
    [
        ({"sha256": "0" * 64}, "SHA-256 differs"),
        ({"sha256": "", "as_html": True}, "names no SHA-256"),
        ({"wheel": wheel_bytes("uv-0.9.9.data/scripts/other")}, "does not hold the program"),
        ({"wheel": b"no zip"}, "does not hold the program"),
    ],
)
def test_what_is_not_as_the_index_says_is_not_installed(
    index: Index, tmp_path: Path, offer: dict[str, object], says: str
) -> None:
    index.offer(**offer)  # type: ignore[arg-type]
    with pytest.raises(fetch_uv.Trouble, match=says):
        fetch_uv.fetch_uv(settings_for(index), tmp_path / "uv")
    assert not (tmp_path / "uv").exists()


def test_an_index_with_a_login_gets_it_and_never_shows_it(index: Index, tmp_path: Path) -> None:
    index.offer()
    login = index.url.replace("http://", "http://me:se%40cret@") + "/simple"
    fetch_uv.fetch_uv(settings_for(index, PIP_INDEX_URL=login), tmp_path / "uv")
    assert set(index.authorizations) == {"Basic " + base64.b64encode(b"me:se@cret").decode()}
    index.pages.clear()
    with pytest.raises(fetch_uv.Trouble) as caught:
        fetch_uv.fetch_uv(settings_for(index, PIP_INDEX_URL=login), tmp_path / "uv")
    assert "cret" not in str(caught.value)


def test_no_network_says_what_may_help(tmp_path: Path) -> None:
    settings = pipconf.PipSettings(
        {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:1/simple"}
    )
    with pytest.raises(fetch_uv.Trouble) as caught:
        fetch_uv.fetch_uv(settings, tmp_path / "uv")
    for word in ("127.0.0.1:1", "PIP_INDEX_URL", "HTTPS_PROXY", "by hand"):
        assert word in str(caught.value)


def test_the_newest_fitting_wheel_that_is_old_enough_is_chosen() -> None:
    def file(version: str, tag: str, uploaded: str = "2026-01-01T00:00:00Z") -> dict[str, str]:
        return {"filename": f"uv-{version}-py3-none-{tag}.whl", "url": "", "sha256": "", "uploaded": uploaded}

    linux = "manylinux_2_17_x86_64.manylinux2014_x86_64"
    files = [
        file("0.9.9", linux),
        file("0.10.2", linux),
        file("0.10.2", "manylinux_2_28_x86_64"),
        file("0.11.0", "musllinux_1_1_x86_64"),
        file("0.11.0", "macosx_11_0_arm64"),
        file("0.12.0", linux, "2026-12-01T00:00:00Z"),
        file("0.13.0rc1", linux),
    ]
    chosen = fetch_uv.choose_wheel(files, TAGS, "2026-11-17T00:00:00Z")
    assert chosen is not None and chosen["filename"] == "uv-0.10.2-py3-none-manylinux_2_28_x86_64.whl"
    assert fetch_uv.choose_wheel(files, [r"manylinux_2_17_aarch64"]) is None
    combined = [file("0.9.9", "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64")]
    assert fetch_uv.choose_wheel(combined, [r"manylinux_2_17_aarch64"]) == combined[0]


def test_yanked_files_are_passed_over() -> None:
    body = json.dumps({"files": [{"filename": WHEEL, "url": "x", "hashes": {}, "yanked": "bad"}]}).encode()
    assert fetch_uv.read_index(body, "application/vnd.pypi.simple.v1+json", "http://x/") == []
    page = f'<a href="{WHEEL}" data-yanked="bad">x</a>'.encode()
    assert fetch_uv.read_index(page, "text/html", "http://x/") == []


def test_pips_files_are_heard_from_the_weakest_to_the_strongest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    certificates = tmp_path / "ca.pem"
    certificates.touch()
    user = tmp_path / ".config" / "pip" / "pip.conf"
    user.parent.mkdir(parents=True)
    user.write_text(
        f"[global]\nindex-url = https://user.example/simple/\ncert = {certificates}\nproxy = http://p:1\n"
    )
    environ = {"XDG_CONFIG_DIRS": str(tmp_path / "none")}
    heard = pipconf.PipSettings(environ)
    assert (heard.index, heard.certificates, heard.proxy) == (
        "https://user.example/simple",
        str(certificates),
        "http://p:1",
    )
    assert not heard.is_pypi
    named = tmp_path / "named.conf"
    named.write_text(
        "[install]\nindex-url = https://named.example/%%40/simple\nextra-index-url =\n  https://a\n  https://b\n"
    )
    environ["PIP_CONFIG_FILE"] = str(named)
    assert pipconf.PipSettings(environ).index.startswith("https://named.example/")
    assert pipconf.PipSettings(environ).extra_indexes == ["https://a", "https://b"]
    environ["PIP_INDEX_URL"] = "https://environment.example/simple"
    assert pipconf.PipSettings(environ).index == "https://environment.example/simple"
    assert pipconf.PipSettings({"PIP_CONFIG_FILE": os.devnull}).is_pypi


def test_uv_is_told_what_pip_is_told(tmp_path: Path) -> None:
    certificates = tmp_path / "ca.pem"
    certificates.touch()
    settings = pipconf.PipSettings(
        {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_CERT": str(certificates),
            "PIP_PROXY": "http://p:1",
            "PIP_TRUSTED_HOST": "h",
        }
    )
    kept = dict(os.environ)
    try:
        os.environ.pop("SSL_CERT_FILE", None)
        os.environ.pop("HTTPS_PROXY", None)
        environ = bootstrap.uv_environment(settings)
    finally:
        os.environ.update(kept)
    assert environ["SSL_CERT_FILE"] == str(certificates)
    assert environ["HTTPS_PROXY"] == "http://p:1"
    assert environ["UV_INSECURE_HOST"] == "h"
    assert environ["UV_PYTHON_DOWNLOADS"] == "never"


def test_a_musl_system_and_an_old_python_are_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_uv, "is_musl", lambda: True)
    with pytest.raises(SystemExit, match="glibc"):
        bootstrap.check_machine()
    monkeypatch.setattr(bootstrap, "NEEDED", (9, 0))
    with pytest.raises(SystemExit, match="PYTHON="):
        bootstrap.check_machine()


def test_make_says_which_python_it_wants(tmp_path: Path) -> None:
    for name in ("echo", "sh", "python3"):
        (tmp_path / name).symlink_to(shutil.which("false" if name == "python3" else name) or "")
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    said = subprocess.run(
        [make, "-C", str(ROOT), "ready"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode != 0
    assert "Python 3.11 or later is needed" in said.stderr
    assert "PYTHON=" in said.stderr


@pytest.mark.slow
def test_a_clone_in_a_path_with_a_space_becomes_ready_without_uv(tmp_path: Path) -> None:
    """Needs the package index. No uv on PATH, a home of its own, and only the system's tools."""
    clone = tmp_path / "a clone with 空格"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    kept = (
        "PIP_CERT",
        "SSL_CERT_FILE",
        "PIP_INDEX_URL",
        "PIP_CONFIG_FILE",
        "HTTPS_PROXY",
        "https_proxy",
        "NO_PROXY",
    )
    environ = {name: os.environ[name] for name in kept if name in os.environ}
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "python3").symlink_to(os.path.realpath(sys.executable))
    environ |= {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(tmp_path / "home")}
    subprocess.run(["make", "ready"], cwd=clone, env=environ, check=True, stdin=subprocess.DEVNULL)
    assert (clone / ".tools" / "uv").exists() or shutil.which("uv", path=environ["PATH"])
    said = subprocess.run(
        [clone / ".venv" / "bin" / "python", "-c", "import suyuan, asyncpg; print(suyuan.__file__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(clone) in said.stdout
