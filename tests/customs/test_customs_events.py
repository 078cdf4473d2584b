"""What messages state, beyond the golden files: states, times, links, several records."""

from __future__ import annotations

from datetime import UTC, datetime

import customs_messages as messages
import pytest

from suyuan import customs
from suyuan.canon import canonical_json
from suyuan.customs.values import is_id_number, is_uscc, read_time
from suyuan.epcis import (
    canonical_body,
    event_from_body,
    event_hash,
    person_documents,
    read_json,
    write_json_document,
)
from suyuan.epcis.model import Event, Number
from suyuan.errors import InputError


def _event(kind: str, change: dict[str, str | None] | None = None) -> Event:
    return customs.read(messages.message(kind, change)).events[0].event


def _documents(event: Event) -> set[str]:
    return {one.biz_transaction for one in event.biz_transaction_list}


def _extension(event: Event, name: str) -> object:
    values = [one.value for one in event.extensions if one.name == f"{{urn:suyuan:ext}}{name}"]
    return values[0].text if values and isinstance(values[0], Number) else (values[0] if values else None)


@pytest.mark.parametrize(
    ("status", "disposition"),
    [
        ("800", "urn:suyuan:disp:released"),
        ("500", "urn:suyuan:disp:inspection"),
        ("502", "urn:suyuan:disp:detained"),
        ("700", "https://ref.gs1.org/cbv/Disp-returned"),
        ("-42", None),
    ],
)
def test_receipt_of_a_parcel_list(status: str, disposition: str | None) -> None:
    event = _event("CEB622", {"returnStatus": status})
    assert event.disposition == disposition
    assert event.biz_step == "urn:suyuan:bizstep:clearing"
    assert _extension(event, "returnStatus") == status
    assert event.event_time == datetime(2026, 3, 5, 2, 19, 22, 123000, UTC)


def test_a_forged_release_is_read_as_what_it_says_and_no_more() -> None:
    """The reader names the district that the message names; nothing says that customs delivered it."""
    event = _event("CEB622", {"customsCode": None})
    assert _extension(event, "statedBy") == "urn:suyuan:authority:customs:5165"
    assert event.source_list == ()
    assert not any("assurance" in one.name for one in event.extensions)


@pytest.mark.parametrize(
    ("kind", "status", "disposition"),
    [
        ("CEB312", "120", "accepted"),
        ("CEB412", "100", "rejected"),
        ("CEB512", "4", "send_failed"),
        ("CEB514", "399", "concluded"),
        ("CEB712", "120", "accepted"),
        ("CEB712", "800", None),
        ("CEB624", "399", "cancellation_concluded"),
        ("CEB626", "399", "return_concluded"),
        # Neither release nor refusal of a return may read like that of the list.
        ("CEB626", "800", "return_released"),
        ("CEB626", "100", "return_rejected"),
    ],
)
def test_receipts_of_other_papers(kind: str, status: str, disposition: str | None) -> None:
    event = _event(kind, {"returnStatus": status})
    assert event.type == "TransactionEvent"
    assert event.biz_step == "urn:suyuan:bizstep:clearing"
    assert event.disposition == (f"urn:suyuan:disp:{disposition}" if disposition else None)
    assert str(_extension(event, "statedBy")).startswith("urn:suyuan:authority:customs")


