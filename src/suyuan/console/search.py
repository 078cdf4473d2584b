"""Search by anything but a person's numbers: what a text may name, as far as it is known here and the viewer may see.

Every look-up is by a key or bounded; nothing is scanned. What names a person's purchase is found by
``trace.lookup`` alone, from a form, never from an address.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import msgspec

from suyuan.api.access import BALANCE_ROLES, ISSUER_ROLES
from suyuan.api.model import Services
from suyuan.capture.links import PERSON_KINDS, document_kind
from suyuan.catalog import Product, find_products
from suyuan.console.access import Session
from suyuan.console.item_view import readable
from suyuan.console.links import FINDINGS, LABELS, thing_href, with_query
from suyuan.console.recognition import WHY, Guess, Recognised, item_uri, lot_uri, recognise
from suyuan.console.words import Voice
from suyuan.db.pool import sql
from suyuan.errors import NotFoundError
from suyuan.gs1.thing import kind as thing_kind
from suyuan.gs1.thing import thing_class, thing_key
from suyuan.issuing import get_batch
from suyuan.trace.read import split_item

MAX_GTINS = 1000
MAX_READ = 12
_LEDGER_ROWS = 2000
_LEDGER = re.compile(r"[A-Z]\d{4}[A-Z]\d{6}")
_MAX_BATCH_DIGITS = 9


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was found: what it is, what it is called, why it fits the text, where its page is."""

    group: str
    kind: str
    title: str
    detail: str
    why: str
    href: str


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The hits of a search by group, and what was tried."""

    word: str
    groups: tuple[tuple[str, tuple[Hit, ...]], ...]
    tried: tuple[str, ...]
    personal: bool = False

    @property
    def hits(self) -> tuple[Hit, ...]:
        """All hits, group by group."""
        return tuple(hit for _, hits in self.groups for hit in hits)


_GROUPS = {
    "goods": ("货物", "Goods"),
    "papers": ("单证", "Papers"),
    "codes": ("码批次", "Code batches"),
    "parties": ("参与方", "Parties"),
}
_GOODS = frozenset(
    {"item", "lot", "class", "sscc", "container", "parcel", "asset", "shipment", "consignment"}
)


async def search(services: Services, session: Session, text: str, voice: Voice) -> Found:
    """Everything that ``text`` may name and the viewer may see, grouped."""
    said = recognise(text)
    if not said.word:
        return Found(word="", groups=(), tried=())
    if said.personal:
        return Found(word="", groups=(), tried=(), personal=True)
    hits = [
        *await _things(services, session, said, voice),
        *await _products(services, said.word, voice),
        *await _batches(services, session, said.word, voice),
        *await _parties(services, session, said.word, voice),
    ]
    unique = {(hit.kind, hit.href or hit.title): hit for hit in reversed(hits)}
    grouped = tuple(
        (voice.pair(name), tuple(hit for hit in hits if hit.group == group and unique[_key(hit)] is hit))
        for group, name in _GROUPS.items()
    )
    return Found(word=said.word, groups=tuple(one for one in grouped if one[1]), tried=_tried(said, voice))


def _key(hit: Hit) -> tuple[str, str]:
    return hit.kind, hit.href or hit.title


def _tried(said: Recognised, voice: Voice) -> tuple[str, ...]:
    """In words what the text was looked for as."""
    forms = [voice.pair(WHY[guess.why]) for guess in said.guesses if guess.why != "number"]
    free = any(guess.why == "number" for guess in said.guesses)
    more = [
        voice.say("各类单证的编号", "the number of a paper of any kind"),
        voice.say("追溯码序列号", "the serial of a code"),
        voice.say("批号", "a lot number"),
        voice.say("参与方或商品名称", "the name of a party or product"),
    ]
    return tuple(dict.fromkeys([*forms, *(more if free else [])]))


async def _things(services: Services, session: Session, said: Recognised, voice: Voice) -> list[Hit]:
    guesses = [guess for guess in said.guesses if document_kind(guess.uri) not in PERSON_KINDS]
    free = any(guess.why == "number" for guess in guesses)
    lots: dict[str, int] = {}
    if free or not guesses:
        guesses += await _by_number(services, said.word, lots)
    codes = await _issued(services, guesses)
    rows = await services.pool.fetch(
        sql(__package__, "known_things"), sorted({thing_key(guess.uri) for guess in guesses})
    )
    known = {row["uri"]: row for row in rows}
    gtins = {split_item(guess.uri)[0] for guess in guesses} - {""}
    products = await find_products(services.pool, gtins) if gtins else {}
    ledger = await _ledger_items(services, said.word)
    hits = []
    read = 0
    for guess in [*_there(guesses, known, codes, lots, products), *ledger]:
        if not session.viewer.whole:
            # What may be shown is the policy's business: only what a reading gives facts of is found.
            read += 1
            if read > MAX_READ or not await _may_see(services, session, guess.uri):
                continue
        hits.append(_hit(guess, products, codes, lots, voice))
    return hits


async def _by_number(services: Services, word: str, lots: dict[str, int]) -> list[Guess]:
    """Items and lots whose serial or lot number this is, under any GTIN that is known here."""
    if not 1 <= len(word) <= 20 or not word.isascii() or " " in word:
        return []
    pool = services.pool
    gtins = [row["gtin"] for row in await pool.fetch(sql(__package__, "gtins"), MAX_GTINS)]
    spelled = tuple(dict.fromkeys((word, word.upper())))
    found = []
    for said in spelled:
        for row in await pool.fetch(sql(__package__, "lots_of_number"), gtins, said):
            lots[lot_uri(row["gtin"], row["lot"])] = row["codes"]
    for gtin in gtins:
        for said in spelled:
            found.append(Guess(item_uri(gtin, said), "serial"))
            found.append(Guess(lot_uri(gtin, said), "lot"))
    return found


async def _issued(services: Services, guesses: Sequence[Guess]) -> dict[str, str]:
    """Lots of those of these items whose codes were issued here, by URI."""
    by_serial: dict[str, list[str]] = {}
    for guess in guesses:
        gtin, serial, _ = split_item(guess.uri)
        if serial:
            by_serial.setdefault(serial, []).append(gtin)
    found = {}
    for serial, gtins in by_serial.items():
        for row in await services.pool.fetch(sql(__package__, "codes_of_serial"), gtins, serial):
            found[item_uri(row["gtin"], row["serial"])] = row["lot"]
    return found


def _there(
    guesses: Sequence[Guess],
    known: Collection[str],
    codes: Mapping[str, str],
    lots: Mapping[str, int],
    products: Collection[str],
) -> list[Guess]:
    """Those guesses that something is known of, each thing once."""
    found: dict[str, Guess] = {}
    for guess in guesses:
        gtin, serial, lot = split_item(guess.uri)
        bare = bool(gtin) and not serial and not lot
        if guess.uri in known or guess.uri in codes or guess.uri in lots or (bare and gtin in products):
            found.setdefault(guess.uri, guess)
    return list(found.values())


async def _may_see(services: Services, session: Session, uri: str) -> bool:
    gtin, serial, lot = split_item(uri)
    if gtin and not serial and not lot:
        return True  # the product itself: what the catalogue says of it, and no goods
    trace = await services.reader.read(uri, session.viewer)
    return trace is not None and bool(trace.facts)


async def _ledger_items(services: Services, word: str) -> list[Guess]:
    """The items of a ledger, where its number alone was typed."""
    if not _LEDGER.fullmatch(word.upper()):
        return []
    stem = f"urn:suyuan:ledger-item:{word.upper()}:"
    low = thing_key(stem)[:6]
    assert thing_class(stem) == "urn:suyuan:ledger-item"
    high = (int.from_bytes(low) + 1).to_bytes(7)[-6:]
    rows = await services.pool.fetch(sql(__package__, "ledger_items"), low, high, stem, _LEDGER_ROWS)
    return [Guess(row["uri"], "number") for row in rows]


def _hit(
    guess: Guess,
    products: Mapping[str, Product],
    codes: Mapping[str, str],
    lots: Mapping[str, int],
    voice: Voice,
) -> Hit:
    kind = thing_kind(guess.uri)
    gtin, serial, lot = split_item(guess.uri)
    product = products.get(gtin)
    name = voice.public.name(product.name_en, product.name_zh) if product is not None else ""
    detail = name
    if serial and (of := codes.get(guess.uri)):
        detail = voice.say("{name} · 批次 {lot}", "{name} · lot {lot}", name=name, lot=of) if name else of
    if lot and guess.uri in lots:
        count = voice.count(lots[guess.uri], "{n} 个码", "{n} code", "{n} codes")
        detail = f"{name} · {count}" if name else count
    return Hit(
        group="goods" if kind in _GOODS else "papers",
        kind=voice.kind(kind),
        title=readable(guess.uri),
        detail=detail,
        why=voice.pair(WHY[guess.why]),
        href=thing_href(guess.uri),
    )


def _pattern(word: str) -> str:
    plain = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"


def _is_name(word: str) -> bool:
    """Long enough to be a part of a name: one character of Chinese says little, two of Latin nothing."""
    return len(word) >= (2 if any(ord(char) > 0x2E7F for char in word) else 3)


async def _products(services: Services, word: str, voice: Voice) -> list[Hit]:
    if not _is_name(word):
        return []
    rows = await services.pool.fetch(sql(__package__, "find_products_by"), _pattern(word))
    hits = []
    for row in rows:
        said = msgspec.json.decode(row["attributes"])
        hits.append(
            Hit(
                group="goods",
                kind=voice.kind("class"),
                title=voice.public.name(said.get("name_en", ""), said.get("name_zh", "")),
                detail=f"GTIN {row['gtin']}",
                why=voice.pair(WHY["name"]),
                href=thing_href(f"https://id.gs1.org/01/{row['gtin']}"),
            )
        )
    return hits


async def _batches(services: Services, session: Session, word: str, voice: Voice) -> list[Hit]:
    if not (word.isascii() and word.isdigit()) or len(word) > _MAX_BATCH_DIGITS:
        return []
    try:
        batch = await get_batch(services.pool, int(word))
    except NotFoundError:
        return []
    if not may_issue(session, batch.gtin) and batch.issued_by != session.party.party_id:
        return []
    return [
        Hit(
            group="codes",
            kind=voice.say("码批次", "Code batch"),
            title=str(batch.batch_id),
            detail=voice.say(
                "GTIN {gtin} · 批次 {lot} · {n} 个码",
                "GTIN {gtin} · lot {lot} · {n} codes",
                gtin=batch.gtin,
                lot=batch.lot,
                n=f"{batch.count:,}",
            ),
            why=voice.pair(WHY["batch"]),
            href=with_query(LABELS, batch=batch.batch_id),
        )
    ]


async def _parties(services: Services, session: Session, word: str, voice: Voice) -> list[Hit]:
    """Members: all of them for who sees the whole, oneself always."""
    if not _is_name(word):
        return []
    rows = await services.pool.fetch(sql(__package__, "find_parties_by"), word, _pattern(word))
    return [
        Hit(
            group="parties",
            kind=voice.say("参与方", "Party"),
            title=voice.public.name(row["name_en"], row["name_zh"]),
            detail=" · ".join(
                part for part in (row["party_id"], row["uscc"], row["customs_code"], row["gln"]) if part
            ),
            why=voice.pair(_why_party(row, word)),
            href=with_query(FINDINGS, party=row["party_id"]),
        )
        for row in rows
        if session.viewer.whole or row["party_id"] == session.party.party_id
    ]


def _why_party(row: object, word: str) -> tuple[str, str]:
    fields = dict(row)  # type: ignore[call-overload]
    if fields["party_id"] == word.lower():
        return WHY["id"]
    codes = (fields["uscc"], fields["customs_code"], fields["gln"])
    return WHY["code"] if word.upper() in codes else WHY["name"]


def may_issue(session: Session, gtin: str) -> bool:
    """Whether the party of the session makes codes of the GTIN, or is the operator."""
    return session.is_operator or any(
        grant.role in ISSUER_ROLES and grant.covers(gtin) for grant in session.grants
    )


def may_balance(session: Session, gtin: str) -> bool:
    """Whether the party of the session has a stake in how the quantities of the GTIN add up."""
    return session.viewer.whole or any(
        grant.role in BALANCE_ROLES and grant.covers(gtin) for grant in session.grants
    )
