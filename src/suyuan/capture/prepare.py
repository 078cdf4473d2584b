"""From a derived event to everything that is stored of it. Pure but for the secret's randomness.

The order is part of the design: person documents become pseudonyms, URIs become canonical, then the ID is
computed, then the commitment. So no ID, no claim and no index key is ever computed from a plain personal number.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache

import msgspec

from suyuan.canon import canonical_json, sha256, utc_text
from suyuan.capture.assurance import Assurance, Signer, earned, raised
from suyuan.capture.index import ACTIONS, EVENT_TYPES, IndexRow, index_rows
from suyuan.capture.payload import ListChunk, split_body
from suyuan.disclosure.commitment import ClaimTile, commit
from suyuan.epcis import canonical_body, canonical_event, identity_of, map_uris, person_documents
from suyuan.epcis.model import Event, Number
from suyuan.epcis.reading import DerivedEvent
from suyuan.gs1.digital_link import canonical_or_same
from suyuan.parties.roles import Grant
from suyuan.vault import PersonDocument

EXT = "{urn:suyuan:ext}"
STATED_BY = EXT + "statedBy"
PRECISION = EXT + "precision"
_GTIN = re.compile(r"https://id\.gs1\.org/01/(\d{14})")
_GTIN_END = len("https://id.gs1.org/01/") + 14


class Deliverer(msgspec.Struct, frozen=True):
    """The party that hands a paper in, with the grants that it holds at that moment."""

    party_id: str
    grants: tuple[Grant, ...] = ()
    # customs registration number, social credit code, GLN: who a message may call by them
    codes: frozenset[str] = frozenset()
    # whose checked signature the paper bears, or the code and reason why one counts for nothing
    signer: Signer | None = None
    unverified: tuple[str, str] | None = None

    def is_named_by(self, uri: str) -> bool:
        """Whether a URI such as ``urn:suyuan:firm:440196M001`` means this party."""
        return uri.rpartition(":")[2].rpartition("/")[2] in self.codes


class PreparedEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that one event writes, but for its key and the record time."""

    event_id: str
    received_event_id: str | None
    event_id_key: bytes
    declaration: bytes
    content_hash: bytes
    event_type: int
    action: int
    event_time: datetime
    zone_offset: str
    day_precision: bool
    biz_step: str | None
    disposition: str | None
    read_point: str | None
    biz_location: str | None
    assurance: int
    role: str
    stated_by: str | None
    path: str
    rule: str
    body: bytes
    statement: bytes
    secret: bytes
    commitment: bytes
    claim_count: int
    tiles: tuple[ClaimTile, ...]
    chunks: tuple[ListChunk, ...]
    rows: tuple[IndexRow, ...]
    uris: dict[bytes, str]
    people: tuple[PersonDocument, ...]

    @property
    def identity(self) -> tuple[bytes, bytes]:
        """What tells this party's events apart: the event ID and its declaration."""
        return self.event_id_key, self.declaration


def extension_text(event: Event, name: str) -> str:
    """The text of a top-level extension, or an empty string."""
    for extension in event.extensions:
        if extension.name == name:
            value = extension.value
            return value.text if isinstance(value, Number) else value if isinstance(value, str) else ""
    return ""


def _declaration(event: Event) -> bytes:
    if event.error_declaration is None:
        return b""
    declared = event.error_declaration
    named = [utc_text(declared.declaration_time), declared.reason or "", *declared.corrective_event_ids]
    return sha256(canonical_json(named))[:16]


def _gtins(event: Event) -> frozenset[str]:
    names = {event.parent_id or ""}
    for things in (event.epc_list, event.child_epcs, event.input_epc_list, event.output_epc_list):
        if things:
            names.update([uri[:_GTIN_END] for uri in things])
    for classes in (
        event.quantity_list,
        event.child_quantity_list,
        event.input_quantity_list,
        event.output_quantity_list,
    ):
        names.update(element.epc_class for element in classes)
    return frozenset(match.group(1) for name in names if (match := _GTIN.match(name)))