@pytest.mark.parametrize(
    ("declaration", "receipt", "shared"),
    [
        ("CEB311", "CEB312", {f"raw:order:330196P042:{messages.ORDER_NO}"}),
        ("CEB411", "CEB412", {f"raw:payment:330196Q042:{messages.PAYMENT_NO}"}),
        ("CEB511", "CEB512", {f"raw:waybill:330196L042:{messages.WAYBILL_NO}"}),
        (
            "CEB711",
            "CEB712",
            {
                f"inbound-detail:{messages.INBOUND_NO}",
                "inbound-detail-draft:eport:202600000000000777",
                "inbound-detail-draft:330196W042:SITE-0042",
            },
        ),
    ],
)
def test_a_receipt_meets_its_paper(declaration: str, receipt: str, shared: set[str]) -> None:
    both = _documents(_event(declaration)) & _documents(_event(receipt))
    assert both == {f"urn:suyuan:{uri}" for uri in shared}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("买家拒收", "refused"),
        ("错发, 商品破损", "wrong_goods"),
        ("Bottle BROKEN in transit", "damaged"),
        ("七天无理由退货", "change_of_mind"),
        ("样例乙不在家", "other"),
    ],
)
@pytest.mark.parametrize("kind", ["CEB623", "CEB625"])
def test_a_request_says_why_in_a_word_of_our_own(kind: str, text: str, found: str) -> None:
    event = _event(kind, {"reason": text})
    assert _extension(event, "reasonClass") == found
    assert text not in repr(event)
    assert {uri.split(":")[3] for uri in _documents(event)} == {
        "parcel-list",
        "parcel-list-draft",
        "order",
        "waybill",
    }
    assert _event(kind, {"appType": "3"}).action == "DELETE"


def test_an_inbound_detail_receives_the_parcels_that_it_lists() -> None:
    event = _event("CEB711")
    assert (event.type, event.action) == ("ObjectEvent", "OBSERVE")
    assert event.biz_step == "https://ref.gs1.org/cbv/BizStep-receiving"
    assert event.epc_list == tuple(
        f"urn:suyuan:raw:waybill:330196L042:{number}"
        for number in (messages.WAYBILL_NO, messages.SECOND_WAYBILL)
    )
    assert f"urn:suyuan:awb:{messages.AIR_WAYBILL}" in _documents(event)
    assert _extension(event, "parcels") == "2"
    by_sea = _event("CEB711", {"trafMode": "2", "billNo": "COSU0000000042"})
    assert {"urn:suyuan:bol:COSU0000000042", "urn:suyuan:vessel-voyage:XX302:XX302"} <= _documents(by_sea)


def test_an_inbound_detail_taken_back_and_one_with_a_parcel_twice() -> None:
    deleted = _event("CEB711", {"appType": "3"})
    assert (deleted.type, deleted.action, deleted.epc_list) == ("TransactionEvent", "DELETE", ())
    assert f"urn:suyuan:inbound-detail:{messages.INBOUND_NO}" in _documents(deleted)
    again = f"<ceb:DeliveryList><ceb:logisticsNo>{messages.WAYBILL_NO}</ceb:logisticsNo></ceb:DeliveryList>"
    reading = customs.read(messages.message("CEB711", extra=again))
    assert len(reading.events[0].event.epc_list) == 2
    assert [one.code for one in reading.warnings] == ["customs.line.repeated"]


@pytest.mark.parametrize(
    ("number", "document"),
    [
        ("784-12345675", "awb:784-12345675"),
        ("78412345675", "awb:784-12345675"),
        ("784-12345675_H0042", "awb:784-12345675"),
        ("784-12345676", "bol:784-12345676"),
        ("COSU6390001234", "bol:COSU6390001234"),
    ],
)
def test_air_waybills_are_told_from_bills_of_lading(number: str, document: str) -> None:
    goods = {
        uri for uri in _documents(_event("CEB511", {"LogisticsHead.billNo": number})) if ":raw:" not in uri
    }
    assert goods <= {f"urn:suyuan:{document}"}
    assert goods


@pytest.mark.parametrize("number", ["784-12345675", "78412345675"])
def test_a_waybill_that_is_an_air_waybill_stays_personal(number: str) -> None:
    event = _event("CEB511", {"LogisticsHead.billNo": "784-12345675", "logisticsNo": number})
    assert not any(":awb:" in uri for uri in _documents(event))


