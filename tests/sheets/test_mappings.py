"""Courier scans of three shapes by their mappings, and what a mapping may not do."""

from __future__ import annotations

from pathlib import Path

import pytest

from suyuan import customs, epcis, sheets
from suyuan.errors import InputError, SuyuanError
from suyuan.sheets.mapping import with_mapping

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "mappings"
SHAPES = {"flat": "flat.csv", "nested": "nested.json", "lines": "lines.jsonl"}


def paper(name: str, data: bytes | None = None) -> bytes:
    mapping = (EXAMPLES / f"{name}.toml").read_bytes()
    return with_mapping(mapping, (EXAMPLES / SHAPES[name]).read_bytes() if data is None else data)


def said(reading) -> list[tuple[str, ...]]:
    """Waybill, local time, status, step, disposition and place of each event."""
    found = []
    for derived in reading.events:
        event = derived.event
        own = {extension.name.rpartition("}")[2]: extension.value for extension in event.extensions}
        place = event.read_point.id.rpartition(":")[2] if event.read_point else own.get("city", "")
        found.append(
            (
                event.epc_list[0].removeprefix("urn:suyuan:raw:waybill:"),
                event.event_time.isoformat(timespec="minutes")[:16] + event.event_time_zone_offset,
                own["scanStatus"],
                event.biz_step.rpartition("-")[2],
                (event.disposition or "").rpartition("-")[2].rpartition(":")[2],
                place,
            )
        )
    return found


