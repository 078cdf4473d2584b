"""The embedded server: every way in which its owner, its files or its process can be in an odd state."""

# ruff: noqa: ASYNC220, ASYNC240, ASYNC251 - a test has its loop to itself

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from suyuan.db import binaries, embedded, postmaster, tuning
from suyuan.db.cluster import make_cluster
from suyuan.errors import UnavailableError

# Starts the server, says where it is and stays until its standard input ends.
HOLDER = """
import sys
from pathlib import Path
from suyuan.db import embedded
server = embedded.start(Path(sys.argv[1]), durable=sys.argv[2] == "durable")
print(server.dsn, flush=True)
sys.stdin.read()
server.stop()
"""


class Holder:
    """Another process that holds the server of a data directory."""

    def __init__(self, data_dir: Path, durable: bool = False, **how: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(data_dir), "durable" if durable else "fast"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **how,
        )
        assert self.process.stdout is not None
        self.dsn = self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate(timeout=60)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=60)


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    # Whatever a failed test left running ends here.
    found = postmaster.find_postmaster(cluster_of(tmp_path / "data"))
    if found is not None:
        os.kill(found.pid, signal.SIGKILL)
    said = postmaster.read_pid_file(cluster_of(tmp_path / "data"))
    if said is not None and Path(said.socket_dir).name.startswith("suyuan-"):
        shutil.rmtree(said.socket_dir, ignore_errors=True)


def cluster_of(data_dir: Path) -> Path:
    return data_dir / "database" / "cluster"


def pid_of(data_dir: Path) -> int:
    found = postmaster.find_postmaster(cluster_of(data_dir))
    assert found is not None
    return found.pid


def wait_gone(data_dir: Path) -> None:
    deadline = time.monotonic() + 20
    while postmaster.find_postmaster(cluster_of(data_dir)) is not None:
        assert time.monotonic() < deadline, "the server is still there"
        time.sleep(0.02)