def test_declaration_and_receipt_share_a_number_even_before_customs_gave_one() -> None:
    declared = _documents(_event("CEB621", {"invtNo": None}))
    received = _documents(_event("CEB622"))
    shared = {uri for uri in declared & received if ":raw:parcel-list" in uri}
    assert shared == {
        f"urn:suyuan:raw:parcel-list-draft:eport:{messages.PREENTRY_NO}",
        f"urn:suyuan:raw:parcel-list-draft:330196B042:{messages.COP_NO}",
    }


def test_a_firms_own_number_without_the_firm_is_no_document() -> None:
    documents = _documents(_event("CEB622", {"agentCode": None}))
    assert not any(messages.COP_NO in uri for uri in documents)


def test_deleting_and_changing() -> None:
    assert _event("CEB311", {"appType": "3"}).action == "DELETE"
    changed = _event("CEB311", {"appType": "2"})
    assert changed.action == "ADD"
    assert _extension(changed, "reportType") == "2"
    assert _event("CEB816", {"status": "3"}).action == "DELETE"
    assert customs.read(messages.message("CEB513", {"appType": "3"})).events == ()


def test_an_order_counts_goods_by_gtin() -> None:
    event = _event("CEB311", {"barCode": "无"})
    assert event.quantity_list == ()
    quantity = _event("CEB311").quantity_list[0]
    assert (quantity.epc_class, quantity.quantity) == ("https://id.gs1.org/01/09506000134352", "2")
    assert _event("CEB311", {"OrderList.unit": "035"}).quantity_list[0].uom == "KGM"


def test_the_end_of_the_way() -> None:
    event = _event("CEB513")
    assert (event.type, event.action, event.biz_step) == (
        "ObjectEvent",
        "OBSERVE",
        "https://ref.gs1.org/cbv/BizStep-arriving",
    )
    assert event.disposition == "urn:suyuan:disp:signed"
    assert event.epc_list == (f"urn:suyuan:raw:waybill:330196L042:{messages.WAYBILL_NO}",)


def test_a_day_sorts_last_in_itself_unless_the_sending_is_in_it() -> None:
    sent = _event("SAS/INV101")
    assert sent.event_time == datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
    assert _extension(sent, "precision") is None
    other_day = _event("SAS/INV101", {"InvtDclTime": "20260302"})
    assert other_day.event_time == datetime(2026, 3, 2, 15, 59, 59, 999000, UTC)
    assert _extension(other_day, "precision") == "day"


def test_an_exit_list_ties_no_parcel_to_a_ledger_item() -> None:
    goods, parcels = (one.event for one in customs.read(messages.message("SAS/INV101-exit")).events)
    assert any(":ledger-item:" in uri for uri in _documents(goods))
    assert not any(":parcel-list:" in uri for uri in _documents(goods))
    assert not any(":ledger-item:" in uri for uri in _documents(parcels))
    assert sum(":raw:parcel-list:5165:" in uri for uri in _documents(parcels)) == 2
    assert f"urn:suyuan:bonded-list:{messages.EXIT_LIST}" in _documents(parcels)


@pytest.mark.parametrize(("direction", "quantities"), [("I", ["10000"]), ("E", ["7"])])
def test_a_deduction_counts_each_ledger_item_once(direction: str, quantities: list[str]) -> None:
    line = "<BondInvtDt><putrecSeqno>9</putrecSeqno><dclQty>7</dclQty></BondInvtDt>"
    data = (
        messages.text("SAS/INV211", {"impexpMarkcd": direction}).replace("<BwsDt>", line + "<BwsDt>").encode()
    )
    event = customs.read(data).events[0].event
    stated = [
        number.value.text
        for field in event.extensions
        if field.name == "{urn:suyuan:ext}line" and isinstance(field.value, tuple)
        for number in field.value
        if number.name == "{urn:suyuan:ext}quantity" and isinstance(number.value, Number)
    ]
    assert stated == quantities


def test_a_failed_draft_names_no_declaration() -> None:
    event = _event("SAS/INV202", {"manageResult": "2"})
    assert event.disposition == "urn:suyuan:disp:declaration_failed"
    assert not any("declaration-unified" in uri for uri in _documents(event))


