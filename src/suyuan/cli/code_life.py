"""``activate``, ``void``, ``printed`` and ``code``: the life of codes until events take over."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suyuan.cli.code_words import ANSWERS, STATES
from suyuan.cli.codes import Gtin, Lot
from suyuan.cli.context import AsJson, DataDir, run, say, show
from suyuan.errors import InputError

if TYPE_CHECKING:
    from suyuan.app import Services
    from suyuan.compliance.activation import ActivationResult
    from suyuan.issuing import Activation
    from suyuan.scans import CodeStanding
    from suyuan.scans.label_standing import LabelStanding

Serials = Annotated[
    Path,
    typer.Option(
        "--serials",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        allow_dash=True,
        help="One serial or item URI a line, or CSV with a column serial; - for standard input.",
    ),
]
PartyId = Annotated[str, typer.Option("--party", metavar="ID", help="The party in whose name it is done.")]


def read_serials(path: Path) -> tuple[str, ...]:
    """Bare serials from a file: one serial or item URI a line, or CSV with a column ``serial``.

    Raises ``InputError`` (``cli.serials.line``) with the line.
    """
    data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    text = data.decode("utf-8-sig", "replace")
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    column = 0
    if lines and "serial" in (header := [cell.strip().lower() for cell in lines[0][1].split(",")]):
        column = header.index("serial")
        lines = lines[1:]
    return tuple(_serial(number, line.split(",")[column : column + 1]) for number, line in lines)


async def _check_maker(services: Services, party_id: str, gtin: str, issued_by: str = "") -> None:
    """As the doors do: what is done to codes for ever is done by who may make them, or made these.

    Raises ``NotFoundError`` (``party.unknown``) and ``PermissionDenied`` (``access.gtin.issuer``).
    """
    from suyuan.api.access import require_issuer
    from suyuan.parties import Principal

    deliverer = await services.deliverer_of(party_id)
    if party_id != issued_by:
        scopes = frozenset({"operator"})  # counts where the party is one
        caller = Principal(party_id=party_id, token_id="", scopes=scopes, grants=deliverer.grants)
        await require_issuer(services.pool, caller, gtin)


def _serial(number: int, cells: list[str]) -> str:
    from suyuan.gs1.digital_link import parse

    text = cells[0].strip() if cells else ""
    if "://" in text:
        serial = parse(text).serial
        if serial:
            return serial
    elif 0 < len(text) <= 20:
        return text
    raise InputError("cli.serials.line", "The line names no serial.", path=f"line {number}")


def activate(
    gtin: Gtin,
    lot: Lot,
    serials: Serials,
    party: PartyId,
    ledger_item: Annotated[str, typer.Option("--ledger-item", metavar="LEDGER:ITEM", help="账册项号.")] = "",
    facility: Annotated[str, typer.Option("--facility", metavar="URI", help="The warehouse.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make codes active, no more than were received undamaged; over the allowance nothing is changed.

    \b
      suyuan activate --gtin 09506000134352 --lot L1 --ledger-item T5165W000123:17 --serials good.csv --party house
    """

    from suyuan.compliance.activation import ActivationCommand, activate_codes
    from suyuan.issuing.codes import check_batch

    check_batch(gtin, lot, 1)
    command = ActivationCommand(
        gtin=gtin, lot=lot, serials=read_serials(serials), ledger_item=ledger_item, facility=facility
    )

    async def work(services: Services) -> ActivationResult:
        deliverer = await services.deliverer_of(party)
        return await activate_codes(services.pool, services.capture, command, deliverer)

    done = run(data_dir, work)
    show(
        done,
        as_json,
        lambda: say(
            f"{done.activated:,} activated, {done.repeated:,} active before, {done.remaining:,} more are allowed.",
            f"激活 {done.activated:,} 个，此前已激活 {done.repeated:,} 个，剩余额度 {done.remaining:,} 个。",
        ),
    )


