from __future__ import annotations

import asyncio
import os
import random
import re
import threading
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.db.pool import Pool
from suyuan.errors import InputError, IntegrityError, NotFoundError
from suyuan.vault import (
    PersonDocument,
    SealedPart,
    Vault,
    VaultKeys,
    erase_subject,
    is_pseudonym,
    journal_erasure,
    keys,
    list_reveals,
    read_erasure_journal,
    replay_erasures,
)

BUYER = ("id_number", "990101199001010014")
ORDER = PersonDocument("order", "example-mall", "EM20251008201432000017")


@pytest.fixture
def vault() -> Vault:
    return Vault(VaultKeys(bytes(32), bytes(range(32))))


async def sealed(
    pool: Pool, vault: Vault, *parts: bytes, numbers: tuple[PersonDocument, ...] = ()
) -> list[SealedPart]:
    async with pool.acquire() as conn, conn.transaction():
        return await vault.seal_parts(conn, [(BUYER, part) for part in parts], numbers)


def test_a_pseudonym_stays_and_says_nothing(vault: Vault) -> None:
    pseudonym = vault.pseudonym(*ORDER)
    assert pseudonym == vault.pseudonym("order", "example-mall", " em20251008201432000017 ")
    assert vault.pseudonym("waybill", "", "ＳＦ１３９") == vault.pseudonym("waybill", "", "sf139")
    assert is_pseudonym(pseudonym)
    assert not is_pseudonym("urn:suyuan:raw:order:example-mall:EM2025")
    assert not is_pseudonym("urn:suyuan:declaration:516620251000123456")
    others = {
        vault.pseudonym("payment", "example-mall", ORDER.number),
        vault.pseudonym("order", "", ORDER.number),
        vault.pseudonym("order", "example-mallE", ORDER.number[1:]),
        Vault(VaultKeys(bytes([1] * 32), bytes(range(32)))).pseudonym(*ORDER),
    }
    assert len(others | {pseudonym}) == 5


@settings(max_examples=60, deadline=None)
@given(*[st.tuples(st.text(max_size=6), st.text(min_size=1, max_size=6).filter(str.strip))] * 2)
def test_no_two_documents_share_a_pseudonym(one: tuple[str, str], two: tuple[str, str]) -> None:
    from suyuan.vault import normal_number

    vault = Vault(VaultKeys(bytes(32), bytes(range(32))))
    if all(normal_number(number) for _, number in (one, two)):
        same = [*map(normal_number, one)] == [*map(normal_number, two)]
        assert (vault.pseudonym("order", *one) == vault.pseudonym("order", *two)) is same


def test_what_cannot_be_named_is_refused(vault: Vault) -> None:
    for kind, number, code in [
        ("Order", "1", "vault.kind"),
        ("order", " ", "vault.number"),
        ("order", "1" * 201, "vault.number"),
    ]:
        with pytest.raises(InputError) as caught:
            vault.pseudonym(kind, "", number)
        assert caught.value.code == code
        assert "1" * 201 not in str(caught.value)
    with pytest.raises(InputError):
        vault.subject_id(("id_number",))
    with pytest.raises(InputError):
        VaultKeys(bytes(32), bytes(32))
    assert "00000000" not in repr(VaultKeys(bytes(32), bytes(range(32))))


async def test_sealed_parts_open_again(pool: Pool, vault: Vault) -> None:
    parts = await sealed(pool, vault, b"Zhang San", b"", numbers=(ORDER,))
    assert parts[0].subject_id == vault.subject_id(BUYER)
    assert b"Zhang" not in parts[0].sealed
    assert await vault.unseal_parts(pool, parts) == [b"Zhang San", b""]
    again = await sealed(pool, vault, b"Zhang San", numbers=(ORDER,))
    assert again[0].sealed != parts[0].sealed
    assert await vault.unseal_parts(pool, again) == [b"Zhang San"]
    assert await pool.fetchval("SELECT count(*) FROM vault_subject") == 2
    # once under its pseudonym, once under the name that is found without the issuer
    assert await pool.fetchval("SELECT count(*) FROM vault_number") == 2


