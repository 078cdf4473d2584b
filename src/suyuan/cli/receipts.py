"""``suyuan customs status``: what customs said of a document, receipt by receipt, in plain words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from suyuan.cli.context import AsJson, CommandLine, DataDir, console, run, say, show
from suyuan.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from suyuan.app import Services
    from suyuan.customs.timeline import Moment, Timeline

customs = CommandLine(no_args_is_help=True, help="Customs documents: where they stand.")

_BEIJING = timezone(timedelta(hours=8))
_FORMS = {
    "bonded_list": "bonded-list",
    "gate_pass": "gate-pass",
    "parcel_list_no": "parcel-list",
    "declaration": "declaration",
    "declaration_unified": "declaration-unified",
}
_PERSONAL = ("parcel-list", "order", "payment", "waybill", "tax-bill", "parcel-list-draft")
_GOODS = (
    "bonded-list",
    "bonded-list-preentry",
    "gate-pass",
    "gate-pass-preentry",
    "declaration",
    "declaration-unified",
    "inbound-detail",
)


def kind_of(number: str) -> str:
    """What kind of document has such a number. Raises ``InputError`` (``cli.customs.kind``) where none is known."""
    from suyuan.customs.tables import number_forms

    for form, kind in _FORMS.items():
        if number_forms()[form].pattern.fullmatch(number):
            return kind
    raise InputError(
        "cli.customs.kind",
        "The number does not say what kind of document it is.",
        path="NUMBER",
        remedy="Give --kind: " + ", ".join((*_PERSONAL, *_GOODS)) + ".",
    )


async def _uris(services: Services, kind: str, number: str, issuer: str | None) -> list[str]:
    """The URIs of the document. A number of a person's document is looked up, and the look-up journalled."""
    from suyuan.customs.drafting import part_of_urn
    from suyuan.parties import find_holders
    from suyuan.trace.lookup import Asker, find_person_documents

    if kind not in _PERSONAL:
        return [f"urn:suyuan:{kind}:{part_of_urn(number)}"]
    holders = await find_holders(services.pool, "operator", datetime.now(UTC))
    asker = Asker(party_id=holders[0].party_id if holders else "operator", whole=True)
    found = await find_person_documents(
        services.pool,
        services.vault,
        kind,
        number,
        issuer,
        asker=asker,
        reason="suyuan customs status on the command line",
    )
    return [document.uri for document in found.documents]


async def _read(services: Services, kind: str, number: str, issuer: str | None) -> Timeline:
    from suyuan.customs.timeline import Told, timeline
    from suyuan.trace import OPERATOR

    told: list[Told] = []
    for uri in await _uris(services, kind, number, issuer):
        trace = await services.reader.read(uri, OPERATOR)
        told += [
            Told(
                time=fact.event_time,
                message=fact.message,
                attributes=fact.attributes,
                assurance=fact.assurance,
                party=fact.party.party_id,
                withdrawn=fact.withdrawn,
            )
            for fact in (trace.facts if trace is not None else ())
            if fact.tie.kind == "direct"
        ]
    if not told:
        raise NotFoundError(
            "cli.customs.unknown",
            f"No paper here names a {kind} with this number.",
            path="NUMBER",
            remedy="Check the number; a receipt counts here after it was captured.",
        )
    return timeline(told)


def _line(moment: Moment) -> str:
    time = f"{moment.time.astimezone(_BEIJING):%Y-%m-%d %H:%M:%S}"
    state = say(moment.state_en, moment.state_zh)
    name = say(moment.document_en, moment.document_zh)
    code = f" {moment.code}" if moment.code else ""
    back = say("  (withdrawn)", "（已撤回）") if moment.withdrawn else ""
    what = f"{name}{code} {state}" if moment.code else state
    return f"  {time}  {what}  [{moment.party}, {moment.assurance}]{back}"


def _print(found: Timeline) -> None:
    screen = console()
    for moment in found.moments:
        screen.print(_line(moment), markup=False)
    for moment in found.standing.values():
        name, state = say(moment.document_en, moment.document_zh), say(moment.state_en, moment.state_zh)
        meaning = say(moment.meaning_en, moment.meaning_zh)
        advice = say(moment.advice_en, moment.advice_zh)
        words = say(f"The {name} is: {state}", f"{name}当前状态：{state}")
        text = "  ".join(
            part
            for part in (words + (say(f" ({meaning}).", f"（{meaning}）。") if meaning else ""), advice)
            if part
        )
        style = {"held": "yellow", "ended": "red", "done": "green"}.get(moment.stage, "")
        screen.print(text, markup=False, style=style)


@customs.command("status")
def status(
    number: Annotated[
        str, typer.Argument(help="Number of a list, bonded list, gate pass, declaration; others with --kind.")
    ],
    kind: Annotated[
        str,
        typer.Option(
            metavar="KIND", help="Its kind, where the number does not tell: order, payment, waybill..."
        ),
    ] = "",
    issuer: Annotated[
        str, typer.Option(metavar="CODE", help="The firm that gave the number, if known.")
    ] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what customs said of a document: every receipt with time and meaning, where it stands, what to do now.

    Beijing time. Beside each stands who delivered it and how far it was verified. Looking up the number of a person's
    document is journalled.

    \b
      suyuan customs status 51652025I000000001
      suyuan customs status QD516525E000000001
      suyuan customs status YT7700000000042 --kind waybill
    """
    known = (*_PERSONAL, *_GOODS)
    meant = kind or kind_of(number)
    if meant not in known:
        raise InputError(
            "cli.customs.kind",
            f"There is no kind of document {kind[:40]!r}.",
            path="--kind",
            remedy="The kinds are: " + ", ".join(known) + ".",
        )
    found = run(data_dir, lambda services: _read(services, meant, number, issuer or None))
    if as_json:
        show(msgspec.structs.asdict(found) | {"kind": meant}, True, str)
    else:
        _print(found)
