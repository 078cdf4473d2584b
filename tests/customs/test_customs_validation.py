"""What is refused, what only warns, and how it is said."""

from __future__ import annotations

import re

import customs_messages as messages
import pytest

from suyuan import customs
from suyuan.errors import InputError, SuyuanError, TooLargeError, UnsupportedError

CEB = 'xmlns:ceb="http://www.chinaport.gov.cn/ceb"'


def _errors(kind: str, change: dict[str, str | None]) -> list[customs.Finding]:
    return [one for one in customs.check(messages.message(kind, change)) if one.severity == "error"]


def _warnings(kind: str, change: dict[str, str | None]) -> list[customs.Finding]:
    found = customs.check(messages.message(kind, change))
    assert all(one.severity == "warning" for one in found), found
    customs.read(messages.message(kind, change))
    return found


@pytest.mark.parametrize(
    ("kind", "change", "code", "place"),
    [
        ("CEB311", {"orderNo": None}, "customs.field.missing", "OrderHead/orderNo"),
        ("CEB311", {"orderNo": "  "}, "customs.field.missing", "OrderHead/orderNo"),
        ("CEB311", {"orderNo": "A" * 61}, "customs.field.format", "OrderHead/orderNo"),
        ("CEB311", {"OrderHead.currency": "502"}, "customs.field.value", "OrderHead/currency"),
        ("CEB311", {"acturalPaid": "277.72"}, "customs.field.amount_paid", "OrderHead/acturalPaid"),
        ("CEB311", {"goodsValue": "250,00"}, "customs.field.format", "OrderHead/goodsValue"),
        ("CEB311", {"goodsValue": "-1"}, "customs.field.format", "OrderHead/goodsValue"),
        ("CEB311", {"goodsValue": "1.123456"}, "customs.field.format", "OrderHead/goodsValue"),
        ("CEB311", {"goodsValue": "1e3"}, "customs.field.format", "OrderHead/goodsValue"),
        ("CEB311", {"goodsValue": "２５０"}, "customs.field.format", "OrderHead/goodsValue"),
        ("CEB311", {"appTime": "20260230101501"}, "customs.field.time", "OrderHead/appTime"),
        ("CEB311", {"appTime": "20260305246000"}, "customs.field.time", "OrderHead/appTime"),
        ("CEB311", {"appTime": "00000000000000"}, "customs.field.time", "OrderHead/appTime"),
        (
            "CEB311",
            {"buyerIdNumber": "990101199001010018"},
            "customs.field.id_number",
            "OrderHead/buyerIdNumber",
        ),
        (
            "CEB311",
            {"buyerIdNumber": "990101199002300014"},
            "customs.field.id_number",
            "OrderHead/buyerIdNumber",
        ),
        ("CEB411", {"payTime": "20188071460880"}, "customs.field.time", "PaymentHead/payTime"),
        ("CEB411", {"payerIdNumber": "99010119900101001"}, "customs.field.id_number", "payerIdNumber"),
        ("CEB511", {"weight": None}, "customs.field.missing", "LogisticsHead/weight"),
        ("CEB513", {"logisticsTime": "2026-03-09"}, "customs.field.time", "logisticsTime"),
        ("CEB513", {"logisticsNo": None}, "customs.field.missing", "logisticsNo"),
        ("CEB621", {"emsNo": None}, "customs.field.mode_missing", "InventoryHead/emsNo"),
        ("CEB621", {"areaCode": None}, "customs.field.mode_missing", "InventoryHead/areaCode"),
        ("CEB621", {"itemRecordNo": None}, "customs.field.mode_missing", "InventoryList[1]/itemRecordNo"),
        ("CEB621", {"InventoryHead.country": "307"}, "customs.field.mode_value", "InventoryHead/country"),
        ("CEB621", {"InventoryHead.billNo": "B-1"}, "customs.field.mode_forbidden", "InventoryHead/billNo"),
        ("CEB621", {"tradeMode": "9610"}, "customs.field.mode_missing", "InventoryHead/trafNo"),
        ("CEB621", {"invtNo": "51652026E000000042"}, "customs.field.number", "InventoryHead/invtNo"),
        ("CEB622", {"returnTime": "20260305101922"}, "customs.field.time", "returnTime"),
        ("CEB622", {"returnTime": "20260305109922123"}, "customs.field.time", "returnTime"),
        ("CEB622", {"returnStatus": None}, "customs.field.missing", "returnStatus"),
        ("CEB622", {"invtNo": None, "preNo": None, "copNo": None}, "customs.field.missing", "invtNo"),
        ("CEB816", {"invtNo": None}, "customs.field.missing", "TaxHeadRd/invtNo"),
        ("CEB312", {"orderNo": None}, "customs.field.missing", "OrderReturn[1]/orderNo"),
        ("CEB412", {"returnTime": "20260305"}, "customs.field.time", "PaymentReturn[1]/returnTime"),
        ("CEB514", {"logisticsNo": None}, "customs.field.missing", "LogisticsStatusReturn[1]/logisticsNo"),
        ("CEB624", {"invtNo": None, "preNo": None, "copNo": None}, "customs.field.missing", "invtNo"),
        ("CEB625", {"invtNo": None}, "customs.field.missing", "InvtRefundHead/invtNo"),
        ("CEB711", {"billNo": None}, "customs.field.missing", "DeliveryHead/billNo"),
        ("CEB711", {"voyageNo": None}, "customs.field.missing", "DeliveryHead/voyageNo"),
        ("CEB711", {"billNo": "784-12345676"}, "customs.field.air_waybill", "DeliveryHead/billNo"),
        ("CEB712", {"rkdNo": None, "preNo": None, "copNo": None}, "customs.field.missing", "rkdNo"),
        ("SAS/INV101", {"DclQty": "0"}, "customs.field.format", "InvtListType[1]/DclQty"),
        ("SAS/INV101", {"DclPlcCuscd": "516"}, "customs.field.format", "InvtHeadType/DclPlcCuscd"),
        ("SAS/INV101", {"InvtDclTime": "20261332"}, "customs.field.time", "InvtHeadType/InvtDclTime"),
        (
            "SAS/INV101",
            {"BondInvtNo": "QD516526X000000042"},
            "customs.field.number",
            "InvtHeadType/BondInvtNo",
        ),
        ("SAS/INV101-exit", {"CbecBillNo": "51652026X000000042"}, "customs.field.number", "CbecBillNo"),
        ("SAS/INV202", {"createDate": "yesterday"}, "customs.field.time", "InvApprResult/createDate"),
        (
            "SAS/INV201",
            {"bondInvtNo": None, "businessId": None, "invtPreentNo": None},
            "customs.field.missing",
            "",
        ),
        ("SAS/SAS121", {"ContainerNo": "CSQU3054384"}, "customs.field.container", "PassportHead/ContainerNo"),
        ("SAS/SAS121", {"VehicleNo": None}, "customs.field.missing", "PassportHead/VehicleNo"),
        ("SAS/SAS223", {"passportNo": None}, "customs.field.missing", "SasPassportBsc/passportNo"),
    ],
)
def test_faults_are_errors_with_code_path_and_remedy(
    kind: str, change: dict[str, str | None], code: str, place: str
) -> None:
    found = _errors(kind, change)
    assert code in {one.code for one in found}
    fault = next(one for one in found if one.code == code and place in one.path)
    assert fault.path.startswith("/")
    assert fault.reason
    assert fault.remedy
    with pytest.raises(InputError) as raised:
        customs.read(messages.message(kind, change))
    assert raised.value.code in {one.code for one in found}


