"""The error declarations against what a viewer sees, masked as the facts that they take back.

A declaration is an event of its own, with its own place in the log. It repeats the whole content, so a walk leaves it
aside; a bundle needs it, since only the logged declaration proves that a fact was taken back.
"""

from __future__ import annotations

import msgspec

from suyuan.capture.index import Role
from suyuan.capture.payload import list_counts, read_body
from suyuan.db.pool import Connection, sql
from suyuan.gs1.thing import thing_key
from suyuan.trace.claims import Positions
from suyuan.trace.facts import make_fact
from suyuan.trace.read import Gathered, Seen, TraceReader, Viewer
from suyuan.trace.stored import Relatives, StoredEvent

_FIELDS = {
    Role.SUBJECT: "epcList",
    Role.CHILD: "childEPCs",
    Role.INPUT: "inputEPCList",
    Role.OUTPUT: "outputEPCList",
}
_ALONE = Relatives(equals=(), corroborations=0, conflicts=0, declarations=())


async def find_declarations(
    conn: Connection, reader: TraceReader, gathered: Gathered, viewer: Viewer
) -> list[tuple[Seen, int]]:
    """The declarations against facts that were gathered, each with the key of the event that it takes back."""
    bodies, takes_back, ties = {}, {}, {}
    for event in gathered.events:
        key = event.row["event_key"]
        for row in gathered.relatives[key].declarations:
            if row["body"] is not None:
                bodies[row["event_key"]] = read_body(row["body"])
                takes_back[row["event_key"]], ties[row["event_key"]] = key, event.tie
    if not bodies:
        return []
    rows = await conn.fetch(sql("suyuan.trace", "facts"), sorted(bodies))
    declared = [
        StoredEvent(
            row=row,
            body=bodies[row["event_key"]],
            statement=msgspec.json.decode(row["statement"]),
            tie=ties[row["event_key"]],
        )
        for row in rows
        if row["statement"] is not None
    ]
    relatives = {event.row["event_key"]: _ALONE for event in declared}
    facts = [
        make_fact(
            event, body=event.body, statement=event.statement, relatives=_ALONE, names=gathered.names,
            tie=event.tie, whole=True,
        )
        for event in declared
    ]  # fmt: skip
    found = msgspec.structs.replace(
        gathered.walk, positions={**gathered.walk.positions, **await _positions(conn, gathered, declared)}
    )
    apart = msgspec.structs.replace(
        gathered, walk=found, events=declared, relatives=relatives, facts=tuple(facts)
    )
    return [(seen, takes_back[seen.event.row["event_key"]]) for seen in reader.view(apart, viewer).seen]


async def _positions(
    conn: Connection, gathered: Gathered, declared: list[StoredEvent]
) -> dict[int, Positions]:
    """Where the long lists of declarations name things on the way."""
    long = [event.row["event_key"] for event in declared if list_counts(event.body)]
    if not long:
        return {}
    found = gathered.walk
    names = [found.thing, *found.aliases, *(reach.uri for reach in found.containers)]
    uris = {thing_key(uri): uri for uri in names}
    positions: dict[int, Positions] = {}
    for row in await conn.fetch(sql("suyuan.trace", "list_positions"), long, sorted(uris)):
        field = _FIELDS.get(Role(row["role"]))
        if field is not None:
            positions.setdefault(row["event_key"], {})[field, uris[row["key"]]] = row["position"]
    return positions
