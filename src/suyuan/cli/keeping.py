"""``suyuan backup`` and ``suyuan restore``: keeping a deployment, and having it again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from suyuan.cli.context import AsJson, DataDir, load_settings, say, show
from suyuan.errors import InputError, IntegrityError

if TYPE_CHECKING:
    from suyuan.cli.backing_up import Made
    from suyuan.cli.restoring import Restored
    from suyuan.settings import Settings

_SEALING = "Passphrase of the sealed keys, in a file of one line; asked for where left out."
Log = Annotated[str, typer.Option("--log-key", metavar="VKEY", help="Key that must have signed the backup.")]
PassphraseFile = Annotated[
    Path | None, typer.Option("--passphrase-file", metavar="FILE", help=_SEALING, show_default=False)
]


def backup(
    target: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE|DIR]", help="File to write; in a directory, one named by the time."),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            "--keys", metavar="FILE", help="Seal all key files into this file, apart.", show_default=False
        ),
    ] = None,
    recipient: Annotated[
        list[str] | None,
        typer.Option(
            metavar="age1...", help="Public key to seal the keys for; may be repeated.", show_default=False
        ),
    ] = None,
    passphrase_file: PassphraseFile = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal", metavar="DIR", help="Write erasures and newest checkpoint there.", show_default=False
        ),
    ] = None,
    verify: Annotated[
        Path | None,
        typer.Option(
            "--verify", metavar="FILE", help="Check a backup instead of making one.", show_default=False
        ),
    ] = None,
    log_key: Log = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Back up the deployment while it works: one consistent file, read again and compared after it was written.

    The file holds every row, and the operator's own policy and leg profiles. It does not hold the key files: without
    them nobody reads the personal data in it, and nobody restores it. --keys seals them into a file of their own (age
    format), which belongs somewhere else. --journal writes the two small files that a restore needs from after the
    backup; run it every few minutes.

    \b
      suyuan backup /backup --data-dir /var/lib/suyuan
      suyuan backup --keys /safe/keys.age --recipient age1...
      suyuan backup --journal /backup/journal
      suyuan backup --verify /backup/suyuan-20260301T020000Z.backup
    """
    from suyuan.cli import backing_up

    if verify is not None:
        if target or keys or journal:
            raise InputError(
                "backup.nothing", "--verify stands alone.", path="--verify", remedy="Run it by itself."
            )
        found = backing_up.verify_backup(verify, log_key)
        show(found, as_json, lambda: _made(found, verified=True))
        return
    if target is None and keys is None and journal is None:
        raise InputError(
            "backup.nothing",
            "It is not said what to write.",
            path="FILE",
            remedy="Name a file or directory, or --keys FILE, or --journal DIR.",
        )
    result: dict[str, Any] = {}
    if keys is not None:
        secret = "" if recipient else _passphrase(passphrase_file, twice=True)
        names = backing_up.write_keys(load_settings(data_dir), keys, recipient or [], secret)
        result["keys"] = {"file": str(keys), "names": names}
    if target is not None or journal is not None:
        asyncio.run(_back_up(load_settings(data_dir), target, journal, result))
    show(result, as_json, lambda: _told(result))


async def _back_up(
    settings: Settings, target: Path | None, journal: Path | None, result: dict[str, Any]
) -> None:
    from suyuan.cli import backing_up

    async with backing_up.opened(settings) as pool:
        if target is not None:
            path = backing_up.file_for(target, datetime.now(UTC))
            result["backup"] = await backing_up.write_backup(settings, pool, path)
        if journal is not None:
            erasures, published = await backing_up.write_journal(pool, journal)
            result["journal"] = {"directory": str(journal), "erasures": erasures, "published": published}


def _passphrase(file: Path | None, *, twice: bool) -> str:
    from suyuan.cli import backing_up

    if file is not None:
        lines = backing_up.read_lines(file)
        if len(lines) != 1:
            raise InputError(
                "backup.file", "The file does not hold one line.", path=str(file), remedy="Write one line."
            )
        return lines[0]
    question = say("Passphrase for the keys", "密钥文件口令")
    return str(typer.prompt(question, hide_input=True, confirmation_prompt=twice, err=True))


def _told(result: dict[str, Any]) -> str:
    lines = []
    if "backup" in result:
        lines.append(_made(result["backup"], verified=False))
    if "keys" in result:
        count, file = len(result["keys"]["names"]), result["keys"]["file"]
        lines.append(
            say(
                f"{count} key files sealed: {file}. Keep them away from the backup.",
                f"已加密保存 {count} 个密钥文件：{file}。请与备份分开存放。",
            )
        )
    if "journal" in result:
        one = result["journal"]
        lines.append(
            say(
                f"journal: {one['erasures']:,} erasures, {one['published']:,} entries published: {one['directory']}",
                f"日志副本：删除记录 {one['erasures']:,} 条，已发布 {one['published']:,} 条：{one['directory']}",
            )
        )
    return "\n".join(lines)


