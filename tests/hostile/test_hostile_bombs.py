"""Small papers that would become large, deep or slow: refused in bounded time and memory."""

from __future__ import annotations

import base64
import contextlib
import io
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import hostile_readers  # noqa: F401 - puts the folder of signing on the path
import pytest
import signing

from suyuan.api.codes import IssueCommand
from suyuan.api.requests import decode_command
from suyuan.capture.paper import read_paper
from suyuan.customs.certificates import read_certificate
from suyuan.db import age
from suyuan.db.archive import open_archive
from suyuan.errors import SuyuanError

SECONDS, GROWTH = 5.0, 200 << 20
ENTITIES = b"".join(b'<!ENTITY a%d "%s">' % (n + 1, b"&a%d;" % n * 10) for n in range(9))


@contextlib.contextmanager
def bounded(seconds: float = SECONDS, growth: int = GROWTH) -> Iterator[None]:
    tracemalloc.start()
    started = time.process_time()  # of this process: what else the machine does is no fault of a reader
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.process_time() - started < seconds
    assert peak < growth


def ceb(content: bytes) -> bytes:
    return (
        b'<CEB311Message xmlns="http://www.chinaport.gov.cn/ceb" version="1.0">'
        + content
        + b"</CEB311Message>"
    )


XML = {
    "billion laughs": b'<!DOCTYPE r [<!ENTITY a0 "ha">' + ENTITIES + b"]>" + ceb(b"&a9;"),
    "quadratic": b'<!DOCTYPE r [<!ENTITY a "' + b"a" * 100_000 + b'">]>' + ceb(b"&a;" * 10_000),
    "external entity": b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + ceb(b"&x;"),
    "external dtd": b'<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd">' + ceb(b""),
    "parameter entity": b'<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x">%p;]>' + ceb(b""),
    "deep": ceb(b"<a>" * 1_000_000),
    "deep and closed": ceb(b"<a>" * 100_000 + b"</a>" * 100_000),
    "huge attribute": ceb(b'<a b="' + b"c" * 10_000_000 + b'"/>'),
    "many attributes": ceb(b"<a " + b" ".join(b'b%d=""' % n for n in range(200_000)) + b"/>"),
    "many namespaces": ceb(b"<a " + b" ".join(b'xmlns:b%d="c%d"' % (n, n) for n in range(50_000)) + b"/>"),
    "long name": ceb(b"<" + b"a" * 5_000_000 + b"/>"),
    "colliding attributes": ceb(b"<a " + b"x='' " * 50_000 + b"/>"),
    "comments": b"<!-- -->" * 500_000 + ceb(b""),
    "blanks": b" \n" * 5_000_000 + b"#",
    "open comment": b"<!--" * 1_000_000,
    "instructions": b"<?a" * 1_000_000,
}


@pytest.mark.parametrize("name", XML)
def test_bombs_of_xml(name: str) -> None:
    with bounded(), pytest.raises(SuyuanError) as refused:
        read_paper(XML[name])
    assert "root:" not in str(refused.value)


def test_elements_without_end_are_counted() -> None:
    # Tracing memory would take longer than the reading itself.
    with pytest.raises(SuyuanError) as refused:
        read_paper(ceb(b"<a/>" * 4_000_000))
    assert refused.value.code == "xml.elements.exceeded"


def epcis(content: bytes) -> bytes:
    return b'{"@context": [], "type": "EPCISDocument", "schemaVersion": "2.0", "epcisBody": ' + content + b"}"


JSON = {
    "brackets": b"[" * 1_000_000,
    "brackets in a document": epcis(b"[" * 1_000_000),
    "braces": epcis(b'{"a":' * 1_000_000),
    "closed": epcis(b"[" * 500_000 + b"]" * 500_000),
    "huge number": epcis(b"9" * 5_000_000),
    "huge exponent": epcis(b'{"eventList": [{"type": "ObjectEvent", "x:q": 1e999999999}]}'),
    "not a number": epcis(b'{"eventList": [{"type": "ObjectEvent", "quantity": NaN}]}'),
    "infinity": epcis(b'{"eventList": [{"type": "ObjectEvent", "quantity": -Infinity}]}'),
    "half a character": epcis(b'{"eventList": [{"type": "ObjectEvent", "a": "\\ud800"}]}'),
    "null character": epcis(b'{"eventList": [{"type": "ObjectEvent", "action": "\\u0000"}]}'),
    "bidi": epcis('{"eventList": [{"type": "ObjectEvent", "action": "\u202eDDA\u202c"}]}'.encode()),
    "escapes": epcis(b'"' + b"\\u0041" * 500_000 + b'"'),
    "open text": epcis(b'"' + b"\\" * 1_000_001),
    "keys": epcis(b"{" + b",".join(b'"k%d": 0' % n for n in range(200_000)) + b"}"),
    "same key": epcis(b"{" + b'"eventList": [],' * 100_000 + b'"a": 0}'),
    "blanks": b"{" + b" " * 10_000_000,
}


