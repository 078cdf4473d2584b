"""Who gets in, who does not, and what a form must carry."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import httpx
import pytest
from console_site import PASSWORD, Site, csrf, post, sign_in
from litestar.routes import HTTPRoute

from suyuan.console import access
from suyuan.console.frame import PAGE_HEADERS
from suyuan.console.routes import console_routes
from suyuan.db.pool import transaction
from suyuan.parties import Party, add_party, sessions_attempts
from suyuan.parties.users_journal import list_user_acts
from suyuan.parties.users_links import make_link

COOKIE = "suyuan_session"


async def acts(site: Site) -> list[tuple[str, str | None]]:
    return [(one.act, one.user_name) for one in reversed(await list_user_acts(site.services.pool))]


# -- signing in -------------------------------------------------------------------------------------------


async def test_password_and_code_open_a_session_with_a_new_token(site: Site) -> None:
    lin = await site.person("lin")
    async with site.browser() as client:
        first = await client.get("/console")
        assert (first.status_code, first.headers["location"]) == (303, "/console/sign-in")
        answer = await post(client, "/console/sign-in", "/console/sign-in", name=" LIN ", password=PASSWORD)
        assert answer.headers["location"] == "/console/second-factor"
        half = client.cookies[COOKIE]
        assert (await client.get("/console")).status_code == 303, "half a session opens nothing"
        answer = await post(client, "/console/second-factor", "/console/second-factor", code=lin.code())
        assert (answer.status_code, answer.headers["location"]) == (303, "/console")
        assert client.cookies[COOKIE] != half
        page = await client.get("/console")
        assert page.status_code == 200
        assert "Haimen Bonded" in page.text
        client.cookies.set(COOKIE, half)
        assert (await client.get("/console")).status_code == 303, "the token before the second step is dead"
    assert ("signed-in", "lin") in await acts(site)


async def test_a_sign_in_leads_back_to_the_page_that_was_asked_for(site: Site) -> None:
    lin = await site.person("lin", role="admin")
    async with site.browser() as client:
        asked = await client.get("/console/journal?before=9")
        assert asked.headers["location"] == "/console/sign-in?next=/console/journal%3Fbefore%3D9"
        page = await client.get(asked.headers["location"])
        back = re.search(r'name="next" value="(/console/journal[^"]*)"', page.text)
        assert back
        assert back[1] == "/console/journal?before=9"
        data = {"csrf": csrf(page), "name": "lin", "password": PASSWORD, "next": back[1]}
        answer = await client.post("/console/sign-in", data=data)
        page = await client.get(answer.headers["location"])
        answer = await client.post(
            "/console/second-factor", data={"csrf": csrf(page), "code": lin.code(), "next": back[1]}
        )
        assert answer.headers["location"] == "/console/journal?before=9"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/console//evil", "/api/v1", "/consolex"]
)
async def test_a_sign_in_never_leads_out_of_the_console(site: Site, elsewhere: str) -> None:
    await site.person("lin")
    async with site.browser() as client:
        page = await client.get("/console/sign-in", params={"next": elsewhere})
        assert 'name="next" value="/console"' in page.text


async def test_wrong_name_and_wrong_password_are_answered_alike(site: Site) -> None:
    await site.person("lin")
    async with site.browser(headers={"Accept-Language": "en"}) as client:
        wrong = [
            await post(client, "/console/sign-in", "/console/sign-in", name=name, password=password)
            for name, password in (("lin", "not the password"), ("nobody", PASSWORD))
        ]
        assert [one.status_code for one in wrong] == [403, 403]
        plain = [re.sub(r'value="(lin|nobody)"|name="csrf" value="\w+"', "", one.text) for one in wrong]
        assert plain[0] == plain[1]
        assert "Name or password is wrong" in wrong[0].text
    # The name that nobody has is not kept: it may have been a password.
    assert (await acts(site))[-2:] == [("sign-in-failed", "lin"), ("sign-in-failed", None)]


async def test_a_code_counts_once_and_a_recovery_code_too(site: Site) -> None:
    lin = await site.person("lin")
    code = lin.code()
    for given, works in (
        (code, True),
        (code, False),
        (lin.recovery[0].upper(), True),
        (lin.recovery[0], False),
    ):
        async with site.browser() as client:
            answer = await sign_in(client, lin, code=given)
            assert (answer.status_code == 303) is works, given
    assert ("recovery-code-used", "lin") in await acts(site)


async def test_a_closed_account_and_one_without_second_factor_do_not_open(site: Site) -> None:
    lin, pool = await site.person("lin"), site.services.pool
    await pool.execute("UPDATE user_account SET totp_sealed = NULL WHERE user_name = 'lin'")
    async with site.browser() as client:
        assert (await sign_in(client, lin)).status_code == 403
    wu = await site.person("wu")
    async with await site.signed_in(wu) as client:
        assert (await client.get("/console")).status_code == 200
        await pool.execute("UPDATE user_account SET disabled_at = now() WHERE user_name = 'wu'")
        assert (await client.get("/console")).status_code == 303
    async with site.browser() as client:
        assert (await sign_in(client, wu)).status_code == 403


# -- limits on guessing -----------------------------------------------------------------------------------


async def test_a_guesser_is_held_up_and_the_colleague_beside_it_is_not(site: Site) -> None:
    lin, wu = await site.person("lin"), await site.person("wu")
    async with site.browser() as client:
        assert (await sign_in(client, wu)).status_code == 303
    async with site.browser(headers={"Accept-Language": "en"}) as client:
        for _ in range(sessions_attempts.PAIR_LIMIT):
            answer = await post(client, "/console/sign-in", "/console/sign-in", name="lin", password="guess")
            assert answer.status_code == 403
        held = await sign_in(client, lin)
        assert held.status_code == 429
        assert "Try again in 15 minutes" in held.text
    async with site.browser() as client:
        # A recovery code, since the one-time code of this half minute is used.
        assert (await sign_in(client, wu, code=wu.recovery[1])).status_code == 303
    assert ("sign-in-held", "lin") in await acts(site)


async def test_many_guesses_at_once_do_not_slip_through(site: Site) -> None:
    import asyncio

    await site.person("lin")
    attempts, limit = site_attempts(site), sessions_attempts.PAIR_LIMIT
    found = await asyncio.gather(
        *(attempts.begin("lin", "192.0.2.7") for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(one, int) for one in found) == limit
    assert all(isinstance(one, int | sessions_attempts.HeldError) for one in found)


async def test_an_address_full_of_failures_holds_up_new_names_only(site: Site) -> None:
    attempts = site_attempts(site)
    await attempts.succeeded("regular", "192.0.2.9")
    for number in range(sessions_attempts.ADDRESS_LIMIT):
        await attempts.begin(f"guess{number}", "192.0.2.9")
    await attempts.begin("regular", "192.0.2.9")
    with pytest.raises(sessions_attempts.HeldError):
        await attempts.begin("newcomer", "192.0.2.9")
    await attempts.begin("newcomer", "192.0.2.10")


async def test_the_addresses_of_one_subscriber_of_ipv6_are_one(site: Site) -> None:
    attempts = site_attempts(site)
    for number in range(sessions_attempts.ADDRESS_LIMIT):
        await attempts.begin(f"guess{number}", f"2001:db8:1:2::{number + 1:x}")
    with pytest.raises(sessions_attempts.HeldError):
        await attempts.begin("newcomer", "2001:db8:1:2:ffff::1")
    await attempts.begin("newcomer", "2001:db8:1:3::1")


def site_attempts(site: Site) -> sessions_attempts.Attempts:
    from suyuan.parties.totp import UserKeys

    return sessions_attempts.Attempts(site.services.pool, UserKeys(bytes(32)))


# -- sessions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "age", ["seen_at = now() - interval '61 minutes'", "expires_at = now()", "ended_at = now()"]
)
async def test_a_session_ends(site: Site, age: str) -> None:
    lin = await site.person("lin")
    async with await site.signed_in(lin) as client:
        assert (await client.get("/console")).status_code == 200
        await site.services.pool.execute(f"UPDATE user_session SET {age}")
        assert (await client.get("/console")).headers["location"] == "/console/sign-in"


async def test_sign_out_ends_the_session_itself(site: Site) -> None:
    lin = await site.person("lin")
    async with await site.signed_in(lin) as client:
        token = client.cookies[COOKIE]
        answer = await post(client, "/console/sign-out", "/console")
        assert answer.headers["location"] == "/console/sign-in?said=out"
        client.cookies.set(COOKIE, token)
        assert (await client.get("/console")).status_code == 303


async def test_a_person_ends_its_other_sessions(site: Site) -> None:
    lin = await site.person("lin")
    async with await site.signed_in(lin) as here, await site.signed_in(lin) as there:
        page = await here.get("/console/account")
        assert page.text.count('name="session_id"') == 1
        await here.post("/console/account/sessions", data={"csrf": csrf(page)})
        assert (await there.get("/console")).status_code == 303
        assert (await here.get("/console")).status_code == 200


async def test_only_digests_and_sealed_secrets_are_stored(site: Site) -> None:
    lin = await site.person("lin")
    async with site.browser() as client:
        await sign_in(client, lin)
        token = client.cookies[COOKIE]
    pool = site.services.pool
    stored = ""
    for table in ("user_account", "user_session", "user_recovery_code", "user_act", "sign_in_attempt"):
        stored += str([tuple(row) for row in await pool.fetch(f"SELECT * FROM {table}")])
    for secret in (token, lin.totp, PASSWORD, lin.recovery[0], "127.0.0.1"):
        assert secret not in stored
    assert "127.0.0.0/24" in stored


async def test_the_journal_cannot_be_changed(site: Site) -> None:
    await site.person("lin")
    pool = site.services.pool
    async with site.browser() as client:
        await post(client, "/console/sign-in", "/console/sign-in", name="lin", password="wrong")
    for statement in ("UPDATE user_act SET act = 'signed-in'", "DELETE FROM user_act"):
        with pytest.raises(Exception, match="stored rows never change"):
            await pool.execute(statement)


# -- forms ------------------------------------------------------------------------------------------------


def posted_paths(site: Site) -> list[str]:
    """Every address below /console that takes a POST, with something in its parameters' places."""
    from litestar import Litestar

    application = Litestar(route_handlers=[console_routes(site.services)], openapi_config=None)
    return sorted(
        re.sub(r"\{\w+:\w+\}", "x", route.path)
        for route in application.routes
        if isinstance(route, HTTPRoute) and "POST" in route.methods
    )


