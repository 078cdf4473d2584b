"""A long document read event by event gives what it gives when it is read whole, wherever its blocks are cut."""

from __future__ import annotations

import io
import json
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suyuan.canon import canonical_json, canonical_text
from suyuan.epcis import canonical_uri, jsonld_stream, read, write_xml_document, xml_stream
from suyuan.epcis.identifiers import canonical_uris
from suyuan.epcis.long_documents import batches, is_long_document, survey
from suyuan.errors import InputError, SuyuanError, TooLargeError

CONTEXT = [
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"ex": "https://example.org/ex/"},
]
ITEM = "https://id.gs1.org/01/08710000001236/21/"


def event(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "eventTime": f"2025-08-04T09:10:{number % 60:02d}.000+02:00",
        "eventTimeZoneOffset": "+02:00",
        "action": "OBSERVE",
        "epcList": [f"{ITEM}A{number}", "urn:epc:id:sgtin:8710000.000123.Ü"[:-1] + f"B{number}"],
        "ex:note": '货物 \\ " } ] é',
        **fields,
    }


def document(*events: dict[str, Any], behind: bool = False, query: bool = False) -> bytes:
    listed: dict[str, Any] = {"eventList": list(events)}
    if query:
        listed = {"queryResults": {"queryName": "q", "resultsBody": listed}}
    head = {"type": "EPCISQueryDocument" if query else "EPCISDocument", "schemaVersion": "2.0"}
    parts = (
        {"epcisBody": listed, "@context": CONTEXT} if behind else {"@context": CONTEXT, "epcisBody": listed}
    )
    return json.dumps({**head, **parts}, ensure_ascii=False, indent=1).encode()


class Drops(io.BytesIO):
    """A file that gives a few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self._size = size

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._size if size is None or size < 0 else min(size, self._size))


MANY = [event(number) for number in range(7)]
DOCUMENTS = {
    "plain": document(*MANY),
    "context behind": document(*MANY, behind=True),
    "query": document(*MANY, query=True),
    "list": json.dumps([{key: value for key, value in e.items() if ":" not in key} for e in MANY]).encode(),
    "mark": b"\xef\xbb\xbf" + document(*MANY),
    "none": document(),
    "xml": write_xml_document([derived.event for derived in read(document(*MANY)).events]),
    "xml 1.2": b"""<?xml version='1.0' encoding='UTF-8'?>