@pytest.mark.parametrize(
    ("change", "step", "hour"),
    [
        ({}, "https://ref.gs1.org/cbv/BizStep-arriving", 1),
        ({"ioTypecd": "E"}, "https://ref.gs1.org/cbv/BizStep-departing", 1),
        ({"stucd": "1"}, "urn:suyuan:bizstep:clearing", 1),
        ({"passTime": None}, "urn:suyuan:bizstep:clearing", 1),
        (
            {"stucd": "4", "SasPassportBsc.secdPassTime": "2026-03-02 11:00:00"},
            "https://ref.gs1.org/cbv/BizStep-arriving",
            3,
        ),
    ],
)
def test_going_through_the_gate(change: dict[str, str | None], step: str, hour: int) -> None:
    event = _event("SAS/SAS223", change)
    assert event.biz_step == step
    assert event.event_time.hour == hour
    assert event.epc_list == (f"urn:epc:id:bic:{messages.CONTAINER}",)
    assert {f"urn:suyuan:bonded-list:{number}" for number in (messages.ENTRY_LIST, "QD516526I000000043")} < (
        _documents(event)
    )


def test_a_gate_pass_before_its_number() -> None:
    event = _event("SAS/SAS121", {"PassportHead.PassportNo": None, "PassportHead.SeqNo": None})
    assert "urn:suyuan:gate-pass-draft:330196W042:WH-GP-0201" in _documents(event)
    bill = _event("SAS/SAS121", {"RltTbTypecd": "3", "RltNo": "COSU0000000042", "RtlBillTypecd": None})
    assert "urn:suyuan:bol:COSU0000000042" in _documents(bill)


def test_numbers_are_quoted_in_uris() -> None:
    event = _event("CEB311", {"orderNo": "A:B/C%20 D", "ebpCode": "330196P042"})
    assert _documents(event) == {"urn:suyuan:raw:order:330196P042:A%3AB%2FC%2520%20D"}


def test_several_records_make_several_events_with_their_own_paths() -> None:
    reading = customs.read(messages.message("CEB622", repeat=3))
    assert [one.path for one in reading.events] == [
        f"/CEB622Message/InventoryReturn[{number}]" for number in (1, 2, 3)
    ]
    assert len(customs.fields(messages.message("CEB621", repeat=2))) == 4


@pytest.mark.parametrize("kind", messages.KINDS)
def test_events_have_a_canonical_body_an_id_and_a_json_form(kind: str) -> None:
    for derived in customs.read(messages.message(kind)).events:
        body = canonical_body(derived.event)
        assert canonical_json(body)
        assert event_hash(event_from_body(body)) == event_hash(derived.event)
        (again,) = read_json(write_json_document([derived.event]))
        assert event_hash(again) == event_hash(derived.event)
        uris = _documents(derived.event) | set(derived.event.epc_list)
        raw = {uri for uri in uris if uri.startswith("urn:suyuan:raw:")}
        assert {document.uri for document in person_documents(derived.event)} == raw


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20260305", datetime(2026, 3, 5, 15, 59, 59, 999000, UTC)),
        ("20260305101501", datetime(2026, 3, 5, 2, 15, 1, tzinfo=UTC)),
        ("20260305101501250", datetime(2026, 3, 5, 2, 15, 1, 250000, UTC)),
        ("2026-03-05 10:15:01", datetime(2026, 3, 5, 2, 15, 1, tzinfo=UTC)),
        ("2026-03-05T10:15:01", datetime(2026, 3, 5, 2, 15, 1, tzinfo=UTC)),
        ("2026-03-05", datetime(2026, 3, 5, 15, 59, 59, 999000, UTC)),
        ("20240229", datetime(2024, 2, 29, 15, 59, 59, 999000, UTC)),
        ("20250229", None),
        ("20260305240000", None),
        ("20260305101560", None),
        ("19991231", None),
        ("2026030510150", None),
        ("２０２６０３０５", None),
        ("", None),
    ],
)
def test_times_are_beijing_time(text: str, expected: datetime | None) -> None:
    moment = read_time(text)
    assert (moment.time if moment else None) == expected


