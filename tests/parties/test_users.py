"""Accounts without a browser: what a password must be, codes, links, the last admin, what the command line does."""

from __future__ import annotations

import json
from pathlib import Path

import pyotp
import pytest

from suyuan.db.pool import Connection, Pool, transaction
from suyuan.errors import ConflictError, InputError, IntegrityError, NotFoundError, RefusedError, SuyuanError
from suyuan.parties import Party, add_party
from suyuan.parties.origins import network_of
from suyuan.parties.passwords import check_password, hash_password, verify_password
from suyuan.parties.totp import (
    STEP_SECONDS,
    UserKeys,
    looks_like_recovery_code,
    new_recovery_codes,
    recovery_digest,
    totp_step,
)
from suyuan.parties.users import add_user, disable_user, enable_user, list_users, set_user_role
from suyuan.parties.users_links import get_link, make_link, take_link


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "user.password.length"),
        ("x" * 129, "user.password.length"),
        ("abababababab", "user.password.weak"),
        ("linlinlinlin", "user.password.weak"),
        ("korenbloem staal", ""),
        ("盐田港的集装箱在黎明前到了", ""),
    ],
)
def test_what_a_password_must_be(password: str, code: str) -> None:
    found = ""
    try:
        check_password(password, "lin")
    except InputError as error:
        found = error.code
    assert found == code


async def test_a_password_is_the_same_however_it_is_typed() -> None:
    stored = await hash_password("caf\u00e9 staal zeven")
    assert stored.startswith("$argon2id$")
    assert await verify_password(stored, "cafe\u0301 staal zeven")
    assert not await verify_password(stored, "cafe staal zeven")
    assert not await verify_password(None, "caf\u00e9 staal zeven")


def test_a_code_is_good_for_its_step_and_the_ones_beside_it_and_never_again() -> None:
    secret = pyotp.random_base32()
    code, now = pyotp.TOTP(secret).at(1_000_000_000), 1_000_000_000
    step = now // STEP_SECONDS
    assert totp_step(secret, f"{code[:3]} {code[3:]}", 0, now=now) == step
    assert totp_step(secret, code, 0, now=now + STEP_SECONDS) == step
    assert totp_step(secret, code, 0, now=now + 3 * STEP_SECONDS) is None
    assert totp_step(secret, code, step, now=now) is None
    assert totp_step(secret, "12345", 0, now=now) is None


def test_a_sealed_secret_opens_for_its_user_and_key_alone() -> None:
    keys = UserKeys(bytes(32))
    sealed = keys.seal("us-a", "SECRET")
    assert keys.unseal("us-a", sealed) == "SECRET"
    for other, user in ((keys, "us-b"), (UserKeys(b"1" * 32), "us-a")):
        with pytest.raises(IntegrityError) as caught:
            other.unseal(user, sealed)
        assert caught.value.code == "user.totp.sealed"


def test_recovery_codes_are_known_in_any_spelling() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == 10
    assert recovery_digest(codes[0].upper().replace("-", " ")) == recovery_digest(codes[0])
    assert looks_like_recovery_code(codes[0])
    assert not looks_like_recovery_code("123456")


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.77", "203.0.113.0/24"), ("2001:db8:1:2::7", "2001:db8:1::/48"), ("::ffff:192.0.2.9", "192.0.2.0/24"),
     ("unix:", "")],
)  # fmt: skip
def test_of_an_address_its_network_is_kept(address: str, network: str) -> None:
    assert network_of(address) == network


async def test_names_are_unique_and_the_last_admin_stays(pool: Pool) -> None:
    await add_party(pool, Party(party_id="haimen", name_en="Haimen", name_zh="海门"))
    wu = await add_user(pool, "Wu", "haimen", "admin")
    assert wu.user_name == "wu"
    for name, party, role, code in (
        ("WU", "haimen", "worker", "user.exists"),
        ("w u", "haimen", "worker", "user.name.form"),
        ("lin", "haimen", "boss", "user.role.unknown"),
        ("lin", "nobody", "worker", "party.unknown"),
    ):
        with pytest.raises((ConflictError, InputError, NotFoundError)) as caught:
            await add_user(pool, name, party, role)
        assert caught.value.code == code

    async def close(conn: Connection) -> None:
        await disable_user(conn, wu.user_id)

    async def lower(conn: Connection) -> None:
        await set_user_role(conn, wu.user_id, "worker")

    for work in (close, lower):
        with pytest.raises(RefusedError) as refused:
            await transaction(pool, work)
        assert refused.value.code == "user.last_admin"
    lin = await add_user(pool, "lin", "haimen", "admin")
    await transaction(pool, close)
    assert {one.user_name: one.disabled_at is None for one in await list_users(pool, "haimen")} == {
        "lin": True,
        "wu": False,
    }
    assert lin.may("worker")
    await transaction(pool, lambda conn: enable_user(conn, wu.user_id))
    assert all(one.disabled_at is None for one in await list_users(pool))


async def test_a_link_is_used_once_and_for_its_purpose(pool: Pool) -> None:
    await add_party(pool, Party(party_id="haimen", name_en="Haimen", name_zh="海门"))
    wu = await add_user(pool, "wu", "haimen", "admin")
    secret, _ = await transaction(pool, lambda conn: make_link(conn, wu.user_id, "set-up"))
    assert (await get_link(pool, secret)).purpose == "set-up"
    with pytest.raises(NotFoundError):
        await transaction(pool, lambda conn: take_link(conn, secret, "enter"))
    assert (await transaction(pool, lambda conn: take_link(conn, secret, "set-up"))).user_id == wu.user_id
    for again in (secret, "a" * 52, "ü", ""):
        with pytest.raises(NotFoundError) as caught:
            await transaction(pool, lambda conn, again=again: take_link(conn, again, "set-up"))
        assert caught.value.code == "user.link.dead"


def test_the_command_line_adds_lists_resets_and_closes(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from suyuan.cli.main import app

    monkeypatch.setenv("SUYUAN_DATABASE_URL", database_url)

    def suyuan(*arguments: str) -> object:
        capsys.readouterr()
        app([*arguments, "--data-dir", str(tmp_path), "--json"], standalone_mode=False)
        return json.loads(capsys.readouterr().out)

    suyuan("party", "add", "haimen", "--name-en", "Haimen", "--name-zh", "海门")
    added = suyuan("user", "add", "lin", "--party", "haimen", "--role", "admin")
    assert isinstance(added, dict)
    assert added["link"].startswith("http://localhost:8080/console/link/")
    again = suyuan("user", "reset", "lin")
    assert isinstance(again, dict)
    assert again["link"] != added["link"]
    suyuan("user", "disable", "lin")
    listed = suyuan("user", "list", "--party", "haimen")
    assert isinstance(listed, list)
    assert [(one["user_name"], one["has_password"], bool(one["disabled_at"])) for one in listed] == [
        ("lin", False, True)
    ]
    assert "hash" not in json.dumps(listed)
    with pytest.raises(SuyuanError) as caught:
        suyuan("user", "disable", "nobody")
    assert caught.value.code == "user.unknown"
