"""``suyuan certificate``: whose signature counts. The operator's list, each certificate the hand of one party."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from suyuan.cli.context import AsJson, CommandLine, DataDir, note, run, say, show

if TYPE_CHECKING:
    from suyuan.app import Services
    from suyuan.parties.certificates import TrustedCertificate

certificate = CommandLine(
    no_args_is_help=True, help="Certificates whose signatures count: add, list, revoke."
)


def files_in(path: Path) -> list[Path]:
    """The certificate itself, or the .cer, .crt, .der and .pem files of a folder."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if file.suffix.lower() in (".cer", ".crt", ".der", ".pem"))


def as_shown(trusted: TrustedCertificate) -> dict[str, object]:
    """A certificate as machines read it, without its bytes."""
    held = msgspec.structs.asdict(trusted.certificate)
    held.pop("der")
    return {
        "party_id": trusted.party_id,
        **held,
        "added_at": trusted.added_at,
        "revoked_at": trusted.revoked_at,
    }


def _line(trusted: TrustedCertificate) -> str:
    held = trusted.certificate
    state = say("revoked", "已吊销") if trusted.revoked_at else say("good", "有效")
    legacy = say("  legacy", "  旧算法") if held.legacy else ""
    until = f"{held.not_after:%Y-%m-%d}"
    return f"{held.fingerprint}  {trusted.party_id}  {held.kind}  {until}  {state}{legacy}  {held.subject}"


@certificate.command("add")
def add(
    path: Annotated[
        Path, typer.Argument(exists=True, help="The certificate (DER or PEM), or a folder of them.")
    ],
    party_id: Annotated[str, typer.Option("--party", metavar="ID", help="Whose hand it is.")],
    legacy: Annotated[
        bool,
        typer.Option("--legacy", help="Let SHA-1 and RSA keys of 1,024 bits pass, as older cards have them."),
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Trust a certificate: what it signs from now on counts as said by that party.

    A customs message that is signed with a certificate of a party with the role authority is authority-verified where
    it says that customs made the statement; a member's signature under its own statement makes it partner-signed. Only
    add what you know to be that party's.

    \b
      suyuan certificate add gacc-nansha.cer --party gacc
    """
    from suyuan.customs.certificates import read_certificate
    from suyuan.parties.certificates import add_certificate

    read = [read_certificate(file.read_bytes(), legacy=legacy, path=str(file)) for file in files_in(path)]

    async def work(services: Services) -> list[TrustedCertificate]:
        from suyuan.db.pool import Connection, transaction

        async def store(conn: Connection) -> list[TrustedCertificate]:
            return [await add_certificate(conn, party_id, one) for one in read]

        return await transaction(services.pool, store)

    added = run(data_dir, work)
    show([as_shown(one) for one in added], as_json, lambda: "\n".join(map(_line, added)))
    from suyuan.customs.sm2 import is_at_hand

    if any(one.certificate.kind == "sm2" for one in added) and not is_at_hand():
        note(
            "SM2 signatures are checked with an optional package: install suyuan[sm].",
            "验证 SM2 签名需要可选组件：请安装 suyuan[sm]。",
        )


@certificate.command("list")
def list_of(
    party_id: Annotated[str, typer.Option("--party", metavar="ID", help="Whose; all where left out.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the trusted certificates, revoked ones too."""
    from suyuan.parties.certificates import list_certificates

    found = run(data_dir, lambda services: list_certificates(services.pool, party_id))
    show([as_shown(one) for one in found], as_json, lambda: "\n".join(map(_line, found)))


@certificate.command("revoke")
def revoke(
    fingerprint: Annotated[str, typer.Argument(help="Its fingerprint, as suyuan certificate list shows it.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Trust a certificate no more, from now on. What it signed before keeps its standing; it cannot be added again."""
    from suyuan.parties.certificates import revoke_certificate

    done = run(data_dir, lambda services: revoke_certificate(services.pool, fingerprint))
    show(as_shown(done), as_json, lambda: _line(done))
