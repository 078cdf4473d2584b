"""The commands on a deployment: results, refusals, exit codes, both languages."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from command_line import GTIN, ITEM, LOT, Shell

EVENT = {
    "type": "ObjectEvent",
    "eventTime": "2025-08-01T10:00:00.000+02:00",
    "eventTimeZoneOffset": "+02:00",
    "action": "OBSERVE",
    "bizStep": "shipping",
    "disposition": "in_transit",
    "epcList": [ITEM],
    "readPoint": {"id": "urn:suyuan:place:NLZWO"},
}


def document(*events: dict[str, object]) -> bytes:
    return json.dumps(
        {
            "@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2025-08-01T08:00:00Z",
            "epcisBody": {"eventList": list(events) or [EVENT]},
        }
    ).encode()


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "1.jsonld").write_bytes(document())
    (folder / "2.jsonld").write_bytes(
        document({**EVENT, "epcList": ["https://id.gs1.org/01/09506000134353/21/A"]})
    )
    (folder / ".hidden").write_bytes(b"not a paper")
    return folder


def operator(suyuan: Shell) -> None:
    suyuan.good("party", "add", "op", "--name-en", "Op", "--name-zh", "运营", "--role", "operator")


def test_members(suyuan: Shell, tmp_path: Path) -> None:
    operator(suyuan)
    table = tmp_path / "parties.csv"
    table.write_text(
        "id,name_en,name_zh,roles,country,gln,uscc,customs_code\n"
        f"maker,Maker,制造,brand-owner={GTIN} manufacturer,NL,,,\nhouse,House,仓,bonded-warehouse,CN,,,\n",
        "utf-8",
    )
    assert [party["party_id"] for party in suyuan.good("party", "import", table, "--json").json] == [
        "maker",
        "house",
    ]
    suyuan.good("party", "grant", "maker", "seller", "--gtin", GTIN)
    suyuan.good("party", "revoke", "maker", "seller", "--gtin", GTIN)
    listed = {one["party_id"]: one for one in suyuan.good("party", "list", "--json").json}
    grants = {(grant["role"], grant["scope"]) for grant in listed["maker"]["grants"]}
    assert grants == {("brand-owner", GTIN), ("manufacturer", "")}
    said = suyuan.good("token", "create", "--party", "maker", "--scope", "capture", "--days", "30")
    assert said.out.strip().startswith("suyuan_")
    assert "once" in said.err
    made = suyuan.good("token", "create", "--party", "maker", "--scope", "trace", "--json").json
    assert made["secret"].startswith("suyuan_")
    tokens = suyuan.good("token", "list", "--party", "maker", "--json")
    assert made["secret"] not in tokens.out
    assert len(tokens.json) == 2
    suyuan.good("token", "revoke", made["token_id"])
    for arguments, code, what in (
        (("party", "add", "op", "--name-en", "X", "--name-zh", "X"), 5, "party.exists"),
        (("party", "add", "UP", "--name-en", "X", "--name-zh", "X"), 2, "party.id.form"),
        (("party", "grant", "nobody", "seller"), 4, "party.unknown"),
        (("party", "grant", "maker", "king"), 2, "party.role.unknown"),
        (("token", "create", "--party", "maker", "--scope", "all"), 2, "access.scope.unknown"),
        (("token", "revoke", "tk-none"), 4, "access.token.unknown"),
        (("party", "import", __file__), 2, "party.csv.row"),
    ):
        said = suyuan(*arguments)
        assert (said.code, said.out) == (code, "")
        assert what in said.err


def test_papers_in_and_the_way_out(suyuan: Shell, papers: Path, tmp_path: Path) -> None:
    operator(suyuan)
    (tmp_path / "places.csv").write_text(
        "uri,name_en,city_zh\nurn:suyuan:place:NLZWO,Zwolle,兹沃勒\n", "utf-8"
    )
    (tmp_path / "products.csv").write_text(f"gtin,name_en,name_zh\n{GTIN},Milk powder,奶粉\n", "utf-8")
    assert suyuan.good("place", "put", tmp_path / "places.csv", "--json").json == {
        "changed": 1,
        "received": 1,
    }
    assert suyuan.good("product", "put", tmp_path / "products.csv", "--json").json == {
        "changed": 1,
        "received": 1,
    }

    said = suyuan("capture", papers, "--party", "op")
    assert said.code == 2
    assert "gs1.check_digit" in said.err
    assert "1 taken, 1 refused" in said.out
    good, bad = suyuan("capture", papers, "--party", "op", "--json").json
    assert (good["kind"], good["repeated"], good["new_events"]) == ("EPCIS/JSON", True, 0)
    assert bad["error"]["code"] == "gs1.check_digit"
    assert bad["error"]["path"]

    shown = suyuan.good("trace", f"(01){GTIN}(21)A1")
    assert "2025-08-01 10:00" in shown.out
    assert "Zwolle" in shown.out
    assert "self-declared" in shown.out
    whole = suyuan.good("trace", ITEM, "--json").json
    masked = suyuan.good("trace", ITEM, "--json", "--audience", "public").json
    assert whole["facts"][0]["event_id"]
    assert masked["facts"][0]["event_id"] is None
    chinese = suyuan.good("--lang", "zh", "trace", ITEM)
    assert "奶粉" in chinese.out
    assert "可见原因: 运营方" in chinese.out
    suyuan.good("party", "add", "maker", "--name-en", "Maker", "--name-zh", "制造")
    suyuan.good("party", "grant", "maker", "brand-owner", "--gtin", GTIN)
    mine = suyuan.good("trace", ITEM, "--json", "--party", "maker").json
    assert (mine["audience"], mine["standing"][0]["code"]) == ("owner", "granted")
    assert suyuan.good("coverage", ITEM, "--json", "--party", "maker").json["mode"] == "unknown"
    why = suyuan.good("policy", "explain", ITEM, "--party", "maker", "--json").json
    assert (why["audience"], why["facts"][0]["shown"]) == ("owner", True)
    assert "audiences.public.rules[0]" in suyuan.good("policy", "explain", ITEM, "--party", "maker").out
    suyuan.good("--lang", "en", "coverage", ITEM)
    assert suyuan.good("coverage", ITEM, "--json").json["mode"] == "unknown"
    suyuan.good("balance", "--gtin", GTIN, "--lot", LOT)

    bundle = tmp_path / "bundle.json"
    suyuan.good("bundle", ITEM, "--out", bundle)
    alone = suyuan.good("verify", bundle)
    assert "self-asserted" in alone.out.lower()
    report = suyuan.good("verify", bundle, "--json").json
    assert (report["thing"], report["key_source"]) == (ITEM, "self-asserted")
    key = tmp_path / "key"
    key.write_text(json.loads(bundle.read_text("utf-8"))["logKey"], "utf-8")
    assert suyuan.good("verify", bundle, "--log-key", key, "--json").json["key_source"] == "given"
    bundle.write_bytes(bundle.read_bytes().replace(b"shipping", b"receiving"))
    broken = suyuan("verify", bundle)
    assert broken.code == 2
    assert "bundle.damaged" in broken.err

    checked = suyuan.good("fsck")
    assert "lean" in checked.out
    assert suyuan.good("fsck", "--json").json["finding_count"] == 0

    for arguments, code, what in (
        (("trace", ITEM + "9"), 4, "trace.thing.unknown"),
        (("trace", "nonsense"), 2, "trace.uri.form"),
        (("trace", "https://id.gs1.org/01/09506000134353/21/A"), 2, "gs1.ai.check_digit"),
        (("trace", ITEM, "--audience", "neighbour"), 4, "policy.audience.unknown"),
        (("bundle", ITEM + "9", "--out", bundle), 4, "trace.bundle.none"),
        (("capture", papers), 2, "cli.capture.who"),
        (("capture", papers, "--party", "nobody"), 4, "party.unknown"),
        (("balance", "--gtin", "1", "--lot", "L"), 2, "issuing.gtin"),
    ):
        said = suyuan(*arguments)
        assert (said.code, said.out) == (code, ""), arguments
        assert what in said.err


def test_the_policy_explains_itself(suyuan: Shell, tmp_path: Path) -> None:
    table = suyuan.good("policy", "explain", "--json").json
    verdicts = {row["name"]: row["verdicts"] for row in table["classes"]}
    assert (verdicts["price"]["regulator"], verdicts["price"]["owner"]) == ("shown", "hidden")
    assert set(verdicts["price"]) == set(table["audiences"])
    ordering = suyuan.good(
        "policy", "explain", "--json", "--step", "urn:suyuan:bizstep:ordering", "-a", "public"
    )
    assert {row["verdicts"]["public"] for row in ordering.json["classes"]} == {"hidden"}
    assert "价格" in suyuan.good("--lang", "zh", "policy", "explain").out
    position = ("policy", "explain", "--path", "readPoint/id", "--value", "geo:1,2")
    decided = {one["audience"]: one for one in suyuan.good(*position, "--json").json}
    assert (decided["public"]["verdict"], decided["public"]["class"]) == ("hidden", "where")
    assert decided["public"]["rule"].startswith("audiences.public.rules[")
    assert "符合 ^geo:" in suyuan.good("--lang", "zh", *position).out

    own = tmp_path / "own.toml"
    text = suyuan.good("--lang", "en", "policy", "show").out
    own.write_text(text.replace('version = "2026-11-1"', 'version = "own"'), "utf-8")
    assert suyuan.good("policy", "explain", "--json", "--policy", own).json["version"] == "own"
    suyuan.data_dir.mkdir(exist_ok=True)
    (suyuan.data_dir / "policy.toml").write_text(text.replace('class = "recall"', 'class = "recal"'), "utf-8")
    for arguments, code, what in (
        (("policy", "explain"), 2, "policy.malformed"),
        (("trace", ITEM), 2, "policy.malformed"),
        (("policy", "explain", "--policy", tmp_path / "none.toml"), 4, "policy.absent"),
        (("policy", "explain", "--policy", own, "--audience", "neighbour"), 4, "policy.audience.unknown"),
        (("policy", "explain", "--policy", own, "--party", "maker"), 2, "cli.policy.options"),
        (("policy", "explain", ITEM, "--policy", own, "--path", "type"), 2, "cli.policy.options"),
    ):
        said = suyuan(*arguments)
        assert (said.code, said.out) == (code, ""), arguments
        assert what in said.err
    (suyuan.data_dir / "policy.toml").unlink()
    suyuan.good("migrate")
    both = suyuan("trace", ITEM, "--audience", "public", "--party", "op")
    assert (both.code, "cli.viewer.both" in both.err) == (2, True)


def test_a_person_document_is_asked_for_in_the_clear(suyuan: Shell, tmp_path: Path) -> None:
    operator(suyuan)
    order = "urn:suyuan:raw:order:SHOP:20251001001"
    paper = tmp_path / "order.jsonld"
    paper.write_bytes(document({**EVENT, "epcList": [order], "bizStep": "accepting"}))
    suyuan.good("capture", paper, "--party", "op")
    found = suyuan.good("trace", order, "--json").json
    assert found["thing"].startswith("urn:suyuan:order:")
    assert "20251001001" not in json.dumps(found["facts"])


def test_codes(suyuan: Shell, tmp_path: Path) -> None:
    operator(suyuan)
    out = tmp_path / "codes.csv"
    issue = ("issue", "--gtin", GTIN, "--lot", LOT, "--count", "3")
    assert "cli.issue.party" in suyuan(*issue, "--out", out).err
    assert not out.exists()
    batch = suyuan.good(*issue, "--party", "op", "--out", out, "--json").json
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8"))))
    assert (batch["count"], len(rows)) == (3, 3)
    assert rows[0]["uri"] == f"HTTP://LOCALHOST:8080/01/{GTIN}/21/{rows[0]['serial']}"
    before = out.read_bytes()
    kept = suyuan(*issue, "--party", "op", "--out", out)
    assert (kept.code, "cli.file.exists" in kept.err, out.read_bytes()) == (5, True, before)
    other = tmp_path / "other.csv"
    other.write_bytes(before)
    suyuan.good(*issue, "--party", "op", "--out", other, "--force")
    assert len(other.read_bytes()) == len(before) and other.read_bytes() != before
    both = suyuan(*issue, "--party", "op", "--scratch", "--pattern", "--out", tmp_path / "both.csv")
    assert (both.code, "issuing.pattern.scratch" in both.err) == (2, True)
    assert not (tmp_path / "both.csv").exists()
    assert suyuan.good(*issue, "--party", "op").out.startswith("serial,uri,gtin,lot\r\n")
    plain = tmp_path / "serials.txt"
    plain.write_text(f"{rows[0]['uri']}\n\n{rows[1]['serial']}\n", "utf-8")
    void = ("void", "--gtin", GTIN, "--lot", LOT, "--party", "op", "--reason", "misprinted", "--serials")
    assert suyuan.good(*void, plain, "--json").json["count"] == 2
    assert suyuan.good(*void, out, "--json").json == {"act_id": 2, "count": 1, "repeated": 2, "acted_at": ANY}
    for arguments, code, what in (
        (
            ("activate", "--gtin", GTIN, "--lot", LOT, "--party", "op", "--serials", out),
            6,
            "issuing.code.voided",
        ),
        (("issue", "--gtin", "1", "--lot", LOT, "--count", "3", "--party", "op"), 2, "issuing.gtin"),
        (("issue", "--gtin", GTIN, "--lot", LOT, "--count", "0", "--party", "op"), 2, "issuing.count"),
        ((*issue, "--party", "op", "--json"), 2, "cli.issue.out"),
        ((*void, __file__), 2, "cli.serials.line"),
    ):
        said = suyuan(*arguments)
        assert (said.code, said.out) == (code, ""), arguments
        assert what in said.err


class _Any:
    def __eq__(self, other: object) -> bool:
        return True


ANY = _Any()


def test_errors_speak_both_languages_and_json(suyuan: Shell) -> None:
    english = suyuan("trace", "nonsense")
    chinese = suyuan("--lang", "zh_CN.UTF-8", "trace", "nonsense")
    machine = suyuan("trace", "nonsense", "--json")
    assert "That is no URI" in english.err
    assert "处理办法" in chinese.err
    problem = json.loads(machine.err)
    assert set(problem) == {"code", "path", "reason", "remedy"}
    assert (problem["code"], machine.out) == ("trace.uri.form", "")


def test_every_family_of_errors_has_a_line_in_chinese() -> None:
    import re

    from suyuan.cli.context import explain

    root = Path(__file__).resolve().parents[2]
    families = re.findall(r"^### (\w+)$", (root / "docs" / "ERRORS.md").read_text("utf-8"), re.MULTILINE)
    assert not [family for family in families if not explain(family)]
    assert explain("gs1.check_digit") != explain("gs1.other") == explain("gs1")
    assert explain("no.such.family") == ""


def test_a_directory_without_a_deployment_is_not_made_one(
    suyuan: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUYUAN_DATABASE_URL")
    said = suyuan("trace", ITEM, "--data-dir", tmp_path / "mistyped")
    assert said.code == 4
    assert "cli.deployment.absent" in said.err
    assert not (tmp_path / "mistyped").exists()


def test_commands_take_the_names_that_the_server_left(suyuan: Shell) -> None:
    from suyuan import settings
    from suyuan.cli.context import leave_names, load_settings
    from suyuan.cli.processes import serve_settings

    leave_names(settings.load(base_url="https://trace.example", data_dir=suyuan.data_dir))
    found = load_settings(suyuan.data_dir)
    assert (found.base_url, found.code_host) == ("https://trace.example", "trace.example")
    assert found.log_origin == "trace.example/log"
    # A server on another port goes on under its own address, its log under the name that it had.
    served = serve_settings(suyuan.data_dir, None, 9999)
    assert (served.base_url, served.log_origin) == ("http://localhost:9999", "trace.example/log")


def test_migrate_says_what_it_did(suyuan: Shell) -> None:
    assert suyuan.good("migrate", "--json").json == {"applied": []}
    assert "up to date" in suyuan.good("migrate").out
