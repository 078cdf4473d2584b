"""The documents say what is there, all of it, and nothing that is not.

A setting, command, door, room or family of errors that nobody described fails here, and so does a description of
something that is gone.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

import suyuan
from suyuan import errors
from suyuan.settings import TABLE

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "suyuan"
README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "docs" / "ARCHITECTURE.md").read_text("utf-8")
ERRORS = (ROOT / "docs" / "ERRORS.md").read_text("utf-8")
GLOSSARY = (ROOT / "docs" / "GLOSSARY.md").read_text("utf-8")
RECORDS = ROOT / "docs" / "adr"

TREES = ("src", "tests", "docs", "examples", "bench", "tools", ".ci")
_HIDDEN = {"__pycache__", ".hypothesis", "node_modules"}
CODE = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+")


def project_files(*suffixes: str) -> Iterator[Path]:
    """Files of the project itself; with ``suffixes`` only those."""
    found = [path for path in ROOT.iterdir() if path.is_file()]
    for tree in TREES:
        found += (ROOT / tree).rglob("*")
    for path in sorted(found):
        if (
            path.is_file()
            and not _HIDDEN.intersection(path.parts)
            and (not suffixes or path.suffix in suffixes)
        ):
            yield path


MARKDOWN = list(project_files(".md"))


def section(text: str, heading: str) -> str:
    """What stands under a heading of the second level."""
    found = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, f"no section {heading!r}"
    return found[1]


def module(name: str) -> Any:
    """A module that may not be part of this checkout yet."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not there")
    return importlib.import_module(name)


# -- settings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_every_setting_is_in_the_table_with_its_meaning(setting: Any) -> None:
    row = next((line for line in README.splitlines() if line.startswith(f"| `{setting.name}` |")), "")
    assert setting.meaning in row
    assert (setting.default or "unset") in row


def test_no_setting_is_described_that_does_not_exist() -> None:
    known = {setting.name for setting in TABLE} | {"SUYUAN_VECTORS"}
    for path in MARKDOWN:
        named = set(re.findall(r"\bSUYUAN_[A-Z_]+\b", path.read_text("utf-8")))
        assert not {name for name in named - known if not name.startswith("SUYUAN_TEST")}, path.name


# -- commands ---------------------------------------------------------------------------------------------


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path
        return
    for name, one in inner.items():
        if not one.hidden:
            yield from _commands(one, (*path, name))


def commands() -> set[str]:
    """Every command of the command line, such as ``token create``."""
    import typer.main

    tree = typer.main.get_command(module("suyuan.cli.main").app)
    return {" ".join(path) for path in _commands(tree, ())}


def test_every_command_has_an_example() -> None:
    examples = section(README, "Commands")
    missing = [name for name in sorted(commands()) if not re.search(rf"\bsuyuan {name}\b", examples)]
    assert not missing


def test_every_command_in_the_documents_exists() -> None:
    known = commands()
    words = {name.split()[0] for name in known}
    for path in MARKDOWN:
        for first, second in re.findall(r"\bsuyuan ([a-z][a-z0-9-]*)(?: ([a-z][a-z-]*))?", _code_of(path)):
            assert first in words, f"{path.name}: suyuan {first}"
            if first not in known:
                assert f"{first} {second}" in known, f"{path.name}: suyuan {first} {second}"


def test_every_option_in_an_example_exists() -> None:
    import typer.main

    tree = typer.main.get_command(module("suyuan.cli.main").app)
    for line in re.findall(r"^ {4}(?:\S+=\S+ |\.venv/bin/)?suyuan (.*)$", README, re.MULTILINE):
        command: Any = tree
        words = line.partition(" #")[0].split()
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        known = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


