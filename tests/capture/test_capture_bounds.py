"""What is read whole is bounded by what its kind really has; larger ones are refused before they are in memory."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from deployment import Deployment

from suyuan.capture.paper import read_paper
from suyuan.capture.sources import Source
from suyuan.customs.message import MAX_MESSAGE_BYTES
from suyuan.errors import TooLargeError
from suyuan.sheets import documents
from suyuan.sheets.json_list import MAX_BYTES as MAX_JSON
from suyuan.sheets.mapping import with_mapping

sys.path.append(str(Path(__file__).resolve().parents[1] / "customs"))

import customs_messages as messages

MIB = 1024 * 1024
MAPPINGS = Path(__file__).resolve().parents[2] / "examples" / "mappings"


class Counting(io.BytesIO):
    """Says how much of it was read."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        Counting.taken += len(data)
        return data


def source(data: bytes) -> Source:
    Counting.taken = 0
    return Source(lambda: cast(BinaryIO, Counting(data)), len(data), b"d" * 32)


MESSAGE = messages.message("CEB621", {})
LARGE = {
    "customs.message.too_large": MESSAGE.replace(b"</ceb:CEB621Message>", b"")
    + b" " * MAX_MESSAGE_BYTES
    + b"</ceb:CEB621Message>",
    "sheet.too_large": b'[{"waybill": "SF1", "carrier": "440196X001", "time": "x", "status": "y"}'
    + b" " * MAX_JSON
    + b"]",
}


@pytest.mark.parametrize("code", LARGE)
async def test_a_larger_one_is_refused_by_its_beginning(deployment: Deployment, code: str) -> None:
    member = await deployment.member("member")
    data = LARGE[code]
    with pytest.raises(TooLargeError) as caught:
        await deployment.capture.submit(source(data), member, name="a")
    assert caught.value.code == code
    assert caught.value.remedy
    assert Counting.taken < MIB
    with pytest.raises(TooLargeError) as caught:
        read_paper(data)
    assert caught.value.code == code


async def test_scans_in_json_by_a_mapping_too(deployment: Deployment) -> None:
    member = await deployment.member("member")
    lines = (MAPPINGS / "lines.jsonl").read_bytes()
    data = with_mapping((MAPPINGS / "lines.toml").read_bytes(), lines + b"\n" * MAX_JSON)
    with pytest.raises(TooLargeError) as caught:
        await deployment.capture.submit(source(data), member)
    assert caught.value.code == "sheet.too_large"
    assert "CSV" in caught.value.remedy


@pytest.mark.parametrize("kind", ["packing", "tally"])
def test_a_list_of_too_many_cases_is_refused(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    rows = {
        "packing": "parent,child,time,zone,place\n"
        "{sscc},https://id.gs1.org/01/08710000001236/21/S{n},2025-08-13 11:30:00,+02:00,NLZWO",
        "tally": "tally,lot,gtin,quantity_received,time,zone,place\n"
        "T1,L{n},08710000001236,12,2025-08-13 11:30:00,+08:00,CNNSA:5165",
    }
    ssccs = ["087100000000000123", "087100000000000130", "087100000000000147", "087100000000000154"]
    head, _, row = rows[kind].partition("\n")
    data = "\n".join([head, *(row.format(sscc=sscc, n=n) for n, sscc in enumerate(ssccs))]).encode()
    assert len(read_paper(data).events) == 4
    monkeypatch.setattr(documents, "MAX_GATHERED", 2)
    with pytest.raises(TooLargeError) as caught:
        read_paper(data)
    assert caught.value.code == "sheet.too_large"
    assert "whole pallets" in caught.value.remedy


@pytest.mark.slow
def test_the_largest_message_takes_bounded_memory(tmp_path: Path) -> None:
    """Read and prepared in a process of its own."""
    record_start = MESSAGE.index(b"<ceb:Inventory>")
    record_end = MESSAGE.index(b"</ceb:Inventory>") + len(b"</ceb:Inventory>")
    record = MESSAGE[record_start:record_end]
    count = (MAX_MESSAGE_BYTES - len(MESSAGE)) // len(record)
    paper = tmp_path / "large.xml"
    paper.write_bytes(MESSAGE[:record_start] + record * count + MESSAGE[record_end:])
    program = (
        "import resource, sys\nfrom pathlib import Path\nfrom suyuan.capture.paper import read_paper\n"
        "from suyuan.capture.prepare import Deliverer, prepare_all\n"
        "data = Path(sys.argv[1]).read_bytes()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "reading = read_paper(data)\n"
        "events = prepare_all(reading.events, Deliverer('x'), kind=reading.kind, pseudonym=lambda *a: 'abc')\n"
        "print(len(events), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, str(paper)], capture_output=True, text=True, check=True
    )
    events, grown = map(int, said.stdout.split())
    assert events >= count
    assert grown < 700
