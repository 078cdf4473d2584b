"""What was typed and is no call of a command: told as every other error is, in both languages and as JSON.

Words that the shell got wrong are known before a command runs. The language and ``--json`` are therefore looked up in
what was typed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import typer
from typer.core import TyperGroup

from suyuan.errors import InputError

# The parser's own errors, by the parser that typer brings; names of classes are the same in every version.
_UsageError: Final[type[Exception]] = typer.BadParameter.__bases__[0]
_CODES: Final = {
    "NoSuchOption": "cli.usage.option",
    "BadOptionUsage": "cli.usage.option",
    "MissingParameter": "cli.usage.missing",
    "BadParameter": "cli.usage.value",
}
# Options of every command or of the program, which stand on the wrong side of the command's name.
_OF_COMMANDS: Final = ("--data-dir", "--json")
_OF_PROGRAM: Final = "--lang"


class Group(TyperGroup):
    """Commands under one name, whose mistakes in writing are errors with a code and a remedy."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        if parent is None:
            _note_manner(args)
        with _told(f"{parent.command_path} {info_name}" if parent is not None else str(info_name)):
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: Any) -> Any:
        with _told(ctx.command_path, ctx):
            return super().invoke(ctx)


def _note_manner(args: Sequence[str]) -> None:
    from suyuan.cli.context import MANNER, choose_language
    from suyuan.settings import locale_of_user

    MANNER.as_json = "--json" in args
    told = locale_of_user()
    for word, following in zip(args, [*args, ""][1:], strict=True):
        if word.startswith("--lang="):
            told = word.partition("=")[2]
        elif word == _OF_PROGRAM:
            told = following
        if not word.startswith("-") and word != told:
            break  # here the command begins: templates have a --lang of their own
    choose_language(told)


@contextmanager
def _told(command: str, ctx: Any = None) -> Iterator[None]:
    try:
        yield
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            raise  # whose message is the help itself
        if ctx is not None and ctx.invoked_subcommand:
            command = f"{command} {ctx.invoked_subcommand}"
        raise _as_input_error(error, command) from None


def _as_input_error(error: Any, command: str) -> InputError:
    from suyuan.cli.context import say

    words: str = error.format_message().strip()
    option = str(getattr(error, "option_name", "") or "")
    command = error.ctx.command_path if error.ctx is not None else command
    code = _CODES.get(type(error).__name__, "cli.usage")
    if words.startswith("No such command"):
        code = "cli.usage.command"
    remedy = say(f"{command} --help tells how it is written.", f"写法见 {command} --help。")
    if option in _OF_COMMANDS and error.ctx is not None and error.ctx.parent is None:
        remedy = say(
            f"{option} stands after the command: suyuan COMMAND {option} ...",
            f"{option} 写在命令之后：suyuan 命令 {option} …",
        )
    elif option == _OF_PROGRAM:
        remedy = say(
            "--lang stands before the command: suyuan --lang zh COMMAND ...",
            "--lang 写在命令之前：suyuan --lang zh 命令 …",
        )
    elif " gs1 " in command and not option:
        remedy = say(f"It reads standard input: {command} < FILE", f"从标准输入读取：{command} < 文件")
    return InputError(code, words, path=option, remedy=remedy)
