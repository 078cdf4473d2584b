"""The walk's edges on the real database: each in its interval, each in its direction, nothing guessed."""

from __future__ import annotations

import pytest
from deployment import (
    LOT,
    OTHER_GTIN,
    Deployment,
    commissioned,
    container,
    item,
    local,
    lot_class,
    moved,
    observed,
    of_lot,
    paper,
    parcel_paper,
    raw,
    sscc,
    steps_of,
    withdrawn,
)

from suyuan.proof.verification import verify_bundle
from suyuan.trace import OPERATOR, PUBLIC, make_bundle
from suyuan.trace.model import Fact, Trace

ALIASING = "urn:suyuan:bizstep:aliasing"


def ids(trace: Trace) -> set[str]:
    return {fact.event_id for fact in trace.facts if fact.event_id}


def fact_of(trace: Trace, step: str) -> Fact:
    [fact] = [fact for fact, name in zip(trace.facts, steps_of(trace.facts), strict=True) if name == step]
    return fact


# -- containment ---------------------------------------------------------------------------------------------


async def test_what_happened_to_the_case_pallet_and_container_happened_to_the_item(
    deployment: Deployment,
) -> None:
    maker = await deployment.member("maker", "manufacturer")
    tin, case = item("A1"), item("C1", OTHER_GTIN)
    await deployment.say(
        maker,
        commissioned("2025-08-01", tin),
        moved("2025-08-02", case, tin),
        moved("2025-08-03", sscc(1), case),
        moved("2025-08-04", container(), sscc(1), bizStep="loading"),
        observed("2025-08-05", container(), bizStep="departing"),
        observed("2025-08-06", sscc(1), bizStep="storing"),
    )
    trace = await deployment.trace(tin)
    assert steps_of(trace.facts) == ["commissioning", "packing", "packing", "loading", "departing", "storing"]
    links = fact_of(trace, "departing").tie.links
    assert [(link.kind, link.uri) for link in links] == [
        ("package", case),
        ("pallet", sscc(1)),
        ("container", container()),
    ]
    assert links[0].since == local("2025-08-02T08:00:00+08:00")
    assert links[0].until is None


async def test_another_trip_of_a_reused_container_is_not_the_items(deployment: Deployment) -> None:
    carrier = await deployment.member("carrier", "carrier")
    tin, other = item("A1"), item("A2")
    await deployment.say(
        carrier,
        # the trip before
        moved("2025-05-01", container(), other, bizStep="loading"),
        observed("2025-05-02", container(), bizStep="departing"),
        moved("2025-05-30", container(), action="DELETE", bizStep="unloading"),
        # the item's own
        moved("2025-08-01", container(), tin, bizStep="loading"),
        observed("2025-08-02", container(), bizStep="shipping"),
        # emptied without a word of the children
        moved("2025-09-01", container(), action="DELETE", bizStep="unloading"),
        # the trip after
        observed("2025-09-10", container(), bizStep="repairing"),
        moved("2025-09-12", container(), other, bizStep="loading"),
        observed("2025-09-15", container(), bizStep="departing"),
    )
    assert steps_of((await deployment.trace(tin)).facts) == ["loading", "shipping", "unloading"]


async def test_a_removal_without_its_addition_does_not_bring_in_the_trips_before_it(
    deployment: Deployment,
) -> None:
    """The item was packed in a case; that the case went into the container is known from unloading alone."""
    carrier = await deployment.member("carrier", "carrier")
    tin, case = item("A1"), item("C1", OTHER_GTIN)
    await deployment.say(
        carrier,
        observed("2025-05-02", container(), bizStep="departing"),
        moved("2025-08-01", case, tin),
        moved("2025-08-02", sscc(1), case),
        observed("2025-08-20", container(), bizStep="shipping"),
        moved("2025-09-01", container(), case, action="DELETE", bizStep="unloading"),
        observed("2025-09-02", container(), bizStep="repairing"),
    )
    trace = await deployment.trace(tin)
    assert steps_of(trace.facts) == ["packing", "packing", "shipping", "unloading"]


