"""Taking papers in, on the real database: once, whole or not at all, and with nothing personal in the open."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from deployment import (
    Deployment,
    commissioned,
    document,
    item,
    moved,
    observed,
    of_lot,
    paper,
    parcel_paper,
    raw,
    sscc,
    steps_of,
    withdrawn,
)

from suyuan.capture.checking import recompute_commitments
from suyuan.capture.evidence import reassemble
from suyuan.db.partitions import month_of, months_after
from suyuan.epcis import read, write_xml_document
from suyuan.errors import ConflictError, InputError, SuyuanError, UnsupportedError
from suyuan.vault.vault import SealedPart


def named(event: dict[str, Any], number: str) -> dict[str, Any]:
    return {**event, "eventID": f"urn:uuid:00000000-0000-4000-8000-{number.zfill(12)}"}


async def evidence_of(deployment: Deployment, capture_id: str) -> bytes:
    """The paper's bytes again, from its skeleton and its sealed parts."""
    evidence_id, skeleton = await deployment.pool.fetchrow(
        "SELECT evidence_id, skeleton FROM evidence JOIN evidence_body USING (evidence_id) WHERE capture_id = $1",
        capture_id,
    )
    parts = await deployment.pool.fetch("SELECT * FROM evidence_part WHERE evidence_id = $1", evidence_id)
    opened = await deployment.services.vault.unseal_parts(
        deployment.pool, [SealedPart(part["subject_id"], part["sealed"]) for part in parts]
    )
    assert None not in opened
    return reassemble(
        skeleton, [(part["start_at"], piece) for part, piece in zip(parts, opened, strict=True)]
    )  # type: ignore[misc]


# -- once ----------------------------------------------------------------------------------------------------


