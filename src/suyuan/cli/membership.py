"""``suyuan party``, ``token``, ``product`` and ``place``: members, their tokens, master data."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suyuan.cli.context import AsJson, CommandLine, DataDir, run, show
from suyuan.errors import InputError

if TYPE_CHECKING:
    from suyuan.app import Services
    from suyuan.parties import Party

party = CommandLine(no_args_is_help=True, help="Members: add, list, grant and end roles.")
token = CommandLine(no_args_is_help=True, help="Tokens of members: create, list, revoke.")
product = CommandLine(no_args_is_help=True, help="Master data of products.")
place = CommandLine(no_args_is_help=True, help="Master data of places.")

PartyId = Annotated[str, typer.Argument(help="ID of the party: lower-case letters, digits, hyphens.")]
PartyOption = Annotated[str, typer.Option("--party", help="ID of the party that acts.")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file.")]


@party.command("add")
def add(
    party_id: PartyId,
    name_en: Annotated[str, typer.Option(help="Name in English.")],
    name_zh: Annotated[str, typer.Option(help="Name in Chinese.")],
    role: Annotated[list[str] | None, typer.Option(help="Role to grant; may be repeated.")] = None,
    gln: Annotated[str, typer.Option(help="GLN, 13 digits.")] = "",
    uscc: Annotated[str, typer.Option(help="Unified social credit code, 18 characters.")] = "",
    customs_code: Annotated[str, typer.Option(help="Customs registration number, 10 characters.")] = "",
    country: Annotated[str, typer.Option(help="ISO 3166-1 alpha-2, e.g. CN.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Add a member and grant it roles.

    Example: suyuan party add haimen --name-en "Haimen Bonded" --name-zh 海门保税 --role bonded-warehouse
    """
    from suyuan.parties import Party

    record = Party(
        party_id=party_id,
        name_en=name_en,
        name_zh=name_zh,
        gln=gln or None,
        uscc=uscc or None,
        customs_code=customs_code or None,
        country=country or None,
    )
    added = run(data_dir, lambda services: _add_all(services, [(record, list(role or ()))]))
    show(added[0], as_json, lambda: f"{party_id} added" + (f" as {', '.join(role)}" if role else ""))


async def _add_all(services: Services, parties: list[tuple[Party, list[str]]]) -> list[Party]:
    from suyuan.db.pool import Connection, transaction
    from suyuan.parties import add_party, grant_role

    async def work(conn: Connection) -> list[Party]:
        added = []
        for record, roles in parties:
            added.append(await add_party(conn, record))
            for role in roles:
                await grant_role(conn, record.party_id, role)
        return added

    return await transaction(services.pool, work)