@pytest.mark.parametrize(
    ("kind", "change", "code", "place"),
    [
        ("CEB311", {"OrderList.unit": "999"}, "customs.field.code_unlisted", "OrderList[1]/unit"),
        ("CEB311", {"OrderList.barCode": "9506000134353"}, "customs.field.gtin", "OrderList[1]/barCode"),
        ("CEB311", {"OrderList.country": "998"}, "customs.field.code_unlisted", "OrderList[1]/country"),
        ("CEB311", {"buyerTelephone": None}, "customs.field.expected", "OrderHead/buyerTelephone"),
        ("CEB311", {"OrderHead.newField": "x"}, "customs.field.unknown", "OrderHead/newField"),
        ("CEB311", {"totalPrice": "249.00"}, "customs.field.lines_total", "OrderHead/goodsValue"),
        ("CEB311", {"orderNo": "订单一二三"}, "customs.field.number", "OrderHead/orderNo"),
        ("CEB311", {"ebcCode": "short"}, "customs.field.number", "OrderHead/ebcCode"),
        ("CEB311", {"appStatus": "1"}, "customs.record.draft", "Order[1]"),
        (
            "CEB511",
            {"LogisticsHead.billNo": "784-12345676"},
            "customs.field.air_waybill",
            "LogisticsHead/billNo",
        ),
        ("CEB711", {"billNo": "COSU6390001234"}, "customs.field.air_waybill", "DeliveryHead/billNo"),
        ("CEB711", {"trafNo": None, "voyageNo": None, "billNo": None}, None, ""),
        ("CEB621", {"customsCode": "7777"}, "customs.field.code_unlisted", "InventoryHead/customsCode"),
        ("CEB621", {"netWeight": "1.3"}, "customs.field.weights", "InventoryHead/netWeight"),
        ("CEB621", {"tradeMode": "0110"}, "customs.field.mode_unknown", "InventoryHead/tradeMode"),
        ("CEB621", {"assureCode": "330196Z042"}, "customs.field.guarantor", "InventoryHead/assureCode"),
        ("CEB311", {"OrderList.price": "99.50"}, "customs.line.total", "OrderList[1]/totalPrice"),
        ("CEB311", {"OrderList.qty": "0"}, "customs.line.nothing", "OrderList[1]/qty"),
        ("CEB622", {"returnStatus": "-301"}, "customs.field.code_unlisted", "returnStatus"),
        ("CEB622", {"invtNo": "516520261000000042"}, "customs.field.number", "invtNo"),
        ("SAS/INV101", {"ImpexpMarkcd": "E"}, "customs.field.direction", "InvtHeadType/ImpexpMarkcd"),
        ("SAS/INV101", {"DclTotalAmt": "1"}, "customs.line.total", "InvtListType[1]/DclTotalAmt"),
        (
            "SAS/INV101",
            {"InvtListType.GrossWt": "1", "InvtListType.NetWt": "2"},
            "customs.field.weights",
            "InvtListType[1]/NetWt",
        ),
        ("SAS/INV101", {"BizopEtpsSccd": "91990101MA00000427"}, "customs.field.uscc", "BizopEtpsSccd"),
        ("SAS/INV101-exit", {"SupvModecd": "1210", "CbecBillNo": messages.PARCEL_LIST_NO}, None, ""),
        ("SAS/INV211", {"entryNo": "12"}, "customs.field.number", "BondInvtBsc/entryNo"),
        (
            "SAS/SAS223",
            {"containerNo": "CSQU3054384"},
            "customs.field.container",
            "SasPassportBsc/containerNo",
        ),
    ],
)
def test_oddities_warn_and_are_kept(
    kind: str, change: dict[str, str | None], code: str | None, place: str
) -> None:
    found = _warnings(kind, change)
    if code is not None:
        assert any(one.code == code and place in one.path for one in found), found


