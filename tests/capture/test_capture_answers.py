"""The electronic port's answers: kept as evidence once, with no event and nothing of their free text in the open."""

from __future__ import annotations

import sys
from pathlib import Path

from deployment import Deployment

sys.path.append(str(Path(__file__).resolve().parents[1] / "customs"))

import customs_messages as messages


async def test_an_answer_of_the_port_is_evidence_and_no_event(deployment: Deployment) -> None:
    broker = await deployment.member("broker")
    data = messages.message("SAS/CommonResponse")
    taken = await deployment.capture.submit(data, broker, name="resp.xml")
    assert (taken.kind, taken.events) == ("SAS/CommonResponse", ())
    assert [code for code, *_ in taken.warnings] == ["customs.record.undated"]
    again = await deployment.capture.submit(data, broker, name="again.xml")
    assert (again.repeated, again.capture_id) == (True, taken.capture_id)
    kept = await deployment.pool.fetch("SELECT skeleton FROM evidence JOIN evidence_body USING (evidence_id)")
    assert len(kept) == 1
    assert "示范应答".encode() not in kept[0]["skeleton"]
    assert b"202600000000000101" in kept[0]["skeleton"]
