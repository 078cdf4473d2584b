"""What a trace says: one thing's provable way, as every face shows it.

A ``Trace`` is complete for its viewer: what the viewer may not see is absent, not blank. Times carry the
offset of the place where the event happened; a time of day precision stands at the end of its day.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Assurance = Literal["self-declared", "relayed", "partner-signed", "inspected", "authority-verified"]
TieKind = Literal["direct", "alias", "containment", "transformation", "lot", "document"]


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Who delivered a fact, in the role that its grant gives it at that time."""

    party_id: str
    name_en: str
    name_zh: str
    role: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place by its URI, with what the catalogue knows of it; empty strings where it knows nothing."""

    uri: str
    name_en: str = ""
    name_zh: str = ""
    city_en: str = ""
    city_zh: str = ""
    country: str = ""
    unlocode: str = ""
    customs_code: str = ""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A document that a fact names. ``number`` is empty where the viewer may not see it."""

    kind: str
    uri: str
    number: str


class TieLink(msgspec.Struct, frozen=True, kw_only=True):
    """One link of the way from the item to the thing that a fact is about.

    ``since`` and ``until`` bound the link; None is open. ``event_key`` is the fact that made it.
    """

    kind: str
    uri: str
    label: str
    since: datetime | None = None
    until: datetime | None = None
    event_key: int = 0


class Tie(msgspec.Struct, frozen=True, kw_only=True):
    """How a fact is tied to the item: said of it, of what contained it, of its lot, or of a document of it."""

    kind: TieKind
    links: tuple[TieLink, ...] = ()


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """An error declaration against a fact: who declared it, when, why, and what stands instead."""

    party: Party
    declared_at: datetime
    reason: str
    corrective_event_ids: tuple[str, ...] = ()


class Sight(msgspec.Struct, frozen=True):
    """Why a viewer sees something: a stable word, and a sentence to the viewer in English and Chinese."""

    code: str
    reason_en: str
    reason_zh: str


WHOLE = Sight("whole", "The operator sees every fact.", "运营方可见全部事实。")


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the trace. ``event_key`` is 0 and ``event_id`` None for a masked audience; of a fact that it
    delivered itself a member gets the ID. ``sight`` says why the viewer sees the fact.
    """

    event_key: int
    event_id: str | None
    log_index: int | None
    event_type: str
    action: str
    biz_step: str
    disposition: str
    event_time: datetime
    zone_offset: str
    day_precision: bool
    record_time: datetime
    place: Place | None
    party: Party
    stated_by: str
    assurance: Assurance
    corroborations: int
    conflicts: int
    documents: tuple[Document, ...]
    tie: Tie
    corrections: tuple[Correction, ...]
    message: str
    rule: str
    capture_id: str
    things: tuple[str, ...]
    quantities: tuple[tuple[str, str, str], ...]
    attributes: dict[str, str]
    sight: Sight = WHOLE
    # how many things the event names beside those in ``things``: a pallet list may be long
    things_left_out: int = 0

    @property
    def withdrawn(self) -> bool:
        """An error declaration stands against this fact: it is shown, and it no longer counts."""
        return bool(self.corrections)


class Ambiguity(msgspec.Struct, frozen=True, kw_only=True):
    """Where the papers leave it open which of several ways the item went."""

    code: str
    reason_en: str
    reason_zh: str
    candidates: tuple[str, ...]


class Recall(msgspec.Struct, frozen=True, kw_only=True):
    """A recall that stands: only the brand owner, its entrusted firm or a regulator can raise it."""

    number: str
    since: datetime
    zone_offset: str
    party: Party
    reason: str
    lot: str


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """The way of one thing for one audience, facts in order of event time. ``standing`` says on what the audience
    of a party rests.
    """

    thing: str
    kind: str
    gtin: str
    serial: str
    lot: str
    state: str
    audience: str
    product: dict[str, str]
    facts: tuple[Fact, ...]
    ambiguities: tuple[Ambiguity, ...]
    recall: Recall | None
    aliases: tuple[str, ...] = ()
    # the waybills of the parcels that held the thing, a second number after the first; the operator's view only
    parcels: tuple[str, ...] = ()
    truncated: bool = False
    standing: tuple[Sight, ...] = ()
