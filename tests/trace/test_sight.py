"""Who is on the chain of goods: through grants, the catalogue and others, never through one's own word alone."""

from __future__ import annotations

import pytest
from deployment import GTIN, OTHER_GTIN, Deployment, commissioned, item, moved, observed, paper, sscc

from suyuan.catalog import Product, put_products
from suyuan.errors import NotFoundError
from suyuan.parties.roles import grant_role, revoke_role
from suyuan.trace import OPERATOR, PUBLIC

TIN = item("A1")
GLN = "https://id.gs1.org/417/9520000000042"
NAMED = {"suyuan:ebcCode": "440196X771"}


async def audience(deployment: Deployment, party: str, thing: str = TIN) -> str:
    """As what the party looks at the thing."""
    reading = await deployment.reader.read_views(thing, await deployment.reader.viewer_of(party))
    return reading[0].trace.audience


async def told(deployment: Deployment) -> None:
    maker = await deployment.member("maker", f"manufacturer/{GTIN}")
    await deployment.say(maker, commissioned("2025-08-01", TIN), moved("2025-08-02", sscc(1), TIN))


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        ((), "elsewhere"),
        (("forwarder", "seller", "inspector", "brand-owner"), "elsewhere"),
        ((f"seller/{OTHER_GTIN}", f"regulator/{OTHER_GTIN}"), "elsewhere"),
        ((f"laboratory/{GTIN}",), "member"),
        ((f"seller/{GTIN}",), "owner"),
        ((f"entrusted-firm/{GTIN}", f"inspector/{GTIN}"), "owner"),
        ((f"inspector/{GTIN}",), "inspector"),
        (("regulator",), "regulator"),
        ((f"authority/{GTIN}", f"seller/{GTIN}"), "regulator"),
        (("operator",), "operator"),
    ],
)
async def test_what_grants_give(deployment: Deployment, grants: tuple[str, ...], expected: str) -> None:
    await told(deployment)
    await deployment.member("firm", *grants)
    assert await audience(deployment, "firm") == expected
    if "/" in "".join(grants) and expected != "elsewhere":
        for grant in grants:
            role, _, scope = grant.partition("/")
            await revoke_role(deployment.pool, "firm", role, scope)
        assert await audience(deployment, "firm") == "elsewhere"


@pytest.mark.parametrize(
    ("field", "expected"),
    [("owner_party", "owner"), ("seller", "owner"), ("producer", "member"), ("importer", "member")],
)  # fmt: skip
async def test_what_the_catalogue_gives(deployment: Deployment, field: str, expected: str) -> None:
    await told(deployment)
    await deployment.member("firm")
    await put_products(
        deployment.pool, [Product(gtin=GTIN, name_en="Milk", **{field: "firm"})], recorded_by="maker"
    )
    assert await audience(deployment, "firm") == expected


async def test_a_delivered_fact_counts_in_a_granted_role_alone(deployment: Deployment) -> None:
    await told(deployment)
    firm = await deployment.member("firm")
    await deployment.say(firm, observed("2025-08-03", TIN, bizTransactionList=[paper("bol", "B1")]))
    assert await audience(deployment, "firm") == "elsewhere"
    trace = await deployment.trace(TIN, await deployment.reader.viewer_of("firm"))
    assert [fact.sight.code for fact in trace.facts] == ["delivered"]
    # A role that came later gives the earlier word no more weight.
    await grant_role(deployment.pool, "firm", "forwarder")
    deployment.reader._grants._records.clear()
    assert await audience(deployment, "firm") == "elsewhere"
    said = observed("2025-08-04", TIN)
    await deployment.say(await deployment.deliverer("firm"), said)
    assert await audience(deployment, "firm") == "member"
    # A fact of the same pallet is a fact of the tin's; of another pallet it is not.
    assert await audience(deployment, "firm", sscc(1)) == "elsewhere"
    await revoke_role(deployment.pool, "firm", "forwarder")
    assert await audience(deployment, "firm") == "elsewhere"


