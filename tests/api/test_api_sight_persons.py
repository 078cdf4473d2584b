"""Graded sight where it matters most: persons, proofs, the log; and that a mask that is wrong is caught."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sight_story import PARTIES, Story
from sight_table import AUDIENCES, PERSON, Mark, strayed, texts

from suyuan.disclosure.policy import policy_text, read_policy
from suyuan.errors import SuyuanError
from suyuan.proof.verification import verify_bundle

MEMBERS = tuple(PARTIES)
# What frames a fact is not asked of the policy: its time, and of a withdrawal who declared it, when and why.
FRAME = {"when", "source", "correction"}
# What a quantity, or a fact of its own, names as well.
NAMED_TWICE = {"CANBOX", "CANLOT", "CANRAW", "CANINPUT", "095060000000077109"}


# -- persons ----------------------------------------------------------------------------------------------------


async def _post(story: Story, path: str, name: str, **command: str) -> tuple[int, str]:
    answer = await story.deployment.client.post(
        path, json={"reason": "complaint 771", **command}, headers=story.bearer(name)
    )
    return answer.status_code, answer.text


async def test_a_person_is_named_where_it_is_revealed_and_nowhere_else(
    story: Story, captures: dict[str, str]
) -> None:
    pseudonyms = {mark.field_class: mark.stored for mark in story.marks}
    for name in MEMBERS:
        # Finding goods by a number one knows gives no other number.
        for kind, number in (("order", PERSON[0]), ("waybill", PERSON[1])):
            status, text = await _post(story, "/api/v1/lookup", name, kind=kind, number=number)
            assert status == 200
            assert not [one for one in PERSON if one in text], name
            token = json.loads(text)["token"]
            assert bool(token) == (
                name in ("operator", "deliverer", {"order": "platform", "waybill": "courier"}[kind])
            )
            if token:
                again = await story.door(f"/api/v1/lookup/{token}", name)
                assert again[0] == 200
                assert not [one for one in PERSON if one in again[1]]
        for deliverer, personal in (("platform", {*PERSON} - {PERSON[1]}), ("courier", {PERSON[1]})):
            status, text = await _post(story, "/api/v1/reveal", name, capture_id=captures[deliverer])
            found = {one for one in PERSON if one in text}
            assert (status, found) == ((200, personal) if name in ("operator", deliverer) else (404, set()))
            status, text = await story.door(f"/api/v1/evidence/{captures[deliverer]}", name)
            assert status == (200 if name in ("operator", deliverer) else 404)
            assert not [one for one in PERSON if one in text]
        for kind, number in (("purchase_paper", PERSON[0]), ("parcel_paper", PERSON[1])):
            status, text = await _post(story, "/api/v1/reveal", name, document=pseudonyms[kind])
            allowed = ("operator", "deliverer", "platform" if kind == "purchase_paper" else "courier")
            found = {one for one in PERSON if one in text}
            assert (status, found) == ((200, {number}) if name in allowed else (404, set())), (name, kind)


async def test_the_log_tells_nothing_of_what_it_holds(story: Story) -> None:
    client = story.deployment.client
    size = int((await client.get("/log/checkpoint")).text.split("\n")[1])
    for path in (
        "/log/checkpoint",
        "/log/key",
        f"/log/tile/0/000.p/{size}",
        f"/log/tile/entries/000.p/{size}",
    ):
        answer = await client.get(path)
        assert answer.status_code == 200, path
        for mark in story.marks:
            assert mark.stored.encode() not in answer.content
        for person in PERSON:
            assert person.encode() not in answer.content


# -- proofs -----------------------------------------------------------------------------------------------------


def _forgeries(bundle: str, marks: Sequence[Mark], name: str) -> Iterator[tuple[str, Any]]:
    """A bundle with one thing changed: every marked value, a salt, a claim taken away, a fact of another's."""
    for said in sorted(texts(marks, "proof", name)):
        flipped = said[:-1] + ("7" if said[-1] != "7" else "8")
        yield said, bundle.replace(said, flipped).encode()
    for number, change in enumerate(("salt", "claim", "fact", "proof")):
        told = json.loads(bundle)
        fact = told["facts"][0]
        if change == "salt":
            fact["claims"][0][2] = fact["claims"][1][2]
        elif change == "claim":
            del fact["claims"][0]
        elif change == "fact":
            told["facts"][0]["claims"] = told["facts"][1]["claims"]
        else:
            fact["claimProof"] = told["facts"][1]["claimProof"]
        yield f"{number} {change}", json.dumps(told, ensure_ascii=False).encode()


