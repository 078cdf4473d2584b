from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from suyuan.db.pool import Pool
from suyuan.errors import (
    AuthenticationError,
    ConflictError,
    InputError,
    NotFoundError,
    PermissionDenied,
    SuyuanError,
)
from suyuan.parties import (
    ROLES,
    SCOPES,
    Authenticator,
    Party,
    add_party,
    check_gln,
    check_uscc,
    create_token,
    find_holders,
    find_parties,
    get_party,
    grant_role,
    grants_at,
    list_grants,
    list_parties,
    list_tokens,
    revoke_role,
    revoke_token,
)

GTIN = "08710000001236"
OTHER_GTIN = "18710000001233"
WAREHOUSE = Party(
    party_id="haimen",
    name_en="Haimen Bonded Logistics",
    name_zh="海门保税物流",
    gln="9520000000035",
    uscc="91440115ma9x10002f",
    customs_code="440196H001",
    country="CN",
)


async def test_a_party_comes_back_as_it_was_added(pool: Pool) -> None:
    added = await add_party(pool, WAREHOUSE)
    assert added.uscc == "91440115MA9X10002F"
    assert added.created_at is not None
    assert await get_party(pool, "haimen") == added
    assert await find_parties(pool, ["haimen", "nobody"]) == {"haimen": added}
    await add_party(pool, Party(party_id="authority-5165", name_en="Customs", name_zh="海关"))
    assert [party.party_id for party in await list_parties(pool)] == ["authority-5165", "haimen"]
    assert [party.party_id for party in await list_parties(pool, after="authority-5165")] == ["haimen"]


async def test_a_party_is_never_overwritten(pool: Pool) -> None:
    await add_party(pool, WAREHOUSE)
    with pytest.raises(ConflictError) as caught:
        await add_party(pool, Party(party_id="haimen", name_en="Other", name_zh="他"))
    assert caught.value.code == "party.exists"
    assert (await get_party(pool, "haimen")).name_en == "Haimen Bonded Logistics"
    with pytest.raises(NotFoundError):
        await get_party(pool, "nobody")


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"party_id": "Haimen"}, "party.id.form", "party_id"),
        ({"party_id": "h" * 64}, "party.id.form", "party_id"),
        ({"name_zh": "  "}, "party.name.form", "name_zh"),
        ({"gln": "9520000000036"}, "party.gln.check", "gln"),
        ({"gln": "952000000003"}, "party.gln.form", "gln"),
        ({"uscc": "91440115MA9X10002G"}, "party.uscc.check", "uscc"),
        ({"uscc": "91440115MA9X1OOO2F"}, "party.uscc.form", "uscc"),
        ({"customs_code": "44019"}, "party.customs_code.form", "customs_code"),
        ({"country": "cn"}, "party.country.form", "country"),
    ],
)
async def test_a_field_off_by_a_character_is_refused(
    pool: Pool, changes: dict[str, str], code: str, path: str
) -> None:
    fields = {"party_id": "haimen", "name_en": "Haimen", "name_zh": "海门", **changes}
    with pytest.raises(InputError) as caught:
        await add_party(pool, Party(**fields))
    assert (caught.value.code, caught.value.path) == (code, path)
    assert await list_parties(pool) == []


def test_check_characters_catch_every_single_mistake() -> None:
    code = "91440115MA9X10002F"
    assert check_uscc(code) == code
    for place, character in enumerate(code):
        for other in "0123456789ABCDEFGHJKLMNPQRTUWXY":
            if other != character:
                with pytest.raises(InputError):
                    check_uscc(code[:place] + other + code[place + 1 :])
    assert check_gln(" 9520000000035 ") == "9520000000035"


async def test_a_role_counts_from_its_grant_until_its_end(pool: Pool) -> None:
    await add_party(pool, WAREHOUSE)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    granted = await grant_role(pool, "haimen", "bonded-warehouse", granted_at=start)
    assert await grant_role(pool, "haimen", "bonded-warehouse") == granted
    await grant_role(pool, "haimen", "inspector", GTIN, granted_at=start)
    assert await grants_at(pool, "haimen", start - timedelta(microseconds=1)) == []
    assert {grant.role for grant in await grants_at(pool, "haimen", start)} == {
        "bonded-warehouse",
        "inspector",
    }
    ended = await revoke_role(pool, "haimen", "bonded-warehouse")
    assert ended.revoked_at is not None
    assert [grant.role for grant in await grants_at(pool, "haimen", ended.revoked_at)] == ["inspector"]
    just_before = ended.revoked_at - timedelta(microseconds=1)
    assert len(await grants_at(pool, "haimen", just_before)) == 2
    again = await grant_role(pool, "haimen", "bonded-warehouse")
    assert again.granted_at > ended.revoked_at
    assert len(await list_grants(pool, "haimen")) == 3


async def test_a_grant_for_one_gtin_covers_that_one_only(pool: Pool) -> None:
    await add_party(pool, WAREHOUSE)
    grant = await grant_role(pool, "haimen", "brand-owner", GTIN)
    assert grant.covers(GTIN)
    assert not grant.covers(OTHER_GTIN)
    assert not grant.covers()
    now = datetime.now(UTC) + timedelta(seconds=5)
    assert [one.party_id for one in await find_holders(pool, "brand-owner", now, gtin=GTIN)] == ["haimen"]
    assert await find_holders(pool, "brand-owner", now, gtin=OTHER_GTIN) == []
    assert await find_holders(pool, "brand-owner", now) == []
    with pytest.raises(NotFoundError):
        await revoke_role(pool, "haimen", "brand-owner")


