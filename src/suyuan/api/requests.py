"""Reading what was sent: bodies within their limit, commands, names, identifiers."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from datetime import datetime
from email.message import Message
from typing import TypeVar
from urllib.parse import unquote

import msgspec

from suyuan.api.model import Call
from suyuan.capture.intake import LONG_BYTES
from suyuan.capture.paper import MAX_PAPER_BYTES
from suyuan.capture.sources import Source, Spool
from suyuan.errors import InputError
from suyuan.gs1.digital_link import canonical, parse, without_trailing_slash

# Serials of a command are listed: 43,200 of them are 1 MB.
MAX_COMMAND_BYTES = 16 * 1024 * 1024
PAPER_BYTES = MAX_PAPER_BYTES
SPOOL_BYTES = LONG_BYTES
_BLOCK = 1024 * 1024
MAX_URI = 2000
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\"<>\\^`{|}\x00-\x1f]+")
# msgspec ends its messages with the place of the fault.
_AT = re.compile(r"^(?P<reason>.*?)(?: - at `(?:key in )?\$?\.?(?P<path>[^`]*)`)?$", re.DOTALL)

Command = TypeVar("Command")


def decode_command(data: bytes, kind: type[Command]) -> Command:
    """A command from JSON, read strictly: no unknown field, no text for a number.

    Raises ``InputError``: ``http.body.empty``, ``http.body.json``, ``http.body.field`` with the field's path.
    """
    if not data.strip():
        raise InputError(
            "http.body.empty", "The request has no body.", remedy="Send the command as a JSON object."
        )
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        found = _AT.match(str(error))
        assert found is not None
        raise InputError(
            "http.body.field",
            found["reason"] + ".",
            path=found["path"] or "",
            remedy="The fields and their types are in /schema.",
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            "http.body.json", f"The body is not JSON: {error}.", remedy="Send UTF-8 JSON."
        ) from None


async def read_command(call: Call, kind: type[Command]) -> Command:
    """The body as a command. Raises as ``decode_command`` does."""
    return decode_command(await call.body(), kind)


@contextlib.asynccontextmanager
async def received_paper(call: Call) -> AsyncIterator[bytes | Source]:
    """The body as a paper for the length of a block; a long one lies in a file that has no name.

    Raises Litestar's error for a body that is larger than the door takes.
    """
    spool: Spool | None = None
    gathered = bytearray()
    try:
        async for chunk in call.stream():
            gathered += chunk
            if len(gathered) >= (SPOOL_BYTES if spool is None else _BLOCK):
                spool = spool or Spool()
                await asyncio.to_thread(spool.write, bytes(gathered))
                gathered.clear()
        if spool is None:
            yield bytes(gathered)
        else:
            await asyncio.to_thread(spool.write, bytes(gathered))
            gathered = bytearray()
            yield spool.source()
    finally:
        if spool is not None:
            spool.close()


def paper_name(call: Call) -> str:
    """The file name that was sent along, from ``?name=`` or ``Content-Disposition``; only its last part."""
    name = call.query_params.get("name") or ""
    disposition = call.headers.get("content-disposition")
    if not name and disposition:
        message = Message()
        message["Content-Disposition"] = disposition
        name = message.get_filename() or ""
    return re.sub(r"[\x00-\x1f\x7f]", "", re.split(r"[/\\]", name)[-1])[:200]


def read_thing(text: str, path: str = "uri") -> str:
    """The canonical URI of a thing that a caller names: a Digital Link of any host, an EPC URN, another URI.

    Raises ``InputError``: ``gs1.*`` for a Digital Link that breaks a rule, ``trace.uri.form``,
    ``trace.uri.personal`` for the plain number of a person document, which never belongs into a URL.
    """
    text = text.strip()
    if len(text) > MAX_URI or not _URI.fullmatch(text):
        raise InputError(
            "trace.uri.form",
            "That is no URI of a thing.",
            path=path,
            remedy="Write a Digital Link such as https://id.gs1.org/01/09506000134352/21/A1, or a URN.",
        )
    if text.lower().startswith("urn:suyuan:raw:"):
        raise InputError(
            "trace.uri.personal",
            "Numbers of orders, parcels and payments are not asked for by URL.",
            path=path,
            remedy="Ask for the item, or for the pseudonym that stands in its trace.",
        )
    if text.lower().startswith(("http://", "https://")):
        try:
            return parse(without_trailing_slash(text), older_forms=True).canonical
        except InputError as error:
            if error.code != "gs1.uri.no_key":
                error.path = path
                raise
            return text
    return canonical(text) or text


def read_time(text: str | None, path: str) -> datetime | None:
    """A time with its offset, or None. Raises ``InputError`` (``http.parameter.time``)."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InputError(
            "http.parameter.time",
            "That is no time with an offset.",
            path=path,
            remedy="Write it like 2026-01-31T12:00:00+08:00.",
        )
    return moment


def raw_tail(call: Call, prefix: str) -> str:
    """What follows ``prefix`` in the path as it was sent, decoded once: slashes that were escaped stay whole."""
    raw = call.scope["raw_path"].partition(b"?")[0].decode("latin-1")
    return unquote(raw[len(prefix) :])
