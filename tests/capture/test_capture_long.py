"""Long documents, taken in as a stream: the same facts, the same proofs, the same refusals, in bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from deployment import Deployment, commissioned, document, item, moved, observed, parcel_paper, sscc
from test_capture import evidence_of, named

from suyuan.capture import intake
from suyuan.capture.checking import recompute_commitments
from suyuan.capture.sources import Source, Spool
from suyuan.errors import ConflictError, InputError, SuyuanError

TABLES = ("event", "event_payload", "evidence_event", "intake", "thing", "thing_period", "thing_event")


@pytest.fixture(autouse=True)
def short_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "LONG_BYTES", 0)
    monkeypatch.setattr("suyuan.epcis.long_documents.BATCH_EVENTS", 3)


@pytest.fixture
def spool() -> Iterator[Spool]:
    spool = Spool()
    yield spool
    spool.close()


def story() -> list[dict[str, object]]:
    """Ten batches: a commissioning, repeats across batches, aggregations, people's orders."""
    events = [commissioned("2025-08-01", *(item(f"A{n}") for n in range(600)))]
    events += [observed(f"2025-08-02T08:00:{n:02d}+08:00", item(f"A{n}"), item("A0")) for n in range(20)]
    events += [moved("2025-08-03", sscc(n), item(f"A{n}")) for n in range(4)]
    events += [events[3]]
    events += [
        observed("2025-08-04", item(f"A{n}"), bizTransactionList=[parcel_paper("order", f"EM000{n}")])
        for n in range(4)
    ]
    return events


async def test_a_stream_stores_what_the_whole_would(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, spool: Spool
) -> None:
    streamer, other = await deployment.member("streamer"), await deployment.member("other")
    data = document(story())
    for start in range(0, len(data), 1000):
        spool.write(data[start : start + 1000])
    stored = await deployment.capture.submit(spool.source(), streamer, name="long.json")
    monkeypatch.undo()
    whole = await deployment.capture.submit(data, other, name="long.json")
    assert [(e.event_id, e.path, e.outcome) for e in stored.events] == [
        (e.event_id, e.path, e.outcome) for e in whole.events
    ]
    assert stored.counts == whole.counts == {"stored": 29, "repeat": 1}
    columns = "event_id, content_hash, event_type, action, event_time, assurance, path, claim_count"
    heads = [
        await deployment.pool.fetch(
            f"SELECT {columns} FROM event WHERE party_id = $1 ORDER BY event_id", party
        )
        for party in ("streamer", "other")
    ]
    assert heads[0] == heads[1] and len(heads[0]) == 29
    rows = "SELECT key, i.role, i.action, other, position FROM thing_event AS i JOIN event USING (event_key)"
    found = [
        await deployment.pool.fetch(f"{rows} WHERE party_id = $1 ORDER BY 1, 2, 4, 5, event_id", party)
        for party in ("streamer", "other")
    ]
    assert found[0] == found[1]
    for capture in (stored, whole):
        assert await evidence_of(deployment, capture.capture_id) == data
    async with deployment.pool.acquire() as conn:
        kept = {row[0]: row[1] for row in await conn.fetch("SELECT event_key, commitment FROM event")}
        assert await recompute_commitments(conn, list(kept)) == kept
    assert {fact.corroborations for fact in (await deployment.trace(item("A1"))).facts} == {1}
    # Nothing of it lies in the open, and each person's number under that person.
    assert not await deployment.pool.fetchval(
        "SELECT sum(length(skeleton)) FROM evidence_body JOIN evidence USING (evidence_id) WHERE party_id = 'streamer'"
    )
    orders = "SELECT count(DISTINCT subject_id) FROM evidence_part WHERE category = 'order_no'"
    assert await deployment.pool.fetchval(orders) == 4


