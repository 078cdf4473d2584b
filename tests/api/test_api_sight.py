"""Every mask at every door: a marked value in every field class, and who finds it where.

``sight_table`` says it by hand, not by asking the policy. What an audience finds at a door is exactly what the table
says, neither more nor less; what names a person is found nowhere but where it is revealed.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from sight_story import PARTIES, Story, event
from sight_table import (
    AUDIENCES,
    BUYER_CODE,
    CORRECTIVE,
    EVENTS,
    GTIN,
    ITEM,
    PERSON,
    Mark,
    check,
    check_nothing,
)

from suyuan.api import api_routes
from suyuan.cli.main import app
from suyuan.console.routes import PAGES
from suyuan.disclosure.policy import Policy, load_policy, named_by, policy_text, read_policy
from suyuan.parties import create_token

MEMBERS = tuple(PARTIES)
NOBODY = ("elsewhere", "bystander")
OTHER = f"https://id.gs1.org/01/{GTIN}/21/B2"
PATH = ITEM.removeprefix("https://id.gs1.org")
READING = ("/api/v1/trace", "/api/v1/coverage", "/api/v1/bundle")


# -- the table --------------------------------------------------------------------------------------------------


def unmarked(policy: Policy, marks: Sequence[Mark]) -> set[str]:
    """Field classes of a policy in which no value is marked."""
    return {one.name for one in policy.classes.all} - {mark.field_class for mark in marks}


async def test_every_field_class_has_a_mark_that_stands_in_it(story: Story) -> None:
    policy = load_policy()
    assert unmarked(policy, story.marks) == set()
    novel = '[classes.novel]\npaths = ["{urn:suyuan:ext}novel"]\n\n[classes.price]'
    assert unmarked(read_policy(policy_text().replace("[classes.price]", novel)), story.marks) == {"novel"}
    _, bundle = await story.door("/api/v1/bundle", "operator")
    claims = [claim for fact in json.loads(bundle)["facts"] for claim in fact["claims"]]
    for mark in story.marks:
        classes = {
            policy.classes.of(path, named_by(value))
            for path, value, *_ in claims
            if mark.stored in json.dumps(value, ensure_ascii=False)
        }
        assert mark.field_class in classes, mark


def test_every_door_that_takes_a_thing_is_held_here() -> None:
    handlers = [*api_routes(), *(handler for pages in PAGES for handler in pages.ROUTES)]
    doors = {
        path
        for handler in handlers
        if "uri" in inspect.signature(handler.fn).parameters
        for path in handler.paths
    }
    assert doors == {
        *READING,
        "/api/v1/consignments",
        "/console/thing",
        "/console/contents",
        "/console/bundle",
    }


# -- pages and answers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", AUDIENCES)
async def test_what_an_audience_finds_at_the_doors(story: Story, name: str) -> None:
    trace = json.loads(check(story.marks, "t", name, await story.door("/api/v1/trace", name)))
    held = {"deliverer": "member", "named": "member"}.get(name, name)
    assert trace["audience"] == held
    [marked] = [fact for fact in trace["facts"] if fact["biz_step"] == "urn:example:canstep"]
    reasons = {
        "deliverer": "delivered",
        "operator": "whole",
        "owner": "product-owner",
        "inspector": "inspected-chain",
        "member": "on-chain",
    }
    assert marked["sight"]["code"] == reasons.get(name, name)
    assert all(fact["event_key"] == 0 for fact in trace["facts"]) == (name != "operator")
    check(story.marks, "v", name, await story.door("/api/v1/coverage", name))
    bundle = check(story.marks, "proof", name, await story.door("/api/v1/bundle", name))
    assert len(json.loads(bundle)["facts"]) >= len(trace["facts"]) - 2
    if name == "public":
        for lang in ("en", "zh"):
            check_nothing(story.marks, await story.console("/console/thing", name, lang), 303)
        return
    for lang in ("en", "zh-CN"):
        check(story.marks, "c", name, await story.console("/console/thing", name, lang))
    assert check(story.marks, "proof", name, await story.console("/console/bundle", name))
    if name != "operator":
        check_nothing(story.marks, await story.door("/api/v1/consignments", name), 403)
        check_nothing(story.marks, await story.console("/console/contents", name), 404)


@pytest.mark.parametrize("event_name", EVENTS)
async def test_an_event_is_for_who_delivered_it_and_the_operator(story: Story, event_name: str) -> None:
    """The event read door, and the console's raw event: of what is stored of it, all or nothing."""
    own = {mark.stored for mark in story.marks if mark.event == event_name and mark.field_class != "source"}
    own |= {BUYER_CODE}
    path = f"/epcis/events/{EVENTS[event_name]}"
    for name in MEMBERS:
        for accept in ("application/ld+json", "application/xml"):
            status, text = await story.door(path, name, accept=accept)
            assert status == (200 if name in ("deliverer", "operator") else 404), name
            seen = {mark.stored for mark in story.marks if mark.stored in text}
            # A declaration against it, and its parcel, are told with it.
            assert own <= seen if status == 200 else seen <= {EVENTS[event_name]}, (name, own - seen)
            assert not [person for person in PERSON if person in text]
    assert (await story.door(path, "public"))[0] == 401


