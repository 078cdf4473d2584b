"""``suyuan label erase``: the record of one label, and the images of its checks, are erased for good."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from suyuan.cli.context import AsJson, DataDir, run, say, show
from suyuan.cli.label_enrolment import TrackOption, track_of
from suyuan.errors import InputError
from suyuan.label.model import Track

if TYPE_CHECKING:
    from suyuan.app import Services
    from suyuan.scans.label_erasing import ErasedLabel


def erase(
    uri: Annotated[
        str, typer.Argument(metavar="URI", help="What the label's code says, or the item's address.")
    ],
    party: Annotated[str, typer.Option("--party", metavar="ID", help="Who erases: the operator.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept in the journal for good.")],
    track: TrackOption = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Erase the record of one label, so that no photo or clip can be compared with it any more.

    Superseded records of it and kept images of its checks go too. What the log commits to stays: that the label was
    enrolled, when and by whom, and a digest that says nothing without the record. So do the answers of its checks.
    The erasure is journalled first, and made again where a backup is restored; the label can be enrolled anew.

    \b
      suyuan label erase https://id.gs1.org/01/09506000134352/21/A1 --party op --reason "label maker's request"
      suyuan label erase https://id.gs1.org/01/09506000134352/21/A1 --track B --party op --reason "mixed up" --yes
    """
    wanted = track_of(track)
    if not yes:
        _ask(uri, wanted)
    done = run(data_dir, lambda services: _erase(services, uri, wanted, party, reason))
    show(
        done,
        as_json,
        lambda: say(
            f"Erased: {done.records} records (track {', '.join(done.tracks)}), {done.images} images of checks.",
            f"已删除，不可恢复：登记记录 {done.records} 份（方式 {'、'.join(done.tracks)}），"
            f"核对图像 {done.images} 张。",
        ),
    )


def _ask(uri: str, track: Track | None) -> None:
    """Whether it is meant. Raises ``InputError`` (``cli.label.erase``) where nobody can be asked, or says no."""
    what = say(
        f"Erase the record of {uri}{f' (track {track})' if track else ''}? It cannot be brought back.",
        f"确定删除 {uri}{f'（方式 {track}）' if track else ''} 的登记记录？删除后不可恢复。",
    )
    if not sys.stdin.isatty() or not typer.confirm(what, err=True):
        raise InputError(
            "cli.label.erase",
            "Nothing was erased: it was not confirmed.",
            path="--yes",
            remedy="Say yes when asked, or give --yes.",
        )


async def _erase(services: Services, uri: str, track: Track | None, party: str, reason: str) -> ErasedLabel:
    from suyuan.parties import get_party
    from suyuan.scans.label_erasing import erase_label

    await get_party(services.pool, party)
    _, gtin, serial = services.enroller.printed(uri)
    return await erase_label(services.pool, gtin, serial, track, party_id=party, reason=reason)
