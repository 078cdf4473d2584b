"""A journey as a whole: what its item's trace holds, whichever order the papers came in, and what is in the open."""

from __future__ import annotations

import asyncio
import base64
import json
import random
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from deployment import Deployment
from rehearsal import Rehearsal, personal_values

from suyuan.canon import canonical_json, sha256
from suyuan.capture.evidence import reassemble
from suyuan.compliance.balance import Subject, balance_of
from suyuan.compliance.coverage import coverage_of
from suyuan.compliance.legs import load_profiles
from suyuan.compliance.model import Coverage
from suyuan.errors import InputError, SuyuanError, VerificationError
from suyuan.proof.verification import verify_bundle
from suyuan.tlog.note import Ed25519Signer
from suyuan.trace import OPERATOR, PUBLIC, Viewer, make_bundle
from suyuan.trace.model import Trace
from suyuan.vault.vault import SealedPart

NOW = datetime(2026, 1, 1, tzinfo=UTC)
# Amounts of the order, which nobody but the operator sees.
AMOUNTS = ("396.00", "198.00", "432.04", "36.04")


def covered(trace: Trace) -> Coverage:
    return coverage_of(trace, load_profiles(), NOW)


def missing(coverage: Coverage) -> dict[str, str]:
    return {leg.code: leg.owed_by for leg in coverage.legs if leg.state == "missing"}


# -- the whole of it ------------------------------------------------------------------------------------------


async def test_all_papers_give_all_legs(captured: Deployment, bonded: Rehearsal) -> None:
    trace = await captured.trace(bonded.item)
    coverage = covered(trace)
    assert (coverage.mode, coverage.present, coverage.required) == ("1210", 18, 18)
    assert (trace.state, trace.lot, trace.ambiguities, trace.truncated) == ("recalled", "L25216A", (), False)
    assert trace.recall is not None
    assert (trace.recall.number, trace.recall.party.party_id) == ("RC-2025-0007", "groene-wei")
    assert coverage.assurance_counts["authority-verified"] == 0
    journey = bonded.journey
    subject = Subject(
        gtin=journey.gtin, lot=journey.lot, ledger_item=journey.ledger_item, facility=journey.facility
    )
    balance = await balance_of(captured.pool, subject)
    figures = (balance.coded, balance.entered, balance.received, balance.damaged, balance.activated)
    assert figures == ("48", "48", "46", "2", "46")
    assert (balance.exited, balance.unexplained, balance.findings) == ("2", "0", ())
    report = await captured.check_log()
    assert (report.clean, report.erased, report.waiting) == (True, 0, 0)


async def test_every_step_of_the_manifest_is_in_the_trace(bonded: Rehearsal) -> None:
    async with bonded.copy() as deployment:
        stored = await bonded.deliver(deployment, bonded.papers())
        facts = (await deployment.trace(bonded.item)).facts
        ids = {fact.event_id for fact in facts}
        lost = [
            (paper.step, paper.name)
            for paper in bonded.papers()
            if (said := stored[paper.name]) is not None and ids.isdisjoint(e.event_id for e in said.events)
        ]
        # The second container's gate passes belong to other tins; its last one is the same truck gate's word.
        assert {step for step, _ in lost} <= {13}
        assert all("gate-pass-in-2" in name for _, name in lost)


async def test_tins_of_the_other_container_and_damaged_ones(captured: Deployment, bonded: Rehearsal) -> None:
    stem = bonded.item.rpartition("/")[0]
    other = await captured.trace(f"{stem}/{bonded.serials[36]}")
    containers = {link.label for fact in other.facts for link in fact.tie.links if link.kind == "container"}
    assert containers == {"COSU9876551"}
    damaged = await captured.trace(f"{stem}/{bonded.serials[47]}")
    assert "activating" not in {fact.biz_step.rpartition(":")[2] for fact in damaged.facts}
    # No buyer's paper stands in the trace of a tin that nobody bought.
    assert not [
        d for fact in other.facts for d in fact.documents if d.kind in ("order", "waybill", "parcel-list")
    ]


