"""``suyuan watch``: a broker's message folder, taken in as it fills; once, whole, and through any crash."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from suyuan.cli.context import MANNER, AsJson, DataDir, explain, problem_of, run, say
from suyuan.cli.folder import DONE, REFUSED, Claim, Folder, Settling
from suyuan.cli.papers import Send, Taken, directly, over_http, token_of
from suyuan.errors import (
    AuthenticationError,
    InputError,
    NotFoundError,
    PermissionDenied,
    SuyuanError,
    UnavailableError,
)

_AT_ONCE = 4
_LONGEST_PAUSE = 60.0
_HOPELESS = (AuthenticationError, PermissionDenied)


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How to watch: seconds a file must stay unchanged, between looks, and for one that looks cut off; or once."""

    settle: float
    interval: float
    patience: float
    once: bool


class Watch:
    """One run over one folder."""

    def __init__(self, folder: Folder, send: Send, pace: Pace) -> None:
        self._folder = folder
        self._send = send
        self._pace = pace
        self._settling = Settling(pace.settle)
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._told: dict[Path, str] = {}
        self._moving = False
        self.taken = 0
        self.refused = 0
        self.left = 0
        self.stop = asyncio.Event()

    async def run(self) -> None:
        """Take in what is there and, unless once, what comes, until ``stop`` is set.

        Raises ``PermissionDenied`` or ``AuthenticationError``: no paper would be taken with this token.
        """
        pause = 0.0
        if self._pace.once:
            self._settling.ready(self._folder.waiting()[0], time.monotonic())
            await asyncio.sleep(self._pace.settle)
            await self._pass()
            return
        async with self._changes() as changed:
            while not self.stop.is_set():
                changed.clear()
                pause = 0.0 if await self._pass() else min(_LONGEST_PAUSE, max(1.0, pause * 2))
                await self._rest(pause, changed)

    async def _rest(self, pause: float, changed: asyncio.Event) -> None:
        """Wait until there is something to do: after ``pause`` where the door was shut, soon where files still
        change, else when the folder changes, at the latest after the interval."""
        seconds = pause or (
            max(0.05, min(self._pace.settle, self._pace.interval)) if self._moving else self._pace.interval
        )
        waits = [asyncio.create_task(self.stop.wait())]
        if not pause and not self._moving:
            waits.append(asyncio.create_task(changed.wait()))
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for one in waits:
            one.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def _changes(self) -> AsyncIterator[asyncio.Event]:
        """An event that is set when something happens in the folder; where the system cannot tell, only the
        interval wakes the watch."""
        changed = asyncio.Event()
        task = asyncio.create_task(self._listen(changed))
        try:
            yield changed
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen(self, changed: asyncio.Event) -> None:
        from watchfiles import awatch

        try:
            async for _ in awatch(
                self._folder.root, stop_event=self.stop, rust_timeout=1000, yield_on_timeout=False
            ):
                changed.set()
        except (OSError, RuntimeError) as error:
            self._tell("polling", Path(), reason=f"{type(error).__name__}: {error}")

    async def _pass(self) -> bool:
        """One look at the folder; whether the door could be reached."""
        found, odd = self._folder.waiting()
        for path in odd:
            self._tell_once("skipped", path, "not a plain file")
        now = time.monotonic()
        ready = self._settling.ready(found, now)
        self._moving = len(ready) < len(found)
        results = await asyncio.gather(*(self._one(path, now) for path in ready))
        self.left = len(found) - sum(result is True for result in results)
        self._told = {path: text for path, text in self._told.items() if path in found or path in odd}
        return None not in results

    async def _one(self, path: Path, now: float) -> bool | None:
        """Whether a paper was settled; None where the door could not be reached."""
        async with self._gate:
            if self.stop.is_set():
                return False
            patient = self._settling.age(path, now) < self._pace.patience
            try:
                claim = await asyncio.to_thread(self._folder.claim, path, patient=patient)
            except OSError as error:
                self._tell_once("unreadable", path, error.strerror or str(error))
                return False
            if claim is None:
                return False
            try:
                return await self._deliver(claim)
            except OSError as error:
                # It stays in .taking without a lock, and is taken up again at the next look.
                self._tell_once("stuck", claim.path, error.strerror or str(error))
                return False
            finally:
                claim.close()

    async def _deliver(self, claim: Claim) -> bool | None:
        from suyuan.capture.paper import MAX_PAPER_BYTES

        if claim.stamp[1] > MAX_PAPER_BYTES:
            reason = f"The paper has {claim.stamp[1]} bytes; {MAX_PAPER_BYTES} are taken."
            return await self._refuse(claim, b"", InputError("capture.paper.too_large", reason))
        data = await asyncio.to_thread(claim.read)
        if data is None:
            await asyncio.to_thread(self._folder.release, claim)
            return False
        try:
            taken = await self._send(data, claim.name.name)
        except _HOPELESS:
            await asyncio.to_thread(self._folder.release, claim)
            raise
        except UnavailableError as error:
            await asyncio.to_thread(self._folder.release, claim)
            self._tell("unavailable", claim.name, **problem_of(error))
            return None
        except SuyuanError as error:
            return await self._refuse(claim, data, error)
        except Exception as error:  # the database went away, say: no fault of the paper
            await asyncio.to_thread(self._folder.release, claim)
            self._tell("unavailable", claim.name, code="internal", reason=type(error).__name__)
            return None
        return await self._accept(claim, taken)

    async def _accept(self, claim: Claim, taken: Taken) -> bool:
        receipt = msgspec.structs.replace(taken, file=str(claim.name))
        beside = {".receipt.json": msgspec.json.format(msgspec.json.encode(receipt)) + b"\n"}
        final = await asyncio.to_thread(self._folder.settle, claim, DONE, beside)
        self.taken += 1
        self._tell(
            "taken",
            claim.name,
            to=str(final.relative_to(self._folder.root)),
            kind=taken.kind,
            capture_id=taken.capture_id,
            repeated=taken.repeated,
            new_events=taken.new_events,
            warnings=len(taken.warnings),
        )
        return True

    async def _refuse(self, claim: Claim, data: bytes, error: SuyuanError) -> bool:
        from suyuan.cli.findings import findings_of, text_of

        found = await asyncio.to_thread(findings_of, error, data, claim.name.name)
        text = "\n".join(
            [
                f"{explain(error.code)} {error.reason}".strip(),
                f"{error.code} {error.path}".strip(),
                *([error.remedy] if error.remedy else []),
                "",
                *(text_of(one, both=True) for one in found),
            ]
        )
        reason = {"file": str(claim.name), **problem_of(error), "findings": found}
        beside = {
            ".reason.txt": text.encode() + b"\n",
            ".reason.json": msgspec.json.format(msgspec.json.encode(reason)) + b"\n",
        }
        final = await asyncio.to_thread(self._folder.settle, claim, REFUSED, beside)
        self.refused += 1
        self._tell("refused", claim.name, to=str(final.relative_to(self._folder.root)), **problem_of(error))
        return True

    # -- what people and machines are told ----------------------------------------------------------------

    def _tell_once(self, what: str, path: Path, reason: str) -> None:
        if self._told.get(path) != reason:
            self._told[path] = reason
            self._tell(what, self._folder.name_of(path), reason=reason)

    def _tell(self, what: str, name: Path, **more: Any) -> None:
        if MANNER.as_json:
            typer.echo(msgspec.json.encode({"event": what, "file": str(name), **more}).decode())
            return
        typer.echo(f"{_word(what)}  {name}  {_rest(more)}".rstrip(), err=what != "taken")


