"""Enrolling labels: who may, what is stored and stated, what a repeat and a correction come to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import asyncpg
import msgspec
import pytest
from deployment import GTIN, LOT, OTHER_GTIN, item
from label_world import PLACEMENT, LabelWorld, picture, printed

from suyuan.enrolment.enrolling import EnrolCommand
from suyuan.enrolment.records import find_enrolments, read_record
from suyuan.errors import ConflictError, InputError, PermissionDenied, RefusedError, SuyuanError
from suyuan.issuing import void
from suyuan.trace import OPERATOR, PUBLIC


async def test_an_enrolled_label_is_bound_to_its_code_by_an_event(label_world: LabelWorld) -> None:
    done = await label_world.enrol(0)
    serial = label_world.serials[0]
    assert (done.gtin, done.serial, done.track, done.method) == (GTIN, serial, "A", "pattern/1")
    assert (done.repeated, done.supersedes) == (False, None)
    trace = await label_world.deployment.trace(item(serial))
    [fact] = trace.facts
    assert (fact.biz_step, fact.party.party_id) == ("urn:suyuan:bizstep:enrolling", "maker")
    assert fact.attributes["labelTrack"] == "A"
    assert fact.attributes["labelMethod"] == "pattern/1"
    [enrolment] = await find_enrolments(label_world.deployment.pool, GTIN, serial)
    async with label_world.deployment.pool.acquire() as conn:
        record = await read_record(conn, enrolment)
    assert record == b'["A", "its own"]'
    # The digest is salted: whoever has the record cannot find it in the event.
    assert len(fact.attributes["labelRecord"]) == 64
    again = await label_world.enrol(1)
    assert again.event_id != done.event_id
    await label_world.deployment.published()
    assert (await label_world.deployment.check_log()).clean


async def test_the_public_sees_that_and_by_whom_and_not_the_digest(label_world: LabelWorld) -> None:
    await label_world.enrol(0)
    [fact] = (await label_world.deployment.trace(item(label_world.serials[0]), PUBLIC)).facts
    assert fact.biz_step == "urn:suyuan:bizstep:enrolling"
    assert fact.party.party_id == "maker"
    assert fact.attributes == {"labelTrack": "A", "labelMethod": "pattern/1"}
    [whole] = (await label_world.deployment.trace(item(label_world.serials[0]), OPERATOR)).facts
    assert "labelRecord" in whole.attributes


async def test_the_same_images_are_one_enrolment(label_world: LabelWorld) -> None:
    uri = printed(label_world.serials[0])
    images = [picture(uri), picture(uri)]
    command = EnrolCommand(uri=uri, track="A", placement=PLACEMENT)
    enroller = label_world.deployment.services.enroller
    first = await enroller.enrol(command, images, label_world.maker)
    before = await label_world.deployment.counts()
    again = await enroller.enrol(command, images, label_world.maker)
    assert (again.enrolment_id, again.repeated) == (first.enrolment_id, True)
    assert await label_world.deployment.counts() == before
    uri = printed(label_world.serials[1])
    command = EnrolCommand(uri=uri, track="A", placement=PLACEMENT)
    twins = [enroller.enrol(command, [images[0].replace(printed(label_world.serials[0]).encode(), uri.encode())],
                            label_world.maker) for _ in range(4)]  # fmt: skip
    assert sorted(done.repeated for done in await asyncio.gather(*twins)) == [False, True, True, True]


async def test_the_newest_enrolment_counts_and_the_earlier_is_kept(label_world: LabelWorld) -> None:
    first = await label_world.enrol(0, of="first print")
    second = await label_world.enrol(0, of="second print")
    assert second.supersedes == first.enrolment_id
    assert (await label_world.check(0, "second print")).answer == "matches"
    assert (await label_world.check(0, "first print")).answer == "differs"
    assert await label_world.deployment.pool.fetchval("SELECT count(*) FROM label_record") == 2


async def test_enrolments_of_one_moment_come_one_after_another(label_world: LabelWorld) -> None:
    prints = ("first print", "second print", "third print")
    done = await asyncio.gather(*(label_world.enrol(0, of=of) for of in prints))
    in_order = sorted(zip(done, prints, strict=True), key=lambda one: one[0].enrolment_id)
    numbers = [one.enrolment_id for one, _ in in_order]
    assert [one.supersedes for one, _ in in_order] == [None, *numbers[:-1]]
    assert (await label_world.check(0, in_order[-1][1])).answer == "matches"
    assert (await label_world.check(0, in_order[0][1])).answer == "differs"


async def test_a_track_is_not_forgotten_over_another_that_is_enrolled_often(label_world: LabelWorld) -> None:
    clip = await label_world.enrol(0, "B")
    again = [await label_world.enrol(0, of=f"print {n}") for n in range(21)]
    serial = label_world.serials[0]
    found = await find_enrolments(label_world.deployment.pool, GTIN, serial)
    assert [(one.track, one.enrolment_id) for one in found] == [
        ("A", again[-1].enrolment_id),
        ("B", clip.enrolment_id),
    ]


async def test_an_enrolment_that_was_taken_back_counts_no_more(label_world: LabelWorld) -> None:
    await label_world.enrol(0, of="first print")
    done = await label_world.enrol(0, of="second print")
    body = await label_world.deployment.pool.fetchval(
        "SELECT p.body FROM event_payload AS p JOIN event AS e USING (event_key) WHERE e.event_id = $1",
        done.event_id,
    )
    event = msgspec.json.decode(body)
    extensions = {f"suyuan:{k.rpartition('}')[2]}": v for k, v in event.items() if k.startswith("{")}
    plain = {k: v for k, v in event.items() if not k.startswith("{")}
    declared = {"declarationTime": "2026-12-01T08:00:00+08:00", "reason": "incorrect_data"}
    await label_world.deployment.say(
        label_world.maker,
        {**plain, **extensions, "eventID": done.event_id, "errorDeclaration": declared},
    )
    assert (await label_world.check(0, "first print")).answer == "matches"
    # The same images can be enrolled anew: nothing that counts has them.
    assert not (await label_world.enrol(0, of="second print")).repeated


@pytest.mark.parametrize("role", ["label-maker", "manufacturer", "brand-owner", "operator"])
async def test_whom_the_operator_granted_may_enrol(label_world: LabelWorld, role: str) -> None:
    scope = "" if role == "operator" else f"/{GTIN}"
    other = await label_world.deployment.member("printer", role + scope)
    assert (await label_world.enrol(0, by=other)).supersedes is None


async def test_nobody_else_may(label_world: LabelWorld) -> None:
    before = await label_world.deployment.counts()
    other = await label_world.deployment.member("other", f"label-maker/{OTHER_GTIN}", "courier", "seller")
    with pytest.raises(PermissionDenied) as refusal:
        await label_world.enrol(0, by=other)
    assert refusal.value.code == "enrolment.party"
    # A code that does not exist is refused with the same words.
    command = EnrolCommand(uri=printed("0AAAAAAAAAAAAAAAAAAA"), track="A", placement=PLACEMENT)
    with pytest.raises(PermissionDenied) as unknown:
        await label_world.deployment.services.enroller.enrol(command, [b"{}"], other)
    assert (unknown.value.code, unknown.value.reason) == (refusal.value.code, refusal.value.reason)
    after = await label_world.deployment.counts()
    assert {name for name in after if after[name] != before[name]} <= {"party", "party_role"}


async def test_a_label_maker_does_not_replace_what_another_enrolled(label_world: LabelWorld) -> None:
    await label_world.enrol(0)
    printer = await label_world.deployment.member("printer", f"label-maker/{GTIN}")
    with pytest.raises(ConflictError) as refusal:
        await label_world.enrol(0, by=printer, of="a copy")
    assert refusal.value.code == "enrolment.other_party"
    await label_world.enrol(1, by=printer)
    assert (await label_world.enrol(1, of="another print")).supersedes is not None


async def _refused(world: LabelWorld, command: EnrolCommand, images: list[bytes]) -> SuyuanError:
    before = await world.deployment.counts()
    with pytest.raises(SuyuanError) as refusal:
        await world.deployment.services.enroller.enrol(command, images, world.maker)
    assert await world.deployment.counts() == before
    return refusal.value


async def test_what_is_refused_leaves_nothing(label_world: LabelWorld) -> None:
    uri, other = printed(label_world.serials[0]), printed(label_world.serials[1])
    command = EnrolCommand(uri=uri, track="A", placement=PLACEMENT)
    good = [picture(uri)]
    replaced = msgspec.structs.replace
    for changed, images, kind, code in (
        (command, [], InputError, "enrolment.images"),
        (command, good * 13, InputError, "enrolment.images"),
        (replaced(command, track="B"), good * 201, InputError, "enrolment.images"),
        (replaced(command, placement=None), good, InputError, "enrolment.placement"),
        (replaced(command, uri=printed("")[:-4]), good, InputError, "enrolment.uri.item"),
        (replaced(command, uri="no uri"), good, InputError, "gs1.uri"),
        (command, [picture(uri), b"\xff\xd8 no picture"], InputError, "label.image.form"),
        (command, [picture(other)], InputError, "label.enrolment.other_code"),
    ):
        error = await _refused(label_world, changed, images)
        assert isinstance(error, kind)
        assert error.code.startswith(code)
    assert error.path == "images[0]"


async def test_a_batch_without_patterns_has_none_to_enrol(label_world: LabelWorld) -> None:
    [serial] = await label_world.deployment.issued(1, label_world.maker, lot="L2")
    uri = printed(serial)
    error = await _refused(label_world, EnrolCommand(uri=uri, track="A", placement=PLACEMENT), [picture(uri)])
    assert error.code == "enrolment.pattern.none"
    # A dynamic label needs none.
    done = await label_world.deployment.services.enroller.enrol(
        EnrolCommand(uri=uri, track="B"), [picture(uri)] * 130, label_world.maker
    )
    assert (done.track, done.method) == ("B", "dynamic/1")


async def test_a_voided_code_is_refused(label_world: LabelWorld) -> None:
    serial = label_world.serials[0]
    await void(
        label_world.deployment.pool, gtin=GTIN, lot=LOT, serials=[serial], party_id="maker", reason="torn"
    )
    uri = printed(serial)
    error = await _refused(label_world, EnrolCommand(uri=uri, track="A", placement=PLACEMENT), [picture(uri)])
    assert isinstance(error, RefusedError)
    assert error.code == "issuing.code.voided"


async def test_the_canonical_uri_stands_for_what_is_printed(label_world: LabelWorld) -> None:
    serial = label_world.serials[0]
    command = EnrolCommand(uri=item(serial), track="A", placement=PLACEMENT)
    done = await label_world.deployment.services.enroller.enrol(
        command, [picture(printed(serial))], label_world.maker
    )
    assert done.uri == printed(serial)


async def test_rows_never_change_and_a_changed_record_is_noticed(label_world: LabelWorld) -> None:
    await label_world.enrol(0)
    pool = label_world.deployment.pool
    for statement in (
        "UPDATE label_enrolment SET party_id = 'maker'",
        "DELETE FROM label_enrolment",
        "TRUNCATE label_enrolment CASCADE",
        "UPDATE label_record SET record = ''",
        "DELETE FROM label_record",
    ):
        with pytest.raises(asyncpg.PostgresError) as refusal:
            await pool.execute(statement)
        assert refusal.value.sqlstate == "SY001"
    # Who owns the table gets past that, and not past the event.
    await pool.execute("ALTER TABLE label_record DISABLE TRIGGER USER")
    await pool.execute("UPDATE label_record SET record = convert_to('[\"A\", \"a copy\"]', 'UTF8')")
    with pytest.raises(RefusedError) as changed:
        await label_world.check(0, "a copy")
    assert changed.value.code == "enrolment.record.changed"
    await pool.execute("ALTER TABLE event_payload DISABLE TRIGGER USER")
    await pool.execute("DELETE FROM event_payload")
    with pytest.raises(RefusedError) as erased:
        await label_world.check(0)
    assert erased.value.code == "enrolment.record.erased"


async def test_an_enrolment_is_dated_when_its_images_were_taken(label_world: LabelWorld) -> None:
    enroller, pool = label_world.deployment.services.enroller, label_world.deployment.pool
    uri = printed(label_world.serials[0])
    taken = datetime.fromisoformat("2025-12-02T09:10:00+01:00")
    command = EnrolCommand(uri=uri, track="B", event_time=taken)
    await enroller.enrol(command, [picture(uri)] * 3, label_world.maker)
    row = await pool.fetchrow("SELECT * FROM event_payload AS p JOIN label_enrolment AS e USING (event_key)")
    assert row is not None
    body = msgspec.json.decode(row["body"])
    assert (body["eventTime"], body["eventTimeZoneOffset"]) == ("2025-12-02T08:10:00.000Z", "+01:00")
    now = datetime.now(UTC)
    for wrong in (
        now.replace(tzinfo=None),
        now + timedelta(minutes=10),
        datetime(1999, 1, 1, tzinfo=UTC),
        now.astimezone(timezone(timedelta(hours=-23))),
    ):
        with pytest.raises(InputError) as refusal:
            await enroller.enrol(
                msgspec.structs.replace(command, event_time=wrong), [picture(uri)] * 3, label_world.maker
            )
        assert refusal.value.code == "enrolment.event_time"


async def test_a_record_with_an_event_of_its_own_is_noticed_too(label_world: LabelWorld) -> None:
    """Record and event changed together: the event's commitment, which is in the log, does not fit any more."""
    await label_world.enrol(0)
    await label_world.enrol(1, of="a copy")
    pool = label_world.deployment.pool
    for table in ("label_record", "event_payload"):
        await pool.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    await pool.execute(
        "UPDATE label_record AS r SET record = o.record, salt = o.salt FROM label_record AS o"
        " WHERE r.enrolment_id = 1 AND o.enrolment_id = 2"
    )
    bodies = await pool.fetch(
        "SELECT p.event_key, p.body FROM event_payload AS p JOIN label_enrolment AS e USING (event_key)"
        " ORDER BY e.enrolment_id"
    )
    first, second = (msgspec.json.decode(row["body"]) for row in bodies)
    forged = {**first, "{urn:suyuan:ext}labelRecord": second["{urn:suyuan:ext}labelRecord"]}
    await pool.execute(
        "UPDATE event_payload SET body = $2 WHERE event_key = $1",
        bodies[0]["event_key"],
        msgspec.json.encode(forged),
    )
    with pytest.raises(RefusedError) as changed:
        await label_world.check(0, "a copy")
    assert changed.value.code == "enrolment.record.changed"
