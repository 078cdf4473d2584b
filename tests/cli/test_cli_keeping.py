"""Backup and restore: what comes back, what stays erased, what is refused and leaves nothing behind."""

from __future__ import annotations

import asyncio
import re
import resource
import shutil
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from command_line import ITEM, Shell
from test_cli_commands import document, operator

from suyuan import settings, worker
from suyuan.app import Services, open_services
from suyuan.db import age
from suyuan.db.pool import sql
from suyuan.errors import IntegrityError
from suyuan.log import publish, sequence_once
from suyuan.tlog.checkpoint import open_checkpoint
from suyuan.tlog.note import Ed25519Verifier
from suyuan.vault.erasing import ErasureCopy, erase_subject, journal_erasure
from suyuan.vault.vault import SealedPart

ORDER = Path(__file__).resolve().parents[2] / "examples" / "bonded" / "papers" / "16-order-ceb311.xml"
BUYER = "SELECT subject_id, sealed FROM evidence_part WHERE category = 'id_number' LIMIT 1"


def on(data_dir: Path, work: Callable[[Services], Awaitable[Any]], **environment: str) -> Any:
    """What ``work`` gives on the services of a deployment."""

    async def session() -> Any:
        chosen = settings.load({**environment, "SUYUAN_DATA_DIR": str(data_dir)})
        async with open_services(chosen) as services:
            return await work(services)

    return asyncio.run(session())


async def publish_all(services: Services) -> None:
    while await sequence_once(services.pool):
        pass
    await publish(services.pool, services.signer)


class Kept:
    """A deployment with a paper about people and an item, published, and a backup of it."""

    def __init__(self, suyuan: Shell, database_url: str, tmp_path: Path) -> None:
        self.suyuan, self.folder = suyuan, tmp_path
        self.database_url = database_url
        self.passphrase = tmp_path / "passphrase"
        self.passphrase.write_text("correct horse battery\n", "utf-8")
        self.file, self.keys, self.journal = (
            tmp_path / "b.backup",
            tmp_path / "keys.age",
            tmp_path / "journal",
        )
        operator(suyuan)
        self.capture("1", document())
        suyuan.good("capture", ORDER, "--party", "op")
        legs = suyuan.data_dir / "legs"
        legs.mkdir(parents=True)
        (legs / "own.toml").write_text("# an operator's own profile\n", "utf-8")
        cities = suyuan.data_dir / "cities"
        cities.mkdir()
        (cities / "own.toml").write_text("# an operator's own city\n", "utf-8")
        self.on_source(publish_all)
        self.trace = suyuan.good("trace", ITEM, "--json").json
        said = suyuan.good(
            "backup", self.file, "--keys", self.keys, "--passphrase-file", self.passphrase, "--json"
        )
        self.made = said.json

    def on_source(self, work: Callable[[Services], Awaitable[Any]]) -> Any:
        return on(self.suyuan.data_dir, work, SUYUAN_DATABASE_URL=self.database_url)

    def capture(self, serial: str, paper: bytes) -> None:
        path = self.folder / f"{serial}.jsonld"
        path.write_bytes(paper)
        self.suyuan.good("capture", path, "--party", "op")

    def go_on(self) -> None:
        """One more event, published."""
        self.capture("later", document().replace(b"shipping", b"receiving"))
        self.on_source(publish_all)

    def erase_buyer(self) -> None:
        async def erase(services: Services) -> None:
            row = await services.pool.fetchrow(BUYER)
            await erase_subject(services.pool, row["subject_id"], party_id="op", reason="asked for it")

        self.on_source(erase)

    def write_journal(self) -> None:
        self.suyuan.good("backup", "--journal", self.journal)

    def order(self, target: Path, *more: object, file: Path | None = None) -> tuple[object, ...]:
        sealed = ("--keys", self.keys, "--passphrase-file", self.passphrase)
        return ("restore", file or self.file, "--data-dir", target, *sealed, *more)


