"""The log as it is published (C2SP tlog-tiles): checkpoint, tiles, entries, key. Open to everyone.

A tile or a bundle of a given width never changes and may be kept for ever; a checkpoint may not be kept at all.
Only what a published checkpoint implies is served.
"""

from __future__ import annotations

from litestar import Response, get

from suyuan.api.model import Call, services_of
from suyuan.api.requests import raw_tail
from suyuan.log import checkpoint
from suyuan.tlog.tile import parse_index, parse_tile

_FOREVER = {"Cache-Control": "public, max-age=604800, immutable"}
_NEVER = {"Cache-Control": "no-cache"}
_TEXT = "text/plain"  # the framework adds the charset
_BYTES = "application/octet-stream"


@get("/log/checkpoint", media_type=_TEXT, tags=["log"])
async def read_checkpoint(request: Call) -> Response[bytes]:
    """The newest signed checkpoint of the log."""
    note = await checkpoint(services_of(request).pool)
    return Response(note, media_type=_TEXT, headers=_NEVER)


@get("/log/key", media_type=_TEXT, tags=["log"])
async def read_key(request: Call) -> Response[bytes]:
    """The verifier key of the log, as suyuan verify takes it."""
    vkey = services_of(request).signer.vkey
    return Response(vkey.encode() + b"\n", media_type=_TEXT, headers=_NEVER)


@get("/log/tile/{tile:path}", media_type=_BYTES, tags=["log"])
async def read_tile(request: Call) -> Response[bytes]:
    """Hashes (``/log/tile/<L>/<N>[.p/<W>]``) or entries (``/log/tile/entries/<N>[.p/<W>]``)."""
    first, _, rest = raw_tail(request, "/log/tile/").partition("/")
    tree = services_of(request).tree
    if first == "entries":
        body = await tree.entries(*parse_index(rest))
    else:
        tile = parse_tile(first, rest)
        body = await tree.tile(tile.level, tile.n, tile.width)
    return Response(body, media_type=_BYTES, headers=_FOREVER)


ROUTES = (read_checkpoint, read_key, read_tile)
