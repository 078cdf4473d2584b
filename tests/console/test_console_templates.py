"""The console's first page leads to the sheets that firms without electronic data interchange fill in."""

from __future__ import annotations

import re

import httpx
from console_world import World

from suyuan.sheets.templates import templates


def test_the_first_page_offers_every_template_in_the_readers_language(world: World) -> None:
    for lang, tag in (("en", "en"), ("zh", "zh-CN")):
        page = world.visitor("chief", lang).get("/console")
        links = dict(
            re.findall(rf'href="(/api/v1/templates/[a-z-]+\.xlsx\?lang={tag})" download>([^<]+)<', page)
        )
        assert links == {
            f"/api/v1/templates/{one.name}.xlsx?lang={tag}": one.title(tag) for one in templates().values()
        }
        for path in links:
            answer = httpx.get(world.base + path)
            assert answer.status_code == 200
            assert answer.content.startswith(b"PK")
