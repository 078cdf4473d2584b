"""Settings: the sole reader of the environment.

Every setting is one row of ``TABLE`` (name, meaning, default), from which the documentation is tested, and
one field of ``Settings``. A variable that starts with ``SUYUAN_`` and is not in the table is refused, since
a misspelt setting would otherwise be obeyed by silence; names under ``SUYUAN_TEST_`` belong to the tests.

Secrets are never settings: keys lie in files (``keys_dir``), because an environment is inherited by every
child and shown by many tools. The one exception is a password inside ``SUYUAN_DATABASE_URL``, which is why
``Settings`` hides it when printed.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from suyuan.errors import InputError

PREFIX = "SUYUAN_"
# Read by the test suite alone; they mean nothing to the product but must not be refused by it.
_FOREIGN = ("SUYUAN_TEST_", "SUYUAN_VECTORS")
_HOST = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)
# The key name of a signed note: no white space, no plus sign.
_ORIGIN = re.compile(r"[^\s+]{1,200}")


class Setting(msgspec.Struct, frozen=True):
    """One row of the table of settings."""

    name: str
    field: str
    meaning: str
    default: str
    read: Callable[[str], Any]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of this process, read and checked once by ``load``."""

    database_url: str | None
    data_dir: Path
    keys_dir: Path
    base_url: str
    log_origin: str
    code_host: str
    listen_host: str
    port: int
    pool_size: int
    log_level: str
    log_format: str
    operator_name_en: str = ""
    operator_name_zh: str = ""
    report_url: str = ""
    icp_number: str = ""
    police_number: str = ""
    root_files_dir: Path | None = None
    policy_file: Path | None = None
    print_bridge_url: str = ""
    trusted_proxies: str = ""
    label_image_days: int = 0

    def __repr__(self) -> str:
        shown = {field: getattr(self, field) for field in self.__struct_fields__}
        if self.database_url is not None:
            shown["database_url"] = _without_password(self.database_url)
        return f"Settings({', '.join(f'{field}={value!r}' for field, value in shown.items())})"


def locale_of_user() -> str:
    """The locale that the environment names for messages (POSIX, 8.2), such as ``zh_CN.UTF-8``; empty where none is."""
    return next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")


def _without_password(url: str) -> str:
    return re.sub(r"(?<=://)([^/@:]*):[^@/]*@", r"\1:***@", re.sub(r"password=[^&]*", "password=***", url))


def _database_url(text: str) -> str:
    if urlsplit(text).scheme not in {"postgresql", "postgres"}:
        raise ValueError("it must begin with postgresql://")
    return text


def _directory(text: str) -> Path:
    return Path(os.path.abspath(os.path.expanduser(text)))  # noqa: PTH100, PTH111 - resolve() follows links


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("it must be an http or https URL with a host")
    if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("it must end after the host and port: item URIs stand at the root of a host")
    _ = parts.port  # raises ValueError when it is no port
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _origin(text: str) -> str:
    if not _ORIGIN.fullmatch(text):
        raise ValueError("it must be 1 to 200 characters without white space or '+'")
    return text


def _host(text: str) -> str:
    host = text.lower()
    name, _, port = host.partition(":")
    if not _HOST.fullmatch(name) or (port and not 0 < int(port) < 65536):
        raise ValueError("it must be a host name, with a port if need be")
    return host


def _listen_host(text: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z.:-]+", text):
        raise ValueError("it must be an address or a host name")
    return text


def _line(text: str) -> str:
    if len(text) > 200 or not text.isprintable():
        raise ValueError("it must be one line of at most 200 characters")
    return text


def _report_url(text: str) -> str:
    parts = urlsplit(_line(text))
    if not (parts.scheme in {"http", "https"} and parts.hostname) and not (
        parts.scheme == "mailto" and "@" in parts.path
    ):
        raise ValueError("it must be a mailto:, https: or http: address")
    return text


def _bridge_url(text: str) -> str:
    parts = urlsplit(_line(text))
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise ValueError("it must be an http or https URL with a host")
    if re.search(r"[\s;,'\"]", text):
        raise ValueError("it must not contain blanks, quotes, commas or semicolons")
    return text