def test_check_characters() -> None:
    assert is_id_number("990101199001010019")
    assert not is_id_number("990101199001010010")
    assert not is_id_number("990101199013010019")
    assert is_uscc("91990101MA00000426")
    assert not is_uscc("91990101MA00000427")
    assert not is_uscc("91990101MI00000426")


@pytest.mark.parametrize(
    ("status", "action", "disposition"),
    [
        ("1", "OBSERVE", "urn:suyuan:disp:tax_issued"),
        ("2", "OBSERVE", "urn:suyuan:disp:tax_consolidated"),
        ("3", "DELETE", "urn:suyuan:disp:tax_void"),
    ],
)
def test_status_of_a_tax_bill(status: str, action: str, disposition: str) -> None:
    event = _event("CEB818", {"status": status})
    assert (event.action, event.disposition) == (action, disposition)
    assert any(uri.startswith("urn:suyuan:raw:tax-bill::") for uri in _documents(event))
    assert _documents(event) & _documents(_event("CEB816"))


def test_a_two_step_pass_names_declarations_and_tells_its_way_by_its_number() -> None:
    approved = _event("SAS/SAS251")
    assert "urn:suyuan:declaration:516620261000000042" in _documents(approved)
    assert approved.disposition == "urn:suyuan:disp:approved"
    assert _event("SAS/SAS251", {"emapvMarkcd": "3"}).disposition == "urn:suyuan:disp:rejected"
    inward = _event("SAS/SAS253")
    assert (inward.biz_step or "").endswith("BizStep-arriving")
    assert inward.epc_list == (f"urn:epc:id:bic:{messages.CONTAINER}",)
    outward = _event("SAS/SAS253", {"passportNo": messages.TWO_STEP_PASS.replace("I", "E")})
    assert (outward.biz_step or "").endswith("BizStep-departing")
    waiting = _event("SAS/SAS253", {"passTime": None})
    assert waiting.biz_step == "urn:suyuan:bizstep:clearing"


def test_a_settled_inspection_moves_nothing() -> None:
    event = _event("SAS/SAS224")
    assert event.biz_step == "urn:suyuan:bizstep:clearing"
    assert event.disposition == "urn:suyuan:disp:inspection_settled"
    assert _extension(event, "manageResult") == "3"
    assert event.event_time == datetime(2026, 3, 4, 6, 20, tzinfo=UTC)


def test_an_answer_of_the_port_claims_nothing_and_tells_of_a_refusal() -> None:
    kind = "SAS/CommonResponse"
    taken = customs.read(messages.message(kind))
    assert (taken.kind, taken.events) == (kind, ())
    assert [one.code for one in taken.warnings] == ["customs.record.undated"]
    text = messages.text(kind, {"DealFlag": "1"}).replace("CommonRespone", "CommonResponse")
    refused = customs.read(text.encode())
    assert (refused.kind, refused.events) == (kind, ())
    assert {one.code for one in refused.warnings} == {
        "customs.record.undated",
        "customs.record.not_taken",
        "customs.field.code_unlisted",
    }
    # The port's free words may name a person: they are personal, and no warning repeats them.
    assert [(one.category, text.encode()[one.start : one.end].decode()) for one in refused.personal] == [
        ("free_text", "示范应答")
    ]
    assert not any("示范" in one.reason for one in refused.warnings)


def test_an_answer_in_a_foreign_namespace_is_none() -> None:
    text = messages.text("SAS/CommonResponse").replace(
        "<CommonResponeMessage>", '<CommonResponeMessage xmlns="urn:x">'
    )
    with pytest.raises(InputError) as refused:
        customs.read(text.encode())
    assert refused.value.code == "customs.namespace.unknown"
