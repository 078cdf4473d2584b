"""The GS1 syntax dictionary, read here a second time, against the product's table and its verdicts on whole URIs.

Cases are made from the dictionary: a value that each identifier takes, with the samples of the rules' own tests in its
components; values that one rule refuses; every key with every attribute; pairs of attributes; qualifiers in every
order. What must come out is computed here from the dictionary's lines alone.
"""

from __future__ import annotations

import itertools
import json
import random
import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest
from test_gs1_vectors import LINTERS, REGISTER

from suyuan.gs1.application_identifiers import CHECKS, TABLE
from suyuan.gs1.check_digits import check_digit
from suyuan.gs1.digital_link import check_uri

CHARACTERS = {
    "N": re.compile(r"[0-9]*"),
    "X": re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]*"),
    "Y": re.compile(r"[#\-/0-9A-Z]*"),
    "Z": re.compile(r"[\-0-9A-Z_a-z=]*"),
}
# What fills a component that no rule judges.
PLAIN = {"N": "1", "X": "A", "Y": "A", "Z": "A"}
# Whether a company prefix is allotted says GS1's register alone, which is not looked up.
UNJUDGED = {"gcppos1", "gcppos2"}


class Component(NamedTuple):
    kind: str
    shortest: int
    longest: int
    optional: bool
    linters: tuple[str, ...]


class Entry(NamedTuple):
    ai: str
    attribute: bool
    components: tuple[Component, ...]
    requires: tuple[tuple[tuple[str, ...], ...], ...]  # each must hold: one group of which all are there
    excludes: tuple[str, ...]
    orders: tuple[tuple[str, ...], ...] | None  # None: no key


def read_component(text: str) -> Component:
    optional = text.startswith("[")
    shape, *linters = text.replace("[", "").replace("]", "").split(",")
    low, dots, high = shape[1:].partition("..")
    return Component(
        shape[0], int(low or 1) if dots else int(low), int(high or low), optional, tuple(linters)
    )


def read_dictionary(path: Path) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for line in path.read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        names, *words = line.partition(" # ")[0].split()
        flags = words.pop(0) if not words[0][0].isalnum() and words[0][0] != "[" else ""
        shapes = [word for word in words if re.match(r"\[?[NXYZ](\.\.)?\d", word)]
        marks = [word for word in words if word not in shapes]
        orders: tuple[tuple[str, ...], ...] | None = None
        for mark in marks:
            if mark.split("=")[0] == "dlpkey":
                told = mark.partition("=")[2]
                orders = tuple(tuple(one.split(",")) for one in told.split("|")) if told else ((),)
        first, _, last = names.partition("-")
        for number in range(int(first), int(last or first) + 1):
            ai = str(number).zfill(len(first))
            found[ai] = Entry(
                ai,
                "?" in flags,
                tuple(read_component(shape) for shape in shapes),
                tuple(
                    tuple(tuple(group.split("+")) for group in mark[4:].split(","))
                    for mark in marks
                    if mark.startswith("req=")
                ),
                tuple(one for mark in marks if mark.startswith("ex=") for one in mark[3:].split(",")),
                orders,
            )
    return found


def fits(pattern: str, ai: str) -> bool:
    return len(pattern) == len(ai) and all(p in ("n", c) for p, c in zip(pattern, ai, strict=True))


