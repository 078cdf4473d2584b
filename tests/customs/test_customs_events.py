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
