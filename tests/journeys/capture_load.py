"""Run as a process of its own: capture without end on an embedded server, and print each acknowledgement.

``python capture_load.py DATA_DIR NAME``. A line on standard output is ``event_key capture_id event_id serial``,
written after the capture was acknowledged. It ends by being killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))

from deployment import Deployment, commissioned, document, item, moved, observed, sscc

from suyuan import settings
from suyuan.app import open_services, sequencing
from suyuan.errors import SuyuanError

WRITERS = 12


async def write(deployment: Deployment, name: str, writer: int) -> None:
    party = await deployment.deliverer("loader")
    for number in range(1_000_000):
        serial = f"{name}-{writer}-{number}"
        # Some papers are long and have a transaction of their own.
        tins = [item(serial)] + [item(f"{serial}-{n}") for n in range(300 if number % 25 == 7 else 3)]
        events = [
            commissioned("2025-08-01", *tins),
            moved("2025-08-02", sscc(writer), tins[0]),
            observed("2025-08-03", sscc(writer), tins[0], bizStep="storing"),
        ]
        stored = await deployment.capture.submit(document(events), party)
        for event in stored.events:
            print(event.event_key, stored.capture_id, event.event_id, serial, flush=True)


async def main(data_dir: str, name: str) -> None:
    chosen = settings.load({}, data_dir=data_dir, base_url="https://trace.example")
    async with open_services(chosen) as services, sequencing(services):
        deployment = Deployment(services)
        # It is there after the run before.
        with contextlib.suppress(SuyuanError):
            await deployment.member("loader", "manufacturer")
        await asyncio.gather(*(write(deployment, name, writer) for writer in range(WRITERS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