def _codes(data: bytes) -> set[str]:
    return {one.code for one in customs.check(data)}


def test_a_price_that_was_rounded_is_no_contradiction() -> None:
    thirds: dict[str, str | None] = {"OrderList.qty": "3", "OrderList.price": "83.33", "totalPrice": "250.00"}
    assert "customs.line.total" not in _codes(messages.message("CEB311", thirds))
    assert "customs.line.total" in _codes(messages.message("CEB311", thirds | {"OrderList.price": "83.30"}))


def test_fields_out_of_order_and_lines_numbered_twice_are_told_once() -> None:
    data = messages.message("CEB311")
    assert not {"customs.field.order", "customs.line.number"} & _codes(data)
    guid = re.search(rb"<ceb:guid>[^<]*</ceb:guid>", data)
    line = re.search(rb"<ceb:OrderList>.*</ceb:OrderList>", data, re.DOTALL)
    assert guid
    assert line
    moved = data.replace(guid[0], b"", 1).replace(b"</ceb:orderNo>", b"</ceb:orderNo>" + guid[0], 1)
    orders = [one for one in customs.check(moved) if one.code == "customs.field.order"]
    assert [one.path.rpartition("/")[2] for one in orders] == ["guid"]
    assert "customs.line.number" in _codes(data.replace(line[0], line[0] * 2, 1))


