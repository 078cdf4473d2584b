"""Proof bundles of a trace: what its viewer sees, with what is needed to check it without us.

A bundle carries the claims that the policy shows and those that a proof needs to tie a fact to the item, their
proofs under each event's commitment, the inclusion of every commitment in the log, and the signed checkpoint. A
fact that is not yet published, that was withdrawn, or that no disclosed claim ties to the item, is left out.
"""

from __future__ import annotations

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
from suyuan.tlog.tile import TILE_WIDTH
from suyuan.trace.claims import claims_at_hand
from suyuan.trace.read import Reading, Seen, TraceReader, Viewer


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
        events = [(seen, await _disclosed(conn, seen)) for seen in _published(reading, stored.tree_size)]
    facts = []
    for seen, event in events:
        index = seen.fact.log_index
        assert index is not None
        proof = await tree.inclusion_proof(index, stored.tree_size)
        facts.append(BundleFact(index, bytes(seen.event.row["leaf"]), event, tuple(proof)))
    tied = tied_facts(thing, facts)
    kept = [fact for position, fact in enumerate(facts) if position in tied]
    if not kept:
        return None
    return build_bundle(thing, viewer.audience, utc_text(datetime.now(UTC)), kept, stored.note, log_key)


def _published(reading: Reading, tree_size: int) -> list[Seen]:
    return [
        seen
        for seen in reading.seen
        if seen.fact.log_index is not None
        and seen.fact.log_index < tree_size
        and seen.masked.disclosed
        # Offline nobody would see that it was taken back.
        and not seen.fact.withdrawn
    ]


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
