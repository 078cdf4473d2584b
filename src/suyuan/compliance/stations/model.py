"""An act at a station, as the station sends it, and the rules of its form. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from suyuan.errors import InputError
from suyuan.gs1.digital_link import parse
from suyuan.gs1.percent import decode_value

ActKind = Literal["pack", "nest", "unpack", "receive", "store", "count", "damage"]
# More lists of an event's body would lie apart from it, and no parcel or pallet layer holds more.
MAX_PARTS = 250
# A handheld may lie in a drawer for a while before it meets the network again.
OLDEST = timedelta(days=30)
FASTEST_CLOCK = timedelta(minutes=5)
_GTIN_STEM = "https://id.gs1.org/01/"
_GTIN_END = len(_GTIN_STEM) + 14
_ACT_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_WAYBILL = re.compile(r"[A-Z0-9][A-Z0-9-]{5,39}")
_ZONE = re.compile(r"[+-](?:0\d|1[0-4]):[0-5]\d")
_WORD = re.compile(r"[^\x00-\x1f\x7f]{0,60}")
_COURIER = re.compile(r"[0-9A-Z]{0,20}")


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scanned thing: a serial, a case or pallet, or so many pieces of a GTIN or lot (``quantity`` > 0).

    ``scan`` is the scan's own ID.
    """

    uri: str
    quantity: int = 0
    scan: str = ""


class Act(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was done at a station. ``act_id`` (UUID) names it for ever; ``at`` is when it was done.

    ``waybill`` and ``courier`` (the courier's customs code) name a parcel, ``parent`` a case or pallet. ``gtin`` and
    ``lot`` are what the worker scanned as the goods to take; every serial must be of them.
    """

    act_id: str
    kind: ActKind
    at: datetime
    zone: str = "+08:00"
    waybill: str = ""
    courier: str = ""
    parent: str = ""
    parts: tuple[Part, ...] = ()
    gtin: str = ""
    lot: str = ""
    shelf: str = ""
    reason: str = ""

    @property
    def event_id(self) -> str:
        """The ID of the act's event."""
        return f"urn:uuid:{self.act_id}"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Why an act, or one code of it, is refused. ``code`` is stable; ``uri`` is empty for the act as a whole."""

    code: str
    uri: str = ""


def goods_key(uri: str) -> tuple[str, str]:
    """GTIN and serial of an item's canonical URI; two empty texts for anything else."""
    if not uri.startswith(_GTIN_STEM) or uri[_GTIN_END : _GTIN_END + 4] != "/21/":
        return "", ""
    return uri[len(_GTIN_STEM) : _GTIN_END], decode_value(uri[_GTIN_END + 4 :])


def gtin_of(uri: str) -> str:
    """The GTIN that a URI begins with, or an empty text."""
    return uri[len(_GTIN_STEM) : _GTIN_END] if uri.startswith(_GTIN_STEM) else ""


def check_id(act_id: str) -> None:
    """Raises ``InputError`` (``station.act.id``)."""
    if not _ACT_ID.fullmatch(act_id):
        raise InputError("station.act.id", "An act is named by a UUID in lower case.", path="act_id")


def check_moment(at: datetime, now: datetime) -> None:
    """Raises ``InputError`` (``station.act.time``) for a moment that no working clock gives."""
    if at.tzinfo is None or not now - OLDEST <= at.astimezone(UTC) <= now + FASTEST_CLOCK:
        raise InputError(
            "station.act.time",
            "The time of the act has no offset, lies ahead, or lies more than 30 days back.",
            path="at",
            remedy="Set the clock of the handheld.",
        )


def check_act(act: Act, now: datetime) -> None:
    """Raises ``InputError`` (``station.act.*``, ``station.waybill.form``) for an act without a proper form."""
    check_id(act.act_id)
    check_moment(act.at, now)
    for field, form in (("zone", _ZONE), ("shelf", _WORD), ("reason", _WORD), ("courier", _COURIER)):
        if not form.fullmatch(getattr(act, field)):
            raise InputError("station.act.field", f"The {field} of the act has no proper form.", path=field)
    if act.waybill and not _WAYBILL.fullmatch(act.waybill):
        # The number leads to a person and is not repeated.
        raise InputError(
            "station.waybill.form",
            "A waybill number has 6 to 40 capital letters, digits and hyphens.",
            path="waybill",
        )
    _check_parts(act)


def _check_parts(act: Act) -> None:
    packs = act.kind == "pack"
    contains = packs or act.kind in ("nest", "unpack")
    named = bool(act.waybill) + bool(act.parent)
    if named != (1 if contains else 0) or (packs and not act.waybill) or (act.kind == "nest" and act.waybill):
        raise InputError(
            "station.act.parent",
            "A parcel has a waybill, a case or pallet its code; other acts have neither.",
            path="parent",
        )
    if act.parent and not _is_thing(act.parent):
        raise InputError("station.act.parent", "The parent is no case or pallet.", path="parent")
    if len(act.parts) > MAX_PARTS or not (act.parts or act.kind == "unpack"):
        raise InputError("station.act.parts", f"An act names 1 to {MAX_PARTS} things.", path="parts")
    if len({part.uri for part in act.parts}) < len(act.parts):
        raise InputError("station.act.parts", "The act names a thing twice.", path="parts")
    for number, part in enumerate(act.parts):
        counted = part.quantity != 0
        if not 0 <= part.quantity <= 1_000_000 or counted == _is_thing(part.uri) or (packs and counted):
            raise InputError(
                "station.act.part",
                "A part is a serial, case or pallet, or a number of pieces of a GTIN or lot.",
                path=f"parts[{number}]",
            )


def _is_thing(uri: str) -> bool:
    """Whether a canonical URI names one thing (else a class of them). Raises ``InputError`` for neither."""
    try:
        link = parse(uri)
    except InputError:
        raise InputError("station.act.part", "A thing is named by its canonical URI.", path="parts") from None
    if link.canonical != uri:
        raise InputError("station.act.part", "A thing is named by its canonical URI.", path="parts")
    return "/21/" in uri or uri.startswith(("https://id.gs1.org/00/", "https://id.gs1.org/8003/"))