def test_a_parcel_and_a_line_that_stand_in_a_bonded_list_twice() -> None:
    data = messages.message("SAS/INV101-exit")
    assert not {"customs.line.repeated", "customs.line.number"} & _codes(data)
    for part, code in (
        ("InvtCbecBillType", "customs.line.repeated"),
        ("InvtListType", "customs.line.number"),
    ):
        found = re.search(rf"<{part}>.*?</{part}>".encode(), data, re.DOTALL)
        assert found
        assert code in _codes(data.replace(found[0], found[0] * 2, 1))


def test_who_transmits_is_asked_for_in_declarations_only() -> None:
    data = messages.message("CEB311")
    assert "customs.transfer.missing" not in _codes(data)
    frame = re.search(rb"<ceb:BaseTransfer>.*</ceb:BaseTransfer>", data)
    assert frame
    assert "customs.transfer.missing" in _codes(data.replace(frame[0], b""))
    found = customs.check(data.replace(b"DXPENT0000000042", b""))
    assert [(one.code, one.path) for one in found] == [
        ("customs.transfer.missing", "/CEB311Message/BaseTransfer/dxpId")
    ]
    receipt = messages.message("CEB622").replace(frame[0], b"")
    assert b"BaseTransfer" not in receipt
    assert "customs.transfer.missing" not in _codes(receipt)


def test_every_fault_is_reported_and_the_first_is_raised() -> None:
    data = messages.message("CEB311", {"orderNo": None, "appTime": "20269999999999", "acturalPaid": "1"})
    with pytest.raises(customs.FaultyMessageError) as raised:
        customs.read(data)
    errors = [one for one in raised.value.findings if one.severity == "error"]
    assert [one.code for one in errors] == [
        "customs.field.missing",
        "customs.field.time",
        "customs.field.amount_paid",
    ]
    assert raised.value.code == "customs.field.missing"
    assert "2 more faults" in raised.value.reason


def test_direct_mail_needs_the_reverse_of_bonded() -> None:
    direct: dict[str, str | None] = {
        "tradeMode": "9610",
        "emsNo": None,
        "areaCode": None,
        "areaName": None,
        "itemRecordNo": None,
        "InventoryHead.country": "307",
        "InventoryHead.trafNo": "XX1234",
        "InventoryHead.voyageNo": "0042",
        "InventoryHead.billNo": "784-12345675",
        "trafMode": "5",
    }
    assert customs.check(messages.message("CEB621", direct)) == []
    event = customs.read(messages.message("CEB621", direct)).events[0].event
    documents = {one.biz_transaction for one in event.biz_transaction_list}
    assert "urn:suyuan:awb:784-12345675" in documents
    # A flight number comes back every day and names no document.
    assert not any(":vessel-voyage:" in uri for uri in documents)
    wrong = _errors(
        "CEB621", {**direct, "InventoryHead.emsNo": messages.LEDGER, "InventoryHead.country": "142"}
    )
    assert [one.code for one in wrong] == ["customs.field.mode_forbidden", "customs.field.mode_value"]


@pytest.mark.parametrize("kind", [kind for kind in messages.KINDS if kind.startswith("CEB")])
def test_reasons_never_repeat_personal_values(kind: str) -> None:
    """Break every personal field in turn; its value must not come back in what is said."""
    secret = "§" * 300
    for group in customs.fields(messages.message(kind)):
        for field in group.fields:
            if field.personal:
                for finding in customs.check(messages.message(kind, {field.name: secret})):
                    assert "§" not in finding.reason + finding.remedy + finding.path


