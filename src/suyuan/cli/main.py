"""The ``suyuan`` command. Commands import what they need when they run, so that ``--help`` and ``verify`` are quick."""

from __future__ import annotations

from typing import Annotated

import typer

from suyuan.cli import (
    certificates,
    checking,
    code_life,
    codes,
    erasing,
    foreign_codes,
    keeping,
    label_enrolment,
    label_erasure,
    label_evaluation,
    labels,
    mappings,
    membership,
    papers,
    policies,
    precheck,
    processes,
    receipts,
    reveals,
    stock,
    templates,
    tracing,
    users,
    watching,
)
from suyuan.cli.context import CommandLine, choose_language

app = CommandLine(
    name="suyuan",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        from suyuan import __version__

        typer.echo(f"suyuan {__version__}")
        raise typer.Exit


@app.callback()
def suyuan(
    lang: Annotated[
        str,
        typer.Option(
            metavar="en|zh",
            help="Language of messages; that of the terminal where left out.",
            envvar=["LC_ALL", "LC_MESSAGES", "LANG"],
            show_default=False,
            show_envvar=False,
        ),
    ] = "en",
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Open, verifiable traceability for goods imported into China through cross-border e-commerce (溯源).

    Papers go in, the provable way of every single item comes out. See it whole: suyuan demo. Start your own:

    \b
      suyuan serve
      suyuan party add my-firm --name-en "My firm" --name-zh 我的公司 --role operator
      suyuan token create --party my-firm --scope operator
      suyuan capture papers/ --party my-firm
      suyuan trace https://id.gs1.org/01/09506000134352/21/A1

    Every command explains itself: suyuan COMMAND --help. An error is reason, remedy and an exit code: 2 input,
    3 access, 4 not found, 5 conflict, 6 refused by a rule, 7 a proof that does not hold, 8 not available now,
    9 stored data at odds with itself.
    """
    choose_language(lang)


app.add_typer(membership.party, name="party")
app.add_typer(membership.token, name="token")
app.add_typer(users.user, name="user")
app.add_typer(certificates.certificate, name="certificate")
app.add_typer(membership.product, name="product")
app.add_typer(membership.place, name="place")
app.add_typer(mappings.mapping, name="mapping")
app.add_typer(foreign_codes.alias, name="alias")
labels.app.command()(label_enrolment.enrol)
labels.app.command()(label_enrolment.verify)
labels.app.command()(label_erasure.erase)
labels.app.command()(label_evaluation.evaluate)
labels.app.command()(label_evaluation.simulate)
app.add_typer(receipts.customs, name="customs")
app.add_typer(checking.gs1, name="gs1")
app.add_typer(policies.policy, name="policy")
app.add_typer(labels.app, name="label")
app.command()(processes.demo)
app.command()(processes.serve)
app.command()(processes.worker)
app.command()(processes.migrate)
app.command()(keeping.backup)
app.command()(keeping.restore)
app.command()(erasing.erase)
app.command()(reveals.reveals)
app.command()(papers.capture)
app.command()(precheck.check)
app.command()(watching.watch)
app.command()(templates.template)
app.command()(tracing.trace)
app.command()(tracing.coverage)
app.command()(tracing.balance)
app.command()(stock.stock)
app.command()(tracing.bundle)
app.command()(codes.issue)
app.command()(code_life.printed)
app.command()(code_life.activate)
app.command()(code_life.void)
app.command()(code_life.code)
app.command()(checking.verify)
app.command()(checking.fsck)
app.command(name="event-hash")(checking.event_hash)