async def test_an_inspector_of_everything_inspects_what_it_delivered(deployment: Deployment) -> None:
    await told(deployment)
    inspector = await deployment.member("firm", "inspector")
    assert await audience(deployment, "firm") == "elsewhere"
    await deployment.say(inspector, observed("2025-08-03", TIN))
    assert await audience(deployment, "firm") == "inspector"


@pytest.mark.parametrize(
    ("namer", "fields", "expected"),
    [
        ("forwarder", NAMED, "member"),
        (None, NAMED, "elsewhere"),
        (f"seller/{OTHER_GTIN}", NAMED, "elsewhere"),
        ("forwarder", {"suyuan:ebcCode": "440196X772"}, "elsewhere"),
        ("forwarder", {"suyuan:goodsName": "440196X771"}, "elsewhere"),
        ("forwarder", {"sourceList": [{"type": "possessing_party", "source": "urn:suyuan:party:firm"}]}, "member"),
        ("forwarder", {"destinationList": [{"type": "owning_party", "destination": GLN}]}, "member"),
        ("forwarder", {"suyuan:statedBy": "urn:suyuan:firm:440196X771"}, "member"),
    ],
)  # fmt: skip
async def test_who_is_named_by_one_whose_word_counts(
    deployment: Deployment, namer: str | None, fields: dict[str, object], expected: str
) -> None:
    await told(deployment)
    await deployment.member("firm", customs_code="440196X771", gln="9520000000042")
    other = await deployment.member("other", *([namer] if namer else []))
    await deployment.say(other, observed("2025-08-03", TIN, **fields))
    assert await audience(deployment, "firm") == expected
    if expected == "member":
        trace = await deployment.trace(TIN, await deployment.reader.viewer_of("firm"))
        assert [f.sight.code for f in trace.facts if f.party.party_id == "other"] == ["named"]


async def test_of_an_equal_event_each_knows_the_content_and_its_own_word(deployment: Deployment) -> None:
    await told(deployment)
    first = await deployment.member("a-firm", "forwarder")
    second = await deployment.member("b-firm", "forwarder")
    said = observed("2025-08-03", TIN, **{"suyuan:goodsValue": "77"})
    await deployment.say(first, {**said, "eventID": "urn:uuid:00000000-0000-4000-8000-00000000000a"})
    await deployment.say(second, {**said, "eventID": "urn:uuid:00000000-0000-4000-8000-00000000000b"})
    for party, event_id in (("a-firm", "urn:uuid:00000000-0000-4000-8000-00000000000a"), ("b-firm", None)):
        trace = await deployment.trace(TIN, await deployment.reader.viewer_of(party))
        [fact] = [fact for fact in trace.facts if fact.attributes.get("goodsValue") == "77"]
        assert (fact.sight.code, fact.event_id, fact.corroborations) == ("delivered", event_id, 1)


async def test_what_may_be_asked_for(deployment: Deployment) -> None:
    await told(deployment)
    firm = await deployment.member("firm", "forwarder")
    await deployment.member("state", "regulator")
    bill = "urn:suyuan:bol:B1"
    await deployment.say(firm, observed("2025-08-03", TIN, bizTransactionList=[paper("bol", "B1")]))
    await deployment.say(
        firm, observed("2025-08-04", kind="TransactionEvent", bizTransactionList=[paper("bol", "B1")])
    )
    reader = deployment.reader
    for who, seen in (
        (await reader.viewer_of("firm"), True),
        (await reader.viewer_of("state"), True),
        (PUBLIC, False),
    ):
        trace = await reader.read(bill, who)
        assert bool(trace and trace.facts) == seen
    gtin = f"https://id.gs1.org/01/{GTIN}"
    await deployment.say(firm, observed("2025-08-05", quantityList=[{"epcClass": gtin, "quantity": 3}]))
    for who, seen in (
        (OPERATOR, True),
        (await reader.viewer_of("state"), True),
        (await reader.viewer_of("firm"), False),
    ):
        trace = await reader.read(gtin, who)
        assert bool(trace and trace.facts) == seen
    with pytest.raises(NotFoundError, match=r"party\.unknown"):
        await reader.viewer_of("nobody")
