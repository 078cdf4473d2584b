"""What a checked signature earns, on the real database: the authority's word, a member's own, nobody else's."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from deployment import Deployment

sys.path.append(str(Path(__file__).resolve().parents[1] / "customs"))

import customs_messages as messages
import signing

from suyuan.capture.store import Stored
from suyuan.customs.certificates import read_certificate
from suyuan.errors import ConflictError, NotFoundError
from suyuan.parties.certificates import (
    add_certificate,
    find_certificates,
    list_certificates,
    revoke_certificate,
)

NOW = datetime.now(UTC)


def _certificate(number: int = 0, **more: object) -> bytes:
    return signing.certificate(signing.rsa_key(number), now=NOW, **more)


async def _levels(deployment: Deployment, stored: Stored) -> list[dict[str, str]]:
    rows = await deployment.pool.fetch(
        "SELECT statement FROM event_payload WHERE event_key = ANY($1::bigint[])",
        [event.event_key for event in stored.events],
    )
    return [json.loads(row["statement"]) for row in rows]


async def _submit(deployment: Deployment, data: bytes, party: str) -> tuple[Stored, dict[str, str]]:
    deliverer = await deployment.services.deliverer_of(party)
    stored = await deployment.services.capture.submit(data, deliverer)
    return stored, (await _levels(deployment, stored))[0]


async def test_the_authoritys_signature_makes_a_relayed_receipt_its_own(deployment: Deployment) -> None:
    await deployment.member("broker", "customs-broker")
    await deployment.member("gacc", "authority")
    der = _certificate()
    await add_certificate(deployment.pool, "gacc", read_certificate(der))
    plain = messages.message("CEB622", {"returnStatus": "120"})
    _, unsigned = await _submit(deployment, plain, "broker")
    assert unsigned["assurance"] == "relayed"
    assert "signedBy" not in unsigned
    signed = signing.sign(messages.message("CEB622"), signing.rsa_key(), der)
    stored, level = await _submit(deployment, signed, "broker")
    assert stored.warnings == ()
    assert level["assurance"] == "authority-verified"
    assert (level["party"], level["signedBy"]) == ("broker", "gacc")
    assert level["signedWith"] == read_certificate(der).fingerprint


async def test_a_member_vouches_for_its_own_words_alone(deployment: Deployment) -> None:
    await deployment.member("broker", "customs-broker")
    await deployment.member("warehouse", "bonded-warehouse")
    await deployment.pool.execute("UPDATE party SET customs_code = '330196B042' WHERE party_id = 'broker'")
    der = _certificate()
    await add_certificate(deployment.pool, "broker", read_certificate(der))
    own = signing.sign(messages.message("CEB621"), signing.rsa_key(), der)
    # Its own declaration, whoever delivers it.
    assert (await _submit(deployment, own, "broker"))[1]["assurance"] == "partner-signed"
    assert (await _submit(deployment, own, "warehouse"))[1]["assurance"] == "partner-signed"
    # What customs or another firm states stays relayed, however the messenger signs it.
    for kind in ("CEB622", "CEB311"):
        relayed = signing.sign(messages.message(kind), signing.rsa_key(), der)
        assert (await _submit(deployment, relayed, "broker"))[1]["assurance"] == "relayed"


@pytest.mark.parametrize("fault", ["unknown", "altered", "expired", "revoked", "sha1"])
async def test_what_cannot_be_verified_is_stored_as_unverified(deployment: Deployment, fault: str) -> None:
    await deployment.member("broker", "customs-broker")
    await deployment.member("gacc", "authority")
    der = _certificate(days=(-90, -1) if fault == "expired" else (-1, 90))
    method = (
        {"method": signing.DS + "rsa-sha1", "digest_method": signing.DS + "sha1"} if fault == "sha1" else {}
    )
    data = signing.sign(messages.message("CEB622"), signing.rsa_key(), der, **method)
    if fault != "unknown":
        await add_certificate(deployment.pool, "gacc", read_certificate(der))
    if fault == "altered":
        data = data.replace(b"returnStatus>800<", b"returnStatus>899<")
    if fault == "revoked":
        await revoke_certificate(deployment.pool, read_certificate(der).fingerprint)
    stored, level = await _submit(deployment, data, "broker")
    code = {
        "unknown": "certificate_unknown",
        "altered": "content",
        "expired": "certificate_expired",
        "revoked": "certificate_revoked",
        "sha1": "algorithm",
    }[fault]
    assert [warning[0] for warning in stored.warnings] == [f"customs.signature.{code}"]
    assert level["assurance"] == "relayed"
    assert "signedBy" not in level
    kept = await deployment.pool.fetchval("SELECT warnings FROM evidence")
    assert f"customs.signature.{code}" in str(msgspec.json.decode(kept))


async def test_an_authority_whose_role_ended_verifies_nothing(deployment: Deployment) -> None:
    from suyuan.parties.roles import revoke_role

    await deployment.member("broker", "customs-broker")
    await deployment.member("gacc", "authority")
    der = _certificate()
    await add_certificate(deployment.pool, "gacc", read_certificate(der))
    await revoke_role(deployment.pool, "gacc", "authority")
    data = signing.sign(messages.message("CEB622"), signing.rsa_key(), der)
    assert (await _submit(deployment, data, "broker"))[1]["assurance"] == "relayed"


async def test_the_list_of_certificates(deployment: Deployment) -> None:
    await deployment.member("gacc", "authority")
    await deployment.member("broker")
    first, second = read_certificate(_certificate()), read_certificate(_certificate(1))
    added = await add_certificate(deployment.pool, "gacc", first)
    assert await add_certificate(deployment.pool, "gacc", first) == added
    await add_certificate(deployment.pool, "broker", second)
    assert [one.fingerprint for one in await list_certificates(deployment.pool, "broker")] == [
        second.fingerprint
    ]
    # Both have the same serial number: a name that means two means both.
    assert len(await find_certificates(deployment.pool, serial=first.serial)) == 2
    assert await find_certificates(deployment.pool) == []
    with pytest.raises(ConflictError, match="gacc"):
        await add_certificate(deployment.pool, "broker", first)
    await revoke_certificate(deployment.pool, first.fingerprint.upper())
    with pytest.raises(ConflictError, match="revoked"):
        await add_certificate(deployment.pool, "gacc", first)
    for unknown in ("", "ab", "0" * 64):
        with pytest.raises(NotFoundError):
            await revoke_certificate(deployment.pool, unknown)
    with pytest.raises(NotFoundError):
        await add_certificate(deployment.pool, "nobody", read_certificate(_certificate(2)))