def _made(one: Made, *, verified: bool) -> str:
    size = f"{one.size / 1e6:,.1f} MB"
    english, chinese = (
        ("verified", "校验通过") if verified else ("written and read again", "已写入并回读校验")
    )
    if one.signature == "own-key" and verified:
        english += ", signed by the key that it names (compare it: --log-key)"
        chinese += "，由其自述的密钥签名（可用 --log-key 比对）"
    return say(
        f"{one.file}: {english}. {size}, {one.rows:,} rows of {one.tables} tables: {one.events:,} events,"
        f" {one.published:,} published, {one.erasures:,} erasures; made {one.made_at:%Y-%m-%d %H:%M:%S} UTC.\n"
        f"  log {one.log_key}\n"
        f"  Not in it: the key files ({', '.join(one.keys)}).",
        f"{one.file}：{chinese}。{size}，{one.tables} 张表共 {one.rows:,} 行：事件 {one.events:,} 条，"
        f"已发布 {one.published:,} 条，删除记录 {one.erasures:,} 条；制作于 {one.made_at:%Y-%m-%d %H:%M:%S} UTC。\n"
        f"  日志 {one.log_key}\n"
        f"  不含密钥文件（{'、'.join(one.keys)}）。",
    )


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Backup to restore.")],
    data_dir: Annotated[
        Path, typer.Option("--data-dir", metavar="DIR", help="New data directory; nothing may be in it.")
    ],
    keys: Annotated[
        Path | None,
        typer.Option(
            "--keys",
            metavar="FILE",
            help="Sealed keys; else they lie in SUYUAN_KEYS_DIR.",
            show_default=False,
        ),
    ] = None,
    identity: Annotated[
        Path | None,
        typer.Option(
            "--identity", metavar="FILE", help="Secret key that opens them (age-keygen).", show_default=False
        ),
    ] = None,
    passphrase_file: PassphraseFile = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal",
            metavar="DIR",
            help="What happened since: published of the old data directory, or a copy.",
            show_default=False,
        ),
    ] = None,
    nothing_newer: Annotated[
        bool, typer.Option("--nothing-newer", help="Nothing was published or erased after the backup.")
    ] = False,
    accept_behind: Annotated[
        bool, typer.Option("--accept-behind", help="Restore although the log signed more; it stays shut.")
    ] = False,
    log_origin: Annotated[
        str,
        typer.Option(
            "--log-origin", metavar="NAME", help="Begin a log of this new name over the same entries."
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Restore a backup where nothing is: into a new data directory, or into the empty database that
    SUYUAN_DATABASE_URL names.

    Erasures made after the backup are made again, and a log that had published more than the backup knows is not
    continued, since it would sign a second history; --journal tells of both. At the end everything that is derived is
    derived again and compared, as suyuan fsck does. Exit code 9: it was restored, and something was found.

    \b
      suyuan restore /backup/suyuan-20260301T020000Z.backup --data-dir /var/lib/suyuan2 \\
          --keys /safe/keys.age --identity key.txt --journal /backup/journal
    """
    from suyuan.cli import backing_up, restoring

    if journal is not None and nothing_newer:
        raise InputError(
            "backup.outside",
            "Either a journal says what is newer, or nothing is.",
            path="--nothing-newer",
            remedy="Leave one of the two options out.",
        )
    identities = tuple(backing_up.read_lines(identity)) if identity is not None else ()
    secret = _passphrase(passphrase_file, twice=False) if keys is not None and not identities else ""
    order = restoring.Order(
        file=file, data_dir=data_dir, keys=keys, identities=identities, passphrase=secret, journal=journal,
        nothing_newer=nothing_newer, accept_behind=accept_behind, log_origin=log_origin,
    )  # fmt: skip
    done = asyncio.run(restoring.restore(order))
    show(done, as_json, lambda: _restored(done))
    if not done.clean:
        raise typer.Exit(IntegrityError.exit_code)


def _restored(done: Restored) -> str:
    log = {
        "continues": (f"the log goes on from {done.published:,} published entries",
                      f"透明日志自已发布的 {done.published:,} 条继续"),
        "shut": (f"the log stays shut: {done.newest_published:,} entries were published, {done.published:,} are here",
                 f"透明日志保持关闭：曾发布 {done.newest_published:,} 条，现有 {done.published:,} 条"),
        "renamed": (f"a new log begins: {done.log_origin} (set SUYUAN_LOG_ORIGIN to it)",
                    f"新透明日志：{done.log_origin}（请设置 SUYUAN_LOG_ORIGIN）"),
    }[done.log]  # fmt: skip
    english = "Clean." if done.clean else f"{done.findings:,} findings: run suyuan fsck."
    chinese = "核对一致。" if done.clean else f"发现 {done.findings:,} 处异常，请运行 suyuan fsck。"
    return say(
        f"Restored into {done.data_dir}, as of {done.made_at[:19]} UTC: {done.rows:,} rows, {done.events:,} events.\n"
        f"  {log[0]}; {done.erasures:,} erasures known, {done.erased_again:,} made again. {english}",
        f"已恢复到 {done.data_dir}，数据时点 {done.made_at[:19]} UTC：{done.rows:,} 行，事件 {done.events:,} 条。\n"
        f"  {log[1]}；删除记录 {done.erasures:,} 条，补做 {done.erased_again:,} 条。{chinese}",
    )
