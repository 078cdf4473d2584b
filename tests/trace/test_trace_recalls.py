"""A recall of a whole product, which names no lot, reaches every item and lot of it."""

from __future__ import annotations

from typing import Any

from deployment import GTIN, OTHER_GTIN, Deployment, commissioned, item, lot_class, observed, paper, withdrawn

from suyuan.proof.verification import verify_bundle
from suyuan.trace import OPERATOR, PUBLIC, make_bundle

PRODUCT = f"https://id.gs1.org/01/{GTIN}"


def of_product(when: str, **fields: Any) -> dict[str, Any]:
    return observed(when, quantityList=[{"epcClass": PRODUCT, "quantity": 1}], **fields)


RECALL = of_product(
    "2025-11-03",
    bizStep="urn:suyuan:bizstep:recalling",
    disposition="recalled",
    bizTransactionList=[paper("recall", "RC-1")],
)
LIFTED = of_product(
    "2025-11-09", bizStep="urn:suyuan:bizstep:recalling", disposition="urn:suyuan:disp:recall_lifted"
)


async def test_a_recall_of_the_product_reaches_its_items_and_lots(deployment: Deployment) -> None:
    brand = await deployment.member("dairy", "brand-owner")
    shop = await deployment.member("shop", "seller")
    tin, other = item("A1"), item("B1", OTHER_GTIN)
    await deployment.say(brand, commissioned("2025-08-01", tin), commissioned("2025-08-01", other, lot="L2"))
    await deployment.published()
    before = (await deployment.reader.read_views(tin, PUBLIC))[0]
    assert before.trace.state == "commissioned" and before.trace.recall is None
    # Everybody's orders name the product too, and are no way of this item.
    await deployment.say(shop, of_product("2025-09-01", bizStep="picking"))
    assert await deployment.reader.unchanged(before.footprint)

    await deployment.say(brand, RECALL)
    assert not await deployment.reader.unchanged(before.footprint)
    for thing, viewer in ((tin, PUBLIC), (tin, OPERATOR), (lot_class(), PUBLIC)):
        trace = await deployment.trace(thing, viewer)
        assert trace.state == "recalled" and trace.recall is not None
        assert (trace.recall.number, trace.recall.lot) == ("RC-1", "")
        assert [fact.tie.links[-1].kind for fact in trace.facts if "recall" in fact.biz_step] == ["product"]
        assert "picking" not in "".join(fact.biz_step for fact in trace.facts)
    assert (await deployment.trace(other)).recall is None

    await deployment.say(brand, LIFTED)
    assert (await deployment.trace(tin)).recall is None
    # The lifting is taken back: the recall stands again, until it is itself taken back.
    await deployment.say(brand, withdrawn(LIFTED))
    assert (await deployment.trace(tin)).state == "recalled"
    await deployment.say(brand, withdrawn(RECALL))
    assert (await deployment.trace(tin)).state == "commissioned"


async def test_anybody_may_say_recalled_and_raises_nothing(deployment: Deployment) -> None:
    brand = await deployment.member("dairy", "brand-owner")
    stranger = await deployment.member("stranger", "carrier")
    await deployment.say(brand, commissioned("2025-08-01", item("A1")))
    await deployment.say(stranger, RECALL)
    trace = await deployment.trace(item("A1"))
    assert trace.recall is None and len(trace.facts) == 2


async def test_a_long_list_says_how_many_it_leaves_out(deployment: Deployment) -> None:
    maker = await deployment.member("maker", "brand-owner")
    tins = [item(f"A{number}") for number in range(64)]
    await deployment.say(maker, observed("2025-08-01", *tins, bizStep="storing"))
    (fact,) = (await deployment.trace(tins[3])).facts
    assert len(fact.things) == 50 and fact.things_left_out == 14


async def _proved(deployment: Deployment, thing: str, viewer: Any = PUBLIC) -> Any:
    services = deployment.services
    bundle = await make_bundle(services.reader, services.tree, thing, viewer, log_key=services.signer.vkey)
    assert bundle is not None
    return verify_bundle(bundle, services.signer.vkey)


async def test_a_bundle_carries_the_recall_that_names_the_product_alone(deployment: Deployment) -> None:
    brand = await deployment.member("dairy", "brand-owner")
    shop = await deployment.member("shop", "seller")
    tin = item("A1")
    await deployment.say(brand, commissioned("2025-08-01", tin))
    await deployment.say(shop, of_product("2025-09-01", bizStep="picking"))
    await deployment.say(brand, RECALL)
    await deployment.published()
    for thing, viewer in ((tin, PUBLIC), (tin, OPERATOR), (lot_class(), PUBLIC)):
        report = await _proved(deployment, thing, viewer)
        [recall] = [fact for fact in report.facts if "recalling" in str(fact.body.get("bizStep"))]
        [tie] = recall.ties
        assert (tie.kind, tie.from_uri, tie.to_uri) == ("product", thing, PRODUCT)
        assert report.facts[tie.fact] is recall
        # The recall says what it is about and what became of it, and nothing of others' orders is in the bundle.
        assert recall.body["disposition"].endswith("recalled")
        assert not any("picking" in str(fact.body.get("bizStep")) for fact in report.facts)

    # Lifted and taken back: both stand in the bundle, the withdrawn one beside its declaration.
    await deployment.say(brand, LIFTED)
    await deployment.say(brand, withdrawn(LIFTED))
    await deployment.published()
    report = await _proved(deployment, tin)
    steps = [fact for fact in report.facts if "recalling" in str(fact.body.get("bizStep"))]
    assert len(steps) == 3
    assert sum(bool(fact.withdrawn_by) for fact in steps) == 1
    assert sum(bool(fact.withdraws) for fact in steps) == 1
