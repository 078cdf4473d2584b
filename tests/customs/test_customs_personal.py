"""Nothing personal stays in the skeleton or gets into an event; any bytes give a reading or our own error."""

from __future__ import annotations

import re
from itertools import pairwise

import customs_messages as messages
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan import customs
from suyuan.epcis.reading import Reading
from suyuan.errors import SuyuanError

RAW = re.compile(rb"urn:suyuan:raw:[a-z-]+:[^\"]*")
PERSONAL_VALUES = [
    messages.ID_NUMBER,
    messages.ORDER_NO,
    messages.WAYBILL_NO,
    messages.PAYMENT_NO,
    messages.PARCEL_LIST_NO,
    messages.PREENTRY_NO,
    messages.COP_NO,
    messages.SECOND_WAYBILL,
    messages.TAX_NO,
    "样例乙",
    "样例丙",
    "样例丁",
    "19900000042",
    "19900000043",
    "19900000044",
    "account-000042",
    "示范省示范市示范路42号",
    "请放门口",
    "本人签收",
    "51652026I000000043",
]


def skeleton(data: bytes, reading: Reading) -> bytes:
    """The evidence without its personal ranges, which must lie in order and apart."""
    ranges = [(one.start, one.end) for one in reading.personal]
    assert all(0 <= start < end <= len(data) for start, end in ranges)
    assert all(before[1] <= after[0] for before, after in pairwise(ranges))
    kept, at = bytearray(), 0
    for start, end in ranges:
        kept += data[at:start] + b"\x00"
        at = end
    return bytes(kept + data[at:])


def events_bytes(reading: Reading) -> bytes:
    """Everything that the events say, but for the raw URIs that capture replaces."""
    return RAW.sub(b"", msgspec.json.encode(reading.events))


@pytest.mark.parametrize("kind", messages.KINDS)
def test_no_personal_value_remains(kind: str) -> None:
    data = messages.message(kind)
    present = [value for value in PERSONAL_VALUES if value.encode() in data]
    reading = customs.read(data)
    rest, stated = skeleton(data, reading), events_bytes(reading)
    for value in present:
        assert value.encode() not in rest
        assert value.encode() not in stated
    for group in customs.fields(data):
        for field in group.fields:
            if field.personal and len(field.value) > 5:
                assert field.value.encode() not in rest


@pytest.mark.parametrize("kind", [kind for kind in messages.KINDS if kind.startswith("CEB")])
def test_a_chinese_encoding_gives_ranges_in_the_bytes_that_were_sent(kind: str) -> None:
    text = messages.text(kind).replace('encoding="UTF-8"', 'encoding="GBK"')
    data = text.encode("gbk")
    reading = customs.read(data)
    assert reading.events == customs.read(messages.message(kind)).events
    rest = skeleton(data, reading)
    for value in PERSONAL_VALUES:
        assert value.encode("gbk") not in rest


def test_values_repeated_elsewhere_are_cut_out_too() -> None:
    extra = (
        f"<ceb:Extra><ceb:deep>{messages.ORDER_NO}</ceb:deep></ceb:Extra>"
        f'<!-- {messages.ID_NUMBER} 样例乙 --><ceb:Other about="{messages.WAYBILL_NO}"/>'
    )
    data = messages.message(
        "CEB621",
        {
            "InventoryList.itemNo": f"for {messages.ORDER_NO}",
            "InventoryList.gname": "礼盒 样例乙 收",
            "InventoryHead.licenseNo": "19900000042",
        },
        extra=extra,
    ).replace(b"DXPENT0000000042", messages.WAYBILL_NO.encode())
    reading = customs.read(data)
    rest, stated = skeleton(data, reading), events_bytes(reading)
    for value in (messages.ORDER_NO, messages.ID_NUMBER, messages.WAYBILL_NO, "样例乙", "19900000042"):
        assert value.encode() not in rest
        assert value.encode() not in stated
    codes = {one.code for one in reading.warnings}
    assert {"customs.personal.repeated", "customs.field.unknown"} <= codes


def test_a_record_of_one_person_repeated_in_anothers() -> None:
    """What ties person to person is cut out of the other record as well."""
    first = messages.text("CEB621")
    second_order = "PX20260305101500000099"
    body = first[first.index("<ceb:Inventory>") : first.index("<ceb:BaseTransfer>")]
    other = body.replace(messages.ORDER_NO, second_order).replace("AB-42", messages.ORDER_NO)
    data = first.replace("<ceb:BaseTransfer>", other + "<ceb:BaseTransfer>").encode()
    rest = skeleton(data, customs.read(data))
    assert messages.ORDER_NO.encode() not in rest
    assert second_order.encode() not in rest


