from __future__ import annotations

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.catalog import (
    Place,
    Product,
    find_places,
    find_products,
    get_place,
    get_product,
    list_places,
    list_products,
    put_places,
    put_products,
    read_places_csv,
    read_products_csv,
)
from suyuan.db.pool import Pool
from suyuan.errors import InputError, NotFoundError, SuyuanError, TooLargeError

FORMULA = Product(
    gtin="08710000001236",
    name_zh="绿野婴幼儿配方奶粉3段",
    name_original="Groene Wei peutermelk 3",
    language_original="nl",
    producer="groene-wei",
    origin_country="NL",
)
GATE = Place(
    uri="urn:suyuan:place:CNNSA:5165", name_zh="南沙综合保税区", unlocode="CNNSA", customs_code="5165"
)
WAREHOUSE = Place(uri="urn:epc:id:sgln:9520000.00003.0", name_en="Haimen", warehouse=True)


async def test_the_newest_version_counts(pool: Pool) -> None:
    assert await put_products(pool, [FORMULA], recorded_by="operator") == 1
    assert await put_products(pool, [FORMULA], recorded_by="operator") == 0
    renamed = Product(gtin="8710000001236", name_zh="绿野3段", origin_country="NL")
    assert await put_products(pool, [renamed], recorded_by="operator") == 1
    found = await get_product(pool, "8710000001236")
    assert (found.name_zh, found.producer) == ("绿野3段", "")
    assert await put_products(pool, [FORMULA], recorded_by="operator") == 1
    assert await get_product(pool, FORMULA.gtin) == FORMULA
    assert await find_products(pool, [FORMULA.gtin, "18710000001233"]) == {FORMULA.gtin: FORMULA}
    assert await list_products(pool) == [FORMULA]
    assert await pool.fetchval("SELECT count(*) FROM product") == 3
    with pytest.raises(NotFoundError):
        await get_product(pool, "18710000001233")


async def test_places_are_found_by_their_canonical_uri(pool: Pool) -> None:
    assert await put_places(pool, [GATE, WAREHOUSE], recorded_by="operator") == 2
    uri = "https://id.gs1.org/414/9520000000035"
    assert (await get_place(pool, "urn:epc:id:sgln:9520000.00003.0")).warehouse
    assert set(await find_places(pool, [uri, GATE.uri, "urn:x:y"])) == {uri, GATE.uri}
    assert [place.uri for place in await list_places(pool)] == [uri, GATE.uri]
    assert await list_places(pool, after=uri) == [GATE]
    with pytest.raises(NotFoundError):
        await get_place(pool, "urn:suyuan:place:NLRTM")


async def test_versions_never_change(pool: Pool) -> None:
    await put_products(pool, [FORMULA], recorded_by="operator")
    for statement in ("UPDATE product SET recorded_by = 'x'", "DELETE FROM product", "TRUNCATE product"):
        with pytest.raises(asyncpg.PostgresError):
            await pool.execute(statement)


async def test_one_bad_record_stores_nothing(pool: Pool) -> None:
    with pytest.raises(InputError):
        await put_products(pool, [FORMULA, Product(gtin="18710000001234", name_zh="箱")], recorded_by="x")
    with pytest.raises(InputError) as caught:
        await put_products(pool, [FORMULA, FORMULA], recorded_by="x")
    assert caught.value.code == "catalog.twice"
    assert await list_products(pool) == []


def test_products_are_read_as_spreadsheets_save_them() -> None:
    plain = "gtin,name_zh,origin_country\n8710000001236,绿野 3段,NL\n\n18710000001233,箱,NL\n"
    expected = read_products_csv(plain.encode())
    assert [product.gtin for product in expected] == ["08710000001236", "18710000001233"]
    for data in (
        plain.encode("utf-8-sig"),
        plain.replace(",", ";").replace("\n", "\r\n").encode("gb18030"),
        plain.replace(",", "\t").encode(),
        plain.replace("gtin", "商品条码").replace("name_zh", "商品名称").encode("gb18030"),
    ):
        assert read_products_csv(data) == expected


def test_places_are_read_with_their_flag() -> None:
    data = (
        "uri,name_en,city_zh,unlocode,customs_code,warehouse\n"
        "urn:suyuan:place:CNNSA:5165,Nansha,广州,CNNSA,5165,no\n"
        '"https://id.gs1.org/414/9520000000035","Haimen, store 2",广州,CNNSA,5165,是\n'
    ).encode()
    gate, store = read_places_csv(data)
    assert (gate.warehouse, gate.city_zh) == (False, "广州")
    assert (store.warehouse, store.name_en) == (True, "Haimen, store 2")


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        ("", "catalog.csv.header", "line 1"),
        ("name_zh\n箱\n", "catalog.csv.header", "line 1"),
        ("gtin,nmae_zh\n1,2\n", "catalog.csv.header", "line 1"),
        ("gtin,gtin\n1,2\n", "catalog.csv.header", "line 1"),
        ("gtin,name_zh\n8710000001236,箱\n8.71E+12,罐\n", "catalog.gtin.form", "line 3, column gtin"),
        ("gtin,name_zh\n8710000001237,罐\n", "catalog.gtin.check", "line 2, column gtin"),
        ("gtin,name_zh\n8710000001236\n", "catalog.csv.columns", "line 2"),
        ("gtin,name_zh\n8710000001236,\n", "catalog.name", "line 2, column name_zh"),
        ('gtin,name_zh\n8710000001236,"a\n', "catalog.csv.malformed", "line 2"),
        ("gtin,name_zh,origin_country\n8710000001236,罐,528\n", "catalog.origin_country", None),
        ("gtin,name_zh\n8710000001236,罐\n08710000001236,罐\n", "catalog.csv.twice", "line 3, column gtin"),
        (f"gtin,name_zh\n8710000001236,{'罐' * 501}\n", "catalog.text", "line 2, column name_zh"),
    ],
)
def test_an_error_names_line_and_column(text: str, code: str, path: str | None) -> None:
    with pytest.raises(InputError) as caught:
        read_products_csv(text.encode())
    assert caught.value.code == code
    assert path is None or caught.value.path == path


def test_places_that_cannot_be_are_refused() -> None:
    for row, code in [
        ("nowhere,x,", "catalog.uri"),
        ("https://id.gs1.org/414/9520000000036,x,", "catalog.gln.check"),
        ("urn:suyuan:place:NLRTM,x,maybe", "catalog.flag"),
    ]:
        with pytest.raises(InputError) as caught:
            read_places_csv(f"uri,name_en,warehouse\n{row}\n".encode())
        assert caught.value.code == code


def test_a_file_too_large_is_not_read() -> None:
    with pytest.raises(TooLargeError):
        read_products_csv(b"x" * 20_000_001)
    with pytest.raises(InputError) as caught:
        read_products_csv("gtin,name_zh\n1,2\n".encode("utf-16"))
    assert caught.value.code == "catalog.csv.encoding"


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=120).map(lambda text: ("gtin,name_zh\n" + text).encode()))
def test_any_bytes_give_products_or_our_own_error(data: bytes) -> None:
    try:
        read_products_csv(data)
    except SuyuanError as error:
        assert error.code.startswith("catalog.")
