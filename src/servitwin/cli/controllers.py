"""Controllers: check a state machine against its properties (needs no node), and those that a node keeps."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from servitwin.cli.kept_controllers import add_controller, list_controllers, replay_controller
from servitwin.cli.node import FINDING, JsonOption, handled, print_json, print_table
from servitwin.cli.texts import text_of
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.usecases.check_controller import (
    DEPTH,
    SECONDS,
    Checked,
    ControllerText,
    Limits,
    check_controller,
    recorded,
)

if TYPE_CHECKING:
    from servitwin.proof.controller.report import Answer, Counterexample, Report

_MOST_RECORDED = 500_000_000


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="State machines of controllers: proofs, counterexamples, those of a node.", no_args_is_help=True
    )
    group.command("check")(handled(check))
    group.command("add")(handled(add_controller))
    group.command("list")(handled(list_controllers))
    group.command("replay")(handled(replay_controller))
    app.add_typer(group, name="controllers")


def check(
    file: Annotated[Path, typer.Argument(help="Controller file (YAML), or a W3C SCXML document")],
    side: Annotated[
        Path | None, typer.Option("--with", help="Ranges and properties of an SCXML document (YAML)")
    ] = None,
    against: Annotated[Path | None, typer.Option(help="An older version, for the same properties")] = None,
    recording: Annotated[
        Path | None, typer.Option(help="Observations of the real machine (CSV: time,signal,value)")
    ] = None,
    depth: Annotated[int, typer.Option(min=0, max=100_000, help="Steps to search where there is no proof")] = DEPTH,
    seconds: Annotated[float, typer.Option(min=0.1, max=86_400, help="Time for each version")] = SECONDS,
    smt_lib: Annotated[Path | None, typer.Option(help="Folder for what another solver has to confirm")] = None,
    as_json: JsonOption = False,
) -> None:
    """Prove the properties of a controller, or show the shortest run that breaks one. Exit code 1 if one is broken."""
    side_text = None if side is None else text_of(side)
    source = ControllerText(text_of(file), str(file), side_text, str(side or ""))
    older = None
    if against is not None:
        text = text_of(against)
        beside = side_text if text.lstrip().startswith("<") else None  # both documents have the same side file
        older = ControllerText(text, str(against), beside, str(side or ""))
    limits = Limits(seconds, depth)
    seen = None if recording is None else recorded(text_of(recording, _MOST_RECORDED), str(recording))
    found = check_controller(
        source, time.monotonic, older=older, observations=seen, limits=limits, smt_lib=smt_lib is not None
    )
    if smt_lib is not None:
        _write(smt_lib, found.obligations)
        _write(smt_lib / "older", found.obligations_of_older)
    if as_json:
        print_json({"report": found.report, "conformance": found.conformance, "comparison": found.comparison})
    else:
        _tell(found)
        if smt_lib is not None:
            typer.echo(f"{len(found.obligations)} obligations in {smt_lib}: each says which answer it needs")
    if found.report.violated:
        raise typer.Exit(FINDING)


def _write(folder: Path, texts: dict[str, str]) -> None:
    if not texts:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, "utf-8")
    except OSError as e:
        fault = Fault("file:unwritable", e.strerror or str(e), "Name a folder that can be written", file=str(folder))
        raise InvalidInputError(fault) from e


def _tell(found: Checked) -> None:
    report = found.report
    typer.echo(
        f"{report.controller} version {report.version}: {len(report.answers)} properties, {report.seconds:.1f} s"
    )
    for answer in report.answers:
        _tell_answer(answer)
    for finding in report.findings:
        shown = " (proven)" if finding.proof is not None else " (shown by a run)" if finding.counterexample else ""
        typer.echo(f"  defect of the model: {finding.message}{shown}. {finding.hint}")
    for text in report.unsettled:
        typer.echo(f"  not settled: {text}")
    if found.comparison is not None:
        older = found.comparison.older
        typer.echo(f"\nagainst version {older.version}:")
        rows = [
            (c.name, c.older.outcome if c.older else "-", c.newer.outcome, c.change, "; ".join(c.meaning))
            for c in found.comparison.properties
        ]
        print_table(("property", "older", "newer", "", "the question differs"), rows)
        for row in found.comparison.properties:
            if row.change == "mended" and row.older is not None:
                _tell_answer(row.older)
        for name in found.comparison.gone:
            typer.echo(f"  the older file also had {name}: it is no longer asked")
    _tell_limits(report)
    if found.conformance is None:
        typer.echo("How well the model fits the real machine was not asked: give a --recording.")
        return
    typer.echo(f"{found.conformance.note}.")
    for miss in found.conformance.unexplained[:10]:
        changed = [f"{n}: {v} -> {miss.after[n]}" for n, v in miss.before.items() if miss.after[n] != v]
        what = ", ".join(changed) or f"stays at {miss.before}"
        beside = ", ".join(f"{n}={v}" for n, v in miss.before.items() if miss.after[n] == v)
        typer.echo(f"  not explained, {miss.count} times: {what}" + (f" with {beside}" if beside and changed else ""))


def _tell_answer(answer: Answer) -> None:
    word = {"proven": "PROVEN", "violated": "VIOLATED"}.get(answer.outcome, "NOT PROVEN")
    typer.echo(f"{word:<10} {answer.name} ({answer.severity}): {answer.text}")
    typer.echo(f"           {answer.note}")
    if answer.counterexample is not None:
        _tell_run(answer.counterexample)


def _tell_run(run: Counterexample) -> None:
    last: dict[str, str] = {}
    for step in run.steps:
        now = {**step.values, **step.inputs}
        changed = [f"{n}={v}" for n, v in now.items() if last.get(n) != v]
        last = now
        at = "" if step.time_ns is None else f" {step.time_ns / 1e9:g} s"
        if changed or step.taken:
            then = f"  then {'; '.join(step.taken)}" if step.taken else ""
            typer.echo(f"           {step.index:>4}{at}  {', '.join(changed)}{then}")


def _tell_limits(report: Report) -> None:
    typer.echo("")
    for text in report.limits:
        typer.echo(text)
