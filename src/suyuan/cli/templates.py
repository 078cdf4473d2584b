"""``suyuan template``: the sheets that firms without electronic data interchange fill in, in five languages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from suyuan.cli.context import AsJson, say, show
from suyuan.errors import ConflictError, InputError

if TYPE_CHECKING:
    from suyuan.sheets.templates import Template


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """One template as it is listed."""

    name: str
    reads: str
    title: str
    purpose: str
    columns: int
    languages: tuple[str, ...]


def _list(as_json: bool) -> None:
    from suyuan.sheets.choices import LANGUAGES
    from suyuan.sheets.templates import templates

    language = say("en", "zh-CN")
    found = [
        Offered(
            name=one.name,
            reads=one.reads,
            title=one.title(language),
            purpose=one.purpose(language),
            columns=len(one.columns),
            languages=LANGUAGES,
        )
        for one in templates().values()
    ]
    show(
        found,
        as_json,
        lambda: "\n".join(
            [f"{one.name:<17} {one.title}: {one.purpose}" for one in found] + [", ".join(LANGUAGES)]
        ),
    )


def template(
    name: Annotated[str, typer.Argument(help="Which one; list tells which there are.")] = "list",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to write it; - for standard output.")
    ] = None,
    language: Annotated[
        str, typer.Option("--lang", metavar="zh-CN|en|ja|de|fr", help="Language of headers, lists and guide.")
    ] = "en",
    form: Annotated[
        str, typer.Option("--format", metavar="xlsx|csv", help="That of FILE's name where left out.")
    ] = "",
    guide: Annotated[bool, typer.Option("--guide", help="Write the guide alone, as CSV.")] = False,
    example: Annotated[bool, typer.Option("--example", help="With rows that show it filled in.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a template for a firm to fill in: a workbook with guide and lists to choose from, or CSV.

    Filled in, it is checked by suyuan check and taken in by suyuan capture (products and places: suyuan product put,
    suyuan place put), in whatever language it is.

    \b
      suyuan template list
      suyuan template packing-list --lang ja --out packing.xlsx
      suyuan template tally --lang de --format csv --out tally.csv
    """
    if name == "list":
        _list(as_json)
        return
    from suyuan.sheets.templates import find_language, find_template

    chosen, tongue = find_template(name), find_language(language)
    if out is None:
        raise InputError(
            "template.out",
            "Where to?",
            path="--out",
            remedy=f"Give --out {name}.xlsx, or - for standard output.",
        )
    if not form:
        form = "csv" if guide or out.suffix.lower() == ".csv" else "xlsx"
    _write(out, file_of(chosen, tongue, form, guide=guide, example=example))
    if str(out) != "-":
        show(
            {"file": str(out), "name": name, "language": tongue, "format": form},
            as_json,
            lambda: f"{out}: {chosen.title(tongue)}",
        )


def file_of(template: Template, language: str, form: str, *, guide: bool, example: bool) -> bytes:
    """The bytes of what was asked for. Raises ``InputError`` (``template.format``)."""
    from suyuan.sheets.template_files import FORMATS, write_guide, write_template

    if form not in FORMATS:
        raise InputError(
            "template.format", "A template is xlsx or csv.", path="--format", remedy="Give one of them."
        )
    if guide:
        return write_guide(template, language)
    return write_template(template, language, form, rows=template.rows if example else ())


def _write(out: Path, data: bytes) -> None:
    if str(out) == "-":
        sys.stdout.buffer.write(data)
        return
    try:
        with out.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise ConflictError(
            "template.exists",
            "The file is there already; somebody may have filled it in.",
            path=str(out),
            remedy="Give another name.",
        ) from None
    except OSError as error:
        raise InputError(
            "cli.file", f"The file cannot be written: {error.strerror}.", path=str(out)
        ) from None