def _code_of(path: Path) -> str:
    """Code in a document: fenced, indented, or between backticks."""
    text = path.read_text("utf-8")
    fenced = re.findall(r"^```.*?$(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return "\n".join([*fenced, *re.findall(r"^ {4}.*$", text, re.MULTILINE), *re.findall(r"`[^`\n]+`", text)])


# -- doors ------------------------------------------------------------------------------------------------


def machine_doors() -> set[tuple[str, str]]:
    """Method and path of every door for machines and of the console, parameters without their types."""
    found = set()
    console = module("suyuan.console.routes")
    pages = [handler for room in console.PAGES for handler in room.ROUTES]
    for handler in (*module("suyuan.api").api_routes(), *pages, console.static_file):
        for path in handler.paths:
            for method in handler.http_methods:
                found.add((str(getattr(method, "value", method)), re.sub(r":\w+}", "}", path)))
    return found


def item_doors() -> set[str]:
    """First segments of the item's URIs and the fixed files beside them."""
    from suyuan.web.model import ItemSource, PageSettings

    routes = module("suyuan.web.routes").item_routes(
        cast("ItemSource", None), PageSettings(base_url="https://t.example")
    )
    return {re.sub(r"/page[.-].*", "", route.path) for route in routes.routes}


def described_doors() -> set[tuple[str, str]]:
    """Method and path of every door in the README's table; a method without a path belongs to the next."""
    found = set()
    for line in section(README, "HTTP doors").splitlines():
        if not line.startswith("| `"):
            continue
        methods: list[str] = []
        for quoted in re.findall(r"`([^`]+)`", line.split("|")[1]):
            words = quoted.split()
            methods += [word for word in words if word.isupper()]
            path = words[-1].partition("?")[0]
            if path.startswith("/"):
                found.update((method, path) for method in methods or ["GET"])
    return found


def test_every_door_is_in_the_table() -> None:
    described = described_doors()
    paths = {path for _, path in described}
    for method, path in sorted(machine_doors()):
        if method in ("HEAD", "OPTIONS"):
            assert path in paths or path == "/epcis", path
        else:
            assert (method, path) in described, f"{method} {path}"


def test_every_item_door_is_in_the_table() -> None:
    from suyuan.gs1.linkset import SUPPORTED_KEYS

    paths = {path for _, path in described_doors()}
    firsts = {path.split("/")[1] for path in paths}
    for door in sorted(item_doors()):
        first = door.split("/")[1]
        assert first in firsts or first in SUPPORTED_KEYS, door


def test_every_door_in_the_table_exists() -> None:
    known = machine_doors()
    firsts = {door.split("/")[1] for door in item_doors()}
    for method, path in sorted(described_doors()):
        item = path.split("/")[1] in firsts or path.startswith(
            ("/static", "/schema", "/.well-known/gs1resolver")
        )
        assert item or (method, path) in known, f"{method} {path}"


# -- rooms ------------------------------------------------------------------------------------------------


def rooms() -> set[str]:
    """The rooms of the house: packages and modules directly below the root, but for the package's own files."""
    return {
        path.stem
        for path in SOURCE.iterdir()
        if (path.suffix == ".py" and not path.stem.startswith("__")) or (path / "__init__.py").is_file()
    }


