"""``policy``: who sees what, as a table, rule by rule, and for one thing and one member."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from suyuan.cli.context import AsJson, CommandLine, DataDir, console, load_settings, run, say, show
from suyuan.cli.tracing import thing_of, unknown_thing, viewer_for
from suyuan.errors import InputError

if TYPE_CHECKING:
    from suyuan.app import Services
    from suyuan.disclosure.explaining import Row
    from suyuan.disclosure.policy import Policy
    from suyuan.trace.explaining import Explanation

policy = CommandLine(
    help="Who sees what: the disclosure policy, as a table and in words.", no_args_is_help=True
)

PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="FILE",
        help="Another policy file than the one in force, to try it before it is.",
        show_default=False,
    ),
]
_MARKS = {"shown": "●", "link": "○", "hidden": "–", "depends": "◐"}
_FACT_MARKS = {"shown": ("+", "green"), "link": ("o", "yellow"), "hidden": ("-", "red")}


def _loaded(data_dir: Path | None, file: Path | None) -> Policy:
    from suyuan.disclosure.policy import load_policy

    return load_policy(file or load_settings(data_dir).policy_file)


@policy.command("show")
def show_policy(data_dir: DataDir = None) -> None:
    """Print the policy file that is in force: one to begin with for a policy of one's own.

    \b
      suyuan policy show > data/policy.toml
    """
    from suyuan.disclosure.policy import policy_text

    typer.echo(policy_text(load_settings(data_dir).policy_file), nl=False)


@policy.command("explain")
def explain_policy(
    thing: Annotated[
        str,
        typer.Argument(metavar="[URI]", help="A thing: for each fact what is shown and which rule says so."),
    ] = "",
    audience: Annotated[str, typer.Option("--audience", "-a", help="One audience of the policy.")] = "",
    party: Annotated[
        str, typer.Option("--party", metavar="ID", help="A member, as what the thing lets it look.")
    ] = "",
    path: Annotated[
        str, typer.Option("--path", help="One field: the path of its claim, e.g. readPoint/id.")
    ] = "",
    value: Annotated[str, typer.Option("--value", help="With --path: what the field names.")] = "",
    step: Annotated[str, typer.Option("--step", metavar="URI", help="Of events with this bizStep.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="Of events from such a paper, e.g. CEB513.")] = "",
    file: PolicyFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Who sees what, and which rule says so: a table, one field, or every fact of a thing for one member.

    \b
      suyuan policy explain
      suyuan policy explain --path readPoint/id --value geo:30.6,104.0 --kind CEB513
      suyuan policy explain https://id.gs1.org/01/09506000134352/21/A1 --party nanyue-broker
    """
    if thing:
        if path or value or step or kind:
            raise InputError(
                "cli.policy.options", "A thing has fields, steps and papers of its own.", path="URI",
                remedy="Leave out --path, --value, --step and --kind, or the thing.",
            )  # fmt: skip
        _explain_thing(thing, audience, party, file, data_dir, as_json)
        return
    if party:
        raise InputError(
            "cli.policy.options", "What a member sees depends on the thing.", path="--party",
            remedy="Name a thing before it: suyuan policy explain URI --party ID",
        )  # fmt: skip
    loaded = _loaded(data_dir, file)
    names = [loaded.audience(audience).name] if audience else list(loaded.audiences)
    if path:
        _explain_path(loaded, names, path, value, step, kind, as_json)
    else:
        _explain_table(loaded, names, step, kind, as_json)


# -- the table --------------------------------------------------------------------------------------------


def _explain_table(loaded: Policy, names: list[str], step: str, kind: str, as_json: bool) -> None:
    from suyuan.disclosure.explaining import table

    rows = table(loaded, names, step=step, kind=kind)
    if as_json:
        show(_table_json(loaded, names, rows), True, str)
        return
    from rich.table import Table

    screen = console()
    drawn = Table(box=None, pad_edge=False)
    drawn.add_column(say("field class", "字段类别"))
    for number, _ in enumerate(names, start=1):
        drawn.add_column(str(number), justify="center")
    for row in rows:
        words = row.field_class.words
        name = say(words.en, words.zh) or row.field_class.name
        drawn.add_row(f"{row.field_class.name}  {name}", *(_MARKS[row.cells[one]] for one in names))
    for number, name in enumerate(names, start=1):
        viewer = loaded.audience(name)
        blind = "; ".join(say(one.words.en, one.words.zh) or one.name for one in viewer.blind)
        never = say(f" (never: {blind})", f"（不可见：{blind}）") if blind else ""
        screen.print(f"{number}  {name}: {say(viewer.words.en, viewer.words.zh)}{never}", markup=False)
    screen.print(
        say(
            "● shown  ◐ depends on the event or on what is named  ○ in proofs alone  – hidden",
            "● 展示  ◐ 视事件或所指对象而定  ○ 仅用于证明  – 隐藏",
        ),
        style="dim",
    )
    screen.print(drawn)


