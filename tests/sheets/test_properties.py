"""Whatever comes, this room answers with a reading or with an error of its own."""

from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from suyuan import sheets
from suyuan.epcis.reading import Reading
from suyuan.errors import SuyuanError

LABELS = [
    "Pallet", "Case", "Lot", "GTIN", "Qty", "Date", "Time zone", "实收数量", "破损数量", "破损品序列号",
    "运单号", "快递公司代码", "状态", "结果", "物品", "业务步骤", "集装箱号", "地点", "城市", "手机", "xyz",
    "订单号", "单证", "船名", "航次", "备注",
]  # fmt: skip
VALUES = [
    "087100000000000123", "087100000000000124", "https://id.gs1.org/01/18710000001233/21/A1", "L25216A",
    "08710000001236", "720", "2025-08-13 11:30", "2025-04-31", "+08:00", "北京时间", "1", "0", "-1", "S1 S2",
    "SF1399000000017", "440196X001", "已签收", "first", "检验", "COSU9876546", "CNNSA:5166", "成都", "",
    "1e9999", "urn:suyuan:raw:waybill:C:1", "urn:suyuan:raw:nothing:C:1",
    "(01)08710000001236(21)X", "\u0660\u0661",
]  # fmt: skip
COMMON = settings(max_examples=100, deadline=None)


def answer(data: bytes) -> Reading | SuyuanError:
    assert sheets.recognise(data) in (True, False)
    try:
        reading = sheets.read(data)
    except SuyuanError as error:
        assert error.code.startswith(("sheet.", "gs1.", "canon."))
        assert error.reason
        return error
    assert reading.events
    assert reading.kind in sheets.KINDS
    places = [(derived.path, derived.rule) for derived in reading.events]
    assert len(set(places)) == len(places)
    last = 0
    for field in reading.personal:
        if field.end:
            assert last <= field.start < field.end <= len(data)
            last = field.end
    return reading


@given(st.binary(max_size=400))
@COMMON
def test_any_bytes(data):
    answer(data)
    answer(b"PK\x03\x04" + data)
    answer(b"[" + data)


@st.composite
def tables(draw):
    header = draw(st.lists(st.sampled_from(LABELS), min_size=1, max_size=9, unique=True))
    cell = st.one_of(st.sampled_from(VALUES), st.text(max_size=12))
    rows = draw(st.lists(st.lists(cell, min_size=len(header), max_size=len(header)), max_size=4))
    return [header, *rows]


@given(tables(), st.sampled_from(["utf-8", "gb18030", "utf-8-sig"]), st.sampled_from([",", ";", "\t"]))
@COMMON
def test_any_table_as_text(table, encoding, delimiter):
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in table]
    answer("\n".join(map(delimiter.join, quoted)).encode(encoding, "ignore"))


@given(tables())
@settings(max_examples=40, deadline=None)
def test_any_table_as_a_workbook(table):
    book = Workbook()
    for row in table:
        book.active.append([cell if cell.isprintable() else "?" for cell in row])
    buffer = io.BytesIO()
    book.save(buffer)
    answer(buffer.getvalue())


def _valid_workbook() -> bytes:
    book = Workbook()
    book.active.append(["Pallet", "Case", "Date"])
    book.active.append([VALUES[0], VALUES[2], "2025-08-13T11:30Z"])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


VALID = _valid_workbook()


@given(st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), min_size=1, max_size=6))
@COMMON
def test_a_damaged_workbook(changes):
    data = bytearray(VALID)
    for position, value in changes:
        data[position] = value
    answer(bytes(data))


JSON = (
    b'{"carrier": {"code": "C1"}, "timeZone": "+08:00", "scans": [{"waybill": "X1", "time": '
    b'"2025-10-09T07:25:00", "status": "collected", "city": "Chengdu", "by": "someone", "n": 1.5e3}]}'
)


@given(
    st.lists(st.tuples(st.integers(0, len(JSON) - 1), st.integers(0, 255)), max_size=4),
    st.integers(0, len(JSON)),
)
@COMMON
def test_damaged_json(changes, cut):
    data = bytearray(JSON)
    for position, value in changes:
        data[position] = value
    answer(bytes(data))
    answer(bytes(data[:cut]))


@given(
    st.text(alphabet="甲乙丙ABCxyz0123456789", min_size=5, max_size=12), st.sampled_from(["utf-8", "gb18030"])
)
@COMMON
def test_no_personal_text_reaches_an_event(secret, encoding):
    text = (
        f"waybill,carrier,time,status,签收人,手机,地址,备注,whatever\nX1,C1,2025-10-09T07:25Z,已签收 {secret}"
        + (f",{secret}" * 5 + "\n")
    )
    data = text.encode(encoding)
    reading = sheets.read(data)
    assert secret not in repr(reading.events)
    rest = bytearray(data)
    for field in reversed(reading.personal):
        del rest[field.start : field.end]
    assert secret not in bytes(rest).decode(encoding)
    assert secret not in repr(reading.warnings)
