"""The ``suyuan`` command. Commands import what they need when they run, so that ``--help`` and ``verify`` are quick."""

from __future__ import annotations

from suyuan.cli import checking, codes, membership, papers, processes
from suyuan.cli.context import CommandLine

app = CommandLine(
    name="suyuan",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Open, verifiable traceability for goods imported into China through cross-border e-commerce (溯源).\n\n"
    "Start with: suyuan demo. An error is one line and an exit code: 2 input, 3 access, 4 not found, 5 conflict,"
    " 6 refused by a rule, 7 a proof that does not hold, 8 not available now, 9 stored data at odds with itself.",
)
app.add_typer(membership.party, name="party")
app.add_typer(membership.token, name="token")
app.add_typer(membership.product, name="product")
app.add_typer(membership.place, name="place")
app.add_typer(checking.gs1, name="gs1")
app.command()(processes.demo)
app.command()(processes.serve)
app.command()(processes.worker)
app.command()(processes.migrate)
app.command()(papers.capture)
app.command()(papers.trace)
app.command()(papers.coverage)
app.command()(papers.balance)
app.command()(papers.bundle)
app.command()(codes.issue)
app.command()(codes.activate)
app.command()(checking.verify)
app.command()(checking.fsck)
app.command(name="event-hash")(checking.event_hash)
