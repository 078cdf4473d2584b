"""Key files are made once, kept from others and never replaced."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from suyuan.db.keyfiles import load, load_or_create
from suyuan.errors import IntegrityError, NotFoundError, UnavailableError


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    key = load_or_create("pseudonym", 32, directory=keys)
    assert len(key) == 32
    assert load_or_create("pseudonym", 32, directory=keys) == key == load("pseudonym", 32, directory=keys)
    assert load_or_create("mac", 32, directory=keys) != key
    assert stat.S_IMODE((keys / "pseudonym").stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert sorted(path.name for path in keys.iterdir()) == ["mac", "pseudonym"]


def test_all_who_start_at_once_get_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: load_or_create("k", 16, directory=tmp_path / "keys"), range(40)))
    assert len(keys) == 1


def test_a_missing_key_is_not_made_by_load(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        load("absent", 32, directory=tmp_path)
    assert caught.value.code == "db.key.missing"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    load_or_create("k", 32, directory=tmp_path)
    (tmp_path / "k").chmod(mode)
    with pytest.raises(IntegrityError) as caught:
        load_or_create("k", 32, directory=tmp_path)
    assert caught.value.code == "db.key.exposed"
    assert "chmod 600" in caught.value.remedy
    assert stat.S_IMODE((tmp_path / "k").stat().st_mode) == mode


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_a_key_of_another_length_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "k").write_bytes(content)
    (tmp_path / "k").chmod(0o600)
    with pytest.raises(IntegrityError) as caught:
        load_or_create("k", 32, directory=tmp_path)
    assert caught.value.code == "db.key.length"
    assert (tmp_path / "k").read_bytes() == content


def test_a_link_is_no_key_file(tmp_path: Path) -> None:
    load_or_create("true", 32, directory=tmp_path)
    (tmp_path / "k").symlink_to(tmp_path / "true")
    with pytest.raises(UnavailableError) as caught:
        load_or_create("k", 32, directory=tmp_path)
    assert caught.value.code == "db.key.unreadable"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_of_somebody_else_is_refused(tmp_path: Path) -> None:
    load_or_create("k", 32, directory=tmp_path)
    os.chown(tmp_path / "k", 54321, 54321)
    with pytest.raises(IntegrityError) as caught:
        load("k", 32, directory=tmp_path)
    assert caught.value.code == "db.key.exposed"


def test_a_directory_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError) as caught:
        load_or_create("k", 32, directory=tmp_path / "file" / "keys")
    assert caught.value.code == "db.key.unwritable"


@pytest.mark.parametrize("name", ["", "../k", "a/b", ".k", "K"])
def test_a_name_is_a_plain_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        load_or_create(name, 32, directory=tmp_path)