class World(NamedTuple):
    entries: dict[str, Entry]
    samples: dict[str, list[str]]
    refused: dict[str, list[str]]

    def component(self, one: Component) -> str:
        """A text that the component takes."""
        judged = [linter for linter in one.linters if linter not in UNJUDGED]
        if "csum" in one.linters:
            body = "0950600013435200000000"[: one.longest - 1]
            return body + check_digit(body)
        if "csumalpha" in one.linters:
            return "1987654Ad4X4bL5ttr2310c2K"
        if not judged:
            return "0950600"[: one.longest].ljust(one.shortest, PLAIN[one.kind])
        for text in itertools.chain.from_iterable(self.samples[linter] for linter in judged):
            if (
                one.shortest <= len(text) <= one.longest
                and text
                and CHARACTERS[one.kind].fullmatch(text)
                and all(CHECKS[LINTERS[linter]](text) is None for linter in judged)
            ):
                return text
        raise AssertionError(one)

    def value(self, ai: str) -> str:
        return "".join(self.component(one) for one in self.entries[ai].components)

    def holds_together(self, ais: set[str]) -> bool:
        for ai in ais:
            entry = self.entries[ai]
            if any(fits(pattern, other) for pattern in entry.excludes for other in ais - {ai}):
                return False
            for groups in entry.requires:
                if not any(all(any(fits(p, other) for other in ais) for p in group) for group in groups):
                    return False
        return True

    def is_path(self, path: tuple[str, ...]) -> bool:
        orders = self.entries[path[0]].orders
        return orders is not None and any(
            path[1:] == tuple(one for one in order if one in path[1:]) and set(path[1:]) <= set(order)
            for order in orders
        )

    def expected(self, path: tuple[str, ...], query: tuple[str, ...]) -> bool:
        """Whether a Digital Link of these identifiers, all with good values, is valid."""
        if not self.is_path(path):
            return False
        for ai in query:
            grown = ((*path[:place], ai, *path[place:]) for place in range(1, len(path) + 1))
            if ai in path or not self.entries[ai].attribute or any(self.is_path(one) for one in grown):
                return False
        return self.holds_together({*path, *query})

    def uri(self, path: tuple[str, ...], query: tuple[str, ...] = (), **values: str) -> str:
        def of(ai: str) -> str:
            return quote(values.get(f"ai{ai}", self.value(ai)), safe="")

        steps = "".join(f"/{ai}/{of(ai)}" for ai in path)
        return f"https://id.example.com{steps}" + (
            "?" + "&".join(f"{ai}={of(ai)}" for ai in query) if query else ""
        )


@pytest.fixture(scope="module")
def world(vectors_dir: Path) -> World:
    folder = vectors_dir / "gs1"
    samples, refused = defaultdict(list), defaultdict(list)
    for row in json.loads((folder / "linter-vectors.json").read_text("utf-8")):
        if isinstance(row["args"][0], str) and (row["pass"] or row["args"][1]["expr"] not in REGISTER):
            (samples if row["pass"] else refused)[row["linter"]].append(row["args"][0])
    samples["winding"] += ["0", "1", "9"]
    samples["nonzero"] += ["001", "0001", "00001"]
    return World(read_dictionary(folder / "gs1-syntax-dictionary.txt"), samples, refused)


def verdicts_differ(world: World, cases: list[tuple[tuple[str, ...], tuple[str, ...]]]) -> list[object]:
    different: list[object] = []
    for path, query in cases:
        told = check_uri(world.uri(path, query))
        if told["valid"] != world.expected(path, query):
            different.append((path, query, told))
    return different


def test_the_table_says_what_the_dictionary_says(world: World) -> None:
    assert world.entries.keys() == TABLE.keys()
    for ai, entry in world.entries.items():
        ours = TABLE[ai]
        assert ours.attribute == entry.attribute, ai
        assert ours.key == (entry.orders is not None), ai
        assert set(ours.qualifiers or ((),)) == set(entry.orders or ((),)), ai
        excluded = {other for other in TABLE if other != ai and any(fits(p, other) for p in entry.excludes)}
        assert ours.excludes == excluded, ai
        assert len(entry.requires) <= 1, ai
        groups = entry.requires[0] if entry.requires else ()
        wanted = {
            tuple(frozenset(other for other in TABLE if fits(p, other)) for p in group) for group in groups
        }
        assert set(ours.requires) == wanted, ai
        assert ours.shortest == sum(one.shortest for one in entry.components if not one.optional), ai
        assert ours.longest == sum(one.longest for one in entry.components), ai
        checks = {
            number: {LINTERS[linter] for linter in one.linters}
            | ({"base64url"} if one.kind == "Z" else set())
            for number, one in enumerate(entry.components, 1)
            if one.linters or one.kind == "Z"
        }
        assert {
            n: {name for name, rule in CHECKS.items() if rule in rules} for n, rules in ours.checks
        } == checks, ai


def test_every_key_with_every_other_identifier(world: World) -> None:
    keys = [ai for ai, entry in world.entries.items() if entry.orders is not None]
    cases = [((key,), (ai,)) for key in keys for ai in world.entries if ai != key]
    assert len(cases) > 5000
    assert not verdicts_differ(world, cases)


