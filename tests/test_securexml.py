"""XML from strangers: bounded, no DTDs, and the bytes of every value found again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.errors import InputError, SuyuanError, TooLargeError
from suyuan.securexml import read_xml


def test_ranges_of_content():
    data = b'<?xml version="1.0"?>\n<a x=">" y=\'"\'><b>\xe6\xba\xaf &amp; x</b ><c/><d z="1"></d></a>'
    document = read_xml(data)
    spans = {item.name: data[slice(*document.byte_range(item))] for item in document.root.iter()}
    assert spans["b"] == "溯 &amp; x".encode()
    assert spans["c"] == spans["d"] == b""
    assert spans["a"].startswith(b"<b>")
    assert document.root.attributes == {"x": ">", "y": '"'}
    assert document.root.find("b").text == "溯 & x"


@pytest.mark.parametrize("encoding", ["GB2312", "gbk", "GB18030"])
def test_chinese_encodings_keep_their_ranges(encoding: str):
    data = f'<?xml version="1.0" encoding="{encoding}"?><a><n>收货人</n><b>广州</b></a>'.encode("gb18030")
    document = read_xml(data)
    name = document.root.find("n")
    start, end = document.byte_range(name)
    assert data[start:end].decode("gb18030") == "收货人" == name.text


def test_paths():
    root = read_xml(b"<a><b/><b><c/></b></a>").root
    assert root.find_all("b")[1].find("c").path == "/a/b[2]/c"


def test_a_doctype_that_declares_nothing():
    assert read_xml(b"<!DOCTYPE project><a/>").root.name == "a"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "xml.malformed"),
        (b"<a>", "xml.malformed"),
        (b"<a></b>", "xml.malformed"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "xml.doctype.forbidden"),
        (b'<!DOCTYPE a SYSTEM "http://x/y.dtd"><a/>', "xml.doctype.forbidden"),
        (b'<!DOCTYPE a PUBLIC "p" "http://x/y.dtd"><a/>', "xml.doctype.forbidden"),
        ("<?xml version='1.0' encoding='utf-16'?><a/>".encode("utf-16"), "xml.encoding.unsupported"),
        (b"<?xml version='1.0' encoding='gbk'?><a>\xff\xff</a>", "xml.encoding.broken"),
    ],
)
def test_refusals(data: bytes, code: str):
    with pytest.raises(InputError) as caught:
        read_xml(data)
    assert caught.value.code == code


def test_limits():
    for data, code in (
        (b"<a>" * 1_000_000, "xml.depth.exceeded"),
        (b"<a>" + b"<b/>" * 200 + b"</a>", "xml.elements.exceeded"),
        (b"<a " + b" ".join(b'x%d=""' % number for number in range(100)) + b"/>", "xml.attributes.exceeded"),
    ):
        with pytest.raises(TooLargeError) as caught:
            read_xml(data, max_elements=100)
        assert caught.value.code == code


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=120), st.sampled_from([b"", b"<a>", b'<?xml version="1.0" encoding="gbk"?><a>']))
def test_any_bytes(data: bytes, before: bytes):
    try:
        document = read_xml(before + data)
    except SuyuanError:
        return
    for element in document.root.iter():
        start, end = document.byte_range(element)
        assert 0 <= start <= end <= len(before + data)


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)


@settings(max_examples=80, deadline=None)
@given(st.lists(texts, min_size=1, max_size=6))
def test_every_text_is_found_in_the_bytes(words: list[str]):
    clean = [word.replace("&", "").replace("<", "").replace(">", "").strip() for word in words]
    data = ("<a>" + "".join(f"<b k='>'>{word}</b>" for word in clean) + "</a>").encode()
    document = read_xml(data)
    for element, word in zip(document.root.children, clean, strict=True):
        start, end = document.byte_range(element)
        assert data[start:end].decode() == word
