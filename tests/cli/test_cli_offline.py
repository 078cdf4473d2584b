"""The pure commands as processes: quick, streaming, without database, network or deployment."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import GTIN, ITEM, Shell

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("asyncpg", "litestar", "granian", "httpx", "openpyxl", "suyuan.app", "suyuan.db")


def run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "suyuan", *arguments],
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_help_teaches_and_is_light() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert b"suyuan serve" in done.stdout
    assert b"exit code" in done.stdout.replace(b"\n  ", b" ")
    for command in ("capture", "issue", "verify", "token create", "gs1 check", "serve"):
        text = run(*command.split(), "--help").stdout.decode()
        assert f"suyuan {command}" in text.split("\n\n", 1)[1], command
    loaded = subprocess.run(
        [
            sys.executable, "-c",
            "import sys, suyuan.cli.main, suyuan.proof.verification; print([n for n in "
            + repr(HEAVY) + " if n in sys.modules])",
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert loaded.stdout.strip() == "[]"


def test_event_hashes_in_order(tmp_path: Path) -> None:
    from suyuan.epcis import event_hash, pre_hash, read_json, write_xml_document

    paper = ROOT / "examples/bonded/papers/03-site-audit.jsonld"
    events = read_json(paper.read_bytes())
    assert run("event-hash", str(paper)).stdout.decode().splitlines() == [event_hash(e) for e in events]
    xml = tmp_path / "same.xml"
    xml.write_bytes(write_xml_document(events))
    assert run("event-hash", "-", given=xml.read_bytes()).stdout == run("event-hash", str(paper)).stdout
    assert run("event-hash", "--pre-hash", str(paper)).stdout.decode().splitlines() == [
        pre_hash(e) for e in events
    ]
    bad = run("event-hash", "-", given=b"{")
    assert (bad.returncode, b"json.malformed" in bad.stderr) == (2, True)
    assert run("event-hash", str(tmp_path / "none")).returncode == 4


def test_gs1_judges_and_translates_line_by_line() -> None:
    uris = [
        ITEM,
        "urn:epc:id:sgtin:9506000.013435.A1",
        "https://id.gs1.org/01/09506000134353/21/A",
        "\N{GRINNING FACE}",
    ]
    done = run("gs1", "check", given="\r\n".join(uris).encode() + b"\n\n")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 2
    assert [one["uri"] for one in found] == uris
    assert [one["valid"] for one in found] == [True, True, False, False]
    assert found[1]["canonical"] == ITEM
    assert found[2]["error"].startswith("gs1.ai.check_digit")
    assert set(found[0]) == {"uri", "valid", "error", "ais", "canonical", "urn"}
    assert run("gs1", "translate", given=uris[2].encode()).returncode == 0
    assert run("gs1", "check", given=ITEM.encode()).returncode == 0
    for end in (b"", b"\n", b"\r\n" + ITEM.encode()):
        assert run("gs1", "check", given=b"\xef\xbb\xbf" + ITEM.encode() + end).returncode == 0
    assert run("gs1", "check", given=b"\xff\xfe\n").returncode == 2


def test_gs1_answers_each_line_before_the_next_is_sent() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "suyuan", "gs1", "check"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for serial in ("A1", "A2"):
            process.stdin.write(f"https://id.gs1.org/01/{GTIN}/21/{serial}\n".encode())
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["valid"]
        process.stdin.close()
        process.wait(10)


def test_gs1_is_quick() -> None:
    lines = "".join(
        f"https://id.gs1.org/01/{GTIN}/21/S{n}?17=261231&10=L{n}\n" for n in range(40_000)
    ).encode()
    started = time.process_time(), time.monotonic()
    done = run("gs1", "check", given=lines)
    assert done.stdout.count(b"\n") == 40_000
    # On an idle machine 20,000 lines take a second; the bound leaves room for a busy one.
    assert time.monotonic() - started[1] < 12


@pytest.mark.parametrize("name", ["verify", "event-hash"])
def test_a_file_that_is_not_there(name: str, suyuan: Shell) -> None:
    said = suyuan(name, "/nowhere/x")
    assert said.code == 4
    assert "cli.file" in said.err


def test_verify_refuses_what_is_no_bundle(suyuan: Shell, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    for content in (b"", b"{}", b"\xff", b"[" * 100_000):
        file.write_bytes(content)
        said = suyuan("verify", file)
        assert said.code == 2, content[:10]
        assert "bundle.malformed" in said.err