Facility = Annotated[str, typer.Option("--facility", metavar="URI", help="Where it is done.")]
BatchId = Annotated[int, typer.Option("--batch", metavar="N", help="Number of the batch.")]


def void(
    party: PartyId,
    reason: Annotated[str, typer.Option("--reason", help="Why, e.g. misprinted.")],
    gtin: Annotated[str, typer.Option("--gtin", help="GTIN, 14 digits.")] = "",
    lot: Annotated[str, typer.Option("--lot", help="Lot number.")] = "",
    serials: Annotated[
        Path | None,
        typer.Option(
            "--serials",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            allow_dash=True,
            help="One serial or item URI a line, or CSV with a column serial; - for standard input.",
        ),
    ] = None,
    batch: BatchId = 0,
    unprinted: Annotated[
        bool, typer.Option("--unprinted", help="With --batch: all its codes that were never printed or used.")
    ] = False,
    facility: Facility = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Take codes out of use for ever, before they are active: those of a list, or what was never printed of a batch.

    \b
      suyuan void --gtin 09506000134352 --lot L1 --serials spoilt.csv --party zwolle --reason misprinted
      suyuan void --batch 12 --unprinted --party zwolle --reason "the lot is packed"
    """
    by_batch = bool(batch) or unprinted
    if (
        by_batch == (serials is not None)
        or (by_batch and not (batch and unprinted))
        or (serials and not (gtin and lot))
    ):
        raise InputError(
            "cli.void.what",
            "It is not clear which codes are meant.",
            path="--serials",
            remedy="Name --gtin, --lot and --serials FILE, or --batch N with --unprinted.",
        )

    async def work(services: Services) -> Activation:
        from suyuan import issuing

        if serials is None:
            found = await issuing.get_batch(services.pool, batch)
            await _check_maker(services, party, found.gtin, found.issued_by)
            return await issuing.void_unprinted(
                services.pool, found, party_id=party, reason=reason, facility=facility
            )
        await _check_maker(services, party, gtin)
        return await issuing.void(
            services.pool,
            gtin=gtin,
            lot=lot,
            serials=read_serials(serials),
            party_id=party,
            reason=reason,
            facility=facility,
        )

    done = run(data_dir, work)
    show(
        done,
        as_json,
        lambda: say(
            f"{done.count:,} voided, {done.repeated:,} voided before.",
            f"作废 {done.count:,} 个，此前已作废 {done.repeated:,} 个。",
        ),
    )


def printed(
    batch: BatchId,
    first: Annotated[int, typer.Option("--from", metavar="N", help="First label; 1 is the batch's first.")],
    last: Annotated[int, typer.Option("--to", metavar="N", help="Last label.")],
    party: PartyId,
    facility: Facility = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Note which labels of a batch were printed, by their numbers in the order of its file.

    \b
      suyuan printed --batch 12 --from 1 --to 500 --party zwolle
    """

    async def work(services: Services) -> Activation:
        from suyuan import issuing

        found = await issuing.get_batch(services.pool, batch)
        await _check_maker(services, party, found.gtin, found.issued_by)
        return await issuing.mark_range_printed(
            services.pool, found, first, last, party_id=party, facility=facility
        )

    done = run(data_dir, work)
    show(
        done,
        as_json,
        lambda: say(
            f"{done.count:,} noted as printed, {done.repeated:,} noted before.",
            f"已登记印制 {done.count:,} 个，此前已登记 {done.repeated:,} 个。",
        ),
    )


def code(
    uri: Annotated[
        str, typer.Argument(metavar="URI", help="The item: a Digital Link, or (01)...(21)... in brackets.")
    ],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """What was done to one code: issued, printed, activated, voided, and what events made of it since.

    \b
      suyuan code https://id.gs1.org/01/08710000001236/21/0GFARRM4YGY219VMB3YX
    """

    async def work(services: Services) -> CodeStanding:
        from suyuan.cli.tracing import thing_of, unknown_thing
        from suyuan.scans import read_standing
        from suyuan.trace import OPERATOR
        from suyuan.trace.read import split_item

        thing = thing_of(services, uri)
        gtin, serial, _ = split_item(thing)
        found = await read_standing(services.reader, gtin, serial, thing, OPERATOR)
        if found is None:
            raise unknown_thing(uri)
        return found

    found = run(data_dir, work)
    show(found, as_json, lambda: "\n".join(_standing_lines(found)))


def _word(state: str) -> str:
    """A state or an act in the language of this run."""
    return say(state, STATES.get(state, state))


def _standing_lines(found: CodeStanding) -> list[str]:
    title = f"(01){found.gtin}(21){found.serial}" if found.gtin else found.uri
    lines = [f"{title}  {_word(found.state)}" + (f"  {say('lot', '批次')} {found.lot}" if found.lot else "")]
    if found.batch_id is not None:
        scratch = say(", with scratch code", "，附刮开码") if found.scratch else ""
        lines.append(
            say(
                f"  batch {found.batch_id}, label {found.ordinal}",
                f"  批次号 {found.batch_id}，第 {found.ordinal} 枚",
            )
            + scratch
        )
    for act in found.acts:
        where = f"  @ {act.facility}" if act.facility else ""
        why = " ".join(word for word in (act.ledger_item, act.reason) if word)
        lines.append(
            f"  {act.at:%Y-%m-%d %H:%M} UTC  {_word(act.act)}  {act.party_id}{where}"
            + (f"  ({why})" if why else "")
        )
    for later in found.later:
        where = f"  @ {later.place}" if later.place else ""
        index = "" if later.log_index is None else f"  #{later.log_index}"
        lines.append(f"  {later.at:%Y-%m-%d %H:%M} UTC  {_word(later.state)}  {later.party_id}{where}{index}")
    lines += [say(f"  also known as {alias}", f"  别名 {alias}") for alias in found.aliases]
    if found.verified_at is not None:
        lines.append(
            say(
                f"  verified {found.verified} times, first {found.verified_at:%Y-%m-%d %H:%M} UTC",
                f"  已验证 {found.verified} 次，首次 {found.verified_at:%Y-%m-%d %H:%M} UTC",
            )
        )
    lines += _label_lines(found.label)
    if found.failed:
        lines.append(say(f"  {found.failed} failed verifications", f"  验证失败 {found.failed} 次"))
    if found.page.views:
        times, days = found.page.views, found.page.days
        lines.append(
            say(
                f"  page opened {times:,} times on {days} days, last on {found.page.last_on}; no verification",
                f"  页面被打开 {times:,} 次，共 {days} 天，最近 {found.page.last_on}；打开不等于验证",
            )
        )
    return lines


def _label_lines(label: LabelStanding | None) -> list[str]:
    if label is None:
        return []
    tracks = " ".join(label.tracks)
    lines = [
        say(
            f"  label enrolled ({tracks}) {label.enrolled_at:%Y-%m-%d %H:%M} UTC  {label.enrolled_by}",
            f"  标签已登记（{tracks}）{label.enrolled_at:%Y-%m-%d %H:%M} UTC  {label.enrolled_by}",
        )
    ]
    if label.last is not None:
        lines.append(
            say(
                f"  label checked: {label.matches} matched, {label.differs} differed, {label.unclear} unclear; last"
                f" {label.last.at:%Y-%m-%d %H:%M} UTC, {label.last.answer}, score {label.last.score:.2f}",
                f"  标签核对：相符 {label.matches} 次，不符 {label.differs} 次，无法判断 {label.unclear} 次；最近"
                f" {label.last.at:%Y-%m-%d %H:%M} UTC，{ANSWERS[label.last.answer]}，得分 {label.last.score:.2f}",
            )
        )
    return lines
