"""Requirements of machines: list, check, try out, save and take back; and judge a file over recorded data."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from servitwin.cli.figures import FromOption, TwinArgument, UntilOption
from servitwin.cli.node import (
    FINDING,
    DataOption,
    JsonOption,
    ToOption,
    connect,
    handled,
    print_json,
    print_table,
)
from servitwin.cli.starters import Starters
from servitwin.domain.instant import DAY, format_instant, parse_instant

if TYPE_CHECKING:
    from servitwin.usecases.judge_recording import Judged

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Full name, such as brake.holds-the-load")]
FormulaArgument = Annotated[str, typer.Argument(help="Formula, see docs/concepts/requirement.md")]
ComponentOption = Annotated[
    str, typer.Option("--component", help="Component whose signals can be named without its path")
]


def add(app: typer.Typer, starters: Starters) -> None:
    """Add the commands."""
    group = typer.Typer(help="What machines must do: formulas, their verdicts, and how they would have done.",
                        no_args_is_help=True)  # fmt: skip
    group.command("list")(handled(list_requirements))
    group.command("check")(handled(check))
    group.command("try")(handled(try_out))
    group.command("save")(handled(save))
    group.command("remove")(handled(remove))
    group.command("verdicts")(handled(verdicts))
    group.command("judge", help="Judge requirement files over recorded machines; needs no node.")(_judge(starters))
    app.add_typer(group, name="requirements")


def list_requirements(
    twin: TwinArgument, data: DataOption = None, to: ToOption = None, as_json: JsonOption = False
) -> None:
    """List the requirements of a machine and what is certain about each now."""
    with connect(data, to) as node:
        items = node.requirements(twin)
    if as_json:
        print_json(items)
        return
    rows = [
        (r["name"], r["severity"], r["verdict"] or "-", r["since"] or "-", str(r["violations_30d"]), r["case"] or "-",
         r["text"])
        for r in items
    ]  # fmt: skip
    print_table(("name", "severity", "verdict", "since", "violations in 30 d", "case", "text"), rows)


def check(
    twin: TwinArgument,
    formula: FormulaArgument,
    component: ComponentOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a formula for a machine: what it says, or all that is wrong with it (exit code 1)."""
    with connect(data, to) as node:
        found = node.check_formula(twin, formula, component)
    if as_json:
        print_json(found)
    elif found["faults"]:
        for fault in found["faults"]:
            _point_at(formula, fault)
    else:
        typer.echo(found["words"])
        typer.echo(f"reads {', '.join(found['signals'])}; certain after {found['horizon_s']:g} s at the latest")
    if found["faults"]:
        raise typer.Exit(FINDING)