async def query(dsn: str, *statements: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            value = await connection.fetchval(statement)
        return value
    finally:
        await connection.close()


async def test_it_runs_for_the_length_of_a_block(data_dir: Path) -> None:
    async with embedded.running(data_dir, durable=False) as dsn:
        assert await query(dsn, "SELECT current_database()") == "suyuan"
        assert await query(dsn, "SHOW listen_addresses") == ""
        socket_dir = Path(postmaster.find_postmaster(cluster_of(data_dir)).socket_dir)
        assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700
        assert len(str(socket_dir)) < 60
    assert postmaster.find_postmaster(cluster_of(data_dir)) is None
    assert not socket_dir.exists()


async def test_text_is_ordered_by_code_point_on_every_machine(pg_server: embedded.Server) -> None:
    if await query(pg_server.dsn, "SELECT current_setting('server_version_num')::int") < 170000:
        pytest.skip("the built-in locale came with PostgreSQL 17")
    said = "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database WHERE datname = 'suyuan'"
    assert await query(pg_server.dsn, said) == "b C.UTF-8"
    assert await query(pg_server.dsn, "SELECT 'Z' < 'a' AND 'z' < 'é' AND 'é' < '溯'") is True


async def test_a_second_process_shares_the_server_and_may_outlive_the_first(data_dir: Path) -> None:
    first = Holder(data_dir)
    second = embedded.start(data_dir)
    assert second.dsn == first.dsn
    pid = pid_of(data_dir)
    first.leave()
    assert pid_of(data_dir) == pid
    assert await query(second.dsn, "SELECT 1") == 1
    assert second.is_running()
    second.stop()
    assert not second.is_running()
    assert postmaster.find_postmaster(cluster_of(data_dir)) is None
    second.stop()  # idempotent


def test_processes_that_start_at_once_get_one_server(data_dir: Path) -> None:
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(data_dir), "fast"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    said = {process.stdout.readline() for process in starting}
    pid_of(data_dir)
    for process in starting:
        process.communicate(timeout=60)
    assert len(said) == 1 and said != {b""}
    wait_gone(data_dir)


async def test_kill_9_of_the_owner_stops_the_server_and_loses_nothing(data_dir: Path) -> None:
    owner = Holder(data_dir, durable=True)
    await query(owner.dsn, "CREATE TABLE note (text text)", "INSERT INTO note VALUES ('committed')")
    owner.kill()
    wait_gone(data_dir)
    async with embedded.running(data_dir) as dsn:
        assert await query(dsn, "SELECT text FROM note") == "committed"


async def test_kill_9_of_the_owner_leaves_the_server_to_the_others(data_dir: Path) -> None:
    owner = Holder(data_dir)
    other = embedded.start(data_dir)
    pid = pid_of(data_dir)
    owner.kill()
    time.sleep(0.3)
    assert await query(other.dsn, "SELECT 1") == 1
    assert pid_of(data_dir) == pid
    other.stop()
    assert postmaster.find_postmaster(cluster_of(data_dir)) is None


async def test_kill_9_of_everything_is_recovered_from(data_dir: Path) -> None:
    owner = Holder(data_dir, durable=True)
    await query(owner.dsn, "CREATE TABLE note (text text)", "INSERT INTO note VALUES ('committed')")
    keeper = int((data_dir / "database" / "keeper.lock").read_text().split()[0])
    server = pid_of(data_dir)
    os.kill(keeper, signal.SIGSTOP)  # so that it cannot tidy up
    os.kill(server, signal.SIGKILL)
    os.kill(keeper, signal.SIGKILL)
    owner.kill()
    assert (cluster_of(data_dir) / "postmaster.pid").exists()
    async with embedded.running(data_dir) as dsn:
        assert await query(dsn, "SELECT text FROM note") == "committed"


async def test_kill_9_of_the_keeper_leaves_no_orphan_that_the_next_start_would_trip_over(
    data_dir: Path,
) -> None:
    owner = Holder(data_dir)
    os.kill(int((data_dir / "database" / "keeper.lock").read_text().split()[0]), signal.SIGKILL)
    async with embedded.running(data_dir, durable=False) as dsn:
        assert await query(dsn, "SELECT 1") == 1
    owner.kill()


async def test_a_pid_file_with_the_pid_of_another_process_is_stale(data_dir: Path) -> None:
    embedded.start(data_dir, durable=False).stop()
    cluster = cluster_of(data_dir)
    # A stranger that even works in the same directory, and one that is ourselves.
    stranger = subprocess.Popen(["/bin/sleep", "600"], cwd=cluster)
    try:
        for pid in (stranger.pid, os.getpid(), os.getppid()):
            (cluster / "postmaster.pid").write_text(
                f"{pid}\n{cluster}\n{int(time.time())}\n5432\n/tmp\n\n0 0\nready\n"
            )
            assert postmaster.find_postmaster(cluster) is None
            async with embedded.running(data_dir, durable=False) as dsn:
                assert await query(dsn, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


async def test_the_start_time_tells_a_server_from_its_namesake(data_dir: Path) -> None:
    server = embedded.start(data_dir, durable=False)
    pid_file = cluster_of(data_dir) / "postmaster.pid"
    true_lines = pid_file.read_text()
    lines = true_lines.splitlines()
    lines[2] = str(int(lines[2]) - 3600)
    pid_file.write_text("\n".join(lines) + "\n")
    assert postmaster.find_postmaster(cluster_of(data_dir)) is None
    pid_file.write_text(true_lines)
    assert postmaster.find_postmaster(cluster_of(data_dir)) is not None
    server.stop()


@pytest.mark.parametrize("content", ["", "\n", "not a number\n", "0\n"])
async def test_a_pid_file_that_a_crash_left_empty_or_torn_is_stale(data_dir: Path, content: str) -> None:
    if not cluster_of(data_dir).exists():
        embedded.start(data_dir, durable=False).stop()
    (cluster_of(data_dir) / "postmaster.pid").write_text(content)
    async with embedded.running(data_dir, durable=False) as dsn:
        assert await query(dsn, "SELECT 1") == 1


async def test_a_path_with_spaces_quotes_and_chinese(tmp_path: Path) -> None:
    async with embedded.running(tmp_path / 'it\'s a "data" $HOME 溯源', durable=False) as dsn:
        assert await query(dsn, "SELECT 1") == 1


async def test_a_path_longer_than_a_socket_may_have(tmp_path: Path) -> None:
    data_dir = tmp_path
    for _ in range(4):
        data_dir /= "a-rather-long-name-of-a-folder-in-which-somebody-keeps-things" * 2
    async with embedded.running(data_dir, durable=False) as dsn:
        assert await query(dsn, "SELECT 1") == 1


async def test_a_cluster_that_was_half_made_is_made_again(data_dir: Path) -> None:
    left_over = data_dir / "database" / "cluster.new-abc"
    left_over.mkdir(parents=True)
    (left_over / "PG_VERSION").write_text("18\n")
    async with embedded.running(data_dir, durable=False) as dsn:
        assert await query(dsn, "SELECT 1") == 1
    assert not left_over.exists()


def test_files_of_another_version_are_refused(data_dir: Path) -> None:
    cluster_of(data_dir).mkdir(parents=True)
    (cluster_of(data_dir) / "PG_VERSION").write_text("14\n")
    with pytest.raises(UnavailableError) as caught:
        embedded.start(data_dir)
    assert caught.value.code == "db.embedded.version"
    assert caught.value.remedy


def test_a_server_that_cannot_start_says_why(data_dir: Path) -> None:
    embedded.start(data_dir, durable=False).stop()
    (cluster_of(data_dir) / "global" / "pg_control").unlink()
    with pytest.raises(UnavailableError) as caught:
        embedded.start(data_dir, durable=False)
    assert caught.value.code == "db.embedded.start"
    assert "pg_control" in caught.value.reason


def test_a_data_directory_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError) as caught:
        embedded.start(tmp_path / "file" / "data")
    assert caught.value.code == "db.embedded.directory"


def test_a_socket_directory_that_somebody_else_made_is_not_used(data_dir: Path) -> None:
    server = embedded.start(data_dir, durable=False)
    taken = Path(server.socket_dir)
    server.stop()
    taken.mkdir(mode=0o755)
    try:
        server = embedded.start(data_dir, durable=False)
        assert server.socket_dir != str(taken)
        assert server.socket_dir.startswith(str(taken) + "-")
        server.stop()
        assert stat.S_IMODE(taken.stat().st_mode) == 0o755
    finally:
        taken.rmdir()


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can drop its privileges")


@needs_root
async def test_root_runs_it_as_somebody_else_below_a_directory_closed_to_them(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    closed.chmod(0o700)
    data_dir = closed / "data"
    account = binaries.choose_account(cluster_of(data_dir))
    assert account is not None and account.uid != 0
    async with embedded.running(data_dir, durable=False) as dsn:
        assert await query(dsn, "SELECT 1") == 1
        status = Path(f"/proc/{pid_of(data_dir)}/status")
        if status.exists():
            identities = dict(
                line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line
            )
            assert set(identities["Uid"].split()) == {str(account.uid)}
            assert set(identities["Gid"].split()) == {str(account.gid)}
            assert not identities["Groups"].strip()
            assert int(identities["CapEff"], 16) == 0
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert closed.stat().st_uid == 0
    assert cluster_of(data_dir).stat().st_uid == account.uid


@needs_root
async def test_root_gives_files_that_a_restore_left_to_root_to_the_account(data_dir: Path) -> None:
    embedded.start(data_dir, durable=False).stop()
    for folder, folders, files in os.walk(cluster_of(data_dir).parent):
        for name in (*folders, *files):
            os.chown(Path(folder) / name, 0, 0)
    async with embedded.running(data_dir, durable=False) as dsn:
        assert await query(dsn, "SELECT 1") == 1


@needs_root
def test_root_without_an_account_to_run_it_as_is_refused(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "_ACCOUNTS", ("no-such-account",))
    with pytest.raises(UnavailableError) as caught:
        embedded.start(data_dir)
    assert caught.value.code == "db.embedded.root"
    assert "ordinary user" in caught.value.remedy


@needs_root
def test_programs_that_the_account_cannot_reach_are_copied_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = binaries.choose_account(tmp_path / "nothing")
    installation = binaries.find_binaries()
    libraries = f"{installation.parent.name}.libs"
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    # Links to the same programs, to which nobody else can walk.
    hidden = closed / installation.parent.name / installation.name
    hidden.parent.mkdir()
    hidden.symlink_to(installation)
    (closed / libraries).symlink_to(installation.parent.parent / libraries)
    with tempfile.TemporaryDirectory() as base:
        Path(base).chmod(0o755)
        monkeypatch.setattr(binaries, "_COPY_BASES", (Path(base),))
        copy = binaries.reachable_binaries(hidden, account)
        assert Path(base) in copy.parents
        assert binaries.reachable_binaries(hidden, account) == copy
        (home,) = Path(base).iterdir()
        assert home.stat().st_uid == 0
        home.chmod(0o777)  # somebody else could have put programs there: it is used no more
        with pytest.raises(UnavailableError) as caught:
            binaries.reachable_binaries(hidden, account)
        assert caught.value.code == "db.embedded.unrunnable"


@needs_root
def test_an_ordinary_user_is_told_whose_files_they_are() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        os.seteuid(54321)
        try:
            with pytest.raises(UnavailableError) as caught:
                binaries.choose_account(Path(folder))
        finally:
            os.seteuid(0)
    assert caught.value.code == "db.embedded.foreign_files"


@needs_root
def test_a_user_without_an_account_can_make_a_database() -> None:
    nameless = binaries.Account("54321", 54321, 54321)
    assert not binaries.has_name(nameless.uid)
    installation = binaries.reachable_binaries(binaries.find_binaries(), nameless)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "database"
        home.mkdir()
        make_cluster(home, installation, 18, nameless)
        assert (home / "cluster" / "PG_VERSION").stat().st_uid == nameless.uid
        assert [path.name for path in home.iterdir()] == ["cluster"]
        embedded.start(Path(folder), durable=False).stop()


def test_a_missing_wheel_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "WHEEL", "no_such_wheel")
    with pytest.raises(UnavailableError) as caught:
        binaries.find_binaries()
    assert caught.value.code == "db.embedded.missing"
    assert "SUYUAN_DATABASE_URL" in caught.value.remedy


def test_settings_follow_the_memory(tmp_path: Path) -> None:
    small = tuning.server_settings(tmp_path, memory=512 << 20)
    large = tuning.server_settings(tmp_path, memory=32 << 30)
    assert small["shared_buffers"] == "102MB"
    assert large["shared_buffers"] == "6553MB"
    assert large["fsync"] == small["fsync"] == "on"
    assert large["checkpoint_timeout"] == "15min"


async def test_no_row_value_reaches_the_server_log(data_dir: Path) -> None:
    async with embedded.running(data_dir, durable=False) as dsn:
        await query(
            dsn, "CREATE TABLE person (name text PRIMARY KEY)", "INSERT INTO person VALUES ('Zhang San')"
        )
        for statement in ("INSERT INTO person VALUES ('Zhang San')", "SELECT 'Zhang San'::int"):
            with pytest.raises(asyncpg.PostgresError):
                await query(dsn, statement)
    assert "Zhang" not in (data_dir / "database" / "server.log").read_text()
