"""Settings: one table, one reader, clear refusals."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from suyuan import settings
from suyuan.errors import InputError

ROOT = Path(__file__).resolve().parent.parent.parent


def test_defaults_follow_one_another() -> None:
    plain = settings.load({})
    assert plain.database_url is None
    assert plain.data_dir == Path.cwd() / "data"
    assert plain.keys_dir == plain.data_dir / "keys"
    assert (plain.base_url, plain.log_origin, plain.code_host) == (
        "http://localhost:8080",
        "localhost:8080/log",
        "localhost:8080",
    )
    named = settings.load({"SUYUAN_BASE_URL": "https://Trace.Example/", "SUYUAN_DATA_DIR": "/srv/s"})
    assert (named.base_url, named.log_origin, named.code_host) == (
        "https://trace.example",
        "trace.example/log",
        "trace.example",
    )
    assert named.keys_dir == Path("/srv/s/keys")


def test_what_is_given_on_the_command_line_counts_more_than_the_environment() -> None:
    loaded = settings.load({"SUYUAN_PORT": "81"}, port=82, data_dir=Path("/x"), base_url=None)
    assert (loaded.port, loaded.data_dir, loaded.base_url) == (82, Path("/x"), "http://localhost:82")


def test_an_empty_variable_counts_as_unset() -> None:
    assert settings.load({"SUYUAN_PORT": " "}).port == 8080


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SUYUAN_DATABASE_URL", "mysql://x"),
        ("SUYUAN_BASE_URL", "trace.example"),
        ("SUYUAN_BASE_URL", "https://trace.example/path"),
        ("SUYUAN_BASE_URL", "https://user@trace.example"),
        ("SUYUAN_BASE_URL", "https://trace.example:99999"),
        ("SUYUAN_LOG_ORIGIN", "two words"),
        ("SUYUAN_LOG_ORIGIN", "a+b"),
        ("SUYUAN_CODE_HOST", "https://trace.example"),
        ("SUYUAN_CODE_HOST", "host:port"),
        ("SUYUAN_LISTEN_HOST", "a b"),
        ("SUYUAN_PORT", "0"),
        ("SUYUAN_PORT", "80a"),
        ("SUYUAN_PORT", "70000"),
        ("SUYUAN_POOL_SIZE", "-1"),
        ("SUYUAN_LOG_LEVEL", "loud"),
        ("SUYUAN_LOG_FORMAT", "xml"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InputError) as caught:
        settings.load({name: value})
    assert (caught.value.code, caught.value.path) == ("settings.invalid", name)
    assert caught.value.remedy


def test_a_misspelt_setting_is_refused_with_the_likely_one() -> None:
    with pytest.raises(InputError) as caught:
        settings.load({"SUYUAN_DATABSE_URL": "postgresql://x"})
    assert caught.value.code == "settings.unknown"
    assert "SUYUAN_DATABASE_URL" in caught.value.remedy
    settings.load({"SUYUAN_TEST_ANYTHING": "1", "SUYUAN_VECTORS": "/x", "OTHER": "1"})


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:secret@h/d", "postgresql://h/d?user=u&password=secret", "postgresql://:secret@h/d"],
)
def test_a_password_is_not_printed(url: str) -> None:
    loaded = settings.load({"SUYUAN_DATABASE_URL": url})
    assert "secret" not in repr(loaded)
    assert loaded.database_url == url


def test_the_table_and_the_fields_are_the_same_and_each_is_explained() -> None:
    assert [setting.field for setting in settings.TABLE] == list(settings.Settings.__struct_fields__)
    assert len({setting.name for setting in settings.TABLE}) == len(settings.TABLE)
    for setting in settings.TABLE:
        assert re.fullmatch(r"SUYUAN_[A-Z_]+", setting.name)
        assert setting.meaning.endswith(".")


def test_nobody_else_reads_the_environment() -> None:
    # Handing the environment on to a child is not reading it. The database's programs are given PATH and a
    # place for a socket; nothing of ours is read there.
    allowed = {"cluster.py", "settings.py"}
    readers = [
        path.name
        for path in (ROOT / "src" / "suyuan").rglob("*.py")
        if re.search(r"os\.environ(\.get\(|\[)|getenv\(", path.read_text(encoding="utf-8"))
    ]
    assert set(readers) <= allowed
