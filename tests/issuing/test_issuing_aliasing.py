"""Importing other systems' codes: all rows or none, by who may, found by trace afterwards."""

from __future__ import annotations

import io
from typing import BinaryIO

import pytest
from deployment import GTIN, LOT, Deployment, commissioned, item, observed, withdrawn

from suyuan.capture.prepare import Deliverer
from suyuan.errors import InputError
from suyuan.issuing import aliasing, find_batches, void
from suyuan.issuing.alias_rows import rows_of_list, rows_of_range
from suyuan.issuing.aliasing import AliasImport, import_aliases
from suyuan.issuing.foreign_codes import CodeSystem, code_range

CCIC = CodeSystem("ccic")
URL = CodeSystem("url")


def label(number: int) -> str:
    return f"{204200000 + number:015d}"


def label_uri(number: int) -> str:
    return f"urn:suyuan:label:ccic:{label(number)}"


async def take(
    deployment: Deployment, party: Deliverer, text: str | bytes, system: CodeSystem = CCIC
) -> AliasImport:
    data = text.encode() if isinstance(text, str) else text

    def opened() -> BinaryIO:
        return io.BytesIO(data)

    return await import_aliases(deployment.pool, deployment.capture, system, rows_of_list(opened), party)


async def test_an_item_is_found_by_the_other_code(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    serials = await deployment.issued(3, maker)
    await deployment.say(maker, commissioned("2025-09-01", item(serials[0])))
    done = await take(
        deployment,
        maker,
        f"code,item\r\n{label(1)},{item(serials[0])}\r\n{label(2)},HTTPS://SHOP.EXAMPLE/01/{GTIN}/21/{serials[1]}\r\n",
    )
    assert (done.count, done.repeated, len(done.capture_ids)) == (2, 0, 1)
    found = await deployment.trace(label_uri(1))
    assert item(serials[0]) in found.aliases
    assert any(fact.biz_step.endswith("commissioning") for fact in found.facts)
    assert (await deployment.trace(item(serials[1]))).aliases == (label_uri(2),)
    own = "https://brand.example/x/123"
    await take(deployment, maker, f"item,code\n{item(serials[0])},{own}\n", URL)
    found = await deployment.trace(own)
    assert item(serials[0]) in found.aliases
    assert any(fact.biz_step.endswith("commissioning") for fact in found.facts)
    assert set((await deployment.trace(item(serials[0]))).aliases) == {label_uri(1), own}


async def test_a_range_on_the_labels_of_a_batch(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aliasing, "PORTION", 7)
    maker = await deployment.member("maker")
    serials = await deployment.issued(60, maker)
    [batch] = await find_batches(deployment.pool, GTIN, LOT)
    told: list[int] = []
    codes = code_range(label(1), label(50))
    done = await import_aliases(
        deployment.pool,
        deployment.capture,
        CCIC,
        rows_of_range(batch, codes, 11),
        maker,
        progress=told.append,
    )
    assert (done.count, len(done.capture_ids)) == (50, 8)
    assert told == [7, 14, 21, 28, 35, 42, 49, 50]
    for number in (1, 8, 50):
        assert (await deployment.trace(label_uri(number))).aliases == (item(serials[9 + number]),)
    # The same range again says nothing new; one more code says one thing more.
    again = await import_aliases(
        deployment.pool,
        deployment.capture,
        CCIC,
        rows_of_range(batch, code_range(label(0), label(50)), 10),
        maker,
    )
    assert (again.count, again.repeated) == (1, 50)
    for first, last in ((12, 50), (0, 5)):
        with pytest.raises(InputError) as refusal:
            rows_of_range(batch, code_range(label(1), label(last)), first)
        assert refusal.value.code == "issuing.alias.length"


async def test_each_bad_row_is_named_and_nothing_is_imported(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    stranger = await deployment.member("stranger")
    serials = await deployment.issued(6, maker)
    await take(deployment, maker, f"code,item\n{label(1)},{item(serials[0])}\n")
    await void(deployment.pool, gtin=GTIN, lot=LOT, serials=serials[5:], party_id="maker", reason="torn")
    before = await deployment.counts()
    good = f"{label(9)},{item(serials[1])}\n"
    for party, rows, line, words in (
        (maker, f"123,{item(serials[1])}\n", 3, "fifteen digits"),
        (maker, f"{label(2)},{item(serials[1])[:-1]}*\n", 3, "nothing is known of the item"),
        (maker, f"{label(2)},https://x.example/01/{GTIN}\n", 3, "is no item"),
        (maker, f"{label(2)},\n", 3, "is no item"),
        (maker, f"{label(2)}\n", 3, "is no item"),
        (maker, f"{label(2)},{label_uri(3)}\n", 3, "is no item"),
        (maker, f"{label(2)},{item('0NOBODY')}\n", 3, "nothing is known of the item"),
        (maker, f"{label(1)},{item(serials[2])}\n", 3, "another item already"),
        (maker, f"\n{label(2)},{item(serials[5])}\n", 4, "is voided"),
        (maker, f"{label(9)},{item(serials[2])}\n", 2, "in several rows"),
        (stranger, "", 2, "neither issued"),
    ):
        with pytest.raises(InputError) as refusal:
            await take(deployment, party, f"code,item\n{good}{rows}")
        assert (refusal.value.code, refusal.value.path) == ("issuing.alias.rows", f"line {line}"), rows
        assert words in refusal.value.reason
    many = "".join(f"{n},{item(serials[1])}\n" for n in range(30))
    with pytest.raises(InputError) as refusal:
        await take(deployment, maker, f"code,item\n{many}")
    assert refusal.value.reason.startswith("30 of 30 rows")
    assert refusal.value.reason.endswith("; and 10 more.")
    twice = "".join(f"{label(9)},{item(serials[1])}\n" for _ in range(30))
    with pytest.raises(InputError) as refusal:
        await take(deployment, maker, f"code,item\n{twice}")
    assert refusal.value.reason.endswith("; and 10 more.")
    for text, code in (
        ("code,item\n", "issuing.alias.empty"),
        ("", "issuing.alias.columns"),
        ("a,b\n1,2\n", "issuing.alias.columns"),
        (b"code,item\n\xff\xfe,1\n", "issuing.alias.text"),
        ("code,item\n" + "x" * 3000, "issuing.alias.text"),
        ('code,item\n"' + "x\n" * 90_000, "issuing.alias.text"),
    ):
        with pytest.raises(InputError) as refusal:
            await take(deployment, maker, text)
        assert refusal.value.code == code, text[:30]
    assert await deployment.counts() == before


async def test_whoever_put_the_other_code_to_use_may_import_it(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    inspector = await deployment.member("inspector", "inspector")
    [serial] = await deployment.issued(1, maker)
    await deployment.say(inspector, commissioned("2025-10-20", label_uri(1), lot=""))
    done = await take(deployment, inspector, f"code,item\n{label(1)},{item(serial)}\n")
    assert done.count == 1
    assert (await deployment.trace(item(serial))).aliases == (label_uri(1),)


async def test_an_alias_that_was_taken_back_can_be_said_anew(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    serials = await deployment.issued(2, maker)
    said = observed(
        "2025-09-02T10:00:00+08:00", item(serials[0]), label_uri(1), bizStep="urn:suyuan:bizstep:aliasing"
    )
    await deployment.say(maker, said)
    row = f"code,item\n{label(1)},{item(serials[1])}\n"
    with pytest.raises(InputError):
        await take(deployment, maker, row)
    await deployment.say(maker, withdrawn(said))
    assert (await take(deployment, maker, row)).count == 1
    assert (await deployment.trace(label_uri(1))).aliases == (item(serials[1]),)