<e:EPCISDocument xmlns:e='urn:epcglobal:epcis:xsd:1' schemaVersion='1.2' creationDate='2025-01-01T00:00:00Z'>
<EPCISBody><EventList>
<ObjectEvent><eventTime>2025-01-01T00:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset>
<epcList><epc>urn:x:a&amp;b</epc></epcList><action>ADD</action></ObjectEvent>
<extension><TransformationEvent><eventTime>2025-01-01T00:00:00Z</eventTime>
<eventTimeZoneOffset>+00:00</eventTimeZoneOffset><inputEPCList><epc>urn:x:a</epc></inputEPCList>
<outputEPCList><epc>urn:x:b</epc></outputEPCList></TransformationEvent></extension>
<ObjectEvent><eventTime>2025-01-02T00:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset>
<epcList/><action>ADD</action></ObjectEvent>
</EventList></EPCISBody></e:EPCISDocument>""",
}


def streams(data: bytes) -> ModuleType:
    return xml_stream if data.lstrip()[:1] == b"<" else jsonld_stream


@pytest.mark.parametrize("size", [7, 100, 1 << 20])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_stream_gives_what_the_whole_gives(name: str, size: int) -> None:
    data = DOCUMENTS[name]
    around = streams(data).outline(Drops(data, size))
    found = list(streams(data).events(Drops(data, size), around))
    assert [(one.event, one.path) for one in found] == [(d.event, d.path) for d in read(data).events]
    assert around.count == len(found)
    for one in found:
        assert data[one.start : one.end] == one.data
        assert (one.data[:1], one.data[-1:]) in ((b"{", b"}"), (b"<", b">"))


FAULTY = {
    "no json": document(*MANY)[:-40],
    "a comma too many": document(*MANY).replace(b'"action"', b',"action"', 1),
    "not utf-8": document(*MANY).replace("é".encode(), b"\xe9", 1),
    "a key twice": document(*MANY).replace(
        b'"schemaVersion"', b'"type": "EPCISDocument", "schemaVersion"', 1
    ),
    "a key twice in an event": document(*MANY).replace(b'"action"', b'"action": "ADD", "action"', 1),
    "a zero character": document(*MANY).replace("é".encode(), b"\\u0000", 1),
    "half a character": document(*MANY).replace("é".encode(), b"\\ud800", 1),
    "no number": document(event(1, **{"ex:n": 1})).replace(b'"ex:n": 1', b'"ex:n": NaN'),
    "a faulty event": document(*MANY[:3], event(3, action="EAT"), *MANY[4:]),
    "no event": document(*MANY[:3]).replace(b'"eventList": [', b'"eventList": [5,'),
    "another type": document(*MANY).replace(b"EPCISDocument", b"EPCISPaper"),
    "another version": document(*MANY).replace(b'"2.0"', b'"9"'),
    "no list": document(*MANY).replace(b"eventList", b"events"),
    "more behind it": document(*MANY) + b"{}",
    "xml cut": DOCUMENTS["xml"][:-30],
    "xml no list": DOCUMENTS["xml"].replace(b"EventList", b"Events"),
    "xml faulty event": DOCUMENTS["xml"].replace(b"OBSERVE", b"EAT", 1),
    "xml no document": DOCUMENTS["xml"].replace(b"EPCISDocument", b"EPCISPaper"),
    "xml dtd": b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + DOCUMENTS["xml 1.2"].partition(b"?>")[2],
}


@pytest.mark.parametrize("size", [50, 1 << 20])
@pytest.mark.parametrize("name", FAULTY)
def test_a_stream_refuses_what_the_whole_refuses(name: str, size: int) -> None:
    data = FAULTY[name]
    with pytest.raises(SuyuanError) as whole:
        read(data)
    with pytest.raises(SuyuanError) as streamed:
        list(streams(data).events(Drops(data, size), streams(data).outline(Drops(data, size))))
    assert (streamed.value.code, streamed.value.reason) == (whole.value.code, whole.value.reason)
    if not name.startswith(("a key twice in", "xml faulty", "xml cut")):
        assert streamed.value.path == whole.value.path


def test_two_lists_and_an_endless_event_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = document(*MANY).replace(b'"epcisBody": {', b'"epcisBody": {"eventList": [],', 1)
    with pytest.raises(InputError):
        jsonld_stream.outline(io.BytesIO(twice))
    monkeypatch.setattr(jsonld_stream, "MAX_EVENT_BYTES", 1000)
    monkeypatch.setattr(jsonld_stream, "BLOCK", 256)
    monkeypatch.setattr(xml_stream, "MAX_EVENT_BYTES", 1000)
    long = document(event(0), event(1, epcList=[f"{ITEM}{n}" for n in range(100)]))
    with pytest.raises(TooLargeError) as refused:
        jsonld_stream.outline(io.BytesIO(long))
    assert (refused.value.code, refused.value.path) == ("epcis.event.too_large", "$.epcisBody.eventList[1]")
    xml = write_xml_document([derived.event for derived in read(long).events])
    with pytest.raises(TooLargeError):
        xml_stream.outline(Drops(xml, 256))


@pytest.mark.parametrize("xml", [False, True])
def test_batches_find_every_number_of_a_person(xml: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("suyuan.epcis.long_documents.BATCH_EVENTS", 2)
    typed = {"type": "urn:suyuan:btt:payment", "bizTransaction": "urn:x:PAY77"}
    data = document(
        event(0, bizTransactionList=[{"bizTransaction": "urn:suyuan:raw:order:S1:EM0001"}]),
        *(event(n) for n in range(1, 6)),
        # said in one batch to be a person's document, named in another without a word of it
        event(6, bizTransactionList=[{"bizTransaction": "urn:suyuan:raw:waybill::SF9"}, typed]),
        event(7, **{"ex:note": "urn:suyuan:raw:order:S1:EM0001"}),
        event(8, **{"ex:note": "urn:x:PAY77"}),
    )
    if xml:
        data = write_xml_document([derived.event for derived in read(data).events])
    found = survey(lambda: io.BytesIO(data))
    assert found is not None and not found.encrypt_whole
    pieces = list(batches(lambda: io.BytesIO(data), found))
    assert b"".join(piece.data for piece in pieces) == data
    assert [e for piece in pieces for e in piece.events] == list(read(data).events)
    assert {piece.start for piece in pieces} == {data.index(piece.data) for piece in pieces}
    ranges = {(p.start, p.end) for piece in pieces for p in piece.personal}
    whole = read(data)
    assert ranges == {(p.start, p.end) for p in whole.personal} and len(ranges) == 5
    kept = bytearray(data)
    for start, end in ranges:
        kept[start:end] = b"-" * (end - start)
    assert not any(number in kept for number in (b"EM0001", b"SF9", b"PAY77"))


def test_a_number_that_hides_makes_the_whole_secret() -> None:
    data = document(event(0, bizTransactionList=[{"bizTransaction": "urn:suyuan:raw:order:S1:EM\u00e91"}]))
    hidden = data.replace("EM\u00e91".encode(), b"EM\\u00e91")
    plain, found = survey(lambda: io.BytesIO(data)), survey(lambda: io.BytesIO(hidden))
    assert plain is not None and found is not None
    assert (plain.encrypt_whole, found.encrypt_whole) == (False, True)
    assert not any(batch.personal for batch in batches(lambda: io.BytesIO(hidden), found))


def test_what_is_read_in_batches() -> None:
    assert is_long_document(DOCUMENTS["plain"]) and is_long_document(DOCUMENTS["list"])
    assert is_long_document(DOCUMENTS["xml"])
    assert not is_long_document(DOCUMENTS["xml 1.2"].replace(b"UTF-8", b"GBK"))
    assert not is_long_document(json.dumps(MANY[0]).encode())
    assert not is_long_document(b"PK\x03\x04")
    single = json.loads(document())
    single["epcisBody"] = {"event": MANY[0]}
    assert survey(lambda: io.BytesIO(json.dumps(single).encode())) is None


# -- the quick ways say what the careful ones say ---------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_canonical_text_is_json_with_sorted_keys(value: Any) -> None:
    text = canonical_text(value)
    assert json.loads(text) == value
    slow = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert sorted(text) == sorted(slow)
    if not any(character > "\ud7ff" for character in slow):
        assert text == json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


@pytest.mark.parametrize("bad", [1.5, {1: "a"}, {"a": [object()]}, {"a": float("nan")}, "\ud800"])
def test_the_quick_writer_refuses_what_has_no_canonical_bytes(bad: Any) -> None:
    with pytest.raises(InputError):
        canonical_json(bad)


URIS = st.one_of(
    st.from_regex(r"https://id\.gs1\.org/01/[0-9]{14}/(21|10)/[0-9A-Za-z_%.\-]{1,22}\n?", fullmatch=True),
    st.from_regex(r"urn:epc:id:sgtin:[0-9]{7}\.[0-9]{6}\.[0-9A-Z]{1,5}", fullmatch=True),
    st.sampled_from(["", "urn:x:a", f"{ITEM}A\n{ITEM}B", "https://example.com/01/08710000001236/10/L/21/A"]),
)


@given(st.lists(URIS, max_size=6))
def test_a_list_is_made_canonical_as_each_of_it_is(uris: list[str]) -> None:
    assert list(canonical_uris(tuple(uris))) == [canonical_uri(uri) for uri in uris]
