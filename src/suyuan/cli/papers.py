"""``suyuan capture``: papers from files and folders, straight into the deployment or through the doors of one."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from suyuan.cli.context import MANNER, AsJson, DataDir, console, problem_of, run, say, show, show_error
from suyuan.cli.mappings import mapping_given
from suyuan.errors import InputError, NotFoundError, PermissionDenied, SuyuanError, UnavailableError

if TYPE_CHECKING:
    from suyuan.app import Services
    from suyuan.capture.sources import Source

Send = Callable[["bytes | Source", str], Awaitable["Taken"]]
# What is longer is not held in memory where its kind can be read as a stream.
_LONG_BYTES = 4 * 1024 * 1024
_BLOCK = 1024 * 1024


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file; ``error`` stands where it was refused, ``faults`` are all of a sheet.

    ``events`` are those that were told, which of a long paper are the first 10,000 of ``event_count``.
    """

    file: str
    kind: str = ""
    capture_id: str = ""
    repeated: bool = False
    events: tuple[str, ...] = ()
    event_count: int = 0
    new_events: int = 0
    warnings: tuple[dict[str, str], ...] = ()
    error: dict[str, str] | None = None
    faults: tuple[dict[str, str], ...] = ()


def capture(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE|DIR...", exists=True, help="Files or folders.")
    ],
    party: Annotated[
        str,
        typer.Option(metavar="ID", help="The party that delivers, when writing to the deployment itself."),
    ] = "",
    url: Annotated[str, typer.Option(help="Deliver to this server over HTTP instead.")] = "",
    token: Annotated[str, typer.Option(help="Token for --url; - reads it from standard input.")] = "",
    token_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="File that holds the token for --url.")
    ] = None,
    mapping: Annotated[
        str,
        typer.Option(
            metavar="FILE|NAME",
            help="How a courier's own scans are read: TOML, or a stored mapping of the party. Stored ones that fit"
            " need not be named.",
        ),
    ] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Take papers in, recognised by content: EPCIS, customs messages, sheets, scans.

    Each file stands for itself and is taken whole or refused, with reason and remedy; one that was taken before is
    known again. A folder is read in order of names. The exit code is 0 only if all were taken.

    \b
      suyuan capture papers/ --party nanyue
      suyuan capture packing.xlsx --url https://trace.example --token-file token.txt
      suyuan capture scans.csv --mapping courier.toml --party sanhe
    """
    if bool(url) == bool(party):
        raise InputError(
            "cli.capture.who",
            "Who delivers? Papers go straight in, or over HTTP, one of the two.",
            path="--party",
            remedy="Give --party ID, or --url and --token-file for a server.",
        )
    files = [file for path in paths for file in files_of(path)]
    if not files:
        raise no_papers(paths)
    if url:
        _check_address(url, token, token_file)
    how, named = mapping_given(mapping)
    if url:
        taken = asyncio.run(_take_all(over_http(url, token_of(token, token_file), named), files, how))
    else:
        taken = run(data_dir, lambda services: _take_all(directly(services, party, named), files, how))
    refused = sum(one.error is not None for one in taken)
    show(
        taken,
        as_json,
        lambda: say(
            f"{len(taken) - refused} taken, {refused} refused",
            f"已收 {len(taken) - refused} 份，拒收 {refused} 份",
        ),
    )
    if refused:
        raise typer.Exit(2)


def files_of(path: Path) -> Iterator[Path]:
    """The files that are meant by a path; hidden ones inside a folder are not."""
    if not path.is_dir():
        yield path
        return
    for file in sorted(path.rglob("*")):
        hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
        if file.is_file() and not hidden:
            yield file


def no_papers(paths: Sequence[Path]) -> NotFoundError:
    """The error for folders in which nothing is to be taken: a mistyped one must not pass for a good one."""
    return NotFoundError(
        "cli.papers.none",
        "There is no file in it.",
        path=", ".join(map(str, paths)),
        remedy="Name the folder that has the papers; hidden files are left out.",
    )


def _check_address(url: str, token: str, token_file: Path | None) -> None:
    if not url.startswith(("http://", "https://")):
        raise InputError(
            "cli.server.address",
            "An address starts with https:// or http://.",
            path="--url",
            remedy="Write it whole, e.g. https://trace.example",
        )
    if not token and token_file is None:
        raise InputError(
            "cli.server.token",
            "The server wants to know who delivers.",
            path="--token-file",
            remedy="Give --token-file FILE, or --token - with the token on standard input. suyuan token create"
            " makes one.",
        )


def token_of(text: str, file: Path | None) -> str:
    """The token of a call: from a file, from standard input for ``-``, else as it stands."""
    if file is not None:
        return file.read_text("ascii", "replace").strip()
    return sys.stdin.readline().strip() if text == "-" else text.strip()


async def _take_all(
    door: AbstractAsyncContextManager[Send], files: list[Path], mapping: bytes | None = None
) -> list[Taken]:
    from rich.progress import Progress

    taken = []
    quiet = MANNER.as_json
    with Progress(console=console(error=True), transient=True, disable=quiet or len(files) < 2) as progress:
        task = progress.add_task(say("papers", "单证"), total=len(files))
        async with door as send:
            for file in files:
                taken.append(await _take(send, file, mapping))
                progress.advance(task)
                if not quiet:
                    progress.console.print(_line(taken[-1]), markup=False)
    return taken


async def _take(send: Send, file: Path, mapping: bytes | None = None) -> Taken:
    try:
        done = await _sent(send, file, mapping)
        return msgspec.structs.replace(done, file=str(file))
    except UnavailableError:
        raise
    except SuyuanError as error:
        if not MANNER.as_json:
            show_error(error)
            for fault in faults_of(error)[1:]:
                console(error=True).print(f"  {fault['path']}: {fault['reason']}", markup=False)
            for line in _chinese_lines(error):
                console(error=True).print(line, markup=False)
        return Taken(file=str(file), error=problem_of(error), faults=faults_of(error))


def _chinese_lines(error: SuyuanError) -> list[str]:
    if not say("", "zh"):
        return []
    from suyuan.cli.findings import chinese_of

    return chinese_of(error)


def faults_of(error: SuyuanError) -> tuple[dict[str, str], ...]:
    """Every fault of a sheet that was refused; none of other papers."""
    from suyuan.sheets import FaultySheetError

    if not isinstance(error, FaultySheetError):
        return ()
    return tuple(msgspec.to_builtins(fault) for fault in error.faults)


async def _sent(send: Send, file: Path, mapping: bytes | None) -> Taken:
    from suyuan.capture.paper import MAX_PAPER_BYTES
    from suyuan.capture.sources import spooled_file
    from suyuan.sheets.mapping import with_mapping

    if mapping is None and (await asyncio.to_thread(file.stat)).st_size > _LONG_BYTES:
        # Copied in a thread of its own; the block is left, and the copy gone, when it was taken in.
        spooled = spooled_file(file, MAX_PAPER_BYTES)
        source = await asyncio.to_thread(spooled.__enter__)
        with contextlib.ExitStack() as leaving:
            leaving.push(spooled)
            return await send(source, file.name)
    data = await asyncio.to_thread(file.read_bytes)
    return await send(data if mapping is None else with_mapping(mapping, data), file.name)


def _line(taken: Taken) -> str:
    if taken.error is not None:
        return f"{taken.file}: {say('refused', '拒收')}"
    again = say("  (had it already)", "（此前已收）") if taken.repeated else ""
    count = say(
        f"{taken.event_count} events, {taken.new_events} new",
        f"{taken.event_count} 条事件，新增 {taken.new_events} 条",
    )
    lines = [f"{taken.file}: {taken.kind}, {count}{again}"]
    lines += [f"    {warning['path']} {warning['reason']}" for warning in taken.warnings]
    return "\n".join(lines)


@asynccontextmanager
async def directly(services: Services, party: str, mapping: str = "") -> AsyncIterator[Send]:
    """Into the database of this deployment; at the end what was stored is published."""
    from suyuan.app import sequencing

    deliverer = await services.deliverer_of(party)

    async def send(data: bytes | Source, name: str) -> Taken:
        done = await services.capture.submit(data, deliverer, name=name, mapping=mapping)
        return Taken(
            file=name,
            kind=done.kind,
            capture_id=done.capture_id,
            repeated=done.repeated,
            events=tuple(event.event_id for event in done.events),
            event_count=sum(done.counts.values()),
            new_events=done.counts.get("stored", 0),
            warnings=tuple({"code": code, "path": path, "reason": why} for code, path, why in done.warnings),
        )

    async with sequencing(services):
        yield send


@asynccontextmanager
async def over_http(url: str, token: str, mapping: str = "") -> AsyncIterator[Send]:
    """Through the public door of any deployment."""
    import httpx

    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"}
    async with httpx.AsyncClient(base_url=url.rstrip("/"), headers=headers, timeout=300) as client:

        async def send(data: bytes | Source, name: str) -> Taken:
            content, length = (data, len(data)) if isinstance(data, bytes) else (_blocks(data), data.size)
            try:
                answer = await client.post(
                    "/api/v1/evidence",
                    params={"name": name, **({"mapping": mapping} if mapping else {})},
                    content=content,
                    headers={"Content-Length": str(length)},
                )
            except (httpx.TransportError, httpx.InvalidURL) as error:
                raise UnavailableError(
                    "cli.server.unreachable",
                    f"{url} does not answer ({type(error).__name__}).",
                    path="--url",
                    remedy="Check the address, and that suyuan serve runs there.",
                ) from None
            return read_answer(answer.status_code, answer.content, name)

        yield send


async def _blocks(source: Source) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(source.open) as reader:
        while block := await asyncio.to_thread(reader.read, _BLOCK):
            yield block


def read_answer(status: int, content: bytes, name: str) -> Taken:
    """What the door for papers answered. Raises the error that it tells of, or ``UnavailableError``
    (``cli.server.answer``) for an answer that is none of Suyuan's.
    """
    from suyuan.sheets import Fault, FaultySheetError

    try:
        body: dict[str, Any] = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.MsgspecError:
        raise UnavailableError(
            "cli.server.answer",
            f"The answer {status} is not one of Suyuan.",
            path="--url",
            remedy="Check the address.",
        ) from None
    if status == 429 or status >= 500:
        raise UnavailableError(
            body.get("code", "cli.server.answer"), body.get("detail", ""), remedy=body.get("remedy", "")
        )
    if status >= 400:
        if faults := body.get("findings"):
            raise FaultySheetError(msgspec.convert(faults, tuple[Fault, ...]))
        kind: type[SuyuanError] = PermissionDenied if status in (401, 403) else InputError
        raise kind(
            body.get("code", "cli.server.answer"),
            body.get("detail", f"The answer was {status}."),
            path=body.get("path", ""),
            remedy=body.get("remedy", ""),
        )
    events = body.get("events", ())
    return Taken(
        file=name,
        kind=body.get("kind", ""),
        capture_id=body.get("capture_id", ""),
        repeated=body.get("repeated", False),
        events=tuple(event["event_id"] for event in events),
        event_count=body.get("event_count", len(events)),
        new_events=sum(event["outcome"] == "stored" for event in events),
        warnings=tuple(body.get("warnings", ())),
    )
