"""An operator's own policy of corrections holds in traces as in bundles; that a fact was taken back is never hidden."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from deployment import Deployment, commissioned, item, observed, withdrawn

from suyuan.disclosure.policy import load_policy
from suyuan.proof.verification import verify_bundle
from suyuan.trace import OPERATOR, PUBLIC, TraceReader, make_bundle

WRONG = observed("2025-08-02", item("A1"), bizStep="storing")


async def told(deployment: Deployment, tmp_path: Path, remove: str) -> tuple[Any, Any]:
    """The public's trace of an item with a withdrawn fact, and its bundle, under a policy without ``remove``."""
    text = (files("suyuan.disclosure") / "policy.toml").read_text("utf-8")
    rule = 'class = ["source", "what", "when", "correction", "public_document"]'
    assert rule in text
    own = tmp_path / "policy.toml"
    own.write_text(text.replace(rule, rule.replace(remove, "")), "utf-8")
    brand = await deployment.member("dairy", "brand-owner")
    await deployment.say(brand, commissioned("2025-08-01", item("A1")), WRONG)
    declared = withdrawn(WRONG)
    declared["errorDeclaration"]["reason"] = "http://example.com/a-reason-of-the-firms-own"
    await deployment.say(brand, declared)
    await deployment.published()
    reader, services = TraceReader(deployment.pool, load_policy(own)), deployment.services
    trace = await reader.read(item("A1"), PUBLIC)
    bundle = await make_bundle(reader, services.tree, item("A1"), PUBLIC, log_key=services.signer.vkey)
    assert trace is not None
    assert bundle is not None
    return trace, verify_bundle(bundle, services.signer.vkey)


@pytest.mark.parametrize(("remove", "reason"), [('"nothing", ', True), ('"correction", ', False)])
async def test_the_reason_is_shown_where_the_policy_shows_it(
    deployment: Deployment, tmp_path: Path, remove: str, reason: bool
) -> None:
    trace, report = await told(deployment, tmp_path, remove)
    [fact] = [fact for fact in trace.facts if fact.withdrawn]
    [correction] = fact.corrections
    assert bool(correction.reason) is reason
    assert correction.party.party_id == "dairy"
    in_bundle = [one for one in report.facts if "errorDeclaration" in one.body]
    assert bool(in_bundle) is reason
    # Where the declaration may not be shown the withdrawn fact is left out of the bundle, or it would seem to stand.
    assert any(one.withdrawn_by for one in report.facts) is reason
    assert len(report.facts) == (3 if reason else 1)
    if not reason:
        assert "firms-own" not in repr(trace)
        assert correction.declared_at >= fact.record_time


async def test_who_took_it_back_is_hidden_with_the_source(deployment: Deployment, tmp_path: Path) -> None:
    trace, _ = await told(deployment, tmp_path, '"source", ')
    [fact] = [fact for fact in trace.facts if fact.withdrawn]
    assert fact.corrections[0].party.party_id == ""
    whole = await deployment.trace(item("A1"), OPERATOR)
    [fact] = [fact for fact in whole.facts if fact.withdrawn]
    assert fact.corrections[0].party.party_id == "dairy"
    assert fact.corrections[0].reason