async def test_a_stream_again_is_the_same_capture(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    data = document(story())
    first = await deployment.capture.submit(data, maker)
    before = await deployment.counts()
    again = await deployment.capture.submit(data, maker)
    assert (again.repeated, again.capture_id, again.counts) == (True, first.capture_id, {"repeat": 30})
    assert await deployment.counts() == before


@pytest.mark.parametrize("fault", ["event", "number", "conflict", "cut"])
async def test_a_fault_at_the_end_refuses_the_whole(deployment: Deployment, fault: str) -> None:
    maker = await deployment.member("maker")
    await deployment.say(maker, named(observed("2025-08-01", item("A0")), "1"))
    before = await deployment.counts()
    last, error = {
        "event": ({**observed("2025-08-09", item("Z")), "action": "EAT"}, InputError),
        "number": (
            observed("2025-08-09", item("Z"), bizTransactionList=[parcel_paper("order", "E" * 300)]),
            InputError,
        ),
        "conflict": (named(observed("2025-08-09", item("Z")), "1"), ConflictError),
        "cut": (observed("2025-08-09", item("Z")), InputError),
    }[fault]
    data = document([*story(), last])
    with pytest.raises(error) as refused:
        await deployment.capture.submit(data[: -60 if fault == "cut" else None], maker)
    assert fault == "cut" or refused.value.path.startswith("$.epcisBody.eventList[30]") or fault == "number"
    assert await deployment.counts() == before


async def test_with_proceed_what_holds_is_stored(deployment: Deployment, spool: Spool) -> None:
    maker = await deployment.member("maker")
    await deployment.say(maker, named(observed("2025-08-01", item("A0")), "1"))
    data = document(
        [
            {**observed("2025-08-09", item("Z")), "action": "EAT"},
            *story(),
            named(observed("2025-08-09", item("Z")), "1"),
        ]
    )
    spool.write(data)
    stored = await deployment.capture.submit_long(spool.source(), maker, proceed=True)
    assert stored is not None
    assert stored.counts == {"stored": 29, "repeat": 1}
    assert [(code, path) for code, path, _ in stored.warnings] == [
        ("capture.proceed", ""),
        ("capture.event.refused", "$.epcisBody.eventList[0].action"),
        ("capture.event.refused", "$.epcisBody.eventList[31]"),
    ]
    assert await evidence_of(deployment, stored.capture_id) == data
    assert await deployment.pool.fetchval("SELECT count(*) FROM evidence_part WHERE category <> 'whole'") == 0


async def test_two_long_documents_about_the_same_things_at_once(deployment: Deployment) -> None:
    import asyncio

    makers = [await deployment.member(f"maker-{n}") for n in range(3)]
    events = [observed(f"2025-08-02T08:00:{n:02d}+08:00", item(f"A{n}"), item(f"B{n}")) for n in range(30)]
    papers = [document(events), document(events[::-1]), document(events[15:] + events[:15])]
    stored = await asyncio.gather(
        *(deployment.capture.submit(data, maker) for data, maker in zip(papers, makers, strict=True))
    )
    assert [capture.counts for capture in stored] == [{"stored": 30}] * 3
    assert await deployment.pool.fetchval("SELECT count(*) FROM thing") == 60


async def test_a_paper_of_another_kind_in_a_file_is_read_whole(deployment: Deployment, spool: Spool) -> None:
    maker = await deployment.member("maker")
    spool.write(b"%PDF-1.7 nothing that we read")
    assert await deployment.capture.submit_long(spool.source(), maker) is None
    with pytest.raises(SuyuanError) as refused:
        await deployment.capture.submit(spool.source(), maker)
    assert refused.value.code == "capture.paper.unknown"


def test_readers_of_a_spool_have_places_of_their_own(spool: Spool) -> None:
    spool.write(b"abc" * 100_000)
    source: Source = spool.source()
    with source.open() as first, source.open() as second:
        assert first.read(4) == b"abca" and second.read(2) == b"ab" and first.read(2) == b"bc"
    assert (source.whole(), source.head(3)) == (b"abc" * 100_000, b"abc")


@pytest.mark.parametrize("megabytes", [24, pytest.param(100, marks=pytest.mark.slow)])
def test_memory_does_not_grow_with_the_document(database_url: str, tmp_path: Path, megabytes: int) -> None:
    """In a process of its own: most memory that it ever had, against what it had after a small document."""
    program = Path(__file__).with_name("long_capture.py")
    done = subprocess.run(
        [sys.executable, str(program), database_url, str(tmp_path), str(megabytes)],
        capture_output=True,
        text=True,
        check=True,
        timeout=900,
    )
    measured = json.loads(done.stdout.splitlines()[-1])
    assert measured["bytes"] >= megabytes * 1024 * 1024
    assert measured["stored"] == measured["events"] > 0
    assert measured["grown_mib"] < 80, measured