@pytest.fixture
def kept(suyuan: Shell, database_url: str, tmp_path: Path) -> Kept:
    return Kept(suyuan, database_url, tmp_path)


async def read_buyer(services: Services) -> bytes | None:
    row = await services.pool.fetchrow(BUYER)
    parts = await services.vault.unseal_parts(services.pool, [SealedPart(row["subject_id"], row["sealed"])])
    return parts[0]


def test_a_deployment_comes_back_and_who_was_erased_stays_erased(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert kept.made["backup"]["events"] > 1
    assert "pseudonym" in kept.made["backup"]["keys"]
    assert kept.on_source(read_buyer) is not None
    kept.erase_buyer()
    kept.write_journal()
    assert kept.on_source(read_buyer) is None

    # Into an embedded database of its own, with the keys from the sealed file alone.
    monkeypatch.delenv("SUYUAN_DATABASE_URL")
    monkeypatch.delenv("SUYUAN_DATA_DIR")
    target = tmp_path / "again"
    said = kept.suyuan.good(*kept.order(target, "--journal", kept.journal, "--json")).json
    assert (said["log"], said["clean"], said["erased_again"], said["erasures"]) == ("continues", True, 1, 1)
    assert said["rows"] == kept.made["backup"]["rows"]
    assert kept.suyuan.good("trace", ITEM, "--json", "--data-dir", target).json == kept.trace
    assert kept.suyuan.good("fsck", "--json", "--data-dir", target).json["finding_count"] == 0
    assert (target / "legs" / "own.toml").is_file()
    assert (target / "cities" / "own.toml").is_file()
    assert not list(target.glob(".*"))

    async def look(services: Services) -> None:
        assert await read_buyer(services) is None
        # It is at work: it takes papers, numbers them beyond what was there, and its log goes on.
        await services.capture.submit(
            document().replace(b"shipping", b"packing"), await services.deliverer_of("op")
        )
        await publish_all(services)

    on(target, look)
    assert kept.suyuan("restore", kept.file, "--data-dir", target, "--nothing-newer").code == 5


def test_a_log_that_had_signed_more_is_not_continued(
    kept: Kept, empty_database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept.go_on()
    kept.write_journal()
    monkeypatch.setenv("SUYUAN_DATABASE_URL", empty_database_url)
    target = tmp_path / "again"
    refused = kept.suyuan(*kept.order(target, "--journal", kept.journal))
    assert refused.code == 6
    assert "backup.log.behind" in refused.err
    assert not target.exists()

    done = kept.suyuan.good(*kept.order(target, "--journal", kept.journal, "--accept-behind", "--json")).json
    assert (done["log"], done["newest_published"]) == ("shut", done["published"] + 1)

    async def start(services: Services) -> None:
        with pytest.raises(IntegrityError) as caught:
            await worker.work(services, asyncio.Event())
        assert caught.value.code == "log.fork.behind"

    names = {"SUYUAN_LOG_ORIGIN": done["log_origin"], "SUYUAN_DATABASE_URL": empty_database_url}
    on(target, start, **names)


def test_a_restore_that_fails_late_leaves_nothing_in_a_database_of_ones_own(
    kept: Kept, empty_database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SUYUAN_DATABASE_URL", empty_database_url)
    target = tmp_path / "again"

    async def fail(*_: object, **__: object) -> None:
        raise IntegrityError("log.head", "The newest checkpoint does not fit.")

    with monkeypatch.context() as broken:
        broken.setattr("suyuan.log.verify_head", fail)
        refused = kept.suyuan(*kept.order(target, "--nothing-newer"))
    assert (refused.code, "log.head" in refused.err) == (9, True)
    assert not target.exists()

    async def rows() -> dict[str, int]:
        conn = await asyncpg.connect(empty_database_url)
        try:
            tables = [row["name"] for row in await conn.fetch(sql("suyuan.db", "list_tables"))]
            return {name: await conn.fetchval(f'SELECT count(*) FROM "{name}"') for name in tables}
        finally:
            await conn.close()

    left = asyncio.run(rows())
    assert {name: count for name, count in left.items() if count} == {"log_head": 1}
    done = kept.suyuan.good(*kept.order(target, "--nothing-newer", "--json")).json
    assert (done["clean"], done["rows"]) == (True, kept.made["backup"]["rows"])


def test_a_log_of_another_name_begins_over_the_same_entries(
    kept: Kept, empty_database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept.go_on()
    kept.write_journal()
    monkeypatch.setenv("SUYUAN_DATABASE_URL", empty_database_url)
    target, name = tmp_path / "again", "trace.example/log-2"
    same = kept.suyuan(*kept.order(target, "--journal", kept.journal, "--log-origin", "localhost:8080/log"))
    assert (same.code, target.exists()) == (2, False)
    done = kept.suyuan.good(
        *kept.order(target, "--journal", kept.journal, "--log-origin", name, "--json")
    ).json
    assert (done["log"], done["log_origin"], done["clean"]) == ("renamed", name, True)

    async def go_on(services: Services) -> bytes:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.5, stop.set)
        await worker.work(services, stop)
        return (target / "published" / "checkpoint").read_bytes() + services.signer.vkey.encode()

    said = on(target, go_on, SUYUAN_LOG_ORIGIN=name, SUYUAN_DATABASE_URL=empty_database_url)
    checkpoint, _, vkey = said.rpartition(b"\n")
    opened = open_checkpoint(checkpoint + b"\n", Ed25519Verifier(vkey.decode())).checkpoint
    assert (opened.origin, opened.size) == (name, done["sequenced"])


def test_the_worker_erases_again_after_any_restore(kept: Kept) -> None:
    kept.erase_buyer()

    async def work(services: Services) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.6, stop.set)
        await worker.work(services, stop)

    kept.on_source(work)
    copy = ErasureCopy(kept.suyuan.data_dir / "published" / "erasures")
    (entry,) = copy.read()

    async def turn_back(services: Services) -> None:
        """As a database restored by other means is: the subject is there, the journal knows nothing."""
        async with services.pool.acquire() as conn, conn.transaction():
            await conn.execute("ALTER TABLE erasure_journal DISABLE TRIGGER forbid_change")
            await conn.execute("DELETE FROM erasure_journal")
            await conn.execute("ALTER TABLE erasure_journal ENABLE ALWAYS TRIGGER forbid_change")
            await conn.execute(
                "INSERT INTO vault_subject VALUES ($1, '\\x00', '2025-01-01')", bytes.fromhex(entry.reference)
            )

    async def left(services: Services) -> Any:
        return await services.pool.fetchval(
            "SELECT count(*) FROM vault_subject WHERE subject_id = $1", bytes.fromhex(entry.reference)
        )

    kept.on_source(turn_back)
    kept.on_source(work)
    assert kept.on_source(left) == 0
    assert copy.read() == [entry]

    # Journalled and never deleted: the process died in between.
    async def journal_only(services: Services) -> None:
        await services.pool.execute(
            "INSERT INTO vault_subject VALUES ($1, '\\x00', now())", bytes.fromhex(entry.reference)
        )
        await journal_erasure(services.pool, "subject", entry.reference, party_id="op", reason="again")

    kept.on_source(journal_only)
    kept.on_source(work)

    assert kept.on_source(left) == 0
    assert len(copy.read()) == 2


def test_erasing_by_number(kept: Kept) -> None:
    async def numbers(services: Services) -> list[str]:
        return [
            row["category"]
            for row in await services.pool.fetch(
                "SELECT p.category FROM evidence_part p JOIN vault_subject v USING (subject_id)"
            )
        ]

    async def look(services: Services) -> None:
        rows = await services.pool.fetch(BUYER)
        parts = [SealedPart(row["subject_id"], row["sealed"]) for row in rows]
        await services.vault.reveal_parts(
            services.pool, parts, party_id="op", reason="complaint 17", by="user-1"
        )

    before = kept.on_source(numbers)
    assert "id_number" in before
    kept.on_source(look)
    buyer = kept.on_source(read_buyer).decode()
    by = ("--party", "op", "--reason", "a request", "--json")
    looked = kept.suyuan.good("reveals", "id_number", buyer, "--json").json
    assert [(row["party"], row["actor"], row["reason"]) for row in looked] == [
        ("op", "user-1", "complaint 17")
    ]
    assert kept.suyuan.good("erase", "id_number", buyer, *by).json["found"] is True
    # Who looked is known for as long as the journal is, and by the number alone.
    assert kept.suyuan.good("reveals", "id_number", buyer, "--json").json == looked
    assert "complaint 17" in kept.suyuan.good("reveals").out
    assert buyer not in kept.suyuan.good("reveals").out
    assert kept.suyuan("reveals", "id_number").code == 2
    assert "id_number" not in kept.on_source(numbers)
    # A second time there is nothing, and the request is journalled all the same.
    assert kept.suyuan.good("erase", "id_number", buyer, *by).json["found"] is False
    order = re.search(rb"<ceb:orderNo>([^<]+)<", ORDER.read_bytes())
    assert order
    for number, found in ((order[1].decode(), 0), ("NOBODYS1", 4)):
        assert kept.suyuan("erase", "order", number, *by).code == found
    assert kept.suyuan.good("erase", "order", "NOBODYS1", "--issuer", "X", *by).json["found"] is False
    assert kept.on_source(numbers) == [] or "order_no" not in kept.on_source(numbers)
    for arguments, code, what in (
        (("seal", "1", *by), 2, "vault.kind"),
        (("order", "1", "--party", "nobody", "--reason", "r"), 4, "party.unknown"),
        (("id_number", "1", "--party", "op", "--reason", " "), 2, "vault.reason"),
    ):
        said = kept.suyuan("erase", *arguments)
        assert (said.code, what in said.err) == (code, True), arguments
    kept.write_journal()
    assert len(ErasureCopy(kept.journal / "erasures").read()) == 4


def test_what_is_newer_has_to_be_said(kept: Kept, tmp_path: Path) -> None:
    target = tmp_path / "again"
    for more, what in (
        ((), "backup.outside"),
        (("--journal", tmp_path / "nowhere"), "backup.journal.empty"),
        (("--journal", kept.journal, "--nothing-newer"), "backup.outside"),
    ):
        said = kept.suyuan(*kept.order(target, *more))
        assert what in said.err
        assert said.code in (2, 6)
        assert not target.exists()
    # A folder that knows more than the database is left alone.
    kept.go_on()
    kept.write_journal()
    newest = (kept.journal / "checkpoint").read_bytes()
    kept.suyuan.environment["SUYUAN_DATABASE_URL"] = ""
    (kept.journal / "checkpoint").write_bytes(newest.replace(b"\n", b"\n9", 1))
    refused = kept.suyuan("backup", "--journal", kept.journal)
    assert (refused.code, "backup.journal.ahead" in refused.err) == (9, True)


def test_wrong_keys_are_refused(kept: Kept, tmp_path: Path) -> None:
    target = tmp_path / "again"
    kept.passphrase.write_text("wrong\n", "utf-8")
    wrong = kept.suyuan(*kept.order(target, "--nothing-newer"))
    assert (wrong.code, "age.refused" in wrong.err) == (7, True)
    # The keys of another deployment, sealed for a recipient.
    identity = tmp_path / "identity"
    identity.write_text(f"# made for a test\n{age.new_identity()}\n", "utf-8")
    recipient = age.recipient_of(identity.read_text("utf-8").splitlines()[1])
    other, sealed = tmp_path / "other-keys", tmp_path / "other.age"
    shutil.copytree(kept.suyuan.data_dir / "keys", other)
    (other / "vault-wrapping").chmod(0o600)
    (other / "vault-wrapping").write_bytes(bytes(range(32)))
    kept.suyuan.apart("backup", "--keys", sealed, "--recipient", recipient, SUYUAN_KEYS_DIR=str(other))
    given = ("--keys", sealed, "--identity", identity)
    said = kept.suyuan("restore", kept.file, "--data-dir", target, *given, "--nothing-newer")
    assert (said.code, "backup.keys.other" in said.err) == (9, True)
    none = kept.suyuan("restore", kept.file, "--data-dir", target, "--nothing-newer")
    assert (none.code, "backup.keys.missing" in none.err) == (9, True)
    assert not target.exists()


def test_nothing_is_overwritten(kept: Kept, tmp_path: Path) -> None:
    again = kept.suyuan("backup", kept.file)
    assert (again.code, "backup.exists" in again.err) == (5, True)
    # The database of the running deployment is still set: it is not empty.
    target = tmp_path / "again"
    taken = kept.suyuan(*kept.order(target, "--nothing-newer"))
    assert (taken.code, "backup.target" in taken.err) == (5, True)
    assert not target.exists()
    assert kept.suyuan.good("trace", ITEM, "--json").json == kept.trace


def test_a_damaged_backup_is_refused(kept: Kept, tmp_path: Path) -> None:
    assert "verified" in kept.suyuan.good("backup", "--verify", kept.file).out
    whole = kept.file.read_bytes()
    damaged = tmp_path / "damaged.backup"
    with zipfile.ZipFile(kept.file) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
    for name in (
        "tables/event",
        "tables/vault_subject",
        "files/legs/own.toml",
        "manifest.json",
        "manifest.note",
    ):
        # In the middle of what the part says; the name and an extra field stand before it.
        begin = entries[name].header_offset + 30 + len(name) + 20
        at = begin + entries[name].compress_size // 2
        damaged.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        said = kept.suyuan("backup", "--verify", damaged)
        assert said.code in (7, 9), name
        assert not said.out
    damaged.write_bytes(whole[: len(whole) - 30])
    assert kept.suyuan(*kept.order(tmp_path / "again", "--nothing-newer", file=damaged)).code == 9
    # Whole in itself, but a table was exchanged: the signature does not cover it.
    with zipfile.ZipFile(kept.file) as source, zipfile.ZipFile(tmp_path / "forged", "w") as forged:
        for name in source.namelist():
            data = source.read(name)
            forged.writestr(
                name, data.replace(b'"rows": 1,', b'"rows": 2,') if name == "manifest.json" else data
            )
    said = kept.suyuan("backup", "--verify", tmp_path / "forged")
    assert (said.code, "backup.signature" in said.err) == (7, True)
    strange = "other.example+3b6c14d0+Ab5W9FPdlOIUkmh5PQcFjwqBMSSMFjlBG5wsCfLWhxQ4"
    assert kept.suyuan("backup", "--verify", kept.file, "--log-key", strange).code in (2, 7)
    assert not (tmp_path / "again").exists()


def test_a_full_disk_leaves_no_backup(kept: Kept, tmp_path: Path) -> None:
    target = tmp_path / "full"
    target.mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        said = kept.suyuan("backup", target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (said.code, "backup.unwritable" in said.err) == (8, True)
    assert list(target.iterdir()) == []
    assert kept.suyuan("backup").code == 2
    # Under another name than the server's, a backup would be one that no restore takes.
    renamed = kept.suyuan.apart("backup", target, SUYUAN_BASE_URL="https://elsewhere.example")
    assert (renamed.code, "backup.log.origin" in renamed.err, list(target.iterdir())) == (9, True, [])
    made = kept.suyuan.good("--lang", "zh", "backup", target)
    assert "不含密钥文件" in made.out
    assert [path.suffix for path in target.iterdir()] == [".backup"]
