"""The resolver's answers, over the real routes: the table of the GS1 test suite, and what people see."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import web_samples as samples
from litestar.testing import TestClient
from web_source import FIRST, GTIN_URI, LOT_URI, MALFORMED, RECALLED, SampleSource, application, item_uri

from suyuan.errors import InputError, UnavailableError
from suyuan.gs1.linkset import PIP, Link
from suyuan.web.frame import stylesheet

ITEM = f"/01/{samples.GTIN}/21/{samples.SERIAL}"
BASE = samples.SETTINGS.base_url
PAGE = f"{BASE}/item{ITEM}"
LINK = f'<{BASE}{ITEM}?linkType=linkset>; rel="linkset"; type="application/linkset+json"'


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(application(), base_url=BASE) as opened:
        opened.headers.pop("accept-encoding", None)
        yield opened


def ask(client: TestClient, path: str, accept: str = "*/*", method: str = "GET", **headers: str):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request(method, path, headers={"accept": accept, **named}, follow_redirects=False)


def test_people_get_the_page_and_machines_the_default_link(client: TestClient) -> None:
    page = ask(client, ITEM, "text/html,application/xhtml+xml,*/*;q=0.8")
    assert page.status_code == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["vary"].startswith("Accept, Accept-Language")
    assert page.headers["link"] == LINK
    bare = ask(client, ITEM)
    assert bare.status_code == 307 and bare.headers["location"] == PAGE and bare.headers["link"] == LINK
    assert 'rel="gs1:' not in bare.headers["link"]
    assert ask(client, f"/item{ITEM}").status_code == 200


def test_a_trailing_slash_changes_neither_status_nor_location(client: TestClient) -> None:
    for accept in ("*/*", "text/html"):
        with_slash, without = ask(client, ITEM + "/", accept), ask(client, ITEM, accept)
        assert with_slash.status_code == without.status_code
        assert with_slash.headers.get("location") == without.headers.get("location")


@pytest.mark.parametrize("query", ["foo=bar", "a=1;b=2", "x=%2F%20y&z", "utm=%E6%BA%AF"])
def test_the_query_reaches_the_location_as_it_was_sent(client: TestClient, query: str) -> None:
    assert ask(client, f"{ITEM}?{query}").headers["location"] == f"{PAGE}?{query}"


def test_an_escaped_slash_stays_escaped(client: TestClient) -> None:
    answer = ask(client, f"/01/{samples.GTIN}/10/A%2FB", "text/html")
    assert answer.status_code == 200
    linkset = ask(client, f"/01/{samples.GTIN}/10/A%2FB?linkType=linkset")
    assert "/10/A%2FB?linkType=linkset" in linkset.headers["link"]


@pytest.mark.parametrize(
    "path",
    [
        ITEM + "/foo",
        ITEM + "/foo/bar",
        "/01/08710000001237",
        "/01/abc",
        "/01",
        "/01/",
        f"/01/{samples.GTIN}/99",
        "/00/1",
        "/obj/",
        "/obj/a/b",
    ],
)
@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/json"])
def test_what_is_no_identifier_is_refused(client: TestClient, path: str, accept: str) -> None:
    answer = ask(client, path, accept)
    assert answer.status_code == 400
    if accept != "text/html":
        assert answer.json()["code"].startswith("gs1.")


def test_options_says_what_is_allowed(client: TestClient) -> None:
    answer = ask(client, ITEM, method="OPTIONS")
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert {"GET", "HEAD", "OPTIONS"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    assert answer.headers["link"] == LINK
    assert ask(client, ITEM, method="PUT").status_code == 405
    assert ask(client, "/trace" + ITEM, method="POST").status_code == 405
    assert ask(client, ITEM + "?" + "&".join(f"a{n}=1" for n in range(200)), "text/html").status_code == 200


def test_head_is_get_without_a_body(client: TestClient) -> None:
    for accept in ("text/html", "*/*", "application/json"):
        head, get = ask(client, ITEM, accept, "HEAD"), ask(client, ITEM, accept)
        assert head.status_code == get.status_code and head.content == b""
        assert head.headers.get("content-length") == get.headers.get("content-length")


def test_unknown_qualifiers_are_answered_from_the_level_above(client: TestClient) -> None:
    path = f"/01/{samples.GTIN}/10/KL8G"
    assert ask(client, path).headers["location"] == f"{BASE}/item/01/{samples.GTIN}"
    page = ask(client, path, "text/html", accept_language="en")
    assert page.status_code == 200 and "A product, not one item" in page.text
    known = ask(client, LOT_URI.removeprefix("https://id.gs1.org"), "text/html", accept_language="en")
    assert "A lot, not one item" in known.text


def test_an_unknown_serial_does_not_exist_for_people_and_is_its_product_for_machines(
    client: TestClient,
) -> None:
    path = f"/01/{samples.GTIN}/21/NOPE"
    page = ask(client, path, "text/html", accept_language="en")
    assert page.status_code == 404 and "This code does not exist here" in page.text
    assert "Infant formula" in page.text and path in page.text
    assert ask(client, path).headers["location"] == f"{BASE}/item/01/{samples.GTIN}"
    assert ask(client, path, "application/json").status_code == 404


def test_a_forged_serial_is_refused_before_anything_is_read() -> None:
    source = SampleSource()
    with TestClient(application(source=source)) as client:
        path = f"/01/{samples.GTIN}/21/{MALFORMED}"
        page = ask(client, path, "text/html", accept_language="en")
        assert page.status_code == 404 and "its check characters" in page.text.lower()
        assert ask(client, path).json()["code"] == "web.code.malformed"
    assert source.reads == 0


def test_nothing_known_at_all_is_not_found(client: TestClient) -> None:
    assert ask(client, "/01/09506000134352").status_code == 404
    assert ask(client, "/01/09506000134352/21/A", "text/html").status_code == 404
    assert ask(client, "/obj/bag.77").status_code == 404


def test_link_types(client: TestClient) -> None:
    assert ask(client, f"{ITEM}?linkType=gs1:nothingHere").status_code == 404
    assert ask(client, f"{ITEM}?linkType=bad%20type").status_code == 400
    english = ask(client, f"{ITEM}?linkType=gs1:pip", accept_language="en")
    assert english.status_code == 307 and english.headers["location"].startswith(f"{PAGE}?lang=en")
    chinese = ask(client, f"{ITEM}?linkType=gs1:pip", accept_language="zh-CN")
    assert chinese.headers["location"].startswith(f"{PAGE}?lang=zh-CN")
    machine = ask(client, f"{ITEM}?linkType=gs1:traceability", "application/json")
    assert machine.headers["location"].startswith(f"{BASE}/trace{ITEM}")


def test_links_that_cannot_be_told_apart_are_all_offered(client: TestClient) -> None:
    answer = ask(client, f"{ITEM}?linkType=gs1:pip")
    assert answer.status_code == 300 and answer.headers["content-type"] == "application/linkset+json"
    hrefs = [link["href"] for link in answer.json()["linkset"][0][PIP]]
    assert hrefs == [f"{PAGE}?lang=zh-CN", f"{PAGE}?lang=en"]


@pytest.mark.parametrize(
    ("query", "accept"),
    [("?linkType=linkset", "*/*"), ("?linkType=all", "text/html"), ("", "application/linkset+json")],
)
def test_the_linkset(client: TestClient, query: str, accept: str) -> None:
    answer = ask(client, ITEM + query, accept)
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/linkset+json"
    assert "linkset-context" in answer.headers["link"] and LINK in answer.headers["link"]
    entries = answer.json()["linkset"]
    assert [entry["anchor"] for entry in entries] == [item_uri(samples.SERIAL), GTIN_URI]
    for entry in entries:
        assert len(entry["https://ref.gs1.org/voc/defaultLink"]) == 1


def _vectors() -> Path | None:
    beside = Path(__file__).resolve().parents[3] / "shared" / "vectors"
    folder = Path(os.environ.get("SUYUAN_VECTORS", beside))
    return folder if folder.is_dir() else None


def test_linkset_and_description_fit_the_published_schemas(client: TestClient) -> None:
    folder = _vectors()
    if folder is None:
        pytest.skip("the vectors are not at ../shared/vectors and SUYUAN_VECTORS names none")
    schema = json.loads((folder / "gs1" / "gs1-linkset-schema.json").read_text())
    link_schema = next(iter(schema["properties"]["linkset"]["items"]["patternProperties"].values()))
    known = link_schema["items"]["properties"]
    for entry in ask(client, f"{ITEM}?linkType=linkset").json()["linkset"]:
        assert {"anchor", "itemDescription"} <= entry.keys()
        for relation, links in entry.items():
            if relation in ("anchor", "itemDescription"):
                continue
            assert re.fullmatch(r"[a-z-]+|https?://[a-zA-z0-9./]+", relation)
            for link in links:
                assert {"href", "title"} <= link.keys() <= known.keys()
                assert re.search(known["href"]["pattern"], link["href"])
                for tag in link.get("hreflang", ()):
                    assert re.search(known["hreflang"]["items"]["pattern"], tag)
    description = ask(client, "/.well-known/gs1resolver").json()
    wanted = json.loads((folder / "gs1" / "description-file-schema.json").read_text())
    assert set(wanted["required"]) <= description.keys() <= wanted["properties"].keys()
    keys = wanted["properties"]["supportedPrimaryKeys"]["items"]["enum"]
    assert set(description["supportedPrimaryKeys"]) <= set(keys)
    assert description["resolverRoot"] == BASE


def test_a_registered_default_link_takes_the_place_of_ours() -> None:
    brand = Link(
        anchor=item_uri(samples.SERIAL),
        link_type=PIP,
        href="https://brand.example/x",
        title="Brand",
        default=True,
    )
    with TestClient(application(source=SampleSource(registered=(brand,)))) as client:
        assert ask(client, ITEM).headers["location"] == "https://brand.example/x"
        assert ask(client, f"{ITEM}?a=1").headers["location"] == "https://brand.example/x?a=1"
        assert ask(client, ITEM, "text/html").status_code == 200


def test_machines_get_the_public_trace(client: TestClient) -> None:
    for path, accept in ((ITEM, "application/json"), (f"/trace{ITEM}", "*/*")):
        answer = ask(client, path, accept)
        assert answer.status_code == 200
        body = answer.json()
        assert body["verdict"] == "registered" and body["trace"]["serial"] == samples.SERIAL
        fact = body["trace"]["facts"][0]
        assert fact["block"] == "production" and fact["segment"] == "factory" and fact["position"] == 1
        assert not {"event_id", "event_key", "capture_id"} & fact.keys()
    assert ask(client, f"/bundle{ITEM}").headers["content-disposition"].startswith("attachment")
    assert ask(client, f"/bundle/01/{samples.GTIN}/21/NOPE").status_code == 404


def test_a_lot_in_the_path_of_an_item_is_information(client: TestClient) -> None:
    answer = ask(client, f"/01/{samples.GTIN}/10/L25216A/21/{FIRST}", "text/html", accept_language="en")
    assert answer.status_code == 200 and "First verification" in answer.text


def test_the_language_follows_the_request_and_the_switch_wins(client: TestClient) -> None:
    assert ask(client, ITEM, "text/html").headers["content-language"] == "zh-CN"
    english = ask(client, ITEM, "text/html", accept_language="en-US")
    assert english.headers["content-language"] == "en" and f'href="{ITEM}?lang=zh-CN"' in english.text
    switched = ask(client, f"{ITEM}?lang=zh-CN", "text/html", accept_language="en-US")
    assert switched.headers["content-language"] == "zh-CN"
    assert f'href="/item{ITEM}?lang=en"' in ask(client, f"/item{ITEM}").text


def test_a_page_is_computed_once_while_nothing_changed() -> None:
    source = SampleSource()
    with TestClient(application(source=source)) as client:
        first = ask(client, ITEM, "text/html", accept_encoding="identity")
        again = ask(client, ITEM, "text/html", accept_encoding="identity")
        assert first.content == again.content and source.reads == 1
        etag = first.headers["etag"]
        assert ask(client, ITEM, "text/html", if_none_match=etag).status_code == 304
        source.current = "2"
        assert ask(client, ITEM, "text/html", if_none_match=etag).status_code == 200
        assert source.reads == 2
        source.current = None
        fresh = ask(client, ITEM, "text/html")
        assert "etag" not in fresh.headers
        ask(client, ITEM, "text/html")
        assert source.reads == 4


def test_a_cached_page_travels_compressed(client: TestClient) -> None:
    packed = client.build_request("GET", ITEM, headers={"accept": "text/html", "accept-encoding": "gzip"})
    answer = client.send(packed)
    assert answer.headers["content-encoding"] == "gzip" and "Accept-Encoding" in answer.headers["vary"]
    assert len(gzip.compress(answer.content)) < 10_000


def test_static_files(client: TestClient) -> None:
    name, css = stylesheet()
    answer = ask(client, f"/static/{name}")
    assert answer.content == css and "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert ask(client, "/static/icon.svg").headers["content-type"] == "image/svg+xml"
    assert ask(client, f"/static/{name}/more").status_code == 404
    assert ask(client, "/static/page.css").status_code == 404
    assert ask(client, "/robots.txt").text.startswith("User-agent: *")


def test_root_verification_files(tmp_path: Path) -> None:
    (tmp_path / "MP_verify_abc.txt").write_text("abc")
    (tmp_path / ".secret.txt").write_text("no")
    (tmp_path / "script.js").write_text("no")
    settings = msgspec.structs.replace(samples.SETTINGS, root_files=tmp_path)
    with TestClient(application(settings)) as client:
        assert client.get("/MP_verify_abc.txt").text == "abc"
        assert client.get("/.secret.txt").status_code == 404
        assert client.get("/script.js").status_code == 404
    with pytest.raises(InputError, match=r"web\.root_files\.folder"):
        application(msgspec.structs.replace(samples.SETTINGS, root_files=tmp_path / "none"))
    (tmp_path / "big.txt").write_bytes(b"x" * 70_000)
    with pytest.raises(InputError, match=r"web\.root_files\.size"):
        application(settings)


class Broken(SampleSource):
    def __init__(self, error: Exception) -> None:
        super().__init__(version=None)
        self.error = error

    async def read_public(self, uri: str, version: str = ""):
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (UnavailableError("db.down", "The database is away."), 503, "cannot be given just now"),
        (RuntimeError("secret detail"), 500, "Something went wrong on our side"),
    ],
)
def test_a_failure_says_nothing_about_the_item(error: Exception, status: int, words: str) -> None:
    with TestClient(application(source=Broken(error))) as client:
        page = ask(client, ITEM, "text/html", accept_language="en")
        assert page.status_code == status and words in page.text and "secret" not in page.text
        assert page.headers["cache-control"] == "no-store"
        machine = ask(client, ITEM, "application/json")
        assert machine.status_code == status and "secret" not in machine.text


def test_a_recalled_item_says_so_to_machines_too(client: TestClient) -> None:
    body = ask(client, f"/01/{samples.GTIN}/21/{RECALLED}", "application/json").json()
    assert body["verdict"] == "recalled" and body["trace"]["recall"]["number"] == "RC-2025-0007"
