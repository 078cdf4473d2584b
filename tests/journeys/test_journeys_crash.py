"""Killed in the middle of a capture load: what was acknowledged is there, and the log is as if nothing happened."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from deployment import GTIN, Deployment, item

from suyuan import settings
from suyuan.app import open_services
from suyuan.disclosure.leaf import leaf_bytes, utc_day
from suyuan.log import find_checkpoint, find_indexes
from suyuan.proof.verification import verify_bundle
from suyuan.tlog.merkle import leaf_hash, verify_inclusion
from suyuan.trace import OPERATOR, make_bundle

LOAD = Path(__file__).resolve().parent / "capture_load.py"


async def killed_load(data_dir: Path, name: str, acknowledged: int, *, database_too: bool) -> list[list[str]]:
    """Acknowledgements of a load that is killed after so many of them, its database with it or not."""
    load = await asyncio.create_subprocess_exec(
        sys.executable, str(LOAD), str(data_dir), name, stdout=asyncio.subprocess.PIPE
    )
    assert load.stdout is not None
    lines = []
    try:
        while len(lines) < acknowledged:
            line = await asyncio.wait_for(load.stdout.readline(), 60)
            assert line, "the load ended by itself"
            lines.append(line)
        if database_too:
            [pid] = (data_dir / "database" / "cluster" / "postmaster.pid").read_text().split("\n")[:1]
            os.kill(int(pid), signal.SIGKILL)
    finally:
        with contextlib.suppress(ProcessLookupError):
            load.kill()
        rest, _ = await load.communicate()
    whole = [line for line in (b"".join(lines) + rest).decode().split("\n")[:-1] if line]
    return [line.split(" ") for line in whole]


async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    acknowledged = await killed_load(data_dir, "first", 300, database_too=False)
    acknowledged += await killed_load(data_dir, "second", 300, database_too=True)
    chosen = settings.load({}, data_dir=str(data_dir), base_url="https://trace.example")
    async with open_services(chosen) as services:
        deployment = Deployment(services)
        await deployment.published()
        report = await deployment.check_log()
        assert (report.findings, report.waiting, report.erased) == ((), 0, 0)
        assert report.events == report.entries == report.published >= len(acknowledged) >= 600
        checkpoint = await find_checkpoint(deployment.pool)
        assert checkpoint is not None
        keys = {int(key): event_id for key, _, event_id, _ in acknowledged}
        rows = await deployment.pool.fetch(
            "SELECT event_key, event_id, commitment, record_time FROM event WHERE event_key = ANY ($1)",
            list(keys),
        )
        assert {row["event_key"]: row["event_id"] for row in rows} == keys
        indexes = await find_indexes(deployment.pool, keys)
        for row in rows:
            index = indexes[row["event_key"]]
            leaf = leaf_bytes(row["commitment"], utc_day(row["record_time"]))
            proof = await services.tree.inclusion_proof(index, checkpoint.tree_size)
            verify_inclusion(index, checkpoint.tree_size, leaf_hash(leaf), proof, checkpoint.root_hash)
        # No paper is there in part.
        torn = await deployment.pool.fetchval(
            "SELECT count(*) FROM evidence AS e WHERE 3 <> (SELECT count(*) FROM evidence_event AS x"
            " WHERE x.evidence_id = e.evidence_id)"
        )
        assert torn == 0
        serial = acknowledged[-1][3]
        trace = await deployment.trace(item(serial))
        assert {fact.event_id for fact in trace.facts} >= {
            line[2] for line in acknowledged if line[3] == serial
        }
        assert trace.gtin == GTIN
        bundle = await make_bundle(
            services.reader, services.tree, item(serial), OPERATOR, log_key=services.signer.vkey
        )
        assert bundle is not None
        assert len(verify_bundle(bundle, services.signer.vkey).facts) == len(trace.facts)