def _networks(text: str) -> str:
    networks = [ip_network(part.strip()) for part in text.split(",") if part.strip()]
    if any(network.prefixlen == 0 for network in networks):
        raise ValueError("it must not be everybody's address")
    return ",".join(str(network) for network in networks)


def _integer(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"it must be a whole number from {low} to {high}")
        return int(text)

    return read


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"it must be one of {', '.join(choices)}")
        return text.lower()

    return read


TABLE: tuple[Setting, ...] = (
    Setting(
        "SUYUAN_DATABASE_URL",
        "database_url",
        "PostgreSQL 15 to 18 to use (postgresql://user@host/name). Unset: the embedded server is run.",
        "",
        _database_url,
    ),
    Setting(
        "SUYUAN_DATA_DIR",
        "data_dir",
        "Directory for everything that this deployment keeps: the embedded database, keys, published log.",
        "data",
        _directory,
    ),
    Setting(
        "SUYUAN_KEYS_DIR",
        "keys_dir",
        "Directory of the key files (each readable by its owner alone). Keep it out of plain backups.",
        "the folder keys in SUYUAN_DATA_DIR",
        _directory,
    ),
    Setting(
        "SUYUAN_BASE_URL",
        "base_url",
        "Public address of this deployment, without a path; pages, links and QR codes name it.",
        "http://localhost:PORT",
        _base_url,
    ),
    Setting(
        "SUYUAN_LOG_ORIGIN",
        "log_origin",
        "Name of the transparency log in its checkpoints. Never change it once something is published.",
        "the host of SUYUAN_BASE_URL followed by /log",
        _origin,
    ),
    Setting(
        "SUYUAN_CODE_HOST",
        "code_host",
        "Host that is printed in item codes (HTTPS://HOST/01/...). It must answer as long as goods live.",
        "the host of SUYUAN_BASE_URL",
        _host,
    ),
    Setting(
        "SUYUAN_LISTEN_HOST", "listen_host", "Address that suyuan serve binds.", "127.0.0.1", _listen_host
    ),
    Setting("SUYUAN_PORT", "port", "TCP port that suyuan serve binds.", "8080", _integer(1, 65535)),
    Setting(
        "SUYUAN_POOL_SIZE",
        "pool_size",
        "Most connections to the database that one process holds.",
        "10",
        _integer(1, 1000),
    ),
    Setting(
        "SUYUAN_LOG_LEVEL",
        "log_level",
        "Least severity that is written to standard error: debug, info, warning or error.",
        "info",
        _one_of("debug", "info", "warning", "error"),
    ),
    Setting(
        "SUYUAN_LOG_FORMAT",
        "log_format",
        "Form of a log line: text for people, json for collectors.",
        "text",
        _one_of("text", "json"),
    ),
    Setting(
        "SUYUAN_OPERATOR_NAME_EN",
        "operator_name_en",
        "Name of the operator on English public pages. Unset: the member with the role operator is named.",
        "",
        _line,
    ),
    Setting(
        "SUYUAN_OPERATOR_NAME_ZH",
        "operator_name_zh",
        "Name of the operator on Chinese public pages. Unset: the member with the role operator is named.",
        "",
        _line,
    ),
    Setting(
        "SUYUAN_REPORT_URL",
        "report_url",
        "Where a buyer reports a problem with a code: a mailto:, https: or http: address. Unset: no button.",
        "",
        _report_url,
    ),
    Setting(
        "SUYUAN_ICP_NUMBER",
        "icp_number",
        "ICP filing number (ICP备案号) of the site, shown at the foot of public pages.",
        "",
        _line,
    ),
    Setting(
        "SUYUAN_POLICE_NUMBER",
        "police_number",
        "Public security filing number (公安备案号) of the site, shown at the foot of public pages.",
        "",
        _line,
    ),
    Setting(
        "SUYUAN_ROOT_FILES_DIR",
        "root_files_dir",
        "Folder of the files that WeChat, Alipay and others ask to find at the root of the host.",
        "",
        _directory,
    ),
    Setting(
        "SUYUAN_POLICY",
        "policy_file",
        "File that says who sees what, in place of the one that the package brings; checked at start.",
        "policy.toml in SUYUAN_DATA_DIR, if there is one",
        _directory,
    ),
    Setting(
        "SUYUAN_PRINT_BRIDGE",
        "print_bridge_url",
        "Where a packing station sends ZPL to be printed (http: or https:, often on the station itself).",
        "",
        _bridge_url,
    ),
    Setting(
        "SUYUAN_TRUSTED_PROXIES",
        "trusted_proxies",
        "Addresses or networks of proxies whose X-Forwarded-For is believed, separated by commas.",
        "",
        _networks,
    ),
    Setting(
        "SUYUAN_LABEL_IMAGE_DAYS",
        "label_image_days",
        "Days for which images of label checks are kept, sealed; then they are erased. 0: they are never stored.",
        "0",
        _integer(0, 3650),
    ),
)


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = [setting.name for setting in TABLE]
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in known or name.startswith(_FOREIGN):
            continue
        close = difflib.get_close_matches(name, known, n=1)
        raise InputError(
            "settings.unknown",
            f"{name} is not a setting.",
            path=name,
            remedy=f"Did you mean {close[0]}?"
            if close
            else "Unset it; the settings are: " + ", ".join(known) + ".",
        )