def _word(what: str) -> str:
    words = {
        "taken": ("taken", "已收"),
        "refused": ("refused", "拒收"),
        "unavailable": ("waits: the door is not available", "等待：服务暂不可用"),
        "unreadable": ("cannot be read", "无法读取"),
        "stuck": ("cannot be moved, will be tried again", "无法移动，将重试"),
        "skipped": ("left alone", "已跳过"),
        "polling": ("no notices of changes here; looking at intervals", "无法获得变更通知，改为定时查看"),
    }
    return say(*words[what])


def _rest(more: dict[str, Any]) -> str:
    if "capture_id" in more:
        again = say(", had it already", "，此前已收") if more["repeated"] else ""
        count = more["new_events"]
        return f"{more['kind']}, {say(f'{count} new events', f'新增 {count} 条事件')}{again}"
    return " ".join(str(more[key]) for key in ("code", "path", "reason", "remedy") if more.get(key))


async def _watch(door: AbstractAsyncContextManager[Send], root: Path, pace: Pace) -> Watch:
    async with door as send:
        watching = Watch(Folder(root), send, pace)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, watching.stop.set)
        try:
            await watching.run()
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
        return watching


def watch(
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="The folder.")],
    party: Annotated[
        str, typer.Option(metavar="ID", help="The party that delivers, into the deployment itself.")
    ] = "",
    url: Annotated[str, typer.Option(help="Deliver to this server over HTTP instead.")] = "",
    token: Annotated[str, typer.Option(help="Token for --url; - reads it from standard input.")] = "",
    token_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="File that holds the token for --url.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Take in what is there, and leave: for cron.")] = False,
    settle: Annotated[
        float, typer.Option(min=0, help="Seconds for which a file must not have changed.")
    ] = 2.0,
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between looks at the folder.")] = 10.0,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds until a file whose end is missing is taken as it is.")
    ] = 60.0,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Take papers in as they come into a folder: done/ holds what was taken, refused/ what was not, each with a
    file beside it that says what became of it.

    A file is taken when it has stopped changing and its end is there; subfolders are watched too, names that begin with
    a dot or end like an unfinished download are not. What cannot be delivered now stays and is tried again. Stop it as
    you like, start it again, run several: no paper is lost or stored twice. With --json one object a line.

    \b
      suyuan watch /data/customs --party nanyue
      suyuan watch /data/customs --url https://trace.example --token-file token.txt --once
    """
    if bool(url) == bool(party):
        raise InputError(
            "cli.capture.who",
            "Who delivers? Papers go straight in, or over HTTP, one of the two.",
            path="--party",
            remedy="Give --party ID, or --url and --token-file for a server.",
        )
    pace = Pace(settle=settle, interval=interval, patience=patience, once=once)
    if not folder.is_dir():
        raise NotFoundError("cli.file", "The folder is not there.", path=str(folder))
    if url:
        done = asyncio.run(_watch(over_http(url, token_of(token, token_file)), folder, pace))
    else:
        done = run(data_dir, lambda services: _watch(directly(services, party), folder, pace))
    summary = {"event": "ended", "taken": done.taken, "refused": done.refused, "left": done.left}
    if MANNER.as_json:
        typer.echo(msgspec.json.encode(summary).decode())
    else:
        typer.echo(
            say(
                f"{done.taken} taken, {done.refused} refused, {done.left} left",
                f"已收 {done.taken} 份，拒收 {done.refused} 份，剩余 {done.left} 份",
            )
        )
    if once and (done.refused or done.left):
        raise typer.Exit(InputError.exit_code if done.refused else UnavailableError.exit_code)