def test_qualifiers_in_every_order(world: World) -> None:
    qualifiers = sorted({ai for e in world.entries.values() for order in e.orders or () for ai in order})
    keys = [ai for ai, entry in world.entries.items() if entry.orders is not None]
    cases = [
        ((key, *order), ())
        for key in keys
        for size in range(4)
        for order in itertools.permutations([one for one in qualifiers if one != key], size)
        if size < 3 or key in ("01", "8006", "414")
    ]
    assert not verdicts_differ(world, cases)
    assert sum(world.expected(*case) for case in cases) > 30


def test_attributes_in_pairs_and_threes(world: World) -> None:
    # The same cases in every run.
    chosen = random.Random(20260101)
    paths = [
        ("01",), ("01", "21"), ("01", "10"), ("01", "10", "21"), ("01", "235"), ("00",), ("8006",), ("8006", "21"),
        ("255",), ("415", "8020"), ("414", "254"), ("8017",), ("8018", "8019"), ("8010", "8011"), ("8004",),
    ]  # fmt: skip
    attributes = [ai for ai, entry in world.entries.items() if entry.attribute]
    cases = []
    for path in paths:
        # Those that may stand on this path come often, so that what forbids or asks for a partner decides.
        asked = asked_by(world, path)
        likely = [ai for ai in attributes if ai in asked or not world.entries[ai].requires]
        for _ in range(300):
            pool = likely if chosen.random() < 0.8 and len(likely) > 3 else attributes
            query = tuple(chosen.sample(pool, chosen.choice([2, 2, 3])))
            cases.append((path, tuple(ai for ai in query if ai not in path)))
    assert not verdicts_differ(world, cases)
    assert 500 < sum(world.expected(*case) for case in cases) < len(cases) - 500


def asked_by(world: World, path: tuple[str, ...]) -> set[str]:
    """Identifiers one of whose groups begins with an identifier of the path."""
    return {
        ai
        for ai, entry in world.entries.items()
        for groups in entry.requires
        for group in groups
        if any(fits(group[0], one) for one in path)
    }


def placed(world: World, ai: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """A valid Digital Link's path and query that carry the identifier; None where no Digital Link can."""
    paths = [
        (key, *chosen)
        for key, entry in world.entries.items()
        for order in entry.orders or ()
        for size in range(len(order) + 1)
        for chosen in itertools.combinations(order, size)
    ]
    partners = sorted(
        {p.replace("n", "0") for groups in world.entries[ai].requires for g in groups for p in g}
    )
    for path in paths:
        rest = () if ai in path else (ai,)
        for size in range(3):
            for more in itertools.combinations(
                [one for one in partners if one not in path and one in world.entries], size
            ):
                if world.expected(path, (*more, *rest)):
                    return path, (*more, *rest)
    return None


def test_each_identifier_takes_its_values_and_refuses_others(world: World) -> None:
    refused, nowhere = 0, []
    for ai, entry in world.entries.items():
        place = placed(world, ai)
        if place is None:
            nowhere.append(ai)
            continue
        good = [world.component(one) for one in entry.components]
        assert check_uri(world.uri(*place))["valid"], (ai, place, check_uri(world.uri(*place)))
        for number, one in enumerate(entry.components):
            bad = [text for linter in one.linters if linter not in UNJUDGED for text in world.refused[linter]]
            if "csum" in one.linters:
                bad = [good[number][:-1] + str((int(good[number][-1]) + 1) % 10)]
            outside = {"N": "A", "X": "溯", "Y": "a", "Z": "+"}[one.kind]
            bad += [outside * one.shortest, good[number][:-1] + outside]
            if number == len(good) - 1:
                bad.append(good[number] + PLAIN[one.kind] * (one.longest + 1 - len(good[number])))
            if len(good) == 1:
                bad.append(good[0][: one.shortest - 1])
            for text in bad:
                whole = "".join([*good[:number], text, *good[number + 1 :]])
                if not text and one.optional:
                    continue  # left out
                if number < len(good) - 1 and len(text) != one.longest:
                    continue  # cut elsewhere, it may be another good value
                if one.linters and text in world.samples[one.linters[0]]:
                    continue
                told = check_uri(world.uri(*place, **{f"ai{ai}": whole}))
                assert (told["error"] or "").startswith(("gs1.ai.", "gs1.uri.")), (ai, whole, one)
                refused += 1
    assert refused > 3000
    # What a Digital Link cannot carry stands in the dictionary without the flag, and is no qualifier.
    assert not any(world.entries[ai].attribute for ai in nowhere)