def test_whose_data_it_is() -> None:
    kinds = [kind for kind in messages.KINDS if kind.startswith("CEB")]
    subjects = {kind: customs.read(messages.message(kind)).personal[0].subject for kind in kinds}
    person = ("id_number", messages.ID_NUMBER)
    waybill = ("waybill", "330196L042", messages.WAYBILL_NO)
    parcel_list = ("parcel-list", "5165", messages.PARCEL_LIST_NO)
    assert subjects == {
        "CEB311": person,
        "CEB312": ("order", "330196P042", messages.ORDER_NO),
        "CEB411": person,
        "CEB412": ("payment", "330196Q042", messages.PAYMENT_NO),
        "CEB511": waybill,
        "CEB512": waybill,
        "CEB513": waybill,
        "CEB514": waybill,
        "CEB621": person,
        "CEB622": parcel_list,
        "CEB623": person,
        "CEB624": parcel_list,
        "CEB625": person,
        "CEB626": parcel_list,
        "CEB711": ("document", "CEB711", messages.INBOUND_NO),
        "CEB712": ("document", "CEB712", messages.INBOUND_NO),
        "CEB816": waybill,
        "CEB818": parcel_list,
    }
    pass_ = customs.read(messages.message("SAS/SAS121")).personal[0]
    assert pass_.subject == ("contact", "330196W042", "样例丁 19900000044")


def test_each_parcel_of_an_inbound_detail_is_its_own_subject() -> None:
    data = messages.message("CEB711")
    subjects = {
        data[one.start : one.end].decode(): one.subject for one in customs.read(data).personal if one.start
    }
    for number in (messages.WAYBILL_NO, messages.SECOND_WAYBILL):
        assert subjects[number] == ("waybill", "330196L042", number)
    assert subjects["样例乙的包裹"] == ("waybill", "330196L042", messages.WAYBILL_NO)


def test_an_inbound_detail_of_thousands_of_parcels_stays_quick() -> None:
    lines = "".join(
        f"<ceb:DeliveryList><ceb:logisticsNo>YT99{number:09d}</ceb:logisticsNo></ceb:DeliveryList>"
        for number in range(3000)
    )
    data = messages.message("CEB711", {"unloadLocation": "YT99000000007"}, extra=lines)
    reading = customs.read(data)
    assert len(reading.events[0].event.epc_list) == 3002
    rest = skeleton(data, reading)
    assert not re.search(rb"YT99\d{9}", rest)
    assert not re.search(rb"YT99\d{9}", events_bytes(reading))


def test_an_exit_list_of_thousands_of_parcels_stays_quick() -> None:
    numbers = [f"51652026I{number:09d}" for number in range(3000)]
    lines = "".join(
        f"<InvtCbecBillType><SeqNo>{place}</SeqNo><CbecBillNo>{number}</CbecBillNo></InvtCbecBillType>"
        for place, number in enumerate(numbers, start=3)
    )
    data = (
        messages.text("SAS/INV101-exit", {"InvtListType.GdsMtno": numbers[7]})
        .replace("</InvtMessage>", lines + "</InvtMessage>")
        .encode()
    )
    reading = customs.read(data)
    assert len(reading.events[1].event.biz_transaction_list) == 3000 + 3
    rest = skeleton(data, reading)
    assert not re.search(rb"51652026I\d{9}", rest)
    assert not re.search(rb"51652026I\d{9}", events_bytes(reading))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    customs.recognise(data)
    customs.check(data)
    try:
        skeleton(data, customs.read(data))
    except SuyuanError as error:
        assert error.code


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(messages.KINDS),
    st.lists(
        st.tuples(st.integers(0, 4000), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=3
    ),
)
def test_mutated_messages(kind: str, edits: list[tuple[int, int, bytes]]) -> None:
    data = messages.message(kind)
    for at, length, replacement in edits:
        place = at % len(data)
        data = data[:place] + replacement + data[place + length :]
    customs.check(data)
    try:
        reading = customs.read(data)
    except SuyuanError as error:
        assert error.code
        return
    skeleton(data, reading)


_NAMES = [
    "orderNo",
    "logisticsNo",
    "copNo",
    "buyerName",
    "buyerRegNo",
    "consignee",
    "payTransactionId",
    "taxNo",
    "itemNo",
    "goodsName",
    "ebpCode",
    "emsNo",
    "itemRecordNo",
    "ebcName",
    "assureCode",
    "licenseNo",
    "entDutyNo",
    "batchNumbers",
    "reason",
    "gname",
    "billNo",
    "trafNo",
    "rkdNo",
    "operatorCode",
    "unloadLocation",
]
_XML_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=6, max_size=20
)
_VALUES = st.one_of(
    _XML_TEXT, st.from_regex(r"[0-9]{8,18}", fullmatch=True), st.sampled_from(PERSONAL_VALUES)
)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([kind for kind in messages.KINDS if kind.startswith("CEB")]),
    st.dictionaries(
        st.sampled_from(_NAMES),
        _VALUES,
        min_size=1,
        max_size=5,
    ),
)
def test_any_values(kind: str, change: dict[str, str | None]) -> None:
    data = messages.message(kind, change)
    customs.check(data)
    try:
        reading = customs.read(data)
    except SuyuanError:
        return
    rest, stated = skeleton(data, reading), events_bytes(reading)
    for group in customs.fields(data):
        for field in group.fields:
            telling = len(field.value.encode()) >= 6 and not (field.value.isdigit() and len(field.value) < 8)
            if field.personal not in ("", "free_text") and telling:
                assert field.value.encode() not in rest
                assert field.value.encode() not in stated