async def test_grants_that_make_no_sense_are_refused(pool: Pool) -> None:
    await add_party(pool, WAREHOUSE)
    for role, scope, party, code in [
        ("emperor", "", "haimen", "party.role.unknown"),
        ("seller", "123", "haimen", "party.role.scope"),
        ("seller", GTIN[:-1] + "7", "haimen", "party.role.scope"),
        ("seller", "", "nobody", "party.unknown"),
    ]:
        with pytest.raises(SuyuanError) as caught:
            await grant_role(pool, party, role, scope)
        assert caught.value.code == code


async def test_every_role_of_the_schema_is_documented(pool: Pool) -> None:
    await add_party(pool, WAREHOUSE)
    for role in ROLES:
        await grant_role(pool, "haimen", role)
    check = await pool.fetchval(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'party_role_role_check'"
    )
    assert set(re.findall("'([a-z-]+)'", check)) == set(ROLES)


async def test_a_token_opens_what_it_is_for(pool: Pool) -> None:
    await add_party(pool, WAREHOUSE)
    await grant_role(pool, "haimen", "bonded-warehouse")
    token, secret = await create_token(pool, "haimen", ["trace", "capture"], label="scanner 3")
    assert token.scopes == ("capture", "trace")
    assert len(secret) == 59
    stored = await pool.fetchrow("SELECT * FROM token")
    assert stored is not None
    assert secret not in str(dict(stored))
    authenticator = Authenticator(pool)
    principal = await authenticator.authenticate(secret)
    assert principal.party_id == "haimen"
    assert principal.roles == {"bonded-warehouse"}
    assert principal.holds("bonded-warehouse", GTIN)
    principal.require("capture")
    with pytest.raises(PermissionDenied) as caught:
        principal.require("codes.issue")
    assert caught.value.code == "access.scope.missing"
    with pytest.raises(ValueError, match="no such scope"):
        principal.require("everything")
    assert await list_tokens(pool, "haimen") == [token]


async def test_the_operators_token_is_worth_what_its_grant_is(pool: Pool) -> None:
    await add_party(pool, WAREHOUSE)
    _, secret = await create_token(pool, "haimen", ["operator"])
    now = 0.0
    authenticator = Authenticator(pool, clock=lambda: now)
    powerless = await authenticator.authenticate(secret)
    assert not any(powerless.allows(scope) for scope in SCOPES)
    await grant_role(pool, "haimen", "operator")
    now = 10.0
    mighty = await authenticator.authenticate(secret)
    assert all(mighty.allows(scope) for scope in SCOPES)


async def test_revocation_is_felt_within_seconds(pool: Pool) -> None:
    await add_party(pool, WAREHOUSE)
    token, secret = await create_token(pool, "haimen", ["capture"])
    now = 100.0
    authenticator = Authenticator(pool, cache_seconds=3, clock=lambda: now)
    await authenticator.authenticate(secret)
    revoked = await revoke_token(pool, token.token_id)
    assert revoked.revoked_at is not None
    assert await revoke_token(pool, token.token_id) == revoked
    now = 102.9
    await authenticator.authenticate(secret)
    now = 103.0
    with pytest.raises(AuthenticationError) as caught:
        await authenticator.authenticate(secret)
    assert caught.value.code == "access.token.revoked"
    with pytest.raises(AuthenticationError):
        await Authenticator(pool).authenticate(secret)


async def test_a_known_caller_costs_no_round_trip(pool: Pool) -> None:
    await add_party(pool, WAREHOUSE)
    _, secret = await create_token(pool, "haimen", ["capture"])
    authenticator = Authenticator(pool)
    first = await authenticator.authenticate(secret)
    await pool.execute("DROP TABLE token")
    assert await authenticator.authenticate(secret) is first


async def test_a_token_ends_when_it_was_said_to(pool: Pool) -> None:
    await add_party(pool, WAREHOUSE)
    soon = datetime.now(UTC) + timedelta(seconds=60)
    _, secret = await create_token(pool, "haimen", ["capture"], expires_at=soon)
    now = 0.0
    authenticator = Authenticator(pool, cache_seconds=3600, clock=lambda: now)
    await authenticator.authenticate(secret)
    await pool.execute("UPDATE token SET expires_at = now() - interval '1 second'")
    now = 61.0
    with pytest.raises(AuthenticationError) as caught:
        await authenticator.authenticate(secret)
    assert caught.value.code == "access.token.expired"


@pytest.mark.parametrize(
    ("secret", "code"),
    [
        (None, "access.token.missing"),
        ("", "access.token.missing"),
        ("hunter2", "access.token.malformed"),
        ("suyuan_" + "A" * 52, "access.token.malformed"),
        ("suyuan_" + "a" * 52 + "\n", "access.token.malformed"),
        ("suyuan_" + "a" * 52, "access.token.unknown"),
    ],
)
async def test_what_is_no_token_opens_nothing(pool: Pool, secret: str | None, code: str) -> None:
    with pytest.raises(AuthenticationError) as caught:
        await Authenticator(pool).authenticate(secret)
    assert caught.value.code == code
    assert not secret or secret.strip() not in str(caught.value)


async def test_tokens_are_created_for_known_scopes_and_parties(pool: Pool) -> None:
    await add_party(pool, WAREHOUSE)
    for party, scopes, expires, code in [
        ("haimen", ["root"], None, "access.scope.unknown"),
        ("haimen", [], None, "access.scope.unknown"),
        ("nobody", ["capture"], None, "party.unknown"),
        ("haimen", ["capture"], datetime(2030, 1, 1), "access.token.expiry"),  # noqa: DTZ001
    ]:
        with pytest.raises(SuyuanError) as caught:
            await create_token(pool, party, scopes, expires_at=expires)
        assert caught.value.code == code
    with pytest.raises(NotFoundError):
        await revoke_token(pool, "tk-unknown")