async def test_much_is_sealed_where_nobody_waits_for_it(
    pool: Pool, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()

    def seal(*given: bytes) -> bytes:
        threads.add(threading.get_ident())
        return keys.seal(*given)

    monkeypatch.setattr("suyuan.vault.vault.seal", seal)
    photo = os.urandom(3_000_000)
    async with pool.acquire() as conn, conn.transaction():
        [part] = await vault.seal_parts(conn, [(("label-images", "2026-03-01"), photo)])
    assert threads and threading.get_ident() not in threads
    assert await vault.unseal_parts(pool, [part]) == [photo]


async def test_a_capture_that_fails_leaves_nothing(pool: Pool, vault: Vault) -> None:
    with pytest.raises(RuntimeError, match="power"):
        async with pool.acquire() as conn, conn.transaction():
            await vault.seal_parts(conn, [(BUYER, b"x")], [ORDER])
            raise RuntimeError("power")
    assert await pool.fetchval("SELECT count(*) FROM vault_subject") == 0
    with pytest.raises(RuntimeError, match="transaction"):
        async with pool.acquire() as conn:
            await vault.seal_parts(conn, [(BUYER, b"x")])


async def test_tampering_and_wrong_keys_are_noticed(pool: Pool, vault: Vault) -> None:
    [part] = await sealed(pool, vault, b"Zhang San")
    changed = part._replace(sealed=part.sealed[:-1] + bytes([part.sealed[-1] ^ 1]))
    with pytest.raises(IntegrityError) as caught:
        await vault.unseal_parts(pool, [changed])
    assert caught.value.code == "vault.sealed"
    with pytest.raises(IntegrityError):
        await vault.unseal_parts(pool, [part._replace(sealed=b"\x02" + part.sealed[1:])])
    with pytest.raises(IntegrityError) as caught:
        await Vault(VaultKeys(bytes(32), bytes([9] * 32))).unseal_parts(pool, [part])
    assert caught.value.code == "vault.wrapped_key"


async def test_captures_that_share_subjects_never_deadlock(pool: Pool, vault: Vault) -> None:
    subjects = [("id_number", f"{number:018d}") for number in range(40)]
    documents = [PersonDocument("order", "mall", f"{number}") for number in range(40)]

    async def capture(seed: int) -> None:
        chance = random.Random(seed)
        chosen = chance.sample(subjects, 20)
        async with pool.acquire() as conn, conn.transaction():
            parts = await vault.seal_parts(
                conn, [(subject, subject[1].encode()) for subject in chosen], chance.sample(documents, 20)
            )
            await asyncio.sleep(0)
            assert await vault.unseal_parts(conn, parts) == [subject[1].encode() for subject in chosen]

    await asyncio.gather(*(capture(seed) for seed in range(60)))
    assert await pool.fetchval("SELECT count(*) FROM vault_subject") == 80
    assert await pool.fetchval("SELECT count(*) FROM vault_number") == 80


async def test_captures_and_erasures_together_lose_nothing(pool: Pool, vault: Vault) -> None:
    subject_id = vault.subject_id(BUYER)

    async def capture() -> SealedPart:
        [part] = await sealed(pool, vault, b"here", numbers=(ORDER,))
        return part

    async def erase() -> None:
        await erase_subject(pool, subject_id, party_id="operator", reason="request of the subject")

    await asyncio.gather(*(capture() if number % 3 else erase() for number in range(60)))
    await erase()
    part = await capture()
    assert await vault.unseal_parts(pool, [part]) == [b"here"]


async def test_a_reveal_is_journalled_even_if_it_fails_later(pool: Pool, vault: Vault) -> None:
    parts = await sealed(pool, vault, b"Zhang San", b"Chengdu", numbers=(ORDER,))
    assert await vault.reveal_parts(pool, parts, party_id="operator", reason="complaint 17") == [
        b"Zhang San",
        b"Chengdu",
    ]
    found = await vault.reveal_number(
        pool, vault.pseudonym(*ORDER), party_id="regulator", reason="spot check", by="person-1"
    )
    assert found == ORDER
    newest, oldest = await list_reveals(pool)
    assert (oldest.party_id, oldest.reason, oldest.subject_id) == (
        "operator",
        "complaint 17",
        vault.subject_id(BUYER),
    )
    assert newest.subject_id == vault.subject_id(ORDER.subject)
    assert (newest.actor, oldest.actor) == ("person-1", "")
    assert await list_reveals(pool, subject_id=vault.subject_id(BUYER)) == [oldest]
    assert await list_reveals(pool, before=newest.reveal_id) == [oldest]
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(InputError):
            await vault.reveal_parts(pool, parts, party_id="operator", reason=reason)
    with pytest.raises(NotFoundError):
        await vault.reveal_number(pool, vault.pseudonym("order", "", "7"), party_id="operator", reason="look")
    assert len(await list_reveals(pool)) == 2


async def test_a_number_is_found_without_its_issuer(pool: Pool, vault: Vault) -> None:
    theirs = PersonDocument("order", "other-mall", ORDER.number)
    near = PersonDocument("order", "example-mall", ORDER.number + "1")
    await sealed(pool, vault, numbers=(ORDER, theirs, near, PersonDocument("payment", "", ORDER.number)))
    names = {vault.pseudonym(*ORDER), vault.pseudonym(*theirs)}

    async def found(issuer: str | None = None, kind: str = "order", number: str = ORDER.number) -> set[str]:
        return {one.pseudonym for one in await vault.find_numbers(pool, kind, number, issuer)}

    assert await found() == await found(number=f" {ORDER.number.lower()}") == names
    assert await found("other-mall") == {vault.pseudonym(*theirs)}
    assert await found("nobody") == await found(kind="waybill") == await found(number="EM") == set()
    assert await vault.issuers_of(pool, sorted(names)) == [
        {vault.pseudonym(*ORDER): "example-mall", vault.pseudonym(*theirs): "other-mall"}[name]
        for name in sorted(names)
    ]
    rows = [str(dict(row)) for row in await pool.fetch("SELECT * FROM vault_number")]
    assert not any(ORDER.number in row or "mall" in row for row in rows)
    await erase_subject(pool, vault.subject_id(ORDER.subject), party_id="operator", reason="request")
    assert await found() == await found("other-mall") == {vault.pseudonym(*theirs)}


def test_a_token_is_one_partys_and_ends(vault: Vault) -> None:
    end = datetime(2025, 11, 1, 12, tzinfo=UTC)
    names = [vault.pseudonym(*ORDER)]
    token = vault.make_token("mall", names, end)
    assert vault.open_token("mall", token, end - timedelta(seconds=1)) == (tuple(names), end)
    assert vault.make_token("mall", names, end) != token
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
    flipped = ("B" if token[40] == "A" else "A").join((token[:40], token[41:]))
    other = Vault(VaultKeys(bytes([1] * 32), bytes(range(32)))).make_token("mall", names, end)
    for party, given_token, now in [
        ("mall", token, end),
        ("stranger", token, end - timedelta(hours=1)),
        ("mall", flipped, end - timedelta(hours=1)),
        ("mall", other, end - timedelta(hours=1)),
        ("mall", "", end - timedelta(hours=1)),
        ("mall", "é" * 50, end - timedelta(hours=1)),
        ("mall", "A" * 10_000, end - timedelta(hours=1)),
    ]:
        with pytest.raises(NotFoundError) as caught:
            vault.open_token(party, given_token, now)
        assert caught.value.code == "vault.token.unknown"


async def test_an_erased_subject_is_gone_and_may_come_back(pool: Pool, vault: Vault) -> None:
    [old] = await sealed(pool, vault, b"Zhang San", numbers=(ORDER,))
    subject_id = vault.subject_id(BUYER)
    assert await erase_subject(pool, subject_id, party_id="operator", reason="request of the subject")
    assert not await erase_subject(pool, subject_id, party_id="operator", reason="request of the subject")
    assert await erase_subject(pool, vault.subject_id(ORDER.subject), party_id="operator", reason="request")
    assert await vault.unseal_parts(pool, [old]) == [None]
    assert await pool.fetchval("SELECT count(*) FROM vault_number") == 0
    with pytest.raises(NotFoundError):
        await vault.reveal_number(pool, vault.pseudonym(*ORDER), party_id="operator", reason="look")
    [new] = await sealed(pool, vault, b"Zhang San")
    assert await vault.unseal_parts(pool, [old, new]) == [None, b"Zhang San"]
    assert await replay_erasures(pool) == 0
    assert await vault.unseal_parts(pool, [new]) == [b"Zhang San"]


async def test_nobody_else_can_delete_or_change(pool: Pool, vault: Vault) -> None:
    await sealed(pool, vault, b"x", numbers=(ORDER,))
    await erase_subject(pool, os.urandom(16), party_id="operator", reason="request")
    for table in ("vault_subject", "vault_number", "erasure_journal"):
        column = await pool.fetchval(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = $1 AND data_type IN ('bytea', 'text')",
            table,
        )
        for statement in (
            f"DELETE FROM {table}",
            f"UPDATE {table} SET {column} = {column}",
            f"TRUNCATE {table}",
        ):
            with pytest.raises(asyncpg.PostgresError):
                await pool.execute(statement)
    for statement in (
        "DELETE FROM erasure_journal",
        "UPDATE vault_subject SET wrapped_key = ''",
        "SELECT * FROM vault_reveal",
    ):
        with pytest.raises(asyncpg.PostgresError):
            async with pool.acquire() as conn, conn.transaction():
                await conn.execute("SET LOCAL ROLE suyuan_eraser")
                await conn.execute(statement)


async def test_a_restored_backup_forgets_again(pool: Pool, vault: Vault) -> None:
    parts = await sealed(pool, vault, b"Zhang San", numbers=(ORDER,))
    # What a journal kept outside says of a database that was restored to the time before the erasure.
    elsewhere = await journal_erasure(
        pool, "subject", os.urandom(16).hex(), party_id="operator", reason="request"
    )
    later = elsewhere.erased_at + timedelta(seconds=1)
    entries = [
        msgspec.structs.replace(elsewhere, reference=vault.subject_id(subject).hex(), erased_at=later)
        for subject in (BUYER, ORDER.subject)
    ]
    assert await replay_erasures(pool, [elsewhere, *entries]) == 2
    assert await vault.unseal_parts(pool, parts) == [None]
    assert await replay_erasures(pool, [elsewhere, *entries]) == 0
    assert await read_erasure_journal(pool) == [
        elsewhere,
        *sorted(entries, key=lambda entry: entry.erased_at),
    ]


async def test_an_interrupted_erasure_is_finished(pool: Pool, vault: Vault) -> None:
    parts = await sealed(pool, vault, b"Zhang San")
    await journal_erasure(
        pool, "subject", vault.subject_id(BUYER).hex(), party_id="operator", reason="request of the subject"
    )
    assert await vault.unseal_parts(pool, parts) == [b"Zhang San"]
    assert await replay_erasures(pool) == 1
    assert await vault.unseal_parts(pool, parts) == [None]
