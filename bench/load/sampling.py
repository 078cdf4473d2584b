"""What is looked at while the load runs: memory of every process, connections, the log's lag, latencies."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import msgspec
from stage.server import Server, database_processes

from suyuan.api.metrics import oldest_waiting
from suyuan.app import Services
from suyuan.log import status

_CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One look. Memory in MB: resident and proportional of the server's processes together, each one's resident size,
    and what the database's processes have of their own (its shared buffers fill up once and are left out).
    """

    at: float
    resident: float
    proportional: float
    each: list[int]
    database_own: float
    connections: int
    intake_waiting: int
    oldest_waiting_seconds: float
    unpublished: int
    requests_waiting: int
    load_average: float
    p50: dict[str, float]
    p99: dict[str, float]


async def sample(
    services: Services,
    server: Server,
    folder: Path,
    start: float,
    waiting: int,
    recent: dict[str, tuple[float, float]],
) -> Sample:
    """Look once; ``recent`` are p50 and p99 by kind since the look before."""
    memory = server.memory()
    log = await status(services.pool)
    return Sample(
        at=round(time.perf_counter() - start, 2),
        resident=round(memory.resident, 1),
        proportional=round(memory.proportional, 1),
        each=memory.each,
        database_own=round(_own_memory(folder), 1),
        connections=int(await services.pool.fetchval(_CONNECTIONS)),
        intake_waiting=log.waiting,
        oldest_waiting_seconds=round(await oldest_waiting(services.pool), 3),
        unpublished=log.sequenced - log.published,
        requests_waiting=waiting,
        load_average=round(os.getloadavg()[0], 2),
        p50={name: round(pair[0], 1) for name, pair in recent.items()},
        p99={name: round(pair[1], 1) for name, pair in recent.items()},
    )


def _own_memory(folder: Path) -> float:
    """MB that the database's processes do not share with each other."""
    total = 0.0
    for pid in database_processes(folder):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
                if line.startswith("Pss_Anon:"):
                    total += int(line.split()[1]) / 1024
    return total
