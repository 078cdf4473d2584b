"""``suyuan stock``: figures and differences for people in two languages, and as one document for machines."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1] / "cli"))

from command_line import GTIN, LOT, suyuan

__all__ = ["suyuan"]

LEDGER = "T5165W000123:17"
PLACE = "https://id.gs1.org/414/9520000000035"


def test_the_command_tells_figures_and_differences(suyuan: Any, tmp_path: Path) -> None:
    document = tmp_path / "tally.jsonld"
    lot = {"epcClass": f"https://id.gs1.org/01/{GTIN}/10/{LOT}", "quantity": 30}
    ledger = {"type": "urn:suyuan:btt:ledger-item", "bizTransaction": f"urn:suyuan:ledger-item:{LEDGER}"}
    event = {
        "type": "ObjectEvent", "eventTime": "2025-08-01T10:00:00.000+08:00", "eventTimeZoneOffset": "+08:00",
        "action": "OBSERVE", "bizStep": "receiving", "quantityList": [lot], "bizLocation": {"id": PLACE},
        "bizTransactionList": [ledger],
    }  # fmt: skip
    count = {**event, "bizStep": "cycle_counting", "eventTime": "2025-08-02T10:00:00.000+08:00"}
    count["quantityList"] = [{**lot, "quantity": 28}]
    document.write_text(
        json.dumps(
            {
                "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
                "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2025-08-01T08:00:00Z",
                "epcisBody": {"eventList": [event, count]},
            }
        )
    )  # fmt: skip
    assert "Nothing of that" in suyuan.good("--lang", "en", "stock").out
    suyuan.good("party", "add", "house", "--name-en", "House", "--name-zh", "仓")
    suyuan.good("capture", document, "--party", "house")
    found = suyuan.good("stock", "--gtin", GTIN, "--lot", LOT, "--json").json
    [row], [item] = found["lots"], found["ledgers"]
    assert (row["received"], row["counted"], row["present"], row["facility"]) == ("30", "28", "28", PLACE)
    assert [(one["step"], one["code"], one["quantity"]) for one in row["differences"]] == [
        ("storage", "stock.count.difference", "2")
    ]
    assert item["ledger_item"] == LEDGER
    told = suyuan.good("--lang", "en", "stock", "--ledger-item", LEDGER).out
    assert "difference [storage] The count found 2 fewer pieces" in told
    assert "should be there 30" in told
    assert "盘点比应存少 2 件" in suyuan.good("--lang", "zh", "stock", "--ledger-item", LEDGER).out
    assert suyuan("stock", "--lot", LOT).code == 2