@pytest.mark.parametrize("name", AUDIENCES)
async def test_a_masked_bundle_verifies_offline_and_its_forgeries_do_not(story: Story, name: str) -> None:
    _, bundle = await story.door("/api/v1/bundle", name)
    report = verify_bundle(bundle.encode(), story.vkey)
    assert report.audience == {"deliverer": "member", "named": "member"}.get(name, name)
    assert {warning.code for warning in report.warnings} == {"bundle.fact.withdrawn"}
    assert len(report.facts) == len(json.loads(bundle)["facts"])
    for what, forged in _forgeries(bundle, story.marks, name):
        with pytest.raises(SuyuanError):
            verify_bundle(forged, story.vkey)
            pytest.fail(f"the forgery of {what} was believed")


# -- that all of this can fail ----------------------------------------------------------------------------------


@contextlib.contextmanager
def _changed(story: Story, audience: str, class_name: str, verdict: str) -> Iterator[None]:
    """The deployment with one rule put before all others of an audience."""
    head = f"[[audiences.{audience}.rules]]"
    rule = f'{head}\nclass = "{class_name}"\nverdict = "{verdict}"\n\n{head}'
    reader = story.deployment.services.reader
    kept, reader.policy = reader.policy, read_policy(policy_text().replace(head, rule, 1))
    try:
        yield
    finally:
        reader.policy = kept


@pytest.mark.parametrize("audience", AUDIENCES[:6])
async def test_a_class_that_is_shown_by_mistake_is_caught(story: Story, audience: str) -> None:
    """One hidden class after the other is shown: its marks are found where the table has none."""
    caught = set()
    for class_name in {mark.field_class for mark in story.marks}:
        # What was bought is hidden as an event, whatever its fields are.
        hidden = [
            mark
            for mark in story.marks
            if mark.field_class == class_name and audience not in mark.shown and mark.event != "bought"
        ]
        if not hidden:
            continue
        with _changed(story, audience, class_name, "shown"):
            for path, face in (("/api/v1/trace", "t"), ("/api/v1/bundle", "proof")):
                _, text = await story.door(path, audience)
                extra, lacking = strayed(story.marks, face, audience, text)
                own = {
                    mark.stored if face == "proof" else mark.text
                    for mark in hidden
                    if not mark.is_at(face, audience) and (face == "proof" or face in mark.faces)
                }
                # A mask has an event's ID to give in a proof alone, and not to who is only named.
                id_kept = class_name == "event_id" and (face == "t" or audience == "named")
                assert extra >= own or id_kept, (class_name, face, own - extra)
                assert not lacking
                caught |= {class_name} if extra else set()
    told = [mark for mark in story.marks if mark.event != "bought"]
    masked = {mark.field_class for mark in told if audience not in mark.shown}
    assert caught == masked - ({"event_id"} if audience == "named" else set())


@pytest.mark.parametrize("audience", ["public", "inspector", "regulator"])
async def test_a_class_that_is_hidden_by_mistake_is_caught(story: Story, audience: str) -> None:
    """One class after the other is hidden: its marks are missed where the table has them."""
    for class_name in {mark.field_class for mark in story.marks} - FRAME:
        own = [
            mark for mark in story.marks if mark.field_class == class_name and mark.text not in NAMED_TWICE
        ]
        with _changed(story, audience, class_name, "hidden"):
            for path, face in (("/api/v1/trace", "t"), ("/api/v1/bundle", "proof")):
                _, text = await story.door(path, audience)
                extra, lacking = strayed(story.marks, face, audience, text)
                assert not extra, (class_name, face)
                assert lacking >= texts(own, face, audience), (class_name, face)


async def test_a_class_that_is_shown_by_mistake_is_caught_on_the_console(story: Story) -> None:
    with _changed(story, "member", "quantity", "shown"):
        _, page = await story.console("/console/thing", "member")
    extra, lacking = strayed(story.marks, "c", "member", page)
    assert ({"771008", "771004"} <= extra, lacking) == (True, set())
