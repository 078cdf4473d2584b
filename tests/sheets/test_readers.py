"""What each kind of sheet says as events, and that no cell is lost or guessed on the way."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from suyuan import sheets
from suyuan.epcis.model import Extension
from suyuan.errors import InputError, SuyuanError

LOT = "https://id.gs1.org/01/08710000001236/10/L25216A"
WAYBILL = "urn:suyuan:raw:waybill:440196X001:SF1399000000017"


def extension(event, name):
    return next((e.value for e in event.extensions if e.name == f"{{urn:suyuan:ext}}{name}"), None)


def refusal(data: bytes, name: str = "") -> SuyuanError:
    with pytest.raises(SuyuanError) as caught:
        sheets.read(data, name=name)
    return caught.value


def test_packing_list_groups_children_by_parent():
    data = (
        b"Packing list no,PL-7\nTime zone,+02:00\nDate,2025-08-13 11:30\nPlace,8710000000024\n\n"
        b"Pallet (SSCC),Case\n"
        b"087100000000000123,https://id.gs1.org/01/18710000001233/21/A1\n"
        b"087100000000000123,(01)18710000001233(21)A2\n"
        b"087100000000000130,urn:epc:id:sgtin:8710000.100123.A3\n"
        b"Total,3\n"
    )
    assert sheets.recognise(data)
    reading = sheets.read(data)
    assert reading.kind == "sheet/packing-list"
    first, second = (derived.event for derived in reading.events)
    assert first.parent_id == "https://id.gs1.org/00/087100000000000123"
    assert first.child_epcs == (
        "https://id.gs1.org/01/18710000001233/21/A1",
        "https://id.gs1.org/01/18710000001233/21/A2",
    )
    assert first.event_time == datetime(2025, 8, 13, 9, 30, tzinfo=UTC)
    assert first.event_time_zone_offset == "+02:00"
    assert first.read_point.id == "https://id.gs1.org/414/8710000000024"
    assert first.biz_step == "https://ref.gs1.org/cbv/BizStep-packing"
    assert first.action == "ADD"
    assert [t.biz_transaction for t in first.biz_transaction_list] == ["urn:suyuan:packing-list:PL-7"]
    assert second.child_epcs == ("https://id.gs1.org/01/18710000001233/21/A3",)


def test_packing_list_of_a_container_is_loading_and_lots_may_be_packed_by_quantity():
    data = ("集装箱号,托盘号,时间\nCOSU9876546,087100000000000123,2025-08-14T13:20:00+02:00\n").encode(
        "gb18030"
    )
    event = sheets.read(data).events[0].event
    assert event.parent_id == "urn:epc:id:bic:COSU9876546"
    assert event.child_epcs == ("https://id.gs1.org/00/087100000000000123",)
    assert event.biz_step.endswith("loading")
    data = b"SSCC;Lot;GTIN;Qty;Date\n087100000000000123;L25216A;8710000001236;720;2025-08-14 10:00 +02:00\n"
    event = sheets.read(data).events[0].event
    assert [(q.epc_class, q.quantity) for q in event.child_quantity_list] == [(LOT, "720")]


TALLY = (
    "理货单号,WMS-1\n时区,+08:00\n日期,2025-09-26 14:00\n地点,9520000000035\n"
    "托盘SSCC,集装箱号,批号,商品条码,账册号,账册序号,核注清单号,实收数量,破损数量,破损品序列号,库位\n"
    "087100000000000123,COSU9876546,L25216A,08710000001236,T5165W000123,17,QD516525I000012345,720,0,,A1\n"
    "087100000000000130,COSU9876551,L25216A,08710000001236,T5165W000123,17,QD516525I000012345"
    ",717,3,S1 S2,A2\n"
)


def test_tally_counts_intact_and_damaged_apart():
    reading = sheets.read(TALLY.encode())
    assert reading.kind == "sheet/tally"
    by_step = {}
    for derived in reading.events:
        by_step.setdefault(derived.event.biz_step.rpartition("-")[2], []).append(derived)
    assert {step: len(found) for step, found in by_step.items()} == {
        "unloading": 2, "unpacking": 2, "receiving": 1, "holding": 1,
    }  # fmt: skip
    unloading = by_step["unloading"][0].event
    assert (unloading.action, unloading.child_epcs) == (
        "DELETE",
        ("https://id.gs1.org/00/087100000000000123",),
    )
    assert by_step["unpacking"][0].event.child_epcs == ()
    receiving = by_step["receiving"][0].event
    assert [(q.epc_class, q.quantity) for q in receiving.quantity_list] == [(LOT, "1437")]
    assert {t.biz_transaction for t in receiving.biz_transaction_list} == {
        "urn:suyuan:tally:WMS-1",
        "urn:suyuan:ledger-item:T5165W000123:17",
        "urn:suyuan:bonded-list:QD516525I000012345",
    }
    assert receiving.biz_location.id == "https://id.gs1.org/414/9520000000035"
    holding = by_step["holding"][0].event
    assert holding.disposition == "https://ref.gs1.org/cbv/Disp-damaged"
    assert holding.epc_list == (
        "https://id.gs1.org/01/08710000001236/21/S1",
        "https://id.gs1.org/01/08710000001236/21/S2",
    )
    assert [q.quantity for q in holding.quantity_list] == ["1"]
    places = [(derived.path, derived.rule) for derived in reading.events]
    assert len(set(places)) == len(places)


def test_courier_scans_carry_no_person():
    data = (
        "运单号,快递公司代码,扫描时间,时区,状态,城市,城市代码,签收人,手机,备注,内部\n"
        "SF1399000000017,440196X001,2025-10-11 11:32:00,北京时间,已签收 签收人王测试,成都,CNCTU"
        ",王测试,19900000001,门口,x9\n"
    ).encode("gb18030")
    reading = sheets.read(data)
    assert reading.kind == "scan/courier"
    event = reading.events[0].event
    assert event.epc_list == (WAYBILL,)
    assert event.biz_step.endswith("arriving")
    assert event.disposition == "urn:suyuan:disp:signed"
    assert (extension(event, "scanStatus"), extension(event, "city")) == ("signed", "成都")
    assert event.read_point.id == "urn:suyuan:place:CNCTU"
    for secret in ("王测试", "19900000001", "门口", "x9"):
        assert secret not in repr(event)
    found = {p.category: data[p.start : p.end].decode("gb18030") for p in reading.personal}
    assert found["waybill_no"] == "SF1399000000017"
    assert found["name"] == "王测试"
    assert found["phone"] == "19900000001"
    texts = {data[p.start : p.end].decode("gb18030") for p in reading.personal if p.category == "free_text"}
    assert texts == {"已签收 签收人王测试", "门口", "x9"}
    assert {p.subject for p in reading.personal} == {("waybill", "440196X001", "SF1399000000017")}


def test_courier_scans_as_json_lists_of_shipments():
    data = """[{"carrier": "440196X001", "waybill": "SF1399000000017", "timeZone": "+08:00",
      "receiver": "王\\u6d4b",
      "scans": [{"time": "2025-10-09 07:25:00", "status": "collected"},
                {"time": "20251009222000", "status": "在途，司机老张",
                 "city": "Guangzhou Baiyun Road 17"}]}]"""
    reading = sheets.read(data.encode())
    assert [extension(d.event, "scanStatus") for d in reading.events] == ["collected", "in_transit"]
    assert all(d.event.epc_list == (WAYBILL,) for d in reading.events)
    raw = data.encode()
    cut = sorted((p.category, raw[p.start : p.end].decode()) for p in reading.personal)
    assert cut == [
        ("address", "Guangzhou Baiyun Road 17"),
        ("free_text", "在途，司机老张"),
        ("free_text", "王\\u6d4b"),
        ("waybill_no", "SF1399000000017"),
    ]
    assert "张" not in repr(reading.events)
    assert "Baiyun" not in repr(reading.events)


def test_an_unknown_status_is_kept_as_other_with_a_warning():
    data = b"waybill,carrier,time,status\nX1,C1,2025-10-09T07:25:00+08:00,gone fishing\n"
    reading = sheets.read(data)
    assert extension(reading.events[0].event, "scanStatus") == "other"
    assert reading.events[0].event.biz_step is None
    assert [w.code for w in reading.warnings] == ["sheet.scan.status"]


def test_verification_log_is_history_and_not_a_scan():
    data = (
        b'{"verifications": [{"code": "HTTPS://TRACE.EXAMPLE/01/08710000001236/21/7K3", "result": "first",'
        b' "time": "2025-10-11T19:05:00+08:00", "city": "Chengdu", "openid": "o-17", "ip": "192.0.2.7"}]}'
    )
    assert refusal(data).code == "sheet.header.duplicate"
    reading = sheets.read(data.replace(b'"ip"', b'"net"'))
    assert reading.kind == "log/verification"
    event = reading.events[0].event
    assert event.epc_list == ("https://id.gs1.org/01/08710000001236/21/7K3",)
    assert event.biz_step == "urn:suyuan:bizstep:verifying"
    assert (extension(event, "verificationResult"), extension(event, "imported")) == ("first", "true")
    assert {p.category for p in reading.personal} == {"account", "free_text"}
    assert "o-17" not in repr(event)
    assert "192.0.2.7" not in repr(event)


def test_event_sheet_covers_the_shapes_a_row_can_have():
    data = (
        "时间,时区,业务步骤,物品,批号,商品条码,数量,托盘,集装箱号,提单号,船名,航次,证书编号,UN/LOCODE,关区,结果\n"
        "2025-08-11 10:00,+02:00,检验,,L25216A,8710000001236,43200,,,,,,CCIC-1,NLZWO,,pass\n"
        "2025-08-14 13:20,+02:00,装柜,087100000000000123,,,,,COSU9876546,,,,,NLZWO,,\n"
        "2025-08-20 05:40,+02:00,启运,,,,,,COSU9876546,COSU6390001234,EXAMPLE STAR,045E,,NLRTM,,\n"
        "2025-09-25,+08:00,申报,,,,,,,COSU6390001234,,,,CNNSA,5166,\n"
    ).encode()
    reading = sheets.read(data)
    assert reading.kind == "sheet/events"
    inspected, loaded, departed, declared = (derived.event for derived in reading.events)
    assert [(q.epc_class, q.quantity) for q in inspected.quantity_list] == [(LOT, "43200")]
    assert inspected.biz_step.endswith("inspecting")
    assert inspected.biz_transaction_list[0].type == "https://ref.gs1.org/cbv/BTT-cert"
    assert extension(inspected, "result") == "pass"
    assert (loaded.type, loaded.action, loaded.parent_id) == (
        "AggregationEvent",
        "ADD",
        "urn:epc:id:bic:COSU9876546",
    )
    assert departed.epc_list == ("urn:epc:id:bic:COSU9876546",)
    assert {t.biz_transaction for t in departed.biz_transaction_list} == {
        "urn:suyuan:bol:COSU6390001234",
        "urn:suyuan:vessel-voyage:EXAMPLE-STAR:045E",
    }
    assert declared.type == "TransactionEvent"
    assert declared.read_point.id == "urn:suyuan:place:CNNSA:5166"
    assert extension(declared, "precision") == "day"
    assert declared.event_time == datetime(2025, 9, 25, 15, 59, 59, 999000, tzinfo=UTC)
    assert Extension(name="{urn:suyuan:ext}precision", value="day") in declared.extensions


def test_person_documents_in_a_goods_sheet_are_raw_uris_and_personal():
    data = (
        b"step,time,zone,thing,order,platform code,parcel list\n"
        b"packing,2025-10-08 21:40,+08:00,087100000000000123,EM17,440196M001,51652025I000000123\n"
    )
    reading = sheets.read(data)
    assert {t.biz_transaction for t in reading.events[0].event.biz_transaction_list} == {
        "urn:suyuan:raw:order:440196M001:EM17",
        "urn:suyuan:raw:parcel-list:5165:51652025I000000123",
    }
    assert {(p.category, data[p.start : p.end]) for p in reading.personal} == {
        ("order_no", b"EM17"),
        ("parcel_list_no", b"51652025I000000123"),
    }


ONE = "Pallet,Case,Date\n{},{},{}\n"
GOOD = ("087100000000000123", "https://id.gs1.org/01/18710000001233/21/A1", "2025-08-13 11:30+02:00")


@pytest.mark.parametrize(
    ("row", "code", "path"),
    [
        (("087100000000000124", GOOD[1], GOOD[2]), "sheet.cell.check_digit", "A2"),
        ((GOOD[0], "https://id.gs1.org/01/18710000001234/21/A1", GOOD[2]), "sheet.cell.check_digit", "B2"),
        ((GOOD[0], "COSU9876547", GOOD[2]), "sheet.cell.check_digit", "B2"),
        (("8.71E+16", GOOD[1], GOOD[2]), "sheet.cell.rounded", "A2"),
        (("pallet seven", GOOD[1], GOOD[2]), "sheet.cell.identifier", "A2"),
        ((GOOD[0], GOOD[0], GOOD[2]), "sheet.cell.contains_itself", "B2"),
        ((GOOD[0], GOOD[1], "2025-04-31 11:30+02:00"), "sheet.cell.time", "C2"),
        ((GOOD[0], GOOD[1], "1825-04-30 11:30+02:00"), "sheet.cell.time", "C2"),
        ((GOOD[0], GOOD[1], "yesterday"), "sheet.cell.time", "C2"),
        ((GOOD[0], GOOD[1], "2025-08-13 11:30"), "sheet.cell.zone_missing", "C2"),
        ((GOOD[0], GOOD[1], "2025-08-13 11:30+19:00"), "sheet.cell.zone", "C2"),
        ((GOOD[0], GOOD[1], ""), "sheet.cell.missing", "C2"),
        ((GOOD[0], "", GOOD[2]), "sheet.cell.missing", "row 2"),
    ],
)
def test_a_bad_cell_refuses_the_sheet_and_is_named(row, code, path):
    error = refusal(ONE.format(*row).encode())
    assert (error.code, error.path) == (code, path)
    assert error.reason
    assert error.remedy or code == "sheet.cell.rounded"


def test_a_bad_row_lets_no_other_row_in():
    data = ONE.format(*GOOD) + ",".join(("087100000000000124", GOOD[1], GOOD[2])) + "\n"
    assert refusal(data.encode()).path == "A3"
    assert refusal((ONE.format(*GOOD) + ",".join(GOOD) + "\n").encode()).code == "sheet.cell.twice"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "sheet.empty"),
        (b" \n", "sheet.empty"),
        (b"\xff\xfep\x00a\x00", "sheet.encoding.unsupported"),
        (b"Pallet,Case\n\x81\xff,x\n", "sheet.encoding.broken"),
        (b"colour,taste\nred,sweet\n", "sheet.header.unknown"),
        (b"Lot,Serial\nL1,S1\n", "sheet.header.incomplete"),
        (b"Pallet,SSCC,Case\n1,2,3\n", "sheet.header.duplicate"),
        (b'Pallet,Case,Date\n"0871', "sheet.csv.quote"),
        (b'Pallet,Case,Date\n"0871"0,x\n', "sheet.csv.quote"),
        (b"Pallet,Case,Date\n", "sheet.no_rows"),
        (b'{"scans": [', "sheet.json.malformed"),
        (b'{"scans": []}', "sheet.json.no_records"),
        (b"[1, 2]", "sheet.json.no_records"),
        (b'{"a": 1, "a": 2}', "sheet.json.duplicate_key"),
        (b'[{"status": "\xff"}]', "sheet.encoding.broken"),
        (b'[{"status": "\\ud800", "time": "x", "waybill": "1"}]', "sheet.json.malformed"),
        (b"[" * 100_000, "sheet.json.depth"),
        (b'[{"colour": "red"}]', "sheet.header.unknown"),
        (b'[{"waybill": "1", "time": "2025-01-01T00:00:00Z", "status": "arrived"}]', "sheet.cell.missing"),
        ((",".join(["x"] * 300) + "\n").encode(), "sheet.too_large"),
    ],
)
def test_broken_documents(data, code):
    assert refusal(data).code == code


def test_documents_of_others_are_not_recognised():
    assert not sheets.recognise(b'<?xml version="1.0"?><a/>')
    assert not sheets.recognise(
        b'{"@context": [], "type": "EPCISDocument", "time": 1, "waybill": 2, "status": 3}'
    )
    assert not sheets.recognise(b'{"gtin": "1", "serials": []}')
    assert not sheets.recognise(b"any text, really")
    assert sheets.recognise(b"any text, really", "list.csv")
    assert not sheets.recognise(b"PK\x03\x04")


def test_quoted_cells_keep_their_bytes():
    data = (
        b"\xef\xbb\xbfwaybill,carrier,time,status\r\n"
        b'" X""1 ",C1,2025-10-09T07:25:00+08:00,"Signed, by ""A"""\r\n'
    )
    with pytest.raises(InputError):
        sheets.read(data.replace(b'" X""1 "', b"X Y"))
    reading = sheets.read(data)
    cut = [data[p.start : p.end] for p in reading.personal]
    assert cut == [b'X""1', b'Signed, by ""A""']
    assert reading.personal[0].subject == ("waybill", "C1", 'X"1')
