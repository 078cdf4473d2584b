"""Every door as its own description has it: generated calls to a running deployment, and no answer that breaks it.

The calls come from the OpenAPI that the server gives, seeded, a bounded number for each door; some fit the
description and some do not. SUYUAN_TEST_EXAMPLES raises the number.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest
import schemathesis
from api_deployment import GTIN, ITEM, LOT, Deployment
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EXAMPLES = int(os.environ.get("SUYUAN_TEST_EXAMPLES", "8"))
KNOWN = {
    "party_id": "maker", "role": "seller", "gtin": GTIN, "lot": LOT, "uri": ITEM, "thing": ITEM, "item": ITEM,
}  # fmt: skip
PASSED: set[str] = set()
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.mark.usefixtures("quiet")
async def test_every_door_keeps_to_its_description(deployment: Deployment) -> None:
    capture_id = await deployment.capture("maker")
    stored = (
        await deployment.client.get(f"/api/v1/evidence/{capture_id}", headers=deployment.bearer("maker"))
    ).json()
    batch = await deployment.client.post(
        "/api/v1/codes/issue", json={"gtin": GTIN, "lot": LOT, "count": 3}, headers=deployment.bearer("maker")
    )
    event_id = stored["events"][0]["event_id"]
    KNOWN.update(capture_id=capture_id, event_id=event_id, file=f"{batch.json()['batch_id']}.csv")
    description = (await deployment.client.get("/schema/openapi.json")).json()
    base = str(deployment.client.base_url)
    failures = await asyncio.to_thread(_call_all, description, base, deployment)
    # Refusals alone would say nothing of what the doors give.
    assert len(PASSED) >= 22, sorted(PASSED)
    assert not failures, "\n\n".join(f"{door}\n{text}" for door, text in failures.items())


def _call_all(description: dict[str, Any], base: str, deployment: Deployment) -> dict[str, str]:
    schema = schemathesis.openapi.from_dict(description)
    failures: dict[str, str] = {}
    tokens = ("op", "maker", "")
    for found in schema.get_all_operations():
        operation = found.ok()
        assert operation is not None
        try:
            _call(operation, base, deployment, tokens)
        except (Exception, BaseExceptionGroup) as error:
            failures[operation.label] = "\n".join(str(one) for one in getattr(error, "exceptions", [error]))[
                :1500
            ]
    return failures


def _call(operation: Any, base: str, deployment: Deployment, tokens: tuple[str, ...]) -> None:
    number = 0

    @seed(20260301)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=False, suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
    )  # fmt: skip
    @given(
        operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
        | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    )
    def calls(case: Any) -> None:
        nonlocal number
        name = tokens[number % len(tokens)]
        number += 1
        headers = deployment.bearer(name) if name else {}
        if number % 2:
            # A door behind a random name is a door that nobody passes.
            for given_by in (case.path_parameters, case.query):
                for field in set(given_by or {}) & set(KNOWN):
                    given_by[field] = KNOWN[field]
        answer = case.call(base_url=base, headers=headers, timeout=20)
        if answer.status_code < 300:
            PASSED.add(operation.label)
        case.validate_response(answer, checks=CHECKS)

    calls()