async def test_no_form_is_taken_from_elsewhere_or_without_its_field(site: Site) -> None:
    chen = await site.person("chen", party="op", role="admin")
    paths = posted_paths(site)
    assert len(paths) >= 12
    async with await site.signed_in(chen) as client:
        good = csrf(await client.get("/console/account"))
        before = await site.services.pool.fetchval("SELECT count(*) FROM user_act")
        for path in paths:
            foreign = {"Origin": "https://evil.example"}
            for data, headers, code in (
                ({}, {}, "console.form.stale"),
                ({"csrf": "0" * 40}, {}, "console.form.stale"),
                ({"csrf": good}, foreign, "console.form.origin"),
                ({"csrf": good}, {"Origin": "null"}, "console.form.origin"),
                ({"csrf": good}, {"Sec-Fetch-Site": "cross-site"}, "console.form.origin"),
            ):
                answer = await client.post(path, data=data, headers=headers)
                assert answer.status_code == 403, path
                assert code in answer.text, path
        assert await site.services.pool.fetchval("SELECT count(*) FROM user_act") == before


async def test_a_field_of_one_session_is_worth_nothing_in_another(site: Site) -> None:
    lin, wu = await site.person("lin"), await site.person("wu")
    async with await site.signed_in(lin) as one, await site.signed_in(wu) as other:
        taken = csrf(await one.get("/console/account"))
        answer = await other.post("/console/language", data={"csrf": taken, "language": "en"})
        assert answer.status_code == 403