def placed_rooms() -> set[str]:
    """The rooms that the contract of layers places."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = next(c for c in settings["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    assert layers["exhaustive"] is True
    return {room.strip() for layer in layers["layers"] for room in re.split(r"[|:]", layer)}


def test_every_room_has_its_duty_in_the_architecture() -> None:
    described = set(re.findall(r"^\|[^|]*\| `(\w+)` \|", section(ARCHITECTURE, "The house"), re.MULTILINE))
    assert rooms() == described


def test_every_room_is_placed_in_a_layer() -> None:
    assert rooms() <= placed_rooms()


# -- errors -----------------------------------------------------------------------------------------------


def _subclasses(kind: type) -> Iterator[type]:
    for inner in kind.__subclasses__():
        yield inner
        yield from _subclasses(inner)


def _strings(call: ast.Call) -> Iterator[str]:
    """The code in a call, if it has one: its first argument, or the one named ``code``."""
    given = [call.args[0]] if call.args else []
    given += [keyword.value for keyword in call.keywords if keyword.arg == "code"]
    for node in given:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            yield f"{node.values[0].value}*"


def _is_code(text: str) -> bool:
    return CODE.fullmatch(text.rstrip("*").rstrip(".") + (".x" if text.endswith("*") else "")) is not None


def _source() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path, ast.parse(path.read_text("utf-8"))


def raised_codes() -> set[str]:
    """Codes that are given to an error, a finding or a warning; those that are put together end in ``*``."""
    kinds = {"Finding", "Warning_", "BundleWarning", "Ambiguity", "SuyuanError", "NotAcceptable"}
    kinds |= {kind.__name__ for kind in _subclasses(errors.SuyuanError)}
    found = set()
    for _, tree in _source():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                found.update(code for code in _strings(node) if _is_code(code))
    return found


def written_codes() -> set[str]:
    """Every text of the source that has the form of a code."""
    texts = set()
    for _, tree in _source():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                texts.add(node.value)
    return texts


def families() -> set[str]:
    return set(re.findall(r"^### (\w+)$", ERRORS, re.MULTILINE))


def test_every_family_of_codes_is_described() -> None:
    codes = raised_codes()
    assert len(codes) > 200
    assert {code.split(".")[0] for code in codes} <= families()


def test_no_family_is_described_that_is_gone() -> None:
    assert families() <= {code.split(".")[0] for code in written_codes() | raised_codes()}


def test_every_code_that_is_described_exists() -> None:
    known = written_codes()
    built = [code.rstrip("*") for code in raised_codes() if code.endswith("*")]
    for family in sorted(families()):
        text = re.search(rf"^### {family}$(.*?)(?=^### |\Z)", ERRORS, re.DOTALL | re.MULTILINE)
        assert text
        for code in re.findall(r"`([a-z0-9_.]+)`", text[1]):
            if CODE.fullmatch(code) and code.split(".")[0] == family:
                assert code in known or any(code.startswith(stem) for stem in built), code


def test_the_four_parts_and_every_kind_are_explained() -> None:
    for part in ("code", "path", "reason", "remedy"):
        assert f"- **{part}**" in ERRORS
    table = section(ERRORS, "Kinds")
    for kind in (errors.SuyuanError, *_subclasses(errors.SuyuanError)):
        if "http_status" in vars(kind):
            assert f"| `{kind.__name__}` | {kind.http_status} | {kind.exit_code} |" in table, kind.__name__


# -- decision records, words, links -----------------------------------------------------------------------


def test_decision_records_are_numbered_complete_and_listed() -> None:
    index = (RECORDS / "README.md").read_text("utf-8")
    records = sorted(path for path in RECORDS.glob("*.md") if path.name != "README.md")
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        text = path.read_text("utf-8")
        title = re.match(rf"# {int(path.name[:4])}\. (.+)\n", text)
        assert title, path.name
        assert f"[{title[1]}]({path.name})" in index
        assert re.search(r"^Status: \w+", text, re.MULTILINE), path.name
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], path.name


def test_every_word_of_the_glossary_is_used_by_the_code() -> None:
    suffixes = {".py", ".sql", ".toml", ".csv"}
    source = "\n".join(path.read_text("utf-8") for path in SOURCE.rglob("*") if path.suffix in suffixes)
    rows = [line.split("|") for line in GLOSSARY.splitlines() if line.startswith("|")]
    named = {word for row in rows for word in re.findall(r"`([^`]+)`", row[3])}
    assert len(named) > 50
    assert not {word for word in named if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", source)}


def test_every_row_of_the_glossary_has_both_languages() -> None:
    for line in GLOSSARY.splitlines():
        if line.startswith("|") and not line.startswith(("|--", "| English")):
            english, chinese = (cell.strip() for cell in line.split("|")[1:3])
            assert english.isascii()
            assert re.search(r"[\u4e00-\u9fff]", chinese), line


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_inside_the_project_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text("utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (path.parent / target).exists(), target


def test_the_version_is_in_the_changelog() -> None:
    assert f"## {suyuan.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_measured_rows_have_their_place() -> None:
    assert README.count("<!-- measured -->") == README.count("<!-- /measured -->") == 1
    assert README.index("<!-- measured -->") < README.index("<!-- /measured -->")


# What says nothing about the product has no place in it. The second list is for documents: code has its own uses
# for some of these words.
_NOWHERE = (
    r"\b(?:issue|ticket|PR) ?#?\d+\b",
    r"/(?:home|Users)/\w+/",
)
_IN_DOCUMENTS = (
    r"(?<![\w&])#\d+\b",
    r"\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:com|org)|crates\.io|proxy\.golang\.org)\b",
    r"\b(?:TODO|FIXME|TBD)\b",
)


def test_the_project_speaks_of_itself_alone() -> None:
    everywhere = re.compile("|".join(_NOWHERE), re.IGNORECASE)
    documents = re.compile("|".join((*_NOWHERE, *_IN_DOCUMENTS)), re.IGNORECASE)
    found = []
    for path in project_files():
        if path in (Path(__file__).resolve(), ROOT / "uv.lock"):
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        words = documents if path.suffix == ".md" else everywhere
        found += [f"{path.relative_to(ROOT)}: {hit[0]}" for hit in words.finditer(text)]
    assert not found
