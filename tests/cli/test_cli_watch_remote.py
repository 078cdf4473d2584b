"""``suyuan certificate`` on the command line, and a folder watched into a server over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

from command_line import Shell, free_port

sys.path.append(str(Path(__file__).resolve().parents[1] / "customs"))

import customs_messages as messages
import signing


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def test_a_signed_receipt_from_a_watched_folder_into_a_server(suyuan: Shell, tmp_path: Path) -> None:
    for party, role in (("broker", "customs-broker"), ("gacc", "authority")):
        suyuan.good("party", "add", party, "--name-en", party, "--name-zh", "示范", "--role", role)
    token = tmp_path / "token.txt"
    token.write_text(suyuan.good("token", "create", "--party", "broker", "--scope", "capture").out)
    der = signing.certificate(signing.rsa_key(), now=datetime.now(UTC))
    card = tmp_path / "card.cer"
    card.write_bytes(der)
    [added] = suyuan.good("certificate", "add", card, "--party", "gacc", "--json").json
    assert (added["party_id"], added["kind"], added["revoked_at"]) == ("gacc", "rsa", None)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "receipt.xml").write_bytes(signing.sign(messages.message("CEB622"), signing.rsa_key(), der))
    (inbox / "bad.xml").write_bytes(messages.message("CEB311", {"orderNo": None}))
    port = free_port()
    watch = (
        "watch",
        inbox,
        "--url",
        f"http://127.0.0.1:{port}",
        "--token-file",
        token,
        "--once",
        "--settle",
        "0.05",
    )
    # Nobody answers yet: everything stays where it is.
    assert suyuan.apart(*watch).code == 8
    assert (inbox / "receipt.xml").exists()
    command = [sys.executable, "-m", "suyuan", "serve", "--port", str(port)]
    with subprocess.Popen(
        command, env=suyuan.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            deadline = time.monotonic() + 30
            while not _answers(port) and time.monotonic() < deadline:
                time.sleep(0.1)
            assert suyuan.apart(*watch).code == 2
        finally:
            server.terminate()
    receipt = json.loads((inbox / "done" / "receipt.xml.receipt.json").read_bytes())
    assert receipt["warnings"] == []
    assert "订单编号（orderNo） 为空" in (inbox / "refused" / "bad.xml.reason.txt").read_text("utf-8")
    status = suyuan.good("--lang", "en", "customs", "status", messages.PARCEL_LIST_NO)
    assert "[broker, authority-verified]" in status.out
    suyuan.good("certificate", "revoke", added["fingerprint"])
    assert "revoked" in suyuan.good("--lang", "en", "certificate", "list").out
    assert suyuan("certificate", "add", card, "--party", "gacc").code == 5
