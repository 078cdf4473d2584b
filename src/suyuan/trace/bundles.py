"""Proof bundles of a trace: what its viewer sees, with what is needed to check it without us.

A bundle carries the claims that the policy shows and those that a proof needs to tie a fact to the item, their
proofs under each event's commitment, the inclusion of every commitment in the log, and the signed checkpoint. A
fact that its party took back stands beside the declaration that says so, masked alike; without it the fact would look
offline as if it stood, and is left out. So is what is not yet published, and what no disclosed claim ties to the item.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from suyuan.canon import utc_text
from suyuan.db.pool import Connection, sql
from suyuan.disclosure.commitment import (
    DisclosedEvent,
    claim_digest,
    disclose,
    disclose_from_tiles,
    find_tile,
)
from suyuan.log import Tree, find_checkpoint
from suyuan.proof.bundle import BundleFact, build_bundle, tied_facts
from suyuan.proof.ties import DECLARED_PATH, first_text
from suyuan.proof.withdrawals import fits
from suyuan.tlog.tile import TILE_WIDTH
from suyuan.trace.claims import claims_at_hand
from suyuan.trace.declarations import find_declarations
from suyuan.trace.read import Seen, TraceReader, Viewer


async def make_bundle(
    reader: TraceReader, tree: Tree, thing: str, viewer: Viewer, *, log_key: str
) -> bytes | None:
    """The bundle of a thing's trace for a viewer; None where nothing is known or nothing is published of it.

    ``log_key`` is the log's verifier key, put in as a hint.
    """
    async with (
        reader.pool.acquire() as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        gathered = await reader.gather(conn, thing)
        stored = await find_checkpoint(conn)
        if gathered is None or stored is None:
            return None
        reading = reader.view(gathered, viewer)
        seen = [(one, 0) for one in reading.seen]
        seen += await find_declarations(conn, reader, gathered, viewer)
        events = [
            (one, withdraws, await _disclosed(conn, one))
            for one, withdraws in seen
            if _is_published(one, stored.tree_size)
        ]
    position = {one.event.row["event_key"]: number for number, (one, _, _) in enumerate(events)}
    facts = []
    for one, withdraws, event in events:
        index = one.fact.log_index
        assert index is not None
        proof = await tree.inclusion_proof(index, stored.tree_size)
        earlier = (position[withdraws],) if withdraws in position else ()
        facts.append(BundleFact(index, bytes(one.event.row["leaf"]), event, tuple(proof), None, earlier))
    withdrawn = [one.fact.withdrawn for one, _, _ in events]
    kept = _provable(thing, facts, withdrawn, [bool(withdraws) for _, withdraws, _ in events])
    if not kept:
        return None
    return build_bundle(
        thing, reading.trace.audience, utc_text(datetime.now(UTC)), kept, stored.note, log_key
    )


def _is_published(seen: Seen, tree_size: int) -> bool:
    index = seen.fact.log_index
    return index is not None and index < tree_size and bool(seen.masked.disclosed)


def _provable(
    thing: str, facts: Sequence[BundleFact], withdrawn: Sequence[bool], declaring: Sequence[bool]
) -> list[BundleFact]:
    """The facts that are tied to the thing; of what was taken back both the fact and the declaration, or neither."""
    tied = tied_facts(thing, facts)
    pairs = {
        (later, earlier)
        for later, fact in enumerate(facts)
        for earlier in fact.withdraws
        if later in tied and earlier in tied and _declares(fact, facts[earlier])
    }
    paired = {position for pair in pairs for position in pair}
    kept = [
        position
        for position in sorted(tied)
        if position in paired or not (withdrawn[position] or declaring[position])
    ]
    moved = {old: new for new, old in enumerate(kept)}
    return [
        facts[old]._replace(withdraws=tuple(moved[e] for e in facts[old].withdraws if (old, e) in pairs))
        for old in kept
    ]


def _declares(later: BundleFact, earlier: BundleFact) -> bool:
    """Whether a declaration says, as disclosed, that it is one, and repeats the fact that it takes back."""
    return bool(first_text(later.event, DECLARED_PATH)) and fits(later.event, earlier.event)


async def _disclosed(conn: Connection, seen: Seen) -> DisclosedEvent:
    row, wanted = seen.event.row, seen.masked.disclosed
    if "#lists" not in seen.event.body:
        return disclose(seen.event.body, seen.event.statement, row["secret"], wanted)
    claims = [
        claim
        for claim in claims_at_hand(seen.event.body, seen.event.statement, seen.positions)
        if claim.position in wanted
    ]
    firsts = [
        r["first"] for r in await conn.fetch(sql("suyuan.trace", "claim_tile_firsts"), row["event_key"])
    ]
    needed: set[tuple[int, int]] = set()
    for claim in claims:
        n = find_tile(firsts, claim_digest(claim, row["secret"]))
        level, width = 0, len(firsts)
        needed.add((level, n))
        while width > 1:
            level, n, width = level + 1, n // TILE_WIDTH, -(-width // TILE_WIDTH)
            needed.add((level, n))
    wanted_tiles = sorted(needed)
    rows = await conn.fetch(
        sql("suyuan.trace", "claim_tiles"),
        row["event_key"],
        [level for level, _ in wanted_tiles],
        [n for _, n in wanted_tiles],
    )
    tiles = {(r["level"], r["n"]): r["hashes"] for r in rows}
    return disclose_from_tiles(claims, row["secret"], row["commitment"], row["claim_count"], tiles)