def _table_json(loaded: Policy, names: list[str], rows: list[Row]) -> dict[str, Any]:
    return {
        "version": loaded.version,
        "audiences": {
            name: {
                "en": loaded.audience(name).words.en,
                "zh": loaded.audience(name).words.zh,
                "blind": [one.name for one in loaded.audience(name).blind],
            }
            for name in names
        },
        "classes": [
            {
                "name": row.field_class.name,
                "en": row.field_class.words.en,
                "zh": row.field_class.words.zh,
                "paths": row.field_class.patterns,
                "verdicts": row.cells,
            }
            for row in rows
        ],
    }


# -- one field ---------------------------------------------------------------------------------------------


def _explain_path(
    loaded: Policy, names: list[str], path: str, value: str, step: str, kind: str, as_json: bool
) -> None:
    from suyuan.disclosure.explaining import decision_words
    from suyuan.disclosure.policy import Context

    found = []
    for name in names:
        decision = loaded.decide(name, path, value, Context(step=step, kind=kind))
        words = decision_words(loaded, name, decision)
        found.append(
            {
                "audience": name,
                "verdict": decision.verdict.value,
                "class": decision.class_name,
                "rule": decision.rule.place if decision.rule is not None else "",
                "reason_en": words.en,
                "reason_zh": words.zh,
            }
        )
    if as_json:
        show(found, True, str)
        return
    for one in found:
        mark, style = _FACT_MARKS[one["verdict"]]
        console().print(
            f"{mark} {one['audience']}: {say(one['reason_en'], one['reason_zh'])}", style=style, markup=False
        )


# -- one thing ---------------------------------------------------------------------------------------------


def _explain_thing(
    thing: str, audience: str, party: str, file: Path | None, data_dir: Path | None, as_json: bool
) -> None:
    found = run(data_dir, lambda services: _explanation(services, thing, audience, party, file))
    if as_json:
        show(found, True, str)
        return
    from suyuan.trace.state import short_name

    screen = console()
    who = f"{found.party} " + say("as", "身份") if found.party else say("as", "身份")
    screen.print(f"{who} {found.audience}  {found.thing}", style="bold", markup=False)
    for rest in found.standing:
        screen.print(f"  {say(rest.reason_en, rest.reason_zh)}", markup=False)
    if not found.may_ask:
        screen.print(
            say("This audience may not ask for such a thing.", "该身份不可查询此类对象。"), style="yellow"
        )
    for fact in found.facts:
        sight = say(fact.sight.reason_en, fact.sight.reason_zh) if fact.sight is not None else ""
        seen = say("shown", "展示") if fact.shown else say("hidden", "隐藏")
        what = short_name(fact.biz_step) or "-"
        screen.print(
            f"{fact.event_time:%Y-%m-%d %H:%MZ}  {what}  ({fact.party})  {seen}  {sight}",
            style="bold" if fact.shown else "dim", markup=False,
        )  # fmt: skip
        for claims in fact.claims:
            mark, style = _FACT_MARKS[claims.verdict]
            screen.print(f"    {mark} {say(claims.reason_en, claims.reason_zh)}", style=style, markup=False)
            screen.print(f"      {', '.join(claims.paths)}", style="dim", markup=False)


async def _explanation(
    services: Services, text: str, audience: str, party: str, file: Path | None
) -> Explanation:
    from suyuan.disclosure.policy import load_policy
    from suyuan.trace import TraceReader
    from suyuan.trace.explaining import explain

    reader = TraceReader(services.pool, load_policy(file)) if file is not None else services.reader
    viewer = await viewer_for(services, audience or ("" if party else "public"), party)
    found = await explain(reader, thing_of(services, text), viewer)
    if found is None:
        raise unknown_thing(text)
    return found
