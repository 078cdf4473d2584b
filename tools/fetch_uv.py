"""Brings in the program ``uv`` from the package index, without pip.

The wheel that fits this machine is chosen from the index's list (PEP 691, or PEP 503 where a mirror has only
that), its SHA-256 is checked against the one the index names, and the one program is taken out of it into
the project's own folder. A release younger than the cool-down in pyproject.toml is not taken.
"""

from __future__ import annotations

import hashlib
import html.parser
import io
import json
import os
import platform
import re
import tempfile
import urllib.parse
import zipfile
from pathlib import Path
from typing import Any

from pipconf import PipSettings, without_secret

_JSON = "application/vnd.pypi.simple.v1+json"
_ACCEPT = f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_WHEEL = re.compile(r"uv-(\d+)\.(\d+)\.(\d+)-py3-none-([a-z0-9_.]+)\.whl")
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


class Trouble(Exception):  # noqa: N818 - the text for a person, with what to do
    """Something that the person at the keyboard has to know or do."""


def is_musl() -> bool:
    """Whether this Linux has the C library musl (Alpine) instead of glibc."""
    return (
        platform.system() == "Linux"
        and platform.libc_ver()[0] != "glibc"
        and any(Path(folder).glob("ld-musl-*") for folder in ("/lib", "/usr/lib"))
    )


def platform_tags() -> list[str]:
    """Patterns (regular expressions) of wheel platforms that run here, the best first."""
    machine = _ARCHITECTURES.get(platform.machine().lower())
    system = platform.system()
    if machine is None or system not in ("Linux", "Darwin"):
        raise Trouble(
            f"There is no database and no uv for {system} on {platform.machine()}.\n"
            "Use Linux or macOS on x86_64 or arm64 (on Windows: WSL)."
        )
    if system == "Darwin":
        return [r"macosx_\d+_\d+_" + ("arm64" if machine == "aarch64" else "x86_64")]
    return [rf"manylinux_2_{minor}_{machine}" for minor in _glibc_minors()] + [rf"manylinux2014_{machine}"]


def _glibc_minors() -> list[int]:
    name, version = platform.libc_ver()
    found = re.match(r"2\.(\d+)", version) if name == "glibc" else None
    return list(range(int(found[1]) if found else 17, 16, -1))


class _Anchors(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href") and "data-yanked" not in given:
            self.links.append(str(given["href"]))


def read_index(body: bytes, media_type: str, base: str) -> list[dict[str, str]]:
    """Files of an index page: ``filename``, ``url``, ``sha256`` and ``uploaded`` (both may be empty)."""
    if media_type == _JSON:
        files: list[dict[str, Any]] = json.loads(body)["files"]
        return [
            {
                "filename": file["filename"],
                "url": urllib.parse.urljoin(base, file["url"]),
                "sha256": file.get("hashes", {}).get("sha256", ""),
                "uploaded": file.get("upload-time") or "",
            }
            for file in files
            if not file.get("yanked")
        ]
    page = _Anchors()
    page.feed(body.decode("utf-8", "replace"))
    found = []
    for link in page.links:
        url, _, fragment = urllib.parse.urljoin(base, link).partition("#")
        name = urllib.parse.unquote(urllib.parse.urlsplit(url).path.rpartition("/")[2])
        sha256 = dict(urllib.parse.parse_qsl(fragment)).get("sha256", "")
        found.append({"filename": name, "url": url, "sha256": sha256, "uploaded": ""})
    return found


def choose_wheel(files: list[dict[str, str]], tags: list[str], not_after: str = "") -> dict[str, str] | None:
    """The newest wheel that runs here and was there before ``not_after`` (ISO 8601 in UTC)."""
    best: tuple[tuple[int, int, int], int] | None = None
    chosen = None
    for file in files:
        named = _WHEEL.fullmatch(file["filename"])
        if named is None or (not_after and file["uploaded"] > not_after):
            continue
        platforms = named[4].split(".")
        fits = [rank for rank, tag in enumerate(tags) if any(re.fullmatch(tag, one) for one in platforms)]
        if not fits:
            continue
        rank = ((int(named[1]), int(named[2]), int(named[3])), -min(fits))
        if best is None or rank > best:
            best, chosen = rank, file
    return chosen


def fetch_uv(settings: PipSettings, target: Path, not_after: str = "") -> None:
    """Put the program at ``target``. Raises ``Trouble``."""
    page = settings.index + "/uv/"
    tags = platform_tags()
    try:
        body, media_type, found_at = settings.fetch(page, _ACCEPT)
        wheel = choose_wheel(read_index(body, media_type, found_at), tags, not_after)
        if wheel is None:
            raise Trouble(f"{without_secret(page)} has no uv for this machine ({tags[0]}).\n" + _BY_HAND)
        if not wheel["sha256"]:
            raise Trouble(f"{without_secret(page)} names no SHA-256 for {wheel['filename']}.\n" + _BY_HAND)
        data, _, _ = settings.fetch(_with_login(wheel["url"], settings.index))
    except (OSError, ValueError, KeyError) as error:
        raise Trouble(_unreachable(page, error)) from None
    if hashlib.sha256(data).hexdigest() != wheel["sha256"]:
        raise Trouble(
            f"{wheel['filename']} is not what the index says: its SHA-256 differs. Nothing was installed.\n"
            "Something on the way changed it. If it stays so, tell whoever runs your proxy or mirror."
        )
    _extract(data, target)


_BY_HAND = "Install uv by hand (https://docs.astral.sh/uv/) and run this again."


def _unreachable(page: str, error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    lines = [f"Could not fetch {without_secret(page)}: {reason}"]
    if "CERTIFICATE" in str(reason).upper():
        lines.append("Name the file of your certificates in PIP_CERT (or SSL_CERT_FILE).")
    else:
        lines.append("The first run needs a network: it fetches uv and the packages of the lock file.")
        lines.append("Behind a mirror set PIP_INDEX_URL (or pip.conf), behind a proxy HTTPS_PROXY.")
    return "\n".join([*lines, _BY_HAND])


def _with_login(url: str, index: str) -> str:
    """The index's user and password, where the file lies on the very same host."""
    login, at, host = urllib.parse.urlsplit(index).netloc.rpartition("@")
    parts = urllib.parse.urlsplit(url)
    if at and parts.netloc == host:
        return urllib.parse.urlunsplit(parts._replace(netloc=f"{login}@{host}"))
    return url


def _extract(data: bytes, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not zipfile.is_zipfile(io.BytesIO(data)):
        raise Trouble("What the index gave as the wheel of uv does not hold the program uv.\n" + _BY_HAND)
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        member = next(
            (name for name in wheel.namelist() if re.fullmatch(r"uv-[^/]+\.data/scripts/uv", name)), None
        )
        if member is None:
            raise Trouble("The wheel of uv does not hold the program uv.\n" + _BY_HAND)
        descriptor, temporary = tempfile.mkstemp(dir=target.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(wheel.read(member))
    Path(temporary).chmod(0o755)
    Path(temporary).replace(target)