async def test_a_withdrawn_containment_does_not_count(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    stranger = await deployment.member("stranger")
    tin = item("A1")
    packing = moved("2025-08-02", sscc(1), tin)
    await deployment.say(maker, commissioned("2025-08-01", tin), packing)
    await deployment.say(maker, observed("2025-08-05", sscc(1), bizStep="departing"))
    # Only the party that said it takes it back.
    await deployment.say(stranger, withdrawn(packing))
    assert "departing" in steps_of((await deployment.trace(tin)).facts)
    await deployment.say(maker, withdrawn(packing, reason="incorrect_data"))
    trace = await deployment.trace(tin)
    assert steps_of(trace.facts) == ["commissioning", "packing"]
    assert [fact.withdrawn for fact in trace.facts] == [False, True]
    assert trace.state == "commissioned"


async def test_late_papers_complete_the_way(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    tin = item("A1")
    await deployment.say(maker, observed("2025-08-05", sscc(1), bizStep="departing"))
    await deployment.say(maker, commissioned("2025-08-01", tin))
    assert steps_of((await deployment.trace(tin)).facts) == ["commissioning"]
    await deployment.say(maker, moved("2025-08-02", sscc(1), tin))
    assert steps_of((await deployment.trace(tin)).facts) == ["commissioning", "packing", "departing"]


# -- transformation, lots, aliases ----------------------------------------------------------------------------


async def test_inputs_of_a_transformation_up_to_its_moment(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    tin, powder, milk = item("A1"), item("P1", OTHER_GTIN), lot_class("MILK", OTHER_GTIN)
    await deployment.say(
        maker,
        commissioned("2025-07-01", powder, lot=""),
        observed("2025-07-02", quantityList=[{"epcClass": milk}], bizStep="sampling"),
        {
            "type": "TransformationEvent",
            "eventTime": "2025-07-10T08:00:00+08:00",
            "eventTimeZoneOffset": "+08:00",
            "inputEPCList": [powder],
            "inputQuantityList": [{"epcClass": milk, "quantity": 10, "uom": "KGM"}],
            "outputEPCList": [tin],
            "bizStep": "creating_class_instance",
        },
        observed("2025-07-20", powder, bizStep="destroying"),
        observed("2025-07-21", quantityList=[{"epcClass": milk}], bizStep="holding"),
        observed("2025-08-01", tin, bizStep="storing"),
    )
    trace = await deployment.trace(tin)
    assert steps_of(trace.facts) == ["commissioning", "sampling", "creating_class_instance", "storing"]
    assert fact_of(trace, "sampling").tie.kind == "transformation"
    # The inputs' way leads to no output.
    assert steps_of((await deployment.trace(powder)).facts)[-1] == "destroying"


async def test_a_thing_in_two_long_lists_of_one_event_is_found_in_its_own(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    inputs = [item(f"I{n}") for n in range(300)]
    outputs = [item(f"O{n}", OTHER_GTIN) for n in range(300)]
    await deployment.say(
        maker,
        {
            "type": "TransformationEvent",
            "eventTime": "2025-07-10T08:00:00+08:00",
            "eventTimeZoneOffset": "+08:00",
            "inputEPCList": inputs,
            "outputEPCList": outputs,
            "bizStep": "commissioning",
        },
    )
    await deployment.published()
    services = deployment.services
    for thing, field in ((outputs[270], "outputEPCList"), (inputs[270], "inputEPCList")):
        bundle = await make_bundle(
            services.reader, services.tree, thing, OPERATOR, log_key=services.signer.vkey
        )
        assert bundle is not None
        [fact] = verify_bundle(bundle, services.signer.vkey).facts
        assert fact.body[field] == [thing]
        # 300 inputs lie apart and are not walked: the trace says that it is not all.
    assert (await deployment.trace(outputs[0])).truncated


async def test_a_container_in_a_long_list_is_proved_with_its_name(deployment: Deployment) -> None:
    carrier = await deployment.member("carrier")
    tin = item("A1")
    boxes = [container(f"COSU{1000000 + 11 * n}") for n in range(300)]
    await deployment.say(
        carrier,
        moved("2025-08-01", boxes[280], tin, bizStep="loading"),
        observed("2025-08-10", *boxes, bizStep="arriving"),
    )
    await deployment.published()
    services = deployment.services
    bundle = await make_bundle(services.reader, services.tree, tin, PUBLIC, log_key=services.signer.vkey)
    assert bundle is not None
    facts = verify_bundle(bundle, services.signer.vkey).facts
    assert [fact.body.get("epcList") for fact in facts] == [None, [boxes[280]]]


async def test_an_items_lot_brings_the_lots_events(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    await deployment.say(
        maker,
        of_lot("2025-07-30", 100, bizStep="commissioning", action="ADD"),
        of_lot("2025-07-31", 100, lot="L2"),
        commissioned("2025-08-01", item("A1")),
    )
    trace = await deployment.trace(item("A1"))
    assert trace.lot == LOT
    assert [fact.tie.kind for fact in trace.facts] == ["lot", "direct"]


async def test_a_lot_number_that_a_uri_must_escape(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    lot = "A/1+B%"
    uri = "https://id.gs1.org/01/08710000001236/10/A%2F1%2BB%25"
    await deployment.say(
        maker,
        observed("2025-07-30", quantityList=[{"epcClass": uri, "quantity": 5}], bizStep="inspecting"),
        commissioned("2025-08-01", item("A1"), lot=lot),
    )
    trace = await deployment.trace(item("A1"))
    assert steps_of(trace.facts) == ["inspecting", "commissioning"]
    assert trace.lot == lot
    assert (await deployment.trace(uri)).lot == lot


async def test_the_lot_that_a_stranger_says_is_named_and_not_followed(deployment: Deployment) -> None:
    maker = await deployment.member("maker", "manufacturer")
    stranger = await deployment.member("stranger")
    [serial] = await deployment.issued(1, maker)
    await deployment.say(maker, commissioned("2025-08-01", item(serial)), of_lot("2025-07-30"))
    await deployment.say(
        stranger, commissioned("2025-01-01", item(serial), lot="A0"), of_lot("2025-01-02", lot="A0")
    )
    trace = await deployment.trace(item(serial))
    assert trace.lot == LOT
    assert all("A0" not in fact.tie.links[0].uri for fact in trace.facts if fact.tie.kind == "lot")
    assert [ambiguity.code for ambiguity in trace.ambiguities] == ["trace.lot.ambiguous"]


async def test_an_alias_from_the_issuer_is_followed_and_one_from_a_stranger_is_not(
    deployment: Deployment,
) -> None:
    maker = await deployment.member("maker", "brand-owner")
    city = await deployment.member("city-system")
    stranger = await deployment.member("stranger")
    [serial] = await deployment.issued(1, maker)
    ours, theirs, hostile = item(serial), item("NB-1", OTHER_GTIN), item("EVIL", OTHER_GTIN)
    await deployment.say(maker, commissioned("2025-08-01", ours))
    await deployment.say(
        city, commissioned("2025-08-02", theirs, lot=""), observed("2025-08-04", theirs, bizStep="storing")
    )
    await deployment.say(
        # Backdated, so as to pass for the one who made the code first.
        stranger,
        commissioned("2020-01-01", ours, lot=""),
        observed("2025-08-05", hostile, bizStep="destroying"),
    )
    alias = observed("2025-08-03", ours, hostile, bizStep=ALIASING)
    await deployment.say(stranger, alias)
    trace = await deployment.trace(ours)
    assert trace.aliases == ()
    assert "destroying" not in steps_of(trace.facts)
    good = observed("2025-08-03", ours, theirs, bizStep=ALIASING)
    await deployment.say(maker, good)
    trace = await deployment.trace(ours)
    assert trace.aliases == (theirs,)
    assert fact_of(trace, "storing").tie.kind == "alias"
    # From the other code the same way is seen, and a correction ends it.
    assert "storing" in steps_of((await deployment.trace(theirs)).facts)
    assert (await deployment.trace(theirs)).aliases == (ours,)
    await deployment.say(maker, withdrawn(good))
    assert (await deployment.trace(ours)).aliases == ()


# -- papers ---------------------------------------------------------------------------------------------------


def entry(when: str, number: str, *, box: str = "", ledger: str = "T5165W000123:17") -> dict[str, object]:
    """The entry list of one consignment with its ledger item, and its container where it is known."""
    papers = [paper("bonded-list", number), paper("ledger-item", ledger)]
    things = [container(box)] if box else []
    return observed(
        when,
        *things,
        bizStep="urn:suyuan:bizstep:declaring",
        bizTransactionList=papers,
        kind="TransactionEvent",
    )


def parcel(when: str, number: str, *tins: str, ledger: str = "T5165W000123:17") -> list[dict[str, object]]:
    """One buyer's parcel: the customs list that names order, waybill and ledger item; the packing."""
    papers = [
        parcel_paper("order", f"O{number}"),
        parcel_paper("waybill", f"W{number}"),
        parcel_paper("parcel-list", f"P{number}"),
        paper("ledger-item", ledger),
    ]
    return [
        observed(
            f"{when}T09:00:00+08:00",
            kind="TransactionEvent",
            bizStep="urn:suyuan:bizstep:declaring",
            bizTransactionList=papers,
        ),
        moved(f"{when}T10:00:00+08:00", raw("waybill", f"W{number}"), *tins),
    ]


async def test_two_consignments_of_one_ledger_item_are_named_and_none_is_followed(
    deployment: Deployment,
) -> None:
    broker = await deployment.member("broker", "customs-broker")
    tin = item("A1")
    lists = ["QD516525I000000001", "QD516525I000000002"]
    await deployment.say(broker, entry("2025-09-01", lists[0]), *parcel("2025-10-08", "1", tin))
    trace = await deployment.trace(tin)
    assert trace.ambiguities == ()
    assert lists[0] in {document.number for fact in trace.facts for document in fact.documents}
    await deployment.say(broker, entry("2025-09-15", lists[1]))
    trace = await deployment.trace(tin)
    [ambiguity] = trace.ambiguities
    assert ambiguity.code == "trace.consignment.ambiguous"
    assert ambiguity.candidates == tuple(lists)
    assert not {document.number for fact in trace.facts for document in fact.documents} & set(lists)
    # The public is told that it is so, not between what.
    assert (await deployment.trace(tin, PUBLIC)).ambiguities[0].candidates == ()


async def test_the_container_binds_an_item_to_its_consignment(deployment: Deployment) -> None:
    broker = await deployment.member("broker", "customs-broker")
    tin = item("A1")
    await deployment.say(
        broker,
        moved("2025-08-01", container("COSU9876546"), tin, bizStep="loading"),
        entry("2025-09-01", "QD516525I000000001", box="COSU9876546"),
        entry("2025-09-02", "QD516525I000000002", box="COSU9876551"),
        *parcel("2025-10-08", "1", tin),
    )
    trace = await deployment.trace(tin)
    assert trace.ambiguities == ()
    numbers = {document.number for fact in trace.facts for document in fact.documents}
    assert "QD516525I000000001" in numbers
    assert "QD516525I000000002" not in numbers


async def test_the_gate_pass_of_the_other_container_is_left_out(deployment: Deployment) -> None:
    broker = await deployment.member("broker")
    tin, entry_list = item("A1"), "QD516525I000000001"
    passes = [
        observed(
            f"2025-09-0{day}",
            container(box),
            bizStep="arriving",
            bizTransactionList=[paper("gate-pass", f"Z5165I25090{day}"), paper("bonded-list", entry_list)],
        )
        for day, box in ((3, "COSU9876546"), (4, "COSU9876551"))
    ]
    await deployment.say(
        broker,
        moved("2025-08-01", container("COSU9876546"), tin, bizStep="loading"),
        entry("2025-09-01", entry_list),
        *passes,
    )
    trace = await deployment.trace(tin)
    numbers = {document.number for fact in trace.facts for document in fact.documents}
    assert "Z5165I250903" in numbers
    assert "Z5165I250904" not in numbers
    assert entry_list in numbers


async def test_a_waybill_number_used_again_after_half_a_year_is_another_parcel(
    deployment: Deployment,
) -> None:
    courier = await deployment.member("courier", "courier")
    first, second = item("A1"), item("A2")
    for when, tin, order in (("2025-03-01", first, "1"), ("2025-10-08", second, "2")):
        await deployment.say(
            courier,
            observed(
                when,
                kind="TransactionEvent",
                bizStep="urn:suyuan:bizstep:waybill_issued",
                bizTransactionList=[parcel_paper("waybill", "SF1"), parcel_paper("order", order)],
            ),
            observed(
                when,
                kind="TransactionEvent",
                bizStep="urn:suyuan:bizstep:ordering",
                bizTransactionList=[parcel_paper("order", order)],
            ),
            moved(f"{when}T12:00:00+08:00", raw("waybill", "SF1"), tin),
            observed(f"{when}T20:00:00+08:00", raw("waybill", "SF1"), bizStep="departing"),
        )
    for tin, month in ((first, 3), (second, 10)):
        trace = await deployment.trace(tin)
        assert len(trace.facts) == 4
        assert {fact.event_time.month for fact in trace.facts} == {month}


async def test_a_waybill_known_from_a_paper_alone_is_bounded_too(deployment: Deployment) -> None:
    """No packing ties the item to the parcel: an event on the item names the waybill beside it."""
    courier = await deployment.member("courier", "courier")
    tin = item("A1")
    await deployment.say(
        courier,
        observed("2025-03-01", raw("waybill", "SF1"), bizStep="departing"),
        observed("2025-10-08", tin, bizStep="picking", bizTransactionList=[parcel_paper("waybill", "SF1")]),
        observed("2025-10-09", raw("waybill", "SF1"), bizStep="shipping"),
    )
    assert steps_of((await deployment.trace(tin)).facts) == ["picking", "shipping"]


@pytest.mark.parametrize("viewer", [OPERATOR, PUBLIC], ids=["operator", "public"])
async def test_no_shared_paper_or_event_leads_to_another_persons_parcel(
    deployment: Deployment, viewer: object
) -> None:
    """Two buyers' parcels share consignment, exit list, gate pass, truck and pick: neither sees the other."""
    house = await deployment.member("house", "bonded-warehouse")
    mine, theirs = item("A1"), item("A2")
    entry_list, exit_list, gate = "QD516525I000000001", "QD516525E000000009", "Z5165E251009000000000345"
    own = {
        number: await deployment.say(house, *parcel("2025-10-08", number, tin))
        for number, tin in (("1", mine), ("2", theirs))
    }
    both = [
        parcel_paper(kind, f"{letter}{n}")
        for kind, letter in (("parcel-list", "P"), ("order", "O"))
        for n in (1, 2)
    ]
    waybills = [raw("waybill", "W1"), raw("waybill", "W2")]
    await deployment.say(
        house,
        commissioned("2025-08-01", mine, theirs),
        moved("2025-08-02", container(), mine, theirs, bizStep="loading"),
        entry("2025-09-01", entry_list, box="COSU9876546"),
        # a wave pick for two orders
        observed("2025-10-08T09:30:00+08:00", mine, theirs, bizStep="picking", bizTransactionList=both[2:]),
        # one truck takes both parcels out, one exit list deducts both
        observed(
            "2025-10-09T06:00:00+08:00",
            *waybills,
            bizStep="departing",
            bizTransactionList=[paper("gate-pass", gate), *both[:2]],
        ),
        observed(
            "2025-10-09T18:00:00+08:00",
            kind="TransactionEvent",
            bizStep="urn:suyuan:bizstep:declaring",
            bizTransactionList=[paper("bonded-list", exit_list), *both[:2]],
        ),
        observed(
            "2025-10-09T18:05:00+08:00",
            kind="TransactionEvent",
            bizStep="urn:suyuan:bizstep:clearing",
            bizTransactionList=[paper("bonded-list", exit_list), paper("gate-pass", gate)],
        ),
    )
    vault = deployment.services.vault

    def pseudonyms(number: str) -> set[str]:
        return {
            vault.pseudonym(kind, "440196X001", f"{letter}{number}")
            for kind, letter in (("order", "O"), ("waybill", "W"), ("parcel-list", "P"))
        }

    for number, tin, other in (("1", mine, "2"), ("2", theirs, "1")):
        whole = await deployment.trace(tin)
        steps = steps_of(whole.facts)
        assert {"loading", "picking", "packing", "departing", "clearing"} <= set(steps)
        assert steps.count("declaring") == 3  # entry list, own parcel list, exit list
        assert ids(whole).isdisjoint({event.event_id for event in own[other].events})
        seen = await deployment.trace(tin, viewer)  # type: ignore[arg-type]
        text = repr(seen)
        for name in pseudonyms(other):
            assert name not in text
        if viewer is OPERATOR:
            assert {name for name in pseudonyms(number) if name in text} == pseudonyms(number)


async def test_a_recall_of_the_lot_and_damage_of_another_item(deployment: Deployment) -> None:
    maker = await deployment.member("maker", "brand-owner")
    await deployment.say(
        maker,
        commissioned("2025-08-01", item("A1"), item("A2")),
        observed("2025-08-02", item("A2"), bizStep="inspecting", disposition="damaged"),
        of_lot("2025-08-03", 1, bizStep="inspecting", disposition="damaged"),
        of_lot(
            "2025-11-03",
            bizStep="urn:suyuan:bizstep:recalling",
            disposition="recalled",
            bizTransactionList=[paper("recall", "RC-1")],
        ),
    )
    trace = await deployment.trace(item("A1"))
    assert trace.recall is not None
    assert trace.recall.number == "RC-1"
    assert trace.state == "recalled"
    assert (await deployment.trace(item("A2"))).state == "recalled"