def try_out(
    twin: TwinArgument,
    formula: FormulaArgument,
    from_: FromOption = None,
    until: UntilOption = None,
    component: ComponentOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell how often a formula would have been violated (default: in the last day); exit code 1 if it would."""
    end = until or format_instant(time.time_ns())
    begin = from_ or format_instant(_instant(end) - DAY)
    with connect(data, to) as node:
        found = node.try_formula(twin, formula, begin, end, component)
    if as_json:
        print_json(found)
    else:
        _tell_tried(found)
    if found["count"]:
        raise typer.Exit(FINDING)


def save(
    twin: TwinArgument,
    name: NameArgument,
    text: Annotated[str, typer.Option(help="What it demands, for people")],
    formula: Annotated[str, typer.Option(help="The same as a formula")],
    severity: Annotated[str, typer.Option(help="low, medium, high or safety")] = "medium",
    times: Annotated[int, typer.Option(min=1, help="How often its trigger has to come to prove a repair")] = 3,
    when: Annotated[str, typer.Option(help="Formula of what has to come; default: the left of ->")] = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a requirement to a machine, or change one that was added."""
    body = {
        "text": text, "formula": formula, "severity": severity,
        "repair": {"when": when, "times": times, "lasting_s": 0.0},
    }  # fmt: skip
    with connect(data, to) as node:
        saved = node.save_requirement(twin, name, body)
    if as_json:
        print_json(saved)
    else:
        typer.echo(f"{saved['name']} is demanded of {twin}: {saved['words']}")


def remove(
    twin: TwinArgument,
    name: NameArgument,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take back a requirement that was added to a machine; what it found stays."""
    with connect(data, to) as node:
        node.remove_requirement(twin, name)
    if as_json:
        print_json({"twin": twin, "removed": name})
    else:
        typer.echo(f"{name} is no longer demanded of {twin}")


def verdicts(
    twin: TwinArgument,
    name: NameArgument,
    from_: FromOption = None,
    until: UntilOption = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the verdicts of a requirement (default: of the last day); exit code 1 if it was violated."""
    with connect(data, to) as node:
        found = node.verdicts(twin, name, from_, until)
    if as_json:
        print_json(found)
    else:
        rows = [(p["from"], p["to"], p["verdict"], _margin(p)) for p in found["pieces"]]
        print_table(("from", "to", "verdict", "margin"), rows)
    if any(p["verdict"] == "false" for p in found["pieces"]):
        raise typer.Exit(FINDING)


def _judge(starters: Starters) -> Callable[..., None]:
    kinds = ", ".join(starters.recording_kinds)

    def judge(
        files: Annotated[list[Path], typer.Argument(help="Requirement files, or machine types with requirements")],
        recording: Annotated[tuple[str, Path], typer.Option(help=f"Kind and folder; kinds: {kinds}")],
        machine: Annotated[
            list[str] | None, typer.Option(help="Judge this machine, whatever its type; may be given again")
        ] = None,
        as_json: JsonOption = False,
    ) -> None:
        # Not at the top: no other command needs numpy and the monitor.
        from servitwin.domain.error import InvalidInputError  # noqa: PLC0415
        from servitwin.usecases.check_files import collect  # noqa: PLC0415
        from servitwin.usecases.judge_recording import JudgeRecording  # noqa: PLC0415

        texts, faults = collect(files)
        if faults:
            raise InvalidInputError(faults)
        job = JudgeRecording(starters.open_recording(*recording), texts)
        judged: list[Judged] = []
        for read, rows in job.judge(machine or ()):
            if read.left_out:
                typer.echo(f"{read.twin.id}: {read.left_out} values could not be read and are left out", err=True)
            judged += rows
        if as_json:
            print_json([_judged_out(j) for j in judged])
        else:
            _tell_judged(judged)
        if any(j.violations for j in judged):
            raise typer.Exit(FINDING)

    return handled(judge)


def _judged_out(j: "Judged") -> dict[str, Any]:
    return {
        "machine": j.machine,
        "requirement": j.requirement,
        "severity": j.severity,
        "text": j.text,
        "triggered": j.triggered,
        "kept": j.kept,
        "unclear": j.unclear,
        "violations": [{"from": format_instant(a), "to": format_instant(b)} for a, b in j.violations],
        "seconds": {"true": j.true_s, "false": j.false_s, "inconclusive": j.inconclusive_s},
        "first": [{"signal": s.signal, "time": format_instant(s.time), "value": s.value} for s in j.explanation.samples]
        if j.explanation is not None
        else [],
    }


def _tell_judged(judged: "list[Judged]") -> None:
    rows = [
        (
            j.machine,
            j.requirement,
            j.severity,
            _count(j.triggered),
            _count(j.kept),
            _count(j.unclear),
            str(len(j.violations)),
            f"{j.false_s:.1f}",
            format_instant(j.violations[0][0]) if j.violations else "-",
            f"{100 * j.inconclusive:.1f} %",
        )
        for j in judged
    ]
    heads = ("machine", "requirement", "severity", "triggered", "kept", "unclear", "violations", "seconds", "first",
             "not decided")  # fmt: skip
    print_table(heads, rows)


def _count(n: int | None) -> str:
    return "-" if n is None else str(n)


def _tell_tried(found: dict[str, Any]) -> None:
    times = "" if found["triggered"] is None else f"triggered {found['triggered']} times, "
    seconds = found["seconds"]
    typer.echo(
        f"{times}violated {found['count']} times; true for {seconds['true']:.1f} s, "
        f"false for {seconds['false']:.1f} s, not decided for {seconds['inconclusive']:.1f} s"
    )
    if found["violations"]:
        print_table(("from", "to", "margin"), [(p["from"], p["to"], _margin(p)) for p in found["violations"]])


def _margin(piece: dict[str, Any]) -> str:
    least, most = piece["least"], piece["most"]
    if least is None or most is None:
        return "-"
    return f"{least:g}" if least == most else f"{least:g} to {most:g}"


def _point_at(formula: str, fault: dict[str, Any]) -> None:
    """The line of the formula with the faulty characters underlined, then what is wrong and what mends it."""
    begin = formula.rfind("\n", 0, fault["from"]) + 1
    line = formula[begin:].split("\n", 1)[0]
    width = max(1, min(fault["to"], begin + len(line)) - fault["from"])
    typer.echo(line)
    typer.echo(" " * (fault["from"] - begin) + "^" * width)
    typer.echo(f"{fault['code']}: {fault['message']}. {fault['hint']}")


def _instant(text: str) -> int:
    return int(text) if text.lstrip("-").isdigit() else parse_instant(text)