def pseudonymise(
    event: Event, pseudonym: Callable[[str, str, str], str]
) -> tuple[Event, tuple[PersonDocument, ...]]:
    """The event with pseudonyms for person documents and canonical URIs, and the documents it named.

    Raises ``InputError`` (``vault.number``...) for a number that cannot be one.
    """
    named = person_documents(event)
    if not named:
        return canonical_event(event), ()
    people: dict[str, PersonDocument] = {}
    for raw in named:
        people[raw.uri] = PersonDocument(raw.kind, raw.issuer, raw.number)
    names = {uri: pseudonym(*document) for uri, document in people.items()}
    plain = map_uris(event, lambda uri: names.get(uri) or canonical_or_same(uri))
    return plain, tuple(dict.fromkeys(people.values()))


_Earned = Callable[[tuple[Grant, ...], str, frozenset[str]], tuple[Assurance, str]]


def prepare(
    derived: DerivedEvent,
    deliverer: Deliverer,
    *,
    kind: str,
    pseudonym: Callable[[str, str, str], str],
    level: _Earned = earned,
) -> PreparedEvent:
    """Everything that one event writes. ``kind`` is the paper's; the day of recording stands in the leaf.

    ``level`` says what the deliverer has earned, as ``earned`` does.

    Raises ``InputError`` for what no reader can see alone (a number that is no number, a number too long).
    """
    event, people = pseudonymise(derived.event, pseudonym)
    hash_id, content_hash = identity_of(event)
    received = event.event_id
    event_id = received or hash_id
    body = canonical_body(event)
    stated_by = extension_text(event, STATED_BY)
    speaks_for = "" if deliverer.is_named_by(stated_by) else stated_by
    gtins = _gtins(event)
    assurance, role = level(deliverer.grants, speaks_for, gtins)
    signer = deliverer.signer
    if signer is not None:
        assurance = raised(assurance, signer, stated_by, deliverer.party_id, gtins)
    statement = {
        "assurance": assurance.label,
        "deliveredAs": kind,
        "eventID": event_id,
        "party": deliverer.party_id,
        "partyRole": role,
    }
    if signer is not None:
        statement["signedBy"] = signer.party_id
        statement["signedWith"] = signer.certificate
    secret = secrets.token_bytes(32)
    made = commit(body, statement, secret)
    rows, uris = index_rows(body)
    stored, chunks = split_body(body)
    return PreparedEvent(
        event_id=event_id,
        received_event_id=received,
        event_id_key=hashlib.sha256(event_id.encode("utf-8")).digest()[:16],
        declaration=_declaration(event),
        content_hash=content_hash,
        event_type=EVENT_TYPES[event.type],
        action=ACTIONS[event.action or ""],
        event_time=event.event_time,
        zone_offset=event.event_time_zone_offset,
        day_precision=extension_text(event, PRECISION) == "day",
        biz_step=event.biz_step,
        disposition=event.disposition,
        read_point=event.read_point.id if event.read_point else None,
        biz_location=event.biz_location.id if event.biz_location else None,
        assurance=int(assurance),
        role=role,
        stated_by=speaks_for or None,
        path=derived.path,
        rule=derived.rule,
        body=stored,
        statement=canonical_json(statement),
        secret=secret,
        commitment=made.commitment,
        claim_count=made.claim_count,
        tiles=tuple(made.tiles()),
        chunks=tuple(chunks),
        rows=tuple(rows),
        uris=uris,
        people=people,
    )


def prepare_all(
    events: Sequence[DerivedEvent],
    deliverer: Deliverer,
    *,
    kind: str,
    pseudonym: Callable[[str, str, str], str],
) -> list[PreparedEvent]:
    """``prepare`` for every event of a paper, in its order."""
    level = cache(earned)  # the events of one paper are about few goods
    return [prepare(derived, deliverer, kind=kind, pseudonym=pseudonym, level=level) for derived in events]
