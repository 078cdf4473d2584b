"""``suyuan party``, ``token``, ``product`` and ``place``: members, their tokens, master data."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer

from suyuan.cli.context import AsJson, CommandLine, DataDir, note, run, say, show
from suyuan.errors import InputError

if TYPE_CHECKING:
    from suyuan.app import Services
    from suyuan.parties import Party

Record = TypeVar("Record")

party = CommandLine(no_args_is_help=True, help="Members: add, list, grant and end roles.")
token = CommandLine(no_args_is_help=True, help="Tokens of members: create, list, revoke.")
product = CommandLine(no_args_is_help=True, help="Master data of products.")
place = CommandLine(no_args_is_help=True, help="Master data of places.")

PartyId = Annotated[str, typer.Argument(help="ID of the party: lower-case letters, digits, hyphens.")]
Recorder = Annotated[
    str, typer.Option("--party", metavar="ID", help="Who records it; the operator where left out.")
]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file.")]


@party.command("add")
def add(
    party_id: PartyId,
    name_en: Annotated[str, typer.Option(help="Name in English.")],
    name_zh: Annotated[str, typer.Option(help="Name in Chinese.")],
    role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE[=GTIN]", help="Role to grant, for everything or one GTIN; may be repeated."
        ),
    ] = None,
    gln: Annotated[str, typer.Option(help="GLN, 13 digits.")] = "",
    uscc: Annotated[str, typer.Option(help="Unified social credit code, 18 characters.")] = "",
    customs_code: Annotated[str, typer.Option(help="Customs registration number, 10 characters.")] = "",
    country: Annotated[str, typer.Option(help="ISO 3166-1 alpha-2, e.g. CN.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Add a member and grant it roles.

    \b
      suyuan party add haimen --name-en "Haimen Bonded" --name-zh 海门保税 --role bonded-warehouse
      suyuan party add wei --name-en "Groene Wei" --name-zh 绿野 --role brand-owner=08710000001236
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
    added = run(data_dir, lambda services: _add_all(services, [(record, list(role or ()))]), create=True)
    show(added[0], as_json, lambda: f"{party_id} added" + (f" as {', '.join(role)}" if role else ""))


async def _add_all(services: Services, parties: list[tuple[Party, list[str]]]) -> list[Party]:
    from suyuan.db.pool import Connection, transaction
    from suyuan.parties import add_party, grant_role

    async def work(conn: Connection) -> list[Party]:
        added = []
        for record, roles in parties:
            added.append(await add_party(conn, record))
            for text in roles:
                role, _, gtin = text.partition("=")
                await grant_role(conn, record.party_id, role, gtin)
        return added

    return await transaction(services.pool, work)


@party.command("import")
def import_parties(file: File, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Add members from a CSV table: id, name_en, name_zh, roles (ROLE or ROLE=GTIN, parted by blanks), country, gln,
    uscc, customs_code. All or none; members that are there already with the same names are left as they are.
    """
    rows = read_parties_csv(file.read_bytes(), str(file))

    async def work(services: Services) -> list[Party]:
        from suyuan.parties import find_parties

        known = await find_parties(services.pool, [record.party_id for record, _ in rows])
        return await _add_all(services, [row for row in rows if row[0].party_id not in known])

    added = run(data_dir, work, create=True)
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
    """List the members with the roles that they hold now."""
    from suyuan.parties import Grant, grants_at, list_parties

    async def work(services: Services) -> list[tuple[Party, list[Grant]]]:
        found, after, now = [], "", datetime.now(UTC)
        while page := await list_parties(services.pool, after=after, limit=500):
            found += [(one, await grants_at(services.pool, one.party_id, now)) for one in page]
            after = page[-1].party_id
        return found

    found = run(data_dir, work)

    def line(one: Party, grants: list[Grant]) -> str:
        roles = " ".join(f"{grant.role}={grant.scope}" if grant.scope else grant.role for grant in grants)
        return f"{one.party_id:<24} {one.name_en}  {one.name_zh}  {roles}"

    show(
        [{**msgspec.structs.asdict(one), "grants": grants} for one, grants in found],
        as_json,
        lambda: "\n".join(line(one, grants) for one, grants in found),
    )


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
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="It expires after so many days.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Create a token and print it. It is shown this once and stored as a digest.

    Scopes: capture, epcis.read, trace, codes.issue, codes.activate, labels.enrol, catalog.write, personal.reveal,
    personal.erase, parties.admin, operator.

    \b
      suyuan token create --party haimen --scope capture --scope codes.activate --days 365
    """
    from suyuan.parties import create_token

    ends = None if days is None else datetime.now(UTC) + timedelta(days=days)
    made, secret = run(
        data_dir, lambda services: create_token(services.pool, party_id, scope, label=label, expires_at=ends)
    )
    found = {
        "token_id": made.token_id,
        "party_id": party_id,
        "scopes": made.scopes,
        "expires_at": made.expires_at,
        "secret": secret,
    }
    show(found, as_json, lambda: secret)
    note(
        f"Token {made.token_id} of {party_id}. Keep it now: it is shown once.",
        f"{party_id} 的令牌 {made.token_id}。请立即保存，只显示这一次。",
    )


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


def _records(data: bytes, kind: type[Record], read_csv: Callable[[bytes], Sequence[Record]]) -> list[Record]:
    """Records of a file: CSV, or a JSON object or list of them. Raises ``InputError`` (``catalog.*``)."""
    if data.lstrip()[:1] not in (b"[", b"{"):
        return list(read_csv(data))
    try:
        if data.lstrip()[:1] == b"{":
            return [msgspec.json.decode(data, type=kind)]
        return msgspec.json.decode(data, type=list[kind])  # type: ignore[valid-type]
    except msgspec.MsgspecError as error:
        raise InputError("catalog.json", f"The file cannot be read: {error}.", path="file") from None


async def _recorder(services: Services, party_id: str) -> str:
    from suyuan.parties import find_holders, get_party

    if party_id:
        return (await get_party(services.pool, party_id)).party_id
    holders = await find_holders(services.pool, "operator", datetime.now(UTC))
    return holders[0].party_id if holders else "operator"


def _put_text(changed: int, count: int) -> str:
    return say(f"{changed} of {count} are new or changed", f"共 {count} 条，新增或变更 {changed} 条")


@product.command("put")
def put_product_file(
    file: File, party_id: Recorder = "", data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Put products from a CSV table or JSON, all or none; a row that changes nothing adds no version.

    Columns: gtin, name_zh, name_en, brand_zh, brand_en, producer, importer, seller, owner_party, origin_country,
    net_content, hs_code and others, also by their Chinese names. owner_party may issue codes of the GTIN.

    \b
      suyuan product put products.csv
    """
    from suyuan.catalog import Product, put_products, read_products_csv

    records = _records(file.read_bytes(), Product, read_products_csv)

    async def work(services: Services) -> int:
        by = await _recorder(services, party_id)
        return await put_products(services.pool, records, recorded_by=by)

    count = run(data_dir, work, create=True)
    show({"changed": count, "received": len(records)}, as_json, lambda: _put_text(count, len(records)))


@place.command("put")
def put_place_file(
    file: File, party_id: Recorder = "", data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Put places from a CSV table or JSON, all or none; a row that changes nothing adds no version.

    Columns: uri, name_zh, name_en, city_zh, city_en, country, unlocode, customs_code, warehouse.

    \b
      suyuan place put places.csv
    """
    from suyuan.catalog import Place, put_places, read_places_csv

    records = _records(file.read_bytes(), Place, read_places_csv)

    async def work(services: Services) -> int:
        by = await _recorder(services, party_id)
        return await put_places(services.pool, records, recorded_by=by)

    count = run(data_dir, work, create=True)
    show({"changed": count, "received": len(records)}, as_json, lambda: _put_text(count, len(records)))
