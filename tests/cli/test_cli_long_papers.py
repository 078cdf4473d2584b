"""Papers that are too long to be read into memory, and scans with a mapping, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import GTIN, Shell

MAPPINGS = Path(__file__).resolve().parents[2] / "examples" / "mappings"


def long_document(file: Path, size: int) -> int:
    """Write an EPCIS document of at least so many bytes; the number of its events."""
    count = 0
    with file.open("w") as out:
        out.write('{"@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],')
        out.write('"type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-01-05T10:00:00Z",')
        out.write('"epcisBody": {"eventList": [')
        while out.tell() < size:
            event = {
                "type": "ObjectEvent",
                "eventTime": f"2026-01-05T{count // 60 % 24:02d}:{count % 60:02d}:00.000Z",
                "eventTimeZoneOffset": "+08:00",
                "action": "OBSERVE",
                "bizStep": "inspecting",
                "epcList": [f"https://id.gs1.org/01/{GTIN}/21/L{count}X{number}" for number in range(2000)],
            }
            out.write(("," if count else "") + json.dumps(event))
            count += 1
        out.write("]}}")
    return count


def test_a_long_paper_is_not_read_into_memory(
    suyuan: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suyuan.good("party", "add", "op", "--name-en", "Operator", "--name-zh", "运营方", "--role", "operator")
    paper = tmp_path / "long.jsonld"
    count = long_document(paper, 5 * 1024 * 1024)

    read_bytes = Path.read_bytes

    def whole(path: Path) -> bytes:
        assert path != paper, "the paper is read as a whole"
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", whole)
    [taken] = suyuan.good("capture", paper, "--party", "op", "--json").json
    assert (taken["kind"], taken["event_count"], taken["new_events"]) == ("EPCIS/JSON", count, count)
    [again] = suyuan.good("capture", paper, "--party", "op", "--json").json
    assert (again["capture_id"], again["repeated"], again["new_events"]) == (taken["capture_id"], True, 0)


def test_scans_by_their_mapping(suyuan: Shell, tmp_path: Path) -> None:
    suyuan.good("party", "add", "op", "--name-en", "Operator", "--name-zh", "运营方", "--role", "operator")
    for name, scans, count in (
        ("flat", "flat.csv", 4),
        ("nested", "nested.json", 4),
        ("lines", "lines.jsonl", 3),
    ):
        arguments = (
            "capture",
            MAPPINGS / scans,
            "--mapping",
            MAPPINGS / f"{name}.toml",
            "--party",
            "op",
            "--json",
        )
        [taken] = suyuan.good(*arguments).json
        assert (taken["kind"], taken["new_events"], taken["warnings"]) == ("scan/courier", count, [])
        [again] = suyuan.good(*arguments).json
        assert (again["repeated"], again["new_events"]) == (True, 0)
    # Another mapping of the same file is another paper: how it was read is part of what is kept.
    other = tmp_path / "other.toml"
    other.write_bytes((MAPPINGS / "flat.toml").read_bytes().replace(b'"signed"', b'"exception"'))
    [taken] = suyuan.good(
        "capture", MAPPINGS / "flat.csv", "--mapping", other, "--party", "op", "--json"
    ).json
    assert (taken["repeated"], taken["event_count"], taken["new_events"]) == (False, 4, 1)
    other.write_text('format = "csv"\n[fields]\nspeed = "x"\n')
    said = suyuan("capture", MAPPINGS / "flat.csv", "--mapping", other, "--party", "op", "--json")
    assert said.code == 2
    assert said.json[0]["error"]["code"] == "sheet.mapping.field"
