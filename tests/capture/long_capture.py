"""Capture a long document in this process and say how far its memory grew: DATABASE FOLDER MEGABYTES."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "journeys"))

from deployment import document, item, observed, parcel_paper

from suyuan import settings
from suyuan.app import open_services
from suyuan.capture.sources import Spool
from suyuan.parties.members import Party, add_party


def memory(field: str) -> float:
    """A figure of this process in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


def fill(spool: Spool, size: int) -> int:
    """Write a document of at least so many bytes and return how many events it has.

    Each event is about 200 items, so that little of the time goes into events; one of forty names an order.
    """
    around = document([observed("2025-08-01", item("X"))])
    head, _, _ = around.partition(b'[{"type"')
    spool.write(head + b"[")
    count = 0
    while spool.size < size:
        fields = {} if count % 40 else {"bizTransactionList": [parcel_paper("order", f"EM{count}")]}
        things = [item(f"S{count // 10}X{number}") for number in range(200)]
        when = f"2025-{count // 28 % 12 + 1:02d}-{count % 28 + 1:02d}T08:{count // 336 % 60:02d}:00+08:00"
        event = observed(when, *things, **fields)
        spool.write((b"," if count else b"") + json.dumps(event).encode())
        count += 1
    spool.write(b"]}}")
    return count


async def main(url: str, folder: str, megabytes: int) -> None:
    """Capture and print what was measured as JSON."""
    chosen = settings.load({}, database_url=url, data_dir=folder, base_url="http://127.0.0.1")
    async with open_services(chosen) as services:
        await add_party(services.pool, Party(party_id="maker", name_en="maker", name_zh="maker"))
        maker = await services.deliverer_of("maker")
        await services.capture.submit(document([observed("2025-08-01", item("X"))]), maker)
        spool = Spool()
        events = fill(spool, megabytes * 1024 * 1024)
        before = memory("VmRSS")
        stored = await services.capture.submit(spool.source(), maker)
        spool.close()
        print(
            json.dumps(
                {
                    "bytes": spool.size,
                    "events": events,
                    "stored": stored.counts["stored"],
                    "grown_mib": memory("VmHWM") - before,
                }
            )
        )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
