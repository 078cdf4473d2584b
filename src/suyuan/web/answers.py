"""What goes back to a client: one small value, and the machine answers' JSON.

Free of the web framework, so that the resolver can be judged without a server.
"""

from __future__ import annotations

import gzip

import msgspec

from suyuan.errors import SuyuanError
from suyuan.web.classify import block_of, segment_of
from suyuan.web.language import language
from suyuan.web.model import PublicItem
from suyuan.web.verdict import verdict

HTML = "text/html; charset=utf-8"
JSON_TYPE = "application/json"
METHODS = "GET, HEAD, OPTIONS"
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": METHODS,
    "Access-Control-Allow-Headers": "Accept, Accept-Language",
    "Access-Control-Expose-Headers": "Link, Location",
}
VARY = {"Vary": "Accept, Accept-Language, Accept-Encoding"}
# Fields that are the operator's own even where a trace carries them.
_INNER = ("event_key", "event_id", "capture_id", "rule", "message")


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A request as the resolver reads it. ``path`` and ``query`` are raw, still percent-encoded."""

    method: str
    path: str
    query: str = ""
    accept: str = ""
    accept_language: str = ""
    accept_encoding: str = ""
    if_none_match: str = ""
    content_type: str = ""
    fetch_site: str = ""
    looked: bool = False  # a person opens a page, as far as the request tells
    held: bool = False  # another wrong code from there gets no page


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A complete answer; ``headers`` are without Content-Length, which the sender adds."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


def packed(body: bytes) -> bytes:
    """A body in gzip's format, the same bytes every time."""
    return gzip.compress(body, compresslevel=6, mtime=0)


def error_json(error: SuyuanError) -> bytes:
    """An error for machines: its stable code, the path, the reason, the remedy."""
    return msgspec.json.encode(
        {"code": error.code, "path": error.path, "reason": error.reason, "remedy": error.remedy}
    )


def item_json(item: PublicItem) -> bytes:
    """The public trace for machines: everything on the page, in the words of the model.

    Each fact carries its block and segment; ``verdict`` is the code of the page's verdict.
    """
    facts = []
    for position, fact in enumerate(item.trace.facts, 1):
        shown = msgspec.to_builtins(fact)
        for name in _INNER:
            del shown[name]
        facts.append({"position": position, "block": block_of(fact), "segment": segment_of(fact), **shown})
    trace = msgspec.to_builtins(item.trace)
    trace["facts"] = facts
    return msgspec.json.encode(
        {
            "verdict": verdict(item.trace, item.scans, language("en")).code,
            "trace": trace,
            "coverage": item.coverage,
            "scans": item.scans,
            "proof": item.proof,
        }
    )