@party.command("import")
def import_parties(file: File, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Add members from a CSV table: id, name_en, name_zh, roles (separated by blanks), country, gln, uscc,
    customs_code. All or none; members that are there already with the same names are left as they are.
    """
    rows = read_parties_csv(file.read_bytes(), str(file))

    async def work(services: Services) -> list[Party]:
        from suyuan.parties import find_parties

        known = await find_parties(services.pool, [record.party_id for record, _ in rows])
        return await _add_all(services, [row for row in rows if row[0].party_id not in known])

    added = run(data_dir, work)
    show(added, as_json, lambda: f"{len(added)} of {len(rows)} parties added")


def read_parties_csv(data: bytes, path: str) -> list[tuple[Party, list[str]]]:
    """Parties with their roles. Raises ``InputError`` (``party.csv.*``)."""
    from suyuan.parties import Party

    try:
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error):
        raise InputError("party.csv.unreadable", "The file is no CSV in UTF-8.", path=path) from None
    found = []
    for line, row in enumerate(rows, start=2):
        if not row.get("id") or not row.get("name_en") or not row.get("name_zh"):
            raise InputError(
                "party.csv.row",
                "A row needs id, name_en and name_zh.",
                path=f"{path}:{line}",
                remedy="The columns are: id, name_en, name_zh, roles, country, gln, uscc, customs_code.",
            )
        record = Party(
            party_id=row["id"],
            name_en=row["name_en"],
            name_zh=row["name_zh"],
            country=row.get("country") or None,
            gln=row.get("gln") or None,
            uscc=row.get("uscc") or None,
            customs_code=row.get("customs_code") or None,
        )
        found.append((record, (row.get("roles") or "").split()))
    return found


@party.command("list")
def list_all(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the members."""
    from suyuan.parties import list_parties

    found = run(data_dir, lambda services: list_parties(services.pool, limit=10_000))
    show(found, as_json, lambda: "\n".join(f"{p.party_id:<24} {p.name_en}  {p.name_zh}" for p in found))


@party.command("grant")
def grant(
    party_id: PartyId,
    role: Annotated[str, typer.Argument(help="The role, e.g. inspector.")],
    gtin: Annotated[str, typer.Option(help="For this GTIN alone.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Grant a role, for everything or for one GTIN."""
    from suyuan.parties import grant_role

    done = run(data_dir, lambda services: grant_role(services.pool, party_id, role, gtin))
    show(done, as_json, lambda: f"{party_id} is {role}" + (f" for {gtin}" if gtin else ""))


@party.command("revoke")
def revoke(
    party_id: PartyId,
    role: Annotated[str, typer.Argument(help="The role.")],
    gtin: Annotated[str, typer.Option(help="The grant for this GTIN alone.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """End a role. What the party said while it held it keeps its worth."""
    from suyuan.parties import revoke_role

    done = run(data_dir, lambda services: revoke_role(services.pool, party_id, role, gtin))
    show(done, as_json, lambda: f"{party_id} is no longer {role}")


@token.command("create")
def create(
    party_id: Annotated[str, typer.Option("--party", help="Whose token.")],
    scope: Annotated[list[str], typer.Option(help="What it opens, e.g. capture; may be repeated.")],
    label: Annotated[str, typer.Option(help="For people.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Create a token and print it. It is shown this once and stored as a digest.

    Example: suyuan token create --party haimen --scope capture --scope codes.activate
    """
    from suyuan.parties import create_token

    made, secret = run(data_dir, lambda services: create_token(services.pool, party_id, scope, label=label))
    show({"token_id": made.token_id, "party_id": party_id, "secret": secret}, as_json, lambda: secret)


@token.command("list")
def list_of(
    party_id: Annotated[str, typer.Option("--party", help="Whose tokens.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List a party's tokens, without their secrets."""
    from suyuan.parties import list_tokens

    found = run(data_dir, lambda services: list_tokens(services.pool, party_id))
    show(
        found,
        as_json,
        lambda: "\n".join(
            f"{t.token_id}  {' '.join(t.scopes)}  {'revoked' if t.revoked_at else 'good'}  {t.label}"
            for t in found
        ),
    )


@token.command("revoke")
def revoke_one(
    token_id: Annotated[str, typer.Argument(help="ID of the token (tk-...), not its secret.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a token; running servers forget it within seconds."""
    from suyuan.parties import revoke_token

    done = run(data_dir, lambda services: revoke_token(services.pool, token_id))
    show(done, as_json, lambda: f"{token_id} revoked")


@product.command("put")
def put_product_file(
    file: File, party_id: PartyOption, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Put products from a CSV table; a row that changes nothing adds no version."""
    from suyuan.catalog import put_products, read_products_csv

    records = read_products_csv(file.read_bytes())
    count = run(data_dir, lambda services: put_products(services.pool, records, recorded_by=party_id))
    show({"new_versions": count}, as_json, lambda: f"{count} of {len(records)} products are new or changed")


@place.command("put")
def put_place_file(
    file: File, party_id: PartyOption, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Put places from a CSV table; a row that changes nothing adds no version."""
    from suyuan.catalog import put_places, read_places_csv

    records = read_places_csv(file.read_bytes())
    count = run(data_dir, lambda services: put_places(services.pool, records, recorded_by=party_id))
    show({"new_versions": count}, as_json, lambda: f"{count} of {len(records)} places are new or changed")
