"""Templates over HTTP: the files of the command line, for everyone."""

from __future__ import annotations

from pathlib import Path

import pytest
from api_deployment import Deployment, document_bytes

from suyuan.capture.sources import source_of
from suyuan.cli.papers import over_http
from suyuan.sheets import FaultySheetError
from suyuan.sheets.choices import LANGUAGES
from suyuan.sheets.template_files import write_guide, write_template
from suyuan.sheets.templates import templates

MAPPINGS = Path(__file__).resolve().parents[2] / "examples" / "mappings"
LINES = [(MAPPINGS / name).read_bytes() for name in ("lines.toml", "lines.jsonl")]


async def test_every_template_is_downloaded_in_every_language(deployment: Deployment) -> None:
    listed = (await deployment.client.get("/api/v1/templates")).json()
    assert [one["name"] for one in listed] == list(templates())
    for one in listed:
        for path in one["files"]:
            for language in LANGUAGES:
                answer = await deployment.client.get(path, params={"lang": language})
                assert answer.status_code == 200
                form = path.rpartition(".")[2]
                assert answer.content == write_template(templates()[one["name"]], language, form)
                assert f'"{one["name"]}-{language}.{form}"' in answer.headers["content-disposition"]
    answer = await deployment.client.get("/api/v1/templates/tally.csv?lang=de-CH&guide=true")
    assert answer.content == write_guide(templates()["tally"], "de")
    for path in ("tally.ods", "tally", "nothing.csv", "tally.csv?lang=nl"):
        answer = await deployment.client.get(f"/api/v1/templates/{path}")
        assert answer.status_code == 404
        assert answer.json()["code"].startswith("template.")


async def test_products_are_put_as_a_workbook(deployment: Deployment) -> None:
    template = templates()["products"]
    answer = await deployment.client.put(
        "/api/v1/products",
        content=write_template(template, "ja", rows=template.rows),
        headers=deployment.bearer("op"),
    )
    assert answer.json() == {"changed": 1, "received": 1}


async def test_a_paper_is_sent_in_blocks_and_scans_with_their_mapping(deployment: Deployment) -> None:
    mapped = LINES[0] + b"#suyuan:data\n" + LINES[1]
    async with over_http(str(deployment.client.base_url), deployment.tokens["broker"]) as send:
        data = document_bytes() + b" " * (3 * 1024 * 1024)
        taken = await send(source_of(data), "long.jsonld")
        assert (taken.kind, taken.event_count, taken.new_events) == ("EPCIS/JSON", 1, 1)
        assert (await send(data, "long.jsonld")).capture_id == taken.capture_id
        scans = await send(mapped, "scans.jsonl")
        assert (scans.kind, scans.new_events) == ("scan/courier", 3)
    skeleton = await deployment.services.pool.fetchval(
        "SELECT string_agg(encode(skeleton, 'escape'), '') FROM evidence_body"
    )
    assert "310196Z044" in skeleton
    assert "ZX0099000000041" not in skeleton


async def test_every_fault_of_a_sheet_is_told(deployment: Deployment) -> None:
    template = templates()["courier-scans"]
    row = template.rows[0]
    data = write_template(template, "fr", "csv", rows=({**row, "time": "soon"}, row, {**row, "zone": "Mars"}))
    before = await deployment.counts()
    answer = await deployment.client.post(
        "/api/v1/evidence", content=data, headers=deployment.bearer("broker")
    )
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["path"]) == (400, "sheet.cell.time", "C2")
    assert [(one["path"], one["code"]) for one in problem["findings"]] == [
        ("C2", "sheet.cell.time"),
        ("D4", "sheet.cell.zone"),
    ]
    assert await deployment.counts() == before
    async with over_http(str(deployment.client.base_url), deployment.tokens["broker"]) as send:
        with pytest.raises(FaultySheetError) as caught:
            await send(data, "scans.csv")
    assert [fault.path for fault in caught.value.faults] == ["C2", "D4"]
