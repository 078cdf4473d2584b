"""Looking up a person's document: from the number of an order, parcel, payment or list to the goods.

The number comes in a body, never in a URL, and leaves as a pseudonym and an opaque token that ends by itself.
Each look-up is journalled with who and why before anything is answered, also where nothing is found.

Who sees what: the operator whatever is kept, and the firm that numbered a document all of it. Any other party
sees a document that a paper of its own names, with the goods that papers of its own name: whoever makes up a
paper with a guessed number learns nothing from it.

The way leads from a document to what it was written for: payment to order to parcel to goods, list to parcel. A
paper that names several people's documents leads nowhere. A courier uses a waybill number again after six months,
so what is said of one is told apart by time: each *use* has its own days and its own goods.

What may be seen of the goods themselves is not decided here: ask ``TraceReader`` for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from suyuan.capture.index import documents_of
from suyuan.capture.links import PERSON_KINDS, document_kind, document_links, plural_kinds
from suyuan.capture.payload import list_counts, read_body
from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import InputError
from suyuan.gs1.thing import thing_key
from suyuan.trace.findings import ALIASING, WAYBILL_AFTER, WAYBILL_BEFORE
from suyuan.trace.intervals import DELETE, OPEN_END, OPEN_START
from suyuan.vault import Vault
from suyuan.vault.vault import check_reason

KINDS = tuple(sorted(PERSON_KINDS))
TOKEN_LIFE = timedelta(minutes=15)
EVENT_LIMIT = 500
MAX_STEPS = 6
MAX_DOCUMENTS = 60
MAX_THINGS = 1000


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who looks a number up: the party, the codes under which it numbers documents; ``whole`` for the operator.

    ``by`` is the user or the token that acts for the party.
    """

    party_id: str
    by: str = ""
    codes: frozenset[str] = frozenset()
    whole: bool = False

    def numbered(self, issuer: str) -> bool:
        """Whether the asker sees all of a document of this issuer."""
        return self.whole or (bool(issuer) and issuer in self.codes)


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """A span of event time in which a number stood for one purchase or parcel, and the goods of it.

    ``things`` are canonical URIs, items before packages; ``truncated`` says that there are more. ``parcels`` are
    the waybills that it went by, as pseudonyms: where the goods bear no code, they are what can be traced.
    """

    since: datetime
    until: datetime
    things: tuple[str, ...]
    parcels: tuple[str, ...] = ()
    truncated: bool = False


class FoundDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document of the number that was asked for. ``uri`` is its pseudonym; uses are the newest first."""

    uri: str
    kind: str
    issuer: str
    uses: tuple[Use, ...]


class LookUp(msgspec.Struct, frozen=True, kw_only=True):
    """What a look-up found. ``token`` gives it again until ``expires_at``; empty where nothing was found."""

    token: str
    expires_at: datetime | None
    documents: tuple[FoundDocument, ...]


class _Said(msgspec.Struct, frozen=True):
    event_key: int
    time: datetime
    step: str
    adds: bool
    body: dict[str, Any]


async def find_person_documents(
    pool: Pool,
    vault: Vault,
    kind: str,
    number: str,
    issuer: str | None = None,
    *,
    asker: Asker,
    reason: str,
) -> LookUp:
    """The documents of this number, as far as the asker may know of them, with the goods of each.

    ``kind`` is one of ``KINDS``; without an issuer all firms' documents of the number are candidates. Raises
    ``InputError`` (``vault.lookup.kind``, ``vault.number``, ``vault.reason``).
    """
    if kind not in KINDS:
        raise InputError(
            "vault.lookup.kind",
            "That is no kind of document that is looked up by its number.",
            path="kind",
            remedy="One of: " + ", ".join(KINDS) + ".",
        )
    check_reason(reason)
    kept = await vault.find_numbers(pool, kind, number, issuer)
    mine = [one for one in kept if await may_know(pool, vault, one.pseudonym, asker)]
    # Who is told that there is nothing learned something too.
    subjects = [one.subject_id for one in mine] or [vault.subject_id((kind, issuer or "", number))]
    await vault.journal_lookup(pool, subjects, kind=kind, party_id=asker.party_id, reason=reason, by=asker.by)
    names = [one.pseudonym for one in mine]
    if not names:
        return LookUp(token="", expires_at=None, documents=())
    expires_at = (datetime.now(UTC) + TOKEN_LIFE).replace(microsecond=0)
    token = vault.make_token(asker.party_id, names, expires_at)
    return LookUp(token=token, expires_at=expires_at, documents=await _documents(pool, vault, names, asker))


async def open_lookup(pool: Pool, vault: Vault, token: str, *, asker: Asker) -> LookUp:
    """What a look-up of this party found, read again. Raises ``NotFoundError`` (``vault.token.unknown``)."""
    names, expires_at = vault.open_token(asker.party_id, token, datetime.now(UTC))
    kept = [name for name in names if await may_know(pool, vault, name, asker)]
    return LookUp(token=token, expires_at=expires_at, documents=await _documents(pool, vault, kept, asker))


async def may_know(pool: Pool, vault: Vault, pseudonym: str, asker: Asker) -> bool:
    """Whether the asker may know the number of this document: it numbered it, or delivered a paper that names it."""
    if asker.numbered((await vault.issuers_of(pool, [pseudonym]))[0]):
        return True
    delivered = sql("suyuan.trace", "document_of_party")
    return bool(await pool.fetchval(delivered, thing_key(pseudonym), asker.party_id))


async def _documents(
    pool: Pool, vault: Vault, names: Sequence[str], asker: Asker
) -> tuple[FoundDocument, ...]:
    issuers = await vault.issuers_of(pool, names)
    found = []
    async with (
        pool.acquire() as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        for uri, issuer in zip(names, issuers, strict=True):
            speaker = None if asker.numbered(issuer) else asker.party_id
            uses = await uses_of(conn, uri, speaker)
            found.append(FoundDocument(uri=uri, kind=document_kind(uri), issuer=issuer, uses=uses))
    return tuple(found)


async def uses_of(conn: Connection, uri: str, speaker: str | None = None) -> tuple[Use, ...]:
    """The uses of a document by its pseudonym, the newest first; of one party's papers alone where it is named.

    Journals nothing: for those whom ``find_person_documents`` answered.
    """
    events = await _events(conn, uri, OPEN_START, OPEN_END, speaker)
    uses = []
    for group in _apart(uri, events):
        things, parcels, truncated = await _goods(conn, uri, group, speaker)
        uses.append(
            Use(
                since=min(one.time for one in group),
                until=max(one.time for one in group),
                things=things,
                parcels=parcels,
                truncated=truncated,
            )
        )
    return tuple(uses)


def _apart(uri: str, events: Sequence[_Said]) -> list[list[_Said]]:
    """Events of one document, newest first, told apart where a waybill number must have been used again."""
    groups: list[list[_Said]] = []
    for event in events:
        reused = (
            groups and document_kind(uri) == "waybill" and groups[-1][-1].time - event.time > WAYBILL_AFTER
        )
        if not groups or reused:
            groups.append([])
        groups[-1].append(event)
    return groups


async def _goods(
    conn: Connection, uri: str, events: Sequence[_Said], speaker: str | None
) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """The goods that a document was written for and their parcels, over the documents that lead to it."""
    seen = {uri}
    found: dict[str, None] = {}
    frontier = [(uri, events)]
    for _ in range(MAX_STEPS):
        nearer: dict[str, list[_Said]] = {}
        for name, said in frontier:
            for event in said:
                found.update(dict.fromkeys(_goods_named(event, name)))
                for other in await _steps(conn, event, name):
                    nearer.setdefault(other, []).append(event)
        frontier = []
        for other, said in sorted(nearer.items()):
            if other not in seen and len(seen) < MAX_DOCUMENTS:
                seen.add(other)
                frontier.append((other, await _events(conn, other, *_span(other, said), speaker)))
    things = sorted(found, key=lambda thing: ("/21/" not in thing, thing))
    parcels = sorted(name for name in seen if document_kind(name) == "waybill")
    return tuple(things[:MAX_THINGS]), tuple(parcels), len(things) > MAX_THINGS or bool(frontier)


def _span(uri: str, said: Iterable[_Said]) -> tuple[datetime, datetime]:
    if document_kind(uri) != "waybill":
        return OPEN_START, OPEN_END
    times = [event.time for event in said]
    return min(times) - WAYBILL_BEFORE, max(times) + WAYBILL_AFTER


def _goods_named(event: _Said, uri: str) -> list[str]:
    """Goods that an event puts into the parcel, or names with this one person's document."""
    body = event.body
    parent = body.get("parentID")
    if not event.adds or event.step == ALIASING:
        return []
    if parent == uri:
        named = list(body.get("childEPCs") or ())
    elif parent is None and not _of_several(body):
        named = list(body.get("epcList") or ())
    else:
        named = []
    return [thing for thing in named if not document_kind(thing) and not thing.startswith("urn:suyuan:")]


async def _steps(conn: Connection, event: _Said, uri: str) -> list[str]:
    """Documents nearer to the goods that an event names with this one."""
    body = event.body
    if event.step == ALIASING:
        names = [str(name) for name in body.get("epcList") or ()]
        others = [name for name in names if name != uri]
        if uri not in names or len(others) != 1 or document_kind(others[0]) != "waybill":
            return []
        may = await conn.fetchval(
            sql("suyuan.trace", "may_alias_parcel"),
            event.event_key,
            [thing_key(name) for name in names],
            event.time - WAYBILL_AFTER,
            event.time + WAYBILL_AFTER,
        )
        return others if may else []
    if _of_several(body):
        return []
    return [
        name for name in _documents_named(body) if name != uri and (name, uri) in document_links([name, uri])
    ]


def _documents_named(body: dict[str, Any]) -> list[str]:
    parent = body.get("parentID")
    things = [*(body.get("epcList") or ()), *([parent] if isinstance(parent, str) else [])]
    return [*documents_of(body), *(thing for thing in things if document_kind(thing) in PERSON_KINDS)]


def _of_several(body: dict[str, Any]) -> bool:
    """Whether the event is about several people's documents: it does not say which belong together."""
    return bool(list_counts(body)) or bool(
        plural_kinds([*_documents_named(body), *(body.get("childEPCs") or ())])
    )


async def _events(
    conn: Connection, uri: str, since: datetime, until: datetime, speaker: str | None
) -> list[_Said]:
    rows = await conn.fetch(
        sql("suyuan.trace", "document_events"), thing_key(uri), since, until, EVENT_LIMIT, speaker
    )
    return [
        _Said(
            row["event_key"],
            row["event_time"],
            row["biz_step"] or "",
            row["action"] != DELETE,
            read_body(row["body"]),
        )
        for row in rows
    ]