async def test_the_same_bytes_again_are_the_same_capture(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    data = document([commissioned("2025-08-01", item("A1")), observed("2025-08-02", item("A1"))])
    first = await deployment.capture.submit(data, maker, name="a.jsonld")
    before = await deployment.counts()
    again = await deployment.capture.submit(data, maker, name="b.jsonld")
    assert await deployment.counts() == before
    assert (first.repeated, again.repeated) == (False, True)
    assert again.capture_id == first.capture_id
    assert [event.event_id for event in again.events] == [event.event_id for event in first.events]
    assert {event.outcome for event in first.events} == {"stored"}
    assert {event.outcome for event in again.events} == {"repeat"}


async def test_one_event_in_json_and_xml_is_one_event(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    data = document(
        [moved("2025-08-02", sscc(1), item("A1"), bizTransactionList=[parcel_paper("order", "EM1")])]
    )
    first = await deployment.capture.submit(data, maker)
    xml = write_xml_document([derived.event for derived in read(data).events])
    second = await deployment.capture.submit(xml, maker)
    assert (first.kind, second.kind) == ("EPCIS/JSON", "EPCIS/XML")
    assert second.events[0].event_key == first.events[0].event_key
    assert second.events[0].outcome == "repeat"
    # Both papers are kept as evidence of the one event.
    assert await deployment.pool.fetchval("SELECT count(*) FROM event") == 1
    assert await deployment.pool.fetchval("SELECT count(*) FROM evidence_event") == 2
    for stored, sent in ((first, data), (second, xml)):
        assert await evidence_of(deployment, stored.capture_id) == sent


async def test_an_event_twice_in_one_paper_is_one_event(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    stored = await deployment.say(maker, *[observed("2025-08-02", item("A1"))] * 2)
    assert [event.outcome for event in stored.events] == ["stored", "repeat"]
    assert len({event.event_key for event in stored.events}) == 1


async def test_the_same_paper_at_once_from_many_hands_is_stored_once(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    data = document([observed("2025-08-02", item("A1"))])
    results = await asyncio.gather(*(deployment.capture.submit(data, maker) for _ in range(20)))
    assert sum(not result.repeated for result in results) == 1
    assert len({result.capture_id for result in results}) == 1
    # and the same event in papers that differ
    event = observed("2025-08-03", item("A1"))
    results = await asyncio.gather(*(deployment.say(maker, event) for _ in range(20)))
    assert len({result.events[0].event_key for result in results}) == 1
    assert await deployment.pool.fetchval("SELECT count(*) FROM event") == 2


# -- others' words -------------------------------------------------------------------------------------------


async def test_anothers_equal_event_is_counted_and_raises_nothing(deployment: Deployment) -> None:
    broker = await deployment.member("broker", "customs-broker")
    accomplice = await deployment.member("accomplice", "customs-broker")
    released = observed(
        "2025-08-02",
        item("A1"),
        bizStep="urn:suyuan:bizstep:clearing",
        disposition="urn:suyuan:disp:released",
        **{"suyuan:statedBy": "urn:suyuan:authority:customs:5165", "suyuan:returnStatus": "800"},
    )
    await deployment.say(broker, released)
    await deployment.say(accomplice, released)
    await deployment.say(accomplice, named(released, "7"))
    [fact] = (await deployment.trace(item("A1"))).facts
    assert (fact.assurance, fact.corroborations, fact.conflicts) == ("relayed", 1, 0)
    assert fact.stated_by == "urn:suyuan:authority:customs:5165"
    # A corroboration that is taken back is none, and what the other said stands.
    await deployment.say(accomplice, withdrawn(released))
    await deployment.say(accomplice, withdrawn(named(released, "7")))
    [fact] = (await deployment.trace(item("A1"))).facts
    assert (fact.withdrawn, fact.corroborations) == (False, 0)
    await deployment.say(broker, withdrawn(released))
    [fact] = (await deployment.trace(item("A1"))).facts
    assert fact.withdrawn


async def test_the_word_that_stands_speaks_though_another_took_it_back(deployment: Deployment) -> None:
    first = await deployment.member("aaa")
    second = await deployment.member("zzz")
    event = observed("2025-08-02", item("A1"))
    await deployment.say(first, event)
    await deployment.say(second, event)
    await deployment.say(first, withdrawn(event))
    [fact] = (await deployment.trace(item("A1"))).facts
    assert (fact.party.party_id, fact.withdrawn, fact.corroborations) == ("zzz", False, 0)


async def test_a_partys_other_content_under_one_id_is_refused_and_nothing_changes(
    deployment: Deployment,
) -> None:
    maker = await deployment.member("maker")
    await deployment.say(maker, named(observed("2025-08-02", item("A1")), "1"))
    before = await deployment.counts()
    with pytest.raises(ConflictError) as refusal:
        await deployment.say(
            maker, commissioned("2025-08-01", item("A2")), named(observed("2025-08-03", item("A1")), "1")
        )
    assert refusal.value.code == "capture.event.conflict"
    assert refusal.value.path == "$.epcisBody.eventList[1]"
    assert refusal.value.remedy
    assert await deployment.counts() == before
    # also within one paper
    with pytest.raises(ConflictError):
        await deployment.say(
            maker,
            named(observed("2025-08-02", item("A3")), "9"),
            named(observed("2025-08-03", item("A3")), "9"),
        )
    assert await deployment.counts() == before


async def test_other_content_of_another_party_under_one_id_is_kept_and_flagged(
    deployment: Deployment,
) -> None:
    maker = await deployment.member("maker")
    other = await deployment.member("other")
    await deployment.say(maker, named(observed("2025-08-02", item("A1")), "1"))
    contradicting = named(observed("2025-08-02", item("A1"), disposition="damaged"), "1")
    await deployment.say(other, contradicting)
    facts = (await deployment.trace(item("A1"))).facts
    assert [(fact.conflicts, fact.corroborations) for fact in facts] == [(1, 0), (1, 0)]
    await deployment.say(other, withdrawn(contradicting))
    facts = (await deployment.trace(item("A1"))).facts
    assert {fact.party.party_id: fact.conflicts for fact in facts} == {"maker": 0, "other": 1}


async def test_an_error_declaration_repeats_the_id_and_withdraws_its_own_partys_event(
    deployment: Deployment,
) -> None:
    maker = await deployment.member("maker")
    stranger = await deployment.member("stranger")
    event = named(observed("2025-08-02", item("A1"), disposition="damaged"), "1")
    await deployment.say(maker, event)
    declared = await deployment.say(stranger, withdrawn(event))
    assert declared.events[0].outcome == "stored"
    [fact] = (await deployment.trace(item("A1"))).facts
    assert not fact.withdrawn
    mine = await deployment.say(maker, withdrawn(event, reason="incorrect_data"))
    assert (mine.events[0].event_id, mine.events[0].outcome) == (event["eventID"], "stored")
    trace = await deployment.trace(item("A1"))
    [fact] = trace.facts
    assert [correction.party.party_id for correction in fact.corrections] == ["maker"]
    assert fact.corrections[0].reason.endswith("incorrect_data")
    assert trace.state == "unknown"
    # a declaration that comes before its event
    early = named(observed("2025-09-02", item("A2")), "2")
    await deployment.say(maker, withdrawn(early))
    await deployment.say(maker, early)
    [fact] = (await deployment.trace(item("A2"))).facts
    assert fact.withdrawn


# -- group commit --------------------------------------------------------------------------------------------


async def test_one_bad_paper_among_fifty_leaves_the_others_alone(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    await deployment.say(maker, named(observed("2025-08-01", item("A0")), "1"))
    papers = [document([observed("2025-08-02", item(f"B{n}"))]) for n in range(50)]
    papers[20] = document(
        [commissioned("2025-08-02", item("B20")), named(observed("2025-08-09", item("A0")), "1")]
    )
    results = await asyncio.gather(
        *(deployment.capture.submit(data, maker) for data in papers), return_exceptions=True
    )
    assert [n for n, result in enumerate(results) if isinstance(result, BaseException)] == [20]
    assert isinstance(results[20], ConflictError)
    assert await deployment.pool.fetchval("SELECT count(*) FROM event") == 50
    assert await deployment.pool.fetchval("SELECT count(*) FROM intake") == 50
    assert not await deployment.pool.fetchval("SELECT count(*) FROM thing WHERE uri = $1", item("B20"))


async def test_what_the_database_cannot_hold_is_our_own_error_and_no_neighbours(
    deployment: Deployment,
) -> None:
    """A zero byte is text to JSON and none to PostgreSQL."""
    maker = await deployment.member("maker")
    bad = [
        document([observed("2025-08-02", item("C1"), readPoint={"id": "urn:x:a\0b"})]),
        document([{**observed("2025-08-02", item("C2")), "eventID": "urn:x:a\0b"}]),
        document([observed("2025-08-02", item("C3"), **{"suyuan:note": "a\0b"})]),
        document([observed("2025-08-02", "urn:x:a\0b")]),
        document([observed("0001-01-01T00:00:00+14:00", item("C5"))]),
        document([observed("9999-12-31T23:59:59-14:00", item("C6"))]),
        document([observed("2025-08-02", item("C7"), bizTransactionList=[parcel_paper("order", "E\0M")])]),
    ]
    good = [document([observed("2025-08-02", item(f"D{n}"))]) for n in range(20)]
    mixed = [*good[:10], *bad, *good[10:]]
    results = await asyncio.gather(
        *(deployment.capture.submit(data, maker, name="n\0m") for data in mixed), return_exceptions=True
    )
    assert all(not isinstance(result, BaseException) for result in (*results[:10], *results[17:]))
    for result in results[10:17]:
        assert not isinstance(result, BaseException) or isinstance(result, SuyuanError), repr(result)


async def test_overlapping_captures_at_once_do_not_deadlock(deployment: Deployment) -> None:
    makers = [await deployment.member(f"maker-{n}") for n in range(4)]
    things = [item(f"E{n}") for n in range(40)]

    def overlapping(round_number: int) -> bytes:
        # Each paper names many of the same new things, each in another order.
        order = things[round_number % 40 :] + things[: round_number % 40]
        if round_number % 2:
            order.reverse()
        return document([observed(f"2025-08-{1 + k:02d}", *order[k : k + 25]) for k in range(6)])

    asked = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = await deployment.pool.fetchval(asked)
    results = await asyncio.gather(
        *(deployment.capture.submit(overlapping(n), makers[n % 4]) for n in range(80))
    )
    assert len(results) == 80
    assert await deployment.pool.fetchval("SELECT count(*) FROM thing") == 40
    await deployment.pool.execute("SELECT pg_stat_clear_snapshot()")
    assert await deployment.pool.fetchval(asked) == before


async def test_a_caller_who_went_away_leaves_its_paper_stored_and_the_others_answered(
    deployment: Deployment,
) -> None:
    maker = await deployment.member("maker")
    waiting = [
        asyncio.create_task(deployment.say(maker, observed("2025-08-02", item(f"F{n}")))) for n in range(10)
    ]
    await asyncio.sleep(0)
    waiting[3].cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert sum(isinstance(result, BaseException) for result in results) == 1
    await deployment.capture.close()
    assert await deployment.pool.fetchval("SELECT count(*) FROM event") in (9, 10)


# -- refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code", "kind"),
    [
        (b"", "capture.paper.empty", InputError),
        (b"\xef\xbb\xbf \n\t\0", "capture.paper.empty", InputError),
        (b"%PDF-1.7 nothing that we read", "capture.paper.unknown", UnsupportedError),
    ],
)
async def test_no_paper_at_all(
    deployment: Deployment, data: bytes, code: str, kind: type[SuyuanError]
) -> None:
    maker = await deployment.member("maker")
    before = await deployment.counts()
    with pytest.raises(kind) as refusal:
        await deployment.capture.submit(data, maker)
    assert (refusal.value.code, bool(refusal.value.remedy)) == (code, True)
    assert await deployment.counts() == before


async def test_a_forged_release_stays_what_it_is(deployment: Deployment) -> None:
    """Whatever a party writes into a message, the level comes from its seat."""
    broker = await deployment.member("broker", "customs-broker", customs_code="440196N001")
    fields = {
        "bizStep": "urn:suyuan:bizstep:clearing",
        "disposition": "urn:suyuan:disp:released",
        "suyuan:returnStatus": "800",
    }
    for number, stated_by in enumerate(
        ("urn:suyuan:authority:customs:5165", "urn:suyuan:authority:customs:440196N001", "")
    ):
        said = {"suyuan:statedBy": stated_by} if stated_by else {}
        await deployment.say(broker, observed(f"2025-08-0{number + 1}", item("A1"), **fields, **said))
    levels = [fact.assurance for fact in (await deployment.trace(item("A1"))).facts]
    assert levels == ["relayed", "self-declared", "self-declared"]
    seat = await deployment.member("customs", "authority")
    await deployment.say(
        seat,
        observed(
            "2025-08-09", item("A1"), **fields, **{"suyuan:statedBy": "urn:suyuan:authority:customs:5165"}
        ),
    )
    assert (await deployment.trace(item("A1"))).facts[-1].assurance == "authority-verified"


async def test_an_inspector_that_sells_the_goods_inspected_nothing(deployment: Deployment) -> None:
    independent = await deployment.member("independent", "inspector")
    seller = await deployment.member("seller", "inspector", "seller/08710000001236")
    for party in (independent, seller):
        await deployment.say(
            party, observed("2025-08-02", item("A1"), readPoint={"id": f"urn:x:{party.party_id}"})
        )
    facts = (await deployment.trace(item("A1"))).facts
    assert {fact.party.party_id: fact.assurance for fact in facts} == {
        "independent": "inspected",
        "seller": "self-declared",
    }


# -- nothing personal in the open ----------------------------------------------------------------------------


async def test_numbers_of_persons_documents_are_nowhere_in_the_open(
    deployment: Deployment, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    house = await deployment.member("house")
    secrets = ["EM20251008000042", "SF1399000000042", "5165202500042"]
    order, waybill, parcel = secrets
    data = document(
        [
            moved(
                "2025-10-08",
                raw("waybill", waybill),
                item("A1"),
                bizTransactionList=[
                    parcel_paper("order", order),
                    # without an issuer, as a plain number under its type
                    {"type": "urn:suyuan:btt:parcel-list", "bizTransaction": f"urn:x:{parcel}"},
                ],
            ),
            observed("2025-10-09", raw("waybill", waybill.lower()), bizStep="departing"),
        ]
    )
    stored = await deployment.capture.submit(data, house, name=f"{order}-{waybill}.json")
    await deployment.published()
    assert await evidence_of(deployment, stored.capture_id) == data
    found = await deployment.search(*secrets, waybill.lower())
    assert found == []
    trace = await deployment.trace(item("A1"))
    # One spelling and another are one waybill.
    assert steps_of(trace.facts) == ["packing", "departing"]
    printed = caplog.text + "".join(capsys.readouterr())
    assert not [secret for secret in secrets if secret in printed]
    [name] = await deployment.pool.fetchrow("SELECT name FROM evidence")
    assert name == "…-….json"
    vault = deployment.services.vault
    document_ = await vault.reveal_number(
        deployment.pool,
        vault.pseudonym("order", "440196X001", order),
        party_id="house",
        reason="complaint 1",
    )
    assert document_.number == order


# -- months --------------------------------------------------------------------------------------------------


async def test_things_are_found_in_every_month_in_which_they_were_recorded(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    from suyuan.capture import intake

    maker = await deployment.member("maker")
    await deployment.say(maker, commissioned("2025-08-01", item("A1")))

    class Later(intake.datetime):  # type: ignore[name-defined, misc]
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            moment = intake_now(tz)
            return moment.replace(year=moment.year + moment.month // 12, month=moment.month % 12 + 1, day=1)

    intake_now = intake.datetime.now
    monkeypatch.setattr(intake, "datetime", Later)
    await deployment.say(maker, observed("2025-08-02", item("A1")), observed("2025-08-02", item("A2")))
    monkeypatch.undo()
    periods = await deployment.pool.fetch(
        "SELECT uri, first_month, month FROM thing LEFT JOIN thing_period USING (key) ORDER BY uri"
    )
    this = month_of(datetime.now(UTC))
    after = months_after(this, 1)
    found = {row["uri"].rpartition("/")[2]: (row["first_month"], row["month"]) for row in periods}
    assert found == {"A1": (this, after), "A2": (after, None), "L1": (this, None)}
    assert len((await deployment.trace(item("A1"))).facts) == 2
    assert len((await deployment.trace(item("A2"))).facts) == 1


async def test_a_month_without_a_partition_gets_one(deployment: Deployment) -> None:
    """Also for papers that share a transaction."""
    maker = await deployment.member("maker")
    month = month_of(datetime.now(UTC))
    await deployment.pool.execute(f"DROP TABLE thing_event_y{month.year:04d}m{month.month:02d}")
    results = await asyncio.gather(
        *(deployment.say(maker, observed("2025-08-02", item(f"A{n}"))) for n in range(12))
    )
    assert len(results) == 12
    assert len((await deployment.trace(item("A7"))).facts) == 1


# -- what is stored is what was said --------------------------------------------------------------------------


async def test_commitments_are_computed_again_from_what_is_stored(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    await deployment.say(
        maker,
        commissioned("2025-08-01", *(item(f"A{n}") for n in range(600))),
        of_lot("2025-08-02", 7, bizTransactionList=[paper("recall", "RC-1")]),
        moved("2025-08-03", sscc(1), item("A1")),
    )
    await deployment.published()
    report = await deployment.check_log()
    assert (report.clean, report.events, report.entries) == (True, 3, 3)
    keys = [row[0] for row in await deployment.pool.fetch("SELECT event_key FROM event ORDER BY event_key")]
    async with deployment.pool.acquire() as conn:
        await conn.execute(
            "ALTER TABLE event_list DISABLE TRIGGER ALL; ALTER TABLE event_payload DISABLE TRIGGER ALL"
        )
        await conn.execute("UPDATE event_list SET elements = '[]' WHERE chunk = 1")
        await conn.execute("UPDATE event_payload SET body = '{broken' WHERE event_key = $1", keys[1])
        await conn.execute("DELETE FROM event_payload WHERE event_key = $1", keys[2])
        again = await recompute_commitments(conn, keys)
    assert again[keys[2]] is None
    assert again[keys[1]] == b""
    report = await deployment.check_log()
    assert [(finding.code, finding.reference) for finding in report.findings] == [
        ("log.event.commitment", str(key)) for key in keys[:2]
    ]
    assert report.erased == 1
