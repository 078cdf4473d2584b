"""Tile paths, widths and coordinates, entry bundles: vectors and laws."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tlog_vectors import load

from suyuan.errors import InputError, NotFoundError, SuyuanError
from suyuan.tlog import merkle, tile


def test_path_vectors() -> None:
    vectors = load("tile_paths.json")
    for case in vectors["entries_path_for_index"]:
        assert tile.entries_path(*tile.entries_at(case["seq"], case["log_size"])) == case["path"]
    for case in vectors["entries_path"]:
        assert tile.entries_path(case["N"], case["p"] or 256) == case["path"]
    for case in vectors["tile_path"]:
        assert tile.Tile(case["level"], case["index"], case["p"] or 256).path == case["path"]
    for case in vectors["parse"]:
        if case["want_err"]:
            with pytest.raises(NotFoundError):
                tile.parse_tile(case["level"], case["index"])
        else:
            level, index, width = case["want"]
            assert tile.parse_tile(case["level"], case["index"]) == (level, index, width or 256)
    for example in vectors["spec_examples"]:
        if "N" in example:
            assert tile.index_path(example["N"]) == example["path"]
            continue
        tiles = list(tile.implied_tiles(example["size"]))
        full = Counter(str(one.level) for one in tiles if one.full)
        assert full == example["full"]
        assert {str(one.level): one.width for one in tiles if not one.full} == example["partial"]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 63), st.integers(0, tile.MAX_INDEX), st.integers(1, 256))
def test_a_path_names_one_tile(level: int, index: int, width: int) -> None:
    one = tile.Tile(level, index, width)
    assert tile.parse_tile(*one.path.split("/", 2)[1:]) == one


@given(st.text("x0123456789/.p-", max_size=20))
def test_any_other_path_is_refused_or_the_only_name(text: str) -> None:
    try:
        index, width = tile.parse_index(text)
    except NotFoundError:
        return
    assert tile.index_path(index, width) == text


def _tiles(leaves: list[bytes], size: int) -> dict[tuple[int, int], bytes]:
    """All tiles of the first ``size`` leaves, as a log would hold them."""
    tiles: dict[tuple[int, int], bytes] = {}
    row = leaves[:size]
    level = 0
    while row:
        for start in range(0, len(row), 256):
            tiles[level, start // 256] = b"".join(row[start : start + 256])
        row = [
            tile.tile_root(b"".join(row[start : start + 256]))
            for start in range(0, len(row) // 256 * 256, 256)
        ]
        level += 1
    return tiles


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_proofs_are_served_from_the_implied_tiles(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 900) | st.just(66_000))
    hashes = [merkle.leaf_hash(index.to_bytes(4, "big")) for index in range(size)]
    tiles = _tiles(hashes, size)
    implied = {(one.level, one.n): one for one in tile.implied_tiles(size)}
    assert {place: len(held) // 32 for place, held in tiles.items()} == {
        place: one.width for place, one in implied.items()
    }
    read = tile.tile_reader(tiles)
    root = merkle.root_of_hashes(hashes)
    assert merkle.tree_root(size, read) == root
    index = data.draw(st.integers(0, size - 1))
    merkle.verify_inclusion(index, size, hashes[index], merkle.inclusion_proof(index, size, read), root)
    old = data.draw(st.integers(1, size))
    proof = merkle.consistency_proof(old, size, read)
    merkle.verify_consistency(old, size, proof, merkle.root_of_hashes(hashes[:old]), root)
    needed = tile.tiles_of_nodes(
        [node for group in merkle.inclusion_nodes(index, size) for node in group], size
    )
    assert set(needed) <= set(implied.values())


@given(st.integers(0, 200_000), st.integers(0, 70_000))
@settings(max_examples=50, deadline=None)
def test_growing_writes_each_new_tile_once(old: int, more: int) -> None:
    before, after = set(tile.implied_tiles(old)), set(tile.implied_tiles(old + more))
    grown = list(tile.implied_tiles(old + more, old))
    assert len(grown) == len(set(grown))
    assert set(grown) == after - before


def test_absent_tiles_are_not_found() -> None:
    with pytest.raises(NotFoundError):
        tile.tile_at(1, 0, 255)
    with pytest.raises(NotFoundError):
        tile.tile_reader({})([merkle.Node(0, 0)])
    with pytest.raises(InputError):
        tile.node_from_tile(merkle.Node(1, 3), bytes(32 * 7))
    with pytest.raises(InputError):
        tile.tile_root(bytes(32))
    with pytest.raises(InputError):
        tile.index_path(1, 0)
    with pytest.raises(InputError):
        tile.split_hashes(bytes(33))


def test_entry_bundle_vectors() -> None:
    for case in load("entry_bundle.json")["cases"]:
        data = bytes.fromhex(case["hex"])
        if case["err"]:
            with pytest.raises(InputError):
                tile.read_entries(data)
        else:
            assert [entry.hex() for entry in tile.read_entries(data)] == case["entries"]


@given(st.lists(st.binary(max_size=40), max_size=256))
@settings(max_examples=50, deadline=None)
def test_entries_come_back(entries: list[bytes]) -> None:
    assert tile.read_entries(tile.write_entries(entries)) == entries


@given(st.binary(max_size=300))
@settings(max_examples=50, deadline=None)
def test_any_bytes_are_entries_or_an_error(data: bytes) -> None:
    try:
        assert tile.write_entries(tile.read_entries(data)) == data
    except SuyuanError as error:
        assert error.code.startswith("tlog.entries.")


def test_entry_limits() -> None:
    with pytest.raises(InputError, match="too_long"):
        tile.write_entries([bytes(65_536)])
    with pytest.raises(InputError, match="too_many"):
        tile.write_entries([b""] * 257)
    with pytest.raises(InputError, match="too_many"):
        tile.read_entries(bytes(2 * 257))