def load(environ: Mapping[str, str] | None = None, **given: object) -> Settings:
    """Settings from ``environ`` (the process's own by default), with ``given`` fields (command-line options,
    as text or final values) taking precedence. An empty variable counts as unset.

    Raises ``InputError`` (``settings.unknown``, ``settings.invalid``), whose path is the variable's name.
    """
    environ = os.environ if environ is None else environ
    _refuse_unknown(environ)
    found: dict[str, Any] = {}
    for setting in TABLE:
        value = given.get(setting.field)
        if value is None:
            value = environ.get(setting.name, "").strip() or None
        if value is None:
            continue
        try:
            # Every value passes the same check, wherever it came from.
            found[setting.field] = setting.read(str(value))
        except ValueError as error:
            raise InputError(
                "settings.invalid",
                f"{setting.name} cannot be used: {error}.",
                path=setting.name,
                remedy=setting.meaning,
            ) from None
    if stray := set(given) - {setting.field for setting in TABLE}:
        raise TypeError(f"no such settings: {sorted(stray)}")
    return _with_defaults(found)


def metrics_dir() -> Path:
    """Where the processes of a server keep their metrics: told to them by the one that started them."""
    return Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])


def _own_policy(data_dir: Path) -> Path | None:
    path = data_dir / "policy.toml"
    return path if path.is_file() else None


def _with_defaults(found: dict[str, Any]) -> Settings:
    port = found.get("port", 8080)
    data_dir = found.get("data_dir") or _directory("data")
    base_url: str = found.get("base_url") or f"http://localhost:{port}"
    host = urlsplit(base_url).netloc
    return Settings(
        database_url=found.get("database_url"),
        data_dir=data_dir,
        keys_dir=found.get("keys_dir") or data_dir / "keys",
        base_url=base_url,
        log_origin=found.get("log_origin") or f"{host}/log",
        code_host=found.get("code_host") or host,
        listen_host=found.get("listen_host", "127.0.0.1"),
        port=port,
        pool_size=found.get("pool_size", 10),
        log_level=found.get("log_level", "info"),
        log_format=found.get("log_format", "text"),
        operator_name_en=found.get("operator_name_en", ""),
        operator_name_zh=found.get("operator_name_zh", ""),
        report_url=found.get("report_url", ""),
        icp_number=found.get("icp_number", ""),
        police_number=found.get("police_number", ""),
        root_files_dir=found.get("root_files_dir"),
        policy_file=found.get("policy_file") or _own_policy(data_dir),
        trusted_proxies=found.get("trusted_proxies", ""),
        label_image_days=found.get("label_image_days", 0),
        print_bridge_url=found.get("print_bridge_url", ""),
    )