async def test_a_form_that_is_too_large_is_refused(site: Site) -> None:
    async with site.browser() as client:
        answer = await client.post("/console/sign-in", data={"name": "x" * 70_000})
        assert answer.status_code == 413
        assert "console.form.size" in answer.text


# -- links ------------------------------------------------------------------------------------------------


async def test_a_link_sets_an_account_up_once(site: Site) -> None:
    from suyuan.parties.users import add_user

    pool = site.services.pool
    user = await add_user(pool, "new", "haimen", "admin")
    secret, _ = await transaction(pool, lambda conn: make_link(conn, user.user_id, "set-up"))
    path = f"/console/link/{secret}"
    async with site.browser(headers={"Accept-Language": "en"}) as client:
        page = await client.get(path)
        shown = totp_on(page)
        assert totp_on(await client.get(path)) == shown, "looking at it again changes nothing"
        fields = {"csrf": csrf(page), "password": PASSWORD, "again": PASSWORD}
        for change, code in (
            ({"password": "short", "again": "short"}, "has 12 to 128 characters"),
            ({"password": "newnewnewnewnew", "again": "newnewnewnewnew"}, "repeats a few characters"),
            ({"again": PASSWORD + "!"}, "two passwords differ"),
            ({"code": "000000"}, "code is wrong"),
        ):
            answer = await client.post(path, data={**fields, "code": now(shown), **change})
            assert answer.status_code == 422
            assert code in answer.text
        answer = await client.post(path, data={**fields, "code": now(shown)})
        assert answer.status_code == 200
        assert len(re.findall(r"<code>[a-z2-7]{4}(?:-[a-z2-7]{4}){3}</code>", answer.text)) == 10
        assert (await client.get("/console")).status_code == 200, "it is signed in at once"
        assert (await client.get(path)).status_code == 404
    async with site.browser() as client:
        assert (await client.get(path)).status_code == 404
        assert (await client.get("/console/link/" + "a" * 52)).status_code == 404


