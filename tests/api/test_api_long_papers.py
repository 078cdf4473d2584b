"""Long papers through the doors: received into a file, taken in as a stream, told in parts."""

from __future__ import annotations

import pytest
from api_deployment import ITEM, Deployment, document_bytes, event

from suyuan.api import requests, stored
from suyuan.capture import intake, long_papers
from suyuan.capture.sources import Spool


@pytest.fixture(autouse=True)
def spooled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Everything is long here; the sizes of what was received into a file."""
    sizes: list[int] = []

    class Counted(Spool):
        def close(self) -> None:
            sizes.append(self.size)
            super().close()

    monkeypatch.setattr(requests, "SPOOL_BYTES", 100)
    monkeypatch.setattr(requests, "Spool", Counted)
    monkeypatch.setattr(intake, "LONG_BYTES", 100)
    for module in (stored, long_papers):
        monkeypatch.setattr(module, "MAX_TOLD", 2)
    return sizes


async def test_a_long_document_is_received_into_a_file_and_stored(
    deployment: Deployment, spooled: list[int]
) -> None:
    data = document_bytes(*(event(epcList=[ITEM + str(number)]) for number in range(5)))
    headers = deployment.bearer("maker")
    answer = await deployment.client.post("/epcis/capture", content=data, headers=headers)
    assert answer.status_code == 202, answer.text
    assert spooled == [len(data)]
    job = (await deployment.client.get(answer.headers["Location"], headers=headers)).json()
    assert job["success"] is True
    again = await deployment.client.post("/api/v1/evidence", content=data, headers=headers)
    assert (again.status_code, again.json()["event_count"], again.json()["repeated"]) == (200, 5, True)
    place = f"/api/v1/evidence/{again.json()['capture_id']}"
    told = [
        entry["path"]
        for after in (0, 2, 4)
        for entry in (await deployment.client.get(place, params={"after": after}, headers=headers)).json()[
            "events"
        ]
    ]
    assert told == [f"$.epcisBody.eventList[{number}]" for number in range(5)]


async def test_a_fault_in_a_long_document_leaves_nothing(deployment: Deployment, spooled: list[int]) -> None:
    bad = event(epcList=["https://id.gs1.org/01/09506000134353/21/A1"])
    data = document_bytes(event(), bad, event(epcList=[ITEM + "2"]))
    headers = deployment.bearer("maker")
    answer = await deployment.client.post("/epcis/capture", content=data, headers=headers)
    assert (answer.status_code, spooled) == (400, [len(data)])
    assert await deployment.services.pool.fetchval("SELECT count(*) FROM evidence") == 0
    headers["GS1-Capture-Error-Behaviour"] = "proceed"
    answer = await deployment.client.post("/epcis/capture", content=data, headers=headers)
    assert answer.status_code == 202, answer.text
    job = (await deployment.client.get(answer.headers["Location"], headers=headers)).json()
    assert (job["success"], len(job["errors"])) == (False, 1)
    assert await deployment.services.pool.fetchval("SELECT count(*) FROM event") == 2


async def test_a_long_paper_of_no_known_kind_is_refused(deployment: Deployment) -> None:
    answer = await deployment.client.post(
        "/api/v1/evidence", content=b"%PDF" + b"x" * 500, headers=deployment.bearer("maker")
    )
    assert answer.status_code == 415
    assert "capture.paper.unknown" in answer.text
