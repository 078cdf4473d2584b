"""What pip is told on this machine: which index, which certificates, which proxy.

Whoever set up pip for a company's mirror has said all there is to say; the bootstrap listens to the same
words (environment first, then the files of pip, the later ones winning) instead of asking for its own.
Standard library only.
"""

from __future__ import annotations

import base64
import configparser
import os
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

PYPI = "https://pypi.org/simple"
TIMEOUT_SECONDS = 60.0


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # no HOME, and no account of this number
        return None


def config_files(environ: dict[str, str]) -> list[Path]:
    """pip's configuration files, from the weakest to the strongest."""
    override = environ.get("PIP_CONFIG_FILE", "")
    if override == os.devnull:
        return []
    files = [
        Path(base) / "pip" / "pip.conf"
        for base in environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")
        if base
    ]
    if sys.platform == "darwin":
        files.append(Path("/Library/Application Support/pip/pip.conf"))
    files.append(Path("/etc/pip.conf"))
    home = _home()
    if home is not None:
        files.append(home / ".pip" / "pip.conf")
        own = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
        if sys.platform == "darwin" and (home / "Library/Application Support/pip").is_dir():
            own = home / "Library/Application Support/pip/pip.conf"
        files.append(own)
    files.append(Path(sys.prefix) / "pip.conf")
    if override:
        files.append(Path(override))
    return files


class PipSettings:
    """The settings of pip that say where packages come from."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._environ = environ
        self._said: dict[str, str] = {}
        for file in config_files(environ):
            parser = configparser.RawConfigParser()
            try:
                parser.read(file, encoding="utf-8")
            except (OSError, configparser.Error, UnicodeDecodeError):
                continue
            for section in ("global", "install"):
                if parser.has_section(section):
                    self._said.update(parser.items(section))
        # uv's own name for the same thing is the more particular one.
        self.index = (
            environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL") or self.get("index-url") or PYPI
        ).rstrip("/")
        self.extra_indexes = self.get("extra-index-url").split()
        self.proxy = self.get("proxy")
        self.trusted_hosts = self.get("trusted-host").split()
        self.certificates = self._certificates()

    def get(self, name: str) -> str:
        """One setting by pip's name for it; empty if unset."""
        variable = "PIP_" + name.upper().replace("-", "_")
        return (self._environ.get(variable) or self._said.get(name, "")).strip()

    def _certificates(self) -> str:
        named = [self.get("cert")]
        named += [
            self._environ.get(name, "") for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
        ]
        return next((path for path in named if path and Path(path).exists()), "")

    @property
    def is_pypi(self) -> bool:
        """Whether packages come from PyPI itself, as the lock file assumes."""
        return self.index == PYPI and not self.extra_indexes

    def opener(self, url: str) -> urllib.request.OpenerDirector:
        """What opens ``url`` with the configured certificates and proxy."""
        place = Path(self.certificates) if self.certificates else None
        context = ssl.create_default_context(
            cafile=str(place) if place and place.is_file() else None,
            capath=str(place) if place and place.is_dir() else None,
        )
        host = urllib.parse.urlsplit(url)
        if host.hostname in self.trusted_hosts or host.netloc.rpartition("@")[2] in self.trusted_hosts:
            context = ssl._create_unverified_context()  # noqa: S323 - the operator said so to pip
        handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=context)]
        if self.proxy:
            handlers.append(urllib.request.ProxyHandler({"http": self.proxy, "https": self.proxy}))
        return urllib.request.build_opener(*handlers)

    def fetch(self, url: str, accept: str = "*/*") -> tuple[bytes, str, str]:
        """The body of ``url``, its media type, and the address at which it was found."""
        parts = urllib.parse.urlsplit(url)
        headers = {"Accept": accept, "User-Agent": "suyuan-bootstrap"}
        if parts.username is not None:
            secret = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
            headers["Authorization"] = "Basic " + base64.b64encode(secret.encode()).decode("ascii")
            url = urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        if not url.startswith(("https://", "http://", "file://")):
            raise OSError(f"{url} is not an address to fetch from")
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the scheme was looked at
        try:
            with self.opener(url).open(request, timeout=TIMEOUT_SECONDS) as answer:
                return answer.read(), answer.headers.get_content_type(), answer.geturl()
        except urllib.error.HTTPError as error:
            error.close()
            raise OSError(f"it answered {error.code} {error.reason}") from None


def without_secret(url: str) -> str:
    """``url`` as it may be shown."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
