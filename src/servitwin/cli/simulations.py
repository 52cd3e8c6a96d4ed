"""Lines with their models and scenarios; set-ups simulated before a machine runs them, and compared afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from servitwin.cli.figures import FromOption, UntilOption
from servitwin.cli.node import FINDING, DataOption, JsonOption, ToOption, connect, handled, print_json, print_table
from servitwin.cli.planning import object_of
from servitwin.cli.texts import bytes_of
from servitwin.cli.waited_job import show, waited_for

_MOST_BYTES = 8 * 2**20
Line = Annotated[str, typer.Argument(help="Id of the line's twin")]
Figure = dict[str, Any]


def add(app: typer.Typer) -> None:
    """Add the groups ``lines`` and ``set-ups``."""
    lines = typer.Typer(help="Models of lines from their own history, and scenarios.", no_args_is_help=True)
    lines.command("build", help="Build a line's model from history and check it by the part that was kept back.")(
        handled(build)
    )
    lines.command(
        "model", help="Show a line's model and how well it met the past. Exit code 1 if a figure is outside."
    )(handled(model))
    lines.command("compare", help="Compare the scenarios of a JSON file with the line as it is.")(handled(compare))
    app.add_typer(lines, name="lines")
    setups = typer.Typer(help="Set-ups simulated, and compared with the machine afterwards.", no_args_is_help=True)
    setups.command("keep", help="Keep an FMU or an SSP package.")(handled(keep))
    setups.command("simulate", help="Simulate the set-up of a JSON file, and wait. Exit code 1 if it fails.")(
        handled(simulate)
    )
    setups.command("compare", help="Compare a machine with its simulated set-up. Exit code 1 if it deviates.")(
        handled(compare_set_up)
    )
    app.add_typer(setups, name="set-ups")


def build(
    line: Line,
    from_: FromOption = None,
    until: UntilOption = None,
    order: Annotated[list[str] | None, typer.Option(help="Machine type, again for each, as parts pass them")] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build a line's model."""
    with connect(data, to) as node:
        found = node.build_line_model(line, from_, until, order or ())
        if found["validation"] is not None:
            waited_for(node, found["validation"])
            found = node.line_model(line)
    _tell_model(found, as_json)


def model(line: Line, data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """Show a line's model."""
    with connect(data, to) as node:
        found = node.line_model(line)
    _tell_model(found, as_json)


def compare(
    line: Line,
    file: Annotated[Path, typer.Argument(help="JSON: scenarios, days, worth_per_part, currency; see docs")],
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare scenarios."""
    question = object_of(file)
    with connect(data, to) as node:
        job = waited_for(node, node.compare_scenarios(line, question))
    plan = _plan_of(job, as_json)
    if plan is None:
        return
    today = plan["base"]["figures"]["parts_per_hour"]
    typer.echo(f"today {today['mean']:.2f} good parts/h; {plan['replications']} runs of each, 95 % intervals")
    rows = [
        (s["name"], _interval(s["differences"]["parts_per_hour"]), _worth(s.get("worth"))) for s in plan["scenarios"]
    ]
    print_table(("scenario", "more good parts/h", "worth a year, costs taken off"), rows)


def keep(
    id: Annotated[str, typer.Argument(help="Name in the register")],
    file: Annotated[Path, typer.Argument(help=".fmu or .ssp")],
    title: Annotated[str, typer.Option(help="What it is")] = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep a model; nothing of it is run."""
    content = bytes_of(file, _MOST_BYTES)
    with connect(data, to) as node:
        found = node.keep_model(id, content, title)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{found['id']}: {found['kind']} {found['fmi']} {found['title']}, {found['size']} bytes")


def simulate(
    file: Annotated[Path, typer.Argument(help="JSON: system and fmus, or ssp; stop, step, show; see docs")],
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate a set-up."""
    question = object_of(file)
    with connect(data, to) as node:
        job = waited_for(node, node.simulate_set_up(question))
    plan = _plan_of(job, as_json)
    if plan is None:
        return
    typer.echo(f"job {job['id']}: {plan['steps']} steps of {plan['step']:g} s")
    numbers = {n: [v for v in c if isinstance(v, int | float)] for n, c in plan["columns"].items()}
    rows = [
        (n, plan["units"][n], *(f"{v:.6g}" for v in (c[0], c[-1], min(c), max(c)))) for n, c in numbers.items() if c
    ]
    print_table(("variable", "unit", "first", "last", "least", "most"), rows)


def compare_set_up(
    job: Annotated[str, typer.Argument(help="Id of the job that simulated it")],
    file: Annotated[Path, typer.Argument(help="JSON: twin, name, begin, signals with their tolerance; see docs")],
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a machine with its set-up."""
    question = object_of(file)
    with connect(data, to) as node:
        found = node.compare_set_up(job, question)
    if as_json:
        print_json(found)
    else:
        typer.echo(found["says"])
        signals = found["signals"]
        rows = [(s["signal"], f"{s['inside']} of {s['observed']}", f"{s['rms']:.4g}", f"{s['largest']:.4g}")
                for s in signals]  # fmt: skip
        print_table(("signal", "inside", "rms", "largest"), rows)
        deviations = [
            (s["signal"], f["start"], f["end"] or "to the end", f["case"]) for s in signals for f in s["findings"]
        ]
        if deviations:
            print_table(("deviates", "from", "to", "case"), deviations)
    if any(s["findings"] for s in found["signals"]):
        raise typer.Exit(FINDING)


def _plan_of(job: dict[str, Any], as_json: bool) -> dict[str, Any] | None:
    """The job's plan for people; None where the job itself was printed, as JSON or because it has none."""
    if as_json or job.get("plan") is None:
        show(job, as_json)
        return None
    plan: dict[str, Any] = job["plan"]
    return plan


def _tell_model(found: dict[str, Any], as_json: bool) -> None:
    """The model with the error that it had on the past; exit code 1 if a measured figure lies outside."""
    checked = found["validation"]
    figures: list[Figure] = checked["plan"]["figures"] if checked and checked["plan"] else []
    if as_json:
        print_json(found)
    else:
        stations = ", ".join(s["id"] for s in found["model"]["stations"])
        typer.echo(f"{found['line']}: revision {found['revision']} of {found['at']}; stations {stations}")
        for note in found["model"].get("assumed", []):
            typer.echo(f"  assumed: {note}")
        if not figures:
            typer.echo(f"check by the past: {checked['state'] if checked else 'none'}")
        rows = [
            (f["figure"], f"{f['measured']:.4g}", f"{f['predicted']:.4g}", _share(f["relative"]),
             f"{f['low']:.4g} to {f['high']:.4g}", "inside" if f["inside"] else "outside")
            for f in figures
        ]  # fmt: skip
        if rows:
            print_table(("figure", "measured", "predicted", "error", "95 of 100 lie in", ""), rows)
    if any(not f["inside"] for f in figures):
        raise typer.Exit(FINDING)


def _share(relative: float | None) -> str:
    return "-" if relative is None else f"{relative:+.1%}"


def _interval(one: Figure) -> str:
    doubt = "" if one["clear"] else ", may be chance"
    return f"{one['mean']:+.2f} ({one['low']:+.2f} to {one['high']:+.2f}{doubt})"


def _worth(one: Figure | None) -> str:
    return "-" if one is None else f"{one['per_year']} {one['currency']} ({one['low']} to {one['high']})"
