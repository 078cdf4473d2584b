"""Scans that are read by a stored mapping without naming it: by the one that fits, never by a guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from suyuan import sheets
from suyuan.errors import InputError
from suyuan.sheets.mapping import check_stored
from suyuan.sheets.recognised import StoredMapping, choose_mapping, may_be_scans
from suyuan.sheets.template_files import write_template
from suyuan.sheets.templates import find_template

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "mappings"
SHAPES = {"flat": "flat.csv", "nested": "nested.json", "lines": "lines.jsonl"}


def stored(name: str, text: str = "", version: int = 1) -> StoredMapping:
    return StoredMapping(
        name=name, version=version, text=text or (EXAMPLES / f"{name}.toml").read_text("utf-8")
    )


ALL = [stored(name) for name in SHAPES]


def table(columns: str, *, constants: str = 'carrier = "440196X001"') -> str:
    fields = "\n".join(f'{name} = "{column}"' for name, column in (c.split("=") for c in columns.split()))
    return f'format = "csv"\nzone = "+08:00"\n[fields]\n{fields}\n[constants]\n{constants}\n'


@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_is_known_among_the_others(name: str) -> None:
    data = (EXAMPLES / SHAPES[name]).read_bytes()
    assert may_be_scans(data)
    chosen = choose_mapping(ALL, data)
    assert chosen is not None
    assert chosen.name == name
    by_hand = sheets.read((EXAMPLES / f"{name}.toml").read_bytes().rstrip() + b"\n#suyuan:data\n" + data)
    reading = sheets.read(chosen.before(data))
    assert [one.event for one in reading.events] == [one.event for one in by_hand.events]


@pytest.mark.parametrize("mark", ["", "#suyuan:mapping\n", "\ufeff#suyuan:mapping\r\n"])
def test_the_evidence_says_which_version_read_it(mark: str) -> None:
    text = mark + (EXAMPLES / "flat.toml").read_text("utf-8").removeprefix("#suyuan:mapping\n")
    data = (EXAMPLES / "flat.csv").read_bytes()
    whole = stored("express-one", text, version=7).before(data)
    assert whole.startswith(b"#suyuan:mapping\n# express-one, version 7\n")
    assert whole.endswith(b"\n#suyuan:data\n" + data)
    reading = sheets.read(whole)
    assert len(reading.events) == 4
    numbers = {whole[field.start : field.end] for field in reading.personal}
    assert b"SF0099000000017" in numbers


def test_another_code_page_and_a_byte_order_mark_are_no_other_shape() -> None:
    text = (EXAMPLES / "flat.csv").read_text("utf-8")
    for data in (text.encode("gb18030"), text.encode("utf-8-sig")):
        assert may_be_scans(data)
        chosen = choose_mapping(ALL, data)
        assert chosen is not None
        assert chosen.name == "flat"


UNFIT = {
    "a column less": ("快件单号,操作时刻,操作名称\nSF1,2025-10-08 23:25,收件扫描\n".encode(), "flat lacks 网点城市"),
    "another list": (b'{"data": {"parcels": [{"mail": {"no": "1"}, "steps": [{"at": "x"}]}]}}',
                     "nested lacks the list data.parcels.traces"),
    "no times": (b'{"w": "ZX1", "st": "GOT"}\n{"w": "ZX2", "st": "GOT"}\n', "lines lacks ts"),
    "nearly ours": (b"waybill,time,carrier\nZX1,2025-10-08,X\n", "lacks: status or remark"),
    "no JSON": (b'{"w": "ZX1", "ts": 1, "st": "GOT"', "lines is for jsonl, which this is not"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNFIT)
def test_what_fits_none_says_what_each_lacks(case: str) -> None:
    data, words = UNFIT[case]
    assert may_be_scans(data)
    with pytest.raises(InputError) as caught:
        choose_mapping(ALL, data)
    assert caught.value.code == "sheet.mapping.none"
    assert words in caught.value.reason
    assert "suyuan mapping put" in caught.value.remedy


def test_two_that_fit_are_not_chosen_between() -> None:
    one = stored("one", table("waybill=no time=at status=op"))
    other = stored("other", table("waybill=no time=at status=op", constants='carrier = "310196Z044"'))
    data = b"no,at,op\nZX1,2025-10-08 23:25,collected\n"
    with pytest.raises(InputError) as caught:
        choose_mapping([one, other], data)
    assert caught.value.code == "sheet.mapping.ambiguous"
    assert "one, other" in caught.value.reason
    # The same mapping under two names is one.
    assert choose_mapping([one, stored("twin", one.text)], data) == one


def test_a_sheet_of_ours_stays_one_unless_the_mapping_explains_all_of_it() -> None:
    ours = b"waybill,carrier,time,status,zone\nZX1,310196Z044,2025-10-08 23:25,10,+08:00\n"
    part = stored("part", table("waybill=waybill time=time status=status"))
    assert choose_mapping([part], ours) is None
    everything = stored(
        "everything",
        table("waybill=waybill carrier=carrier time=time status=status zone=zone", constants="")
        + '[values.status]\n"10" = "collected"\n',
    )
    chosen = choose_mapping([part, everything], ours)
    assert chosen == everything
    assert "collected" in repr(sheets.read(chosen.before(ours)).events)


@pytest.mark.parametrize("name", ["packing-list", "tally", "events", "courier-scans", "verification-log"])
def test_templates_are_read_as_before_whatever_is_stored(name: str) -> None:
    data = write_template(find_template(name), "zh-CN", "csv")
    greedy = stored("greedy", table("waybill=运单号 time=时间 status=状态"))
    if may_be_scans(data):
        assert choose_mapping([*ALL, greedy], data) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   \n",
        b"<a/>",
        b"PK\x03\x04",
        b"#suyuan:mapping\n",
        b'{"@context": "x", "a": [1]}',
        b'{"type":"EPCISDocument"}',
        b"\xff\xfea,b",
        b"no delimiter at all",
    ],
)
def test_what_cannot_be_scans_is_not_looked_at(data: bytes) -> None:
    assert not may_be_scans(data)


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        (table("waybill=no"), "time and no status or remark"),
        (table("waybill=no time=at"), "status or remark"),
        ('format = "csv"\nkind = "log/verification"\n[fields]\ntime = "t"\n', "thing or gtin and serial"),
    ],
)
def test_a_mapping_that_any_table_would_fit_is_not_stored(text: str, lacking: str) -> None:
    with pytest.raises(InputError) as caught:
        check_stored(text.encode())
    assert caught.value.code == "sheet.mapping.incomplete"
    assert lacking in caught.value.reason


def test_only_the_beginning_of_a_table_is_needed() -> None:
    data = (EXAMPLES / "flat.csv").read_bytes()
    rows = data + "SF0099000000017,2025-10-08 23:25,收件扫描,广州,x\n".encode() * 4000
    assert choose_mapping(ALL, rows[: 64 * 1024]) == ALL[0]
