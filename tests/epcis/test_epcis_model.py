"""The canonical body, the identifiers of an event and the person documents among them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest
from epcis_vectors import XML_EVENT, document, event, xml_document
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.canon import canonical_json
from suyuan.epcis import (
    Event,
    RawPersonDocument,
    canonical_body,
    encode_json,
    event_from_body,
    map_uris,
    person_documents,
    read,
    read_json,
    read_xml_events,
    write_json_document,
    write_json_event,
    write_xml_document,
)
from suyuan.epcis.cbv import bare_word, expand, is_standard, urn
from suyuan.epcis.model import Extension, Number
from suyuan.errors import IntegrityError, UnsupportedError

EXT = "https://ns.example.com/epcis/"


def one(**fields: object) -> Event:
    return read_json(document(event(**fields), ext=EXT))[0]


def test_body_of_an_event():
    found = one(
        quantityList=[
            {"epcClass": "urn:epc:class:lgtin:4012345.012345.998877", "quantity": 200.50, "uom": "KGM"}
        ],
        ilmd={"cbvmda:lotNumber": "998877"},
        **{"ext:n": 1.5, "ext:t": "1.5", "ext:b": True, "ext:list": ["a", {"ext:c": 2}], "ext:empty": {}},
    )
    assert canonical_body(found) == {
        "type": "ObjectEvent",
        "eventTime": "2025-08-04T07:10:00.000Z",
        "eventTimeZoneOffset": "+02:00",
        "epcList": ["https://id.gs1.org/01/10614141073464/21/2017"],
        "quantityList": [
            {"epcClass": "https://id.gs1.org/01/04012345123456/10/998877", "quantity": "200.5", "uom": "KGM"}
        ],
        "ilmd": {"{urn:epcglobal:cbv:mda}lotNumber": "998877"},
        "action": "OBSERVE",
        "bizStep": "https://ref.gs1.org/cbv/BizStep-shipping",
        "disposition": "https://ref.gs1.org/cbv/Disp-in_transit",
        "readPoint": {"id": "https://id.gs1.org/414/0614141073467"},
        f"{{{EXT}}}n": {"#number": "1.5"},
        f"{{{EXT}}}t": "1.5",
        f"{{{EXT}}}b": True,
        f"{{{EXT}}}list": ["a", {f"{{{EXT}}}c": {"#number": "2"}}],
        f"{{{EXT}}}empty": {},
    }


def test_numbers_texts_and_truths_stay_apart():
    values = [1, "1", True, "true", [], {}, ""]
    bodies = {canonical_json(canonical_body(one(**{"ext:a": value}))) for value in values}
    assert len(bodies) == len(values)


def test_numbers_keep_their_digits():
    data = document(event(**{"ext:a": 0})).replace(b'"ext:a": 0', b'"ext:a": 0.1234567890123456789012345')
    data = data.replace(b'"ext:a"', b'"ext:b": 12345678901234567890, "ext:c": -0.0, "ext:d": 1e2, "ext:a"')
    found = read_json(data)[0]
    texts = {item.name[-1]: item.value for item in found.extensions}
    assert texts == {
        "a": Number("0.1234567890123456789012345"),
        "b": Number("12345678901234567890"),
        "c": Number("0"),
        "d": Number("100"),
    }
    assert read_json(write_json_document([found]))[0].extensions == found.extensions


extension_values = st.recursive(
    st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.sampled_from(["ext:a", "ext:b", "oth:c", "d"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["ext:a", "ext:b", "oth:c"]), extension_values, max_size=3),
    extension_values,
)
def test_any_extension_survives(fields: dict[str, object], inside: object):
    data = document(
        event(readPoint={"id": "urn:x:y", "ext:p": inside}, ilmd={"ext:i": inside}, **fields),
        ext=EXT,
        oth="urn:other:",
    )
    found = read_json(data)[0]
    body = canonical_body(found)
    assert canonical_body(event_from_body(body)) == body
    again = read_json(write_json_document([found], "same"))[0]
    assert canonical_body(again) == body


def test_a_damaged_body_is_told():
    for body in ({}, {"type": "X"}, {"type": "ObjectEvent"}, {**canonical_body(one()), "readPoint": {}}):
        with pytest.raises(IntegrityError) as caught:
            event_from_body(body)
        assert caught.value.code == "epcis.body.damaged"


def test_microseconds_are_kept():
    body = canonical_body(one(eventTime="2025-08-04T09:10:00.123456Z"))
    assert body["eventTime"] == "2025-08-04T09:10:00.123456Z"
    assert event_from_body(body).event_time == datetime(2025, 8, 4, 9, 10, 0, 123456, UTC)


def test_map_uris():
    found = one(
        bizTransactionList=[{"type": "po", "bizTransaction": "urn:a:1"}],
        sourceList=[{"type": "owning_party", "source": "urn:a:2"}],
        quantityList=[{"epcClass": "urn:a:3", "quantity": 1}],
        epcList=["urn:a:4", "urn:b:5"],
        readPoint={"id": "urn:a:6", "ext:x": "urn:a:7"},
    )
    assert map_uris(found, lambda uri: uri) is found
    changed = map_uris(found, lambda uri: uri.replace("urn:a:", "urn:c:"))
    assert changed.epc_list == ("urn:c:4", "urn:b:5")
    assert changed.biz_transaction_list[0].biz_transaction == "urn:c:1"
    assert changed.biz_transaction_list[0].type == found.biz_transaction_list[0].type
    assert changed.source_list[0].id == "urn:c:2"
    assert changed.quantity_list[0].epc_class == "urn:c:3"
    assert changed.read_point is not None
    assert changed.read_point.id == "urn:c:6"
    assert changed.read_point.extensions == (Extension(f"{{{EXT}}}x", "urn:a:7"),)


def test_person_documents():
    found = one(
        epcList=["urn:suyuan:raw:waybill:SF:SF7", "urn:suyuan:waybill:mzxw6", "urn:x:y"],
        bizTransactionList=[
            {"type": "urn:suyuan:btt:order", "bizTransaction": "urn:shop:order:17"},
            {"type": "urn:suyuan:btt:order", "bizTransaction": "urn:suyuan:order:mzxw6"},
            {"type": "urn:suyuan:btt:declaration", "bizTransaction": "urn:suyuan:declaration:5165"},
            {"bizTransaction": "urn:suyuan:raw:payment:A%3AB:1:2"},
            {"bizTransaction": "urn:suyuan:raw:waybill:SF:SF7"},
        ],
    )
    assert person_documents(found) == [
        RawPersonDocument("waybill", "SF", "SF7", "urn:suyuan:raw:waybill:SF:SF7"),
        RawPersonDocument("order", "", "urn:shop:order:17", "urn:shop:order:17"),
        RawPersonDocument("payment", "A:B", "1:2", "urn:suyuan:raw:payment:A%3AB:1:2"),
    ]


def test_personal_ranges_in_json_and_xml():
    raw = "urn:suyuan:raw:order:SHOP:2025-7"
    longer = raw + "8"
    for data in (
        document(event(epcList=[raw, longer], bizTransactionList=[{"bizTransaction": raw}])),
        xml_document(
            XML_EVENT.replace(
                "urn:epc:id:sgtin:0614141.107346.2017", f"{raw}</epc><epc>{longer}</epc><epc>{raw}"
            )
        ),
    ):
        reading = read(data)
        assert not reading.encrypt_whole
        found = [(data[item.start : item.end], item.category, item.subject) for item in reading.personal]
        assert sorted(found) == [
            (b"2025-7", "order_no", ("order", "SHOP", "2025-7")),
            (b"2025-7", "order_no", ("order", "SHOP", "2025-7")),
            (b"2025-78", "order_no", ("order", "SHOP", "2025-78")),
        ]
    hidden = document(event(epcList=[raw])).replace(b"2025-7", b"\\u0032025-7")
    assert read(hidden).encrypt_whole


def test_paths_and_kinds():
    reading = read(document(event(), event()))
    assert reading.kind == "EPCIS/JSON"
    assert [item.path for item in reading.events] == ["$.epcisBody.eventList[0]", "$.epcisBody.eventList[1]"]
    assert read(json.dumps(event()).encode()).events[0].path == "$"
    reading = read(xml_document(XML_EVENT * 2))
    assert reading.kind == "EPCIS/XML"
    assert [item.path for item in reading.events] == [
        "/EPCISDocument/EPCISBody/EventList/ObjectEvent[1]",
        "/EPCISDocument/EPCISBody/EventList/ObjectEvent[2]",
    ]


def test_quantity_events_of_old():
    old = (
        "<QuantityEvent><eventTime>2010-08-04T09:10:00Z</eventTime>"
        "<eventTimeZoneOffset>+00:00</eventTimeZoneOffset>"
        "<epcClass>urn:epc:idpat:sgtin:4012345.012345.*</epcClass><quantity>200</quantity></QuantityEvent>"
    )
    found = read_xml_events(xml_document(old, "urn:epcglobal:epcis:xsd:1"))[0]
    assert (found.type, found.action) == ("ObjectEvent", "OBSERVE")
    assert found.quantity_list[0].quantity == "200"


def test_forms_of_identifiers():
    found = one(epcList=["https://brand.example/01/10614141073464/21/7", "urn:x:y"])
    assert write_json_event(found, "dl")["epcList"] == [
        "https://id.gs1.org/01/10614141073464/21/7",
        "urn:x:y",
    ]
    assert write_json_event(found, "same")["epcList"] == list(found.epc_list)
    assert write_json_event(found, "urn")["epcList"][0] in {
        "urn:epc:id:sgtin:0614141.107346.7",
        "https://id.gs1.org/01/10614141073464/21/7",
    }


def test_what_xml_cannot_carry():
    with pytest.raises(UnsupportedError) as caught:
        write_xml_document([one(**{"ext:7": 1})])
    assert caught.value.code == "epcis.xml.name"
    with pytest.raises(UnsupportedError) as caught:
        write_xml_document([one(**{"ext:a": "\u0001"})])
    assert caught.value.code == "epcis.xml.character"


def test_xml_escapes():
    found = one(**{"ext:a": "<&>\"'\r\n\t é 溯源 ]]>"}, epcList=["urn:x:a&b"])
    again = read_xml_events(write_xml_document([found]))[0]
    assert again.extensions == found.extensions
    assert again.epc_list == found.epc_list


def test_words():
    forms = ["shipping", "cbv:BizStep-shipping", "urn:epcglobal:cbv:bizstep:shipping"]
    uri = "https://ref.gs1.org/cbv/BizStep-shipping"
    assert {expand("biz_step", form) for form in [*forms, uri]} == {uri}
    assert expand("biz_step", "urn:suyuan:bizstep:declaring") == "urn:suyuan:bizstep:declaring"
    assert expand("biz_step", "clearing") is None
    assert bare_word("biz_step", uri) == "shipping"
    assert bare_word("biz_step", uri + "x") == uri + "x"
    assert urn("biz_step", uri) == forms[2]
    assert urn("component", "https://ref.gs1.org/cbv/Comp-x") == "cbv:Comp-x"
    assert urn("measurement_type", "https://gs1.org/voc/Temperature") == "gs1:Temperature"
    assert is_standard("disposition", "https://ref.gs1.org/cbv/Disp-recalled")
    assert expand("measurement_type", "https://ref.gs1.org/voc/Speed") == "https://gs1.org/voc/Speed"


def test_an_event_travels_as_json():
    found = one()
    assert read_json(encode_json(write_json_event(found)))[0].epc_list
    assert msgspec.json.decode(msgspec.json.encode(found), type=Event) == found
