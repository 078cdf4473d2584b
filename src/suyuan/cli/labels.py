"""``label``: labels told apart by their image. Its commands are in modules of their own."""

from __future__ import annotations

from suyuan.cli.context import CommandLine

app = CommandLine(no_args_is_help=True, help="Labels checked by their image: enrol, verify, erase, evaluate.")
