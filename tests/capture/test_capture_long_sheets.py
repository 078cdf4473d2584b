"""Long sheets, taken in as streams: the same events and evidence as read whole, refused as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from deployment import Deployment
from test_capture import evidence_of

from suyuan.capture import intake
from suyuan.capture.checking import recompute_commitments
from suyuan.capture.long_papers import read_through
from suyuan.capture.sources import Source, source_of
from suyuan.sheets import FaultySheetError
from suyuan.sheets.long_sheets import batches, survey
from suyuan.sheets.mapping import with_mapping
from suyuan.sheets.template_files import write_template
from suyuan.sheets.templates import templates

ROWS = 40
MAPPINGS = Path(__file__).resolve().parents[2] / "examples" / "mappings"
COLUMNS = "event_id, content_hash, event_type, action, event_time, path, rule, claim_count"


@pytest.fixture(autouse=True)
def short_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "LONG_BYTES", 0)
    monkeypatch.setattr(intake, "LONG_WORKBOOK_BYTES", 0)
    monkeypatch.setattr("suyuan.sheets.long_sheets.BATCH_EVENTS", 7)
    monkeypatch.setattr("suyuan.sheets.delimited.HELD_BYTES", 0)


def rows_of(name: str) -> tuple[dict[str, str], ...]:
    """Many rows of a template, each at a minute of its own."""
    given = templates()[name].rows
    return tuple(
        {**given[n % len(given)], "time": f"2025-09-{n // 24 + 1:02d} {n % 24:02d}:15:00"}
        for n in range(ROWS)
    )


PAPERS = {
    "events.csv": write_template(templates()["events"], "fr", "csv", rows=rows_of("events")),
    "events.xlsx": write_template(templates()["events"], "ja", rows=rows_of("events")),
    "scans.csv": write_template(templates()["courier-scans"], "zh-CN", "csv", rows=rows_of("courier-scans")),
    "scans.xlsx": write_template(templates()["courier-scans"], "de", rows=rows_of("courier-scans")),
    "log.csv": write_template(templates()["verification-log"], "en", "csv", rows=rows_of("verification-log")),
    # Scans in a courier's own shape, their mapping in front; nobody knows the last column.
    "scans-mapped.csv": with_mapping(
        (MAPPINGS / "flat.toml").read_bytes(),
        (
            "快件单号,操作时刻,操作名称,网点城市,操作员\n"
            + "".join(
                f"SF00990000000{n % 3},2025-10-09 07:{n:02d}:00,{'收件扫描' if n % 2 else '怪状态'},广州,样例甲{n}\n"
                for n in range(ROWS)
            )
        ).encode(),
    ),
    # The waybill stands above the table, names and remarks in the rows, in the code page of old programs.
    "head.csv": (
        "运单号,SF0099000000017\n快递公司代码,440196X001\n时区,+08:00\n\n时间,状态,签收人,备注,内部\n"
        + "".join(f"2025-10-09 07:{n:02d},已签收,样例甲{n},门口{n},x{n}\n" for n in range(ROWS))
        + "合计,40\n\n"
    ).encode("gb18030"),
}


@pytest.mark.parametrize("name", PAPERS)
async def test_a_streamed_sheet_stores_what_the_whole_would(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    streamer, other = await deployment.member("streamer"), await deployment.member("other")
    data = PAPERS[name]
    assert survey(source_of(data).open) is not None
    stored = await deployment.capture.submit(source_of(data), streamer, name=name)
    monkeypatch.undo()
    whole = await deployment.capture.submit(data, other, name=name)
    assert (stored.kind, stored.warnings) == (whole.kind, whole.warnings)
    assert stored.counts["stored"] == whole.counts["stored"] == ROWS
    told = [[(e.event_id, e.path, e.rule, e.outcome) for e in one.events] for one in (stored, whole)]
    assert told[0] == told[1] and len(told[0]) == ROWS
    heads = [
        await deployment.pool.fetch(
            f"SELECT {COLUMNS} FROM event WHERE party_id = $1 ORDER BY event_id", party
        )
        for party in ("streamer", "other")
    ]
    assert heads[0] == heads[1] and len(heads[0]) == ROWS
    for capture in (stored, whole):
        assert await evidence_of(deployment, capture.capture_id) == data
    async with deployment.pool.acquire() as conn:
        kept = {row[0]: row[1] for row in await conn.fetch("SELECT event_key, commitment FROM event")}
        assert await recompute_commitments(conn, list(kept)) == kept
    again = await deployment.capture.submit(data, streamer, name=name)
    assert (again.capture_id, again.repeated) == (stored.capture_id, True)


def test_batches_are_the_file_and_its_personal_data_lies_in_them() -> None:
    for name, data in PAPERS.items():
        found = survey(source_of(data).open)
        assert found is not None
        pieces = list(batches(found))
        assert b"".join(piece.data for piece in pieces) == data
        assert len([piece for piece in pieces if piece.events]) == -(-ROWS // 7)
        for piece in pieces:
            assert all(
                piece.start <= f.start < f.end <= piece.start + len(piece.data) for f in piece.personal
            )
        if name == "head.csv":
            fields = [field for piece in pieces for field in piece.personal]
            texts = {data[field.start : field.end].decode("gb18030") for field in fields}
            assert {"SF0099000000017", "样例甲0", "样例甲39", "门口39", "x39"} <= texts
            assert len(fields) == 1 + 4 * ROWS
        assert bool(found.wanted) == name.startswith(("scans", "head"))


async def test_a_long_sheet_with_faults_is_refused_whole(deployment: Deployment) -> None:
    member = await deployment.member("member")
    rows = list(rows_of("events"))
    rows[11], rows[37] = {**rows[11], "time": "soon"}, {**rows[37], "zone": ""}
    data = write_template(templates()["events"], "de", "csv", rows=tuple(rows))
    with pytest.raises(FaultySheetError) as caught:
        await deployment.capture.submit(source_of(data), member)
    assert [fault.path for fault in caught.value.faults] == ["A13", "A39"]
    for table in ("evidence", "event", "thing"):
        assert await deployment.pool.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_what_gathers_rows_is_read_whole(deployment: Deployment) -> None:
    member = await deployment.member("member")
    for name in ("packing-list", "tally"):
        template = templates()[name]
        for form in ("csv", "xlsx"):
            data = write_template(template, "en", form, rows=template.rows)
            assert survey(source_of(data).open) is None
            stored = await deployment.capture.submit(source_of(data), member)
            assert stored.kind == template.reads


async def test_a_packed_workbook_is_long_before_other_papers_are(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = await deployment.member("member")
    asked: list[int] = []

    def noted(source: Source, **how: bool) -> object:
        asked.append(source.size)
        return read_through(source, **how)

    monkeypatch.setattr(intake, "read_through", noted)
    monkeypatch.setattr(intake, "LONG_BYTES", 1024 * 1024)
    for name in ("scans.csv", "scans.xlsx"):
        await deployment.capture.submit(PAPERS[name], member)
    assert asked == [len(PAPERS["scans.xlsx"])]