@pytest.mark.parametrize("name", JSON)
def test_bombs_of_json(name: str) -> None:
    with bounded(growth=400 << 20), pytest.raises(SuyuanError):
        read_paper(JSON[name])
    with bounded(), pytest.raises(SuyuanError):
        decode_command(JSON[name], IssueCommand)


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return made.getvalue()


CONTENT_TYPES = (
    b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
)


def ten_gigabytes() -> bytes:
    """A workbook whose directory says 10 GB of zeros (what says less is found while it is unpacked)."""
    data = bytearray(
        zipped({"[Content_Types].xml": CONTENT_TYPES, "xl/worksheets/sheet1.xml": bytes(1 << 20)})
    )
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 0xFFFFFFF0)
    return bytes(data)


def lying() -> bytes:
    """A sheet of 200 MB whose directory says one kilobyte."""
    data = bytearray(
        zipped({"[Content_Types].xml": CONTENT_TYPES, "xl/worksheets/sheet1.xml": bytes(200 << 20)})
    )
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 1024)
    return bytes(data)


def overlapping() -> bytes:
    """A thousand entries of the directory over the same packed bytes."""
    data = zipped({"[Content_Types].xml": CONTENT_TYPES, "xl/worksheets/sheet1.xml": bytes(10 << 20)})
    at = data.rfind(b"PK\x01\x02")
    end = data.rfind(b"PK\x05\x06")
    entry = data[at:end]
    name = b"xl/worksheets/sheet1.xml"
    more = b"".join(
        entry.replace(name, b"xl/worksheets/shee%04d.xml"[: len(name) + 2] % n) for n in range(1000)
    )
    directory = data[data.find(b"PK\x01\x02") : end] + more
    tail = struct.pack(
        "<4s4H2IH", b"PK\x05\x06", 0, 0, 1002, 1002, len(directory), data.find(b"PK\x01\x02"), 0
    )
    return data[: data.find(b"PK\x01\x02")] + directory + tail


ZIP = {
    "zeros": lambda: zipped(
        {"[Content_Types].xml": CONTENT_TYPES, "xl/worksheets/sheet1.xml": bytes(400 << 20)}
    ),
    "ten gigabytes": ten_gigabytes,
    "lying directory": lying,
    "overlapping": overlapping,
    "many entries": lambda: zipped(
        {"[Content_Types].xml": CONTENT_TYPES, **{f"xl/{n}": b"" for n in range(60_000)}}, zipfile.ZIP_STORED
    ),
    "nested": lambda: zipped(
        {"[Content_Types].xml": CONTENT_TYPES, "xl/a.zip": zipped({"b": zipped({"c": bytes(10 << 20)})})}
    ),
    "entities in a sheet": lambda: zipped(
        {
            "[Content_Types].xml": CONTENT_TYPES,
            "xl/workbook.xml": XML["billion laughs"],
            "xl/worksheets/sheet1.xml": XML["billion laughs"],
        }
    ),
    "paths": lambda: zipped({"[Content_Types].xml": CONTENT_TYPES, "../../etc/x": b"", "/etc/y": b""}),
}


@pytest.mark.parametrize("name", ZIP)
def test_bombs_of_zip(name: str) -> None:
    data = ZIP[name]()
    assert len(data) < 10 << 20
    with bounded(), pytest.raises(SuyuanError):
        read_paper(data, name="list.xlsx")


def test_a_backup_that_unfolds(tmp_path: Path) -> None:
    path = tmp_path / "a.backup"
    path.write_bytes(zipped({"manifest.json": bytes(200 << 20), "manifest.note": b""}))
    with bounded(growth=300 << 20), pytest.raises(SuyuanError) as refused, open_archive(path):
        pass
    assert refused.value.code == "backup.corrupt"


@pytest.mark.parametrize("factor", [b"99", b"30", b"9" * 5000, b"0", b"-1", b"1e3", "２".encode()])
def test_a_passphrase_that_would_take_for_ever(factor: bytes) -> None:
    salt, body = base64.b64encode(bytes(16)).rstrip(b"="), base64.b64encode(bytes(32)).rstrip(b"=")
    data = (
        b"age-encryption.org/v1\n-> scrypt "
        + salt
        + b" "
        + factor
        + b"\n"
        + body
        + b"\n--- "
        + body
        + b"\n"
        + bytes(40)
    )
    with bounded(), pytest.raises(SuyuanError):
        age.unseal(data, passphrase="a")


def test_a_recipient_that_is_no_key() -> None:
    """Zero as the other side's point would make the shared secret known to everybody."""
    zero = base64.b64encode(bytes(32)).rstrip(b"=")
    data = b"age-encryption.org/v1\n-> X25519 " + zero + b"\n" + zero + b"\n--- " + zero + b"\n" + bytes(40)
    with pytest.raises(SuyuanError):
        age.unseal(data, identities=[age.new_identity()])


def test_a_certificate_of_no_version() -> None:
    """The library has an error of its own for it, which is no ValueError."""
    der = signing.certificate(signing.rsa_key())
    assert der.count(b"\xa0\x03\x02\x01\x02") == 1
    with pytest.raises(SuyuanError) as refused:
        read_certificate(der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x42"))
    assert refused.value.code == "certificate.unreadable"