@pytest.mark.parametrize(
    ("taken", "open_legs"),
    [
        (["06-loading.xml"], {"loading": "forwarder"}),
        (["08-vessel-departure.xml"], {"departure": "carrier"}),
        (["12-quarantine.xml"], {"quarantine": "customs-broker"}),
        (["17-payment-ceb411.xml"], {}),
        (["24-signed-ceb513.xml"], {"delivery": "courier"}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
async def test_a_paper_that_was_not_delivered_is_missed_by_name(
    bonded: Rehearsal, taken: list[str], open_legs: dict[str, str]
) -> None:
    async with bonded.copy() as deployment:
        papers = [paper for paper in bonded.papers() if paper.name not in taken]
        assert len(papers) == len(bonded.papers()) - len(taken)
        await bonded.deliver(deployment, papers)
        found = missing(covered(await deployment.trace(bonded.item)))
        assert {code: found.get(code) for code in open_legs} == open_legs
        if not open_legs:
            assert found == {}


# -- the order of arrival -------------------------------------------------------------------------------------


def plain(value: Any, names: dict[int, str]) -> Any:
    """A trace as values, without what tells when and in which order its papers came."""
    if isinstance(value, dict):
        dropped = {"record_time", "log_index", "capture_id"}
        return {
            key: names.get(item, "") if key == "event_key" else plain(item, names)
            for key, item in value.items()
            if key not in dropped
        }
    if isinstance(value, list | tuple):
        return [plain(item, names) for item in value]
    return value


async def as_said(deployment: Deployment, rehearsal: Rehearsal) -> dict[str, Any]:
    """Trace, coverage and balance of the followed item."""
    journey = rehearsal.journey
    rows = await deployment.pool.fetch("SELECT event_key, content_hash FROM event")
    names = {row["event_key"]: row["content_hash"].hex() for row in rows}
    found: dict[str, Any] = {}
    for viewer in (OPERATOR, PUBLIC):
        trace = await deployment.trace(rehearsal.item, viewer)
        found[viewer.audience] = plain(msgspec.to_builtins(trace), names)
    found["coverage"] = msgspec.to_builtins(covered(await deployment.trace(rehearsal.item)))
    if journey.ledger_item:
        subject = Subject(
            gtin=journey.gtin, lot=journey.lot, ledger_item=journey.ledger_item, facility=journey.facility
        )
        found["balance"] = msgspec.to_builtins(await balance_of(deployment.pool, subject))
    return found


@pytest.mark.parametrize("journey", ["bonded", "direct"])
async def test_the_order_of_arrival_does_not_matter(journey: str, rehearsals: dict[str, Rehearsal]) -> None:
    """Invariant 4. The command to activate is refused before the tally, so it comes at some moment after it."""
    rehearsal = rehearsals[journey]
    papers = rehearsal.papers()
    async with rehearsal.copy() as deployment:
        await rehearsal.deliver(deployment, papers)
        expected = await as_said(deployment, rehearsal)
    assert expected["operator"]["facts"]
    for seed in range(5):
        chance = random.Random(seed)
        order = papers[::-1] if seed == 0 else chance.sample(papers, len(papers))
        commands = [paper for paper in order if paper.door == "activate"]
        order = [paper for paper in order if paper.door != "activate"]
        for command in commands:
            tallied = next(place for place, paper in enumerate(order) if paper.name.startswith("14-tally"))
            order.insert(chance.randint(tallied + 1, len(order)), command)
        async with rehearsal.copy() as deployment:
            await rehearsal.deliver(deployment, order)
            found = await as_said(deployment, rehearsal)
        for part, value in expected.items():
            assert found[part] == value, f"{part} differs for seed {seed}"


async def test_all_papers_at_once(bonded: Rehearsal) -> None:
    async with bonded.copy() as deployment:
        papers = bonded.papers()
        late = [paper for paper in papers if paper.door == "activate"]
        await asyncio.gather(*(bonded.deliver(deployment, [p]) for p in papers if p.door != "activate"))
        await bonded.deliver(deployment, late)
        at_once = await as_said(deployment, bonded)
    async with bonded.copy() as deployment:
        await bonded.deliver(deployment, papers)
        assert await as_said(deployment, bonded) == at_once


# -- nothing personal in the open -----------------------------------------------------------------------------


@pytest.mark.parametrize("journey", ["bonded", "direct"])
async def test_no_personal_value_is_anywhere_in_the_open(
    journey: str,
    rehearsals: dict[str, Rehearsal],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    rehearsal = rehearsals[journey]
    papers = [rehearsal.data(paper) for paper in rehearsal.papers() if paper.door != "activate"]
    values = personal_values(papers)
    assert len(values) >= 10
    assert rehearsal.journey.order in values
    async with rehearsal.copy() as deployment:
        await rehearsal.deliver(deployment, rehearsal.papers())
        await deployment.published()
        for viewer in (OPERATOR, PUBLIC):
            text = json.dumps(
                msgspec.to_builtins(await deployment.trace(rehearsal.item, viewer)), ensure_ascii=False
            )
            assert not [value for value in values if value in text]
        assert await deployment.search(*sorted(values)) == []
        printed = caplog.text + "".join(capfd.readouterr())
        assert not [value for value in values if value in printed]
        # and every paper is there, byte for byte
        bodies = await deployment.pool.fetch("SELECT * FROM evidence_body ORDER BY evidence_id")
        kept = set()
        for body in bodies:
            parts = await deployment.pool.fetch(
                "SELECT * FROM evidence_part WHERE evidence_id = $1", body["evidence_id"]
            )
            opened = await deployment.services.vault.unseal_parts(
                deployment.pool, [SealedPart(part["subject_id"], part["sealed"]) for part in parts]
            )
            pieces = [(part["start_at"], piece or b"") for part, piece in zip(parts, opened, strict=True)]
            kept.add(reassemble(body["skeleton"], pieces))
        assert set(papers) <= kept


# -- bundles and redaction ------------------------------------------------------------------------------------


async def bundle_of(deployment: Deployment, thing: str, viewer: Viewer) -> bytes:
    services = deployment.services
    made = await make_bundle(services.reader, services.tree, thing, viewer, log_key=services.signer.vkey)
    assert made is not None
    return made


@pytest.mark.parametrize("viewer", [PUBLIC, OPERATOR], ids=["public", "operator"])
async def test_a_bundle_proves_every_fact_of_its_trace(
    captured: Deployment, bonded: Rehearsal, viewer: Viewer
) -> None:
    bundle = await bundle_of(captured, bonded.item, viewer)
    report = verify_bundle(bundle, captured.services.signer.vkey)
    trace = await captured.trace(bonded.item, viewer)
    assert {fact.log_index for fact in report.facts} == {fact.log_index for fact in trace.facts}
    assert report.warnings == ()
    assert (report.thing, report.audience, report.key_source) == (bonded.item, viewer.audience, "given")


async def test_a_bundle_that_was_changed_does_not_verify(captured: Deployment, bonded: Rehearsal) -> None:
    bundle = await bundle_of(captured, bonded.item, PUBLIC)
    vkey = captured.services.signer.vkey
    chance = random.Random(7)
    for _ in range(60):
        place = chance.randrange(len(bundle))
        changed = bytes([bundle[place] ^ 1])
        with pytest.raises(SuyuanError):
            verify_bundle(bundle[:place] + changed + bundle[place + 1 :], vkey)

    def forged(change: Any) -> bytes:
        """The bundle changed by one who also mends its digest."""
        content = json.loads(bundle)
        change(content)
        del content["digest"]
        content["digest"] = base64.b64encode(sha256(canonical_json(content))).decode()
        return canonical_json(content)

    assert verify_bundle(forged(lambda content: None), vkey)

    def better(content: Any) -> None:
        for fact in content["facts"]:
            for claim in fact["claims"]:
                if claim[0] == "statement/assurance":
                    claim[1] = "authority-verified"

    def other_item(content: Any) -> None:
        content["thing"] = content["thing"][:-1] + ("A" if content["thing"][-1] != "A" else "B")

    def later(content: Any) -> None:
        content["facts"][3]["index"] += 1000

    def smaller(content: Any) -> None:
        content["checkpoint"] = content["checkpoint"].replace("\n", "\n1", 1)

    for change in (better, other_item, later, smaller):
        with pytest.raises((VerificationError, InputError)):
            verify_bundle(forged(change), vkey)
    another = Ed25519Signer(captured.services.settings.log_origin, bytes(32)).vkey
    with pytest.raises(SuyuanError):
        verify_bundle(bundle, another)


async def test_the_public_sees_nothing_that_the_policy_hides(captured: Deployment, bonded: Rehearsal) -> None:
    trace = await captured.trace(bonded.item, PUBLIC)
    text = json.dumps(msgspec.to_builtins(trace), ensure_ascii=False)
    bundle = (await bundle_of(captured, bonded.item, PUBLIC)).decode()
    journey = bonded.journey
    vault = captured.services.vault

    def pseudonyms(kind: str, *numbers: tuple[str, str]) -> list[str]:
        return [vault.pseudonym(kind, issuer, number) for issuer, number in numbers]

    purchase = [
        *pseudonyms("order", (journey.order_issuer, journey.order)),
        *(
            row["uri"]
            for row in await captured.pool.fetch(
                "SELECT uri FROM thing WHERE kind IN ('payment', 'tax-bill')"
            )
        ),
    ]
    parcel = pseudonyms("waybill", ("440196X001", "SF1399000000017"))
    own_list = pseudonyms("parcel-list", ("5165", "51652025I000000123"))
    others = pseudonyms("parcel-list", *(("5165", f"51652025I00000012{n}") for n in (1, 2, 4)))
    whole = repr(await captured.trace(bonded.item, OPERATOR))
    assert all(name in whole for name in [*purchase, *parcel, *own_list])
    # The exit list names four parcels; three are other people's, and not even the operator's trace names them.
    assert await captured.pool.fetchval("SELECT count(*) FROM thing WHERE uri = ANY ($1)", others) == 3
    assert not [name for name in others if name in whole or name in bundle]
    assert not [name for name in [*purchase, *parcel, *own_list] if name in text]
    # In a proof the parcel is a link of the chain; what was bought and paid is not in it at all.
    assert not [name for name in purchase if name in bundle]
    keys = await captured.pool.fetch("SELECT event_id, content_hash FROM event")
    assert not [row["event_id"] for row in keys if row["event_id"] in text or row["event_id"] in bundle]
    for amount in (*AMOUNTS, "测试甲", "mall-user-000017"):
        assert amount not in text
        assert amount not in bundle
    assert all(not quantity for fact in trace.facts for _, quantity, _ in fact.quantities)
    assert all(fact.event_key == 0 and fact.event_id is None and not fact.capture_id for fact in trace.facts)
    shown = {thing for fact in trace.facts for thing in fact.things}
    assert shown == {bonded.item}
    paths = {claim[0] for fact in json.loads(bundle)["facts"] for claim in fact["claims"]}
    assert not paths & {"quantityList", "childQuantityList", "statement/eventID", "{urn:suyuan:ext}line"}
    other_serials = [serial for serial in bonded.serials if not bonded.item.endswith(serial)]
    assert not [serial for serial in other_serials if serial in text or serial in bundle]


async def test_a_correction_tells_the_public_no_event_id(deployment: Deployment) -> None:
    from deployment import item, observed, withdrawn

    maker = await deployment.member("maker")
    event = observed("2025-08-02", item("A1"))
    corrective = "urn:uuid:00000000-0000-4000-8000-000000000042"
    declared = withdrawn(event)
    declared["errorDeclaration"]["correctiveEventIDs"] = [corrective]
    await deployment.say(maker, event)
    await deployment.say(maker, declared)
    [fact] = (await deployment.trace(item("A1"))).facts
    assert fact.corrections[0].corrective_event_ids == (corrective,)
    [fact] = (await deployment.trace(item("A1"), PUBLIC)).facts
    assert fact.withdrawn
    assert fact.corrections[0].corrective_event_ids == ()


async def test_only_brand_owner_entrusted_firm_and_regulator_raise_the_banner(deployment: Deployment) -> None:
    from deployment import GTIN, OTHER_GTIN, commissioned, item, of_lot, paper, withdrawn

    recall = of_lot(
        "2025-11-03",
        bizStep="urn:suyuan:bizstep:recalling",
        disposition="recalled",
        bizTransactionList=[paper("recall", "RC-1")],
    )
    lifted = of_lot(
        "2025-12-03", bizStep="urn:suyuan:bizstep:releasing", disposition="urn:suyuan:disp:recall_lifted"
    )
    maker = await deployment.member("maker", "manufacturer", "seller", "operator")
    elsewhere = await deployment.member("elsewhere", f"brand-owner/{OTHER_GTIN}")
    # A name that comes first in every order, to stand before the one who may.
    shadow = await deployment.member("aaa-shadow", "inspector")
    owner = await deployment.member("owner", f"brand-owner/{GTIN}")
    await deployment.say(maker, commissioned("2025-08-01", item("A1")))
    for party in (maker, elsewhere, shadow):
        await deployment.say(party, recall)
        assert (await deployment.trace(item("A1"))).recall is None
    await deployment.say(owner, recall)
    trace = await deployment.trace(item("A1"), PUBLIC)
    assert trace.recall is not None
    assert trace.recall.party.party_id == "owner"
    assert trace.state == "recalled"
    # Neither can the others lift it or take it back.
    await deployment.say(shadow, lifted)
    await deployment.say(shadow, withdrawn(recall))
    assert (await deployment.trace(item("A1"))).recall is not None
    await deployment.say(owner, lifted)
    trace = await deployment.trace(item("A1"))
    assert trace.recall is None
    assert trace.state == "commissioned"
    await deployment.say(owner, withdrawn(lifted))
    assert (await deployment.trace(item("A1"))).recall is not None
    await deployment.say(owner, withdrawn(recall))
    assert (await deployment.trace(item("A1"))).recall is None
    for name, role in (("firm", "entrusted-firm"), ("bureau", "regulator")):
        party = await deployment.member(name, role)
        await deployment.say(party, {**recall, "eventTime": "2026-01-03T08:00:00+08:00"})
        found = (await deployment.trace(item("A1"))).recall
        assert found is not None
        await deployment.say(party, withdrawn({**recall, "eventTime": "2026-01-03T08:00:00+08:00"}))
