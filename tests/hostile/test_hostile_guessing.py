"""Guessing at a deployment: the guesser is held up and its neighbours are not."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from api_deployment import GTIN, LOT, Deployment
from hostile_calls import call

from suyuan.api.addresses import caller, read_networks
from suyuan.api.framing import Framing
from suyuan.api.limits import ALLOWANCES, Allowance, FailureLimits
from suyuan.asgi import opened
from suyuan.parties.origins import place_of

HTML = [("accept", "text/html"), ("accept-language", "zh-CN")]
JSON = [("accept", "application/json")]
GUESSES = 100_000


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def issued_serials(deployment: Deployment, count: int) -> list[str]:
    answer = await deployment.client.post(
        "/api/v1/codes/issue?format=csv",
        json={"gtin": GTIN, "lot": LOT, "count": count},
        headers=deployment.bearer("maker"),
    )
    assert answer.status_code == 201, answer.text
    batch = answer.json()["batch_id"]
    table = await deployment.client.get(
        f"/api/v1/codes/batches/{batch}.csv", headers=deployment.bearer("maker")
    )
    return [field for row in table.text.splitlines()[1:] for field in row.split(",") if len(field) == 20][
        :count
    ]


@pytest.mark.usefixtures("quiet")
async def test_a_hundred_thousand_wrong_codes_from_one_place(deployment: Deployment) -> None:
    """Refused cheaply, in bounded memory, while a buyer and a member behind the same address are served."""
    (serial,) = await issued_serials(deployment, 1)
    await deployment.capture("maker", {**_commissioned(serial)})
    page = f"/01/{GTIN}/21/{serial}"
    wrong = serial[:-1] + ("A" if serial[-1] != "A" else "B")
    statuses: dict[int, int] = {}
    async with opened(deployment.services) as application:
        assert (await call(application, page, headers=HTML)).status == 200
        started = time.perf_counter()
        for number in range(GUESSES):
            answer = await call(application, f"/01/{GTIN}/21/{wrong[:-5]}{number:05}", headers=HTML)
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
            if number % 10_000 == 9_999:
                buyer = await call(application, page, headers=HTML)
                assert (buyer.status, buyer.headers["content-language"]) == (200, "zh-CN")
                member = await call(
                    application, "/api/v1/parties/maker", headers=deployment.bearer("op").items()
                )
                assert member.status == 200
        seconds = time.perf_counter() - started
        last = await call(application, f"/01/{GTIN}/21/{wrong}", headers=HTML)
        machine = await call(application, f"/01/{GTIN}/21/{wrong}", headers=JSON)
        elsewhere = await call(application, f"/01/{GTIN}/21/{wrong}", headers=HTML, peer="203.0.113.8")
    allowance = ALLOWANCES["code"]
    assert set(statuses) == {404, 429}
    assert statuses[404] <= allowance.burst + allowance.per_second * (seconds + 1)
    assert statuses[429] >= GUESSES * 0.9
    assert last.status == 429
    assert int(last.headers["retry-after"]) >= 1
    assert "请稍后再试" in last.body.decode()
    assert "Please wait" in last.body.decode()
    assert (machine.status, b"http.held.code" in machine.body) == (429, True)
    assert machine.headers["content-type"] == "application/problem+json"
    assert elsewhere.status == 404
    assert seconds < 60


def _commissioned(serial: str) -> dict[str, object]:
    from api_deployment import event

    return event(
        epcList=[f"https://id.gs1.org/01/{GTIN}/21/{serial}"], action="ADD", bizStep="commissioning",
        disposition="active",
    )  # fmt: skip


@pytest.mark.usefixtures("quiet")
async def test_wrong_tokens_do_not_shut_out_good_ones(deployment: Deployment) -> None:
    """Members behind one address keep their doors while somebody there tries tokens."""
    limits = FailureLimits({"token": Allowance(20, 0.001), "code": Allowance(20, 0.001)})
    good = deployment.bearer("op").items()
    async with opened(deployment.services) as application:
        inner = application._application  # type: ignore[attr-defined]
        framed = Framing(inner, limits=limits)
        found = []
        for number in range(60):
            token = "suyuan_" + format(number, "052d").translate(str.maketrans("0189", "abcd"))
            answer = await call(
                framed, "/api/v1/parties/maker", headers=[("authorization", f"Bearer {token}")]
            )
            found.append(answer.status)
            assert (await call(framed, "/api/v1/parties/maker", headers=good)).status == 200
        assert found == [401] * 20 + [429] * 40
        assert answer.headers["retry-after"].isdigit()
        # One kind of failure is not another.
        assert (await call(framed, "/01/nonsense", headers=JSON)).status == 400


def test_a_bucket_fills_again() -> None:
    clock = Clock()
    limits = FailureLimits({"code": Allowance(3, 0.5), "token": Allowance(1, 1)}, clock=clock)
    assert [limits.fail("code", "198.51.100.1") for _ in range(3)] == [None] * 3
    assert limits.is_held("code", "198.51.100.1")
    held = limits.fail("code", "198.51.100.1")
    assert held is not None
    assert (held.http_status, held.seconds) == (429, 2)
    assert not limits.is_held("token", "198.51.100.1")
    assert not limits.is_held("code", "198.51.100.2")
    clock.now += held.seconds
    assert limits.fail("code", "198.51.100.1") is None
    assert limits.fail("code", "198.51.100.1") is not None
    clock.now += 1_000_000
    assert [limits.fail("code", "198.51.100.1") is None for _ in range(4)] == [True] * 3 + [False]


def test_memory_is_bounded_and_the_busiest_stay_known() -> None:
    limits = FailureLimits({"code": Allowance(2, 0.001), "token": Allowance(1, 1)}, remembered=1000)
    for _ in range(3):
        limits.fail("code", "198.51.100.1")
    tracemalloc.start()
    for number in range(20_000):
        limits.fail("code", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        if number % 100 == 0:
            assert limits.fail("code", "198.51.100.1") is not None
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(limits) <= 1000
    assert used < 1_000_000


def test_a_subscriber_of_ipv6_is_one_place() -> None:
    assert place_of("2001:db8:1:2:3::4") == place_of("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert place_of("2001:db8:1:3::4") != place_of("2001:db8:1:2::4")
    assert place_of("203.0.113.7") == "203.0.113.7"


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "expected"),
    [
        ("127.0.0.1", ["203.0.113.7"], "", "127.0.0.1"),
        ("203.0.113.9", ["203.0.113.7"], "127.0.0.1", "203.0.113.9"),
        ("127.0.0.1", ["203.0.113.7"], "127.0.0.1", "203.0.113.7"),
        # Whatever the caller wrote itself stands left of what the proxy saw.
        ("127.0.0.1", ["8.8.8.8, 1.1.1.1, 203.0.113.7"], "127.0.0.1", "203.0.113.7"),
        ("127.0.0.1", ["8.8.8.8", "203.0.113.7"], "127.0.0.1", "203.0.113.7"),
        ("127.0.0.1", ["203.0.113.7, 10.0.0.5"], "127.0.0.1,10.0.0.0/8", "203.0.113.7"),
        ("127.0.0.1", ["10.0.0.4, 10.0.0.5"], "127.0.0.1,10.0.0.0/8", "10.0.0.4"),
        ("127.0.0.1", ["203.0.113.7, unknown"], "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.7:4711"], "127.0.0.1", "203.0.113.7"),
        ("::1", ['"[2001:db8::7]:4711"'], "::1", "2001:db8::7"),
        ("::ffff:127.0.0.1", ["203.0.113.7"], "127.0.0.1", "203.0.113.7"),
        ("127.0.0.1", [], "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", ["," * 100_000], "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", ["127.0.0.1," * 100_000], "127.0.0.1", "127.0.0.1"),
    ],
)
def test_only_trusted_proxies_are_believed(
    peer: str, forwarded: list[str], trusted: str, expected: str
) -> None:
    assert str(caller(peer, forwarded, read_networks(trusted))) == expected


@pytest.mark.usefixtures("quiet")
async def test_behind_a_proxy_each_caller_has_a_bucket(deployment: Deployment) -> None:
    limits = FailureLimits({"token": Allowance(1, 0.001), "code": Allowance(2, 0.001)})
    async with opened(deployment.services) as application:
        inner = application._application  # type: ignore[attr-defined]
        framed = Framing(inner, limits=limits, proxies=read_networks("127.0.0.1"))

        async def guess(forwarded: str) -> int:
            headers = [*JSON, ("x-forwarded-for", forwarded)]
            return (await call(framed, "/01/nonsense", headers=headers, peer="127.0.0.1")).status

        assert [await guess("203.0.113.7") for _ in range(3)] == [400, 400, 429]
        assert await guess("203.0.113.8") == 400
        # Another address in front does not get the guesser another bucket.
        assert await guess("198.51.100.1, 203.0.113.7") == 429
