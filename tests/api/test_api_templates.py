"""Templates over HTTP: the files of the command line, for everyone."""

from __future__ import annotations

from api_deployment import Deployment

from suyuan.sheets.choices import LANGUAGES
from suyuan.sheets.template_files import write_guide, write_template
from suyuan.sheets.templates import templates


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
