"""What a party took back: a bundle shows the fact and the declaration, and neither passes for the other."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from deployment import Deployment, commissioned, item, moved, observed, withdrawn

from suyuan.canon import canonical_json, sha256
from suyuan.errors import VerificationError
from suyuan.proof.verification import BundleReport, verify_bundle
from suyuan.trace import OPERATOR, PUBLIC, Viewer, make_bundle

A1 = item("A1")
CASE = "https://id.gs1.org/00/087100000000000123"
BOTH = pytest.mark.parametrize("viewer", [PUBLIC, OPERATOR], ids=["public", "operator"])


async def bundle_of(deployment: Deployment, viewer: Viewer) -> bytes | None:
    services = deployment.services
    return await make_bundle(services.reader, services.tree, A1, viewer, log_key=services.signer.vkey)


async def report_of(deployment: Deployment, viewer: Viewer) -> BundleReport:
    await deployment.published()
    made = await bundle_of(deployment, viewer)
    assert made is not None
    return verify_bundle(made, deployment.services.signer.vkey)


def steps(report: BundleReport) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    return [
        (str(fact.body["bizStep"]).rpartition("-")[2], fact.withdraws, fact.withdrawn_by)
        for fact in report.facts
    ]


@BOTH
async def test_a_bundle_shows_the_fact_and_who_took_it_back(deployment: Deployment, viewer: Viewer) -> None:
    maker = await deployment.member("maker")
    wrong = observed("2025-08-02", A1, bizStep="shipping")
    await deployment.say(maker, observed("2025-08-01", A1))
    await deployment.say(maker, wrong)
    await deployment.published()
    await deployment.say(maker, withdrawn(wrong))
    # The declaration is stored and not yet in the log: offline the fact would look as if it stood.
    unpublished = await bundle_of(deployment, viewer)
    assert unpublished is not None
    report = verify_bundle(unpublished, deployment.services.signer.vkey)
    assert steps(report) == [("inspecting", (), ())]

    report = await report_of(deployment, viewer)
    assert steps(report) == [("inspecting", (), ()), ("shipping", (), (2,)), ("shipping", (1,), ())]
    declaration = report.facts[2]
    assert declaration.body["errorDeclaration"] == {
        "declarationTime": "2025-12-01T00:00:00.000Z",
        "reason": "https://ref.gs1.org/cbv/ER-did_not_occur",
    }
    assert declaration.statement["party"] == "maker"
    assert declaration.body["epcList"] == [A1]
    [warning] = report.warnings
    assert (warning.code, warning.path) == ("bundle.fact.withdrawn", "facts[1]")
    assert "2025-12-01" in warning.reason


@BOTH
async def test_among_thousands_only_the_item_is_named_again(deployment: Deployment, viewer: Viewer) -> None:
    maker = await deployment.member("maker")
    wrong = commissioned("2025-08-01", *(item(f"X{number}") for number in range(600)), A1)
    await deployment.say(maker, wrong)
    await deployment.say(maker, withdrawn(wrong))
    await deployment.say(maker, commissioned("2025-08-02", A1))
    report = await report_of(deployment, viewer)
    assert [found[1:] for found in steps(report)] == [((), (1,)), ((0,), ()), ((), ())]
    assert report.facts[0].body["epcList"] == report.facts[1].body["epcList"] == [A1]


async def test_what_was_taken_back_ties_nothing(deployment: Deployment) -> None:
    maker = await deployment.member("maker")
    packing = moved("2025-08-02", CASE, A1)
    await deployment.say(maker, packing)
    await deployment.say(maker, observed("2025-08-03", CASE, bizStep="shipping"))
    report = await report_of(deployment, PUBLIC)
    assert [found[0] for found in steps(report)] == ["packing", "shipping"]
    assert [tie.kind for tie in report.facts[1].ties] == ["containment"]
    await deployment.say(maker, withdrawn(packing))
    report = await report_of(deployment, PUBLIC)
    assert [found[1:] for found in steps(report)] == [((), (1,)), ((0,), ())]


def forged(data: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The bundle changed by one who also mends its digest."""
    content = json.loads(data)
    del content["digest"]
    change(content)
    content["digest"] = base64.b64encode(sha256(canonical_json(content))).decode()
    return canonical_json(content)


async def test_a_declaration_fits_what_it_takes_back_and_nothing_else(deployment: Deployment) -> None:
    maker, other = await deployment.member("maker"), await deployment.member("other")
    wrong = observed("2025-08-02", A1, bizStep="shipping")
    await deployment.say(maker, observed("2025-08-01", A1, bizStep="shipping"))
    await deployment.say(maker, wrong)
    await deployment.say(other, observed("2025-08-02", A1, bizStep="shipping", disposition="in_transit"))
    await deployment.say(maker, withdrawn(wrong))
    await deployment.published()
    made = await bundle_of(deployment, PUBLIC)
    assert made is not None
    key = deployment.services.signer.vkey
    assert json.loads(made)["facts"][3]["withdraws"] == [1]

    def code(change: Callable[[dict[str, Any]], Any]) -> str:
        with pytest.raises(VerificationError) as caught:
            verify_bundle(forged(made, change), key)
        return caught.value.code

    # Another time, another party, itself unnamed, and a fact that declares nothing.
    assert code(lambda content: content["facts"][3].update(withdraws=[0])) == "bundle.withdrawal.mismatch"
    assert code(lambda content: content["facts"][3].update(withdraws=[2])) == "bundle.withdrawal.mismatch"
    assert code(lambda content: content["facts"][3].pop("withdraws")) == "bundle.withdrawal.unnamed"
    assert code(lambda content: content["facts"][0].update(withdraws=[1])) == "bundle.withdrawal.undeclared"