EXPECTED = {
    "flat": [
        ("440196X001:SF0099000000017", "2025-10-08T23:25+08:00", "collected", "accepting", "in_transit", "广州"),
        ("440196X001:SF0099000000017", "2025-10-09T14:20+08:00", "departed", "departing", "in_transit", "广州"),
        ("440196X001:SF0099000000017", "2025-10-11T00:02+08:00", "out_for_delivery", "transporting", "in_transit",
         "成都"),
        ("440196X001:SF0099000000017", "2025-10-11T03:32+08:00", "signed", "arriving", "signed", "成都"),
    ],
    "nested": [
        ("330196P0B1:YX0099000000025", "2025-10-08T23:25+08:00", "collected", "accepting", "in_transit", "CNHGH"),
        ("330196P0B1:YX0099000000025", "2025-10-09T11:40+08:00", "in_transit", "loading", "in_transit", "CNHGH"),
        ("330196P0B1:YX0099000000025", "2025-10-11T01:05+08:00", "arrived", "storing", "in_progress", "CNCTU"),
        ("330196P0B1:YX0099000000033", "2025-10-11T03:32+08:00", "signed", "arriving", "signed", "CNCTU"),
    ],
    "lines": [
        ("310196Z044:ZX0099000000041", "2025-10-08T23:25+08:00", "collected", "accepting", "in_transit", "上海"),
        ("310196Z044:ZX0099000000041", "2025-10-09T14:20+08:00", "departed", "departing", "in_transit", "上海"),
        ("310196Z044:ZX0099000000041", "2025-10-11T03:32+08:00", "signed", "arriving", "signed", "成都"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_three_shapes_say_who_when_and_what(name):
    data = paper(name)
    assert sheets.recognise(data)
    assert not epcis.recognise(data)
    assert not customs.recognise(data)
    reading = sheets.read(data)
    assert reading.kind == "scan/courier"
    assert said(reading) == EXPECTED[name]
    assert reading.warnings == ()


@pytest.mark.parametrize("name", SHAPES)
def test_what_no_field_names_is_personal_and_in_no_event(name):
    data = paper(name)
    reading = sheets.read(data)
    personal = {data[field.start : field.end].decode() for field in reading.personal}
    numbers = {waybill.rpartition(":")[2] for waybill, *_ in EXPECTED[name]}
    assert numbers <= personal
    left = bytearray(data)
    for field in reading.personal:
        left[field.start : field.end] = b"*" * (field.end - field.start)
    skeleton = left.decode("utf-8")
    assert "样例" not in skeleton
    for number in (*numbers, "1990000000", "驿站保管"):
        assert number not in skeleton
    assert "样例" not in repr(reading.events)


def test_the_same_scans_in_another_code_page():
    rows = (EXAMPLES / "flat.csv").read_text("utf-8").encode("gb18030")
    reading = sheets.read(paper("flat", rows))
    assert said(reading) == EXPECTED["flat"]
    data = paper("flat", rows)
    names = {data[field.start : field.end].decode("gb18030") for field in reading.personal}
    assert "样例丙" in names


def test_a_code_without_a_meaning_is_kept_and_told():
    data = b'{"w": "ZX0099000000041", "ts": 1759965900000, "st": "QQQ"}\n'
    reading = sheets.read(paper("lines", data))
    assert [warning.code for warning in reading.warnings] == ["sheet.scan.status"]
    assert reading.warnings[0].path == "line 1.st"
    assert "other" in repr(reading.events[0].event.extensions)


BAD_SCANS = {
    "no time": ("lines", b'{"w": "ZX1", "st": "GOT"}\n', "sheet.cell.missing", "line 1"),
    "no number": ("lines", b'\n{"w": "ZX1", "ts": "soon", "st": "GOT"}\n', "sheet.cell.time", "line 2.ts"),
    "far away": ("lines", b'{"w": "ZX1", "ts": 9999999999999999, "st": "GOT"}\n', "sheet.cell.time", "line 1.ts"),
    "two on a line": ("lines", b'{"w": "ZX1"}{"w": "ZX2"}\n', "sheet.json.malformed", ""),
    "over a line": ("lines", b'{"w": "ZX1",\n"ts": 1}\n', "sheet.json.malformed", ""),
    "no column": ("flat", "快件单号,操作名称\nSF1,收件扫描\n".encode(), "sheet.mapping.absent", "mapping: fields"),
    "other form": ("nested", b'{"data": {"parcels": {"mail": {"no": "1", "company": "YX"}, "traces": [{"at": "1"}]}}}',
                   "sheet.cell.time", "$.data.parcels.traces[0].at"),
    "other list": ("nested", b'{"data": {"lots": [{"at": "x"}]}}', "sheet.no_rows", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_SCANS)
def test_scans_that_do_not_fit_are_refused_with_their_place(case):
    name, data, code, path = BAD_SCANS[case]
    with pytest.raises(SuyuanError) as caught:
        sheets.read(paper(name, data))
    assert (caught.value.code, caught.value.path) == (code, path)


BAD_MAPPINGS = {
    "no TOML": (b"format = ", "sheet.mapping.malformed"),
    "unknown key": (b'format = "csv"\nfelds = {}\n[fields]\n', "sheet.mapping.malformed"),
    "no fields": (b'format = "csv"\n', "sheet.mapping.malformed"),
    "unknown format": (b'format = "xml"\n[fields]\n', "sheet.mapping.field"),
    "unknown kind": (b'format = "csv"\nkind = "sheet/tally"\n[fields]\n', "sheet.mapping.field"),
    "unknown field": (b'format = "csv"\n[fields]\nspeed = "a"\n', "sheet.mapping.field"),
    "a constant person": (b'format = "csv"\n[fields]\n[constants]\nname = "x"\n', "sheet.mapping.field"),
    "a constant waybill": (b'format = "csv"\n[fields]\n[constants]\nwaybill = "x"\n', "sheet.mapping.field"),
    "a step of a city": (
        b'format = "csv"\n[fields]\n[values.city]\na = {step = "x"}\n',
        "sheet.mapping.field",
    ),
    "no form of time": (b'format = "csv"\ntime = "unix"\n[fields]\n', "sheet.mapping.field"),
    "a part of time twice": (b'format = "csv"\ntime = "%X %H:%M"\n[fields]\n', "sheet.mapping.field"),
    "an unknown part of time": (b'format = "csv"\ntime = "%Q"\n[fields]\n', "sheet.mapping.field"),
    "no zone": (b'format = "csv"\nzone = "Mars"\n[fields]\n', "sheet.cell.zone"),
    "not text": (b"format = \xff", "sheet.mapping.malformed"),
    "too long": (b"#" * 70_000, "sheet.mapping.too_large"),
}


@pytest.mark.parametrize("case", BAD_MAPPINGS)
def test_a_mapping_that_cannot_be_used_is_refused(case):
    mapping, code = BAD_MAPPINGS[case]
    with pytest.raises(SuyuanError) as caught:
        with_mapping(mapping, b"a,b\n")
    assert caught.value.code == code


def test_a_mapping_without_scans_is_refused():
    with pytest.raises(InputError) as caught:
        sheets.read(b'#suyuan:mapping\nformat = "csv"\n[fields]\n')
    assert caught.value.code == "sheet.mapping.no_data"
    with pytest.raises(SuyuanError):
        sheets.read(b"#suyuan:mapping\n#suyuan:data\na,b\n1,2\n")
