"""``suyuan erase``: a person's request to be forgotten, for one person or one document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from suyuan.cli.context import AsJson, DataDir, run, say, show
from suyuan.errors import ConflictError, InputError, NotFoundError

if TYPE_CHECKING:
    from suyuan.app import Services

PERSON = "id_number"


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure did; ``found`` is false where only the request was journalled."""

    kind: str
    subject: str
    found: bool


def erase(
    kind: Annotated[str, typer.Argument(help="id_number, order, payment, waybill, parcel-list or tax-bill.")],
    number: Annotated[str, typer.Argument(help="The number; - reads it from standard input.")],
    party: Annotated[str, typer.Option("--party", help="Who erases: the operator.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept in the journal for good.")],
    issuer: Annotated[
        str | None, typer.Option("--issuer", help="Who numbered the document.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Erase what is sealed for a person or for a person's document, for ever and in every copy of the database.

    The request is journalled first, also where nothing is found: a backup may hold the subject. Events and proofs
    stay; they never held the data. A person's documents are subjects of their own: erase each of them.

    \b
      suyuan erase order 20251008201432000017 --issuer 440196X001 --party op --reason "request of 2026-03-01"
      suyuan erase id_number - --party op --reason "request of 2026-03-01" < number.txt
    """
    said = typer.get_text_stream("stdin").readline().strip() if number == "-" else number
    done = run(data_dir, lambda services: _erase(services, kind, said, issuer, party, reason))
    show(
        done,
        as_json,
        lambda: (
            say("Erased.", "已删除，不可恢复。")
            if done.found
            else say("Nothing of it is here; the request is journalled.", "此处没有相关数据；请求已记录。")
        ),
    )


async def _erase(
    services: Services, kind: str, number: str, issuer: str | None, party: str, reason: str
) -> Erased:
    from suyuan.parties import get_party
    from suyuan.vault.erasing import erase_subject

    await get_party(services.pool, party)
    subject_id = await subject_of(services, kind, number, issuer)
    found = await erase_subject(services.pool, subject_id, party_id=party, reason=reason)
    return Erased(kind=kind, subject=subject_id.hex(), found=found)


async def subject_of(services: Services, kind: str, number: str, issuer: str | None) -> bytes:
    """The sealed subject that a person's or a document's number names.

    Raises ``InputError`` (``vault.kind``), ``ConflictError`` (``vault.number.ambiguous``) and ``NotFoundError``
    (``vault.number.unknown``).
    """
    from suyuan.capture.links import PERSON_KINDS

    if kind == PERSON:
        return services.vault.subject_id((PERSON, number.upper()))
    if kind not in PERSON_KINDS:
        raise InputError(
            "vault.kind",
            "Nobody is named by a document of this kind.",
            path="KIND",
            remedy=f"One of: {PERSON}, {', '.join(sorted(PERSON_KINDS))}.",
        )
    known = await services.vault.find_numbers(services.pool, kind, number, issuer)
    if len({one.subject_id for one in known}) > 1:
        raise ConflictError(
            "vault.number.ambiguous",
            "Several issuers have a document of this number.",
            path="--issuer",
            remedy="Say whose it is.",
        )
    if known:
        return known[0].subject_id
    if issuer is None:
        raise NotFoundError(
            "vault.number.unknown",
            "Nothing is known under this number.",
            path="NUMBER",
            remedy="With --issuer the request is journalled all the same, for backups that may hold it.",
        )
    return services.vault.subject_id((kind, issuer, number))