async def test_an_event_as_it_is_stored_is_on_the_operators_page_alone(story: Story) -> None:
    trace = json.loads((await story.door("/api/v1/trace", "operator"))[1])
    keys = {fact["event_id"]: fact["event_key"] for fact in trace["facts"]}
    for event_name, event_id in EVENTS.items():
        status, text = await story.console("/console/thing", "operator", raw=keys[event_id])
        stored = {mark.stored for mark in story.marks if mark.event == event_name}
        # The ID of what stands instead is in the declaration, an event of its own.
        assert (status, {one for one in stored if one not in text} - {CORRECTIVE}) == (200, set())
        assert not [person for person in PERSON if person in text]
    for name in AUDIENCES[1:-1]:
        check(story.marks, "c", name, await story.console("/console/thing", name, raw=keys[EVENTS["seen"]]))


async def test_the_publics_page_is_the_same_whoever_asks(story: Story) -> None:
    for name in ("public", *MEMBERS):
        for lang in ("en", "zh-CN"):
            for path in (PATH, f"/item{PATH}"):
                answer = await story.door(path, name, accept="text/html", **{"accept-language": lang})
                check(story.marks, "h", "public", answer)
        check(story.marks, "t", "public", await story.door(PATH, name, accept="application/json"))
        check(story.marks, "t", "public", await story.door(f"/trace{PATH}", name))
        check(story.marks, "proof", "public", await story.door(f"/bundle{PATH}", name))
        # The linkset says where to look, and nothing of what there is to see.
        check(story.marks, "links", "public", await story.door(PATH, name, accept="application/linkset+json"))


async def test_a_member_elsewhere_finds_nothing(story: Story) -> None:
    for name in NOBODY:
        for path in READING:
            check_nothing(story.marks, await story.door(path, name), 404)
        for path in ("/console/thing", "/console/bundle", "/console/contents"):
            check_nothing(story.marks, await story.console(path, name), 404)


async def test_ones_own_word_puts_nobody_on_a_chain(story: Story) -> None:
    told = {"epcList": [OTHER], "suyuan:ebcCode": BUYER_CODE, "suyuan:goodsValue": "CANOWN"}
    await story.say("elsewhere", event(bizStep="inspecting", **told))
    await story.say("courier", event(bizStep="departing", epcList=[OTHER]))
    status, text = await story.door("/api/v1/trace", "elsewhere", uri=OTHER)
    trace = json.loads(text)
    assert (status, trace["audience"], len(trace["facts"])) == (200, "elsewhere", 1)
    assert trace["facts"][0]["sight"]["code"] == "delivered"
    assert trace["facts"][0]["attributes"] == {"goodsValue": "CANOWN", "ebcCode": BUYER_CODE}
    assert (trace["product"], trace["lot"], trace["state"], trace["standing"]) == ({}, "", "unknown", [])
    assert (await story.door("/api/v1/coverage", "elsewhere", uri=OTHER))[0] == 404
    # Nor does it put anybody else on one.
    assert (await story.door("/api/v1/trace", "named", uri=OTHER))[0] == 404


async def test_a_token_that_may_not_read_traces_is_told_so(story: Story) -> None:
    pool = story.deployment.services.pool
    story.deployment.tokens["till"] = (await create_token(pool, "p-member", ("capture",)))[1]
    status, text = await story.door("/api/v1/trace", "till")
    assert (status, json.loads(text)["code"]) == (403, "access.scope.missing")


# -- the command line -------------------------------------------------------------------------------------------


def _command(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as end:
        app(list(arguments))
    return int(end.value.code or 0), out.getvalue()


async def test_what_the_command_line_reads_for_a_party(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured = story.deployment.services.settings
    monkeypatch.setenv("SUYUAN_DATABASE_URL", str(configured.database_url))
    monkeypatch.setenv("SUYUAN_DATA_DIR", str(configured.data_dir))
    for name in (*AUDIENCES, "elsewhere"):
        viewer = ("--audience", "public") if name == "public" else ("--party", f"p-{name}")
        code, text = await asyncio.to_thread(_command, "trace", ITEM, *viewer, "--json")
        if name == "elsewhere":
            assert (code, text) == (4, "")
            continue
        check(story.marks, "t", name, (200 if code == 0 else code, text))
        code, text = await asyncio.to_thread(_command, "coverage", ITEM, *viewer, "--json")
        check(story.marks, "v", name, (200 if code == 0 else code, text))
    out = tmp_path / "bundle.json"
    assert (await asyncio.to_thread(_command, "bundle", ITEM, "--party", "p-owner", "--out", str(out)))[
        0
    ] == 0
    check(story.marks, "proof", "owner", (200, out.read_text("utf-8")))
