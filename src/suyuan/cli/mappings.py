"""``suyuan mapping``: how a party's own scans are read, stored once and then found by the shape of its files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suyuan.cli.context import AsJson, CommandLine, DataDir, run, say, show
from suyuan.errors import NotFoundError

if TYPE_CHECKING:
    from suyuan.app import Services
    from suyuan.parties.mappings import MappingVersion
    from suyuan.sheets.recognised import StoredMapping

mapping = CommandLine(
    no_args_is_help=True, help="Mappings of a party's own scans: put, list, show, withdraw."
)

Party = Annotated[str, typer.Option("--party", metavar="ID", help="Whose scans are read by it.")]
Name = Annotated[str, typer.Argument(help="Name of the mapping.")]


def as_shown(one: MappingVersion) -> dict[str, object]:
    """A version as machines read it, without its text."""
    return {
        "name": one.name,
        "version": one.version,
        "added_at": one.added_at,
        "withdrawn": one.withdrawn,
    }


def _line(one: MappingVersion) -> str:
    state = say("  withdrawn", "  已撤回") if one.withdrawn else ""
    return f"{one.name}  {say('version', '版本')} {one.version}  {one.added_at:%Y-%m-%d %H:%M} UTC{state}"


@mapping.command("put")
def put(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The mapping, TOML.")],
    party: Party,
    name: Annotated[str, typer.Option(help="Its name; that of the file where left out.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Store a mapping: from now on scan files of that party and shape are read by it without naming it.

    Under a name that is there already it becomes a new version; the same text again changes nothing.

    \b
      suyuan mapping put courier.toml --party sanhe
    """
    from suyuan.parties.mappings import put_mapping

    data = file.read_bytes()
    stored = run(data_dir, lambda services: put_mapping(services.pool, party, name or file.stem, data))
    show(as_shown(stored), as_json, lambda: _line(stored))


@mapping.command("list")
def list_of(
    party: Party,
    versions: Annotated[bool, typer.Option("--versions", help="All versions, not the newest alone.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List a party's mappings, those taken back too."""
    from suyuan.parties.mappings import list_mappings, newest_mappings

    find = list_mappings if versions else newest_mappings
    found = run(data_dir, lambda services: find(services.pool, party))
    show([as_shown(one) for one in found], as_json, lambda: "\n".join(map(_line, found)))


@mapping.command("show")
def show_text(
    name: Name,
    party: Party,
    version: Annotated[int, typer.Option(min=0, help="A version; the newest where left out.")] = 0,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show a mapping as it was stored."""
    from suyuan.parties.mappings import get_mapping

    found = run(data_dir, lambda services: get_mapping(services.pool, party, name, version or None))
    show({**as_shown(found), "text": found.text}, as_json, lambda: found.text.rstrip("\n"))


@mapping.command("withdraw")
def withdraw(name: Name, party: Party, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Read nothing by a mapping any more. Its versions stay, as the evidence that was read by them does."""
    from suyuan.parties.mappings import withdraw_mapping

    done = run(data_dir, lambda services: withdraw_mapping(services.pool, party, name))
    show(as_shown(done), as_json, lambda: _line(done))


# -- naming one, for the commands that read scans ------------------------------------------------------------------


def mapping_given(text: str) -> tuple[bytes | None, str]:
    """What ``--mapping`` means: the bytes of a file, or else the name of a stored one.

    Raises ``NotFoundError`` (``cli.mapping``) for what is neither.
    """
    if not text:
        return None, ""
    path = Path(text)
    if path.is_file():
        return path.read_bytes(), ""
    from suyuan.errors import InputError
    from suyuan.parties.mappings import check_name

    try:
        return None, check_name(text)
    except InputError:
        raise NotFoundError(
            "cli.mapping",
            "There is no such file, and a stored mapping has no such name.",
            path="--mapping",
            remedy="Give a TOML file, or a name that suyuan mapping list shows.",
        ) from None


async def stored_of(services: Services, party: str) -> list[StoredMapping]:
    """The mappings of a party that stand. Raises ``NotFoundError`` (``party.unknown``)."""
    from suyuan.parties import get_party
    from suyuan.parties.mappings import stored_mappings

    await get_party(services.pool, party)
    return await stored_mappings(services.pool, party)
