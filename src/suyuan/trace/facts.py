"""From stored events to facts: who said what, how sure, what stands against it.

A fact is made from the *masked* body and statement, never from the whole ones, so that no face can show by
oversight what the policy hides. Equal events of several parties become one fact with a count of corroborations;
which of them represents the others depends on what they are, not on which came first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec

from suyuan.capture.assurance import Assurance
from suyuan.capture.index import ACTION_NAMES, EVENT_TYPE_NAMES
from suyuan.capture.links import document_kind, document_number
from suyuan.capture.payload import list_counts, read_body
from suyuan.trace.model import WHOLE, Correction, Document, Fact, Party, Place, Sight, Tie
from suyuan.trace.stored import Relatives, StoredEvent

_LISTS = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
_QUANTITIES = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
MAX_THINGS = 50
Shows = Callable[[str, str], bool]


class Names(msgspec.Struct, frozen=True):
    """What parties and places are called, for those that the facts mention."""

    parties: Mapping[str, tuple[str, str]]
    places: Mapping[str, Place]

    def party(self, party_id: str, role: str) -> Party:
        """A party in a role; one that is not known goes by its ID."""
        name_en, name_zh = self.parties.get(party_id, (party_id, party_id))
        return Party(party_id=party_id, name_en=name_en, name_zh=name_zh, role=role)

    def place(self, uri: str) -> Place:
        """A place; one that the catalogue does not know goes by its URI."""
        known = self.places.get(uri)
        return known if known is not None else _place_from_uri(uri)


def _place_from_uri(uri: str) -> Place:
    prefix = "urn:suyuan:place:"
    if not uri.startswith(prefix):
        return Place(uri=uri)
    locode, _, customs = uri[len(prefix) :].partition(":")
    return Place(uri=uri, unlocode=locode, country=locode[:2], customs_code=customs)


def mentioned_places(body: Mapping[str, Any]) -> list[str]:
    """URIs of the places that an event names, the read point first."""
    named = [body.get("readPoint"), body.get("bizLocation")]
    return [place["id"] for place in named if isinstance(place, dict) and isinstance(place.get("id"), str)]


def make_fact(
    event: StoredEvent,
    *,
    body: Mapping[str, Any],
    statement: Mapping[str, Any],
    relatives: Relatives,
    names: Names,
    tie: Tie,
    whole: bool,
    own: bool = False,
    sight: Sight = WHOLE,
    shows: Shows | None = None,
) -> Fact:
    """The fact of an event for one audience.

    ``body`` and ``statement`` are masked; ``whole`` says that the audience is the operator, who also gets keys,
    IDs and the paper's name, ``own`` that it delivered the event itself and gets all of these but the key. ``shows``
    says which fields of the declarations against it the audience sees; None for all.
    """
    row = event.row
    places, things = mentioned_places(body), tuple(_things(body))
    return Fact(
        event_key=row["event_key"] if whole else 0,
        event_id=row["event_id"] if whole or own else None,
        log_index=row["log_index"],
        event_type=EVENT_TYPE_NAMES[row["event_type"]],
        action=ACTION_NAMES[row["action"]],
        biz_step=str(body.get("bizStep") or ""),
        disposition=str(body.get("disposition") or ""),
        event_time=row["event_time"],
        zone_offset=row["zone_offset"],
        day_precision=row["day_precision"],
        record_time=row["record_time"],
        place=names.place(places[0]) if places else None,
        party=names.party(str(statement.get("party", "")), str(statement.get("partyRole", ""))),
        stated_by=str(body.get("{urn:suyuan:ext}statedBy") or ""),
        assurance=Assurance(row["assurance"]).label,  # type: ignore[arg-type]
        corroborations=relatives.corroborations,
        conflicts=relatives.conflicts,
        documents=_documents(body),
        tie=tie,
        corrections=tuple(
            _correction(declared, names, whole or own, shows) for declared in relatives.declarations
        ),
        message=row["message"] if whole or own else "",
        rule=row["rule"] if whole or own else "",
        capture_id=row["capture_id"] if whole or own else "",
        things=things[:MAX_THINGS],
        things_left_out=len(things[MAX_THINGS:]) + sum(list_counts(body).values()),
        quantities=tuple(_quantities(body)),
        attributes=_attributes(body),
        sight=sight,
    )


def _documents(body: Mapping[str, Any]) -> tuple[Document, ...]:
    documents: dict[str, Document] = {}
    for entry in body.get("bizTransactionList") or ():
        uri = entry["bizTransaction"]
        kind = document_kind(uri) or str(entry.get("type") or "").rsplit(":", 1)[-1].rsplit("-", 1)[-1]
        documents[uri] = Document(kind=kind, uri=uri, number=document_number(uri))
    return tuple(documents.values())


def _things(body: Mapping[str, Any]) -> Iterator[str]:
    parent = body.get("parentID")
    if isinstance(parent, str):
        yield parent
    for field in _LISTS:
        yield from body.get(field) or ()


def _quantities(body: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (str(element["epcClass"]), str(element.get("quantity") or ""), str(element.get("uom") or ""))
        for field in _QUANTITIES
        for element in body.get(field) or ()
    ]


def _attributes(body: Mapping[str, Any]) -> dict[str, str]:
    """Extensions and ilmd under their local names, plain texts only."""
    found: dict[str, str] = {}
    ilmd = body.get("ilmd")
    for source in (ilmd if isinstance(ilmd, dict) else {}, body):
        for name, value in source.items():
            if not name.startswith("{"):
                continue
            text = _text(value)
            if text is not None:
                found[name.rpartition("}")[2]] = text
    return found


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, dict) and isinstance(value.get("#number"), str):
        return str(value["#number"])
    return None


def _correction(row: asyncpg.Record, names: Names, whole: bool, shows: Shows | None) -> Correction:
    """The declaration as far as the audience sees it. That the fact was taken back is never hidden with it: of what is
    not shown the party stays empty, the time is that of the record.
    """
    declared = read_body(row["body"]).get("errorDeclaration") or {}

    def shown(path: str, value: Any) -> str:
        return value if isinstance(value, str) and (shows is None or shows(path, value)) else ""

    text = shown("errorDeclaration/declarationTime", declared.get("declarationTime"))
    moment = datetime.fromisoformat(text) if text else row["record_time"]
    party = shown("statement/party", row["party_id"])
    return Correction(
        party=names.party(party, row["role"] if party else ""),
        declared_at=moment.astimezone(UTC),
        reason=shown("errorDeclaration/reason", declared.get("reason")),
        corrective_event_ids=tuple(declared.get("correctiveEventIDs") or ()) if whole else (),
    )
