"""What every command shares: the deployment it works on, its output in two languages, errors with their remedy.

``--json`` makes a result one JSON value on standard output and an error one JSON object on standard error. What
is no result goes to standard error. Rich and the rooms below are loaded when they are needed, so that ``--help``
and ``verify`` are quick.

A command that runs beside ``suyuan serve`` must name the same log and the same host as the server does. The server
therefore leaves its public names in the data directory, and commands take them from there unless the environment
says otherwise.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import tomllib
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
import typer

from suyuan.cli.usage import Group
from suyuan.errors import NotFoundError, SuyuanError

if TYPE_CHECKING:
    from rich.console import Console

    from suyuan.app import Services
    from suyuan.settings import Settings

T = TypeVar("T")
NAMES_FILE = "names.json"


class Manner(msgspec.Struct):
    """How this run speaks."""

    language: str = "en"
    as_json: bool = False


MANNER = Manner()


def _note_json(value: bool) -> bool:
    MANNER.as_json = value
    return value


DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        help="Directory of the deployment (SUYUAN_DATA_DIR, else ./data).",
        show_default=False,
    ),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", help="One JSON document for machines instead of text.", callback=_note_json, is_eager=True
    ),
]


# -- the top of the command line ------------------------------------------------------------------------------


class CommandLine(typer.Typer):
    """A typer application whose errors are reason and remedy, and an exit code of their kind."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"cls": Group, **kwargs})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        MANNER.as_json = False
        inside = kwargs.get("standalone_mode") is False
        kwargs.setdefault("prog_name", "suyuan")  # however it was begun, this is what is typed
        try:
            return super().__call__(*args, **kwargs)
        except SuyuanError as error:
            if inside:
                raise
            show_error(error)
            sys.exit(error.exit_code)
        except Exception as error:
            if inside:
                raise
            show_error(_unforeseen(error))
            sys.exit(1)


def _unforeseen(error: Exception) -> SuyuanError:
    frames = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
    return SuyuanError(
        "internal",
        f"{type(error).__name__}: {error}",
        path=" > ".join(frames[-4:]),
        remedy="This is a mistake of the program. Please report it with this message.",
    )


# -- output ---------------------------------------------------------------------------------------------------


def choose_language(text: str) -> None:
    """Chinese for a locale such as ``zh_CN.UTF-8`` or ``zh``, else English."""
    MANNER.language = "zh" if text.lower().startswith("zh") else "en"


def say(english: str, chinese: str) -> str:
    """The text in the language of this run."""
    return chinese if MANNER.language == "zh" else english


def console(*, error: bool = False) -> Console:
    """Where people read: standard output, or standard error for what is no result."""
    from rich.console import Console

    return Console(stderr=error, highlight=False, soft_wrap=True)


def note(english: str, chinese: str) -> None:
    """A remark for people, on standard error; none where a machine reads."""
    if not MANNER.as_json:
        typer.echo(say(english, chinese), err=True)


def show(value: Any, as_json: bool, text: Callable[[], str]) -> None:
    """Print a result: JSON of ``value``, or what ``text`` makes for people."""
    typer.echo(msgspec.json.encode(value).decode() if as_json else text())


def show_error(error: SuyuanError) -> None:
    """The error on standard error: code and place, reason, what to do now."""
    if MANNER.as_json:
        typer.echo(msgspec.json.encode(problem_of(error)).decode(), err=True)
        return
    where = f" ({error.path})" if error.path else ""
    meaning = explain(error.code) if MANNER.language == "zh" else ""
    typer.secho(f"{error.code}{where}: {meaning}{error.reason}", fg="red", err=True)
    if error.remedy:
        typer.echo(f"  {say('', '处理办法：')}{error.remedy}", err=True)


def problem_of(error: SuyuanError) -> dict[str, str]:
    """An error as machines read it."""
    return {"code": error.code, "path": error.path, "reason": error.reason, "remedy": error.remedy}


@functools.cache
def _chinese() -> dict[str, str]:
    data = (files("suyuan.cli") / "data" / "errors.zh.toml").read_bytes()
    return tomllib.loads(data.decode("utf-8"))


def explain(code: str) -> str:
    """What an error code means in Chinese: its own line, else that of its family, else nothing."""
    words = _chinese()
    while code:
        if code in words:
            return words[code]
        code = code.rpartition(".")[0]
    return ""


# -- the deployment -------------------------------------------------------------------------------------------


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """The public names of a deployment, as its server last used them."""

    base_url: str
    log_origin: str
    code_host: str


def read_names(configured: Settings) -> Names | None:
    """The names that a server left in the data directory; None where none did."""
    try:
        return msgspec.json.decode((configured.data_dir / NAMES_FILE).read_bytes(), type=Names)
    except (OSError, msgspec.MsgspecError):
        return None


def leave_names(configured: Settings) -> None:
    """Leave the names for the commands to come."""
    configured.data_dir.mkdir(parents=True, exist_ok=True)
    names = Names(
        base_url=configured.base_url, log_origin=configured.log_origin, code_host=configured.code_host
    )
    (configured.data_dir / NAMES_FILE).write_bytes(msgspec.json.encode(names))


def load_settings(data_dir: Path | None) -> Settings:
    """The settings of this call: options, then environment, then the names that the server left.

    Raises ``InputError`` (``settings.*``).
    """
    from suyuan import settings

    configured = settings.load(data_dir=data_dir)
    names = read_names(configured)
    if names is None or configured.base_url != f"http://localhost:{configured.port}":
        return configured
    own = configured.base_url.partition("://")[2]
    taken: dict[str, Any] = {"base_url": names.base_url}
    if configured.log_origin == f"{own}/log":
        taken["log_origin"] = names.log_origin
    if configured.code_host == own:
        taken["code_host"] = names.code_host
    return settings.load(data_dir=data_dir, **taken)


def check_deployment(configured: Settings) -> None:
    """Raise ``NotFoundError`` (``cli.deployment.absent``) where there is neither a database nor one named."""
    if not (configured.database_url or (configured.data_dir / "database" / "cluster").exists()):
        raise NotFoundError(
            "cli.deployment.absent",
            "There is no deployment in this directory.",
            path=str(configured.data_dir),
            remedy="Name its directory with --data-dir, or make a new one: suyuan migrate --data-dir DIR",
        )


def run(data_dir: Path | None, work: Callable[[Services], Awaitable[T]], *, create: bool = False) -> T:
    """What ``work`` returns on the services of the deployment in ``data_dir``.

    An embedded deployment that is not there is made only with ``create``: a mistyped directory must not pass for
    an empty one. Raises ``NotFoundError`` (``cli.deployment.absent``) and what ``open_services`` raises.
    """
    from suyuan.app import open_services

    configured = load_settings(data_dir)
    if not create:
        check_deployment(configured)

    async def session() -> T:
        # A server of one's own is migrated by suyuan migrate alone; the embedded one belongs to us.
        async with open_services(configured, migrate=configured.database_url is None) as services:
            return await work(services)

    return asyncio.run(session())