def totp_on(page: httpx.Response) -> str:
    found = re.search(r'class="secret">([A-Z2-7 ]+)<', page.text)
    assert found, page.text[:3000]
    return found[1].replace(" ", "")


def now(secret: str) -> str:
    import pyotp

    return pyotp.TOTP(secret).now()


async def test_a_newer_link_and_time_end_an_older_one(site: Site) -> None:
    lin, pool = await site.person("lin"), site.services.pool
    old, _ = await transaction(pool, lambda conn: make_link(conn, lin.user.user_id, "set-up"))
    new, _ = await transaction(pool, lambda conn: make_link(conn, lin.user.user_id, "set-up"))
    async with site.browser() as client:
        assert (await client.get(f"/console/link/{old}")).status_code == 404
        assert (await client.get(f"/console/link/{new}")).status_code == 200
        await pool.execute("UPDATE user_link SET expires_at = now()")
        assert (await client.get(f"/console/link/{new}")).status_code == 404


# -- roles ------------------------------------------------------------------------------------------------


async def test_pages_of_admins_are_closed_to_others_and_other_parties_do_not_exist(site: Site) -> None:
    lin, wu = await site.person("lin"), await site.person("wu", role="admin")
    chen = await site.person("chen", party="op", role="admin")
    async with await site.signed_in(lin) as client:
        for path in ("/console/users", "/console/journal"):
            answer = await client.get(path)
            assert answer.status_code == 403
            assert "user.role.missing" in answer.text
        assert "/console/users" not in (await client.get("/console")).text
    async with await site.signed_in(wu) as client:
        page = await client.get("/console/users")
        assert page.status_code == 200
        assert "<b>lin</b>" in page.text
        assert "chen" not in page.text
        answer = await client.post(f"/console/users/{chen.user.user_id}/disable", data={"csrf": csrf(page)})
        assert answer.status_code == 404
        own = await client.post(f"/console/users/{wu.user.user_id}/disable", data={"csrf": csrf(page)})
        assert (own.status_code, "user.self" in own.text) == (403, True)
    async with await site.signed_in(chen) as client:
        assert "<b>lin</b>" in (await client.get("/console/users")).text


async def test_an_admin_adds_changes_resets_and_closes(site: Site) -> None:
    wu, lin = await site.person("wu", role="admin"), await site.person("lin")
    async with await site.signed_in(wu) as client, await site.signed_in(lin) as other:
        page = await post(
            client, "/console/users", "/console/users", user_name="Xia", role="reader", party_id="op"
        )
        assert re.search(r"/console/link/[a-z2-7]{52}", page.text)
        row = await site.services.pool.fetchrow("SELECT * FROM user_account WHERE user_name = 'xia'")
        assert row is not None
        assert (row["party_id"], row["role"]) == ("haimen", "reader"), "the party is the admin's own"
        answer = await post(client, f"/console/users/{row['user_id']}/role", "/console/users", role="admin")
        assert "The role of xia is changed." in (await client.get(answer.headers["location"])).text
        answer = await post(client, f"/console/users/{lin.user.user_id}/reset", "/console/users")
        assert re.search(r"/console/link/[a-z2-7]{52}", answer.text)
        assert (await other.get("/console")).status_code == 303
        answer = await post(client, f"/console/users/{lin.user.user_id}/disable", "/console/users")
        assert answer.status_code == 303
        journal = (await client.get("/console/journal")).text
        for words in ("account added", "role changed", "reset", "closed"):
            assert words in journal
    async with site.browser() as client:
        assert (await sign_in(client, lin)).status_code == 403


# -- what surrounds pages ---------------------------------------------------------------------------------


async def test_every_page_carries_the_policy_and_no_inline_script(site: Site) -> None:
    chen = await site.person("chen", party="op", role="admin")
    async with await site.signed_in(chen) as client:
        for path in (
            "/console",
            "/console/account",
            "/console/users",
            "/console/journal",
            "/console/nowhere",
        ):
            page = await client.get(path)
            for name, value in PAGE_HEADERS.items():
                assert page.headers[name] == value, path
            assert not re.search(r"<style|style=|\son\w+=|<script(?! src=)", page.text), path


