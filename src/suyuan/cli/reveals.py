"""``suyuan reveals``: who looked at sealed personal data, when and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from suyuan.cli.context import AsJson, DataDir, run, say, show
from suyuan.cli.erasing import subject_of
from suyuan.errors import InputError

if TYPE_CHECKING:
    from suyuan.app import Services
    from suyuan.vault import Reveal


def reveals(
    kind: Annotated[
        str,
        typer.Argument(
            help="Of one person or document: id_number, order, payment, waybill, ...", show_default=False
        ),
    ] = "",
    number: Annotated[
        str, typer.Argument(help="Its number; - reads it from standard input.", show_default=False)
    ] = "",
    issuer: Annotated[
        str | None, typer.Option("--issuer", help="Who numbered the document.", show_default=False)
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, help="So many, the newest first.")
    ] = 100,
    before: Annotated[
        int | None,
        typer.Option("--before", help="Only those before this number of the journal.", show_default=False),
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """The journal of reveals: who was shown sealed personal data, by which user or token, when and for what reason.

    Everybody whose data is kept may ask for it (PIPL, article 45). It names the sealed subject by a digest, never by
    what is sealed.

    \b
      suyuan reveals
      suyuan reveals waybill SF1234567890123 --issuer 440196X901 --json
      suyuan reveals id_number - < number.txt
    """
    if bool(kind) != bool(number):
        raise InputError(
            "vault.kind",
            "A subject is a kind and a number.",
            path="NUMBER",
            remedy="Give both, or neither for the whole journal.",
        )
    said = typer.get_text_stream("stdin").readline().strip() if number == "-" else number
    rows = run(data_dir, lambda services: _read(services, kind, said, issuer, before, limit))
    show([_as_json(row) for row in rows], as_json, lambda: _text(rows))


async def _read(
    services: Services, kind: str, number: str, issuer: str | None, before: int | None, limit: int
) -> list[Reveal]:
    from suyuan.vault import list_reveals

    subject_id = await subject_of(services, kind, number, issuer) if kind else None
    return await list_reveals(services.pool, subject_id=subject_id, before=before, limit=limit)


def _as_json(row: Reveal) -> dict[str, Any]:
    return {
        "reveal_id": row.reveal_id,
        "subject": row.subject_id.hex(),
        "party": row.party_id,
        "actor": row.actor,
        "reason": row.reason,
        "revealed_at": row.revealed_at.isoformat(timespec="seconds"),
    }


def _text(rows: list[Reveal]) -> str:
    if not rows:
        return say("Nothing was revealed.", "没有查看记录。")
    lines = [
        f"{row.reveal_id:>6}  {row.revealed_at:%Y-%m-%d %H:%M:%S}Z  {row.party_id}"
        f"{'/' + row.actor if row.actor else ''}  {row.subject_id.hex()[:12]}  {row.reason}"
        for row in rows
    ]
    head = say(
        "number  when (UTC)  party/user or token  subject  reason",
        "序号  时间（UTC）  企业/用户或令牌  主体  理由",
    )
    return "\n".join([head, *lines])
