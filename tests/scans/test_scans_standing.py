"""What is known of one code: acts with who, when and where, later states off the facts, verifications."""

from __future__ import annotations

from deployment import DISP, GTIN, LOT, PLANT, WAREHOUSE, Deployment, commissioned, item, observed

from suyuan.issuing import get_batch, issue, iter_serials, mark_range_printed
from suyuan.scans import Verifier, read_standing
from suyuan.scans.standing import without_acts
from suyuan.trace import OPERATOR, PUBLIC


async def test_a_code_from_issue_to_verification(deployment: Deployment) -> None:
    maker = await deployment.member("maker", "brand-owner")
    services = deployment.services
    batch = await issue(
        deployment.pool,
        services.mac_keys,
        gtin=GTIN,
        lot=LOT,
        count=2,
        party_id="maker",
        scratch=services.scratch_keys,
    )
    [serial, other] = [s async for part in iter_serials(deployment.pool, batch.batch_id) for s in part]
    await mark_range_printed(deployment.pool, batch, 1, 1, party_id="maker", facility=PLANT)
    uri = item(serial)
    fresh = await read_standing(deployment.reader, GTIN, serial, uri, OPERATOR)
    assert fresh is not None
    assert (fresh.state, fresh.later, fresh.verified) == ("printed", (), 0)
    await deployment.say(
        maker,
        commissioned("2025-09-01", uri, readPoint={"id": PLANT}, bizLocation={"id": PLANT}),
        observed("2025-09-02", uri, bizStep="inspecting"),
        observed("2025-09-20", uri, bizStep="receiving", readPoint={"id": WAREHOUSE}),
        observed("2025-09-21", uri, bizStep="inspecting", disposition=DISP + "damaged"),
    )
    [code] = services.scratch_keys.codes("0", batch.scratch_key, GTIN, [serial])
    verifier = Verifier(deployment.pool, services.mac_keys, services.scratch_keys)
    await verifier.verify(GTIN, serial, "000000000000", address="192.0.2.1")
    first = await verifier.verify(GTIN, serial, code, address="192.0.2.1")
    found = await read_standing(deployment.reader, GTIN, serial, uri, OPERATOR)
    assert found is not None
    assert (found.state, found.lot, found.batch_id, found.ordinal, found.scratch) == (
        "damaged",
        LOT,
        batch.batch_id,
        1,
        True,
    )
    assert [(act.act, act.party_id, act.facility) for act in found.acts] == [
        ("issued", "maker", ""),
        ("printed", "maker", PLANT),
    ]
    assert [(one.state, one.at.date().isoformat(), one.place, one.party_id) for one in found.later] == [
        ("commissioned", "2025-09-01", PLANT, "maker"),
        ("received", "2025-09-20", WAREHOUSE, "maker"),
        ("damaged", "2025-09-21", "", "maker"),
    ]
    assert (found.verified, found.verified_at, found.failed) == (1, first.first_at, 1)
    bare = without_acts(found)
    assert (bare.acts, bare.batch_id, bare.ordinal, bare.verified, bare.failed) == ((), None, None, 0, 0)
    unused = await read_standing(deployment.reader, GTIN, other, item(other), PUBLIC)
    assert unused is not None
    assert unused.state == "issued"
    assert await read_standing(deployment.reader, GTIN, "0NOBODY", item("0NOBODY"), OPERATOR) is None
    assert (await get_batch(deployment.pool, batch.batch_id)).count == 2