@pytest.mark.parametrize(
    ("data", "code", "error"),
    [
        (b"", "xml.malformed", InputError),
        (messages.message("CEB311")[:900], "xml.malformed", InputError),
        (messages.message("CEB311").replace("样例乙".encode(), b"\xff\xfe"), "xml.malformed", InputError),
        (messages.text("CEB311").encode("utf-16"), "customs.encoding.unsupported", InputError),
        (
            messages.message("CEB311").replace(b"www.chinaport.gov.cn/ceb", b"example.com/ceb"),
            "customs.namespace.unknown",
            InputError,
        ),
        (
            messages.message("SAS/SAS221").replace(b"<Package>", b'<Package xmlns="http://example.com">'),
            "customs.namespace.unknown",
            InputError,
        ),
        (
            b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><CEB311Message>&b;</CEB311Message>',
            "xml.doctype.forbidden",
            InputError,
        ),
        (b"<CEB311Message>" + b"<a>" * 1_000_000, "xml.depth.exceeded", TooLargeError),
        (f"<ceb:CEB311Message {CEB}/>".encode(), "customs.record.none", InputError),
        (f"<ceb:CEB999Message {CEB}/>".encode(), "customs.message.unsupported", UnsupportedError),
        (
            messages.message("SAS/SAS223").replace(b"SAS223", b"SAS999"),
            "customs.message.unsupported",
            UnsupportedError,
        ),
        (
            messages.message("SAS/SAS223").replace(b"<message_type>SAS223", b"<message_type>SAS221"),
            "customs.message.contradictory",
            InputError,
        ),
        (b"<Package><DataInfo/></Package>", "customs.message.unknown", InputError),
        (b"<html/>", "customs.message.unknown", InputError),
        (
            messages.message("CEB311").replace(
                b"</ceb:orderNo>", b"</ceb:orderNo><ceb:orderNo>X</ceb:orderNo>"
            ),
            "customs.field.repeated",
            InputError,
        ),
        (
            messages.message("CEB311").replace(b"<ceb:orderNo>", b"<ceb:orderNo><ceb:b/>"),
            "customs.field.not_text",
            InputError,
        ),
        (
            messages.message("CEB311", extra="<ceb:OrderHead><ceb:orderNo>Y</ceb:orderNo></ceb:OrderHead>"),
            "customs.record.repeated_head",
            InputError,
        ),
    ],
)
def test_broken_messages(data: bytes, code: str, error: type[SuyuanError]) -> None:
    with pytest.raises(error) as raised:
        customs.read(data)
    assert raised.value.code == code
    assert next(one.code for one in customs.check(data) if one.severity == "error") == code


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (messages.message("CEB311"), True),
        (messages.message("SAS/INV101"), True),
        (b"\xef\xbb\xbf<!-- note --><CEB999Message/>", True),
        (messages.message("CEB311").decode().encode("utf-16"), True),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><CEB311Message/>', True),
        (b'<!DOCTYPE a SYSTEM "x"><CEB311Message/>', True),
        (b"<Package/>", False),
        (b"<epcis:EPCISDocument/>", False),
        (b"<!-- <CEB311Message> --><x/>", False),
        (b'{"CEB311Message": 1}', False),
        (b"", False),
    ],
)
def test_recognition_is_by_content(data: bytes, expected: bool) -> None:
    assert customs.recognise(data, "anything.json") is expected


def test_operators_may_replace_a_code_list() -> None:
    codes = customs.packaged_codes().replaced_by({"unit": "code,zh,en\n999,板,board\n"})
    data = messages.message("CEB311", {"OrderList.unit": "999"})
    assert customs.check(data, codes=codes) == []
    assert customs.code_label("unit", "999", "en", codes) == "board"
    # No list changes what an event says.
    assert customs.read(data, codes=codes).events == customs.read(data).events
    with pytest.raises(InputError) as raised:
        customs.packaged_codes().replaced_by({"unit": "nonsense\n1\n"})
    assert raised.value.code == "customs.codes.unreadable"


def test_labels_for_people() -> None:
    assert customs.code_label("return_status", "800") == "放行"
    assert customs.code_label("return_status", "800", "en") == "released"
    assert customs.code_label("customs_district", "3111", "zh") == "Ningbo"
    assert customs.code_label("return_status", "12345", "en") == "12345"
    assert customs.code_label("no_such_list", "1") == "1"


def test_states_are_those_that_the_code_lists_name() -> None:
    for states in customs.document_states().values():
        for state in states.values():
            assert customs.packaged_codes().is_listed(state.code_list, state.code)
            assert state.stage in {"port", "customs", "held", "done", "ended"}
    assert set(customs.document_states()["parcel-list"]) == set(
        customs.packaged_codes().entries("return_status")
    )
