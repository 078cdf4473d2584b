"""Who sees which stock through the door and the command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1] / "api"))

from api_deployment import GTIN, LOT, Deployment, event
from api_deployment import deployment as served

from suyuan.catalog import Place, put_places

__all__ = ["served"]
LEDGER = "T5165W000123:17"
OWN, ELSEWHERE = "https://id.gs1.org/414/9520000000035", "https://id.gs1.org/414/9520000000042"


def tallied(place: str, quantity: int, ledger: str = LEDGER) -> dict[str, Any]:
    return event(
        bizStep="https://ref.gs1.org/cbv/BizStep-receiving",
        epcList=None,
        quantityList=[{"epcClass": f"https://id.gs1.org/01/{GTIN}/10/{LOT}", "quantity": quantity}],
        readPoint=None,
        bizLocation={"id": place},
        bizTransactionList=[
            {"type": "urn:suyuan:btt:ledger-item", "bizTransaction": f"urn:suyuan:ledger-item:{ledger}"}
        ],
    )


async def asked(served: Deployment, name: str, **query: str) -> Any:
    answer = await served.client.get("/api/v1/stock", params=query, headers=served.bearer(name))
    return answer.status_code, answer.json()


async def test_each_sees_the_stock_that_it_has_a_stake_in(served: Deployment) -> None:
    await served.capture("house", tallied(OWN, 30), tallied(ELSEWHERE, 12))
    place = Place(uri=OWN, name_en="House", name_zh="仓", country="CN")
    await put_places(served.services.pool, [place], recorded_by="house")
    for query in ({"gtin": GTIN}, {"gtin": GTIN, "lot": LOT}, {"ledger_item": LEDGER}):
        for name, places in (("op", [OWN, ELSEWHERE]), ("maker", [OWN, ELSEWHERE]), ("house", [OWN])):
            status, found = await asked(served, name, **query)
            assert (status, [row["facility"] for row in found["lots"]]) == (200, places), (name, query)
            assert [ledger["received"] for ledger in found["ledgers"]] == ["42"]
    status, found = await asked(served, "op", gtin=GTIN, facility=ELSEWHERE)
    assert [(row["received"], row["expected"]) for row in found["lots"]] == [("12", "12")]


async def test_a_stranger_sees_none(served: Deployment) -> None:
    await served.capture("house", tallied(OWN, 30))
    status, problem = await asked(served, "broker", gtin=GTIN)
    assert (status, problem["code"]) == (403, "access.gtin.balance")
    status, found = await asked(served, "broker", ledger_item=LEDGER)
    assert (status, found["lots"], found["ledgers"]) == (200, [], [])
    # A warehouse sees what lies in places that are its own, and nothing says that this one is.
    status, found = await asked(served, "house", gtin=GTIN)
    assert (status, found["lots"], found["ledgers"]) == (200, [], [])
    status, problem = await asked(served, "house")
    assert (status, problem["code"]) == (403, "access.stock")
    assert (await served.client.get("/api/v1/stock", params={"gtin": GTIN})).status_code == 401
    assert (await asked(served, "admin", gtin=GTIN))[0] == 403


async def test_what_makes_no_query_is_refused(served: Deployment) -> None:
    for query, code in (({"lot": LOT}, "stock.query.lot"), ({"gtin": "09506000134353"}, "issuing.gtin")):
        status, problem = await asked(served, "op", **query)
        assert (status, problem["code"]) == (422, code) or (status, problem["code"]) == (400, code), problem
        assert problem["remedy"]