async def test_a_page_stands_alone_in_its_browser_where_browsers_can_tell(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over plain HTTP the header does nothing but raise a complaint."""
    name = "Cross-Origin-Opener-Policy"
    async with site.browser() as client:
        assert name not in (await client.get("/console/sign-in")).headers
        ours = access.console_of

        def secured(request: Any) -> access.Console:
            console = copy.copy(ours(request))
            console.secure = True
            return console

        monkeypatch.setattr(access, "console_of", secured)
        assert (await client.get("/console/sign-in")).headers[name] == "same-origin"


async def test_an_unknown_page_and_an_unforeseen_error_speak_both_languages(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    chen = await site.person("chen", party="op", role="admin", language="")
    async with await site.signed_in(chen) as client:
        for language, words in (("en", "There is no such page."), ("zh-CN", "没有这个页面。")):
            page = await client.get("/console/nowhere", headers={"Accept-Language": language})
            assert page.status_code == 404
            assert words in page.text
        from suyuan.console import users_pages

        async def broken(*_: object, **__: object) -> None:
            raise RuntimeError("secret text")

        monkeypatch.setattr(users_pages, "list_users", broken)
        page = await client.get("/console/users", headers={"Accept-Language": "en"})
        assert page.status_code == 500
        assert page.headers["x-request-id"] in page.text
        assert "secret text" not in page.text


async def test_cookies_are_bound_to_the_host_where_it_speaks_tls(site: Site) -> None:
    async with site.browser() as client:
        page = await client.get("/console/sign-in")
        plain = page.headers["set-cookie"].lower()
        assert "httponly" in plain
        assert "samesite=lax" in plain
        assert "; secure" not in plain


async def test_a_page_that_answers_a_form_leads_back_to_where_the_form_was(site: Site) -> None:
    admin = await site.person("lin", role="admin")
    async with await site.signed_in(admin) as client:
        users = await client.get("/console/users")
        made = await client.post(
            "/console/users",
            data={"csrf": csrf(users), "user_name": "chen", "role": "worker"},
            headers={"Referer": f"{site.base}/console/users?x=1"},
        )
        assert 'name="next" value="/console/users?x=1"' in made.text
        assert 'name="next" value="/console/users"' in users.text


async def test_the_language_is_kept_in_account_and_browser(site: Site) -> None:
    lin = await site.person("lin", language="")
    async with await site.signed_in(lin) as client:
        page = await client.get("/console", headers={"Accept-Language": "zh"})
        assert '<html lang="zh-CN">' in page.text
        await client.post(
            "/console/language", data={"csrf": csrf(page), "language": "en", "next": "/console"}
        )
        assert '<html lang="en">' in (await client.get("/console", headers={"Accept-Language": "zh"})).text
    async with await site.signed_in(lin) as fresh:
        assert '<html lang="en">' in (await fresh.get("/console", headers={"Accept-Language": "zh"})).text


# -- the first page ---------------------------------------------------------------------------------------


async def test_the_first_page_shows_a_party_its_own_papers_and_the_operator_all(site: Site) -> None:
    event = {
        "type": "ObjectEvent",
        "eventTime": "2025-08-01T10:00:00.000+02:00",
        "eventTimeZoneOffset": "+02:00",
        "action": "OBSERVE",
        "bizStep": "shipping",
        "epcList": ["https://id.gs1.org/01/09506000134352/21/A1"],
    }
    document = {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2025-08-01T08:00:00Z",
        "epcisBody": {"eventList": [event]},
    }
    await add_party(site.services.pool, Party(party_id="other", name_en="Other Firm", name_zh="别家"))
    for party in ("haimen", "other"):
        deliverer = await site.services.deliverer_of(party)
        await site.services.capture.submit(json.dumps(document).encode(), deliverer, name=f"{party}.jsonld")
    lin, chen = await site.person("lin"), await site.person("chen", party="op")
    async with await site.signed_in(lin) as own, await site.signed_in(chen) as operator:
        page = (await own.get("/console")).text
        assert "haimen.jsonld" in page
        assert "other.jsonld" not in page
        assert "Papers in 30 days" in page
        page = (await operator.get("/console")).text
        assert "haimen.jsonld" in page
        assert "other.jsonld" in page
        assert "Other Firm" in page
